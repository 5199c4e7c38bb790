// DS and DNSKEY: does a zone's key set follow from what its parent, or a trust anchor, says of it? RFC 4035 5.2, RFC
// 4509 3, RFC 6840 5.11, validator-pitfalls 17–21, 38, 39. And what a DS answer says about a zone cut.
#pragma once

#include "dnssec/finding.h"
#include "dnssec/signature.h"

namespace mxtrust::dnssec {

/// Those of a supported algorithm and digest; SHA-1 dropped beside stronger ones that are supported (RFC 4509 3,
/// pitfalls 21). A digest of the wrong length stays: it is supported and matches nothing, which is bogus, not insecure.
[[nodiscard]] std::vector<dns::Ds> usable_of(const std::vector<dns::Ds>& ds, const Policy& policy);
[[nodiscard]] std::vector<dns::Ds> parse_ds_set(const dns::RRset& rrset);

/// The digest over owner and rdata (RFC 4034 5.1.4), key tag and algorithm agree.
[[nodiscard]] bool is_digest_of(const dns::Ds& ds, const dns::Name& zone, const dns::Dnskey& dnskey);

/// Why DS records that are all unusable leave a zone insecure: EDE 1 or 2.
[[nodiscard]] Reason unsupported_delegation(Code code, const dns::Name& zone, const std::vector<dns::Ds>& ds,
                                            const Policy& policy);

enum class KeySet : std::uint8_t {
    secure,
    unsupported,  ///< whatever leads to it cannot be verified here: insecure
    bogus,
    exhausted,
};

struct KeySetResult {
    KeySet state = KeySet::bogus;
    std::vector<ZoneKey> keys;  ///< where secure: all of the set, those that must not or cannot be used with a null key
    dns::RRsetRef rrset;        ///< where secure, and no wildcard's: as check_signatures() left it
    WallTime expires;           ///< where secure
    Reason reason;
};

/// What leads to a zone's keys: its DS set, or an anchor's DS and whole keys.
struct Entry {
    std::vector<dns::Ds> ds;
    std::vector<dns::Dnskey> keys;
};

[[nodiscard]] KeySetResult check_key_set(const dns::Name& zone, const Entry& entry, const dns::RRset& dnskey,
                                         const Context& context);

}  // namespace mxtrust::dnssec
