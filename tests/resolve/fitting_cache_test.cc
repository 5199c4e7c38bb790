// What the cache has, under the operator's word as it is now.
#include "resolve/fitting_cache.h"

#include <catch2/catch.hpp>

#include "dnssec/judge.h"

using namespace mxtrust;
using namespace mxtrust::resolve;

namespace {

constexpr WallTime now{1795305600};
constexpr WallTime later{1795305600 + 86400};

dns::Name name(const char* text) {
    return dns::Name::from_text(text).value();
}

dnssec::NegativeAnchor anchor(const char* zone, const char* reason = "x", WallTime end = later) {
    return {name(zone), reason, end};
}

Settings with(const std::vector<dnssec::NegativeAnchor>& anchors) {
    Settings settings;
    settings.anchors =
        dnssec::TrustAnchors::parse(". DS 4711 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D")
            .value();
    settings.negative_anchors = dnssec::NegativeAnchors(anchors, std::make_shared<LatestTime>());
    return settings;
}

dnssec::FindingRef insecure_by(const char* owner, const dnssec::NegativeAnchor& word) {
    dnssec::Finding::Parts parts;
    parts.name = name(owner);
    parts.type = dns::Type::mx;
    parts.outcome = dnssec::Outcome::failure;
    parts.reason = dnssec::reason_of(word);
    parts.expires = later;
    return dnssec::Finding::failure(std::move(parts));
}

dnssec::FindingRef bogus(const char* owner, dns::Type type) {
    dnssec::Finding::Parts parts;
    parts.name = name(owner);
    parts.type = type;
    parts.reason.code = "TEST"_code;
    parts.expires = later;
    return dnssec::Finding::bogus(std::move(parts));
}

}  // namespace

TEST_CASE("what was judged under a negative trust anchor counts while exactly that one is in force (RFC 7646)") {
    const auto finding = insecure_by("www.a.example", anchor("a.example"));
    CHECK(fits(*finding, with({anchor("a.example")}), now));
    CHECK_FALSE(fits(*finding, with({}), now));
    CHECK_FALSE(fits(*finding, with({anchor("a.example", "y")}), now));
    CHECK_FALSE(fits(*finding, with({anchor("a.example", "x", later + std::chrono::seconds(1))}), now));
    CHECK_FALSE(fits(*finding, with({anchor("b.example")}), now));
    CHECK_FALSE(fits(*finding, with({anchor("a.example")}), later));
}

TEST_CASE("what was validated does not count below a negative trust anchor that came later") {
    CHECK(fits(*bogus("www.a.example", dns::Type::mx), with({}), now));
    CHECK_FALSE(fits(*bogus("www.a.example", dns::Type::mx), with({anchor("a.example")}), now));
    CHECK_FALSE(fits(*bogus("a.example", dns::Type::mx), with({anchor("a.example")}), now));
    CHECK(fits(*bogus("b.example", dns::Type::mx), with({anchor("a.example")}), now));
    CHECK(fits(*bogus("www.a.example", dns::Type::mx), with({anchor("a.example")}), later));
    // DS records are the parent's.
    CHECK(fits(*bogus("a.example", dns::Type::ds), with({anchor("a.example")}), now));
    CHECK_FALSE(fits(*bogus("b.a.example", dns::Type::ds), with({anchor("a.example")}), now));
}
