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
    std::string again;
    for (const auto& [zone, anchor] : anchors->all()) {
        for (const dns::Ds& ds : anchor.ds) {
            again += zone.to_text() + " IN DS " + std::to_string(ds.key_tag) + " " +
                     std::to_string(static_cast<unsigned>(ds.algorithm)) + " " +
                     std::to_string(static_cast<unsigned>(ds.digest_type)) + " " + to_hex(ds.digest) + "\n";
        }
        require(anchors->closest(zone) == &anchor);
        require(!anchor.ds.empty() || !anchor.keys.empty());
        for (const dns::Dnskey& key : anchor.keys) require(key.is_zone_key() && !key.is_revoked() && key.protocol == 3);
    }
    // What was read, written down again, is read as the same; names with escapes are not for files of lines.
    if (again.empty() || again.size() > dnssec::most_anchor_octets || again.find_first_of("\\#;") != std::string::npos)
        return 0;
    const auto read = dnssec::TrustAnchors::parse(again);
    require(read.has_value());
    for (const auto& [zone, anchor] : read->all()) {
        const dnssec::TrustAnchor& first = anchors->all().at(zone);
        require(anchor.ds.size() == first.ds.size());
        for (std::size_t index = 0; index < first.ds.size(); ++index)
            require(anchor.ds[index].key_tag == first.ds[index].key_tag &&
                    anchor.ds[index].digest == first.ds[index].digest);
    }
    return 0;
}