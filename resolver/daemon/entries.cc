// See entries.h.
#include "daemon/entries.h"

#include <algorithm>

namespace mxtrust::daemon {
namespace {

/// "FILE:LINE: [section] key: ", or "FILE:LINE: key: ", with another line: that of the entry, which a long list leaves
/// far behind.
std::string at_line(const std::string& place, std::uint32_t line) {
    std::size_t section = place.find(": [");
    if (section == std::string::npos && place.ends_with(": ")) section = place.rfind(": ", place.size() - 3);
    if (section == std::string::npos || section == 0 || line == 0) return place;
    const std::size_t colon = place.rfind(':', section - 1);
    const bool has_line = colon != std::string::npos && colon + 1 < section &&
                          place.find_first_not_of("0123456789", colon + 1) == section;
    return has_line ? place.substr(0, colon + 1) + std::to_string(line) + place.substr(section) : place;
}

bool has(std::initializer_list<std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Value element(const Value& list, const toml::node& node, std::size_t index) {
    return Value{node, at_line(list.place, node.source().begin.line) + "entry " + std::to_string(index + 1) + " "};
}

Result<const toml::array*> read_list(const Value& value, std::string_view wanted, std::size_t most) {
    auto array = read_array(value, wanted);
    if (array && (*array)->size() > most) {
        return fail(FailureKind::malformed, "ALST"_code,
                    value.place + "must have at most " + std::to_string(most) + " entries, has " +
                        std::to_string((*array)->size()));
    }
    return array;
}

Result<const toml::table*> read_entry(const Value& value, std::string_view wanted,
                                      std::initializer_list<std::string_view> names,
                                      std::initializer_list<std::string_view> optional) {
    const auto* table = value.node.as_table();
    if (table == nullptr) return fail(FailureKind::malformed, "AENT"_code, must_be(value, wanted));
    for (const auto& [key, node] : *table) {
        if (has(names, key.str()) || has(optional, key.str())) continue;
        return fail(FailureKind::malformed, "AEXT"_code,
                    at_line(value.place, node.source().begin.line) + "has a key that is unknown here, " +
                        std::string(key.str()) + "; wanted is " + std::string(wanted));
    }
    for (const std::string_view name : names) {
        if (!table->contains(name)) {
            return fail(FailureKind::malformed, "AMIS"_code,
                        value.place + "lacks " + std::string(name) + "; wanted is " + std::string(wanted));
        }
    }
    return table;
}

Value member_value(const Value& entry, const toml::table& table, std::string_view name) {
    const toml::node& node = *table.get(name);
    return Value{node, at_line(entry.place, node.source().begin.line) + std::string(name) + " "};
}

Result<std::string> member(const Value& entry, const toml::table& table, std::string_view name) {
    return read_text(member_value(entry, table, name), "a text");
}

Result<dns::Name> name_member(const Value& entry, const toml::table& table, std::string_view key) {
    const auto text = member(entry, table, key);
    if (!text) return fail(text.error());
    auto name = dns::Name::from_text(*text);
    if (!name) {
        return fail(FailureKind::malformed, "ANAM"_code,
                    member_value(entry, table, key).place + "must be a domain name, is \"" + *text +
                        "\": " + name.error().text);
    }
    return name;
}

}  // namespace mxtrust::daemon
