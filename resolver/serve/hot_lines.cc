// See hot_lines.h.
#include "serve/hot_lines.h"

#include <algorithm>

namespace mxtrust::serve {
namespace {

constexpr std::string_view id_key = "\"id\":";
/// Between the parts of a stored line; shape_of refuses lines that have one.
constexpr char separator = '\n';
/// Numbers that a JSON parser reads and writes back digit by digit.
constexpr std::size_t most_digits = 18;

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

/// JSON without escapes and without anything nested: then the four characters `"id"` before a colon are a key, and the
/// only one.
bool is_plain_object(std::string_view line) {
    return line.back() == '}' && line.find('{', 1) == std::string_view::npos &&
           line.find('\\') == std::string_view::npos;
}

}  // namespace

std::optional<LineShape> shape_of(std::string_view line) {
    if (line.empty() || line.size() > HotLines::most_line_octets) return std::nullopt;
    if (line.find(separator) != std::string_view::npos) return std::nullopt;
    if (line.front() != '{') {
        if (!line.starts_with("mail ") && !line.starts_with("decide ")) return std::nullopt;
        return LineShape{line, {}, {}};
    }
    if (!is_plain_object(line)) return std::nullopt;
    const std::size_t key = line.find(id_key);
    if (key == std::string_view::npos) {
        // `"id" : 7` is an id, too; that one is for the parser.
        if (line.find("\"id\"") != std::string_view::npos) return std::nullopt;
        return LineShape{line, {}, {}};
    }
    const std::size_t begin = key + id_key.size();
    if (line.find("\"id\"", begin) != std::string_view::npos) return std::nullopt;
    std::size_t end = begin;
    while (end < line.size() && is_digit(line[end])) ++end;
    const std::size_t digits = end - begin;
    const bool leading_zero = digits > 1 && line[begin] == '0';
    // What follows a whole number in an object; a point or an exponent would make it another one.
    const bool ends_there = end < line.size() && (line[end] == ',' || line[end] == '}');
    if (digits == 0 || digits > most_digits || leading_zero || !ends_there) return std::nullopt;
    return LineShape{line.substr(0, begin), line.substr(begin, digits), line.substr(end)};
}

std::size_t HotLines::Hash::operator()(const LineShape& shape) const {
    return keyed_hash(key, as_bytes(shape.before)) * 3 + keyed_hash(key, as_bytes(shape.after));
}

std::size_t HotLines::Hash::operator()(const std::string& joined) const {
    const std::string_view all(joined);
    const std::size_t middle = all.find(separator);
    return (*this)(LineShape{all.substr(0, middle), {}, all.substr(middle + 1)});
}

bool HotLines::Same::operator()(const LineShape& shape, const std::string& joined) const {
    return joined.size() == shape.before.size() + 1 + shape.after.size() && joined.starts_with(shape.before) &&
           joined[shape.before.size()] == separator && joined.ends_with(shape.after);
}

const HotLines::Reply* HotLines::find(const LineShape& shape) const {
    const auto found = lines_.find(shape);
    return found == lines_.end() ? nullptr : &found->second;
}

void HotLines::keep(const LineShape& shape, Reply reply) {
    if (lines_.size() >= most_lines) {
        std::erase_if(lines_, [](const auto& entry) { return entry.second.answer.expired(); });
        if (lines_.size() >= most_lines) lines_.clear();
    }
    std::string joined;
    joined.reserve(shape.before.size() + 1 + shape.after.size());
    joined += shape.before;
    joined += separator;
    joined += shape.after;
    lines_.insert_or_assign(std::move(joined), std::move(reply));
}

}  // namespace mxtrust::serve
