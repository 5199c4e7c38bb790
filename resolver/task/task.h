// Task<T>: a coroutine that yields one T. Lazy, move-only, owned; destroying it cancels it.
//
// A task starts when it is awaited (or given to a Gather, a Nursery or Scheduler::spawn), and inherits the awaiting
// task's scheduler. When it ends, whoever waits for it is posted to the ready queue: nothing is resumed or destroyed
// inside await_suspend, and there is no symmetric transfer (g++ 12; the coroutine rule in resolver/README.md).
// Destroying a suspended task destroys its frame, therefore the task it awaits, and so on down; what they wait for is
// unlinked by destructors.
//
// An exception that leaves a coroutine is a bug and ends the process: what can happen is in T, a Result mostly.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/require.h"
#include "task/scheduler.h"

namespace mxtrust::task {

/// Told when a task has ended. It may link and post, but not destroy: the ending task is still on the stack.
class Finisher {
  public:
    virtual void finished() noexcept = 0;

  protected:
    ~Finisher() = default;
};

/// What the promises of all tasks share. As a ready node it resumes its coroutine, as a finisher it is the parent that
/// waits.
class PromiseBase : public ReadyNode, public Finisher {
  public:
    std::suspend_always initial_suspend() noexcept { return {}; }
    class Last {
      public:
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <std::derived_from<PromiseBase> Promise>
        void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            self.promise().finisher_->finished();
        }
        void await_resume() const noexcept {}
    };
    Last final_suspend() noexcept { return {}; }
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }

    [[nodiscard]] Scheduler& scheduler() const { return *scheduler_; }
    /// Resumes the suspended coroutine soon. For awaiters.
    void wake() noexcept { scheduler_->post(*this); }

  protected:
    ~PromiseBase() { require(!running_); }  // a coroutine cannot destroy itself while it runs
    void bind(std::coroutine_handle<> self) { self_ = self; }

  private:
    template <class T>
    friend class Task;
    void start(Scheduler& scheduler, Finisher& finisher) {
        require(scheduler_ == nullptr);  // a task runs once
        scheduler_ = &scheduler;
        finisher_ = &finisher;
        wake();
    }
    void finished() noexcept override { wake(); }
    void run() override {
        running_ = true;
        self_.resume();
        running_ = false;
    }

    std::coroutine_handle<> self_;
    Scheduler* scheduler_ = nullptr;
    Finisher* finisher_ = nullptr;
    bool running_ = false;
};

template <class T>
class Promise final : public PromiseBase {
  public:
    Task<T> get_return_object();
    template <class Value = T>
        requires std::constructible_from<T, Value&&>
    void return_value(Value&& value) {
        value_.emplace(std::forward<Value>(value));
    }
    T take() {
        require(value_.has_value());
        return std::move(*value_);
    }

  private:
    std::optional<T> value_;
};

template <>
class Promise<void> final : public PromiseBase {
  public:
    Task<void> get_return_object();
    void return_void() {}
    void take() {}
};

template <class T>
class [[nodiscard]] Task {
  public:
    static_assert(!std::is_reference_v<T>, "nothing borrowed crosses an await");
    using promise_type = Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            cancel();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() { cancel(); }

    /// Destroys the frame now. The task is empty afterwards.
    void cancel() {
        if (Handle handle = std::exchange(handle_, nullptr)) handle.destroy();
    }
    [[nodiscard]] bool is_empty() const { return handle_ == nullptr; }
    [[nodiscard]] bool is_done() const { return handle_ && handle_.done(); }

    /// For owners that are no coroutine (Gather, Nursery): `finisher` outlives the task and is told once, when it ends.
    void start(Scheduler& scheduler, Finisher& finisher) { handle_.promise().start(scheduler, finisher); }
    /// Requires: is_done(), and not taken before.
    T take() {
        require(is_done());
        return handle_.promise().take();
    }

    // The awaiter's part. A task is its own awaiter: one object less in the awaiting frame.
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> Parent>
    void await_suspend(std::coroutine_handle<Parent> parent) {
        require(handle_ != nullptr);
        handle_.promise().start(parent.promise().scheduler(), parent.promise());
    }
    T await_resume() { return take(); }

  private:
    friend promise_type;
    explicit Task(Handle handle) : handle_(handle) {}
    Handle handle_;
};

template <class T>
Task<T> Promise<T>::get_return_object() {
    const auto handle = std::coroutine_handle<Promise>::from_promise(*this);
    bind(handle);
    return Task<T>(handle);
}
inline Task<void> Promise<void>::get_return_object() {
    const auto handle = std::coroutine_handle<Promise>::from_promise(*this);
    bind(handle);
    return Task<void>(handle);
}

/// `Scheduler* scheduler = co_await this_scheduler();` The coroutine goes on at once.
class ThisScheduler {
  public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> Parent>
    bool await_suspend(std::coroutine_handle<Parent> parent) noexcept {
        scheduler_ = &parent.promise().scheduler();
        return false;
    }
    [[nodiscard]] Scheduler* await_resume() const noexcept { return scheduler_; }

  private:
    Scheduler* scheduler_ = nullptr;
};
inline ThisScheduler this_scheduler() {
    return {};
}

}  // namespace mxtrust::task
