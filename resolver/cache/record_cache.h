// Everything that a Cache means, over an ordered collection of records: which slot a finding goes to, aliases and
// NXDOMAIN as answers for other types, aggressive denial, zone cuts, notes. Where the records are is the business of
// who derives from it.
//
// Time comes with the questions: the latest `now` that was asked with is when a record was stored. No clock is read.
#pragma once

#include "cache/cache.h"
#include "cache/codec.h"
#include "cache/record.h"
#include "cache/records.h"
#include "cache/rules.h"

namespace mxtrust::cache {

/// Longer notes, and keys of notes longer than this, are dropped and counted.
inline constexpr std::size_t most_note_octets = 65'536;
inline constexpr std::size_t most_note_key_octets = 500;

class RecordCache : public Cache {
  public:
    dnssec::FindingRef find(const dns::Name& name, dns::Type type, WallTime now) final;
    dnssec::FindingRef find_dname(const dns::Name& owner, WallTime now) final;
    /// The type of what is returned is ANY: it holds for all.
    dnssec::FindingRef find_nxdomain(const dns::Name& name, WallTime now) final;
    /// Meta types are never kept.
    void store(const dnssec::FindingRef& finding) final;
    dnssec::FindingRef find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                   WallTime now) final;
    /// Kept only where it is secure, a set of type NSEC, NSEC3 or SOA, asked as such, with its owner within the zone.
    void store_denial(const dns::Name& zone, const dnssec::FindingRef& set) final;
    std::optional<Ended> find_ended(const dns::Name& name, dns::Type type, WallTime now) final;
    std::shared_ptr<const ZoneCut> find_cut(const dns::Name& zone, WallTime now) final;
    std::shared_ptr<const ZoneCut> find_cut_of_any_age(const dns::Name& zone, WallTime now) final;
    void store_cut(const ZoneCut& cut) final;
    std::optional<std::string> find_note(std::string_view key, WallTime now) final;
    /// A note that has expired already removes what is there.
    void store_note(std::string_view key, std::string_view value, WallTime expires) final;
    std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix, std::size_t most,
                                                           WallTime now) final;

  protected:
    RecordCache(Epoch epoch, WallTime latest) : epoch_(epoch), latest_(latest) {}

    /// The records, until end(). Every public call begins and ends once.
    virtual Records& begin() = 0;
    virtual void end() = 0;
    /// A record that was accepted, with what it supersedes; null: it is to be removed. Called between begin and end.
    virtual void write(std::string key, RecordRef record, std::vector<std::string> superseded) = 0;
    /// A record was of use to somebody for the first time.
    virtual void first_hit(std::string_view key) = 0;
    /// A record is not what was written.
    virtual void damaged(std::string_view key) = 0;

    void set_epoch(Epoch epoch) { epoch_ = epoch; }
    [[nodiscard]] WallTime latest() const { return latest_; }

    CacheCounters counted_;  ///< hits, misses, stored, dropped

  private:
    class Session;
    class OwnShelf;
    /// The opened record where it is good.
    std::optional<Opened> open(Records& records, std::string_view key, Epoch epoch);
    std::optional<Opened> judge(std::string_view key, BytesView record, Epoch epoch);
    dnssec::FindingRef decode(std::string_view key, const Opened& opened, const dns::Name& name, dns::Type type,
                              Shelf* shelf);
    dnssec::FindingRef read(Records& records, const std::string& key, const dns::Name& name, dns::Type type);
    dnssec::FindingRef find_any(Records& records, const dns::Name& name, dns::Type type);
    std::shared_ptr<const ZoneCut> read_cut(const std::string& key, const dns::Name& zone, const Opened& opened);
    dnssec::FindingRef newest_version(Records& records, const dns::Name& zone, dns::Type type, const dns::Name& owner);
    void place(Records& records, std::string key, const dnssec::Finding& finding);
    void submit(Records& records, std::string key, Header header, BytesView content);

    Epoch epoch_;
    WallTime latest_;
};

}  // namespace mxtrust::cache
