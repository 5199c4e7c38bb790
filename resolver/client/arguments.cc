// Options may stand anywhere; the first other word is a command or a domain. An option that the command has no use for
// is wrong usage: who writes --port to `explain` must not be told of another port's records. Requests are made here, as
// JSON, so that no character of a domain can become another request.
#include "client/arguments.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "dns/text.h"

namespace mxtrust::client {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view help =
    "mxtrust: is mail to this domain safe, and why? Asks mxtrustd on this machine.\n"
    "\n"
    "  mxtrust DOMAIN…            decision for mail to the domain, host by host\n"
    "  mxtrust rrset NAME TYPE    one RRset with its security and outcome\n"
    "  mxtrust explain DOMAIN     why: each look-up for the domain, its chain of trust, what would mend it\n"
    "  mxtrust explain NAME TYPE  the same for any RRset\n"
    "  mxtrust check DOMAIN…      what senders find there: DNS, TLS and DANE of each server; see check --help\n"
    "  mxtrust status             how the daemon is, and how this machine asks it\n"
    "  mxtrust failing            mail domains that cannot be trusted or reached now\n"
    "  mxtrust flush NAME         forget a name and all below it (root and the service's group)\n"
    "  mxtrust reload             read the configuration again (root and the service's group)\n"
    "\n"
    "  --all            of status all, not only what fits on a screen\n"
    "  --json           print the replies as they came\n"
    "  --socket PATH    ask there instead of /run/mxtrust/query.sock\n"
    "  --port PORT      mail to this port instead of 25\n"
    "  --refresh        not from answers that are kept\n"
    "  --deadline MS    answer within so many milliseconds, 100 to 30000 (5000)\n"
    "  --root DIR       status looks at the configuration below DIR, such as a container's\n"
    "  --               what follows is no option\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 deliver, 1 defer, 2 bounce, 64 wrong usage, 69 daemon not reachable;\n"
    "of status: 0 all is well, 1 something is to be mended, 69 daemon not reachable.\n";

struct Options {
    std::optional<int> port, deadline;
    bool refresh = false;
    std::vector<std::string> given;  ///< those that not every command has a use for
};

const std::set<std::string, std::less<>> not_for_all = {"--all", "--deadline", "--port", "--refresh", "--root"};

Message wrong(std::string text) {
    return {"mxtrust: " + std::move(text) + "; see mxtrust --help\n", true};
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

std::string line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json begin(std::string_view query, const Options& options) {
    Json json;
    json["query"] = query;
    if (options.deadline) json["deadline_ms"] = *options.deadline;
    return json;
}

std::string mail_request(const std::string& domain, const Options& options) {
    Json json = begin("mail", options);
    json["domain"] = domain;
    if (options.port) json["port"] = *options.port;
    if (options.refresh) json["refresh"] = true;
    return line(json);
}

std::string explain_request(const std::string& domain, const Options& options) {
    Json json = begin("explain", options);
    json["domain"] = domain;
    return line(json);
}

std::string named_request(std::string_view query, const std::string& name, const std::string& type,
                          const Options& options) {
    Json json = begin(query, options);
    json["name"] = name;
    json["type"] = type;
    return line(json);
}

bool is_of(std::string_view option, Command command) {
    if (option == "--port" || option == "--refresh") return command == Command::mail;
    if (option == "--deadline")
        return command == Command::mail || command == Command::rrset || command == Command::explain;
    return command == Command::status;  // --all, --root
}

std::string_view user_of(std::string_view option) {
    if (option == "--port" || option == "--refresh") return "is for mxtrust DOMAIN";
    if (option == "--deadline") return "is for mxtrust DOMAIN, mxtrust rrset and mxtrust explain";
    return "is for mxtrust status";
}

std::optional<Message> out_of_place(const Options& options, Command command) {
    for (const std::string& option : options.given) {
        if (is_of(option, command)) continue;
        const bool next_hop = option == "--port" && command == Command::explain;
        return wrong(option + " " + std::string(user_of(option)) + (next_hop ? "; here write DOMAIN:PORT" : ""));
    }
    return std::nullopt;
}

std::variant<Arguments, Message> with_requests(Arguments arguments, const std::vector<std::string>& words,
                                               const Options& options) {
    const std::string first = words.empty() ? std::string() : words.front();
    if (first == "rrset") {
        if (words.size() != 3) return wrong("wanted is: mxtrust rrset NAME TYPE");
        arguments.command = Command::rrset;
        arguments.requests = {named_request("rrset", words[1], words[2], options)};
    } else if (first == "explain") {
        if (words.size() != 2 && words.size() != 3)
            return wrong("wanted is: mxtrust explain DOMAIN, or mxtrust explain NAME TYPE");
        arguments.command = Command::explain;
        arguments.requests = {words.size() == 3 ? named_request("explain", words[1], words[2], options)
                                                : explain_request(words[1], options)};
    } else if (first == "status" || first == "failing" || first == "reload") {
        if (words.size() != 1) return wrong("wanted is: mxtrust " + first);
        arguments.command = first == "status"    ? Command::status
                            : first == "failing" ? Command::failing
                                                 : Command::reload;
        arguments.requests = {line(begin(first, {}))};
    } else if (first == "flush") {
        if (words.size() != 2) return wrong("wanted is: mxtrust flush NAME");
        arguments.command = Command::flush;
        Json json = begin("flush", {});
        json["name"] = words[1];
        arguments.requests = {line(json)};
    } else {
        if (words.empty()) return wrong("wanted is a domain or a command");
        for (const std::string& domain : words) arguments.requests.push_back(mail_request(domain, options));
    }
    if (auto message = out_of_place(options, arguments.command)) return *message;
    if (options.deadline) arguments.patience = std::chrono::milliseconds(*options.deadline) + beyond_deadline;
    return arguments;
}

}  // namespace

std::variant<Arguments, Message> parse_arguments(const std::vector<std::string>& words) {
    Arguments arguments;
    Options options;
    std::vector<std::string> others;
    for (std::size_t index = 0; index < words.size(); ++index) {
        const std::string& word = words[index];
        if (word == "--") {
            others.insert(others.end(), words.begin() + static_cast<std::ptrdiff_t>(index) + 1, words.end());
            break;
        }
        if (not_for_all.contains(word)) options.given.push_back(word);
        const bool takes_value = word == "--socket" || word == "--root" || word == "--port" || word == "--deadline";
        if (takes_value && index + 1 == words.size()) return wrong(word + " needs a value");
        if (word == "--help" || word == "-h") return Message{std::string(help), false};
        if (word == "--version") return Message{std::string("mxtrust ") + MXTRUST_VERSION + "\n", false};
        if (word == "--all") {
            arguments.whole = true;
        } else if (word == "--json") {
            arguments.output = Output::json;
        } else if (word == "--refresh") {
            options.refresh = true;
        } else if (word == "--socket") {
            arguments.socket = words[++index];
        } else if (word == "--root") {
            arguments.root = words[++index];
        } else if (takes_value) {
            const auto value = number(words[++index]);
            if (!value) return wrong(word + " needs a number, not \"" + dns::clean_text(words[index], 80) + "\"");
            (word == "--port" ? options.port : options.deadline) = value;
        } else if (word.size() > 1 && word.front() == '-') {
            return wrong("there is no option " + dns::clean_text(word, 80));
        } else {
            others.push_back(word);
        }
    }
    return with_requests(std::move(arguments), others, options);
}

}  // namespace mxtrust::client
