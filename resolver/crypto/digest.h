// Digests: DS (RFC 4034 5.1.4, 4509, 6605), NSEC3 (RFC 5155 5), TLSA matching types (RFC 6698 2.1.3).
#pragma once

#include "base/bytes.h"
#include "dns/types.h"

namespace mxtrust::crypto {

// Each is empty where the library refuses the algorithm (a system policy may); an empty digest equals no digest of a
// record.
Bytes sha1(BytesView data);
Bytes sha256(BytesView data);
Bytes sha384(BytesView data);
Bytes sha512(BytesView data);

/// Digest of a DS, over owner | DNSKEY rdata; unsupported for anything but 1, 2, 4.
Result<Bytes> ds_digest(dns::DigestType type, BytesView data);
/// Can the digest be computed at all? A table of its own, beside that of the algorithms (validator-pitfalls 39).
[[nodiscard]] bool can_digest(dns::DigestType type);
/// IH(salt, name, iterations) of RFC 5155 5; empty where the library refuses SHA-1.
Bytes nsec3_hash(BytesView canonical_name, BytesView salt, std::uint16_t iterations);

}  // namespace mxtrust::crypto
