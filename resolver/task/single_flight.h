// One execution for all who ask the same at the same time. The flight owns the work: an impatient asker who leaves does not
// cancel it for the others, and a flight that nobody waits for any more still ends by itself, so that a late result fills the cache.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "task/task.h"

namespace mxtrust::task {

template <class Key, class Value, class Hash = std::hash<Key>>
class SingleFlight {
  public:
    explicit SingleFlight(Scheduler& scheduler, std::size_t most = std::numeric_limits<std::size_t>::max())
        : scheduler_(scheduler), most_(most) {}
    SingleFlight(const SingleFlight&) = delete;
    SingleFlight& operator=(const SingleFlight&) = delete;

    /// Joins the flight for `key`, or begins one with `starter()` (which makes a Task<Value>). Nothing at the deadline, and nothing
    /// where `most` flights are under way already.
    template <class Starter>
    Task<std::optional<Value>> run(Key key, MonoTime deadline, Starter starter) {
        std::shared_ptr<Flight> flight;
        const auto found = flights_.find(key);
        if (found != flights_.end()) {
            flight = found->second;
        } else {
            if (flights_.size() >= most_) {
                ++refused_;
                co_return std::nullopt;
            }
            flight = std::make_shared<Flight>(*this, key, starter());
            flights_.emplace(key, flight);
            flight->begin(scheduler_);
        }
        Wait wait(flight, deadline);
        co_await wait;
        co_return flight->value;
    }
    [[nodiscard]] std::size_t in_flight() const { return flights_.size(); }
    [[nodiscard]] std::size_t refused() const { return refused_; }

  private:
    class Wait;
    class Flight final : public CompletionSink {
      public:
        Flight(SingleFlight& owner, Key key, Task<Value> task) : owner_(owner), key_(std::move(key)), task_(std::move(task)) {}
        void begin(Scheduler& scheduler) { task_.start(scheduler, *this); }
        void completed() noexcept override {
            value = task_.take();
            for (PromiseBase* promise : waiters) promise->schedule();
            owner_.land(key_);
        }
        std::optional<Value> value;
        std::vector<PromiseBase*> waiters;

      private:
        SingleFlight& owner_;
        Key key_;
        Task<Value> task_;
    };

    class Wait {
      public:
        Wait(std::shared_ptr<Flight> flight, MonoTime deadline) : flight_(std::move(flight)), deadline_(deadline) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() { leave(); }
        [[nodiscard]] bool await_ready() const { return flight_->value.has_value(); }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self) {
            promise_ = &self.promise();
            flight_->waiters.push_back(promise_);
            timer_.emplace(self.promise());
            timer_->arm(deadline_);
        }
        void await_resume() {
            timer_.reset();
            leave();
        }

      private:
        void leave() {
            if (promise_ != nullptr) std::erase(flight_->waiters, promise_);
            promise_ = nullptr;
        }
        class Wake final : public Timer {
          public:
            explicit Wake(PromiseBase& promise) : Timer(promise.scheduler()), promise_(promise) {}

          private:
            void fire() override { promise_.schedule(); }
            PromiseBase& promise_;
        };
        std::shared_ptr<Flight> flight_;
        MonoTime deadline_;
        PromiseBase* promise_ = nullptr;
        std::optional<Wake> timer_;
    };

    void land(const Key& key) {
        const auto found = flights_.find(key);
        if (found == flights_.end()) return;
        // The flight's coroutine is still on its last suspension: it is destroyed after that.
        scheduler_.bury(found->second);
        flights_.erase(found);
    }

    Scheduler& scheduler_;
    std::size_t most_;
    std::size_t refused_ = 0;
    std::unordered_map<Key, std::shared_ptr<Flight>, Hash> flights_;
};

}  // namespace mxtrust::task
