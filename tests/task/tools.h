// What the tests of this room share: a virtual-time world and an object that counts its lives.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "task/gather.h"
#include "task/manual.h"
#include "task/single_flight.h"
#include "task/task.h"
#include "task/wait.h"

namespace mxtrust::task {

using namespace std::chrono_literals;

struct World {
    ManualClock clock{WallTime{1'000'000'000}};
    ManualScheduler scheduler{clock};
    [[nodiscard]] MonoTime at(Duration span) const { return MonoTime{} + span; }
};

/// Counts the objects that live: a frame that is destroyed twice or never shows up here.
class Counted {
  public:
    Counted(int* alive, std::string text) : alive_(alive), text_(std::move(text)) { ++*alive_; }
    Counted(const Counted& other) : alive_(other.alive_), text_(other.text_) { ++*alive_; }
    Counted(Counted&& other) noexcept : alive_(other.alive_), text_(std::move(other.text_)) { ++*alive_; }
    Counted& operator=(const Counted&) = default;
    Counted& operator=(Counted&&) noexcept = default;
    ~Counted() { --*alive_; }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    int* alive_;
    std::string text_;
};

inline const char* const long_text = "a text that is longer than any small string";

/// Yields `value` at `when`, in the test's log before that.
inline Task<int> later(MonoTime when, int value) {
    co_await sleep_until(when);
    co_return value;
}
/// Sleeps with something in its frame.
inline Task<int> hold(Counted held, MonoTime when) {
    co_await sleep_until(when);
    co_return static_cast<int>(held.text().size());
}
inline Task<int> at_once(int value) {
    co_return value;
}

}  // namespace mxtrust::task
