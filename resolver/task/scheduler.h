// One thread's coroutines: what may run next, what waits for a time, and whose end nobody awaits.
//
// A Scheduler belongs to one thread, and so does everything linked into it; there are no locks here. It never sleeps
// and never looks at a descriptor: net/uv_loop.h (production) or task/manual.h (tests, simulation) calls run_ready()
// and run_due(), and asks next_timer() how long to sleep in between.
//
// Everything that can be linked unlinks itself in its destructor. That is what makes "destroying a task cancels it"
// true wherever the task happens to be waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace mxtrust::task {

class Scheduler;
class Nursery;
template <class T>
class Task;

/// A deadline that never comes.
inline constexpr MonoTime never = MonoTime::max();

/// Something that can stand in the ready queue, at most once. The queue borrows it.
class ReadyNode {
  public:
    ReadyNode() = default;
    ReadyNode(const ReadyNode&) = delete;
    ReadyNode& operator=(const ReadyNode&) = delete;

  protected:
    ~ReadyNode() { withdraw(); }
    /// Leaves the queue; nothing happens where it is not in it.
    void withdraw() noexcept;

  private:
    friend class Scheduler;
    /// Called from the queue's top level only: no other node's run() is below it on the stack. May destroy its own
    /// node.
    virtual void run() = 0;
    Scheduler* queue_ = nullptr;  ///< where it is linked, if it is
    ReadyNode* before_ = nullptr;
    ReadyNode* after_ = nullptr;
};

/// Something that waits for a time. The scheduler borrows it.
class TimerNode {
  public:
    TimerNode() = default;
    TimerNode(const TimerNode&) = delete;
    TimerNode& operator=(const TimerNode&) = delete;
    [[nodiscard]] bool is_set() const { return timers_ != nullptr; }

  protected:
    ~TimerNode() { clear(); }
    /// Replaces the time that was set before. `never` clears.
    void set(Scheduler& scheduler, MonoTime when);
    void clear() noexcept;

  private:
    friend class Scheduler;
    /// Called from the top level, when the timer is no longer set. May set it again, and may destroy its own node.
    virtual void expired() = 0;
    Scheduler* timers_ = nullptr;
    std::size_t position_ = 0;  ///< in the heap
    MonoTime when_{};
    std::uint64_t order_ = 0;  ///< of equal times the one set first expires first
};

/// A timer for code that is no coroutine. Cancelled by its destructor.
class Timer final : private TimerNode {
  public:
    /// `act` is called at the top level and may destroy this timer.
    Timer(Scheduler& scheduler, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {}
    void wake_at(MonoTime when) { set(scheduler_, when); }
    void cancel() { clear(); }
    using TimerNode::is_set;

  private:
    void expired() override {
        const std::function<void()> act = act_;  // a copy: the call may destroy this timer and with it act_
        act();
    }
    Scheduler& scheduler_;
    std::function<void()> act_;
};

class Scheduler {
  public:
    /// The clock outlives the scheduler.
    explicit Scheduler(const Clock& clock);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;
    /// Cancels what was spawned. Whatever else is still linked (a Gather that somebody keeps) is left suspended for
    /// good.
    ~Scheduler();

    [[nodiscard]] MonoTime now() const { return clock_.mono(); }
    [[nodiscard]] const Clock& clock() const { return clock_; }

    /// Owns the task until it ends or cancel_all(). For work that outlives its asker; what belongs to something
    /// shorter-lived goes into a Nursery of that thing.
    void spawn(Task<void> task);
    [[nodiscard]] std::size_t spawned() const;
    /// Destroys every spawned task. Not to be called from inside a coroutine that was spawned.
    void cancel_all();

    /// Runs what is ready, and what becomes ready by that, in order. Returns how many ran; `most` bounds them, so that
    /// sockets get their turn.
    std::size_t run_ready(std::size_t most = std::numeric_limits<std::size_t>::max());
    /// Expires the timers whose time has come, by now or by `now`. Returns how many.
    std::size_t run_due();
    std::size_t run_due(MonoTime now);
    [[nodiscard]] bool has_ready() const { return first_ != nullptr; }
    /// When run_due() has something to do next.
    [[nodiscard]] std::optional<MonoTime> next_timer() const;

    /// Puts a node at the end of the queue; where it stands in it already, it keeps its place.
    void post(ReadyNode& node) noexcept;

  private:
    friend class ReadyNode;
    friend class TimerNode;
    void remove(ReadyNode& node) noexcept;
    void insert(TimerNode& node, MonoTime when);
    void remove(TimerNode& node) noexcept;
    static bool is_before(const TimerNode& left, const TimerNode& right);
    void place(TimerNode& node, std::size_t position) noexcept;
    void rise(std::size_t position) noexcept;
    void sink(std::size_t position) noexcept;

    const Clock& clock_;
    ReadyNode* first_ = nullptr;
    ReadyNode* last_ = nullptr;
    bool running_ = false;
    std::vector<TimerNode*> heap_;  ///< binary heap, the earliest in front
    std::uint64_t timers_set_ = 0;
    std::unique_ptr<Nursery> nursery_;
};

inline void ReadyNode::withdraw() noexcept {
    if (queue_ != nullptr) queue_->remove(*this);
}
inline void TimerNode::clear() noexcept {
    if (timers_ != nullptr) timers_->remove(*this);
}

}  // namespace mxtrust::task
