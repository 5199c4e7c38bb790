// Denial of existence as a whole: gathers what is signed of an authority section, and asks NSEC and NSEC3 for the
// proof.
#pragma once

#include "dnssec/nsec.h"
#include "dnssec/nsec3.h"
#include "dnssec/proof.h"
#include "dnssec/signature.h"

namespace mxtrust::dnssec {

/// What of an authority section is signed by the zone.
struct Denials {
    std::optional<Evidence> soa;      ///< expires by min(TTL, minimum) too (RFC 2308 5, RFC 9077)
    std::vector<Evidence> nsecs;      ///< NSEC and NSEC3
    std::optional<Reason> soa_fault;  ///< there is a SOA of the zone and it is not validly signed
    std::optional<Reason> fault;      ///< of the first NSEC or NSEC3 that is not validly signed: it proves nothing
    std::optional<Reason> limit;      ///< a limit stopped the gathering
};

[[nodiscard]] Denials gather(const std::vector<dns::RRset>& authority, const dns::Name& zone,
                             const std::vector<ZoneKey>& keys, const Context& context);

/// By NSEC, otherwise by NSEC3. Where nothing proves it, the reason says what came nearest: a faulty signature before a
/// missing record.
[[nodiscard]] Proof prove(const Claim& claim, const Denials& denials, const dns::Name& zone, const Context& context);

/// When a SOA's negative answers end: now + min(TTL, minimum), at least the policy's minimum, not beyond the evidence
/// itself.
[[nodiscard]] WallTime negative_expiry(const dns::RRset& soa, WallTime expires, WallTime now, const Policy& policy);

/// An NSEC that was expanded from a wildcard is the wildcard's (pitfalls 36).
[[nodiscard]] dns::RRsetRef restored(const SignatureResult& signed_nsec);

}  // namespace mxtrust::dnssec
