// Own first, then, for the tree's top only, what is behind; see fresh_cache.h.
#include "route/fresh_cache.h"

namespace mxtrust::route {
namespace {

/// The root and the top-level domains.
bool is_top(const dns::Name& name) {
    return name.label_count() <= 1;
}

}  // namespace

dnssec::FindingRef FreshCache::find(const dns::Name& name, dns::Type type, WallTime now) {
    if (dnssec::FindingRef own = own_.find(name, type, now)) return own;
    return is_top(name) ? behind_.find(name, type, now) : nullptr;
}

dnssec::FindingRef FreshCache::find_dname(const dns::Name& owner, WallTime now) {
    if (dnssec::FindingRef own = own_.find_dname(owner, now)) return own;
    return is_top(owner) ? behind_.find_dname(owner, now) : nullptr;
}

dnssec::FindingRef FreshCache::find_nxdomain(const dns::Name& name, WallTime now) {
    if (dnssec::FindingRef own = own_.find_nxdomain(name, now)) return own;
    return is_top(name) ? behind_.find_nxdomain(name, now) : nullptr;
}

void FreshCache::store(const dnssec::FindingRef& finding) {
    own_.store(finding);
    behind_.store(finding);
}

dnssec::FindingRef FreshCache::find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                           WallTime now) {
    return own_.find_denial(zone, nsec_type, position, now);
}

void FreshCache::store_denial(const dns::Name& zone, const dnssec::FindingRef& set) {
    own_.store_denial(zone, set);
    behind_.store_denial(zone, set);
}

std::shared_ptr<const cache::ZoneCut> FreshCache::find_cut(const dns::Name& zone, WallTime now) {
    if (std::shared_ptr<const cache::ZoneCut> own = own_.find_cut(zone, now)) return own;
    return is_top(zone) ? behind_.find_cut(zone, now) : nullptr;
}

void FreshCache::store_cut(const cache::ZoneCut& cut) {
    own_.store_cut(cut);
    behind_.store_cut(cut);
}

std::optional<std::string> FreshCache::find_note(std::string_view key, WallTime now) {
    return behind_.find_note(key, now);
}

void FreshCache::store_note(std::string_view key, std::string_view value, WallTime expires) {
    behind_.store_note(key, value, expires);
}

std::vector<std::pair<std::string, std::string>> FreshCache::notes(std::string_view prefix, std::size_t most,
                                                                   WallTime now) {
    return behind_.notes(prefix, most, now);
}

std::size_t FreshCache::flush(const dns::Name& name, bool subtree) {
    return own_.flush(name, subtree) + behind_.flush(name, subtree);
}

}  // namespace mxtrust::route
