// The ledger of failing domains.
#include "route/ledger.h"

#include <catch2/catch.hpp>

#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::testing::now;

TEST_CASE("a failing domain is noted with its schedule: 15 minutes, 15 minutes, hourly, daily") {
    cache::MemoryCache cache;
    Ledger ledger(cache);
    struct Step {
        std::chrono::seconds at;
        std::uint32_t tries;
        std::chrono::seconds next;
    };
    const Step steps[] = {
        {0s, 1, 15min},    {1min, 1, 15min},  {15min - 1s, 1, 15min}, {15min, 2, 30min},
        {30min, 3, 90min}, {89min, 3, 90min}, {90min, 4, 150min},     {23h, 5, 24h},
        {24h, 6, 48h},     {47h, 6, 48h},     {50h, 7, 74h},
    };
    for (const Step& step : steps) {
        FailingDomain entry = ledger.failed("example.org", "4.7.324 dnssec-invalid",
                                            "at " + std::to_string(step.at.count()), now + step.at);
        INFO(step.at.count());
        CHECK(entry.since == now);
        CHECK(entry.last == now + step.at);
        CHECK(entry.tries == step.tries);
        CHECK(entry.next == now + step.next);
        CHECK(ledger.list(10, now + step.at) == std::vector<FailingDomain>{entry});
    }
}

TEST_CASE("a good answer clears the entry, and the next failure begins anew") {
    cache::MemoryCache cache;
    Ledger ledger(cache);
    CHECK_FALSE(ledger.good("example.org", now));
    ledger.failed("example.org", "4.4.312 DNS query failed", "x", now);
    CHECK(ledger.good("example.org", now + 1h));
    CHECK(ledger.list(10, now + 1h).empty());
    CHECK_FALSE(ledger.good("example.org", now + 1h));
    CHECK(ledger.failed("example.org", "c", "x", now + 2h).since == now + 2h);
}

TEST_CASE("the latest failure is listed first, and no more than asked for; a new ledger reads what an old one wrote") {
    cache::MemoryCache cache;
    {
        Ledger ledger(cache);
        ledger.failed("a.example", "c", "first\nsecond line", now);
        ledger.failed("b.example:587", "c", "b", now + 2s);
        ledger.failed("[c.example]", "c", "c", now + 1s);
    }
    Ledger again(cache);
    std::vector<FailingDomain> entries = again.list(2, now + 3s);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].domain == "b.example:587");
    CHECK(entries[1].domain == "[c.example]");
    CHECK(again.list(10, now + 3s).at(2).text == "first second line");
    // A note that is not one of ours is no entry, and does no harm.
    for (const char* note : {"what is this", "1 2 3 0\nc\n", "1 2 3 4294967295\nc\n", "-9223372036854775808 2 3 4\nc\n",
                             "1 9223372036854775807 3 4\nc\n", "1 2 9223372036854775807 4\nc\n"}) {
        CAPTURE(note);
        cache.store_note("ledger/d.example", note, now + 1h);
        CHECK(again.list(10, now + 3s).size() == 3);
        CHECK(again.failed("d.example", "c", "d", now + 4s).tries == 1);
    }
}

TEST_CASE("an entry that nobody asks about is forgotten after a week") {
    cache::MemoryCache cache;
    Ledger ledger(cache);
    ledger.failed("example.org", "c", "x", now);
    CHECK(ledger.list(10, now + Ledger::kept_for - 1s).size() == 1);
    CHECK(ledger.list(10, now + Ledger::kept_for).empty());
}

TEST_CASE("the ledger is bounded: the oldest failures go") {
    cache::MemoryCache cache;
    Ledger ledger(cache);
    constexpr std::size_t more = Ledger::most_entries + 1500;
    for (std::size_t index = 0; index < more; ++index) {
        ledger.failed("d" + std::to_string(index) + ".example", "c", "x", now + std::chrono::seconds(index));
    }
    WallTime end = now + std::chrono::seconds(more);
    std::vector<FailingDomain> entries = ledger.list(more, end);
    CHECK(entries.size() <= Ledger::most_entries);
    CHECK(entries.size() >= Ledger::most_entries * 8 / 10);
    CHECK(entries.front().domain == "d" + std::to_string(more - 1) + ".example");
    CHECK(ledger.failed("d0.example", "c", "x", end).tries == 1);
}

TEST_CASE("the router keeps the ledger: defer and skip are failures, deliver and bounce are not") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.world().put_tlsa("mx1.example.org", Axis::bogus);
    bench.world().put("bogus.example", Type::mx, Axis::bogus);
    bench.world().put("null.example", Type::mx, Axis::secure_records, {"0 ."});
    bench.world().put_host("good.example", {sha256});
    bench.ask("example.org");
    bench.wait(1s);
    MailAnswerRef bogus = bench.ask("bogus.example");
    CHECK(bogus->decision.retry_after == std::chrono::seconds(15min));
    bench.ask("null.example");
    bench.ask("good.example");
    std::vector<FailingDomain> failing = bench.router->failing(10);
    REQUIRE(failing.size() == 2);
    CHECK(failing[0].domain == "bogus.example");
    CHECK(failing[0].code == "4.7.324 dnssec-invalid");
    CHECK(failing[0].text == bogus->decision.text);
    CHECK(failing[1].domain == "example.org");
    CHECK_THAT(failing[1].text, Catch::Contains("mx1.example.org"));

    bench.restart();  // the ledger is the cache's
    CHECK(bench.router->failing(10).size() == 2);

    bench.wait(10min);
    CHECK(bench.ask("bogus.example")->decision.retry_after == failing[0].next - bench.clock.wall());
    bench.wait(5min);
    CHECK(bench.ask("bogus.example")->decision.retry_after == std::chrono::seconds(15min));
    CHECK(bench.router->failing(10)[0].tries == 2);

    bench.world().put("bogus.example", Type::mx, Axis::secure_records, {"10 good.example."});
    bench.wait(6s);
    CHECK(bench.ask("bogus.example")->decision.action == mail::Action::deliver);
    CHECK(bench.router->failing(10).size() == 1);
}

}  // namespace
}  // namespace mxtrust::route
