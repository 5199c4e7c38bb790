// Rules that NSEC and NSEC3 share.
#include "dnssec/proof.h"

#include <algorithm>

namespace mxtrust::dnssec {

Proof proven_by(Outcome outcome, std::vector<Evidence> used) {
    Proof proof;
    proof.proven = Proven::yes;
    proof.outcome = outcome;
    proof.used = std::move(used);
    return proof;
}

Proof not_proven(Reason reason) {
    Proof proof;
    proof.reason = std::move(reason);
    return proof;
}

bool is_delegation(const dns::TypeSet& types) {
    return types.has(dns::Type::ns) && !types.has(dns::Type::soa);
}

bool hides_descendants(const dns::TypeSet& types) {
    return is_delegation(types) || types.has(dns::Type::dname);
}

bool says_nxname(const dns::TypeSet& types) {
    return types.has(dns::Type::nxname);
}

bool says_nxname(const dns::RRset& rrset) {
    return std::ranges::any_of(rrset.records, [&rrset](const Bytes& rdata) {
        if (rrset.type == dns::Type::nsec) {
            const Result<dns::Nsec> nsec = dns::parse_nsec(rdata);
            return nsec && says_nxname(nsec->types);
        }
        const Result<dns::Nsec3> nsec3 = dns::parse_nsec3(rdata);
        return rrset.type == dns::Type::nsec3 && nsec3 && says_nxname(nsec3->types);
    });
}

bool is_misplaced_apex(const dns::TypeSet& types, bool at_apex) {
    return types.has(dns::Type::ns) && types.has(dns::Type::soa) && !at_apex;
}

std::optional<std::string> objection_to_nodata(const dns::TypeSet& types, const dns::Name& name, dns::Type type) {
    // Pitfall 33.
    if (types.has(type)) return "lists " + dns::to_text(type);
    // What stands where ANY is denied has NSEC and its signature only.
    if (type == dns::Type::any && std::ranges::any_of(types.all(), [](dns::Type one) {
            return one != dns::Type::rrsig && one != dns::Type::nsec && one != dns::Type::nxname;
        })) {
        return "lists other types";
    }
    // RFC 6840 4.3, pitfall 13: with a CNAME there, the answer would be that CNAME.
    if (types.has(dns::Type::cname)) return "lists CNAME";
    // RFC 6840 4.1, pitfall 3: the parent knows of the name only whether there is a DS.
    if (is_delegation(types) && type != dns::Type::ds)
        return "is of the parent's side of a zone cut and denies DS only";
    // RFC 4035 5.2, pitfall 4: the child's apex knows nothing of DS. The root has no parent.
    if (type == dns::Type::ds && types.has(dns::Type::soa) && !name.is_root()) {
        return "is of the child's side of the zone cut and cannot deny DS";
    }
    return std::nullopt;
}

}  // namespace mxtrust::dnssec
