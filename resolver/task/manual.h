// A scheduler in virtual time, for tests and the simulation: when nothing is ready, the clock jumps to the next timer.
#pragma once

#include <optional>

#include "base/clock.h"
#include "task/task.h"

namespace mxtrust::task {

class ManualScheduler final : public Scheduler {
  public:
    explicit ManualScheduler(ManualClock& clock) : clock_(clock) {}
    [[nodiscard]] MonoTime now() const override { return clock_.mono(); }

    /// Until nothing is ready and no timer is left, or `until` would be passed.
    void run_until_idle(MonoTime until = MonoTime::max()) {
        run_ready();
        while (next_timer() < MonoTime::max() && next_timer() <= until) {
            if (next_timer() > now()) clock_.advance(next_timer() - now());
            fire_timers();
            run_ready();
        }
    }
    /// Runs one task to its end; nothing where it never ends (everything waits for something that does not come).
    template <class T>
    std::optional<T> run(Task<T> task) {
        Done done;
        task.start(*this, done);
        run_ready();
        while (!done.ended && next_timer() < MonoTime::max()) {
            if (next_timer() > now()) clock_.advance(next_timer() - now());
            fire_timers();
            run_ready();
        }
        if (!done.ended) return std::nullopt;
        return task.take();
    }
    bool run(Task<void> task) {
        Done done;
        task.start(*this, done);
        run_ready();
        while (!done.ended && next_timer() < MonoTime::max()) {
            if (next_timer() > now()) clock_.advance(next_timer() - now());
            fire_timers();
            run_ready();
        }
        return done.ended;
    }

  private:
    struct Done final : CompletionSink {
        void completed() noexcept override { ended = true; }
        bool ended = false;
    };
    ManualClock& clock_;
};

}  // namespace mxtrust::task
