// The cache on disk, shared by all workers of one process: LMDB with many readers and one writer thread that commits in
// batches.
//
// Workers hold a view each (lmdb_cache.h) and hand over what they store; the writer decides again by the rules, since
// another worker may have been faster. Trouble with the disk or a full map costs entries, never service: what cannot be
// written is counted, told once, and stays in its worker's memory as long as there is room. A file found damaged while
// running is set aside and begun anew.
//
// Opening waits for nothing: a file that is there is read at once, through file_view.h, while the writer thread looks
// over all of it (file_check.h); only then LMDB opens it, and what was handed over meanwhile is written. A directory
// that the system does not let us use now (read-only, full, not there) is tried again, by itself, until it does.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache.h"
#include "cache/environment.h"
#include "cache/file_pages.h"
#include "cache/guard.h"
#include "cache/record.h"

namespace mxtrust::cache {

class LmdbCache;

struct StoreSettings {
    std::string directory;
    std::string title = "the cache";                       ///< what notices call it
    std::uint64_t most_octets = std::uint64_t{256} << 20;  ///< size of the file; not below 1 MiB
    std::string epoch;  ///< anchors, negative anchors, policy: canonical text or digest
    std::string boot_id = current_boot_id();
    std::size_t batch_entries = 1000;          ///< a commit costs as much for one entry as for some hundred
    std::chrono::milliseconds batch_time{50};  ///< what kill -9 may cost at most
    std::uint64_t most_waiting_octets = 16
                                        << 20;    ///< handed over and not yet committed; beyond it, entries are dropped
    std::uint64_t most_overlay_octets = 8 << 20;  ///< a worker's own, not yet committed or not possible to commit
    std::chrono::seconds between_tries{10};       ///< of writing again, while that is not possible
};

class LmdbStore {
  public:
    /// `notices` receives what the operator should hear about the state the file was found in. Error: `refused` where
    /// the operator has to act (another process, ownership, mode). Where the disk or the system does not allow it now,
    /// workers keep what is new in memory until it does.
    static Result<std::unique_ptr<LmdbStore>> open(const StoreSettings& settings, WallTime now, Notices& notices);
    /// finish()
    ~LmdbStore();
    LmdbStore(const LmdbStore&) = delete;
    LmdbStore& operator=(const LmdbStore&) = delete;

    /// A worker's own cache. May be called from any thread; the view belongs to one.
    std::unique_ptr<LmdbCache> view();
    /// Returns when the file that was found is in use or set aside, and all that was handed over before is committed,
    /// or dropped. Not for workers.
    void sync();
    /// Commits what waits, syncs, and marks the file as left clean; one that is still being looked over is left as it
    /// was found. After that only take_notices() may be called: also the end has its troubles. Requires: all views are
    /// gone.
    void finish();
    /// What happened since the last call, one sentence each, for log/. Trouble is told when it begins and when it ends.
    Notices take_notices();
    /// Other anchors, other policy: from now on all judged records are those of another epoch.
    void set_epoch(const std::string& epoch);
    [[nodiscard]] CacheCounters counters() const;

  private:
    friend class LmdbCache;

    /// Records that are to be removed, until the writer has done it: what lies in the ranges is not to be seen.
    struct Flush {
        std::uint64_t number = 0;
        std::vector<Range> ranges;
    };
    /// What readers go by; replaced as a whole. `generation_` says that it was.
    struct Scene {
        EnvironmentRef environment;               ///< null while there is none
        std::shared_ptr<const MappedFile> found;  ///< to be read while it is looked over; there is no environment then
        std::uint64_t environment_number = 0;
        Epoch epoch;
        std::vector<std::shared_ptr<const Flush>> flushes;
        std::uint64_t last_flush = 0;
    };
    struct Operation {
        enum class What : std::uint8_t { put, remove, hit, flush };
        What what{};
        std::string key;
        RecordRef record;
        std::shared_ptr<const Flush> flush;
        [[nodiscard]] std::uint64_t cost() const;  ///< octets, about
    };
    using Operations = std::vector<Operation>;
    struct ViewCounters {
        std::atomic<std::uint64_t> hits{0}, misses{0}, stored{0}, dropped{0};
    };

    /// The directory, and what was found in it: neither, and why, where the system does not allow it now.
    struct Entered {
        std::unique_ptr<Guard> guard;
        std::shared_ptr<const MappedFile> found;
        std::string trouble;
    };
    static Result<Entered> enter(const StoreSettings& settings, WallTime now, Notices& notices);
    LmdbStore(const StoreSettings& settings, Entered entered, WallTime now);

    // For views, from any thread.
    [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t committed() const { return committed_.load(std::memory_order_acquire); }
    [[nodiscard]] bool is_in_trouble() const { return trouble_.load(std::memory_order_acquire); }
    [[nodiscard]] Scene scene() const;
    /// The ticket that committed() reaches when it is done; nothing where there is no room for it.
    std::optional<std::uint64_t> submit(Operation operation, WallTime now);
    void flush(std::vector<Range> ranges);
    void report_damage(std::uint64_t environment_number);
    std::shared_ptr<ViewCounters> add_view();
    void remove_view(const std::shared_ptr<ViewCounters>& counters);

    // The writer thread.
    void run();
    void look_over();
    void adopt();
    Operations next_batch(std::unique_lock<std::mutex>& lock);
    void apply(const Operations& batch);
    void commit(std::span<const Operation> run);
    Written try_commit(std::span<const Operation> run, std::string& trouble);
    void write(WriteView& view, const Operation& operation);
    void carry_out(const Flush& flush);
    void make_room(bool forced);
    Written erase(const std::vector<std::string>& keys);
    Written empty(const Range& range);
    void began(const std::string& trouble, std::size_t dropped);
    void ended();
    void recover();
    void pack();
    [[nodiscard]] Written try_room(std::string& trouble);
    void begin_anew(const std::string& why);
    void retry();
    void enter_again();
    void show_environment();
    void make_file(const std::string& why);
    void publish(const Usage& usage);
    void notice(std::string text);
    [[nodiscard]] WallTime now() const { return {now_.load(std::memory_order_relaxed)}; }

    const StoreSettings settings_;
    std::unique_ptr<Guard> guard_;  ///< the writer's own; null while the directory cannot be used
    const std::size_t slice_;       ///< entries per transaction, so that its copies of pages fit into the map's reserve

    mutable std::mutex mutex_;  ///< for all below, up to the atomics
    std::condition_variable wake_, settled_;
    std::deque<Operation> waiting_;
    std::uint64_t waiting_octets_ = 0;
    std::uint64_t submitted_ = 0;
    bool hurry_ = false, stop_ = false;
    bool begun_ = false;  ///< what was found is in use, or set aside
    Scene scene_;
    Notices notices_;
    std::vector<std::shared_ptr<ViewCounters>> views_;
    CacheCounters departed_;  ///< counted by views that are gone

    std::atomic<std::uint64_t> generation_{1}, committed_{0}, damaged_environment_{0};
    std::atomic<bool> trouble_{false}, give_up_{false};
    std::atomic<std::int64_t> now_;
    std::atomic<std::uint64_t> evicted_{0}, dropped_{0}, entries_{0}, octets_{0};

    // The writer's own.
    EnvironmentRef environment_;
    std::shared_ptr<const MappedFile> found_;  ///< until LMDB has it
    std::uint64_t environment_number_ = 0;     ///< 0: of what was found
    std::uint64_t dropped_in_trouble_ = 0;
    std::uint64_t written_since_eviction_ = 0, last_eviction_ = 0;
    std::size_t work_to_pack_ = 0;  ///< entries that may be moved to close ranks
    std::string pack_from_;         ///< how far that has come
    unsigned begun_anew_ = 0;
    bool flushed_unseen_ = false;  ///< what was to be forgotten may be in a file that could not be opened yet
    WallTime last_trouble_;
    WallTime next_try_;  ///< of making a file, where the last try failed
    std::thread writer_;
};

}  // namespace mxtrust::cache
