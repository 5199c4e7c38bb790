// What the daemon knows of itself, gathered from all workers for the request `status`.
//
// A worker's figures are its own; it publishes copies here, and whoever asks adds them up.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cache/cache.h"
#include "dns/rdata.h"
#include "dnssec/finding.h"
#include "resolve/forward_board.h"
#include "resolve/resolver.h"
#include "route/recheck.h"
#include "route/router.h"

namespace mxtrust::serve {

/// Of the doors of one worker, by what they are called in the status; PROTOCOL.md says what each one counts.
struct DoorCounters {
    std::uint64_t query_connections = 0, query_refused_connections = 0, query_idle_connections = 0;
    std::uint64_t query_requests = 0, query_bad_requests = 0, query_overloaded = 0, query_slow_readers = 0;
    /// Requests for the mail answer, and for the decision in words (Exim's readsocket) by what was said.
    std::uint64_t query_mail = 0, query_decide_deliver = 0, query_decide_defer = 0, query_decide_bounce = 0;

    std::uint64_t postfix_connections = 0, postfix_refused_connections = 0, postfix_idle_connections = 0;
    std::uint64_t postfix_requests = 0, postfix_broken_framing = 0, postfix_overloaded = 0;
    /// Replies, by kind.
    std::uint64_t postfix_dane_only = 0, postfix_dane = 0, postfix_secure = 0, postfix_encrypt = 0, postfix_may = 0,
                  postfix_not_found = 0, postfix_temp = 0, postfix_perm = 0;

    std::uint64_t dns_connections = 0, dns_refused_connections = 0, dns_idle_connections = 0;
    std::uint64_t dns_udp = 0, dns_tcp = 0, dns_refused = 0, dns_malformed = 0, dns_dropped = 0, dns_overloaded = 0;
    /// Replies to questions that were looked up.
    std::uint64_t dns_authentic = 0, dns_servfail = 0;
};
/// Each counter with the name that it has in the status.
struct DoorCounter {
    std::string_view name;
    std::uint64_t DoorCounters::* member;
};
[[nodiscard]] std::span<const DoorCounter> door_counters();
DoorCounters& operator+=(DoorCounters& total, const DoorCounters& one);

/// What MTA-STS costs: domains looked at, policies fetched from their web servers, of these the failures, and those
/// fetched again in the background.
struct StsCounters {
    std::uint64_t asked = 0, fetches = 0, failures = 0, refreshed = 0;
};

struct WorkerFigures {
    resolve::Counters resolver;
    route::RouteCounters mail;
    StsCounters sts;
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
    std::string kind;             ///< "DS" or "DNSKEY"
    std::string origin;           ///< "built-in", the file's name, "[test]", "RFC 5011"
    std::string state = "valid";  ///< "valid", "missing": trusted; "pending", "revoked", "removed": not (RFC 5011 4.2)
    std::optional<WallTime> since{}, last_seen{};
};

/// The trust anchors, and how following their rollovers goes.
struct AnchorReport {
    std::vector<AnchorStatus> anchors;
    bool follows = false;
    std::string trouble;                       ///< with what is kept of them
    std::optional<WallTime> last_authentic{};  ///< the zones' key sets were last seen to hold; nothing: never
};

/// Of all limits of memory that are known the one that is nearest.
struct MemoryStatus {
    std::string limit;                 ///< "RLIMIT_DATA", "memory.high of /system.slice/mxtrustd.service"; none: empty
    std::uint64_t used = 0, most = 0;  ///< octets
    bool is_short = false;             ///< few questions are taken at a time, or were a moment ago
};
/// "13.1 of 14.0 MiB are in use (RLIMIT_DATA)"
[[nodiscard]] std::string memory_words(const MemoryStatus& memory);

/// What does not change while the daemon runs.
struct Facts {
    std::string release;
    WallTime started{};
    MonoTime started_mono{};
    bool time_is_fixed = false;  ///< by [test] time
    std::vector<std::string> sockets;
    std::size_t workers = 0;
    std::vector<std::string> doubts;
};

/// What became of the last reload (SIGHUP, `reload`).
struct Reload {
    bool accepted = false;
    WallTime time{};
    std::string text;                  ///< what is in force now, or what is wrong with the file
    std::vector<std::string> changed;  ///< "[dnssec] negative-trust-anchors"
    std::vector<std::string> restart;  ///< keys whose new values need a restart
};

struct Status {
    Facts facts;
    std::optional<Reload> reload;
    WallTime time{};
    std::chrono::seconds uptime{};
    AnchorReport anchors;
    MemoryStatus memory;
    std::optional<RootProbe> root_probe;
    std::vector<route::WordStanding> words;  ///< negative trust anchors and exceptions
    cache::CacheCounters cache;
    WorkerFigures total;
    resolve::ResolutionStatus resolution;
    std::vector<resolve::ForwarderStatus> forwarders;
};

/// A short word for whoever only looks at one field: "good", "starting", "root-not-secure", "clock-wrong".
[[nodiscard]] std::string_view health(const Status& status);
/// What wants to be read: a sentence each.
[[nodiscard]] std::vector<std::string> warnings(const Status& status);

/// Where the clock cannot be right: before this program was written no signature of today was made.
[[nodiscard]] bool clock_is_behind(WallTime now);

/// May be called from any thread.
class StatusBoard {
  public:
    explicit StatusBoard(std::size_t workers) : figures_(workers) {}
    void set_facts(Facts facts);
    void publish(std::size_t worker, const WorkerFigures& figures);
    void root_probed(RootProbe probe);
    void set_anchors(AnchorReport report);
    void set_memory(MemoryStatus memory);
    /// The board outlives this one.
    void watch(const resolve::ForwarderBoard& forwarders);
    void reloaded(Reload reload);
    void set_doubts(std::vector<std::string> doubts);
    void set_words(std::vector<route::WordStanding> words);
    [[nodiscard]] Status status(WallTime now, MonoTime mono, const cache::CacheCounters& cache) const;

  private:
    mutable std::mutex mutex_;
    Facts facts_;
    AnchorReport anchors_;
    MemoryStatus memory_;
    std::optional<RootProbe> root_probe_;
    std::optional<Reload> reload_;
    std::vector<route::WordStanding> words_;
    std::vector<WorkerFigures> figures_;
    const resolve::ForwarderBoard* forwarders_ = nullptr;
};

}  // namespace mxtrust::serve
