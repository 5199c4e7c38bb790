// Findings and answers as values; nothing is judged here.
#include "dnssec/finding.h"

#include <algorithm>
#include <utility>

#include "base/require.h"

namespace mxtrust::dnssec {

std::string_view to_text(Security security) {
    switch (security) {
        case Security::secure:
            return "secure";
        case Security::insecure:
            return "insecure";
        case Security::bogus:
            return "bogus";
        case Security::indeterminate:
            return "indeterminate";
    }
    return "indeterminate";
}

std::string_view to_text(Outcome outcome) {
    switch (outcome) {
        case Outcome::records:
            return "records";
        case Outcome::nodata:
            return "nodata";
        case Outcome::nxdomain:
            return "nxdomain";
        case Outcome::failure:
            return "failure";
    }
    return "failure";
}

namespace {

int weakness(Security security) {
    switch (security) {
        case Security::secure:
            return 0;
        case Security::insecure:
            return 1;
        case Security::indeterminate:
            return 2;
        case Security::bogus:
            return 3;
    }
    return 3;
}

/// Of equally weak ones the one that failed: it is what is to be explained, not that the alias before it is unsigned.
const FindingRef& weakest_of(const std::vector<FindingRef>& links) {
    return *std::ranges::max_element(links, {}, [](const FindingRef& link) {
        return std::pair(weakness(link->security()), link->outcome() == Outcome::failure);
    });
}

}  // namespace

Security weakest(Security left, Security right) {
    return weakness(left) >= weakness(right) ? left : right;
}

FindingRef Finding::proven(ProofKey /*key*/, Security security, Parts parts) {
    require(security == Security::secure || security == Security::insecure);
    require(parts.outcome != Outcome::failure || security == Security::insecure);
    require((parts.outcome == Outcome::records) == (parts.rrset != nullptr));
    return FindingRef(new Finding(security, std::move(parts)));
}

FindingRef Finding::bogus(Parts parts) {
    parts.rrset = nullptr;
    parts.proof.clear();
    parts.outcome = Outcome::failure;
    if (!parts.reason.ede) parts.reason.ede = dns::Ede::dnssec_bogus;
    return FindingRef(new Finding(Security::bogus, std::move(parts)));
}

FindingRef Finding::failure(Parts parts) {
    parts.rrset = nullptr;
    parts.proof.clear();
    parts.outcome = Outcome::failure;
    if (!parts.reason.ede) parts.reason.ede = dns::Ede::dnssec_indeterminate;
    return FindingRef(new Finding(Security::indeterminate, std::move(parts)));
}

FindingRef Finding::remembered(const FindingRef& finding) {
    if (finding->outcome() != Outcome::failure || finding->reason().remembered) return finding;
    Parts parts = finding->parts_;
    parts.reason.remembered = true;
    return FindingRef(new Finding(finding->security_, std::move(parts)));
}

bool Finding::is_alias() const {
    if (parts_.outcome != Outcome::records || !parts_.rrset || parts_.rrset->records.empty()) return false;
    const dns::RRset& rrset = *parts_.rrset;
    if (rrset.type == dns::Type::dname) return parts_.name.is_below(rrset.owner);
    return rrset.type == dns::Type::cname && parts_.type != dns::Type::cname && parts_.type != dns::Type::any;
}

Result<dns::Name> Finding::alias_target() const {
    require(is_alias());
    Result<dns::Name> target = dns::parse_single_name(parts_.rrset->records.front());
    if (!target || parts_.rrset->type == dns::Type::cname) return target;
    return parts_.name.rebase(parts_.rrset->owner, *target);
}

Result<dns::RRset> Finding::alias_rrset() const {
    require(is_alias());
    if (parts_.rrset->type == dns::Type::cname) return *parts_.rrset;
    // RFC 6672 3.1, 5.3.1, pitfall 12: synthesised here and unsigned; what a server synthesised is never shown.
    const Result<dns::Name> target = alias_target();
    if (!target) return fail(target.error());
    dns::RRset cname;
    cname.owner = parts_.name;
    cname.type = dns::Type::cname;
    cname.ttl = parts_.rrset->ttl;
    const BytesView wire = target->wire();
    cname.records.emplace_back(wire.begin(), wire.end());
    return cname;
}

Answer::Answer(std::vector<FindingRef> links) : links_(std::move(links)) {
    require(!links_.empty());
    require(std::all_of(links_.begin(), links_.end() - 1, [](const FindingRef& link) { return link->is_alias(); }));
}

Security Answer::security() const {
    return weakest_of(links_)->security();
}

Security Answer::alias_security() const {
    Security security = Security::secure;
    for (const FindingRef& link : links_) {
        if (link->is_alias()) security = weakest(security, link->security());
    }
    return security;
}

WallTime Answer::expires() const {
    return (*std::ranges::min_element(links_, {}, [](const FindingRef& link) { return link->expires(); }))->expires();
}

const Reason& Answer::reason() const {
    return weakest_of(links_)->reason();
}

std::optional<SecureRRset> SecureRRset::from(const Answer& answer) {
    if (answer.security() != Security::secure) return std::nullopt;
    return from(answer.final());
}

std::optional<SecureRRset> SecureRRset::from(const Finding& finding) {
    if (!finding.is_secure() || finding.outcome() != Outcome::records || finding.is_alias()) return std::nullopt;
    return SecureRRset(finding.rrset());
}

}  // namespace mxtrust::dnssec
