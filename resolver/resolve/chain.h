// The chain of trust: from an anchor down to the zone that signed an answer. Fetches DS and DNSKEY, asks dnssec::Judge,
// and remembers. RFC 4035 5, RFC 6840 4, RFC 7646 (negative anchors).
//
// Look-ups here wait only on look-ups for shorter names, so that flights never wait on each other in a circle.
#pragma once

#include <functional>
#include <unordered_map>

#include "dnssec/judge.h"
#include "dnssec/rollover.h"
#include "dnssec/verified.h"
#include "resolve/failures.h"
#include "resolve/iterate.h"
#include "task/gather.h"
#include "task/single_flight.h"

namespace mxtrust::resolve {

inline constexpr std::size_t most_bogus_retries =
    3;  ///< other servers tried after an answer that does not hold (pitfalls 32)
/// Zones whose parsed keys are remembered, some KiB each: those that many look-ups pass. A zone's keys that are not are
/// made again of what the cache has, at the price of one verification.
inline constexpr std::size_t most_trusts = 256;
inline constexpr std::chrono::seconds failure_ttl{
    5};  ///< how long a failure is remembered (RFC 9520 3.2: 1 s to 5 min)

class Chain {
  public:
    struct Tools {
        const Settings& settings;
        Clock& clock;
        Random& random;
        cache::Cache& cache;
        task::Scheduler& scheduler;
        Iterator& iterator;
        Evidence& evidence;
        Counters& counters;
    };
    /// How far to go: to the keys, or only so far that signed and unsigned are told apart.
    enum class Reach : std::uint8_t { keys, delegation };

    explicit Chain(Tools tools);

    task::Task<dnssec::ZoneTrust> trust_of(dns::Name zone, Context context, Reach reach = Reach::keys);
    /// Of the zone that signed `response`, which was said by a server of `asked`; where nothing is signed, of the zone
    /// that the name lies in, found by looking for cuts in between (servers of both sides of a cut give no referral).
    task::Task<dnssec::ZoneTrust> trust_for(dns::Name asked, dnssec::Response response, Context context);
    /// Fetches and judges, tries other servers where the answer does not hold, stores the verdict.
    task::Task<dnssec::FindingRef> fetch(dns::Name name, dns::Type type, Context context);
    /// The DS of a zone, from cache, from the referral, or asked at the parent.
    task::Task<dnssec::FindingRef> ds_of(dns::Name zone, Context context);
    [[nodiscard]] dnssec::FindingRef judge(const dnssec::Response& response, const dnssec::ZoneTrust& trust,
                                           const BudgetRef& budget);
    [[nodiscard]] dnssec::FindingRef failure(const dns::Name& name, dns::Type type, const Found& found) const;
    void store(const dnssec::FindingRef& finding);
    /// See resolver.h.
    task::Task<Result<dnssec::Observation>> observe_anchor(dns::Name zone, BudgetRef budget);
    task::Task<void> signal_trusted_keys(dns::Name zone, BudgetRef budget);
    void flush(const dns::Name& name);
    /// The anchors are others now: nothing that is being built on the old ones is remembered, either.
    void forget_all();
    /// Is it known right now, without asking anybody, that nothing in this zone can be validated?
    [[nodiscard]] bool is_known_unsigned(const dns::Name& zone) const;
    /// Is the zone's standing to be found out, or found out anew, by what is known already or was known once?
    [[nodiscard]] bool is_to_be_renewed(const dns::Name& zone) const;

  private:
    task::Task<dnssec::FindingRef> ds_from_referral(dns::Name zone, Context context);
    task::Task<dnssec::FindingRef> fetch_ds(dns::Name zone, Context context);
    using TrustRef = std::shared_ptr<const dnssec::ZoneTrust>;
    /// Of the zone that gave no answer for the name: is it proven to be unsigned?
    task::Task<dnssec::ZoneTrust> trust_of_silent(Found found, dns::Name name, dns::Type type, Context context);
    /// What was bogus, or indeterminate where DNSSEC does not come through the forwarder that said it.
    task::Task<dnssec::FindingRef> excuse(dnssec::FindingRef bogus, Endpoint forwarder, MonoTime deadline);
    task::Task<TrustRef> excuse_zone(TrustRef bogus, Endpoint forwarder, MonoTime deadline);
    task::Task<TrustRef> build(dns::Name zone, Context context, Reach reach);
    /// Will the keys be asked for? So it was before, at least.
    [[nodiscard]] bool lacks_keys(const dns::Name& zone) const;
    /// What is known of the parent's side, for keys_of.
    struct Delegated {
        std::vector<dns::Ds> ds;
        std::optional<WallTime> expires;
    };
    /// The zone's keys, asked for before it is known whether they are wanted: beside the DS, not after it.
    using KeysAhead = std::shared_ptr<task::Gather<Found>>;
    task::Task<Found> find_keys(dns::Name zone, Context context, KeysAhead ahead);
    task::Task<TrustRef> build_below(dns::Name zone, dns::Name parent, Context context, KeysAhead ahead);
    [[nodiscard]] TrustRef unsupported_anchor(const dns::Name& zone, Budget& budget) const;
    task::Task<TrustRef> build_anchor(dns::Name zone, Context context);
    task::Task<TrustRef> keys_of(dns::Name zone, Delegated delegated, Context context, KeysAhead ahead);
    [[nodiscard]] std::optional<dnssec::ZoneTrust> configured(const dns::Name& zone, Budget& budget) const;
    /// Of the zone with this apex, where a negative trust anchor at or above `name` is in force.
    [[nodiscard]] std::optional<dnssec::ZoneTrust> taken_out(const dns::Name& apex, const dns::Name& name,
                                                             Budget& budget) const;
    [[nodiscard]] dns::Name parent_of(const dns::Name& zone) const;
    /// A budget for one answer, within its look-up's.
    [[nodiscard]] Budget budget_of_answer(const BudgetRef& lookup) const;
    void count(const Budget& answer);
    [[nodiscard]] TrustRef remembered(const dns::Name& zone) const;
    void remember(const TrustRef& trust);

    Tools tools_;
    Failures failures_;
    dnssec::VerifiedSignatures verified_;
    std::uint64_t generation_ = 0;  ///< of anchors
    task::SingleFlight<dns::Name, TrustRef, dns::NameHash> flights_;
    task::SingleFlight<dns::Name, dnssec::FindingRef, dns::NameHash> ds_flights_;
    std::unordered_map<dns::Name, TrustRef, dns::NameHash> trusts_, older_trusts_;
};

}  // namespace mxtrust::resolve
