// Fuzzes NSEC proofs: whatever the records, what is proven is proven by records in the zone, and nothing is both there
// and denied.
#include "base/require.h"
#include "dnssec/nsec.h"
#include "proof_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    const auto input = fuzz::proof_input(BytesView(data, size), dns::Type::nsec);
    if (!input) return 0;
    const dnssec::NsecSet set(input->zone, input->evidence);
    const dnssec::Proof proof = set.prove(input->claim);
    require(proof.proven == dnssec::Proven::yes || proof.proven == dnssec::Proven::no);
    if (proof.proven == dnssec::Proven::no) {
        require(!proof.reason.text.empty());
        return 0;
    }
    require(!proof.used.empty());
    for (const dnssec::Evidence& one : proof.used) require(one.rrset->owner.is_within(input->zone));
    const dns::TypeSet* const types = set.types_at(input->claim.name);
    if (types != nullptr && input->claim.kind == dnssec::Claim::Kind::nodata) require(!types->has(input->claim.type));
    if (types != nullptr && input->claim.kind == dnssec::Claim::Kind::nxdomain) require(types->has(dns::Type::nxname));
    return 0;
}
