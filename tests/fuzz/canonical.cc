// Fuzzes the signed form of an RRset: owner, RRSIG labels and arbitrary rdata of any type must never do worse than an
// error (A14). Input: type (2 octets), labels (1), owner as an uncompressed name, then records with a length octet
// each.
#include "dnssec/canonical.h"
#include "base/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    Reader reader(BytesView(data, size));
    const auto type = reader.u16();
    const auto labels = type ? reader.u8() : type.map([](auto) { return std::uint8_t{0}; });
    if (!labels) return 0;
    const auto owner = dns::Name::from_wire(reader);
    if (!owner) return 0;
    dns::RRset rrset;
    rrset.owner = *owner;
    rrset.type = static_cast<dns::Type>(*type);
    while (!reader.done()) {
        const auto length = reader.u8();
        const auto rdata = length ? reader.take(std::min<std::size_t>(*length, reader.remaining())) : reader.take(0);
        if (!rdata || !dns::check_rdata(rrset.type, *rdata)) continue;
        rrset.records.emplace_back(rdata->begin(), rdata->end());
    }
    const std::vector<Bytes> records = dnssec::canonical_records(rrset);
    require(records.size() <= rrset.records.size());
    for (std::size_t index = 1; index < records.size(); ++index) require(records[index - 1] < records[index]);
    // Neither the order of arrival nor doing it twice makes a difference.
    dns::RRset turned = rrset;
    std::reverse(turned.records.begin(), turned.records.end());
    require(dnssec::canonical_records(turned) == records);
    turned.records = records;
    require(dnssec::canonical_records(turned) == records);
    const auto signed_name = dnssec::signed_owner(*owner, owner->ancestor(owner->label_count() / 2), *labels);
    if (!signed_name) return 0;
    require(!signed_name->expanded ||
            (signed_name->owner.is_wildcard() && owner->is_below(signed_name->owner.parent())));
    dns::Rrsig rrsig{};
    rrsig.covered = rrset.type;
    rrsig.labels = *labels;
    require(!dnssec::signed_data(rrsig, signed_name->owner, records).empty());
    return 0;
}
