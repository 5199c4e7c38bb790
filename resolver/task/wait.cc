// Waiting: a list through the waiters, each of which also is a timer. Whichever comes first ends both.
#include "task/wait.h"

namespace mxtrust::task {

void Wait::join() noexcept {
    if (condition_ == nullptr) return;
    linked_ = true;
    before_ = condition_->last_;
    (before_ == nullptr ? condition_->first_ : before_->after_) = this;
    condition_->last_ = this;
}

void Wait::leave() noexcept {
    if (!linked_) return;
    linked_ = false;
    (before_ == nullptr ? condition_->first_ : before_->after_) = after_;
    (after_ == nullptr ? condition_->last_ : after_->before_) = before_;
    before_ = nullptr;
    after_ = nullptr;
}

void Wait::ring() noexcept {
    leave();
    clear();
    rung_ = true;
    sleeper_->wake();
}

void Wait::expired() {
    leave();
    sleeper_->wake();
}

Condition::~Condition() {
    while (first_ != nullptr) first_->leave();
}

void Condition::ring_all() noexcept {
    while (ring_one()) {
    }
}

bool Condition::ring_one() noexcept {
    if (first_ == nullptr) return false;
    first_->ring();
    return true;
}

}  // namespace mxtrust::task
