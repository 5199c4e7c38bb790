// The forms of awaiting statement that the coroutine rule (resolver/README.md) allows, with the real Task, on the
// compiler at hand. g++ 12 destroys objects twice in the forms that the rule forbids; tests/toolchain pins those
// outside of this program.
#include <memory>

#include "task/tools.h"

namespace mxtrust::task {
namespace {

struct Question {
    Counted name;
    int type = 0;
};
Task<int> ask(Question question) {
    co_return static_cast<int>(question.name.text().size()) + question.type;
}
Task<int> measure(Counted counted) {
    co_return static_cast<int>(counted.text().size()) + 1;
}
Task<Counted> pass(Counted counted) {
    co_return counted;
}
Task<int> apply(std::function<int()> function) {
    co_return function();
}

Task<int> named_local(int* alive) {
    Question question{Counted(alive, long_text), 1};
    int answer = co_await ask(std::move(question));
    co_return answer;
}
Task<int> named_local_copied(int* alive) {
    Question question{Counted(alive, long_text), 1};
    int answer = co_await ask(question);
    co_return answer;
}
Task<int> class_with_constructor(int* alive) {
    int answer = co_await measure(Counted(alive, long_text));
    co_return answer;
}
Task<int> body_of_branch_and_loop(int* alive) {
    Counted counted(alive, long_text);
    int answer = 0;
    if (answer == 0) answer = co_await at_once(1);
    for (std::size_t round = 0; round < counted.text().size(); ++round) {
        int step = co_await at_once(1);
        answer += step;
    }
    co_return answer;
}
Task<int> tail(int* alive) {
    Counted counted(alive, long_text);
    co_await at_once(3);
    co_return co_await measure(std::move(counted));
}
Task<int> named_function(int* alive) {
    Counted counted(alive, long_text);
    std::function<int()> function = [counted]() { return static_cast<int>(counted.text().size()) + 1; };
    int answer = co_await apply(std::move(function));
    co_return answer;
}
Task<int> named_task(int* alive) {
    Task<int> task = measure(Counted(alive, long_text));
    int answer = co_await std::move(task);
    co_return answer;
}
Task<int> returned_object(int* alive) {
    Counted passed = co_await pass(Counted(alive, long_text));
    co_return static_cast<int>(passed.text().size()) + 1;
}
Task<int> early_return(int* alive) {
    Counted counted(alive, long_text);
    std::optional<Counted> kept;
    kept = co_await pass(std::move(counted));
    if (kept) co_return static_cast<int>(kept->text().size()) + 1;
    co_return 0;
}
Task<int> through_gather(int* alive) {
    Scheduler* scheduler = co_await this_scheduler();
    Gather<int> gather(*scheduler);
    gather.add(measure(Counted(alive, long_text)));
    std::optional<std::pair<std::size_t, int>> finished = co_await gather.next(never);
    co_return finished->second;
}

}  // namespace

TEST_CASE("the allowed forms of awaiting statement come out right, every object ending exactly once") {
    struct Row {
        const char* name;
        Task<int> (*form)(int*);
    };
    const Row row = GENERATE(Row{"a named local, moved", named_local}, Row{"a named local, copied", named_local_copied},
                             Row{"a class with a constructor as a temporary", class_with_constructor},
                             Row{"the body of an if and of a loop", body_of_branch_and_loop},
                             Row{"co_return co_await", tail}, Row{"a named function object, moved", named_function},
                             Row{"a named task, moved", named_task}, Row{"a result that is an object", returned_object},
                             Row{"assignment to an optional", early_return}, Row{"a gather's next", through_gather});
    INFO(row.name);
    int alive = 0;
    World world;
    CHECK(world.scheduler.run(row.form(&alive)) == static_cast<int>(std::string(long_text).size()) + 1);
    CHECK(alive == 0);
    {
        const Task<int> unawaited = row.form(&alive);
    }
    {
        Gather<int> stopped(world.scheduler);
        stopped.add(row.form(&alive));
        world.scheduler.run_ready(1);  // stopped in the middle of its first await
    }
    CHECK(alive == 0);
}

}  // namespace mxtrust::task
