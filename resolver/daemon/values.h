// Single values of the configuration: each reader checks kind and bounds and says what would be right.
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
// toml++ 3.3 asserts that a key begins as a key must, before it checks that itself and makes an error of it: "[." would
// end the program. With NDEBUG it goes further and lets the compiler assume it. So: neither assertions nor assumptions,
// the checks behind them decide (the fuzz target "configuration" watches over that).
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mxtrust::daemon {

/// A value in the file and how to name its place.
struct Value {
    const toml::node& node;
    std::string place;  ///< "FILE:LINE: [section] key: "
};

/// The value as it may stand in an error: 0, true, "text", an array, …
[[nodiscard]] std::string shown(const toml::node& node);
/// All of it, in TOML's own words.
[[nodiscard]] std::string written(const toml::node& node);
/// "PLACE must be WANTED, is SHOWN"
[[nodiscard]] std::string must_be(const Value& value, std::string_view wanted);

Done read_boolean(const Value& value, bool& target);
Result<std::int64_t> read_integer(const Value& value, std::int64_t least, std::int64_t most);
Result<std::string> read_text(const Value& value, std::string_view wanted);
Done read_path(const Value& value, std::filesystem::path& target);
Result<const toml::array*> read_array(const Value& value, std::string_view wanted);

template <class Integer>
Done read_number(const Value& value, std::int64_t least, std::int64_t most, Integer& target) {
    const auto number = read_integer(value, least, most);
    if (!number) return fail(number.error());
    target = static_cast<Integer>(*number);
    return {};
}

/// The known word nearest to a wrong one (by edits), or nothing where none is near.
[[nodiscard]] std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known);

}  // namespace mxtrust::daemon
