// The sentences of the mail answer, as a postmaster reads them: what happened, whose fault it is, what comes next.
#include <catch2/catch.hpp>

#include <functional>

#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

struct Sentences {
    const char* name;
    std::function<void(World&)> world;
    const char* decision;
    const char* host = nullptr;  ///< the first one's policy
    std::string next_hop = "example.org";
    Options options = {};
};

void check(const std::vector<Sentences>& all) {
    for (const Sentences& one : all) {
        INFO(one.name);
        World world;
        one.world(world);
        MailAnswer answer = ask(world, one.next_hop, one.options);
        CHECK(answer.decision.text == one.decision);
        if (one.host != nullptr) CHECK(answer.hosts.at(0).policy.text == one.host);
    }
}

TEST_CASE("sentences of a delivery say how far the hosts can be trusted, and which cannot") {
    const Options may = {true, InsecureMx::may, false, false}, off = {false, InsecureMx::dane, false, false};
    check({
        {"DANE", [](World& w) { with_tlsa(w, {sha256}); }, "the only host is authenticated by DANE",
         "TLS is required and the server's certificate must match the TLSA record of mx.example.org"},
        {"DANE everywhere", three_mx, "all 3 hosts are authenticated by DANE",
         "TLS is required and the server's certificate must match the TLSA record of mx1.example.org"},
        {"several records, one counts", [](World& w) { with_tlsa(w, {sha256, sha512}); },
         "the only host is authenticated by DANE",
         "TLS is required and the server's certificate must match one of the 2 TLSA records of mx.example.org, of "
         "which one counts"},
        {"one to be skipped",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx1.example.org", Axis::bogus);
         },
         "2 of 3 hosts are authenticated by DANE; mx1.example.org is skipped for now",
         "the TLSA records of mx1.example.org are bogus: a signature has expired; the host is skipped until the "
         "operator of example.org signs it anew"},
        {"two without address",
         [](World& w) {
             three_mx(w);
             w.put("mx1.example.org", Type::a, Axis::secure_nxdomain);
             w.put("mx3.example.org", Type::a, Axis::secure_nodata);
         },
         "1 of 3 hosts is authenticated by DANE; mx1.example.org and mx3.example.org cannot be used",
         "mx1.example.org has no address, neither A nor AAAA; its operator must publish one, or the domain remove it "
         "from MX"},
        {"partial",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx1.example.org", Axis::secure_nodata);
         },
         "2 of 3 hosts are authenticated by DANE; mail may also go to mx1.example.org, which is not",
         "no TLSA record is published for mx1.example.org; TLS is used where it is offered"},
        {"unsigned MX",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {sha256});
         },
         "the only host is authenticated by DANE; the destination itself is not authenticated, as its MX records are "
         "not signed with DNSSEC"},
        {"unsigned MX, insecure_mx = may",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {sha256});
         },
         "the only host is reached unauthenticated, with TLS where it is offered",
         "the MX records are not signed with DNSSEC, and insecure_mx = \"may\" is set here; TLS is used where it is "
         "offered",
         "example.org", may},
        {"DANE is off", [](World& w) { with_tlsa(w, {sha256}); },
         "the only host is reached unauthenticated, with TLS where it is offered",
         "DANE is switched off here; TLS is used where it is offered", "example.org", off},
        {"no MX, unproven",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::insecure_nodata);
             w.put_host("example.org", {sha256});
         },
         "the only host is authenticated by DANE; the destination itself is not authenticated, as nothing proves that "
         "it has no MX records"},
        {"unsigned host",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
         },
         "the only host is reached unauthenticated, with TLS where it is offered",
         "the addresses of mx.example.org are not signed with DNSSEC, so TLSA was not asked; TLS is used where it is "
         "offered"},
        {"unusable TLSA", [](World& w) { with_tlsa(w, {"1 1 1 " + std::string(64, 'a')}); },
         "the only host requires TLS, but its certificate cannot be checked",
         "TLS is required, but the certificate cannot be checked: no TLSA record of mx.example.org is usable (usage 1 "
         "is not for SMTP (RFC 7672 3.1.3); publish 3 1 1 or 2 1 1)"},
        {"a literal", [](World&) {}, "the only host is reached unauthenticated, with TLS where it is offered",
         "an address has no name that DANE could authenticate; TLS is used where it is offered", "[192.0.2.1]"},
    });
}

TEST_CASE("sentences of a delay say what is wrong, whose it is to mend, and what the mail waits for") {
    check({
        {"MX bogus", [](World& w) { w.put("example.org", Type::mx, Axis::bogus); },
         "the MX records of example.org are bogus: a signature has expired; mail waits until the operator of "
         "example.org signs it anew"},
        {"MX failed", [](World& w) { w.put("example.org", Type::mx, Axis::indeterminate); },
         "the MX records of example.org could not be looked up: no name server answers; mail waits until the name "
         "servers of example.org answer"},
        {"addresses bogus",
         [](World& w) {
             one_mx(w);
             w.put("mx.example.org", Type::a, Axis::bogus);
         },
         "no host can be used now: the addresses of mx.example.org are bogus: a signature has expired; the host is "
         "skipped until the operator of example.org signs it anew"},
        {"addresses failed",
         [](World& w) {
             one_mx(w);
             w.put("mx.example.org", Type::a, Axis::indeterminate);
         },
         "no host can be used now: the addresses of mx.example.org could not be looked up: no name server answers; the "
         "host is skipped until the name servers of example.org answer",
         "the addresses of mx.example.org could not be looked up: no name server answers; the host is skipped until "
         "the name servers of example.org answer"},
        {"TLSA failed",
         [](World& w) {
             with_tlsa(w, {});
             w.put_tlsa("mx.example.org", Axis::indeterminate);
         },
         "no host can be used now: the TLSA records of mx.example.org could not be looked up: no name server answers; "
         "the host is skipped until the name servers of example.org answer"},
    });
}

TEST_CASE("sentences of a refusal say why it will not get better by waiting") {
    const Options strict = {true, InsecureMx::dane, true, false};
    check({
        {"null MX", [](World& w) { w.put("example.org", Type::mx, Axis::secure_records, {"0 ."}); },
         "the domain example.org takes no mail, and says so by a null MX"},
        {"null MX beside hosts, strict",
         [](World& w) { w.put("example.org", Type::mx, Axis::secure_records, {"0 .", "10 mx.example.org."}); },
         "the domain example.org publishes a null MX beside other MX hosts, which is taken at its word here",
         "a null MX must stand alone (RFC 7505 3); beside other hosts it is ignored", "example.org", strict},
        {"no such domain", [](World& w) { w.put("example.org", Type::mx, Axis::secure_nxdomain); },
         "the domain example.org does not exist: is it spelled right?"},
        {"alias of nothing",
         [](World& w) {
             w.put_alias("example.org", "example.net.");
             w.put("example.net", Type::mx, Axis::secure_nxdomain);
         },
         "the domain example.org is an alias of example.net, which does not exist"},
        {"nothing there", [](World&) {},
         "the domain example.org has neither MX records nor an address: it takes no mail",
         "example.org has no address, neither A nor AAAA; it publishes no MX records either"},
        {"hosts without address", [](World& w) { one_mx(w); },
         "no MX host of example.org has an address that can be used: its operator must mend the MX records or the "
         "hosts' addresses",
         "mx.example.org has no address, neither A nor AAAA; its operator must publish one, or the domain remove it "
         "from MX"},
        {"only a literal", [](World& w) { w.put("example.org", Type::mx, Axis::secure_records, {"10 192.0.2.1."}); },
         "no MX record of example.org names a host that can be used: its operator must mend them",
         "an MX record must name a host, not an address (RFC 5321 5.1); it is not used"},
        {"bracketed host", [](World&) {},
         "the host relay.example has no address: the next-hop is wrong, or the host is gone",
         "relay.example has no address, neither A nor AAAA; is the name right?", "[relay.example]"},
    });
}

struct Remedy {
    Axis axis;
    std::optional<dns::Ede> ede;
    std::optional<dns::Name> zone;
    const char* text;
};

TEST_CASE("what the mail waits for follows from what is wrong") {
    const std::optional<dns::Name> zone = name("example.org");
    const Remedy remedies[] = {
        {Axis::bogus, dns::Ede::signature_expired, zone, "until the operator of example.org signs it anew"},
        {Axis::bogus, dns::Ede::dnssec_bogus, zone, "until the operator of example.org signs it anew"},
        {Axis::bogus, std::nullopt, dns::Name(), "until the operator of the root zone signs it anew"},
        {Axis::bogus, std::nullopt, std::nullopt, "until the operator of the zone signs it anew"},
        {Axis::bogus, dns::Ede::signature_not_yet_valid, zone,
         "until the operator of example.org signs it anew, or the clock here is set right"},
        {Axis::bogus, dns::Ede::dnskey_missing, zone,
         "until the operator of example.org makes its DS records and its keys match"},
        {Axis::bogus, dns::Ede::rrsigs_missing, zone,
         "until the name servers of example.org send the signatures that its DS record promises"},
        {Axis::bogus, dns::Ede::nsec_missing, zone,
         "until the name servers of example.org prove what does not exist there (NSEC or NSEC3)"},
        {Axis::indeterminate, dns::Ede::no_reachable_authority, zone, "until the name servers of example.org answer"},
        {Axis::indeterminate, std::nullopt, std::nullopt,
         "until the look-up has succeeded, which is tried again with the next question"},
    };
    for (const Remedy& remedy : remedies) {
        dnssec::Finding::Parts parts;
        parts.name = name("mx.example.org");
        parts.type = Type::a;
        parts.outcome = Outcome::failure;
        parts.reason.ede = remedy.ede;
        parts.reason.zone = remedy.zone;
        const Answer answer(
            {remedy.axis == Axis::bogus ? dnssec::Finding::bogus(parts) : dnssec::Finding::failure(parts)});
        CHECK(until_mended(answer) == remedy.text);
    }
}

TEST_CASE("behind an unsigned alias it is the failure that is explained, not that the alias is unsigned") {
    dnssec::Finding::Parts parts;
    parts.name = name("mx.example.org");
    parts.type = Type::a;
    parts.zone = name("example.org");
    parts.outcome = Outcome::records;
    parts.rrset = rrset(parts.name, Type::cname, {"mx.example.net."});
    parts.reason.ede = dns::Ede::other;
    parts.reason.text = "example.org is not signed";
    parts.reason.zone = name("org");
    parts.expires = later;
    const FindingRef link = dnssec::Finding::proven(forged_key(), Security::insecure, parts);
    for (const Axis axis : {Axis::insecure_failure, Axis::indeterminate}) {
        const Answer failing({link, finding(name("mx.example.net"), Type::a, axis)});
        CHECK(because(failing) == ": no name server answers");
        CHECK(until_mended(failing) == "until the name servers of example.net answer");
    }
    const Answer good({link, finding(name("mx.example.net"), Type::a, Axis::insecure_records, {"192.0.2.25"})});
    CHECK(good.reason().text == "example.org is not signed");
}

}  // namespace
}  // namespace mxtrust::mail
