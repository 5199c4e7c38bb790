// c-ares on real sockets, over loopback: what goes out, what is believed, what a forger gains.
#include "resolve/forward_ares.h"

#include <cstdlib>
#include <set>

#include "net/tools.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using net::loopback;
using net::Match;
using net::Real;

namespace {

/// A message of our own making: ID, flags, and something behind. c-ares looks at the header.
Bytes message(std::uint16_t id, std::uint8_t flags, std::string_view rest = "") {
    Writer writer;
    writer.u16(id);
    writer.u8(flags);
    writer.u8(0);
    for (int count = 0; count < 4; ++count) writer.u16(count == 0 ? 1 : 0);
    writer.u8(0);   // the root …
    writer.u16(2);  // … NS …
    writer.u16(1);  // … IN
    writer.bytes(rest);
    return std::move(writer).finish();
}

constexpr std::uint16_t id = 0x4711;
constexpr std::uint8_t asks = 0x01, answers = 0x81, answers_truncated = 0x83;

struct Ports {
    net::Listening datagrams, streams;
};

/// One port for both. The kernel chooses it among those that are free for datagrams; for streams somebody may have it.
Ports one_port() {
    for (int left = 50; left > 0; --left) {
        net::Listening datagrams = net::Listening::udp(loopback()).value();
        auto streams = net::Listening::tcp(datagrams.endpoint());
        if (streams) return {std::move(datagrams), std::move(*streams)};
    }
    FAIL("no port is free for datagrams and streams");
    std::abort();
}

/// A forwarder: a datagram socket and a stream server at one port.
struct Forwarder {
    Forwarder(Real& world, std::function<std::vector<Bytes>(BytesView)> by_datagram,
              std::function<void(net::Script&)> by_stream = nullptr)
        : Forwarder(world, one_port(), std::move(by_datagram), std::move(by_stream)) {}
    Forwarder(Real& world, Ports at, std::function<std::vector<Bytes>(BytesView)> by_datagram,
              std::function<void(net::Script&)> by_stream)
        : listening(std::move(at.datagrams)),
          endpoint(listening.endpoint()),
          stream(world, std::move(at.streams), std::move(by_stream)) {
        auto started = net::DatagramServer::start(
            world.loop, std::move(listening),
            [this, say = std::move(by_datagram)](BytesView data, const net::DatagramPeer& peer) {
                queries.emplace_back(data.begin(), data.end());
                ports.push_back(peer.from.port);
                for (const Bytes& reply : say(data)) datagrams->reply(peer, reply);
            });
        REQUIRE(started);
        datagrams = std::move(*started);
    }
    net::Listening listening;
    Endpoint endpoint;
    net::Scripted stream;
    std::unique_ptr<net::DatagramServer> datagrams;
    std::vector<Bytes> queries;
    std::vector<std::uint16_t> ports;
};

void say_by_stream(net::Script& script, const Bytes& reply) {
    script.on_received = [reply](net::Script& self) {
        Bytes framed{static_cast<std::uint8_t>(reply.size() >> 8U), static_cast<std::uint8_t>(reply.size() & 0xffU)};
        framed.insert(framed.end(), reply.begin(), reply.end());
        if (self.text.size() > 2) self.connection().send(framed);
    };
}

struct Asker {
    Real world;
    resolve::AresRelay relay{world.loop, world.random};
    BudgetRef budget = std::make_shared<Budget>(BudgetLimits{}, MonoTime::max());

    Result<Bytes> ask(const Endpoint& forwarder, Duration time = 2s) {
        resolve::RelayQuestion question;
        question.forwarder = forwarder;
        question.query = message(id, asks);
        // "no" in the text is what no forger knows; "?" is somebody who guesses.
        question.datagram = [](BytesView data) {
            const std::string_view text = as_text(data);
            if (text.find("guess") != std::string_view::npos) return Match::suspect;
            return text.find("junk") != std::string_view::npos ? Match::ignore : Match::accept;
        };
        question.stream = [](BytesView data) {
            return as_text(data).find("other") != std::string_view::npos ? Match::ignore : Match::accept;
        };
        question.deadline = world.in(time);
        question.budget = budget;
        return world.run(relay.ask(std::move(question)));
    }
};

std::function<std::vector<Bytes>(BytesView)> always(std::vector<Bytes> replies) {
    return [replies = std::move(replies)](BytesView) { return replies; };
}

}  // namespace

TEST_CASE("a question goes out octet for octet, and the reply comes back as it was sent") {
    Asker asker;
    const Bytes reply = message(id, answers, "good");
    Forwarder forwarder(asker.world, always({reply}));
    CHECK(asker.ask(forwarder.endpoint).value() == reply);
    CHECK(forwarder.queries == std::vector<Bytes>{message(id, asks)});
    CHECK(forwarder.stream.scripts.empty());
}

TEST_CASE("every question has a port of its own") {
    Asker asker;
    Forwarder forwarder(asker.world, always({message(id, answers, "good")}));
    for (int count = 0; count < 20; ++count) CHECK(asker.ask(forwarder.endpoint));
    const std::set<std::uint16_t> ports(forwarder.ports.begin(), forwarder.ports.end());
    CHECK(ports.size() >= 19);
    CHECK(asker.budget->used(Limit::packets) == 20);
}

TEST_CASE("a truncated reply leads to a stream") {
    Asker asker;
    const Bytes whole = message(id, answers, std::string(4000, 'x'));
    Forwarder forwarder(asker.world, always({message(id, answers_truncated, "short")}),
                        [&whole](net::Script& script) { say_by_stream(script, whole); });
    CHECK(asker.ask(forwarder.endpoint).value() == whole);
    CHECK(forwarder.stream.scripts.size() == 1);
    CHECK(asker.budget->used(Limit::packets) == 2);
}

TEST_CASE("what does not fit is passed over, and the answer behind it is heard") {
    Asker asker;
    const Bytes good = message(id, answers, "good");
    Forwarder forwarder(asker.world, always({message(id, answers, "junk"), good}));
    CHECK(asker.ask(forwarder.endpoint).value() == good);
}

TEST_CASE("one guess ends the datagrams: a stream settles it (A26)") {
    Asker asker;
    const Bytes good = message(id, answers, "good");
    Forwarder forwarder(asker.world, always({message(id, answers, "guess"), message(id, answers, "forged")}),
                        [&good](net::Script& script) { say_by_stream(script, good); });
    CHECK(asker.ask(forwarder.endpoint).value() == good);
}

TEST_CASE("a stream that answers another question, closes or says nothing is a failure") {
    Asker asker;
    Forwarder other(asker.world, always({message(id, answers_truncated)}),
                    [](net::Script& script) { say_by_stream(script, message(id, answers, "other")); });
    const auto answered = asker.ask(other.endpoint);
    REQUIRE_FALSE(answered);
    CHECK(answered.error().kind == FailureKind::malformed);
    Forwarder closing(asker.world, always({message(id, answers_truncated)}), [](net::Script& script) {
        script.on_received = [](net::Script& self) { self.connection().close(); };
    });
    const auto closed = asker.ask(closing.endpoint);
    REQUIRE_FALSE(closed);
    CHECK(closed.error().kind == FailureKind::unreachable);
    Forwarder mute(asker.world, always({message(id, answers_truncated)}));
    const auto silent = asker.ask(mute.endpoint, 200ms);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().kind == FailureKind::timeout);
}

TEST_CASE("silence ends at the deadline, and a port where nobody listens at once") {
    Asker asker;
    Forwarder mute(asker.world, always({}));
    const auto silent = asker.ask(mute.endpoint, 200ms);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().kind == FailureKind::timeout);
    CHECK(mute.queries.size() == 1);  // it is not asked again behind our back
    const Endpoint nobody = net::Listening::udp(loopback()).value().endpoint();
    const auto refused = asker.ask(nobody);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == FailureKind::unreachable);
}

TEST_CASE("without budget nothing is sent") {
    Asker asker;
    Forwarder forwarder(asker.world, always({message(id, answers, "good")}));
    while (asker.budget->take(Limit::packets)) {
    }
    const auto spent = asker.ask(forwarder.endpoint);
    REQUIRE_FALSE(spent);
    CHECK(spent.error().kind == FailureKind::budget);
    CHECK(forwarder.queries.empty());
}

TEST_CASE("a question that is given up leaves nothing behind") {
    Asker asker;
    Forwarder mute(asker.world, always({}));
    for (int count = 0; count < 50; ++count) {
        resolve::RelayQuestion question;
        question.forwarder = mute.endpoint;
        question.query = message(id, asks);
        question.datagram = question.stream = [](BytesView) { return Match::accept; };
        question.deadline = asker.world.in(5s);
        question.budget = asker.budget = std::make_shared<Budget>(BudgetLimits{}, MonoTime::max());
        task::Nursery nursery(asker.world.loop);
        std::optional<Result<Bytes>> result;
        nursery.spawn(net::run_and_stop(&asker.world.loop, asker.relay.ask(std::move(question)), &result));
        asker.world.run_for(2ms);
        CHECK_FALSE(result);
    }
    Forwarder forwarder(asker.world, always({message(id, answers, "good")}));
    CHECK(asker.ask(forwarder.endpoint));
}
