// The cache as resolve/ sees it: findings that were judged, zone cuts for navigation, and small state that must survive
// a restart. Only judged findings come in; what comes out was judged under the same anchors and policy (the store's
// epoch) and has not expired. Every call is cheap and never blocks on the disk; a failing store is an empty cache,
// never an error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dnssec/finding.h"

namespace mxtrust::cache {

/// A name server of a zone, with the addresses that came as glue (never authentic data, pitfalls 28; for asking only).
struct NameServer {
    dns::Name name;
    std::vector<Address> addresses;
    friend bool operator==(const NameServer&, const NameServer&) = default;
};

/// What a parent said of a delegation: whom to ask about a zone. Navigation only; says nothing about trust.
struct ZoneCut {
    dns::Name zone;
    dns::Name parent;  ///< the zone whose server gave the referral
    std::vector<NameServer> servers;
    WallTime expires{};  ///< the parent's TTL, with a floor of 60 s and a cap; a child never extends it (A30)
    friend bool operator==(const ZoneCut&, const ZoneCut&) = default;
};

/// Whether what is stored will be there after a restart.
enum class Keeping : std::uint8_t {
    good,
    checking,     ///< the file of the last run is read, and looked over before it is written to
    not_written,  ///< the file cannot be written: a full disk, for example; what is new is kept in memory
    memory,       ///< there is no file
};

/// See Cache::find_ended.
struct Ended {
    dnssec::Outcome outcome{};
    std::vector<Bytes> records;  ///< of that type at that name; none where it was denied
};

struct CacheCounters {
    std::uint64_t hits = 0, misses = 0, stored = 0, evicted = 0, dropped = 0, entries = 0, octets = 0;
    Keeping keeping = Keeping::memory;
};

class Cache {
  public:
    Cache() = default;
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;
    virtual ~Cache() = default;

    /// The finding stored for exactly this name and type; else a CNAME at the name (an alias; not for type CNAME, DS,
    /// NSEC or when the type itself is there); else an NXDOMAIN of exactly this name, of whatever type it was the
    /// answer, unless nothing proves it: an unsigned zone's NXDOMAIN counts for the type that was asked (RFC 4074 4.2).
    /// The Finding's name and type are as asked.
    virtual dnssec::FindingRef find(const dns::Name& name, dns::Type type, WallTime now) = 0;
    /// A DNAME owned by exactly this name (a positive finding of type DNAME), for synthesis below it.
    virtual dnssec::FindingRef find_dname(const dns::Name& owner, WallTime now) = 0;
    /// A secure NXDOMAIN of exactly this name, for RFC 8020; never one that rests on opt-out.
    virtual dnssec::FindingRef find_nxdomain(const dns::Name& name, WallTime now) = 0;
    /// Stores what was judged, until its expires. Bogus and failures are kept too (briefly, as their expires says: RFC
    /// 9520), but never replace a secure finding that is still good (pitfalls 29); secure data is never replaced by
    /// insecure or older data of less rank.
    virtual void store(const dnssec::FindingRef& finding) = 0;

    /// Secure NSEC or NSEC3 sets of a zone that may match or cover these owner positions (RFC 8198): the set whose
    /// owner is the greatest one ≤ the position, within the zone. For NSEC3 the position is the hashed owner name. Null
    /// where none.
    virtual dnssec::FindingRef find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                           WallTime now) = 0;
    /// A judged secure NSEC/NSEC3/SOA set (from a proof), kept for aggressive use.
    virtual void store_denial(const dns::Name& zone, const dnssec::FindingRef& set) = 0;

    /// What a record that has ended said, as far as it is still there: only for guessing what will be asked next. It
    /// has no security, proves nothing, and is never told to anybody. Nothing where the record is still good, or was
    /// never there.
    virtual std::optional<Ended> find_ended(const dns::Name& name, dns::Type type, WallTime now) {
        static_cast<void>(name);
        static_cast<void>(type);
        static_cast<void>(now);
        return std::nullopt;
    }

    virtual std::shared_ptr<const ZoneCut> find_cut(const dns::Name& zone, WallTime now) = 0;
    /// The same, and where it has ended what it said, as far as that is still there: a guess whom the parent will name,
    /// and nothing else (A30). Its `expires` tells which it is.
    virtual std::shared_ptr<const ZoneCut> find_cut_of_any_age(const dns::Name& zone, WallTime now) {
        return find_cut(zone, now);
    }
    virtual void store_cut(const ZoneCut& cut) = 0;

    /// Small named state (ledger of failing domains, what is known of name servers): survives restarts, bounded per
    /// call to 64 KiB.
    virtual std::optional<std::string> find_note(std::string_view key, WallTime now) = 0;
    virtual void store_note(std::string_view key, std::string_view value, WallTime expires) = 0;
    /// All notes whose key begins with `prefix`, at most `most`.
    virtual std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix, std::size_t most,
                                                                   WallTime now) = 0;

    /// Drops what is known of a name (and of everything below it); returns the number of entries dropped.
    virtual std::size_t flush(const dns::Name& name, bool subtree) = 0;
    [[nodiscard]] virtual CacheCounters counters() const = 0;
};

}  // namespace mxtrust::cache
