// One worker: a thread with an event loop of its own and all that answers in it. Workers share the cache's store, the
// log, the status board, and answers that were prepared (preparer.h) and never change; nothing else. What one tells
// another is posted to the other's loop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "cache/lmdb_cache.h"
#include "daemon/anchors.h"
#include "daemon/mta_sts.h"
#include "daemon/sockets.h"
#include "log/log.h"
#include "net/loop.h"
#include "net/uv_network.h"
#include "resolve/forward_ares.h"
#include "resolve/forward_board.h"
#include "resolve/resolver.h"
#include "route/lookups.h"
#include "route/recheck.h"
#include "route/router.h"
#include "serve/dns_server.h"
#include "serve/metrics.h"
#include "serve/postfix_server.h"
#include "serve/query_server.h"
#include "serve/status.h"

namespace mxtrust::daemon {

struct WorkerSettings {
    resolve::Settings resolver;
    route::RouteSettings route;
    route::Recheck::Limits recheck;
    sts::PolicySettings policies;
    serve::DnsSettings dns;
    serve::QueryLimits query;
    serve::PostfixLimits postfix;
};

/// What a reload changes in a worker.
struct Change {
    dnssec::NegativeAnchors negative_anchors;
    std::vector<dns::Name> renewed;  ///< whose negative trust anchor came, went or is another
    route::RouteSettings route;      ///< the options of it
    std::chrono::seconds recheck_interval{3600};
    serve::DnsSettings dns;  ///< all but limits
};

class Worker {
  public:
    struct Shared {  ///< outlives the workers
        Clock& clock;
        log::Log& log;
        serve::StatusBoard& board;
        resolve::ForwarderBoard& forwarders;
        sts::FetchThread* fetching;  ///< none: MTA-STS is switched off
        /// Reads the configuration again; what it is given is called in any thread.
        std::function<void(std::function<void(const serve::Reload&)>)> reload;
    };
    /// An answer that was made before anybody asked, and what is said of it.
    struct ReadyAnswer {
        route::MailAnswerRef answer;
        std::shared_ptr<const std::string> body;
    };
    using Ready = std::vector<ReadyAnswer>;
    /// Tells all other workers to forget a name.
    using TellOthers = std::function<void(const dns::Name& name, serve::Extent extent)>;

    /// `policies`: where those of MTA-STS are kept; not needed where it is switched off.
    Worker(std::size_t number, const WorkerSettings& settings, Shared shared, std::unique_ptr<cache::Cache> cache,
           std::unique_ptr<cache::Cache> policies, TellOthers tell_others);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Begins to answer on these sockets. Requires: not running yet.
    Done listen(Sockets sockets);
    /// Asks the root for its name servers now and then, and tells the log and the board how that went. One worker does
    /// it.
    void watch_root();
    /// Looks after the forwarders now and then. `fallback` says who may stand in for recursion (read again each time).
    /// One worker does it.
    void watch_forwarders(std::function<std::vector<Endpoint>()> fallback);
    /// Looks at the trust anchors' zones when it is time to, for rollovers (RFC 5011). `changed` is called where other
    /// anchors are in force since. One worker does it.
    void watch_anchors(AnchorKeeper& keeper, std::function<void()> changed);
    /// Gives the daemon's figures out. One worker does it.
    Done serve_metrics(net::Listening listening);
    /// From any thread: other anchors are in force.
    void trust(dnssec::TrustAnchors anchors);
    /// Looks after the operator's word (route/recheck.h). One worker does it.
    void watch_operators_word();
    /// Fetches policies of MTA-STS again before they end. One worker does it.
    void watch_policies();
    /// Until stop().
    void run();
    /// From any thread: takes no more questions, answers those under way, and ends; after `most` in any case.
    void leave(Duration most);
    /// From any thread: `done` is called in this worker's thread.
    void apply(std::shared_ptr<const Change> change, std::function<void()> done);
    /// From another thread, after run() has begun in its own.
    void await_first_turn() const { last_turn_.wait(0); }
    /// From any thread: when its loop came round last, give or take a second; 0 before the first time.
    [[nodiscard]] MonoTime last_turn() const;
    /// From any thread: lets go of finished answers, which are made again of what the cache has; of nothing that was
    /// found out. What failed, who is slow, who asks too often stays known: nobody is asked more often for it. `done`
    /// is called in this worker's thread.
    void let_go(std::function<void()> done);
    /// From any thread: answers made of what the cache has had since before this worker was made. Nothing of them is
    /// taken where something was flushed or changed since.
    void take(std::shared_ptr<const Ready> ready);
    /// From any thread.
    void restrain(serve::Restraint restraint);
    /// From any thread: forgets what is kept in memory about a name.
    void forget(const dns::Name& name, serve::Extent extent);

  private:
    using Listeners = std::vector<std::unique_ptr<net::StreamServer>>;
    Done accept(Listeners& listeners, net::Listening listening, std::size_t most_connections, net::Greeter greet);
    task::Task<void> probe_root();
    void tell_who_stands_in(bool root_answers);
    task::Task<void> look_after_anchors(AnchorKeeper& keeper, std::function<void()> changed);
    task::Task<void> tend_forwarders(std::function<std::vector<Endpoint>()> fallback);
    std::size_t flush(const dns::Name& name, serve::Extent extent);
    void drop(const dns::Name& name, serve::Extent extent);
    void reload(std::function<void(const serve::Reload&)> told);
    void publish();
    [[nodiscard]] bool is_idle() const;
    void change(const Change& change);
    void forget_what_ended();
    void mind_the_clock();
    /// Keeps for the next run what would be missed.
    void note();

    std::size_t number_;
    Shared shared_;
    std::atomic<MonoTime::rep> last_turn_{0};
    std::optional<MonoTime> leaving_by_;
    WallTime wall_seen_{};  ///< with the next one: how the two clocks stood a moment ago
    std::optional<MonoTime> mono_seen_;
    TellOthers tell_others_;
    task::Condition clock_set_;  ///< rung when the wall clock has made a step
    net::UvLoop loop_;
    SystemRandom random_;
    net::UvNetwork network_;
    resolve::AresRelay relay_;
    std::unique_ptr<cache::Cache> cache_;
    resolve::Resolver resolver_;
    route::ResolverLookups lookups_;
    std::unique_ptr<MtaSts> sts_;
    route::Router router_;
    route::Recheck recheck_;
    serve::QueryServer query_;
    serve::PostfixServer postfix_;
    serve::DnsServer dns_;
    serve::MetricsServer metrics_;
    Listeners query_listeners_, postfix_listeners_, metrics_listeners_;
    std::size_t most_query_connections_, most_postfix_connections_;
    std::uint64_t first_epoch_;  ///< of the router, when it was made
    bool nobody_told_ = false;
    std::uint64_t demand_noted_ = 0;  ///< answers made then
    std::vector<dns::Name> ended_;    ///< negative trust anchors that have ended since the start
};

}  // namespace mxtrust::daemon
