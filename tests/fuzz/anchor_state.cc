// Fuzzes the state of the trust anchors as it stands in its file: an error, or a state that is written and read alike,
// in which nothing is trusted that must not sign. The checksum is put right here, else nothing would ever get through.
#include "base/require.h"
#include "crypto/digest.h"
#include "dnssec/rollover.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    const std::string text(as_text(BytesView(data, size)));
    const auto raw = dnssec::decode_rollovers(text);
    require(raw || !raw.error().text.empty());
    const std::string sealed = text + "sha256 " + to_hex(crypto::sha256(as_bytes(text))) + "\n";
    const auto decoded = dnssec::decode_rollovers(sealed);
    if (!decoded) return 0;
    const auto again = dnssec::decode_rollovers(dnssec::encode_rollovers(decoded->zones, decoded->written));
    require(again && again->zones == decoded->zones && again->written == decoded->written);
    for (const auto& [zone, rollover] : decoded->zones) {
        const dnssec::TrustAnchor trusted = dnssec::in_force(dnssec::TrustAnchor{zone, {}, {}}, rollover);
        for (const dns::Dnskey& key : trusted.keys) require(dnssec::may_sign(key));
    }
    return 0;
}
