// The report for programs, and as an RFC 8460 TLS report. serve/PROTOCOL.md describes the first.
#include <map>
#include <set>

#include "client/check.h"
#include "dns/text.h"

namespace mxtrust::client {
namespace {

constexpr std::size_t most_shown = 1000;

std::string clean(const std::string& text) {
    return dns::clean_text(text, most_shown);
}

Json nullable(const std::string& text) {
    return text.empty() ? Json() : Json(clean(text));
}

std::string hexadecimal(const Bytes& octets) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t octet : octets) {
        text += digits[octet >> 4U];
        text += digits[octet & 15U];
    }
    return text;
}

Json certificate_json(const probe::Certificate& one) {
    return {{"subject", one.subject},
            {"issuer", one.issuer},
            {"names", one.names},
            {"not_before", one.not_before.seconds},
            {"not_after", one.not_after.seconds},
            {"key", one.key},
            {"signature", one.signature},
            {"authority", one.is_authority},
            {"spki_sha256", hexadecimal(one.spki_sha256)},
            {"certificate_sha256", hexadecimal(one.certificate_sha256)}};
}

Json handshake_json(const probe::Handshake& seen) {
    Json json;
    json["protocol"] = seen.protocol;
    json["cipher"] = seen.cipher;
    json["certificates"] = Json::array();
    for (const probe::Certificate& one : seen.chain) json["certificates"].push_back(certificate_json(one));
    json["matches"] = Json::array();
    for (const auto& depth : seen.matches) json["matches"].push_back(depth ? Json(*depth) : Json());
    json["authority"] = nullptr;
    if (seen.authority)
        json["authority"] = {{"depth", seen.authority->depth},
                             {"usage", seen.authority->usage},
                             {"selector", seen.authority->selector},
                             {"matching", seen.authority->matching},
                             {"data", hexadecimal(seen.authority->data)},
                             {"bare_key", seen.authority->by_bare_key}};
    json["complaints"] = Json::array();
    for (const probe::Complaint& one : seen.complaints)
        json["complaints"].push_back({{"depth", one.depth}, {"text", clean(one.text)}});
    return json;
}

Json visit_json(const probe::Visit& visit) {
    Json json;
    json["key"] = probe::to_text(visit.asked);
    json["trouble"] = visit.trouble == probe::Trouble::none ? Json() : Json(probe::to_text(visit.trouble));
    json["detail"] = nullable(visit.detail);
    json["greeting"] = nullable(visit.greeting);
    json["extensions"] = visit.extensions;
    json["starttls_reply"] = nullable(visit.starttls_reply);
    json["quit"] = visit.said_quit;
    json["ms"] = visit.took.count();
    json["tls"] = visit.handshake ? handshake_json(*visit.handshake) : Json();
    return json;
}

Json observation_json(const probe::Observation& one) {
    Json json;
    json["host"] = one.target.host;
    json["address"] = one.target.endpoint.address.to_text();
    json["port"] = one.target.endpoint.port;
    json["policy"] = mail::to_text(one.target.action);
    json["sni"] = nullable(one.target.sni);
    json["visits"] = Json::array({visit_json(one.visit)});
    if (one.other) json["visits"].push_back(visit_json(*one.other));
    return json;
}

std::string record_line(const mail::TlsaRecord& record) {
    return std::to_string(record.usage) + " " + std::to_string(record.selector) + " " +
           std::to_string(record.matching) + " " + hexadecimal(record.data);
}

std::string iso_time(std::int64_t seconds) {
    std::string text = date_words(seconds);  // "2026-11-22 06:00 UTC"
    text = text.substr(0, 10) + "T" + text.substr(11, 5);
    const std::int64_t rest = ((seconds % 60) + 60) % 60;
    return text + ":" + (rest < 10 ? "0" : "") + std::to_string(rest) + "Z";
}

/// One policy of a report: the same kind, for one host or, without DANE, for the domain.
struct PolicyPart {
    Json policy;
    std::int64_t good = 0, bad = 0;
    Json failures = Json::array();
};

PolicyPart& part_of(std::map<std::string, PolicyPart>& parts, const Report& report, const std::string& type,
                    const std::string& host, const std::vector<mail::TlsaRecord>& records) {
    const bool by_host = type == "tlsa";
    PolicyPart& part = parts[type + " " + (by_host ? host : "")];
    if (!part.policy.is_null()) return part;
    part.policy["policy-type"] = type;
    if (by_host) {
        part.policy["policy-string"] = Json::array();
        for (const mail::TlsaRecord& record : records) part.policy["policy-string"].push_back(record_line(record));
    } else if (type == "sts") {
        const Json& sts = member(report.mail, "sts");
        Json lines = Json::array({"version: STSv1", "mode: " + text_at(sts, "mode")});
        const Json& patterns = member(sts, "mx");
        for (const Json& one : patterns.is_array() ? patterns : Json::array())
            if (one.is_string()) lines.push_back("mx: " + clean(one.get<std::string>()));
        part.policy["policy-string"] = std::move(lines);
        part.policy["mx-host"] = patterns;
    }
    // RFC 8460 1.1: of DANE, the policy domain is the TLSA base domain.
    part.policy["policy-domain"] = clean(by_host ? host : report.domain);
    return part;
}

std::string type_of(mail::HostAction action) {
    if (action == mail::HostAction::dane || action == mail::HostAction::encrypt) return "tlsa";
    return action == mail::HostAction::sts ? "sts" : "no-policy-found";
}

void add_visit(PolicyPart& part, const probe::Observation& one) {
    const probe::Visit& visit = one.decisive();
    const auto type = probe::tlsrpt_of(visit.trouble, probe::judging_of(one.target.action));
    // RFC 8460 4.4 counts TLS sessions: where there was no conversation there is none to count.
    if (visit.trouble != probe::Trouble::none && !type) return;
    if (!type) {
        ++part.good;
        return;
    }
    ++part.bad;
    Json failure{{"result-type", mail::to_text(*type)}};
    if (visit.from) failure["sending-mta-ip"] = visit.from->to_text();
    failure["receiving-mx-hostname"] = clean(one.target.host);
    failure["receiving-ip"] = one.target.endpoint.address.to_text();
    failure["failed-session-count"] = 1;
    failure["failure-reason-code"] = probe::to_text(visit.trouble);
    part.failures.push_back(std::move(failure));
}

/// Hosts, or the whole domain, that nobody gets as far as connecting to.
void add_lookups(std::map<std::string, PolicyPart>& parts, const Report& report) {
    for (const Test& test : report.tests) {
        const bool lookup = test.test == "tlsa" || test.test == "addresses" || test.test == "dnssec";
        if (!lookup || test.tlsrpt.empty()) continue;
        const bool whole = test.test == "dnssec";
        PolicyPart& part = part_of(parts, report, "tlsa", test.subject, {});
        ++part.bad;
        Json failure{{"result-type", test.tlsrpt}};
        if (!whole) failure["receiving-mx-hostname"] = clean(test.subject);
        failure["failed-session-count"] = 1;
        failure["failure-reason-code"] = clean(test.diagnosis);
        part.failures.push_back(std::move(failure));
    }
}

}  // namespace

Json check_json(const Report& report) {
    Json json;
    json["version"] = 1;
    json["program"] = std::string("mxtrust ") + MXTRUST_VERSION;
    json["domain"] = clean(report.domain);
    json["port"] = report.port;
    json["time"] = report.time;
    if (!report.trouble.empty()) {
        json["error"] = clean(report.trouble);
        return json;
    }
    json["verdict"] = {
        {"result", to_text(report.grade())}, {"text", clean(headline(report))}, {"exit", exit_status(report)}};
    json["tests"] = Json::array();
    for (const Test& test : report.tests) {
        Json one{{"test", test.test},
                 {"subject", clean(test.subject)},
                 {"result", to_text(test.grade)},
                 {"diagnosis", clean(test.diagnosis)},
                 {"code", nullable(test.code)},
                 {"code_in_the_end", nullable(permanent(test.code))},
                 {"tlsrpt", nullable(test.tlsrpt)},
                 {"seen", clean(test.seen)},
                 {"means", nullable(test.means)},
                 {"todo", nullable(test.todo)}};
        one["details"] = Json::array();
        for (const std::string& line : test.details) one["details"].push_back(clean(line));
        json["tests"].push_back(std::move(one));
    }
    json["servers"] = Json::array();
    for (const probe::Observation& one : report.observations) json["servers"].push_back(observation_json(one));
    json["mail"] = report.mail;
    json["explain"] = report.explain;
    return json;
}

Json tlsrpt_json(const std::vector<Report>& reports, const std::string& organisation) {
    std::int64_t begin = 0, end = 0;
    Json policies = Json::array();
    for (const Report& report : reports) {
        begin = begin == 0 ? report.time : std::min(begin, report.time);
        end = std::max(end, report.ended);
        std::map<std::string, PolicyPart> parts;
        for (const probe::Observation& one : report.observations)
            add_visit(part_of(parts, report, type_of(one.target.action), one.target.names.front(), one.target.records),
                      one);
        add_lookups(parts, report);
        for (auto& [key, part] : parts) {
            Json policy{{"policy", part.policy},
                        {"summary",
                         {{"total-successful-session-count", part.good}, {"total-failure-session-count", part.bad}}}};
            if (!part.failures.empty()) policy["failure-details"] = part.failures;
            policies.push_back(std::move(policy));
        }
    }
    const std::string first = reports.empty() ? "" : clean(reports.front().domain);
    return {{"organization-name", organisation},
            {"date-range", {{"start-datetime", iso_time(begin)}, {"end-datetime", iso_time(end)}}},
            {"contact-info", "postmaster@" + organisation},
            {"report-id", iso_time(begin) + "_" + first + "_mxtrust-check"},
            {"policies", std::move(policies)}};
}

}  // namespace mxtrust::client
