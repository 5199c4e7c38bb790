// One event that stays: how callbacks of the outside world wake a task, also when they come first.
#pragma once

#include "task/wait.h"

namespace mxtrust::task {

class Signal {
  public:
    /// Sets it, and wakes who waits. Setting it again does nothing.
    void notify() noexcept {
        set_ = true;
        condition_.ring_all();
    }
    [[nodiscard]] bool is_set() const { return set_; }
    /// True where it is set, false where the deadline came first.
    Task<bool> wait(MonoTime deadline) {
        bool in_time = true;
        while (!set_ && in_time) {
            in_time = co_await condition_.wait(deadline);
        }
        co_return set_;
    }

  private:
    Condition condition_;
    bool set_ = false;
};

}  // namespace mxtrust::task
