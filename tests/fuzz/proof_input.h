// Makes a claim and a set of NSEC or NSEC3 records out of octets, as if their signatures had been verified. Shared by
// two targets.
#pragma once

#include <optional>

#include "dnssec/proof.h"

namespace mxtrust::fuzz {

struct ProofInput {
    dns::Name zone;
    dnssec::Claim claim;
    std::vector<dnssec::Evidence> evidence;
};

/// Octets: kind, type (2), zone, name, then records: owner, length (1), rdata. Names are uncompressed; what does not
/// parse ends it.
inline std::optional<ProofInput> proof_input(BytesView octets, dns::Type type) {
    Reader reader(octets);
    const auto kind = reader.u8();
    const auto asked = reader.u16();
    if (!kind || !asked) return std::nullopt;
    auto zone = dns::Name::from_wire(reader);
    if (!zone) return std::nullopt;
    auto name = dns::Name::from_wire(reader);
    if (!name || !name->is_within(*zone)) return std::nullopt;
    ProofInput input{
        *zone, {static_cast<dnssec::Claim::Kind>(*kind % 3), *name, static_cast<dns::Type>(*asked), 0}, {}};
    if (input.claim.kind == dnssec::Claim::Kind::expansion) {
        if (*name == *zone) return std::nullopt;
        input.claim.labels = zone->label_count() + *kind % (name->label_count() - zone->label_count());
    }
    while (!reader.done() && input.evidence.size() < 16) {
        auto owner = dns::Name::from_wire(reader);
        const auto length = owner ? reader.u8() : Result<std::uint8_t>(0);
        if (!owner || !length) break;
        const auto rdata = reader.take(std::min<std::size_t>(*length, reader.remaining()));
        if (!rdata || !dns::check_rdata(type, *rdata)) break;
        auto rrset = std::make_shared<dns::RRset>();
        rrset->owner = *owner;
        rrset->type = type;
        rrset->records.emplace_back(rdata->begin(), rdata->end());
        input.evidence.push_back({rrset, WallTime{}});
    }
    return input;
}

}  // namespace mxtrust::fuzz
