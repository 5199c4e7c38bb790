// Fuzzes trust anchors as text: an error or anchors, and anchors that may sign.
#include "base/require.h"
#include "dnssec/anchor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    const auto anchors = dnssec::TrustAnchors::parse(as_text(BytesView(data, size)));
    if (!anchors) {
        require(!anchors.error().text.empty());
        return 0;
    }
    for (const auto& [zone, anchor] : anchors->all()) {
        require(anchors->closest(zone) == &anchor);
        require(!anchor.ds.empty() || !anchor.keys.empty());
        for (const dns::Dnskey& key : anchor.keys) require(key.is_zone_key() && !key.is_revoked() && key.protocol == 3);
    }
    return 0;
}
