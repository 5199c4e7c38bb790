// A worker's view of the store: what is committed, by a snapshot per call, under what this worker stored itself and
// that is not committed yet. One thread at a time; must not outlive its store.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "cache/record_cache.h"
#include "cache/store.h"

namespace mxtrust::cache {

class LmdbCache final : public RecordCache {
  public:
    ~LmdbCache() override;

    /// Counts what is dropped by this worker's view of it; other workers see the flush from their next call on.
    std::size_t flush(const dns::Name& name, bool subtree) override;
    /// Of the whole store.
    [[nodiscard]] CacheCounters counters() const override { return store_.counters(); }

  private:
    friend class LmdbStore;
    explicit LmdbCache(LmdbStore& store);

    struct Pending {
        RecordRef record;  ///< null: removed
        std::uint64_t ticket = 0;
    };
    /// The overlay before the snapshot; nothing that is being flushed.
    class Layers final : public Records {
      public:
        std::optional<BytesView> get(std::string_view key) override;
        std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) override;
        void scan(const Range& range, const Visit& visit) override;

        std::map<std::string, Pending, std::less<>> overlay;
        std::unique_ptr<Snapshot> committed;
        std::vector<std::shared_ptr<const LmdbStore::Flush>> flushes;

      private:
        [[nodiscard]] bool is_hidden(std::string_view key) const;
    };

    Records& begin() override;
    void end() override;
    void write(std::string key, RecordRef record, std::vector<std::string> superseded) override;
    void first_hit(std::string_view key) override;
    void damaged(std::string_view key) override;

    void refresh();
    void settle();
    void hand_over_again();
    void remember(std::string key, RecordRef record, std::uint64_t ticket);
    void forget_oldest();

    LmdbStore& store_;
    std::shared_ptr<LmdbStore::ViewCounters> counters_;
    Layers layers_;
    struct Place {
        std::uint64_t ticket;
        std::string key;
        std::uint64_t cost;
    };
    std::deque<Place> order_;  ///< of the overlay, oldest first
    std::uint64_t overlay_octets_ = 0;
    std::uint64_t generation_ = 0, environment_number_ = 0, last_flush_ = 0, last_ticket_ = 0;
    bool was_in_trouble_ = false;                   ///< the store, when this view last looked
    std::set<std::string, std::less<>> hits_told_;  ///< since the last commit; told once each
};

}  // namespace mxtrust::cache
