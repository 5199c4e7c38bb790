// Questions by datagram on loopback: echo, forgeries, silence, refusal, cancellation, many at once.
#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <map>
#include <set>

#include "net/tools.h"

namespace mxtrust::net {
namespace {

/// A scripted authority: what it sends for a question is up to the test.
struct Authority {
    using Answers = std::function<std::vector<Bytes>(BytesView)>;
    Authority(Real& world, const Endpoint& at, Answers answers) {
        auto listening = Listening::udp(at);
        REQUIRE(listening);
        endpoint = listening->endpoint();
        auto started = DatagramServer::start(world.loop, std::move(*listening),
                                             [this, answers](BytesView data, const DatagramPeer& peer) {
                                                 ++questions;
                                                 ports.insert(peer.from.port);
                                                 for (const Bytes& answer : answers(data)) server->reply(peer, answer);
                                             });
        REQUIRE(started);
        server = std::move(*started);
    }
    Endpoint endpoint;
    int questions = 0;
    std::multiset<std::uint16_t> ports;
    std::unique_ptr<DatagramServer> server;
};

Authority::Answers echo() {
    return [](BytesView data) { return std::vector<Bytes>{Bytes(data.begin(), data.end())}; };
}
Authority::Answers silence() {
    return [](BytesView) { return std::vector<Bytes>(); };
}
/// By the first letter: a accepts, i ignores, s suspects.
Match by_letter(BytesView data) {
    if (data.empty()) return Match::ignore;
    if (data[0] == 'a') return Match::accept;
    return data[0] == 's' ? Match::suspect : Match::ignore;
}

task::Task<std::vector<Bytes>> ask_many(Real* world, Endpoint server, std::size_t many) {
    task::Gather<Result<DatagramReply>> asking(world->loop);
    const MonoTime deadline = world->in(5s);
    for (std::size_t number = 0; number < many; ++number) {
        asking.add(
            world->network.exchange_datagram(server, bytes_of("a" + std::to_string(number)), by_letter, deadline));
    }
    std::vector<Bytes> replies(many);
    while (asking.pending() > 0) {
        auto finished = co_await asking.next(deadline);
        if (!finished) break;
        if (finished->second) replies.at(finished->first) = finished->second->message;
    }
    co_return replies;
}
task::Task<bool> sleep_for(UvLoop* loop, Duration span) {
    const MonoTime until = loop->now() + span;
    co_await task::sleep_until(until);
    co_return true;
}
/// Cancels a question while it is under way.
task::Task<bool> ask_and_leave(Real* world, Endpoint server) {
    task::Gather<Result<DatagramReply>> asking(world->loop);
    asking.add(world->network.exchange_datagram(server, bytes_of("a"), by_letter, task::never));
    const MonoTime soon = world->in(5ms);
    auto finished = co_await asking.next(soon);
    co_return finished.has_value();
}

/// A question that ends soon, answered at once; before it is looked for, this thread is held up beyond that end.
/// Returns whether the answer counts, and is there before anything else that was due.
task::Task<bool> ask_and_be_held_up(Real* world, Endpoint server, int authority) {
    task::Gather<Result<DatagramReply>> asking(world->loop);
    const MonoTime end = world->in(500ms);
    asking.add(world->network.exchange_datagram(server, bytes_of("a"), by_letter, end));
    std::array<char, 16> question{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    while (::recvfrom(authority, question.data(), question.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from),
                      &size) != 1) {
        if (world->clock.mono() >= end) co_return false;  // it was not sent in time
        const MonoTime soon = world->in(1ms);
        co_await task::sleep_until(soon);
    }
    const MonoTime due = world->clock.mono();
    ::sendto(authority, "a", 1, 0, reinterpret_cast<sockaddr*>(&from), size);
    while (world->clock.mono() <= end) {
    }
    auto finished = co_await asking.next(due);
    co_return finished && finished->second;
}

}  // namespace

TEST_CASE("an answer that came while the process was held up counts, and comes before what is due") {
    Real world;
    const Descriptor authority(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(authority.get(), reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(authority.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
    CHECK(world.run(ask_and_be_held_up(&world, loopback(ntohs(at.sin_port)), authority.get())));
}

TEST_CASE("a datagram that the matcher accepts is the reply, over either family") {
    Real world;
    const Endpoint at = GENERATE(loopback(), loopback6());
    Authority authority(world, at, echo());
    const auto reply =
        world.run(world.network.exchange_datagram(authority.endpoint, bytes_of("a question"), by_letter, world.in(5s)));
    REQUIRE(reply);
    CHECK(reply->message == bytes_of("a question"));
    CHECK_FALSE(reply->suspicious);
    CHECK(world.network.counters().sockets == 0);
    CHECK(world.network.counters().datagrams_sent == 1);
    CHECK(world.network.counters().datagrams_received == 1);
    CHECK(world.network.counters().octets_received == 10);
}

TEST_CASE("what the matcher ignores is passed over, what it suspects ends the question (A26)") {
    struct Row {
        const char* name;
        std::vector<const char*> sent;
        const char* message;
        bool suspicious;
    };
    const Row row = GENERATE(Row{"rubbish before the answer", {"x", "i", "answer", "a later one"}, "answer", false},
                             Row{"an empty datagram before the answer", {"", "answer"}, "answer", false},
                             Row{"a wrong ID before the answer", {"s", "answer"}, "", true},
                             Row{"the answer before a wrong ID", {"answer", "s"}, "answer", false});
    INFO(row.name);
    Real world;
    Authority authority(world, loopback(), [&](BytesView) {
        std::vector<Bytes> all;
        for (const char* text : row.sent) all.push_back(bytes_of(text));
        return all;
    });
    const auto reply =
        world.run(world.network.exchange_datagram(authority.endpoint, bytes_of("?"), by_letter, world.in(5s)));
    REQUIRE(reply);
    CHECK(reply->message == bytes_of(row.message));
    CHECK(reply->suspicious == row.suspicious);
}

TEST_CASE("a flood of datagrams that are not for us is suspicious itself") {
    Real world;
    Authority authority(world, loopback(), [](BytesView) { return std::vector<Bytes>(100, bytes_of("i")); });
    const auto reply =
        world.run(world.network.exchange_datagram(authority.endpoint, bytes_of("?"), by_letter, world.in(5s)));
    REQUIRE(reply);
    CHECK(reply->suspicious);
}

TEST_CASE("a datagram of 65,507 octets arrives whole") {
    Real world;
    Bytes large(65'507, 'a');
    Authority authority(world, loopback(), [&](BytesView) { return std::vector<Bytes>{large}; });
    const auto reply =
        world.run(world.network.exchange_datagram(authority.endpoint, bytes_of("?"), by_letter, world.in(5s)));
    REQUIRE(reply);
    CHECK(reply->message == large);
}

TEST_CASE("a silent server is a timeout, at the deadline") {
    Real world;
    Authority authority(world, loopback(), silence());
    const MonoTime deadline = world.in(30ms);
    const auto reply =
        world.run(world.network.exchange_datagram(authority.endpoint, bytes_of("?"), by_letter, deadline));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == FailureKind::timeout);
    CHECK(world.clock.mono() >= deadline);
    CHECK(world.run_until([&] { return authority.questions > 0; }));  // where all was slow, it has yet to be heard
    CHECK(authority.questions == 1);
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("a closed port is unreachable at once (ICMP), not after the deadline") {
    Real world;
    const Endpoint at = GENERATE(loopback(), loopback6());
    const Endpoint closed = Listening::udp(at)->endpoint();
    const MonoTime deadline = world.in(5s);
    const auto reply = world.run(world.network.exchange_datagram(closed, bytes_of("?"), by_letter, deadline));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == FailureKind::unreachable);
    CHECK(world.clock.mono() < deadline);
}

TEST_CASE("an address to which there is no route or that cannot be a server is unreachable") {
    Real world;
    const Endpoint nowhere{*Address::from_text("255.255.255.255"), 53};  // never sent: the socket may not broadcast
    const auto reply = world.run(world.network.exchange_datagram(nowhere, bytes_of("?"), by_letter, world.in(5s)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == FailureKind::unreachable);
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("every question comes from a port of its own, chosen by the given randomness (RFC 5452 9.2)") {
    Real world;
    Authority authority(world, loopback(), echo());
    constexpr std::size_t many = 200;  // at once: what a default receive buffer holds
    const std::vector<Bytes> replies = world.run(ask_many(&world, authority.endpoint, many));
    for (std::size_t number = 0; number < many; ++number) {
        INFO(number);
        REQUIRE(replies.at(number) == bytes_of("a" + std::to_string(number)));
    }
    CHECK(authority.ports.size() == many);
    const std::set<std::uint16_t> distinct(authority.ports.begin(), authority.ports.end());
    CHECK(distinct.size() == many);  // they are open at the same time, so they differ
    CHECK(*distinct.begin() < 8'000);
    CHECK(*distinct.rbegin() > 60'000);  // over the whole range, not only the kernel's own
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("a port that is taken is passed over for the next one") {
    /// Hands out one port again and again, then another one.
    class Stubborn final : public Random {
      public:
        explicit Stubborn(std::uint16_t taken) : taken_(taken) {}
        std::uint64_t next() override {
            // below(64512) is drawn % 64512, the port is that + 1024; small values are redrawn, hence the multiple.
            return ++calls_ <= 3 ? 64'512ULL * 1'000'000 + (taken_ - 1024U) : engine_.next();
        }

      private:
        std::uint16_t taken_;
        int calls_ = 0;
        SeededRandom engine_{7};
    };
    Real world;
    Authority authority(world, loopback(), echo());
    const Descriptor holder(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress any = SocketAddress::any(Family::ipv4, 0);
    REQUIRE(bind(holder.get(), any.raw(), any.size()) == 0);
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    REQUIRE(getsockname(holder.get(), reinterpret_cast<sockaddr*>(&storage), &size) == 0);
    const std::uint16_t taken = SocketAddress::endpoint(reinterpret_cast<const sockaddr*>(&storage)).port;
    Stubborn random(taken);
    UvNetwork network(world.loop, random);
    const auto reply = world.run(network.exchange_datagram(authority.endpoint, bytes_of("a"), by_letter, world.in(5s)));
    REQUIRE(reply);
    CHECK(authority.ports.count(taken) == 0);
}

TEST_CASE("a datagram from another address than the one asked does not reach the question") {
    Real world;
    Authority authority(world, loopback(), silence());
    task::Gather<Result<DatagramReply>> asking(world.loop);
    asking.add(world.network.exchange_datagram(authority.endpoint, bytes_of("?"), by_letter, world.in(60ms)));
    REQUIRE(world.run_until([&] { return authority.questions == 1; }));
    Authority forger(world, loopback(), silence());
    const DatagramPeer victim{loopback(*authority.ports.begin()), loopback().address, 0};
    forger.server->reply(victim, bytes_of("a forged answer"));
    const auto finished = world.run(asking.next(task::never));
    REQUIRE(finished);
    REQUIRE_FALSE(finished->second);
    // The kernel answers the forger with an ICMP error; the question goes on until its deadline.
    CHECK(finished->second.error().kind == FailureKind::timeout);
}

TEST_CASE("a question that is cancelled leaves no socket and hears nothing more") {
    Real world;
    Authority authority(world, loopback(), silence());
    for (int round = 0; round < 20; ++round) {
        CHECK_FALSE(world.run(ask_and_leave(&world, authority.endpoint)));
        CHECK(world.network.counters().sockets == 0);
    }
    for (const std::uint16_t port : authority.ports) {
        authority.server->reply({loopback(port), loopback().address, 0}, bytes_of("a late answer"));
    }
    CHECK(world.run(sleep_for(&world.loop, 5ms)));
    CHECK(world.network.counters().datagrams_received == 0);
}

TEST_CASE("a question may be destroyed before it starts, while it is sent, and with the loop") {
    Real world;
    Authority authority(world, loopback(), echo());
    {
        auto unawaited = world.network.exchange_datagram(authority.endpoint, bytes_of("a"), by_letter, world.in(1s));
        task::Gather<Result<DatagramReply>> asking(world.loop);
        asking.add(world.network.exchange_datagram(authority.endpoint, bytes_of("a"), by_letter, world.in(1s)));
        world.loop.run_ready();
        CHECK(world.network.counters().sockets == 1);
    }
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("more questions than there may be sockets are refused, and the network recovers (A39)") {
    Real world;
    Authority authority(world, loopback(), echo());
    UvNetwork network(world.loop, world.random, 10);
    std::size_t refused = 0;
    {
        task::Gather<Result<DatagramReply>> asking(world.loop);
        for (int number = 0; number < 12; ++number) {
            asking.add(network.exchange_datagram(authority.endpoint, bytes_of("a"), by_letter, world.in(5s)));
        }
        world.loop.run_ready();
        CHECK(network.counters().sockets == 10);
        CHECK(network.counters().refused == 2);
        while (asking.pending() > 0) {
            const auto finished = world.run(asking.next(task::never));
            REQUIRE(finished);
            if (finished->second) continue;
            CHECK(finished->second.error().kind == FailureKind::system);
            ++refused;
        }
    }
    CHECK(refused == 2);
    CHECK(network.counters().sockets == 0);
    CHECK(world.run(network.exchange_datagram(authority.endpoint, bytes_of("a"), by_letter, world.in(5s))));
}

TEST_CASE("a datagram server answers from the address that was asked, though it listens on the wildcard") {
    struct Row {
        const char* name;
        const char* wildcard;
        const char* asked;
    };
    const Row row =
        GENERATE(Row{"IPv4", "0.0.0.0", "127.0.0.1"}, Row{"IPv4, another address of the host", "0.0.0.0", "127.0.0.77"},
                 Row{"IPv6", "::", "::1"});
    INFO(row.name);
    Real world;
    Authority authority(world, {*Address::from_text(row.wildcard), 0}, echo());
    CHECK(authority.endpoint.port != 0);
    const Descriptor client = connect_to({*Address::from_text(row.asked), authority.endpoint.port}, SOCK_DGRAM);
    client.send("hello");
    std::string heard;
    CHECK(world.run_until([&] { return !(heard = client.take()).empty(); }));
    CHECK(heard == "hello");  // a connected socket hears nothing from any other address
}

TEST_CASE("a datagram server drops what is longer than a question can be") {
    Real world;
    Authority authority(world, loopback(), echo());
    const Descriptor client = connect_to(authority.endpoint, SOCK_DGRAM);
    client.send(std::string(5'000, 'x'));
    client.send("short");
    std::string heard;
    CHECK(world.run_until([&] { return !(heard = client.take()).empty(); }));
    CHECK(heard == "short");
    CHECK(authority.questions == 1);
}

TEST_CASE("a port is ours alone: workers share one descriptor, another program is refused") {
    for (const bool stream : {false, true}) {
        auto first = stream ? Listening::tcp(loopback()) : Listening::udp(loopback());
        REQUIRE(first);
        const auto second = stream ? Listening::tcp(first->endpoint()) : Listening::udp(first->endpoint());
        REQUIRE_FALSE(second);
        CHECK(second.error().text.find("in use") != std::string::npos);
        const auto shared = first->duplicate();
        REQUIRE(shared);
        CHECK(shared->endpoint() == first->endpoint());
    }
}

TEST_CASE("a question or reply that does not fit into a datagram is not fragmented but given back (RFC 9715 3)") {
    Real world;
    const Bytes large(65'508, 'a');
    std::optional<DatagramServer::Sent> sent;
    std::unique_ptr<DatagramServer> server;
    auto listening = Listening::udp(loopback());
    REQUIRE(listening);
    const Endpoint endpoint = listening->endpoint();
    auto started = DatagramServer::start(world.loop, std::move(*listening), [&](BytesView, const DatagramPeer& peer) {
        sent = server->reply(peer, large);
        CHECK(server->reply(peer, bytes_of("a")) == DatagramServer::Sent::yes);
    });
    REQUIRE(started);
    server = std::move(*started);
    const auto answered = world.run(world.network.exchange_datagram(endpoint, bytes_of("a"), by_letter, world.in(5s)));
    REQUIRE(answered);
    CHECK(as_text(answered->message) == "a");
    CHECK(sent == DatagramServer::Sent::too_large);
    const auto unsent = world.run(world.network.exchange_datagram(endpoint, large, by_letter, world.in(5s)));
    REQUIRE(unsent);
    CHECK(unsent->too_large);
    CHECK(world.network.counters().sockets == 0);
}

TEST_CASE("the sockets that serve forbid fragments, on both families (RFC 9715 3.1)") {
    int value = 0;
    socklen_t size = sizeof value;
    auto four = Listening::udp(loopback());
    REQUIRE(four);
    REQUIRE(getsockopt(four->descriptor(), IPPROTO_IP, IP_MTU_DISCOVER, &value, &size) == 0);
    CHECK(value == IP_PMTUDISC_PROBE);
    auto six = Listening::udp(loopback6());
    REQUIRE(six);
    REQUIRE(getsockopt(six->descriptor(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, &size) == 0);
    CHECK(value == IPV6_PMTUDISC_PROBE);
}

TEST_CASE("a datagram server may be destroyed from within its handler, with more datagrams waiting") {
    Real world;
    auto listening = Listening::udp(loopback());
    REQUIRE(listening);
    const Descriptor client = connect_to(listening->endpoint(), SOCK_DGRAM);
    std::unique_ptr<DatagramServer> server;
    int heard = 0;
    const std::string kept(100, 'x');  // what the handler captured is used after the server is gone
    auto started = DatagramServer::start(world.loop, std::move(*listening),
                                         [&server, &heard, kept](BytesView, const DatagramPeer&) {
                                             server.reset();
                                             if (kept == std::string(100, 'x')) ++heard;
                                         });
    REQUIRE(started);
    server = std::move(*started);
    for (int turn = 0; turn < 5; ++turn) client.send("question");
    CHECK(world.run_until([&] { return server == nullptr; }));
    world.run_for(20ms);
    CHECK(heard == 1);
}

TEST_CASE("questions that came together are answered each to its asker, from the address it asked, short or long") {
    const Takers takers = GENERATE(Takers::one, Takers::several);
    Real world;
    auto listening = Listening::udp({*Address::from_text("0.0.0.0"), 0});
    REQUIRE(listening);
    const std::uint16_t port = listening->endpoint().port;
    std::vector<Descriptor> clients;
    constexpr int questions = 20;  // of each client: more than are taken at once
    for (const char* asked : {"127.0.0.1", "127.0.0.2", "127.0.0.3"})
        clients.push_back(connect_to({*Address::from_text(asked), port}, SOCK_DGRAM));
    // Three answers to each, of which the long one cannot wait for the others.
    std::unique_ptr<DatagramServer> server;
    const std::string filler(600, '.');
    auto started = DatagramServer::start(
        world.loop, std::move(*listening),
        [&server, &filler](BytesView data, const DatagramPeer& peer) {
            const std::string question(as_text(data));
            for (const std::string& answer : {question + "a", question + filler, question + "b"})
                CHECK(server->reply(peer, bytes_of(answer)) == DatagramServer::Sent::yes);
        },
        takers);
    REQUIRE(started);
    server = std::move(*started);
    for (int number = 0; number < questions; ++number) {
        for (std::size_t client = 0; client < clients.size(); ++client)
            clients[client].send(std::to_string(client) + "-" + std::to_string(number) + " ");
    }
    for (std::size_t client = 0; client < clients.size(); ++client) {
        std::multiset<std::string> heard, expected;
        for (int number = 0; number < questions; ++number) {
            const std::string question = std::to_string(client) + "-" + std::to_string(number) + " ";
            for (const std::string& ending : {std::string("a"), filler, std::string("b")})
                expected.insert(question + ending);
        }
        const auto all_heard = [&] {
            for (std::string one; !(one = clients[client].take()).empty();) heard.insert(one);
            return heard.size() >= expected.size();
        };
        CHECK(world.run_until(all_heard));
        CHECK(heard == expected);
    }
}

TEST_CASE("what a datagram server said before it is destroyed from within its handler goes out") {
    Real world;
    auto listening = Listening::udp(loopback());
    REQUIRE(listening);
    const Descriptor client = connect_to(listening->endpoint(), SOCK_DGRAM);
    std::unique_ptr<DatagramServer> server;
    auto started =
        DatagramServer::start(world.loop, std::move(*listening), [&server](BytesView data, const DatagramPeer& peer) {
            server->reply(peer, data);
            if (as_text(data) == "second") server.reset();
        });
    REQUIRE(started);
    server = std::move(*started);
    for (const char* question : {"first", "second", "third"}) client.send(question);
    CHECK(world.run_until([&] { return server == nullptr; }));
    world.run_for(5ms);
    CHECK(client.take() == "first");
    CHECK(client.take() == "second");
    CHECK(client.take().empty());
}

TEST_CASE("a stopped datagram server hears nothing more") {
    Real world;
    Authority authority(world, loopback(), echo());
    const Descriptor client = connect_to(authority.endpoint, SOCK_DGRAM);
    authority.server->stop();
    client.send("hello");
    CHECK(world.run(sleep_for(&world.loop, 5ms)));
    CHECK(authority.questions == 0);
}

}  // namespace mxtrust::net
