// The ready queue (a linked list through the nodes) and the timers (a binary heap of borrowed nodes, each of which
// knows its place, so that cancelling one costs no search).
#include "task/scheduler.h"

#include <tuple>
#include <utility>

#include "base/require.h"
#include "task/nursery.h"
#include "task/task.h"

namespace mxtrust::task {

Scheduler::Scheduler(const Clock& clock) : clock_(clock), nursery_(std::make_unique<Nursery>(*this)) {}

Scheduler::~Scheduler() {
    require(!running_);
    nursery_.reset();
    // Others may outlive us (a Gather in somebody's member): they must not find us when they unlink.
    while (first_ != nullptr) remove(*first_);
    while (!heap_.empty()) remove(*heap_.back());
}

void Scheduler::spawn(Task<void> task) {
    nursery_->spawn(std::move(task));
}
std::size_t Scheduler::spawned() const {
    return nursery_->size();
}
void Scheduler::cancel_all() {
    nursery_->cancel_all();
}

void Scheduler::post(ReadyNode& node) noexcept {
    if (node.queue_ != nullptr) return;
    node.queue_ = this;
    node.before_ = last_;
    node.after_ = nullptr;
    (last_ == nullptr ? first_ : last_->after_) = &node;
    last_ = &node;
}

void Scheduler::remove(ReadyNode& node) noexcept {
    (node.before_ == nullptr ? first_ : node.before_->after_) = node.after_;
    (node.after_ == nullptr ? last_ : node.after_->before_) = node.before_;
    node.queue_ = nullptr;
    node.before_ = nullptr;
    node.after_ = nullptr;
}

std::size_t Scheduler::run_ready(std::size_t most) {
    require(!running_);  // from inside a coroutine this would resume others on top of it
    running_ = true;
    std::size_t ran = 0;
    while (first_ != nullptr && ran < most) {
        ReadyNode& node = *first_;
        remove(node);
        node.run();  // the node may be gone afterwards
        ++ran;
    }
    running_ = false;
    return ran;
}

std::size_t Scheduler::run_due() {
    return run_due(clock_.mono());
}

std::size_t Scheduler::run_due(MonoTime now) {
    require(!running_);
    running_ = true;
    // One moment, and no timer that is set from here on: a timer that sets itself to "now" cannot hold us.
    const std::uint64_t until = timers_set_;
    std::size_t expired = 0;
    while (!heap_.empty() && heap_.front()->when_ <= now && heap_.front()->order_ < until) {
        TimerNode& node = *heap_.front();
        remove(node);
        node.expired();  // the node may be gone afterwards
        ++expired;
    }
    running_ = false;
    return expired;
}

std::optional<MonoTime> Scheduler::next_timer() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front()->when_;
}

void TimerNode::set(Scheduler& scheduler, MonoTime when) {
    clear();
    if (when != never) scheduler.insert(*this, when);
}

bool Scheduler::is_before(const TimerNode& left, const TimerNode& right) {
    return std::tie(left.when_, left.order_) < std::tie(right.when_, right.order_);
}

void Scheduler::insert(TimerNode& node, MonoTime when) {
    node.timers_ = this;
    node.when_ = when;
    node.order_ = timers_set_++;
    heap_.push_back(&node);
    node.position_ = heap_.size() - 1;
    rise(node.position_);
}

void Scheduler::remove(TimerNode& node) noexcept {
    const std::size_t hole = node.position_;
    node.timers_ = nullptr;
    TimerNode& filler = *heap_.back();
    heap_.pop_back();
    if (&filler == &node) return;
    place(filler, hole);
    rise(hole);
    sink(filler.position_);
}

void Scheduler::place(TimerNode& node, std::size_t position) noexcept {
    heap_[position] = &node;
    node.position_ = position;
}

void Scheduler::rise(std::size_t position) noexcept {
    TimerNode& node = *heap_[position];
    while (position > 0) {
        TimerNode& above = *heap_[(position - 1) / 2];
        if (!is_before(node, above)) break;
        const std::size_t higher = above.position_;
        place(above, position);
        position = higher;
    }
    place(node, position);
}

void Scheduler::sink(std::size_t position) noexcept {
    TimerNode& node = *heap_[position];
    for (std::size_t below = 2 * position + 1; below < heap_.size(); below = 2 * position + 1) {
        if (below + 1 < heap_.size() && is_before(*heap_[below + 1], *heap_[below])) ++below;
        if (!is_before(*heap_[below], node)) break;
        place(*heap_[below], position);
        position = below;
    }
    place(node, position);
}

}  // namespace mxtrust::task
