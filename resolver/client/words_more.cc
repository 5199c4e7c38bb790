// All other replies in words, and the pieces they share.
#include "client/words.h"

namespace mxtrust::client {
namespace {

const Json nothing = nullptr;

std::string list_words(const Json& list, const auto& one) {
    std::string all;
    if (!list.is_array()) return all;
    for (const Json& entry : list) all += (all.empty() ? "" : ", ") + one(entry);
    return all;
}

std::string plain_words(const Json& text) {
    return text.is_string() ? text.get<std::string>() : std::string();
}

/// A negative trust anchor or an exception: until when, why, and whether it is still needed.
void put_standing(Page& page, std::string_view head, std::string what, const Json& standing) {
    what += " until " + date_words(number_at(standing, "expires")) + " (" + text_at(standing, "reason") + ")";
    const std::string need = text_at(standing, "need");
    const std::string text = text_at(standing, "text");
    // The other needs are warnings, which say it all.
    if (need == "needed") what += "; still needed: " + text;
    if (need == "chosen" || need == "unknown") what += text.empty() ? "" : "; " + text;
    page.put(head, what, 4, Tone::fair);
}

void put_counters(Page& page, std::string_view head, const Json& counters) {
    std::string words;
    if (!counters.is_object()) return;
    for (const auto& [key, value] : counters.items()) {
        if (value.is_number())
            words += (words.empty() ? "" : ", ") + key + " " + std::to_string(value.get<std::int64_t>());
    }
    page.put("  " + std::string(head), words, 4);
}

std::string anchor_words(const Json& anchor) {
    return text_at(anchor, "zone") + " " + std::to_string(number_at(anchor, "key_tag")) + " " +
           text_at(anchor, "algorithm") + " " + text_at(anchor, "state") + " (" + text_at(anchor, "origin") + ")";
}

}  // namespace

const Json& member(const Json& json, const char* key) {
    if (!json.is_object()) return nothing;
    const auto found = json.find(key);
    return found == json.end() ? nothing : *found;
}

std::string text_at(const Json& json, const char* key) {
    return plain_words(member(json, key));
}

std::int64_t number_at(const Json& json, const char* key) {
    const Json& value = member(json, key);
    return value.is_number() ? value.get<std::int64_t>() : 0;
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

void put_status(Page& page, const Json& reply) {
    page.put("mxtrustd " + text_at(reply, "release") + ":", text_at(reply, "health"), 4,
             text_at(reply, "health") == "good" ? Tone::good : Tone::fair);
    page.put("  up",
             span_words(number_at(reply, "uptime")) + ", " + std::to_string(number_at(reply, "workers")) +
                 " workers, listening on " + list_words(member(reply, "sockets"), plain_words),
             4);
    const Json& clock = member(reply, "clock");
    const std::string doubt = text_at(clock, "text");
    page.put(
        "  clock",
        date_words(number_at(reply, "time")) + ", " + text_at(clock, "state") + (doubt.empty() ? "" : ": " + doubt), 4);
    page.put("  trust anchors", list_words(member(reply, "trust_anchors"), anchor_words), 4);
    const Json& probe = member(reply, "root_probe");
    page.put("  root", probe.is_null() ? std::string("not asked yet") : status_words(probe, 0), 4);
    const Json& negative = member(reply, "negative_trust_anchors");
    if (negative.is_array()) {
        for (const Json& anchor : negative) put_standing(page, "  not validated:", text_at(anchor, "zone"), anchor);
    }
    const Json& exceptions = member(reply, "exceptions");
    if (exceptions.is_array()) {
        for (const Json& entry : exceptions) {
            const std::string host = text_at(entry, "host");
            std::string what = host.empty() ? "mail to " + text_at(entry, "domain") : "host " + host;
            if (member(entry, "subdomains") == true) what += " and below";
            put_standing(page, "  exception:", what + ", " + text_at(entry, "action"), entry);
        }
    }
    const Json& warnings = member(reply, "warnings");
    if (warnings.is_array()) {
        for (const Json& warning : warnings) page.put("  warning:", plain_words(warning), 4, Tone::fair);
    }
    for (const char* group : {"cache", "resolver", "mail", "doors"}) put_counters(page, group, member(reply, group));
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
            put_status(page, reply);
            break;
        case Command::failing:
            put_failing(page, reply);
            break;
        case Command::flush:
            put_flushed(page, reply);
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
    if (command == Command::explain) return explains_trouble(reply) ? defer : deliver;
    if (command != Command::rrset) return deliver;
    const std::string what = condition(reply);
    return what == "bogus" || what == "failed" ? defer : deliver;
}

}  // namespace mxtrust::client
