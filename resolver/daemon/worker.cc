// The order of the members is the order of construction; destruction goes the other way, after everything that runs was
// cancelled.
#include "daemon/worker.h"

#include <algorithm>

#include "route/demand.h"
#include "task/task.h"
#include "task/wait.h"

namespace mxtrust::daemon {
namespace {

constexpr Duration publish_period{1000};
/// How long a probe may take, and when the next one is: soon while the root cannot be trusted.
constexpr Duration probe_time{10000};
constexpr Duration probe_period_good{3600000};
constexpr Duration probe_period_bad{30000};
constexpr Duration tend_period{10000};
constexpr Duration anchor_period{1000};
constexpr Duration note_period{60000};
/// How often a leaving worker looks whether all are served.
constexpr Duration leave_period{10};
/// Between two looks at both clocks: more than what a busy loop and NTP's slewing come to, and what is worth a line.
constexpr std::chrono::seconds least_step{2};
constexpr std::chrono::seconds least_told_step{60};

/// "2026-11-22 13:00 UTC"
std::string clock_words(WallTime time) {
    const std::string words = dnssec::until_in_words(WallTime{time.seconds - time.seconds % 60});
    return words.starts_with("until ") ? words.substr(6) : "midnight after " + words.substr(14);
}

}  // namespace

Worker::Worker(std::size_t number, const WorkerSettings& settings, Shared shared, std::unique_ptr<cache::Cache> cache,
               std::unique_ptr<cache::Cache> policies, TellOthers tell_others)
    : number_(number),
      shared_(std::move(shared)),
      tell_others_(std::move(tell_others)),
      loop_(shared_.clock),
      network_(loop_, random_),
      relay_(loop_, random_),
      cache_(std::move(cache)),
      resolver_(settings.resolver,
                {shared_.clock, random_, network_, *cache_, shared_.log, loop_, &relay_, &shared_.forwarders}),
      lookups_(resolver_),
      sts_(MtaSts::make(settings.policies, shared_.fetching, std::move(policies), shared_.clock, resolver_, loop_)),
      router_(settings.route, {shared_.clock, lookups_, *cache_, loop_, sts_.get()}),
      recheck_(settings.recheck, settings.route.options, {shared_.clock, random_, lookups_, loop_, shared_.log},
               [this](const std::vector<route::WordStanding>& words) { shared_.board.set_words(words); }),
      query_(
          settings.query, {shared_.clock, resolver_, router_, *cache_, loop_, shared_.log, shared_.board},
          [this](const dns::Name& name, serve::Extent extent) { return flush(name, extent); }, [this] { publish(); },
          [this](std::function<void(const serve::Reload&)> told) { reload(std::move(told)); }),
      postfix_(settings.postfix, {shared_.clock, router_, loop_, shared_.log, random_}),
      dns_(settings.dns, {shared_.clock, resolver_, router_, loop_, shared_.log}),
      metrics_([this] {
          publish();
          return serve::render_metrics(
              shared_.board.status(shared_.clock.wall(), shared_.clock.mono(), cache_->counters()));
      }),
      most_query_connections_(settings.query.most_connections),
      most_postfix_connections_(settings.postfix.most_connections),
      first_epoch_(router_.epoch()) {
    loop_.every(publish_period, [this] {
        last_turn_ = shared_.clock.mono().time_since_epoch().count();
        mind_the_clock();
        forget_what_ended();
        publish();
    });
    resolver_.recall_servers(number_);
    loop_.every(note_period, [this] { note(); });
    loop_.post([this] {
        last_turn_ = std::max<MonoTime::rep>(shared_.clock.mono().time_since_epoch().count(), 1);
        last_turn_.notify_all();
    });
}

Worker::~Worker() {
    // Coroutines refer to all of the above: they end first.
    loop_.cancel_all();
}

Done Worker::listen(Sockets sockets) {
    for (net::Listening& listening : sockets.query) {
        const auto greet = [this](net::ConnectionRef connection) { return query_.greet(std::move(connection)); };
        Done done = accept(query_listeners_, std::move(listening), most_query_connections_, greet);
        if (!done) return done;
    }
    for (net::Listening& listening : sockets.postfix) {
        const auto greet = [this](net::ConnectionRef connection) { return postfix_.greet(std::move(connection)); };
        Done done = accept(postfix_listeners_, std::move(listening), most_postfix_connections_, greet);
        if (!done) return done;
    }
    for (net::Listening& listening : sockets.udp) {
        Done done = dns_.listen_udp(loop_, std::move(listening));
        if (!done) return done;
    }
    for (net::Listening& listening : sockets.tcp) {
        Done done = dns_.listen_tcp(loop_, std::move(listening));
        if (!done) return done;
    }
    return {};
}

Done Worker::accept(Listeners& listeners, net::Listening listening, std::size_t most_connections, net::Greeter greet) {
    auto server = net::StreamServer::start(loop_, std::move(listening), most_connections, std::move(greet));
    if (!server) return fail(server.error());
    listeners.push_back(std::move(*server));
    return {};
}

Done Worker::serve_metrics(net::Listening listening) {
    const auto greet = [this](net::ConnectionRef connection) { return metrics_.greet(std::move(connection)); };
    return accept(metrics_listeners_, std::move(listening), serve::MetricsServer::most_connections, greet);
}

void Worker::watch_operators_word() {
    loop_.every(publish_period, [this] { recheck_.tick(); });
    loop_.spawn(recheck_.run());
}

/// What was judged under a negative trust anchor is capped to its end. It goes all the same: a clock that is set back
/// would bring it back.
void Worker::forget_what_ended() {
    const dnssec::NegativeAnchors& anchors = resolver_.settings().negative_anchors;
    for (const dnssec::NegativeAnchor& anchor : anchors.all()) {
        if (anchors.is_in_force(anchor, shared_.clock.wall())) continue;
        if (std::find(ended_.begin(), ended_.end(), anchor.name) != ended_.end()) continue;
        ended_.push_back(anchor.name);
        cache_->flush(anchor.name, true);
        resolver_.flush(anchor.name, true);
        router_.forget();
        dns_.forget();
    }
}

void Worker::watch_anchors(AnchorKeeper& keeper, std::function<void()> changed) {
    shared_.board.set_anchors(keeper.report());
    if (keeper.settings().follows) loop_.spawn(look_after_anchors(keeper, std::move(changed)));
}

/// The keeper outlives the task.
task::Task<void> Worker::look_after_anchors(AnchorKeeper& keeper, std::function<void()> changed) {
    while (true) {
        shared_.board.set_anchors(keeper.report());  // writing the state may have failed since
        const std::vector<dns::Name> due = keeper.due();
        for (std::size_t index = 0; index < due.size(); ++index) {
            const dns::Name zone = due[index];
            BudgetRef budget = resolver_.budget(probe_time);
            dns::Name asked = zone;
            Result<dnssec::Observation> seen = co_await resolver_.observe_anchor(std::move(asked), std::move(budget));
            const bool others = keeper.observed(zone, seen);
            shared_.board.set_anchors(keeper.report());
            if (others) changed();
            if (!keeper.settings().signals) continue;
            BudgetRef another = resolver_.budget(probe_time);
            dns::Name told = zone;
            co_await resolver_.signal_trusted_keys(std::move(told), std::move(another));
        }
        // Whether it is time is the wall clock's business, which may be set meanwhile.
        const MonoTime next = shared_.clock.mono() + anchor_period;
        co_await task::sleep_until(next);
    }
}

void Worker::trust(dnssec::TrustAnchors anchors) {
    loop_.post([this, changed = std::move(anchors)] {
        resolver_.set_anchors(changed);
        cache_->flush(dns::Name(), true);
        router_.forget();
    });
}

/// What was found out while the clock was ahead would seem to be good for as long as it was set back. The store knows
/// when a record was made; what is kept in memory is forgotten. A clock that is set forwards ends things early, at
/// worst.
void Worker::mind_the_clock() {
    const WallTime wall = shared_.clock.wall();
    const MonoTime mono = shared_.clock.mono();
    if (mono_seen_) {
        const auto passed = std::chrono::duration_cast<std::chrono::seconds>(mono - *mono_seen_);
        const std::chrono::seconds step = (wall - wall_seen_) - passed;
        if (step < -least_step) {
            resolver_.flush(dns::Name(), true);
            router_.forget();
        }
        if (number_ == 0 && (step < -least_told_step || step > least_told_step)) {
            shared_.log.system_trouble("the clock was set " + std::string(step.count() < 0 ? "back" : "forwards") +
                                       " by " + std::to_string(std::abs(step.count())) + " s, to " + clock_words(wall));
            // Is it right now, or wrong? The root's signatures tell.
            clock_set_.ring_all();
        }
    }
    wall_seen_ = wall;
    mono_seen_ = mono;
}

void Worker::watch_root() {
    loop_.spawn(probe_root());
}

/// Where there are forwarders, their board tells what they are good for (resolve/forward_board.h); where there is none,
/// nobody else would.
void Worker::tell_who_stands_in(bool root_answers) {
    const bool nobody = !root_answers && shared_.forwarders.fallback().empty();
    if (nobody && !nobody_told_) {
        shared_.log.resolution_changed(
            "recursion is impossible, and nobody can stand in: [resolver] fallback is off, or "
            "resolv.conf names no name server but this daemon itself",
            false);
    }
    nobody_told_ = nobody;
}

task::Task<void> Worker::probe_root() {
    if (resolver_.validates_nothing()) {
        // Nothing is known of a root that others are asked about and nobody can check: that is not "insecure", which is
        // a proof.
        serve::RootProbe none{dnssec::Security::indeterminate, dnssec::Outcome::failure, {}, shared_.clock.wall()};
        none.reason.code = "ANTA"_code;
        none.reason.text = "nothing is validated: there is no trust anchor, and everything is forwarded";
        shared_.board.root_probed(std::move(none));
        co_return;
    }
    while (true) {
        BudgetRef budget = resolver_.budget(probe_time);
        Result<dnssec::FindingRef> probed = co_await resolver_.probe_root(std::move(budget));
        serve::RootProbe probe{dnssec::Security::indeterminate, dnssec::Outcome::failure, {}, shared_.clock.wall()};
        if (probed) {
            probe = {(*probed)->security(), (*probed)->outcome(), (*probed)->reason(), shared_.clock.wall()};
        } else {
            probe.reason.code = probed.error().code;
            probe.reason.text = probed.error().text;
        }
        const bool secure = probe.security == dnssec::Security::secure;
        tell_who_stands_in(probed.has_value());
        shared_.log.root_probe(secure, probe.reason);
        shared_.board.root_probed(std::move(probe));
        const MonoTime next = shared_.clock.mono() + (secure ? probe_period_good : probe_period_bad);
        co_await clock_set_.wait(next);
    }
}

void Worker::watch_forwarders(std::function<std::vector<Endpoint>()> fallback) {
    loop_.spawn(tend_forwarders(std::move(fallback)));
}

task::Task<void> Worker::tend_forwarders(std::function<std::vector<Endpoint>()> fallback) {
    while (true) {
        shared_.forwarders.set_fallback(fallback());
        co_await resolver_.tend_forwarders();
        const MonoTime next = shared_.clock.mono() + tend_period;
        co_await task::sleep_until(next);
    }
}

void Worker::watch_policies() {
    if (sts_) loop_.spawn(sts_->tend());
}

void Worker::run() {
    loop_.run();
    note();
    loop_.cancel_all();
}

void Worker::note() {
    resolver_.note_servers(number_);
    const std::uint64_t made = router_.counters().searches + router_.counters().renewed;
    if (made == demand_noted_) return;
    route::note_demand(router_.in_demand(route::most_prepared), number_, *cache_, shared_.clock.wall());
    demand_noted_ = made;
}

void Worker::leave(Duration most) {
    loop_.post([this, most] {
        leaving_by_ = shared_.clock.mono() + most;
        for (const Listeners* all : {&query_listeners_, &postfix_listeners_, &metrics_listeners_}) {
            for (const auto& listener : *all) listener->drain();
        }
        dns_.drain();
        loop_.every(leave_period, [this] {
            if (!is_idle() && shared_.clock.mono() < *leaving_by_) return;
            for (const Listeners* all : {&query_listeners_, &postfix_listeners_, &metrics_listeners_}) {
                for (const auto& listener : *all) listener->stop();
            }
            dns_.stop();
            loop_.stop();
        });
    });
}

bool Worker::is_idle() const {
    for (const Listeners* all : {&query_listeners_, &postfix_listeners_}) {
        for (const auto& listener : *all) {
            if (listener->connections() > 0) return false;
        }
    }
    return dns_.is_idle();
}

MonoTime Worker::last_turn() const {
    return MonoTime{MonoTime::duration{last_turn_.load()}};
}

/// The board's answer comes back in whatever thread; the asker lives in this one.
void Worker::reload(std::function<void(const serve::Reload&)> told) {
    shared_.reload(
        [this, told = std::move(told)](const serve::Reload& reload) { loop_.post([told, reload] { told(reload); }); });
}

void Worker::apply(std::shared_ptr<const Change> given, std::function<void()> done) {
    loop_.post([this, given = std::move(given), done = std::move(done)] {
        change(*given);
        done();
    });
}

void Worker::change(const Change& given) {
    resolver_.set_negative_anchors(given.negative_anchors);
    for (const dns::Name& name : given.renewed) {
        std::erase(ended_, name);
        resolver_.flush(name, true);
    }
    router_.set_options(given.route.options);
    recheck_.change(given.route.options, given.recheck_interval);
    dns_.set_settings(given.dns);
}

std::size_t Worker::flush(const dns::Name& name, serve::Extent extent) {
    const std::size_t entries = cache_->flush(name, extent == serve::Extent::subtree);
    drop(name, extent);
    tell_others_(name, extent);
    return entries;
}

void Worker::forget(const dns::Name& name, serve::Extent extent) {
    loop_.post([this, name, extent] { drop(name, extent); });
}

void Worker::let_go(std::function<void()> done) {
    loop_.post([this, done = std::move(done)] {
        router_.let_go();
        query_.forget();
        dns_.forget();
        done();
    });
}

void Worker::take(std::shared_ptr<const Ready> ready) {
    loop_.post([this, ready = std::move(ready)] {
        // Whoever made them did not hear of what was flushed and changed since.
        if (router_.epoch() != first_epoch_) return;
        for (const ReadyAnswer& one : *ready) {
            if (router_.take(one.answer)) query_.prepare(one.answer, one.body);
        }
    });
}

void Worker::restrain(serve::Restraint restraint) {
    loop_.post([this, restraint] {
        const std::size_t part = restraint == serve::Restraint::few ? serve::few_connections_part : 1;
        query_.restrain(restraint);
        postfix_.restrain(restraint);
        dns_.restrain(restraint);
        for (const auto& listener : query_listeners_) listener->set_most_connections(most_query_connections_ / part);
        for (const auto& listener : postfix_listeners_)
            listener->set_most_connections(most_postfix_connections_ / part);
    });
}

void Worker::drop(const dns::Name& name, serve::Extent extent) {
    const bool subtree = extent == serve::Extent::subtree;
    resolver_.flush(name, subtree);
    router_.flush(name, subtree);
    dns_.forget();
}

void Worker::publish() {
    serve::WorkerFigures figures;
    figures.resolver = resolver_.counters();
    figures.mail = router_.counters();
    if (number_ != 0) figures.mail.prepared = 0;  // all have the same ones
    if (sts_) figures.sts = sts_->counters();
    query_.count(figures.doors);
    postfix_.count(figures.doors);
    dns_.count(figures.doors);
    for (const auto& listener : query_listeners_) {
        figures.doors.query_connections += listener->counters().accepted;
        figures.doors.query_refused_connections += listener->counters().refused;
        figures.doors.query_idle_connections += listener->counters().idle;
    }
    for (const auto& listener : postfix_listeners_) {
        figures.doors.postfix_connections += listener->counters().accepted;
        figures.doors.postfix_refused_connections += listener->counters().refused;
        figures.doors.postfix_idle_connections += listener->counters().idle;
    }
    shared_.board.publish(number_, figures);
}

}  // namespace mxtrust::daemon
