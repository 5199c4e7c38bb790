// What the tests of this room share: a real loop on loopback that cannot run for ever, and blunt client sockets.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/sockaddr.h"
#include "net/uv_network.h"
#include "task/gather.h"
#include "task/nursery.h"

namespace mxtrust::net {

using namespace std::chrono_literals;

inline Endpoint loopback(std::uint16_t port = 0) {
    return {*Address::from_text("127.0.0.1"), port};
}
inline Endpoint loopback6(std::uint16_t port = 0) {
    return {*Address::from_text("::1"), port};
}
inline Bytes bytes_of(std::string_view text) {
    const BytesView view = as_bytes(text);
    return {view.begin(), view.end()};
}

template <class T>
task::Task<void> run_and_stop(UvLoop* loop, task::Task<T> task, std::optional<T>* result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
    loop->stop();
}

/// The loop of one test. Whatever hangs ends after a minute, and the test fails.
struct Real {
    SystemClock clock;
    // Of this process alone: another build's tests, which run at the same time, would draw the same ports.
    SeededRandom random{20261122 + static_cast<std::uint64_t>(getpid())};
    UvLoop loop{clock};
    UvNetwork network{loop, random};

    [[nodiscard]] MonoTime in(Duration span) const { return clock.mono() + span; }

    template <class T>
    T run(task::Task<T> task) {
        std::optional<T> result;
        task::Nursery nursery(loop);
        nursery.spawn(run_and_stop(&loop, std::move(task), &result));
        run_guarded();
        REQUIRE(result.has_value());
        return std::move(*result);
    }
    /// Runs the loop until `holds`, looking once a millisecond. Returns whether it did.
    bool run_until(std::function<bool()> holds) {
        bool held = false;  // asked once more it may have changed: the question often takes something off a socket
        task::Timer look(loop, [&] {
            held = holds();
            if (held) {
                loop.stop();
            } else {
                look.wake_at(in(1ms));
            }
        });
        look.wake_at(in(0ms));
        run_guarded();
        return held;
    }
    void run_for(Duration span) {
        task::Timer end(loop, [this] { loop.stop(); });
        end.wake_at(in(span));
        loop.run();
    }

  private:
    void run_guarded() {
        task::Timer guard(loop, [this] { loop.stop(); });
        guard.wake_at(in(60s));
        loop.run();
    }
};

/// A folder of the test's own, removed at the end.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mxtrust-net-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;  // what is left there is a matter of the temporary folder's owner
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

inline Listening listen(const std::string& path) {
    auto listening = Listening::unix_stream(path, 0600);
    REQUIRE(listening);
    return std::move(*listening);
}

/// A plain descriptor, closed at the end.
class Descriptor {
  public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) { REQUIRE(descriptor_ >= 0); }
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    void close() {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }
    [[nodiscard]] int get() const { return descriptor_; }
    void send(std::string_view text) const {
        REQUIRE(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    }
    /// What is there now; "" for nothing, "EOF" at the end of the stream, "RESET" on an error of the connection.
    [[nodiscard]] std::string take() const {
        std::string text(70000, '\0');
        const ssize_t count = ::recv(descriptor_, text.data(), text.size(), MSG_DONTWAIT);
        if (count == 0) return "EOF";
        if (count < 0) return errno == EAGAIN ? "" : "RESET";
        text.resize(static_cast<std::size_t>(count));
        return text;
    }

  private:
    int descriptor_;
};

/// A client, connected.
inline Descriptor connect_to(const Endpoint& endpoint, int kind) {
    const SocketAddress address(endpoint);
    Descriptor descriptor(socket(address.raw()->sa_family, kind | SOCK_CLOEXEC, 0));
    REQUIRE(connect(descriptor.get(), address.raw(), address.size()) == 0);
    return descriptor;
}

/// A scripted TCP user: does what the test says.
class Script final : public ConnectionUser {
  public:
    explicit Script(ConnectionRef connection) : connection_(std::move(connection)) {}
    void received(BytesView data) override {
        CHECK_FALSE(is_closed);
        text.append(as_text(data));
        if (on_received) on_received(*this);
    }
    void ended() override {
        CHECK_FALSE(is_closed);
        is_ended = true;
        if (on_ended) on_ended(*this);
    }
    void drained() override { ++drains; }
    void closed() override {
        CHECK_FALSE(is_closed);
        is_closed = true;
    }
    [[nodiscard]] Connection& connection() { return *connection_; }

    std::string text;
    bool is_ended = false;
    bool is_closed = false;
    int drains = 0;
    std::function<void(Script&)> on_received;
    std::function<void(Script&)> on_ended;

  private:
    ConnectionRef connection_;
};

/// A stream server whose connections are Scripts that the test can reach.
struct Scripted {
    Scripted(Real& world, Listening listening, std::function<void(Script&)> prepare = nullptr, std::size_t most = 100)
        : endpoint(listening.endpoint()) {
        auto started =
            StreamServer::start(world.loop, std::move(listening), most, [this, prepare](ConnectionRef connection) {
                scripts.push_back(std::make_shared<Script>(std::move(connection)));
                if (prepare) prepare(*scripts.back());
                return scripts.back();
            });
        REQUIRE(started);
        server = std::move(*started);
    }
    Endpoint endpoint;
    std::vector<std::shared_ptr<Script>> scripts;
    std::unique_ptr<StreamServer> server;
};

}  // namespace mxtrust::net
