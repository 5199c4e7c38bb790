// Lists of tables in the configuration: bounds, unknown and missing keys, and the place of each entry for errors.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/values.h"
#include "dns/name.h"

namespace mxtrust::daemon {

/// Of networks, negative anchors, exceptions, hints and anchors: each is looked through for every question.
inline constexpr std::size_t most_entries = 1000;

/// One of a list, with the line on which it stands.
[[nodiscard]] Value element(const Value& list, const toml::node& node, std::size_t index);
Result<const toml::array*> read_list(const Value& value, std::string_view wanted, std::size_t most);
/// A table with these keys, and no others but the optional ones.
Result<const toml::table*> read_entry(const Value& value, std::string_view wanted,
                                      std::initializer_list<std::string_view> names,
                                      std::initializer_list<std::string_view> optional = {});
/// Requires: it is there.
[[nodiscard]] Value member_value(const Value& entry, const toml::table& table, std::string_view name);
Result<std::string> member(const Value& entry, const toml::table& table, std::string_view name);
Result<dns::Name> name_member(const Value& entry, const toml::table& table, std::string_view key = "name");

}  // namespace mxtrust::daemon
