// The host that is expected, the MTA-STS policy, the TLSRPT record: what is said of the domain beside its DNSSEC.
#include <algorithm>
#include <charconv>

#include "client/check.h"
#include "dns/name.h"
#include "mail/sts.h"
#include "mail/tlsrpt.h"

namespace mxtrust::client {
namespace {

const Json& hosts_of(const Report& report) {
    static const Json none = Json::array();
    const Json& hosts = member(report.mail, "hosts");
    return hosts.is_array() ? hosts : none;
}

/// An expected name that ends in a dot or is written in capitals is the same name.
std::string plain(std::string name) {
    for (char& octet : name) octet = octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
    if (name.size() > 1 && name.back() == '.') name.pop_back();
    return name;
}

bool has_secure_address(const Json& host) {
    for (const char* family : {"a", "aaaa"}) {
        const Json& status = member(host, family);
        if (text_at(status, "security") == "secure" && text_at(status, "outcome") == "records") return true;
    }
    return false;
}

bool has_address(const Json& host) {
    for (const char* family : {"a", "aaaa"})
        if (text_at(member(host, family), "outcome") == "records") return true;
    return false;
}

void compare_preferences(const Report& report, const Json& expected, const std::string& name, const Note& note) {
    const std::int64_t mine = number_at(expected, "preference");
    bool lowest = true;
    for (const Json& host : hosts_of(report)) {
        const std::string other = text_at(host, "name");
        if (other == name) continue;
        const std::int64_t theirs = number_at(host, "preference");
        lowest = lowest && theirs >= mine;
        const std::string seen =
            other + " has the preference " + std::to_string(theirs) + ", " + name + " has " + std::to_string(mine);
        const std::string_view diagnosis = theirs == mine  ? "other-mx-same-preference"
                                           : theirs < mine ? "other-mx-lower-preference"
                                                           : "other-mx-higher-preference";
        note(diagnosed("expected-mx", name, diagnosis, seen, report));
    }
    const std::string own = "its preference is " + std::to_string(mine);
    if (!lowest)
        note(
            diagnosed("expected-mx", name, "expected-mx-too-high", own + ", and another host has a lower one", report));
    else if (mine != 0)
        note(diagnosed("expected-mx", name, "expected-mx-preference", own, report));
    else
        note(passed("expected-mx", name, "it is the MX host, with preference 0"));
}

/// What a TXT record says: its character strings, joined (RFC 7208 3.3, which RFC 8460 3 follows).
std::string joined_strings(std::string_view text) {
    std::string result;
    bool inside = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"') {
            inside = !inside;
        } else if (text[at] == '\\' && at + 3 < text.size() && text[at + 1] >= '0' && text[at + 1] <= '9') {
            int value = 0;
            std::from_chars(text.data() + at + 1, text.data() + at + 4, value);
            result += static_cast<char>(value);
            at += 3;
        } else if (text[at] == '\\' && at + 1 < text.size()) {
            result += text[++at];
        } else if (inside || text[at] != ' ') {
            result += text[at];
        }
    }
    return result;
}

std::vector<std::string> texts_of(const Json& rrset) {
    std::vector<std::string> found;
    const Json& records = member(rrset, "records");
    for (const Json& record : records.is_array() ? records : Json::array())
        if (record.is_string()) found.push_back(joined_strings(record.get<std::string>()));
    return found;
}

bool policy_has(const Json& policy, const std::string& host) {
    std::vector<std::string> patterns;
    const Json& listed = member(policy, "mx");
    for (const Json& pattern : listed.is_array() ? listed : Json::array())
        if (pattern.is_string()) patterns.push_back(pattern.get<std::string>());
    const Result<dns::Name> name = dns::Name::from_text(host);
    return name && mail::matches_sts(*name, patterns);
}

std::string pattern_words(const Json& policy) {
    std::string words;
    const Json& patterns = member(policy, "mx");
    for (const Json& pattern : patterns.is_array() ? patterns : Json::array())
        if (pattern.is_string()) words += (words.empty() ? "" : ", ") + pattern.get<std::string>();
    return words;
}

/// There is no such domain, or it has a null MX. One whose hosts have no address is meant to take mail.
bool takes_no_mail(const Report& report) {
    const std::string code = text_at(member(report.mail, "decision"), "code");
    return code.starts_with("5.1.2 ") || code.starts_with("5.1.10 ");
}

}  // namespace

void test_expected_mx(const Report& report, const std::string& expected, const Note& note) {
    if (expected.empty()) return;
    const std::string name = plain(expected);
    const Json& mx = member(report.mail, "mx");
    if (text_at(mx, "outcome") == "failure") {
        note(diagnosed("expected-mx", name, "expected-mx-unproven", "the MX records are not known", report));
        return;
    }
    const Json& hosts = hosts_of(report);
    const auto found =
        std::find_if(hosts.begin(), hosts.end(), [&name](const Json& host) { return text_at(host, "name") == name; });
    if (found == hosts.end()) {
        std::string others;
        for (const Json& host : hosts) others += (others.empty() ? "" : ", ") + text_at(host, "name");
        const bool any = !others.empty() && text_at(mx, "outcome") == "records";
        note(diagnosed("expected-mx", name, any ? "expected-mx-differs" : "expected-mx-not-found",
                       any ? "MX names " + others + ", not " + name : "there is no MX record that names " + name,
                       report));
        return;
    }
    if (!has_address(*found)) {
        const bool failing = text_at(member(*found, "policy"), "action") == "skip";
        note(diagnosed("expected-mx", name, failing ? "expected-mx-unproven" : "expected-mx-unknown",
                       failing ? "its addresses cannot be looked up" : "it has no address", report));
    } else if (!has_secure_address(*found)) {
        note(diagnosed("expected-mx", name, "expected-mx-not-secured", "its addresses are not signed", report));
    }
    compare_preferences(report, *found, name, note);
}

void test_sts(const Report& report, const std::string& expected, const Note& note) {
    const Json& policy = member(report.mail, "sts");
    const bool announced = !texts_of(report.sts_record).empty();
    const std::string error = text_at(member(policy, "error"), "text");
    if (text_at(policy, "mode").empty()) {
        if (!error.empty()) {
            Test test = diagnosed("sts", report.domain, "sts-not-fetched", error, report);
            test.tlsrpt = text_at(member(policy, "error"), "tlsrpt");
            note(std::move(test));
        } else if (announced) {
            note(diagnosed("sts", report.domain, "sts-not-fetched",
                           "_mta-sts." + report.domain + " announces a policy: " + texts_of(report.sts_record).front(),
                           report));
        } else {
            note(not_tested("sts", report.domain, "no MTA-STS policy is announced"));
        }
        return;
    }
    const std::string mode = text_at(policy, "mode");
    const std::string seen = "policy " + text_at(policy, "id") + ", mode " + mode + ", for " + pattern_words(policy);
    bool lacking = false;
    std::vector<std::string> wanted;
    for (const Json& host : hosts_of(report)) wanted.push_back(text_at(host, "name"));
    if (!expected.empty() && std::find(wanted.begin(), wanted.end(), plain(expected)) == wanted.end())
        wanted.push_back(plain(expected));
    for (const std::string& host : wanted) {
        if (mode != "enforce" || policy_has(policy, host)) continue;
        lacking = true;
        Test test =
            diagnosed("sts", host, "sts-lacks-mx",
                      "the policy in enforce mode is for " + pattern_words(policy) + ", and not for " + host, report);
        test.code = "4.7.0 sts-policy";
        test.tlsrpt = "validation-failure";
        note(std::move(test));
    }
    if (mode == "testing") {
        note(diagnosed("sts", report.domain, "sts-testing", seen, report));
    } else if (!lacking) {
        note(passed("sts", report.domain, seen));
    }
    if (expected.empty() && mode == "enforce" && text_at(member(report.mail, "mx"), "outcome") != "records")
        note(diagnosed("sts", report.domain, "sts-no-expected-mx", seen + "; MX names no host", report));
}

void test_tlsrpt(const Report& report, const Note& note) {
    const std::string where = "_smtp._tls." + report.domain;
    const std::string outcome = text_at(report.tlsrpt_record, "outcome");
    if (report.tlsrpt_record.is_null()) return;
    if (outcome == "failure" || outcome.empty()) {
        note(not_tested("tlsrpt", report.domain, "TXT at " + where + " cannot be looked up"));
        return;
    }
    const std::vector<std::string> texts = texts_of(report.tlsrpt_record);
    if (texts.empty() && takes_no_mail(report)) {
        note(not_tested("tlsrpt", report.domain, "the domain takes no mail: there is nothing to report"));
        return;
    }
    if (texts.empty()) {
        note(diagnosed("tlsrpt", report.domain, "tlsrpt-missing", "there is no TXT record at " + where, report));
        return;
    }
    const Result<std::vector<std::string>> wanted = mail::parse_tlsrpt_record(texts);
    if (!wanted) {
        note(diagnosed("tlsrpt", report.domain, "tlsrpt-malformed", "\"" + texts.front() + "\": " + wanted.error().text,
                       report));
    } else if (wanted->empty()) {
        note(diagnosed("tlsrpt", report.domain, "tlsrpt-malformed",
                       "of " + std::to_string(texts.size()) + " TXT records at " + where +
                           " none, or more than one, begins with v=TLSRPTv1;: \"" + texts.front() + "\"",
                       report));
    } else {
        note(passed("tlsrpt", report.domain, "\"" + texts.front() + "\""));
    }
}

}  // namespace mxtrust::client
