// The trust anchors while the daemon runs: what is configured, what RFC 5011 has brought, and the file in the state
// directory that keeps it over restarts. What becomes of an observation is dnssec/rollover.h's business; asking for
// one is the worker's.
//
// Whatever happens to the file, what is configured stays trusted: a state that is lost, damaged, of a later version or
// cannot be written is told in one line, and nothing is ever validated less for it.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "daemon/assemble.h"
#include "dnssec/rollover.h"
#include "log/log.h"

namespace mxtrust::daemon {

/// Reads the whole file. FailureKind::unreachable: there is none; system: it cannot be read.
Result<std::string> read_state(const std::filesystem::path& file);
/// So that after a crash at any moment either the old or the new content is there: a new file beside it, written,
/// synchronised, renamed, and the directory synchronised.
Done write_state(const std::filesystem::path& file, std::string_view content);

/// May be used from any thread. The file is written by a thread of its own: a disk that takes its time over a sync
/// keeps no client waiting.
class AnchorKeeper {
  public:
    struct Settings {
        Anchors configured;
        std::filesystem::path file;
        bool follows = true;  ///< rollovers
        bool signals = true;  ///< trusted key tags (RFC 8145)
        dnssec::RolloverTimers timers{};
    };
    static constexpr std::string_view file_name = "trust-anchors.state";
    /// Where it may not be written, the next try, and the next line about it, come so much later.
    static constexpr std::chrono::seconds write_again{3600};

    /// Both outlive the keeper.
    AnchorKeeper(Settings settings, const Clock& clock, log::Log& log);
    /// What was observed is in the file afterwards, if it can be.
    ~AnchorKeeper();
    AnchorKeeper(const AnchorKeeper&) = delete;
    AnchorKeeper& operator=(const AnchorKeeper&) = delete;
    /// Takes up what an earlier run has left. Once, before anything is asked.
    void load();

    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] dnssec::TrustAnchors in_force() const;
    /// Zones whose keys are to be looked at now.
    [[nodiscard]] std::vector<dns::Name> due() const;
    /// What a look has shown; a Failure: nobody answered. True where other anchors are in force since.
    bool observed(const dns::Name& zone, const Result<dnssec::Observation>& seen);
    [[nodiscard]] serve::AnchorReport report() const;
    /// Waits until all that was observed is written, or was found not to be writable.
    void settle();

  private:
    void save();
    void write();  ///< the writing thread
    void written(const Done& outcome, WallTime when);
    [[nodiscard]] const dnssec::ZoneRollover& known(const dns::Name& zone) const;
    [[nodiscard]] dnssec::TrustAnchors in_force_now() const;
    void report_zone(const dnssec::TrustAnchor& anchor, serve::AnchorReport& report) const;

    Settings settings_;
    const Clock& clock_;
    log::Log& log_;
    mutable std::mutex mutex_;
    dnssec::Rollovers zones_;
    std::string trouble_;  ///< with the file
    std::optional<WallTime> write_failed_;

    struct Unwritten {
        std::string content;
        WallTime made;
    };
    std::optional<Unwritten> unwritten_;
    bool writing_ = false, over_ = false;
    std::condition_variable changed_;
    std::thread writer_;  ///< from the first observation on
};

}  // namespace mxtrust::daemon
