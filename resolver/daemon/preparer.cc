// The same parts as a worker's, of which only what looks into the cache is used.
#include "daemon/preparer.h"

#include "route/demand.h"
#include "serve/render.h"

namespace mxtrust::daemon {
namespace {

constexpr std::size_t given_at_once = 16;  // a millisecond's work: a worker is woken for some, not for each

/// What is at hand, and no more: neither is the root asked who its servers are, nor is anything renewed ahead of its
/// end because it was looked at.
resolve::Settings asking_nobody(resolve::Settings settings) {
    settings.prime_root = resolve::Switch::off;
    settings.prefetch = resolve::Switch::off;
    return settings;
}

std::vector<std::string> part_of(const std::vector<std::string>& all, Share share) {
    std::vector<std::string> part;
    for (std::size_t place = share.number; place < all.size(); place += share.of) part.push_back(all[place]);
    return part;
}

}  // namespace

struct Preparer::Parts {
    Parts(Share to_make, const WorkerSettings& settings, const Worker::Shared& shared,
          std::unique_ptr<cache::Cache> given, std::unique_ptr<cache::Cache> policies, Give to_give, net::UvLoop& in)
        : clock(shared.clock),
          share(to_make),
          give(std::move(to_give)),
          loop(in),
          network(loop, random),
          cache(std::move(given)),
          resolver(asking_nobody(settings.resolver),
                   {shared.clock, random, network, *cache, shared.log, loop, nullptr, &shared.forwarders}),
          lookups(resolver),
          sts(MtaSts::make(settings.policies, shared.fetching, std::move(policies), shared.clock, resolver, loop)),
          router(settings.route, {shared.clock, lookups, *cache, loop, sts.get()}) {
        loop.spawn(prepare_all());
    }
    /// Coroutines refer to the parts: they end first.
    ~Parts() { loop.cancel_all(); }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    task::Task<void> prepare_all() {
        std::vector<std::string> destinations = part_of(route::noted_demand(*cache, clock.wall()), share);
        std::function<void(const route::MailAnswerRef&)> note = [this](const route::MailAnswerRef& answer) {
            made.push_back({answer, std::make_shared<const std::string>(serve::render_mail_body(*answer))});
            if (made.size() == given_at_once) give_what_is_made();
        };
        co_await router.prepare(std::move(destinations), std::move(note));
        give_what_is_made();
        loop.stop();
    }

    void give_what_is_made() {
        if (!made.empty()) give(std::make_shared<const Worker::Ready>(std::move(made)));
        made.clear();
    }

    const Clock& clock;
    const Share share;
    Give give;
    Worker::Ready made;
    net::UvLoop& loop;
    SystemRandom random;
    net::UvNetwork network;
    std::unique_ptr<cache::Cache> cache;
    resolve::Resolver resolver;
    route::ResolverLookups lookups;
    std::unique_ptr<MtaSts> sts;
    route::Router router;
};

Preparer::Preparer(Share share, const WorkerSettings& settings, const Worker::Shared& shared,
                   std::unique_ptr<cache::Cache> cache, std::unique_ptr<cache::Cache> policies, Give give)
    : loop_(shared.clock),
      parts_(std::make_unique<Parts>(share, settings, shared, std::move(cache), std::move(policies), std::move(give),
                                     loop_)) {}

Preparer::~Preparer() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Preparer::start() {
    thread_ = std::thread([this] {
        loop_.run();
        // Its view of the store goes now: what a reader may still want to read is not written over.
        parts_.reset();
    });
}

void Preparer::stop() {
    loop_.post([this] { loop_.stop(); });
}

}  // namespace mxtrust::daemon
