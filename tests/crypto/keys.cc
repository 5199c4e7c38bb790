// Keys and signatures against the examples of RFC 5702, 6605 and 8080 (with erratum 4935), and odd keys (A4).
#include <catch2/catch.hpp>

#include "crypto/certificate.h"
#include "crypto/public_key.h"
#include "dns/name.h"
#include "dns/rdata.h"

using namespace mxtrust;
using crypto::PublicKey;
using crypto::Verification;

namespace {

struct Example {
    std::string what, owner, key, rdata, rrsig;
    dns::Type type;
};

/// What RFC 4034 3.1.8.1 says, written out for one record whose rdata is canonical as it is; independent of
/// dnssec/canonical.
Bytes signed_octets(const Example& example, const dns::Rrsig& rrsig, BytesView rrsig_rdata) {
    const Bytes rdata = dns::rdata_from_text(example.type, example.rdata).value();
    Writer writer;
    writer.bytes(rrsig_rdata.first(rrsig_rdata.size() - rrsig.signature.size()));
    writer.bytes(dns::Name::from_text(example.owner).value().wire());
    writer.u16(static_cast<std::uint16_t>(example.type));
    writer.u16(1);
    writer.u32(rrsig.original_ttl);
    writer.u16(static_cast<std::uint16_t>(rdata.size()));
    writer.bytes(rdata);
    return std::move(writer).finish();
}

const std::vector<Example> examples{
    {"RFC 5702 6.1, RSASHA256", "www.example.net",
     "256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=",
     "192.0.2.91",
     "A 8 3 3600 20300101000000 20000101000000 9033 example.net. "
     "kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg==",
     dns::Type::a},
    {"RFC 5702 6.2, RSASHA512", "www.example.net",
     "256 3 10 "
     "AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6rklMrZDtJCQ5P"
     "Cl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL",
     "192.0.2.91",
     "A 10 3 3600 20300101000000 20000101000000 3740 example.net. "
     "tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/"
     "zpq+9fOuagYJRfDqfReKBzM"
     "weOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
     dns::Type::a},
    {"RFC 6605 6.1, ECDSAP256SHA256", "www.example.net",
     "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==", "192.0.2.1",
     "A 13 3 3600 20100909100439 20100812100439 55648 example.net. "
     "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
     dns::Type::a},
    {"RFC 6605 6.2, ECDSAP384SHA384", "www.example.net",
     "257 3 14 "
     "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur"
     "8I/mlVNgF6W/qTI37m40",
     "192.0.2.1",
     "A 14 3 3600 20100909102025 20100812102025 10771 example.net. "
     "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0"
     "RSM"
     "ROxxwGipWcJm",
     dns::Type::a},
    {"RFC 8080 6.1, ED25519, first", "example.com",
     "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", "10 mail.example.com.",
     "MX 15 2 3600 1440021600 1438207200 3613 example.com. "
     "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
     dns::Type::mx},
    {"RFC 8080 6.1, ED25519, second", "example.com",
     "257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=", "10 mail.example.com.",
     "MX 15 2 3600 1440021600 1438207200 35217 example.com. "
     "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==",
     dns::Type::mx},
    {"RFC 8080 6.2, ED448, first", "example.com",
     "257 3 16 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA", "10 mail.example.com.",
     "MX 16 2 3600 1440021600 1438207200 9713 example.com. "
     "3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/"
     "07+4RQvE581N3A"
     "j/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA",
     dns::Type::mx},
    {"RFC 8080 6.2, ED448, second", "example.com",
     "257 3 16 kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcNLp5HlHAMy12VoISsA", "10 mail.example.com.",
     "MX 16 2 3600 1440021600 1438207200 38353 example.com. "
     "E1/oLjSGIbmLny/4fcgM1z4oL6aqo+izT3urCyHyvEp4Sp8Syg1eI+lJ57CSnZqjJP41O/"
     "9l4m0AsQ4f7qI1gVnML8vWWiyW2KXhT9kuAICUSxv5OWbf"
     "81Rq7Yu60npabODB0QFPb/rkW3kUZmQ0YQUA",
     dns::Type::mx},
};

FailureKind kind_of(dns::Algorithm algorithm, const Bytes& key) {
    const auto parsed = PublicKey::parse(algorithm, key);
    REQUIRE_FALSE(parsed);
    return parsed.error().kind;
}

Bytes rsa_key(const Bytes& exponent, const Bytes& modulus) {
    Writer writer;
    if (exponent.size() < 256) {
        writer.u8(static_cast<std::uint8_t>(exponent.size()));
    } else {
        writer.u8(0);
        writer.u16(static_cast<std::uint16_t>(exponent.size()));
    }
    writer.bytes(exponent);
    writer.bytes(modulus);
    return std::move(writer).finish();
}

}  // namespace

TEST_CASE("the RFCs' example signatures verify, and no longer after any change") {
    for (const Example& example : examples) {
        INFO(example.what);
        const dns::Dnskey dnskey =
            dns::parse_dnskey(dns::rdata_from_text(dns::Type::dnskey, example.key).value()).value();
        const Bytes rrsig_rdata = dns::rdata_from_text(dns::Type::rrsig, example.rrsig).value();
        const dns::Rrsig rrsig = dns::parse_rrsig(rrsig_rdata).value();
        CHECK(dnskey.key_tag == rrsig.key_tag);
        const auto key = PublicKey::parse(dnskey.algorithm, dnskey.public_key);
        REQUIRE(key);
        Bytes data = signed_octets(example, rrsig, rrsig_rdata);
        CHECK((*key)->verify(data, rrsig.signature) == Verification::valid);
        Bytes longer = rrsig.signature;
        longer.push_back(0);
        CHECK((*key)->verify(data, longer) == Verification::invalid);
        CHECK((*key)->verify(data, BytesView(rrsig.signature).first(rrsig.signature.size() - 1)) ==
              Verification::invalid);
        CHECK((*key)->verify(data, {}) == Verification::invalid);
        CHECK((*key)->verify(data, Bytes(rrsig.signature.size(), 0)) == Verification::invalid);
        for (std::size_t place = 0; place < rrsig.signature.size(); place += 7) {
            Bytes changed = rrsig.signature;
            changed[place] ^= 0x10;
            CHECK((*key)->verify(data, changed) == Verification::invalid);
        }
        data.back() ^= 1;
        CHECK((*key)->verify(data, rrsig.signature) == Verification::invalid);
    }
}

TEST_CASE("algorithms 5, 7, 8, 10, 13, 14, 15 and 16 can be verified, all others are unsupported") {
    for (int number = 0; number < 256; ++number) {
        const auto algorithm = static_cast<dns::Algorithm>(number);
        const bool known = number == 5 || number == 7 || number == 8 || number == 10 || (number >= 13 && number <= 16);
        INFO(number);
        CHECK(crypto::can_verify(algorithm) == known);
        if (!known) CHECK(kind_of(algorithm, Bytes(32, 1)) == FailureKind::unsupported);
    }
}

TEST_CASE("odd RSA keys are refused before they cost anything (A4)") {
    const auto rsa = dns::Algorithm::rsasha256;
    const Bytes exponent{1, 0, 1};
    CHECK(PublicKey::parse(rsa, rsa_key(exponent, Bytes(256, 0xff))));
    CHECK(PublicKey::parse(rsa, rsa_key(exponent, Bytes(512, 0xff))));
    CHECK(PublicKey::parse(
        rsa, rsa_key({1, 0, 0, 0, 1}, Bytes(256, 0xff))));  // 2^32 + 1, which old root zones' children used
    CHECK(kind_of(rsa, rsa_key(exponent, Bytes(513, 0xff))) == FailureKind::unsupported);
    CHECK(kind_of(rsa, rsa_key(exponent, Bytes(2048, 0xff))) == FailureKind::unsupported);
    CHECK(kind_of(rsa, rsa_key(Bytes(512, 0xff), Bytes(256, 0xff))) == FailureKind::unsupported);
    CHECK(kind_of(rsa, rsa_key(Bytes(9, 0xff), Bytes(256, 0xff))) == FailureKind::unsupported);
    Bytes padded(257, 0xff);
    padded[0] = 0;
    CHECK(kind_of(rsa, rsa_key(exponent, padded)) == FailureKind::malformed);
    CHECK(kind_of(rsa, rsa_key({0, 1, 0, 1}, Bytes(256, 0xff))) == FailureKind::malformed);
    CHECK(kind_of(rsa, rsa_key({1}, Bytes(256, 0xff))) == FailureKind::malformed);
    CHECK(kind_of(rsa, rsa_key({2}, Bytes(256, 0xff))) == FailureKind::malformed);
    CHECK(kind_of(rsa, rsa_key(exponent, Bytes(63, 0xff))) == FailureKind::malformed);
    CHECK(kind_of(dns::Algorithm::rsasha512, rsa_key(exponent, Bytes(127, 0xff))) == FailureKind::malformed);
    CHECK(kind_of(rsa, {}) == FailureKind::malformed);
    CHECK(kind_of(rsa, {0}) == FailureKind::malformed);
    CHECK(kind_of(rsa, {0, 0, 0}) == FailureKind::malformed);
    CHECK(kind_of(rsa, {0, 255, 255, 1}) == FailureKind::malformed);
    CHECK(kind_of(rsa, {3, 1, 0, 1}) == FailureKind::malformed);
}

TEST_CASE("points off their curve and keys of wrong length are malformed") {
    CHECK(kind_of(dns::Algorithm::ecdsa_p256_sha256, Bytes(64, 1)) == FailureKind::malformed);
    CHECK(kind_of(dns::Algorithm::ecdsa_p384_sha384, Bytes(96, 1)) == FailureKind::malformed);
    CHECK(kind_of(dns::Algorithm::ecdsa_p256_sha256, Bytes(63, 1)) == FailureKind::malformed);
    CHECK(kind_of(dns::Algorithm::ed25519, Bytes(31, 1)) == FailureKind::malformed);
    CHECK(kind_of(dns::Algorithm::ed448, Bytes(58, 1)) == FailureKind::malformed);
}

TEST_CASE("TLSA data is a whole certificate or key, or it is neither") {
    // SubjectPublicKeyInfo of RFC 8410 10.1's Ed25519 example.
    const Bytes info = from_base64("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").value();
    CHECK(crypto::is_public_key_info(info));
    CHECK_FALSE(crypto::is_certificate(info));
    // RFC 8410 10.2: an X25519 certificate.
    const Bytes certificate = from_base64(
                                  "MIIBLDCB36ADAgECAghWAUdKKo3DMDAFBgMrZXAwGTEXMBUGA1UEAwwOSUVURiBUZX"
                                  "N0IERlbW8wHhcNMTYwODAxMTIxOTI0WhcNNDAxMjMxMjM1OTU5WjAZMRcwFQYDVQQD"
                                  "DA5JRVRGIFRlc3QgRGVtbzAqMAUGAytlbgMhAIUg8AmJMKdUdIt93LQ+91oNvzoNJj"
                                  "ga9OukqY6qm05qo0UwQzAPBgNVHRMBAf8EBTADAQEAMA4GA1UdDwEBAAQEAwIDCDAg"
                                  "BgNVHQ4BAQAEFgQUmx9e7e0EM4Xk97xiPFl1uQvIuzswBQYDK2VwA0EAryMB/t3J5v"
                                  "/BzKc9dNZIpDmAgs3babFOTQbs+BolzlDUwsPrdGxO3YNGhW7Ibz3OGhhlxXrCe1Cg"
                                  "w1AH9efZBw==")
                                  .value();
    CHECK(crypto::is_certificate(certificate));
    CHECK_FALSE(crypto::is_public_key_info(certificate));
    for (const Bytes& whole : {info, certificate}) {
        Bytes trailing = whole;
        trailing.push_back(0);
        const Bytes cut(whole.begin(), whole.end() - 1);
        for (const Bytes& wrong : {trailing, cut, Bytes(), Bytes(32, 0xab), Bytes(70000, 0x30)}) {
            CHECK_FALSE(crypto::is_certificate(wrong));
            CHECK_FALSE(crypto::is_public_key_info(wrong));
        }
    }
}
