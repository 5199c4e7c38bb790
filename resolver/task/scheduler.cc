#include "task/scheduler.h"

#include <algorithm>

#include "task/task.h"

namespace mxtrust::task {

void Timer::arm(MonoTime when) {
    disarm();
    place_ = scheduler_.timers_.emplace(when, this);
    armed_ = true;
    if (place_ == scheduler_.timers_.begin()) scheduler_.changed();
}

void Timer::disarm() {
    if (!armed_) return;
    scheduler_.timers_.erase(place_);
    armed_ = false;
}

/// A task that nobody awaits.
class Scheduler::Spawned final : public CompletionSink {
  public:
    explicit Spawned(Task<void> task) : task_(std::move(task)) {}
    void begin(Scheduler& scheduler) { task_.start(scheduler, *this); }
    void completed() noexcept override { done_ = true; }
    [[nodiscard]] bool is_done() const { return done_; }

  private:
    Task<void> task_;
    bool done_ = false;
};

Scheduler::Scheduler() { queue_.next_ = queue_.previous_ = &queue_; }

Scheduler::~Scheduler() {
    destroy_spawned();
    graveyard_.clear();
    queue_.next_ = queue_.previous_ = nullptr;
}

void Scheduler::spawn(Task<void> task) {
    auto spawned = std::make_shared<Spawned>(std::move(task));
    spawned_.push_back(spawned);
    spawned->begin(*this);
}

void Scheduler::destroy_spawned() {
    std::vector<std::shared_ptr<Spawned>> doomed = std::move(spawned_);
    spawned_.clear();
    doomed.clear();
    graveyard_.clear();
}

void Scheduler::enqueue(Ready& ready) {
    const bool was_idle = !has_ready();
    ready.previous_ = queue_.previous_;
    ready.next_ = &queue_;
    queue_.previous_->next_ = &ready;
    queue_.previous_ = &ready;
    if (was_idle && !running_) changed();
}

void Scheduler::run_ready() {
    running_ = true;
    while (has_ready()) {
        Ready& first = *queue_.next_;
        first.unlink();
        first.handle_.resume();
        reap();
    }
    running_ = false;
}

void Scheduler::reap() {
    // What is destroyed here may end other things in turn.
    while (!graveyard_.empty()) {
        std::vector<std::shared_ptr<void>> dead;
        dead.swap(graveyard_);
    }
    std::erase_if(spawned_, [](const std::shared_ptr<Spawned>& spawned) { return spawned->is_done(); });
}

void Scheduler::fire_timers() {
    const MonoTime current = now();
    while (!timers_.empty() && timers_.begin()->first <= current) {
        Timer* timer = timers_.begin()->second;
        timer->disarm();
        timer->fire();
    }
}

MonoTime Scheduler::next_timer() const { return timers_.empty() ? MonoTime::max() : timers_.begin()->first; }

}  // namespace mxtrust::task
