// What is stored of findings, zone cuts and notes, as octets and back. Compact: the name and type asked are in the key,
// other names, in rdata too, share their ancestors with it, a signature's signer, type, labels and TTL are those of its
// zone and set, and the sets of a proof are kept once for all findings that rest on them (shelf).
//
// Beside the validator, Codec is the only maker of proven findings: of what was proven before, in the same epoch, and
// came back whole (record.h). Reading never trusts a length.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "cache/cache.h"
#include "dnssec/finding.h"

namespace mxtrust::cache {

/// What stands in a finding for a set of its proof that is kept elsewhere.
struct ShelfMark {
    dns::Name zone;
    dns::Type type{};
    dns::Name owner;
    std::uint32_t version = 0;  ///< of all sets of this owner and type, which
};

/// Where sets of proofs are kept.
class Shelf {
  public:
    Shelf() = default;
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;
    virtual ~Shelf() = default;
    /// Whether it will be found there as long as the finding is good.
    virtual bool keeps(const ShelfMark& mark, const dnssec::FindingRef& set) = 0;
    /// Null where it is not there any more.
    virtual dns::RRsetRef take(const ShelfMark& mark) = 0;
};

class Codec {
  public:
    /// Proven sets of the proof, and an SOA set, go to the shelf, where there is one that keeps them.
    static Bytes encode(const dnssec::Finding& finding, Shelf* shelf = nullptr);
    struct Standing {
        dnssec::Security security{};
        dnssec::Outcome outcome{};
        WallTime expires{};
    };
    /// The finding with the name and type given: those of encode's finding, or, for an alias or NXDOMAIN at the name,
    /// another type. `standing` is the record's (see record.h). `unreachable` where the shelf has not what it takes;
    /// any other error for content that encode would not make.
    static Result<dnssec::FindingRef> decode(BytesView content, const dns::Name& name, dns::Type type,
                                             const Standing& standing, Shelf* shelf = nullptr);
    /// Four octets that tell sets of one owner and type apart.
    static std::uint32_t version_of(const dns::RRset& set, const dns::Name& zone);

    static Bytes encode(const ZoneCut& cut);
    static Result<ZoneCut> decode_cut(BytesView content, const dns::Name& zone, WallTime expires);

    /// The DNAME set that a finding below its owner rests on, as a finding of the owner's own: the same set, proven by
    /// the same signature. Null where the finding is not a proven DNAME alias, or came with a proof of its own (a
    /// wildcard's).
    static dnssec::FindingRef dname_of(const dnssec::Finding& finding);

  private:
    static void put_shared_set(Writer& out, const dnssec::Finding& finding, const dns::RRsetRef& set, Shelf* shelf);
};

}  // namespace mxtrust::cache
