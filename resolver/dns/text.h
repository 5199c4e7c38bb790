// Text that came over the network, made fit for logs, terminals and JSON.
#pragma once

#include <string>
#include <string_view>

namespace mxtrust::dns {

/// EXTRA-TEXT of an extended error is for a person's eye (RFC 8914 2): a sentence or two.
inline constexpr std::size_t most_ede_octets = 256;

/// Valid UTF-8; control characters, line and paragraph separators, invisible characters, those that change the writing
/// direction and what is not UTF-8 become "?". At most `most_octets`, cut between characters. NULs at the end are
/// dropped without trace.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t most_octets);

}  // namespace mxtrust::dns
