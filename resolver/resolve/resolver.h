// The validating recursive resolver: one question in, one Answer out. Straight-line coroutines; see README.md of this
// tree for the walk of a query. RFC 1034 5.3.3, RFC 4035 4 and 5, RFC 9156, RFC 9520.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/networks.h"
#include "base/random.h"
#include "cache/cache.h"
#include "dns/message.h"
#include "dnssec/anchor.h"
#include "dnssec/finding.h"
#include "dnssec/judge.h"
#include "dnssec/negative_anchor.h"
#include "dnssec/rollover.h"
#include "log/log.h"
#include "net/network.h"
#include "task/task.h"

namespace mxtrust::resolve {

struct RootServer {
    dns::Name name;
    Address address;
};

enum class Switch : std::uint8_t { off, on };

/// A zone whose questions go to configured servers instead of those that the delegations name.
struct Detour {
    dns::Name zone;
    std::vector<Endpoint> servers;
    Switch first = Switch::off;  ///< recursion is tried where they give nothing
    friend bool operator==(const Detour&, const Detour&) = default;
};

/// How to recurse. Defaults are what production uses; the daemon's configuration fills it.
struct Settings {
    std::vector<RootServer> root_hints;
    dnssec::TrustAnchors anchors;
    dnssec::NegativeAnchors
        negative_anchors;  ///< RFC 7646: these names and all below are insecure by the operator's word, while it holds
    dnssec::Policy policy;
    BudgetLimits lookup_limits;
    Switch ipv4 = Switch::on;
    Switch ipv6 = Switch::on;
    Switch minimisation = Switch::on;        ///< RFC 9156
    Switch case_randomisation = Switch::on;  ///< 0x20
    Switch hide_query_type =
        Switch::off;  ///< probe the whole name with another type first (RFC 9156 3): one more round trip
    Switch verify_glue = Switch::off;           ///< ask for the addresses of name servers outside the zone they serve
    Switch child_name_servers = Switch::off;    ///< a last resort: name servers that only the zone itself names
    Switch prefetch = Switch::off;              ///< ask again for what is in demand before it ends
    std::chrono::seconds most_stale{0};         ///< RFC 8767: how long after its end an answer may be told; 0: never
    std::vector<Network> private_addresses;     ///< never the addresses of public names (DNS rebinding)
    std::vector<dns::Name> private_domains;     ///< whose names may have them all the same
    Switch prime_root = Switch::on;             ///< RFC 8109
    Switch error_reporting = Switch::off;       ///< RFC 9567 (report.h)
    Switch aggressive_denial = Switch::on;      ///< RFC 8198
    Switch local_authorities = Switch::off;     ///< tests only: private and documentation addresses may be asked (A33)
    Switch loopback_authorities = Switch::off;  ///< tests only: so may loopback addresses
    std::vector<Address> own_addresses;         ///< where this daemon itself answers DNS, at `port`: never asked
    std::uint16_t edns_size = 1232;             ///< RFC 9715
    std::uint16_t port = 53;                    ///< of authorities
    std::vector<Detour> forwards;               ///< to recursive servers (forward.h)
    std::vector<Detour> stubs;                  ///< to the zone's own servers, known by configuration
};

/// An unvalidated answer, for clients that set CD (RFC 4035 3.2.2). Never cached with what was judged.
struct RawAnswer {
    dns::Rcode rcode = dns::Rcode::servfail;
    std::vector<dns::RRset> answer;
    std::vector<dns::RRset> authority;
    dnssec::Reason reason;  ///< where rcode is SERVFAIL
    WallTime expires{};
};

/// One zone of a chain of trust, for `explain`.
struct ZoneStep {
    dns::Name zone;
    dnssec::Security security{};
    std::vector<dns::Ds> ds;        ///< what the parent (or the anchor) says
    std::vector<dns::Dnskey> keys;  ///< what the zone says
    std::vector<dns::Rrsig> key_signatures;
    std::vector<std::string> servers;  ///< names and addresses known for it, with measured round trips
    dnssec::Reason reason;
};
struct Explanation {
    std::vector<ZoneStep> chain;  ///< from the anchor down
    dnssec::Answer answer;
};

struct Counters {
    std::uint64_t questions = 0, from_cache = 0, upstream_udp = 0, upstream_tcp = 0, upstream_retries = 0,
                  upstream_timeouts = 0, verifications = 0, secure = 0, insecure = 0, bogus = 0, indeterminate = 0,
                  budget_exhausted = 0;
    std::array<std::uint64_t, 16> judged{};  ///< answers, by judged_place()
    Histogram lookup_time;                   ///< of answers
    Histogram upstream_time;                 ///< of name servers' datagrams
    std::uint64_t suspicious = 0;            ///< replies that a forger may have sent
    std::uint64_t answers_exhausted = 0;     ///< answers that cost more than one answer may
    std::uint64_t crowded = 0;    ///< questions refused or ended because too many of their kind were under way
    std::uint64_t in_flight = 0;  ///< questions under way now
    std::uint64_t servers_known = 0, servers_failing = 0;  ///< addresses now; failing: the last question went wrong
    std::uint64_t reports = 0;                             ///< of errors, to zones' agents (RFC 9567)
    Meter spent;                                           ///< by all look-ups, by limit
};

/// Security × outcome.
[[nodiscard]] constexpr std::size_t judged_place(dnssec::Security security, dnssec::Outcome outcome) {
    return static_cast<std::size_t>(security) * 4 + static_cast<std::size_t>(outcome);
}

class Relay;
class ForwarderBoard;

class Resolver {
  public:
    struct Tools {  ///< all outlive the resolver
        Clock& clock;
        Random& random;
        net::Network& network;
        cache::Cache& cache;
        log::Log& log;
        task::Scheduler& scheduler;
        Relay* relay = nullptr;           ///< to forwarders; null: there is none, and nobody stands in for recursion
        ForwarderBoard* board = nullptr;  ///< shared by all workers; null: one of its own
    };
    Resolver(Settings settings, Tools tools);
    ~Resolver();

    /// Always an answer: what cannot be found out is a Finding with outcome failure. Ends by the budget's patience;
    /// what is under way then goes on until its deadline.
    task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget);
    /// Like resolve, but from the cache only (RD=0 questions); null where nothing is known.
    std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type);
    /// The answer of resolve() where nobody has to be asked for it, counted like it; null where somebody has. Most of a
    /// known domain's look-ups end here.
    std::optional<dnssec::Answer> at_hand(const dns::Name& name, dns::Type type, Budget& budget);
    /// What was known, at least one link of it beyond its end, where the settings allow for that (RFC 8767) and it can
    /// still be said: no signature has expired, no zone counts as unsigned for longer than that is known. Null
    /// otherwise, and where nothing of it has ended. For clients who would get nothing else; never to decide about
    /// mail.
    std::optional<dnssec::Answer> peek_stale(const dns::Name& name, dns::Type type);
    /// Asks again for the links that have ended, beside whatever goes on.
    void refresh(const dnssec::Answer& stale);
    /// All RRsets at a name (type ANY), validated one by one; see all_sets.h.
    task::Task<std::vector<dnssec::FindingRef>> resolve_any(dns::Name name, BudgetRef budget);
    task::Task<RawAnswer> resolve_unchecked(dns::Name name, dns::Type type, BudgetRef budget);
    task::Task<Explanation> explain(dns::Name name, dns::Type type, BudgetRef budget);
    /// NS of the root is asked and judged, for readiness and `status`. Bogus is a finding; an error is that nobody
    /// answers.
    task::Task<Result<dnssec::FindingRef>> probe_root(BudgetRef budget);
    /// The key set of a zone with a trust anchor, asked for anew and looked at for rollovers (RFC 5011); where what one
    /// server says does not hold, others are asked. A Failure where nobody says anything.
    task::Task<Result<dnssec::Observation>> observe_anchor(dns::Name zone, BudgetRef budget);
    /// Tells the zone's servers which of its keys are trusted here (RFC 8145 5.1). Nothing comes of it.
    task::Task<void> signal_trusted_keys(dns::Name zone, BudgetRef budget);
    /// From now on these are the anchors, and what followed from others is forgotten; the cache is its owner's
    /// business.
    void set_anchors(dnssec::TrustAnchors anchors);
    /// No trust anchor, and the root is forwarded: there is nothing that could be known of it.
    [[nodiscard]] bool validates_nothing() const;
    /// Looks after the forwarders (forward.h); now and then, and at the start.
    task::Task<void> tend_forwarders();
    /// A budget for one question, drawing from `parent` where there is one (a mail query's), and of its number. Else
    /// it has its `own`, or the log's next.
    [[nodiscard]] BudgetRef budget(Duration time, BudgetRef parent = nullptr,
                                   std::optional<QuestionNumber> own = std::nullopt) const;

    /// Another list from now on; look-ups under way may still end by the old one, but leave nothing in the cache that
    /// counts (fitting_cache.h). In-memory state about the names that changed is for flush().
    void set_negative_anchors(dnssec::NegativeAnchors anchors);
    [[nodiscard]] const Settings& settings() const;
    [[nodiscard]] const Counters& counters() const;
    [[nodiscard]] const Tools& tools() const;
    /// What an earlier run knew of name servers (servers_note.h). `worker`: the number of who asks.
    void recall_servers(std::size_t worker);
    /// Keeps that for the next run, where there is something new.
    void note_servers(std::size_t worker);
    /// Forgets in-memory state about a subtree (the cache is flushed by its owner).
    void flush(const dns::Name& name, bool subtree);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::resolve
