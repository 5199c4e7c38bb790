// RDATA in master-file form (RFC 1035 5.1), in both directions, driven by the table of rdata_shape.h. Whatever does not
// fit its type's shape is written in the generic form of RFC 3597 5, so that a text always gives back the octets it was
// made of (but for the letters of names, which become lower-case).
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

#include "base/address.h"
#include "base/require.h"
#include "dns/rdata.h"
#include "dns/rdata_shape.h"

namespace mxtrust::dns {

namespace {

constexpr std::string_view generic_mark = "\\#";

// ---- octets to text ----

std::string quoted(BytesView octets) {
    std::string text = "\"";
    for (const std::uint8_t octet : octets) {
        if (octet < 0x20 || octet >= 0x7f) {
            std::array<char, 5> escape{};
            static_cast<void>(std::snprintf(escape.data(), escape.size(), "\\%03u", static_cast<unsigned>(octet)));
            text += escape.data();
            continue;
        }
        if (octet == '"' || octet == '\\') text.push_back('\\');
        text.push_back(static_cast<char>(octet));
    }
    return text + "\"";
}

std::string date_text(std::uint32_t seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    std::array<char, 64> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d", static_cast<int>(date.year()),
                                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                    static_cast<int>(clock.seconds().count())));  // RFC 4034 3.2
    return text.data();
}

Result<BytesView> counted(Reader& reader) {
    return reader.u8().and_then([&reader](std::uint8_t length) { return reader.take(length); });
}

Result<std::string> tag_text(Reader& reader) {
    const auto tag = counted(reader);
    if (!tag) return fail(tag.error());
    if (tag->empty()) return fail(FailureKind::malformed, "DTAE"_code, "empty tag");
    for (const std::uint8_t octet : *tag) {
        const bool plain =
            (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
        if (!plain) return fail(FailureKind::malformed, "DTAG"_code, "tag with octets other than letters and digits");
    }
    return std::string(as_text(*tag));
}

/// Empty rests have no text of their own.
Result<std::string> rest_text(Reader& reader, std::string (*encode)(BytesView)) {
    if (reader.done()) return fail(FailureKind::malformed, "DEMP"_code, "empty field");
    return encode(reader.rest());
}

std::string types_text(const TypeSet& types) {
    std::string text;
    for (const Type type : types.all()) {
        text += (text.empty() ? "" : " ") + to_text(type);
    }
    return text;
}

Result<std::string> strings_text(Reader& reader) {
    std::string text;
    do {
        const auto string = counted(reader);
        if (!string) return fail(string.error());
        text += (text.empty() ? "" : " ") + quoted(*string);
    } while (!reader.done());
    return text;
}

std::string name_text(const Name& name) {
    return name.is_root() ? "." : name.to_text() + ".";
}

Result<std::string> field_text(char field, Reader& reader) {
    const auto number = [](auto value) { return std::to_string(value); };
    const auto address = [](BytesView octets) {
        return Address::from_rdata(octets).map([](const Address& parsed) { return parsed.to_text(); });
    };
    switch (field) {
        case '1':
            return reader.u8().map(number);
        case '2':
            return reader.u16().map(number);
        case '4':
            return reader.u32().map(number);
        case 'a':
            return reader.take(4).and_then(address);
        case '6':
            return reader.take(16).and_then(address);
        case 'n':
            return Name::from_wire(reader).map(name_text);
        case 's':
            return counted(reader).map(quoted);
        case 'S':
            return strings_text(reader);
        case 'g':
            return tag_text(reader);
        case 'X':
            return counted(reader).map([](BytesView salt) { return salt.empty() ? "-" : to_hex(salt); });
        case 'h':
            return counted(reader).map(to_base32hex);
        case 't':
            return reader.u16().map([](std::uint16_t type) { return to_text(static_cast<Type>(type)); });
        case 'd':
            return reader.u32().map(date_text);
        case 'T':
            return TypeSet::parse(reader.rest()).map(types_text);
        case 'x':
            return rest_text(reader, to_hex);
        case 'b':
            return rest_text(reader, to_base64);
        case 'v':
            return quoted(reader.rest());
        case '*':
            return fail(FailureKind::unsupported, "DSTR"_code, "no text form for this type");
        default:
            broken_promise(std::source_location::current());
    }
}

Result<std::string> shaped_text(const Shape& shape, BytesView rdata) {
    Reader reader(rdata);
    std::string text;
    for (const char field : shape.fields) {
        auto piece = field_text(field, reader);
        if (!piece) return piece;
        text += (text.empty() || piece->empty() ? "" : " ") + *piece;
    }
    if (!reader.done()) return fail(FailureKind::malformed, "DTXL"_code, "octets left over");
    return text;
}

std::string generic_text(BytesView rdata) {
    const std::string hex = to_hex(rdata);
    return std::string(generic_mark) + " " + std::to_string(rdata.size()) + (hex.empty() ? "" : " ") + hex;
}

// ---- text to octets ----

/// Words of a master-file line, escapes not yet resolved; parentheses are white space, because the text is one record.
class Words {
  public:
    explicit Words(std::string_view text) : left_(text) { skip_space(); }

    [[nodiscard]] bool done() const { return left_.empty(); }

    Result<std::string_view> next() {
        if (left_.empty()) {
            return fail(FailureKind::malformed, "DWRD"_code, "record ends too early");
        }
        const bool in_quotes = left_.front() == '"';
        std::size_t end = in_quotes ? 1 : 0;
        while (end < left_.size() && !(in_quotes ? left_[end] == '"' : is_space(left_[end]))) {
            end += left_[end] == '\\' ? 2 : 1;
        }
        if (end > left_.size() || (in_quotes && end == left_.size())) {
            return fail(FailureKind::malformed, "DQUO"_code, "text ends within quotes or after a backslash");
        }
        const std::string_view word = in_quotes ? left_.substr(1, end - 1) : left_.substr(0, end);
        left_.remove_prefix(in_quotes ? end + 1 : end);
        skip_space();
        return word;
    }
    /// All words that are left, joined: hex and base64 may be written with spaces.
    Result<std::string> rest() {
        std::string joined;
        do {
            const auto word = next();
            if (!word) return fail(word.error());
            joined += *word;
        } while (!done());
        return joined;
    }

  private:
    static bool is_space(char letter) { return std::string_view(" \t\r\n()").find(letter) != std::string_view::npos; }
    void skip_space() {
        while (!left_.empty() && is_space(left_.front())) {
            left_.remove_prefix(1);
        }
    }
    std::string_view left_;
};

template <class Number>
Result<Number> number_from(std::string_view word) {
    Number number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
        return fail(FailureKind::malformed, "DNUM"_code, "not a number, or too large for its field");
    }
    return number;
}

Result<Bytes> unescaped(std::string_view word) {
    Bytes octets;
    for (std::size_t at = 0; at < word.size(); ++at) {
        if (word[at] != '\\') {
            octets.push_back(static_cast<std::uint8_t>(word[at]));
            continue;
        }
        const std::string_view after = word.substr(at + 1);
        const bool is_number = !after.empty() && after[0] >= '0' && after[0] <= '9';
        const auto value = is_number ? number_from<std::uint8_t>(after.substr(0, 3)) : Result<std::uint8_t>(0);
        if (after.empty() || !value || (is_number && after.size() < 3)) {
            return fail(FailureKind::malformed, "DUNE"_code, "escape that is not \\DDD or a backslash and a character");
        }
        octets.push_back(is_number ? *value : static_cast<std::uint8_t>(after[0]));
        at += is_number ? 3 : 1;
    }
    return octets;
}

/// YYYYMMDDHHmmSS, or seconds (RFC 4034 3.2).
Result<std::uint32_t> date_from(std::string_view word) {
    if (word.size() != 14) {
        return number_from<std::uint32_t>(word);
    }
    const auto part = [word](std::size_t at, std::size_t digits) {
        return number_from<unsigned>(word.substr(at, digits)).value_or(std::numeric_limits<unsigned>::max());
    };
    const unsigned year = part(0, 4), hour = part(8, 2), minute = part(10, 2), second = part(12, 2);
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(part(4, 2)),
                                           std::chrono::day(part(6, 2))};
    if (year < 1970 || year > 9999 || !date.ok() || hour > 23 || minute > 59 || second > 59) {
        return fail(FailureKind::malformed, "DDAT"_code, "not a date as YYYYMMDDHHmmSS");
    }
    const auto time = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                      std::chrono::minutes(minute) + std::chrono::seconds(second);
    // Serial numbers wrap in 2106 (RFC 4034 3.1.5); a date behind it is its remainder.
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

Done put_counted(BytesView octets, Writer& out) {
    if (octets.size() > 255) {
        return fail(FailureKind::malformed, "DSTL"_code, "character string longer than 255 octets");
    }
    out.u8(static_cast<std::uint8_t>(octets.size()));
    out.bytes(octets);
    return {};
}

Done put_types(Words& words, Writer& out) {
    std::array<Bytes, 256> windows;
    while (!words.done()) {
        const auto type = words.next().and_then(type_from_text);
        if (!type) return fail(type.error());
        const auto number = static_cast<std::uint16_t>(*type);
        Bytes& window = windows.at(number >> 8U);
        const std::size_t octet = (number & 0xffU) / 8;
        window.resize(std::max(window.size(), octet + 1));
        window[octet] = static_cast<std::uint8_t>(window[octet] | 0x80U >> number % 8U);
    }
    for (std::size_t window = 0; window < windows.size(); ++window) {
        if (windows.at(window).empty()) continue;
        out.u8(static_cast<std::uint8_t>(window));
        out.u8(static_cast<std::uint8_t>(windows.at(window).size()));
        out.bytes(BytesView(windows.at(window)));
    }
    return {};
}

Done put_word(char field, std::string_view word, Writer& out) {
    const auto u8 = [&out](std::uint8_t value) { out.u8(value); };
    const auto u16 = [&out](std::uint16_t value) { out.u16(value); };
    const auto u32 = [&out](std::uint32_t value) { out.u32(value); };
    const auto octets = [&out](const Bytes& value) { out.bytes(BytesView(value)); };
    const auto string = [&out](const Bytes& value) { return put_counted(value, out); };
    switch (field) {
        case '1':
            return number_from<std::uint8_t>(word).map(u8);
        case '2':
            return number_from<std::uint16_t>(word).map(u16);
        case '4':
            return number_from<std::uint32_t>(word).map(u32);
        case 'a':
        case '6':  // check_rdata looks at the length
            return Address::from_text(word).map([&out](const Address& address) { out.bytes(address.octets()); });
        case 'n':
            return Name::from_text(word).map([&out](const Name& name) { out.bytes(name.wire()); });
        case 's':
        case 'g':
            return unescaped(word).and_then(string);
        case 'X':
            return (word == "-" ? Result<Bytes>(Bytes{}) : from_hex(word)).and_then(string);
        case 'h':
            return from_base32hex(word).and_then(string);
        case 't':
            return type_from_text(word).map([&out](Type type) { out.u16(static_cast<std::uint16_t>(type)); });
        case 'd':
            return date_from(word).map(u32);
        case 'v':
            return unescaped(word).map(octets);
        default:
            broken_promise(std::source_location::current());
    }
}

Done put_field(char field, Words& words, Writer& out) {
    const auto octets = [&out](const Bytes& value) { out.bytes(BytesView(value)); };
    switch (field) {
        case 'x':
            return words.rest().and_then([](const std::string& text) { return from_hex(text); }).map(octets);
        case 'b':
            return words.rest().and_then([](const std::string& text) { return from_base64(text); }).map(octets);
        case 'T':
            return put_types(words, out);
        case 'S':
            do {
                auto put = words.next().and_then([&out](std::string_view word) { return put_word('s', word, out); });
                if (!put) return put;
            } while (!words.done());
            return {};
        case '*':
            return fail(FailureKind::unsupported, "DSTF"_code,
                        "records of this type are written in the form \\# LENGTH HEX");
        default:
            return words.next().and_then([&](std::string_view word) { return put_word(field, word, out); });
    }
}

Result<Bytes> generic_from(Words& words) {
    const auto length = words.next().and_then(number_from<std::uint16_t>);
    if (!length) return fail(length.error());
    auto octets = words.done() ? Result<Bytes>(Bytes{})
                               : words.rest().and_then([](const std::string& text) { return from_hex(text); });
    if (octets && octets->size() != *length) {
        return fail(FailureKind::malformed, "DGEN"_code, "octets do not match the length behind \\#");
    }
    return octets;
}

Result<Bytes> shaped_from(const Shape& shape, Words& words) {
    Writer out;
    for (const char field : shape.fields) {
        auto put = put_field(field, words, out);
        if (!put) return fail(std::move(put.error()));
    }
    if (!words.done()) return fail(FailureKind::malformed, "DWLO"_code, "words left over behind the record");
    return std::move(out).finish();
}

}  // namespace

std::string rdata_to_text(Type type, BytesView rdata) {
    // Malformed octets must not come out as a record that they are not, such as an NSEC3 whose hash is empty.
    if (const Shape* const shape = shape_of(type); shape != nullptr && check_rdata(type, rdata)) {
        auto text = shaped_text(*shape, rdata);
        if (text) return std::move(*text);
    }
    return generic_text(rdata);
}

Result<Bytes> rdata_from_text(Type type, std::string_view text) {
    Words words(text);
    const Shape* const shape = shape_of(type);
    const bool is_generic = text.find_first_not_of(" \t\r\n()") == text.find(generic_mark) && !words.done();
    if (is_generic) {
        static_cast<void>(words.next());  // the mark itself
    } else if (shape == nullptr) {
        return fail(FailureKind::unsupported, "DUNK"_code,
                    "records of this type are written in the form \\# LENGTH HEX");
    }
    auto rdata = is_generic ? generic_from(words) : shaped_from(*shape, words);
    if (!rdata) return rdata;
    if (rdata->size() > std::numeric_limits<std::uint16_t>::max()) {
        return fail(FailureKind::malformed, "DBIG"_code, "record longer than 65,535 octets");
    }
    auto checked = check_rdata(type, *rdata);
    if (!checked) return fail(std::move(checked.error()));
    return rdata;
}

}  // namespace mxtrust::dns
