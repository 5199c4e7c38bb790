// See shelf.h.
#include "resolve/shelf.h"

#include <algorithm>

#include "dnssec/negative_anchor.h"
#include "dnssec/signature.h"

namespace mxtrust::resolve {
namespace {

using dnssec::FindingRef;

/// The first signature is the one that held.
bool is_still_signed(const dns::RRsetRef& set, WallTime now) {
    if (set->signatures.empty()) return false;
    const Result<dns::Rrsig> rrsig = dns::parse_rrsig(set->signatures.front());
    return rrsig && dnssec::widen(rrsig->expiration, now) > now;
}

bool holds(const dnssec::Finding& finding, WallTime now) {
    if (!finding.is_secure()) return true;
    const auto good = [now](const dns::RRsetRef& set) { return is_still_signed(set, now); };
    return (!finding.rrset() || good(finding.rrset())) && std::ranges::all_of(finding.proof(), good);
}

}  // namespace

void Shelf::put(const FindingRef& finding) {
    const bool proven = finding && (finding->security() == dnssec::Security::secure ||
                                    finding->security() == dnssec::Security::insecure);
    if (!is_used() || !proven || finding->outcome() == dnssec::Outcome::failure) return;
    // The operator's word ends when it ends (RFC 7646 2): what rested on it is not served afterwards.
    if (dnssec::negative_anchor_of(finding->reason()) != nullptr) return;
    Key key{finding->name(), finding->type()};
    auto [place, is_new] = findings_.insert_or_assign(key, finding);
    if (!is_new) return;
    order_.push_back(std::move(key));
    while (order_.size() > most) {
        findings_.erase(order_.front());
        order_.pop_front();
    }
}

FindingRef Shelf::take(const dns::Name& name, dns::Type type, WallTime now) const {
    const auto found = findings_.find(Key{name, type});
    if (found == findings_.end()) return nullptr;
    const FindingRef& finding = found->second;
    const bool in_time = finding->expires() <= now && now <= finding->expires() + most_stale_;
    return in_time && holds(*finding, now) ? finding : nullptr;
}

void Shelf::flush(const dns::Name& name, bool subtree) {
    std::erase_if(order_, [&](const Key& key) {
        const bool gone = subtree ? key.name.is_within(name) : key.name == name;
        if (gone) findings_.erase(key);
        return gone;
    });
}

}  // namespace mxtrust::resolve
