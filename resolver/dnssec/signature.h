// One RRset, one zone's keys: is it signed by that zone, now? RFC 4035 5.3, RFC 6840 5.11, validator-pitfalls 15–19,
// 22, 23.
//
// Any one valid signature suffices. Cheap checks come first and are free, so that a thousand expired signatures before
// a valid one cost nothing (A5); public-key operations draw from the budget (A1).
#pragma once

#include <optional>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "crypto/public_key.h"
#include "dnssec/finding.h"
#include "dnssec/policy.h"
#include "dnssec/verified.h"

namespace mxtrust::dnssec {

/// A DNSKEY together with its parsed form; parsed once, kept with the zone.
struct ZoneKey {
    dns::Dnskey dnskey;
    std::shared_ptr<const crypto::PublicKey> key;  ///< null where the algorithm or the key is not supported
    bool named = false;                            ///< its algorithm is one that DS or anchor name (Algorithms::all)
};

/// What every check of one answer needs to know.
struct Context {
    const Policy& policy;
    WallTime now;
    Budget& budget;
    VerifiedSignatures* verified = nullptr;  ///< where the caller remembers any
};

/// Is the algorithm accepted by policy and library? (RFC 9905 for SHA-1)
[[nodiscard]] bool is_supported(dns::Algorithm algorithm, const Policy& policy);
/// May sign zone data at all: zone key, not revoked, protocol 3 (RFC 4034 2.1, RFC 5011 2.1, pitfalls 18).
[[nodiscard]] bool may_sign(const dns::Dnskey& dnskey);
[[nodiscard]] ZoneKey make_zone_key(dns::Dnskey dnskey, const Policy& policy);

enum class Check : std::uint8_t {
    valid,
    invalid,    ///< no signature holds: bogus
    exhausted,  ///< a limit came first: indeterminate
};

struct SignatureResult {
    Check check = Check::invalid;
    Reason reason;  ///< of the signature that came nearest to holding; without `server`
    // Where valid:
    dns::RRsetRef rrset;              ///< TTL capped; the signature that held first, few others; owner as received
    std::optional<dns::Name> source;  ///< the wildcard that it was expanded from: the caller wants a proof (pitfalls 1)
    WallTime expires;  ///< now + min(received TTL, original TTL, rest of the signature's life), policy caps
};

[[nodiscard]] SignatureResult check_signatures(const dns::RRset& rrset, const dns::Name& zone,
                                               const std::vector<ZoneKey>& keys, const Context& context);

/// `held`, as check_signatures() left it, and beside the signature that held those of `received` that `keys` may have
/// made, too: for clients that trust another of the zone's keys. Nobody has computed them.
[[nodiscard]] dns::RRsetRef with_other_signatures(const dns::RRsetRef& held, const dns::RRset& received,
                                                  const dns::Name& zone, const std::vector<ZoneKey>& keys,
                                                  const Context& context);

/// Wall time of a 32-bit date, nearest to now (RFC 4034 3.1.5, RFC 1982): good beyond 2038 and 2106.
[[nodiscard]] WallTime widen(std::uint32_t serial, WallTime now);

}  // namespace mxtrust::dnssec
