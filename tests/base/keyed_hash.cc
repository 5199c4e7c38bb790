// The keyed hash against the vectors of those who made it and of those who use it.
#include "base/keyed_hash.h"

#include <catch2/catch.hpp>

using namespace mxtrust;

namespace {

/// A key as it is written down: 16 octets, the low word first, each word little-endian.
HashKey key_of(const std::string& hex) {
    const Bytes octets = *from_hex(hex);
    HashKey key{0, 0};
    for (std::size_t index = 8; index > 0; --index) {
        key.low = key.low << 8U | octets[index - 1];
        key.high = key.high << 8U | octets[index + 7];
    }
    return key;
}

}  // namespace

TEST_CASE("the keyed hash is SipHash-2-4 (the paper's appendix A)") {
    Bytes data;
    for (std::uint8_t octet = 0; octet < 15; ++octet) data.push_back(octet);
    const HashKey key = key_of("000102030405060708090a0b0c0d0e0f");
    CHECK(keyed_hash(key, data) == 0xa129ca6149be45e5U);
    CHECK(keyed_hash(key, {}) == 0x726fdb47dd0e0e31U);
}

TEST_CASE("the keyed hash makes the server cookies of RFC 9018 appendix A") {
    struct Row {
        const char *secret, *input;
        std::uint64_t hash;  // the cookie's last eight octets, little-endian
    };
    // Client cookie, version, reserved, time, client's address.
    const Row row = GENERATE(
        Row{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957 01000000 5cf79f11 c6336464", 0x8094e2eec330811fU},
        Row{"e5e973e5a6b2a43f48e7dc849e37bfcf", "fc93fc62807ddb86 01abcdef 5cf78f71 cb0071cb", 0xf5eb79667b2214a3U});
    INFO(row.input);
    const std::uint64_t made = keyed_hash(key_of(row.secret), *from_hex(row.input));
    CHECK(made == row.hash);
}

TEST_CASE("another key makes another hash") {
    SeededRandom random(3);
    const HashKey one = HashKey::draw(random), other = HashKey::draw(random);
    CHECK(keyed_hash(one, as_bytes("mail.example.org")) == keyed_hash(one, as_bytes("mail.example.org")));
    CHECK(keyed_hash(one, as_bytes("mail.example.org")) != keyed_hash(other, as_bytes("mail.example.org")));
}
