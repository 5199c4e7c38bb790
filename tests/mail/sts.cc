// The text of MTA-STS and TLSRPT: what counts, what does not, and what a report would say.
#include "mail/sts.h"

#include <catch2/catch.hpp>

#include "mail/support.h"
#include "mail/tlsrpt.h"

using namespace mxtrust;
using namespace mxtrust::mail;
using mxtrust::mail::testing::name;

namespace {

std::string id_of(const std::vector<std::string>& texts) {
    const auto id = parse_sts_record(texts);
    if (!id) return std::string(id.error().code.view());
    return id->value_or("-");
}

/// "enforce 86400 mx.example.org *.example.net", or the code of what is wrong.
std::string told(std::string_view text) {
    const auto policy = parse_sts_policy(text);
    if (!policy) return std::string(policy.error().code.view());
    std::string all(to_text(policy->mode));
    all += " " + std::to_string(policy->max_age.count());
    for (const std::string& pattern : policy->patterns) all += " " + pattern;
    return all;
}

std::string rua_of(const std::vector<std::string>& texts) {
    const auto uris = parse_tlsrpt_record(texts);
    if (!uris) return std::string(uris.error().code.view());
    std::string all;
    for (const std::string& uri : *uris) all += (all.empty() ? "" : " ") + uri;
    return all.empty() ? "-" : all;
}

const std::string good = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 86400\n";
std::string with(const std::string& line) {
    return good + line + "\n";
}

}  // namespace

TEST_CASE("the TXT record of MTA-STS (RFC 8461 3.1)") {
    struct Row {
        std::vector<std::string> texts;
        std::string id;
    };
    const std::vector<Row> rows = {
        {{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"},
        {{"v=STSv1; id=20160831085700Z"}, "20160831085700Z"},
        {{"v=STSv1;id=a"}, "a"},
        {{"v=STSv1 ;\tid=a ; "}, "a"},
        {{"v=STSv1; other=x; id=a; more=y"}, "a"},
        {{"v=STSv1; id=a; id=b"}, "a"},
        {{"v=spf1 -all", "v=STSv1; id=a"}, "a"},
        {{"v=STSv1; id=a", "v=STSv12; id=b"}, "a"},
        {{"v=STSv1; id=12345678901234567890123456789012"}, "12345678901234567890123456789012"},
        // No such record, or more than one: there is no policy.
        {{}, "-"},
        {{"v=spf1 -all"}, "-"},
        {{"v=STSv1; id=a", "v=STSv1; id=a"}, "-"},
        {{"v=STSv1"}, "-"},
        {{"v=stsv1; id=a"}, "-"},
        {{" v=STSv1; id=a"}, "-"},
        {{"id=a; v=STSv1"}, "-"},
        // Malformed.
        {{"v=STSv1;"}, "MSNI"},
        {{"v=STSv1; other=x"}, "MSNI"},
        {{"v=STSv1; ID=a"}, "MSNI"},
        {{"v=STSv1; id="}, "MSTX"},
        {{"v=STSv1; id"}, "MSTX"},
        {{"v=STSv1;; id=a"}, "MSTX"},
        {{"v=STSv1; id=a-b"}, "MSID"},
        {{"v=STSv1; id=a b"}, "MSID"},
        {{"v=STSv1; id=123456789012345678901234567890123"}, "MSID"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.texts);
        CHECK(id_of(row.texts) == row.id);
    }
}

TEST_CASE("a policy of MTA-STS (RFC 8461 3.2)") {
    struct Row {
        std::string text, told;
    };
    const std::vector<Row> rows = {
        {good, "enforce 86400 mx.example.org"},
        {"version: STSv1\r\nmode: testing\r\nmx: *.example.net\r\nmx: mx.Example.ORG\r\nmax_age: 1\r\n",
         "testing 1 *.example.net mx.example.org"},
        {"version:STSv1\nmode:none\nmax_age:0", "none 0"},
        {"version: STSv1 \nmode:\t enforce\t\nmx:a.example\nmax_age: 31557600", "enforce 31557600 a.example"},
        {"mode: enforce\nmax_age: 5\nmx: a.example\nversion: STSv1\n", "enforce 5 a.example"},
        {with("max_age: 99"), "enforce 86400 mx.example.org"},
        {with("mode: none"), "enforce 86400 mx.example.org"},
        {with("version: STSv2"), "enforce 86400 mx.example.org"},
        {with("x-more.of_it: anything: at all \xC3\xBC"), "enforce 86400 mx.example.org"},
        {with("") + "\r\n  \n", "enforce 86400 mx.example.org"},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9999999999\n", "enforce 31557600 a.example"},
        // What is missing.
        {"", "MSNV"},
        {"mode: enforce\nmx: a.example\nmax_age: 1\n", "MSNV"},
        {"Version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n", "MSNV"},
        {"version: STSv1\nmx: a.example\nmax_age: 1\n", "MSNM"},
        {"version: STSv1\nmode: enforce\nmx: a.example\n", "MSNA"},
        {"version: STSv1\nmode: enforce\nmax_age: 1\n", "MSNX"},
        {"version: STSv1\nmode: testing\nmax_age: 1\n", "MSNX"},
        // What is wrong.
        {"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n", "MSVE"},
        {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", "MSMO"},
        {"version: STSv1\nmode: report\nmx: a.example\nmax_age: 1\n", "MSMO"},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1\n", "MSAG"},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1d\n", "MSAG"},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 12345678901\n", "MSAG"},
        {with("mx: *"), "MSMX"},
        {with("mx: *.*.example"), "MSMX"},
        {with("mx: a.*.example"), "MSMX"},
        {with("mx: *a.example"), "MSMX"},
        {with("mx: a_b.example"), "MSMX"},
        {with("mx: a.example."), "MSMX"},
        {with("mx: \\097.example"), "MSMX"},
        {with("mx: .example"), "MSMX"},
        {with("mx: [192.0.2.1]"), "MSMX"},
        {with("mx: a.example b.example"), "MSMX"},
        {with("mx:"), "MSVA"},
        {with("key:\tx\x01"), "MSVA"},
        {with("<html>"), "MSLI"},
        {with("mode : none"), "MSLI"},
        {with(" mode: none"), "MSLI"},
        {with(": x"), "MSLI"},
        {"\n" + good, "MSEM"},
        {good + "\n" + good, "MSEM"},
        {"\xEF\xBB\xBF" + good, "MSLI"},
        {"version: STSv1\rmode: enforce\rmx: a.example\rmax_age: 1\r", "MSVA"},
        {good + std::string(64 * 1024, 'x'), "MSBI"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text.substr(0, 200));
        CHECK(told(row.text) == row.told);
    }
}

TEST_CASE("a policy's lines make the same policy") {
    const auto policy =
        parse_sts_policy("version: STSv1\nmode: testing\nmx: *.b.example\nmx: a.example\nmax_age: 77\n");
    REQUIRE(policy.has_value());
    std::string text;
    for (const std::string& line : sts_lines(*policy)) text += line + "\n";
    const auto again = parse_sts_policy(text);
    REQUIRE(again.has_value());
    CHECK(*again == *policy);
}

TEST_CASE("the TXT record of TLSRPT (RFC 8460 3)") {
    struct Row {
        std::vector<std::string> texts;
        std::string rua;
    };
    const std::vector<Row> rows = {
        {{"v=TLSRPTv1; rua=mailto:reports@example.com"}, "mailto:reports@example.com"},
        {{"v=TLSRPTv1;rua=mailto:a@b.example , HTTPS://c.example/v1/tlsrpt;"},
         "mailto:a@b.example HTTPS://c.example/v1/tlsrpt"},
        {{"v=TLSRPTv1; rua=https://c.example/?a=b"}, "https://c.example/?a=b"},
        {{"v=TLSRPTv1; more=x; rua=ftp://c.example,mailto:a@b.example"}, "mailto:a@b.example"},
        {{"v=TLSRPTv1; rua=mailto:a@b.example", "other"}, "mailto:a@b.example"},
        {{}, "-"},
        {{"v=TLSRPTv2; rua=mailto:a@b.example"}, "-"},
        {{"v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@d.example"}, "-"},
        {{"v=TLSRPTv1;"}, "MTRR"},
        {{"v=TLSRPTv1; rua"}, "MTRX"},
        {{"v=TLSRPTv1; rua=ftp://c.example"}, "MTRN"},
        {{"v=TLSRPTv1; rua=mailto:"}, "MTRN"},
        {{"v=TLSRPTv1; rua=mailto:a b@c.example"}, "MTRU"},
        {{"v=TLSRPTv1; rua=mailto:a@b.example!10m"}, "MTRU"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.texts);
        CHECK(rua_of(row.texts) == row.rua);
    }
}

TEST_CASE("an MTA-STS pattern's star stands for exactly one label (RFC 8461 4.1)") {
    CHECK(matches_sts(name("mx.example.org"), {"mx.example.org"}));
    CHECK(matches_sts(name("mx.example.org"), {"*.example.org"}));
    CHECK_FALSE(matches_sts(name("a.mx.example.org"), {"*.example.org"}));
    CHECK_FALSE(matches_sts(name("example.org"), {"*.example.org"}));
    CHECK_FALSE(matches_sts(name("mx.example.org"), {"example.org", "mx.example.com"}));
    CHECK_FALSE(matches_sts(name("mx.example.org"), {}));
}
