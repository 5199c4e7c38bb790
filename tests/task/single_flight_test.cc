// One question at a time for the same thing, with askers who may leave at any moment.
#include <memory>

#include "task/tools.h"

namespace mxtrust::task {
namespace {

using Flights = SingleFlight<std::string, int>;

struct Kitchen {
    World world;
    int started = 0;
    int ended = 0;
    int alive = 0;
};

Task<int> cook(Kitchen* kitchen, Counted held, Duration takes, int value) {
    ++kitchen->started;
    const MonoTime ready = kitchen->world.scheduler.now() + takes;
    co_await sleep_until(ready);
    ++kitchen->ended;
    co_return value + static_cast<int>(held.text().size());
}
Task<int> order(Flights* flights, Kitchen* kitchen, std::string dish, Duration takes, MonoTime deadline) {
    auto starter = [kitchen, takes]() { return cook(kitchen, Counted(&kitchen->alive, "12345"), takes, 100); };
    std::optional<int> served = co_await flights->run(std::move(dish), deadline, std::move(starter));
    co_return served.value_or(-1);
}
Task<std::vector<int>> everybody(Flights* flights, Kitchen* kitchen, std::vector<MonoTime> deadlines) {
    std::vector<Task<int>> orders;
    for (const MonoTime deadline : deadlines) orders.push_back(order(flights, kitchen, "soup", 50ms, deadline));
    std::vector<int> served = co_await when_all(std::move(orders));
    co_return served;
}

}  // namespace

TEST_CASE("all who ask the same wait for one answer") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler);
    const auto served = kitchen.world.scheduler.run(everybody(&flights, &kitchen, std::vector<MonoTime>(20, never)));
    CHECK(served == std::vector<int>(20, 105));
    CHECK(kitchen.started == 1);
    CHECK(flights.joined() == 19);
    CHECK(flights.in_flight() == 0);
    CHECK(kitchen.world.scheduler.run_until_idle());
    CHECK(kitchen.alive == 0);
}

TEST_CASE("a flight that has landed is over: the next asker starts another") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler);
    CHECK(kitchen.world.scheduler.run(order(&flights, &kitchen, "soup", 10ms, never)) == 105);
    CHECK(kitchen.world.scheduler.run(order(&flights, &kitchen, "soup", 10ms, never)) == 105);
    CHECK(kitchen.started == 2);
}

TEST_CASE("different questions fly side by side") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler);
    Gather<int> orders(kitchen.world.scheduler);
    orders.add(order(&flights, &kitchen, "soup", 50ms, never));
    orders.add(order(&flights, &kitchen, "bread", 50ms, never));
    kitchen.world.scheduler.settle();
    CHECK(flights.in_flight() == 2);
    CHECK(flights.is_in_flight("bread"));
    CHECK(kitchen.world.scheduler.run_until_idle());
    CHECK(kitchen.world.scheduler.now() == kitchen.world.at(50ms));
}

TEST_CASE("an impatient asker leaves alone: neither the first one nor another takes the answer along") {
    Kitchen kitchen;
    const World& world = kitchen.world;
    Flights flights(kitchen.world.scheduler);
    SECTION("the first one's deadline comes") {
        const auto served = kitchen.world.scheduler.run(
            everybody(&flights, &kitchen, {world.at(10ms), never, world.at(49ms), world.at(51ms)}));
        CHECK(served == std::vector<int>{-1, 105, -1, 105});
    }
    SECTION("the first one is destroyed") {
        Gather<int> first(kitchen.world.scheduler);
        Gather<int> second(kitchen.world.scheduler);
        first.add(order(&flights, &kitchen, "soup", 50ms, never));
        second.add(order(&flights, &kitchen, "soup", 50ms, never));
        kitchen.world.scheduler.run_for(5ms);
        first.cancel(0);
        const auto served = kitchen.world.scheduler.run(second.next(never));
        CHECK((*served)->second == 105);
    }
    CHECK(kitchen.started == 1);
    CHECK(kitchen.ended == 1);
}

TEST_CASE("when everybody has left, the flight goes on to its end") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler);
    CHECK(kitchen.world.scheduler.run(order(&flights, &kitchen, "soup", 50ms, kitchen.world.at(10ms))) == -1);
    CHECK(flights.in_flight() == 1);
    CHECK(kitchen.ended == 0);
    CHECK(kitchen.world.scheduler.run_until_idle());
    CHECK(kitchen.ended == 1);
    CHECK(flights.in_flight() == 0);
    CHECK(kitchen.alive == 0);
}

TEST_CASE("a flight too many is refused, and counted; joining one under way is not") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler, 1);
    Gather<int> orders(kitchen.world.scheduler);
    orders.add(order(&flights, &kitchen, "soup", 50ms, never));
    orders.add(order(&flights, &kitchen, "bread", 50ms, never));
    orders.add(order(&flights, &kitchen, "soup", 50ms, never));
    kitchen.world.scheduler.settle();
    CHECK(flights.is_full());
    CHECK(flights.refused() == 1);
    CHECK(orders.running() == 2);
    CHECK(kitchen.world.scheduler.run_until_idle());
    CHECK(kitchen.started == 1);
}

TEST_CASE("the table may go while somebody waits: the flight is cancelled, the asker leaves at its deadline") {
    Kitchen kitchen;
    auto flights = std::make_unique<Flights>(kitchen.world.scheduler);
    Gather<int> orders(kitchen.world.scheduler);
    orders.add(order(flights.get(), &kitchen, "soup", 1h, kitchen.world.at(20ms)));
    kitchen.world.scheduler.settle();
    CHECK(kitchen.alive == 1);
    flights.reset();
    CHECK(kitchen.alive == 0);
    const auto served = kitchen.world.scheduler.run(orders.next(never));
    CHECK((*served)->second == -1);
    CHECK(kitchen.ended == 0);
}

TEST_CASE("a flight may start further flights of the same table, and its landing may move the table about") {
    Kitchen kitchen;
    Flights flights(kitchen.world.scheduler);
    Gather<int> orders(kitchen.world.scheduler);
    for (int number = 0; number < 500; ++number) {
        orders.add(order(&flights, &kitchen, std::to_string(number % 250), Duration(number % 7), never));
    }
    CHECK(kitchen.world.scheduler.run_until_idle());
    CHECK(kitchen.started == 250);
    CHECK(flights.in_flight() == 0);
    CHECK(orders.running() == 0);
}

}  // namespace mxtrust::task
