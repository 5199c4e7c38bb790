// libsystemd does what is to be read; what is to be told is sent as sd_notify(3) describes it, without its waiting: it
// stops its caller while the service manager does not read, and the caller here is whoever hears signals.
#include "daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace mxtrust::daemon {
namespace {

/// How often more time is asked for, and how much: the next request comes well before the last one's end.
constexpr std::chrono::seconds extension_period{5};
constexpr std::chrono::seconds extension{20};

enum class Sent : std::uint8_t { yes, not_now };

/// sd_notify(3): one datagram to the socket that is named. One that cannot be sent at all is lost on purpose: who does
/// not listen cannot be told.
Sent send_notice(const std::string& message) {
    const char* path = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (path == nullptr) return Sent::yes;
    const std::size_t length = std::strlen(path);
    sockaddr_un address{};
    // A path or, behind "@", an abstract name; both without a zero at the end.
    if (length < 2 || length > sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return Sent::yes;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return Sent::not_now;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    const ssize_t sent = sendto(descriptor, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
    const int error = errno;
    close(descriptor);
    const bool full = sent < 0 && (error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR);
    return full ? Sent::not_now : Sent::yes;
}

/// "READY" of "READY=1"; a message of several lines is of the first one's kind.
std::string_view kind_of(std::string_view message) {
    return message.substr(0, message.find('='));
}

}  // namespace

Result<std::vector<PassedSocket>> passed_sockets() {
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    std::vector<PassedSocket> all;
    std::optional<Failure> failure;
    for (int index = 0; index < count; ++index) {
        const std::string name = names != nullptr ? names[index] : "";
        auto listening = net::Listening::inherited(SD_LISTEN_FDS_START + index);
        if (!listening && !failure) {
            failure = listening.error();
            failure->text += " (its unit calls it \"" + name + "\")";
        }
        if (listening) all.push_back({name, std::move(*listening)});
    }
    for (int index = 0; names != nullptr && index < count; ++index)
        std::free(names[index]);  // NOLINT: sd_listen_fds(3)
    std::free(names);             // NOLINT
    if (count < 0) return fail(FailureKind::system, "ASYD"_code, "sockets were passed in a way that cannot be read");
    if (failure) return fail(*failure);
    return all;
}

void ServiceManager::tell(std::string message) {
    const std::lock_guard guard(mutex_);
    // What it has not heard yet of the same kind is out of date; the order of the others stays.
    std::erase_if(waiting_, [&message](const std::string& one) { return kind_of(one) == kind_of(message); });
    waiting_.push_back(std::move(message));
    send();
}

void ServiceManager::send() {
    while (!waiting_.empty() && send_notice(waiting_.front()) == Sent::yes) waiting_.pop_front();
}

void ServiceManager::again() {
    const std::lock_guard guard(mutex_);
    send();
}

void ServiceManager::ready() {
    tell("READY=1");
}

void ServiceManager::reloading() {
    const auto now = clock_.mono().time_since_epoch().count();  // CLOCK_MONOTONIC in microseconds, as systemd wants it
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now));
}

void ServiceManager::stopping() {
    tell("STOPPING=1");
}

void ServiceManager::alive() {
    tell("WATCHDOG=1");
}

void ServiceManager::status(const std::string& text) {
    {
        const std::lock_guard guard(mutex_);
        if (text == told_) return;
        told_ = text;
    }
    tell("STATUS=" + text);
}

std::optional<Duration> ServiceManager::watchdog() {
    std::uint64_t period = 0;
    if (sd_watchdog_enabled(0, &period) <= 0 || period == 0) return std::nullopt;
    return std::chrono::ceil<Duration>(std::chrono::microseconds(period));
}

MoreTime::MoreTime(std::string what) {
    if (std::getenv("NOTIFY_SOCKET") == nullptr) return;  // NOLINT(concurrency-mt-unsafe): nobody sets it
    thread_ = std::thread([this, what = std::move(what)] { run(what); });
}

MoreTime::~MoreTime() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard guard(mutex_);
        over_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void MoreTime::run(const std::string& what) {
    const auto words = "EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(extension).count());
    std::unique_lock lock(mutex_);
    for (auto spent = std::chrono::seconds{0}; spent < most && !over_; spent += extension_period) {
        // Where it is not heard it is said again soon.
        static_cast<void>(send_notice(words + "\nSTATUS=" + what));
        wake_.wait_for(lock, extension_period, [this] { return over_; });
    }
}

}  // namespace mxtrust::daemon
