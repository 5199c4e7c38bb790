// The Judge on zones: keys, anchors, unsigned delegations, cuts.
#include <algorithm>

#include "base/require.h"
#include "dnssec/delegation.h"
#include "dnssec/judge.h"
#include "dnssec/nsec.h"
#include "dnssec/nsec3.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

/// A thousand keys or signatures tell no more than the first few, and this is kept in memory (A5).
constexpr std::size_t most_shown = 16;

}  // namespace

ZoneTrust ZoneTrust::bogus(dns::Name zone, Reason reason, WallTime expires) {
    ZoneTrust trust = indeterminate(std::move(zone), std::move(reason), expires);
    trust.security_ = Security::bogus;
    return trust;
}

ZoneTrust ZoneTrust::indeterminate(dns::Name zone, Reason reason, WallTime expires) {
    ZoneTrust trust;
    trust.zone_ = std::move(zone);
    trust.reason_ = std::move(reason);
    trust.expires_ = expires;
    return trust;
}

const Shown& ZoneTrust::shown() const {
    static const Shown nothing;
    return shown_ ? *shown_ : nothing;
}

void ZoneTrust::name_server(const std::string& server) {
    if (security_ == Security::bogus) reason_.server = server;
}

ZoneTrust ZoneTrust::inherited_by(dns::Name child) const {
    // Security is never inherited: a child is secure by its own DS and keys only.
    require(security_ != Security::secure);
    ZoneTrust trust = *this;
    trust.shown_ = nullptr;
    trust.zone_ = std::move(child);
    return trust;
}

ZoneTrust Judge::judge_keys(const dns::Name& zone, const std::vector<dns::Ds>& trusted, const dns::RRset& dnskey,
                            std::optional<WallTime> parent_expires) {
    return trust_by(zone, trusted, {}, dnskey, parent_expires);
}

ZoneTrust Judge::judge_anchor(const dns::Name& zone, const std::vector<dns::Ds>& ds,
                              const std::vector<dns::Dnskey>& keys, const dns::RRset& dnskey) {
    // RFC 5011 5 would have the zone insecure now. Revocation is to take trust away, not to let forgers in.
    if (ds.empty() && keys.empty()) {
        return ZoneTrust::indeterminate(zone,
                                        make_reason("VZNA"_code, dns::Ede::dnssec_indeterminate, zone,
                                                    "every trust anchor of " + zone.to_text() +
                                                        " was revoked by its owner: nothing there can be validated"),
                                        now_ + policy_.bogus_ttl);
    }
    return trust_by(zone, ds, keys, dnskey, std::nullopt);
}

namespace {

std::shared_ptr<const Shown> shown_by(const std::vector<dns::Ds>& ds, const dns::RRset& dnskey) {
    auto shown = std::make_shared<Shown>();
    shown->ds.assign(ds.begin(), ds.begin() + static_cast<std::ptrdiff_t>(std::min(ds.size(), most_shown)));
    for (const Bytes& rdata : dnskey.records) {
        Result<dns::Dnskey> key = dns::parse_dnskey(rdata);
        if (!key || shown->keys.size() >= most_shown) continue;
        key->public_key.clear();
        shown->keys.push_back(std::move(*key));
    }
    for (const Bytes& rdata : dnskey.signatures) {
        Result<dns::Rrsig> signature = dns::parse_rrsig(rdata);
        if (!signature || shown->signatures.size() >= most_shown) continue;
        signature->signature.clear();
        shown->signatures.push_back(std::move(*signature));
    }
    return shown;
}

}  // namespace

FindingRef Judge::key_set(const dns::Name& zone, KeySetResult checked) {
    Finding::Parts parts;
    parts.name = zone;
    parts.type = dns::Type::dnskey;
    parts.rcode = dns::Rcode::noerror;
    parts.zone = zone;
    parts.outcome = Outcome::records;
    parts.rrset = std::move(checked.rrset);
    parts.expires = checked.expires;
    return Finding::proven(ProofKey{}, Security::secure, std::move(parts));
}

ZoneTrust Judge::trust_by(const dns::Name& zone, const std::vector<dns::Ds>& ds, const std::vector<dns::Dnskey>& keys,
                          const dns::RRset& dnskey, std::optional<WallTime> parent_expires) {
    const Context known = context();
    KeySetResult result = check_key_set(zone, Entry{ds, keys}, dnskey, known);
    const WallTime soon = now_ + policy_.bogus_ttl;
    const WallTime by_parent = parent_expires.value_or(now_ + policy_.most_ttl);
    ZoneTrust trust;
    trust.zone_ = zone;
    trust.shown_ = shown_by(ds, dnskey);
    trust.reason_ = std::move(result.reason);
    switch (result.state) {
        case KeySet::secure:
            trust.security_ = Security::secure;
            trust.keys_ = std::make_shared<const std::vector<ZoneKey>>(std::move(result.keys));
            if (result.rrset) trust.key_set_ = key_set(zone, std::move(result));
            trust.expires_ = std::min(result.expires, by_parent);
            return trust;
        case KeySet::unsupported:
            trust.security_ = Security::insecure;
            trust.expires_ = by_parent;
            return trust;
        case KeySet::bogus:
            trust.security_ = Security::bogus;
            trust.expires_ = soon;
            return trust;
        case KeySet::exhausted:
            trust.security_ = Security::indeterminate;
            trust.expires_ = soon;
            return trust;
    }
    return trust;
}

ZoneTrust Judge::judge_unsigned(const dns::Name& zone, const Finding& ds) {
    require(cut_of(ds, policy_) == Cut::unsigned_delegation);
    ZoneTrust trust;
    trust.zone_ = zone;
    trust.security_ = Security::insecure;
    trust.expires_ = ds.expires();
    trust.reason_ = ds.reason();
    if (!trust.reason_.text.empty()) return trust;
    if (ds.rrset() && ds.rrset()->type == dns::Type::ds) {
        auto shown = std::make_shared<Shown>();
        shown->ds = parse_ds_set(*ds.rrset());
        trust.reason_ = unsupported_delegation("VZUS"_code, zone, shown->ds, policy_);
        trust.shown_ = std::move(shown);
    } else {
        trust.reason_.record = describe(dns::Type::ds, zone);
        trust.reason_.code = "VZUD"_code;
        trust.reason_.zone = zone;
        trust.reason_.text = zone.to_text() + " is not signed: " + ds.zone().to_text() + " has no DS for it";
    }
    return trust;
}

ZoneTrust Judge::insecure_by_configuration(const dns::Name& zone, Reason reason, WallTime expires) {
    ZoneTrust trust;
    trust.zone_ = zone;
    trust.security_ = Security::insecure;
    trust.reason_ = std::move(reason);
    trust.expires_ = expires;
    return trust;
}

namespace {

/// Pitfall 6: a delegation without DS is one only where the matching NSEC or NSEC3 has NS, and neither DS nor SOA.
Cut cut_by_proof(const Finding& ds, const Policy& policy) {
    std::vector<Evidence> evidence;
    for (const dns::RRsetRef& rrset : ds.proof()) evidence.push_back(Evidence{rrset, ds.expires()});
    const NsecSet nsec(ds.zone(), evidence);
    const dns::TypeSet* types = nsec.types_at(ds.name());
    // One hash of the name, with iterations that were found to be within the limit before: no budget is needed.
    Budget budget(BudgetLimits{}, MonoTime{});
    Policy lenient = policy;
    lenient.most_nsec3_iterations = UINT16_MAX;
    const Context context{lenient, WallTime{}, budget};
    Nsec3Set nsec3(ds.zone(), evidence, context);
    if (types == nullptr) types = nsec3.types_at(ds.name());
    // Nothing matches an empty non-terminal, or a name that a wildcard stands for: no cut.
    if (types == nullptr) return Cut::no_cut;
    // That there is no DS was proven before: with a DS bit this would be no NODATA.
    return is_delegation(*types) ? Cut::unsigned_delegation : Cut::no_cut;
}

}  // namespace

Cut Judge::cut_of(const Finding& ds, const Policy& policy) {
    switch (ds.security()) {
        case Security::bogus:
        case Security::indeterminate:
            return Cut::unknown;
        case Security::insecure:
            // A parent that is not signed, an opt-out span, too many iterations: whatever is there, nothing says that
            // it is signed.
            return Cut::unsigned_delegation;
        case Security::secure:
            break;
    }
    switch (ds.outcome()) {
        case Outcome::records:
            // A12: a CNAME at the name, or a DNAME above it, is in the parent's zone and leaves no place for a
            // delegation.
            if (ds.rrset()->type != dns::Type::ds) return Cut::no_cut;
            return usable_ds(*ds.rrset(), policy).empty() ? Cut::unsigned_delegation : Cut::signed_delegation;
        case Outcome::nodata:
            return cut_by_proof(ds, policy);
        case Outcome::nxdomain:
            return Cut::no_cut;
        case Outcome::failure:
            return Cut::unknown;
    }
    return Cut::unknown;
}

std::vector<dns::Ds> Judge::usable_ds(const dns::RRset& ds, const Policy& policy) {
    return usable_of(parse_ds_set(ds), policy);
}

}  // namespace mxtrust::dnssec
