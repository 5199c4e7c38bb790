// Replies, line by line.
#include "probe/smtp.h"

#include <algorithm>
#include <array>

#include "dns/text.h"

namespace mxtrust::probe {
namespace {

bool is_digit(char octet) {
    return octet >= '0' && octet <= '9';
}

char lower(char octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
}

/// 0 where the line does not begin with a code (RFC 5321 4.2).
int code_of(std::string_view line) {
    if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) return 0;
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return code >= 200 && code < 600 ? code : 0;
}

}  // namespace

std::string Reply::shown() const {
    const std::string text = std::to_string(code) + (lines.empty() || lines.front().empty() ? "" : " " + lines.front());
    return dns::clean_text(text, most_shown_octets);
}

Result<std::string> Conversation::line(MonoTime deadline) {
    std::size_t end = received_.find('\n');
    while (end == std::string::npos) {
        if (received_.size() > most_line_octets)
            return fail(FailureKind::budget, "PLIN"_code,
                        "a line of more than " + std::to_string(most_line_octets) + " octets");
        std::array<std::uint8_t, 2048> chunk{};
        const Result<std::size_t> count = wire_.receive(chunk, deadline);
        if (!count) return fail(count.error());
        if (*count == 0) return fail(FailureKind::unreachable, "PCUT"_code, "the server closed the connection");
        total_ += *count;
        if (total_ > most_conversation_octets)
            return fail(FailureKind::budget, "PTOT"_code,
                        "more than " + std::to_string(most_conversation_octets) + " octets");
        received_.append(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*count));
        end = received_.find('\n');
    }
    if (end > most_line_octets)
        return fail(FailureKind::budget, "PLNG"_code,
                    "a line of more than " + std::to_string(most_line_octets) + " octets");
    std::string text = received_.substr(0, end);
    received_.erase(0, end + 1);
    if (!text.empty() && text.back() == '\r') text.pop_back();
    return text;
}

Result<Reply> Conversation::reply(MonoTime deadline) {
    Reply found;
    for (;;) {
        const Result<std::string> text = line(deadline);
        if (!text) return fail(text.error());
        const int code = code_of(*text);
        if (code == 0 || (found.code != 0 && code != found.code))
            return fail(FailureKind::malformed, "PCOD"_code,
                        "\"" + dns::clean_text(*text, most_shown_octets) + "\" is no reply of an SMTP server");
        found.code = code;
        found.lines.push_back(text->size() > 4 ? text->substr(4) : std::string());
        if (text->size() < 4 || (*text)[3] == ' ') return found;
        if (found.lines.size() >= most_reply_lines)
            return fail(FailureKind::budget, "PRPL"_code,
                        "a reply of more than " + std::to_string(most_reply_lines) + " lines");
    }
}

Done Conversation::command(std::string_view text, MonoTime deadline) {
    const std::string line = std::string(text) + "\r\n";
    return wire_.send(BytesView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()), deadline);
}

bool offers(const Reply& ehlo, std::string_view keyword) {
    // The first line is the server's name.
    return std::any_of(ehlo.lines.begin() + (ehlo.lines.empty() ? 0 : 1), ehlo.lines.end(),
                       [keyword](const auto& line) {
                           const std::string_view word = std::string_view(line).substr(0, line.find(' '));
                           return std::equal(word.begin(), word.end(), keyword.begin(), keyword.end(),
                                             [](char left, char right) { return lower(left) == lower(right); });
                       });
}

}  // namespace mxtrust::probe
