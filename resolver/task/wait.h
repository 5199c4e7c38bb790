// The two things a coroutine can wait for when it is not another task: that somebody rings, and that a time comes.
//
// A Condition has no memory: whoever waits looks at its own state, waits, and looks again. As everything is on one
// thread and a coroutine suspends in one piece, no ring can fall between the look and the wait.
#pragma once

#include <concepts>
#include <coroutine>

#include "task/scheduler.h"
#include "task/task.h"

namespace mxtrust::task {

class Condition;

/// An awaiter; made by Condition::wait and sleep_until. Yields true when it was rung for, false when the deadline came.
class [[nodiscard]] Wait final : private TimerNode {
  public:
    Wait(Condition* condition, MonoTime deadline) : condition_(condition), deadline_(deadline) {}
    ~Wait() { leave(); }

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> Parent>
    void await_suspend(std::coroutine_handle<Parent> parent) {
        sleeper_ = &parent.promise();
        join();
        set(parent.promise().scheduler(), deadline_);
    }
    // NOLINTNEXTLINE(modernize-use-nodiscard): whoever only waits does not ask how it ended
    bool await_resume() const noexcept { return rung_; }

  private:
    friend class Condition;
    void join() noexcept;
    void leave() noexcept;
    void ring() noexcept;
    void expired() override;

    Condition* condition_;
    MonoTime deadline_;
    PromiseBase* sleeper_ = nullptr;
    bool rung_ = false;
    bool linked_ = false;
    Wait* before_ = nullptr;
    Wait* after_ = nullptr;
};

class Condition {
  public:
    Condition() = default;
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    /// Who still waits sleeps on until its deadline.
    ~Condition();

    /// `bool rung = co_await condition.wait(deadline);`
    [[nodiscard]] Wait wait(MonoTime deadline = never) { return Wait(this, deadline); }
    /// Wakes everybody who waits now, in the order they came.
    void ring_all() noexcept;
    /// Wakes the one who waits longest; false when nobody does.
    bool ring_one() noexcept;
    [[nodiscard]] bool is_awaited() const { return first_ != nullptr; }

  private:
    friend class Wait;
    Wait* first_ = nullptr;
    Wait* last_ = nullptr;
};

/// `co_await sleep_until(when);` A time in the past lets the others run once.
inline Wait sleep_until(MonoTime when) {
    return Wait(nullptr, when);
}

}  // namespace mxtrust::task
