// How much memory there is for this process, and what to do when it gets short: told once, with what is kept only for
// speed let go of and few questions taken at a time, until there is enough again. The kernel's own way is to kill us,
// or to refuse an allocation in the middle of something.
//
// A limit is one of the control groups that we are in (memory.high and memory.max of cgroups(7) version 2,
// memory.limit_in_bytes of version 1), or of the process itself (RLIMIT_DATA, RLIMIT_AS). What cannot be read is a
// limit that is not known, and nothing is made of it.
//
// Against a group's limit counts our anonymous memory: the mapped cache's pages are files', and the kernel takes them
// back by itself. Against a process's limit counts what it is asked for, less what malloc has left of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "log/log.h"
#include "serve/restraint.h"
#include "serve/status.h"

namespace mxtrust::daemon {

/// Of /proc/self/status, in octets.
struct ProcessMemory {
    std::uint64_t data = 0;           ///< VmData, which RLIMIT_DATA bounds
    std::uint64_t address_space = 0;  ///< VmSize, which RLIMIT_AS bounds
    std::uint64_t anonymous = 0;      ///< RssAnon and RssShmem: what only swap could take
    friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};
/// Nothing where one of the lines is missing, as where there is no /proc.
[[nodiscard]] std::optional<ProcessMemory> read_process_memory(std::string_view status);
/// Of /proc/self/maps: what nobody may touch yet. malloc sets large regions aside that way, and fills them later.
[[nodiscard]] std::uint64_t reserved_address_space(std::string_view maps);
/// Of memory.max and the like; nothing where it is "max", or no number.
[[nodiscard]] std::optional<std::uint64_t> read_group_limit(std::string_view text);

/// A control group that counts our memory, and where it says how much that may be.
struct MemoryGroup {
    std::string name;                      ///< as /proc/self/cgroup has it
    std::filesystem::path directory;       ///< may not be there
    std::vector<std::string_view> limits;  ///< files in it
    friend bool operator==(const MemoryGroup&, const MemoryGroup&) = default;
};
/// Our own and those above it, as far as they can be seen from here. `groups`: /proc/self/cgroup; `mounts`:
/// /proc/self/mountinfo.
[[nodiscard]] std::vector<MemoryGroup> memory_groups(std::string_view groups, std::string_view mounts);

struct MemoryLimit {
    std::string name;    ///< "RLIMIT_DATA", "memory.high of /system.slice/mxtrustd.service"
    std::string remedy;  ///< what to raise
    std::uint64_t used = 0, most = 0;
    [[nodiscard]] std::uint64_t percent() const { return most == 0 ? 100 : used * 100 / most; }
};

class MemoryMeter {
  public:
    struct ProcessLimits {
        std::optional<std::uint64_t> data, address_space;  ///< nothing: unlimited
    };
    struct Sources {
        std::filesystem::path root = "/";       ///< above proc and what is mounted
        std::function<ProcessLimits()> limits;  ///< getrlimit(2)
        /// Of what the process has, what malloc could still give. May take a millisecond; asked where it matters.
        std::function<std::uint64_t()> unused;
    };
    /// Mounts are read once.
    explicit MemoryMeter(Sources sources);
    /// This process, as it is.
    [[nodiscard]] static Sources own();
    /// Of all limits the one that is nearest; nothing where there is none, or none is known.
    [[nodiscard]] std::optional<MemoryLimit> nearest() const;

  private:
    void add_groups(std::vector<MemoryLimit>& limits, const ProcessMemory& memory) const;
    void add_own(std::vector<MemoryLimit>& limits, const ProcessMemory& memory) const;
    Sources sources_;
    std::string mounts_;
};

/// To the system, as far as malloc has pages of which nothing is in use.
void give_memory_back();

/// What is done when; pure.
class MemoryPressure {
  public:
    static constexpr std::uint64_t short_from = 85;    ///< percent of the limit
    static constexpr std::uint64_t enough_below = 70;  ///< percent; between the two all stays as it is
    /// Between two times of letting go: what was let go of is asked for again, and made again.
    static constexpr Duration between{10'000};
    /// So long it has to be enough before that is told; twice as long each time it did not last, so that what goes to
    /// and fro for days is not told each time.
    static constexpr Duration first_calm{10'000}, longest_calm{600'000};

    struct Step {
        bool let_go = false, tell_short = false, tell_enough = false;
        serve::Restraint restraint = serve::Restraint::none;
        friend bool operator==(const Step&, const Step&) = default;
    };
    /// `refused`: the system has refused us memory since the last look.
    Step look(std::uint64_t percent, bool refused, MonoTime now);
    [[nodiscard]] bool is_short() const { return short_; }

  private:
    void begin(MonoTime now);
    bool short_ = false;
    serve::Restraint restraint_ = serve::Restraint::none;
    MonoTime let_go_at_{};
    Duration calm_ = first_calm;
    std::optional<MonoTime> enough_since_, over_at_;
};

/// Looks about once a second, and sees to it that everybody knows.
class MemoryWatch {
  public:
    struct Tools {
        const Clock& clock;
        log::Log& log;
        serve::StatusBoard& board;
        std::function<std::optional<MemoryLimit>()> measure;
        std::function<bool()> refused;                   ///< has the system refused us memory since it was last asked?
        std::function<void()> let_go;                    ///< of what is kept only for speed
        std::function<void(serve::Restraint)> restrain;  ///< called when it changes
        std::function<void()> take_reserve;              ///< there is enough now; called again and again
    };
    explicit MemoryWatch(Tools tools) : tools_(std::move(tools)) {}
    void look();

  private:
    Tools tools_;
    MemoryPressure pressure_;
    serve::Restraint restraint_ = serve::Restraint::none;
};

}  // namespace mxtrust::daemon
