// From the root down: finds the zone that has the answer and brings its answer, not yet judged. RFC 1034 5.3.3, RFC
// 9156 (QNAME minimisation), RFC 8109 (priming), RFC 9471 (glue), RFC 9520 (failures).
//
// Addresses of name servers that it has to look up itself are for asking only, like glue: they are not judged and never
// leave this room as data (validator-pitfalls 28). What it brings is judged by chain.h and its callers.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/budget.h"
#include "cache/cache.h"
#include "resolve/classify.h"
#include "resolve/evidence.h"
#include "resolve/exchange.h"
#include "resolve/forward.h"
#include "resolve/resolver.h"
#include "resolve/servers.h"
#include "task/gather.h"
#include "task/single_flight.h"
#include "task/task.h"

namespace mxtrust::resolve {

class ReportAgents;

inline constexpr unsigned most_depth = 6;  ///< look-ups of name servers' addresses inside look-ups of the same kind
inline constexpr std::size_t most_aliases = 11;          ///< CNAME and DNAME steps of one answer (attacks.md, A24)
inline constexpr std::size_t most_steps = 40;            ///< referrals and minimisation steps of one walk
inline constexpr std::size_t most_side_by_side = 3;      ///< servers of a zone asked at once (hedging)
inline constexpr std::size_t most_attempts = 14;         ///< exchanges for one question to one zone
inline constexpr std::size_t most_guessed_cuts = 3;      ///< ended delegations on one way whose servers are asked ahead
inline constexpr std::size_t most_guessed_attempts = 2;  ///< servers asked ahead for one question
inline constexpr std::size_t most_guessed_servers = 2;   ///< name servers whose addresses are looked up ahead
inline constexpr std::size_t most_unknown_servers =
    5;  ///< NS names without address that are looked up for one question (A15)

struct Context {
    BudgetRef budget;
    unsigned depth = 0;             ///< 0: a question of a client; more: the address of a name server for one
    std::vector<Address> excluded;  ///< servers whose answer did not hold; others are asked (validator-pitfalls 32)
    /// A slow server is waited for; not where the question is only a step that can be left out.
    enum class Patience : std::uint8_t { yes, no } patience = Patience::yes;
    /// By what right a zone's servers are asked: because its parent names them, or named them once. What came by a
    /// guess is nothing before the parent names the same server again.
    enum class Ground : std::uint8_t { delegation, guess } ground = Ground::delegation;
    [[nodiscard]] Context deeper() const { return {budget, depth + 1, {}, patience}; }
};

/// Does the server not serve the zone at all, in its own words?
enum class Lame : std::uint8_t { no, yes };

/// What a zone's servers said to one question.
struct AskResult {
    std::optional<Classified> reply;        ///< Response, Referral or AnySets; nothing where no server could be used
    std::optional<Classified> weak{};       ///< the same, but without AA: a last resort
    bool last_resort = false;               ///< the reply is one: nobody had a better one
    Candidate server{};                     ///< who said it
    std::vector<dns::Record> additional{};  ///< for priming only
    dns::Rcode rcode = dns::Rcode::servfail;
    dnssec::Reason reason{};  ///< where there is no reply: what happened, for a postmaster
    FailureKind kind = FailureKind::unreachable;
    Lame lame = Lame::no;
    std::optional<std::vector<Candidate>> found{};  ///< no word of a server's, but where one is that had no address
};

/// Where a walk ended.
struct Found {
    std::optional<Classified> reply;  ///< Response or AnySets
    dns::Name zone;                   ///< the zone asked last
    Candidate server{};
    dns::Rcode rcode = dns::Rcode::servfail;
    dnssec::Reason reason{};
    bool forwarded = false;               ///< forwarders were asked, not authorities
    std::optional<Endpoint> forwarder{};  ///< the one that said it
};

/// The way down to a name, as far as it is known.
struct Trail {
    cache::ZoneCut live;                ///< the deepest zone whose delegation holds
    std::vector<cache::ZoneCut> ended;  ///< delegations below it that held once, from the top down, without a gap
};

class Iterator {
  public:
    struct Tools {
        const Settings& settings;
        Clock& clock;
        Random& random;
        cache::Cache& cache;
        task::Scheduler& scheduler;
        Servers& servers;
        Exchange& exchange;
        Evidence& evidence;
        Forwarding& forwarding;
        ReportAgents& report_agents;
    };
    explicit Iterator(Tools tools);

    task::Task<Found> find(dns::Name name, dns::Type type, Context context);
    /// Walks to the parent of `zone` and takes its referral, so that the delegation and what it says of DS are known.
    task::Task<Found> learn_delegation(dns::Name zone, Context context);
    /// Asks the parent again for its referral to `zone`, for what it says of DS; true where evidence was stored.
    task::Task<bool> refresh_referral(dns::Name zone, Context context);
    /// Called when a walk learns of a delegation, so that its keys can be fetched alongside.
    void on_referral(std::function<void(const dns::Name&, const Context&)> callback) {
        on_referral_ = std::move(callback);
    }
    [[nodiscard]] Forwarding& forwarding() { return tools_.forwarding; }
    /// The deepest zone cut at or above `name` that is known now.
    [[nodiscard]] cache::ZoneCut deepest_cut(const dns::Name& name) const;
    /// The same, and below it what was known once.
    [[nodiscard]] Trail trail_to(const dns::Name& name) const;
    void flush(const dns::Name& name, bool subtree);

  private:
    struct AskKey {
        dns::Name zone, name;
        dns::Type type{};
        unsigned depth = 0;
        bool configured = false;  ///< of a stub zone's servers, not of those that a delegation names
        Context::Ground ground{};
        friend bool operator==(const AskKey&, const AskKey&) = default;
    };
    class AskKeyHash {
      public:
        explicit AskKeyHash(Random& random) : names_(HashKey::draw(random)) {}
        std::size_t operator()(const AskKey& key) const {
            return names_(key.zone) ^ (names_(key.name) * 31) ^ (static_cast<std::size_t>(key.type) * 131) ^
                   (key.depth * 8191ULL);
        }

      private:
        dns::NameHash names_;
    };
    using AskRef = std::shared_ptr<const AskResult>;
    struct KnownHost {
        std::vector<Address> addresses;
        MonoTime until{};
    };
    struct ChildServers {
        std::vector<dns::Name> names;
        WallTime until{};
    };
    class Walk;
    class Roster;
    struct Asking;
    struct Guesses;
    /// What a walk is for.
    enum class Aim : std::uint8_t {
        answer,
        delegation,  ///< of the zone with the name asked for
    };

    // iterate.cc
    task::Task<Found> find_by_forwarder(Forwarding::Way way, dns::Name name, dns::Type type, Context context);
    [[nodiscard]] const Detour* stub_of(const dns::Name& zone) const;
    [[nodiscard]] cache::ZoneCut stub_cut(const Detour& stub) const;
    [[nodiscard]] bool is_stub(const cache::ZoneCut& cut) const;
    task::Task<Found> walk_down(dns::Name name, dns::Type type, Context context, Aim aim);
    task::Task<cache::ZoneCut> prime(Context context);
    task::Task<cache::ZoneCut> start_from(dns::Name name, Context context);
    [[nodiscard]] cache::ZoneCut hints() const;
    [[nodiscard]] cache::ZoneCut take_referral(const Referral& referral, const cache::ZoneCut& from,
                                               const Context& context);
    // guess.cc
    void send_ahead(Guesses& guesses, const std::vector<cache::ZoneCut>& ended, const dns::Name& name, dns::Type type,
                    const Context& context);
    task::Task<AskRef> confirmed(Guesses* guesses, std::size_t index, cache::ZoneCut fresh, Context context);
    [[nodiscard]] std::vector<Candidate> guessed_candidates(const cache::ZoneCut& ended, const Context& context) const;
    [[nodiscard]] std::vector<Address> once_known_addresses(const dns::Name& host) const;
    // ask.cc
    task::Task<AskRef> ask(cache::ZoneCut cut, dns::Name name, dns::Type type, Context context);
    task::Task<AskRef> ask_alone(cache::ZoneCut cut, dns::Name name, dns::Type type, Context context);
    [[nodiscard]] Query query_to(const Candidate& server, Asking& asking) const;
    task::Task<bool> look_further(std::shared_ptr<Asking> asking);
    [[nodiscard]] MonoTime next_turn(std::optional<Duration> hedge, MonoTime deadline) const;
    [[nodiscard]] AskRef failure_of(Asking& asking) const;
    task::Task<AskResult> attempt(Query query, dns::Name zone, BudgetRef budget, Context::Ground ground);
    [[nodiscard]] Duration patience_of(const Context& context, MonoTime deadline) const;
    [[nodiscard]] std::vector<Candidate> known_candidates(const cache::ZoneCut& cut, const Context& context) const;
    struct Trouble {
        FailureKind kind = FailureKind::unreachable;  ///< the most telling one
        bool anybody = false;                         ///< was there a server to ask
        Lame lame = Lame::no;                         ///< yes: all that answered do not serve the zone
        std::string told;                             ///< what each said
    };
    [[nodiscard]] static dnssec::Reason reason_of(const Trouble& trouble, const dns::Name& zone, const dns::Name& name,
                                                  dns::Type type, const Budget& budget);
    /// May the zone be asked without EDNS? Only where it is known to be unsigned (A32).
    [[nodiscard]] bool may_lack_edns(const dns::Name& zone) const;
    void note_unusable(const Candidate& candidate, const dns::Name& zone, const Unusable& unusable);
    void add_candidates(std::vector<Candidate>& candidates, const dns::Name& server,
                        const std::vector<Address>& addresses, const Context& context) const;
    task::Task<std::vector<Candidate>> fetch_glue(cache::ZoneCut cut, Context context);
    /// What the parent of a name server's own zone says its addresses are.
    [[nodiscard]] std::vector<Address> glue_of(const dns::Name& host) const;
    /// Keeps what a zone says of its own name servers: never asked but where those that the parent names fail all.
    void learn_child_servers(const dns::Name& zone, const dns::Message& message);
    [[nodiscard]] std::vector<dns::Name> child_servers(const cache::ZoneCut& cut) const;
    /// Glue that the parent may add without being asked for it, for a name outside of the zone that it serves.
    [[nodiscard]] bool is_to_be_verified(const cache::NameServer& server, const cache::ZoneCut& cut,
                                         const Context& context) const;
    // hosts.cc
    task::Task<std::vector<Candidate>> candidates_of(dns::Name server, Context context);
    /// The same, beside questions to the servers that have addresses.
    task::Task<AskResult> look_up(dns::Name server, Context context);
    [[nodiscard]] static std::vector<Address> addresses_in(const dns::RRset& set);
    task::Task<std::vector<Address>> addresses_of(dns::Name host, Context context);
    task::Task<std::vector<Address>> addresses_of_family(dns::Name host, Family family, Context context);
    [[nodiscard]] std::optional<std::vector<Address>> known_addresses(const dns::Name& host, Family family) const;
    [[nodiscard]] bool may_ask(const Address& address) const;
    [[nodiscard]] bool uses(Family family) const;

    Tools tools_;
    std::function<void(const dns::Name&, const Context&)> on_referral_;
    task::SingleFlight<AskKey, AskRef, AskKeyHash> flights_;
    std::unordered_map<dns::Name, std::array<KnownHost, 2>, dns::NameHash> hosts_;
    std::unordered_map<dns::Name, ChildServers, dns::NameHash> child_servers_;
    std::optional<cache::ZoneCut> root_;
    MonoTime root_until_{};
};

}  // namespace mxtrust::resolve
