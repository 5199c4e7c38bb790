// What Postfix is told, by tables: from a request to a reply without a look-up, and from an answer to a policy.
#include "serve/postfix_policy.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "dns/name.h"

using namespace mxtrust;
using dnssec::Outcome;
using dnssec::Security;
using mail::HostAction;
using serve::PolicyMap;

namespace {

/// The part of a mail answer that a policy is made of.
mail::MailAnswer answer_of(Security security, Outcome outcome, const std::vector<HostAction>& hosts,
                           mail::Action action) {
    mail::MailAnswer answer;
    answer.domain = "example.org";
    answer.mx = mail::MxStatus();
    answer.mx->status.security = security;
    answer.mx->status.outcome = outcome;
    answer.decision.action = action;
    for (const HostAction host_action : hosts) {
        mail::HostAnswer host;
        host.name = "h" + std::to_string(answer.hosts.size()) + ".example.net";
        host.policy.action = host_action;
        answer.hosts.push_back(host);
    }
    return answer;
}
mail::MailAnswer delivered(Security security, const std::vector<HostAction>& hosts) {
    return answer_of(security, Outcome::records, hosts, mail::Action::deliver);
}
mail::StsStatus sts_policy() {
    mail::StsStatus status;
    status.policy = mail::StsPolicy{mail::StsPolicy::Mode::enforce, "1", {"mx.example.org", "*.example.net"},
                                    std::chrono::seconds(86400),    {},  {}};
    return status;
}

std::string plain(const mail::MailAnswer& answer) {
    return serve::policy_reply(PolicyMap::plain, answer);
}

}  // namespace

TEST_CASE("what a socketmap request is: a question, or a reply at once (PROTOCOL.md, the first table)") {
    struct Case {
        const char* what;
        std::string request;
        const char* reply;  // "?" and the next-hop where it is a question
    };
    const std::vector<Case> cases = {
        {"a domain", "policy example.org", "?example.org"},
        {"any case, and a final dot", "policy Example.ORG.", "?example.org"},
        {"an underscore", "policy mx_1.example.org", "?mx_1.example.org"},
        {"U-labels",
         "policy b\xc3\xbc"
         "cher.example",
         "?xn--bcher-kva.example"},
        {"U-labels, capitals",
         "policy B\xc3\x9c"
         "CHER.example",
         "?xn--bcher-kva.example"},
        {"A-labels", "policy xn--bcher-kva.example", "?xn--bcher-kva.example"},
        {"one label", "policy localhost", "?localhost"},
        {"a domain with a port", "policy example.org:587", "?example.org|587"},
        {"a domain with a service", "policy example.org:submission", "?example.org|587"},
        {"a host", "policy [mx.example.org]", "?[mx.example.org]"},
        {"a host with a port", "policy [mx.example.org]:587", "?[mx.example.org]|587"},
        {"a host with a service", "policy [mx.example.org]:submission", "?[mx.example.org]|587"},
        {"an address", "policy [192.0.2.1]", "?[192.0.2.1]"},
        {"an address with a port", "policy [192.0.2.1]:25", "?[192.0.2.1]|25"},
        {"an IPv6 address", "policy [IPv6:2001:db8::1]", "?[IPv6:2001:db8::1]"},
        {"an IPv6 address with a port", "policy [ipv6:2001:DB8::1]:2525", "?[IPv6:2001:db8::1]|2525"},
        {"an IPv6 address, untagged", "policy [2001:db8::1]", "?[IPv6:2001:db8::1]"},
        {"the other map", "policy-tlsrpt example.org", "?example.org"},

        {"a parent domain", "policy .example.org", "NOTFOUND "},
        {"a parent domain", "policy .org", "NOTFOUND "},
        {"a parent domain, the other map", "policy-tlsrpt .org", "NOTFOUND "},
        {"the root", "policy .", "NOTFOUND "},
        {"nothing", "policy ", "NOTFOUND "},
        {"blanks", "policy   ", "NOTFOUND "},
        {"a path (LMTP)", "policy /run/dovecot/lmtp", "NOTFOUND "},
        {"a path beyond ASCII",
         "policy /run/b\xc3\xbc"
         "cher",
         "NOTFOUND "},
        {"a mail address", "policy user@example.org", "NOTFOUND "},
        {"an address without brackets", "policy 192.0.2.1", "NOTFOUND "},
        {"an IPv6 address without brackets", "policy 2001:db8::1", "NOTFOUND "},
        {"a bracket left open", "policy [mx.example.org", "NOTFOUND "},
        {"no address in brackets", "policy [192.0.2.256]", "NOTFOUND "},
        {"an empty label", "policy a..example.org", "NOTFOUND "},
        {"a label of 64 octets", "policy " + std::string(64, 'a') + ".org", "NOTFOUND "},
        {"a hyphen in front", "policy -a.example.org", "NOTFOUND "},
        {"white space inside", "policy exam ple.org", "NOTFOUND "},
        {"a control character",
         "policy a\x01"
         "b",
         "NOTFOUND "},
        {"a zero octet", std::string("policy a\0b.org", 14), "NOTFOUND "},
        {"a zero octet and more", std::string("policy \xc3\xbc\0b.org", 15), "NOTFOUND "},
        {"nothing but a port", "policy :25", "NOTFOUND "},
        {"the longest request", "policy " + std::string(9900, 'a'), "NOTFOUND "},

        {"a service that Postfix may know", "policy [mx.example.org]:msa", "OK dane"},
        {"a service that Postfix may know", "policy example.org:msa", "OK dane"},
        {"a name that UTS 46 alone allows", "policy \xe2\x98\x83.example", "OK dane"},

        {"no key", "policy", "PERM a socketmap request is the name of a map, a space and a key; there is no space"},
        {"empty", "", "PERM a socketmap request is the name of a map, a space and a key; there is no space"},
        {"another map", "policies example.org",
         "PERM there is no map \"policies\" here; write socketmap:unix:PATH:policy, or policy-tlsrpt for Postfix 3.10 "
         "and "
         "newer"},
        {"a map in capitals", "POLICY .org",
         "PERM there is no map \"POLICY\" here; write socketmap:unix:PATH:policy, or policy-tlsrpt for Postfix 3.10 "
         "and "
         "newer"},
    };
    for (const Case& each : cases) {
        INFO(each.what << ": " << each.request);
        const auto parsed = serve::parse_policy_request(each.request);
        if (const auto* reply = std::get_if<std::string>(&parsed)) {
            CHECK(*reply == each.reply);
            continue;
        }
        const mail::NextHop& hop = std::get<serve::PolicyQuestion>(parsed).next_hop;
        CHECK("?" + hop.to_text() + (hop.port ? "|" + std::to_string(*hop.port) : "") == each.reply);
    }
    CHECK(std::get<serve::PolicyQuestion>(serve::parse_policy_request("policy a.example")).map == PolicyMap::plain);
    CHECK(std::get<serve::PolicyQuestion>(serve::parse_policy_request("policy-tlsrpt a.example")).map ==
          PolicyMap::tlsrpt);
}

TEST_CASE("the policy for what was found (PROTOCOL.md, the second table)") {
    using enum Security;
    using enum Outcome;
    using enum HostAction;
    using mail::Action;
    constexpr const char* secure_sts = "OK secure servername=hostname match=mx.example.org match=.example.net";
    struct Case {
        Security security;
        Outcome outcome;
        Action action;
        std::vector<HostAction> hosts;
        const char* reply;  // "TEMP" is any
    };
    const std::vector<Case> cases = {
        // The hosts are not known
        {bogus, failure, Action::defer, {}, "TEMP"},
        {indeterminate, failure, Action::defer, {}, "TEMP"},
        {insecure, failure, Action::defer, {}, "TEMP"},
        {bogus, nxdomain, Action::defer, {}, "TEMP"},
        // Every host is DANE
        {secure, records, Action::deliver, {dane}, "OK dane-only"},
        {secure, records, Action::deliver, {dane, dane, dane}, "OK dane-only"},
        {secure, nodata, Action::deliver, {dane}, "OK dane-only"},  // implicit MX
        {insecure, records, Action::deliver, {dane}, "OK dane"},    // the domain is not authenticated (RFC 7672 2.2.1)
        {insecure, nodata, Action::deliver, {dane}, "OK dane"},
        // Some host is DANE: Postfix decides for each
        {secure, records, Action::deliver, {dane, may}, "OK dane"},
        {secure, records, Action::deliver, {may, dane}, "OK dane"},
        {secure, records, Action::deliver, {dane, encrypt}, "OK dane"},
        {secure, records, Action::deliver, {dane, skip}, "OK dane"},  // one bad host costs no other
        {secure, records, Action::deliver, {skip, dane}, "OK dane"},
        {secure, records, Action::deliver, {dane, unreachable}, "OK dane"},
        // DANE goes before MTA-STS (RFC 8461 2), and at "dane" Postfix would take the other host in the clear
        {secure, records, Action::deliver, {dane, sts}, "OK dane-only"},
        {insecure, records, Action::deliver, {dane, sts}, "OK secure servername=hostname match=h1.example.net"},
        // No host is DANE, some host has a say
        {secure, records, Action::deliver, {encrypt}, "OK dane"},  // at "dane" Postfix makes it encrypt
        {secure, records, Action::deliver, {encrypt, may}, "OK dane"},
        {secure, records, Action::deliver, {skip, may}, "OK dane"},
        {secure, records, Action::defer, {skip}, "OK dane"},  // Postfix finds out why, host by host
        {secure, records, Action::defer, {skip, skip}, "OK dane"},
        {secure, records, Action::defer, {skip, unreachable}, "OK dane"},
        {insecure, records, Action::defer, {skip}, "OK dane"},
        {secure, records, Action::deliver, {sts}, secure_sts},
        {insecure, records, Action::deliver, {sts}, secure_sts},
        {insecure, records, Action::deliver, {sts, sts}, secure_sts},
        // What cannot be found out of DANE is not replaced by a certificate (RFC 8461 2): names, not patterns
        {secure, records, Action::deliver, {sts, skip}, "OK secure servername=hostname match=h0.example.net"},
        {secure, records, Action::deliver, {sts, unreachable}, secure_sts},
        {secure, records, Action::deliver, {may, sts}, "OK secure servername=hostname match=h1.example.net"},
        {secure, records, Action::deliver, {encrypt, sts}, "OK secure servername=hostname match=h1.example.net"},
        // There is nothing to say
        {secure, records, Action::deliver, {may}, "NOTFOUND "},
        {secure, records, Action::deliver, {may, unreachable}, "NOTFOUND "},
        {insecure, records, Action::deliver, {may}, "NOTFOUND "},
        {insecure, nodata, Action::deliver, {may}, "NOTFOUND "},
        // It bounces: Postfix finds that out itself, and its own words say it best
        {secure, records, Action::bounce, {}, "NOTFOUND "},    // null MX
        {insecure, records, Action::bounce, {}, "NOTFOUND "},  // null MX
        {secure, nxdomain, Action::bounce, {}, "NOTFOUND "},
        {insecure, nxdomain, Action::bounce, {}, "NOTFOUND "},
        {secure, records, Action::bounce, {unreachable}, "NOTFOUND "},
        {secure, records, Action::bounce, {unreachable, unreachable}, "NOTFOUND "},
    };
    for (std::size_t number = 0; number < cases.size(); ++number) {
        const Case& each = cases[number];
        INFO("line " << number + 1 << ": " << each.reply);
        mail::MailAnswer answer = answer_of(each.security, each.outcome, each.hosts, each.action);
        answer.decision.text = "what there is to say";
        const bool has_sts = std::find(each.hosts.begin(), each.hosts.end(), sts) != each.hosts.end();
        if (has_sts) answer.sts = sts_policy();
        const std::string reply = plain(answer);
        const std::string expected = each.reply;
        CHECK((expected == "TEMP" ? reply.substr(0, 5) == "TEMP " : reply == expected));
        const std::string reported = serve::policy_reply(PolicyMap::tlsrpt, answer);
        if (expected.starts_with("OK secure")) {
            CHECK(reported.starts_with(expected + " policy_type=sts "));
        } else {
            CHECK(reported == reply);
        }
    }
}

TEST_CASE("a next-hop in brackets is the operator's own word: its policy needs no MX") {
    struct Case {
        HostAction host;
        mail::Action action;
        const char* reply;
    };
    const std::vector<Case> cases = {
        {HostAction::dane, mail::Action::deliver, "OK dane-only"},
        {HostAction::encrypt, mail::Action::deliver, "OK dane"},
        {HostAction::skip, mail::Action::defer, "OK dane"},
        {HostAction::may, mail::Action::deliver, "NOTFOUND "},
        {HostAction::unreachable, mail::Action::bounce, "NOTFOUND "},
    };
    for (const Case& each : cases) {
        mail::MailAnswer answer = answer_of(Security::indeterminate, Outcome::failure, {each.host}, each.action);
        answer.mx.reset();
        INFO(each.reply);
        CHECK(plain(answer) == each.reply);
    }
}

TEST_CASE("the reason of a TEMP has the code first, is one line, and fits") {
    mail::MailAnswer answer = answer_of(Security::bogus, Outcome::failure, {}, mail::Action::defer);
    answer.decision = {mail::Action::defer,        {}, false, mail::Fault::dnssec_invalid, {}, {},
                       "the MX records are\nbogus"};
    CHECK(plain(answer) == "TEMP 4.7.324 dnssec-invalid: the MX records are?bogus");
    answer.decision.fault = mail::Fault::dns_query_failed;
    answer.decision.text = "no answer";
    CHECK(plain(answer) == "TEMP 4.4.312 DNS query failed: no answer");
    answer.decision.text = std::string(200'000, 'x');
    CHECK(plain(answer).size() < 1000);
}

TEST_CASE("MTA-STS becomes secure with its patterns; the plain map has no word that Postfix 3.7 does not know") {
    mail::MailAnswer answer = delivered(Security::secure, {HostAction::sts});
    answer.sts = sts_policy();
    CHECK(plain(answer) == "OK secure servername=hostname match=mx.example.org match=.example.net");
    // Real Postfix 3.10 takes these very words, and 3.7 does not: tests/mta/policy.py.
    CHECK(serve::policy_reply(PolicyMap::tlsrpt, answer) ==
          "OK secure servername=hostname match=mx.example.org match=.example.net policy_type=sts "
          "policy_domain=example.org { policy_string = version: STSv1 } { policy_string = mode: enforce } "
          "{ policy_string = mx: mx.example.org } { policy_string = mx: *.example.net } "
          "{ policy_string = max_age: 86400 } mx_host_pattern=mx.example.org mx_host_pattern=*.example.net");
    answer.domain = "example.org:587";
    CHECK(serve::policy_reply(PolicyMap::tlsrpt, answer).find(" policy_domain=example.org {") != std::string::npos);
    answer.domain = "[mx.example.org]:587";
    CHECK(serve::policy_reply(PolicyMap::tlsrpt, answer).find(" policy_domain=mx.example.org {") != std::string::npos);
}

TEST_CASE("a host that an enforced policy leaves out is not let through by any level") {
    struct Case {
        const char* what;
        Security mx;
        std::vector<std::pair<const char*, HostAction>> hosts;  // skip: left out by the policy
        const char* reply;
    };
    using enum HostAction;
    const std::vector<Case> cases = {
        {"beside one of the policy's",
         Security::insecure,
         {{"mx.example.org", sts}, {"other.example", skip}},
         "OK secure servername=hostname match=mx.example.org match=.example.net"},
        {"that Postfix would take for one of the policy's: the star is one label",
         Security::insecure,
         {{"mx.example.org", sts}, {"a.b.example.net", skip}},
         "OK secure servername=hostname match=mx.example.org"},
        {"alone",
         Security::insecure,
         {{"other.example", skip}},
         "OK secure servername=hostname match=mx.example.org match=.example.net"},
        {"alone, and Postfix would take it",
         Security::insecure,
         {{"a.b.example.net", skip}},
         "TEMP 4.7.0 sts-policy: "},
        {"beside a DANE host", Security::secure, {{"mx.example.org", dane}, {"other.example", skip}}, "OK dane-only"},
        {"beside a DANE host that an unsigned MX names",
         Security::insecure,
         {{"mx.example.org", dane}, {"other.example", skip}},
         "OK dane-only"},
    };
    for (const Case& each : cases) {
        INFO(each.what);
        mail::MailAnswer answer = delivered(each.mx, {});
        answer.sts = sts_policy();
        for (const auto& [name, action] : each.hosts) {
            mail::HostAnswer host;
            host.name = name;
            host.policy.action = action;
            if (action == skip) host.policy.fault = mail::Fault::sts_policy;
            answer.hosts.push_back(host);
        }
        CHECK(plain(answer).substr(0, std::string_view(each.reply).starts_with("TEMP") ? 23 : std::string::npos) ==
              each.reply);
        const std::string reported = serve::policy_reply(PolicyMap::tlsrpt, answer);
        const bool none = each.hosts.size() == 1 && reported.starts_with("OK");
        CHECK(reported.ends_with(" policy_failure=validation-failure") == none);
    }
}

TEST_CASE("a policy that does not fit into a reply is none: half of it would be another") {
    mail::MailAnswer answer = delivered(Security::secure, {HostAction::sts});
    answer.sts = sts_policy();
    answer.sts->policy->patterns.assign(3000, "mx.a-name-of-a-host-of-the-usual-length.example.org");
    CHECK(plain(answer) == "TEMP the MTA-STS policy is too long for socketmap");
}

TEST_CASE("replies are counted by their kind") {
    using serve::policy_reply_kind;
    using serve::PolicyReplyKind;
    CHECK(policy_reply_kind("OK dane-only") == PolicyReplyKind::dane_only);
    CHECK(policy_reply_kind("OK dane") == PolicyReplyKind::dane);
    CHECK(policy_reply_kind("OK secure servername=hostname") == PolicyReplyKind::secure);
    CHECK(policy_reply_kind("OK encrypt") == PolicyReplyKind::encrypt);
    CHECK(policy_reply_kind("OK may") == PolicyReplyKind::may);
    CHECK(policy_reply_kind("NOTFOUND ") == PolicyReplyKind::not_found);
    CHECK(policy_reply_kind("TEMP 4.7.324") == PolicyReplyKind::temp);
    CHECK(policy_reply_kind("PERM there") == PolicyReplyKind::perm);
}
