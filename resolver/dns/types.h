// Numbers of the DNS that this program acts on (IANA dns-parameters), and their text forms. Unknown ones pass through
// as numbers (RFC 3597): these enums are open.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mxtrust::dns {

enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    md = 3,
    mf = 4,
    cname = 5,
    soa = 6,
    mb = 7,
    mg = 8,
    mr = 9,
    ptr = 12,
    hinfo = 13,
    minfo = 14,
    mx = 15,
    txt = 16,
    rp = 17,
    afsdb = 18,
    rt = 21,
    sig = 24,
    key = 25,
    px = 26,
    aaaa = 28,
    nxt = 30,
    srv = 33,
    naptr = 35,
    kx = 36,
    dname = 39,
    opt = 41,
    ds = 43,
    sshfp = 44,
    rrsig = 46,
    nsec = 47,
    dnskey = 48,
    nsec3 = 50,
    nsec3param = 51,
    tlsa = 52,
    smimea = 53,
    cds = 59,
    cdnskey = 60,
    svcb = 64,
    https = 65,
    nxname = 128,
    tkey = 249,
    tsig = 250,
    ixfr = 251,
    axfr = 252,
    mailb = 253,
    maila = 254,
    any = 255,
    caa = 257,
};

enum class Class : std::uint16_t { in = 1, ch = 3, hs = 4, none = 254, any = 255 };

/// With the extended bits of EDNS (RFC 6891 6.1.3).
enum class Rcode : std::uint16_t {
    noerror = 0,
    formerr = 1,
    servfail = 2,
    nxdomain = 3,
    notimp = 4,
    refused = 5,
    yxdomain = 6,
    notauth = 9,
    badvers = 16,
    badcookie = 23,
};

enum class Opcode : std::uint8_t { query = 0, iquery = 1, status = 2, notify = 4, update = 5 };

/// Extended DNS error codes, RFC 8914 and the IANA registry.
enum class Ede : std::uint16_t {
    other = 0,
    unsupported_dnskey_algorithm = 1,
    unsupported_ds_digest = 2,
    stale_answer = 3,
    dnssec_indeterminate = 5,
    dnssec_bogus = 6,
    signature_expired = 7,
    signature_not_yet_valid = 8,
    dnskey_missing = 9,
    rrsigs_missing = 10,
    no_zone_key_bit_set = 11,
    nsec_missing = 12,
    cached_error = 13,
    not_ready = 14,
    blocked = 15,
    prohibited = 18,
    stale_nxdomain_answer = 19,
    not_authoritative = 20,
    not_supported = 21,
    no_reachable_authority = 22,
    network_error = 23,
    invalid_data = 24,
    signature_expired_before_valid = 25,
    too_early = 26,
    unsupported_nsec3_iterations = 27,
    unable_to_conform_to_policy = 28,
    synthesized = 29,
};

/// DNSSEC algorithm numbers. A table of its own: never mixed up with digest numbers (validator-pitfalls 39).
enum class Algorithm : std::uint8_t {
    rsasha1 = 5,
    rsasha1_nsec3_sha1 = 7,
    rsasha256 = 8,
    rsasha512 = 10,
    ecdsa_p256_sha256 = 13,
    ecdsa_p384_sha384 = 14,
    ed25519 = 15,
    ed448 = 16,
};

enum class DigestType : std::uint8_t { sha1 = 1, sha256 = 2, gost = 3, sha384 = 4 };

/// Seconds; RFC 2181 8: the top bit set means 0.
using Ttl = std::chrono::duration<std::uint32_t>;

[[nodiscard]] std::string to_text(Type type);  ///< "MX", unknown ones "TYPE4711" (RFC 3597 5)
[[nodiscard]] Result<Type> type_from_text(std::string_view text);
[[nodiscard]] std::string to_text(Rcode rcode);          ///< "NOERROR", …
[[nodiscard]] std::string to_text(Algorithm algorithm);  ///< "ECDSAP256SHA256"; unknown ones "algorithm 200"
/// Types that are no data (OPT, TSIG, ANY, …): 41 and 128 to 255. They can be asked at most, never cached.
[[nodiscard]] bool is_meta(Type type);

}  // namespace mxtrust::dns
