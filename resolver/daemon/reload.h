// Another configuration for a daemon that runs (SIGHUP, the verb `reload`): the file is read and checked as at the
// start; what may change at run time changes in all workers at once, and nobody's question or connection is touched. A
// file that is not good changes nothing, and is told.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "daemon/configuration.h"
#include "daemon/sockets.h"
#include "daemon/worker.h"
#include "log/log.h"
#include "serve/status.h"

namespace mxtrust::daemon {

/// Keys that a reload puts into force, as "section.key"; all others need a restart. mxtrust.toml marks them.
[[nodiscard]] std::span<const std::string_view> changeable_keys();

/// What a reload would do: pure, for tests.
struct Difference {
    std::vector<std::string> changed;  ///< "[dnssec] negative-trust-anchors"
    std::vector<std::string> restart;  ///< changed since the start, but not at run time
};
/// `started`: what the daemon was started with; `current`: what is in force.
[[nodiscard]] Difference difference(const Loaded& started, const Loaded& current, const Loaded& wanted);
/// Names whose negative trust anchor came, went, or has another reason or end.
[[nodiscard]] std::vector<dns::Name> renewed_names(const DnssecKeys& before, const DnssecKeys& after);

class Reloader {
  public:
    using Load = std::function<Result<Loaded>()>;
    using Apply = std::function<void(std::shared_ptr<const Change> change, std::function<void()> finished)>;
    using Told = std::function<void(const serve::Reload& reload)>;
    struct Tools {  ///< all outlive it
        const Clock& clock;
        log::Log& log;
        serve::StatusBoard& board;
        PassedDoors passed = {};
    };
    Reloader(Loaded started, std::shared_ptr<LatestTime> latest, Tools tools, Load load);

    /// Who carries a change out; before it is set, reloads are refused.
    void carry_out_by(Apply apply);
    /// From any thread. `told` is called once, in whatever thread, when the change is in force everywhere or is
    /// refused.
    void reload(Told told);

  private:
    void refuse(const Failure& failure, const Told& told);
    std::mutex mutex_;
    const Loaded started_;
    Loaded current_;
    std::shared_ptr<LatestTime> latest_;
    Tools tools_;
    Load load_;
    Apply apply_;
};

}  // namespace mxtrust::daemon
