// Makes the answers that were in demand before a restart (route/demand.h), or a share of them, once for all workers and
// in a thread of its own, so that nobody who asks meanwhile waits for it. It has no door, and asks nobody. When all are
// made it ends, and its view of the cache with it.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "daemon/worker.h"

namespace mxtrust::daemon {

/// Every `of`-th answer, beginning with the one of this number.
struct Share {
    std::size_t number = 0;
    std::size_t of = 1;
};

class Preparer {
  public:
    /// Called in the preparer's thread, for some answers at a time.
    using Give = std::function<void(std::shared_ptr<const Worker::Ready>)>;

    /// `cache` and `policies` as for a worker. What is shared, and whatever `give` refers to, outlives it.
    Preparer(Share share, const WorkerSettings& settings, const Worker::Shared& shared,
             std::unique_ptr<cache::Cache> cache, std::unique_ptr<cache::Cache> policies, Give give);
    /// Ends it where it is.
    ~Preparer();
    Preparer(const Preparer&) = delete;
    Preparer& operator=(const Preparer&) = delete;

    /// Once.
    void start();
    /// From any thread: makes no more of them.
    void stop();

  private:
    struct Parts;
    net::UvLoop loop_;
    std::unique_ptr<Parts> parts_;  ///< the thread's, while there is one
    std::thread thread_;
};

}  // namespace mxtrust::daemon
