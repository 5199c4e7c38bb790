// What is printed passes through here, and control characters do not.
#include "client/layout.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include "dns/text.h"

namespace mxtrust::client {
namespace {

/// Of one value; a status or reason is a sentence or two.
constexpr std::size_t most_octets = 65536;

/// U+00A0, the no-break space.
constexpr std::string_view glue = "\xc2\xa0";

std::string with_spaces(std::string word) {
    for (std::size_t at = word.find(glue); at != std::string::npos; at = word.find(glue, at + 1))
        word.replace(at, glue.size(), " ");
    return word;
}

std::string_view escape(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return "";
        case Tone::good:
            return "\x1b[32m";
        case Tone::fair:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::strong:
            return "\x1b[1m";
    }
    return "";
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t start = text.find_first_not_of(' ');
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        const std::size_t length = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return words;
}

std::string finished(std::string sentence) {
    if (sentence.back() != '.' && sentence.back() != '?') sentence += '.';
    return sentence;
}

std::string count_of(std::int64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

}  // namespace

std::string unbroken(std::string text) {
    for (std::size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at + glue.size()))
        text.replace(at, 1, glue);
    return text;
}

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char octet) { return (static_cast<std::uint8_t>(octet) & 0xC0) != 0x80; }));
}

std::string span_words(std::int64_t seconds) {
    constexpr std::int64_t minute = 60, hour = 3600, day = 86400;
    seconds = std::max<std::int64_t>(seconds, 0);
    if (seconds < 2 * minute) return std::to_string(seconds) + " s";
    if (seconds < 2 * hour) return std::to_string(seconds / minute) + " min";
    if (seconds < 2 * day) return std::to_string(seconds / hour) + " h";
    return count_of(seconds / day, "day", "days");
}

std::string date_words(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds time{std::chrono::seconds(seconds)};
    const sys_days days = floor<std::chrono::days>(time);
    const year_month_day date(days);
    const hh_mm_ss clock(time - days);
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d UTC", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()));
    return {text.data(), static_cast<std::size_t>(std::max(length, 0))};
}

std::string sentence(std::string_view text) {
    std::string result(text);
    if (result.empty()) return result;
    // "mx1.example.org has …": names stay as they are.
    const std::string_view first = text.substr(0, text.find(' '));
    if (first.find('.') + 1 < first.size() && first.find('.') != std::string_view::npos)
        return finished(std::move(result));
    if (result.front() >= 'a' && result.front() <= 'z') result.front() = static_cast<char>(result.front() - 'a' + 'A');
    return finished(std::move(result));
}

std::string Page::toned(std::string_view text, Tone tone) const {
    std::string clean = dns::clean_text(text, most_octets);
    if (colour_ == Colour::off || tone == Tone::plain) return clean;
    return std::string(escape(tone)) + clean + "\x1b[0m";
}

void Page::put(std::string_view head, std::string_view text, std::size_t hanging, Tone tone) {
    put({Piece{std::string(head), tone}}, text, hanging);
}

void Page::put(const std::vector<Piece>& head, std::string_view text, std::size_t hanging) {
    std::size_t used = 0;
    bool at_start = true;
    for (const Piece& piece : head) {
        used += columns(dns::clean_text(piece.text, most_octets));
        text_ += toned(piece.text, piece.tone);
        if (!piece.text.empty()) at_start = piece.text.back() == ' ';
    }
    for (const std::string& word : words_of(dns::clean_text(text, most_octets))) {
        const std::size_t needed = columns(word) + (at_start ? 0 : 1);
        if (used + needed > width && used > hanging) {
            text_ += '\n' + std::string(hanging, ' ');
            used = hanging;
            at_start = true;
        }
        if (!at_start) text_ += ' ';
        used += columns(word) + (at_start ? 0 : 1);
        text_ += with_spaces(word);
        at_start = false;
    }
    // No line ends with spaces: they show in diffs and mails.
    text_.erase(text_.find_last_not_of(' ') + 1);
    text_ += '\n';
}

}  // namespace mxtrust::client
