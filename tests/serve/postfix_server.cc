// Netstrings, and the Postfix socket without a socket: a played connection, look-ups that fail at once, virtual time.
#include "serve/postfix_server.h"

#include <catch2/catch.hpp>

#include "cache/memory_cache.h"
#include "route/lookups.h"
#include "serve/netstring.h"
#include "serve/postfix_policy.h"
#include "task/manual.h"

using namespace mxtrust;
using serve::netstring;
using serve::NetstringReader;
using serve::PostfixLimits;
using serve::PostfixServer;

TEST_CASE("netstrings come out as they went in, however they are cut") {
    const std::string text = netstring("") + netstring("policy example.org") + netstring(std::string("a,\0:\n", 5));
    for (std::size_t step = 1; step <= text.size(); ++step) {
        NetstringReader reader(100);
        std::vector<std::string> taken;
        for (std::size_t at = 0; at < text.size(); at += step) {
            reader.add(std::string_view(text).substr(at, step));
            for (auto next = reader.take(); next.value(); next = reader.take()) taken.push_back(**next);
        }
        CHECK(taken == std::vector<std::string>{"", "policy example.org", std::string("a,\0:\n", 5)});
        CHECK_FALSE(reader.is_inside());
    }
}

TEST_CASE("what is no netstring is refused as early as it can be") {
    for (const std::string_view text :
         {":", ",", "a", "-1:a,", "01:a,", "00:,", "1a:", " 1:a,", "11:", "99999999999999999999999", "1:ab", "0:a"}) {
        INFO(text);
        NetstringReader reader(10);
        reader.add(text);
        CHECK_FALSE(reader.take().has_value());
    }
    NetstringReader reader(10);
    reader.add("10:0123456789");
    CHECK_FALSE(reader.take().value().has_value());  // its comma may come
    reader.add(",");
    CHECK(reader.take().value() == "0123456789");
}

namespace {

class NobodyThere final : public net::Network {
  public:
    task::Task<Result<net::DatagramReply>> exchange_datagram(Endpoint /*server*/, Bytes /*query*/,
                                                             net::Matcher /*matcher*/, MonoTime /*deadline*/) override {
        co_return fail(FailureKind::unreachable, Code("TSTN"), "nobody is there");
    }
    task::Task<Result<Bytes>> exchange_stream(Endpoint /*server*/, Bytes /*query*/, MonoTime /*deadline*/) override {
        co_return fail(FailureKind::unreachable, Code("TSTN"), "nobody is there");
    }
};

class PlayedConnection final : public net::Connection {
  public:
    void send(Bytes data) override { replies.add(as_text(data)); }
    [[nodiscard]] std::size_t queued() const override { return untaken; }
    void pause_reading() override { reading = false; }
    void resume_reading() override { reading = true; }
    void close_when_sent() override { closing = true; }
    void close() override { cut = true; }
    void close_when_idle_for(Duration span) override { idle = span; }
    [[nodiscard]] std::optional<Endpoint> peer() const override { return std::nullopt; }
    [[nodiscard]] std::optional<net::PeerCredentials> credentials() const override { return std::nullopt; }

    std::vector<std::string> take() {
        std::vector<std::string> all;
        for (auto next = replies.take(); next.value(); next = replies.take()) all.push_back(**next);
        return all;
    }

    NetstringReader replies{serve::most_socketmap_reply_octets};
    std::size_t untaken = 0;
    bool reading = true, closing = false, cut = false;
    Duration idle{};
};

resolve::Settings settings() {
    resolve::Settings all;
    all.root_hints = {{dns::Name(), Address::from_text("198.51.100.1").value()}};
    all.anchors =
        dnssec::TrustAnchors::parse(". DS 4711 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D")
            .value();
    return all;
}

struct World {
    explicit World(PostfixLimits limits = {}) : server(limits, {clock, router, scheduler, log, random}) {
        user = server.greet(connection);
    }
    void say(std::string_view text) { user->received(as_bytes(text)); }

    ManualClock clock{WallTime{1795305600}};
    SeededRandom random{1};
    NobodyThere network;
    cache::MemoryCache cache;
    log::Log log{log::Level::error, log::Target::nowhere};
    task::ManualScheduler scheduler{clock};
    resolve::Resolver resolver{settings(), {clock, random, network, cache, log, scheduler}};
    route::ResolverLookups lookups{resolver};
    route::Router router{{}, {clock, lookups, cache, scheduler}};
    PostfixServer server;
    std::shared_ptr<PlayedConnection> connection = std::make_shared<PlayedConnection>();
    std::shared_ptr<net::ConnectionUser> user;

    ~World() { scheduler.cancel_all(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
};

const std::string slow = netstring("policy example.org");  // a look-up is needed, and fails
const std::string quick = netstring("policy .org");

}  // namespace

TEST_CASE("requests sent without waiting are answered in order, whichever is ready first; the connection stays") {
    World world;
    world.say(slow + quick + netstring("policy [192.0.2.1]"));
    world.scheduler.run_until_idle();
    const auto replies = world.connection->take();
    REQUIRE(replies.size() == 3);
    CHECK(replies[0].substr(0, 36) == "TEMP 4.4.312 DNS query failed: the M");
    CHECK(replies[1] == "NOTFOUND ");
    CHECK(replies[2] == "NOTFOUND ");
    CHECK_FALSE(world.connection->closing);
    CHECK(world.connection->idle == PostfixLimits().most_idle_time);
    world.say(quick);
    CHECK(world.connection->take().size() == 1);
}

TEST_CASE("at Postfix's end pending replies are still sent, then the connection closes") {
    World world;
    world.say(slow + "18:poli");
    world.user->ended();
    CHECK_FALSE(world.connection->closing);
    world.scheduler.run_until_idle();
    CHECK(world.connection->take().size() == 1);
    CHECK(world.connection->closing);
}

TEST_CASE("broken framing costs the connection, after what was asked before is answered") {
    World world;
    world.say(slow + "nonsense" + quick);
    CHECK_FALSE(world.connection->closing);
    world.scheduler.run_until_idle();
    CHECK(world.connection->take().size() == 1);
    CHECK(world.connection->closing);
    CHECK_FALSE(world.connection->reading);
}

TEST_CASE("an overlong request is refused before it is kept") {
    World world;
    world.say("10001:");
    CHECK(world.connection->closing);
}

TEST_CASE(
    "a client with many requests under way is not read from until some are answered, and gets all answers "
    "(socketmap)") {
    PostfixLimits limits;
    limits.most_pending = 4;
    World world(limits);
    std::string text;
    for (int count = 0; count < 20; ++count) text += slow;
    world.say(text);
    CHECK_FALSE(world.connection->reading);
    world.scheduler.run_until_idle();
    CHECK(world.connection->reading);
    CHECK(world.connection->take().size() == 20);
}

TEST_CASE("a client that does not take its replies is not read from (socketmap)") {
    World world;
    world.connection->untaken = PostfixLimits().most_queued_octets + 1;
    world.say(quick);
    CHECK_FALSE(world.connection->reading);
    CHECK(world.connection->take().empty());
    world.connection->untaken = 0;
    world.user->drained();
    CHECK(world.connection->reading);
    CHECK(world.connection->take().size() == 1);
}

TEST_CASE("beyond what a worker can have under way, Postfix is told to come again") {
    PostfixLimits limits;
    limits.most_pending_in_all = 1;
    World world(limits);
    world.say(slow + slow);
    world.scheduler.run_until_idle();
    const auto replies = world.connection->take();
    REQUIRE(replies.size() == 2);
    CHECK(replies[1] == "TEMP mxtrust has too many requests under way; Postfix will ask again");
}

TEST_CASE("while memory is short few requests of Postfix are taken at a time, and afterwards as many as before") {
    PostfixLimits limits;
    limits.most_pending = 1000;
    World world(limits);
    std::string text;
    for (int number = 0; number < 100; ++number)
        text += netstring("policy d" + std::to_string(number) + ".d" + std::to_string(number) + ".test");
    for (const auto& [restraint, let_in] : {std::pair(serve::Restraint::few, serve::few_questions),
                                            std::pair(serve::Restraint::none, std::size_t{100})}) {
        world.server.restrain(restraint);
        world.say(text);
        world.scheduler.run_until_idle();
        const auto replies = world.connection->take();
        CHECK(replies.size() == 100);
        CHECK(static_cast<std::size_t>(std::ranges::count(replies, serve::overloaded_policy_reply())) == 100 - let_in);
    }
}

TEST_CASE("a request that is not finished in time costs the connection") {
    World world;
    world.say("18:policy");
    world.scheduler.run_until_idle();
    CHECK(world.connection->cut);
}

TEST_CASE("requests that are all finished in time keep the connection, however packets cut them") {
    World world;
    const std::string end = quick.substr(5), beginning = quick.substr(0, 5);
    world.say(beginning);
    for (int second = 0; second < 100; ++second) {
        world.scheduler.run_for(std::chrono::seconds(1));
        world.say(end + beginning);
    }
    CHECK_FALSE(world.connection->cut);
    CHECK(world.connection->take().size() == 100);
    world.scheduler.run_for(PostfixLimits().most_request_time);
    CHECK(world.connection->cut);
}

TEST_CASE("a client that leaves while its answer is made harms nobody (socketmap)") {
    World world;
    world.say(slow);
    world.user->closed();
    world.user.reset();
    world.scheduler.run_until_idle();
    CHECK(world.connection->take().empty());
}

TEST_CASE("requests and replies of the Postfix socket are counted, each reply once") {
    PostfixLimits limits;
    limits.most_pending_in_all = 1;
    World world(limits);
    world.say(slow + slow + quick + netstring("other x") + netstring("policy \xe2\x98\x83.example") + "x");
    world.scheduler.run_until_idle();
    serve::DoorCounters counters;
    world.server.count(counters);
    CHECK(counters.postfix_requests == 5);
    CHECK(counters.postfix_temp == 2);
    CHECK(counters.postfix_overloaded == 1);
    CHECK(counters.postfix_not_found == 1);
    CHECK(counters.postfix_perm == 1);
    CHECK(counters.postfix_dane == 1);
    CHECK(counters.postfix_dane_only + counters.postfix_secure == 0);
    CHECK(counters.postfix_broken_framing == 1);
}

TEST_CASE("a domain that many wait for has a quarter of Postfix's places, and others are served beside it") {
    PostfixLimits limits;
    limits.most_pending_in_all = 16;
    World world(limits);
    std::string text;
    for (int number = 0; number < 12; ++number)
        text += netstring("policy h" + std::to_string(number) + ".slow.example");
    for (int number = 0; number < 4; ++number) text += netstring("policy good" + std::to_string(number) + ".test");
    world.say(text);
    world.scheduler.run_until_idle();
    const std::vector<std::string> replies = world.connection->take();
    REQUIRE(replies.size() == 16);
    for (std::size_t at = 0; at < replies.size(); ++at) {
        INFO(at << ": " << replies[at]);
        CHECK((replies[at] == serve::overloaded_policy_reply()) == (at >= 8 && at < 12));
    }
}

TEST_CASE("where no place is left, a request of the largest domain goes, and Postfix is told so once, in its turn") {
    PostfixLimits limits;
    limits.most_pending_in_all = 4;
    World world(limits);
    world.say(netstring("policy a.slow.example") + netstring("policy b.slow.example") + netstring("policy one.test") +
              netstring("policy two.test"));
    CHECK(world.connection->take().empty());
    world.say(netstring("policy three.test"));
    CHECK(world.connection->take() == std::vector<std::string>{serve::overloaded_policy_reply()});
    world.scheduler.run_until_idle();
    const std::vector<std::string> others = world.connection->take();
    CHECK(others.size() == 4);
    for (const std::string& reply : others) CHECK(reply != serve::overloaded_policy_reply());
    serve::DoorCounters counters;
    world.server.count(counters);
    CHECK(counters.postfix_overloaded == 1);
    CHECK(counters.postfix_temp == 5);
}

TEST_CASE("Postfix may end its side in the middle of a pipeline that is not read from, and gets all replies") {
    PostfixLimits limits;
    limits.most_pending = 2;
    World world(limits);
    world.say(slow + quick + slow + slow + quick + slow);
    world.user->ended();
    world.scheduler.run_until_idle();
    CHECK(world.connection->take().size() == 6);
    CHECK(world.connection->closing);
}
