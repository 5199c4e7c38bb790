// What the daemon knows of itself, gathered from all workers for the request `status`.
//
// A worker's figures are its own; it publishes copies here, and whoever asks adds them up.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cache/cache.h"
#include "dns/rdata.h"
#include "dnssec/finding.h"
#include "resolve/resolver.h"
#include "route/router.h"

namespace mxtrust::serve {

/// Of the doors of one worker.
struct DoorCounters {
    std::uint64_t query_connections = 0, query_requests = 0, query_bad_requests = 0, query_refused_connections = 0,
                  query_slow_readers = 0, dns_udp = 0, dns_tcp = 0, dns_refused = 0, dns_malformed = 0, dns_dropped = 0,
                  dns_servfail = 0;
};

struct WorkerFigures {
    resolve::Counters resolver;
    route::RouteCounters mail;
    DoorCounters doors;
};

struct RootProbe {
    dnssec::Security security{};
    dnssec::Outcome outcome{};
    dnssec::Reason reason;
    WallTime time{};
};

struct AnchorStatus {
    dns::Name zone;
    std::uint16_t key_tag = 0;
    dns::Algorithm algorithm{};
    std::string kind;    ///< "DS" or "DNSKEY"
    std::string origin;  ///< "built-in", the file's name, "test"
};

struct NegativeAnchorStatus {
    dns::Name zone;
    std::string reason;
    WallTime expires{};
    bool active = true;
};

/// What does not change while the daemon runs.
struct Facts {
    std::string release;
    WallTime started{};
    MonoTime started_mono{};
    bool time_is_fixed = false;  ///< by [test] time
    std::vector<std::string> sockets;
    std::size_t workers = 0;
    std::vector<AnchorStatus> anchors;
    std::vector<NegativeAnchorStatus> negative_anchors;
    std::vector<std::string> doubts;
};

struct Status {
    Facts facts;
    WallTime time{};
    std::chrono::seconds uptime{};
    std::optional<RootProbe> root_probe;
    cache::CacheCounters cache;
    WorkerFigures total;
};

/// Where the clock cannot be right: before this program was written no signature of today was made.
[[nodiscard]] bool clock_is_behind(WallTime now);

/// May be called from any thread.
class StatusBoard {
  public:
    explicit StatusBoard(std::size_t workers) : figures_(workers) {}
    void set_facts(Facts facts);
    void publish(std::size_t worker, const WorkerFigures& figures);
    void root_probed(RootProbe probe);
    [[nodiscard]] Status status(WallTime now, MonoTime mono, const cache::CacheCounters& cache) const;

  private:
    mutable std::mutex mutex_;
    Facts facts_;
    std::optional<RootProbe> root_probe_;
    std::vector<WorkerFigures> figures_;
};

}  // namespace mxtrust::serve
