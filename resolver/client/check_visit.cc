// From the daemon's decision to the servers that are visited, and from what was seen there to tests.
#include <algorithm>
#include <charconv>

#include "client/check.h"

namespace mxtrust::client {
namespace {

constexpr std::int64_t day = 86400;
/// Authorities renew a month before the end; two weeks before it something has failed.
constexpr std::int64_t soon = 14 * day;
constexpr int least_rsa_bits = 2048, least_other_bits = 224;

Bytes from_hexadecimal(std::string_view text) {
    Bytes octets;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        unsigned value = 0;
        if (std::from_chars(text.data() + at, text.data() + at + 2, value, 16).ec != std::errc()) return {};
        octets.push_back(static_cast<std::uint8_t>(value));
    }
    return octets;
}

std::uint8_t octet_at(const Json& json, const char* key) {
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(number_at(json, key), 0, 255));
}

std::vector<mail::TlsaRecord> records_of(const Json& host) {
    std::vector<mail::TlsaRecord> found;
    const Json& records = member(member(host, "tlsa"), "records");
    for (const Json& one : records.is_array() ? records : Json::array()) {
        mail::TlsaRecord record;
        record.usage = octet_at(one, "usage");
        record.selector = octet_at(one, "selector");
        record.matching = octet_at(one, "matching");
        record.data = from_hexadecimal(text_at(one, "data"));
        record.usable = member(one, "usable") == true;
        record.counts = member(one, "counts") == true;
        record.why = text_at(one, "why");
        found.push_back(std::move(record));
    }
    return found;
}

std::optional<mail::HostAction> action_of(const Json& host) {
    const std::string action = text_at(member(host, "policy"), "action");
    for (const mail::HostAction one : {mail::HostAction::dane, mail::HostAction::encrypt, mail::HostAction::sts,
                                       mail::HostAction::may, mail::HostAction::skip, mail::HostAction::unreachable})
        if (action == mail::to_text(one)) return one;
    return std::nullopt;
}

std::vector<std::string> addresses_of(const Json& host) {
    std::vector<std::string> found;
    for (const char* family : {"a", "aaaa"}) {
        const Json& records = member(member(host, family), "records");
        for (const Json& one : records.is_array() ? records : Json::array())
            if (one.is_string()) found.push_back(one.get<std::string>());
    }
    // An address literal as next-hop has no look-ups.
    if (found.empty() && member(host, "a").is_null() && Address::from_text(text_at(host, "name")))
        found.push_back(text_at(host, "name"));
    return found;
}

std::string subject_of(const probe::Target& target) {
    return target.host + " [" + target.endpoint.address.to_text() + "]:" + std::to_string(target.endpoint.port);
}

bool is_required(const probe::Target& target) {
    return target.action != mail::HostAction::may;
}

std::string server_words(const probe::Visit& visit) {
    return visit.greeting.empty() ? "connected" : "\"" + visit.greeting + "\"";
}

/// A trouble as a failing test, with the codes that a sender reports.
Test troubled(std::string_view test, const probe::Observation& seen, const probe::Visit& visit, const Report& report) {
    const std::string subject = subject_of(seen.target);
    const probe::Judging judging = probe::judging_of(seen.target.action);
    const std::optional<mail::Fault> fault = probe::fault_of(visit.trouble);
    if (fault && !is_required(seen.target)) {
        const bool offered = visit.trouble != probe::Trouble::starttls_absent;
        return diagnosed(test, subject, offered ? "tls-fails-unprotected" : "starttls-absent-unprotected",
                         std::string(probe::to_text(visit.trouble)) + ": " + visit.detail, report);
    }
    Test made = diagnosed(test, subject, probe::to_text(visit.trouble), visit.detail, report);
    if (fault) {
        const bool sts = judging == probe::Judging::webpki && *fault == mail::Fault::tlsa_invalid;
        made.code = mail::code_text(sts ? mail::Fault::sts_policy : *fault);
    }
    if (const auto type = probe::tlsrpt_of(visit.trouble, judging)) made.tlsrpt = mail::to_text(*type);
    return made;
}

std::string names_words(const probe::Certificate& certificate) {
    std::string words;
    for (const std::string& name : certificate.names) {
        if (words.size() > 200) return words + ", …";
        words += (words.empty() ? "" : ", ") + name;
    }
    return words.empty() ? "no DNS names" : words;
}

std::string record_words(const mail::TlsaRecord& record) {
    std::string words = std::to_string(record.usage) + " " + std::to_string(record.selector) + " " +
                        std::to_string(record.matching) + " ";
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t index = 0; index < record.data.size() && index < 8; ++index) {
        words += digits[record.data[index] >> 4U];
        words += digits[record.data[index] & 15U];
    }
    return words + (record.data.size() > 8 ? "…" : "");
}

std::vector<std::string> chain_lines(const probe::Handshake& seen) {
    std::vector<std::string> lines;
    for (std::size_t depth = 0; depth < seen.chain.size(); ++depth) {
        const probe::Certificate& one = seen.chain[depth];
        lines.push_back("depth " + std::to_string(depth) + ": " + one.subject + "; " + one.key + "; " +
                        date_words(one.not_before.seconds) + " to " + date_words(one.not_after.seconds) +
                        "; issued by " + one.issuer + (depth == 0 ? "; names " + names_words(one) : ""));
    }
    if (seen.sent_certificates > seen.chain.size())
        lines.push_back(std::to_string(seen.sent_certificates - seen.chain.size()) + " more certificates were sent");
    return lines;
}

/// RFC 6125 6.4.3 as RFC 7672 3.2.3 has it: "*" for one whole leftmost label.
bool names_one_of(const probe::Certificate& certificate, const std::vector<std::string>& wanted) {
    for (const std::string& pattern : certificate.names)
        for (const std::string& name : wanted) {
            const std::size_t dot = name.find('.');
            const bool wild =
                pattern.starts_with("*.") && dot != std::string::npos && name.substr(dot) == pattern.substr(1);
            if (wild || pattern == name) return true;
        }
    return false;
}

void note_weaknesses(const Report& report, const probe::Observation& seen, const probe::Handshake& shaken,
                     const Note& note) {
    const std::string subject = subject_of(seen.target);
    if (shaken.protocol == "TLSv1" || shaken.protocol == "TLSv1.1" || shaken.protocol == "SSLv3") {
        Test test = diagnosed("starttls", subject, "old-tls", "the server chose " + shaken.protocol, report);
        if (is_required(seen.target)) {
            test.code = mail::code_text(mail::Fault::tlsa_invalid);
            test.tlsrpt = mail::to_text(mail::TlsrptType::validation_failure);
        } else {
            test.grade = Grade::warning;
        }
        note(std::move(test));
    }
    if (shaken.chain.empty()) return;
    const probe::Certificate& own = shaken.chain.front();
    const int least = own.kind == probe::KeyKind::rsa ? least_rsa_bits : least_other_bits;
    if (own.key_bits > 0 && own.key_bits < least)
        note(diagnosed("certificate", subject, "weak-key", "its key is " + own.key, report));
}

/// Dates and names of the server's certificate that stop nobody now.
void note_certificate(const Report& report, const probe::Observation& seen, const probe::Visit& visit,
                      const Note& note) {
    const std::string subject = subject_of(seen.target);
    const probe::Handshake& shaken = *visit.handshake;
    if (shaken.chain.empty()) return;
    const probe::Certificate& own = shaken.chain.front();
    const bool by_ee = shaken.authority && shaken.authority->usage == 3;
    const std::int64_t now = seen.time.seconds, end = own.not_after.seconds;
    Test test = passed("certificate", subject, own.subject + ", " + own.key + ", until " + date_words(end));
    test.details = chain_lines(shaken);
    if (seen.other_absent && visit.asked == probe::KeyKind::any)
        test.details.push_back(std::string("the server has no ") + (own.kind == probe::KeyKind::rsa ? "ECDSA" : "RSA") +
                               " certificate beside it");
    if (visit.asked != probe::KeyKind::any) test.seen = "the other one of two: " + test.seen;
    note(std::move(test));
    if (end < now && by_ee) {
        note(diagnosed("certificate", subject, "expired-but-usage-3", "it expired " + span_words(now - end) + " ago",
                       report));
    } else if (end >= now && end - now < soon) {
        note(diagnosed("certificate", subject, "certificate-expires-soon",
                       "it ends in " + span_words(end - now) + ", " + date_words(end), report));
    }
    if (by_ee && !seen.target.names.empty() && !names_one_of(own, seen.target.names))
        note(diagnosed("certificate", subject, "wrong-name-but-usage-3",
                       "it is for " + names_words(own) + ", not for " + seen.target.names.front(), report));
    note_weaknesses(report, seen, shaken, note);
}

std::string authority_words(const probe::Authority& authority) {
    std::string words = std::to_string(authority.usage) + " " + std::to_string(authority.selector) + " " +
                        std::to_string(authority.matching) + " matched at depth " + std::to_string(authority.depth);
    if (authority.by_bare_key) words += ": its key has signed the topmost certificate that was sent";
    return words;
}

std::vector<std::string> match_lines(const probe::Observation& seen, const probe::Handshake& shaken) {
    std::vector<std::string> lines;
    for (std::size_t index = 0; index < seen.target.records.size() && index < shaken.matches.size(); ++index) {
        const mail::TlsaRecord& record = seen.target.records[index];
        const std::string fits = shaken.matches[index]
                                     ? "fits the certificate at depth " + std::to_string(*shaken.matches[index])
                                     : "fits no certificate that was sent";
        lines.push_back(record_words(record) + ": " + fits +
                        (record.counts ? "" : " (does not count: " + record.why + ")"));
    }
    return lines;
}

/// What presents itself, as the record that would be right.
std::string right_record(const probe::Handshake& shaken) {
    mail::TlsaRecord record;
    record.data = shaken.chain.front().spki_sha256;
    std::string words = "3 1 1 ";
    constexpr char digits[] = "0123456789abcdef";
    for (const std::uint8_t octet : record.data) {
        words += digits[octet >> 4U];
        words += digits[octet & 15U];
    }
    return words;
}

void note_verdict(const Report& report, const probe::Observation& seen, const probe::Visit& visit, const Note& note) {
    const std::string subject = subject_of(seen.target);
    const std::string_view name = seen.target.action == mail::HostAction::sts ? "webpki" : "dane";
    if (visit.trouble == probe::Trouble::none) {
        Test test;
        if (seen.target.action == mail::HostAction::dane)
            test = passed(name, subject, authority_words(*visit.handshake->authority));
        else if (seen.target.action == mail::HostAction::sts)
            test = passed(name, subject,
                          "the certificate holds by the Web's authorities, for " + seen.target.names.front());
        else if (seen.target.action == mail::HostAction::encrypt)
            test = diagnosed(name, subject, "encrypted-nobody-knows", "TLS works; no TLSA record can be used", report);
        else
            test = not_tested(name, subject, "there is nothing to compare the certificate with");
        test.details = match_lines(seen, *visit.handshake);
        note(std::move(test));
        return;
    }
    Test test = troubled(name, seen, visit, report);
    if (visit.asked != probe::KeyKind::any) {
        const Test second = diagnosed(
            name, subject, "second-key-fails",
            std::string("with an ") + std::string(probe::to_text(visit.asked)) + " certificate: " + visit.detail,
            report);
        test.diagnosis = second.diagnosis;
        test.seen = second.seen;
        test.means = second.means;
        test.todo = second.todo;
    }
    test.details = match_lines(seen, *visit.handshake);
    for (const probe::Complaint& one : visit.handshake->complaints)
        test.details.push_back("at depth " + std::to_string(one.depth) + ": " + one.text);
    if (visit.trouble == probe::Trouble::no_match && !visit.handshake->chain.empty())
        test.details.push_back("the server's key would have the record " + right_record(*visit.handshake));
    note(std::move(test));
}

void note_handshake(const Report& report, const probe::Observation& seen, const probe::Visit& visit, const Note& note) {
    note_certificate(report, seen, visit, note);
    note_verdict(report, seen, visit, note);
}

/// Before the greeting is through, after it, after STARTTLS.
std::string_view step_of(probe::Trouble trouble) {
    switch (trouble) {
        case probe::Trouble::none:
        case probe::Trouble::no_match:
        case probe::Trouble::expired:
        case probe::Trouble::not_yet_valid:
        case probe::Trouble::wrong_name:
        case probe::Trouble::untrusted:
            return "dane";
        case probe::Trouble::connect_refused:
        case probe::Trouble::connect_timeout:
        case probe::Trouble::no_route:
        case probe::Trouble::silent:
        case probe::Trouble::closed:
        case probe::Trouble::greeting_temporary:
        case probe::Trouble::greeting_permanent:
        case probe::Trouble::no_smtp:
        case probe::Trouble::endless:
            return "connect";
        case probe::Trouble::starttls_absent:
        case probe::Trouble::starttls_temporary:
        case probe::Trouble::starttls_permanent:
        case probe::Trouble::starttls_cut:
        case probe::Trouble::injected:
        case probe::Trouble::tls_cut:
        case probe::Trouble::tls_timeout:
        case probe::Trouble::tls_too_much:
        case probe::Trouble::tls_refused:
        case probe::Trouble::tls_garbage:
        case probe::Trouble::tls_ours:
            return "starttls";
    }
    return "connect";
}

/// Some server of the host was authenticated, and this record had no part in it, at any of them.
bool fits_nothing(const Report& report, const std::string& host, const mail::TlsaRecord& record, std::size_t index) {
    bool authenticated = false;
    for (const probe::Observation& one : report.observations) {
        if (one.target.host != host) continue;
        for (const probe::Visit* visit : {&one.visit, one.other ? &*one.other : nullptr}) {
            if (visit == nullptr || !visit->handshake || index >= visit->handshake->matches.size()) continue;
            const auto& authority = visit->handshake->authority;
            authenticated = authenticated || authority.has_value();
            if (visit->handshake->matches[index] || (authority && authority->data == record.data)) return false;
        }
    }
    return authenticated;
}

}  // namespace

Plan plan_visits(const Report& report, const CheckArguments& arguments) {
    Plan plan;
    const Json& hosts = member(report.mail, "hosts");
    for (const Json& host : hosts.is_array() ? hosts : Json::array()) {
        const std::string name = text_at(host, "name");
        const auto action = action_of(host);
        if (!arguments.host.empty() && name != arguments.host) continue;
        if (!action || *action == mail::HostAction::skip || *action == mail::HostAction::unreachable) continue;
        std::vector<std::string> addresses = addresses_of(host);
        if (!arguments.address.empty()) {
            const bool listed = std::find(addresses.begin(), addresses.end(), arguments.address) != addresses.end();
            addresses.clear();
            // An address that the DNS does not know is tried in the place of the host that was named.
            if (listed || !arguments.host.empty()) addresses.push_back(arguments.address);
        }
        for (const std::string& text : addresses) {
            const Result<Address> address = Address::from_text(text);
            if (!address) continue;
            if (plan.targets.size() >= most_targets) {
                ++plan.left_out;
                continue;
            }
            probe::Target target;
            target.host = name;
            target.endpoint = Endpoint{*address, static_cast<std::uint16_t>(number_at(report.mail, "port"))};
            target.action = *action;
            target.sni = text_at(member(host, "policy"), "sni");
            if (target.sni.empty() && !Address::from_text(name)) target.sni = name;
            const Json& names = member(member(host, "policy"), "names");
            for (const Json& one : names.is_array() ? names : Json::array())
                if (one.is_string()) target.names.push_back(one.get<std::string>());
            if (target.names.empty()) target.names.push_back(name);
            target.records = records_of(host);
            plan.targets.push_back(std::move(target));
        }
    }
    return plan;
}

void test_visit(const Report& report, const probe::Observation& seen, const Note& note) {
    const std::string subject = subject_of(seen.target);
    const probe::Visit& visit = seen.visit;
    const std::string_view step = step_of(visit.trouble);
    if (visit.trouble == probe::Trouble::no_route) {
        note(not_tested("connect", subject, "this machine has no way there: " + visit.detail));
        return;
    }
    if (step == "connect") {
        note(troubled("connect", seen, visit, report));
        note(not_tested("starttls", subject, "there was no conversation"));
        return;
    }
    note(passed("connect", subject, server_words(visit)));
    if (step == "starttls") {
        note(troubled("starttls", seen, visit, report));
        note(not_tested("certificate", subject, "none was seen"));
        return;
    }
    Test tls = passed("starttls", subject, visit.handshake->protocol + ", " + visit.handshake->cipher);
    note(std::move(tls));
    note_handshake(report, seen, visit, note);
    if (seen.other) note_handshake(report, seen, *seen.other, note);
}

void test_host_records(const Report& report, const Json& host, const Note& note) {
    const std::string name = text_at(host, "name");
    if (text_at(member(host, "policy"), "action") != "dane") return;
    const std::vector<mail::TlsaRecord> records = records_of(host);
    const auto counting = std::count_if(records.begin(), records.end(), [](const auto& one) { return one.counts; });
    const bool recommended = std::any_of(records.begin(), records.end(), [](const mail::TlsaRecord& one) {
        return one.counts && one.selector == 1 && one.matching == 1;
    });
    if (!recommended)
        note(diagnosed("tlsa", name, "tlsa-not-recommended", "there is no record 3 1 1 or 2 1 1", report));
    if (counting == 1)
        note(diagnosed("tlsa", name, "tlsa-no-rollover-partner", "there is one record that counts", report));
    std::vector<std::string> unmatched;
    for (std::size_t index = 0; index < records.size(); ++index)
        if (records[index].counts && fits_nothing(report, name, records[index], index))
            unmatched.push_back(record_words(records[index]));
    // One is taken to be for the next key, as it should be there (RFC 7671 8.1).
    for (std::size_t index = 0; index < unmatched.size() && unmatched.size() > 1; ++index)
        note(diagnosed("tlsa", name, "tlsa-stale-record", unmatched[index] + " fits nothing that was presented",
                       report));
}

}  // namespace mxtrust::client
