// The store's directory: whose it is, that nobody else uses it, and whether the file in it may be believed.
//
//   cache.lmdb   the data           cache.lmdb-lock   LMDB's table of readers, of no lasting meaning
//   lock         held while a process uses the store           state   who used it last: which boot, left clean or not
//
// A file may be looked at if its owner and mode are right, the format is this program's, and it was left clean and
// synced or else in this very boot (then the kernel still has every page that was written, whatever killed the
// process). After an operating-system crash it may not, without looking further. Whether it is whole is for
// file_check.h to say, before LMDB opens it. What is not believed is renamed "…damaged-TIME"; one is kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mxtrust::cache {

/// What the operator should hear, one sentence each.
using Notices = std::vector<std::string>;

class Guard {
  public:
    struct Request {
        std::string directory;      ///< made, for its owner only, where it does not exist
        std::string boot_id;        ///< empty: unknown, no file that was not left clean is believed
        std::uint64_t most_octets;  ///< a larger file cannot be kept within the limit any more and goes
        WallTime now;
    };
    /// Locks the directory and leaves in it a file that may be looked at, or none. Writes nothing else. An error where
    /// the directory cannot be used: `refused` where it is held by another process, somebody else's, or open to others;
    /// `system` where the system says no.
    static Result<std::unique_ptr<Guard>> enter(const Request& request, Notices& notices);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    [[nodiscard]] std::string data_path() const { return directory_ + "/cache.lmdb"; }
    /// Renames the data away. Requires: nobody has it open but readers who are about to leave.
    Done set_aside(const std::string& why, WallTime now, Notices& notices);
    /// Removes what was set aside.
    [[nodiscard]] Done forget_older() const;
    /// Requires: the data is synced, and nobody will write to it.
    Done mark_clean();
    /// Before the first write: from now on the file is only as good as this boot.
    Done mark_open();

  private:
    Guard(std::string directory, std::string boot_id)
        : directory_(std::move(directory)), boot_id_(std::move(boot_id)) {}
    Done lock();
    [[nodiscard]] Done check_directory() const;
    [[nodiscard]] std::string why_not(std::uint64_t most_octets) const;
    [[nodiscard]] Done write_state(const std::string& how_left) const;
    [[nodiscard]] Done reserve_readers() const;

    std::string directory_, boot_id_;
    int lock_ = -1;
};

/// The running system's, from /proc; empty where it cannot be read.
[[nodiscard]] std::string current_boot_id();

}  // namespace mxtrust::cache
