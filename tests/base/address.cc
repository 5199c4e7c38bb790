#include "base/address.h"

#include <catch2/catch.hpp>

using namespace mxtrust;

namespace {
Address address(std::string_view text) {
    return Address::from_text(text).value();
}
}  // namespace

TEST_CASE("addresses are read and written") {
    const auto text =
        GENERATE("0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::25", "::ffff:192.0.2.1");
    CHECK(address(text).to_text() == text);
    CHECK(Address::from_rdata(address(text).octets()).value() == address(text));
}

TEST_CASE("what is no address is an error") {
    const auto text = GENERATE(as_text(as_bytes("")), "1.2.3", "1.2.3.256", "01.2.3.4", "fe80::1%lo", "[::1]", " ::1",
                               "mx.example", std::string_view("192.0.2.1\0.evil", 15));
    CHECK_FALSE(Address::from_text(text).has_value());
    const auto octets = GENERATE(0U, 3U, 5U, 15U, 17U);
    CHECK_FALSE(Address::from_rdata(Bytes(octets)).has_value());
}

TEST_CASE("addresses that no authority on the Internet has (A33)") {
    const auto text =
        GENERATE("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.53", "169.254.169.254",
                 "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
                 "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.251", "239.1.2.3", "240.0.0.1",
                 "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b:1::1",
                 "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
                 "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1");
    CAPTURE(text);
    CHECK(address(text).is_special_purpose());
}

TEST_CASE("addresses that an authority may have") {
    const auto text =
        GENERATE("1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.0", "128.0.0.1", "172.15.255.255",
                 "172.32.0.0", "192.0.1.1", "192.5.6.30", "198.17.255.255", "198.20.0.0", "198.41.0.4",
                 "223.255.255.255", "2001:500:2::c", "2001:503:ba3e::2:30", "2001:200::1", "2002:808:808::1",
                 "64:ff9b::8.8.8.8", "2a00::1", "2620:4f:8000::1", "3ffe::1", "3fff:1000::1");
    CAPTURE(text);
    CHECK_FALSE(address(text).is_special_purpose());
}

TEST_CASE("addresses that can never be a server's, not even in a test") {
    const auto unusable = GENERATE("0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1",
                                   "::ffff:0.0.0.0", "::ffff:224.0.0.1");
    CHECK(address(unusable).is_unusable());
    const auto usable = GENERATE("127.0.0.1", "10.0.0.1", "192.0.2.1", "::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1");
    CHECK_FALSE(address(usable).is_unusable());
}

TEST_CASE("families differ even where the octets are the same") {
    CHECK(address("0.0.0.0") != address("::"));
    CHECK(Endpoint{address("192.0.2.1"), 53}.to_text() == "192.0.2.1:53");
    CHECK(Endpoint{address("2001:db8::1"), 5353}.to_text() == "[2001:db8::1]:5353");
}
