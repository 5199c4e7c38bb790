// Answers in demand are made anew before they end: for nobody who waits, bounded, and never for the worse.
#include <catch2/catch.hpp>

#include "mail/words.h"
#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::testing::summary;

constexpr std::chrono::seconds life{100};

/// The MX records hold for so long from now on; the rest for much longer.
void renew_mx(Bench& bench, std::string_view domain = "example.org", std::string_view host = "mx0.example.org") {
    bench.world().put(domain, Type::mx, Axis::secure_records, {"0 " + std::string(host) + "."},
                      bench.clock.wall() + life);
}

struct Asked : Bench {
    explicit Asked(RouteSettings chosen = {}) : Bench(std::move(chosen)) {
        put_hosts(world(), 1);
        renew_mx(*this);
        first = ask_twice("example.org");
        CHECK(first->expires == first->time + life);
    }
    /// So many seconds after the first answer.
    void go_to(std::chrono::seconds after) {
        clock.advance(std::chrono::duration_cast<std::chrono::microseconds>(first->time + after - clock.wall()));
    }
    MailAnswerRef first;
};

}  // namespace

TEST_CASE("a question in the last tenth of an answer's life makes it anew, and does not wait") {
    Asked bench;
    bench.go_to(std::chrono::seconds(80));
    CHECK(bench.ask("example.org") == bench.first);
    bench.wait(std::chrono::seconds(1));
    CHECK(bench.router->counters().renewed == 0);
    bench.go_to(std::chrono::seconds(92));
    renew_mx(bench);
    CHECK(bench.ask("example.org") == bench.first);
    CHECK(bench.took == Duration(0));
    bench.wait(std::chrono::seconds(1));
    CHECK(bench.router->counters().renewed == 1);
    CHECK(bench.router->counters().refreshed == 0);
    const MailAnswerRef second = bench.ask("example.org");
    CHECK(second != bench.first);
    CHECK(second->expires > bench.first->expires);
    CHECK(bench.took == Duration(0));
    // Its end has come and gone, and nobody has waited.
    bench.go_to(std::chrono::seconds(120));
    CHECK(bench.ask("example.org") == second);
    CHECK(bench.router->counters().renewed == 1);
}

TEST_CASE("an answer that nobody asks for in its last tenth ends") {
    Asked bench;
    bench.go_to(std::chrono::seconds(99));
    bench.wait(std::chrono::seconds(5));
    CHECK(bench.router->counters().renewed == 0);
}

TEST_CASE("the bytes of an answer at hand are demand, too") {
    Asked bench;
    bench.go_to(std::chrono::seconds(95));
    CHECK(bench.router->kept("example.org") == bench.first);
    bench.wait(std::chrono::seconds(1));
    CHECK(bench.router->counters().renewed == 1);
}

TEST_CASE("what goes wrong ahead of the end changes nothing before it, and nothing holds beyond it") {
    for (const Axis axis : {Axis::bogus, Axis::indeterminate}) {
        Asked bench;
        bench.go_to(std::chrono::seconds(92));
        bench.world().put("example.org", Type::mx, axis);
        static_cast<void>(bench.ask("example.org"));
        bench.wait(std::chrono::seconds(6));
        CHECK(bench.router->counters().renewed == 1);
        CHECK(bench.router->counters().defer == 0);
        CHECK(bench.router->failing(10).empty());
        CHECK(bench.ask("example.org") == bench.first);
        bench.go_to(std::chrono::seconds(100));
        CHECK(bench.ask("example.org")->decision.action == mail::Action::defer);
    }
}

TEST_CASE("what is found to have changed counts at once, also for the stricter") {
    Asked bench;
    bench.go_to(std::chrono::seconds(92));
    bench.world().put_host("other.example.org", {});
    renew_mx(bench, "example.org", "other.example.org");
    static_cast<void>(bench.ask("example.org"));
    bench.wait(std::chrono::seconds(1));
    CHECK(bench.ask("example.org")->hosts.at(0).name == "other.example.org");
}

TEST_CASE("answers made anew ahead of their end are few at once, not often the same, and none where clients are many") {
    RouteSettings settings;
    settings.most_ahead_of_end = 2;
    Asked bench(settings);
    for (int number = 0; number < 6; ++number) {
        const std::string domain = "d" + std::to_string(number) + ".example";
        renew_mx(bench, domain);
        static_cast<void>(bench.ask(domain));
    }
    bench.go_to(std::chrono::seconds(95));
    bench.lookups.usual = Duration(500);
    for (int turn = 0; turn < 3; ++turn) {
        for (int number = 0; number < 6; ++number)
            static_cast<void>(bench.router->kept("d" + std::to_string(number) + ".example"));
    }
    bench.wait(std::chrono::milliseconds(100));
    CHECK(bench.router->counters().renewed == 2);

    settings.most_busy = 0;
    Asked busy(settings);
    busy.go_to(std::chrono::seconds(95));
    static_cast<void>(busy.ask("example.org"));
    busy.wait(std::chrono::seconds(1));
    CHECK(busy.router->counters().renewed == 0);
}

TEST_CASE("switched off, nothing is made anew ahead; nor is what lives shortly anyway") {
    RouteSettings settings;
    settings.refresh_ahead = false;
    Asked off(settings);
    off.go_to(std::chrono::seconds(95));
    static_cast<void>(off.ask("example.org"));
    off.wait(std::chrono::seconds(1));
    CHECK(off.router->counters().renewed == 0);

    settings = RouteSettings{};
    settings.least_life_ahead = std::chrono::seconds(101);
    Asked brief(settings);
    brief.go_to(std::chrono::seconds(95));
    static_cast<void>(brief.ask("example.org"));
    brief.wait(std::chrono::seconds(1));
    CHECK(brief.router->counters().renewed == 0);
}

}  // namespace mxtrust::route
