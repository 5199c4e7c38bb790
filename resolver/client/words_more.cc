// All other replies in words, and the pieces they share.
#include "client/words.h"

#include <algorithm>

namespace mxtrust::client {
namespace {

const Json nothing = nullptr;

/// What every reader of JSON understands alike (RFC 8259 6). Of such, no difference and no sum of two overflows.
constexpr std::int64_t most_number = (std::int64_t{1} << 53U) - 1;

}  // namespace

const Json& member(const Json& json, const char* key) {
    if (!json.is_object()) return nothing;
    const auto found = json.find(key);
    return found == json.end() ? nothing : *found;
}

std::string plain_words(const Json& text) {
    return text.is_string() ? text.get<std::string>() : std::string();
}

std::string text_at(const Json& json, const char* key) {
    return plain_words(member(json, key));
}

std::int64_t plain_number(const Json& number) {
    if (number.is_number_unsigned()) {
        const auto most = static_cast<std::uint64_t>(most_number);
        return static_cast<std::int64_t>(std::min(number.get<std::uint64_t>(), most));
    }
    if (number.is_number_float()) {
        constexpr auto most = static_cast<double>(most_number);
        return static_cast<std::int64_t>(std::clamp(number.get<double>(), -most, most));
    }
    return number.is_number() ? std::clamp(number.get<std::int64_t>(), -most_number, most_number) : 0;
}

std::int64_t number_at(const Json& json, const char* key) {
    return plain_number(member(json, key));
}

std::string condition(const Json& status) {
    if (status.is_null()) return "not asked";
    const std::string security = text_at(status, "security");
    const std::string outcome = text_at(status, "outcome");
    if (security == "bogus") return "bogus";
    if (security == "indeterminate" || outcome == "failure") return "failed";
    if (outcome == "nodata" || outcome == "nxdomain") return "none";
    return security == "insecure" ? "not signed" : security;
}

Tone tone_of(const Json& status) {
    const std::string what = condition(status);
    if (what == "bogus" || what == "failed") return Tone::bad;
    return text_at(status, "security") == "secure" ? Tone::good : Tone::fair;
}

std::string status_words(const Json& status, std::int64_t now) {
    const std::string outcome = text_at(status, "outcome");
    std::string words = condition(status);
    if (words == "none") {
        words = outcome == "nxdomain" ? "no such name" : "none there";
        words += text_at(status, "security") == "secure" ? " (proven)" : " (not signed)";
    }
    const std::string signer = text_at(status, "signer");
    if (!signer.empty()) words += ", signed by " + signer;
    const std::int64_t expires = number_at(status, "expires");
    if (outcome == "records" && expires > now && now > 0) words += ", good for " + span_words(expires - now);
    const std::string reason = text_at(status, "reason");
    if (!reason.empty()) words += ": " + reason;
    return words;
}

void put_rrset(Page& page, const Json& reply) {
    page.put(text_at(reply, "name") + " " + text_at(reply, "type"), "", 0, Tone::strong);
    const Json& alias = member(reply, "alias");
    if (alias.is_object())
        page.put("  alias", list_words(member(alias, "chain"), plain_words) + " (" + text_at(alias, "security") + ")",
                 4);
    page.put("  ", status_words(reply, number_at(reply, "time")), 4, tone_of(reply));
    const Json& records = member(reply, "records");
    if (!records.is_array()) return;
    for (const Json& record : records) page.put("    ", plain_words(record), 6);
}

void put_failing(Page& page, const Json& reply) {
    const Json& domains = member(reply, "failing");
    if (!domains.is_array() || domains.empty()) {
        page.put("no mail domain is failing", "", 0, Tone::good);
        return;
    }
    const std::int64_t now = number_at(reply, "time");
    for (const Json& domain : domains) {
        page.put(text_at(domain, "domain"), "", 0, Tone::bad);
        page.put("  ",
                 "since " + span_words(now - number_at(domain, "since")) + ", tried " +
                     std::to_string(number_at(domain, "tries")) +
                     (number_at(domain, "tries") == 1 ? " time, next in " : " times, next in ") +
                     span_words(number_at(domain, "next") - now),
                 4);
        const std::string code = text_at(domain, "code");
        page.put("  ", (code.empty() ? "" : code + ": ") + text_at(domain, "text"), 4);
    }
}

void put_flushed(Page& page, const Json& reply) {
    page.put(std::to_string(number_at(reply, "flushed")) + " entries at " +
                 (member(reply, "subtree") == true ? "and below " : "") + text_at(reply, "name") + " are forgotten",
             "", 0);
}

void put_reload(Page& page, const Json& reply) {
    const bool accepted = member(reply, "accepted") == true;
    const Json& restart = member(reply, "restart");
    const bool whole = accepted && (!restart.is_array() || restart.empty());
    page.put(accepted ? "reloaded:" : "not reloaded:", text_at(reply, "text"), 4,
             whole      ? Tone::good
             : accepted ? Tone::fair
                        : Tone::bad);
}

std::string words_of(Command command, const Json& reply, Colour colour) {
    Page page(colour);
    switch (command) {
        case Command::mail:
            put_mail(page, reply);
            break;
        case Command::rrset:
            put_rrset(page, reply);
            break;
        case Command::explain:
            put_explanation(page, reply);
            break;
        case Command::status:
            put_status(page, reply, Detail::glance);
            break;
        case Command::failing:
            put_failing(page, reply);
            break;
        case Command::flush:
            put_flushed(page, reply);
            break;
        case Command::reload:
            put_reload(page, reply);
            break;
    }
    return page.text();
}

ExitStatus status_of(Command command, const Json& reply) {
    const Json& error = member(reply, "error");
    if (!error.is_null()) {
        const std::string code = text_at(error, "code");
        return code == "bad-request" ? wrong_usage : code == "forbidden" ? defer : unavailable;
    }
    if (command == Command::mail) {
        const std::string action = text_at(member(reply, "decision"), "action");
        return action == "deliver" ? deliver : action == "bounce" ? bounce : defer;
    }
    if (command == Command::reload) return member(reply, "accepted") == true ? deliver : defer;
    if (command == Command::explain) return explains_trouble(reply) ? defer : deliver;
    if (command != Command::rrset) return deliver;
    const std::string what = condition(reply);
    return what == "bogus" || what == "failed" ? defer : deliver;
}

}  // namespace mxtrust::client
