// Structural changes to a response, as an attacker on the path could make them who has every signed record of the zone
// and no key: records go, come, move, change owner, type, TTL, class or rdata; signatures change fields or sets; proofs
// change their ranges; header and sections change. Test code.
#pragma once

#include <array>

#include "structure/signed_zone.h"

namespace mxtrust::structure {

enum class Mutation : std::uint8_t {
    drop,
    duplicate,
    swap,
    shuffle,
    ttl,
    letter_case,
    owner,
    rdata_bit,
    type,
    class_,
    signature_field,
    signature_bits,
    signature_swap,
    signature_drop,
    nsec_range,
    nsec3_field,
    bitmap,
    splice_records,
    splice_section,
    replace,
    move,
    rcode,
    flags,
};
inline constexpr std::size_t mutation_count = 23;
[[nodiscard]] const char* to_text(Mutation mutation);

/// One change; does nothing where there is nothing of its kind to change.
void mutate(dns::Message& message, Mutation mutation, const SignedZone& zone, Random& random);
/// One to six, chosen at random; tells which.
std::vector<Mutation> mutate(dns::Message& message, const SignedZone& zone, Random& random);

}  // namespace mxtrust::structure
