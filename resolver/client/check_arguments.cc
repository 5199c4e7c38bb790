// The command line of `mxtrust check`.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/address.h"
#include "client/check.h"
#include "dns/text.h"
#include "mail/next_hop.h"

namespace mxtrust::client {
namespace {

constexpr std::string_view check_help =
    "mxtrust check: is a mail domain well, as senders see it? Asks mxtrustd, then visits each server.\n"
    "\n"
    "  mxtrust check DOMAIN…\n"
    "  mxtrust check --batch FILE   a domain on each line\n"
    "\n"
    "  --dnssec           only DNSSEC, MX and addresses: stop before DANE\n"
    "  --no-probe         only DNS: do not connect\n"
    "  --mx HOST          only this host; one that MX does not name is taken as a next-hop\n"
    "  --address IP       only this address\n"
    "  --port PORT        instead of 25\n"
    "  --timeout SECONDS  for each connection, 1 to 300 (20)\n"
    "  --expect-mx HOST   this host should be the most preferred\n"
    "  --json             a report for programs\n"
    "  --tlsrpt           a TLS report (RFC 8460) of the visits\n"
    "  --html FILE        a page for people, with the chain of trust as a picture\n"
    "  --socket PATH      ask there instead of /run/mxtrust/query.sock\n"
    "\n"
    "Exit status: 0 all passes, 1 warnings, 2 failures, 64 wrong usage, 69 daemon not reachable,\n"
    "73 a file cannot be read or written.\n";

Message wrong(std::string text) {
    return {"mxtrust: " + std::move(text) + "; see mxtrust check --help\n", true};
}

std::optional<int> number(std::string_view text, int least, int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
    return value;
}

constexpr std::array<std::string_view, 9> with_value = {"--batch",     "--mx",   "--address", "--port", "--timeout",
                                                        "--expect-mx", "--html", "--socket",  "--root"};

bool takes_value(std::string_view word) {
    return std::find(with_value.begin(), with_value.end(), word) != with_value.end();
}

std::optional<Message> take_value(CheckArguments& arguments, const std::string& word, const std::string& value) {
    const std::string shown = "\"" + dns::clean_text(value, 80) + "\"";
    if (word == "--port" || word == "--timeout") {
        const auto found = number(value, 1, word == "--port" ? 65535 : 300);
        if (!found)
            return wrong(word + (word == "--port" ? " is 1 to 65535, not " : " is 1 to 300 seconds, not ") + shown);
        if (word == "--port") arguments.port = static_cast<std::uint16_t>(*found);
        if (word == "--timeout") arguments.timeout = std::chrono::seconds(*found);
    } else if (word == "--address") {
        const Result<Address> address = Address::from_text(value);
        if (!address) return wrong("--address is an IPv4 or IPv6 address, not " + shown);
        arguments.address = address->to_text();
    } else if (word == "--mx" || word == "--expect-mx") {
        const Result<mail::NextHop> hop = mail::parse_next_hop("[" + value + "]");
        if (!hop || hop->kind != mail::NextHop::Kind::host || hop->port)
            return wrong(word + " is the name of a host, not " + shown);
        const std::string bracketed = hop->to_text();
        (word == "--mx" ? arguments.host : arguments.expected_mx) = bracketed.substr(1, bracketed.size() - 2);
    } else {
        (word == "--batch" ? arguments.batch : word == "--html" ? arguments.html : arguments.socket) = value;
    }
    return std::nullopt;
}

std::optional<Message> contradiction(const CheckArguments& arguments) {
    if (arguments.domains.empty() == arguments.batch.empty())
        return wrong(arguments.batch.empty() ? "wanted is a domain to check"
                                             : "--batch has the domains; name none beside it");
    const bool many = !arguments.batch.empty() || arguments.domains.size() > 1;
    if (many && !arguments.html.empty()) return wrong("--html is a page of one domain");
    if (many && !arguments.expected_mx.empty()) return wrong("--expect-mx is about one domain");
    if (arguments.depth != Depth::probe && arguments.output == CheckOutput::tlsrpt)
        return wrong("--tlsrpt reports what the visits found; it does not go with --dnssec or --no-probe");
    return std::nullopt;
}

}  // namespace

bool asks_for_check(const std::vector<std::string>& words) {
    for (std::size_t index = 0; index < words.size(); ++index) {
        const std::string& word = words[index];
        if (word.empty() || word.front() != '-') return word == "check";
        if (takes_value(word) || word == "--deadline") ++index;
    }
    return false;
}

std::variant<CheckArguments, Message> parse_check_arguments(const std::vector<std::string>& words) {
    CheckArguments arguments;
    bool named = false;
    for (std::size_t index = 0; index < words.size(); ++index) {
        const std::string& word = words[index];
        if (word == "--help" || word == "-h") return Message{std::string(check_help), false};
        if (word == "--dnssec") {
            arguments.depth = Depth::dnssec;
        } else if (word == "--no-probe") {
            if (arguments.depth == Depth::probe) arguments.depth = Depth::dns;
        } else if (word == "--json") {
            arguments.output = CheckOutput::json;
        } else if (word == "--tlsrpt") {
            arguments.output = CheckOutput::tlsrpt;
        } else if (takes_value(word) && word != "--root") {
            if (index + 1 == words.size()) return wrong(word + " needs a value");
            if (auto message = take_value(arguments, word, words[++index])) return *message;
        } else if (word.size() > 1 && word.front() == '-') {
            return wrong("check has no option " + dns::clean_text(word, 80));
        } else if (!named) {
            named = true;
        } else {
            arguments.domains.push_back(word);
        }
    }
    if (auto message = contradiction(arguments)) return *message;
    return arguments;
}

}  // namespace mxtrust::client
