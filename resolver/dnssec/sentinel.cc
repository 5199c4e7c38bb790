// See sentinel.h.
#include "dnssec/sentinel.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace mxtrust::dnssec {
namespace {

constexpr std::string_view is_trusted = "root-key-sentinel-is-ta-";
constexpr std::string_view is_not_trusted = "root-key-sentinel-not-ta-";
constexpr std::size_t key_tag_digits = 5;  // zero-padded (RFC 8509 3.1)

std::optional<std::uint16_t> key_tag_in(std::string_view digits) {
    std::uint16_t tag = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tag);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (digits.size() != key_tag_digits || !whole) return std::nullopt;
    return tag;
}

bool trusts(const TrustAnchor& root, std::uint16_t tag) {
    return std::ranges::any_of(root.ds, [tag](const dns::Ds& ds) { return ds.key_tag == tag; }) ||
           std::ranges::any_of(root.keys, [tag](const dns::Dnskey& key) { return key.key_tag == tag; });
}

}  // namespace

Sentinel judge_sentinel(const dns::Name& name, dns::Type type, const TrustAnchors& anchors) {
    if (name.is_root() || (type != dns::Type::a && type != dns::Type::aaaa)) return Sentinel::none;
    const std::string_view label = name.label(0);
    const bool positive = label.starts_with(is_trusted);
    if (!positive && !label.starts_with(is_not_trusted)) return Sentinel::none;
    const auto tag = key_tag_in(label.substr(positive ? is_trusted.size() : is_not_trusted.size()));
    const TrustAnchor* root = anchors.closest(dns::Name());
    if (!tag || root == nullptr) return Sentinel::none;
    return trusts(*root, *tag) == positive ? Sentinel::satisfied : Sentinel::violated;
}

}  // namespace mxtrust::dnssec
