// All sockets that the daemon listens on, opened before privileges are dropped, or passed by systemd. Workers get
// duplicates: an MTA on loopback is one client with few sockets, which SO_REUSEPORT would pin to few workers; with one
// shared queue whoever is idle takes the next.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/process.h"
#include "daemon/service_manager.h"
#include "net/server.h"

namespace mxtrust::daemon {

/// What the service manager opened for us, by door: paths, and addresses with ports.
struct PassedDoors {
    std::vector<std::string> query, postfix, dns, metrics;
};
/// Keys that the file has and that say otherwise than what was passed, which goes before them: one sentence each, for a
/// warning, with what is to be changed instead. Whoever closes a door must not believe it closed when it is not.
[[nodiscard]] std::vector<std::string> unheeded_keys(const Loaded& loaded, const PassedDoors& passed);

/// Files of Unix sockets that were made here. They go with it, however the daemon ends: one on which nobody listens
/// would only mislead.
class OwnFiles {
  public:
    OwnFiles() = default;
    OwnFiles(OwnFiles&& other) noexcept : paths_(std::exchange(other.paths_, {})) {}
    OwnFiles& operator=(OwnFiles&&) = delete;
    ~OwnFiles();
    void add(std::string path) { paths_.push_back(std::move(path)); }

  private:
    std::vector<std::string> paths_;
};

struct Sockets {
    std::vector<net::Listening> query;    ///< one at most, unless passed
    std::vector<net::Listening> postfix;  ///< one at most, unless passed
    std::vector<net::Listening> udp, tcp;
    std::vector<net::Listening> metrics;  ///< at most one; of one worker alone, so that duplicate() leaves it out
    OwnFiles own_files;
    PassedDoors passed;

    /// What was passed serves instead of what the configuration says of the same door ("query", "postfix", "metrics",
    /// "dns"). One clear sentence where one cannot be opened, or where one was passed under another name.
    /// Files belong to the group of `account`, whom the process is to become: permissions for a group are for that one.
    static Result<Sockets> open(const ServerKeys& keys, std::vector<PassedSocket> passed,
                                const std::optional<Account>& account = std::nullopt);
    [[nodiscard]] Result<Sockets> duplicate() const;
    /// As bound: "/run/mxtrust/query.sock", "127.0.0.1:53" for UDP and TCP.
    [[nodiscard]] std::vector<std::string> names() const;
    /// Where DNS is served, with the real ports.
    [[nodiscard]] std::vector<Endpoint> dns() const;
};

}  // namespace mxtrust::daemon
