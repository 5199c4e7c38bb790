// See keys.h.
#include "cache/keys.h"

#include "base/require.h"

namespace mxtrust::cache {
namespace {

constexpr char separator = '\0';

std::string begin(Kind kind, const dns::Name& name) {
    const char front = static_cast<char>(kind);
    return name.lookup_key(std::string_view(&front, 1));
}

void append_type(std::string& key, dns::Type type) {
    const auto number = static_cast<std::uint16_t>(type);
    key.push_back(separator);
    key.push_back(static_cast<char>(static_cast<unsigned char>(number >> 8)));
    key.push_back(static_cast<char>(static_cast<unsigned char>(number & 0xFF)));
}

constexpr std::size_t type_octets = 2;
constexpr std::size_t version_octets = 4;

}  // namespace

std::optional<Kind> kind_of(std::string_view key) {
    if (key.empty()) return std::nullopt;
    for (const Kind kind : {Kind::answer, Kind::cut, Kind::denial, Kind::note}) {
        if (key.front() == static_cast<char>(kind)) return kind;
    }
    return std::nullopt;
}

std::string answer_key(const dns::Name& name, dns::Type type) {
    std::string key = begin(Kind::answer, name);
    append_type(key, type);
    return key;
}

std::string cut_key(const dns::Name& zone) {
    return begin(Kind::cut, zone);
}

std::string denial_prefix(const dns::Name& zone, dns::Type type) {
    std::string key = begin(Kind::denial, zone);
    append_type(key, type);
    return key;
}

std::string denial_versions(const dns::Name& zone, dns::Type type, const dns::Name& owner) {
    std::string key = denial_prefix(zone, type);
    key += std::string_view(owner.lookup_key()).substr(zone.lookup_key().size());
    key.push_back(separator);
    return key;
}

std::string denial_key(const dns::Name& zone, dns::Type type, const dns::Name& owner, std::uint32_t version) {
    std::string key = denial_versions(zone, type, owner);
    for (unsigned shift = 32; shift > 0; shift -= 8) key.push_back(static_cast<char>(version >> (shift - 8) & 0xFF));
    return key;
}

std::string note_key(std::string_view text) {
    std::string key(1, static_cast<char>(Kind::note));
    key += text;
    return key;
}

Result<dns::Name> denial_owner(const dns::Name& zone, dns::Type type, std::string_view key) {
    const std::size_t prefix = denial_prefix(zone, type).size();
    if (key.size() < prefix + 1 + version_octets)
        return fail(FailureKind::malformed, "KDEN"_code, "key of a denial without its version");
    std::string owner = zone.lookup_key();
    owner += key.substr(prefix, key.size() - prefix - 1 - version_octets);
    return dns::Name::from_lookup_key(owner);
}

dns::Type answer_type(std::string_view key) {
    const auto high = static_cast<unsigned char>(key[key.size() - 2]);
    const auto low = static_cast<unsigned char>(key[key.size() - 1]);
    return dns::Type{static_cast<std::uint16_t>((high << 8) | low)};
}

std::string_view answer_prefix(std::string_view key) {
    return key.substr(0, key.size() - type_octets);
}

std::vector<std::string> ancestors_slots(std::string_view key, dns::Type type) {
    std::vector<std::string> slots;
    std::string_view name = answer_prefix(key);
    name.remove_suffix(1);  // the separator; now the name's last octet, if any, ends its lowest label
    while (name.size() > 1) {
        name.remove_suffix(1);
        const std::size_t label = name.find_last_of(separator);
        name = name.substr(0, label == std::string_view::npos ? 1 : label + 1);
        slots.emplace_back(name);
        append_type(slots.back(), type);
    }
    return slots;
}

Range prefix_range(std::string_view prefix) {
    std::string to(prefix);
    while (!to.empty() && static_cast<unsigned char>(to.back()) == 0xFF) to.pop_back();
    if (to.empty()) return {std::string(prefix), std::string(most_key_octets + 1, '\xFF')};
    to.back() = static_cast<char>(static_cast<unsigned char>(to.back()) + 1);
    return {std::string(prefix), std::move(to)};
}

std::vector<Range> flush_ranges(const dns::Name& name, bool subtree) {
    std::vector<Range> ranges;
    const auto exactly = [&](const std::string& key) { ranges.push_back({key, key + separator}); };
    if (subtree) {
        ranges.push_back(prefix_range(begin(Kind::answer, name)));
        ranges.push_back(prefix_range(begin(Kind::cut, name)));
        ranges.push_back(prefix_range(begin(Kind::denial, name)));
    } else {
        ranges.push_back(prefix_range(begin(Kind::answer, name) + separator));
        exactly(cut_key(name));
        ranges.push_back(prefix_range(begin(Kind::denial, name) + separator));
    }
    for (std::size_t labels = name.label_count(); labels > 0; --labels) {
        const dns::Name ancestor = name.ancestor(labels - 1);
        exactly(answer_key(ancestor, nxdomain_slot));
        exactly(answer_key(ancestor, dns::Type::dname));
        // An NSEC3 set says nothing about which names it covers without hashing; they go all, at the price of a few
        // questions.
        ranges.push_back(prefix_range(begin(Kind::denial, ancestor) + separator));
    }
    return ranges;
}

}  // namespace mxtrust::cache
