// What Postfix is told, by tables: from a request to a reply without a look-up, and from an answer to a policy.
#include "serve/postfix_policy.h"

#include <catch2/catch.hpp>

#include "dns/name.h"

using namespace mxtrust;
using dnssec::Outcome;
using dnssec::Security;
using mail::HostAction;
using serve::PolicyMap;

namespace {

mail::MailAnswer answer_of(Security mx, const std::vector<HostAction>& hosts) {
    mail::MailAnswer answer;
    answer.domain = "example.org";
    answer.mx = mail::MxStatus();
    answer.mx->status.security = mx;
    answer.mx->status.outcome = Outcome::records;
    answer.decision.action = mail::Action::deliver;
    for (const HostAction action : hosts) {
        mail::HostAnswer host;
        host.policy.action = action;
        answer.hosts.push_back(host);
    }
    return answer;
}

std::string plain(const mail::MailAnswer& answer) {
    return serve::policy_reply(PolicyMap::plain, answer);
}

}  // namespace

TEST_CASE("a socketmap request is a question, or has its reply at once") {
    struct Case {
        const char *request, *reply;  // "?" and the next-hop where it is a question
    };
    const std::vector<Case> cases = {
        {"policy example.org", "?example.org"},
        {"policy Example.ORG.", "?example.org"},
        {"policy-tlsrpt example.org", "?example.org"},
        {"policy [mx.example.org]", "?[mx.example.org]"},
        {"policy [mx.example.org]:587", "?[mx.example.org]"},
        {"policy [192.0.2.1]:25", "?[192.0.2.1]"},
        {"policy b\xc3\xbc"
         "cher.example",
         "?xn--bcher-kva.example"},
        {"policy .example.org", "NOTFOUND "},
        {"policy .org", "NOTFOUND "},
        {"policy-tlsrpt .", "NOTFOUND "},
        {"policy", "PERM a socketmap request is the name of a map, a space and a key; there is no space"},
        {"", "PERM a socketmap request is the name of a map, a space and a key; there is no space"},
        {"policies example.org",
         "PERM there is no map \"policies\" here; write socketmap:unix:PATH:policy, or policy-tlsrpt for Postfix 3.10 "
         "and "
         "newer"},
        {"policy ", "PERM \"\" is no next-hop: no domain was given"},
        {"policy [mx.example.org", "PERM \"[mx.example.org\" is no next-hop: the closing bracket is missing"},
        {"policy a\x01"
         "b",
         "PERM \"a?b\" is no next-hop: a control character is not allowed in a domain name; letters, "
         "digits, hyphens and dots are"},
    };
    for (const Case& each : cases) {
        INFO(each.request);
        const auto parsed = serve::parse_policy_request(each.request);
        if (const auto* reply = std::get_if<std::string>(&parsed)) {
            CHECK(*reply == each.reply);
        } else {
            CHECK("?" + std::get<serve::PolicyQuestion>(parsed).next_hop.to_text() == each.reply);
        }
    }
    const auto tlsrpt = serve::parse_policy_request("policy-tlsrpt [mx.example.org]:587");
    CHECK(std::get<serve::PolicyQuestion>(tlsrpt).map == PolicyMap::tlsrpt);
    CHECK(std::get<serve::PolicyQuestion>(tlsrpt).next_hop.port == 587);
}

TEST_CASE("dane-only where MX is secure and every host is DANE, dane where DANE has a say, else nothing") {
    struct Case {
        Security mx;
        std::vector<HostAction> hosts;
        const char* reply;
    };
    using enum HostAction;
    const std::vector<Case> cases = {
        {Security::secure, {dane}, "OK dane-only"},
        {Security::secure, {dane, dane}, "OK dane-only"},
        {Security::insecure, {dane}, "OK dane"},  // the domain is not authenticated (RFC 7672 2.2.1)
        {Security::secure, {dane, may}, "OK dane"},
        {Security::secure, {may, dane}, "OK dane"},
        {Security::secure, {dane, encrypt}, "OK dane"},
        {Security::secure, {dane, skip}, "OK dane"},  // one bad host costs no other
        {Security::secure, {dane, unreachable}, "OK dane"},
        {Security::secure, {encrypt}, "OK dane"},
        {Security::secure, {skip}, "OK dane"},
        {Security::secure, {skip, may}, "OK dane"},
        {Security::secure, {may}, "NOTFOUND "},
        {Security::secure, {may, unreachable}, "NOTFOUND "},
        {Security::insecure, {may}, "NOTFOUND "},
    };
    for (const Case& each : cases) {
        mail::MailAnswer answer = answer_of(each.mx, each.hosts);
        INFO(each.reply << " for " << each.hosts.size() << " hosts");
        CHECK(plain(answer) == each.reply);
        CHECK(serve::policy_reply(PolicyMap::tlsrpt, answer) == each.reply);
    }
}

TEST_CASE("a next-hop in brackets is the operator's own word: dane-only without any MX") {
    mail::MailAnswer answer = answer_of(Security::secure, {HostAction::dane});
    answer.mx.reset();
    CHECK(plain(answer) == "OK dane-only");
    answer.hosts[0].policy.action = HostAction::may;
    CHECK(plain(answer) == "NOTFOUND ");
}

TEST_CASE("the whole domain is put off only where its MX records cannot be had") {
    mail::MailAnswer answer = answer_of(Security::bogus, {});
    answer.mx->status.outcome = Outcome::failure;
    answer.decision = {mail::Action::defer,        {}, false, mail::Fault::dnssec_invalid, {}, {},
                       "the MX records are\nbogus"};
    CHECK(plain(answer) == "TEMP 4.7.324 dnssec-invalid: the MX records are?bogus");
    answer.mx->status.security = Security::indeterminate;
    answer.decision.fault = mail::Fault::dns_query_failed;
    answer.decision.text = "no answer";
    CHECK(plain(answer) == "TEMP 4.4.312 DNS query failed: no answer");
    // In an unsigned zone a failure is no absence, either.
    answer.mx->status.security = Security::insecure;
    CHECK(plain(answer) == "TEMP 4.4.312 DNS query failed: no answer");

    // All hosts are skipped: Postfix finds that out host by host.
    mail::MailAnswer skipped = answer_of(Security::secure, {HostAction::skip, HostAction::skip});
    skipped.decision = answer.decision;
    CHECK(plain(skipped) == "OK dane");
}

TEST_CASE("what bounces has no policy: Postfix finds null MX and missing domains itself") {
    mail::MailAnswer answer = answer_of(Security::secure, {});
    answer.decision.action = mail::Action::bounce;
    answer.decision.fault = mail::Fault::null_mx;
    CHECK(plain(answer) == "NOTFOUND ");
}

TEST_CASE("a reason of any length fits") {
    mail::MailAnswer answer = answer_of(Security::bogus, {});
    answer.decision.text = std::string(200'000, 'x');
    CHECK(plain(answer).size() < 1000);
}

TEST_CASE("MTA-STS becomes secure with its patterns; the plain map has no word that Postfix 3.7 does not know") {
    mail::MailAnswer answer = answer_of(Security::secure, {HostAction::sts});
    answer.sts = mail::StsPolicy{mail::StsPolicy::Mode::enforce, "1", {"mx.example.org", "*.example.net"}, {}};
    CHECK(plain(answer) == "OK secure servername=hostname match=mx.example.org match=.example.net");
    CHECK(serve::policy_reply(PolicyMap::tlsrpt, answer) ==
          "OK secure servername=hostname match=mx.example.org match=.example.net policy_type=sts "
          "policy_domain=example.org mx_host_pattern=mx.example.org mx_host_pattern=*.example.net");
    answer.hosts.push_back(answer.hosts[0]);
    answer.hosts[0].policy.action = HostAction::dane;
    CHECK(plain(answer) == "OK dane");  // DANE goes before MTA-STS (RFC 8461 2)
}
