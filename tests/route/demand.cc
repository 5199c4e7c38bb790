// After a restart, what was in demand is ready again before anybody asks: made of what is at hand, decided anew.
#include "route/demand.h"

#include <catch2/catch.hpp>

#include "mail/words.h"
#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::testing::summary;

/// Has been asked about some domains, and begins again.
struct Restarted : Bench {
    explicit Restarted(RouteSettings chosen = {}) : Bench(std::move(chosen)) {
        put_hosts(world(), 1);
        before = ask("example.org");
        destinations = router->in_demand(10);
        restart();
        asked_before = lookups.all;
    }
    void prepare(std::vector<std::string> wanted) {
        made.clear();
        const auto note = [this](const MailAnswerRef& answer) { made.push_back(answer); };
        CHECK(scheduler.run(router->prepare(std::move(wanted), note)));
    }
    MailAnswerRef before;
    std::vector<std::string> destinations;
    std::vector<MailAnswerRef> made;
    int asked_before = 0;
};

}  // namespace

TEST_CASE("an answer in demand before a restart is ready after it, and nobody was asked") {
    Restarted bench;
    CHECK(bench.destinations == std::vector<std::string>{"example.org"});
    CHECK(bench.router->kept("example.org") == nullptr);
    bench.lookups.usual = std::chrono::hours(1);  // whoever is asked now is noticed
    const MonoTime start = bench.clock.mono();
    bench.prepare(bench.destinations);
    CHECK(bench.clock.mono() == start);
    REQUIRE(bench.made.size() == 1);
    CHECK(summary(bench.made[0]->decision) == summary(bench.before->decision));
    CHECK(bench.router->kept("example.org") == bench.made[0]);
    CHECK(bench.router->counters().prepared == 1);
    // It is no decision that somebody was told.
    CHECK(bench.router->counters().searches == 0);
    CHECK(bench.router->counters().deliver == 0);
    CHECK(bench.router->failing(10).empty());
}

TEST_CASE("what is not at hand is left for whoever asks, and nothing is kept of it") {
    const Type missing = GENERATE(Type::mx, Type::a, Type::aaaa, Type::tlsa);
    Restarted bench;
    const std::map<Type, std::string> owners{{Type::mx, "example.org"},
                                             {Type::a, "mx0.example.org"},
                                             {Type::aaaa, "mx0.example.org"},
                                             {Type::tlsa, "_25._tcp.mx0.example.org"}};
    const std::string& owner = owners.at(missing);
    CHECK(bench.lookups.known.erase({name(owner), missing}) == 1);
    const int counted = bench.lookups.asked(owner, missing);
    bench.prepare(bench.destinations);
    CHECK(bench.made.empty());
    CHECK(bench.lookups.asked(owner, missing) == counted);
    CHECK(bench.router->kept("example.org") == nullptr);
    CHECK(bench.router->counters().prepared == 0);
    CHECK(summary(bench.ask("example.org")->decision) == summary(bench.before->decision));
}

TEST_CASE("what is failing is not prepared: the first who asks finds out anew") {
    for (const Axis axis : {Axis::bogus, Axis::indeterminate}) {
        Restarted bench;
        const bool of_domain = GENERATE(true, false);
        if (of_domain) bench.world().put("example.org", Type::mx, axis);
        if (!of_domain) bench.world().put("_25._tcp.mx0.example.org", Type::tlsa, axis);
        bench.prepare(bench.destinations);
        CHECK(bench.made.empty());
        CHECK(bench.router->kept("example.org") == nullptr);
    }
}

TEST_CASE("what somebody has asked meanwhile stays as it is") {
    Restarted bench;
    const MailAnswerRef asked = bench.ask("example.org");
    bench.prepare(bench.destinations);
    CHECK(bench.made.empty());
    CHECK(bench.router->kept("example.org") == asked);
}

TEST_CASE("an answer that another router has prepared is kept, unless there is one") {
    Restarted bench;
    bench.prepare(bench.destinations);
    REQUIRE(bench.made.size() == 1);
    const MailAnswerRef made = bench.made[0];
    bench.restart();
    CHECK(bench.router->take(made));
    CHECK(bench.router->kept("example.org") == made);
    CHECK(bench.router->counters().prepared == 1);
    CHECK_FALSE(bench.router->take(std::make_shared<const mail::MailAnswer>(*made)));
    CHECK(bench.router->kept("example.org") == made);
    CHECK(bench.router->counters().prepared == 1);
    // It is dropped and asked again like any other.
    CHECK(bench.router->flush(name("mx0.example.org"), false) == 1);
    CHECK(bench.router->kept("example.org") == nullptr);
}

TEST_CASE("whatever ends kept answers is another epoch") {
    Bench bench;
    std::uint64_t before = bench.router->epoch();
    const auto is_another = [&] {
        const std::uint64_t then = std::exchange(before, bench.router->epoch());
        return then != before;
    };
    bench.ask("example.org");
    CHECK_FALSE(is_another());
    bench.router->flush(name("somebody.else.example"), false);
    CHECK(is_another());
    bench.router->forget();
    CHECK(is_another());
    bench.router->set_options({});
    CHECK(is_another());
}

TEST_CASE("text that is no destination is passed over") {
    Restarted bench;
    bench.prepare(
        {"", "..", "a b", "example.org:0", std::string(2000, 'x'), "example.org", "[192.0.2.1]", "example.org"});
    REQUIRE(bench.made.size() == 2);  // an address needs no question at all
    CHECK(bench.router->kept("example.org"));
}

TEST_CASE("destinations in demand are noted, the most recently used first, and each worker's are read in turn") {
    cache::MemoryCache cache;
    const WallTime now{1'795'305'600};
    CHECK(noted_demand(cache, now).empty());
    note_demand({"b.example", "a.example", "[mx.example]:587"}, 0, cache, now);
    note_demand({"c.example", "a.example"}, 1, cache, now);
    CHECK(noted_demand(cache, now) ==
          std::vector<std::string>{"b.example", "c.example", "a.example", "[mx.example]:587"});
    CHECK(noted_demand(cache, now + demand_kept).empty());
}

TEST_CASE("a note of destinations is bounded, and what is none in it is left out") {
    cache::MemoryCache cache;
    const WallTime now{1'795'305'600};
    std::vector<std::string> many;
    for (int number = 0; number < 30'000; ++number) many.push_back("d" + std::to_string(number) + ".example");
    note_demand(many, 0, cache, now);
    const std::vector<std::string> read = noted_demand(cache, now);
    REQUIRE(read.size() == most_prepared);
    CHECK(read.front() == "d0.example");
    cache.store_note("demand/0", "\n\n" + std::string(301, 'x') + "\ne.example", now + std::chrono::seconds(60));
    CHECK(noted_demand(cache, now).front() == "e.example");
}

TEST_CASE("of answers kept, the most recently used are in demand") {
    Bench bench;
    put_hosts(bench.world(), 1);
    for (const char* domain : {"one.example", "two.example", "three.example"}) {
        bench.world().put(domain, Type::mx, Axis::secure_records, {"0 mx0.example.org."});
        static_cast<void>(bench.ask(domain));
    }
    static_cast<void>(bench.ask("one.example"));
    CHECK(bench.router->in_demand(2) == std::vector<std::string>{"one.example", "three.example"});
}

}  // namespace mxtrust::route
