#include <catch2/catch.hpp>

#include "played_server.h"

namespace mxtrust::probe {
namespace {

using namespace testing;

/// A server with one ECDSA certificate of its own.
struct Alone {
    explicit Alone(Order order = {}) : own(issue(order)) { script.certificates = {&own}; }
    Issued own;
    Script script;
};

TEST_CASE("a server whose key a 3 1 1 record names is authenticated at depth 0") {
    Alone server;
    const Visited result = visit(server.script, dane_target({record_for(server.own, 3, 1, 1)}));
    REQUIRE(result.seen.visit.trouble == Trouble::none);
    REQUIRE(result.seen.visit.handshake->authority);
    CHECK(result.seen.visit.handshake->authority->depth == 0);
    CHECK(result.seen.visit.handshake->authority->usage == 3);
    CHECK(result.seen.visit.handshake->matches == std::vector<std::optional<int>>{0});
    CHECK(result.heard.sni == "mx.example.org");
}

TEST_CASE("a visit greets, greets again inside TLS, says QUIT, and never names a sender") {
    Alone server;
    const Visited result = visit(server.script, dane_target({record_for(server.own, 3, 1, 1)}));
    CHECK(result.seen.visit.said_quit);
    // The second connection asks for the other kind of key, and there is none.
    const std::vector<std::string> said{"EHLO sender.example", "STARTTLS", "EHLO sender.example", "QUIT",
                                        "EHLO sender.example", "STARTTLS"};
    CHECK(result.heard.lines == said);
    CHECK(result.seen.other_absent);
}

TEST_CASE("records that fit, and records that do not (RFC 7671, RFC 7672 3)") {
    const Issued authority = issue({.name = "Authority", .is_authority = true});
    const Issued stranger = issue({.name = "Stranger", .is_authority = true});
    const Issued leaf = issue({.issuer = &authority});
    const Issued late = issue({.end = now - day, .issuer = &authority});
    const Issued early = issue({.begin = now + day, .issuer = &authority});
    const Issued other = issue({.name = "other.example", .issuer = &authority});
    const Issued next_hop = issue({.name = "example.org", .issuer = &authority});
    const Issued late_alone = issue({.name = "other.example", .end = now - day});
    struct Case {
        const char* what;
        const Issued* own;
        bool with_authority;
        std::vector<mail::TlsaRecord> records;
        Trouble trouble;
    };
    auto superseded = record_for(leaf, 3, 1, 1);
    superseded.counts = false;
    const std::vector<Case> cases{
        {"3 1 1", &leaf, false, {record_for(leaf, 3, 1, 1)}, Trouble::none},
        {"3 1 2", &leaf, false, {record_for(leaf, 3, 1, 2)}, Trouble::none},
        {"3 0 1", &leaf, false, {record_for(leaf, 3, 0, 1)}, Trouble::none},
        {"3 0 0", &leaf, false, {record_for(leaf, 3, 0, 0)}, Trouble::none},
        {"3 1 0", &leaf, false, {record_for(leaf, 3, 1, 0)}, Trouble::none},
        {"3 1 1 of another key", &leaf, false, {record_for(stranger, 3, 1, 1)}, Trouble::no_match},
        {"3 1 1 of the authority: usage 3 is about the server's own",
         &leaf,
         true,
         {record_for(authority, 3, 1, 1)},
         Trouble::no_match},
        {"two records, the second fits",
         &leaf,
         false,
         {record_for(stranger, 3, 1, 1), record_for(leaf, 3, 1, 1)},
         Trouble::none},
        {"usage 3 ignores dates and names", &late_alone, false, {record_for(late_alone, 3, 1, 1)}, Trouble::none},
        {"a record that does not count decides nothing",
         &leaf,
         false,
         {superseded, record_for(stranger, 3, 1, 2)},
         Trouble::no_match},
        {"2 1 1, anchor sent", &leaf, true, {record_for(authority, 2, 1, 1)}, Trouble::none},
        {"2 0 1, anchor sent", &leaf, true, {record_for(authority, 2, 0, 1)}, Trouble::none},
        {"2 0 1, anchor not sent", &leaf, false, {record_for(authority, 2, 0, 1)}, Trouble::no_match},
        {"2 0 0: the record has the anchor", &leaf, false, {record_for(authority, 2, 0, 0)}, Trouble::none},
        {"2 1 0: the record has the anchor's key", &leaf, false, {record_for(authority, 2, 1, 0)}, Trouble::none},
        {"2 1 1 of another authority", &leaf, true, {record_for(stranger, 2, 1, 1)}, Trouble::no_match},
        {"2 1 1 of the server's own key: usage 2 is about those above",
         &leaf,
         false,
         {record_for(leaf, 2, 1, 1)},
         Trouble::no_match},
        {"2 1 1, leaf expired", &late, true, {record_for(authority, 2, 1, 1)}, Trouble::expired},
        {"2 1 1, leaf not yet valid", &early, true, {record_for(authority, 2, 1, 1)}, Trouble::not_yet_valid},
        {"2 1 1, another name", &other, true, {record_for(authority, 2, 1, 1)}, Trouble::wrong_name},
        {"2 1 1, the next-hop domain's name", &next_hop, true, {record_for(authority, 2, 1, 1)}, Trouble::none},
    };
    for (const Case& one : cases) {
        INFO(one.what);
        Script script;
        script.certificates = {one.own};
        if (one.with_authority) script.above = {&authority};
        const Visited result = visit(script, dane_target(one.records));
        CHECK(to_text(result.seen.visit.trouble) == to_text(one.trouble));
        REQUIRE(result.seen.visit.handshake);
        CHECK(result.seen.visit.handshake->authority.has_value() == (one.trouble == Trouble::none));
    }
}

TEST_CASE("a bare key that signed the topmost certificate is told as such") {
    const Issued authority = issue({.name = "Authority", .is_authority = true});
    const Issued leaf = issue({.issuer = &authority});
    Script script;
    script.certificates = {&leaf};
    const Visited result = visit(script, dane_target({record_for(authority, 2, 1, 0)}));
    REQUIRE(result.seen.visit.handshake->authority);
    CHECK(result.seen.visit.handshake->authority->by_bare_key);
}

TEST_CASE("a server with certificates of both kinds is visited for each") {
    const Issued ecdsa = issue({}), rsa = issue({.rsa = true});
    Script script;
    script.certificates = {&ecdsa, &rsa};
    SECTION("both are right") {
        const Visited result = visit(script, dane_target({record_for(ecdsa, 3, 1, 1), record_for(rsa, 3, 1, 1)}));
        REQUIRE(result.seen.other);
        CHECK(result.seen.decisive().trouble == Trouble::none);
        CHECK(result.seen.visit.handshake->chain.front().kind != result.seen.other->handshake->chain.front().kind);
    }
    SECTION("one is wrong, whichever") {
        for (const Issued* right : {&ecdsa, &rsa}) {
            const Visited result = visit(script, dane_target({record_for(*right, 3, 1, 1)}));
            REQUIRE(result.seen.other);
            CHECK(result.seen.decisive().trouble == Trouble::no_match);
            CHECK((result.seen.visit.trouble == Trouble::none) != (result.seen.other->trouble == Trouble::none));
        }
    }
}

TEST_CASE("servers that are in the way of a delivery, each with its own word") {
    struct Case {
        const char* what;
        void (*spoil)(Script&);
        Trouble trouble;
        bool quit;
    };
    const std::vector<Case> cases{
        {"no STARTTLS", [](Script& s) { s.ehlo = "250-mx\r\n250 SIZE 1000\r\n"; }, Trouble::starttls_absent, true},
        {"STARTTLS as a part of another word", [](Script& s) { s.ehlo = "250-mx\r\n250 XSTARTTLS\r\n"; },
         Trouble::starttls_absent, true},
        {"STARTTLS in the server's name only", [](Script& s) { s.ehlo = "250 STARTTLS\r\n"; }, Trouble::starttls_absent,
         true},
        {"454", [](Script& s) { s.starttls = "454 TLS not available\r\n"; }, Trouble::starttls_temporary, true},
        {"502", [](Script& s) { s.starttls = "502 no\r\n"; }, Trouble::starttls_permanent, true},
        {"250 is no 220", [](Script& s) { s.starttls = "250 ok\r\n"; }, Trouble::starttls_permanent, true},
        {"cut", [](Script& s) { s.cut_at_starttls = true; }, Trouble::starttls_cut, false},
        {"cut at the handshake", [](Script& s) { s.cut_in_tls = true; }, Trouble::starttls_cut, false},
        {"cut in the handshake",
         [](Script& s) {
             s.cut_in_tls = true;
             s.instead_of_tls = "\x16\x03\x03";
         },
         Trouble::tls_cut, false},
        {"plaintext behind 220", [](Script& s) { s.starttls = "220 go\r\n250 more\r\n"; }, Trouble::injected, false},
        {"no TLS", [](Script& s) { s.instead_of_tls = "HTTP/1.0 400 Bad Request\r\n\r\n"; }, Trouble::tls_garbage,
         false},
        {"a handshake that stands still", [](Script& s) { s.instead_of_tls = "\x16"; }, Trouble::tls_timeout, false},
        {"421", [](Script& s) { s.greeting = "421 busy\r\n"; }, Trouble::greeting_temporary, true},
        {"554", [](Script& s) { s.greeting = "554 no\r\n"; }, Trouble::greeting_permanent, true},
        {"EHLO refused", [](Script& s) { s.ehlo = "502 no\r\n"; }, Trouble::greeting_permanent, true},
        {"no SMTP", [](Script& s) { s.greeting = "SSH-2.0-x\r\n"; }, Trouble::no_smtp, true},
        {"a code of two digits", [](Script& s) { s.greeting = "22 mx\r\n"; }, Trouble::no_smtp, true},
        {"codes that differ in one reply", [](Script& s) { s.greeting = "220-a\r\n250 b\r\n"; }, Trouble::no_smtp,
         true},
        {"says nothing", [](Script& s) { s.greeting.clear(); }, Trouble::silent, true},
        {"a line that never ends", [](Script& s) { s.greeting = "220 " + std::string(100000, 'x'); }, Trouble::endless,
         true},
        {"lines that never end",
         [](Script& s) {
             for (int n = 0; n < 5000; ++n) s.greeting += "220-and on\r\n";
         },
         Trouble::endless, true},
    };
    const Issued own = issue({});
    for (const Case& one : cases) {
        INFO(one.what);
        Script script;
        script.certificates = {&own};
        one.spoil(script);
        const Visited result = visit(script, dane_target({record_for(own, 3, 1, 1)}));
        CHECK(to_text(result.seen.visit.trouble) == to_text(one.trouble));
        CHECK_FALSE(result.seen.visit.handshake);
        CHECK_FALSE(result.seen.visit.detail.empty());
        CHECK(result.seen.visit.said_quit == one.quit);
        // The time for a connection, and for QUIT.
        CHECK(result.took <= std::chrono::seconds(22));
        CHECK(result.heard.connections == 1);
    }
}

TEST_CASE("the longest line and the longest reply that are taken") {
    const Issued own = issue({});
    Script script;
    script.certificates = {&own};
    script.greeting = "220 " + std::string(most_line_octets - 6, 'x') + "\r\n";
    script.ehlo = "250-mx\r\n";
    for (std::size_t line = 0; line < most_reply_lines - 2; ++line)
        script.ehlo += "250-X" + std::to_string(line) + "\r\n";
    script.ehlo += "250 STARTTLS\r\n";
    const Visited result = visit(script, dane_target({record_for(own, 3, 1, 1)}));
    CHECK(result.seen.visit.trouble == Trouble::none);
    CHECK(result.seen.visit.extensions.size() == 39);
}

TEST_CASE("what a server says is clean before anybody sees it") {
    Script script;
    script.greeting =
        "554 \x1b[31mred\x07 \xe2\x80\xae"
        "evil\r\n";
    const Visited result = visit(script, dane_target({}));
    CHECK(result.seen.visit.greeting == "554 ?[31mred? ?evil");
    CHECK(result.seen.visit.detail == "554 ?[31mred? ?evil");
}

TEST_CASE("where nothing is to be compared, no second visit is made and nothing is judged") {
    Alone server;
    Target target = dane_target({});
    target.action = mail::HostAction::may;
    const Visited result = visit(server.script, target);
    CHECK(result.seen.visit.trouble == Trouble::none);
    CHECK(result.heard.connections == 1);
    REQUIRE(result.seen.visit.handshake);
    CHECK(result.seen.visit.handshake->complaints.empty());
}

TEST_CASE("for MTA-STS a certificate of nobody's is not trusted, and a name is wanted") {
    Alone server;
    Target target = dane_target({});
    target.action = mail::HostAction::sts;
    target.names = {"mx.example.org"};
    const Visited result = visit(server.script, target);
    CHECK(result.seen.visit.trouble == Trouble::untrusted);
    CHECK(tlsrpt_of(result.seen.visit.trouble, Judging::webpki) == mail::TlsrptType::certificate_not_trusted);
}

TEST_CASE("a name in the subject alone counts for DANE, and not for MTA-STS (RFC 7672 3.2.3, RFC 8461 4.2)") {
    const Issued authority = issue({.name = "authority.example", .is_authority = true});
    for (const bool alternative : {true, false}) {
        const Issued leaf = issue({.issuer = &authority, .names_alternative = alternative});
        Script script;
        script.certificates = {&leaf};
        script.above = {&authority};
        Target target = dane_target({record_for(authority, 2, 1, 1)});
        target.names = {"mx.example.org"};
        CHECK(visit(script, target).seen.visit.trouble == Trouble::none);
        target.action = mail::HostAction::sts;
        const Visited result = visit(script, target);
        CHECK(result.seen.visit.trouble == Trouble::untrusted);  // nobody knows this authority, besides
        REQUIRE(result.seen.visit.handshake);
        CHECK(result.seen.visit.handshake->complains_of(X509_V_ERR_HOSTNAME_MISMATCH) != alternative);
    }
}

TEST_CASE("every trouble of TLS has a code and a result type, all others have none") {
    struct Case {
        Trouble trouble;
        std::optional<mail::Fault> fault;
        std::optional<mail::TlsrptType> type;
    };
    using mail::Fault;
    using mail::TlsrptType;
    const std::vector<Case> cases{
        {Trouble::starttls_absent, Fault::starttls_not_supported, TlsrptType::starttls_not_supported},
        {Trouble::starttls_temporary, Fault::starttls_not_supported, TlsrptType::starttls_not_supported},
        {Trouble::starttls_permanent, Fault::starttls_not_supported, TlsrptType::starttls_not_supported},
        {Trouble::starttls_cut, Fault::starttls_not_supported, TlsrptType::starttls_not_supported},
        {Trouble::expired, Fault::certificate_expired, TlsrptType::certificate_expired},
        {Trouble::not_yet_valid, Fault::tlsa_invalid, TlsrptType::validation_failure},
        {Trouble::no_match, Fault::tlsa_invalid, TlsrptType::tlsa_invalid},
        {Trouble::wrong_name, Fault::tlsa_invalid, TlsrptType::certificate_host_mismatch},
        {Trouble::untrusted, Fault::tlsa_invalid, TlsrptType::certificate_not_trusted},
        {Trouble::tls_garbage, Fault::tlsa_invalid, TlsrptType::validation_failure},
        {Trouble::connect_refused, std::nullopt, std::nullopt},
        {Trouble::silent, std::nullopt, std::nullopt},
        {Trouble::tls_ours, std::nullopt, std::nullopt},
        {Trouble::none, std::nullopt, std::nullopt},
    };
    for (const Case& one : cases) {
        INFO(to_text(one.trouble));
        CHECK(fault_of(one.trouble) == one.fault);
        CHECK(tlsrpt_of(one.trouble, Judging::dane) == one.type);
    }
}

}  // namespace
}  // namespace mxtrust::probe
