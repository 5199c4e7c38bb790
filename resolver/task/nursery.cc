// Keeping tasks until they end. A task that ended is moved aside at once and its frame destroyed from the ready queue.
#include "task/nursery.h"

#include <iterator>
#include <utility>

namespace mxtrust::task {

void Nursery::spawn(Task<void> task) {
    require(!task.is_empty());
    Child& child = alive_.emplace_back(*this, std::move(task));
    child.self = std::prev(alive_.end());
    child.task.start(scheduler_, child);
}

void Nursery::Child::finished() noexcept {
    nursery.ended_.splice(nursery.ended_.end(), nursery.alive_, self);
    nursery.scheduler_.post(nursery);
}

void Nursery::run() {
    // What a frame held may have been the last owner of this very nursery: nothing of it is touched after the swap.
    std::list<Child> gone;
    gone.swap(ended_);
}

void Nursery::cancel_all() {
    withdraw();
    std::list<Child> gone;
    gone.splice(gone.end(), ended_);
    // One by one: destroying a frame may run code that looks at this nursery.
    while (!alive_.empty()) {
        gone.splice(gone.end(), alive_, alive_.begin());
        gone.clear();
    }
}

}  // namespace mxtrust::task
