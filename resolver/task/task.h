// Task<T>: a lazy coroutine that is owned by whoever holds it. Destroying a Task cancels it, and with it all that it awaits.
//
// Lazy: it runs when it is awaited or started. Completion posts the awaiting coroutine to the ready queue (scheduler.h); there is no
// symmetric transfer, and nothing is resumed or destroyed inside await_suspend (g++ 12, see resolver/README.md). An exception that
// leaves a task is a bug and ends the program.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "task/scheduler.h"

namespace mxtrust::task {

class PromiseBase {
  public:
    PromiseBase() = default;
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;

    [[nodiscard]] Scheduler& scheduler() const { return *scheduler_; }
    /// Puts the coroutine into the ready queue; once is enough.
    void schedule() {
        if (!ready_.is_linked()) scheduler_->enqueue(ready_);
    }
    void attach(std::coroutine_handle<> self, Scheduler& scheduler) {
        ready_.handle_ = self;
        scheduler_ = &scheduler;
    }
    void await_by(PromiseBase& parent) { parent_ = &parent; }
    void report_to(CompletionSink& sink) { sink_ = &sink; }

    static std::suspend_always initial_suspend() noexcept { return {}; }
    [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }

    struct Final {
        static bool await_ready() noexcept { return false; }
        template <class Promise>
        static void await_suspend(std::coroutine_handle<Promise> self) noexcept {
            PromiseBase& promise = self.promise();
            if (promise.parent_ != nullptr) promise.parent_->schedule();
            if (promise.sink_ != nullptr) promise.sink_->completed();
        }
        static void await_resume() noexcept {}
    };
    static Final final_suspend() noexcept { return {}; }

  private:
    Ready ready_;
    Scheduler* scheduler_ = nullptr;
    PromiseBase* parent_ = nullptr;
    CompletionSink* sink_ = nullptr;
};

template <class T>
class Promise : public PromiseBase {
  public:
    Task<T> get_return_object();
    template <class Value>
    void return_value(Value&& value) {
        value_.emplace(std::forward<Value>(value));
    }
    T take() { return std::move(*value_); }

  private:
    std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
  public:
    Task<void> get_return_object();
    void return_void() {}
    void take() {}
};

template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = Promise<T>;
    using Handle = std::coroutine_handle<Promise<T>>;

    Task() = default;
    explicit Task(Handle handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() { destroy(); }

    [[nodiscard]] bool is_valid() const { return static_cast<bool>(handle_); }
    [[nodiscard]] bool is_done() const { return handle_ && handle_.done(); }
    /// Begins to run without anybody awaiting it; `sink` is told of its end. Requires: not begun yet.
    void start(Scheduler& scheduler, CompletionSink& sink) {
        handle_.promise().attach(handle_, scheduler);
        handle_.promise().report_to(sink);
        handle_.promise().schedule();
    }
    /// Requires: is_done(). Once.
    T take() { return handle_.promise().take(); }

    class Awaiter {
      public:
        explicit Awaiter(Handle child) : child_(child) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Parent>
        void await_suspend(std::coroutine_handle<Parent> parent) noexcept {
            child_.promise().attach(child_, parent.promise().scheduler());
            child_.promise().await_by(parent.promise());
            child_.promise().schedule();
        }
        T await_resume() { return child_.promise().take(); }

      private:
        Handle child_;
    };
    /// The Task itself stays in the awaiting frame until the statement ends, so that cancelling the parent cancels it, too.
    Awaiter operator co_await() && { return Awaiter(handle_); }
    Awaiter operator co_await() & { return Awaiter(handle_); }

  private:
    void destroy() {
        if (handle_) std::exchange(handle_, {}).destroy();
    }
    Handle handle_{};
};

template <class T>
Task<T> Promise<T>::get_return_object() {
    return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() { return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this)); }

/// Wakes a coroutine at a time. `co_await sleep_until(when);`
class Sleep {
  public:
    explicit Sleep(MonoTime when) : when_(when) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> self) {
        timer_.emplace(self.promise());
        timer_->arm(when_);
    }
    void await_resume() { timer_.reset(); }

  private:
    class Wake final : public Timer {
      public:
        explicit Wake(PromiseBase& promise) : Timer(promise.scheduler()), promise_(promise) {}

      private:
        void fire() override { promise_.schedule(); }
        PromiseBase& promise_;
    };
    MonoTime when_;
    std::optional<Wake> timer_;
};
inline Sleep sleep_until(MonoTime when) { return Sleep(when); }

}  // namespace mxtrust::task
