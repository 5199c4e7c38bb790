// What clients write as a destination.
#include "mail/next_hop.h"

#include <catch2/catch.hpp>

namespace mxtrust::mail {
namespace {

struct Good {
    const char* written;
    const char* normal;
    int port;  ///< 0: none was written
};

TEST_CASE("all spellings of a destination are one") {
    const Good cases[] = {
        {"example.org", "example.org", 0},
        {"Example.ORG", "example.org", 0},
        {"example.org.", "example.org", 0},
        {"  example.org\n", "example.org", 0},
        {"bücher.example", "xn--bcher-kva.example", 0},
        {"BÜCHER.example.", "xn--bcher-kva.example", 0},
        {"bu\u0308cher.example", "xn--bcher-kva.example", 0},  // decomposed
        {"xn--bcher-kva.EXAMPLE", "xn--bcher-kva.example", 0},
        {"straße.example", "xn--strae-oqa.example", 0},  // non-transitional: not strasse
        {"例え。テスト", "xn--r8jz45g.xn--zckzah", 0},   // ideographic full stop
        {"_dmarc.example.org", "_dmarc.example.org", 0},
        {"localhost", "localhost", 0},
        {"1und1.example", "1und1.example", 0},
        {"example.org:587", "example.org", 587},
        {"example.org:smtp", "example.org", 25},
        {"[relay.example]", "[relay.example]", 0},
        {"[Relay.Example.]:587", "[relay.example]", 587},
        {"[relay.example]:submission", "[relay.example]", 587},
        {"[bücher.example]:24", "[xn--bcher-kva.example]", 24},
        {"[192.0.2.1]", "[192.0.2.1]", 0},
        {"[192.0.2.1]:2525", "[192.0.2.1]", 2525},
        {"[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", 0},
        {"[ipv6:2001:DB8:0::1]:65535", "[IPv6:2001:db8::1]", 65535},
        {"[2001:db8::1]", "[IPv6:2001:db8::1]", 0},
    };
    for (const Good& one : cases) {
        INFO(one.written);
        Result<NextHop> hop = parse_next_hop(one.written);
        REQUIRE(hop.has_value());
        CHECK(hop->to_text() == one.normal);
        CHECK(hop->port.value_or(0) == one.port);
    }
}

struct Bad {
    const char* written;
    const char* says;
};

TEST_CASE("what is no destination is refused with a reason") {
    const Bad cases[] = {
        {"", "no domain"},
        {"   ", "no domain"},
        {".", "root"},
        {"。", "root"},
        {"example..org", "empty label"},
        {".example.org", "empty label"},
        {"user@example.org", "after the @"},
        {"exam ple.org", "white space"},
        {"exam\001ple.org", "control character"},
        {"example.org;ls", "\";\" is not allowed"},
        {"example.org\\", "not allowed"},
        {"*.example.org", "not allowed"},
        {"-example.org", "hyphen"},
        {"example-.org", "hyphen"},
        {"192.0.2.1", "[192.0.2.1]"},
        {"１９２.０.２.１", "[192.0.2.1]"},  // the same, to UTS 46
        {"192。0。2。1", "[192.0.2.1]"},
        {"2001:db8::1", "[IPv6:"},
        {"example.org:", "port"},
        {"example.org:0", "port"},
        {"example.org:65536", "port"},
        {"example.org:-1", "port"},
        {"example.org:25x", "port"},
        {"[relay.example", "closing bracket"},
        {"[relay.example]587", "only :port"},
        {"[]", "no domain name"},
        {"[192.0.2.256]", "IP address"},
        {"[IPv6:192.0.2.1]", "IP address"},
        {"[IPv6:2001:db8::g]", "IP address"},
        {"\xff\xfe.example", "internationalised"},
        {"a\u0308\u200d.example", "internationalised"},
    };
    for (const Bad& one : cases) {
        INFO(one.written);
        Result<NextHop> hop = parse_next_hop(one.written);
        REQUIRE_FALSE(hop.has_value());
        CHECK(hop.error().kind == FailureKind::malformed);
        CHECK_THAT(hop.error().text, Catch::Contains(one.says));
    }
}

TEST_CASE("lengths are the DNS's: 63 octets a label, 253 a name") {
    std::string label(63, 'a');
    CHECK(parse_next_hop(label + ".example").has_value());
    CHECK_FALSE(parse_next_hop(label + "a.example").has_value());
    std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
    CHECK(longest.size() == 253);
    CHECK(parse_next_hop(longest).has_value());
    CHECK_FALSE(parse_next_hop(longest + "a").has_value());
    CHECK_FALSE(parse_next_hop(std::string(100'000, 'a')).has_value());
    CHECK_FALSE(parse_next_hop(std::string_view("exa\0mple.org", 12)).has_value());
    CHECK_FALSE(parse_next_hop(std::string_view("büch\0er.example", 16)).has_value());
}

TEST_CASE("an error text has no control characters, whatever was written") {
    for (int octet = 0; octet < 256; ++octet) {
        std::string written = "exa" + std::string(1, static_cast<char>(octet)) + "mple.org";
        Result<NextHop> hop = parse_next_hop(written);
        if (hop) continue;
        for (char letter : hop.error().text) CHECK(static_cast<unsigned char>(letter) >= 0x20);
    }
}

}  // namespace
}  // namespace mxtrust::mail
