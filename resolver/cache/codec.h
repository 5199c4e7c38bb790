// What is stored of findings, zone cuts and notes, as octets and back. Compact: the name and type asked are in the key,
// other names share their ancestors with it, a signature's signer and type are those of its zone and set.
//
// Beside the validator, Codec is the only maker of proven findings: of what was proven before, in the same epoch, and
// came back whole (record.h). Reading never trusts a length.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "cache/cache.h"
#include "dnssec/finding.h"

namespace mxtrust::cache {

class Codec {
  public:
    static Bytes encode(const dnssec::Finding& finding);
    /// The finding with the name and type given: those of encode's finding, or, for an alias or NXDOMAIN at the name,
    /// another type. `header` values are the record's (see record.h). An error for any content that encode would not
    /// make.
    static Result<dnssec::FindingRef> decode(BytesView content, const dns::Name& name, dns::Type type,
                                             dnssec::Security security, dnssec::Outcome outcome, WallTime expires);

    static Bytes encode(const ZoneCut& cut);
    static Result<ZoneCut> decode_cut(BytesView content, const dns::Name& zone, WallTime expires);

    /// The DNAME set that a finding below its owner rests on, as a finding of the owner's own: the same set, proven by
    /// the same signature. Null where the finding is not a proven DNAME alias, or came with a proof of its own (a
    /// wildcard's).
    static dnssec::FindingRef dname_of(const dnssec::Finding& finding);
};

}  // namespace mxtrust::cache
