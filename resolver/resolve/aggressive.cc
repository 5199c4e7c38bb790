#include "resolve/aggressive.h"

#include <algorithm>

#include "crypto/digest.h"

namespace mxtrust::resolve {
namespace {

using dnssec::FindingRef;

constexpr std::size_t most_hashed_labels = 8;  // deeper names are asked; hashing costs, and so would misses

/// The NSEC at or before the name, and the one at or before the wildcard that could stand for it.
std::vector<FindingRef> nsec_sets(cache::Cache& cache, const dns::Name& name, const dns::Name& zone, WallTime now) {
    std::vector<FindingRef> sets;
    FindingRef cover = cache.find_denial(zone, dns::Type::nsec, name, now);
    if (!cover) return sets;
    sets.push_back(cover);
    const Result<dns::Nsec> nsec = dns::parse_nsec(cover->rrset()->records.front());
    if (!nsec) return sets;
    const dns::Name above = name.common_ancestor(cover->rrset()->owner);
    const dns::Name below = name.common_ancestor(nsec->next);
    const Result<dns::Name> wildcard = (above.is_within(below) ? above : below).wildcard();
    if (!wildcard) return sets;
    FindingRef second = cache.find_denial(zone, dns::Type::nsec, *wildcard, now);
    if (second && second->rrset()->owner != cover->rrset()->owner) sets.push_back(std::move(second));
    return sets;
}

FindingRef hashed(cache::Cache& cache, const dns::Name& name, const dns::Name& zone, const dns::Nsec3& parameters,
                  WallTime now) {
    const Bytes hash = crypto::nsec3_hash(name.wire(), parameters.salt, parameters.iterations);
    const Result<dns::Name> owner = zone.prepend(to_base32hex(hash));
    return owner ? cache.find_denial(zone, dns::Type::nsec3, *owner, now) : FindingRef();
}

void add(std::vector<FindingRef>& sets, FindingRef set) {
    if (!set) return;
    const auto same = [&set](const FindingRef& known) { return known->rrset()->owner == set->rrset()->owner; };
    if (std::ranges::none_of(sets, same)) sets.push_back(std::move(set));
}

/// Any NSEC3 tells the zone's parameters; with these, the ones at or before each candidate for closest encloser, next
/// closer name and wildcard are found (RFC 5155 8.3).
std::vector<FindingRef> nsec3_sets(cache::Cache& cache, const dns::Name& name, const dns::Name& zone,
                                   const dnssec::Policy& policy, WallTime now, Budget& budget) {
    std::vector<FindingRef> sets;
    const std::size_t labels = name.label_count() - zone.label_count();
    const Result<dns::Name> last = zone.prepend(std::string(32, 'v'));
    if (!last || labels > most_hashed_labels) return sets;
    const FindingRef any = cache.find_denial(zone, dns::Type::nsec3, *last, now);
    if (!any) return sets;
    const Result<dns::Nsec3> parameters = dns::parse_nsec3(any->rrset()->records.front());
    if (!parameters || parameters->iterations > policy.most_nsec3_iterations || parameters->hash_algorithm != 1)
        return sets;
    if (!budget.take(Limit::nsec3_hashes, static_cast<std::uint32_t>(2 * labels + 1))) return sets;
    for (std::size_t depth = zone.label_count(); depth <= name.label_count(); ++depth) {
        const dns::Name candidate = name.ancestor(depth);
        add(sets, hashed(cache, candidate, zone, *parameters, now));
        if (depth == name.label_count()) break;
        if (const Result<dns::Name> wildcard = candidate.wildcard())
            add(sets, hashed(cache, *wildcard, zone, *parameters, now));
    }
    return sets;
}

/// RFC 8198 5.3: the wildcard that would stand for the name is known, and so is that nothing closer is there.
FindingRef expand(cache::Cache& cache, const dns::Name& name, dns::Type type, const dns::Name& zone,
                  const std::vector<FindingRef>& sets, dnssec::Judge& judge, WallTime now) {
    std::size_t tried = 0;
    for (std::size_t labels = name.label_count(); labels-- > zone.label_count() && ++tried <= most_hashed_labels;) {
        const Result<dns::Name> wildcard = name.ancestor(labels).wildcard();
        if (!wildcard || *wildcard == name) continue;
        const FindingRef source = cache.find(*wildcard, type, now);
        if (!source || source->outcome() != dnssec::Outcome::records) continue;
        if (FindingRef made = judge.expand_from_cached(name, type, zone, sets, source)) return made;
    }
    return nullptr;
}

}  // namespace

void keep_denials(cache::Cache& cache, const dnssec::Finding& finding) {
    if (const FindingRef wildcard = dnssec::Judge::wildcard_of(finding)) cache.store(wildcard);
    for (const FindingRef& set : dnssec::Judge::proven_sets(finding)) {
        if (set->type() == dns::Type::soa) {
            cache.store(set);
        } else {
            cache.store_denial(finding.zone(), set);
        }
    }
}

FindingRef deny_from_cache(cache::Cache& cache, const dns::Name& name, dns::Type type, const dns::Name& zone,
                           const dnssec::Policy& policy, WallTime now, Budget& budget) {
    const FindingRef soa = cache.find(zone, dns::Type::soa, now);
    if (!soa || !soa->is_secure() || soa->outcome() != dnssec::Outcome::records) return nullptr;
    std::vector<FindingRef> sets = nsec_sets(cache, name, zone, now);
    if (sets.empty()) sets = nsec3_sets(cache, name, zone, policy, now, budget);
    if (sets.empty()) return nullptr;
    dnssec::Judge judge(policy, now, budget);
    if (FindingRef denied = judge.judge_from_cached(name, type, zone, sets, soa)) return denied;
    return expand(cache, name, type, zone, sets, judge, now);
}

}  // namespace mxtrust::resolve
