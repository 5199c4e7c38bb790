// RDATA: octets with names uncompressed and their letters as sent, and typed views of those kinds the program acts on.
//
// `canonical` gives the form that is signed (RFC 4034 6.2 as corrected by RFC 6840 5.1: names are lower-cased in NS,
// MD, MF, CNAME, SOA, MB, MG, MR, PTR, HINFO*, MINFO, MX, RP, AFSDB, RT, SIG, PX, NXT, NAPTR, KX, SRV, DNAME, A6,
// RRSIG; not in NSEC).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "dns/name.h"
#include "dns/types.h"

namespace mxtrust::dns {

/// Reads `length` octets of RDATA from a message, expanding compressed names where the type may have them (RFC 3597 4).
/// Malformed for its type (too short, a name running out, trailing octets) is an error for types listed above and for
/// A, AAAA, DS, DNSKEY, RRSIG, NSEC, NSEC3, NSEC3PARAM, TLSA (three octets at least); all others are opaque.
Result<Bytes> read_rdata(Type type, Reader& message, std::uint16_t length);
/// The same checks for uncompressed octets (from the cache or a text).
Done check_rdata(Type type, BytesView rdata);
/// The form that is signed and compared; malformed octets are returned as they are.
Bytes canonical(Type type, BytesView rdata);
/// RFC 4034 appendix B, over the whole RDATA of a DNSKEY.
std::uint16_t key_tag_of(BytesView dnskey_rdata);

/// Master-file form of the rdata: names absolute with final dot, lower-case; hex and base32hex lower-case; \# form (RFC
/// 3597 5) for SVCB, HTTPS, unknown types, and whatever does not have its type's shape.
std::string rdata_to_text(Type type, BytesView rdata);
/// Reads DS, DNSKEY, A, AAAA, NS, MX, CNAME, TLSA, SOA, TXT, PTR, DNAME, NSEC, NSEC3, NSEC3PARAM, RRSIG and the \#
/// form: enough for anchors, hints and tests.
Result<Bytes> rdata_from_text(Type type, std::string_view text);

struct Mx {
    std::uint16_t preference;
    Name exchange;
};
struct Soa {
    Name mname, rname;
    std::uint32_t serial, refresh, retry, expire, minimum;
};
struct Ds {
    std::uint16_t key_tag;
    Algorithm algorithm;
    DigestType digest_type;
    Bytes digest;
};
struct Dnskey {
    std::uint16_t flags;
    std::uint8_t protocol;
    Algorithm algorithm;
    Bytes public_key;
    std::uint16_t key_tag;  ///< RFC 4034 appendix B, over the whole rdata
    [[nodiscard]] bool is_zone_key() const { return (flags & 0x0100) != 0; }
    [[nodiscard]] bool is_revoked() const { return (flags & 0x0080) != 0; }
    [[nodiscard]] bool is_secure_entry_point() const { return (flags & 0x0001) != 0; }
};
struct Rrsig {
    Type covered;
    Algorithm algorithm;
    std::uint8_t labels;
    std::uint32_t original_ttl;
    std::uint32_t expiration, inception;  ///< serial numbers, RFC 4034 3.1.5
    std::uint16_t key_tag;
    Name signer;
    Bytes signature;
};

/// Type bit maps of NSEC and NSEC3 (RFC 4034 4.1.2).
class TypeSet {
  public:
    TypeSet() = default;
    static Result<TypeSet> parse(BytesView bitmap);
    [[nodiscard]] bool has(Type type) const;
    [[nodiscard]] bool empty() const { return types_.empty(); }
    [[nodiscard]] const std::vector<Type>& all() const { return types_; }

  private:
    std::vector<Type> types_;  ///< ascending
};
struct Nsec {
    Name next;
    TypeSet types;
};
struct Nsec3 {
    std::uint8_t hash_algorithm, flags;
    std::uint16_t iterations;
    Bytes salt, next_hash;
    TypeSet types;
    [[nodiscard]] bool opt_out() const { return (flags & 1) != 0; }
};
struct Tlsa {
    std::uint8_t usage, selector, matching;
    Bytes data;
};

Result<Mx> parse_mx(BytesView rdata);
Result<Soa> parse_soa(BytesView rdata);
Result<Ds> parse_ds(BytesView rdata);
Result<Dnskey> parse_dnskey(BytesView rdata);
Result<Rrsig> parse_rrsig(BytesView rdata);
Result<Nsec> parse_nsec(BytesView rdata);
Result<Nsec3> parse_nsec3(BytesView rdata);
Result<Tlsa> parse_tlsa(BytesView rdata);
/// NS, CNAME, DNAME, PTR: the rdata is one name.
Result<Name> parse_single_name(BytesView rdata);

}  // namespace mxtrust::dns
