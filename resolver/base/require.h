// Assertions for what cannot happen; kept in release builds. A broken promise between two rooms must stop the process
// (it is restarted, its cache survives) and never go on with a wrong answer.
#pragma once

#include <source_location>

namespace mxtrust {

/// Says on stderr where a promise was broken, and aborts.
[[noreturn]] void broken_promise(const std::source_location& place);

inline void require(bool holds, const std::source_location& place = std::source_location::current()) {
    if (!holds) [[unlikely]] {
        broken_promise(place);
    }
}

}  // namespace mxtrust
