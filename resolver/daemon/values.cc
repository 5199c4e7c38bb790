// Kinds and bounds of single values, and the words for what is wrong with them.
#include "daemon/values.h"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace mxtrust::daemon {
namespace {

/// Of a wrong text in an error message.
constexpr std::size_t most_shown_octets = 80;
/// A key further away than this is no slip of the pen.
constexpr std::size_t most_edits = 4;

std::size_t edits_between(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t line = 1; line <= left.size(); ++line) {
        std::size_t diagonal = row[0];
        row[0] = line;
        for (std::size_t column = 1; column <= right.size(); ++column) {
            const std::size_t replaced = diagonal + (left[line - 1] == right[column - 1] ? 0 : 1);
            diagonal = row[column];
            row[column] = std::min({row[column] + 1, row[column - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

std::string shown(const toml::node& node) {
    if (const auto* text = node.as_string()) return "\"" + text->get().substr(0, most_shown_octets) + "\"";
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    if (node.is_array()) return "a list";
    if (node.is_table()) return "a table";
    if (node.is_floating_point()) return "a number with a fraction";
    return "a date or time";
}

std::string written(const toml::node& node) {
    std::ostringstream text;
    node.visit([&text](const auto& value) { text << value; });
    return text.str();
}

std::string must_be(const Value& value, std::string_view wanted) {
    return value.place + "must be " + std::string(wanted) + ", is " + shown(value.node);
}

Done read_boolean(const Value& value, bool& target) {
    const auto* truth = value.node.as_boolean();
    if (truth == nullptr) return fail(FailureKind::malformed, "ABOO"_code, must_be(value, "true or false"));
    target = truth->get();
    return {};
}

Result<std::int64_t> read_integer(const Value& value, std::int64_t least, std::int64_t most) {
    const auto* number = value.node.as_integer();
    if (number == nullptr || number->get() < least || number->get() > most) {
        return fail(FailureKind::malformed, "AINT"_code,
                    must_be(value, std::to_string(least) + " to " + std::to_string(most)));
    }
    return number->get();
}

Result<std::string> read_text(const Value& value, std::string_view wanted) {
    const auto* text = value.node.as_string();
    if (text == nullptr || text->get().find('\0') != std::string::npos) {
        return fail(FailureKind::malformed, "ATXT"_code, must_be(value, wanted));
    }
    return text->get();
}

Done read_path(const Value& value, std::filesystem::path& target) {
    constexpr std::string_view wanted = "an absolute path, or \"\" for none";
    const auto text = read_text(value, wanted);
    if (!text) return fail(text.error());
    if (!text->empty() && text->front() != '/')
        return fail(FailureKind::malformed, "APTH"_code, must_be(value, wanted));
    target = *text;
    return {};
}

Result<const toml::array*> read_array(const Value& value, std::string_view wanted) {
    const auto* array = value.node.as_array();
    if (array == nullptr) return fail(FailureKind::malformed, "AARR"_code, must_be(value, wanted));
    return array;
}

std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known) {
    std::string_view best;
    // Longer texts would cost time in proportion to their square, and are no slip of the pen either.
    std::size_t fewest = wrong.size() > 64 ? 0 : std::min(most_edits, wrong.size() / 2 + 1) + 1;
    for (const std::string_view candidate : known) {
        const std::size_t edits = fewest == 0 ? 0 : edits_between(wrong, candidate);
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

}  // namespace mxtrust::daemon
