#include "serve/dns_reply.h"

#include <catch2/catch.hpp>

#include "dns/text.h"
#include "serve/findings.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Rcode;
using dns::Type;
using dnssec::Answer;
using dnssec::Outcome;
using dnssec::Security;
using serve::answer_reply;

namespace {

enum class Wants { nothing, ad, dnssec };

dns::Message query(std::string_view owner, Type type, Wants wants = Wants::nothing) {
    dns::Message message;
    message.id = 4711;
    message.recursion_desired = true;
    message.question = dns::Question{name(owner), type, dns::Class::in, {}};
    message.authentic_data = wants == Wants::ad;
    if (wants == Wants::dnssec) message.edns = dns::Edns{1232, 0, true, {}};
    return message;
}

std::vector<std::string> lines(const std::vector<dns::Record>& section) {
    std::vector<std::string> all;
    for (const dns::Record& record : section) {
        all.push_back(record.owner.to_text() + " " + std::to_string(record.ttl.count()) + " " +
                      dns::to_text(record.type) +
                      (record.type == Type::rrsig ? "" : " " + dns::rdata_to_text(record.type, record.rdata)));
    }
    return all;
}

const char* soa_text = "ns.example.org. admin.example.org. 1 3600 600 86400 300";
dns::RRset soa() {
    return set("example.org", Type::soa, {soa_text});
}
dns::RRset nsec() {
    return set("mx.example.org", Type::nsec, {"www.example.org. A RRSIG NSEC"});
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a reply carries the query's id, question, RD and CD, and says RA") {
    dns::Message asked = query("mx.example.org", Type::a);
    asked.checking_disabled = true;
    const dns::Message reply = answer_reply(
        asked, Answer({found({"mx.example.org", Type::a}, set("mx.example.org", Type::a, {"192.0.2.1"}))}), now);
    CHECK(reply.id == 4711);
    CHECK(reply.response);
    CHECK(reply.recursion_desired);
    CHECK(reply.recursion_available);
    CHECK(reply.checking_disabled);
    CHECK_FALSE(reply.authoritative);
    CHECK(reply.question->name == name("mx.example.org"));
    CHECK_FALSE(reply.edns.has_value());
}

TEST_CASE("TTLs are what is left until the finding expires") {
    const Answer answer({found({"mx.example.org", Type::a}, set("mx.example.org", Type::a, {"192.0.2.1"}))});
    CHECK(lines(answer_reply(query("mx.example.org", Type::a), answer, now).answer) ==
          Lines{"mx.example.org 300 A 192.0.2.1"});
    CHECK(lines(answer_reply(query("mx.example.org", Type::a), answer, now + std::chrono::seconds(299)).answer) ==
          Lines{"mx.example.org 1 A 192.0.2.1"});
    CHECK(lines(answer_reply(query("mx.example.org", Type::a), answer, now + std::chrono::seconds(400)).answer) ==
          Lines{"mx.example.org 0 A 192.0.2.1"});
}

TEST_CASE("AD is set where, and only where, it was asked for and everything is secure") {
    struct Case {
        const char* what;
        Wants wants;
        bool checking_disabled;
        Security security;
        bool ad;
    };
    const std::vector<Case> cases = {
        {"secure, AD asked", Wants::ad, false, Security::secure, true},
        {"secure, DO asked", Wants::dnssec, false, Security::secure, true},
        {"secure, not asked", Wants::nothing, false, Security::secure, false},
        {"secure, CD", Wants::dnssec, true, Security::secure, false},
        {"insecure, AD asked", Wants::ad, false, Security::insecure, false},
        {"insecure, DO asked", Wants::dnssec, false, Security::insecure, false},
    };
    for (const Case& each : cases) {
        INFO(each.what);
        dns::Message asked = query("mx.example.org", Type::a, each.wants);
        asked.checking_disabled = each.checking_disabled;
        const Answer answer(
            {found({"mx.example.org", Type::a, each.security}, set("mx.example.org", Type::a, {"192.0.2.1"}))});
        CHECK(answer_reply(asked, answer, now).authentic_data == each.ad);
    }
}

TEST_CASE("27: AD is that of the weakest link of an alias chain") {
    const auto secure = found({"a.example.org", Type::a}, set("a.example.org", Type::cname, {"b.example.org."}));
    const auto insecure = found({"b.example.org", Type::a, Security::insecure},
                                set("b.example.org", Type::cname, {"c.example.org."}, ""));
    const auto last = found({"c.example.org", Type::a}, set("c.example.org", Type::a, {"192.0.2.1"}));
    CHECK_FALSE(
        answer_reply(query("a.example.org", Type::a, Wants::ad), Answer({secure, insecure, last}), now).authentic_data);
    const auto direct = found({"b.example.org", Type::a}, set("b.example.org", Type::a, {"192.0.2.1"}));
    CHECK(answer_reply(query("a.example.org", Type::a, Wants::ad), Answer({secure, direct}), now).authentic_data);
}

TEST_CASE("26: there is no AD on a denial without its proof") {
    const Answer bare({denied("mx.example.org", Type::tlsa, Outcome::nodata, {})});
    CHECK_FALSE(answer_reply(query("mx.example.org", Type::tlsa, Wants::ad), bare, now).authentic_data);
    const Answer proven({denied("mx.example.org", Type::tlsa, Outcome::nodata, {soa(), nsec()})});
    CHECK(answer_reply(query("mx.example.org", Type::tlsa, Wants::ad), proven, now).authentic_data);
}

TEST_CASE("signatures and proofs go only to who asked for DNSSEC (RFC 4035 3.2.1)") {
    const Answer answer({denied("mx.example.org", Type::tlsa, Outcome::nxdomain, {soa(), nsec()})});
    const dns::Message plain = answer_reply(query("mx.example.org", Type::tlsa), answer, now);
    CHECK(plain.rcode == Rcode::nxdomain);
    CHECK(plain.answer.empty());
    CHECK(lines(plain.authority) == Lines{std::string("example.org 300 SOA ") + soa_text});
    const dns::Message full = answer_reply(query("mx.example.org", Type::tlsa, Wants::dnssec), answer, now);
    CHECK(lines(full.authority) == Lines{std::string("example.org 300 SOA ") + soa_text, "example.org 300 RRSIG",
                                         "mx.example.org 300 NSEC www.example.org. A RRSIG NSEC",
                                         "mx.example.org 300 RRSIG"});
    CHECK(full.edns->dnssec_ok);
}

TEST_CASE("a wildcard's answer brings the proof that no closer name exists") {
    const Answer answer({found({"x.example.org", Type::a}, set("x.example.org", Type::a, {"192.0.2.1"}), {nsec()})});
    CHECK(answer_reply(query("x.example.org", Type::a), answer, now).authority.empty());
    CHECK(lines(answer_reply(query("x.example.org", Type::a, Wants::dnssec), answer, now).authority) ==
          Lines{"mx.example.org 300 NSEC www.example.org. A RRSIG NSEC", "mx.example.org 300 RRSIG"});
}

TEST_CASE("an alias chain is shown link by link, and its end decides the rcode") {
    const auto first = found({"a.example.org", Type::a}, set("a.example.org", Type::cname, {"b.example.org."}));
    const auto end = denied("b.example.org", Type::a, Outcome::nxdomain, {soa(), nsec()});
    const dns::Message reply = answer_reply(query("a.example.org", Type::a), Answer({first, end}), now);
    CHECK(reply.rcode == Rcode::nxdomain);
    CHECK(lines(reply.answer) == Lines{"a.example.org 300 CNAME b.example.org."});
    CHECK(lines(reply.authority) == Lines{std::string("example.org 300 SOA ") + soa_text});
}

TEST_CASE("a DNAME is followed by the CNAME made from it, which has no signature (RFC 6672 3.1)") {
    const auto first = found({"x.old.example.org", Type::a}, set("old.example.org", Type::dname, {"new.example.org."}));
    const auto end = found({"x.new.example.org", Type::a}, set("x.new.example.org", Type::a, {"192.0.2.1"}));
    const dns::Message reply =
        answer_reply(query("x.old.example.org", Type::a, Wants::dnssec), Answer({first, end}), now);
    CHECK(lines(reply.answer) == Lines{"old.example.org 300 DNAME new.example.org.", "old.example.org 300 RRSIG",
                                       "x.old.example.org 300 CNAME x.new.example.org.",
                                       "x.new.example.org 300 A 192.0.2.1", "x.new.example.org 300 RRSIG"});
    CHECK(reply.authentic_data);
}

TEST_CASE("a DNAME whose substitution grows too long is YXDOMAIN (RFC 6672 2.2)") {
    const std::string label(60, 'x');
    const std::string target = label + "." + label + "." + label + "." + label + ".";
    const std::string asked = label + "." + "old.example.org";
    const auto only = found({asked, Type::a}, set("old.example.org", Type::dname, {target}));
    const dns::Message reply = answer_reply(query(asked, Type::a), Answer({only}), now);
    CHECK(reply.rcode == Rcode::yxdomain);
    CHECK(reply.answer.size() == 1);

    dnssec::Finding::Parts parts;
    parts.name = name(asked);
    parts.type = Type::a;
    parts.outcome = Outcome::failure;
    parts.rcode = Rcode::yxdomain;
    parts.expires = later;
    const Answer told({only, dnssec::Finding::failure(std::move(parts))});
    const dns::Message same = answer_reply(query(asked, Type::a, Wants::ad), told, now);
    CHECK(same.rcode == Rcode::yxdomain);
    CHECK(same.answer.size() == 1);
    CHECK(same.authentic_data);
}

TEST_CASE("bogus and failed links make the whole SERVFAIL, without data, with the reason as EDE") {
    const dnssec::Reason expired{
        .code = "TST1"_code, .ede = dns::Ede::signature_expired, .text = "signature of A expired"};
    const dnssec::Reason silent{
        .code = "TST2"_code, .ede = dns::Ede::no_reachable_authority, .text = "no server of example.org answers"};
    const auto alias = found({"a.example.org", Type::a}, set("a.example.org", Type::cname, {"b.example.org."}));
    struct Case {
        const char* what;
        Answer answer;
        dns::Ede code;
        std::string text;
    };
    const std::vector<Case> cases = {
        {"bogus", Answer({bogus("a.example.org", Type::a, expired)}), dns::Ede::signature_expired,
         "signature of A expired [TST1]"},
        {"bogus without code", Answer({bogus("a.example.org", Type::a, {.text = "wrong"})}), dns::Ede::dnssec_bogus,
         "wrong"},
        {"failed", Answer({failed("a.example.org", Type::a, silent)}), dns::Ede::no_reachable_authority,
         "no server of example.org answers [TST2]"},
        {"bogus behind an alias", Answer({alias, bogus("b.example.org", Type::a, expired)}),
         dns::Ede::signature_expired, "signature of A expired [TST1]"},
        {"failed in an unsigned zone",
         Answer({found({"a.example.org", Type::a, Security::insecure, Outcome::failure}, {}, {}, silent)}),
         dns::Ede::no_reachable_authority, "no server of example.org answers [TST2]"},
    };
    for (const Case& each : cases) {
        INFO(each.what);
        const dns::Message reply = answer_reply(query("a.example.org", Type::a, Wants::dnssec), each.answer, now);
        CHECK(reply.rcode == Rcode::servfail);
        CHECK(reply.answer.empty());
        CHECK(reply.authority.empty());
        CHECK_FALSE(reply.authentic_data);
        const auto errors = reply.edns->extended_errors();
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].code == each.code);
        CHECK(errors[0].text == each.text);
        CHECK_FALSE(answer_reply(query("a.example.org", Type::a), each.answer, now).edns.has_value());
    }
}

TEST_CASE("a failure told again from memory says so, beside its own reason (RFC 8914 4.14)") {
    const dnssec::Reason silent{
        .code = "TST2"_code, .ede = dns::Ede::no_reachable_authority, .text = "no server of example.org answers"};
    const auto finding = dnssec::Finding::remembered(failed("a.example.org", Type::a, silent));
    const dns::Message reply = answer_reply(query("a.example.org", Type::a, Wants::dnssec), Answer({finding}), now);
    const auto errors = reply.edns->extended_errors();
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].code == dns::Ede::no_reachable_authority);
    CHECK(errors[1].code == dns::Ede::cached_error);
    const auto good = found({"a.example.org", Type::a}, set("a.example.org", Type::a, {"192.0.2.1"}));
    CHECK(dnssec::Finding::remembered(good) == good);
}

TEST_CASE("no failure goes out without an EDE, whatever its reason lacks (RFC 8914)") {
    for (const auto& finding : {failed("a.example.org", Type::a, {}), bogus("a.example.org", Type::a, {})}) {
        const dns::Message reply = answer_reply(query("a.example.org", Type::a, Wants::dnssec), Answer({finding}), now);
        CHECK(reply.rcode == Rcode::servfail);
        CHECK(reply.edns->extended_errors().size() == 1);
    }
    const dns::Message reply = serve::any_reply(query("a.example.org", Type::any, Wants::dnssec), {}, now);
    CHECK(reply.rcode == Rcode::servfail);
    CHECK(reply.edns->extended_errors().size() == 1);
}

TEST_CASE("an EDE text is cut before the place in the source, never through it") {
    const dnssec::Reason reason{.code = "TST4"_code, .text = std::string(1000, 'x')};
    const dns::Message reply = answer_reply(query("a.example.org", Type::a, Wants::dnssec),
                                            Answer({bogus("a.example.org", Type::a, reason)}), now);
    const std::string text = reply.edns->extended_errors().at(0).text;
    CHECK(text == std::string(dns::most_ede_octets - 7, 'x') + " [TST4]");
}

TEST_CASE("an answer that is insecure for a reason brings that reason as EDE") {
    const dnssec::Reason reason{
        .code = "TST3"_code, .ede = dns::Ede::unsupported_nsec3_iterations, .text = "2500 NSEC3 iterations"};
    const Answer answer({found({"a.example.org", Type::a, Security::insecure},
                               set("a.example.org", Type::a, {"192.0.2.1"}), {}, reason)});
    const dns::Message reply = answer_reply(query("a.example.org", Type::a, Wants::dnssec), answer, now);
    CHECK(reply.rcode == Rcode::noerror);
    REQUIRE(reply.edns->extended_errors().size() == 1);
    CHECK(reply.edns->extended_errors()[0].code == dns::Ede::unsupported_nsec3_iterations);
}

TEST_CASE("type ANY gives all sets, and SERVFAIL where one of them is bogus") {
    const auto a = found({"example.org", Type::a}, set("example.org", Type::a, {"192.0.2.1"}));
    const auto mx = found({"example.org", Type::mx}, set("example.org", Type::mx, {"10 mx.example.org."}));
    const dns::Message good = serve::any_reply(query("example.org", Type::any, Wants::ad), {a, mx}, now);
    CHECK(lines(good.answer) == Lines{"example.org 300 A 192.0.2.1", "example.org 300 MX 10 mx.example.org."});
    CHECK(good.authentic_data);
    const dns::Message bad =
        serve::any_reply(query("example.org", Type::any), {a, bogus("example.org", Type::mx, {.text = "x"})}, now);
    CHECK(bad.rcode == Rcode::servfail);
    CHECK(bad.answer.empty());
    CHECK(serve::any_reply(query("example.org", Type::any), {}, now).rcode == Rcode::servfail);
}

TEST_CASE("type ANY below a DNAME: the DNAME, the CNAME made from it, and what is there (RFC 6672 3.1)") {
    const auto dname = found({"a.old.example.org", Type::any}, set("old.example.org", Type::dname, {"example.org."}));
    const auto a = found({"a.example.org", Type::a}, set("a.example.org", Type::a, {"192.0.2.1"}));
    const dns::Message reply = serve::any_reply(query("a.old.example.org", Type::any), {dname, a}, now);
    CHECK(reply.rcode == Rcode::noerror);
    CHECK(lines(reply.answer) == Lines{"old.example.org 300 DNAME example.org.",
                                       "a.old.example.org 300 CNAME a.example.org.", "a.example.org 300 A 192.0.2.1"});
    const auto nothing = denied("a.example.org", Type::any, Outcome::nxdomain, {soa(), nsec()});
    const dns::Message denial = serve::any_reply(query("a.old.example.org", Type::any), {dname, nothing}, now);
    CHECK(denial.rcode == Rcode::nxdomain);
    CHECK(denial.answer.size() == 2);
    CHECK(denial.authority.size() == 1);
}

TEST_CASE(
    "37: a compact denial is NXDOMAIN, but NOERROR to who gets its proof, which is that of a NODATA (RFC 9824 5)") {
    dnssec::Finding::Parts parts;
    parts.name = name("no.example.org");
    parts.type = Type::a;
    parts.outcome = Outcome::nxdomain;
    parts.rcode = Rcode::noerror;  // as it was received
    parts.zone = name("example.org");
    parts.expires = later;
    for (dns::RRset& each : std::vector<dns::RRset>{
             soa(), set("no.example.org", Type::nsec, {"\\000.no.example.org. RRSIG NSEC TYPE128"})})
        parts.proof.push_back(std::make_shared<const dns::RRset>(std::move(each)));
    const Answer answer({dnssec::Finding::proven(forged_key(), Security::secure, std::move(parts))});
    CHECK(answer_reply(query("no.example.org", Type::a), answer, now).rcode == Rcode::nxdomain);
    CHECK(answer_reply(query("no.example.org", Type::a, Wants::ad), answer, now).rcode == Rcode::nxdomain);
    CHECK(answer_reply(query("no.example.org", Type::a, Wants::dnssec), answer, now).rcode == Rcode::noerror);
    const Answer plain({denied("no.example.org", Type::a, Outcome::nxdomain, {soa(), nsec()})});
    CHECK(answer_reply(query("no.example.org", Type::a, Wants::dnssec), plain, now).rcode == Rcode::nxdomain);
}

TEST_CASE("type ANY below a DNAME gives the DNAME and the CNAME made from it (RFC 6672 3.1)") {
    const auto dname = found({"a.example.org", Type::any}, set("example.org", Type::dname, {"example.net."}));
    const dns::Message reply = serve::any_reply(query("a.example.org", Type::any, Wants::ad), {dname}, now);
    CHECK(lines(reply.answer) == Lines{"example.org 300 DNAME example.net.", "a.example.org 300 CNAME a.example.net."});
    CHECK(reply.rcode == Rcode::noerror);
    CHECK(reply.authentic_data);
}

TEST_CASE(
    "26 twin: an insecure denial with a whole proof beside it, or a secure one that nobody asked AD of, has no AD") {
    const Answer insecure(
        {found({"mx.example.org", Type::tlsa, Security::insecure, Outcome::nodata}, {}, {soa(), nsec()})});
    CHECK_FALSE(answer_reply(query("mx.example.org", Type::tlsa, Wants::ad), insecure, now).authentic_data);
    const Answer secure({denied("mx.example.org", Type::tlsa, Outcome::nodata, {soa(), nsec()})});
    CHECK_FALSE(answer_reply(query("mx.example.org", Type::tlsa), secure, now).authentic_data);
}

TEST_CASE("25: with CD the authority's answer is passed on and never AD") {
    resolve::RawAnswer raw;
    raw.rcode = Rcode::noerror;
    raw.answer = {set("a.example.org", Type::a, {"192.0.2.1"})};
    raw.expires = later;
    dns::Message asked = query("a.example.org", Type::a, Wants::dnssec);
    asked.checking_disabled = true;
    const dns::Message reply = serve::unchecked_reply(asked, raw, now);
    CHECK(lines(reply.answer) == Lines{"a.example.org 300 A 192.0.2.1", "a.example.org 300 RRSIG"});
    CHECK_FALSE(reply.authentic_data);
    CHECK(reply.checking_disabled);
}

TEST_CASE("the question is echoed in the client's letters (0x20)") {
    dns::Message asked = query("mx.example.org", Type::a);
    asked.question->spelled = std::string(
        "\x02mX\x07"
        "eXAmple\x03oRg\0",
        16);
    const Answer answer({found({"mx.example.org", Type::a}, set("mx.example.org", Type::a, {"192.0.2.1"}))});
    const Bytes wire = dns::render_message(answer_reply(asked, answer, now));
    const std::string_view text = as_text(wire);
    CHECK(text.find(asked.question->spelled) == 12);
    // The answer's owner points at the question.
    CHECK(text.substr(12 + 16 + 4, 2) == "\xc0\x0c");
}

TEST_CASE("a stale answer says so: a small TTL, EDE 3 or 19, never AD (RFC 8767 4)") {
    const Answer old({found({"mx.example.org", Type::a}, set("mx.example.org", Type::a, {"192.0.2.1"}))});
    const WallTime after = later + std::chrono::seconds(100);
    const dns::Message reply =
        serve::stale_reply(query("mx.example.org", Type::a, Wants::dnssec), old, after, std::chrono::seconds(30));
    CHECK(reply.rcode == Rcode::noerror);
    CHECK_FALSE(reply.authentic_data);
    REQUIRE(reply.answer.size() == 2);
    CHECK(reply.answer.front().ttl == dns::Ttl(30));
    REQUIRE(reply.edns);
    CHECK(reply.edns->extended_errors().front().code == dns::Ede::stale_answer);
    const Answer nothing({denied("no.example.org", Type::a, Outcome::nxdomain, {soa()})});
    const dns::Message denial =
        serve::stale_reply(query("no.example.org", Type::a, Wants::dnssec), nothing, after, std::chrono::seconds(30));
    CHECK(denial.rcode == Rcode::nxdomain);
    CHECK(denial.edns->extended_errors().front().code == dns::Ede::stale_nxdomain_answer);
}
