// All sockets that the daemon listens on, opened before privileges are dropped. Workers get duplicates: an MTA on
// loopback is one client with few sockets, which SO_REUSEPORT would pin to few workers; with one shared queue whoever
// is idle takes the next.
#pragma once

#include <string>
#include <vector>

#include "daemon/configuration.h"
#include "net/server.h"

namespace mxtrust::daemon {

struct Sockets {
    std::vector<net::Listening> query;    ///< at most one
    std::vector<net::Listening> postfix;  ///< at most one
    std::vector<net::Listening> udp, tcp;
    std::vector<net::Listening> metrics;  ///< at most one; of one worker alone, so that duplicate() leaves it out

    /// One clear sentence where one of them cannot be opened.
    static Result<Sockets> open(const ServerKeys& keys);
    [[nodiscard]] Result<Sockets> duplicate() const;
    /// As bound: "/run/mxtrust/query.sock", "127.0.0.1:53" for UDP and TCP.
    [[nodiscard]] std::vector<std::string> names(const ServerKeys& keys) const;
};

}  // namespace mxtrust::daemon
