#include <catch2/catch.hpp>

#include "client/check.h"

namespace mxtrust::client {
namespace {

Report report_of(const char* mail) {
    Report report;
    report.domain = "example.org";
    report.time = report.ended = 1795305600;
    report.mail = Json::parse(mail);
    return report;
}

constexpr const char* one_host = R"({"domain":"example.org","port":25,
 "decision":{"action":"deliver","level":"dane","authenticated":true,"code":null,"text":"t"},
 "mx":{"security":"secure","outcome":"records","rcode":"NOERROR","ttl":3600,"operator":[]},
 "hosts":[{"name":"mx.example.org","preference":10,"flags":[],
  "a":{"security":"secure","outcome":"records","ttl":3600,"records":["192.0.2.1"]},"aaaa":{"security":"secure","outcome":"nodata","records":[]},
  "tlsa":{"name":"_25._tcp.mx.example.org","security":"secure","outcome":"records","ttl":3600,
          "records":[{"usage":3,"selector":1,"matching":1,"data":"ab","usable":true,"counts":true}]},
  "policy":{"action":"dane","sni":"mx.example.org","names":["mx.example.org"]}}],"sts":null})";

std::vector<std::string> found(Report& report, const std::function<void(const Report&, const Note&)>& look) {
    std::vector<std::string> words;
    look(report, [&](Test test) {
        words.push_back(test.diagnosis);
        report.tests.push_back(std::move(test));
    });
    return words;
}

TEST_CASE("an MTA-STS policy is compared with the hosts (RFC 8461 4.1)") {
    struct Case {
        const char* sts;
        const char* expected;
        std::vector<std::string> words;
    };
    const std::vector<Case> cases{
        {R"({"mode":"enforce","id":"1","mx":["mx.example.org"]})", "", {"good"}},
        {R"({"mode":"enforce","id":"1","mx":["*.example.org"]})", "", {"good"}},
        {R"({"mode":"enforce","id":"1","mx":["*.org"]})", "", {"sts-lacks-mx"}},
        {R"({"mode":"enforce","id":"1","mx":["old.example.org"]})", "", {"sts-lacks-mx"}},
        {R"({"mode":"enforce","id":"1","mx":["mx.example.org"]})", "new.example.net", {"sts-lacks-mx"}},
        {R"({"mode":"enforce","id":"1","mx":["mx.example.org","*.example.net"]})", "NEW.example.net.", {"good"}},
        {R"({"mode":"testing","id":"1","mx":["old.example.org"]})", "", {"sts-testing"}},
        {R"({"mode":null,"id":null,"mx":[],"error":{"tlsrpt":"sts-policy-fetch-error","text":"404"}})",
         "",
         {"sts-not-fetched"}},
        {R"({"mode":null,"id":null,"mx":[],"error":null})", "", {"not-tested"}},
        {"null", "", {"not-tested"}},
    };
    for (const Case& one : cases) {
        INFO(one.sts);
        Report report = report_of(one_host);
        report.mail["sts"] = Json::parse(one.sts);
        const std::string expected = one.expected;
        CHECK(found(report, [&](const Report& r, const Note& n) { test_sts(r, expected, n); }) == one.words);
    }
}

TEST_CASE("a policy that is in force while nobody is MX is told to wait for the expected host") {
    Report report = report_of(one_host);
    report.mail["sts"] = Json::parse(R"({"mode":"enforce","id":"1","mx":["mx.example.org"]})");
    report.mail["mx"]["outcome"] = "nodata";
    CHECK(found(report, [](const Report& r, const Note& n) { test_sts(r, "", n); }) ==
          std::vector<std::string>{"good", "sts-no-expected-mx"});
}

TEST_CASE("what rests on the operator's word says so") {
    Report report = report_of(one_host);
    report.mail["mx"]["operator"] = Json::parse(R"([{"kind":"negative-trust-anchor","text":"the operator's anchor"}])");
    CHECK(found(report, test_dnssec) == std::vector<std::string>{"good", "operators-word"});
    CHECK(report.grade() == Grade::warning);
}

TEST_CASE("what a negative trust anchor sets aside is not called unsigned") {
    const Json words = Json::parse(R"([{"kind":"negative-trust-anchor","text":"the operator's anchor"}])");
    Report report = report_of(one_host);
    report.mail["mx"]["security"] = "insecure";
    report.mail["mx"]["operator"] = words;
    CHECK(found(report, test_dnssec) == std::vector<std::string>{"operators-word"});
    Json& host = report.mail["hosts"][0];
    const auto at_host = [&host](auto look) {
        return [&host, look](const Report& r, const Note& n) { look(r, host, n); };
    };
    for (const char* family : {"a", "aaaa"}) {
        INFO(family);
        host = Json::parse(one_host)["hosts"][0];
        host["a"]["security"] = "insecure";
        host[family]["security"] = "insecure";
        host[family]["operator"] = host["operator"] = words;
        CHECK(found(report, at_host(test_addresses)) == std::vector<std::string>{"operators-word"});
        // Once for a host is enough.
        CHECK(found(report, at_host(test_tlsa)) == std::vector<std::string>{"good"});
    }
    host = Json::parse(one_host)["hosts"][0];
    host["tlsa"]["security"] = "insecure";
    CHECK(found(report, at_host(test_tlsa)) == std::vector<std::string>{"tlsa-missing"});
    host["tlsa"]["operator"] = host["operator"] = words;
    CHECK(found(report, at_host(test_addresses)) == std::vector<std::string>{"good"});
    CHECK(found(report, at_host(test_tlsa)) == std::vector<std::string>{"operators-word"});
}

TEST_CASE("the operator's exceptions are told where they count: of a host, or of the domain as a whole") {
    const Json words = Json::parse(R"([{"kind":"exception","text":"the operator's exception"}])");
    Report report = report_of(one_host);
    report.mail["operator"] = words;
    CHECK(found(report, test_mx) == std::vector<std::string>{"operators-word", "good"});
    Json& host = report.mail["hosts"][0];
    host["operator"] = words;
    host["tlsa"] = nullptr;
    CHECK(found(report, test_mx) == std::vector<std::string>{"good"});
    CHECK(found(report, [&host](const Report& r, const Note& n) { test_tlsa(r, host, n); }) ==
          std::vector<std::string>{"operators-word", "not-tested"});
}

TEST_CASE("a library that refuses is no fault of the server's") {
    Report report = report_of(one_host);
    probe::Observation seen;
    seen.target.host = "mx.example.org";
    seen.target.action = mail::HostAction::dane;
    seen.visit.trouble = probe::Trouble::tls_ours;
    seen.visit.detail = "no";
    const auto words = found(report, [&](const Report& r, const Note& n) { test_visit(r, seen, n); });
    CHECK(std::find(words.begin(), words.end(), "tls-library") != words.end());
    for (const Test& test : report.tests) CHECK(test.code.empty());
}

TEST_CASE("TLSRPT records as they come out of a zone file (RFC 8460 3)") {
    struct Case {
        const char* records;
        const char* word;
    };
    const std::vector<Case> cases{
        {R"(["\"v=TLSRPTv1; rua=mailto:a@example.org\""])", "good"},
        {R"(["\"v=TLSRPTv1; rua=mail\" \"to:a@example.org\""])", "good"},
        {R"(["\"v=TLSRPTv1\\059 rua=mailto:a@example.org\""])", "good"},
        {R"(["\"v=TLSRPTv1; rua=mailto:a@example.org\"","\"something else\""])", "good"},
        {R"(["\"v=TLSRPTv1; rua=a@example.org\""])", "tlsrpt-malformed"},
        {R"(["\"v=TLSRPTv1;\""])", "tlsrpt-malformed"},
        {R"(["\"v=TLSRPTv1; rua=mailto:a@example.org\"","\"v=TLSRPTv1; rua=mailto:b@example.org\""])",
         "tlsrpt-malformed"},
        {R"(["\"spf\""])", "tlsrpt-malformed"},
        {R"([])", "tlsrpt-missing"},
    };
    for (const Case& one : cases) {
        INFO(one.records);
        Report report = report_of(one_host);
        report.tlsrpt_record = Json{{"outcome", "records"}, {"records", Json::parse(one.records)}};
        CHECK(found(report, test_tlsrpt) == std::vector<std::string>{one.word});
    }
}

TEST_CASE("a domain that takes no mail is not told to publish where failures are reported") {
    const auto told = [](const char* code) {
        Report report = report_of(one_host);
        report.mail["decision"] = Json{{"action", "bounce"}, {"code", code}};
        report.tlsrpt_record = Json{{"outcome", "nxdomain"}, {"records", Json::array()}};
        return found(report, test_tlsrpt);
    };
    CHECK(told("5.1.2 bad domain") == std::vector<std::string>{"not-tested"});
    CHECK(told("5.1.10 null MX") == std::vector<std::string>{"not-tested"});
    CHECK(told("5.4.4 no route") == std::vector<std::string>{"tlsrpt-missing"});
}

TEST_CASE("whom a sender would not turn to is not visited") {
    const CheckArguments arguments;
    Report report = report_of(one_host);
    CHECK(plan_visits(report, arguments).targets.size() == 1);
    for (const char* action : {"skip", "unreachable", "something new"}) {
        report.mail["hosts"][0]["policy"]["action"] = action;
        CHECK(plan_visits(report, arguments).targets.empty());
    }
}

TEST_CASE("a reply that lacks what it should have, or has another type, does no harm") {
    const Json whole = Json::parse(one_host);
    for (const auto& [key, value] : whole.items()) {
        for (const Json& by : {Json(), Json(7), Json("text"), Json::array({7, "x", nullptr}), Json::object()}) {
            INFO(key << " = " << by.dump());
            Report report = report_of(one_host);
            report.mail[key] = by;
            report.explain = by;
            CHECK_NOTHROW(found(report, [](const Report& r, const Note& n) {
                test_dnssec(r, n);
                test_mx(r, n);
                test_expected_mx(r, "mx.example.org", n);
                test_sts(r, "mx.example.org", n);
                const Json& hosts = member(r.mail, "hosts");
                for (const Json& host : hosts.is_array() ? hosts : Json::array()) {
                    test_addresses(r, host, n);
                    test_tlsa(r, host, n);
                    test_host_records(r, host, n);
                }
            }));
            CHECK_NOTHROW(check_html(report));
            CHECK_NOTHROW(check_json(report));
            CHECK_NOTHROW(tlsrpt_json({report}, "test"));
        }
    }
}

TEST_CASE("a page has no markup and no control characters but its own") {
    const std::string evil = "<script>\"'&\x1b[31m\x01\xe2\x80\xae";
    CHECK(html_text(evil) == "&lt;script&gt;&quot;&#39;&amp;?[31m??");
    Report report = report_of(one_host);
    report.domain = evil;
    report.mail["decision"]["text"] = evil;
    report.explain = Json{{"type", "MX"}, {"name", evil}, {"records", Json::array({evil})}};
    report.explain["chain"] = Json::array({Json{{"zone", evil},
                                                {"security", "bogus"},
                                                {"reason", evil},
                                                {"ds", Json::array({Json{{"key_tag", 1}, {"algorithm", evil}}})}}});
    report.tests.push_back(diagnosed("mx", evil, "null-mx", evil, report));
    report.tests.back().details = {evil};
    report.tests.back().code = evil;
    const std::string page = check_html(report);
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find('\x1b') == std::string::npos);
    CHECK(page.find("\xe2\x80\xae") == std::string::npos);
}

TEST_CASE("the state in a picture cannot become markup, either") {
    Report report = report_of(one_host);
    report.explain = Json::parse(R"({"type":"MX","name":"x","security":"\"><script>","outcome":"records","records":[],
        "chain":[{"zone":".","security":"\"><script>","ds":[],"keys":[]}]})");
    CHECK(chain_picture(report).find("<script") == std::string::npos);
}

TEST_CASE("the exit status is that of the worst test, and untested is no fault") {
    Report report = report_of(one_host);
    CHECK(exit_status(report) == 0);
    report.tests.push_back(not_tested("mx", "x", "y"));
    CHECK(exit_status(report) == 0);
    report.tests.push_back(diagnosed("mx", "x", "mx-none", "y", report));
    CHECK(exit_status(report) == 1);
    report.tests.push_back(diagnosed("mx", "x", "null-mx", "y", report));
    CHECK(exit_status(report) == 2);
    report.trouble = "gone";
    CHECK(exit_status(report) == unavailable);
}

TEST_CASE("check is a command wherever options stand") {
    CHECK(asks_for_check({"check", "example.org"}));
    CHECK(asks_for_check({"--json", "check", "example.org"}));
    CHECK(asks_for_check({"--socket", "x", "check", "example.org"}));
    CHECK_FALSE(asks_for_check({"example.org", "check"}));
    CHECK_FALSE(asks_for_check({"--socket", "check"}));
    const auto parsed = parse_check_arguments({"--json", "check", "A.example", "--expect-mx", "MX.A.example."});
    REQUIRE(std::holds_alternative<CheckArguments>(parsed));
    CHECK(std::get<CheckArguments>(parsed).domains == std::vector<std::string>{"A.example"});
    CHECK(std::get<CheckArguments>(parsed).expected_mx == "mx.a.example");
}

TEST_CASE("the host of --mx and --expect-mx is one, in any spelling; what can be none is wrong usage") {
    for (const char* option : {"--mx", "--expect-mx"}) {
        const auto parsed = parse_check_arguments({"check", "a.example", option,
                                                   "MX.B\xC3\xBC"
                                                   "cher.example."});
        REQUIRE(std::holds_alternative<CheckArguments>(parsed));
        const CheckArguments& arguments = std::get<CheckArguments>(parsed);
        CHECK(arguments.host + arguments.expected_mx == "mx.xn--bcher-kva.example");
        for (const char* host : {"", "a..b", "192.0.2.1", "mx.a.example:25", "a b", ".", "[mx.a.example]", "''"}) {
            INFO(option << " " << host);
            const auto refused = parse_check_arguments({"check", "a.example", option, host});
            REQUIRE(std::holds_alternative<Message>(refused));
            CHECK(std::get<Message>(refused).is_error);
        }
    }
}

}  // namespace
}  // namespace mxtrust::client
