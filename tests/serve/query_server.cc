// The query socket without a socket: a played connection, a resolver whose network reaches nobody, virtual time.
#include "serve/query_server.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cache/memory_cache.h"
#include "route/lookups.h"
#include "serve/allocations.h"
#include "task/manual.h"

using namespace mxtrust;
using serve::QueryLimits;
using serve::QueryServer;

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
    void send(Bytes data) override {
        sent += as_text(data);
        if (!takes) untaken += data.size();
        ++writes;
    }
    /// As net/ does it: without a copy of its own, where the peer takes it.
    void write(BytesView data) override {
        sent += as_text(data);
        if (!takes) untaken += data.size();
        ++writes;
    }
    [[nodiscard]] std::size_t queued() const override { return untaken; }
    void pause_reading() override { reading = false; }
    void resume_reading() override { reading = true; }
    void close_when_sent() override { closing = true; }
    void close() override { cut = true; }
    void close_when_idle_for(Duration span) override { idle = span; }
    [[nodiscard]] std::optional<Endpoint> peer() const override { return std::nullopt; }
    [[nodiscard]] std::optional<net::PeerCredentials> credentials() const override { return who; }

    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::istringstream stream(sent);
        for (std::string line; std::getline(stream, line);) all.push_back(line);
        return all;
    }

    std::string sent;
    std::size_t untaken = 0;
    int writes = 0;
    bool takes = true, reading = true, closing = false, cut = false;
    Duration idle{};
    std::optional<net::PeerCredentials> who = net::PeerCredentials{0, 0, 1};
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
    explicit World(QueryLimits limits = {})
        : server(limits, {clock, resolver, router, cache, scheduler, log, board}, flush(), [] {}, reloading()) {}

    QueryServer::Flush flush() {
        return [this](const dns::Name& name, serve::Extent extent) {
            flushed.push_back(name.to_text() + (extent == serve::Extent::subtree ? " and below" : ""));
            return std::size_t{3};
        };
    }
    QueryServer::Reloading reloading() {
        return [this](std::function<void(const serve::Reload&)> told) { reload_told = std::move(told); };
    }
    /// A connection that sends all this, and ends or stays.
    std::shared_ptr<PlayedConnection> talk(std::string_view text) {
        auto connection = std::make_shared<PlayedConnection>();
        user = server.greet(connection);
        say(text);
        return connection;
    }
    void say(std::string_view text) {
        user->received(as_bytes(text));
        scheduler.run_ready();
    }

    ManualClock clock{WallTime{1795305600}};
    SeededRandom random{1};
    NobodyThere network;
    cache::MemoryCache cache;
    log::Log log{log::Level::error, log::Target::nowhere};
    task::ManualScheduler scheduler{clock};
    serve::StatusBoard board{1};
    resolve::Resolver resolver{settings(), {clock, random, network, cache, log, scheduler}};
    route::ResolverLookups lookups{resolver};
    route::Router router{{}, {clock, lookups, cache, scheduler}};
    std::vector<std::string> flushed;
    std::function<void(const serve::Reload&)> reload_told;
    QueryServer server;
    std::shared_ptr<net::ConnectionUser> user;

    ~World() { scheduler.cancel_all(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
};

}  // namespace

TEST_CASE("a request gets one line, and the connection stays") {
    World world;
    const auto connection = world.talk("status\n");
    REQUIRE(connection->lines().size() == 1);
    CHECK(nlohmann::json::parse(connection->lines()[0])["version"] == 1);
    CHECK_FALSE(connection->closing);
    world.say("status\n");
    CHECK(connection->lines().size() == 2);
}

TEST_CASE("a line may come in pieces, and several in one piece") {
    World world;
    const auto connection = world.talk("sta");
    CHECK(connection->sent.empty());
    world.say("tus\nstatus\nsta");
    CHECK(connection->lines().size() == 2);
}

TEST_CASE("at the client's end what stands there is a line, is answered, and then the connection closes (readsocket)") {
    World world;
    const auto connection = world.talk("status");
    CHECK(connection->sent.empty());
    world.user->ended();
    world.scheduler.run_until_idle();
    CHECK(connection->lines().size() == 1);
    CHECK(connection->closing);
}

TEST_CASE("replies that are not ready at the client's end are still sent before the connection closes") {
    World world;
    const auto connection = world.talk("{\"id\":5,\"query\":\"mail\",\"domain\":\"example.org\"}\n");
    world.user->ended();
    world.scheduler.run_until_idle();
    REQUIRE(connection->lines().size() == 1);
    const auto reply = nlohmann::json::parse(connection->lines()[0]);
    CHECK(reply["id"] == 5);
    CHECK(reply["domain"] == "example.org");
    CHECK(reply["decision"]["action"] == "defer");
    CHECK(reply["mx"]["security"] == "indeterminate");
    CHECK(connection->closing);
}

TEST_CASE("text requests are answered in their order, whichever is ready first") {
    World world;
    const auto connection = world.talk("decide example.org\nstatus\nno such verb\n");
    world.scheduler.run_until_idle();
    REQUIRE(connection->lines().size() == 3);
    CHECK(connection->lines()[0].substr(0, 15) == "defer - 4.4.312");
    CHECK(connection->lines()[1].find("\"release\"") != std::string::npos);
    CHECK(connection->lines()[2].find("bad-request") != std::string::npos);
}

TEST_CASE("a bad line gets an error, and the next line its answer") {
    World world;
    const auto connection = world.talk(std::string("\xff\xfe\0\x01\n{]\nstatus\n", 15));
    REQUIRE(connection->lines().size() == 3);
    CHECK(connection->lines()[0].find("bad-request") != std::string::npos);
    CHECK(connection->lines()[1].find("bad-request") != std::string::npos);
    CHECK(connection->lines()[2].find("\"release\"") != std::string::npos);
}

TEST_CASE("a line of as many octets as are allowed is taken, however it ends") {
    const std::string line = "{\"id\":7,\"query\":\"status\"" + std::string(4096 - 25, ' ') + "}";
    REQUIRE(line.size() == 4096);
    for (const char* end : {"\n", "\r\n", ""}) {
        World world;
        const auto connection = world.talk(line + end);
        world.user->ended();
        world.scheduler.run_ready();
        REQUIRE(connection->lines().size() == 1);
        CHECK(nlohmann::json::parse(connection->lines()[0])["id"] == 7);
    }
    World world;
    CHECK(world.talk(line + " \r\n")->lines().at(0).find("longer than 4096") != std::string::npos);
}

TEST_CASE("an overlong line gets one error and is skipped to its end") {
    World world;
    const auto connection = world.talk("mail " + std::string(5000, 'a'));
    CHECK(connection->lines().size() == 1);
    world.say(std::string(5000, 'a'));
    CHECK(connection->lines().size() == 1);
    world.say("a\nstatus\n");
    REQUIRE(connection->lines().size() == 2);
    CHECK(connection->lines()[0].find("longer than 4096") != std::string::npos);
    CHECK(connection->lines()[1].find("\"release\"") != std::string::npos);
    // A line of exactly 4096 octets is not overlong.
    world.say(std::string(4096, 'a') + "\n");
    CHECK(connection->lines()[2].find("is no request") != std::string::npos);
    world.say(std::string(4097, 'a') + "\n");
    CHECK(connection->lines()[3].find("longer than 4096") != std::string::npos);
}

TEST_CASE("a line that never ends costs the connection") {
    World world;
    const auto connection = world.talk("");
    for (int count = 0; count < 20; ++count) world.say(std::string(5000, 'a'));
    CHECK(connection->closing);
    CHECK(connection->lines().size() == 1);
}

TEST_CASE("a line that is not finished in time costs the connection; an idle connection stays") {
    World world;
    const auto slow = world.talk("stat");
    world.scheduler.run_until_idle();
    CHECK(slow->cut);
    World other;
    const auto idle = other.talk("status\n");
    other.scheduler.run_until_idle();
    CHECK_FALSE(idle->cut);
    CHECK(idle->idle == QueryLimits().most_idle_time);
}

TEST_CASE("a client whose lines are all finished in time keeps its connection, however its packets cut them") {
    World world;
    const auto steady = world.talk("status\nstat");
    for (int second = 0; second < 100; ++second) {
        world.scheduler.run_for(std::chrono::seconds(1));
        world.say("us\nstat");  // the end of one line, and the beginning of the next
    }
    CHECK_FALSE(steady->cut);
    CHECK(steady->lines().size() == 101);
    // One that is not finished then costs the connection as ever; nor does the rest of an overlong one.
    world.scheduler.run_for(QueryLimits().most_line_time);
    CHECK(steady->cut);
    World other;
    const auto endless = other.talk(std::string(4097, 'x'));
    for (int second = 0; second < 31; ++second) {
        other.say("x");
        other.scheduler.run_for(std::chrono::seconds(1));
    }
    CHECK(endless->cut);
}

TEST_CASE("a client with many requests under way is not read from until some are answered, and gets all answers") {
    QueryLimits limits;
    limits.most_pending = 4;
    World world(limits);
    auto connection = std::make_shared<PlayedConnection>();
    world.user = world.server.greet(connection);
    std::string text;
    for (int id = 0; id < 20; ++id) text += "{\"id\":" + std::to_string(id) + ",\"query\":\"status\"}\n";
    world.user->received(as_bytes(text));
    CHECK_FALSE(connection->reading);
    world.scheduler.run_until_idle();
    CHECK(connection->reading);
    CHECK(connection->lines().size() == 20);
}

TEST_CASE("a client that does not take its replies is not read from") {
    QueryLimits limits;
    limits.most_queued_octets = 100;
    World world(limits);
    auto connection = std::make_shared<PlayedConnection>();
    connection->takes = false;
    world.user = world.server.greet(connection);
    world.say("status\nstatus\nstatus\nstatus\n");
    const std::size_t before = connection->lines().size();
    CHECK_FALSE(connection->reading);
    world.say("status\n");
    CHECK(connection->lines().size() == before);
    connection->untaken = 0;
    connection->takes = true;
    world.user->drained();
    world.scheduler.run_until_idle();
    CHECK(connection->lines().size() == 5);
    CHECK(connection->reading);
}

TEST_CASE("beyond what a worker can have under way, a request is told so") {
    QueryLimits limits;
    limits.most_pending_in_all = 1;
    World world(limits);
    auto connection = std::make_shared<PlayedConnection>();
    world.user = world.server.greet(connection);
    world.user->received(
        as_bytes("{\"id\":1,\"query\":\"mail\",\"domain\":\"example.net\"}\n{\"id\":2,\"query\":\"mail\",\"domain\":"
                 "\"example.com\"}\n"
                 "decide example.org\n"));
    world.scheduler.run_until_idle();
    REQUIRE(connection->lines().size() == 3);
    CHECK(connection->lines()[0] ==
          R"({"id":2,"error":{"code":"overloaded","text":"too many requests are under way; try again in a moment"}})");
    CHECK(connection->lines()[1] == "error - overloaded too many requests are under way; try again in a moment");
    CHECK(connection->lines()[2].find("\"id\":1") != std::string::npos);
}

TEST_CASE("while memory is short few requests are taken at a time, and afterwards as many as before") {
    QueryLimits limits;
    limits.most_pending = 1000;
    World world(limits);
    std::string text;
    for (int number = 0; number < 100; ++number)
        text += "decide d" + std::to_string(number) + ".d" + std::to_string(number) + ".test\n";
    for (const auto& [restraint, let_in] : {std::pair(serve::Restraint::few, serve::few_questions),
                                            std::pair(serve::Restraint::none, std::size_t{100})}) {
        world.server.restrain(restraint);
        auto connection = std::make_shared<PlayedConnection>();
        connection->who = std::nullopt;
        world.user = world.server.greet(connection);
        world.user->received(as_bytes(text));
        world.scheduler.run_until_idle();
        const std::vector<std::string> lines = connection->lines();
        CHECK(lines.size() == 100);
        const auto told = std::ranges::count_if(
            lines, [](const std::string& line) { return line.starts_with("error - overloaded"); });
        CHECK(static_cast<std::size_t>(told) == 100 - let_in);
    }
}

TEST_CASE("a domain that many wait for has a quarter of the places, and others are served beside it") {
    QueryLimits limits;
    limits.most_pending_in_all = 16;
    World world(limits);
    auto connection = std::make_shared<PlayedConnection>();
    world.user = world.server.greet(connection);
    std::string text;
    for (int number = 0; number < 12; ++number) text += "decide h" + std::to_string(number) + ".slow.example\n";
    for (int number = 0; number < 4; ++number) text += "decide good" + std::to_string(number) + ".test\n";
    world.user->received(as_bytes(text));
    world.scheduler.run_until_idle();
    const std::vector<std::string> lines = connection->lines();
    REQUIRE(lines.size() == 16);
    for (std::size_t at = 0; at < lines.size(); ++at) {
        INFO(at << ": " << lines[at]);
        const bool overloaded = lines[at].find("error - overloaded") == 0;
        CHECK(overloaded == (at >= 8 && at < 12));
    }
    serve::DoorCounters counters;
    world.server.count(counters);
    CHECK(counters.query_overloaded == 4);
}

TEST_CASE("where no place is left, a request of the largest domain goes, is told so once, and in its turn") {
    QueryLimits limits;
    limits.most_pending_in_all = 4;
    World world(limits);
    auto connection = std::make_shared<PlayedConnection>();
    connection->who = std::nullopt;
    world.user = world.server.greet(connection);
    world.user->received(as_bytes("decide a.slow.example\ndecide b.slow.example\ndecide one.test\ndecide two.test\n"));
    CHECK(connection->sent.empty());
    auto other = std::make_shared<PlayedConnection>();
    const std::shared_ptr<net::ConnectionUser> second = world.server.greet(other);
    second->received(as_bytes("decide three.test\n"));
    CHECK(connection->sent == "error - overloaded too many requests are under way; try again in a moment\n");
    world.scheduler.run_until_idle();
    CHECK(connection->lines().size() == 4);
    REQUIRE(other->lines().size() == 1);
    CHECK(other->lines()[0].find("overloaded") == std::string::npos);
}

TEST_CASE("one account leaves a quarter of the places to others; what takes no look at others is always told") {
    QueryLimits limits;
    limits.most_pending_in_all = 8;
    World world(limits);
    auto greedy = std::make_shared<PlayedConnection>();
    greedy->who = net::PeerCredentials{1000, 1000, 7};
    world.user = world.server.greet(greedy);
    for (int number = 0; number < 8; ++number)
        world.user->received(as_bytes("decide d" + std::to_string(number) + ".test\n"));
    auto modest = std::make_shared<PlayedConnection>();
    modest->who = net::PeerCredentials{1001, 1001, 8};
    const std::shared_ptr<net::ConnectionUser> second = world.server.greet(modest);
    second->received(as_bytes("decide one.example\ndecide two.example\n"));
    world.user->received(as_bytes("{\"id\":3,\"query\":\"status\"}\n"));
    world.scheduler.run_until_idle();
    for (const std::string& line : modest->lines()) CHECK(line.find("overloaded") == std::string::npos);
    CHECK(modest->lines().size() == 2);
    CHECK(greedy->sent.find("\"release\"") != std::string::npos);
    std::size_t told = 0;
    for (const std::string& line : greedy->lines())
        told += line.find("overloaded too many") != std::string::npos ? 1 : 0;
    CHECK(told == 2);
}

TEST_CASE("a client that leaves while its answer is made harms nobody") {
    World world;
    const auto connection = world.talk("mail example.org\n");
    world.user->closed();
    world.user.reset();
    world.scheduler.run_until_idle();
    const auto other = world.talk("status\n");
    CHECK(other->lines().size() == 1);
}

TEST_CASE("a reload is answered when it is in force, or refused") {
    World world;
    auto connection = world.talk("reload\n");
    REQUIRE(world.reload_told);
    CHECK(connection->sent.empty());
    world.reload_told({true, WallTime{7}, "now in force: [server] allow", {"[server] allow"}, {"[server] workers"}});
    world.scheduler.run_ready();
    CHECK(connection->sent ==
          R"({"id":null,"version":1,"time":7,"accepted":true,"text":"now in force: [server] allow",)"
          R"("changed":["[server] allow"],"restart":["[server] workers"]})"
          "\n");
}

TEST_CASE("a reload is for root and the group of the service") {
    World world;
    auto connection = std::make_shared<PlayedConnection>();
    connection->who = net::PeerCredentials{1000, 1000, 1};
    world.user = world.server.greet(connection);
    world.say("reload\n");
    CHECK_FALSE(world.reload_told);
    CHECK(connection->sent.find("forbidden") != std::string::npos);
}

TEST_CASE("only root, the service's account and its group may flush") {
    const uid_t service = 990;
    const gid_t group = 991;
    CHECK(serve::may_flush({0, 5, 1}, service, group));
    CHECK(serve::may_flush({service, 5, 1}, service, group));
    CHECK(serve::may_flush({1000, group, 1}, service, group));
    CHECK_FALSE(serve::may_flush({1000, 1000, 1}, service, group));

    World world;
    const auto root = world.talk("flush Example.org\n{\"query\":\"flush\",\"name\":\"a.example\",\"subtree\":false}\n");
    CHECK(world.flushed == std::vector<std::string>{"example.org and below", "a.example"});
    REQUIRE(root->lines().size() == 2);
    CHECK(root->lines()[0] == R"({"id":null,"version":1,"name":"example.org","subtree":true,"flushed":3})");

    auto unknown = std::make_shared<PlayedConnection>();
    unknown->who = std::nullopt;
    world.user = world.server.greet(unknown);
    world.say("flush example.org\n");
    CHECK(unknown->lines()[0] ==
          R"({"id":null,"error":{"code":"forbidden","text":"flush is for root and the group of the service"}})");
    CHECK(world.flushed.size() == 2);
}

namespace {

/// Nobody is there to ask: that is an answer, too, and it is kept for some seconds.
constexpr std::string_view usual_request = "{\"query\":\"mail\",\"domain\":\"Example.org\",\"id\":7}\n";

nlohmann::json reply_to(World& world, const std::shared_ptr<PlayedConnection>& connection, std::string_view line) {
    connection->sent.clear();
    world.user->received(as_bytes(line));
    world.scheduler.run_until_idle();
    REQUIRE(connection->lines().size() == 1);
    return nlohmann::json::parse(connection->lines()[0]);
}

}  // namespace

TEST_CASE("a request that was answered before is answered at once, with its own id, and otherwise the same") {
    World world;
    const auto connection = world.talk("");
    CHECK(reply_to(world, connection, usual_request)["mx"]["cached"] == false);
    const nlohmann::json first = reply_to(world, connection, usual_request);
    CHECK(first["id"] == 7);
    CHECK(first["asked"] == "Example.org");
    CHECK(first["mx"]["cached"] == true);
    connection->sent.clear();
    world.user->received(as_bytes(R"({"query":"mail","domain":"Example.org","id":123456})"
                                  "\n"));
    // Nothing was run: it was at hand.
    REQUIRE(connection->lines().size() == 1);
    nlohmann::json again = nlohmann::json::parse(connection->lines()[0]);
    CHECK(again["id"] == 123456);
    again["id"] = 7;
    CHECK(again == first);
}

TEST_CASE("words are answered at once, too, but never before those that were asked earlier") {
    World world;
    const auto connection = world.talk("decide example.org\n");
    world.scheduler.run_until_idle();
    connection->sent.clear();
    world.user->received(as_bytes("decide example.org\n"));
    world.scheduler.run_until_idle();
    const std::string said = connection->sent;
    connection->sent.clear();
    world.user->received(as_bytes("decide example.org\n"));
    CHECK(connection->sent == said);
    connection->sent.clear();
    world.user->received(as_bytes("mail other.example\ndecide example.org\n"));
    CHECK(connection->sent.empty());
    world.scheduler.run_until_idle();
    REQUIRE(connection->lines().size() == 2);
    CHECK(nlohmann::json::parse(connection->lines()[0])["asked"] == "other.example");
    CHECK(connection->lines()[1] + "\n" == said);
}

TEST_CASE("an answer that has expired, was flushed or forgotten is not said again") {
    World world;
    const auto connection = world.talk("");
    static_cast<void>(reply_to(world, connection, usual_request));
    static_cast<void>(reply_to(world, connection, usual_request));
    const auto is_at_hand = [&] {
        connection->sent.clear();
        world.user->received(as_bytes(usual_request));
        const bool at_once = !connection->sent.empty();
        world.scheduler.run_until_idle();
        return at_once;
    };
    CHECK(is_at_hand());
    SECTION("expired") {
        world.clock.advance(std::chrono::seconds(6));
    }
    SECTION("flushed") {
        world.router.flush(dns::Name::from_text("example.org").value(), true);
    }
    SECTION("forgotten") {
        world.router.forget();
    }
    SECTION("decided by other rules") {
        world.router.set_options({});
    }
    CHECK_FALSE(is_at_hand());
}

TEST_CASE("a fresh look is never answered from what is at hand") {
    World world;
    const auto connection = world.talk("");
    constexpr std::string_view fresh = "{\"query\":\"mail\",\"domain\":\"example.org\",\"refresh\":true}\n";
    static_cast<void>(reply_to(world, connection, fresh));
    connection->sent.clear();
    world.user->received(as_bytes(fresh));
    CHECK(connection->sent.empty());
    world.scheduler.run_until_idle();
}

TEST_CASE("answers at hand cost no allocation, and all of one packet leave in one write") {
    if (!test::counts_allocations()) return;
    World world;
    const auto connection = world.talk("");
    static_cast<void>(reply_to(world, connection, usual_request));
    static_cast<void>(reply_to(world, connection, usual_request));
    std::string packet;
    for (int number = 0; number < 20; ++number)
        packet += "{\"query\":\"mail\",\"domain\":\"Example.org\",\"id\":" + std::to_string(number) + "}\n";
    world.user->received(as_bytes(packet));  // buffers reach their size
    connection->sent.clear();
    connection->writes = 0;
    const std::uint64_t before = test::allocations();
    world.user->received(as_bytes(packet));
    const std::uint64_t after = test::allocations();
    CHECK(connection->lines().size() == 20);
    CHECK(after - before == 0);
    CHECK(connection->writes == 1);
    // It does count: an answer that is not at hand needs some.
    world.user->received(as_bytes("mail other.example\n"));
    CHECK(test::allocations() > after);
    world.scheduler.run_until_idle();
}
