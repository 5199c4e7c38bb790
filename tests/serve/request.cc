#include "serve/request.h"

#include <catch2/catch.hpp>

#include "serve/render.h"

using namespace mxtrust;
using namespace mxtrust::serve;

namespace {

Request good(std::string_view line) {
    auto parsed = parse_request(line);
    INFO(line);
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) FAIL(bad->failure.text);
    return std::get<Request>(std::move(parsed));
}

template <class Kind>
Kind asked(std::string_view line) {
    Request request = good(line);
    REQUIRE(std::holds_alternative<Kind>(request.what));
    return std::get<Kind>(std::move(request.what));
}

}  // namespace

TEST_CASE("both forms of a request mean the same") {
    for (const char* line :
         {"mail Example.ORG", "  mail\tExample.ORG \r", R"({"query":"mail","domain":"Example.ORG"})",
          R"({"query":"mail","domain":"Example.ORG","port":25,"sts":true,"deadline_ms":5000,"refresh":false})"}) {
        const auto mail = asked<MailRequest>(line);
        CHECK(mail.asked == "Example.ORG");
        CHECK(mail.next_hop.to_text() == "example.org");
        CHECK(mail.port == 25);
        CHECK(mail.deadline == Duration(5000));
        CHECK(mail.freshness == Freshness::kept);
        CHECK(mail.sts == Sts::wanted);
    }
    for (const char* line :
         {"rrset _25._tcp.MX.example.org tlsa", R"({"query":"rrset","name":"_25._tcp.mx.example.org.","type":"TLSA"})",
          "rrset _25._tcp.mx.example.org TYPE52"}) {
        const auto rrset = asked<RRsetRequest>(line);
        CHECK(rrset.name.to_text() == "_25._tcp.mx.example.org");
        CHECK(rrset.type == dns::Type::tlsa);
    }
    for (const char* line :
         {"explain example.org", R"({"query":"explain","domain":"example.org"})", "explain example.org MX"}) {
        const auto explain = asked<ExplainRequest>(line);
        CHECK(explain.what.name.to_text() == "example.org");
        CHECK(explain.what.type == dns::Type::mx);
        CHECK(explain.domain.has_value() == !std::string_view(line).ends_with("MX"));
    }
    // A host in brackets has no MX: its addresses are where an explanation begins.
    const auto bracketed = asked<ExplainRequest>("explain [mx.example.org]:587");
    CHECK(bracketed.what.type == dns::Type::a);
    CHECK(bracketed.domain->port == 587);
    CHECK(std::holds_alternative<BadRequest>(parse_request("explain [192.0.2.1]")));
    for (const char* line : {"flush example.org", R"({"query":"flush","name":"example.org"})"}) {
        CHECK(asked<FlushRequest>(line).extent == Extent::subtree);
    }
    CHECK(asked<FlushRequest>(R"({"query":"flush","name":".","subtree":false})").extent == Extent::name);
    CHECK(asked<FailingRequest>("failing").limit == 100);
    CHECK(asked<FailingRequest>(R"({"query":"failing","limit":3})").limit == 3);
    CHECK(asked<DecideRequest>("decide [192.0.2.1]:587").mail.next_hop.to_text() == "[192.0.2.1]");
    asked<StatusRequest>("status");
    asked<StatusRequest>(R"({"query":"status"})");
}

TEST_CASE("a request's options are taken") {
    const auto mail = asked<MailRequest>(
        R"({"id":7,"query":"mail","domain":"example.org","port":587,"sts":false,"deadline_ms":100,"refresh":true,"future":[1,{}]})");
    CHECK(mail.port == 587);
    CHECK(mail.deadline == Duration(100));
    CHECK(mail.freshness == Freshness::refresh);
    CHECK(mail.sts == Sts::ignored);
}

TEST_CASE("an id is echoed as it came: numbers, strings, nothing else") {
    CHECK(good(R"({"id":7,"query":"status"})").id == "7");
    CHECK(good(R"({"id":-1.5,"query":"status"})").id == "-1.5");
    CHECK(good(R"({"id":"a\"b","query":"status"})").id == R"("a\"b")");
    CHECK(good(R"({"id":null,"query":"status"})").id == "null");
    CHECK(good(R"({"query":"status"})").id == "null");
    for (const char* id : {"true", "[1]", "{}"}) {
        const auto parsed = parse_request("{\"id\":" + std::string(id) + R"(,"query":"status"})");
        REQUIRE(std::holds_alternative<BadRequest>(parsed));
    }
    CHECK(std::holds_alternative<BadRequest>(
        parse_request(R"({"id":")" + std::string(300, 'x') + R"(","query":"status"})")));
}

TEST_CASE("a bad request is told what is wrong, where, and what would be right") {
    struct Case {
        std::string line, reply;
    };
    const std::vector<Case> cases = {
        {"",
         R"({"id":null,"error":{"code":"bad-request","text":"the line is empty; wanted is a JSON object or mail, decide, rrset, explain, status, failing, flush or reload"}})"},
        {"male example.org",
         R"({"id":null,"error":{"code":"bad-request","text":"\"male\" is no request; wanted is a JSON object or mail, decide, rrset, explain, status, failing, flush or reload"}})"},
        {"mail", R"({"id":null,"error":{"code":"bad-request","text":"wanted is: mail DOMAIN"}})"},
        {"mail a b", R"({"id":null,"error":{"code":"bad-request","text":"wanted is: mail DOMAIN"}})"},
        {"rrset example.org", R"({"id":null,"error":{"code":"bad-request","text":"wanted is: rrset NAME TYPE"}})"},
        {"rrset example.org FOO",
         R"({"id":null,"error":{"code":"bad-request","text":"type: \"FOO\" is no record type, such as MX, TLSA or TYPE52"}})"},
        {"rrset example.org ANY",
         R"({"id":null,"error":{"code":"bad-request","text":"type: \"ANY\" is no type of data; ask for one type, such as MX"}})"},
        {R"({"id":9,"query":"mail"})",
         R"({"id":9,"error":{"code":"bad-request","text":"domain: is missing; wanted is for example {\"query\":\"mail\",\"domain\":\"example.org\"}"}})"},
        {R"({"id":9,"query":"mail","domain":5})",
         R"({"id":9,"error":{"code":"bad-request","text":"domain: must be a string, is number"}})"},
        {R"({"id":9,"query":"mail","domain":"example.org","port":0})",
         R"({"id":9,"error":{"code":"bad-request","text":"port: must be a whole number, 1 to 65535, is 0"}})"},
        {R"({"id":9,"query":"mail","domain":"example.org","port":18446744073709551615})",
         R"({"id":9,"error":{"code":"bad-request","text":"port: must be a whole number, 1 to 65535, is 18446744073709551615"}})"},
        {R"({"id":9,"query":"mail","domain":"example.org","deadline_ms":99})",
         R"({"id":9,"error":{"code":"bad-request","text":"deadline_ms: must be a whole number, 100 to 30000, is 99"}})"},
        {R"({"id":9,"query":"mail","domain":"example.org","refresh":1})",
         R"({"id":9,"error":{"code":"bad-request","text":"refresh: must be true or false, is number"}})"},
        {R"({"id":9,"query":"post"})",
         R"({"id":9,"error":{"code":"bad-request","text":"query: \"post\" is unknown; wanted is mail, rrset, explain, status, failing, flush or reload"}})"},
        {R"({"id":9,"query":)",
         R"({"id":null,"error":{"code":"bad-request","text":"this is no JSON object in UTF-8, from octet 17 on"}})"},
        {"{\"query\":\"mail\",\"domain\":\"\xff\"}",
         R"({"id":null,"error":{"code":"bad-request","text":"this is no JSON object in UTF-8, from octet 27 on"}})"},
    };
    for (const Case& each : cases) {
        INFO(each.line);
        const auto parsed = parse_request(each.line);
        REQUIRE(std::holds_alternative<BadRequest>(parsed));
        CHECK(render_bad_request(std::get<BadRequest>(parsed)) == each.reply);
    }
}

TEST_CASE("a bad `decide` gets words, for it was to be one line of words") {
    const auto parsed = parse_request("decide a..b");
    REQUIRE(std::holds_alternative<BadRequest>(parsed));
    CHECK(render_bad_request(std::get<BadRequest>(parsed)).substr(0, 20) == "error - bad-request ");
}

TEST_CASE("rubbish is a bad request, whatever it is") {
    const std::vector<std::string> lines = {std::string("mail \0example.org", 17),
                                            "mail " + std::string(4000, 'a'),
                                            "mail " + std::string(64, 'a') + ".org",
                                            "{" + std::string(4000, '['),
                                            R"({"a":)" + std::string(2000, '[') + std::string(2000, ']') + "}",
                                            "{}",
                                            "{\"query\":\"mail\",\"domain\":\"a\\u0000b\"}",
                                            "mail \xff\xfe.example",
                                            "mail example.org:99999",
                                            std::string(4096, '\x01')};
    for (const std::string& line : lines) {
        const auto parsed = parse_request(line);
        REQUIRE(std::holds_alternative<BadRequest>(parsed));
        const std::string reply = render_bad_request(std::get<BadRequest>(parsed));
        CHECK(reply.find('\n') == std::string::npos);
        CHECK(reply.size() < 1000);
    }
    CHECK(render_bad_request(overlong_request("mail aaaa")) ==
          R"({"id":null,"error":{"code":"bad-request","text":"the line is longer than 4096 octets"}})");
}
