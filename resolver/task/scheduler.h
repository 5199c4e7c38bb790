// The ready queue and the timers of one worker. Coroutines are resumed from here and from nowhere else.
//
// Single-threaded. A coroutine that is ready is a link in a list; when it is destroyed it unlinks itself, and so does a timer.
// Nothing is ever resumed or destroyed inside await_suspend: completion posts the waiting coroutine here.
#pragma once

#include <coroutine>
#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace mxtrust::task {

class Scheduler;

/// A coroutine's place in the ready queue. Part of every promise.
class Ready {
  public:
    Ready() = default;
    Ready(const Ready&) = delete;
    Ready& operator=(const Ready&) = delete;
    ~Ready() { unlink(); }
    [[nodiscard]] bool is_linked() const { return next_ != nullptr; }

  private:
    friend class Scheduler;
    friend class PromiseBase;
    void unlink() {
        if (next_ == nullptr) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = previous_ = nullptr;
    }
    Ready* previous_ = nullptr;
    Ready* next_ = nullptr;
    std::coroutine_handle<> handle_{};
};

/// Something that happens at a time; disarms itself when destroyed.
class Timer {
  public:
    explicit Timer(Scheduler& scheduler) : scheduler_(scheduler) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() { disarm(); }
    void arm(MonoTime when);
    void disarm();
    [[nodiscard]] bool is_armed() const { return armed_; }

  protected:
    virtual void fire() = 0;

  private:
    friend class Scheduler;
    Scheduler& scheduler_;
    std::multimap<MonoTime, Timer*>::iterator place_{};
    bool armed_ = false;
};

class PromiseBase;
/// Is told when a task that it started has ended. Must not destroy the task before it returns.
class CompletionSink {
  public:
    virtual void completed() noexcept = 0;

  protected:
    ~CompletionSink() = default;
};

template <class T>
class Task;

class Scheduler {
  public:
    Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;
    /// Destroys all spawned tasks. Anything they refer to must still exist: call destroy_spawned() earlier where it does not.
    virtual ~Scheduler();

    [[nodiscard]] virtual MonoTime now() const = 0;

    /// Runs a task to its end on its own; it is destroyed when it has ended, or with the scheduler.
    void spawn(Task<void> task);
    void destroy_spawned();
    [[nodiscard]] std::size_t spawned() const { return spawned_.size(); }

    /// Resumes what is ready until nothing is. Not to be called from inside a coroutine.
    void run_ready();
    [[nodiscard]] bool has_ready() const { return queue_.next_ != &queue_; }
    /// Fires the timers whose time has come; what they wake is ready afterwards.
    void fire_timers();
    /// When the next timer is due; MonoTime::max() where there is none.
    [[nodiscard]] MonoTime next_timer() const;

    /// Keeps something alive until the running coroutine has been suspended: for what ends while it is being run.
    void bury(std::shared_ptr<void> dead) { graveyard_.push_back(std::move(dead)); }
    void enqueue(Ready& ready);

  protected:
    /// The earliest timer has changed, or something became ready from outside run_ready: the loop may have to be woken.
    virtual void changed() {}

  private:
    friend class Timer;
    class Spawned;
    void reap();

    Ready queue_;
    std::multimap<MonoTime, Timer*> timers_;
    std::vector<std::shared_ptr<Spawned>> spawned_;
    std::vector<std::shared_ptr<void>> graveyard_;
    bool running_ = false;
};

}  // namespace mxtrust::task
