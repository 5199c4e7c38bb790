// DNS replies that are told again by their octets.
#include "serve/hot_replies.h"

#include <catch2/catch.hpp>

#include "serve/allocations.h"
#include "serve/findings.h"

using namespace mxtrust;
using namespace mxtrust::test;
using serve::HotReplies;
using serve::Path;
using serve::ttl_places;

namespace {

dns::Message asked(std::string_view owner, std::uint16_t id = 4711) {
    dns::Message message;
    message.id = id;
    message.recursion_desired = true;
    message.question = dns::Question{name(owner), dns::Type::a, dns::Class::in, {}};
    message.edns = dns::Edns{1232, 0, true, {}};
    return message;
}

dns::Message said(const dns::Message& query, std::initializer_list<unsigned> ttls) {
    dns::Message reply = query;
    reply.response = true;
    reply.authentic_data = true;
    unsigned number = 0;
    for (const unsigned ttl : ttls) {
        ++number;
        reply.answer.push_back({query.question->name, dns::Type::a, dns::Class::in, dns::Ttl(ttl),
                                Bytes{192, 0, 2, static_cast<std::uint8_t>(number)}});
    }
    return reply;
}

struct World {
    SeededRandom random{1};
    HotReplies replies{random};
    WallTime start{1795305600};
    bool authentic = false;

    void keep(const dns::Message& query, std::initializer_list<unsigned> ttls, Path path = Path::loopback) {
        once(query, ttls, path);
        once(query, ttls, path);
    }
    void once(const dns::Message& query, std::initializer_list<unsigned> ttls, Path path = Path::loopback) {
        replies.keep(dns::render_message(query), path, dns::render_message(said(query, ttls)), start);
    }
    std::optional<dns::Message> find(const dns::Message& query, int seconds_later = 0, Path path = Path::loopback) {
        const BytesView found =
            replies.find(dns::render_message(query), path, start + std::chrono::seconds(seconds_later), authentic);
        if (found.empty()) return std::nullopt;
        return dns::parse_message(found).value();
    }
};

}  // namespace

TEST_CASE("the same question gets the same reply, with its own id and TTLs that have gone down") {
    World world;
    world.keep(asked("mx.example.org"), {300, 60});
    const auto reply = world.find(asked("mx.example.org", 99), 4);
    REQUIRE(reply);
    CHECK(reply->id == 99);
    REQUIRE(reply->answer.size() == 2);
    CHECK(reply->answer[0].ttl == dns::Ttl(296));
    CHECK(reply->answer[1].ttl == dns::Ttl(56));
    CHECK(reply->edns);
    CHECK(world.authentic);
    // Counted from when it was made, not from the last use.
    CHECK(world.find(asked("mx.example.org"), 4)->answer[0].ttl == dns::Ttl(296));
}

TEST_CASE("a reply is kept from the second time on that its question is asked") {
    World world;
    world.once(asked("mx.example.org"), {300});
    CHECK(world.replies.size() == 0);
    world.once(asked("mx2.example.org"), {300});
    CHECK(world.replies.size() == 0);
    world.once(asked("mx.example.org", 99), {300});
    CHECK(world.find(asked("mx.example.org")));
    CHECK(world.replies.size() == 1);
}

TEST_CASE("another name, another flag, another path is another question") {
    World world;
    world.keep(asked("mx.example.org"), {300});
    CHECK_FALSE(world.find(asked("mx2.example.org")));
    CHECK_FALSE(world.find(asked("mx.example.org"), 0, Path::network));
    dns::Message unchecked = asked("mx.example.org");
    unchecked.checking_disabled = true;
    CHECK_FALSE(world.find(unchecked));
    dns::Message plain = asked("mx.example.org");
    plain.edns.reset();
    CHECK_FALSE(world.find(plain));
}

TEST_CASE("a reply is kept for some seconds, never beyond half of its shortest TTL, and not with TTL 0") {
    World world;
    world.keep(asked("long.example"), {300});
    CHECK(world.find(asked("long.example"), 4));
    CHECK_FALSE(world.find(asked("long.example"), 5));
    world.keep(asked("short.example"), {300, 4});
    CHECK(world.find(asked("short.example"), 1));
    CHECK_FALSE(world.find(asked("short.example"), 2));
    world.keep(asked("never.example"), {300, 0});
    CHECK_FALSE(world.find(asked("never.example")));
    world.keep(asked("one.example"), {1});
    CHECK_FALSE(world.find(asked("one.example")));
}

TEST_CASE("a clock that is set back ends a kept reply") {
    World world;
    world.keep(asked("mx.example.org"), {300});
    CHECK_FALSE(world.find(asked("mx.example.org"), -3600));
}

TEST_CASE("a flush forgets the replies") {
    World world;
    world.keep(asked("mx.example.org"), {300});
    world.replies.forget();
    CHECK_FALSE(world.find(asked("mx.example.org")));
}

TEST_CASE("what is no message has no TTLs, and is not kept") {
    const Bytes whole = dns::render_message(said(asked("mx.example.org"), {300, 60}));
    REQUIRE(ttl_places(whole).readable);
    CHECK(ttl_places(whole).places.size() == 2);
    for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK_FALSE(ttl_places(BytesView(whole).first(length)).readable);
}

TEST_CASE("a DNS reply that is told again costs no allocation") {
    if (!counts_allocations()) return;
    World world;
    world.keep(asked("mx.example.org"), {300, 60});
    const Bytes query = dns::render_message(asked("mx.example.org", 7));
    const std::uint64_t before = allocations();
    world.keep(asked("mx2.example.org"), {300});
    REQUIRE(allocations() > before);  // it does count
    int found = 0;
    const std::uint64_t start = allocations();
    for (int round = 0; round < 100; ++round)
        found += world.replies.find(query, Path::loopback, world.start, world.authentic).empty() ? 0 : 1;
    const std::uint64_t end = allocations();
    CHECK(found == 100);
    CHECK(end - start == 0);
}
