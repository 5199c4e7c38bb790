// What the doctor says of the operator's own word: negative trust anchors and exceptions that have ended, are no longer
// needed, or end within a week. The daemon looks after them (route/recheck.h); here its findings become advice.
#include <array>

#include "client/doctor.h"
#include "client/words.h"

namespace mxtrust::client {
namespace {

/// So long before its end there is time to mend what it is there for, or to ask for more.
constexpr std::int64_t soon = std::int64_t{7} * 86400;

struct Word {
    std::string what;  ///< "The exception for host mx1.example.org (may, ticket 4711)"
    std::string key;   ///< where it stands in the configuration
};

Word word_of(const Json& entry) {
    Word word;
    const std::string zone = text_at(entry, "zone"), host = text_at(entry, "host");
    std::string details;
    if (!zone.empty()) {
        word.what = "The negative trust anchor for " + zone;
        word.key = "[dnssec] negative-trust-anchors";
    } else {
        word.what = "The exception for " + (host.empty() ? "mail to " + text_at(entry, "domain") : "host " + host);
        word.key = "[operator] exceptions";
        details = text_at(entry, "action");
    }
    const std::string reason = text_at(entry, "reason");
    if (!reason.empty()) details += (details.empty() ? "" : ": ") + reason;
    if (!details.empty()) word.what += " (" + details + ")";
    return word;
}

Finding make(Severity severity, std::string check, std::string seen, std::string why, std::string todo) {
    return {severity, std::move(check), std::move(seen), {}, 0, std::move(why), std::move(todo), {}};
}

Finding ended(const Word& word, std::int64_t expires) {
    return make(
        Severity::warning, "operators-word-ended", word.what + " ended at " + date_words(expires),
        "It has no effect any more: what it was there for is judged like everything else, and if that is still "
        "broken, mail waits.",
        "Take it out of " + word.key + " in /etc/mxtrust/mxtrust.toml, or give it a later end if it is needed.");
}

Finding not_needed(const Word& word, const std::string& text) {
    return make(
        Severity::warning, "operators-word-not-needed",
        word.what + " is no longer needed" + (text.empty() ? "" : ": " + text),
        "As long as it stands, an attack there goes through, and nobody sees it.",
        "Take it out of " + word.key +
            " in /etc/mxtrust/mxtrust.toml, and restart mxtrustd. If it is there because of a certificate, which is "
            "not looked at, see first that this fits.");
}

Finding ends_soon(const Word& word, const std::string& need, std::int64_t expires, const std::string& text) {
    // Who made things stricter for a time wanted an end to it.
    const bool chosen = need == "chosen";
    const bool needed = need == "needed";
    return make(chosen ? Severity::hint : Severity::warning, "operators-word-ends-soon",
                word.what + " ends at " + date_words(expires) +
                    (needed && !text.empty() ? ", and is still needed: " + text : ""),
                chosen ? "From then on mail goes as if it had never been there."
                       : "From then on mail to there waits, if what is broken has not been mended.",
                "Remind whoever is to mend it; if it must hold longer, give it a later end in " + word.key + ".");
}

void judge(std::vector<Finding>& findings, const Json& entry, std::int64_t now) {
    const std::int64_t expires = number_at(entry, "expires");
    const std::string need = text_at(entry, "need"), text = text_at(entry, "text");
    const Word word = word_of(entry);
    if (member(entry, "active") == false) {
        findings.push_back(ended(word, expires));
    } else if (need == "not-needed") {
        findings.push_back(not_needed(word, text));
    } else if (now > 0 && expires > 0 && expires - now <= soon) {
        findings.push_back(ends_soon(word, need, expires, text));
    }
}

}  // namespace

std::vector<Finding> judge_operator(const nlohmann::ordered_json& status) {
    std::vector<Finding> findings;
    const std::int64_t now = number_at(status, "time");
    for (const char* list : std::array{"negative_trust_anchors", "exceptions"}) {
        const Json& entries = member(status, list);
        if (!entries.is_array()) continue;
        for (const Json& entry : entries) judge(findings, entry, now);
    }
    return findings;
}

}  // namespace mxtrust::client
