#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <set>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

using namespace mxtrust;
using namespace std::chrono_literals;

TEST_CASE("a manual clock moves when told to, and both readings with it") {
    ManualClock clock(WallTime{1'000});
    const MonoTime start = clock.mono();
    clock.advance(2500ms);
    CHECK(clock.mono() - start == 2500ms);
    CHECK(clock.wall() == WallTime{1'002});
    clock.step_wall(-3600s);
    CHECK(clock.wall() == WallTime{-2'598});
    CHECK(clock.mono() - start == 2500ms);
}

TEST_CASE("a fixed validation time stays; the monotonic clock runs") {
    const SystemClock clock(WallTime{1'300'000'000});
    CHECK(clock.wall() == WallTime{1'300'000'000});
    const MonoTime first = clock.mono();
    CHECK(clock.mono() >= first);
    CHECK(SystemClock().wall() > WallTime{1'600'000'000});
}

TEST_CASE("numbers below a bound are below it, and none is missing") {
    SeededRandom random(1);
    const auto bound = GENERATE(1ULL, 2ULL, 3ULL, 7ULL, 256ULL);
    std::set<std::uint64_t> seen;
    for (int draw = 0; draw < 5000; ++draw) {
        seen.insert(random.below(bound));
    }
    CHECK(seen.size() == bound);
    CHECK(*seen.rbegin() == bound - 1);
}

namespace {
/// Gives what it was told to give.
class ScriptedRandom final : public Random {
  public:
    std::uint64_t next() override { return values_.at(used_++); }
    std::array<std::uint64_t, 3> values_{};
    std::size_t used_ = 0;
};
}  // namespace

TEST_CASE("a draw that would favour small numbers is thrown away") {
    // 2^64 mod 10 = 6: the six lowest values would make 0 to 5 likelier.
    ScriptedRandom random;
    random.values_ = {0, 5, 26};
    CHECK(random.below(10) == 6);
    CHECK(random.used_ == 3);
}

TEST_CASE("a seed repeats a run; the system's randomness does not") {
    SeededRandom first(7), second(7);
    SystemRandom system;
    std::set<std::uint64_t> seen;
    for (int draw = 0; draw < 200; ++draw) {
        CHECK(first.next() == second.next());
        seen.insert(system.next());
    }
    CHECK(seen.size() == 200);
}

TEST_CASE("a failure carries its place in the source") {
    const Result<int> result = fail(FailureKind::timeout, "TEST"_code, "no answer");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code.view() == "TEST");
    CHECK(result.error().kind == FailureKind::timeout);
}
