// The loop: timers, posted work, signals; the scheduler's promises over libuv.
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "net/tools.h"
#include "task/wait.h"

namespace mxtrust::net {
namespace {

task::Task<int> sleep_twice(UvLoop* loop, MonoTime first, MonoTime second) {
    co_await task::sleep_until(first);
    const bool early = loop->now() < first;
    co_await task::sleep_until(second);
    co_return early || loop->now() < second ? 0 : 1;
}
task::Task<void> never_at_rest(bool* stopped) {
    const MonoTime past;
    while (!*stopped) co_await task::sleep_until(past);
}
task::Task<int> yielding(int rounds) {
    const MonoTime past;
    for (int round = 0; round < rounds; ++round) {
        co_await task::sleep_until(past);
    }
    co_return rounds;
}
/// How often this thread has given its processor away by itself.
std::int64_t times_slept() {
    rusage used{};
    REQUIRE(getrusage(RUSAGE_THREAD, &used) == 0);
    return used.ru_nvcsw;
}
task::Task<int> nothing(int value) {
    co_return value;
}
task::Task<int> count_to(int rounds) {
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
        int value = co_await nothing(1);
        sum += value;
    }
    co_return sum;
}
task::Task<void> busy(bool* stopped) {
    while (!*stopped) {
        int value = co_await nothing(1);
        static_cast<void>(value);
    }
}

}  // namespace

TEST_CASE("a sleeper is not woken before its time") {
    Real world;
    CHECK(world.run(sleep_twice(&world.loop, world.in(3ms), world.in(8ms))) == 1);
}

TEST_CASE("ready work that never ends does not keep the loop from sockets, timers and posted work") {
    Real world;
    bool stopped = false;
    task::Nursery nursery(world.loop);
    SECTION("tasks that await tasks") {
        nursery.spawn(busy(&stopped));
    }
    SECTION("timers that are due at once") {
        nursery.spawn(never_at_rest(&stopped));
    }
    bool posted = false;
    world.loop.post([&] { posted = true; });
    CHECK(world.run_until([&] { return posted; }));
    stopped = true;
    CHECK(world.run_until([&] { return nursery.size() == 0; }));
}

TEST_CASE("work that is left over from one turn goes on in the next without anything to wake it") {
    Real world;
    const MonoTime began = world.clock.mono();
    CHECK(world.run(count_to(20'000)) == 20'000);
    CHECK(world.clock.mono() - began < 30s);  // asleep, it would wait for the test's own guard
}

TEST_CASE("thousands of immediate timers pass without sleeping between them") {
    Real world;
    const std::int64_t before = times_slept();
    CHECK(world.run(yielding(2'000)) == 2'000);
    CHECK(times_slept() - before < 500);  // counted, for on a busy machine it takes as long as it takes
}

TEST_CASE("work is posted from other threads, in order of each, and none is lost") {
    Real world;
    std::vector<int> seen;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&world, &seen, number] {
            for (int item = 0; item < 250; ++item) {
                world.loop.post([&seen, number, item] { seen.push_back(number * 1000 + item); });
            }
        });
    }
    CHECK(world.run_until([&] { return seen.size() == 1000; }));
    for (std::thread& thread : threads) thread.join();
    for (int number = 0; number < 4; ++number) {
        int next = number * 1000;
        for (const int value : seen) next += value == next ? 1 : 0;
        CHECK(next == number * 1000 + 250);
    }
}

TEST_CASE("posted work can stop the loop, and the loop can run again") {
    Real world;
    int runs = 0;
    for (int round = 0; round < 3; ++round) {
        world.loop.post([&] {
            ++runs;
            world.loop.stop();
        });
        world.loop.run();
    }
    CHECK(runs == 3);
}

TEST_CASE("posted work that never ran is dropped with the loop") {
    auto kept = std::make_shared<int>(1);
    {
        Real world;
        world.loop.post([kept] { ++*kept; });
    }
    CHECK(*kept == 1);
    CHECK(kept.use_count() == 1);
}

TEST_CASE("a signal arrives as a call in the loop's thread") {
    Real world;
    int heard = 0;
    REQUIRE(world.loop.on_signal(SIGUSR1, [&] { ++heard; }));
    REQUIRE(::raise(SIGUSR1) == 0);
    CHECK(world.run_until([&] { return heard == 1; }));
}

TEST_CASE("a signal that cannot be watched is a failure") {
    Real world;
    const Done done = world.loop.on_signal(SIGKILL, [] {});
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == FailureKind::system);
}

TEST_CASE("repeated work repeats") {
    Real world;
    int count = 0;
    world.loop.every(1ms, [&] { ++count; });
    CHECK(world.run_until([&] { return count >= 3; }));
}

}  // namespace mxtrust::net
