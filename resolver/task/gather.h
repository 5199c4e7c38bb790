// Several tasks side by side, taken as they finish: how the resolver hedges and races servers, and how all hosts of a
// mail domain are looked up at once under one deadline.
//
//     task::Gather<Reply> asking(scheduler);
//     asking.add(ask(first));
//     std::optional<std::pair<std::size_t, Reply>> finished = co_await asking.next(hedge_time);
//     if (!finished) asking.add(ask(second));
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "task/task.h"
#include "task/wait.h"

namespace mxtrust::task {

/// What Gather<T> hands out: T, or std::monostate for void.
template <class T>
using ValueOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
class Gather {
  public:
    using Finished = std::optional<std::pair<std::size_t, ValueOf<T>>>;

    /// At most `side_by_side` tasks run at a time; the others start, in order, as places become free.
    explicit Gather(Scheduler& scheduler, std::size_t side_by_side = std::numeric_limits<std::size_t>::max())
        : scheduler_(scheduler), side_by_side_(side_by_side) {
        require(side_by_side > 0);
    }
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;
    /// Destroying it cancels what has not finished. Members go in an order that suits: tasks before the condition they
    /// ring.
    ~Gather() { slots_.clear(); }

    /// Starts the task (it runs when the caller next awaits) and returns its index: 0, 1, 2 …
    std::size_t add(Task<T> task) {
        const std::size_t index = slots_.size();
        slots_.push_back(std::make_unique<Slot>(*this, index, std::move(task)));
        waiting_.push_back(index);
        ++pending_;
        start_waiting();
        return index;
    }

    /// The next one that finished, in the order they did; nullopt at the deadline (pending() > 0) or when nothing is
    /// left (pending() == 0). What has finished is handed out even after the deadline. One caller at a time.
    Task<Finished> next(MonoTime deadline) {
        bool in_time = true;
        while (finished_.empty() && pending_ > 0 && in_time) {
            in_time = co_await condition_.wait(deadline);
        }
        if (finished_.empty()) co_return Finished();
        co_return take_first();
    }

    /// Ends one task early, wherever it stands; it is never handed out then.
    void cancel(std::size_t index) {
        std::unique_ptr<Slot> gone = std::move(slots_.at(index));
        if (gone == nullptr) return;
        --pending_;
        if (gone->running) --running_;
        std::erase(waiting_, index);
        std::erase(finished_, index);
        gone.reset();
        start_waiting();
        condition_.ring_all();  // it may have been the last one that somebody waits for
    }

    /// Added, and neither handed out nor cancelled yet.
    [[nodiscard]] std::size_t pending() const { return pending_; }
    /// Of these, the ones that run right now.
    [[nodiscard]] std::size_t running() const { return running_; }

  private:
    struct Slot final : Finisher {
        Slot(Gather& owner, std::size_t number, Task<T> work) : gather(owner), index(number), task(std::move(work)) {}
        void finished() noexcept override {
            running = false;
            gather.ended(index);
        }
        Gather& gather;
        std::size_t index;
        bool running = false;
        Task<T> task;
    };

    void start_waiting() {
        while (!waiting_.empty() && running_ < side_by_side_) {
            Slot& slot = *slots_.at(waiting_.front());
            waiting_.pop_front();
            slot.running = true;
            ++running_;
            slot.task.start(scheduler_, slot);
        }
    }
    void ended(std::size_t index) noexcept {
        --running_;
        finished_.push_back(index);
        start_waiting();
        condition_.ring_all();
    }
    Finished take_first() {
        const std::size_t index = finished_.front();
        finished_.pop_front();
        --pending_;
        const std::unique_ptr<Slot> slot = std::move(slots_.at(index));
        if constexpr (std::is_void_v<T>) {
            slot->task.take();
            return Finished(std::in_place, index, std::monostate());
        } else {
            return Finished(std::in_place, index, slot->task.take());
        }
    }

    Scheduler& scheduler_;
    std::size_t side_by_side_;
    std::size_t pending_ = 0;
    std::size_t running_ = 0;
    Condition condition_;
    std::deque<std::size_t> waiting_;   ///< added, not started
    std::deque<std::size_t> finished_;  ///< ended, not handed out
    std::vector<std::unique_ptr<Slot>> slots_;
};

/// All results, in the order of the tasks.
template <class T>
    requires(!std::is_void_v<T>)
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
    Scheduler* scheduler = co_await this_scheduler();
    Gather<T> gather(*scheduler);
    for (Task<T>& task : tasks) gather.add(std::move(task));
    std::vector<std::optional<T>> found(tasks.size());
    while (gather.pending() > 0) {
        typename Gather<T>::Finished finished = co_await gather.next(never);
        found.at(finished->first).emplace(std::move(finished->second));
    }
    std::vector<T> results;
    results.reserve(found.size());
    for (std::optional<T>& one : found) results.push_back(std::move(*one));
    co_return results;
}

inline Task<void> when_all(std::vector<Task<void>> tasks) {
    Scheduler* scheduler = co_await this_scheduler();
    Gather<void> gather(*scheduler);
    for (Task<void>& task : tasks) gather.add(std::move(task));
    while (gather.pending() > 0) co_await gather.next(never);
}

/// The task's result, or nullopt when the deadline came first; the task is cancelled then.
template <class T>
Task<std::optional<ValueOf<T>>> with_deadline(Task<T> task, MonoTime deadline) {
    Scheduler* scheduler = co_await this_scheduler();
    Gather<T> gather(*scheduler);
    gather.add(std::move(task));
    typename Gather<T>::Finished finished = co_await gather.next(deadline);
    if (!finished) co_return std::nullopt;
    co_return std::move(finished->second);
}

}  // namespace mxtrust::task
