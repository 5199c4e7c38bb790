// The mail answer in words: one line per host, the reason under each that is not as one would wish, the decision last.
#include "client/words.h"

#include <algorithm>

namespace mxtrust::client {
namespace {

/// Longer host names push their line's rest to the right.
constexpr std::size_t widest_name = 36;

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
    if (action == "dane" || action == "deliver") return Tone::good;
    if (action == "skip" || action == "unreachable" || action == "bounce") return Tone::bad;
    return Tone::fair;
}

std::string addresses_words(const Json& host) {
    const Json& four = member(host, "a");
    const Json& six = member(host, "aaaa");
    if (four.is_null() && six.is_null()) return "addresses not asked";
    if (condition(four) == condition(six)) return "addresses " + condition(four);
    return "A " + condition(four) + ", AAAA " + condition(six);
}

void put_host(Page& page, const Json& host, std::size_t name_width) {
    const Json& preference = member(host, "preference");
    std::string number = preference.is_number() ? std::to_string(preference.get<std::int64_t>()) : std::string("-");
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
    const Json& policy = member(host, "policy");
    const std::string action = text_at(policy, "action");
    const std::string facts = addresses_words(host) + ", TLSA " + condition(member(host, "tlsa"));
    page.put(
        "  " + number + " " + padded(text_at(host, "name"), name_width) + "  " + padded(action_words(action), 11) + " ",
        facts, 8, action_tone(action));
    const Json& flags = member(host, "flags");
    std::string peculiar;
    if (flags.is_array()) {
        for (const Json& flag : flags) {
            if (flag.is_string()) peculiar += (peculiar.empty() ? "" : ", ") + flag.get<std::string>();
        }
    }
    if (!peculiar.empty()) page.put("        ", "(" + peculiar + ")", 8, Tone::faint);
    if (action == "dane") return;
    const std::string code = text_at(policy, "code");
    page.put("        ", (code.empty() ? "" : code + ": ") + text_at(policy, "text"), 8);
}

/// A reason that the decision repeats is told there only.
void put_mx(Page& page, Json mx, const Json& reply) {
    const std::string reason = text_at(mx, "reason");
    if (text_at(member(reply, "decision"), "text").find(reason) != std::string::npos) mx["reason"] = nullptr;
    page.put("  MX", status_words(mx, number_at(reply, "time")), 5, tone_of(mx));
}

void put_decision(Page& page, const Json& decision) {
    const std::string action = text_at(decision, "action");
    const std::string code = text_at(decision, "code");
    std::string text = sentence(text_at(decision, "text"));
    const Json& retry = member(decision, "retry_after");
    if (retry.is_number()) text += " Look again in " + span_words(retry.get<std::int64_t>()) + ".";
    page.put("  " + action + (code.empty() ? "" : ", " + code) + ":", text, 4, action_tone(action));
}

}  // namespace

void put_mail(Page& page, const Json& reply) {
    const std::string domain = text_at(reply, "domain");
    const std::string asked = text_at(reply, "asked");
    page.put(domain + (asked.empty() || asked == domain ? "" : "  (" + asked + ")"), "", 0, Tone::strong);
    const Json& mx = member(reply, "mx");
    if (mx.is_object()) put_mx(page, mx, reply);
    const Json& hosts = member(reply, "hosts");
    if (hosts.is_array()) {
        std::size_t width = 0;
        for (const Json& host : hosts) width = std::max(width, columns(text_at(host, "name")));
        for (const Json& host : hosts) put_host(page, host, std::min(width, widest_name));
    }
    put_decision(page, member(reply, "decision"));
}

}  // namespace mxtrust::client
