// What a signature is over: the canonical form of an RRset (RFC 4034 3.1.8.1 and 6, RFC 4035 5.3.2), with the owner
// restored to the wildcard that it was expanded from. Pure; nothing is verified here.
#pragma once

#include "dns/rrset.h"

namespace mxtrust::dnssec {

/// The name that was signed.
struct SignedOwner {
    dns::Name owner;        ///< the owner, or the wildcard that it was expanded from
    bool expanded = false;  ///< true: `owner` is the source of synthesis, the RRset's owner is not in the zone
};

/// "*." + the name. Requires: it lies above another name, so that this is no longer than that one.
[[nodiscard]] dns::Name wildcard_of(const dns::Name& encloser);

/// From the labels field of an RRSIG (RFC 4034 3.1.3, RFC 4035 5.3.1). An error where it is more than the owner has or
/// less than the signer has: a child's key must not sign wildcards above its own apex (A6). "*" literally asked for is
/// no expansion. Requires: owner.is_within(zone).
[[nodiscard]] Result<SignedOwner> signed_owner(const dns::Name& owner, const dns::Name& zone, std::uint8_t labels);

/// The RRset's rdata in canonical form and order, duplicates removed (RFC 4034 6.2, 6.3).
[[nodiscard]] std::vector<Bytes> canonical_records(const dns::RRset& rrset);

/// The octets that are signed: RRSIG rdata without the signature, then each record.
[[nodiscard]] Bytes signed_data(const dns::Rrsig& rrsig, const dns::Name& owner,
                                const std::vector<Bytes>& canonical_records);

}  // namespace mxtrust::dnssec
