// What a denial can prove, and what it was proven with: the common vocabulary of nsec, nsec3 and denial.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dnssec/finding.h"

namespace mxtrust::dnssec {

/// A set whose signature was verified. Nothing else may prove anything (A10).
struct Evidence {
    dns::RRsetRef rrset;  ///< owner restored where it was expanded from a wildcard (pitfalls 36)
    WallTime expires;
};

/// What somebody claims about a name; one question, answered with a Proof.
struct Claim {
    enum class Kind : std::uint8_t {
        nodata,     ///< there is no `type` at `name`
        nxdomain,   ///< there is no `name`, and no wildcard that would stand for it
        expansion,  ///< nothing nearer than the wildcard below the ancestor with `labels` labels stands for `name`
    };
    Kind kind{};
    dns::Name name;
    dns::Type type{};
    std::size_t labels = 0;
};

enum class Proven : std::uint8_t {
    yes,
    unsigned_only,  ///< as far as signed names go: an opt-out span or too many iterations; insecure, never secure
    no,             ///< missing or contradictory: bogus
    exhausted,      ///< a limit came first: indeterminate
};

struct Proof {
    Proven proven = Proven::no;
    Outcome outcome = Outcome::nodata;  ///< what was proven: nodata or nxdomain (also by RFC 9824's NXNAME)
    std::vector<Evidence> used;
    Reason reason;  ///< why not; empty where proven
};

[[nodiscard]] Proof proven_by(Outcome outcome, std::vector<Evidence> used);
[[nodiscard]] Proof not_proven(Reason reason);

/// May a record at `name` with these types deny `type` there? The same rules for NSEC and NSEC3 (RFC 4035 5.4, RFC
/// 5155 8.5, RFC 6840 4.1, 4.3). Nothing where it may; otherwise why not, as the end of the sentence "the NSEC of NAME
/// …".
[[nodiscard]] std::optional<std::string> objection_to_nodata(const dns::TypeSet& types, const dns::Name& name,
                                                             dns::Type type);

/// NS without SOA: the parent's side of a zone cut.
[[nodiscard]] bool is_delegation(const dns::TypeSet& types);
/// Nothing below such a name can be denied by its zone: a delegation or a DNAME (RFC 6840 4.1, RFC 6672 5.3.2).
[[nodiscard]] bool hides_descendants(const dns::TypeSet& types);
/// The name exists for the sake of this answer only (RFC 9824 3.1).
[[nodiscard]] bool says_nxname(const dns::TypeSet& types);
/// Of an NSEC or NSEC3 set; false for any other.
[[nodiscard]] bool says_nxname(const dns::RRset& rrset);
/// NS and SOA belong together at the apex only (pitfalls 5).
[[nodiscard]] bool is_misplaced_apex(const dns::TypeSet& types, bool at_apex);

}  // namespace mxtrust::dnssec
