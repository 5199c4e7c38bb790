// A response before the validator, and whether its verdict may stand. Test code.
//
// What came over the wire goes the way it goes in the resolver: parsed, scrubbed, classified, judged. What may be
// called secure is only what is true in the zone:
// - records: the RRset that answers the question there, the same rdata in canonical form (written here anew, not the
//   validator's), the same type and owner (the question's name, where a wildcard was expanded); its TTL at most the one
//   that was signed, and kept no longer than that from now on, nor beyond the signatures;
// - NODATA, NXDOMAIN: exactly what is so in the zone, kept no longer than the SOA allows;
// - of a referral: the zone's word about DS at that name, and a zone cut only where there is one;
// - of a DNSKEY set: the zone's keys.
// Insecure is nothing, but what opt-out leaves unsigned. Of names below a zone cut nothing may be said at all.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "dnssec/judge.h"
#include "structure/signed_zone.h"

namespace mxtrust::structure {

enum class Verdict : std::uint8_t { secure, insecure, bogus, indeterminate, unusable, malformed };
inline constexpr std::size_t verdict_count = 6;

struct Sentence {
    Verdict verdict{};
    std::string fault;  ///< why the verdict must not stand; empty where it may
};

/// Judges messages of one zone whose key is trusted.
class Trial {
  public:
    explicit Trial(const SignedZone& zone);
    /// All that the message leads to; several where it has several sets (type ANY).
    [[nodiscard]] std::vector<Sentence> judge(const Question& question, BytesView wire) const;
    /// The message as an answer for the zone's keys, by its DS.
    [[nodiscard]] Sentence judge_keys(const dns::Message& message) const;

  private:
    [[nodiscard]] Sentence weigh(const dnssec::Finding& finding) const;
    [[nodiscard]] std::string fault_of_records(const dnssec::Finding& finding, const Truth& truth) const;
    const SignedZone& zone_;
    dnssec::ZoneTrust trust_;
};

}  // namespace mxtrust::structure
