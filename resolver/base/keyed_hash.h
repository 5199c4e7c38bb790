// SipHash-2-4: a short keyed hash that nobody without the key can steer. RFC 9018 4.4 names it for DNS cookies; hash
// tables whose keys strangers choose (names, addresses) use it, too, each with a key drawn at start, so that nobody can
// make all of them fall into one bucket.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"

namespace mxtrust {

/// 128 bits. Made from randomness, or given by a test; never the same by default.
struct HashKey {
    std::uint64_t low, high;
    [[nodiscard]] static HashKey draw(Random& random) {
        const std::uint64_t low = random.next();
        return {low, random.next()};
    }
};

[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, BytesView data);

}  // namespace mxtrust
