#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "findings.h"
#include "serve/render.h"

using namespace mxtrust;
using namespace mxtrust::test;
using serve::DomainExplanation;
using serve::HostExplanation;
using Json = nlohmann::ordered_json;

namespace {

dnssec::Reason expired() {
    dnssec::Reason reason;
    reason.code = Code("VSGE");
    reason.ede = dns::Ede::signature_expired;
    reason.text = "signature of TLSA _25._tcp.mx.example.org expired 2 h ago (key tag 12345, ED25519)";
    reason.zone = name("example.org");
    reason.record = "TLSA _25._tcp.mx.example.org";
    reason.server = "ns1.example.org (192.0.2.53)";
    reason.key_tag = std::uint16_t{12345};
    reason.when = WallTime{1795298400};
    return reason;
}

resolve::Explanation explanation(dnssec::FindingRef finding) {
    resolve::ZoneStep root, zone;
    root.security = dnssec::Security::secure;
    zone.zone = name("example.org");
    zone.security = dnssec::Security::secure;
    zone.ds.push_back({12345, dns::Algorithm::ed25519, dns::DigestType::sha256, {1, 2}});
    return {{root, zone}, dnssec::Answer({std::move(finding)})};
}

}  // namespace

TEST_CASE("an explanation names zone, record, server, key tag, time and place, and the remedy with its party") {
    const auto told = explanation(bogus("_25._tcp.mx.example.org", dns::Type::tlsa, expired()));
    const Json reply = Json::parse(serve::render_explanation("7", told, {}, now));
    CHECK(reply["id"] == 7);
    CHECK(reply["security"] == "bogus");
    CHECK(reply["ede"]["code"] == 7);
    CHECK(
        reply["culprit"] ==
        Json::parse(
            R"json({"zone":"example.org","record":"TLSA _25._tcp.mx.example.org","server":"ns1.example.org (192.0.2.53)",
                  "key_tag":12345,"when":1795298400,"place":"VSGE"})json"));
    CHECK(reply["remedy"]["fault"] == "signature-expired");
    CHECK(reply["remedy"]["party"] == "zone");
    CHECK(reply["remedy"]["text"].get<std::string>().starts_with("sign example.org again"));
    CHECK(reply["links"][0]["remedy"] == reply["remedy"]);
    CHECK(reply["chain"].size() == 2);
    CHECK(reply["chain"][1]["ds"][0]["key_tag"] == 12345);
    CHECK(reply["chain"][1]["remedy"].is_null());
}

TEST_CASE("signer is told of what is secure throughout, and not of what an unsigned alias leads to") {
    using dnssec::Security;
    for (const Security of_alias : {Security::secure, Security::insecure}) {
        const dnssec::Answer answer(
            {found({"mx.example.org", dns::Type::a, of_alias},
                   set("mx.example.org", dns::Type::cname, {"host.example.org."})),
             found({"host.example.org", dns::Type::a}, set("host.example.org", dns::Type::a, {"192.0.2.25"}))});
        const Json told = Json::parse(serve::render_rrset("1", answer, {}, now));
        CHECK(told["security"] == dnssec::to_text(of_alias));
        CHECK(told["signer"].is_null() == (of_alias == Security::insecure));
    }
}

TEST_CASE("the explanation of a domain is that of its MX, with each host's look-ups beside it") {
    const auto mx = found({"example.org", dns::Type::mx}, set("example.org", dns::Type::mx, {"10 mx.example.org."}));
    const auto a = found({"mx.example.org", dns::Type::a}, set("mx.example.org", dns::Type::a, {"192.0.2.1"}));
    DomainExplanation domain;
    domain.domain = "example.org";
    domain.mx = explanation(mx);
    domain.hosts.push_back({"mx.example.org",
                            explanation(a),
                            {},
                            explanation(bogus("_25._tcp.mx.example.org", dns::Type::tlsa, expired()))});
    domain.left_out = 3;
    const Json reply = Json::parse(serve::render_explanation("null", domain, {}, now));
    CHECK(reply["domain"] == "example.org");
    CHECK(reply["type"] == "MX");
    CHECK(reply["security"] == "secure");
    CHECK(reply["remedy"].is_null());
    CHECK(reply["chain"].size() == 2);
    REQUIRE(reply["hosts"].size() == 1);
    const Json& host = reply["hosts"][0];
    CHECK(host["a"]["records"] == Json::array({"192.0.2.1"}));
    CHECK(host["a"]["chain"].size() == 2);
    CHECK(host["aaaa"].is_null());
    CHECK(host["tlsa"]["remedy"]["fault"] == "signature-expired");
    CHECK(reply["hosts_left_out"] == 3);
    // A next-hop in brackets has no MX.
    domain.mx.reset();
    const Json bracketed = Json::parse(serve::render_explanation("null", domain, {}, now));
    CHECK_FALSE(bracketed.contains("name"));
    CHECK(bracketed["hosts"].size() == 1);
}
