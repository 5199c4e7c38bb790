// The cache as the operator's present word lets it be seen: what was judged under a negative trust anchor counts while
// exactly that one is in force, and what was judged without one does not count below one that is.
//
// So that the list may change while the daemon runs, or between two runs of it, and nothing else of the cache is lost;
// and so that a look-up which was under way during the change leaves nothing behind that outlives it (RFC 7646 4).
#pragma once

#include "cache/cache.h"
#include "resolve/resolver.h"

namespace mxtrust::resolve {

/// May what the cache has be used, as the operator's word is now?
[[nodiscard]] bool fits(const dnssec::Finding& finding, const Settings& settings, WallTime now);

class FittingCache final : public cache::Cache {
  public:
    /// Both outlive it; `settings` may change.
    FittingCache(const Settings& settings, cache::Cache& behind) : settings_(settings), behind_(behind) {}

    dnssec::FindingRef find(const dns::Name& name, dns::Type type, WallTime now) override {
        return fitting(behind_.find(name, type, now), now);
    }
    dnssec::FindingRef find_dname(const dns::Name& owner, WallTime now) override {
        return fitting(behind_.find_dname(owner, now), now);
    }
    dnssec::FindingRef find_nxdomain(const dns::Name& name, WallTime now) override {
        return fitting(behind_.find_nxdomain(name, now), now);
    }
    void store(const dnssec::FindingRef& finding) override { behind_.store(finding); }
    dnssec::FindingRef find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                   WallTime now) override {
        return fitting(behind_.find_denial(zone, nsec_type, position, now), now);
    }
    void store_denial(const dns::Name& zone, const dnssec::FindingRef& set) override {
        behind_.store_denial(zone, set);
    }
    /// A guess has no standing that could fit or not.
    std::optional<cache::Ended> find_ended(const dns::Name& name, dns::Type type, WallTime now) override {
        return behind_.find_ended(name, type, now);
    }
    std::shared_ptr<const cache::ZoneCut> find_cut(const dns::Name& zone, WallTime now) override {
        return behind_.find_cut(zone, now);
    }
    std::shared_ptr<const cache::ZoneCut> find_cut_of_any_age(const dns::Name& zone, WallTime now) override {
        return behind_.find_cut_of_any_age(zone, now);
    }
    void store_cut(const cache::ZoneCut& cut) override { behind_.store_cut(cut); }
    std::optional<std::string> find_note(std::string_view key, WallTime now) override {
        return behind_.find_note(key, now);
    }
    void store_note(std::string_view key, std::string_view value, WallTime expires) override {
        behind_.store_note(key, value, expires);
    }
    std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix, std::size_t most,
                                                           WallTime now) override {
        return behind_.notes(prefix, most, now);
    }
    std::size_t flush(const dns::Name& name, bool subtree) override { return behind_.flush(name, subtree); }
    [[nodiscard]] cache::CacheCounters counters() const override { return behind_.counters(); }

  private:
    [[nodiscard]] dnssec::FindingRef fitting(dnssec::FindingRef finding, WallTime now) const {
        return finding && fits(*finding, settings_, now) ? std::move(finding) : dnssec::FindingRef();
    }

    const Settings& settings_;
    cache::Cache& behind_;
};

}  // namespace mxtrust::resolve
