// The daemon's status: one screen for whoever wants to know whether it is well, and all of it.
#include <algorithm>

#include "client/words.h"

namespace mxtrust::client {
namespace {

/// A terminal has 24 lines; what the doctor finds has to have room, too.
constexpr std::size_t most_warnings_told = 2;
constexpr std::size_t most_failing_told = 3;
constexpr std::size_t most_anchors_told = 5;
constexpr std::size_t most_forwarders_told = 4;
constexpr std::size_t most_letters_of_warning = 100;  // two lines

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
        if (value.is_number()) words += (words.empty() ? "" : ", ") + key + " " + std::to_string(plain_number(value));
    }
    page.put("  " + std::string(head), words, 4);
}

std::string anchor_words(const Json& anchor) {
    return text_at(anchor, "zone") + " " + std::to_string(number_at(anchor, "key_tag")) + " " +
           text_at(anchor, "algorithm") + " " + text_at(anchor, "state") + " (" + text_at(anchor, "origin") + ")";
}

std::string size_words(std::int64_t octets) {
    if (octets < 10 * 1024) return std::to_string(octets) + " octets";
    if (octets < 10 * 1024 * 1024) return std::to_string(octets / 1024) + " KiB";
    return std::to_string(octets / 1024 / 1024) + " MiB";
}

/// All of it, for whoever looks for something.
void put_whole(Page& page, const Json& reply) {
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
    const Json& memory = member(reply, "memory");
    if (!text_at(memory, "limit").empty()) {
        page.put("  memory",
                 text_at(memory, "state") + ": " + size_words(number_at(memory, "used")) + " of " +
                     size_words(number_at(memory, "most")) + ", " + text_at(memory, "limit"),
                 4, text_at(memory, "state") == "short" ? Tone::fair : Tone::plain);
    }
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

std::string age_words(const Json& reply, std::int64_t when) {
    return span_words(number_at(reply, "time") - when) + " ago";
}

/// "12 answered, 3 put off"; what is zero is left out.
std::string count_words(const Json& counters, std::initializer_list<std::pair<const char*, const char*>> kinds) {
    std::string words;
    for (const auto& [key, word] : kinds) {
        const std::int64_t count = number_at(counters, key);
        if (count > 0) words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + word;
    }
    return words;
}

std::string shortened(const std::string& text) {
    if (columns(text) <= most_letters_of_warning) return text;
    std::size_t end = text.rfind(' ', most_letters_of_warning);
    if (end == std::string::npos) end = most_letters_of_warning;
    return text.substr(0, end) + " …";
}

/// Will it be there after a restart? Nothing where it will.
std::string keeping_words(const std::string& keeping) {
    if (keeping == "not-written") return "its file cannot be written, as on a full disk: what is new is in memory only";
    if (keeping == "memory") return "in memory only: there is no file";
    return keeping == "checking" ? "the file of the last run is being looked over" : "";
}

void put_head(Page& page, const Json& reply) {
    const std::string health = text_at(reply, "health");
    const Json& clock = member(reply, "clock");
    const Json& probe = member(reply, "root_probe");
    std::string words = "health unknown";
    Tone tone = Tone::bad;
    if (health == "good") {
        words = "is well";
        tone = Tone::good;
    } else if (health == "starting") {
        words = "is starting: the root was not looked at yet";
        tone = Tone::fair;
    } else if (health == "clock-wrong") {
        words = "is not well: " + text_at(clock, "text");
    } else if (health == "root-not-secure") {
        words = "is not well: the root cannot be proven";
        const std::string reason = text_at(probe, "reason");
        if (!reason.empty()) words += ": " + shortened(reason);
    } else if (!health.empty()) {
        words = health;
    }
    page.put("mxtrustd " + text_at(reply, "release"), words, 4, tone);
    page.put("  up",
             span_words(number_at(reply, "uptime")) + ", since " + date_words(number_at(reply, "started")) + "; now " +
                 date_words(number_at(reply, "time")),
             4);
}

/// Who does the asking, and since when.
void put_resolution(Page& page, const Json& reply) {
    const Json& resolution = member(reply, "resolution");
    const std::string reason = text_at(resolution, "reason");
    std::string words = text_at(resolution, "by");
    if (words.empty()) return;
    const std::int64_t since = number_at(resolution, "since");
    if (since > 0) words += " since " + date_words(since);
    if (!reason.empty()) words += ": " + shortened(reason);
    page.put("  asks by", words, 4, reason.empty() ? Tone::plain : Tone::fair);
    const Json& forwarders = member(reply, "forwarders");
    if (!forwarders.is_array()) return;
    std::size_t told = 0;
    for (const Json& one : forwarders) {
        if (++told > most_forwarders_told) break;
        const std::string error = text_at(one, "last_error");
        const bool good = text_at(one, "state") == "good";
        page.put("  forwarder",
                 text_at(one, "address") + " " + text_at(one, "state") + ", DNSSEC " + text_at(one, "dnssec") +
                     (good || error.empty() ? "" : ": " + shortened(error)),
                 4, good ? Tone::plain : Tone::fair);
    }
}

void put_anchors(Page& page, const Json& reply) {
    const Json& anchors = member(reply, "trust_anchors");
    std::string words;
    std::size_t told = 0;
    if (anchors.is_array()) {
        for (const Json& anchor : anchors) {
            if (++told > most_anchors_told) break;
            words += (words.empty() ? "" : ", ") + text_at(anchor, "zone") + " " +
                     std::to_string(number_at(anchor, "key_tag")) + " " + text_at(anchor, "state");
        }
        if (anchors.size() > most_anchors_told)
            words += " and " + std::to_string(anchors.size() - most_anchors_told) + " more";
    }
    const std::int64_t last = number_at(member(reply, "anchor_state"), "last_authentic");
    if (last > 0 && !words.empty()) words += "; the keys were seen " + age_words(reply, last);
    page.put("  anchors", words.empty() ? "none: nothing can be secure" : words, 4,
             words.empty() ? Tone::bad : Tone::plain);
    const Json& probe = member(reply, "root_probe");
    if (probe.is_object())
        page.put("  root", text_at(probe, "security") + ", looked at " + age_words(reply, number_at(probe, "time")), 4,
                 tone_of(probe));
}

void put_work(Page& page, const Json& reply) {
    const Json& cache = member(reply, "cache");
    const std::int64_t hits = number_at(cache, "hits");
    const std::int64_t asked = hits + number_at(cache, "misses");
    std::string words =
        std::to_string(number_at(cache, "entries")) + " entries, " + size_words(number_at(cache, "octets"));
    if (asked > 0) words += "; " + std::to_string(hits * 100 / asked) + " % of look-ups were in it";
    const std::string lost = count_words(cache, {{"dropped", "could not be written"}});
    const std::string kept = keeping_words(text_at(cache, "keeping"));
    page.put("  cache", words + (lost.empty() ? "" : "; " + lost) + (kept.empty() ? "" : "; " + kept), 4,
             lost.empty() && kept.empty() ? Tone::plain : Tone::fair);
    const std::string mail = count_words(member(reply, "mail"),
                                         {{"deliver", "to deliver"}, {"defer", "to put off"}, {"bounce", "to refuse"}});
    page.put("  mail", mail.empty() ? "nobody asked yet" : mail, 4);
    const std::string looked = count_words(
        member(reply, "resolver"),
        {{"secure", "secure"}, {"insecure", "insecure"}, {"bogus", "bogus"}, {"indeterminate", "not found out"}});
    if (!looked.empty()) page.put("  look-ups", looked, 4);
}

void put_failures(Page& page, const Json& reply) {
    const Json& failing = member(reply, "failing");
    if (!failing.is_array()) return;
    if (failing.empty()) return page.put("  failing", "no mail domain", 4, Tone::good);
    std::size_t told = 0;
    for (const Json& domain : failing) {
        if (++told > most_failing_told) break;
        page.put("  failing",
                 text_at(domain, "domain") + ", " + age_words(reply, number_at(domain, "last")) + ": " +
                     (text_at(domain, "code").empty() ? shortened(text_at(domain, "text")) : text_at(domain, "code")),
                 4, Tone::fair);
    }
    if (failing.size() > most_failing_told) page.put("  failing", "and more: mxtrust failing", 4, Tone::fair);
}

/// What of the operator's own is in force, and what wants to be read.
void put_notes(Page& page, const Json& reply) {
    const auto count_of = [&reply](const char* list) {
        const Json& entries = member(reply, list);
        return entries.is_array() ? entries.size() : 0;
    };
    const std::size_t negative = count_of("negative_trust_anchors");
    const std::size_t exceptions = count_of("exceptions");
    if (negative + exceptions > 0) {
        page.put("  by you",
                 std::to_string(negative) + " negative trust anchors, " + std::to_string(exceptions) +
                     " exceptions: mxtrust status --all",
                 4, Tone::fair);
    }
    const Json& warnings = member(reply, "warnings");
    if (!warnings.is_array()) return;
    std::size_t told = 0;
    for (const Json& warning : warnings) {
        if (++told > most_warnings_told) break;
        page.put("  warning:", shortened(plain_words(warning)), 4, Tone::fair);
    }
    if (warnings.size() > most_warnings_told) {
        page.put(
            "  warning:", "and " + std::to_string(warnings.size() - most_warnings_told) + " more: mxtrust status --all",
            4, Tone::fair);
    }
}

}  // namespace

void put_status(Page& page, const Json& reply, Detail detail) {
    if (detail == Detail::whole) return put_whole(page, reply);
    put_head(page, reply);
    put_resolution(page, reply);
    put_anchors(page, reply);
    put_work(page, reply);
    put_failures(page, reply);
    put_notes(page, reply);
}

}  // namespace mxtrust::client
