// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "dns/text.h"

#include <cstdint>
#include <optional>

namespace mxtrust::dns {

namespace {

struct Character {
    char32_t value;
    std::size_t octets;
};

std::optional<Character> first_character(std::string_view text) {
    const auto octet = [text](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
    const std::uint8_t lead = octet(0);
    if (lead < 0x80) return Character{lead, 1};
    const std::size_t octets = lead >= 0xc2 && lead <= 0xdf   ? 2
                               : (lead & 0xf0U) == 0xe0U      ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (octets == 0 || octets > text.size()) return std::nullopt;
    char32_t value = lead & (0xffU >> (octets + 1));
    for (std::size_t index = 1; index < octets; ++index) {
        if ((octet(index) & 0xc0U) != 0x80U) return std::nullopt;
        value = value << 6U | (octet(index) & 0x3fU);
    }
    const bool overlong = (octets == 3 && value < 0x800) || (octets == 4 && value < 0x10000);
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (overlong || surrogate || value > 0x10ffff) return std::nullopt;
    return Character{value, octets};
}

/// Would move a cursor, break a line, hide text or turn it around.
bool is_harmful(char32_t value) {
    const bool control = value < 0x20 || (value >= 0x7f && value <= 0x9f);
    const bool separator = value == 0x2028 || value == 0x2029;
    const bool direction = value == 0x061c || value == 0x200e || value == 0x200f ||
                           (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
    const bool invisible =
        (value >= 0x200b && value <= 0x200d) || value == 0x2060 || value == 0xfeff || value >= 0xe0000;
    return control || separator || direction || invisible;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t most_octets) {
    while (!text.empty() && text.back() == '\0') {
        text.remove_suffix(1);
    }
    std::string clean;
    while (!text.empty()) {
        const auto character = first_character(text);
        const std::size_t octets = character ? character->octets : 1;
        const bool keep = character && !is_harmful(character->value);
        const std::string_view piece = keep ? text.substr(0, octets) : "?";
        if (clean.size() + piece.size() > most_octets) break;
        clean += piece;
        text.remove_prefix(octets);
    }
    return clean;
}

}  // namespace mxtrust::dns
