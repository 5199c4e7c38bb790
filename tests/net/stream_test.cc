// Questions by stream on loopback (RFC 7766): segments, wrong messages, closing, silence, cancellation.
#include "net/tools.h"

namespace mxtrust::net {
namespace {

/// A message of `size` octets that begins with the ID 0x4142 ("AB").
std::string message(std::size_t size, std::string_view id = "AB") {
    return std::string(id) + std::string(size - 2, 'm');
}
std::string framed(const std::string& text) {
    Writer writer;
    writer.u16(static_cast<std::uint16_t>(text.size()));
    writer.bytes(std::string_view(text));
    const Bytes bytes = std::move(writer).finish();
    return std::string(as_text(bytes));
}
const std::string question = message(20);

Listening listen() {
    auto listening = Listening::tcp(loopback());
    REQUIRE(listening);
    return std::move(*listening);
}
task::Task<void> drip(Script* script, UvLoop* loop, std::string text, std::size_t step) {
    for (std::size_t at = 0; at < text.size(); at += step) {
        script->connection().send(bytes_of(text.substr(at, step)));
        const MonoTime soon = loop->now() + Duration(1);
        co_await task::sleep_until(soon);
    }
}
task::Task<bool> ask_and_leave(Real* world, Endpoint server, Duration patience) {
    task::Gather<Result<Bytes>> asking(world->loop);
    asking.add(world->network.exchange_stream(server, bytes_of(question), task::never));
    const MonoTime soon = world->in(patience);
    auto finished = co_await asking.next(soon);
    co_return finished.has_value();
}
task::Task<std::size_t> ask_many(Real* world, Endpoint server, std::size_t many) {
    std::vector<task::Task<Result<Bytes>>> tasks;
    const MonoTime deadline = world->in(5s);
    for (std::size_t number = 0; number < many; ++number) {
        tasks.push_back(world->network.exchange_stream(server, bytes_of(question), deadline));
    }
    std::vector<Result<Bytes>> replies = co_await task::when_all(std::move(tasks));
    std::size_t good = 0;
    for (const Result<Bytes>& reply : replies) good += reply && *reply == bytes_of(message(100)) ? 1U : 0U;
    co_return good;
}

}  // namespace

TEST_CASE("the question goes out with its length before it, the answer comes back without") {
    Real world;
    const std::size_t size = GENERATE(12U, 100U, 20'000U, 65'535U);
    Scripted authority(world, listen(), [&](Script& script) {
        script.on_received = [&](Script& self) {
            if (self.text == framed(question)) self.connection().send(bytes_of(framed(message(size))));
        };
    });
    const auto reply = world.run(world.network.exchange_stream(authority.endpoint, bytes_of(question), world.in(5s)));
    REQUIRE(reply);
    CHECK(*reply == bytes_of(message(size)));
    CHECK(world.network.counters().sockets == 0);
    CHECK(world.network.counters().streams == 1);
    CHECK(world.network.counters().octets_received == size + 2);
}

TEST_CASE("an answer may come in any segments (A23)") {
    Real world;
    task::Nursery nursery(world.loop);
    const std::size_t step = GENERATE(1U, 2U, 3U, 7U);
    Scripted authority(world, listen(), [&](Script& script) {
        script.on_received = [&, step](Script& self) {
            nursery.spawn(drip(&self, &world.loop, framed(message(30)), step));
        };
    });
    const auto reply = world.run(world.network.exchange_stream(authority.endpoint, bytes_of(question), world.in(5s)));
    REQUIRE(reply);
    CHECK(*reply == bytes_of(message(30)));
    nursery.cancel_all();
}

TEST_CASE("what is no answer to the question is a failure of the server") {
    struct Row {
        const char* name;
        std::string sent;
        FailureKind kind;
    };
    const Row row = GENERATE(Row{"another ID", framed(message(40, "XY")), FailureKind::malformed},
                             Row{"shorter than a header", framed(message(11)), FailureKind::malformed},
                             Row{"an empty message", framed(""), FailureKind::malformed},
                             Row{"closed in the middle", framed(message(40)).substr(0, 30), FailureKind::unreachable},
                             Row{"closed in the length", std::string(1, '\0'), FailureKind::unreachable},
                             Row{"closed at once", "", FailureKind::unreachable});
    INFO(row.name);
    Real world;
    Scripted authority(world, listen(), [&](Script& script) {
        script.on_received = [&](Script& self) {
            self.connection().send(bytes_of(row.sent));
            self.connection().close_when_sent();
        };
    });
    const auto reply = world.run(world.network.exchange_stream(authority.endpoint, bytes_of(question), world.in(5s)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == row.kind);
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("a server that drips for ever ends at the deadline (A23)") {
    Real world;
    task::Nursery nursery(world.loop);
    Scripted authority(world, listen(), [&](Script& script) {
        script.on_received = [&](Script& self) { nursery.spawn(drip(&self, &world.loop, framed(message(60'000)), 1)); };
    });
    const MonoTime deadline = world.in(40ms);
    const auto reply = world.run(world.network.exchange_stream(authority.endpoint, bytes_of(question), deadline));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == FailureKind::timeout);
    CHECK(world.clock.mono() >= deadline);
    nursery.cancel_all();
}

TEST_CASE("a closed port is unreachable") {
    Real world;
    const Endpoint closed = listen().endpoint();
    const auto reply = world.run(world.network.exchange_stream(closed, bytes_of(question), world.in(5s)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == FailureKind::unreachable);
}

TEST_CASE("a stream question may be cancelled while it connects, waits or reads") {
    Real world;
    task::Nursery nursery(world.loop);
    Scripted authority(world, listen(), [&](Script& script) {
        script.on_received = [&](Script& self) { nursery.spawn(drip(&self, &world.loop, framed(message(5'000)), 1)); };
    });
    const Duration patience = GENERATE(Duration(0), Duration(2), Duration(10));
    CHECK_FALSE(world.run(ask_and_leave(&world, authority.endpoint, patience)));
    CHECK(world.network.counters().sockets == 0);
    // The server sees its client go.
    CHECK(world.run_until([&] {
        return authority.scripts.empty() || authority.scripts[0]->is_ended || authority.scripts[0]->is_closed;
    }));
    nursery.cancel_all();
}

TEST_CASE("many stream questions side by side each get their answer") {
    Real world;
    Scripted authority(
        world, listen(),
        [](Script& script) {
            script.on_received = [](Script& self) { self.connection().send(bytes_of(framed(message(100)))); };
            script.on_ended = [](Script& self) { self.connection().close(); };
        },
        1000);
    CHECK(world.run(ask_many(&world, authority.endpoint, 200)) == 200);
    CHECK(world.network.counters().sockets == 0);
    CHECK(world.run_until([&] { return authority.server->connections() == 0; }));
}

}  // namespace mxtrust::net
