// The operating system's clocks. Read through libc, so that the wall clock of a whole process can be set from outside.
#include "base/clock.h"

#include <ctime>

#include "base/require.h"

namespace mxtrust {

namespace {

timespec read_clock(clockid_t which) {
    timespec now{};
    // Neither clock can fail on Linux with a valid address; a resolver that does not know the time must not go on.
    require(::clock_gettime(which, &now) == 0);
    return now;
}

}  // namespace

MonoTime SystemClock::mono() const {
    const timespec now = read_clock(CLOCK_MONOTONIC);
    return MonoTime(std::chrono::seconds(now.tv_sec) +
                    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(now.tv_nsec)));
}

WallTime SystemClock::wall() const {
    if (fixed_ != WallTime{}) {
        return fixed_;
    }
    return WallTime{read_clock(CLOCK_REALTIME).tv_sec};
}

}  // namespace mxtrust
