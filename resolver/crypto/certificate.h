// Are the octets of a TLSA record with matching type 0 what their selector says (RFC 6698 2.1.2)? Parsing only: nothing
// is verified here, no name and no date is looked at.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace mxtrust::crypto {

/// What an rdata can hold (RFC 1035 3.2.1) minus the three octets before the data (RFC 6698 2.1).
inline constexpr std::size_t most_association_octets = 65535 - 3;

/// One whole DER certificate (RFC 5280 4.1) with a public key that the library understands, and nothing behind it.
[[nodiscard]] bool is_certificate(BytesView der);
/// One whole DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7) that the library understands, and nothing behind it.
[[nodiscard]] bool is_public_key_info(BytesView der);

}  // namespace mxtrust::crypto
