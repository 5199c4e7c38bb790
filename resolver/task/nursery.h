// Tasks that run for their effect and belong to something: a connection, a server, a scheduler. Destroying the nursery
// cancels those that still run.
#pragma once

#include <cstddef>
#include <list>

#include "task/task.h"

namespace mxtrust::task {

class Nursery final : private ReadyNode {
  public:
    /// The scheduler outlives the nursery, or the nursery is empty by then.
    explicit Nursery(Scheduler& scheduler) : scheduler_(scheduler) {}
    /// Not to be called from inside one of its own tasks; the last act of a task's frame (its parameters' destructors)
    /// may.
    ~Nursery() { cancel_all(); }

    void spawn(Task<void> task);
    void cancel_all();
    /// How many have not ended.
    [[nodiscard]] std::size_t size() const { return alive_.size(); }

  private:
    struct Child final : Finisher {
        Child(Nursery& owner, Task<void> work) : nursery(owner), task(std::move(work)) {}
        void finished() noexcept override;
        Nursery& nursery;
        Task<void> task;
        std::list<Child>::iterator self;
    };
    void run() override;

    Scheduler& scheduler_;
    std::list<Child> alive_;
    std::list<Child> ended_;  ///< their frames are destroyed from the ready queue, never on their own stack
};

}  // namespace mxtrust::task
