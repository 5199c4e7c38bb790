// Trust anchors: where the chain of trust begins (RFC 4033 2, RFC 4035 4.4). Configured as text, DS or DNSKEY records
// in master-file form. How anchors change over time (RFC 5011) is rollover.h's business.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "dns/rdata.h"

namespace mxtrust::dnssec {

struct TrustAnchor {
    dns::Name zone;
    std::vector<dns::Ds> ds;
    std::vector<dns::Dnskey> keys;
};

/// Lines longer or files of more records than this are no anchor files.
inline constexpr std::size_t most_anchor_octets = 65536;

/// All records of one zone, one a line: `. IN DS 20326 8 2 E06D44B8…`; TTL and class may be left out, comments begin
/// with ";" or "#". Errors: nothing there, records of two zones or another class, other types, a DNSKEY that must not
/// sign.
[[nodiscard]] Result<TrustAnchor> parse_anchor(std::string_view text);

/// At most one anchor for each zone.
class TrustAnchors {
  public:
    TrustAnchors() = default;
    /// Lines of any zones, in the form above.
    [[nodiscard]] static Result<TrustAnchors> parse(std::string_view text);
    /// Joins records to those of the same zone. An anchor without records says that nothing there can be secure.
    void add(TrustAnchor anchor);
    /// The deepest one at or above `name`; null where there is none: then nothing there can be secure.
    [[nodiscard]] const TrustAnchor* closest(const dns::Name& name) const;
    [[nodiscard]] bool empty() const { return anchors_.empty(); }
    [[nodiscard]] const std::map<dns::Name, TrustAnchor>& all() const { return anchors_; }

  private:
    std::map<dns::Name, TrustAnchor> anchors_;
};

}  // namespace mxtrust::dnssec
