// libsystemd does the talking. A message that cannot be sent is lost on purpose: who does not listen cannot be told.
#include "daemon/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace mxtrust::daemon {
namespace {

/// How often more time is asked for, and how much: the next request comes well before the last one's end.
constexpr std::chrono::seconds extension_period{5};
constexpr std::chrono::seconds extension{20};

void tell(const std::string& state) {
    static_cast<void>(sd_notify(0, state.c_str()));
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

void ServiceManager::ready() const {
    tell("READY=1");
}

void ServiceManager::reloading() const {
    const auto now = clock_.mono().time_since_epoch().count();  // CLOCK_MONOTONIC in microseconds, as systemd wants it
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now));
}

void ServiceManager::stopping() const {
    tell("STOPPING=1");
}

void ServiceManager::alive() const {
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
        tell(words + "\nSTATUS=" + what);
        wake_.wait_for(lock, extension_period, [this] { return over_; });
    }
}

}  // namespace mxtrust::daemon
