// Who is let in when there is not room for all (attacks A20, A21).
#include "resolve/crowd.h"

#include <catch2/catch.hpp>
#include <deque>

#include "base/clock.h"
#include "base/random.h"
#include "resolve/build.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using resolve::Crowd;
using Stay = Crowd::Stay;

namespace {

struct Room {
    explicit Room(std::size_t most) : crowd(std::make_shared<Crowd>(limits(most), clock, random)) {}
    static Crowd::Limits limits(std::size_t most) {
        Crowd::Limits limits;
        limits.most = most;
        limits.kept_free = 4;
        return limits;
    }
    bool enters(const std::string& name, Stay stay = Stay::unknown) {
        const std::size_t number = places.size();
        places.emplace_back(crowd, stage::name(name), stay, [this, number] { lost.push_back(number); });
        return places.back().is_held();
    }
    ManualClock clock{WallTime{1'800'000'000}};
    SeededRandom random{1};
    std::shared_ptr<Crowd> crowd;
    std::vector<std::size_t> lost;
    std::deque<Crowd::Place> places;
};

}  // namespace

TEST_CASE("while half of the places are free, everybody gets one, also a burst for one domain") {
    Room room(40);
    for (int number = 0; number < 20; ++number) CHECK(room.enters("h" + std::to_string(number) + ".one.example."));
    CHECK(room.crowd->turned_away() == 0);
}

TEST_CASE("where there is to be less room, who is in stays, until somebody comes for whom there is none") {
    Room room(40);
    for (int number = 0; number < 20; ++number) CHECK(room.enters("h.d" + std::to_string(number) + ".test."));
    room.crowd->set_most(8);
    CHECK(room.crowd->size() == 20);
    CHECK(room.lost.empty());
    CHECK_FALSE(room.enters("h.another.test."));
    room.clock.advance(1000ms);
    CHECK(room.enters("h.another.test."));
    CHECK(room.lost == std::vector<std::size_t>{0});
    room.crowd->set_most(100);
    CHECK(room.enters("h.more.test."));
    CHECK(room.lost.size() == 1);
}

TEST_CASE("beyond that a domain has a quarter, and others still find room") {
    Room room(40);
    for (int number = 0; number < 30; ++number)
        CHECK(room.enters("h" + std::to_string(number) + ".slow.example.") == (number < 20));
    CHECK(room.crowd->turned_away() == 10);
    for (int number = 0; number < 9; ++number) CHECK(room.enters("h" + std::to_string(number) + ".good.test."));
}

TEST_CASE("where no place is left, the oldest of the largest group goes, and is told so once") {
    Room room(8);
    for (const char* name : {"a.one.test.", "a.big.test.", "b.big.test.", "c.big.test.", "a.two.test.", "a.three.test.",
                             "a.four.test.", "a.five.test."}) {
        CHECK(room.enters(name));
    }
    CHECK(room.enters("a.newcomer.test."));
    CHECK(room.lost == std::vector<std::size_t>{1});
    CHECK_FALSE(room.places[1].is_held());
    CHECK(room.crowd->size() == 8);
}

TEST_CASE("where all have as little as the newcomer, who has waited for long goes, and nobody before") {
    Room room(4);
    for (const char* name : {"a.one.test.", "a.two.test.", "a.three.test.", "a.four.test."}) CHECK(room.enters(name));
    CHECK_FALSE(room.enters("a.five.test."));
    room.clock.advance(300ms);
    CHECK(room.enters("a.six.test."));
    CHECK(room.lost == std::vector<std::size_t>{0});
}

TEST_CASE("for questions to servers that answer, places are kept free") {
    Room room(4);
    for (const char* name : {"a.one.test.", "a.two.test.", "a.three.test.", "a.four.test."}) CHECK(room.enters(name));
    for (int number = 0; number < 4; ++number)
        CHECK(room.enters("h" + std::to_string(number) + ".good.test.", Stay::brief));
    CHECK_FALSE(room.enters("h9.good.test.", Stay::brief));
    CHECK(room.lost.empty());
    room.places.pop_back();
    room.places.pop_back();
    CHECK(room.crowd->size() == 7);
}

TEST_CASE("a place that ends makes room, and outlives its crowd's owner") {
    Room room(4);
    for (const char* name : {"a.one.test.", "a.two.test.", "a.three.test.", "a.four.test."}) CHECK(room.enters(name));
    CHECK_FALSE(room.enters("a.five.test."));
    room.places.pop_front();
    CHECK(room.enters("a.six.test."));
    room.crowd.reset();
    room.places.clear();
}

TEST_CASE("a client leaves a quarter of the places to others, whatever it asks for") {
    Room room(40);
    const auto enters = [&room](const std::string& client, int number) {
        const resolve::Crowd::Claim claim(stage::name("h.d" + client + std::to_string(number) + ".test."), client);
        room.places.emplace_back(room.crowd, claim, Stay::unknown, [] {});
        return room.places.back().is_held();
    };
    // Each about another domain: no domain has more than one.
    for (int number = 0; number < 40; ++number) CHECK(enters("greedy", number) == (number < 30));
    CHECK(room.crowd->turned_away() == 10);
    for (int number = 0; number < 10; ++number) CHECK(enters("modest", number));
    CHECK(room.lost.empty());
    // What it gives back it may have again.
    room.places.pop_front();
    CHECK(enters("greedy", 99));
}

TEST_CASE("who is not known is not counted as one client") {
    Room room(40);
    for (int number = 0; number < 40; ++number) CHECK(room.enters("h.d" + std::to_string(number) + ".test."));
}
