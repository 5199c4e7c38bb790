// One fact can answer several questions; which ones is decided here and nowhere else.
#include "dnssec/finding.h"

#include <algorithm>

#include "dnssec/proof.h"

namespace mxtrust::dnssec {
namespace {

/// RFC 9824: the record that denies the name is made for it alone, and shows nothing of the names below: whoever
/// validates what we answer would take it for no proof of theirs.
bool is_compact(const Finding& denial) {
    return std::ranges::any_of(denial.proof(), [](const dns::RRsetRef& set) { return says_nxname(*set); });
}

bool answers(const Finding& fact, const dns::Name& name, dns::Type type) {
    if (fact.name() == name && fact.type() == type) return true;
    switch (fact.outcome()) {
        case Outcome::records: {
            const dns::RRset& set = *fact.rrset();
            if (set.type == dns::Type::cname) return set.owner == name && type != dns::Type::cname;
            // The owner of a DNAME is not redirected, only what lies below it (RFC 6672 2.3).
            if (set.type == dns::Type::dname) return name.is_below(set.owner);
            return false;
        }
        case Outcome::nxdomain:
            // A DS belongs to the parent: what a zone says of its own apex says nothing of it (RFC 4035 3.1.4.1).
            if (type == dns::Type::ds && fact.zone() == name) return false;
            // RFC 8020 for what is proven only: below a name in an opt-out span there may be an unsigned zone (pitfall
            // 7).
            if (fact.name() == name) return true;
            return fact.is_secure() && name.is_below(fact.name()) && !is_compact(fact);
        case Outcome::nodata:
        case Outcome::failure:
            return false;
    }
    return false;
}

}  // namespace

FindingRef Finding::answering(const FindingRef& finding, const dns::Name& name, dns::Type type) {
    if (!finding || !answers(*finding, name, type)) return nullptr;
    if (finding->name() == name && finding->type() == type) return finding;
    Parts parts = finding->parts_;
    parts.name = name;
    parts.type = type;
    return FindingRef(new Finding(finding->security_, std::move(parts)));
}

}  // namespace mxtrust::dnssec
