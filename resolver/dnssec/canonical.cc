// Canonical form and order.
#include "dnssec/canonical.h"

#include <algorithm>

#include "base/require.h"

namespace mxtrust::dnssec {

dns::Name wildcard_of(const dns::Name& encloser) {
    Result<dns::Name> wildcard = encloser.wildcard();
    require(wildcard.has_value());
    return std::move(*wildcard);
}

Result<SignedOwner> signed_owner(const dns::Name& owner, const dns::Name& zone, std::uint8_t labels) {
    // RFC 4034 3.1.3: neither the root label nor a leftmost "*" counts.
    const std::size_t own = owner.label_count() - (owner.is_wildcard() ? 1 : 0);
    if (labels > own) {
        return fail(FailureKind::malformed, "VLBM"_code,
                    "its label count " + std::to_string(labels) + " is more than the name has");
    }
    if (labels < zone.label_count()) {
        return fail(FailureKind::malformed, "VLBF"_code,
                    "its label count " + std::to_string(labels) + " leads above the signing zone");
    }
    if (labels == own) return SignedOwner{owner, false};
    return SignedOwner{wildcard_of(owner.ancestor(labels)), true};
}

std::vector<Bytes> canonical_records(const dns::RRset& rrset) {
    std::vector<Bytes> records;
    records.reserve(rrset.records.size());
    for (const Bytes& rdata : rrset.records) records.push_back(dns::canonical(rrset.type, rdata));
    // RFC 4034 6.3: as left-justified unsigned octets, where a shorter one sorts first; just what vectors' comparison
    // does.
    std::ranges::sort(records);
    const auto duplicates = std::ranges::unique(records);
    records.erase(duplicates.begin(), duplicates.end());
    return records;
}

Bytes signed_data(const dns::Rrsig& rrsig, const dns::Name& owner, const std::vector<Bytes>& canonical_records) {
    std::size_t octets = 18 + rrsig.signer.wire().size();
    for (const Bytes& rdata : canonical_records) octets += owner.wire().size() + 10 + rdata.size();
    Writer writer(octets);
    writer.u16(static_cast<std::uint16_t>(rrsig.covered));
    writer.u8(static_cast<std::uint8_t>(rrsig.algorithm));
    writer.u8(rrsig.labels);
    writer.u32(rrsig.original_ttl);
    writer.u32(rrsig.expiration);
    writer.u32(rrsig.inception);
    writer.u16(rrsig.key_tag);
    writer.bytes(rrsig.signer.wire());
    for (const Bytes& rdata : canonical_records) {
        writer.bytes(owner.wire());
        writer.u16(static_cast<std::uint16_t>(rrsig.covered));
        writer.u16(static_cast<std::uint16_t>(dns::Class::in));
        writer.u32(rrsig.original_ttl);
        writer.u16(static_cast<std::uint16_t>(rdata.size()));
        writer.bytes(rdata);
    }
    return std::move(writer).finish();
}

}  // namespace mxtrust::dnssec
