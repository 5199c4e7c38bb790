#include "base/budget.h"

#include <catch2/catch.hpp>
#include <set>

using namespace mxtrust;
using namespace std::chrono_literals;

namespace {

BudgetLimits packets(std::uint32_t most) {
    BudgetLimits limits;
    limits.most.at(static_cast<std::size_t>(Limit::packets)) = most;
    return limits;
}

}  // namespace

TEST_CASE("a budget gives what it has and remembers what it refused first") {
    Budget budget(packets(3), MonoTime(5s));
    CHECK(budget.take(Limit::packets));
    CHECK(budget.take(Limit::packets, 2));
    CHECK_FALSE(budget.exhausted());
    CHECK_FALSE(budget.take(Limit::packets));
    CHECK_FALSE(budget.take(Limit::bytes, 128 * 1024 + 1));
    CHECK(budget.exhausted() == Limit::packets);
    CHECK(budget.used(Limit::packets) == 3);
    CHECK(budget.used(Limit::bytes) == 0);
}

TEST_CASE("a refused draw takes nothing, neither here nor from the parent") {
    const auto parent = std::make_shared<Budget>(packets(10), MonoTime(5s));
    Budget child(packets(4), MonoTime(5s), parent);
    CHECK_FALSE(child.take(Limit::packets, 5));
    CHECK(child.used(Limit::packets) == 0);
    CHECK(parent->used(Limit::packets) == 0);
    CHECK(child.exhausted() == Limit::packets);
    CHECK_FALSE(parent->exhausted());  // it had enough; only this child may not have it
}

TEST_CASE("what children draw is drawn from the parent; one of them cannot take more than its share") {
    const auto parent = std::make_shared<Budget>(packets(5), MonoTime(5s));
    Budget greedy(packets(3), MonoTime(5s), parent);
    Budget modest(packets(3), MonoTime(5s), parent);
    CHECK(greedy.take(Limit::packets, 3));
    CHECK_FALSE(greedy.take(Limit::packets));
    CHECK(modest.take(Limit::packets, 2));
    CHECK(parent->used(Limit::packets) == 5);
    CHECK_FALSE(modest.take(Limit::packets));
    CHECK(modest.used(Limit::packets) == 2);
    CHECK(modest.exhausted() == Limit::packets);
    CHECK(parent->exhausted() == Limit::packets);
}

TEST_CASE("a huge draw does not wrap around") {
    Budget budget(packets(100), MonoTime(5s));
    CHECK(budget.take(Limit::packets, 1));
    CHECK_FALSE(budget.take(Limit::packets, 0xffffffff));
    CHECK(budget.used(Limit::packets) == 1);
}

TEST_CASE("a child's deadline is never later than its parent's") {
    const auto parent = std::make_shared<Budget>(BudgetLimits{}, MonoTime(5s));
    CHECK(Budget({}, MonoTime(9s), parent).deadline() == MonoTime(5s));
    CHECK(Budget({}, MonoTime(2s), parent).deadline() == MonoTime(2s));
}

TEST_CASE("every limit has a name of its own") {
    std::set<std::string_view> names;
    for (std::size_t limit = 0; limit < limit_count; ++limit) {
        names.insert(name_of(static_cast<Limit>(limit)));
    }
    CHECK(names.size() == limit_count);
}

TEST_CASE("a child that is refused for its parent's sake is starved; by its own limit it is not") {
    const auto parent = std::make_shared<Budget>(packets(4), MonoTime(5s));
    Budget greedy(packets(3), MonoTime(5s), parent);
    Budget modest(packets(3), MonoTime(5s), parent);
    CHECK(greedy.take(Limit::packets, 3));
    CHECK_FALSE(greedy.take(Limit::packets));
    CHECK_FALSE(greedy.is_starved());
    CHECK_FALSE(modest.take(Limit::packets, 2));
    CHECK(modest.is_starved());
    CHECK_FALSE(parent->is_starved());
}

TEST_CASE("a meter has what was drawn, and how often a budget came to its end") {
    const auto meter = std::make_shared<Meter>();
    const auto lookup = std::make_shared<Budget>(packets(4), MonoTime(5s), nullptr, meter);
    Budget answer(packets(2), MonoTime(5s), lookup);
    CHECK(answer.take(Limit::packets, 2));
    CHECK_FALSE(answer.take(Limit::packets));
    CHECK(meter->exhausted.at(0) == 0);  // an answer's end is not the look-up's
    CHECK(lookup->take(Limit::packets, 2));
    CHECK_FALSE(lookup->take(Limit::packets));
    CHECK_FALSE(lookup->take(Limit::packets));
    CHECK(meter->drawn.at(0) == 4);
    CHECK(meter->exhausted.at(0) == 1);
}

TEST_CASE(
    "an answer may take 16 of a look-up's 30 verifications and 4 of its 8 failures, and never more than there are") {
    const BudgetLimits lookup;
    const BudgetLimits answer = limits_of_an_answer(lookup);
    const auto most = [&answer](Limit limit) { return answer.most.at(static_cast<std::size_t>(limit)); };
    CHECK(most(Limit::verifications) == 16);
    CHECK(most(Limit::failures) == 4);
    CHECK(most(Limit::packets) == 100);
    BudgetLimits least;
    least.most.fill(1);
    CHECK(limits_of_an_answer(least).most == least.most);
}
