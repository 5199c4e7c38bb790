// Workers are made before the first thread runs, and are gone after the last has ended.
#include "daemon/crew.h"

#include <algorithm>
#include <atomic>

#include "cache/lmdb_cache.h"
#include "cache/memory_cache.h"

namespace mxtrust::daemon {

namespace {

/// A worker's own; in memory where the disk does not allow a store now.
std::unique_ptr<cache::Cache> view_of(cache::LmdbStore* store) {
    if (store != nullptr) return store->view();
    return std::make_unique<cache::MemoryCache>();
}

/// For the tenth of a second after a start in which they have something to do: one leaves a small machine to whoever
/// asks, two are ahead of anybody who asks for one answer after the other.
std::size_t preparer_count() {
    return std::thread::hardware_concurrency() > 2 ? 2 : 1;
}

}  // namespace

Done Crew::hire(std::size_t count, WorkerSettings settings, const Worker::Shared& shared, const Stores& stores,
                const Sockets& sockets, FallbackList fallback, AnchorKeeper& anchors) {
    settings.dns.takers = count == 1 ? net::Takers::one : net::Takers::several;
    for (std::size_t number = 0; number < count; ++number) {
        std::unique_ptr<cache::Cache> cache = view_of(stores.answers.get());
        std::unique_ptr<cache::Cache> policies = view_of(stores.policies.get());
        const auto tell_others = [this, number](const dns::Name& name, serve::Extent extent) {
            for (std::size_t other = 0; other < workers_.size(); ++other) {
                if (other != number) workers_[other]->forget(name, extent);
            }
        };
        workers_.push_back(
            std::make_unique<Worker>(number, settings, shared, std::move(cache), std::move(policies), tell_others));
        auto copies = sockets.duplicate();
        if (!copies) return fail(copies.error());
        Done listening = workers_.back()->listen(std::move(*copies));
        if (!listening) return listening;
    }
    for (const net::Listening& listening : sockets.metrics) {
        auto copy = listening.duplicate();
        if (!copy) return fail(copy.error());
        Done serving = workers_.front()->serve_metrics(std::move(*copy));
        if (!serving) return serving;
    }
    workers_.front()->watch_root();
    workers_.front()->watch_forwarders(std::move(fallback));
    workers_.front()->watch_operators_word();
    workers_.front()->watch_anchors(anchors, [this, &anchors] {
        for (const auto& worker : workers_) worker->trust(anchors.in_force());
    });
    workers_.front()->watch_policies();
    if (stores.answers && settings.route.refresh_ahead) {
        const auto give = [this](const std::shared_ptr<const Worker::Ready>& ready) {
            for (const auto& worker : workers_) worker->take(ready);
        };
        const std::size_t preparers = preparer_count();
        for (std::size_t number = 0; number < preparers; ++number) {
            preparers_.push_back(std::make_unique<Preparer>(Share{number, preparers}, settings, shared,
                                                            view_of(stores.answers.get()),
                                                            view_of(stores.policies.get()), give));
        }
    }
    return {};
}

void Crew::start() {
    for (const auto& preparer : preparers_) preparer->start();
    for (const auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
    for (const auto& worker : workers_) worker->await_first_turn();
}

void Crew::stop() {
    for (const auto& preparer : preparers_) preparer->stop();
    for (const auto& worker : workers_) worker->leave(leave);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    preparers_.clear();
    workers_.clear();
}

void Crew::apply(std::shared_ptr<const Change> change, std::function<void()> finished) {
    const std::function<void()> done = when_all(std::move(finished));
    for (const auto& worker : workers_) worker->apply(change, done);
}

void Crew::let_go(std::function<void()> finished) {
    for (const auto& preparer : preparers_) preparer->stop();
    const std::function<void()> done = when_all(std::move(finished));
    for (const auto& worker : workers_) worker->let_go(done);
}

void Crew::restrain(serve::Restraint restraint) {
    for (const auto& worker : workers_) worker->restrain(restraint);
}

std::function<void()> Crew::when_all(std::function<void()> finished) const {
    const auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    const auto told = std::make_shared<const std::function<void()>>(std::move(finished));
    return [left, told] {
        if (left->fetch_sub(1) == 1) (*told)();
    };
}

Duration Crew::longest_turn(MonoTime now) const {
    Duration longest{0};
    for (const auto& worker : workers_)
        longest = std::max(longest, std::chrono::duration_cast<Duration>(now - worker->last_turn()));
    return longest;
}

}  // namespace mxtrust::daemon
