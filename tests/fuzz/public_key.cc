// Any octets as the public key of a DNSKEY and as a signature by it: a key within the bounds of what verifying may
// cost, or a reason; the same key says the same of the same signature; and none of another length than the algorithm's
// is valid. Input: algorithm, length of the key (2 octets), key, signature.
#include "crypto/public_key.h"
#include "base/require.h"

using namespace mxtrust;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const auto algorithm = static_cast<dns::Algorithm>(data[0]);
    const std::size_t length = std::min<std::size_t>(data[1] * std::size_t{256} + data[2], size - 3);
    const BytesView octets(data + 3, length);
    const BytesView signature(data + 3 + length, size - 3 - length);
    const auto key = crypto::PublicKey::parse(algorithm, octets);
    if (!key) {
        require(key.error().kind == FailureKind::unsupported || key.error().kind == FailureKind::malformed);
        require(crypto::can_verify(algorithm) || key.error().kind == FailureKind::unsupported);
        return 0;
    }
    require(crypto::can_verify(algorithm));
    const std::size_t bits = (*key)->bits();
    require(bits >= 255 && bits <= crypto::most_rsa_bits);
    const Bytes text = {'m', 'x', 't', 'r', 'u', 's', 't'};
    const crypto::Verification said = (*key)->verify(text, signature);
    const auto again = crypto::PublicKey::parse(algorithm, octets);
    require(again.has_value() && (*again)->bits() == bits && (*again)->verify(text, signature) == said);
    Bytes longer(signature.begin(), signature.end());
    longer.push_back(0);
    if (said == crypto::Verification::valid) require((*key)->verify(text, longer) != crypto::Verification::valid);
    return 0;
}
