// What goes in comes out; what was changed does not come out at all.
#include "cache/codec.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "cache/keys.h"
#include "cache/record.h"
#include "findings.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dnssec::FindingRef;
using dnssec::Security;

namespace {

const Epoch epoch{std::string_view("a")};

Bytes sealed(const std::string& key, const dnssec::Finding& finding) {
    const Header header{.security = finding.security(),
                        .outcome = finding.outcome(),
                        .epoch = epoch,
                        .stored = start,
                        .expires = finding.expires()};
    return seal(key, header, Codec::encode(finding)).value();
}

Result<FindingRef> unsealed(const std::string& key, BytesView record, const dns::Name& asked, dns::Type type) {
    const Opened opened = open_record(key, record, epoch, start);
    if (opened.fitness != Fitness::good) return fail(FailureKind::malformed, Code("TEST"), "not good");
    return Codec::decode(opened.content, asked, type,
                         {opened.header.security, opened.header.outcome, opened.header.expires});
}

std::vector<FindingRef> all_sorts() {
    const Wanted insecure{.security = Security::insecure};
    auto odd = trouble("example.org", dns::Type::mx, start + seconds(30));
    odd.rcode = dns::Rcode::refused;
    odd.reason.zone = name("unrelated.example");
    odd.reason.when = WallTime{-5};
    odd.reason.record = "MX example.org";
    auto unexplained = odd;
    unexplained.reason = {};
    return {
        records("example.org", dns::Type::mx, {"10 mail.example.org.", "20 mx.example.net."}),
        records("_25._tcp.mail.example.org", dns::Type::tlsa, {"3 1 1 " + std::string(64, 'a')}),
        records("mail.example.org", dns::Type::aaaa, {"2001:db8::1"}, insecure),
        records(".", dns::Type::ns, {"a.root-servers.net."}, {.zone = "."}),
        alias("www.example.org", dns::Type::a,
              rrset("www.example.org", dns::Type::cname, {"web.example.net."}, "example.org")),
        alias("a.b.example.org", dns::Type::a,
              rrset("b.example.org", dns::Type::dname, {"example.net."}, "example.org")),
        nodata("example.org", dns::Type::tlsa),
        nxdomain("nothing.example.org", dns::Type::a, insecure),
        bogus("bad.example.org", dns::Type::a),
        failure("slow.example.org", dns::Type::a),
        dnssec::Finding::failure(odd),
        dnssec::Finding::bogus(unexplained),
    };
}

dns::RRsetRef random_set(Random& random) {
    static const std::vector<std::string> owners{"example.org", "a.example.org", "org", ".", "other.example"};
    auto set = std::make_shared<dns::RRset>();
    set->owner = name(owners[random.below(owners.size())]);
    set->type = dns::Type{static_cast<std::uint16_t>(random.below(65536))};
    set->ttl = dns::Ttl(static_cast<std::uint32_t>(random.next()));
    for (std::uint64_t count = random.below(4); count > 0; --count) {
        set->records.emplace_back(random.below(300), static_cast<std::uint8_t>(random.below(256)));
    }
    for (std::uint64_t count = random.below(3); count > 0; --count) {
        const bool regular = random.below(2) == 0;
        const dns::Type covered = random.below(4) == 0 ? dns::Type::a : set->type;
        set->signatures.push_back(regular ? signature(covered, name(owners[random.below(owners.size())]))
                                          : Bytes(random.below(40), static_cast<std::uint8_t>(random.below(256))));
    }
    return set;
}

}  // namespace

TEST_CASE("findings of all sorts come back as they were", "[codec]") {
    for (const FindingRef& finding : all_sorts()) {
        INFO(finding->name().to_text());
        const auto back = Codec::decode(Codec::encode(*finding), finding->name(), finding->type(),
                                        {finding->security(), finding->outcome(), finding->expires()});
        REQUIRE(back);
        CHECK(same(**back, *finding));
    }
}

TEST_CASE("random findings come back as they were", "[codec]") {
    SeededRandom random(7);
    for (int round = 0; round < 3000; ++round) {
        dnssec::Finding::Parts parts{
            .name = name("a.example.org"), .type = dns::Type::mx, .zone = name("example.org"), .expires = start};
        parts.outcome = random.below(2) == 0 ? dnssec::Outcome::records : dnssec::Outcome::nodata;
        if (parts.outcome == dnssec::Outcome::records) parts.rrset = random_set(random);
        for (std::uint64_t count = random.below(4); count > 0; --count) parts.proof.push_back(random_set(random));
        const FindingRef finding = proven(Security::secure, parts);
        const auto back =
            Codec::decode(Codec::encode(*finding), parts.name, parts.type, {Security::secure, parts.outcome, start});
        REQUIRE(back);
        REQUIRE(same(**back, *finding));
        CHECK(same_sets((*back)->rrset(), parts.rrset));
    }
}

TEST_CASE("zone cuts come back as they were", "[codec]") {
    const std::vector<ZoneCut> cuts{
        cut("example.org"), cut("org"), {.zone = dns::Name(), .parent = dns::Name(), .servers = {}, .expires = start}};
    for (const ZoneCut& zone_cut : cuts) {
        const auto back = Codec::decode_cut(Codec::encode(zone_cut), zone_cut.zone, zone_cut.expires);
        REQUIRE(back);
        CHECK(*back == zone_cut);
    }
}

TEST_CASE("no flipped bit, in record or key, makes another valid entry", "[codec]") {
    for (const FindingRef& finding : all_sorts()) {
        const std::string key = answer_key(finding->name(), finding->type());
        const Bytes good = sealed(key, *finding);
        REQUIRE(unsealed(key, good, finding->name(), finding->type()));
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            if (bit / 8 == use_offset) continue;  // says how dear it is, nothing else
            Bytes flipped = good;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            CHECK(open_record(key, flipped, epoch, start).fitness == Fitness::damaged);
        }
        for (std::size_t bit = 0; bit < key.size() * 8; ++bit) {
            std::string flipped = key;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
            CHECK(open_record(flipped, good, epoch, start).fitness == Fitness::damaged);
        }
    }
}

TEST_CASE("a record cut short is never valid", "[codec]") {
    const FindingRef finding = records("example.org", dns::Type::mx, {"10 mail.example.org."});
    const std::string key = answer_key(finding->name(), finding->type());
    const Bytes good = sealed(key, *finding);
    for (std::size_t length = 0; length < good.size(); ++length) {
        CHECK(open_record(key, BytesView(good).first(length), epoch, start).fitness == Fitness::damaged);
    }
    const Bytes content = Codec::encode(*finding);
    for (std::size_t length = 0; length < content.size(); ++length) {
        CHECK_FALSE(Codec::decode(BytesView(content).first(length), finding->name(), finding->type(),
                                  {Security::secure, dnssec::Outcome::records, start}));
    }
}

TEST_CASE("content that contradicts its standing is refused, whatever its checksum", "[codec]") {
    const FindingRef positive = records("example.org", dns::Type::mx, {"10 mail.example.org."});
    const Bytes content = Codec::encode(*positive), nothing = Codec::encode(*failure("example.org", dns::Type::mx));
    struct Row {
        const char* why;
        const Bytes& content;
        Security security;
        dnssec::Outcome outcome;
    };
    for (const Row& row :
         {Row{"bogus with data", content, Security::bogus, dnssec::Outcome::failure},
          Row{"indeterminate with data", content, Security::indeterminate, dnssec::Outcome::failure},
          Row{"records without data", nothing, Security::secure, dnssec::Outcome::records},
          Row{"NODATA with records", content, Security::secure, dnssec::Outcome::nodata},
          Row{"a secure failure", nothing, Security::secure, dnssec::Outcome::failure},
          Row{"an indeterminate NXDOMAIN", nothing, Security::indeterminate, dnssec::Outcome::nxdomain}}) {
        INFO(row.why);
        CHECK_FALSE(Codec::decode(row.content, positive->name(), positive->type(), {row.security, row.outcome, start}));
    }
}

TEST_CASE("the fitness of a record is judged against epoch and time", "[record]") {
    const std::string key = answer_key(name("example.org"), dns::Type::mx);
    const Header header{.epoch = epoch, .stored = start, .expires = start + seconds(100)};
    const Bytes record = seal(key, header, {}).value();
    const auto fitness = [&](Epoch under, WallTime now) { return open_record(key, record, under, now).fitness; };
    CHECK(fitness(epoch, start) == Fitness::good);
    CHECK(fitness(epoch, start + seconds(99)) == Fitness::good);
    CHECK(fitness(epoch, start + seconds(100)) == Fitness::expired);
    CHECK(fitness(epoch, start - seconds(3600)) == Fitness::good);
    CHECK(fitness(epoch, start - seconds(3601)) == Fitness::ahead);
    CHECK(fitness(Epoch(std::string_view("b")), start) == Fitness::other_epoch);
    CHECK_FALSE(seal(key, {.epoch = epoch, .stored = start, .expires = start}, {}));
    CHECK_FALSE(seal(key, {.epoch = epoch, .stored = {-1}, .expires = start}, {}));
}

TEST_CASE("a secure answer of usual size takes less than 200 octets, a denial less than 330", "[codec]") {
    for (const FindingRef& finding :
         {records("example.org", dns::Type::mx, {"10 mail.example.org."}),
          records("_25._tcp.mail.example.org", dns::Type::tlsa, {"3 1 1 " + std::string(64, 'a')}),
          records("mail.example.org", dns::Type::a, {"192.0.2.1"})}) {
        const std::string key = answer_key(finding->name(), finding->type());
        CHECK(key.size() + sealed(key, *finding).size() < 200);
    }
    const FindingRef absent = nodata("mail.example.org", dns::Type::aaaa);
    CHECK(sealed(answer_key(absent->name(), absent->type()), *absent).size() < 330);
}
