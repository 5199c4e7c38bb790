// A scheduler in virtual time, for tests and the simulation: it runs until nothing is left to run, and when everybody
// waits it moves the clock to the next timer. A second costs nothing; the order of events depends on nothing but the
// program.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/require.h"
#include "task/scheduler.h"
#include "task/task.h"

namespace mxtrust::task {

class ManualScheduler final : public Scheduler {
  public:
    /// Both time and its reading are the caller's clock, which outlives this.
    explicit ManualScheduler(ManualClock& clock) : Scheduler(clock), manual_(clock) {}

    /// Runs what can run now; the time stands still.
    void settle() {
        while (run_due() + run_ready() > 0) {
        }
    }
    /// Runs until nothing is ready and no timer is set; what waits then waits for something that never comes.
    /// `most_steps` of the clock bound it. Returns false when they did.
    bool run_until_idle(std::size_t most_steps = 1'000'000) { return run_until(never, most_steps); }
    /// Runs until the clock shows now + span.
    void run_for(std::chrono::microseconds span) {
        const MonoTime until = now() + span;
        run_until(until, std::numeric_limits<std::size_t>::max());
        if (now() < until) manual_.advance(until - now());
        settle();
    }
    /// Runs one task to its end, and everything beside it while that takes. nullopt: it waits for something that never
    /// comes.
    template <class T>
        requires(!std::is_void_v<T>)
    std::optional<T> run(Task<T> task) {
        End end;
        task.start(*this, end);
        run_to(end);
        if (!end.reached) return std::nullopt;
        return task.take();
    }
    /// The same for void. Returns whether it ended.
    bool run(Task<void> task) {
        End end;
        task.start(*this, end);
        run_to(end);
        return end.reached;
    }

  private:
    struct End final : Finisher {
        void finished() noexcept override { reached = true; }
        bool reached = false;
    };

    void run_to(const End& end) {
        while (!end.reached) {
            if (run_ready(1) > 0 || run_due() > 0) continue;
            if (!step(never)) return;
        }
    }
    /// Moves the clock to the next timer, if there is one before `until`.
    bool step(MonoTime until) {
        const std::optional<MonoTime> next = next_timer();
        if (!next || *next > until) return false;
        if (*next > now()) manual_.advance(*next - now());
        return true;
    }
    bool run_until(MonoTime until, std::size_t most_steps) {
        settle();
        for (std::size_t steps = 0; steps < most_steps; ++steps) {
            if (!step(until)) return true;
            settle();
        }
        return false;
    }

    ManualClock& manual_;
};

}  // namespace mxtrust::task
