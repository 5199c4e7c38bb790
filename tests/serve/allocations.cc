// Replaces the program's operators new, and counts.
#include "serve/allocations.h"

#include <cstdlib>
#include <new>

#include "base/sanitized.h"

namespace {
thread_local std::uint64_t counted = 0;
}  // namespace

#ifndef MXTRUST_SANITIZED
void* operator new(std::size_t size) {
    ++counted;
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) std::abort();
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
#endif

namespace mxtrust::test {

bool counts_allocations() {
    return !is_sanitized;
}

std::uint64_t allocations() {
    return counted;
}

}  // namespace mxtrust::test
