#include "daemon/assemble.h"

#include <catch2/catch.hpp>
#include <set>

#include "daemon/builtin.h"

using namespace mxtrust;
using namespace mxtrust::daemon;

TEST_CASE("the built-in root hints are 13 servers with an address of each family") {
    const auto servers = parse_root_hints(builtin_root_hints()).value();
    std::set<std::string> four, six;
    for (const resolve::RootServer& server : servers) {
        (server.address.family() == Family::ipv4 ? four : six).insert(server.name.to_text());
        CHECK_FALSE(server.address.is_special_purpose());
    }
    CHECK(servers.size() == 26);
    CHECK(four.size() == 13);
    CHECK(four == six);
    CHECK(*four.begin() == "a.root-servers.net");
}

TEST_CASE("the built-in trust anchors are the root's two keys") {
    const auto anchors = choose_anchors(Configuration()).value();
    CHECK(anchors.origin == "built-in");
    REQUIRE(anchors.anchors.all().size() == 1);
    const dnssec::TrustAnchor* root = anchors.anchors.closest(dns::Name());
    REQUIRE(root != nullptr);
    REQUIRE(root->ds.size() == 2);
    CHECK(root->ds[0].key_tag == 20326);
    CHECK(root->ds[1].key_tag == 38696);
    CHECK(to_hex(root->ds[1].digest) == "683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16");
}

TEST_CASE("root hints that are none are told with their line") {
    CHECK(parse_root_hints("; nothing\n").error().text == "root hints: there is no address in them");
    CHECK(parse_root_hints(". 60 NS a.example.\na.example. 60 A 1.2.3\n").error().text ==
          "root hints, line 2: wanted is NAME TTL TYPE DATA with type NS, A or AAAA");
    CHECK(parse_root_hints("a.example. 60 MX 1.2.3.4\n").error().text ==
          "root hints, line 1: wanted is NAME TTL TYPE DATA with type NS, A or AAAA");
}

TEST_CASE("[test] anchors replace all others, and an empty list validates nothing") {
    Configuration configuration;
    configuration.test.trust_anchors = {
        "example. DS 4711 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    const auto anchors = choose_anchors(configuration).value();
    CHECK(anchors.origin == "[test]");
    CHECK(anchors.anchors.closest(dns::Name()) == nullptr);
    configuration.test.trust_anchors->clear();
    CHECK(choose_anchors(configuration)->anchors.empty());
    configuration.test.trust_anchors = {"no anchor"};
    CHECK(choose_anchors(configuration).error().kind == FailureKind::malformed);
}

TEST_CASE("an anchor file that cannot be read is an error, never an absence of anchors") {
    Configuration configuration;
    configuration.dnssec.trust_anchor_file = "/nonexistent/root.ds";
    CHECK_FALSE(choose_anchors(configuration).has_value());
    configuration.dnssec.trust_anchor_file = MXTRUST_SOURCE_DIR "/trust-anchors/root.ds";
    CHECK(choose_anchors(configuration)->anchors.all().size() == 1);
}

TEST_CASE("another anchor, policy or root is another epoch of the cache") {
    const WallTime now{1795305600};
    const auto epoch = [now](const Configuration& configuration) {
        return cache_epoch(resolver_settings(configuration, choose_anchors(configuration).value(), now).value(),
                           configuration.mail);
    };
    const std::string usual = epoch(Configuration());
    CHECK(epoch(Configuration()) == usual);
    Configuration anchors, hints, sha1, ttl, iterations, negative, local;
    anchors.test.trust_anchors = {". DS 4711 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    hints.test.root_hints = {RootHint{dns::Name(), Address::from_text("192.0.2.1").value()}};
    sha1.resolver.accept_sha1 = true;
    ttl.resolver.cache_max_ttl = std::chrono::seconds(10);
    iterations.resolver.nsec3_iterations = 51;
    negative.dnssec.negative_trust_anchors = {
        dnssec::NegativeAnchor(dns::Name::from_text("a.example").value(), "x", WallTime{2'592'000'000})};
    local.test.allow_local_authorities = true;
    std::set<std::string> all = {usual};
    for (const Configuration* each : {&anchors, &hints, &sha1, &ttl, &iterations, &local}) all.insert(epoch(*each));
    CHECK(all.size() == 7);
    // Records say themselves which negative trust anchor they rest on: another list loses no more than those.
    CHECK(epoch(negative) == usual);
}
