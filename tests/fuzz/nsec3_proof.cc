// Fuzzes NSEC3 proofs: as for NSEC, and the hashes stay within the budget.
#include "base/require.h"
#include "dnssec/nsec3.h"
#include "proof_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    const auto input = fuzz::proof_input(BytesView(data, size), dns::Type::nsec3);
    if (!input) return 0;
    const dnssec::Policy policy;
    Budget budget(BudgetLimits{}, MonoTime{});
    const dnssec::Context context{policy, WallTime{}, budget};
    dnssec::Nsec3Set set(input->zone, input->evidence, context);
    const dnssec::Proof proof = set.prove(input->claim);
    require(budget.used(Limit::nsec3_hashes) <= BudgetLimits{}.most[static_cast<std::size_t>(Limit::nsec3_hashes)]);
    const bool proven = proof.proven == dnssec::Proven::yes || proof.proven == dnssec::Proven::unsigned_only;
    require(proven == !proof.used.empty());
    if (proof.proven != dnssec::Proven::yes) require(!proof.reason.text.empty());
    for (const dnssec::Evidence& one : proof.used) require(one.rrset->owner.parent() == input->zone);
    return 0;
}
