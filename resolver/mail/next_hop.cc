// Next-hop syntax; see next_hop.h. UTS 46 is libidn2's.
#include "mail/next_hop.h"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace mxtrust::mail {
namespace {

using namespace mxtrust::literals;

/// A wire name has 255 octets; U-labels in UTF-8 need at most four octets a character, and nothing sensible is longer
/// than this.
constexpr std::size_t most_octets = 1024;

tl::unexpected<Failure> wrong(Code code, std::string text) {
    return fail(FailureKind::malformed, code, std::move(text));
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 0x80; });
}
bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}
bool is_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

struct Service {
    std::string_view name;
    std::uint16_t port;
};
/// The service names that mail is submitted and delivered under (IANA service names).
constexpr std::array<Service, 6> services{
    {{"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}, {"lmtp", 24}, {"qmtp", 209}}};

Result<std::uint16_t> parse_port(std::string_view text) {
    for (const Service& service : services) {
        if (text == service.name) return service.port;
    }
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
        return wrong("MNPT"_code,
                     "the port after the colon must be a number from 1 to 65535, or a name such as smtp or submission");
    }
    return port;
}

/// What is written where a name is expected but is an IPv4 address: dots and digits only.
bool looks_like_ipv4(std::string_view text) {
    return text.size() > 1 && text.find('.') != std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](char letter) { return is_digit(letter) || letter == '.'; });
}

struct Freed {
    void operator()(char* text) const { idn2_free(text); }
};

Result<std::string> to_a_labels(std::string_view text) {
    std::string zero_ended(text);
    char* converted = nullptr;
    int status = idn2_to_ascii_8z(zero_ended.c_str(), &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    std::unique_ptr<char, Freed> owned(converted);
    if (status != IDN2_OK) {
        return wrong("MNID"_code, std::string("not a valid internationalised domain name: ") + idn2_strerror(status));
    }
    return std::string(owned.get());
}

Done check_labels(std::string_view text) {
    if (text.find("..") != std::string_view::npos || text.front() == '.') {
        return wrong("MNEL"_code, "an empty label: two dots in a row, or a dot at the beginning, are not allowed");
    }
    std::size_t start = 0;
    while (start < text.size()) {
        std::size_t dot = std::min(text.find('.', start), text.size());
        std::string_view label = text.substr(start, dot - start);
        if (label.size() > 63)
            return wrong("MNLL"_code, "a label of " + std::to_string(label.size()) + " octets; at most 63 are allowed");
        if (label.front() == '-' || label.back() == '-') {
            return wrong("MNHY"_code, "the label \"" + std::string(label) + "\" begins or ends with a hyphen");
        }
        start = dot + 1;
    }
    return {};
}

Done check_letters(std::string_view text) {
    for (char letter : text) {
        if (is_letter(letter) || is_digit(letter) || letter == '-' || letter == '.' || letter == '_') continue;
        if (letter == '@') return wrong("MNAT"_code, "a mail address; write the part after the @ only");
        if (letter == ' ' || letter == '\t') return wrong("MNSP"_code, "white space inside a domain name");
        bool printable = letter > ' ' && letter < 0x7f;
        std::string shown = printable ? std::string("\"") + letter + "\"" : std::string("a control character");
        return wrong("MNCH"_code, shown + " is not allowed in a domain name; letters, digits, hyphens and dots are");
    }
    return {};
}

/// A mail domain or a host: what is left when brackets and port are gone.
Result<dns::Name> parse_host_name(std::string_view text) {
    if (text.empty()) return wrong("MNNO"_code, "no domain name");
    if (looks_like_ipv4(text)) {
        return wrong("MNVF"_code, "an address is written in brackets: [" + std::string(text) + "]");
    }
    Result<std::string> ascii = is_ascii(text) ? Result<std::string>(std::string(text)) : to_a_labels(text);
    if (!ascii) return fail(std::move(ascii.error()));
    if (ascii->empty()) return wrong("MNNI"_code, "no domain name is left of it after normalisation");
    if (*ascii == ".") return wrong("MNRT"_code, "the root is no mail domain");
    // Digits and dots have other forms that are mapped to these (UTS 46).
    if (looks_like_ipv4(*ascii)) return wrong("MNVM"_code, "an address is written in brackets: [" + *ascii + "]");
    Done letters = check_letters(*ascii);
    if (!letters) return fail(std::move(letters.error()));
    Done labels = check_labels(*ascii);
    if (!labels) return fail(std::move(labels.error()));
    Result<dns::Name> name = dns::Name::from_text(*ascii);
    if (!name) return wrong("MNLG"_code, "longer than a domain name can be (253 octets)");
    return name;
}

Result<NextHop> parse_bracketed(std::string_view inside) {
    NextHop hop;
    constexpr std::string_view tag = "ipv6:";
    bool tagged = inside.size() > tag.size() &&
                  std::equal(tag.begin(), tag.end(), inside.begin(), [](char expected, char letter) {
                      return expected == (is_letter(letter) ? static_cast<char>(letter | 0x20) : letter);
                  });
    std::string_view address_text = tagged ? inside.substr(tag.size()) : inside;
    if (tagged || address_text.find(':') != std::string_view::npos || looks_like_ipv4(address_text)) {
        Result<Address> address = Address::from_text(address_text);
        if (!address || (tagged && address->family() != Family::ipv6)) {
            return wrong("MNAD"_code,
                         "not a valid IP address between the brackets; write [192.0.2.1] or [IPv6:2001:db8::1]");
        }
        hop.kind = NextHop::Kind::address;
        hop.address = *address;
        return hop;
    }
    Result<dns::Name> name = parse_host_name(inside);
    if (!name) return fail(std::move(name.error()));
    hop.kind = NextHop::Kind::host;
    hop.name = std::move(*name);
    return hop;
}

}  // namespace

std::string NextHop::to_text() const {
    switch (kind) {
        case Kind::domain:
            return name.to_text();
        case Kind::host:
            return "[" + name.to_text() + "]";
        case Kind::address:
            return (address.family() == Family::ipv6 ? "[IPv6:" : "[") + address.to_text() + "]";
    }
    return {};
}

Result<NextHop> parse_next_hop(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return wrong("MNEM"_code, "no domain was given");
    if (text.size() > most_octets) return wrong("MNBG"_code, "longer than a domain name can be");
    // A zero octet would end the text early inside the library that converts U-labels.
    if (text.find('\0') != std::string_view::npos) return wrong("MNZO"_code, "a zero octet in a domain name");
    std::string_view port_text;
    Result<NextHop> hop;
    if (text.front() == '[') {
        std::size_t close = text.find(']');
        if (close == std::string_view::npos) return wrong("MNBR"_code, "the closing bracket is missing");
        std::string_view after = text.substr(close + 1);
        if (!after.empty() && after.front() != ':')
            return wrong("MNAF"_code, "only :port may follow the closing bracket");
        hop = parse_bracketed(text.substr(1, close - 1));
        if (!after.empty()) port_text = after;
    } else {
        std::size_t colon = text.find(':');
        if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
            return wrong("MNVS"_code,
                         "more than one colon; an IPv6 address is written in brackets: [IPv6:2001:db8::1]");
        }
        if (colon != std::string_view::npos) port_text = text.substr(colon);
        Result<dns::Name> name = parse_host_name(text.substr(0, colon));
        if (!name) return fail(std::move(name.error()));
        hop = NextHop{NextHop::Kind::domain, std::move(*name), {}, {}};
    }
    if (!hop || port_text.empty()) return hop;
    Result<std::uint16_t> port = parse_port(port_text.substr(1));
    if (!port) return fail(std::move(port.error()));
    hop->port = *port;
    return hop;
}

bool is_host_name(const dns::Name& name, Underscores underscores) {
    if (name.is_root()) return false;
    for (std::size_t index = 0; index < name.label_count(); ++index) {
        std::string_view label = name.label(index);
        if (label.front() == '-' || label.back() == '-') return false;
        for (char letter : label) {
            bool fine = is_letter(letter) || is_digit(letter) || letter == '-';
            if (!fine && !(letter == '_' && underscores == Underscores::tolerated)) return false;
        }
    }
    return true;
}

Result<dns::Name> name_from_utf8(std::string_view text) {
    if (text.size() > most_octets || text.find('\0') != std::string_view::npos) {
        return wrong("MNUB"_code, "longer than a domain name can be, or with a zero octet");
    }
    if (is_ascii(text)) return dns::Name::from_text(text);
    Result<std::string> ascii = to_a_labels(text);
    if (!ascii) return fail(std::move(ascii.error()));
    return dns::Name::from_text(*ascii);
}

}  // namespace mxtrust::mail
