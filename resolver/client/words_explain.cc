// An explanation in words: the zones from the anchor down, each once, then what was asked, why it is what it is, and
// what would mend it.
#include <set>

#include "client/words.h"

namespace mxtrust::client {
namespace {

std::string key_words(const Json& key) {
    std::string text = std::to_string(number_at(key, "key_tag")) + " " + text_at(key, "algorithm");
    if (member(key, "secure_entry_point") == true) text += " (entry point)";
    if (member(key, "revoked") == true) text += " (revoked)";
    return text;
}

std::string signature_words(const Json& signature) {
    return "by " + std::to_string(number_at(signature, "key_tag")) + ", " +
           date_words(number_at(signature, "inception")) + " to " + date_words(number_at(signature, "expiration"));
}

void put_list(Page& page, std::string_view head, const std::string& words) {
    if (!words.empty()) page.put("    " + std::string(head), words, 6);
}

/// "remedy, for the zone: Sign example.org again …"
void put_remedy(Page& page, std::string_view indent, const Json& told) {
    const Json& remedy = member(told, "remedy");
    const std::string text = text_at(remedy, "text");
    if (text.empty()) return;
    const std::string party = text_at(remedy, "party");
    std::string whose;
    if (party == "zone") whose = ", for the zone's operator";
    if (party == "parent") whose = ", for the zone's registrar";
    if (party == "us") whose = ", here";
    page.put(std::string(indent) + "remedy" + whose + ":", sentence(text), indent.size() + 2, Tone::strong);
}

void put_step(Page& page, const Json& step) {
    page.put(text_at(step, "zone") + " ", text_at(step, "security"), 4, tone_of(step));
    put_list(page, "DS", list_words(member(step, "ds"), key_words));
    put_list(page, "keys", list_words(member(step, "keys"), key_words));
    put_list(page, "signed", list_words(member(step, "signatures"), signature_words));
    put_list(page, "servers", list_words(member(step, "servers"), plain_words));
    put_list(page, "reason:", text_at(step, "reason"));
    put_remedy(page, "    ", step);
}

/// One look-up: the zones that no look-up before it has shown, then itself. A remedy that its zone told is not told
/// again.
void put_lookup(Page& page, const Json& lookup, std::set<std::string>& shown) {
    bool is_told = false;
    const Json& chain = member(lookup, "chain");
    if (chain.is_array()) {
        for (const Json& step : chain) {
            if (shown.insert(text_at(step, "zone")).second) put_step(page, step);
            is_told = is_told || member(step, "remedy") == member(lookup, "remedy");
        }
    }
    put_rrset(page, lookup);
    if (!is_told) put_remedy(page, "  ", lookup);
}

bool is_unwell(const Json& lookup) {
    const std::string what = condition(lookup);
    return what == "bogus" || what == "failed";
}

}  // namespace

void put_explanation(Page& page, const Json& reply) {
    std::set<std::string> shown;
    if (member(reply, "name").is_string()) put_lookup(page, reply, shown);
    const Json& hosts = member(reply, "hosts");
    if (hosts.is_array()) {
        for (const Json& host : hosts) {
            for (const char* what : {"a", "aaaa", "tlsa"}) {
                const Json& lookup = member(host, what);
                if (lookup.is_object()) put_lookup(page, lookup, shown);
            }
        }
    }
    const std::int64_t left_out = number_at(reply, "hosts_left_out");
    if (left_out > 0) page.put(std::to_string(left_out) + " more hosts are not explained", "", 0, Tone::faint);
}

bool explains_trouble(const Json& reply) {
    if (is_unwell(reply)) return true;
    const Json& hosts = member(reply, "hosts");
    if (!hosts.is_array()) return false;
    for (const Json& host : hosts) {
        for (const char* what : {"a", "aaaa", "tlsa"}) {
            const Json& lookup = member(host, what);
            if (lookup.is_object() && is_unwell(lookup)) return true;
        }
    }
    return false;
}

}  // namespace mxtrust::client
