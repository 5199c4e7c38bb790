// The kernel's randomness, in portions, and an unbiased choice from a range.
#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "base/require.h"

namespace mxtrust {

std::uint64_t Random::below(std::uint64_t bound) {
    require(bound > 0);
    // Values under `uneven` would make the low results likelier than the others: an ID or a port must not have
    // favourites. A redraw happens less than every second time whatever the bound, so this ends.
    const std::uint64_t uneven = (std::numeric_limits<std::uint64_t>::max() - bound + 1) % bound;
    std::uint64_t drawn = next();
    while (drawn < uneven) {
        drawn = next();
    }
    return drawn % bound;
}

std::uint64_t SystemRandom::next() {
    if (left_ == 0) {
        const std::span<std::byte> octets = std::as_writable_bytes(std::span(buffer_));
        std::size_t filled = 0;
        while (filled < octets.size()) {
            const ssize_t got = ::getrandom(&octets[filled], octets.size() - filled, 0);
            require(got > 0 || (got < 0 && errno == EINTR));
            filled += got > 0 ? static_cast<std::size_t>(got) : 0;
        }
        left_ = buffer_.size();
    }
    --left_;
    // What was handed out is forgotten here: a later read of this memory must not reveal past IDs and ports.
    return std::exchange(buffer_.at(left_), 0);
}

}  // namespace mxtrust
