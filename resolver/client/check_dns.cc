// What the daemon's answers say of the domain, its MX records, and each host's addresses and TLSA records. The daemon
// has judged all of it already; here are words.
#include <algorithm>

#include "client/check.h"

namespace mxtrust::client {
namespace {

/// Such TTLs make a change of keys or hosts a matter of days. The daemon keeps, and tells, no more than a day.
constexpr std::int64_t long_ttl = 86400;

/// The explanation of one look-up of a host; null where there is none.
const Json& explanation(const Report& report, const std::string& host, const char* what) {
    const Json& hosts = member(report.explain, "hosts");
    static const Json none;
    if (!hosts.is_array()) return none;
    for (const Json& one : hosts)
        if (text_at(one, "name") == host) return member(one, what);
    return none;
}

std::string chain_words(const Json& lookup) {
    std::string words;
    const Json& chain = member(lookup, "chain");
    if (!chain.is_array()) return words;
    for (const Json& step : chain) words += (words.empty() ? "" : " > ") + text_at(step, "zone");
    return words;
}

std::string tags(const Json& list) {
    std::string words;
    if (!list.is_array()) return words;
    for (const Json& one : list) words += (words.empty() ? "" : ", ") + std::to_string(number_at(one, "key_tag"));
    return words;
}

/// Which tags are where, and how long signatures hold: for whoever compares with the registrar's form.
std::vector<std::string> chain_details(const Json& lookup) {
    std::vector<std::string> lines;
    const Json& chain = member(lookup, "chain");
    if (!chain.is_array()) return lines;
    for (const Json& step : chain) {
        std::string line = text_at(step, "zone") + ": " + text_at(step, "security");
        const std::string ds = tags(member(step, "ds")), keys = tags(member(step, "keys"));
        if (!ds.empty()) line += "; DS names key " + ds;
        if (!keys.empty()) line += "; DNSKEY has " + keys;
        std::string until;
        const Json& signatures = member(step, "signatures");
        for (const Json& one : signatures.is_array() ? signatures : Json::array())
            until += (until.empty() ? "; keys signed by " : ", ") + std::to_string(number_at(one, "key_tag")) +
                     " until " + date_words(number_at(one, "expiration"));
        lines.push_back(line + until);
    }
    return lines;
}

std::string reason_of(const Json& status) {
    const std::string reason = text_at(status, "reason");
    return reason.empty() ? "the look-up ended with " + text_at(status, "rcode") : reason;
}

/// The remedy that the daemon knows, from the look-up or from the zone of its chain that is at fault.
void take_remedy(Test& test, const Json& lookup) {
    const Json* remedy = &member(lookup, "remedy");
    const Json& chain = member(lookup, "chain");
    if (!remedy->is_object() && chain.is_array())
        for (const Json& step : chain)
            if (member(step, "remedy").is_object()) remedy = &member(step, "remedy");
    if (!remedy->is_object()) return;
    test.diagnosis = text_at(*remedy, "fault");
    if (!text_at(*remedy, "text").empty()) test.todo = text_at(*remedy, "text");
    const Json& culprit = member(lookup, "culprit");
    const std::int64_t when = number_at(culprit, "when");
    if (when > 0)
        test.details.push_back((test.diagnosis == "signature-not-yet-valid" ? "valid from " : "since ") +
                               date_words(when));
}

/// A look-up that is bogus or failed, as a test that fails.
Test broken(std::string_view name, std::string subject, const Json& status, const Json& lookup, const Report& report,
            std::string_view otherwise) {
    const bool bogus = text_at(status, "security") == "bogus";
    Test test = diagnosed(name, std::move(subject), bogus ? "dnssec-broken" : otherwise, reason_of(status), report);
    test.code = bogus ? "4.7.324 dnssec-invalid" : "4.4.312 DNS query failed";
    test.tlsrpt = bogus ? "dnssec-invalid" : "validation-failure";
    test.details = chain_details(lookup);
    if (bogus) take_remedy(test, lookup);
    return test;
}

/// The operator's words in a part of the answer: negative trust anchors, and of hosts exceptions, too.
std::vector<std::string> operators_words(const Json& part) {
    std::vector<std::string> found;
    const Json& words = member(part, "operator");
    for (const Json& word : words.is_array() ? words : Json::array()) found.push_back(text_at(word, "text"));
    return found;
}

void note_operator(const std::vector<std::string>& words, std::string_view name, const std::string& subject,
                   const Report& report, const Note& note) {
    for (const std::string& word : words) note(diagnosed(name, subject, "operators-word", word, report));
}

void add_new(std::vector<std::string>& words, const std::vector<std::string>& more) {
    for (const std::string& word : more)
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

std::vector<std::string> without(std::vector<std::string> words, const std::vector<std::string>& others) {
    std::erase_if(words, [&others](const std::string& word) {
        return std::find(others.begin(), others.end(), word) != others.end();
    });
    return words;
}

/// What the operator says of a host's addresses; what else he says of the host is said of its TLSA records.
std::vector<std::string> words_on_addresses(const Json& host) {
    std::vector<std::string> words = operators_words(member(host, "a"));
    add_new(words, operators_words(member(host, "aaaa")));
    return words;
}

/// What neither MX nor a host rests on: an exception for the domain itself.
std::vector<std::string> words_on_domain(const Report& report) {
    std::vector<std::string> words = without(operators_words(report.mail), operators_words(member(report.mail, "mx")));
    const Json& hosts = member(report.mail, "hosts");
    for (const Json& host : hosts.is_array() ? hosts : Json::array()) words = without(words, operators_words(host));
    return words;
}

/// Is it insecure because the operator says so? Then nobody here knows whether it is signed.
bool is_set_aside(const Json& status) {
    return text_at(status, "security") == "insecure" && !operators_words(status).empty();
}

void note_ttl(const Json& status, std::string_view name, const std::string& subject, const std::string& what,
              const Report& report, const Note& note) {
    const std::int64_t ttl = number_at(status, "ttl");
    if (ttl >= long_ttl)
        note(
            diagnosed(name, subject, "ttl-long", "the TTL of " + what + " is " + span_words(ttl) + " or more", report));
}

bool failed(const Json& status) {
    return text_at(status, "outcome") == "failure";
}

std::string preference_of(const Json& host) {
    return std::to_string(number_at(host, "preference"));
}

void note_flags(const Report& report, const Json& host, const Note& note) {
    const std::string name = text_at(host, "name");
    const Json& flags = member(host, "flags");
    if (!flags.is_array()) return;
    for (const Json& flag : flags) {
        if (flag == "malformed-null-mx")
            note(diagnosed("mx", report.domain, "null-mx-beside-others",
                           "MX " + preference_of(host) + " . stands beside other hosts", report));
        if (flag == "invalid-name" || flag == "address-literal")
            note(diagnosed("mx", report.domain, "mx-invalid-host",
                           "MX " + preference_of(host) + " names \"" + name + "\", which is no host name", report));
        if (flag == "duplicate")
            note(diagnosed("mx", report.domain, "mx-duplicate", "MX names " + name + " more than once", report));
    }
}

std::string host_list(const Report& report) {
    std::string words;
    const Json& hosts = member(report.mail, "hosts");
    for (const Json& host : hosts.is_array() ? hosts : Json::array())
        words += (words.empty() ? "" : ", ") + text_at(host, "name") + " (" + preference_of(host) + ")";
    return words;
}

/// "3 1 1 9f86d081…"
std::string record_words(const Json& record) {
    const std::string data = text_at(record, "data");
    return std::to_string(number_at(record, "usage")) + " " + std::to_string(number_at(record, "selector")) + " " +
           std::to_string(number_at(record, "matching")) + " " + data.substr(0, 16) + (data.size() > 16 ? "…" : "");
}

}  // namespace

void test_dnssec(const Report& report, const Note& note) {
    const Json& mx = member(report.mail, "mx");
    if (mx.is_null()) {
        note(not_tested("dnssec", report.domain, "the host is given: MX is not asked"));
        return;
    }
    const std::string security = text_at(mx, "security");
    if (security == "secure") {
        Test test = passed("dnssec", report.domain, "the chain of trust holds: " + chain_words(report.explain));
        test.details = chain_details(report.explain);
        note(std::move(test));
    } else if (is_set_aside(mx)) {
        // The operator's word, below, is all that is to say.
    } else if (security == "insecure") {
        const std::string reason = text_at(mx, "reason");
        Test test = diagnosed("dnssec", report.domain, "domain-unsigned",
                              reason.empty() ? "the domain is proven to be without DNSSEC" : reason, report);
        test.details = chain_details(report.explain);
        note(std::move(test));
    } else {
        note(broken("dnssec", report.domain, mx, report.explain, report, "dns-failure"));
    }
    note_operator(operators_words(mx), "dnssec", report.domain, report, note);
}

void test_mx(const Report& report, const Note& note) {
    const Json& mx = member(report.mail, "mx");
    note_operator(words_on_domain(report), "mx", report.domain, report, note);
    if (mx.is_null()) return;
    const Json& decision = member(report.mail, "decision");
    const std::string code = text_at(decision, "code"), outcome = text_at(mx, "outcome");
    if (failed(mx)) {
        note(not_tested("mx", report.domain, "the MX records are not known"));
        return;
    }
    auto coded = [&code](Test test) {
        test.code = code;
        return test;
    };
    if (outcome == "nxdomain") {
        note(coded(diagnosed("mx", report.domain, "domain-not-found", "there is no such name in the DNS", report)));
    } else if (code.starts_with("5.1.10")) {
        note(coded(diagnosed("mx", report.domain, "null-mx", "MX names no host but \".\" (RFC 7505)", report)));
    } else if (outcome == "nodata") {
        note(diagnosed("mx", report.domain, "mx-none", "there is no MX record", report));
    } else {
        note(passed("mx", report.domain, host_list(report)));
    }
    const Json& hosts = member(report.mail, "hosts");
    for (const Json& host : hosts.is_array() ? hosts : Json::array()) note_flags(report, host, note);
    if (code.starts_with("5.4.4"))
        note(coded(diagnosed("mx", report.domain, "no-usable-host", text_at(decision, "text"), report)));
    note_ttl(mx, "mx", report.domain, "MX", report, note);
}

void test_addresses(const Report& report, const Json& host, const Note& note) {
    const std::string name = text_at(host, "name");
    note_operator(words_on_addresses(host), "addresses", name, report, note);
    const Json &four = member(host, "a"), &six = member(host, "aaaa");
    if (four.is_null() && six.is_null()) {
        note(not_tested("addresses", name, text_at(member(host, "policy"), "text")));
        return;
    }
    std::string addresses;
    for (const Json* family : {&four, &six})
        for (const Json& one : member(*family, "records").is_array() ? member(*family, "records") : Json::array())
            addresses += (addresses.empty() ? "" : ", ") + (one.is_string() ? one.get<std::string>() : "");
    const std::string alias = text_at(member(host, "alias"), "expanded");
    if (!alias.empty()) addresses += ", as alias of " + alias;
    const bool has =
        number_at(four, "ttl") > 0 || text_at(four, "outcome") == "records" || text_at(six, "outcome") == "records";
    if (!has && (failed(four) || failed(six))) {
        const bool first = failed(four);
        note(broken("addresses", name, first ? four : six, explanation(report, name, first ? "a" : "aaaa"), report,
                    "addresses-failed"));
        return;
    }
    if (!has) {
        Test test = diagnosed("addresses", name, "address-missing", "it has neither A nor AAAA", report);
        note(std::move(test));
        return;
    }
    const bool secure = (text_at(four, "security") == "secure" && text_at(four, "outcome") == "records") ||
                        (text_at(six, "security") == "secure" && text_at(six, "outcome") == "records");
    if (secure) {
        note(passed("addresses", name, addresses + ", proven by DNSSEC"));
    } else if (!is_set_aside(four) && !is_set_aside(six)) {
        Test test = diagnosed("addresses", name, "host-zone-insecure", addresses + ", not signed", report);
        test.details = chain_details(explanation(report, name, text_at(four, "outcome") == "records" ? "a" : "aaaa"));
        note(std::move(test));
    }
    for (const bool is_four : {true, false}) {
        const Json& family = is_four ? four : six;
        if (!failed(family)) continue;
        Test test = diagnosed("addresses", name, "address-family-failed",
                              std::string(is_four ? "A: " : "AAAA: ") + reason_of(family), report);
        if (text_at(family, "security") == "bogus")
            take_remedy(test, explanation(report, name, is_four ? "a" : "aaaa"));
        test.diagnosis = "address-family-failed";
        note(std::move(test));
    }
    note_ttl(four, "addresses", name, "A", report, note);
    note_ttl(six, "addresses", name, "AAAA", report, note);
}

void test_tlsa(const Report& report, const Json& host, const Note& note) {
    const std::string name = text_at(host, "name");
    const Json &tlsa = member(host, "tlsa"), &policy = member(host, "policy");
    note_operator(without(operators_words(host), words_on_addresses(host)), "tlsa", name, report, note);
    if (tlsa.is_null()) {
        note(not_tested("tlsa", name, text_at(policy, "text")));
        return;
    }
    const std::string security = text_at(tlsa, "security"), outcome = text_at(tlsa, "outcome");
    if (failed(tlsa)) {
        Test test = broken("tlsa", name, tlsa, explanation(report, name, "tlsa"), report, "tlsa-lookup-failed");
        // RFC 7672 2.1.1, and what Exchange Online makes of it: a TLSA look-up that fails is dnssec-invalid, too.
        test.code = "4.7.324 dnssec-invalid";
        test.tlsrpt = "dnssec-invalid";
        note(std::move(test));
        return;
    }
    const std::string where = text_at(tlsa, "name");
    if (is_set_aside(tlsa)) return;
    if (outcome != "records" || security != "secure") {
        note(diagnosed("tlsa", name, "tlsa-missing",
                       outcome == "records" ? "TLSA at " + where + " is not signed, and proves nothing"
                                            : "there are no TLSA records at " + where,
                       report));
        return;
    }
    const Json& records = member(tlsa, "records");
    std::size_t counting = 0;
    std::vector<std::string> lines;
    for (const Json& record : records.is_array() ? records : Json::array()) {
        const bool counts = member(record, "counts") == true;
        counting += counts ? 1 : 0;
        lines.push_back(record_words(record) + (counts ? "" : ": " + text_at(record, "why")));
    }
    Test test = counting == 0
                    ? diagnosed("tlsa", name, "tlsa-none-usable", "no TLSA record at " + where + " can be used", report)
                    : passed("tlsa", name,
                             std::to_string(counting) + (counting == 1 ? " record at " : " records at ") + where +
                                 ", proven by DNSSEC");
    test.details = std::move(lines);
    note(std::move(test));
    for (const Json& record : records.is_array() ? records : Json::array()) {
        if (member(record, "counts") == true) continue;
        const bool superseded = member(record, "usable") == true;
        note(diagnosed("tlsa", name, superseded ? "tlsa-superseded" : "tlsa-unusable",
                       record_words(record) + ": " + text_at(record, "why"), report));
    }
    note_ttl(tlsa, "tlsa", name, "TLSA", report, note);
}

}  // namespace mxtrust::client
