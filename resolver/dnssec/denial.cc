// Gathering of signed evidence, and the proof.
#include "dnssec/denial.h"

#include <algorithm>

#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

void gather_soa(const dns::RRset& soa, const dns::Name& zone, SignatureResult result, const Context& context,
                Denials& denials) {
    // Two SOA records are nobody's SOA. (None at the apex is ever an expansion: its labels would lead above the zone.)
    if (result.check == Check::valid && soa.records.size() != 1) {
        result.check = Check::invalid;
        result.reason =
            make_reason("VDSO"_code, dns::Ede::dnssec_bogus, zone, "the SOA of " + zone.to_text() + " is impossible");
    }
    switch (result.check) {
        case Check::valid: {
            const WallTime expires = negative_expiry(*result.rrset, result.expires, context.now, context.policy);
            auto shown = std::make_shared<dns::RRset>(*result.rrset);
            shown->ttl = std::chrono::duration_cast<dns::Ttl>(expires - context.now);  // RFC 2308 5
            denials.soa = Evidence{std::move(shown), expires};
            break;
        }
        case Check::invalid:
            denials.soa_fault = std::move(result.reason);
            break;
        case Check::exhausted:
            denials.limit = std::move(result.reason);
            break;
    }
}

void gather_nsec(SignatureResult result, Denials& denials) {
    switch (result.check) {
        case Check::valid:
            // Restored, an NSEC3 that was expanded stands at a wildcard, which is no hash and proves nothing.
            denials.nsecs.push_back(Evidence{restored(result), result.expires});
            break;
        case Check::invalid:
            if (!denials.fault) denials.fault = std::move(result.reason);
            break;
        case Check::exhausted:
            denials.limit = std::move(result.reason);
            break;
    }
}

bool is_nsec(const dns::RRset& rrset) {
    return rrset.type == dns::Type::nsec || rrset.type == dns::Type::nsec3;
}

}  // namespace

dns::RRsetRef restored(const SignatureResult& signed_nsec) {
    if (!signed_nsec.source) return signed_nsec.rrset;
    auto rrset = std::make_shared<dns::RRset>(*signed_nsec.rrset);
    rrset->owner = *signed_nsec.source;
    return rrset;
}

WallTime negative_expiry(const dns::RRset& soa, WallTime expires, WallTime now, const Policy& policy) {
    const Result<dns::Soa> parsed = soa.records.empty()
                                        ? fail(FailureKind::malformed, "VDSE"_code, "SOA without record")
                                        : dns::parse_soa(soa.records.front());
    if (!parsed) return now;
    const std::chrono::seconds life = std::min<std::chrono::seconds>(soa.ttl, dns::Ttl(parsed->minimum));
    return std::min(expires, now + std::max(life, policy.least_negative_ttl));
}

Denials gather(const std::vector<dns::RRset>& authority, const dns::Name& zone, const std::vector<ZoneKey>& keys,
               const Context& context) {
    Denials denials;
    std::uint32_t proofs = 0;
    for (const dns::RRset& rrset : authority) {
        if (denials.limit) break;
        if (rrset.type == dns::Type::soa && rrset.owner == zone && !rrset.records.empty() && !denials.soa) {
            gather_soa(rrset, zone, check_signatures(rrset, zone, keys, context), context, denials);
        } else if (is_nsec(rrset) && !rrset.records.empty()) {
            // A3: an honest proof needs four at most.
            if (++proofs > context.policy.most_nsec3_records) {
                denials.limit = limit_reached("VDMX"_code, "NSEC and NSEC3 records per answer", zone,
                                              "checking denials of " + zone.to_text());
            } else {
                gather_nsec(check_signatures(rrset, zone, keys, context), denials);
            }
        }
    }
    return denials;
}

namespace {

Proof prove_by_any(const Claim& claim, const Denials& denials, const dns::Name& zone, const Context& context) {
    const NsecSet nsec(zone, denials.nsecs);
    Proof proof;
    proof.reason =
        make_reason("VDNO"_code, dns::Ede::nsec_missing, zone,
                    "no NSEC or NSEC3 of " + zone.to_text() + " comes with the answer for " + claim.name.to_text());
    if (!nsec.empty()) proof = nsec.prove(claim);
    if (proof.proven == Proven::yes) return proof;
    Nsec3Set nsec3(zone, denials.nsecs, context);
    if (!nsec3.empty()) proof = nsec3.prove(claim);
    if (proof.proven != Proven::no) return proof;
    if (denials.limit) {
        proof.proven = Proven::exhausted;
        proof.reason = *denials.limit;
    } else if (denials.fault) {
        proof.reason = *denials.fault;
    }
    return proof;
}

}  // namespace

Proof prove(const Claim& claim, const Denials& denials, const dns::Name& zone, const Context& context) {
    Proof proof = prove_by_any(claim, denials, zone, context);
    if (proof.reason.record.empty() && !proof.reason.text.empty()) {
        proof.reason.record = describe(claim.type, claim.name);
    }
    return proof;
}

}  // namespace mxtrust::dnssec
