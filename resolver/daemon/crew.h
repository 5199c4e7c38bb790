// All workers with their threads: what one flushes all forget, what is changed is changed in all.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "cache/store.h"
#include "daemon/anchors.h"
#include "daemon/preparer.h"
#include "daemon/sockets.h"
#include "daemon/worker.h"

namespace mxtrust::daemon {

using FallbackList = std::function<std::vector<Endpoint>()>;

/// What is kept on disk: answers, and policies of MTA-STS, which hold until they end and never go for room. None: in
/// memory.
struct Stores {
    std::unique_ptr<cache::LmdbStore> answers;
    std::unique_ptr<cache::LmdbStore> policies;
};

class Crew {
  public:
    /// How long those under way may take when the daemon is told to end: an MTA waits 5 s, and most answers are there
    /// within 1.
    static constexpr Duration leave{8000};

    /// Workers with sockets, not yet running. A store that is null: each keeps its own in memory.
    Done hire(std::size_t count, WorkerSettings settings, const Worker::Shared& shared, const Stores& stores,
              const Sockets& sockets, FallbackList fallback, AnchorKeeper& anchors);
    /// Returns when each of them has come round: whoever asks from now on is answered.
    void start();
    /// Takes no more questions, answers those under way within `leave`, ends.
    void stop();
    /// From any thread; `finished` is called in a worker's thread when all have taken the change over.
    void apply(std::shared_ptr<const Change> change, std::function<void()> finished);
    /// From any thread: all let go of what they keep only for speed; `finished` is called in a worker's thread when all
    /// have.
    void let_go(std::function<void()> finished);
    /// From any thread.
    void restrain(serve::Restraint restraint);
    /// The longest time since one of them came round.
    [[nodiscard]] Duration longest_turn(MonoTime now) const;

  private:
    /// To be given to each of them; the last one to call it calls `finished`.
    [[nodiscard]] std::function<void()> when_all(std::function<void()> finished) const;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
    std::vector<std::unique_ptr<Preparer>> preparers_;  ///< give to the workers: go before them
};

}  // namespace mxtrust::daemon
