// What the TXT records of MTA-STS and of TLSRPT have in common: "v=NAME; key=value; …" (RFC 8461 3.1, RFC 8460 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxtrust::mail {

[[nodiscard]] bool is_digit(char letter);
[[nodiscard]] bool is_alphanumeric(char letter);
[[nodiscard]] char lower(char letter);
[[nodiscard]] std::string_view trimmed(std::string_view text);      ///< of spaces and tabs, at both ends
[[nodiscard]] std::string_view trimmed_end(std::string_view text);  ///< at the end
/// A letter or digit, then up to 31 letters, digits, "_", "-" and ".".
[[nodiscard]] bool is_field_name(std::string_view text);

/// The only one of the records that begins with `version` and a semicolon, white space before it allowed; nothing where
/// there is none, or more than one.
[[nodiscard]] std::optional<std::string> only_record(const std::vector<std::string>& texts, std::string_view version);
/// The fields behind the version, in order; nothing where the record does not keep to the grammar.
using Fields = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] std::optional<Fields> parse_fields(std::string_view record);

}  // namespace mxtrust::mail
