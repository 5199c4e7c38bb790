// Several tasks side by side, taken as they end: the way this program hedges, races, and asks many things at once.
//
// Destroying a Gather cancels what is still running. It stays where it was made (usually in a coroutine's frame).
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "task/task.h"

namespace mxtrust::task {

template <class T>
class Gather {
  public:
    using Finished = std::pair<std::size_t, T>;

    /// At most `most_running` run at once; the others wait for their turn.
    explicit Gather(Scheduler& scheduler, std::size_t most_running = std::numeric_limits<std::size_t>::max())
        : scheduler_(scheduler), most_running_(most_running) {}
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;

    /// Returns the index by which next() will name it: 0, 1, 2 …
    std::size_t add(Task<T> task) {
        const std::size_t index = children_.size();
        children_.push_back(std::make_unique<Child>(*this, index, std::move(task)));
        waiting_.push_back(index);
        begin_more();
        return index;
    }
    /// Added, and not yet returned by next().
    [[nodiscard]] std::size_t pending() const { return running_ + waiting_.size() + finished_.size(); }

    class [[nodiscard]] Next {
      public:
        Next(Gather& gather, MonoTime deadline) : gather_(gather), deadline_(deadline) {}
        Next(const Next&) = delete;
        Next& operator=(const Next&) = delete;
        ~Next() { gather_.awaiting_ = nullptr; }
        [[nodiscard]] bool await_ready() const { return !gather_.finished_.empty() || gather_.pending() == 0; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self) {
            gather_.awaiting_ = &self.promise();
            timer_.emplace(self.promise());
            timer_->arm(deadline_);
        }
        std::optional<Finished> await_resume() {
            timer_.reset();
            gather_.awaiting_ = nullptr;
            return gather_.take();
        }

      private:
        class Wake final : public Timer {
          public:
            explicit Wake(PromiseBase& promise) : Timer(promise.scheduler()), promise_(promise) {}

          private:
            void fire() override { promise_.schedule(); }
            PromiseBase& promise_;
        };
        Gather& gather_;
        MonoTime deadline_;
        std::optional<Wake> timer_;
    };
    /// The next one that ended; nothing at the deadline, or at once where nothing is pending.
    Next next(MonoTime deadline) { return Next(*this, deadline); }

  private:
    class Child final : public CompletionSink {
      public:
        Child(Gather& gather, std::size_t index, Task<T> task) : gather_(gather), index_(index), task_(std::move(task)) {}
        void begin() { task_.start(gather_.scheduler_, *this); }
        void completed() noexcept override { gather_.ended(index_); }
        T take() { return task_.take(); }

      private:
        Gather& gather_;
        std::size_t index_;
        Task<T> task_;
    };

    void begin_more() {
        while (running_ < most_running_ && !waiting_.empty()) {
            const std::size_t index = waiting_.front();
            waiting_.pop_front();
            ++running_;
            children_[index]->begin();
        }
    }
    void ended(std::size_t index) {
        --running_;
        finished_.push_back(index);
        begin_more();
        if (awaiting_ != nullptr) awaiting_->schedule();
    }
    std::optional<Finished> take() {
        if (finished_.empty()) return std::nullopt;
        const std::size_t index = finished_.front();
        finished_.pop_front();
        std::unique_ptr<Child> child = std::move(children_[index]);
        return Finished(index, child->take());
    }

    Scheduler& scheduler_;
    std::size_t most_running_;
    std::size_t running_ = 0;
    std::deque<std::size_t> waiting_, finished_;
    PromiseBase* awaiting_ = nullptr;
    std::vector<std::unique_ptr<Child>> children_;  // last: its destruction cancels, and must find the rest alive
};

/// All of them, in the order given.
template <class T>
Task<std::vector<T>> when_all(Scheduler& scheduler, std::vector<Task<T>> tasks) {
    Gather<T> gather(scheduler);
    std::vector<std::optional<T>> places(tasks.size());
    for (Task<T>& task : tasks) gather.add(std::move(task));
    while (gather.pending() > 0) {
        std::optional<std::pair<std::size_t, T>> finished = co_await gather.next(MonoTime::max());
        if (finished) places[finished->first] = std::move(finished->second);
    }
    std::vector<T> all;
    for (std::optional<T>& place : places) all.push_back(std::move(*place));
    co_return all;
}

/// The task's result, or nothing where the deadline comes first; the task is cancelled then.
template <class T>
Task<std::optional<T>> with_deadline(Scheduler& scheduler, Task<T> task, MonoTime deadline) {
    Gather<T> gather(scheduler);
    gather.add(std::move(task));
    std::optional<std::pair<std::size_t, T>> finished = co_await gather.next(deadline);
    if (!finished) co_return std::nullopt;
    co_return std::optional<T>(std::move(finished->second));
}

}  // namespace mxtrust::task
