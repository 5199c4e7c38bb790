// The Judge on answers: gathers the parts' results and says the verdict.
#include "dnssec/judge.h"

#include <algorithm>
#include <array>

#include "dnssec/denial.h"
#include "dnssec/negative_anchor.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

Finding::Parts parts_of(const Response& response, const ZoneTrust& trust) {
    Finding::Parts parts;
    parts.name = response.name;
    parts.type = response.type;
    parts.rcode = response.rcode;
    parts.zone = trust.zone();
    return parts;
}

/// Does what came answer what was asked? The caller has seen to that; a validator that believes so is one mistake from
/// a hole.
bool is_answer(const Response& response, const dns::Name& zone) {
    if (!response.positive || response.positive->records.empty()) return false;
    const dns::RRset& rrset = *response.positive;
    if (!rrset.owner.is_within(zone)) return false;
    const bool single = rrset.records.size() == 1;
    switch (response.shape) {
        case Shape::records:
            return rrset.owner == response.name && rrset.type == response.type;
        case Shape::cname:  // RFC 2181 10.1: one CNAME
            return rrset.owner == response.name && rrset.type == dns::Type::cname && single;
        case Shape::dname:  // RFC 6672 2.4: one DNAME, for names below it
            return response.name.is_below(rrset.owner) && rrset.type == dns::Type::dname && single;
        case Shape::nodata:
        case Shape::nxdomain:
            return false;
    }
    return false;
}

/// Never made by expansion of a wildcard: they belong to zone cuts and chains (RFC 4592 4, RFC 6672 3.3, A10).
bool can_be_expanded(dns::Type type) {
    constexpr std::array refused{dns::Type::ds,   dns::Type::dnskey, dns::Type::dname,
                                 dns::Type::nsec, dns::Type::nsec3,  dns::Type::soa};
    return std::ranges::find(refused, type) == refused.end();
}

/// A DS belongs to the parent's side of a cut (RFC 4035 2.4, pitfall 30): what the zone says of its own is worth
/// nothing.
bool is_own_ds(dns::Type type, const dns::Name& name, const dns::Name& zone) {
    return type == dns::Type::ds && name == zone;
}

void add_proof(Finding::Parts& parts, const Evidence& evidence) {
    parts.expires = std::min(parts.expires, evidence.expires);
    if (std::ranges::find(parts.proof, evidence.rrset) == parts.proof.end()) parts.proof.push_back(evidence.rrset);
}

/// A closest encloser, a next closer name, a wildcard, and one more.
constexpr std::size_t most_honest_denials = 4;

/// By the operator's word nothing is insecure for longer than that word holds (RFC 7646 2).
WallTime good_until(WallTime expires, const ZoneTrust& trust) {
    return negative_anchor_of(trust.reason()) == nullptr ? expires : std::min(expires, trust.expires());
}

Reason wrong_answer(Code code, const Response& response, const ZoneTrust& trust) {
    Reason reason =
        make_reason(code, dns::Ede::dnssec_bogus, trust.zone(),
                    "the answer for " + describe(response.type, response.name) + " does not fit the question");
    reason.record = describe(response.type, response.name);
    return reason;
}

}  // namespace

FindingRef Judge::bogus(Finding::Parts parts, Reason reason) const {
    parts.reason = std::move(reason);
    parts.expires = now_ + policy_.bogus_ttl;
    return Finding::bogus(std::move(parts));
}

FindingRef Judge::unknown(Finding::Parts parts, Reason reason) const {
    parts.reason = std::move(reason);
    parts.expires = now_ + policy_.failure_ttl;
    return Finding::failure(std::move(parts));
}

/// The policy's limit for the zone's smallest key: the cost of a hash is measured by that of a verification.
void Judge::limit_iterations(const ZoneTrust& trust) {
    if (policy_.nsec3_by_key.empty()) return;
    std::size_t bits = policy_.most_rsa_bits;
    for (const ZoneKey& key : trust.keys()) {
        if (key.key) bits = std::min(bits, key.key->bits());
    }
    const auto fits = [bits](const IterationLimit& limit) { return bits <= limit.key_bits; };
    const auto found = std::ranges::find_if(policy_.nsec3_by_key, fits);
    policy_.most_nsec3_iterations =
        found == policy_.nsec3_by_key.end() ? policy_.nsec3_by_key.back().iterations : found->iterations;
}

FindingRef Judge::judge(const Response& response, const ZoneTrust& trust) {
    switch (trust.security()) {
        case Security::secure:
            limit_iterations(trust);
            switch (response.shape) {
                case Shape::records:
                case Shape::cname:
                case Shape::dname:
                    return signed_records(response, trust);
                case Shape::nodata:
                case Shape::nxdomain:
                    return signed_denial(response, trust);
            }
            break;
        case Security::insecure:
            return unsigned_answer(response, trust);
        case Security::bogus:
            return bogus(parts_of(response, trust), trust.reason());
        case Security::indeterminate:
            break;
    }
    return unknown(parts_of(response, trust), trust.reason());
}

// --- zones proven to be unsigned: data as it is; stray signatures mean nothing (pitfall 35) ---

FindingRef Judge::unsigned_answer(const Response& response, const ZoneTrust& trust) const {
    Finding::Parts parts = parts_of(response, trust);
    parts.reason = trust.reason();
    switch (response.shape) {
        case Shape::records:
        case Shape::cname:
        case Shape::dname:
            break;
        case Shape::nodata:
            parts.outcome = Outcome::nodata;
            return unsigned_denial(std::move(parts), response, trust);
        case Shape::nxdomain:
            parts.outcome = Outcome::nxdomain;
            return unsigned_denial(std::move(parts), response, trust);
    }
    if (!is_answer(response, trust.zone())) {
        Reason reason = wrong_answer("VJUA"_code, response, trust);
        reason.ede = dns::Ede::invalid_data;
        reason.server = response.server;
        return unknown(std::move(parts), std::move(reason));
    }
    dns::RRset rrset = *response.positive;
    const std::chrono::seconds ttl =
        std::min(std::max<std::chrono::seconds>(rrset.ttl, policy_.least_ttl), policy_.most_ttl);
    rrset.ttl = std::chrono::duration_cast<dns::Ttl>(ttl);
    parts.outcome = Outcome::records;
    parts.expires = good_until(now_ + ttl, trust);
    parts.rrset = std::make_shared<const dns::RRset>(std::move(rrset));
    return Finding::proven(ProofKey{}, Security::insecure, std::move(parts));
}

FindingRef Judge::unsigned_denial(Finding::Parts parts, const Response& response, const ZoneTrust& trust) const {
    const auto soa = std::ranges::find_if(response.authority, [&](const dns::RRset& rrset) {
        return rrset.type == dns::Type::soa && response.name.is_within(rrset.owner);
    });
    if (soa == response.authority.end()) {
        const std::chrono::seconds ttl = std::max(policy_.no_soa_ttl, policy_.least_negative_ttl);
        parts.expires = good_until(now_ + std::min(ttl, policy_.most_negative_ttl), trust);
    } else {
        parts.expires = good_until(negative_expiry(*soa, now_ + policy_.most_negative_ttl, now_, policy_), trust);
        dns::RRset shown = *soa;
        shown.ttl = std::chrono::duration_cast<dns::Ttl>(parts.expires - now_);
        parts.proof.push_back(std::make_shared<const dns::RRset>(std::move(shown)));
    }
    // They prove nothing here; a client with an anchor of its own may see it otherwise.
    for (const dns::RRset& rrset : response.authority) {
        const bool denial = rrset.type == dns::Type::nsec || rrset.type == dns::Type::nsec3;
        if (denial && parts.proof.size() <= policy_.most_nsec3_records) {
            parts.proof.push_back(std::make_shared<const dns::RRset>(rrset));
        }
    }
    return Finding::proven(ProofKey{}, Security::insecure, std::move(parts));
}

// --- secure zones ---

FindingRef Judge::signed_records(const Response& response, const ZoneTrust& trust) {
    Finding::Parts parts = parts_of(response, trust);
    if (!is_answer(response, trust.zone())) {
        Reason reason = wrong_answer("VJSA"_code, response, trust);
        reason.server = response.server;
        return bogus(std::move(parts), std::move(reason));
    }
    const dns::RRset& rrset = *response.positive;
    if (is_own_ds(rrset.type, rrset.owner, trust.zone())) {
        Reason reason = make_reason("VJDS"_code, dns::Ede::dnssec_bogus, trust.zone(),
                                    "the zone " + trust.zone().to_text() + " answered for its own DS");
        reason.record = describe(response.type, response.name);
        reason.server = response.server;
        return bogus(std::move(parts), std::move(reason));
    }
    const Context known = context();
    SignatureResult result = check_signatures(rrset, trust.zone(), trust.keys(), known);
    result.reason.server = response.server;
    switch (result.check) {
        case Check::invalid:
            return bogus(std::move(parts), std::move(result.reason));
        case Check::exhausted:
            return unknown(std::move(parts), std::move(result.reason));
        case Check::valid:
            break;
    }
    parts.outcome = Outcome::records;
    parts.rrset = std::move(result.rrset);
    parts.expires = result.expires;
    if (result.source) return signed_expansion(response, trust, std::move(parts), *result.source);
    return Finding::proven(ProofKey{}, Security::secure, std::move(parts));
}

FindingRef Judge::signed_expansion(const Response& response, const ZoneTrust& trust, Finding::Parts parts,
                                   const dns::Name& source) {
    if (!can_be_expanded(parts.rrset->type)) {
        Reason reason =
            make_reason("VJWT"_code, dns::Ede::dnssec_bogus, trust.zone(),
                        dns::to_text(parts.rrset->type) + " records cannot come from the wildcard " + source.to_text());
        reason.record = describe(response.type, response.name);
        reason.server = response.server;
        return bogus(std::move(parts), std::move(reason));
    }
    const Context known = context();
    // Nobody needs the SOA here, and a signature checked is a signature paid for.
    std::vector<dns::RRset> denials;
    std::ranges::copy_if(response.authority, std::back_inserter(denials),
                         [](const dns::RRset& rrset) { return rrset.type != dns::Type::soa; });
    const Claim claim{Claim::Kind::expansion, response.name, response.type, source.label_count() - 1};
    Proof proof = prove(claim, gather(denials, trust.zone(), trust.keys(), known), trust.zone(), known);
    proof.outcome = Outcome::records;
    if (proof.proven == Proven::no) {
        proof.reason.code = "VJWP"_code;
        proof.reason.text = describe(response.type, response.name) + " comes from the wildcard " + source.to_text() +
                            ", but it is not proven that it may: " + proof.reason.text;
    }
    proof.reason.server = response.server;
    return conclude(std::move(parts), std::move(proof));
}

FindingRef Judge::signed_denial(const Response& response, const ZoneTrust& trust) {
    Finding::Parts parts = parts_of(response, trust);
    if (is_own_ds(response.type, response.name, trust.zone()) && !response.name.is_root()) {
        Reason reason = make_reason("VJDD"_code, dns::Ede::dnssec_bogus, trust.zone(),
                                    "the zone " + trust.zone().to_text() + " denied its own DS");
        reason.record = describe(response.type, response.name);
        reason.server = response.server;
        return bogus(std::move(parts), std::move(reason));
    }
    const Context known = context();
    Denials denials = gather(response.authority, trust.zone(), trust.keys(), known);
    if (denials.soa_fault) {  // the negative TTL comes from it
        denials.soa_fault->server = response.server;
        return bogus(std::move(parts), std::move(*denials.soa_fault));
    }
    const Claim claim{response.shape == Shape::nxdomain ? Claim::Kind::nxdomain : Claim::Kind::nodata, response.name,
                      response.type};
    Proof proof = prove(claim, denials, trust.zone(), known);
    if (proof.proven == Proven::no && claim.kind == Claim::Kind::nxdomain) {
        // Servers that know no empty non-terminals say NXDOMAIN where the proof shows that the name is there: what is
        // proven counts, and that is NODATA (RFC 4035 5.4, RFC 8020 2).
        const Claim weaker{Claim::Kind::nodata, response.name, response.type};
        Proof nodata = prove(weaker, denials, trust.zone(), known);
        if (nodata.proven == Proven::yes) {
            proof = std::move(nodata);
            parts.rcode = dns::Rcode::noerror;
        }
    }
    proof.reason.server = response.server;
    parts.expires = now_ + policy_.most_negative_ttl;
    if (denials.soa) add_proof(parts, *denials.soa);
    // What the server sent along is passed on, where it is no more than an honest proof has (A3).
    const bool holds = proof.proven == Proven::yes || proof.proven == Proven::unsigned_only;
    if (holds && denials.nsecs.size() <= most_honest_denials) {
        for (const Evidence& evidence : denials.nsecs) add_proof(parts, evidence);
    }
    return conclude(std::move(parts), std::move(proof));
}

FindingRef Judge::conclude(Finding::Parts parts, Proof proof) const {
    Security security = Security::secure;
    switch (proof.proven) {
        case Proven::yes:
            break;
        case Proven::unsigned_only:
            security = Security::insecure;
            parts.reason = std::move(proof.reason);
            parts.reason.server.clear();  // nobody is at fault
            break;
        case Proven::no:
            return bogus(std::move(parts), std::move(proof.reason));
        case Proven::exhausted:
            return unknown(std::move(parts), std::move(proof.reason));
    }
    parts.outcome = proof.outcome;
    for (const Evidence& evidence : proof.used) add_proof(parts, evidence);
    return Finding::proven(ProofKey{}, security, std::move(parts));
}

FindingRef Judge::judge_failure(const dns::Name& name, dns::Type type, dns::Rcode rcode, Reason reason,
                                const ZoneTrust& trust) {
    Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.rcode = rcode;
    parts.zone = trust.zone();
    // Under a negative trust anchor nobody has proven that the zone is unsigned.
    const bool unsigned_zone = trust.security() == Security::insecure && negative_anchor_of(trust.reason()) == nullptr;
    if (!unsigned_zone) return unknown(std::move(parts), std::move(reason));
    parts.outcome = Outcome::failure;
    parts.reason = std::move(reason);
    if (!parts.reason.ede) parts.reason.ede = dns::Ede::no_reachable_authority;
    parts.expires = now_ + policy_.failure_ttl;
    return Finding::proven(ProofKey{}, Security::insecure, std::move(parts));
}

FindingRef Judge::judge_rrset(const dns::RRset& rrset, const ZoneTrust& trust) {
    Response response;
    response.name = rrset.owner;
    response.type = rrset.type;
    response.shape = Shape::records;
    if (rrset.type != dns::Type::nsec || trust.security() != Security::secure) {
        response.positive = rrset;
        return judge(response, trust);
    }
    // An expanded NSEC is a fact about its wildcard (pitfall 36): restored, where every other type would need a proof.
    Finding::Parts parts = parts_of(response, trust);
    const Context known = context();
    SignatureResult result = check_signatures(rrset, trust.zone(), trust.keys(), known);
    switch (result.check) {
        case Check::invalid:
            return bogus(std::move(parts), std::move(result.reason));
        case Check::exhausted:
            return unknown(std::move(parts), std::move(result.reason));
        case Check::valid:
            break;
    }
    parts.outcome = Outcome::records;
    parts.rrset = restored(result);
    parts.name = parts.rrset->owner;
    parts.expires = result.expires;
    return Finding::proven(ProofKey{}, Security::secure, std::move(parts));
}

std::vector<FindingRef> Judge::proven_sets(const Finding& denial) {
    std::vector<FindingRef> sets;
    if (!denial.is_secure()) return sets;
    for (const dns::RRsetRef& rrset : denial.proof()) {
        Finding::Parts parts;
        parts.name = rrset->owner;
        parts.type = rrset->type;
        parts.outcome = Outcome::records;
        parts.rcode = dns::Rcode::noerror;
        parts.rrset = rrset;
        parts.zone = denial.zone();
        parts.expires = denial.expires();
        sets.push_back(Finding::proven(ProofKey{}, Security::secure, std::move(parts)));
    }
    return sets;
}

FindingRef Judge::judge_from_cached(const dns::Name& name, dns::Type type, const dns::Name& zone,
                                    const std::vector<FindingRef>& denials, const FindingRef& soa) {
    const auto is_good = [&](const FindingRef& finding) {
        return finding && finding->is_secure() && finding->outcome() == Outcome::records && finding->zone() == zone &&
               finding->expires() > now_;
    };
    // RFC 8198 5.4: without the SOA there is no telling how long the denial may be kept.
    if (!is_good(soa) || soa->rrset()->type != dns::Type::soa || !name.is_within(zone) || is_own_ds(type, name, zone))
        return nullptr;
    Denials known;
    for (const FindingRef& finding : denials) {
        if (is_good(finding)) known.nsecs.push_back(Evidence{finding->rrset(), finding->expires()});
    }
    const Context here = context();
    Proof proof = prove(Claim{Claim::Kind::nxdomain, name, type}, known, zone, here);
    if (proof.proven == Proven::no) proof = prove(Claim{Claim::Kind::nodata, name, type}, known, zone, here);
    if (proof.proven != Proven::yes) return nullptr;  // RFC 8198 5.2: no opt-out span
    Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.zone = zone;
    // RFC 9824: the server would have said NOERROR.
    const bool compact = says_nxname(*proof.used.front().rrset);
    parts.rcode = proof.outcome == Outcome::nxdomain && !compact ? dns::Rcode::nxdomain : dns::Rcode::noerror;
    parts.expires =
        std::min(now_ + policy_.most_negative_ttl, negative_expiry(*soa->rrset(), soa->expires(), now_, policy_));
    add_proof(parts, Evidence{soa->rrset(), soa->expires()});
    return conclude(std::move(parts), std::move(proof));
}

FindingRef Judge::wildcard_of(const Finding& finding) {
    if (!finding.is_secure() || finding.outcome() != Outcome::records || !finding.rrset()) return nullptr;
    const dns::RRset& expanded = *finding.rrset();
    if (expanded.signatures.empty() || expanded.owner != finding.name()) return nullptr;
    // The first signature is the one that held; it counts the labels without "*" (RFC 4034 3.1.3).
    const Result<dns::Rrsig> rrsig = dns::parse_rrsig(expanded.signatures.front());
    if (!rrsig || rrsig->labels >= expanded.owner.label_count() || expanded.owner.label(0) == "*") return nullptr;
    const Result<dns::Name> owner = expanded.owner.ancestor(rrsig->labels).wildcard();
    if (!owner) return nullptr;
    auto set = std::make_shared<dns::RRset>(expanded);
    set->owner = *owner;
    Finding::Parts parts;
    parts.name = *owner;
    parts.type = set->type;
    parts.outcome = Outcome::records;
    parts.rcode = dns::Rcode::noerror;
    parts.rrset = std::move(set);
    parts.zone = finding.zone();
    parts.expires = finding.expires();
    return Finding::proven(ProofKey{}, Security::secure, std::move(parts));
}

FindingRef Judge::expand_from_cached(const dns::Name& name, dns::Type type, const dns::Name& zone,
                                     const std::vector<FindingRef>& denials, const FindingRef& wildcard) {
    if (!wildcard || !wildcard->is_secure() || wildcard->outcome() != Outcome::records || wildcard->expires() <= now_ ||
        wildcard->zone() != zone || type == dns::Type::ds)
        return nullptr;
    const dns::RRset& source = *wildcard->rrset();
    const bool fits = source.owner.label_count() > 0 && source.owner.label(0) == "*" &&
                      name.is_below(source.owner.parent()) && name != source.owner &&
                      (source.type == type || source.type == dns::Type::cname) && can_be_expanded(source.type);
    if (!fits) return nullptr;
    Denials known;
    for (const FindingRef& finding : denials) {
        const bool good = finding && finding->is_secure() && finding->outcome() == Outcome::records &&
                          finding->zone() == zone && finding->expires() > now_;
        if (good) known.nsecs.push_back(Evidence{finding->rrset(), finding->expires()});
    }
    const Context here = context();
    const Claim claim{Claim::Kind::expansion, name, type, source.owner.label_count() - 1};
    Proof proof = prove(claim, known, zone, here);
    if (proof.proven != Proven::yes) return nullptr;  // RFC 8198 5.2: no opt-out span
    auto expanded = std::make_shared<dns::RRset>(source);
    expanded->owner = name;
    Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.rcode = dns::Rcode::noerror;
    parts.zone = zone;
    parts.rrset = std::move(expanded);
    parts.expires = wildcard->expires();
    proof.outcome = Outcome::records;
    return conclude(std::move(parts), std::move(proof));
}

}  // namespace mxtrust::dnssec
