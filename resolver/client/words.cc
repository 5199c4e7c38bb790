// The mail answer in words: one line per host, the reason under each that is not as one would wish, the decision last.
#include "client/words.h"

#include <algorithm>

namespace mxtrust::client {
namespace {

/// Longer host names have a line to themselves.
constexpr std::size_t widest_name = 36;
/// Where a host's name begins, and what is told of it.
constexpr std::size_t indent = 8;

std::string padded(std::string text, std::size_t width) {
    const std::size_t used = columns(text);
    if (used < width) text.append(width - used, ' ');
    return text;
}

std::string action_words(const std::string& action) {
    if (action == "dane") return "DANE";
    if (action == "encrypt") return "TLS only";
    if (action == "sts") return "MTA-STS";
    if (action == "may") return "no DANE";
    return action;
}

Tone action_tone(const std::string& action) {
    if (action == "dane" || action == "sts") return Tone::good;
    if (action == "skip" || action == "unreachable" || action == "bounce" || action == "defer") return Tone::bad;
    return Tone::fair;
}

/// A delivery is as good as its level.
Tone decision_tone(const Json& decision) {
    const std::string level = text_at(decision, "level");
    return action_tone(level.empty() ? text_at(decision, "action") : level);
}

std::string addresses_words(const Json& host) {
    const Json& four = member(host, "a");
    const Json& six = member(host, "aaaa");
    if (four.is_null() && six.is_null()) return "addresses not asked";
    if (condition(four) == condition(six)) return "addresses " + condition(four);
    return "A " + condition(four) + ", AAAA " + condition(six);
}

/// The kinds of TLSA records that count, each once: "3 1 1, 2 1 1"; where none does, of all.
std::string kinds_words(const Json& records) {
    constexpr std::size_t most = 3;  // a line is to be read
    std::vector<std::string> kinds;
    if (!records.is_array()) return {};
    const bool any = std::any_of(records.begin(), records.end(),
                                 [](const Json& record) { return member(record, "counts") == true; });
    for (const Json& record : records) {
        if (any && member(record, "counts") != true) continue;
        std::string kind = std::to_string(number_at(record, "usage")) + " " +
                           std::to_string(number_at(record, "selector")) + " " +
                           std::to_string(number_at(record, "matching"));
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(std::move(kind));
    }
    std::string words;
    for (std::size_t index = 0; index < kinds.size() && index < most; ++index)
        words += (words.empty() ? "" : ", ") + kinds[index];
    return kinds.size() > most ? words + " …" : words;
}

std::string tlsa_words(const Json& host) {
    const Json& tlsa = member(host, "tlsa");
    const std::string kinds = kinds_words(member(tlsa, "records"));
    const bool unusable = text_at(member(host, "policy"), "action") == "encrypt";
    return "TLSA " + (unusable ? std::string("unusable") : condition(tlsa)) +
           (kinds.empty() ? "" : unbroken(" (" + kinds + ")"));
}

/// What is peculiar about a host and is not told by its policy.
std::string peculiar_words(const Json& host) {
    std::string words;
    auto add = [&words](const std::string& more) { words += (words.empty() ? "" : "; ") + more; };
    const Json& alias = member(host, "alias");
    if (alias.is_object()) {
        const std::string expanded = text_at(alias, "expanded");
        const std::string base = text_at(member(host, "tlsa"), "base");
        const bool counts = text_at(member(host, "policy"), "action") == "dane";
        add("alias of " + expanded + (counts ? ", certified as " + base : ""));
    }
    const Json& flags = member(host, "flags");
    if (!flags.is_array()) return words;
    for (const Json& flag : flags) {
        if (flag == "implicit-mx") add("there are no MX records: the domain is its own host");
        if (flag == "duplicate") add("MX names it more than once");
        if (flag == "underscore") add("no host name by the rules, for its underscore");
    }
    return words;
}

struct Columns {
    std::size_t name = 0, action = 0;
};

/// As wide as what stands in them.
Columns columns_of(const Json& hosts) {
    Columns widths;
    for (const Json& host : hosts) {
        const std::size_t name = columns(text_at(host, "name"));
        if (name <= widest_name) widths.name = std::max(widths.name, name);
        const std::string action = action_words(text_at(member(host, "policy"), "action"));
        widths.action = std::max(widths.action, columns(action));
    }
    return widths;
}

void put_host_line(Page& page, const Json& host, const Columns& widths) {
    const Json& preference = member(host, "preference");
    std::string number = preference.is_number() ? std::to_string(plain_number(preference)) : std::string("-");
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
    const std::string action = text_at(member(host, "policy"), "action"), name = text_at(host, "name");
    const Piece what{padded(action_words(action), widths.action + 2), action_tone(action)};
    const std::string facts = addresses_words(host) + ", " + tlsa_words(host);
    if (columns(name) <= widest_name) {
        page.put({Piece{"  " + number + " " + padded(name, widths.name) + "  "}, what}, facts, indent);
        return;
    }
    page.put("  " + number + " " + name, "", indent);
    page.put({Piece{std::string(indent + widths.name + 2, ' ')}, what}, facts, indent);
}

void put_host(Page& page, const Json& host, const Columns& widths, const std::string& told) {
    put_host_line(page, host, widths);
    const std::string space(indent, ' ');
    const std::string peculiar = peculiar_words(host);
    if (!peculiar.empty()) page.put(space, "(" + peculiar + ")", indent);
    const Json& policy = member(host, "policy");
    const std::string text = text_at(policy, "text"), code = text_at(policy, "code");
    // What DANE demands goes without saying, and what the decision repeats is told there.
    if (text_at(policy, "action") == "dane" || told.find(text) != std::string::npos) return;
    page.put(space, (code.empty() ? "" : code + ": ") + text, indent);
}

/// A reason that the decision repeats is told there only.
void put_mx(Page& page, Json mx, const Json& reply) {
    if (mx.is_null()) return page.put("  MX not asked", "", 5);
    const std::string reason = text_at(mx, "reason");
    if (text_at(member(reply, "decision"), "text").find(reason) != std::string::npos) mx["reason"] = nullptr;
    const std::string words = status_words(mx, number_at(reply, "time"));
    const std::size_t first = std::min(words.find_first_of(",:"), words.size());
    page.put({Piece{"  MX "}, Piece{words.substr(0, first), tone_of(mx)}, Piece{words.substr(first, 1)}},
             std::string_view(words).substr(std::min(first + 1, words.size())), 5);
    const Json& alias = member(mx, "alias");
    if (alias.is_array() && !alias.empty() && alias.back().is_string())
        page.put("     ", "(the domain is an alias of " + alias.back().get<std::string>() + ")", 5);
}

/// The policy in a line: where there is one, where there should be one, and why there is none.
void put_sts(Page& page, const Json& reply) {
    const Json& sts = member(reply, "sts");
    const std::string mode = text_at(sts, "mode"), error = text_at(member(sts, "error"), "text");
    if (mode.empty() && error.empty()) return;
    std::string words;
    if (!mode.empty()) {
        const std::int64_t left = number_at(sts, "expires") - number_at(reply, "time");
        words = text_at(sts, "id") + ", for " + unbroken(span_words(left)) + " more";
        const Json& patterns = member(sts, "mx");
        for (std::size_t index = 0; patterns.is_array() && index < patterns.size() && index < 5; ++index)
            words += (index == 0 ? ": " : ", ") + plain_words(patterns[index]);
        if (mode == "testing") words += "; it is being tested, and not enforced";
    }
    if (!error.empty()) words += (words.empty() ? "" : "; ") + error;
    const Tone tone = !mode.empty() && error.empty() ? Tone::good : Tone::fair;
    page.put({Piece{"  MTA-STS "}, Piece{mode.empty() ? "no policy" : mode, tone}, Piece{mode.empty() ? ":" : ","}},
             words, 5);
}

void put_decision(Page& page, const Json& decision) {
    const std::string action = text_at(decision, "action");
    const std::string code = text_at(decision, "code");
    std::string text = sentence(text_at(decision, "text"));
    const Json& retry = member(decision, "retry_after");
    if (retry.is_number()) text += " Look again in " + unbroken(span_words(plain_number(retry))) + ".";
    page.put({Piece{"  "}, Piece{action + (code.empty() ? "" : ", " + code) + ":", decision_tone(decision)}}, text, 4);
}

/// "example.org  (Example.ORG)", with the port where it is not the usual one and not in the name.
std::string title(const Json& reply) {
    constexpr std::int64_t smtp = 25;
    const std::string domain = text_at(reply, "domain"), asked = text_at(reply, "asked");
    std::string words = domain;
    const std::int64_t port = member(reply, "port").is_number() ? number_at(reply, "port") : smtp;
    const std::string number = std::to_string(port);
    if (port != smtp && !domain.ends_with(":" + number)) words += ", port " + number;
    return words + (asked.empty() || asked == domain ? "" : "  (" + asked + ")");
}

}  // namespace

void put_mail(Page& page, const Json& reply) {
    page.put(title(reply), "", 0, Tone::strong);
    const bool has_mx = reply.is_object() && reply.contains("mx");
    if (has_mx && (reply["mx"].is_object() || reply["mx"].is_null())) put_mx(page, reply["mx"], reply);
    const Json& hosts = member(reply, "hosts");
    if (hosts.is_array()) {
        const std::string told = text_at(member(reply, "decision"), "text");
        const Columns widths = columns_of(hosts);
        for (const Json& host : hosts) put_host(page, host, widths, told);
    }
    put_sts(page, reply);
    put_decision(page, member(reply, "decision"));
}

}  // namespace mxtrust::client
