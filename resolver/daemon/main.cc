// mxtrustd: the composition root. Everything is built here, once, in this order; nothing is global.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "cache/store.h"
#include "crypto/library.h"
#include "daemon/anchors.h"
#include "daemon/assemble.h"
#include "daemon/configuration.h"
#include "daemon/confine.h"
#include "daemon/crew.h"
#include "daemon/forwarders.h"
#include "daemon/memory.h"
#include "daemon/mta_sts.h"
#include "daemon/process.h"
#include "daemon/reload.h"
#include "daemon/service_manager.h"
#include "daemon/sockets.h"
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
/// A thousand clients of a worker and as many look-ups are few for a mail server in a bad hour.
constexpr std::uint64_t least_descriptors = 1024;
/// What is open before anybody has asked: doors, cache, logs; of each worker its loop, its view of the doors and room
/// for a client.
constexpr std::uint64_t own_descriptors = 48, descriptors_of_worker = 8;

struct Arguments {
    std::string file;
    bool check_only = false;
    TestMode test_mode = TestMode::off;
};

Result<Loaded> load(const Arguments& arguments) {
    if (!arguments.file.empty()) return read_configuration(arguments.file, arguments.test_mode);
    return read_usual_configuration(usual_file, arguments.test_mode);
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

/// What can only be had while the process still is whoever started it.
struct Ground {
    Configuration configuration;  ///< with the addresses at which DNS is really served
    Anchors anchors;
    Sockets sockets;
    LatestRef latest;
    resolve::Settings resolver;
    std::vector<std::string> doubts;  ///< lasting ones, for log and status
};

serve::Facts facts_of(const Ground& ground, const Clock& clock) {
    const Configuration& configuration = ground.configuration;
    serve::Facts facts;
    facts.release = MXTRUST_VERSION;
    facts.started = clock.wall();
    facts.started_mono = clock.mono();
    facts.time_is_fixed = configuration.test.time.seconds != 0;
    facts.sockets = ground.sockets.names();
    facts.workers = worker_count(configuration.server);
    facts.doubts = ground.doubts;
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

FallbackList fallback_list(const Configuration& configuration) {
    switch (configuration.resolver.fallback) {
        case Fallback::off:
            break;
        case Fallback::listed:
            return [listed = configuration.resolver.fallback_forwarders] { return listed; };
        case Fallback::resolv_conf:
            return [files = resolv_confs_of(configuration), listening = configuration.server.dns_listen] {
                return forwarders_of_host(files, listening);
            };
    }
    return [] { return std::vector<Endpoint>(); };
}

/// Where the disk does not allow it now, the store keeps what is new in memory, and tries again by itself.
Result<std::unique_ptr<cache::LmdbStore>> open_store(const Configuration& configuration,
                                                     const resolve::Settings& settings, const Clock& clock,
                                                     log::Log& log) {
    cache::StoreSettings wanted;
    wanted.directory = configuration.server.state_directory.string();
    wanted.most_octets = std::uint64_t{configuration.server.cache_size_mb} << 20U;
    wanted.epoch = cache_epoch(settings, configuration.mail);
    cache::Notices notices;
    auto store = cache::LmdbStore::open(wanted, clock.wall(), notices);
    for (const std::string& notice : notices) log.cache_set_aside(wanted.directory, notice);
    return store;
}

/// Policies are under no epoch: an anchor that changes, changes nothing in them.
Result<std::unique_ptr<cache::LmdbStore>> open_policies(const Configuration& configuration, const Clock& clock,
                                                        log::Log& log) {
    if (!configuration.mail.mta_sts) return std::unique_ptr<cache::LmdbStore>();
    cache::StoreSettings wanted;
    wanted.directory = (configuration.server.state_directory / "mta-sts").string();
    wanted.title = "the cache of MTA-STS policies";
    wanted.most_octets = policy_octets;
    wanted.epoch = "MTA-STS";
    cache::Notices notices;
    auto store = cache::LmdbStore::open(wanted, clock.wall(), notices);
    for (const std::string& notice : notices) log.cache_set_aside(wanted.directory, notice);
    return store;
}

/// What the supervising loop looks after; all of it outlives the loop.
struct Supervised {
    net::UvLoop& loop;
    const Clock& clock;
    log::Log& log;
    const Stores& stores;
    Crew& crew;
    Reloader& reloader;
    ServiceManager& manager;
    serve::StatusBoard& board;
    const resolve::Settings& resolver;
    const MailKeys& mail;
    const AnchorKeeper& anchors;
};

/// One sentence for `systemctl status`.
std::string in_short(const serve::Status& status) {
    std::string text = std::to_string(status.facts.workers) + " workers; ";
    if (!status.root_probe) return text + "the root was not asked yet";
    const bool secure = status.root_probe->security == dnssec::Security::secure;
    text += secure ? "the root is secure" : "the root is not secure: " + status.root_probe->reason.text;
    if (status.resolution.forwarding) text += "; forwarders stand in for recursion";
    return text;
}

/// The service manager hears that we are alive only where every worker has come round lately: one that is stuck answers
/// nobody, and a restart is what helps.
void watch_workers(const Supervised& parts) {
    const auto period = ServiceManager::watchdog();
    const Duration most = period ? *period / 2 : Duration{0};
    if (!period) return;
    parts.loop.every(std::clamp(*period / 4, Duration{50}, notice_period), [&parts, most, told = false]() mutable {
        const Duration longest = parts.crew.longest_turn(parts.clock.mono());
        const bool stuck = longest > std::max(most, 2 * notice_period);
        if (stuck && !told)
            parts.log.system_trouble("a worker has not come round for " + std::to_string(longest.count()) +
                                     " ms; the service manager is no longer told that we are alive");
        told = stuck;
        if (!stuck) parts.manager.alive();
    });
}

/// A clock that stands before this program was written makes every signature one of the future.
void watch_clock(const Supervised& parts) {
    if (parts.board.status({}, {}, {}).facts.time_is_fixed) return;
    parts.loop.every(notice_period, [&parts, told = false]() mutable {
        const bool behind = serve::clock_is_behind(parts.clock.wall());
        if (behind && !told)
            parts.log.system_trouble(
                "the clock is behind: signatures of today are not valid yet at that time, and nothing "
                "that is signed can be believed until it is set (NTP)");
        told = behind;
    });
}

/// What is let go of goes back to the system, as far as malloc can give it.
void watch_memory(const Supervised& parts) {
    MemoryWatch::Tools tools{parts.clock, parts.log, parts.board, {}, {}, {}, {}, {}};
    tools.measure = [meter = MemoryMeter(MemoryMeter::own())] { return meter.nearest(); };
    tools.refused = [] { return memory_was_refused(); };
    tools.let_go = [&parts] { parts.crew.let_go([&parts] { parts.loop.post(give_memory_back); }); };
    tools.restrain = [&parts](serve::Restraint restraint) { parts.crew.restrain(restraint); };
    tools.take_reserve = [] { take_reserve(); };
    parts.loop.every(notice_period, [watch = MemoryWatch(std::move(tools))]() mutable { watch.look(); });
}

void tell_notices(const Stores& stores, log::Log& log) {
    for (cache::LmdbStore* store : {stores.answers.get(), stores.policies.get()}) {
        if (store == nullptr) continue;
        for (const std::string& notice : store->take_notices()) log.store_trouble(notice);
    }
}

void tell_how_it_goes(const Supervised& parts) {
    parts.loop.every(notice_period, [&parts] {
        parts.manager.again();
        parts.manager.status(in_short(parts.board.status(parts.clock.wall(), parts.clock.mono(), {})));
        tell_notices(parts.stores, parts.log);
    });
}

/// A trust anchor that comes or goes makes another epoch: what was judged under the old one does not exist any more,
/// and a restart finds the cache as warm as it was.
void follow_epochs(const Supervised& parts) {
    if (parts.stores.answers == nullptr) return;
    parts.loop.every(notice_period, [&parts, current = parts.resolver, epoch = std::string()]() mutable {
        current.anchors = parts.anchors.in_force();
        std::string now = cache_epoch(current, parts.mail);
        if (!epoch.empty() && now != epoch) parts.stores.answers->set_epoch(now);
        epoch = std::move(now);
    });
}

/// Waits for a signal to end, and meanwhile looks after the rest.
Done supervise(const Supervised& parts) {
    for (const int number : {SIGTERM, SIGINT}) {
        Done watched = parts.loop.on_signal(number, [&parts, number] {
            end_at_next_signal();
            parts.log.stopping(number == SIGTERM ? "SIGTERM" : "SIGINT");
            parts.loop.stop();
        });
        if (!watched) return watched;
    }
    Done watched = parts.loop.on_signal(SIGHUP, [&parts] {
        parts.manager.reloading();
        // The service manager is told by this thread alone: where it does not listen, no worker waits for it.
        parts.reloader.reload([&parts](const serve::Reload& /*told by the log*/) {
            parts.loop.post([&parts] { parts.manager.ready(); });
        });
    });
    if (!watched) return watched;
    hear_signals();
    watch_workers(parts);
    tell_how_it_goes(parts);
    follow_epochs(parts);
    watch_clock(parts);
    watch_memory(parts);
    // Signals are heard by now, and each worker's loop has come round: from here on whatever is asked is answered.
    parts.manager.ready();
    parts.loop.run();
    return {};
}

Done filter_unless_told(const ServerKeys& keys, log::Log& log) {
    if (keys.system_call_filter == SystemCallFilter::on && !is_sanitized()) return filter_system_calls();
    log.configuration_doubt(is_sanitized() ? "built with a sanitizer: system calls are not filtered"
                                           : "system-call-filter = false: system calls are not filtered, and a mistake "
                                             "in a parser may become an intrusion");
    return {};
}

/// As many as we may have; an error where that is too few even to start.
Done judge_descriptors(std::uint64_t found, const Configuration& configuration, log::Log& log) {
    const std::size_t workers = worker_count(configuration.server);
    const std::uint64_t needed = own_descriptors + descriptors_of_worker * workers;
    const std::string remedy = "LimitNOFILE= of the unit, or ulimit -n, should be 65536";
    if (found < needed) {
        return fail(FailureKind::system, "ADSC"_code,
                    std::to_string(workers) + " workers need " + std::to_string(needed) + " descriptors, and only " +
                        std::to_string(found) + " may be open: " + remedy);
    }
    if (found < least_descriptors) {
        log.configuration_doubt("only " + std::to_string(found) +
                                " descriptors may be open; clients and look-ups fail under load: " + remedy);
    }
    return {};
}

/// Opens the cache, which may take its time: all of a large one is read after a crash.
Result<std::unique_ptr<cache::LmdbStore>> open_patiently(const Configuration& configuration,
                                                         const resolve::Settings& settings, const Clock& clock,
                                                         log::Log& log) {
    const MoreTime more("opening the cache");
    return open_store(configuration, settings, clock, log);
}

/// Takes what is to be had, and gives up the privileges that it takes.
Result<Ground> prepare(const Loaded& loaded, const Clock& clock, log::Log& log) {
    auto passed = passed_sockets();
    if (!passed) return fail(std::move(passed.error()));
    Configuration configuration = loaded.configuration;
    auto anchors = choose_anchors(configuration, loaded.origin);
    if (!anchors) return fail(std::move(anchors.error()));
    Done authorities = check_authorities(configuration, loaded.origin);
    if (!authorities) return fail(authorities.error());
    const auto account = find_account(configuration.server, loaded.origin);
    if (!account) return fail(account.error());
    const Done made = make_state_directory(configuration.server.state_directory, *account);
    if (!made) return fail(made.error());
    auto sockets = Sockets::open(configuration.server, std::move(*passed), *account);
    if (!sockets) return fail(std::move(sockets.error()));
    // What is passed may listen elsewhere than the configuration says: nobody is to ask us there for us.
    configuration.server.dns_listen = sockets->dns();
    auto latest = std::make_shared<LatestTime>();
    auto resolver = resolver_settings(configuration, *anchors, clock.wall(), latest);
    if (!resolver) return fail(std::move(resolver.error()));
    std::vector<std::string> doubts = lasting_doubts(configuration);
    for (std::string& unheeded : unheeded_keys(loaded, sockets->passed)) doubts.push_back(std::move(unheeded));
    for (const std::string& doubt : doubts) log.configuration_doubt(doubt);
    const Done given_up = give_up_privileges(*account);
    if (!given_up) return fail(given_up.error());
    // Again, as whoever will read it.
    authorities = check_authorities(configuration, loaded.origin);
    if (!authorities) return fail(authorities.error());
    if (geteuid() == 0) log.configuration_doubt("runs as root, although it needs nothing of root's: [server] user");
    return Ground{std::move(configuration), std::move(*anchors),  std::move(*sockets),
                  std::move(latest),        std::move(*resolver), std::move(doubts)};
}

/// Both stores, as far as there are to be any.
Result<Stores> open_stores(const Configuration& configuration, const resolve::Settings& resolver, const Clock& clock,
                           log::Log& log) {
    Stores stores;
    auto answers = open_patiently(configuration, resolver, clock, log);
    if (!answers) return fail(std::move(answers.error()));
    stores.answers = std::move(*answers);
    auto policies = open_policies(configuration, clock, log);
    if (!policies) return fail(std::move(policies.error()));
    stores.policies = std::move(*policies);
    return stores;
}

int serve_until_told(const Loaded& loaded, Reloader::Load load_again, SystemClock& clock, log::Log& log) {
    auto ground = prepare(loaded, clock, log);
    if (!ground) return complain(log, ground.error());
    auto& [configuration, anchors, sockets, latest, resolver, lasting] = *ground;
    AnchorKeeper keeper(keeper_settings(configuration, anchors), clock, log);
    keeper.load();
    resolver.anchors = keeper.in_force();
    auto stores = open_stores(configuration, resolver, clock, log);
    if (!stores) return complain(log, stores.error());

    serve::StatusBoard board(worker_count(configuration.server));
    resolve::ForwarderBoard forwarders(log);
    board.watch(forwarders);
    board.set_facts(facts_of(*ground, clock));
    WorkerSettings settings{resolver,
                            route_settings(configuration, latest),
                            {},
                            policy_settings(configuration),
                            dns_settings(configuration),
                            {},
                            {}};
    settings.recheck.interval = configuration.operator_keys.recheck_interval;
    ServiceManager manager(clock);
    net::UvLoop loop(clock);
    Reloader reloader(loaded, latest, {clock, log, board, sockets.passed}, std::move(load_again));
    const auto reload = [&reloader](Reloader::Told told) { reloader.reload(std::move(told)); };
    std::optional<sts::FetchThread> fetching;
    if (configuration.mail.mta_sts) fetching.emplace(fetch_settings(configuration), clock);
    Crew crew;
    const Done hired = crew.hire(worker_count(configuration.server), settings,
                                 {clock, log, board, forwarders, fetching ? &*fetching : nullptr, reload}, *stores,
                                 sockets, fallback_list(configuration), keeper);
    if (!hired) return complain(log, hired.error());
    reloader.carry_out_by([&crew](std::shared_ptr<const Change> change, std::function<void()> finished) {
        crew.apply(std::move(change), std::move(finished));
    });
    const Done filtered = filter_unless_told(configuration.server, log);
    if (!filtered) return complain(log, filtered.error());
    if (fetching) fetching->start();
    crew.start();
    log.started(MXTRUST_VERSION, joined(sockets.names()));
    const Supervised parts{loop,  clock, log, *stores, crew, reloader, manager, board, resolver, configuration.mail,
                           keeper};
    const Done supervised = supervise(parts);
    reloader.carry_out_by(nullptr);
    manager.stopping();
    if (fetching) fetching->stop();
    crew.stop();
    const MoreTime more("closing the cache");
    for (cache::LmdbStore* store : {stores->policies.get(), stores->answers.get()}) {
        if (store != nullptr) store->finish();
    }
    tell_notices(*stores, log);
    if (!supervised) return complain(log, supervised.error());
    return good;
}

int run(const Arguments& arguments) {
    if (!arguments.check_only) hold_signals();
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
        const Done authorities = check_authorities(configuration, loaded->origin);
        if (!authorities) return complain(log, authorities.error());
        const auto account = find_account(configuration.server, loaded->origin);
        // The file may be meant for another machine.
        if (!account) log.configuration_doubt(account.error().text + "; mxtrustd does not start without it");
        for (const std::string& doubt : doubts(configuration, clock.wall())) log.configuration_doubt(doubt);
        std::cout << "the configuration is good (" << loaded->origin.file() << ")\n";
        return good;
    }
    const Done enough = judge_descriptors(prepare_process(), configuration, log);
    if (!enough) return complain(log, enough.error());
    const Done prepared = crypto::prepare();
    if (!prepared) return complain(log, prepared.error());
    if (configuration.mail.mta_sts && !sts::CurlFetcher::prepare_library())
        return complain(log, Failure{FailureKind::system, "ACUR"_code, "libcurl cannot be started"});
    const auto load_again = [arguments] { return load(arguments); };
    return serve_until_told(*loaded, load_again, clock, log);
}

}  // namespace

int main(int count, char** values) {
    forget_environment();
    Arguments arguments;
    bool test_mode = false;
    CLI::App program("mxtrustd: a caching, validating resolver for mail transport");
    program.set_version_flag("--version", std::string("mxtrustd ") + MXTRUST_VERSION);
    program.add_option("--config", arguments.file, "configuration file instead of /etc/mxtrust/mxtrust.toml")
        ->check([](const std::string& file) { return file.empty() ? "is empty; wanted is a file" : ""; }, "");
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
