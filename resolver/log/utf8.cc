// UTF-8, strictly (RFC 3629 3): no overlong forms, no surrogates, nothing above U+10FFFF.
#include "log/utf8.h"

namespace mxtrust::log {
namespace {

struct Decoded {
    std::size_t length = 0;  ///< 0: not valid
    std::uint32_t character = 0;
};

Decoded decode(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text.front());
    if (first < 0x80) return {1, first};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
    std::uint32_t character = first & (0x7FU >> length);
    for (std::size_t index = 1; index < length; ++index) {
        const auto octet = static_cast<std::uint8_t>(text[index]);
        if ((octet & 0xC0) != 0x80) return {};
        character = character << 6 | (octet & 0x3FU);
    }
    const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (overlong || surrogate || character > 0x10FFFF) return {};
    return {length, character};
}

bool is_control(std::uint32_t character) {
    if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return true;
    // Separators and bidirectional controls can make a line show something else than it says.
    return (character >= 0x200B && character <= 0x200F) || (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x206F) || character == 0xFEFF;
}

}  // namespace

std::size_t printable_length(std::string_view text) {
    const Decoded decoded = decode(text);
    return is_control(decoded.character) ? 0 : decoded.length;
}

}  // namespace mxtrust::log
