// Line by line: a line whose first character is "#" is a comment, or part of a text of several lines, where it does no
// harm.
#include "daemon/characters.h"

#include <algorithm>
#include <string>

namespace mxtrust::daemon {
namespace {

bool is_control(char letter) {
    const auto octet = static_cast<std::uint8_t>(letter);
    return (octet < 0x20 && letter != '\r' && letter != '\t') || octet == 0x7F;
}
bool is_beyond_ascii(char letter) {
    return static_cast<std::uint8_t>(letter) >= 0x80;
}

bool is_comment(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] == '#';
}

}  // namespace

Done check_characters(std::string_view text, std::string_view file) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        const std::string place = std::string(file) + ":" + std::to_string(number) + ": ";
        if (std::any_of(line.begin(), line.end(), is_control)) {
            return fail(FailureKind::malformed, "ACTL"_code,
                        place + "there is a control character; is this a text file?");
        }
        if (!is_comment(line) && std::any_of(line.begin(), line.end(), is_beyond_ascii)) {
            return fail(
                FailureKind::malformed, "AASC"_code,
                place +
                    "letters beyond ASCII may stand in lines that are comments only; in a text write them as \\u00FC");
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

}  // namespace mxtrust::daemon
