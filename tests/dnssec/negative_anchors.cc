// Negative trust anchors as values: which one holds, until when, and that an ended one stays ended (RFC 7646).
#include "dnssec/negative_anchor.h"

#include <catch2/catch.hpp>

using namespace mxtrust;
using dnssec::NegativeAnchor;
using dnssec::NegativeAnchors;

namespace {

constexpr WallTime now{1'795'305'600};
constexpr std::chrono::seconds hour{3600};

dns::Name name(std::string_view text) {
    return dns::Name::from_text(text).value();
}

NegativeAnchors some() {
    return {{NegativeAnchor(name("example.org"), "ticket 1", now + hour),
             NegativeAnchor(name("sub.example.org"), "ticket 2", now + 2 * hour)},
            std::make_shared<LatestTime>()};
}

}  // namespace

TEST_CASE("a negative trust anchor holds for its name and all below; the deepest one speaks") {
    const NegativeAnchors anchors = some();
    CHECK(anchors.above(name("org"), now) == nullptr);
    CHECK(anchors.above(name("example.net"), now) == nullptr);
    CHECK(anchors.above(name("xexample.org"), now) == nullptr);
    CHECK(anchors.above(name("example.org"), now)->reason == "ticket 1");
    CHECK(anchors.above(name("mx.example.org"), now)->reason == "ticket 1");
    CHECK(anchors.above(name("mx.sub.example.org"), now)->reason == "ticket 2");
    CHECK(anchors.without(name("sub.example.org")).above(name("mx.sub.example.org"), now)->reason == "ticket 1");
}

TEST_CASE("a negative trust anchor ends at its end, and a clock that is set back does not resurrect it") {
    const NegativeAnchors anchors = some();
    const NegativeAnchors copy = anchors;
    CHECK(anchors.above(name("example.org"), now + hour - std::chrono::seconds(1)) != nullptr);
    CHECK(anchors.above(name("example.org"), now + hour) == nullptr);
    CHECK(anchors.above(name("example.org"), now) == nullptr);
    CHECK(copy.above(name("example.org"), now) == nullptr);  // copies share what was seen
    CHECK(anchors.above(name("mx.sub.example.org"), now) != nullptr);
    CHECK(anchors.above(name("mx.sub.example.org"), now + 2 * hour) == nullptr);
}

TEST_CASE("the reason of a verdict under a negative trust anchor names it, its end and the operator's reason") {
    const dnssec::Reason reason = dnssec::reason_of(NegativeAnchor(name("example.org"), "ticket 1", now + hour));
    CHECK(reason.text ==
          "a negative trust anchor for example.org switches validation off by configuration until 2026-11-22 01:00 UTC "
          "(ticket 1)");
    REQUIRE(dnssec::negative_anchor_of(reason) != nullptr);
    CHECK(*dnssec::negative_anchor_of(reason) == name("example.org"));
    CHECK(dnssec::negative_anchor_of(dnssec::Reason{}) == nullptr);
    CHECK(dnssec::until_in_words(WallTime{1'795'305'600}) == "to the end of 2026-11-21");
}
