// The serving side of streams: Unix and TCP, half-close, a peer that does not read, idling, limits, sharing.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "net/tools.h"

namespace mxtrust::net {
namespace {

Descriptor connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path[0], path.data(), path.size());
    Descriptor descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return descriptor;
}
void echo(Script& script) {
    script.on_received = [](Script& self) { self.connection().send(bytes_of(std::exchange(self.text, ""))); };
}
/// What a connection of these tests may be idle: a fifth of it, and what a busy machine adds to that, is less.
constexpr Duration idle_span = 1s;

/// All that the client hears until it has `size` octets, or the end.
std::string hear(Real& world, const Descriptor& client, std::size_t size) {
    std::string all;
    bool over = false;
    world.run_until([&] {
        for (std::string part = over ? "" : client.take(); !part.empty(); part = client.take()) {
            over = part == "EOF" || part == "RESET";
            all += part;
            if (over) break;
        }
        return over || all.size() >= size;
    });
    return all;
}

}  // namespace

TEST_CASE("a Unix socket serves: file mode, data both ways, the peer's credentials") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), echo);
    struct stat status{};
    REQUIRE(stat(folder.file("socket").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    const Descriptor client = connect_to(folder.file("socket"));
    client.send("hello");
    CHECK(hear(world, client, 5) == "hello");
    REQUIRE(server.scripts.size() == 1);
    const auto credentials = server.scripts[0]->connection().credentials();
    REQUIRE(credentials);
    CHECK(credentials->user == getuid());
    CHECK(credentials->group == getgid());
    CHECK(credentials->process == getpid());
    CHECK_FALSE(server.scripts[0]->connection().peer());
}

TEST_CASE("a TCP socket serves, on both families, at the port it says") {
    Real world;
    const Endpoint at = GENERATE(loopback(), loopback6());
    auto listening = Listening::tcp(at);
    REQUIRE(listening);
    CHECK(listening->endpoint().port != 0);
    CHECK(listening->endpoint().address == at.address);
    Scripted server(world, std::move(*listening), echo);
    const Descriptor client = net::connect_to(server.endpoint, SOCK_STREAM);
    client.send("hello");
    CHECK(hear(world, client, 5) == "hello");
    REQUIRE(server.scripts[0]->connection().peer());
    CHECK(server.scripts[0]->connection().peer()->address == at.address);
    CHECK_FALSE(server.scripts[0]->connection().credentials());
}

TEST_CASE("a client that has shut down its sending side still gets its replies") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), [](Script& script) {
        script.on_ended = [](Script& self) {
            self.connection().send(bytes_of("reply to " + self.text));
            self.connection().close_when_sent();
        };
    });
    const Descriptor client = connect_to(folder.file("socket"));
    client.send("question");
    REQUIRE(shutdown(client.get(), SHUT_WR) == 0);
    CHECK(hear(world, client, 1000) == "reply to questionEOF");
    CHECK(world.run_until([&] { return server.scripts[0]->is_closed; }));
    CHECK(server.server->connections() == 0);
}

TEST_CASE("what a client does not read is queued, seen, and sent when it reads again") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")));
    const Descriptor client = connect_to(folder.file("socket"));
    REQUIRE(world.run_until([&] { return server.scripts.size() == 1; }));
    Script& script = *server.scripts[0];
    constexpr std::size_t size = 4'000'000;
    script.connection().send(Bytes(size, 'x'));
    script.connection().send(bytes_of("end"));
    world.run_for(5ms);
    CHECK(script.connection().queued() > 0);
    CHECK(script.drains == 0);
    const std::string heard = hear(world, client, size + 3);
    CHECK(heard.size() == size + 3);
    CHECK(heard.substr(size) == "end");
    CHECK(world.run_until([&] { return script.drains == 1; }));
    CHECK(script.connection().queued() == 0);
}

TEST_CASE("a paused connection leaves the data with the kernel until it is resumed") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), [](Script& script) {
        script.on_received = [](Script& self) { self.connection().pause_reading(); };
    });
    const Descriptor client = connect_to(folder.file("socket"));
    client.send("one");
    REQUIRE(world.run_until([&] { return !server.scripts.empty() && server.scripts[0]->text == "one"; }));
    client.send("two");
    world.run_for(5ms);
    CHECK(server.scripts[0]->text == "one");
    server.scripts[0]->connection().resume_reading();
    CHECK(world.run_until([&] { return server.scripts[0]->text == "onetwo"; }));
}

TEST_CASE("a client that vanishes closes its connection, and what is sent to it then does nothing") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), [](Script& script) {
        script.on_ended = [](Script& self) {
            for (int number = 0; number < 3; ++number) self.connection().send(Bytes(100'000, 'x'));
        };
    });
    Descriptor client = connect_to(folder.file("socket"));
    client.send("question");
    client.close();
    CHECK(world.run_until([&] { return !server.scripts.empty() && server.scripts[0]->is_closed; }));
    CHECK(server.scripts[0]->text == "question");
    server.scripts[0]->connection().send(bytes_of("too late"));
    server.scripts[0]->connection().pause_reading();
    server.scripts[0]->connection().resume_reading();
    server.scripts[0]->connection().close();
    CHECK(server.scripts[0]->connection().queued() == 0);
    CHECK_FALSE(server.scripts[0]->connection().credentials());
}

TEST_CASE("a connection on which nothing happens is closed after its span, not while something does") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), [](Script& script) {
        script.connection().close_when_idle_for(idle_span);
        echo(script);
    });
    const Descriptor client = connect_to(folder.file("socket"));
    const MonoTime began = world.clock.mono();
    for (int number = 0; number < 6; ++number) {
        client.send("x");
        CHECK(hear(world, client, 1) == "x");
        world.run_for(idle_span / 5);
    }
    CHECK(world.clock.mono() - began > idle_span);
    CHECK_FALSE(server.scripts[0]->is_closed);
    CHECK(hear(world, client, 10) == "EOF");
    CHECK(world.run_until([&] { return server.scripts[0]->is_closed; }));
}

TEST_CASE("a client that never says anything is closed after its span, and one that only listens is not") {
    Folder folder;
    Real world;
    const bool listens = GENERATE(false, true);
    Scripted server(world, listen(folder.file("socket")),
                    [](Script& script) { script.connection().close_when_idle_for(idle_span); });
    const Descriptor client = connect_to(folder.file("socket"));
    REQUIRE(world.run_until([&] { return server.scripts.size() == 1; }));
    if (listens) {
        for (int number = 0; number < 6; ++number) {
            server.scripts[0]->connection().send(bytes_of("x"));
            world.run_for(idle_span / 5);
        }
        CHECK_FALSE(server.scripts[0]->is_closed);
    }
    const MonoTime since = world.clock.mono();
    CHECK(world.run_until([&] { return server.scripts[0]->is_closed; }));
    CHECK(world.clock.mono() - since < 30s);
}

TEST_CASE("more clients than allowed are turned away, and let in when there is room") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), echo, 2);
    Descriptor first = connect_to(folder.file("socket"));
    const Descriptor second = connect_to(folder.file("socket"));
    REQUIRE(world.run_until([&] { return server.server->connections() == 2; }));
    const Descriptor third = connect_to(folder.file("socket"));
    CHECK(hear(world, third, 1) == "EOF");
    CHECK(server.scripts.size() == 2);
    second.send("x");
    CHECK(hear(world, second, 1) == "x");
    server.scripts[0]->connection().close();
    CHECK(server.server->connections() == 1);
    const Descriptor fourth = connect_to(folder.file("socket"));
    fourth.send("y");
    CHECK(hear(world, fourth, 1) == "y");
}

TEST_CASE("a server without descriptors rests, and takes clients again when there are some (A36)") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), echo, 1000);
    std::vector<Descriptor> clients;
    for (int count = 0; count < 40; ++count) clients.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{256, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    // Somebody else in this process takes whatever is free, also what libuv lets go of for a moment to be able to
    // accept.
    std::atomic<bool> over{false}, none_left{false};
    std::vector<int> taken;  // Catch counts for one thread only: no Descriptor, which asserts
    std::thread taker([&] {
        while (!over) {
            const int descriptor = fcntl(0, F_DUPFD_CLOEXEC, 0);
            if (descriptor >= 0) taken.push_back(descriptor);
            if (descriptor < 0) none_left = true;
        }
    });
    while (!none_left) std::this_thread::yield();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder.file("socket");
    std::memcpy(&address.sun_path[0], path.data(), path.size());
    for (const Descriptor& client : clients) {
        CHECK(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        world.run_for(2ms);
    }
    over = true;
    taker.join();
    for (const int descriptor : taken) close(descriptor);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    const Descriptor last = connect_to(path);
    last.send("y");
    CHECK(hear(world, last, 1) == "y");
}

TEST_CASE("a greeter may refuse a client, and may close it at once") {
    Folder folder;
    Real world;
    std::vector<std::shared_ptr<Script>> made;
    const bool refuses = GENERATE(true, false);
    auto server = StreamServer::start(world.loop, listen(folder.file("socket")), 10, [&](ConnectionRef connection) {
        if (refuses) return std::shared_ptr<ConnectionUser>();
        connection->close();
        made.push_back(std::make_shared<Script>(std::move(connection)));
        return std::shared_ptr<ConnectionUser>(made.back());
    });
    REQUIRE(server);
    const Descriptor client = connect_to(folder.file("socket"));
    CHECK(hear(world, client, 1) == "EOF");
    CHECK((*server)->connections() == 0);
    world.run_for(1ms);
    CHECK(made.size() == (refuses ? 0U : 1U));
    if (!made.empty()) CHECK(made[0]->is_closed);
}

TEST_CASE("a server may be destroyed from within its greeter, and from within a call to its user") {
    const bool in_greeter = GENERATE(true, false);
    Real world;
    auto listening = Listening::tcp(loopback());
    REQUIRE(listening);
    const Endpoint endpoint = listening->endpoint();
    std::unique_ptr<StreamServer> server;
    std::shared_ptr<Script> script;
    const std::string kept(100, 'x');  // what the greeter captured is used after the server is gone
    std::string seen;
    auto started = StreamServer::start(
        world.loop, std::move(*listening), 10,
        [&server, &script, &seen, in_greeter, kept](ConnectionRef connection) -> std::shared_ptr<ConnectionUser> {
            script = std::make_shared<Script>(std::move(connection));
            script->on_received = [&server](Script&) { server.reset(); };
            if (in_greeter) server.reset();
            seen = kept;
            return script;
        });
    REQUIRE(started);
    server = std::move(*started);
    const Descriptor client = connect_to(endpoint, SOCK_STREAM);
    client.send("hello");
    CHECK(world.run_until([&] { return server == nullptr && script->is_closed; }));
    CHECK(seen == std::string(100, 'x'));
    const std::string end = client.take();
    CHECK((end == "EOF" || end == "RESET"));
}

TEST_CASE("a user may close its connection from within every call") {
    Folder folder;
    Real world;
    Scripted server(world, listen(folder.file("socket")), [](Script& script) {
        const auto close = [](Script& self) {
            self.connection().send(bytes_of("gone"));
            self.connection().close();
        };
        script.on_received = close;
        script.on_ended = close;
    });
    const Descriptor client = connect_to(folder.file("socket"));
    const bool talks = GENERATE(true, false);
    if (talks) client.send(std::string(100'000, 'x'));
    if (!talks) REQUIRE(shutdown(client.get(), SHUT_WR) == 0);
    CHECK(world.run_until([&] { return !server.scripts.empty() && server.scripts[0]->is_closed; }));
    CHECK(server.server->connections() == 0);
}

TEST_CASE("stopping a server closes its connections; its loop may end before they have") {
    Folder folder;
    std::shared_ptr<Script> script;
    {
        Real world;
        Scripted server(world, listen(folder.file("socket")), echo);
        const Descriptor client = connect_to(folder.file("socket"));
        REQUIRE(world.run_until([&] { return server.scripts.size() == 1; }));
        script = server.scripts[0];
        script->connection().send(Bytes(3'000'000, 'x'));
        if (GENERATE(true, false)) {
            server.server->stop();
            CHECK(server.server->connections() == 0);
            CHECK(world.run_until([&] { return script->is_closed; }));
        }
    }
    CHECK(script->is_closed);
}

TEST_CASE("ten thousand clients that come and go leave nothing behind") {
    Folder folder;
    Real world;
    std::size_t served = 0;
    auto server = StreamServer::start(world.loop, listen(folder.file("socket")), 1000, [&](ConnectionRef connection) {
        auto script = std::make_shared<Script>(std::move(connection));
        echo(*script);
        script->on_ended = [&](Script& self) {
            ++served;
            self.connection().close_when_sent();
        };
        return script;
    });
    REQUIRE(server);
    for (std::size_t round = 0; round < 100; ++round) {
        std::vector<Descriptor> clients;
        for (int number = 0; number < 100; ++number) {
            clients.push_back(connect_to(folder.file("socket")));
            clients.back().send("x");
        }
        clients.clear();
        REQUIRE(world.run_until([&] { return served == (round + 1) * 100; }));
    }
    CHECK(world.run_until([&] { return (*server)->connections() == 0; }));
}

namespace {

/// An echo without assertions: Catch2's are for the main thread only.
class Echo final : public ConnectionUser {
  public:
    Echo(ConnectionRef connection, std::atomic<int>* served) : connection_(std::move(connection)), served_(served) {}
    void received(BytesView data) override {
        ++*served_;
        connection_->send(Bytes(data.begin(), data.end()));
    }
    void ended() override { connection_->close_when_sent(); }
    void drained() override {}
    void closed() override {}

  private:
    ConnectionRef connection_;
    std::atomic<int>* served_;
};

/// A worker: its own thread and loop, the same socket. Counts -1 where it could not start.
void work(Listening listening, std::atomic<UvLoop*>* mine, std::atomic<int>* served) {
    const SystemClock clock;
    UvLoop loop(clock);
    auto server = StreamServer::start(loop, std::move(listening), 10, [served](ConnectionRef connection) {
        return std::make_shared<Echo>(std::move(connection), served);
    });
    if (!server) *served = -1'000'000;
    *mine = &loop;
    loop.run();
}

}  // namespace

TEST_CASE("workers share one Unix socket, and a client is served by exactly one of them") {
    Folder folder;
    const Listening listening = listen(folder.file("socket"));
    std::array<std::atomic<UvLoop*>, 2> loops{};
    std::array<std::atomic<int>, 2> served{};
    std::vector<std::thread> workers;
    for (std::size_t number = 0; number < loops.size(); ++number) {
        auto copy = listening.duplicate();
        REQUIRE(copy);
        workers.emplace_back(work, std::move(*copy), &loops.at(number), &served.at(number));
    }
    constexpr int clients = 200;
    for (int number = 0; number < clients; ++number) {
        const Descriptor client = connect_to(folder.file("socket"));
        client.send("x");
        char heard = 0;
        CHECK(recv(client.get(), &heard, 1, 0) == 1);
        CHECK(heard == 'x');
    }
    for (std::atomic<UvLoop*>& loop : loops) {
        while (loop == nullptr) std::this_thread::yield();
        loop.load()->post([&loop] { loop.load()->stop(); });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(served[0] + served[1] == clients);
}

namespace {

constexpr int most_turns = 2000;  // of both, until what must come has come

/// Two workers in one thread, each run by hand: while only the first runs, it accepts everything.
struct TwoWorkers {
    explicit TwoWorkers(const Listening& listening) : path(listening.path()) {
        auto first_copy = listening.duplicate();
        auto second_copy = listening.duplicate();
        REQUIRE(first_copy);
        REQUIRE(second_copy);
        const auto until_ended = [](Script& script) {
            echo(script);
            script.on_ended = [](Script& self) { self.connection().close_when_sent(); };
        };
        first.emplace(first_world, std::move(*first_copy), until_ended);
        second.emplace(second_world, std::move(*second_copy), until_ended);
    }
    /// Connects so many, who say something at once.
    void connect(std::size_t count) {
        for (std::size_t number = 0; number < count; ++number) {
            clients.push_back(connect_to(path));
            clients.back().send("x");
        }
    }
    void first_accepts_all() {
        REQUIRE(first_world.run_until(
            [&] { return first->server->connections() + second->server->connections() == clients.size(); }));
    }
    std::string path;
    Real first_world, second_world;
    std::optional<Scripted> first, second;
    std::vector<Descriptor> clients;
};

}  // namespace

TEST_CASE("a worker that got all connections hands half of them over") {
    Folder folder;
    TwoWorkers both(listen(folder.file("socket")));
    both.connect(10);
    both.first_accepts_all();
    // Those on their way count already, so that a worker that ends by itself waits for them.
    CHECK(both.first->server->connections() == 5);
    CHECK(both.second->server->connections() == 5);
    CHECK(both.second->scripts.empty());
    CHECK(both.second_world.run_until([&] { return both.second->scripts.size() >= 5; }));
    CHECK(both.second->scripts.size() == 5);
    for (const Descriptor& client : both.clients) {
        std::string heard;
        for (int turn = 0; turn < most_turns && heard.empty(); ++turn) {
            both.first_world.run_for(1ms);
            both.second_world.run_for(1ms);
            heard = client.take();
        }
        CHECK(heard == "x");
    }
    CHECK(both.first->server->counters().accepted == 5);
    CHECK(both.second->server->counters().accepted == 5);
    // Who leaves makes room: the next ones go where there are fewer.
    for (int number = 0; number < 5; ++number) both.clients.pop_back();
    const auto left = [&] { return both.first->server->connections() + both.second->server->connections(); };
    for (int turn = 0; turn < most_turns && left() > 5; ++turn) {
        both.first_world.run_for(1ms);
        both.second_world.run_for(1ms);
    }
    CHECK(left() == 5);
}

TEST_CASE("a connection on its way to a worker that leaves is served still, one to a worker that is gone is closed") {
    Folder folder;
    TwoWorkers both(listen(folder.file("socket")));
    both.connect(2);
    both.first_accepts_all();
    REQUIRE(both.second->server->connections() == 1);
    const auto ends = [&both](Descriptor& client) {
        std::string heard;
        for (int turn = 0; turn < most_turns; ++turn) {
            both.first_world.run_for(1ms);
            both.second_world.run_for(1ms);
            heard += client.take();
            if (heard.ends_with("EOF") || heard.ends_with("RESET")) break;
        }
        return heard;
    };
    SECTION("it takes no more") {
        both.second->server->drain();
        both.first->server->drain();
        CHECK(both.second->server->connections() == 1);
        CHECK(ends(both.clients[0]) == "xEOF");
        CHECK(ends(both.clients[1]) == "xEOF");
        CHECK(both.second->server->connections() == 0);
    }
    SECTION("it is stopped") {
        both.second->server->stop();
        CHECK(both.second->server->connections() == 0);
        const std::string heard = ends(both.clients[1]);
        CHECK((heard == "EOF" || heard == "RESET"));
        CHECK(both.second->scripts.empty());
    }
    SECTION("nothing is handed to one that has left") {
        both.second->server->drain();
        both.connect(4);
        REQUIRE(both.first_world.run_until([&] { return both.first->server->connections() == 5; }));
        CHECK(both.second->server->connections() == 1);
    }
}

TEST_CASE("connections lie evenly over the workers, whoever accepts them") {
    Folder folder;
    const Listening listening = listen(folder.file("socket"));
    std::array<std::atomic<UvLoop*>, 4> loops{};
    std::array<std::atomic<int>, 4> served{};
    std::vector<std::thread> workers;
    for (std::size_t number = 0; number < loops.size(); ++number) {
        auto copy = listening.duplicate();
        REQUIRE(copy);
        workers.emplace_back(work, std::move(*copy), &loops.at(number), &served.at(number));
        while (loops.at(number) == nullptr) std::this_thread::yield();
    }
    std::vector<Descriptor> clients;
    for (int number = 0; number < 32; ++number) {
        clients.push_back(connect_to(folder.file("socket")));
        clients.back().send("x");
        char heard = 0;
        CHECK(recv(clients.back().get(), &heard, 1, 0) == 1);
    }
    for (const std::atomic<int>& one : served) CHECK(one == 8);
    for (std::atomic<UvLoop*>& loop : loops) loop.load()->post([&loop] { loop.load()->stop(); });
    for (std::thread& worker : workers) worker.join();
}

TEST_CASE("an inherited descriptor serves as one's own") {
    Real world;
    auto listening = Listening::tcp(loopback());
    REQUIRE(listening);
    const Endpoint at = listening->endpoint();
    auto inherited = Listening::inherited(listening->release());
    REQUIRE(inherited);
    Scripted server(world, std::move(*inherited), echo);
    CHECK(server.endpoint == at);
    const Descriptor client = net::connect_to(at, SOCK_STREAM);
    client.send("hello");
    CHECK(hear(world, client, 5) == "hello");
}

}  // namespace mxtrust::net
