#include "dns/rrset.h"

#include <array>
#include <catch2/catch.hpp>

#include "support.h"

using namespace mxtrust;
using namespace mxtrust::dns;
using namespace mxtrust::dns::testing;

TEST_CASE("records are grouped by owner and type, in order of first appearance") {
    const auto sets = group({record("a.example", Type::mx, "10 x."), record("b.example", Type::mx, "10 x."),
                             record("a.example", Type::a, "192.0.2.1"), record("A.EXAMPLE", Type::mx, "20 y.", 60)});
    REQUIRE(sets.size() == 3);
    CHECK(sets[0].owner == name("a.example"));
    CHECK(sets[0].type == Type::mx);
    CHECK(sets[0].records == std::vector<Bytes>{rdata(Type::mx, "10 x."), rdata(Type::mx, "20 y.")});
    CHECK(sets[0].ttl == Ttl(60));  // the lowest, RFC 2181 5.2
    CHECK(sets[1].owner == name("b.example"));
    CHECK(sets[2].type == Type::a);
}

TEST_CASE("signatures join the set they cover, wherever they stand") {
    const std::string of_mx = "MX 13 2 3600 20300101000000 20200101000000 1 example. AAAA";
    const std::string of_a = "A 13 2 3600 20300101000000 20200101000000 1 example. AAAA";
    const auto sets = group({record("a.example", Type::rrsig, of_mx, 5), record("a.example", Type::mx, "10 x.", 3600),
                             record("a.example", Type::rrsig, of_a, 5), record("b.example", Type::rrsig, of_mx)});
    REQUIRE(sets.size() == 3);
    CHECK(sets[0].type == Type::mx);
    CHECK(sets[0].records.size() == 1);
    CHECK(sets[0].ttl == Ttl(5));  // its signature's, RFC 4035 5.3.3
    CHECK(sets[0].signatures == std::vector<Bytes>{rdata(Type::rrsig, of_mx)});
    CHECK(sets[1].type == Type::a);  // a set with no records
    CHECK(sets[1].records.empty());
    CHECK(sets[1].signatures.size() == 1);
    CHECK(sets[2].owner == name("b.example"));
}

TEST_CASE("23: a set is told for no longer than its records and their signatures were (RFC 4035 5.3.3)") {
    const std::string of_mx = "MX 13 2 3600 20300101000000 20200101000000 1 example. AAAA";
    const std::string other = "MX 13 2 3600 20300101000000 20200101000000 2 example. AAAA";
    for (const auto& [set, signature, second, expected] :
         std::vector<std::array<std::uint32_t, 4>>{{3600, 3600, 3600, 3600},
                                                   {60, 3600, 3600, 60},
                                                   {3600, 60, 3600, 60},
                                                   {3600, 3600, 60, 60},
                                                   {60, 0, 5, 0}}) {
        const auto sets =
            group({record("a.example", Type::mx, "10 x.", set), record("a.example", Type::rrsig, of_mx, signature),
                   record("a.example", Type::rrsig, other, second)});
        REQUIRE(sets.size() == 1);
        CHECK(sets[0].ttl == Ttl(expected));
    }
}

TEST_CASE("duplicates are removed, also where only the letters of a name differ (RFC 4034 6.3)") {
    Record upper = record("a.example", Type::mx, "10 x.");
    upper.rdata = hex("000a 0158 00");
    const Record signature =
        record("a.example", Type::rrsig, "MX 13 2 3600 20300101000000 20200101000000 1 example. AAAA");
    const auto sets = group({upper, record("a.example", Type::mx, "10 x."), signature, signature});
    REQUIRE(sets.size() == 1);
    CHECK(sets[0].records == std::vector<Bytes>{upper.rdata});  // as the first was spelled
    CHECK(sets[0].signatures.size() == 1);
}

TEST_CASE("records with the same octets in other sets are no duplicates") {
    const auto sets = group({record("a.example", Type::a, "192.0.2.1"), record("b.example", Type::a, "192.0.2.1")});
    REQUIRE(sets.size() == 2);
    CHECK(sets[1].records.size() == 1);
}

TEST_CASE("classes other than IN are left out") {
    Record chaos = record("a.example", Type::txt, "\"x\"");
    chaos.class_ = Class::ch;
    CHECK(group({chaos}).empty());
    CHECK(group({}).empty());
}
