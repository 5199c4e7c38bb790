// All sockets that the daemon listens on, opened before privileges are dropped, or passed by systemd. Workers get
// duplicates: an MTA on loopback is one client with few sockets, which SO_REUSEPORT would pin to few workers; with one
// shared queue whoever is idle takes the next.
#pragma once

#include <string>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/service_manager.h"
#include "net/server.h"

namespace mxtrust::daemon {

struct Sockets {
    std::vector<net::Listening> query;    ///< one at most, unless passed
    std::vector<net::Listening> postfix;  ///< one at most, unless passed
    std::vector<net::Listening> udp, tcp;
    std::vector<net::Listening> metrics;  ///< at most one; of one worker alone, so that duplicate() leaves it out
    std::vector<std::string> own_files;   ///< of Unix sockets, to be removed at the end

    /// What was passed serves instead of what the configuration says of the same door ("query", "postfix", "metrics",
    /// "dns"). One clear sentence where one cannot be opened, or where one was passed under another name.
    static Result<Sockets> open(const ServerKeys& keys, std::vector<PassedSocket> passed);
    [[nodiscard]] Result<Sockets> duplicate() const;
    /// As bound: "/run/mxtrust/query.sock", "127.0.0.1:53" for UDP and TCP.
    [[nodiscard]] std::vector<std::string> names() const;
    /// Where DNS is served, with the real ports.
    [[nodiscard]] std::vector<Endpoint> dns() const;
};

}  // namespace mxtrust::daemon
