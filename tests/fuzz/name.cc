// Any octets as a name, in each of its forms.
#include <algorithm>
#include <cstdint>

#include "base/require.h"
#include "dns/name.h"

using namespace mxtrust;
using namespace mxtrust::dns;

namespace {

/// RFC 4034 6.1 as it reads: labels from the right, octet by octet as unsigned numbers, a label that ends is less.
std::strong_ordering naive_order(const Name& left, const Name& right) {
    const std::size_t common = std::min(left.label_count(), right.label_count());
    for (std::size_t depth = 1; depth <= common; ++depth) {
        const BytesView one = as_bytes(left.label(left.label_count() - depth)),
                        other = as_bytes(right.label(right.label_count() - depth));
        const auto order = std::lexicographical_compare_three_way(one.begin(), one.end(), other.begin(), other.end());
        if (order != 0) return order;
    }
    return left.label_count() <=> right.label_count();
}

void check(const Name& name) {
    require(name.wire().size() <= Name::most_octets && name.label_count() <= Name::most_labels);
    const auto from_text = Name::from_text(name.to_text());
    require(from_text.has_value() && *from_text == name);
    const std::string key = name.lookup_key();
    require(key.size() <= Name::most_key_octets);
    const auto from_key = Name::from_lookup_key(key);
    require(from_key.has_value() && *from_key == name);
    Reader reader(name.wire());
    const auto from_wire = Name::from_wire(reader);
    require(from_wire.has_value() && *from_wire == name && reader.done());
    for (std::size_t labels = 0; labels <= name.label_count(); ++labels) {
        const Name ancestor = name.ancestor(labels);
        require(name.is_within(ancestor) && name.common_ancestor(ancestor) == ancestor && ancestor <= name);
        require(key.starts_with(ancestor.lookup_key()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const BytesView octets(data, size);
    // The first octet says where in the rest a name begins, so that pointers have something behind them.
    Reader reader(octets.subspan(1), octets[0]);
    std::string spelled;
    const auto compressed = Name::from_message(reader, &spelled);
    if (compressed) {
        check(*compressed);
        require(spelled.size() == compressed->wire().size());
    }
    const auto text = Name::from_text(as_text(octets));
    if (text) check(*text);
    const auto key = Name::from_lookup_key(as_text(octets));
    if (key) {
        check(*key);
        require(key->lookup_key() == as_text(octets));
    }
    if (compressed && text) {
        require((*compressed <=> *text) == naive_order(*compressed, *text));
        require((*compressed <=> *text) == (compressed->lookup_key() <=> text->lookup_key()));
        require(compressed->is_within(*text) == compressed->lookup_key().starts_with(text->lookup_key()));
    }
    return 0;
}
