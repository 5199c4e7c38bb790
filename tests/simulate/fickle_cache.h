// A cache that can be closed at any moment, as one whose disk is gone: nothing is found in it and nothing is kept. What
// was in it before is there again when it is open again.
#pragma once

#include "cache/memory_cache.h"

namespace simulate {

class FickleCache final : public mxtrust::cache::Cache {
  public:
    bool closed = false;

    mxtrust::dnssec::FindingRef find(const mxtrust::dns::Name& name, mxtrust::dns::Type type,
                                     mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find(name, type, now);
    }
    mxtrust::dnssec::FindingRef find_dname(const mxtrust::dns::Name& owner, mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find_dname(owner, now);
    }
    mxtrust::dnssec::FindingRef find_nxdomain(const mxtrust::dns::Name& name, mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find_nxdomain(name, now);
    }
    void store(const mxtrust::dnssec::FindingRef& finding) override {
        if (!closed) within_.store(finding);
    }
    mxtrust::dnssec::FindingRef find_denial(const mxtrust::dns::Name& zone, mxtrust::dns::Type nsec_type,
                                            const mxtrust::dns::Name& position, mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find_denial(zone, nsec_type, position, now);
    }
    void store_denial(const mxtrust::dns::Name& zone, const mxtrust::dnssec::FindingRef& set) override {
        if (!closed) within_.store_denial(zone, set);
    }
    std::shared_ptr<const mxtrust::cache::ZoneCut> find_cut(const mxtrust::dns::Name& zone,
                                                            mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find_cut(zone, now);
    }
    std::optional<mxtrust::cache::Ended> find_ended(const mxtrust::dns::Name& name, mxtrust::dns::Type type,
                                                    mxtrust::WallTime now) override {
        return closed ? std::nullopt : within_.find_ended(name, type, now);
    }
    std::shared_ptr<const mxtrust::cache::ZoneCut> find_cut_of_any_age(const mxtrust::dns::Name& zone,
                                                                       mxtrust::WallTime now) override {
        return closed ? nullptr : within_.find_cut_of_any_age(zone, now);
    }
    void store_cut(const mxtrust::cache::ZoneCut& cut) override {
        if (!closed) within_.store_cut(cut);
    }
    std::optional<std::string> find_note(std::string_view key, mxtrust::WallTime now) override {
        return closed ? std::nullopt : within_.find_note(key, now);
    }
    void store_note(std::string_view key, std::string_view value, mxtrust::WallTime expires) override {
        if (!closed) within_.store_note(key, value, expires);
    }
    std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix, std::size_t most,
                                                           mxtrust::WallTime now) override {
        if (closed) return {};
        return within_.notes(prefix, most, now);
    }
    std::size_t flush(const mxtrust::dns::Name& name, bool subtree) override {
        return closed ? 0 : within_.flush(name, subtree);
    }
    [[nodiscard]] mxtrust::cache::CacheCounters counters() const override { return within_.counters(); }

  private:
    mxtrust::cache::MemoryCache within_;
};

}  // namespace simulate
