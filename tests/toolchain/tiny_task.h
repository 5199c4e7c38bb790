// The smallest task there can be: lazy, started by its awaiter, resumed by a queue. The toolchain test needs no more,
// so that what it shows is the compiler's doing and nobody else's.
#pragma once

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What may run next.
inline std::deque<std::coroutine_handle<>>& ready() {
    static std::deque<std::coroutine_handle<>> queue;
    return queue;
}

template <class T>
class [[nodiscard]] Task {
  public:
    struct promise_type {
        T value{};
        std::coroutine_handle<> parent;
        Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        struct Last {
            bool await_ready() noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                if (self.promise().parent) ready().push_back(self.promise().parent);
            }
            void await_resume() noexcept {}
        };
        Last final_suspend() noexcept { return {}; }
        void return_value(T result) { value = std::move(result); }
        void unhandled_exception() { std::abort(); }
    };
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task(const Task&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> parent) {
        handle_.promise().parent = parent;
        ready().push_back(handle_);
    }
    T await_resume() { return std::move(handle_.promise().value); }
    /// Runs until nothing is left to run.
    T run() {
        ready().push_back(handle_);
        while (!ready().empty()) {
            std::coroutine_handle<> next = ready().front();
            ready().pop_front();
            next.resume();
        }
        return std::move(handle_.promise().value);
    }

  private:
    std::coroutine_handle<promise_type> handle_;
};

/// Counts its lives: as many ends as beginnings, or the compiler has destroyed something twice or not at all.
struct Counted {
    static inline int alive = 0;
    static inline int twice = 0;
    const Counted* self = this;
    std::string text;
    Counted() { ++alive; }
    explicit Counted(std::string words) : text(std::move(words)) { ++alive; }
    Counted(const Counted& other) : text(other.text) { ++alive; }
    Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++alive; }
    Counted& operator=(const Counted& other) {
        text = other.text;
        return *this;
    }
    ~Counted() {
        --alive;
        if (self != this) ++twice;  // copied as bytes, or destroyed before
        self = nullptr;
    }
};

/// The verdict of one form, as an exit status.
inline int verdict(bool right) {
    const bool clean = Counted::alive == 0 && Counted::twice == 0;
    std::printf("%s (alive %d, twice %d)\n", right && clean ? "right" : "WRONG", Counted::alive, Counted::twice);
    return right && clean ? 0 : 1;
}
