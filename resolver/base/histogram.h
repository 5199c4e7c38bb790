// How long things took, in a few classes: what a worker counts, adds up, and shows as a Prometheus histogram.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace mxtrust {

struct Histogram {
    using Span = std::chrono::microseconds;
    /// Upper bounds: from an answer out of memory to the time that an MTA waits.
    static constexpr std::array<Span, 12> bounds{Span(200),     Span(1'000),     Span(5'000),     Span(10'000),
                                                 Span(25'000),  Span(50'000),    Span(100'000),   Span(250'000),
                                                 Span(500'000), Span(1'000'000), Span(2'500'000), Span(5'000'000)};

    std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< the last one: longer than all bounds
    std::uint64_t microseconds = 0;                         ///< of all

    void note(Span span) {
        std::size_t place = 0;
        while (place < bounds.size() && span > bounds.at(place)) ++place;
        ++counts.at(place);
        microseconds += static_cast<std::uint64_t>(span.count() > 0 ? span.count() : 0);
    }
    Histogram& operator+=(const Histogram& other) {
        for (std::size_t place = 0; place < counts.size(); ++place) counts.at(place) += other.counts.at(place);
        microseconds += other.microseconds;
        return *this;
    }
};

/// Notes its own life: a local of a function, or of a coroutine that may end in many ways.
class Timed {
  public:
    /// Both outlive it.
    Timed(Histogram& histogram, const Clock& clock) : histogram_(histogram), clock_(clock), begin_(clock.mono()) {}
    ~Timed() { histogram_.note(clock_.mono() - begin_); }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

  private:
    Histogram& histogram_;
    const Clock& clock_;
    MonoTime begin_;
};

}  // namespace mxtrust
