// A cache in memory, for one thread: unit tests, the simulation, one-shot programs. The same rules as the store on
// disk, record by record; nothing survives it.
#pragma once

#include <map>

#include "cache/record_cache.h"

namespace mxtrust::cache {

class MemoryCache final : public RecordCache {
  public:
    /// Beyond `most_entries`, what is expired or least dear goes (rules.h).
    explicit MemoryCache(std::size_t most_entries = 100'000);

    std::size_t flush(const dns::Name& name, bool subtree) override;
    [[nodiscard]] CacheCounters counters() const override;

  private:
    class Table final : public Records {
      public:
        std::optional<BytesView> get(std::string_view key) override;
        std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) override;
        void scan(const Range& range, const Visit& visit) override;
        std::map<std::string, Bytes, std::less<>> entries;
    };

    Records& begin() override { return table_; }
    void end() override {}
    void write(std::string key, RecordRef record, std::vector<std::string> superseded) override;
    void first_hit(std::string_view key) override;
    void damaged(std::string_view key) override;
    void make_room();

    Table table_;
    std::size_t most_entries_;
    std::uint64_t evicted_ = 0;
    std::size_t octets_ = 0;
};

}  // namespace mxtrust::cache
