// Whom to ask next.
#include "resolve/servers.h"

#include "resolve/build.h"

using namespace mxtrust;
using resolve::Candidate;
using resolve::Servers;
using namespace std::chrono_literals;

namespace {

Address address(const std::string& text) {
    auto parsed = Address::from_text(text);
    REQUIRE(parsed);
    return *parsed;
}
Candidate candidate(const std::string& text) {
    return {stage::name("ns.example."), address(text)};
}

/// How often each address came first in many drawings.
std::size_t times_first(Servers& servers, const std::vector<Candidate>& all, const std::string& who,
                        MonoTime now = {}) {
    std::size_t count = 0;
    for (int turn = 0; turn < 1000; ++turn) {
        if (servers.order(all, stage::name("example."), now).front().address == address(who)) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("the fastest server is preferred, and others are tried now and then") {
    SeededRandom random(1);
    Servers servers(random);
    servers.answered(address("192.0.2.1"), 10ms);
    servers.answered(address("192.0.2.2"), 300ms);
    const std::size_t first = times_first(servers, {candidate("192.0.2.1"), candidate("192.0.2.2")}, "192.0.2.1");
    CHECK(first > 900);
    CHECK(first < 1000);
}

TEST_CASE("an unknown server is tried before a slow one") {
    SeededRandom random(2);
    Servers servers(random);
    servers.answered(address("192.0.2.1"), 400ms);
    CHECK(times_first(servers, {candidate("192.0.2.1"), candidate("192.0.2.2")}, "192.0.2.2") > 900);
}

TEST_CASE("a server that does not answer goes to the end, and comes back after a while") {
    SeededRandom random(3);
    Servers servers(random);
    const MonoTime now{};
    servers.answered(address("192.0.2.1"), 10ms);
    servers.answered(address("192.0.2.2"), 200ms);
    for (int turn = 0; turn < 3; ++turn) servers.timed_out(address("192.0.2.1"), now);
    CHECK(times_first(servers, {candidate("192.0.2.1"), candidate("192.0.2.2")}, "192.0.2.1", now) == 0);
    servers.answered(address("192.0.2.1"), 10ms);
    for (int turn = 0; turn < 30; ++turn) servers.answered(address("192.0.2.1"), 10ms);
    CHECK(times_first(servers, {candidate("192.0.2.1"), candidate("192.0.2.2")}, "192.0.2.1", now) > 900);
}

TEST_CASE("a lame server is asked last about that zone, and only that zone") {
    SeededRandom random(4);
    Servers servers(random);
    const MonoTime now{};
    servers.lame(address("192.0.2.1"), stage::name("example."), now);
    CHECK(servers.is_lame(address("192.0.2.1"), stage::name("example."), now));
    CHECK_FALSE(servers.is_lame(address("192.0.2.1"), stage::name("other."), now));
    CHECK_FALSE(servers.is_lame(address("192.0.2.1"), stage::name("example."), now + Servers::lame_time));
    CHECK(times_first(servers, {candidate("192.0.2.1"), candidate("192.0.2.2")}, "192.0.2.1", now) == 0);
}

TEST_CASE("a family in which nothing answers is noticed as a whole, and one answer revives it") {
    SeededRandom random(5);
    Servers servers(random);
    const MonoTime now{};
    for (unsigned host = 1; host <= Servers::family_dead_after; ++host) {
        CHECK_FALSE(servers.is_family_dead(Family::ipv6, now));
        servers.unreachable(address("2001:db8::" + std::to_string(host)), now);
    }
    CHECK(servers.is_family_dead(Family::ipv6, now));
    CHECK_FALSE(servers.is_family_dead(Family::ipv4, now));
    CHECK_FALSE(servers.is_family_dead(Family::ipv6, now + Servers::family_retry));
    servers.answered(address("2001:db8::99"), 5ms);
    CHECK_FALSE(servers.is_family_dead(Family::ipv6, now));
}

TEST_CASE("one dead server alone does not make its family dead") {
    SeededRandom random(6);
    Servers servers(random);
    for (int turn = 0; turn < 50; ++turn) servers.timed_out(address("2001:db8::1"), MonoTime{});
    CHECK_FALSE(servers.is_family_dead(Family::ipv6, MonoTime{}));
}

TEST_CASE("one odd answer does not make a server look as if it had no EDNS, once EDNS worked (A32)") {
    SeededRandom random(7);
    Servers servers(random);
    const MonoTime now{};
    servers.edns_works(address("192.0.2.1"));
    servers.edns_refused(address("192.0.2.1"), now);
    CHECK(servers.edns(address("192.0.2.1"), now) == resolve::EdnsSupport::works);
    servers.edns_refused(address("192.0.2.2"), now);
    CHECK(servers.edns(address("192.0.2.2"), now) == resolve::EdnsSupport::unknown);
    servers.edns_refused(address("192.0.2.2"), now);
    CHECK(servers.edns(address("192.0.2.2"), now) == resolve::EdnsSupport::refused);
    CHECK(servers.edns(address("192.0.2.2"), now + Servers::doubt_time) == resolve::EdnsSupport::unknown);
}

TEST_CASE("time-outs follow the measured round trip and stay within bounds") {
    SeededRandom random(8);
    Servers servers(random);
    CHECK(servers.timeout(address("192.0.2.1")) == Servers::first_timeout);
    servers.answered(address("192.0.2.1"), 1ms);
    CHECK(servers.timeout(address("192.0.2.1")) == Servers::least_timeout);
    CHECK(servers.hedge_delay(address("192.0.2.1")) == Servers::least_hedge);
    for (int turn = 0; turn < 20; ++turn) servers.timed_out(address("192.0.2.1"), MonoTime{});
    CHECK(servers.timeout(address("192.0.2.1")) == Servers::most_timeout);
}

TEST_CASE("an address never heard from is waited for as long as most took that were asked for the first time") {
    SeededRandom random(9);
    Servers servers(random);
    const Address fresh = address("198.51.100.1");
    CHECK(servers.hedge_delay(fresh) == Servers::most_first_hedge);
    const auto meet = [&servers](unsigned from, unsigned to, Duration round_trip) {
        for (unsigned host = from; host < to; ++host)
            servers.answered(address("192.0.2." + std::to_string(host)), round_trip);
    };
    meet(0, Servers::least_first_contacts - 1, 20ms);
    CHECK(servers.hedge_delay(fresh) == Servers::most_first_hedge);  // too few to say anything
    meet(100, 101, 20ms);
    CHECK(servers.hedge_delay(fresh) == Servers::least_first_hedge);
    meet(10, 82, 120ms);
    CHECK(servers.hedge_delay(fresh) == 120ms);
    meet(110, 120, 2000ms);
    CHECK(servers.hedge_delay(fresh) == Servers::most_first_hedge);
    // Only first contacts count: the servers of a TLD, asked all the time, say nothing about others.
    for (int turn = 0; turn < 1000; ++turn) servers.answered(address("192.0.2.100"), 20ms);
    CHECK(servers.hedge_delay(fresh) == Servers::most_first_hedge);
}

TEST_CASE("one that is overdue is asked last by everybody, and waited for hardly at all, until it answers") {
    SeededRandom random(10);
    Servers servers(random);
    const MonoTime now{};
    const std::vector<Candidate> all{candidate("192.0.2.1"), candidate("192.0.2.2")};
    servers.overdue(address("192.0.2.1"), 50ms, now);
    CHECK(times_first(servers, all, "192.0.2.1", now) == 0);  // not even now and then
    CHECK(servers.hedge_delay(address("192.0.2.1")) == Servers::doubted_hedge);
    CHECK(servers.timeout(address("192.0.2.1")) == Servers::first_timeout);  // it may be far away
    CHECK_FALSE(servers.round_trip(address("192.0.2.1")));
    CHECK(times_first(servers, all, "192.0.2.1", now + Servers::doubted_time) > 0);
    servers.answered(address("192.0.2.1"), 70ms);
    CHECK(servers.round_trip(address("192.0.2.1")) == 70ms);  // as measured, not as feared
    CHECK(servers.hedge_delay(address("192.0.2.1")) > 70ms);
    CHECK(times_first(servers, all, "192.0.2.1", now) > 0);
}

TEST_CASE("one that did not answer once is not tried again before a while, if there is another") {
    SeededRandom random(11);
    Servers servers(random);
    const MonoTime now{};
    servers.answered(address("192.0.2.1"), 10ms);
    servers.answered(address("192.0.2.2"), 10ms);
    servers.timed_out(address("192.0.2.1"), now);
    const std::vector<Candidate> all{candidate("192.0.2.1"), candidate("192.0.2.2")};
    CHECK(times_first(servers, all, "192.0.2.1", now + 1s) == 0);
    CHECK(times_first(servers, all, "192.0.2.1", now + 3s) > 0);
}

TEST_CASE("of servers never heard from the same one is asked first, a different one in each process") {
    const std::vector<Candidate> all{candidate("192.0.2.1"), candidate("192.0.2.2"), candidate("192.0.2.3")};
    std::size_t first = 0, second = 0;
    for (unsigned seed = 0; seed < 30; ++seed) {
        SeededRandom random(seed);
        Servers servers(random);
        const Address chosen = servers.order(all, stage::name("example."), MonoTime{}).front().address;
        CHECK(times_first(servers, all, chosen.to_text()) > 900);
        if (chosen == address("192.0.2.1")) ++first;
        if (chosen == address("192.0.2.2")) ++second;
    }
    CHECK(first > 3);
    CHECK(second > 3);
}
