#include "client/words.h"

#include <catch2/catch.hpp>

#include "client/columns.h"

using namespace mxtrust::client;

namespace {

const char* good_reply =
    R"json({"id":null,"version":1,"domain":"example.org","asked":"Example.ORG","time":1795305600,"expires":1795309200,
"decision":{"action":"deliver","level":"dane-partial","authenticated":false,"code":null,
  "text":"1 of 3 hosts is authenticated by DANE, mail may also go to 1 without; mx3.example.org is skipped for now","tlsrpt":null,"retry_after":null},
"mx":{"security":"secure","outcome":"records","expires":1795309200,"reason":null,"signer":"example.org"},
"hosts":[
 {"name":"mx1.example.org","preference":10,"flags":[],
  "a":{"security":"secure","outcome":"records"},"aaaa":{"security":"secure","outcome":"records"},
  "tlsa":{"security":"secure","outcome":"records"},"policy":{"action":"dane","code":null,"text":"TLS is required"}},
 {"name":"mx2.example.net","preference":20,"flags":["cname"],
  "a":{"security":"insecure","outcome":"records"},"aaaa":{"security":"insecure","outcome":"nodata"},
  "tlsa":null,"policy":{"action":"may","code":null,
  "text":"the addresses of mx2.example.net are not signed with DNSSEC, so TLSA was not asked; TLS is used where it is offered"}},
 {"name":"mx3.example.org","preference":30,"flags":[],
  "a":{"security":"secure","outcome":"records"},"aaaa":{"security":"indeterminate","outcome":"failure"},
  "tlsa":{"security":"bogus","outcome":"failure"},"policy":{"action":"skip","code":"4.7.324 dnssec-invalid",
  "text":"the TLSA records of mx3.example.org are bogus: the signature expired 2 h ago (key tag 12345)"
}
}],
"sts":null,"tlsrpt":null
})json";

const char* good_words = R"json(example.org  (Example.ORG)
  MX secure, signed by example.org, good for 60 min
     10 mx1.example.org  DANE     addresses secure, TLSA secure
     20 mx2.example.net  no DANE  A not signed, AAAA none, TLSA not asked
        the addresses of mx2.example.net are not signed with DNSSEC, so TLSA was
        not asked; TLS is used where it is offered
     30 mx3.example.org  skip     A secure, AAAA failed, TLSA bogus
        4.7.324 dnssec-invalid: the TLSA records of mx3.example.org are bogus:
        the signature expired 2 h ago (key tag 12345)
  deliver: 1 of 3 hosts is authenticated by DANE, mail may also go to 1 without;
    mx3.example.org is skipped for now.
)json";

const char* deferred_reply = R"json({"domain":"example.org","asked":"example.org","time":1795305600,
"decision":{"action":"defer","level":null,"code":"4.7.324 dnssec-invalid","text":"the MX records of example.org are bogus: signature expired","retry_after":900},
"mx":{"security":"bogus","outcome":"failure","expires":1795305660,"reason":"signature expired","signer":null},"hosts":[]})json";

const char* deferred_words = R"json(example.org
  MX bogus
  defer, 4.7.324 dnssec-invalid: The MX records of example.org are bogus:
    signature expired. Look again in 15 min.
)json";

}  // namespace

TEST_CASE("a mail answer reads well at 80 columns: one line a host, reasons below, the decision last") {
    const std::string words = words_of(Command::mail, Json::parse(good_reply), Colour::off);
    CHECK(words == good_words);
    CHECK(widest(words) <= 80);
    CHECK(words_of(Command::mail, Json::parse(deferred_reply), Colour::off) == deferred_words);
}

TEST_CASE("colour changes nothing but the colour") {
    std::string coloured = words_of(Command::mail, Json::parse(good_reply), Colour::on);
    CHECK(coloured.find("\x1b[32m") != std::string::npos);
    for (std::size_t start = coloured.find('\x1b'); start != std::string::npos; start = coloured.find('\x1b')) {
        coloured.erase(start, coloured.find('m', start) + 1 - start);
    }
    CHECK(coloured == words_of(Command::mail, Json::parse(good_reply), Colour::off));
    CHECK(widest(coloured) <= 80);
}

TEST_CASE("control characters of a reply never reach the terminal") {
    Json reply = Json::parse(good_reply);
    reply["domain"] = "a\x1b[2Jb\nc";
    reply["decision"]["text"] = "bell \a, C1 \xc2\x9b, override \xe2\x80\xae";
    reply["hosts"][0]["name"] = "\rmx";
    reply["hosts"][2]["policy"]["text"] = "\x1b]0;title\x07";
    const std::string words = words_of(Command::mail, reply, Colour::off);
    for (const char octet : words) CHECK((octet == '\n' || static_cast<unsigned char>(octet) >= 0x20));
    CHECK(words.find("\xc2\x9b") == std::string::npos);
    CHECK(words.find("\xe2\x80\xae") == std::string::npos);
}

TEST_CASE("a reply that lacks everything is printed without harm") {
    for (const Command command :
         {Command::mail, Command::rrset, Command::explain, Command::status, Command::failing, Command::flush}) {
        for (const char* text : {"{}", "[]", "null", "7",
                                 R"json({"hosts":7,"mx":[],"decision":"x","chain":{},"records":5,"failing":9})json",
                                 R"json({"time":-9e300,"sts":{"mode":"enforce","expires":18446744073709551615,"mx":[7]},
                                         "cache":{"entries":-9223372036854775808},"uptime":1e300,"hosts":[{"preference":1e99}],
                                         "decision":{"retry_after":9223372036854775807}})json"}) {
            CHECK_NOTHROW(words_of(command, Json::parse(text), Colour::on));
            CHECK_NOTHROW(status_of(command, Json::parse(text)));
        }
    }
}

TEST_CASE("the exit status is the decision") {
    struct Case {
        Command command;
        const char* reply;
        int status;
    };
    const std::vector<Case> cases = {
        {Command::mail, R"json({"decision":{"action":"deliver"}})json", 0},
        {Command::mail, R"json({"decision":{"action":"defer"}})json", 1},
        {Command::mail, R"json({"decision":{"action":"bounce"}})json", 2},
        {Command::mail, R"json({})json", 1},
        {Command::mail, R"json({"error":{"code":"bad-request"}})json", 64},
        {Command::mail, R"json({"error":{"code":"overloaded"}})json", 69},
        {Command::flush, R"json({"error":{"code":"forbidden"}})json", 1},
        {Command::rrset, R"json({"security":"secure","outcome":"records"})json", 0},
        {Command::rrset, R"json({"security":"insecure","outcome":"nxdomain"})json", 0},
        {Command::rrset, R"json({"security":"bogus","outcome":"failure"})json", 1},
        {Command::explain, R"json({"security":"indeterminate","outcome":"failure"})json", 1},
        {Command::status, R"json({})json", 0},
    };
    for (const Case& each : cases) {
        INFO(each.reply);
        CHECK(status_of(each.command, Json::parse(each.reply)) == each.status);
    }
}

TEST_CASE("an RRset and a chain in words") {
    CHECK(words_of(
              Command::rrset,
              Json::parse(R"json({"name":"_25._tcp.mx.example.org","type":"TLSA","time":1795305600,"security":"secure",
        "outcome":"records","expires":1795306600,"signer":"example.org","alias":null,"records":["3 1 1 9f"]})json"),
              Colour::off) ==
          "_25._tcp.mx.example.org TLSA\n  secure, signed by example.org, good for 16 min\n    3 1 1 9f\n");
    CHECK(words_of(Command::rrset,
                   Json::parse(R"json({"name":"a.example","type":"A","security":"secure","outcome":"nxdomain"})json"),
                   Colour::off) == "a.example A\n  no such name (proven)\n");
    CHECK(words_of(
              Command::explain,
              Json::parse(
                  R"json({"name":"a.example","type":"A","security":"bogus","outcome":"failure","reason":"no DS matches",
        "chain":[{"zone":".","security":"secure","ds":[{"key_tag":20326,"algorithm":"RSASHA256"}],"keys":[{"key_tag":20326,"algorithm":"RSASHA256",
        "secure_entry_point":true}],"servers":["a.root 192.0.2.1"]},{"zone":"example","security":"bogus","reason":"no DS matches"}]})json"),
              Colour::off) ==
          ". secure\n    DS 20326 RSASHA256\n    keys 20326 RSASHA256 (entry point)\n    servers a.root 192.0.2.1\n"
          "example bogus\n    reason: no DS matches\na.example A\n  bogus: no DS matches\n");
}

TEST_CASE("a sentence begins upper case, unless a name begins it, and ends once") {
    CHECK(sentence("the domain is gone") == "The domain is gone.");
    CHECK(sentence("mx1.example.org has no address") == "mx1.example.org has no address.");
    CHECK(sentence("is it spelled right?") == "Is it spelled right?");
    CHECK(sentence("done.") == "Done.");
    CHECK(sentence("") == "");
}

TEST_CASE("what is glued together is not broken, and has spaces") {
    Page page(Colour::off);
    page.put("", std::string(76, 'x') + " " + unbroken("3 1 1"), 2);
    CHECK(page.text() == std::string(76, 'x') + "\n  3 1 1\n");
}

TEST_CASE("spans and dates in words") {
    CHECK(span_words(-5) == "0 s");
    CHECK(span_words(119) == "119 s");
    CHECK(span_words(900) == "15 min");
    CHECK(span_words(3 * 3600) == "3 h");
    CHECK(span_words(3 * 86400) == "3 days");
    CHECK(date_words(1795305600) == "2026-11-22 00:00 UTC");
}
