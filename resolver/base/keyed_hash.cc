// After Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
#include "base/keyed_hash.h"

#include <bit>
#include <cstring>

namespace mxtrust {
namespace {

/// Four words, mixed by additions, rotations and exclusive ors.
struct Sip {
    std::uint64_t a, b, c, d;

    void round() {
        a += b;
        b = std::rotl(b, 13) ^ a;
        a = std::rotl(a, 32);
        c += d;
        d = std::rotl(d, 16) ^ c;
        a += d;
        d = std::rotl(d, 21) ^ a;
        c += b;
        b = std::rotl(b, 17) ^ c;
        c = std::rotl(c, 32);
    }
    void absorb(std::uint64_t word) {
        d ^= word;
        round();
        round();
        a ^= word;
    }
};

/// At most eight octets.
std::uint64_t little_endian(BytesView octets) {
    std::uint64_t word = 0;
    if (std::endian::native == std::endian::little && octets.size() == sizeof word) {
        std::memcpy(&word, octets.data(), sizeof word);
        return word;
    }
    for (std::size_t index = octets.size(); index > 0; --index) word = word << 8U | octets[index - 1];
    return word;
}

}  // namespace

std::uint64_t keyed_hash(const HashKey& key, BytesView data) {
    Sip sip{key.low ^ 0x736f6d6570736575U, key.high ^ 0x646f72616e646f6dU, key.low ^ 0x6c7967656e657261U,
            key.high ^ 0x7465646279746573U};
    const std::uint64_t length = data.size();
    while (data.size() >= 8) {
        sip.absorb(little_endian(data.first(8)));
        data = data.subspan(8);
    }
    sip.absorb(little_endian(data) | length << 56U);
    sip.c ^= 0xffU;
    for (int turn = 0; turn < 4; ++turn) sip.round();
    return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

}  // namespace mxtrust
