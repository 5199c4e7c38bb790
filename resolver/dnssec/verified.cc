// See verified.h.
#include "dnssec/verified.h"

#include <utility>

#include "crypto/digest.h"

namespace mxtrust::dnssec {

Bytes VerifiedSignatures::fingerprint(const dns::Dnskey& key, BytesView data, BytesView signature) {
    // With their lengths before them: no two triples make the same octets.
    Writer writer(9 + key.public_key.size() + signature.size() + data.size());
    writer.u8(static_cast<std::uint8_t>(key.algorithm));
    writer.u32(static_cast<std::uint32_t>(key.public_key.size()));
    writer.u32(static_cast<std::uint32_t>(signature.size()));
    writer.bytes(key.public_key);
    writer.bytes(signature);
    writer.bytes(data);
    return crypto::sha256(writer.view());
}

bool VerifiedSignatures::holds(const Bytes& fingerprint) {
    if (fingerprint.empty()) return false;
    if (young_.contains(fingerprint)) return true;
    auto aged = old_.extract(fingerprint);
    if (aged.empty()) return false;
    add(std::move(aged.value()));
    return true;
}

void VerifiedSignatures::add(Bytes fingerprint) {
    if (fingerprint.empty()) return;
    if (young_.size() >= most) {
        old_ = std::move(young_);
        young_.clear();
    }
    young_.insert(std::move(fingerprint));
}

}  // namespace mxtrust::dnssec
