// How often this thread has asked for memory: for tests of what must not.
#pragma once

#include <cstdint>

namespace mxtrust::test {

/// Under a sanitizer, which brings operators of its own, nothing is counted.
[[nodiscard]] bool counts_allocations();
[[nodiscard]] std::uint64_t allocations();

}  // namespace mxtrust::test
