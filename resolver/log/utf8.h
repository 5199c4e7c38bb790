// Which octets of a text are characters that may be printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mxtrust::log {

/// The length of the printable UTF-8 character (RFC 3629) that `text` begins with; 0 where it begins with a control
/// character (C0, DEL, C1, line and paragraph separators, bidirectional controls) or with no valid UTF-8. Requires: not
/// empty.
[[nodiscard]] std::size_t printable_length(std::string_view text);

}  // namespace mxtrust::log
