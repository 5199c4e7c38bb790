// Tasks and the scheduler: who runs when, and what is left when a task is destroyed wherever it waits.
#include <algorithm>
#include <memory>

#include "base/random.h"
#include "task/tools.h"

namespace mxtrust::task {
namespace {

Task<void> note(std::vector<int>* log, int value) {
    log->push_back(value);
    co_return;
}
Task<int> sum_of_two(MonoTime when) {
    int first = co_await at_once(1);
    int second = co_await later(when, 2);
    co_return first + second;
}
Task<std::unique_ptr<int>> boxed(int value) {
    co_return std::make_unique<int>(value);
}
Task<int> unbox() {
    std::unique_ptr<int> box = co_await boxed(7);
    co_return *box;
}
Task<int> deep(int depth, Counted held, MonoTime when) {
    if (depth == 0) co_return co_await later(when, 1);
    Counted copy = held;
    int below = co_await deep(depth - 1, std::move(copy), when);
    co_return below + 1;
}
Task<int> chain_of(int length) {
    int sum = 0;
    for (int step = 0; step < length; ++step) {
        int one = co_await at_once(1);
        sum += one;
    }
    co_return sum;
}
Task<void> note_later(std::vector<int>* log, MonoTime when, int value) {
    co_await sleep_until(when);
    log->push_back(value);
}
Task<void> wait_for(Condition* condition, MonoTime deadline, std::vector<bool>* rung) {
    bool heard = co_await condition->wait(deadline);
    rung->push_back(heard);
}
Task<void> spawn_another(Scheduler* scheduler, std::vector<int>* log) {
    scheduler->spawn(note(log, 2));
    log->push_back(1);
    co_return;
}

}  // namespace

TEST_CASE("a task is lazy: it does nothing until somebody awaits it") {
    World world;
    std::vector<int> log;
    {
        const Task<void> unawaited = note(&log, 1);
        world.scheduler.settle();
    }
    CHECK(log.empty());
    CHECK(world.scheduler.run(note(&log, 2)));
    CHECK(log == std::vector<int>{2});
}

TEST_CASE("a task's locals live through its awaits, and time moves only as far as somebody waits") {
    World world;
    CHECK(world.scheduler.run(sum_of_two(world.at(50ms))) == 3);
    CHECK(world.scheduler.now() == world.at(50ms));
}

TEST_CASE("a result may be move-only") {
    World world;
    CHECK(world.scheduler.run(unbox()) == 7);
}

TEST_CASE("a hundred thousand awaits need no stack, one after the other or nested") {
    World world;
    int alive = 0;
    CHECK(world.scheduler.run(chain_of(100'000)) == 100'000);
    CHECK(world.scheduler.run(deep(5'000, Counted(&alive, long_text), world.at(1ms))) == 5'001);
    CHECK(alive == 0);
}

TEST_CASE("destroying a task destroys all that it awaits, whatever it waits for") {
    int alive = 0;
    World world;
    SECTION("before it was started") {
        const Task<int> task = deep(10, Counted(&alive, long_text), never);
    }
    SECTION("while it stands in the ready queue") {
        Nursery nursery(world.scheduler);
        Gather<int> gather(world.scheduler);
        gather.add(deep(10, Counted(&alive, long_text), never));
        CHECK(alive == 1);
    }
    SECTION("while each of a chain waits for the one below") {
        Gather<int> gather(world.scheduler);
        gather.add(deep(10, Counted(&alive, long_text), world.at(1s)));
        world.scheduler.settle();
        CHECK(alive > 10);
    }
    SECTION("when the child has ended and the parent is about to run") {
        Gather<int> gather(world.scheduler);
        gather.add(deep(1, Counted(&alive, long_text), world.at(1s)));
        world.scheduler.settle();
        world.clock.advance(1s);
        world.scheduler.run_due();     // the sleeper is ready
        world.scheduler.run_ready(1);  // it has ended: its parent is ready and has not run
        CHECK(alive > 0);
    }
    SECTION("when it has ended and nobody took the result") {
        Gather<int> gather(world.scheduler);
        gather.add(deep(1, Counted(&alive, long_text), world.at(0s)));
        CHECK(world.scheduler.run_until_idle());
        CHECK(alive > 0);
    }
    CHECK(alive == 0);
    CHECK(world.scheduler.run_until_idle());
    CHECK_FALSE(world.scheduler.next_timer());  // nothing of them is left in the timers
}

TEST_CASE("a task that is assigned over is cancelled") {
    int alive = 0;
    Task<int> task = hold(Counted(&alive, long_text), never);
    CHECK(alive == 1);
    task = at_once(1);
    CHECK(alive == 0);
    CHECK_FALSE(task.is_empty());
    task.cancel();
    CHECK(task.is_empty());
}

TEST_CASE("what becomes ready runs in the order in which it did") {
    World world;
    std::vector<int> log;
    for (int value = 0; value < 5; ++value) world.scheduler.spawn(note(&log, value));
    CHECK(world.scheduler.run_ready(2) == 2);
    CHECK(log == std::vector<int>{0, 1});
    world.scheduler.settle();
    CHECK(log == std::vector<int>{0, 1, 2, 3, 4});
    CHECK(world.scheduler.spawned() == 0);
}

TEST_CASE("timers expire by time, and in the order they were set where the time is the same") {
    World world;
    std::vector<int> log;
    for (const int value : {30, 10, 20, 10, 0}) {
        const int tag = value * 10 + static_cast<int>(world.scheduler.spawned());
        world.scheduler.spawn(note_later(&log, world.at(Duration(value)), tag));
    }
    CHECK(world.scheduler.run_until_idle());
    CHECK(log == std::vector<int>{4, 101, 103, 202, 300});
}

TEST_CASE("many timers, set and cancelled in any order, expire sorted") {
    World world;
    SeededRandom random(4711);
    std::vector<MonoTime> expired;
    std::vector<std::unique_ptr<Timer>> timers;
    std::size_t cancelled = 0;
    for (int number = 0; number < 2'000; ++number) {
        const MonoTime when = world.at(Duration(static_cast<std::int64_t>(random.below(500))));
        timers.push_back(std::make_unique<Timer>(world.scheduler, [&expired, when] { expired.push_back(when); }));
        timers.back()->wake_at(when);
        if (random.below(3) == 0) {
            std::unique_ptr<Timer>& victim = timers.at(random.below(timers.size()));
            cancelled += victim != nullptr && victim->is_set() ? 1U : 0U;
            victim.reset();
        }
    }
    CHECK(world.scheduler.run_until_idle());
    CHECK(cancelled > 100);
    CHECK(expired.size() == 2'000 - cancelled);
    CHECK(std::is_sorted(expired.begin(), expired.end()));
}

TEST_CASE("a timer may set itself again, and may be destroyed by what it does") {
    World world;
    int count = 0;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(world.scheduler, [&] {
        if (++count == 3) {
            timer.reset();
        } else {
            timer->wake_at(world.scheduler.now());  // due at once, but not in this same round
        }
    });
    timer->wake_at(world.at(10ms));
    world.clock.advance(10ms);
    CHECK(world.scheduler.run_due() == 1);
    CHECK(world.scheduler.run_until_idle());
    CHECK(count == 3);
}

TEST_CASE("a condition wakes those who wait, and a deadline those for whom nobody rings") {
    World world;
    Condition condition;
    std::vector<bool> rung;
    condition.ring_all();  // nobody waits: it has no memory
    for (int number = 0; number < 3; ++number) world.scheduler.spawn(wait_for(&condition, world.at(10ms), &rung));
    world.scheduler.settle();
    CHECK(condition.ring_one());
    world.scheduler.settle();
    CHECK(rung == std::vector<bool>{true});
    CHECK(world.scheduler.run_until_idle());
    CHECK(rung == std::vector<bool>{true, false, false});
    CHECK_FALSE(condition.ring_one());
}

TEST_CASE("a ring and a deadline at the same moment wake once") {
    World world;
    Condition condition;
    std::vector<bool> rung;
    world.scheduler.spawn(wait_for(&condition, world.at(10ms), &rung));
    world.scheduler.settle();
    world.clock.advance(10ms);
    SECTION("the ring first") {
        condition.ring_all();
        CHECK(world.scheduler.run_due() == 0);
        world.scheduler.settle();
        CHECK(rung == std::vector<bool>{true});
    }
    SECTION("the deadline first") {
        CHECK(world.scheduler.run_due() == 1);
        condition.ring_all();
        world.scheduler.settle();
        CHECK(rung == std::vector<bool>{false});
    }
}

TEST_CASE("a condition that goes before its waiters leaves them to their deadline") {
    World world;
    std::vector<bool> rung;
    {
        Condition condition;
        world.scheduler.spawn(wait_for(&condition, world.at(10ms), &rung));
        world.scheduler.settle();
    }
    CHECK(world.scheduler.run_until_idle());
    CHECK(rung == std::vector<bool>{false});
}

TEST_CASE("spawned tasks end on their own, or with cancel_all, or with their scheduler") {
    int alive = 0;
    std::vector<int> log;
    {
        World world;
        world.scheduler.spawn(spawn_another(&world.scheduler, &log));
        world.scheduler.settle();
        CHECK(log == std::vector<int>{1, 2});
        CHECK(world.scheduler.spawned() == 0);
        Nursery nursery(world.scheduler);
        nursery.spawn(note_later(&log, never, 3));
        world.scheduler.settle();
        CHECK(nursery.size() == 1);
        nursery.cancel_all();
        CHECK(nursery.size() == 0);
    }
    auto world = std::make_unique<World>();
    Gather<int> outlives(world->scheduler);
    outlives.add(hold(Counted(&alive, long_text), world->at(1s)));
    world->scheduler.settle();
    CHECK(alive == 1);
    world.reset();  // its timers forget the sleeper, who can still be destroyed
    outlives.cancel(0);
    CHECK(alive == 0);
}

namespace {

/// Owns the nursery in which its own task runs, and is owned by that task alone.
struct Session {
    explicit Session(Scheduler& scheduler, bool* flag) : gone(flag), nursery(scheduler) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { *gone = true; }
    bool* gone;
    Nursery nursery;
};
Task<void> serve(std::shared_ptr<Session> session, MonoTime when) {
    co_await sleep_until(when);
    static_cast<void>(session);
}

}  // namespace

TEST_CASE("the last task of a nursery may take the nursery with it") {
    World world;
    bool gone = false;
    auto session = std::make_shared<Session>(world.scheduler, &gone);
    session->nursery.spawn(serve(session, world.at(1ms)));
    session->nursery.spawn(serve(session, world.at(2ms)));
    session.reset();
    world.scheduler.run_for(1ms);
    CHECK_FALSE(gone);
    CHECK(world.scheduler.run_until_idle());
    CHECK(gone);
}

}  // namespace mxtrust::task
