// What the service manager is told, by one that the test is itself: when it listens, late, or not at all.
#include "daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

/// NOTIFY_SOCKET, and what came there.
class Listener {
  public:
    Listener() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mxtrust-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        folder_ = pattern;
        const std::string path = (folder_ / "notify").string();
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::ranges::copy(path, address.sun_path);
        descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        REQUIRE(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    ~Listener() {
        unsetenv("NOTIFY_SOCKET");
        close(descriptor_);
        std::filesystem::remove_all(folder_);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// All that has come since, the first lines of it.
    [[nodiscard]] std::vector<std::string> heard() const {
        std::vector<std::string> all;
        std::array<char, 4096> buffer{};
        while (true) {
            const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (size < 0) return all;
            const std::string message(buffer.data(), static_cast<std::size_t>(size));
            all.push_back(message.substr(0, message.find('\n')));
        }
    }

  private:
    std::filesystem::path folder_;
    int descriptor_ = -1;
};

using Messages = std::vector<std::string>;

}  // namespace

TEST_CASE("the service manager hears what is told, in order, and a status once (sd_notify(3))") {
    const SystemClock clock;
    const Listener listener;
    ServiceManager manager(clock);
    manager.ready();
    manager.status("2 workers");
    manager.status("2 workers");
    manager.alive();
    manager.alive();
    manager.reloading();
    manager.ready();
    manager.stopping();
    CHECK(listener.heard() ==
          Messages{"READY=1", "STATUS=2 workers", "WATCHDOG=1", "WATCHDOG=1", "RELOADING=1", "READY=1", "STOPPING=1"});
}

TEST_CASE("a service manager that does not read keeps nobody waiting, and hears later how it is now") {
    const SystemClock clock;
    const Listener listener;
    ServiceManager manager(clock);
    for (int turn = 0; turn < 1000; ++turn) {
        manager.reloading();
        manager.alive();
        manager.ready();
        manager.status("turn " + std::to_string(turn));
    }
    Messages heard = listener.heard();
    const std::size_t held = heard.size();
    CHECK(held < 1000);
    manager.again();
    for (const std::string& message : listener.heard()) heard.push_back(message);
    // Of each kind the last one, and what ends a reload behind it.
    REQUIRE(heard.size() == held + 4);
    const auto late = std::span(heard).last(4);
    const auto place = [&late](std::string_view message) { return std::ranges::find(late, message) - late.begin(); };
    CHECK(place("READY=1") < 4);
    CHECK(place("RELOADING=1") < place("READY=1"));
    CHECK(place("WATCHDOG=1") < 4);
    CHECK(place("STATUS=turn 999") < 4);
    manager.again();
    CHECK(listener.heard().empty());
}

TEST_CASE("without a service manager, and with one that is gone, nothing is told and nobody waits") {
    const SystemClock clock;
    ServiceManager manager(clock);
    manager.ready();
    for (const char* nowhere : {"/nonexistent/notify", "relative", "@", "", "@mxtrust-nobody-listens-here"}) {
        CAPTURE(nowhere);
        setenv("NOTIFY_SOCKET", nowhere, 1);
        manager.reloading();
        manager.ready();
        const Listener listener;
        manager.again();
        CHECK(listener.heard().empty());  // it was lost, not kept
    }
}
