// Public keys of DNSKEY records and verification of signatures (RFC 3110, 5702, 6605, 8080). With digest.cc and
// certificate.cc the sole includer of OpenSSL beside probe/.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "dns/types.h"

namespace mxtrust::crypto {

enum class Verification : std::uint8_t { valid, invalid, unsupported };

/// RFC 3110 2 and RFC 5702 2: RSA moduli. Longer ones cost too much to verify (A4); shorter ones are no keys.
inline constexpr std::size_t most_rsa_bits = 4096, least_rsa_bits = 512, least_rsasha512_bits = 1024;
/// Public exponents up to 64 bits: OpenSSL's own bound for long moduli; the cost of verifying grows with the exponent
/// (A4).
inline constexpr std::size_t most_rsa_exponent_octets = 8;

/// A parsed key. Immutable; may be shared between threads.
class PublicKey {
  public:
    /// Parses the public-key field of a DNSKEY. An algorithm that this program does not know, or that the library or
    /// the system's policy refuses, and keys that are well-formed but dearer than the limits above: Failure unsupported
    /// (pitfalls 38, A4). Wrong lengths, leading zeroes (RFC 3110 2), even exponents, points off the curve: Failure
    /// malformed.
    static Result<std::shared_ptr<const PublicKey>> parse(dns::Algorithm algorithm, BytesView public_key);
    PublicKey() = default;
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;
    virtual ~PublicKey() = default;
    [[nodiscard]] virtual Verification verify(BytesView data, BytesView signature) const = 0;
    /// Length of the modulus, or of the curve's field.
    [[nodiscard]] virtual std::size_t bits() const = 0;
};

/// Is the algorithm one that this program and the library can verify at all? (5, 7, 8, 10, 13, 14, 15, 16)
[[nodiscard]] bool can_verify(dns::Algorithm algorithm);

}  // namespace mxtrust::crypto
