// mxtrustd: the composition root. Everything is built here, once, in this order; nothing is global.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "cache/memory_cache.h"
#include "cache/store.h"
#include "crypto/library.h"
#include "daemon/anchors.h"
#include "daemon/assemble.h"
#include "daemon/configuration.h"
#include "daemon/confine.h"
#include "daemon/forwarders.h"
#include "daemon/process.h"
#include "daemon/sockets.h"
#include "daemon/worker.h"
#include "log/log.h"
#include "net/loop.h"

namespace {

using namespace mxtrust;
using namespace mxtrust::daemon;

// sysexits.h has these for programs that are started by others; 0 and 1 are everybody's.
enum Exit : int { good = 0, failed = 1, usage = 64, bad_configuration = 78 };

constexpr const char* usual_file = "/etc/mxtrust/mxtrust.toml";
constexpr Duration notice_period{1000};
/// Room for some 100,000 policies of MTA-STS.
constexpr std::uint64_t policy_octets = std::uint64_t{64} << 20U;

struct Arguments {
    std::string file;
    bool check_only = false;
    TestMode test_mode = TestMode::off;
};

Result<Loaded> load(const Arguments& arguments) {
    if (!arguments.file.empty()) return read_configuration(arguments.file, arguments.test_mode);
    std::error_code error;
    if (std::filesystem::exists(usual_file, error)) return read_configuration(usual_file, arguments.test_mode);
    return parse_configuration("", "(defaults)", arguments.test_mode);
}

int complain(log::Log& log, const Failure& failure) {
    if (failure.kind == FailureKind::malformed) {
        log.bad_configuration(failure);
        return bad_configuration;
    }
    log.system_trouble(failure.text);
    return failed;
}

std::size_t worker_count(const ServerKeys& keys) {
    return keys.workers != 0 ? keys.workers : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 64);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all;
}

serve::Facts facts_of(const Configuration& configuration, const Sockets& sockets, const Clock& clock) {
    serve::Facts facts;
    facts.release = MXTRUST_VERSION;
    facts.started = clock.wall();
    facts.started_mono = clock.mono();
    facts.time_is_fixed = configuration.test.time.seconds != 0;
    facts.sockets = sockets.names(configuration.server);
    facts.workers = worker_count(configuration.server);
    facts.doubts = lasting_doubts(configuration);
    return facts;
}

AnchorKeeper::Settings keeper_settings(const Configuration& configuration, const Anchors& anchors) {
    AnchorKeeper::Settings settings;
    settings.configured = anchors;
    settings.file = configuration.server.state_directory / AnchorKeeper::file_name;
    settings.follows = configuration.dnssec.follow_rollovers;
    settings.signals = configuration.dnssec.key_tag_signal;
    // A world of its own has rollovers only where a test wants to see one.
    if (configuration.test.trust_anchors || configuration.test.root_hints) {
        settings.follows = settings.follows && configuration.test.rollover_pace != 0;
        settings.timers.pace = configuration.test.rollover_pace;
    }
    return settings;
}

using FallbackList = std::function<std::vector<Endpoint>()>;

FallbackList fallback_list(const Configuration& configuration) {
    switch (configuration.resolver.fallback) {
        case Fallback::off:
            break;
        case Fallback::listed:
            return [listed = configuration.resolver.fallback_forwarders] { return listed; };
        case Fallback::resolv_conf:
            return [file = resolv_conf_of(configuration), listening = configuration.server.dns_listen] {
                return forwarders_of_host(file, listening);
            };
    }
    return [] { return std::vector<Endpoint>(); };
}

/// What is kept on disk: answers, and policies of MTA-STS, which hold until they end and never go for room.
struct Stores {
    std::unique_ptr<cache::LmdbStore> answers;
    std::unique_ptr<cache::LmdbStore> policies;
};

/// A worker's own; in memory where the disk does not allow a store now.
std::unique_ptr<cache::Cache> view_of(cache::LmdbStore* store) {
    if (store != nullptr) return store->view();
    return std::make_unique<cache::MemoryCache>();
}

/// All workers with their threads; what one flushes all forget.
class Crew {
  public:
    Result<bool> hire(std::size_t count, const WorkerSettings& settings, Worker::Shared shared, const Stores& stores,
                      const Sockets& sockets, FallbackList fallback, AnchorKeeper& anchors) {
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
            const Done listening = workers_.back()->listen(std::move(*copies));
            if (!listening) return fail(listening.error());
        }
        for (const net::Listening& listening : sockets.metrics) {
            auto copy = listening.duplicate();
            if (!copy) return fail(copy.error());
            const Done serving = workers_.front()->serve_metrics(std::move(*copy));
            if (!serving) return fail(serving.error());
        }
        workers_.front()->watch_root();
        workers_.front()->watch_forwarders(std::move(fallback));
        workers_.front()->watch_operators_word();
        workers_.front()->watch_anchors(anchors, [this, &anchors] {
            for (const auto& worker : workers_) worker->trust(anchors.in_force());
        });
        workers_.front()->watch_policies();
        return true;
    }
    void start() {
        for (const auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
    }
    /// What comes to the workers from elsewhere ends before.
    void stop() {
        for (const auto& worker : workers_) worker->stop();
        for (std::thread& thread : threads_) thread.join();
        workers_.clear();
    }

  private:
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
};

/// Where the disk does not allow a store now, workers have a cache in memory each.
Result<std::unique_ptr<cache::LmdbStore>> open_store(const Configuration& configuration,
                                                     const resolve::Settings& settings, const Clock& clock,
                                                     log::Log& log) {
    cache::StoreSettings wanted;
    wanted.directory = configuration.server.state_directory.string();
    wanted.most_octets = std::uint64_t{configuration.server.cache_size_mb} << 20U;
    wanted.epoch = cache_epoch(settings, configuration.mail, clock.wall());
    cache::Notices notices;
    auto store = cache::LmdbStore::open(wanted, clock.wall(), notices);
    for (const std::string& notice : notices) log.cache_set_aside(wanted.directory, notice);
    if (store || store.error().kind != FailureKind::system) return store;
    log.store_trouble(store.error().text + "; the cache is kept in memory only");
    return std::unique_ptr<cache::LmdbStore>();
}

/// Policies are under no epoch: an anchor that changes, changes nothing in them.
Result<std::unique_ptr<cache::LmdbStore>> open_policies(const Configuration& configuration, const Clock& clock,
                                                        log::Log& log) {
    if (!configuration.mail.mta_sts) return std::unique_ptr<cache::LmdbStore>();
    cache::StoreSettings wanted;
    wanted.directory = (configuration.server.state_directory / "mta-sts").string();
    wanted.most_octets = policy_octets;
    wanted.epoch = "MTA-STS";
    cache::Notices notices;
    auto store = cache::LmdbStore::open(wanted, clock.wall(), notices);
    for (const std::string& notice : notices) log.cache_set_aside(wanted.directory, notice);
    if (store || store.error().kind != FailureKind::system) return store;
    log.store_trouble(store.error().text + "; policies of MTA-STS are kept in memory only");
    return std::unique_ptr<cache::LmdbStore>();
}

/// Waits for a signal to end, and meanwhile passes on what the store has to say.
Done supervise(const Clock& clock, const Stores& stores, log::Log& log, const resolve::Settings& settings,
               const MailKeys& mail, const AnchorKeeper& anchors) {
    net::UvLoop loop(clock);
    for (const int number : {SIGTERM, SIGINT}) {
        const Done watched = loop.on_signal(number, [&loop, &log, number] {
            log.stopping(number == SIGTERM ? "SIGTERM" : "SIGINT");
            loop.stop();
        });
        if (!watched) return watched;
    }
    for (cache::LmdbStore* each : {stores.answers.get(), stores.policies.get()}) {
        if (each == nullptr) continue;
        loop.every(notice_period, [each, &log] {
            for (const std::string& notice : each->take_notices()) log.store_trouble(notice);
        });
    }
    if (cache::LmdbStore* store = stores.answers.get(); store != nullptr) {
        // A negative trust anchor that ends, and a trust anchor that comes or goes, make another epoch: what was judged
        // under the old one does not exist any more, and a restart finds the cache as warm as it was.
        loop.every(notice_period,
                   [store, &mail, &clock, &anchors, current = settings, epoch = std::string()]() mutable {
                       current.anchors = anchors.in_force();
                       std::string now = cache_epoch(current, mail, clock.wall());
                       if (!epoch.empty() && now != epoch) store->set_epoch(now);
                       epoch = std::move(now);
                   });
    }
    loop.run();
    return {};
}

Done filter_unless_told(const ServerKeys& keys, log::Log& log) {
    if (keys.system_call_filter == SystemCallFilter::on && !is_sanitized()) return filter_system_calls();
    log.configuration_doubt(is_sanitized() ? "built with a sanitizer: system calls are not filtered"
                                           : "system-call-filter = false: system calls are not filtered, and a mistake "
                                             "in a parser may become an intrusion");
    return {};
}

int serve_until_told(const Loaded& loaded, const Clock& clock, SystemClock& shared_clock, log::Log& log) {
    const Configuration& configuration = loaded.configuration;
    const auto anchors = choose_anchors(configuration, loaded.origin);
    if (!anchors) return complain(log, anchors.error());
    const auto latest = std::make_shared<LatestTime>();
    const auto chosen = resolver_settings(configuration, *anchors, clock.wall(), latest);
    if (!chosen) return complain(log, chosen.error());
    for (const std::string& doubt : lasting_doubts(configuration)) log.configuration_doubt(doubt);

    const auto account = find_account(configuration.server);
    if (!account) return complain(log, account.error());
    const Done made = make_state_directory(configuration.server.state_directory, *account);
    if (!made) return complain(log, made.error());
    const auto sockets = Sockets::open(configuration.server);
    if (!sockets) return complain(log, sockets.error());
    const Done given_up = give_up_privileges(*account);
    if (!given_up) return complain(log, given_up.error());
    if (geteuid() == 0) log.configuration_doubt("runs as root, although it needs nothing of root's: [server] user");
    AnchorKeeper keeper(keeper_settings(configuration, *anchors), clock, log);
    keeper.load();
    resolve::Settings resolver = *chosen;
    resolver.anchors = keeper.in_force();
    Stores stores;
    auto answers = open_store(configuration, resolver, clock, log);
    if (!answers) return complain(log, answers.error());
    stores.answers = std::move(*answers);
    auto policies = open_policies(configuration, clock, log);
    if (!policies) return complain(log, policies.error());
    stores.policies = std::move(*policies);

    serve::StatusBoard board(worker_count(configuration.server));
    resolve::ForwarderBoard forwarders(log);
    board.watch(forwarders);
    board.set_facts(facts_of(configuration, *sockets, clock));
    WorkerSettings settings{resolver, route_settings(configuration, latest), {}, policy_settings(configuration), {}, {},
                            {}};
    settings.recheck.interval = configuration.operator_keys.recheck_interval;
    settings.dns.allow = configuration.server.allow;
    settings.dns.deadline = configuration.resolver.deadline;
    settings.dns.root_key_sentinel =
        configuration.dnssec.root_key_sentinel ? resolve::Switch::on : resolve::Switch::off;
    settings.dns.stale_after = configuration.resolver.serve_stale_after;
    settings.dns.stale_ttl = configuration.resolver.serve_stale_ttl;
    std::optional<sts::FetchThread> fetching;
    if (configuration.mail.mta_sts) fetching.emplace(fetch_settings(configuration), clock);
    Crew crew;
    const auto hired = crew.hire(worker_count(configuration.server), settings,
                                 {shared_clock, log, board, forwarders, fetching ? &*fetching : nullptr}, stores,
                                 *sockets, fallback_list(configuration), keeper);
    if (!hired) return complain(log, hired.error());
    const Done filtered = filter_unless_told(configuration.server, log);
    if (!filtered) return complain(log, filtered.error());
    if (fetching) fetching->start();
    crew.start();
    log.started(MXTRUST_VERSION, joined(sockets->names(configuration.server)));
    tell_service_manager("READY=1");
    const Done supervised = supervise(clock, stores, log, resolver, configuration.mail, keeper);
    tell_service_manager("STOPPING=1");
    if (fetching) fetching->stop();
    crew.stop();
    if (!supervised) return complain(log, supervised.error());
    const std::string& metrics = configuration.server.metrics_listen;
    const std::filesystem::path metrics_socket = metrics.starts_with("/") ? metrics : std::string();
    for (const auto& path : {configuration.server.query_socket, configuration.server.postfix_socket, metrics_socket}) {
        if (!path.empty()) unlink(path.c_str());
    }
    return good;
}

int run(const Arguments& arguments) {
    const auto loaded = load(arguments);
    if (!loaded) {
        log::Log log(log::Level::info, log::Target::standard_error);
        static_cast<void>(complain(log, loaded.error()));
        return bad_configuration;
    }
    const Configuration& configuration = loaded->configuration;
    SystemClock clock(configuration.test.time);
    log::Log log(configuration.server.log_level, configuration.server.log_target);
    if (arguments.check_only) {
        const auto anchors = choose_anchors(configuration, loaded->origin);
        if (!anchors) return complain(log, anchors.error());
        for (const std::string& doubt : doubts(configuration, clock.wall())) log.configuration_doubt(doubt);
        std::cout << "the configuration is good\n";
        return good;
    }
    prepare_process();
    const Done prepared = crypto::prepare();
    if (!prepared) return complain(log, prepared.error());
    if (configuration.mail.mta_sts && !sts::CurlFetcher::prepare_library())
        return complain(log, Failure{FailureKind::system, "ACUR"_code, "libcurl cannot be started"});
    return serve_until_told(*loaded, clock, clock, log);
}

}  // namespace

int main(int count, char** values) {
    forget_environment();
    Arguments arguments;
    bool test_mode = false;
    CLI::App program("mxtrustd: a caching, validating resolver for mail transport");
    program.set_version_flag("--version", std::string("mxtrustd ") + MXTRUST_VERSION);
    program.add_option("--config", arguments.file, "configuration file instead of /etc/mxtrust/mxtrust.toml");
    program.add_flag("--check-config", arguments.check_only, "check the configuration and exit");
    program.add_flag("--test-mode", test_mode, "allow the section [test], which changes what is believed");
    try {
        program.parse(count, values);
    } catch (const CLI::ParseError& error) {
        const int code = program.exit(error);
        return code == 0 ? good : usage;
    }
    if (test_mode) arguments.test_mode = TestMode::on;
    return run(arguments);
}
