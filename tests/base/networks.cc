#include "base/networks.h"

#include <catch2/catch.hpp>

using namespace mxtrust;

TEST_CASE("a client is allowed by the networks it lies in") {
    struct Case {
        const char *network, *client;
        bool inside;
    };
    const std::vector<Case> cases = {
        {"127.0.0.0/8", "127.9.9.9", true},
        {"127.0.0.0/8", "128.0.0.1", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
    };
    for (const Case& each : cases) {
        INFO(each.network << " " << each.client);
        CHECK(is_allowed({Network::from_text(each.network).value()}, Address::from_text(each.client).value()) ==
              each.inside);
    }
    CHECK_FALSE(is_allowed({}, Address::from_text("127.0.0.1").value()));
}

TEST_CASE("what is no network is refused") {
    for (const char* text :
         {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.1/8", "::1/129", "10.0.0/8", "10.0.0.0/-1"}) {
        INFO(text);
        CHECK_FALSE(Network::from_text(text).has_value());
    }
}
