// What passes between the daemon and the service manager: sockets that systemd has opened for us (sd_listen_fds(3)),
// and what it is told of how we are (sd_notify(3)). Without a service manager all of this does nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/server.h"

namespace mxtrust::daemon {

/// A socket that was passed to us, with the name its unit gave it (FileDescriptorName=).
struct PassedSocket {
    std::string name;
    net::Listening listening;
};
/// All that were passed; call it once, before anything else opens descriptors. An error names the one that is of no
/// use.
Result<std::vector<PassedSocket>> passed_sockets();

/// May be called from any thread, and waits for nobody: one that does not read for a while (it reloads its units, it
/// hangs) is told later, and then once what it would have heard several times.
class ServiceManager {
  public:
    /// `clock` outlives it.
    explicit ServiceManager(const Clock& clock) : clock_(clock) {}

    void ready();
    void reloading();  ///< ready() ends it
    void stopping();
    void alive();  ///< WATCHDOG=1
    /// One sentence for `systemctl status`; only what is new is sent.
    void status(const std::string& text);
    /// Tries again what could not be told yet; to be called now and then.
    void again();
    /// How often it wants alive() at the latest; nothing where it does not watch.
    [[nodiscard]] static std::optional<Duration> watchdog();

  private:
    void tell(std::string message);
    void send();  // under the mutex
    const Clock& clock_;
    std::mutex mutex_;
    std::string told_;
    std::deque<std::string> waiting_;  ///< of each kind the last one
};

/// While one of these exists, the service manager's time for starting or stopping is extended: opening a large cache
/// after a crash reads all of it. Not for ever: what takes longer than `most` is stuck.
class MoreTime {
  public:
    static constexpr std::chrono::seconds most{600};
    explicit MoreTime(std::string what);
    ~MoreTime();
    MoreTime(const MoreTime&) = delete;
    MoreTime& operator=(const MoreTime&) = delete;

  private:
    void run(const std::string& what);
    std::mutex mutex_;
    std::condition_variable wake_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace mxtrust::daemon
