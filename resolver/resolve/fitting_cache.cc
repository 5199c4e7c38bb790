// The one rule; see fitting_cache.h.
#include "resolve/fitting_cache.h"

namespace mxtrust::resolve {

bool fits(const dnssec::Finding& finding, const Settings& settings, WallTime now) {
    const dnssec::NegativeAnchors& anchors = settings.negative_anchors;
    if (const dns::Name* zone = dnssec::negative_anchor_of(finding.reason())) {
        const dnssec::NegativeAnchor* same = anchors.find(*zone);
        // Reason and end are part of the answer's text: with another of these it is another word.
        return same != nullptr && anchors.is_in_force(*same, now) &&
               dnssec::reason_of(*same).text == finding.reason().text;
    }
    const bool validated =
        finding.security() == dnssec::Security::secure || finding.security() == dnssec::Security::bogus;
    if (!validated) return true;
    // DS records are the parent's, and judged there.
    const bool is_parents = finding.type() == dns::Type::ds && !finding.name().is_root();
    const dns::Name inside = is_parents ? finding.name().parent() : finding.name();
    const dnssec::NegativeAnchor* above = anchors.above(inside, now);
    if (above == nullptr) return true;
    // RFC 7646 1.1: a trust anchor below it is nearer, and goes before it.
    const dnssec::TrustAnchor* anchor = settings.anchors.closest(inside);
    return anchor != nullptr && anchor->zone.is_below(above->name);
}

}  // namespace mxtrust::resolve
