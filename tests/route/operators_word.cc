// The operator's word in time: exceptions end while answers are kept, each is looked at now and then, and a refresh
// asks anew, but not without end.
#include <catch2/catch.hpp>

#include "route/recheck.h"
#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::Exception;
using mail::ExceptionAction;
using mail::testing::actions;
using mail::testing::now;
using On = mail::Exception::On;

Exception exception(On on, std::string_view what, ExceptionAction action, WallTime ends) {
    return Exception{on, name(what), false, action, "ticket 4711", ends};
}

mail::Options with(const std::vector<Exception>& exceptions, const std::vector<dnssec::NegativeAnchor>& anchors = {}) {
    const auto latest = std::make_shared<LatestTime>();
    mail::Options options;
    options.exceptions = std::make_shared<const mail::Exceptions>(exceptions, latest);
    options.negative_anchors = std::make_shared<const dnssec::NegativeAnchors>(anchors, latest);
    return options;
}

RouteSettings routed(const std::vector<Exception>& exceptions) {
    RouteSettings settings;
    settings.options = with(exceptions);
    return settings;
}

void put_broken_host(mail::testing::World& world) {
    world.put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
    world.put_host("mx.example.org", {});
    world.put_tlsa("mx.example.org", Axis::bogus);
}

/// A Recheck in virtual time, with its log.
struct Watch {
    explicit Watch(mail::Options options, Recheck::Limits limits = {})
        : recheck(limits, std::move(options), {clock, random, lookups, scheduler, log},
                  [this](const std::vector<WordStanding>& words) { told = words; }) {}
    void round() { REQUIRE(scheduler.run(run_round(&recheck)).has_value()); }
    static task::Task<bool> run_round(Recheck* of) {
        co_await of->round();
        co_return true;
    }
    [[nodiscard]] std::size_t lines(std::string_view part) const {
        return static_cast<std::size_t>(std::count_if(said.begin(), said.end(), [part](const std::string& line) {
            return line.find(part) != std::string::npos;
        }));
    }
    [[nodiscard]] Need need(std::size_t index) const { return told.at(index).need; }

    ManualClock clock{now};
    SeededRandom random{1};
    task::ManualScheduler scheduler{clock};
    SlowLookups lookups{clock};
    std::vector<std::string> said;
    log::Log log{log::Level::info, [this](std::string_view line) { said.emplace_back(line); }};
    std::vector<WordStanding> told;
    Recheck recheck;
};

TEST_CASE("an exception ends while its answer is kept, without a restart") {
    Bench bench(routed({exception(On::domain, "example.org", ExceptionAction::may, now + 600s)}));
    put_broken_host(bench.world());
    MailAnswerRef first = bench.ask_twice("example.org");
    CHECK(actions(*first) == "may");
    CHECK(first->expires == now + 600s);
    CHECK(bench.lookups.asked("_25._tcp.mx.example.org", Type::tlsa) == 0);
    bench.wait(599s);
    CHECK(bench.ask("example.org") == first);
    bench.wait(1s);
    CHECK(actions(*bench.ask("example.org")) == "skip");
}

TEST_CASE("a clock that is set back resurrects neither the exception nor an answer that was kept under it") {
    Bench bench(routed({exception(On::domain, "example.org", ExceptionAction::may, now + 600s)}));
    put_broken_host(bench.world());
    CHECK(actions(*bench.ask("example.org")) == "may");
    bench.clock.step_wall(601s);
    bench.ask("other.example");  // somebody sees the time
    bench.clock.step_wall(-601s);
    CHECK(actions(*bench.ask("example.org")) == "skip");
    bench.wait(10s);
    CHECK(actions(*bench.ask("example.org")) == "skip");
}

TEST_CASE("a host whose TLSA servers never answer costs no time once the operator has set them aside") {
    Bench bench(routed({exception(On::host, "mx.example.org", ExceptionAction::no_dane, now + 600s)}));
    put_broken_host(bench.world());
    bench.lookups.delay("_25._tcp.mx.example.org", Type::tlsa, Duration(60'000));
    CHECK(actions(*bench.ask("example.org")) == "may");
    CHECK(bench.took == Duration(20));
}

TEST_CASE("held mail is in the ledger, and a good answer after the end clears it") {
    Bench bench(routed({exception(On::domain, "example.org", ExceptionAction::hold, now + 600s)}));
    put_hosts(bench.world(), 1);
    CHECK(bench.ask("example.org")->decision.action == mail::Action::defer);
    REQUIRE(bench.router->failing(10).size() == 1);
    CHECK(bench.router->failing(10)[0].code == "4.7.1 held by the operator");
    bench.wait(601s);
    CHECK(bench.ask("example.org")->decision.authenticated);
    CHECK(bench.router->failing(10).empty());
}

TEST_CASE("a refresh asks anew, those who ask for it together join, and soon after it is not done again") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.ask("example.org");
    CHECK(bench.lookups.asked("example.org", Type::mx) == 1);
    bench.world().put_tlsa("mx0.example.org", Axis::secure_records, {mail::testing::sha512});
    std::vector<task::Task<MailAnswerRef>> tasks;
    for (int index = 0; index < 5; ++index)
        tasks.push_back(bench.router->ask(bench.question("example.org", Duration(5000), Refresh::yes)));
    std::optional<std::vector<MailAnswerRef>> answers = bench.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(answers.has_value());
    for (const MailAnswerRef& answer : *answers) CHECK(answer->hosts[0].tlsa->records[0].matching == 2);
    CHECK_FALSE(answers->front()->mx->cached);
    CHECK(bench.lookups.fresh == 1);
    CHECK(bench.lookups.asked("example.org", Type::mx) == 2);
    CHECK(bench.lookups.asked("_25._tcp.mx0.example.org", Type::tlsa) == 2);
    // In a loop it is the answer that was found last.
    const MailAnswerRef last = bench.ask("example.org");
    CHECK(last->time == answers->front()->time);
    for (int index = 0; index < 100; ++index) CHECK(bench.ask("example.org", Duration(5000), Refresh::yes) == last);
    CHECK(bench.lookups.fresh == 1);
    CHECK(bench.router->counters().refreshed == 1);
    bench.wait(10s);
    bench.ask("example.org", Duration(5000), Refresh::yes);
    CHECK(bench.lookups.fresh == 2);
}

TEST_CASE("fresh looks at many domains at once are bounded; the others are answered as without") {
    RouteSettings settings;
    settings.most_refreshing = 2;
    Bench bench(settings);
    std::vector<task::Task<MailAnswerRef>> tasks;
    for (int index = 0; index < 20; ++index) {
        const std::string domain = "d" + std::to_string(index) + ".example";
        bench.world().put_host(domain, {sha256});
        tasks.push_back(bench.router->ask(bench.question(domain, Duration(5000), Refresh::yes)));
    }
    std::optional<std::vector<MailAnswerRef>> answers = bench.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(answers.has_value());
    for (const MailAnswerRef& answer : *answers) CHECK(actions(*answer) == "dane");
    CHECK(bench.lookups.fresh == 2);
}

TEST_CASE("the ledger's flood: what failed once goes before what fails again and again") {
    cache::MemoryCache cache(50'000);
    Ledger ledger(cache);
    ledger.failed("old.example", "c", "x", now);
    ledger.failed("old.example", "c", "x", now + 15min);
    for (std::size_t index = 0; index < Ledger::most_entries + 1500; ++index)
        ledger.failed("d" + std::to_string(index) + ".example", "c", "x", now + 1h);
    CHECK(ledger.failed("old.example", "c", "x", now + 1h).tries == 3);
    CHECK(ledger.list(50'000, now + 1h).size() <= Ledger::most_entries);
}

TEST_CASE("a negative trust anchor is looked at without it: still needed, then no longer, each told once") {
    Watch watch(with({}, {dnssec::NegativeAnchor(name("example.org"), "ticket 4711", now + 30 * 24h)}));
    mail::testing::World& without = watch.lookups.worlds_without[name("example.org")];
    without.put("example.org", Type::mx, Axis::bogus);
    watch.round();
    watch.round();
    CHECK(watch.need(0) == Need::needed);
    CHECK(watch.told[0].text == "a signature has expired");
    CHECK(watch.told[0].since == watch.told[0].checked);
    CHECK(watch.lines("the negative trust anchor for example.org is still needed: a signature has expired") == 1);
    without.put("example.org", Type::mx, Axis::indeterminate);
    watch.round();
    CHECK(watch.need(0) == Need::needed);  // a look that fails says nothing
    without.put("example.org", Type::mx, Axis::secure_records, {"10 example.org."});
    without.put_host("example.org", {sha256});
    watch.round();
    watch.round();
    CHECK(watch.need(0) == Need::not_needed);
    CHECK(watch.lines("is no longer needed: the chain of trust to example.org validates; remove it") == 1);
    CHECK(watch.lookups.all == 0);  // nothing was asked of the resolver that everybody uses
    without.put_tlsa("example.org", Axis::bogus);
    watch.round();
    CHECK(watch.need(0) == Need::needed);
    CHECK(watch.said.size() == 3);
}

TEST_CASE("an exception is looked at as if there were none") {
    struct Case {
        ExceptionAction action;
        Axis tlsa;
        Need need;
    };
    const Case cases[] = {
        {ExceptionAction::may, Axis::bogus, Need::needed},
        {ExceptionAction::no_dane, Axis::indeterminate, Need::needed},
        {ExceptionAction::encrypt, Axis::bogus, Need::needed},
        {ExceptionAction::may, Axis::secure_records, Need::not_needed},
        {ExceptionAction::may, Axis::secure_nodata, Need::not_needed},
        {ExceptionAction::encrypt, Axis::secure_nodata, Need::chosen},
        {ExceptionAction::require_dane, Axis::secure_records, Need::chosen},
    };
    for (const Case& each : cases) {
        INFO(to_text(each.action) << ' ' << static_cast<int>(each.tlsa));
        Watch watch(with({exception(On::domain, "example.org", each.action, now + 30 * 24h),
                          exception(On::host, "mx.example.org", each.action, now + 30 * 24h)}));
        watch.lookups.world.put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
        watch.lookups.world.put_host("mx.example.org", {});
        watch.lookups.world.put_tlsa("mx.example.org", each.tlsa, {sha256});
        watch.round();
        CHECK(watch.need(0) == each.need);
        CHECK(watch.need(1) == each.need);
    }
}

TEST_CASE("what ends within a week, and what has ended, is told once; what has ended is not looked at") {
    Watch watch(with({exception(On::domain, "example.org", ExceptionAction::hold, now + 8 * 24h)},
                     {dnssec::NegativeAnchor(name("example.net"), "ticket", now - 1h)}));
    watch.recheck.tick();
    CHECK(watch.need(0) == Need::ended);
    CHECK_FALSE(watch.told[0].active);
    CHECK(watch.lines("the negative trust anchor for example.net has ended") == 1);
    CHECK(watch.lines("ends soon") == 0);
    watch.clock.step_wall(24h + 1s);
    watch.recheck.tick();
    watch.recheck.tick();
    CHECK(watch.told[1].ends_soon);
    CHECK(watch.lines("the operator's exception for mail to example.org (hold) ends soon") == 1);
    watch.clock.step_wall(7 * 24h);
    watch.recheck.tick();
    CHECK(watch.need(1) == Need::ended);
    watch.clock.step_wall(-20 * 24h);
    watch.recheck.tick();
    CHECK(watch.need(1) == Need::ended);
    CHECK(watch.said.size() == 3);
    watch.round();
    CHECK(watch.lookups.all == 0);
}

TEST_CASE("rounds come about every interval, the first one soon, and take their time one after the other") {
    Recheck::Limits limits;
    limits.interval = 1h;
    Watch watch(with({exception(On::domain, "example.org", ExceptionAction::may, now + 30 * 24h)}), limits);
    watch.lookups.world.put_host("example.org", {sha256});
    watch.scheduler.spawn(watch.recheck.run());
    watch.scheduler.run_for(14s);
    CHECK(watch.lookups.asked("example.org", Type::mx) == 0);
    CHECK(watch.told.size() == 1);
    watch.scheduler.run_for(2s);
    CHECK(watch.lookups.asked("example.org", Type::mx) == 1);
    watch.scheduler.run_for(10h);
    const int rounds = watch.lookups.asked("example.org", Type::mx);
    CHECK(rounds >= 9);
    CHECK(rounds <= 12);
    watch.scheduler.cancel_all();
}

}  // namespace
}  // namespace mxtrust::route
