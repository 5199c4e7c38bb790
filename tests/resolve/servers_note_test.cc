// What is known of servers outlives the process, as a hint.
#include "resolve/servers_note.h"

#include <set>

#include "base/random.h"
#include "cache/memory_cache.h"
#include "resolve/build.h"

using namespace mxtrust;
using resolve::Candidate;
using resolve::NotedServers;
using resolve::Servers;
using resolve::ServersMemory;
using namespace std::chrono_literals;

namespace {

constexpr WallTime start{1'795'305'600};

Address address(const std::string& text) {
    auto parsed = Address::from_text(text);
    REQUIRE(parsed);
    return *parsed;
}

/// The n-th of many.
Address numbered(std::size_t number) {
    return address("10." + std::to_string(number / 65'536) + "." + std::to_string(number / 256 % 256) + "." +
                   std::to_string(number % 256));
}

std::vector<Candidate> candidates(const std::vector<std::string>& addresses) {
    std::vector<Candidate> all;
    for (const std::string& one : addresses) all.push_back({stage::name("ns.example."), address(one)});
    return all;
}

std::size_t times_first(Servers& servers, const std::vector<Candidate>& all, const std::string& who, MonoTime now) {
    std::size_t count = 0;
    for (int turn = 0; turn < 1000; ++turn) {
        if (servers.order(all, stage::name("example."), now).front().address == address(who)) ++count;
    }
    return count;
}

/// Six failures of different addresses.
void kill_family(Servers& servers, const std::string& prefix, MonoTime now) {
    for (int last = 1; last <= 6; ++last) servers.timed_out(address(prefix + std::to_string(last)), now);
}

/// A run of the daemon after another: the cache is what they share.
struct Runs {
    SeededRandom random{7};
    ManualClock clock{start};
    cache::MemoryCache cache;
    Servers next(std::size_t worker = 0) {
        Servers servers(random);
        resolve::recall_servers(servers, worker, cache, clock);
        return servers;
    }
    void keep(const Servers& servers, std::size_t worker = 0) { resolve::note_servers(servers, worker, cache, clock); }
};

}  // namespace

TEST_CASE("who was dead before a restart is asked last after it, and who was fast first") {
    Runs runs;
    Servers before = runs.next();
    before.answered(address("192.0.2.1"), 40ms);
    before.answered(address("192.0.2.2"), 5ms);
    before.timed_out(address("192.0.2.3"), runs.clock.mono());
    before.answered(address("192.0.2.4"), 1ms);
    for (int turn = 0; turn < 4; ++turn) before.timed_out(address("192.0.2.4"), runs.clock.mono());
    runs.keep(before);
    runs.clock.step_wall(120s);
    Servers after = runs.next();
    const auto all = candidates({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"});
    CHECK(times_first(after, all, "192.0.2.2", runs.clock.mono()) > 900);
    CHECK(times_first(after, all, "192.0.2.3", runs.clock.mono()) == 0);
    CHECK(times_first(after, all, "192.0.2.4", runs.clock.mono()) == 0);
    CHECK(after.hedge_delay(address("192.0.2.4")) == Servers::doubted_hedge);
    CHECK(after.round_trip(address("192.0.2.1")) == Duration(40));
    CHECK_FALSE(after.round_trip(address("192.0.2.3")));
    // It is tried again now and then, and once it answers it is like others.
    CHECK(times_first(after, all, "192.0.2.4", runs.clock.mono() + 10s) > 0);
    for (int turn = 0; turn < 60; ++turn) after.answered(address("192.0.2.4"), 1ms);
    CHECK(times_first(after, all, "192.0.2.4", runs.clock.mono()) > 900);
}

TEST_CASE("a family that was dead before a restart is so after it, and is tried again soon") {
    Runs runs;
    Servers before = runs.next();
    before.answered(address("192.0.2.1"), 40ms);
    kill_family(before, "2001:db8::", runs.clock.mono());
    runs.keep(before);
    runs.clock.step_wall(600s);
    Servers after = runs.next();
    CHECK(after.is_family_dead(Family::ipv6, runs.clock.mono()));
    CHECK_FALSE(after.is_family_dead(Family::ipv4, runs.clock.mono()));
    // Addresses never asked before come last as well.
    CHECK(times_first(after, candidates({"2001:db8::77", "192.0.2.77"}), "192.0.2.77", runs.clock.mono()) == 1000);
    CHECK_FALSE(after.is_family_dead(Family::ipv6, runs.clock.mono() + Servers::family_retry));
    SECTION("long afterwards nothing is said of it") {
        runs.clock.step_wall(2h);
        Servers late = runs.next();
        CHECK_FALSE(late.is_family_dead(Family::ipv6, runs.clock.mono()));
        CHECK(late.round_trip(address("192.0.2.1")) == Duration(40));
    }
}

TEST_CASE("while nothing answers that is our own network, and what was noted of servers stays") {
    Runs runs;
    Servers before = runs.next();
    before.answered(address("192.0.2.1"), 40ms);
    runs.keep(before);
    SECTION("from the start") {
        Servers alone = runs.next();
        alone.timed_out(address("192.0.2.1"), runs.clock.mono());
        CHECK_FALSE(resolve::note_servers(alone, 0, runs.cache, runs.clock));
    }
    SECTION("of a sudden") {
        kill_family(before, "192.0.2.", runs.clock.mono());
        CHECK_FALSE(resolve::note_servers(before, 0, runs.cache, runs.clock));
    }
    CHECK(runs.next().round_trip(address("192.0.2.1")) == Duration(40));
    CHECK(runs.next().hedge_delay(address("192.0.2.1")) > Servers::doubted_hedge);
    SECTION("one family that answers is enough") {
        before.answered(address("2001:db8::1"), 40ms);
        kill_family(before, "192.0.2.", runs.clock.mono());
        CHECK(resolve::note_servers(before, 0, runs.cache, runs.clock));
        CHECK(runs.next().is_family_dead(Family::ipv4, runs.clock.mono()));
    }
}

TEST_CASE("how long unknown servers are waited for is known again after a restart") {
    Runs runs;
    Servers before = runs.next();
    for (std::size_t count = 0; count < 64; ++count) before.answered(numbered(count), 70ms);
    runs.keep(before);
    Servers after = runs.next();
    CHECK(before.hedge_delay(address("192.0.2.1")) == Duration(70));
    CHECK(after.hedge_delay(address("192.0.2.1")) == Duration(70));
}

TEST_CASE("what other workers knew is recalled as well, a worker's own knowledge first") {
    Runs runs;
    Servers first(runs.random), second(runs.random);
    first.answered(address("192.0.2.1"), 10ms);
    second.answered(address("192.0.2.1"), 20ms);
    second.answered(address("192.0.2.2"), 30ms);
    runs.keep(first, 0);
    runs.keep(second, 1);
    CHECK(runs.next(0).round_trip(address("192.0.2.1")) == Duration(10));
    CHECK(runs.next(1).round_trip(address("192.0.2.1")) == Duration(20));
    CHECK(runs.next(0).round_trip(address("192.0.2.2")) == Duration(30));
    CHECK(runs.next(9).round_trip(address("192.0.2.2")) == Duration(30));
}

TEST_CASE("a note of servers that is old, from the future or damaged is left alone") {
    Runs runs;
    Servers before = runs.next();
    before.answered(address("192.0.2.1"), 40ms);
    before.answered(address("2001:db8::1"), 40ms);
    runs.keep(before);
    REQUIRE(runs.next().round_trip(address("192.0.2.1")));
    const std::string note = *runs.cache.find_note("servers/0", start);
    SECTION("old") {
        // Kept longer than the cache would.
        runs.cache.store_note("servers/0", note, start + std::chrono::hours(1000));
        runs.clock.step_wall(resolve::servers_kept + 1s);
        CHECK_FALSE(runs.next().round_trip(address("192.0.2.1")));
    }
    SECTION("from the future") {
        runs.clock.step_wall(-301s);
        CHECK_FALSE(runs.next().round_trip(address("192.0.2.1")));
        runs.clock.step_wall(2s);
        CHECK(runs.next().round_trip(address("192.0.2.1")));
    }
    SECTION("each octet missing, one too many") {
        for (std::size_t length = 0; length < note.size(); ++length)
            CHECK_FALSE(resolve::read_servers_note(std::string_view(note).substr(0, length)));
        CHECK_FALSE(resolve::read_servers_note(note + "x"));
    }
    SECTION("of another version") {
        std::string other = note;
        other.front() = 2;
        CHECK_FALSE(resolve::read_servers_note(other));
        runs.cache.store_note("servers/0", other, start + 60s);
        CHECK_FALSE(runs.next().round_trip(address("192.0.2.1")));
    }
}

TEST_CASE("a note of servers says what was known, within bounds") {
    const ServersMemory memory{
        {{address("192.0.2.1"), 12ms, 3ms, 0, true}, {address("2001:db8::2"), 1800ms, 0ms, 10, false}},
        {false, true},
        {5ms, 300ms}};
    const auto read = resolve::read_servers_note(resolve::servers_note({start, memory}));
    REQUIRE(read);
    CHECK(read->noted == start);
    CHECK(read->memory == memory);

    // Absurd times become the longest that are ever waited for.
    const ServersMemory absurd{{{address("192.0.2.1"), 24h, -5ms, 4'000'000, true}}, {}, {24h}};
    const auto again = resolve::read_servers_note(resolve::servers_note({start, absurd}));
    REQUIRE(again);
    SeededRandom random(3);
    Servers servers(random);
    servers.recall(again->memory, MonoTime{});
    CHECK(servers.round_trip(address("192.0.2.1")) == Servers::most_timeout);
    CHECK(servers.timeout(address("192.0.2.1")) == Servers::most_timeout);
    CHECK(servers.order(candidates({"192.0.2.1"}), stage::name("example."), MonoTime{}).size() == 1);
}

TEST_CASE("what is noted of servers is bounded: the failing ones and those in demand") {
    SeededRandom random(4);
    Servers servers(random);
    for (std::size_t number = 0; number < 3000; ++number) servers.answered(numbered(number), 10ms);
    for (std::size_t number = 2990; number < 3000; ++number) servers.answered(numbered(number), 10ms);
    for (std::size_t number = 5000; number < 9000; ++number) {
        servers.unreachable(numbered(number), MonoTime{});
        servers.answered(address("192.0.2.1"), 10ms);  // the family lives
    }
    const ServersMemory memory = servers.remember(100, MonoTime{});
    REQUIRE(memory.servers.size() == 100);
    std::size_t failing = 0;
    std::set<Address> kept;
    for (const ServersMemory::One& one : memory.servers) {
        if (one.failures > 0) ++failing;
        kept.insert(one.address);
    }
    CHECK(failing == 50);
    CHECK(kept.contains(address("192.0.2.1")));
    for (std::size_t number = 2990; number < 3000; ++number) CHECK(kept.contains(numbered(number)));
    CHECK(resolve::servers_note({start, servers.remember(resolve::most_servers_noted, MonoTime{})}).size() <= 65'536);
}

TEST_CASE("there is something new to note where a server came, died or came back, and not with every answer") {
    SeededRandom random(5);
    Servers servers(random);
    auto news = [&servers, seen = std::uint64_t{0}]() mutable {
        const bool any = servers.changes() != seen;
        seen = servers.changes();
        return any;
    };
    CHECK_FALSE(news());
    servers.answered(address("192.0.2.1"), 10ms);
    CHECK(news());
    servers.answered(address("192.0.2.1"), 11ms);
    CHECK_FALSE(news());
    servers.timed_out(address("192.0.2.1"), MonoTime{});
    CHECK(news());
    servers.timed_out(address("192.0.2.1"), MonoTime{});
    CHECK_FALSE(news());
    servers.answered(address("192.0.2.1"), 10ms);
    CHECK(news());
    servers.unreachable(address("192.0.2.1"), MonoTime{});
    CHECK(news());
}
