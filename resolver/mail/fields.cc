// See fields.h.
#include "mail/fields.h"

#include <algorithm>

namespace mxtrust::mail {
namespace {

constexpr std::size_t most_name_octets = 32;

bool is_space(char letter) {
    return letter == ' ' || letter == '\t';
}

/// Visible ASCII but for ";". An "=" may stand in a URI, and in what is unknown it does no harm.
bool is_field_value(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char letter) { return letter >= ' ' && letter <= '~'; });
}

bool is_version(std::string_view text, std::string_view version) {
    if (!text.starts_with(version)) return false;
    text.remove_prefix(version.size());
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    return text.starts_with(';');
}

}  // namespace

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_alphanumeric(char letter) {
    return is_digit(letter) || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string_view trimmed_end(std::string_view text) {
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    return trimmed_end(text);
}

bool is_field_name(std::string_view text) {
    return !text.empty() && text.size() <= most_name_octets && is_alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char letter) {
               return is_alphanumeric(letter) || letter == '_' || letter == '-' || letter == '.';
           });
}

std::optional<std::string> only_record(const std::vector<std::string>& texts, std::string_view version) {
    const auto counts = [version](const std::string& text) { return is_version(text, version); };
    if (std::count_if(texts.begin(), texts.end(), counts) != 1) return std::nullopt;
    return *std::find_if(texts.begin(), texts.end(), counts);
}

std::optional<Fields> parse_fields(std::string_view record) {
    Fields fields;
    record.remove_prefix(std::min(record.find(';'), record.size()));
    while (!record.empty()) {
        record.remove_prefix(1);  // the semicolon
        const std::string_view field = trimmed(record.substr(0, record.find(';')));
        record.remove_prefix(std::min(record.find(';'), record.size()));
        if (field.empty() && record.empty()) break;  // a semicolon may end the record
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = field.substr(0, equals);
        const std::string_view value = field.substr(equals + 1);
        if (!is_field_name(name) || !is_field_value(value)) return std::nullopt;
        fields.emplace_back(name, value);
    }
    return fields;
}

}  // namespace mxtrust::mail
