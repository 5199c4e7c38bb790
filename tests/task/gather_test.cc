// Side by side: hedging, racing, deadlines, bounded numbers; all in virtual time.
#include <memory>

#include "task/tools.h"

namespace mxtrust::task {
namespace {

using Finished = std::optional<std::pair<std::size_t, int>>;

/// A hedged question: the first server is asked; after `patience` the second one as well; whoever answers first wins.
Task<int> hedge(Scheduler* scheduler, MonoTime first, MonoTime second, Duration patience) {
    Gather<int> asking(*scheduler);
    asking.add(later(first, 1));
    const MonoTime hedge_at = scheduler->now() + patience;
    Finished finished = co_await asking.next(hedge_at);
    if (!finished) {
        asking.add(later(second, 2));
        finished = co_await asking.next(never);
    }
    co_return finished->second;
}
/// Takes everything that finishes by the deadline; a -1 says how it ended: with something pending or not.
Task<std::vector<int>> collect(Scheduler* scheduler, std::vector<Task<int>> tasks, std::size_t side_by_side,
                               MonoTime deadline) {
    Gather<int> gather(*scheduler, side_by_side);
    for (Task<int>& task : tasks) gather.add(std::move(task));
    std::vector<int> found;
    while (true) {
        Finished finished = co_await gather.next(deadline);
        if (!finished) break;
        found.push_back(finished->second);
    }
    found.push_back(gather.pending() > 0 ? -1 : -2);
    co_return found;
}
Task<void> working(int* now, int* most, Scheduler* scheduler) {
    ++*now;
    *most = std::max(*most, *now);
    const MonoTime until = scheduler->now() + Duration(10);
    co_await sleep_until(until);
    --*now;
}
Task<void> all_of(std::vector<Task<void>> tasks, std::size_t* pending, Scheduler* scheduler) {
    Gather<void> gather(*scheduler, 3);
    for (Task<void>& task : tasks) gather.add(std::move(task));
    while (gather.pending() > 0) {
        co_await gather.next(never);
        *pending = gather.pending();
    }
}
Task<std::unique_ptr<int>> box(MonoTime when, int value) {
    co_await sleep_until(when);
    co_return std::make_unique<int>(value);
}
Task<int> forever(Counted held) {
    co_await sleep_until(never);
    co_return static_cast<int>(held.text().size());
}

Task<bool> wait_for_next(Gather<int>* gather) {
    Finished finished = co_await gather->next(never);
    co_return finished.has_value();
}

}  // namespace

TEST_CASE("a hedge asks the second server only when the first one is slow") {
    struct Row {
        const char* name;
        Duration first, second;
        int winner;
        Duration ends;
    };
    const Row row = GENERATE(Row{"the first is quick", 10ms, 500ms, 1, 10ms},
                             Row{"the first is slow, the second quick", 900ms, 60ms, 2, 60ms},
                             Row{"the first is slow, the second slower", 300ms, 800ms, 1, 300ms},
                             Row{"the first never answers", 1h, 70ms, 2, 70ms});
    INFO(row.name);
    World world;
    CHECK(world.scheduler.run(hedge(&world.scheduler, world.at(row.first), world.at(row.second), 50ms)) == row.winner);
    CHECK(world.scheduler.now() == world.at(row.ends));
    CHECK(world.scheduler.run_until_idle());
    CHECK(world.scheduler.now() == world.at(row.ends));  // the loser was cancelled, its timer with it
}

TEST_CASE("results come in the order in which they finish, and the deadline is told from the end") {
    World world;
    std::vector<Task<int>> tasks;
    for (const int when : {30, 10, 20}) tasks.push_back(later(world.at(Duration(when)), when));
    SECTION("all in time") {
        CHECK(world.scheduler.run(collect(&world.scheduler, std::move(tasks), 10, world.at(1s))) ==
              std::vector<int>{10, 20, 30, -2});
    }
    SECTION("a deadline in between") {
        CHECK(world.scheduler.run(collect(&world.scheduler, std::move(tasks), 10, world.at(25ms))) ==
              std::vector<int>{10, 20, -1});
    }
    SECTION("one at a time, in the order they were added") {
        CHECK(world.scheduler.run(collect(&world.scheduler, std::move(tasks), 1, world.at(1s))) ==
              std::vector<int>{30, 10, 20, -2});
    }
    SECTION("nothing to wait for") {
        tasks.clear();
        CHECK(world.scheduler.run(collect(&world.scheduler, std::move(tasks), 1, never)) == std::vector<int>{-2});
    }
}

TEST_CASE("what finished before the deadline is handed out after it, too") {
    World world;
    Gather<int> gather(world.scheduler);
    gather.add(at_once(5));
    world.scheduler.run_for(1s);
    const auto finished = world.scheduler.run(gather.next(world.at(10ms)));
    REQUIRE(finished);
    REQUIRE(*finished);
    CHECK((*finished)->second == 5);
    CHECK(gather.pending() == 0);
}

TEST_CASE("no more tasks run side by side than allowed, and all of them run") {
    World world;
    int now = 0;
    int most = 0;
    std::size_t pending = 99;
    std::vector<Task<void>> tasks;
    for (int number = 0; number < 10; ++number) tasks.push_back(working(&now, &most, &world.scheduler));
    CHECK(world.scheduler.run(all_of(std::move(tasks), &pending, &world.scheduler)));
    CHECK(most == 3);
    CHECK(now == 0);
    CHECK(pending == 0);
    CHECK(world.scheduler.now() == world.at(40ms));  // 3 + 3 + 3 + 1
}

TEST_CASE("destroying a gather cancels what runs, what waits for a place and what has finished") {
    World world;
    int alive = 0;
    {
        Gather<int> gather(world.scheduler, 2);
        gather.add(hold(Counted(&alive, long_text), world.at(0s)));
        gather.add(forever(Counted(&alive, long_text)));
        gather.add(forever(Counted(&alive, long_text)));
        gather.add(forever(Counted(&alive, long_text)));
        world.scheduler.settle();
        CHECK(alive == 4);
        CHECK(gather.running() == 2);
        CHECK(gather.pending() == 4);
    }
    CHECK(alive == 0);
}

TEST_CASE("one task of a gather can be cancelled in every state, and its place goes to the next") {
    World world;
    int alive = 0;
    Gather<int> gather(world.scheduler, 1);
    gather.add(forever(Counted(&alive, long_text)));
    gather.add(forever(Counted(&alive, long_text)));
    gather.add(at_once(3));
    world.scheduler.settle();
    gather.cancel(1);  // was waiting for a place
    CHECK(alive == 1);
    CHECK(gather.pending() == 2);
    gather.cancel(0);  // was running
    CHECK(alive == 0);
    world.scheduler.settle();
    CHECK(gather.running() == 0);
    gather.cancel(2);  // had finished
    gather.cancel(2);  // is not there any more
    CHECK(gather.pending() == 0);
}

TEST_CASE("cancelling the last task wakes who waits for it") {
    World world;
    Gather<int> gather(world.scheduler);
    gather.add(later(never, 1));
    Gather<bool> outer(world.scheduler);
    outer.add(wait_for_next(&gather));
    world.scheduler.settle();
    gather.cancel(0);
    const auto ended = world.scheduler.run(outer.next(world.at(1s)));
    REQUIRE(ended);
    REQUIRE(*ended);
    CHECK_FALSE((*ended)->second);
}

TEST_CASE("when_all yields results in the order of the tasks, not of their ends") {
    World world;
    std::vector<Task<std::unique_ptr<int>>> tasks;
    for (const int value : {3, 1, 2}) tasks.push_back(box(world.at(Duration(10 * value)), value));
    const auto results = world.scheduler.run(when_all(std::move(tasks)));
    REQUIRE(results);
    REQUIRE(results->size() == 3);
    CHECK(*results->at(0) == 3);
    CHECK(*results->at(1) == 1);
    CHECK(*results->at(2) == 2);
    CHECK(world.scheduler.now() == world.at(30ms));
    CHECK(world.scheduler.run(when_all(std::vector<Task<int>>()))->empty());
}

TEST_CASE("with_deadline yields the result, or cancels the task at the deadline") {
    World world;
    int alive = 0;
    CHECK(world.scheduler.run(with_deadline(later(world.at(10ms), 4), world.at(20ms))) == std::optional<int>(4));
    const auto late = world.scheduler.run(with_deadline(forever(Counted(&alive, long_text)), world.at(50ms)));
    REQUIRE(late);
    CHECK_FALSE(*late);
    CHECK(alive == 0);
    CHECK(world.scheduler.now() == world.at(50ms));
}

}  // namespace mxtrust::task
