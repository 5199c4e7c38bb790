// One event, awaited by one coroutine: how callbacks of the outside world wake a task.
#pragma once

#include <optional>

#include "task/task.h"

namespace mxtrust::task {

class Signal {
  public:
    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    /// Sets the signal, and wakes who waits. Setting it again does nothing.
    void notify() {
        set_ = true;
        if (waiting_ != nullptr) waiting_->schedule();
    }
    void reset() { set_ = false; }
    [[nodiscard]] bool is_set() const { return set_; }

    class [[nodiscard]] Wait {
      public:
        Wait(Signal& signal, MonoTime deadline) : signal_(signal), deadline_(deadline) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() { signal_.waiting_ = nullptr; }
        [[nodiscard]] bool await_ready() const { return signal_.set_; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self) {
            signal_.waiting_ = &self.promise();
            timer_.emplace(self.promise());
            timer_->arm(deadline_);
        }
        /// True where the signal is set, false where the deadline came first.
        bool await_resume() {
            timer_.reset();
            signal_.waiting_ = nullptr;
            return signal_.set_;
        }

      private:
        Signal& signal_;
        MonoTime deadline_;
        std::optional<WakeTimer> timer_;
    };
    Wait wait(MonoTime deadline) { return Wait(*this, deadline); }

  private:
    PromiseBase* waiting_ = nullptr;
    bool set_ = false;
};

}  // namespace mxtrust::task
