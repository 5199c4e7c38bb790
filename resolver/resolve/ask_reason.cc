// What is told when no server of a zone gave anything that can be used (RFC 8914): each kind of trouble has its own
// code, because what a postmaster can do about it differs.
#include "dns/text.h"
#include "resolve/iterate.h"

namespace mxtrust::resolve {

dnssec::Reason Iterator::reason_of(const Trouble& trouble, const dns::Name& zone, const dns::Name& name, dns::Type type,
                                   const Budget& budget) {
    dnssec::Reason reason;
    reason.zone = zone;
    reason.record = dns::to_text(type) + " " + name.to_text();
    const std::string whose = zone.is_root() ? "the root zone" : zone.to_text();
    const std::string what = name.to_text() + " " + dns::to_text(type);
    if (trouble.kind == FailureKind::budget) {
        reason.code = "RBUD"_code;
        reason.ede = dns::Ede::other;
        const std::optional<Limit> limit = budget.exhausted();
        reason.text =
            "the look-up of " + what + " reached its limit of " + std::string(limit ? name_of(*limit) : "work");
        return reason;
    }
    if (!trouble.anybody) {
        reason.code = "RNAD"_code;
        reason.ede = dns::Ede::no_reachable_authority;
        reason.text = "no name server of " + whose + " has an address that can be asked for " + what;
        return reason;
    }
    // Nobody failed: our time was over before theirs.
    if (trouble.kind == FailureKind::timeout && trouble.told.empty()) {
        reason.code = "RDUE"_code;
        reason.ede = dns::Ede::no_reachable_authority;
        reason.text = "no server of " + whose + " answered " + what + " in the time there was";
        return reason;
    }
    // What a postmaster can do differs: wake a server up, have the zone delegated elsewhere, or read what it said.
    reason.ede = dns::Ede::no_reachable_authority;
    reason.text = "no server of " + whose + " gave a usable answer for " + what;
    if (trouble.kind == FailureKind::timeout || trouble.kind == FailureKind::unreachable) {
        reason.code = "RNOS"_code;
    } else if (trouble.lame == Lame::yes) {
        reason.code = "RLAM"_code;
    } else {
        reason.code = "RERR"_code;
    }
    // RFC 8914 4.23 and 4.24: 22 where nobody could be reached or nobody wanted to answer, 23 where what came was no
    // answer.
    if (trouble.kind == FailureKind::malformed) reason.ede = dns::Ede::network_error;
    if (!trouble.told.empty()) reason.text += ": " + trouble.told;
    return reason;
}

}  // namespace mxtrust::resolve
