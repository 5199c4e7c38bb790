// NSEC proofs. "match": the owner is the name; "cover": the name lies between owner and next name.
#include "dnssec/nsec.h"

#include <algorithm>

#include "dnssec/canonical.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

/// The longest name above `name` that the NSEC shows to exist: owner and next name exist, and so does all above them
/// (RFC 4592 3.3.1).
dns::Name closest_encloser(const dns::Name& owner, const dns::Name& next, const dns::Name& name) {
    const dns::Name by_owner = name.common_ancestor(owner);
    const dns::Name by_next = name.common_ancestor(next);
    return by_owner.label_count() >= by_next.label_count() ? by_owner : by_next;
}

}  // namespace

NsecSet::NsecSet(const dns::Name& zone, const std::vector<Evidence>& evidence) : zone_(zone) {
    for (const Evidence& item : evidence) {
        if (item.rrset->type != dns::Type::nsec || item.rrset->records.size() != 1) continue;
        Result<dns::Nsec> nsec = dns::parse_nsec(item.rrset->records.front());
        if (!nsec) continue;
        const dns::Name& owner = item.rrset->owner;
        if (!owner.is_within(zone) || !nsec->next.is_within(zone)) continue;
        if (is_misplaced_apex(nsec->types, owner == zone)) continue;
        records_.push_back(Record{item, std::move(*nsec)});
    }
}

Proof NsecSet::missing(Code code, std::string text) const {
    return not_proven(make_reason(code, dns::Ede::nsec_missing, zone_, std::move(text)));
}

Proof NsecSet::contradiction(Code code, std::string text) const {
    return not_proven(make_reason(code, dns::Ede::dnssec_bogus, zone_, std::move(text)));
}

const NsecSet::Record* NsecSet::matching(const dns::Name& name) const {
    const auto found = std::ranges::find(records_, name, &Record::owner);
    return found == records_.end() ? nullptr : &*found;
}

const dns::TypeSet* NsecSet::types_at(const dns::Name& name) const {
    const Record* const record = matching(name);
    return record == nullptr ? nullptr : &record->nsec.types;
}

bool NsecSet::covers(const Record& record, const dns::Name& name) const {
    const dns::Name& owner = record.owner();
    const dns::Name& next = record.nsec.next;
    if (!name.is_within(zone_) || name == owner) return false;
    // RFC 6840 4.1, RFC 6672 5.3.2, pitfalls 3 and 11: nothing below a zone cut or a DNAME is denied from above it.
    if (name.is_below(owner) && hides_descendants(record.nsec.types)) return false;
    if (owner < next) return owner < name && name < next;
    // The zone's last NSEC leads back to the apex, and only there (RFC 4034 4.1.1).
    return next == zone_ && owner < name;
}

const NsecSet::Record* NsecSet::covering(const dns::Name& name) const {
    const auto found = std::ranges::find_if(records_, [&](const Record& record) { return covers(record, name); });
    return found == records_.end() ? nullptr : &*found;
}

Proof NsecSet::prove(const Claim& claim) const {
    switch (claim.kind) {
        case Claim::Kind::nodata:
            return nodata(claim.name, claim.type);
        case Claim::Kind::nxdomain:
            return nxdomain(claim.name);
        case Claim::Kind::expansion:
            return expansion(claim.name, claim.labels);
    }
    return {};
}

Proof NsecSet::nodata(const dns::Name& name, dns::Type type) const {
    if (const Record* const match = matching(name)) {
        if (const auto objection = objection_to_nodata(match->nsec.types, name, type)) {
            return contradiction("VNOB"_code, "the NSEC of " + name.to_text() + " does not deny " + dns::to_text(type) +
                                                  ": it " + *objection);
        }
        const bool nxname = says_nxname(match->nsec.types);  // RFC 9824, pitfall 37
        return proven_by(nxname ? Outcome::nxdomain : Outcome::nodata, {match->evidence});
    }
    const Record* const cover = covering(name);
    if (cover == nullptr) {
        return missing("VNOM"_code, "no NSEC of " + zone_.to_text() + " denies " + describe(type, name));
    }
    // Pitfall 14: an empty non-terminal has no NSEC; the next name lies below it.
    if (cover->nsec.next.is_below(name)) return proven_by(Outcome::nodata, {cover->evidence});
    return wildcard_nodata(name, type, *cover);
}

/// RFC 4035 3.1.3.4: the name does not exist, a wildcard stands for it, and that one lacks the type.
Proof NsecSet::wildcard_nodata(const dns::Name& name, dns::Type type, const Record& cover) const {
    const dns::Name wildcard = wildcard_of(closest_encloser(cover.owner(), cover.nsec.next, name));
    if (const Record* const match = matching(wildcard)) {
        if (const auto objection = objection_to_nodata(match->nsec.types, wildcard, type)) {
            return contradiction("VNWB"_code, "the NSEC of " + wildcard.to_text() + " does not deny " +
                                                  dns::to_text(type) + ": it " + *objection);
        }
        return proven_by(Outcome::nodata, {cover.evidence, match->evidence});
    }
    const Record* const between = covering(wildcard);
    if (between != nullptr && between->nsec.next.is_below(wildcard)) {  // the wildcard is an empty non-terminal
        return proven_by(Outcome::nodata, {cover.evidence, between->evidence});
    }
    return missing("VNWM"_code, "no NSEC of " + zone_.to_text() + " shows what the wildcard " + wildcard.to_text() +
                                    " has for " + name.to_text());
}

/// RFC 4035 3.1.3.2: neither the name nor a wildcard for it.
Proof NsecSet::nxdomain(const dns::Name& name) const {
    if (const Record* const match = matching(name)) {
        if (says_nxname(match->nsec.types)) return proven_by(Outcome::nxdomain, {match->evidence});
        return contradiction("VNXE"_code, name.to_text() + " is said not to exist, but its NSEC shows that it does");
    }
    const Record* const cover = covering(name);
    if (cover == nullptr) {
        return missing("VNXM"_code,
                       "no NSEC of " + zone_.to_text() + " shows that " + name.to_text() + " does not exist");
    }
    if (cover->nsec.next.is_below(name)) {
        return contradiction("VNXT"_code, name.to_text() + " is said not to exist, but there are names below it");
    }
    const dns::Name wildcard = wildcard_of(closest_encloser(cover->owner(), cover->nsec.next, name));
    const Record* const absent = covering(wildcard);
    if (absent == nullptr || absent->nsec.next.is_below(wildcard)) {
        return missing("VNXW"_code,
                       "no NSEC of " + zone_.to_text() + " shows that there is no wildcard " + wildcard.to_text());
    }
    std::vector<Evidence> used{cover->evidence};
    if (absent != cover) used.push_back(absent->evidence);
    return proven_by(Outcome::nxdomain, std::move(used));
}

/// RFC 4035 5.3.4, pitfall 1: the name next closer to the wanted one than the wildcard's parent does not exist.
Proof NsecSet::expansion(const dns::Name& name, std::size_t labels) const {
    const dns::Name next_closer = name.ancestor(labels + 1);
    const Record* const cover = covering(next_closer);
    if (cover == nullptr || cover->nsec.next.is_below(next_closer)) {
        return missing("VNXP"_code, "no NSEC of " + zone_.to_text() + " shows that " + next_closer.to_text() +
                                        " does not exist, so that a wildcard must not stand for " + name.to_text());
    }
    return proven_by(Outcome::records, {cover->evidence});
}

}  // namespace mxtrust::dnssec
