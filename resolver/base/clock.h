// Two readings of time. The monotonic one carries deadlines and round trips; the wall clock carries TTLs and signature
// dates. Built in daemon/main only; tests and the simulation have their own.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>

namespace mxtrust {

using Duration = std::chrono::milliseconds;
/// Monotonic; its zero means nothing.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// Seconds since 1970-01-01 UTC. Arithmetic in 64 bits: serial-number dates (RFC 4034 3.1.5) are widened at the edge.
struct WallTime {
    std::int64_t seconds = 0;
    friend constexpr auto operator<=>(const WallTime&, const WallTime&) = default;
    friend constexpr WallTime operator+(WallTime time, std::chrono::seconds span) {
        return {time.seconds + span.count()};
    }
    friend constexpr WallTime operator-(WallTime time, std::chrono::seconds span) {
        return {time.seconds - span.count()};
    }
    friend constexpr std::chrono::seconds operator-(WallTime left, WallTime right) {
        return std::chrono::seconds(left.seconds - right.seconds);
    }
};

class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual MonoTime mono() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;
};

/// The latest wall time that anybody has seen: what has ended by then has ended for good, though the clock be set back.
/// May be used from any thread.
class LatestTime {
  public:
    /// `now`, or what was seen before where that is later.
    WallTime seen(WallTime now) noexcept {
        std::int64_t latest = seconds_.load(std::memory_order_relaxed);
        while (latest < now.seconds &&
               !seconds_.compare_exchange_weak(latest, now.seconds, std::memory_order_relaxed)) {
        }
        return {std::max(latest, now.seconds)};
    }

  private:
    std::atomic<std::int64_t> seconds_{INT64_MIN};
};

/// The operating system's clocks, read through libc. Only daemon/main and client/main build one.
class SystemClock final : public Clock {
  public:
    /// A fixed validation time, for the [test] section of the configuration; 0 seconds means the real wall clock.
    explicit SystemClock(WallTime fixed = {}) : fixed_(fixed) {}
    [[nodiscard]] MonoTime mono() const override;
    [[nodiscard]] WallTime wall() const override;

  private:
    WallTime fixed_;
};

/// A clock that moves only when told to; for tests and the simulation.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(WallTime wall) : wall_(wall) {}
    [[nodiscard]] MonoTime mono() const override { return mono_; }
    [[nodiscard]] WallTime wall() const override {
        return wall_ + std::chrono::duration_cast<std::chrono::seconds>(mono_.time_since_epoch());
    }
    void advance(std::chrono::microseconds span) { mono_ += span; }
    void step_wall(std::chrono::seconds span) { wall_ = wall_ + span; }

  private:
    MonoTime mono_{};
    WallTime wall_;
};

}  // namespace mxtrust
