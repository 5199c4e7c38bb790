// What cache.h promises, of every cache there is: in memory, of LMDB before the commit (overlay), and after it.
#include "cache/rules.h"

#include <catch2/catch.hpp>

#include "cache/memory_cache.h"
#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Security;

namespace {

/// A cache with a way to let it settle.
struct Memory {
    MemoryCache cache;
    Cache& operator*() { return cache; }
    void settle() {}
};

/// Nothing is ever committed while the test looks.
struct Overlay {
    Place place;
    OpenStore opened = open_store([this] {
        auto settings = place.settings();
        settings.batch_time = std::chrono::hours(1);
        return settings;
    }());
    std::unique_ptr<LmdbCache> view = opened.store->view();
    Cache& operator*() { return *view; }
    void settle() {}
};

/// Everything is committed before the test looks.
struct Committed {
    Place place;
    OpenStore opened = open_store(place.settings());
    std::unique_ptr<LmdbCache> view = opened.store->view();
    Cache& operator*() {
        settle();
        return *view;
    }
    void settle() { opened.store->sync(); }
};

const Wanted insecure{.security = Security::insecure};
const dns::Name host = name("mail.example.org");

}  // namespace

TEMPLATE_TEST_CASE("what was stored is found until it expires", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    const FindingRef stored = records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = start + seconds(60)});
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    (*cache).store(stored);
    const FindingRef found = (*cache).find(host, Type::a, start + seconds(59));
    REQUIRE(found);
    CHECK(same(*found, *stored));
    CHECK((*cache).find(host, Type::aaaa, start) == nullptr);
    CHECK((*cache).find(name("example.org"), Type::a, start) == nullptr);
    CHECK((*cache).find(host, Type::a, start + seconds(60)) == nullptr);
}

TEMPLATE_TEST_CASE("an entry from the future is not trusted: the clock was set back", "[rules]", Memory, Overlay,
                   Committed) {
    TestType cache;
    const WallTime wrong = start + std::chrono::hours(24 * 365);
    CHECK((*cache).find(host, Type::a, wrong) == nullptr);
    (*cache).store(records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = wrong + seconds(3600)}));
    CHECK((*cache).find(host, Type::a, wrong) != nullptr);
    CHECK((*cache).find(host, Type::a, start) == nullptr);
}

TEMPLATE_TEST_CASE("29: who may replace whom: bogus never secure, insecure never secure (RFC 2181 5.4.1)", "[rules]",
                   Memory, Overlay, Committed) {
    const WallTime soon = start + seconds(600);
    struct Row {
        const char* what;
        FindingRef first, second;
        bool replaced;
    };
    const auto secure_a = records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = soon});
    const auto newer_a = records("mail.example.org", Type::a, {"192.0.2.2"}, {.expires = start + seconds(60)});
    const auto insecure_a =
        records("mail.example.org", Type::a, {"192.0.2.3"}, {.security = Security::insecure, .expires = soon});
    const auto other_a =
        records("mail.example.org", Type::a, {"192.0.2.4"}, {.security = Security::insecure, .expires = soon});
    const auto no_a = nodata("mail.example.org", Type::a, {.expires = soon});
    const auto bogus_a = bogus("mail.example.org", Type::a, soon);
    const auto failed_a = failure("mail.example.org", Type::a, soon);
    const auto unreachable_a =
        denial("mail.example.org", Type::a, Outcome::failure, {.security = Security::insecure, .expires = soon});
    for (const Row& row :
         {Row{"newer secure, though it ends earlier", secure_a, newer_a, true},
          Row{"secure NODATA over secure records", secure_a, no_a, true},
          Row{"insecure never over secure", secure_a, insecure_a, false},
          Row{"bogus never over secure", secure_a, bogus_a, false},
          Row{"failure never over secure", secure_a, failed_a, false},
          Row{"insecure failure never over secure", secure_a, unreachable_a, false},
          Row{"insecure over insecure", insecure_a, other_a, true},
          Row{"secure over insecure", insecure_a, secure_a, true},
          Row{"bogus, the stricter, over insecure", insecure_a, bogus_a, true},
          Row{"failure not over insecure records", insecure_a, failed_a, false},
          Row{"insecure failure not over insecure records", insecure_a, unreachable_a, false},
          Row{"secure over bogus", bogus_a, secure_a, true}, Row{"insecure over bogus", bogus_a, insecure_a, true},
          Row{"failure not over bogus", bogus_a, failed_a, false},
          Row{"anything over a failure", failed_a, bogus_a, true},
          Row{"records over an insecure failure", unreachable_a, insecure_a, true}}) {
        INFO(row.what);
        TestType cache;
        CHECK((*cache).find(host, Type::a, start) == nullptr);
        (*cache).store(row.first);
        (*cache).store(row.second);
        const FindingRef found = (*cache).find(host, Type::a, start);
        REQUIRE(found);
        CHECK(same(*found, row.replaced ? *row.second : *row.first));
    }
}

TEMPLATE_TEST_CASE("29 twin: a forged answer for a name that is known neither replaces nor removes it", "[rules]",
                   Memory, Overlay, Committed) {
    const auto known = records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = start + seconds(600)});
    TestType cache;
    (*cache).store(known);
    (*cache).store(bogus("mail.example.org", Type::a, start + seconds(3600)));
    (*cache).store(denial("mail.example.org", Type::a, Outcome::nxdomain,
                          {.security = Security::insecure, .expires = start + seconds(3600)}));
    REQUIRE((*cache).find(host, Type::a, start));
    CHECK(same(*(*cache).find(host, Type::a, start), *known));
}

TEMPLATE_TEST_CASE("a secure answer that has expired protects nothing", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    (*cache).store(records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = start + seconds(60)}));
    CHECK((*cache).find(host, Type::a, start + seconds(60)) == nullptr);
    (*cache).store(bogus("mail.example.org", Type::a, start + seconds(120)));
    const FindingRef found = (*cache).find(host, Type::a, start + seconds(61));
    REQUIRE(found);
    CHECK(found->security() == Security::bogus);
    CHECK(found->rrset() == nullptr);
    CHECK(found->reason().text == "the signature of its zone has expired");
}

TEMPLATE_TEST_CASE("NXDOMAIN holds for all types of the name, as asked", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    (*cache).store(nxdomain("mail.example.org", Type::a));
    for (const Type type : {Type::a, Type::mx, Type::tlsa, Type::ds, Type::cname}) {
        const FindingRef found = (*cache).find(host, type, start);
        REQUIRE(found);
        CHECK(found->outcome() == Outcome::nxdomain);
        CHECK(found->type() == type);
        CHECK(found->name() == host);
        CHECK(found->proof().size() == 2);
    }
    CHECK((*cache).find(name("b.mail.example.org"), Type::a, start) == nullptr);
    CHECK((*cache).find_nxdomain(host, start) != nullptr);
    CHECK((*cache).find_nxdomain(name("example.org"), start) == nullptr);
}

TEMPLATE_TEST_CASE("only a secure NXDOMAIN without opt-out cuts the tree (RFC 8020, validator-pitfalls 7)", "[rules]",
                   Memory, Overlay, Committed) {
    const auto with_nsec3 = [](const char* flags) {
        return proven(
            Security::secure,
            {.name = host,
             .type = Type::a,
             .outcome = Outcome::nxdomain,
             .proof = {rrset("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org", Type::nsec3,
                             {std::string("1 ") + flags + " 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"}, "example.org")},
             .zone = name("example.org"),
             .expires = start + seconds(60)});
    };
    struct Row {
        const char* what;
        FindingRef finding;
        bool cuts;
    };
    for (const Row& row :
         {Row{"secure NSEC", nxdomain("mail.example.org", Type::a), true},
          Row{"insecure", nxdomain("mail.example.org", Type::a, insecure), false},
          Row{"secure NSEC3", with_nsec3("0"), true}, Row{"NSEC3 with opt-out", with_nsec3("1"), false}}) {
        INFO(row.what);
        TestType cache;
        (*cache).store(row.finding);
        CHECK((*cache).find(host, Type::a, start) != nullptr);
        CHECK(((*cache).find_nxdomain(host, start) != nullptr) == row.cuts);
    }
}

TEMPLATE_TEST_CASE("of two contradicting proofs the newer holds, unless only the older is secure", "[rules]", Memory,
                   Overlay, Committed) {
    const auto secure_a = records("mail.example.org", Type::a, {"192.0.2.1"});
    const auto insecure_a = records("mail.example.org", Type::a, {"192.0.2.1"}, insecure);
    struct Row {
        const char* what;
        FindingRef first, second;
        Outcome a, mx;  // what A and MX give afterwards; failure: nothing
    };
    const auto gone = nxdomain("mail.example.org", Type::mx),
               perhaps_gone = nxdomain("mail.example.org", Type::mx, insecure);
    const auto no_mx = nodata("mail.example.org", Type::mx);
    for (const Row& row :
         {Row{"secure NXDOMAIN ends records", secure_a, gone, Outcome::nxdomain, Outcome::nxdomain},
          Row{"insecure NXDOMAIN leaves secure records", secure_a, perhaps_gone, Outcome::records, Outcome::failure},
          Row{"insecure NXDOMAIN of another type leaves insecure records", insecure_a, perhaps_gone, Outcome::records,
              Outcome::nxdomain},
          Row{"insecure NXDOMAIN of the type ends insecure records", insecure_a,
              nxdomain("mail.example.org", Type::a, insecure), Outcome::nxdomain, Outcome::failure},
          Row{"insecure NXDOMAIN does not take the place of a secure one", gone,
              nxdomain("mail.example.org", Type::a, insecure), Outcome::nxdomain, Outcome::nxdomain},
          Row{"secure NXDOMAIN ends an insecure one", perhaps_gone, gone, Outcome::nxdomain, Outcome::nxdomain},
          Row{"secure records end NXDOMAIN", gone, secure_a, Outcome::records, Outcome::failure},
          Row{"insecure records do not end secure NXDOMAIN", gone, insecure_a, Outcome::nxdomain, Outcome::nxdomain},
          Row{"NODATA ends NXDOMAIN", gone, no_mx, Outcome::failure, Outcome::nodata},
          Row{"bogus does not touch NXDOMAIN", gone, bogus("mail.example.org", Type::a), Outcome::nxdomain,
              Outcome::nxdomain}}) {
        INFO(row.what);
        TestType cache;
        CHECK((*cache).find(host, Type::a, start) == nullptr);
        (*cache).store(row.first);
        (*cache).store(row.second);
        const FindingRef a = (*cache).find(host, Type::a, start), mx = (*cache).find(host, Type::mx, start);
        CHECK((a ? a->outcome() : Outcome::failure) == row.a);
        CHECK((mx ? mx->outcome() : Outcome::failure) == row.mx);
    }
}

TEMPLATE_TEST_CASE("NXDOMAIN of an unsigned zone holds for the type that was asked, and no other (RFC 4074 4.2)",
                   "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    (*cache).store(nxdomain("mail.example.org", Type::aaaa, insecure));
    REQUIRE((*cache).find(host, Type::aaaa, start));
    CHECK((*cache).find(host, Type::aaaa, start)->outcome() == Outcome::nxdomain);
    CHECK((*cache).find(host, Type::aaaa, start)->security() == Security::insecure);
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    CHECK((*cache).find(host, Type::cname, start) == nullptr);
    // What was asked as CNAME is no alias.
    (*cache).store(nxdomain("mail.example.org", Type::cname, insecure));
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    // In either order the address is there.
    (*cache).store(records("mail.example.org", Type::a, {"192.0.2.1"}, insecure));
    (*cache).store(nxdomain("mail.example.org", Type::aaaa, insecure));
    CHECK((*cache).find(host, Type::a, start)->outcome() == Outcome::records);
    CHECK((*cache).find(host, Type::aaaa, start)->outcome() == Outcome::nxdomain);
}

TEMPLATE_TEST_CASE("an alias takes the place of what was known of the type that was asked", "[rules]", Memory, Overlay,
                   Committed) {
    const auto set = rrset("mail.example.org", Type::cname, {"web.example.net."}, "example.org");
    const auto new_alias = alias("mail.example.org", Type::a, set);
    struct Row {
        const char* what;
        FindingRef before;
    };
    for (const Row& row : {Row{"records", records("mail.example.org", Type::a, {"192.0.2.1"})},
                           Row{"NODATA", nodata("mail.example.org", Type::a)},
                           Row{"insecure NXDOMAIN", nxdomain("mail.example.org", Type::a, insecure)},
                           Row{"bogus", bogus("mail.example.org", Type::a)}}) {
        INFO(row.what);
        TestType cache;
        CHECK((*cache).find(host, Type::a, start) == nullptr);
        (*cache).store(row.before);
        (*cache).store(new_alias);
        REQUIRE((*cache).find(host, Type::a, start));
        CHECK((*cache).find(host, Type::a, start)->is_alias());
    }
}

TEMPLATE_TEST_CASE("a name that exists ends the NXDOMAIN of those above it (RFC 8020)", "[rules]", Memory, Overlay,
                   Committed) {
    TestType cache;
    (*cache).store(nxdomain("example.org", Type::a, {.zone = "org"}));
    (*cache).store(nxdomain("other.org", Type::a, {.zone = "org"}));
    (*cache).store(records("a.b.example.org", Type::a, {"192.0.2.1"}));
    CHECK((*cache).find_nxdomain(name("example.org"), start) == nullptr);
    CHECK((*cache).find_nxdomain(name("other.org"), start) != nullptr);
}

TEMPLATE_TEST_CASE("a CNAME answers for other types, not for CNAME, DS and NSEC, nor where the type is there",
                   "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    const auto set = rrset("mail.example.org", Type::cname, {"web.example.net."}, "example.org");
    (*cache).store(alias("mail.example.org", Type::a, set));
    const FindingRef mx = (*cache).find(host, Type::mx, start);
    REQUIRE(mx);
    CHECK(mx->is_alias());
    CHECK(mx->type() == Type::mx);
    CHECK(mx->alias_target().value() == name("web.example.net"));
    CHECK((*cache).find(host, Type::ds, start) == nullptr);
    CHECK((*cache).find(host, Type::nsec, start) == nullptr);
    const FindingRef cname = (*cache).find(host, Type::cname, start);
    REQUIRE(cname);
    CHECK_FALSE(cname->is_alias());
    (*cache).store(records("mail.example.org", Type::txt, {"\"text\""}));
    CHECK((*cache).find(host, Type::txt, start)->rrset()->type == Type::txt);
    // A NODATA for CNAME says nothing about other types.
    TestType other;
    (*other).store(nodata("mail.example.org", Type::cname));
    CHECK((*other).find(host, Type::cname, start) != nullptr);
    CHECK((*other).find(host, Type::a, start) == nullptr);
}

TEMPLATE_TEST_CASE("a failure is not kept beside a secure alias for the same question", "[rules]", Memory, Overlay,
                   Committed) {
    TestType cache;
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    (*cache).store(
        alias("mail.example.org", Type::a, rrset("mail.example.org", Type::cname, {"x.example.net."}, "example.org")));
    (*cache).store(failure("mail.example.org", Type::aaaa));
    CHECK((*cache).find(host, Type::aaaa, start)->is_alias());
    (*cache).store(bogus("mail.example.org", Type::ds));
    CHECK((*cache).find(host, Type::ds, start)->security() == Security::bogus);
}

TEMPLATE_TEST_CASE("a DNAME is found at its owner, whichever name below was asked", "[rules]", Memory, Overlay,
                   Committed) {
    TestType cache;
    const auto set = rrset("example.org", Type::dname, {"example.net."}, "example.org");
    (*cache).store(alias("mail.example.org", Type::mx, set));
    const FindingRef found = (*cache).find_dname(name("example.org"), start);
    REQUIRE(found);
    CHECK(found->name() == name("example.org"));
    CHECK(found->type() == Type::dname);
    CHECK(found->is_secure());
    CHECK(*found->rrset() == *set);
    CHECK_FALSE(found->is_alias());
    CHECK((*cache).find(host, Type::a, start)->alias_target().value() == name("mail.example.net"));
    CHECK((*cache).find_dname(host, start) == nullptr);
    TestType other;
    (*other).store(nodata("example.org", Type::dname));
    CHECK((*other).find_dname(name("example.org"), start) == nullptr);
}

TEMPLATE_TEST_CASE("meta types are never kept", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    (*cache).store(failure("mail.example.org", Type::any));
    (*cache).store(failure("mail.example.org", Type{0}));
    CHECK((*cache).find(host, Type::any, start) == nullptr);
    CHECK((*cache).find(host, Type{0}, start) == nullptr);
    CHECK((*cache).counters().stored == 0);
}

TEMPLATE_TEST_CASE("the NSEC that covers a name is the one before it in its own zone (RFC 8198)", "[rules]", Memory,
                   Overlay, Committed) {
    TestType cache;
    const auto nsec = [](const char* owner, const char* next, const char* zone) {
        return records(owner, Type::nsec, {std::string(next) + " A RRSIG NSEC"}, {.zone = zone});
    };
    const dns::Name zone = name("example.org");
    CHECK((*cache).find_denial(zone, Type::nsec, zone, start) == nullptr);
    (*cache).store_denial(zone, nsec("b.example.org", "d.example.org.", "example.org"));
    (*cache).store_denial(name("d.example.org"), nsec("z.d.example.org", "d.example.org.", "d.example.org"));
    (*cache).store_denial(zone, nsec("f.example.org", "example.org.", "example.org"));
    (*cache).store_denial(zone, records("example.org", Type::soa, {"ns.example.org. h.example.org. 1 2 3 4 5"}));
    const auto owner = [&](const char* position) {
        const FindingRef found = (*cache).find_denial(zone, Type::nsec, name(position), start);
        return found ? found->name().to_text() : std::string("none");
    };
    CHECK(owner("a.example.org") == "none");
    CHECK(owner("example.org") == "none");
    CHECK(owner("b.example.org") == "b.example.org");
    CHECK(owner("c.example.org") == "b.example.org");
    CHECK(owner("e.example.org") == "b.example.org");
    CHECK(owner("x.f.example.org") == "f.example.org");
    CHECK(owner("z.example.org") == "f.example.org");
    CHECK(owner("example.com") == "none");
    CHECK((*cache).find_denial(zone, Type::nsec3, name("z.example.org"), start) == nullptr);
    CHECK((*cache).find_denial(zone, Type::soa, zone, start)->rrset()->type == Type::soa);
    CHECK((*cache).find_denial(zone, Type::nsec, name("c.example.org"), start + seconds(3600)) == nullptr);
}

TEMPLATE_TEST_CASE("only secure sets of the zone itself serve for denial", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    const dns::Name zone = name("example.org");
    (*cache).store_denial(zone, records("a.example.org", Type::nsec, {"b.example.org. A"}, insecure));
    (*cache).store_denial(zone, records("a.example.com", Type::nsec, {"b.example.com. A"}));
    (*cache).store_denial(zone, records("a.example.org", Type::a, {"192.0.2.1"}));
    (*cache).store_denial(zone, bogus("a.example.org", Type::nsec));
    CHECK((*cache).find_denial(zone, Type::nsec, name("aa.example.org"), start) == nullptr);
    CHECK((*cache).counters().stored == 0);
}

TEMPLATE_TEST_CASE("zone cuts and notes are kept until they expire", "[rules]", Memory, Overlay, Committed) {
    TestType cache;
    const ZoneCut stored = cut("example.org", start + seconds(60));
    (*cache).store_cut(stored);
    const auto found = (*cache).find_cut(name("example.org"), start);
    REQUIRE(found);
    CHECK(*found == stored);
    CHECK((*cache).find_cut(name("org"), start) == nullptr);
    CHECK((*cache).find_cut(name("example.org"), start + seconds(60)) == nullptr);

    CHECK_FALSE((*cache).find_note("ledger/a", start));
    (*cache).store_note("ledger/b", "two", start + seconds(60));
    (*cache).store_note("ledger/a", "one", start + seconds(60));
    (*cache).store_note("ledgerette", "three", start + seconds(60));
    (*cache).store_note("ledger/c", "gone", start + seconds(10));
    CHECK((*cache).find_note("ledger/a", start) == "one");
    using Found = std::vector<std::pair<std::string, std::string>>;
    CHECK((*cache).notes("ledger/", 10, start + seconds(10)) == Found{{"ledger/a", "one"}, {"ledger/b", "two"}});
    CHECK((*cache).notes("ledger/", 1, start + seconds(10)) == Found{{"ledger/a", "one"}});
    CHECK((*cache).notes("ledger/", 0, start).empty());
    (*cache).store_note("ledger/a", "", start);
    CHECK_FALSE((*cache).find_note("ledger/a", start));
    (*cache).store_note("large", std::string(64 * 1024, 'x'), start + seconds(60));
    CHECK((*cache).find_note("large", start + seconds(1))->size() == 64 * 1024);
    (*cache).store_note("too large", std::string(64 * 1024 + 1, 'x'), start + seconds(60));
    CHECK_FALSE((*cache).find_note("too large", start));
    const std::string long_key(600, 'k');
    (*cache).store_note(long_key, "x", start + seconds(60));
    CHECK_FALSE((*cache).find_note(long_key, start));
    CHECK((*cache).notes(long_key, 10, start).empty());
    CHECK((*cache).find_note("large", start + seconds(1)));
}

TEMPLATE_TEST_CASE("a flush takes the name, and what is below where asked, and tells how much", "[rules]", Memory,
                   Overlay, Committed) {
    for (const bool subtree : {false, true}) {
        TestType cache;
        CHECK((*cache).find(host, Type::a, start) == nullptr);
        Cache& writing = *cache;
        writing.store(records("example.org", Type::mx, {"10 mail.example.org."}));
        writing.store(records("example.org", Type::a, {"192.0.2.1"}));
        writing.store(records("mail.example.org", Type::a, {"192.0.2.1"}));
        writing.store(records("example.com", Type::a, {"192.0.2.1"}, {.zone = "example.com"}));
        writing.store_cut(cut("example.org"));
        writing.store_cut(cut("sub.example.org"));
        writing.store_note("example.org", "kept", start + seconds(60));
        cache.settle();
        CHECK(writing.flush(name("example.org"), subtree) == (subtree ? 5U : 3U));
        for (int look = 0; look < 2; ++look) {
            Cache& seen = *cache;
            CHECK(seen.find(name("example.org"), Type::mx, start) == nullptr);
            CHECK(seen.find_cut(name("example.org"), start) == nullptr);
            CHECK((seen.find(host, Type::a, start) == nullptr) == subtree);
            CHECK((seen.find_cut(name("sub.example.org"), start) == nullptr) == subtree);
            CHECK(seen.find(name("example.com"), Type::a, start) != nullptr);
            CHECK(seen.find_note("example.org", start) == "kept");
        }
        (*cache).store(records("example.org", Type::a, {"192.0.2.9"}));
        CHECK((*cache).find(name("example.org"), Type::a, start) != nullptr);
    }
}

TEST_CASE("a full memory cache lets go of the expired and the least dear first", "[rules]") {
    MemoryCache cache(100);
    for (int count = 0; count < 50; ++count) {
        const std::string text = "good" + std::to_string(count) + ".example.org";
        CHECK(cache.find(name(text), Type::mx, start) == nullptr);
        cache.store(records(text, Type::mx, {"10 mail.example.org."}));
    }
    for (int count = 0; count < 5000; ++count) {
        cache.store(
            nxdomain("rubbish" + std::to_string(count) + ".example.org", Type::a, {.expires = start + seconds(900)}));
    }
    CHECK(cache.counters().entries <= 100);
    CHECK(cache.counters().evicted >= 4900);
    for (int count = 0; count < 50; ++count) {
        CHECK(cache.find(name("good" + std::to_string(count) + ".example.org"), Type::mx, start) != nullptr);
    }
}

TEMPLATE_TEST_CASE("a delegation that has ended can be looked back at, for a guess", "[rules]", Memory, Overlay,
                   Committed) {
    TestType cache;
    const WallTime end = start + seconds(60);
    const dns::Name zone = name("example.org");
    CHECK((*cache).find_cut_of_any_age(zone, start) == nullptr);
    (*cache).store_cut({zone, name("org"), {{name("ns.example.org"), {}}}, end});
    CHECK((*cache).find_cut_of_any_age(zone, start)->expires == end);
    CHECK((*cache).find_cut(zone, end) == nullptr);
    const auto ended = (*cache).find_cut_of_any_age(zone, end + seconds(100));
    REQUIRE(ended != nullptr);
    CHECK(ended->expires == end);
    CHECK(ended->servers.front().name == name("ns.example.org"));
    CHECK((*cache).find_cut_of_any_age(name("org"), end) == nullptr);
    (*cache).flush(zone, false);
    CHECK((*cache).find_cut_of_any_age(zone, end) == nullptr);
}

TEMPLATE_TEST_CASE("what has ended can be looked back at, for a guess: never what is good, bogus or flushed", "[rules]",
                   Memory, Overlay, Committed) {
    TestType cache;
    const WallTime end = start + seconds(60);
    CHECK((*cache).find(host, Type::a, start) == nullptr);
    (*cache).store(records("mail.example.org", Type::a, {"192.0.2.1"}, {.expires = end}));
    (*cache).store(nodata("mail.example.org", Type::tlsa, {.expires = end}));
    (*cache).store(bogus("bogus.example.org", Type::a, end));
    CHECK_FALSE((*cache).find_ended(host, Type::a, end - seconds(1)));
    const auto ended = (*cache).find_ended(host, Type::a, end);
    REQUIRE(ended);
    CHECK(ended->outcome == Outcome::records);
    CHECK(ended->records == std::vector<Bytes>{rdata(Type::a, "192.0.2.1")});
    const auto denied = (*cache).find_ended(host, Type::tlsa, end);
    REQUIRE(denied);
    CHECK(denied->outcome == Outcome::nodata);
    CHECK(denied->records.empty());
    CHECK_FALSE((*cache).find_ended(host, Type::mx, end));
    CHECK_FALSE((*cache).find_ended(name("bogus.example.org"), Type::a, end));
    CHECK((*cache).find(host, Type::a, end) == nullptr);
    (*cache).flush(host, false);
    CHECK_FALSE((*cache).find_ended(host, Type::a, end));
}
