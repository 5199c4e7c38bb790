// LMDB as this tree uses it: one file, one ordered collection, one writer, many readers without locks. Sole includer of
// <lmdb.h>.
//
// The map is not written through and commits are not synced: what was committed survives the process (the kernel has
// it), not the operating system; guard.h sees to that. Nothing of LMDB's is shown outside but these classes.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cache/records.h"
#include "cache/totals.h"

struct MDB_cursor;
struct MDB_env;
struct MDB_txn;

namespace mxtrust::cache {

/// How an act on the store ended. `full`: no room in the map; `disk`: the operating system said no; `broken`: the file
/// is not what it should be, or LMDB gave up on it, and nothing of it is to be used any more.
enum class Written : std::uint8_t { done, full, disk, broken };

struct Usage {
    std::uint64_t entries = 0;
    std::uint64_t octets = 0;  ///< of pages in use by entries
};

class Environment {
  public:
    /// `path` is the data file; LMDB's table of readers lies beside it, "-lock". Requires: not open elsewhere in this
    /// process.
    static Result<std::shared_ptr<Environment>> open(const std::string& path, std::uint64_t map_octets);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    /// Everything committed goes to the disk. Blocks.
    [[nodiscard]] Written sync();
    [[nodiscard]] MDB_env* handle() const { return env_; }
    [[nodiscard]] unsigned collection() const { return collection_; }

  private:
    explicit Environment(MDB_env* env) : env_(env) {}
    MDB_env* env_;
    unsigned collection_ = 0;
};
using EnvironmentRef = std::shared_ptr<Environment>;

/// A snapshot for reading. The slot in the table of readers is kept between snapshots, so that begin costs no lock. For
/// one thread.
class ReadView final : public Snapshot {
  public:
    explicit ReadView(EnvironmentRef environment);
    ~ReadView() override;

    void begin() override;
    void end() override;
    [[nodiscard]] bool is_broken() const override { return broken_; }

    std::optional<BytesView> get(std::string_view key) override;
    std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) override;
    void scan(const Range& range, const Visit& visit) override;

  private:
    bool holds(int code);
    EnvironmentRef environment_;
    MDB_txn* transaction_ = nullptr;
    MDB_cursor* cursor_ = nullptr;
    bool active_ = false;
    bool broken_ = false;
};

/// A transaction for writing. One at a time; uncommitted it is undone. After anything but `done` only destruction is
/// left. Keeps the totals (totals.h), which are no entry to anybody else.
class WriteView final : public Records {
  public:
    explicit WriteView(EnvironmentRef environment);
    ~WriteView() override;

    /// The first thing that went wrong, if anything did.
    [[nodiscard]] Written state() const { return state_; }
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    std::optional<BytesView> get(std::string_view key) override;
    std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) override;
    void scan(const Range& range, const Visit& visit) override;

    void put(std::string_view key, BytesView record);
    /// Whether there was one.
    bool erase(std::string_view key);
    /// How far packing came, and how many entries it moved.
    struct Packed {
        std::string next;  ///< the key to go on from; empty at the end
        std::size_t moved = 0;
    };
    /// Closes the ranks of `most` entries or some more, from this key on, where their pages are not well filled. The
    /// entries stay what they are. Requires: nothing was changed in this transaction.
    Packed pack(const std::string& from, std::size_t most);
    /// Entries put where there was none before.
    [[nodiscard]] std::size_t added() const { return added_; }
    [[nodiscard]] Usage usage();
    [[nodiscard]] Written commit();

  private:
    bool holds(int code);
    void put_raw(std::string_view key, BytesView record);
    std::optional<BytesView> get_raw(std::string_view key);
    EnvironmentRef environment_;
    MDB_txn* transaction_ = nullptr;
    Totals totals_;
    bool changed_ = false;
    std::size_t added_ = 0;
    Written state_ = Written::done;
    std::string trouble_;
};

}  // namespace mxtrust::cache
