// Both grammars of RFC 8461 3, field by field; see sts.h.
#include "mail/sts.h"

#include <algorithm>
#include <charconv>

#include "mail/fields.h"
#include "mail/next_hop.h"

namespace mxtrust::mail {
namespace {

using namespace mxtrust::literals;

constexpr std::size_t most_id_octets = 32;
constexpr std::size_t most_age_digits = 10;

/// RFC 8461 3.1: 1*32(ALPHA / DIGIT)
bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= most_id_octets && std::all_of(text.begin(), text.end(), is_alphanumeric);
}

/// A value of an unknown key: visible characters, UTF-8, and spaces in between (RFC 8461 3.2).
bool is_value(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        const auto octet = static_cast<unsigned char>(letter);
        return octet >= 0x20 && octet != 0x7f;
    });
}

/// What the lines have said so far.
struct Draft {
    bool version = false;
    std::optional<StsPolicy::Mode> mode;
    std::optional<std::chrono::seconds> max_age;
    std::vector<std::string> patterns;
};

tl::unexpected<Failure> wrong(Code code, std::string text) {
    return fail(FailureKind::malformed, code, "the policy " + std::move(text));
}

Done read_mode(std::string_view value, Draft& draft) {
    for (const auto mode : {StsPolicy::Mode::enforce, StsPolicy::Mode::testing, StsPolicy::Mode::none}) {
        if (value != to_text(mode)) continue;
        draft.mode = mode;
        return {};
    }
    return wrong("MSMO"_code, "has another mode than enforce, testing or none");
}

Done read_age(std::string_view value, Draft& draft) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
    if (!digits || value.size() > most_age_digits || error != std::errc() || end != value.data() + value.size())
        return wrong("MSAG"_code, "has a max_age that is no number of seconds");
    // More than a year is more than the RFC has; a shorter time, and not none, is the safe reading.
    draft.max_age = std::min(std::chrono::seconds(seconds), longest_sts_age);
    return {};
}

Done read_pattern(std::string_view value, Draft& draft) {
    std::string pattern(value);
    std::transform(pattern.begin(), pattern.end(), pattern.begin(), lower);
    const bool wild = pattern.starts_with("*.");
    const std::string_view host = std::string_view(pattern).substr(wild ? 2 : 0);
    const Result<dns::Name> name = dns::Name::from_text(host);
    // In the RFC's grammar a name has no final dot, and nothing in it is escaped.
    const bool plain = !host.ends_with('.') && host.find('\\') == std::string_view::npos;
    if (!name || !plain || !is_host_name(*name, Underscores::refused))
        return wrong("MSMX"_code, "has an mx that is no host name, nor one behind \"*.\"");
    draft.patterns.push_back(std::move(pattern));
    return {};
}

Done read_line(std::string_view line, Draft& draft) {
    const std::size_t colon = line.find(':');
    const std::string_view key = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_field_name(key))
        return wrong("MSLI"_code, "has a line that is no \"key: value\"");
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_value(value)) return wrong("MSVA"_code, "has a key without a proper value");
    // RFC 8461 3.2: of a key that stands twice the first counts, but for mx.
    if (key == "version") {
        if (!draft.version && value != "STSv1") return wrong("MSVE"_code, "has another version than STSv1");
        draft.version = true;
        return {};
    }
    if (key == "mode") return draft.mode ? Done() : read_mode(value, draft);
    if (key == "max_age") return draft.max_age ? Done() : read_age(value, draft);
    if (key == "mx") return read_pattern(value, draft);
    return {};
}

/// Without the line's end; a CR counts only before its LF.
std::string_view next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

std::vector<std::string> txt_records(const dnssec::Answer& answer) {
    std::vector<std::string> texts;
    if (answer.outcome() != dnssec::Outcome::records || answer.final().rrset() == nullptr) return texts;
    for (const Bytes& rdata : answer.final().rrset()->records) {
        Reader reader(rdata);
        std::string text;
        bool whole = true;
        while (whole && !reader.done()) {
            const Result<std::uint8_t> length = reader.u8();
            const Result<BytesView> part = reader.take(*length);
            whole = part.has_value();
            if (whole) text += as_text(*part);
        }
        if (whole) texts.push_back(std::move(text));
    }
    return texts;
}

Result<std::optional<std::string>> parse_sts_record(const std::vector<std::string>& texts) {
    const auto found = only_record(texts, "v=STSv1");
    if (!found) return std::optional<std::string>();
    const auto fields = parse_fields(*found);
    if (!fields) return fail(FailureKind::malformed, "MSTX"_code, "the TXT record of MTA-STS is malformed");
    for (const auto& [name, value] : *fields) {
        if (name != "id") continue;
        if (!is_id(value))
            return fail(FailureKind::malformed, "MSID"_code,
                        "the id in the TXT record of MTA-STS is not 1 to 32 letters and digits");
        return std::optional<std::string>(value);
    }
    return fail(FailureKind::malformed, "MSNI"_code, "the TXT record of MTA-STS has no id");
}

Result<StsPolicy> parse_sts_policy(std::string_view text) {
    if (text.size() > most_sts_octets) return wrong("MSBI"_code, "is longer than 64 KiB");
    Draft draft;
    bool ended = false;
    while (!text.empty()) {
        const std::string_view line = trimmed_end(next_line(text));
        // Empty lines at the end are many an editor's; elsewhere they are no field, and the grammar has none.
        if (line.empty()) {
            ended = true;
            continue;
        }
        if (ended) return wrong("MSEM"_code, "has an empty line");
        const Done read = read_line(line, draft);
        if (!read) return fail(read.error());
    }
    if (!draft.version) return wrong("MSNV"_code, "has no version");
    if (!draft.mode) return wrong("MSNM"_code, "has no mode");
    if (!draft.max_age) return wrong("MSNA"_code, "has no max_age");
    if (draft.patterns.empty() && *draft.mode != StsPolicy::Mode::none) return wrong("MSNX"_code, "names no mx");
    StsPolicy policy;
    policy.mode = *draft.mode;
    policy.max_age = *draft.max_age;
    policy.patterns = std::move(draft.patterns);
    return policy;
}

std::vector<std::string> sts_lines(const StsPolicy& policy) {
    std::vector<std::string> lines{"version: STSv1", "mode: " + std::string(to_text(policy.mode))};
    for (const std::string& pattern : policy.patterns) lines.push_back("mx: " + pattern);
    lines.push_back("max_age: " + std::to_string(policy.max_age.count()));
    return lines;
}

bool matches_sts(const dns::Name& host, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&host](const std::string& pattern) {
        bool wild = pattern.starts_with("*.");
        Result<dns::Name> name =
            dns::Name::from_text(wild ? std::string_view(pattern).substr(2) : std::string_view(pattern));
        if (!name) return false;
        if (!wild) return host == *name;
        return !host.is_root() && host.label_count() == name->label_count() + 1 && host.parent() == *name;
    });
}

}  // namespace mxtrust::mail
