// Trust anchors from text, and what they are for.
#include <catch2/catch.hpp>

#include "dnssec/anchor.h"
#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dnssec::parse_anchor;
using dnssec::TrustAnchors;

namespace {

const std::string root_2017 = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
const std::string root_2024 = ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16";
const std::string key = "example.org. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=";

}  // namespace

TEST_CASE("anchors are DS and DNSKEY records, with or without TTL and class, with comments") {
    const auto root = parse_anchor("; the root\n" + root_2017 + "  # since 2017\n\n" + root_2024 + "\r\n");
    REQUIRE(root);
    CHECK(root->zone.is_root());
    REQUIRE(root->ds.size() == 2);
    CHECK(root->ds[0].key_tag == 20326);
    CHECK(root->ds[1].key_tag == 38696);
    CHECK(root->ds[1].digest_type == dns::DigestType::sha256);
    const auto whole = parse_anchor(key);
    REQUIRE(whole);
    REQUIRE(whole->keys.size() == 1);
    CHECK(whole->keys[0].key_tag == 3613);
    CHECK(parse_anchor("example.org DS 1 8 2 " + std::string(64, 'A')));
}

TEST_CASE("what is no anchor is refused, with the line's number") {
    for (const std::string& text : std::vector<std::string>{
             "", "; nothing", ".", ". IN", ". IN DS", ". IN A 192.0.2.1", ". CH DS 1 8 2 00", ". IN DS 1 8 2 XYZ",
             ". IN DS 99999 8 2 00", "example DS \\# 4 00010802",
             root_2017 + "\nexample.org. DS 1 8 2 " + std::string(64, 'A'),
             "example.org. DNSKEY 385 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
             "example.org. DNSKEY 257 2 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
             "example.org. DNSKEY 1 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", std::string(70000, ';')}) {
        INFO(text.substr(0, 80));
        CHECK_FALSE(parse_anchor(text));
    }
    const auto wrong = TrustAnchors::parse(root_2017 + "\n\n. IN A 192.0.2.1\n");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().text.find("line 3") != std::string::npos);
    const auto empty = TrustAnchors::parse("example DS \\# 4 00010802\n");
    REQUIRE_FALSE(empty);
    CHECK(empty.error().text == "trust anchor, line 1: the DS has no digest");
}

TEST_CASE("the closest anchor at or above a name counts; without one nothing can be secure") {
    const TrustAnchors anchors = TrustAnchors::parse(root_2017 + "\n" + root_2024 + "\n" + key).value();
    CHECK(anchors.all().size() == 2);
    REQUIRE(anchors.closest(name("mail.example.org")));
    CHECK(anchors.closest(name("mail.example.org"))->zone == name("example.org"));
    CHECK(anchors.closest(name("example.org"))->zone == name("example.org"));
    CHECK(anchors.closest(name("org"))->zone.is_root());
    CHECK(anchors.closest(name("."))->ds.size() == 2);
    const TrustAnchors island = TrustAnchors::parse(key).value();
    CHECK_FALSE(island.closest(name("org")));
    CHECK_FALSE(TrustAnchors().closest(name(".")));
}
