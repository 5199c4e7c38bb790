// The chain's upper end, looked after: the keys of a zone with a trust anchor, as its servers show them now (RFC 5011),
// and telling them which of these are trusted here (RFC 8145).
#include "resolve/chain.h"

namespace mxtrust::resolve {
namespace {

/// Of no data: for questions that are asked to be seen (RFC 8145 5.1).
constexpr dns::Type type_null{10};

}  // namespace

task::Task<Result<dnssec::Observation>> Chain::observe_anchor(dns::Name zone, BudgetRef budget) {
    std::optional<dnssec::Observation> best;
    std::vector<Address> excluded;
    for (std::size_t attempt = 0; attempt <= most_bogus_retries; ++attempt) {
        const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(zone);
        if (anchor == nullptr || anchor->zone != zone) {
            co_return fail(FailureKind::unsupported, "ROAN"_code, "there is no trust anchor for " + zone.to_text());
        }
        const dnssec::TrustAnchor trusted = *anchor;
        dns::Name asked = zone;
        Context context{budget, 0, excluded};
        Found found = co_await tools_.iterator.find(std::move(asked), dns::Type::dnskey, std::move(context));
        const auto* response = found.reply ? std::get_if<dnssec::Response>(&*found.reply) : nullptr;
        if (response == nullptr) {
            if (best) break;
            co_return fail(FailureKind::unreachable, "ROAU"_code, found.reason.text);
        }
        excluded.push_back(found.server.address);
        dns::RRset keys;
        keys.owner = zone;
        keys.type = dns::Type::dnskey;
        if (response->positive && response->shape == dnssec::Shape::records) keys = *response->positive;
        const dnssec::Context known{tools_.settings.policy, tools_.clock.wall(), *budget};
        dnssec::Observation seen = dnssec::observe(trusted, keys, known);
        const bool tells = seen.authentic || !seen.revoked.empty();
        if (tells || !best) best = std::move(seen);
        if (tells) break;
    }
    co_return std::move(*best);
}

task::Task<void> Chain::signal_trusted_keys(dns::Name zone, BudgetRef budget) {
    const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(zone);
    const bool is_anchor = anchor != nullptr && anchor->zone == zone;
    const std::string label = is_anchor ? dnssec::key_tag_label(*anchor) : std::string();
    Result<dns::Name> name = zone.prepend(label);
    if (label.empty() || !name) co_return;
    dns::Name asked = std::move(*name);
    Context context{std::move(budget), 0, {}};
    // Not through the cache, which may know that there is no such name: the point is that the question arrives.
    Found found = co_await tools_.iterator.find(std::move(asked), type_null, std::move(context));
    static_cast<void>(found);
}

}  // namespace mxtrust::resolve
