// RFC 8509.
#include "dnssec/sentinel.h"

#include <catch2/catch.hpp>

using namespace mxtrust;
using dns::Type;
using dnssec::judge_sentinel;
using dnssec::Sentinel;

TEST_CASE("a sentinel name states something of a root key, and the statement is true or false (RFC 8509 3.1)") {
    const auto anchors = dnssec::TrustAnchors::parse(
        ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
        "island. DS 04759 8 2 3384CAE149834F17054DD9150E8C33D3979C4092F5C1B8D35E17A3C36A83810F\n");
    REQUIRE(anchors);
    struct Case {
        const char* name;
        Type type;
        Sentinel wanted;
    };
    const Case cases[] = {
        {"root-key-sentinel-is-ta-20326.example.", Type::a, Sentinel::satisfied},
        {"ROOT-KEY-SENTINEL-IS-TA-20326.example.", Type::aaaa, Sentinel::satisfied},
        {"root-key-sentinel-is-ta-20326.", Type::a, Sentinel::satisfied},
        {"root-key-sentinel-not-ta-20326.example.", Type::a, Sentinel::violated},
        {"root-key-sentinel-is-ta-00001.example.", Type::a, Sentinel::violated},
        {"root-key-sentinel-not-ta-00001.example.", Type::aaaa, Sentinel::satisfied},
        // An anchor of another zone says nothing of the root.
        {"root-key-sentinel-is-ta-04759.example.", Type::a, Sentinel::violated},
        // Other types, other labels, other numbers are ordinary questions.
        {"root-key-sentinel-not-ta-20326.example.", Type::txt, Sentinel::none},
        {"www.root-key-sentinel-not-ta-20326.example.", Type::a, Sentinel::none},
        {"root-key-sentinel-not-ta-2032.example.", Type::a, Sentinel::none},
        {"root-key-sentinel-not-ta-020326.example.", Type::a, Sentinel::none},
        {"root-key-sentinel-not-ta-99999.example.", Type::a, Sentinel::none},
        {"root-key-sentinel-not-ta-2032x.example.", Type::a, Sentinel::none},
        {".", Type::a, Sentinel::none},
    };
    for (const Case& each : cases) {
        INFO(each.name);
        CHECK(judge_sentinel(dns::Name::from_text(each.name).value(), each.type, *anchors) == each.wanted);
    }
}

TEST_CASE("without an anchor of the root there is no sentinel") {
    CHECK(judge_sentinel(dns::Name::from_text("root-key-sentinel-is-ta-20326.example.").value(), Type::a, {}) ==
          Sentinel::none);
}
