// A cache for one fresh look: of names below the top-level domains it knows only what was stored in itself; what is
// stored goes to the cache behind it, too, by that one's rules (nothing secure is lost to something weaker).
//
// The root's and the top-level domains' own records and delegations are taken from behind: asking these anew for every
// refresh would make a lever of it. Proofs of denial are not: a delegation may be signed since.
#pragma once

#include "cache/cache.h"
#include "cache/memory_cache.h"

namespace mxtrust::route {

class FreshCache final : public cache::Cache {
  public:
    /// `behind` outlives it.
    explicit FreshCache(cache::Cache& behind) : behind_(behind), own_(most_entries) {}

    dnssec::FindingRef find(const dns::Name& name, dns::Type type, WallTime now) override;
    dnssec::FindingRef find_dname(const dns::Name& owner, WallTime now) override;
    dnssec::FindingRef find_nxdomain(const dns::Name& name, WallTime now) override;
    void store(const dnssec::FindingRef& finding) override;
    dnssec::FindingRef find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                   WallTime now) override;
    void store_denial(const dns::Name& zone, const dnssec::FindingRef& set) override;
    std::shared_ptr<const cache::ZoneCut> find_cut(const dns::Name& zone, WallTime now) override;
    void store_cut(const cache::ZoneCut& cut) override;
    std::optional<std::string> find_note(std::string_view key, WallTime now) override;
    void store_note(std::string_view key, std::string_view value, WallTime expires) override;
    std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix, std::size_t most,
                                                           WallTime now) override;
    std::size_t flush(const dns::Name& name, bool subtree) override;
    [[nodiscard]] cache::CacheCounters counters() const override { return behind_.counters(); }

  private:
    static constexpr std::size_t most_entries = 5000;  ///< one mail question stores some hundred
    cache::Cache& behind_;
    cache::MemoryCache own_;
};

}  // namespace mxtrust::route
