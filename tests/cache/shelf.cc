// Sets of proofs are kept once, for all findings that rest on them; names in rdata are kept short.
#include <catch2/catch.hpp>

#include "cache/memory_cache.h"
#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;

namespace {

constexpr auto hour = seconds(3600);

dns::RRsetRef soa_set(int serial) {
    return rrset("example.org", Type::soa, {"ns.example.org. host.example.org. " + std::to_string(serial) + " 2 3 4 5"},
                 "example.org");
}
dns::RRsetRef nsec_set(std::string_view owner, const std::string& types = "A RRSIG NSEC") {
    return rrset(owner, Type::nsec, {"z.example.org. " + types}, "example.org");
}

dnssec::FindingRef absent(std::string_view asked, Type type, std::vector<dns::RRsetRef> proof,
                          WallTime expires = start + hour) {
    return proven(dnssec::Security::secure, {.name = name(asked),
                                             .type = type,
                                             .outcome = dnssec::Outcome::nodata,
                                             .proof = std::move(proof),
                                             .zone = name("example.org"),
                                             .expires = expires});
}

dnssec::FindingRef as_finding(const dns::RRsetRef& set, WallTime expires = start + hour) {
    return proven(dnssec::Security::secure, {.name = set->owner,
                                             .type = set->type,
                                             .outcome = dnssec::Outcome::records,
                                             .rrset = set,
                                             .zone = name("example.org"),
                                             .expires = expires});
}

}  // namespace

TEST_CASE("a set that many denials rest on is kept once", "[shelf]") {
    MemoryCache cache;
    CHECK_FALSE(cache.find(name("x.example.org"), Type::a, start));
    std::vector<dnssec::FindingRef> all;
    for (int count = 0; count < 20; ++count) {
        const std::string host = "h" + std::to_string(count) + ".example.org";
        all.push_back(absent(host, Type::aaaa, {soa_set(1), nsec_set(host)}));
        all.push_back(absent(host, Type::tlsa, {soa_set(1), nsec_set(host)}));
    }
    for (const auto& finding : all) cache.store(finding);
    cache.store(as_finding(soa_set(1)));
    CHECK(cache.counters().entries == all.size() + 20 + 1 + 1);
    for (const auto& finding : all) {
        const auto found = cache.find(finding->name(), finding->type(), start);
        REQUIRE(found);
        CHECK(same(*found, *finding));
    }
    CHECK(same(*cache.find(name("example.org"), Type::soa, start), *as_finding(soa_set(1))));
    // 40 denials with both sets in each would take more than 250 octets apiece.
    CHECK(cache.counters().octets / all.size() < 220);
}

TEST_CASE("a zone's newer set takes nothing from denials that rest on an older one", "[shelf]") {
    MemoryCache cache;
    CHECK_FALSE(cache.find(name("x.example.org"), Type::a, start));
    const auto older = absent("a.example.org", Type::aaaa, {soa_set(1), nsec_set("a.example.org")});
    const auto newer = absent("a.example.org", Type::tlsa, {soa_set(2), nsec_set("a.example.org", "A TXT RRSIG NSEC")});
    cache.store(older);
    CHECK_FALSE(cache.find(name("x.example.org"), Type::a, start + seconds(10)));
    cache.store(newer);
    CHECK(same(*cache.find(older->name(), older->type(), start + seconds(10)), *older));
    CHECK(same(*cache.find(newer->name(), newer->type(), start + seconds(10)), *newer));
    const auto denial = cache.find_denial(name("example.org"), Type::nsec, name("b.example.org"), start + seconds(10));
    REQUIRE(denial);
    CHECK(same_sets(denial->rrset(), nsec_set("a.example.org", "A TXT RRSIG NSEC")));
}

TEST_CASE("a set lives as long as the last denial that rests on it", "[shelf]") {
    MemoryCache cache;
    CHECK_FALSE(cache.find(name("x.example.org"), Type::a, start));
    const auto shorter = absent("a.example.org", Type::aaaa, {soa_set(1)}, start + seconds(100));
    const auto longer = absent("b.example.org", Type::aaaa, {soa_set(1)}, start + seconds(1000));
    SECTION("the shorter first") {
        cache.store(shorter);
        cache.store(longer);
    }
    SECTION("the longer first") {
        cache.store(longer);
        cache.store(shorter);
    }
    cache.store_denial(name("example.org"), as_finding(soa_set(1), start + seconds(50)));
    CHECK_FALSE(cache.find(shorter->name(), Type::aaaa, start + seconds(100)));
    const auto found = cache.find(longer->name(), Type::aaaa, start + seconds(999));
    REQUIRE(found);
    CHECK(same(*found, *longer));
}

TEST_CASE("a denial whose set is gone is not known any more, and no damage", "[shelf]") {
    const Place place;
    const OpenStore opened = open_store(place.settings());
    const auto view = opened.store->view();
    CHECK_FALSE(view->find(name("x.example.org"), Type::a, start));
    const auto below = absent("_25._tcp.a.example.org", Type::tlsa, {soa_set(1), nsec_set("a.example.org")});
    view->store(below);
    opened.store->sync();
    REQUIRE(view->find(below->name(), below->type(), start));
    view->flush(name("a.example.org"), false);  // with it, what the zone denies from above
    CHECK_FALSE(view->find(below->name(), below->type(), start));
    opened.store->sync();
    CHECK_FALSE(view->find(below->name(), below->type(), start));
    CHECK(opened.store->take_notices().empty());
    view->store(below);
    REQUIRE(view->find(below->name(), below->type(), start));
}

TEST_CASE("what is not secure keeps its sets itself", "[shelf]") {
    MemoryCache cache;
    CHECK_FALSE(cache.find(name("x.example.org"), Type::a, start));
    const auto unsigned_zone =
        proven(dnssec::Security::insecure, {.name = name("a.plain.example"),
                                            .type = Type::aaaa,
                                            .outcome = dnssec::Outcome::nodata,
                                            .proof = {rrset("plain.example", Type::soa, {"a. b. 1 2 3 4 5"})},
                                            .zone = name("plain.example"),
                                            .expires = start + hour});
    cache.store(unsigned_zone);
    CHECK(cache.counters().entries == 1);
    CHECK(same(*cache.find(unsigned_zone->name(), Type::aaaa, start), *unsigned_zone));
}

TEST_CASE("names in rdata come back as they were written, also in capital letters", "[shelf]") {
    struct Row {
        Type type;
        Bytes rdata;
    };
    const auto octets = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
    using namespace std::string_view_literals;
    for (const Row& row :
         {Row{Type::mx, octets("\x00\x0A\4mail\7example\3org\0"sv)},
          Row{Type::mx, octets("\x00\x0A\4mail\7Example\3org\0"sv)},
          Row{Type::mx, octets("\x00\x0A\4MAIL\7example\3org\0"sv)}, Row{Type::mx, octets("\x00\x0A\0"sv)},
          Row{Type::mx, octets("\x00"sv)}, Row{Type::mx, octets("\x00\x0A\7example\3org\0more"sv)},
          Row{Type::ns, octets("\x09xexample\3\3org\0"sv)}, Row{Type::cname, octets("\7example\3org"sv)},
          Row{Type::dname, octets("\xC0\x0C"sv)}, Row{Type::nsec, octets("\1b\7example\3org\0\0\1\x40"sv)},
          Row{Type::soa, octets("\7example\3org\0\2ns\3org\0twenty octets of five"sv)},
          Row{Type::txt, octets("\7example\3org\0"sv)}}) {
        auto set = std::make_shared<dns::RRset>();
        set->owner = name("example.org");
        set->type = row.type;
        set->records.push_back(row.rdata);
        const auto finding = proven(dnssec::Security::secure, {.name = set->owner,
                                                               .type = row.type,
                                                               .outcome = dnssec::Outcome::records,
                                                               .rrset = set,
                                                               .zone = set->owner,
                                                               .expires = start + hour});
        const auto back = Codec::decode(Codec::encode(*finding), set->owner, row.type,
                                        {dnssec::Security::secure, dnssec::Outcome::records, start + hour});
        REQUIRE(back);
        CHECK(same_sets((*back)->rrset(), set));
    }
}
