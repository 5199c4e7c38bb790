// Rules that at least one well-kept validator got wrong once; the numbers are those of the project's list. Each with
// the honest twin that must pass, so that no test passes because everything is refused.
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "zone_of_tests.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Ede;
using dns::Type;
using dnssec::Cut;
using dnssec::Security;
using dnssec::Shape;

TEST_CASE("1: a wildcard answer needs proof that the next closer name does not exist, by the same signer") {
    World world;
    const dns::RRset set = expanded(world, "*.example.org", "a.b.example.org", Type::a, address);
    const dns::RRset proof = world.nsec("example.org", "c.example.org. NS SOA RRSIG NSEC DNSKEY");
    const auto good = world.judge(answer("a.b.example.org", Type::a, set, {proof}));
    CHECK(verdict(good) == "secure records");
    CHECK(good->proof().size() == 1);
    const auto bare = world.judge(answer("a.b.example.org", Type::a, set));
    CHECK(verdict(bare) == "bogus failure");
    CHECK(bare->reason().ede == Ede::nsec_missing);
    // The name itself does not exist, but the next closer b.example.org may: it is above the NSEC's owner.
    CHECK(world.says(answer("a.b.example.org", Type::a, set,
                            {world.nsec("0.b.example.org", "c.example.org. A RRSIG NSEC")})) == "bogus failure");
    // The next name shows that the next closer is an empty non-terminal.
    CHECK(world.says(answer("a.b.example.org", Type::a, set,
                            {world.nsec("example.org", "x.b.example.org. NS SOA RRSIG NSEC")})) == "bogus failure");
    const Signer stranger("org", dns::Algorithm::ed25519, 9);
    dns::RRset foreign = stranger.sign(rrset("example.org", Type::nsec, {"c.example.org. NS SOA RRSIG NSEC DNSKEY"}));
    CHECK(world.says(answer("a.b.example.org", Type::a, set, {foreign})) == "bogus failure");
}

TEST_CASE("2: \"*\" literally asked for is no expansion") {
    World world;
    CHECK(world.says(answer("*.example.org", Type::a, world.signed_set("*.example.org", Type::a, address))) ==
          "secure records");
    // One label up it is one.
    dns::RRset set = expanded(world, "*.example.org", "*.b.example.org", Type::a, address);
    CHECK(world.says(answer("*.b.example.org", Type::a, set)) == "bogus failure");
}

TEST_CASE("3: a delegation's NSEC or NSEC3 denies only DS at that very name (RFC 6840 4.1)") {
    World world;
    const dns::RRset cut = world.nsec("sub.example.org", "z.example.org. NS RRSIG NSEC");
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {cut})) == "secure nodata");
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata, {cut})) == "bogus failure");
    CHECK(world.says(denial("a.sub.example.org", Type::mx, Shape::nodata, {cut})) == "bogus failure");
    const dns::RRset apex = world.nsec("example.org", "sub.example.org. NS SOA RRSIG NSEC DNSKEY");
    CHECK(world.says(denial("a.sub.example.org", Type::mx, Shape::nxdomain, {cut, apex})) == "bogus failure");
    CHECK(world.says(denial("t.example.org", Type::mx, Shape::nxdomain, {cut, apex})) ==
          "secure nxdomain");  // the twin
    const Hashed hashed;
    const dns::RRset cut3 = hashed.match(world, "sub.example.org", "NS RRSIG");
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {cut3})) == "secure nodata");
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata, {cut3})) == "bogus failure");
    CHECK(world.says(denial("a.sub.example.org", Type::mx, Shape::nxdomain,
                            {cut3, hashed.cover(world, "a.sub.example.org"),
                             hashed.cover(world, "*.sub.example.org")})) == "bogus failure");
}

TEST_CASE("4: the child apex's NSEC cannot deny DS, and the root needs none") {
    World world;
    const dns::RRset apex = world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC DNSKEY");
    CHECK(world.says(denial("example.org", Type::mx, Shape::nodata, {apex})) == "secure nodata");
    CHECK(world.says(denial("example.org", Type::ds, Shape::nodata, {apex})) == "bogus failure");
    const dns::RRset own = world.signed_set("example.org", Type::ds, {"1 8 2 " + std::string(64, 'A')});
    CHECK(world.says(answer("example.org", Type::ds, own)) == "bogus failure");
    const Signer root(".");
    Court court;
    const auto trust = court.judge.judge_keys(root.zone(), {root.ds()}, root.key_set(), std::nullopt);
    const auto none = court.judge.judge(
        denial(".", Type::ds, Shape::nodata, {root.sign(rrset(".", Type::nsec, {"aaa. NS SOA RRSIG NSEC DNSKEY"}))}),
        trust);
    CHECK(verdict(none) == "secure nodata");
    CHECK(dnssec::Judge::cut_of(*none, court.policy) == Cut::no_cut);
}

TEST_CASE("5: NS and SOA bits together away from the apex: the record proves nothing") {
    World world;
    const dns::RRset odd = world.nsec("sub.example.org", "z.example.org. NS SOA RRSIG NSEC");
    const dns::RRset plain = world.nsec("sub.example.org", "z.example.org. A RRSIG NSEC");
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata, {odd})) == "bogus failure");
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata, {plain})) == "secure nodata");
    const Hashed hashed;
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata,
                            {hashed.match(world, "sub.example.org", "NS SOA RRSIG")})) == "bogus failure");
    CHECK(world.says(denial("example.org", Type::mx, Shape::nodata,
                            {hashed.match(world, "example.org", "NS SOA RRSIG")})) == "secure nodata");
}

TEST_CASE("6: an unsigned delegation is proven by NS set and DS clear, nothing less") {
    World world;
    const auto cut = [&](const dns::RRset& proof) {
        const auto found = world.judge(denial("sub.example.org", Type::ds, Shape::nodata, {proof}));
        return dnssec::Judge::cut_of(*found, world.court.policy);
    };
    const Hashed hashed;
    CHECK(cut(world.nsec("sub.example.org", "z.example.org. NS RRSIG NSEC")) == Cut::unsigned_delegation);
    CHECK(cut(world.nsec("sub.example.org", "z.example.org. A RRSIG NSEC")) == Cut::no_cut);
    CHECK(cut(world.nsec("sub.example.org", "z.example.org. NS DS RRSIG NSEC")) == Cut::unknown);
    CHECK(cut(world.nsec("example.org", "a.sub.example.org. NS SOA RRSIG NSEC")) ==
          Cut::no_cut);  // an empty non-terminal
    CHECK(cut(hashed.match(world, "sub.example.org", "NS RRSIG")) == Cut::unsigned_delegation);
    CHECK(cut(hashed.match(world, "sub.example.org", "A RRSIG")) == Cut::no_cut);
    CHECK(cut(hashed.match(world, "sub.example.org", "NS DS RRSIG")) == Cut::unknown);
}

TEST_CASE("7, 8: NSEC3 opt-out gives insecure, never secure, and only what covers counts (RFC 5155 9.2)") {
    World world;
    const Hashed hashed;
    const dns::RRset apex = hashed.match(world, "example.org", "NS SOA RRSIG DNSKEY NSEC3PARAM");
    const auto with = [&](const std::string& nc, const std::string& wc) {
        return denial("no.example.org", Type::a, Shape::nxdomain,
                      {apex, hashed.cover(world, "no.example.org", nc), hashed.cover(world, "*.example.org", wc)});
    };
    CHECK(world.says(with("0", "0")) == "secure nxdomain");
    CHECK(world.says(with("1", "0")) == "insecure nxdomain");
    CHECK(world.says(with("0", "1")) == "insecure nxdomain");
    const auto ds = world.judge(
        denial("no.example.org", Type::ds, Shape::nodata, {apex, hashed.cover(world, "no.example.org", "1")}));
    CHECK(verdict(ds) == "insecure nodata");
    CHECK(dnssec::Judge::cut_of(*ds, world.court.policy) == Cut::unsigned_delegation);
    // Without opt-out, a covered name has no DS because it does not exist: NODATA is not what that proves.
    CHECK(world.says(denial("no.example.org", Type::ds, Shape::nodata,
                            {apex, hashed.cover(world, "no.example.org")})) == "bogus failure");
    // A name that is there is no unsigned delegation, whatever the flag of its own record says.
    Hashed flagged;
    flagged.parameters = "1 1 0 -";
    CHECK(world.says(denial("there.example.org", Type::mx, Shape::nodata,
                            {flagged.match(world, "there.example.org", "A RRSIG")})) == "secure nodata");
    CHECK(world.says(denial("there.example.org", Type::a, Shape::nodata,
                            {flagged.match(world, "there.example.org", "A RRSIG")})) == "bogus failure");
    // An expansion over an opt-out span.
    const dns::RRset set = expanded(world, "*.example.org", "no.example.org", Type::a, address);
    CHECK(world.says(answer("no.example.org", Type::a, set, {hashed.cover(world, "no.example.org", "1")})) ==
          "insecure records");
    CHECK(world.says(answer("no.example.org", Type::a, set, {hashed.cover(world, "no.example.org", "0")})) ==
          "secure records");
}

TEST_CASE("9: NSEC3 NXDOMAIN wants closest encloser, next closer and wildcard; each missing piece is bogus") {
    World world;
    const Hashed hashed;
    const std::vector<dns::RRset> whole{world.soa(), hashed.match(world, "b.example.org", "A RRSIG"),
                                        hashed.cover(world, "no.b.example.org"),
                                        hashed.cover(world, "*.b.example.org")};
    CHECK(world.says(denial("x.no.b.example.org", Type::a, Shape::nxdomain, whole)) == "secure nxdomain");
    for (std::size_t index = 1; index < whole.size(); ++index) {
        std::vector<dns::RRset> part = whole;
        part.erase(part.begin() + static_cast<std::ptrdiff_t>(index));
        CHECK(world.says(denial("x.no.b.example.org", Type::a, Shape::nxdomain, part)) == "bogus failure");
    }
    // The encloser must be the closest: with the apex in b's place, b is not denied.
    std::vector<dns::RRset> wrong = whole;
    wrong[1] = hashed.match(world, "example.org", "NS SOA RRSIG");
    CHECK(world.says(denial("x.no.b.example.org", Type::a, Shape::nxdomain, wrong)) == "bogus failure");
}

TEST_CASE("10: NSEC3 records with mixed parameters, unknown hashes or flags prove nothing") {
    World world;
    const Hashed plain;
    Hashed salted;
    salted.parameters = "1 0 1 aabb";
    salted.salt = {0xaa, 0xbb};
    salted.iterations = 1;
    const dns::RRset apex = plain.match(world, "example.org", "NS SOA RRSIG"),
                     next = plain.cover(world, "no.example.org"), star = plain.cover(world, "*.example.org");
    CHECK(world.says(denial("no.example.org", Type::a, Shape::nxdomain, {apex, next, star})) == "secure nxdomain");
    CHECK(world.says(denial("no.example.org", Type::a, Shape::nxdomain,
                            {apex, next, salted.cover(world, "*.example.org")})) == "bogus failure");
    CHECK(world.says(denial("no.example.org", Type::a, Shape::nxdomain,
                            {apex, next, star, salted.match(world, "x.example.org", "A")})) == "bogus failure");
    for (const char* const parameters : {"2 0 0 -", "1 2 0 -", "1 128 0 -"}) {
        Hashed strange;
        strange.parameters = parameters;
        CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                                {strange.match(world, "a.example.org", "A RRSIG")})) == "bogus failure");
    }
}

TEST_CASE("11: with a DNAME above the name, the denial is invalid (RFC 6672 5.3.2)") {
    World world;
    const dns::RRset apex = world.nsec("example.org", "d.example.org. NS SOA RRSIG NSEC");
    const dns::RRset plain = world.nsec("d.example.org", "z.example.org. A RRSIG NSEC"),
                     dname = world.nsec("d.example.org", "z.example.org. DNAME RRSIG NSEC");
    CHECK(world.says(denial("x.d.example.org", Type::a, Shape::nxdomain, {apex, plain})) == "secure nxdomain");
    CHECK(world.says(denial("x.d.example.org", Type::a, Shape::nxdomain, {apex, dname})) == "bogus failure");
    CHECK(world.says(denial("d.example.org", Type::a, Shape::nodata, {dname})) == "secure nodata");
    const Hashed hashed;
    const auto by_hash = [&](const std::string& types) {
        return denial("x.d.example.org", Type::a, Shape::nxdomain,
                      {hashed.match(world, "d.example.org", types), hashed.cover(world, "x.d.example.org"),
                       hashed.cover(world, "*.d.example.org")});
    };
    CHECK(world.says(by_hash("A RRSIG")) == "secure nxdomain");
    CHECK(world.says(by_hash("DNAME RRSIG")) == "bogus failure");
}

TEST_CASE("12: the CNAME of a DNAME is derived here; YXDOMAIN where it grows too long") {
    World world;
    const dns::RRset dname = world.signed_set("d.example.org", Type::dname, {"example.net."});
    const auto found = world.judge(answer("a.b.d.example.org", Type::mx, dname));
    REQUIRE(verdict(found) == "secure records");
    REQUIRE(found->is_alias());
    CHECK(found->alias_target().value() == name("a.b.example.net"));
    const dns::RRset cname = found->alias_rrset().value();
    CHECK(cname.owner == name("a.b.d.example.org"));
    CHECK(cname.type == Type::cname);
    CHECK(cname.signatures.empty());
    CHECK(dns::parse_single_name(cname.records.at(0)).value() == name("a.b.example.net"));
    // At its own name a DNAME is a record like another.
    CHECK_FALSE(world.judge(answer("d.example.org", Type::dname, dname))->is_alias());
    const std::string label(60, 'x');
    const dns::RRset grows =
        world.signed_set("d.example.org", Type::dname, {label + "." + label + "." + label + ".example.net."});
    const auto longer = world.judge(answer(label + ".d.example.org", Type::mx, grows));
    REQUIRE(longer->is_alias());
    CHECK_FALSE(longer->alias_target());
    // Not above the name, twice, or from a wildcard.
    CHECK(world.says(answer("a.e.example.org", Type::mx, dname)) == "bogus failure");
    CHECK(world.says(answer("a.d.example.org", Type::mx,
                            world.signed_set("d.example.org", Type::dname, {"example.net.", "example.com."}))) ==
          "bogus failure");
    const dns::RRset wild = expanded(world, "*.example.org", "d.example.org", Type::dname, {"example.net."});
    CHECK(world.says(answer("a.d.example.org", Type::mx, wild,
                            {world.nsec("*.example.org", "z.example.org. DNAME RRSIG NSEC")})) == "bogus failure");
}

TEST_CASE("13, 33: a bitmap with CNAME or the type itself is no NODATA proof") {
    World world;
    const Hashed hashed;
    for (const auto& [types, expected] : std::vector<std::pair<std::string, std::string>>{
             {"A RRSIG", "secure nodata"}, {"CNAME RRSIG", "bogus failure"}, {"MX RRSIG", "bogus failure"}}) {
        INFO(types);
        CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                                {world.nsec("a.example.org", "b.example.org. NSEC " + types)})) == expected);
        CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                                {hashed.match(world, "a.example.org", types)})) == expected);
        // The same at the wildcard that stands for the name.
        CHECK(world.says(denial("w.example.org", Type::mx, Shape::nodata,
                                {world.nsec("b.example.org", "z.example.org. A RRSIG NSEC"),
                                 world.nsec("*.example.org", "b.example.org. NSEC " + types)})) == expected);
        CHECK(world.says(denial("w.example.org", Type::mx, Shape::nodata,
                                {hashed.match(world, "example.org", "NS SOA RRSIG"),
                                 hashed.cover(world, "w.example.org"), hashed.match(world, "*.example.org", types)})) ==
              expected);
    }
}

TEST_CASE("14: an empty non-terminal is NODATA, also where the server says NXDOMAIN") {
    World world;
    const dns::RRset apex = world.nsec("example.org", "a.ent.example.org. NS SOA RRSIG NSEC");
    CHECK(world.says(denial("ent.example.org", Type::mx, Shape::nodata, {apex})) == "secure nodata");
    // What is proven counts, not the rcode; and the rcode follows what is proven.
    const auto said = world.judge(denial("ent.example.org", Type::mx, Shape::nxdomain, {apex}));
    CHECK(verdict(said) == "secure nodata");
    CHECK(said->rcode() == dns::Rcode::noerror);
}

TEST_CASE("15: RRSIG labels are at most the owner's and at least the signer's (A6)") {
    World world;
    for (const auto& [labels, expected] : std::vector<std::pair<int, std::string>>{{3, "secure records"},
                                                                                   {4, "bogus failure"},
                                                                                   {255, "bogus failure"},
                                                                                   {1, "bogus failure"},
                                                                                   {0, "bogus failure"}}) {
        INFO(labels);
        Bend bend;
        bend.labels = static_cast<std::uint8_t>(labels);
        CHECK(world.says(answer("a.example.org", Type::a, world.signed_set("a.example.org", Type::a, address, bend))) ==
              expected);
    }
    // The child signs *.org and serves it as a sibling's record, or as its own name's.
    Bend above;
    above.labels = 1;
    dns::RRset set = world.signed_set("*.org", Type::a, address, above);
    set.owner = name("a.example.org");
    CHECK(world.says(answer("a.example.org", Type::a, set,
                            {world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC")})) == "bogus failure");
    set.owner = name("sibling.org");
    CHECK(world.says(answer("sibling.org", Type::a, set)) == "bogus failure");
}

TEST_CASE("16: the signer is exactly the zone's apex") {
    World world;
    for (const char* const signer : {"org", ".", "a.example.org", "example.net"}) {
        Bend bend;
        bend.signer = signer;
        const auto found =
            world.judge(answer("a.example.org", Type::a, world.signed_set("a.example.org", Type::a, address, bend)));
        CHECK(verdict(found) == "bogus failure");
    }
    const dns::RRset outside = world.key.sign(rrset("a.example.net", Type::a, address));
    CHECK(world.says(answer("a.example.net", Type::a, outside)) == "bogus failure");
}

TEST_CASE("17: key tags are hints: both keys with the tag are tried, more than that is a limit (A1)") {
    const Signer key("example.org");
    const Bytes twin = with_same_tag(key.rdata(), 0), third = with_same_tag(key.rdata(), 1);
    REQUIRE(dns::parse_dnskey(twin)->key_tag == key.dnskey().key_tag);
    REQUIRE(twin != third);
    Court court;
    const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set({twin}), std::nullopt);
    REQUIRE(trust.security() == Security::secure);
    CHECK(verdict(court.judge.judge(
              answer("a.example.org", Type::a, key.sign(rrset("a.example.org", Type::a, address))), trust)) ==
          "secure records");
    CHECK(court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set({twin, third}), std::nullopt).security() ==
          Security::indeterminate);
}

TEST_CASE("18: keys with REVOKE, without the zone bit, or with protocol other than 3 sign nothing") {
    struct Row {
        std::string what;
        int flags, protocol;
        bool good;
    };
    for (const Row& row : std::vector<Row>{{"KSK", 257, 3, true},
                                           {"ZSK", 256, 3, true},
                                           {"revoked", 257 | 128, 3, false},
                                           {"no zone key", 1, 3, false},
                                           {"protocol 2", 257, 2, false},
                                           {"protocol 255", 257, 255, false}}) {
        INFO(row.what);
        const Signer entry("example.org", dns::Algorithm::ed25519, 1);
        const Signer other("example.org", dns::Algorithm::ed25519, 2, static_cast<std::uint16_t>(row.flags),
                           static_cast<std::uint8_t>(row.protocol));
        Court court;
        // As the entry to the zone: bogus, not insecure; such a key is no excuse.
        CHECK(court.judge.judge_keys(other.zone(), {other.ds()}, other.key_set(), std::nullopt).security() ==
              (row.good ? Security::secure : Security::bogus));
        // As a second key of it.
        const auto trust =
            court.judge.judge_keys(entry.zone(), {entry.ds()}, entry.key_set({other.rdata()}), std::nullopt);
        REQUIRE(trust.security() == Security::secure);
        const auto found = court.judge.judge(
            answer("a.example.org", Type::a, other.sign(rrset("a.example.org", Type::a, address))), trust);
        CHECK(verdict(found) == (row.good ? "secure records" : "bogus failure"));
    }
}

TEST_CASE("19: any one valid path suffices (RFC 6840 5.11)") {
    const Signer one("example.org"), two("example.org", dns::Algorithm::ecdsa_p256_sha256);
    Court court;
    // DS for both, the key set signed by one of them only.
    const auto trust =
        court.judge.judge_keys(one.zone(), {two.ds(), one.ds()}, one.key_set({two.rdata()}), std::nullopt);
    REQUIRE(trust.security() == Security::secure);
    dns::RRset set = rrset("a.example.org", Type::a, address);
    Bend broken;
    broken.break_signature = true;
    CHECK(verdict(court.judge.judge(answer("a.example.org", Type::a, two.sign(one.sign(set, broken))), trust)) ==
          "secure records");
    CHECK(verdict(court.judge.judge(answer("a.example.org", Type::a, two.sign(one.sign(set), broken)), trust)) ==
          "secure records");
    CHECK(verdict(court.judge.judge(answer("a.example.org", Type::a, two.sign(one.sign(set, broken), broken)),
                                    trust)) == "bogus failure");
}

TEST_CASE("20, 38, 39: all DS unsupported is insecure, one supported that does not match is bogus") {
    const Signer key("example.org");
    dns::Ds unknown_algorithm = key.ds(), unknown_digest = key.ds(), sha1_algorithm = key.ds(), wrong = key.ds(),
            cut = key.ds();
    unknown_algorithm.algorithm = static_cast<dns::Algorithm>(200);
    unknown_digest.digest_type = static_cast<dns::DigestType>(15);
    sha1_algorithm.algorithm = dns::Algorithm::rsasha1;
    wrong.digest[0] ^= 1;
    cut.digest.resize(8);
    Court court;
    const auto judged = [&](const std::vector<dns::Ds>& ds) {
        return court.judge.judge_keys(key.zone(), ds, key.key_set(), std::nullopt);
    };
    CHECK(judged({unknown_algorithm}).security() == Security::insecure);
    CHECK(judged({unknown_algorithm}).reason().ede == Ede::unsupported_dnskey_algorithm);
    CHECK(judged({unknown_digest}).security() == Security::insecure);
    CHECK(judged({unknown_digest}).reason().ede == Ede::unsupported_ds_digest);
    CHECK(judged({sha1_algorithm}).security() == Security::insecure);
    CHECK(judged({wrong}).security() == Security::bogus);
    CHECK(judged({wrong}).reason().ede == Ede::dnskey_missing);
    CHECK(judged({cut}).security() == Security::bogus);
    CHECK(judged({unknown_algorithm, wrong}).security() == Security::bogus);
    CHECK(judged({unknown_algorithm, wrong, key.ds()}).security() == Security::secure);
    // No keys at all where there ought to be.
    dns::RRset none = key.key_set();
    none.records.clear();
    CHECK(court.judge.judge_keys(key.zone(), {key.ds()}, none, std::nullopt).security() == Security::bogus);
    // A supported algorithm whose key does not parse is bogus; one too long for us is unsupported.
    const auto forged = [&](const Bytes& public_key, dns::Algorithm algorithm) {
        Writer writer;
        writer.u16(257);
        writer.u8(3);
        writer.u8(static_cast<std::uint8_t>(algorithm));
        writer.bytes(public_key);
        dns::RRset set = key.key_set();
        set.records = {Bytes(writer.view().begin(), writer.view().end())};
        const dns::Dnskey parsed = dns::parse_dnskey(set.records[0]).value();
        Writer named;
        named.bytes(key.zone().wire());
        named.bytes(writer.view());
        const dns::Ds ds{parsed.key_tag, algorithm, dns::DigestType::sha256, crypto::sha256(named.view())};
        return court.judge.judge_keys(key.zone(), {ds}, set, std::nullopt).security();
    };
    CHECK(forged(Bytes(31, 1), dns::Algorithm::ed25519) == Security::bogus);
    Bytes huge(1200, 0xff);
    huge[0] = 1;
    huge[1] = 3;
    CHECK(forged(huge, dns::Algorithm::rsasha256) == Security::insecure);
}

TEST_CASE("21: SHA-1 DS records are ignored beside SHA-256 or SHA-384, and count alone") {
    const Signer key("example.org");
    dns::Ds wrong = key.ds(dns::DigestType::sha256);
    wrong.digest[0] ^= 1;
    Court court;
    const auto judged = [&](const std::vector<dns::Ds>& ds) {
        return court.judge.judge_keys(key.zone(), ds, key.key_set(), std::nullopt).security();
    };
    CHECK(judged({key.ds(dns::DigestType::sha1)}) == Security::secure);
    CHECK(judged({key.ds(dns::DigestType::sha1), wrong}) == Security::bogus);
    CHECK(judged({key.ds(dns::DigestType::sha384), wrong}) == Security::secure);
}

TEST_CASE("22: dates are serial numbers, good beyond 2038 and 2106, with a bounded skew") {
    const auto judged = [](WallTime now, std::int64_t inception, std::int64_t expiration) {
        const Signer key("example.org");
        Bend bend;
        bend.inception = now.seconds + inception - noon.seconds;
        bend.expiration = now.seconds + expiration - noon.seconds;
        Court court(now);
        const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set({}, bend), std::nullopt);
        return std::pair(trust.security(), trust.reason().ede);
    };
    for (const std::int64_t now :
         {noon.seconds, std::int64_t{2147483647}, std::int64_t{4294967290}, std::int64_t{4294967400}}) {
        INFO(now);
        CHECK(judged({now}, -86400, 86400).first == Security::secure);
        CHECK(judged({now}, -86400, -299).first == Security::secure);  // within the skew of five minutes
        CHECK(judged({now}, 299, 86400).first == Security::secure);
        CHECK(judged({now}, -86400, -301) == std::pair(Security::bogus, std::optional(Ede::signature_expired)));
        CHECK(judged({now}, 301, 86400) == std::pair(Security::bogus, std::optional(Ede::signature_not_yet_valid)));
        CHECK(judged({now}, 100, -100) ==
              std::pair(Security::bogus, std::optional(Ede::signature_expired_before_valid)));
        // A tenth of the signature's life, where that is less.
        CHECK(judged({now}, -160, -60).first == Security::bogus);
        CHECK(judged({now}, -105, -5).first == Security::secure);
    }
}

TEST_CASE(
    "23: nothing is kept longer than received TTL, original TTL and signature allow; the least TTL does not bend "
    "that") {
    struct Row {
        std::uint32_t received, original;
        std::int64_t rest, least, kept;
    };
    for (const Row& row : std::vector<Row>{{3600, 3600, 100000, 0, 3600},
                                           {60, 3600, 100000, 0, 60},
                                           {3600, 60, 100000, 0, 60},
                                           {3600, 3600, 50, 0, 50},
                                           {604800, 604800, 600000, 0, 86400},
                                           {10, 10, 100000, 300, 300},
                                           {10, 10, 50, 300, 50},
                                           {3600, 3600, -10, 300, 0}}) {
        INFO(row.received << " " << row.original << " " << row.rest << " " << row.least);
        dnssec::Policy policy;
        policy.least_ttl = std::chrono::seconds(row.least);
        World world(policy);
        Bend bend;
        bend.original_ttl = row.original;
        bend.expiration = row.rest;
        dns::RRset set = world.signed_set("a.example.org", Type::a, address, bend);
        set.ttl = dns::Ttl(row.received);
        const auto found = world.judge(answer("a.example.org", Type::a, set));
        REQUIRE(verdict(found) == "secure records");
        CHECK((found->expires() - noon).count() == row.kept);
        CHECK(found->rrset()->ttl.count() == row.kept);
    }
}

TEST_CASE("24: negative TTL is min(SOA TTL, SOA minimum), capped, and not beyond its proof") {
    World world;
    const dns::RRset nsec = world.nsec("a.example.org", "b.example.org. A RRSIG NSEC");
    const auto kept = [&](const std::vector<dns::RRset>& authority) {
        const auto found = world.judge(denial("a.example.org", Type::mx, Shape::nodata, authority));
        REQUIRE(verdict(found) == "secure nodata");
        return (found->expires() - noon).count();
    };
    CHECK(kept({world.soa(), nsec}) == 300);
    dns::RRset short_soa = world.soa();
    short_soa.ttl = dns::Ttl(20);
    CHECK(kept({short_soa, nsec}) == 20);
    CHECK(kept({nsec}) == 3600);
    dns::RRset short_nsec = nsec;
    short_nsec.ttl = dns::Ttl(7);
    CHECK(kept({world.soa(), short_nsec}) == 7);
    Bend ending;
    ending.expiration = 5;
    CHECK(kept({world.soa(), world.signed_set("a.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"}, ending)}) ==
          5);
    // The negative TTL hangs on the SOA: a bad signature there is bogus.
    dns::RRset forged = world.soa();
    forged.ttl = dns::Ttl(3600);
    forged.records[0].back() ^= 1;
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {forged, nsec})) == "bogus failure");
}

TEST_CASE("27: the whole is its weakest link, and each link keeps its own") {
    using dnssec::weakest;
    CHECK(weakest(Security::secure, Security::insecure) == Security::insecure);
    CHECK(weakest(Security::insecure, Security::indeterminate) == Security::indeterminate);
    CHECK(weakest(Security::indeterminate, Security::bogus) == Security::bogus);
    World world;
    const auto alias = world.judge(
        answer("a.example.org", Type::tlsa, world.signed_set("a.example.org", Type::cname, {"b.example.org."})));
    const auto target = world.judge(answer(
        "b.example.org", Type::tlsa, world.signed_set("b.example.org", Type::tlsa, {"3 1 1 " + std::string(64, 'a')})));
    const auto insecure = world.court.judge.judge(
        answer("a.example.org", Type::tlsa, world.signed_set("a.example.org", Type::cname, {"b.example.org."})),
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60)));
    REQUIRE(alias->is_alias());
    CHECK(dnssec::SecureRRset::from(dnssec::Answer({alias, target})));
    CHECK_FALSE(dnssec::SecureRRset::from(dnssec::Answer({insecure, target})));
    CHECK(dnssec::Answer({insecure, target}).alias_security() == Security::insecure);
    CHECK(dnssec::Answer({insecure, target}).final().is_secure());
    CHECK_FALSE(dnssec::SecureRRset::from(*alias));
}

TEST_CASE("30, A12: a DS comes from above the cut: an alias in its place leaves no cut, an expanded DS is bogus") {
    World world;
    const auto alias = world.judge(
        answer("www.example.org", Type::ds, world.signed_set("www.example.org", Type::cname, {"a.example.org."})));
    CHECK(dnssec::Judge::cut_of(*alias, world.court.policy) == Cut::no_cut);
    const dns::RRset wild =
        expanded(world, "*.example.org", "sub.example.org", Type::ds, {"1 15 2 " + std::string(64, 'a')});
    const dns::RRset proof = world.nsec("*.example.org", "z.example.org. DS RRSIG NSEC");
    CHECK(world.says(answer("sub.example.org", Type::ds, wild, {proof})) == "bogus failure");
}

TEST_CASE("31: what could not be fetched is indeterminate, or a failure in a zone proven unsigned; never bogus") {
    World world;
    dnssec::Reason reason;
    reason.text = "timed out";
    const auto lost =
        world.court.judge.judge_failure(name("a.example.org"), Type::tlsa, dns::Rcode::servfail, reason, world.trust);
    CHECK(verdict(lost) == "indeterminate failure");
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.net"), {}, noon + std::chrono::seconds(60));
    CHECK(verdict(world.court.judge.judge_failure(name("a.example.net"), Type::tlsa, dns::Rcode::servfail, reason,
                                                  open)) == "insecure failure");
}

TEST_CASE("35: an unsigned zone with stray signatures is insecure, its data as it is") {
    World world;
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    Bend broken;
    broken.break_signature = true;
    const auto found = world.court.judge.judge(
        answer("a.example.org", Type::a, world.signed_set("a.example.org", Type::a, address, broken)), open);
    CHECK(verdict(found) == "insecure records");
    CHECK(found->rrset()->records.size() == 1);
    CHECK(world.court.budget.used(Limit::verifications) == 1);  // that of the world's own key set
    dns::RRset soa = world.soa();
    soa.signatures.clear();
    const auto none = world.court.judge.judge(denial("b.example.org", Type::a, Shape::nxdomain, {soa}), open);
    CHECK(verdict(none) == "insecure nxdomain");
    CHECK((none->expires() - noon).count() == 300);
    CHECK(none->proof().size() == 1);
}

TEST_CASE("36, A10: an NSEC expanded from a wildcard is the wildcard's and denies nothing at the name it is shown at") {
    World world;
    dns::RRset shown =
        expanded(world, "*.example.org", "victim.example.org", Type::nsec, {"b.example.org. NS RRSIG NSEC"});
    CHECK(world.says(denial("victim.example.org", Type::ds, Shape::nodata, {shown})) == "bogus failure");
    const auto restored = world.court.judge.judge_rrset(shown, world.trust);
    REQUIRE(verdict(restored) == "secure records");
    CHECK(restored->name() == name("*.example.org"));
    // As what it is, it proves what the wildcard lacks.
    dns::RRset plain = expanded(world, "*.example.org", "w.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"});
    CHECK(world.says(denial("w.example.org", Type::mx, Shape::nodata,
                            {plain, world.nsec("b.example.org", "z.example.org. A RRSIG NSEC")})) == "secure nodata");
}

TEST_CASE("37: compact denial: NXNAME means that there is no such name (RFC 9824)") {
    World world;
    const dns::RRset compact = world.nsec("no.example.org", "\\000.no.example.org. RRSIG NSEC TYPE128");
    const auto found = world.judge(denial("no.example.org", Type::mx, Shape::nodata, {world.soa(), compact}));
    CHECK(verdict(found) == "secure nxdomain");
    CHECK(found->rcode() == dns::Rcode::noerror);
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nxdomain, {compact})) == "secure nxdomain");
    const dns::RRset exists = world.nsec("no.example.org", "\\000.no.example.org. RRSIG NSEC");
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nodata, {exists})) == "secure nodata");
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nxdomain, {exists})) == "secure nodata");
}

TEST_CASE("37: compact denial by NSEC3: its bitmap has NXNAME alone (RFC 9824)") {
    World world;
    const Hashed hashed;
    const dns::RRset compact = hashed.match(world, "no.example.org", "TYPE128");
    const auto found = world.judge(denial("no.example.org", Type::mx, Shape::nodata, {world.soa(), compact}));
    CHECK(verdict(found) == "secure nxdomain");
    CHECK(found->rcode() == dns::Rcode::noerror);
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nxdomain, {compact})) == "secure nxdomain");
    CHECK(world.says(denial("on.example.org", Type::mx, Shape::nodata, {compact})) == "bogus failure");
    const dns::RRset exists = hashed.match(world, "no.example.org", "");
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nxdomain, {exists})) == "secure nodata");
}

TEST_CASE("37: what denies one name compactly denies nothing below it (RFC 9824 3.1, RFC 8020)") {
    World world;
    const auto below = [&](const std::vector<dns::RRset>& proof) {
        const auto found = world.judge(denial("no.example.org", Type::mx, Shape::nxdomain, proof));
        REQUIRE(verdict(found) == "secure nxdomain");
        CHECK(dnssec::Finding::answering(found, name("no.example.org"), Type::a) != nullptr);
        return dnssec::Finding::answering(found, name("x.no.example.org"), Type::a) != nullptr;
    };
    CHECK(below({world.nsec("m.example.org", "z.example.org. A RRSIG NSEC"),
                 world.nsec("example.org", "a.example.org. NS SOA RRSIG NSEC")}));
    CHECK_FALSE(below({world.nsec("no.example.org", "\\000.no.example.org. RRSIG NSEC TYPE128")}));
}

TEST_CASE("40: too many NSEC3 iterations are insecure with EDE 27, if the record is really the zone's (RFC 9276)") {
    World world;
    for (const auto& [iterations, expected] : std::vector<std::pair<int, std::string>>{{0, "secure nodata"},
                                                                                       {50, "secure nodata"},
                                                                                       {51, "insecure nodata"},
                                                                                       {150, "insecure nodata"},
                                                                                       {65535, "insecure nodata"}}) {
        INFO(iterations);
        Hashed hashed;
        hashed.iterations = static_cast<std::uint16_t>(iterations);
        hashed.parameters = "1 0 " + std::to_string(iterations) + " -";
        dns::RRset match = hashed.match(world, "a.example.org", "A RRSIG");
        const std::uint32_t before = world.court.budget.used(Limit::nsec3_hashes);
        const auto found = world.judge(denial("a.example.org", Type::mx, Shape::nodata, {match}));
        CHECK(verdict(found) == expected);
        if (iterations > 50) {
            CHECK(found->reason().ede == Ede::unsupported_nsec3_iterations);
            CHECK(world.court.budget.used(Limit::nsec3_hashes) == before);
        }
        match.records[0][3] ^= 1;  // forged iterations: the signature no longer holds
        CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {match})) == "bogus failure");
    }
}

TEST_CASE("41: NSEC and NSEC3 lie in the signer's zone, next name and hash included (A7, A8)") {
    World world;
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain,
                            {world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC")})) == "secure nxdomain");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain,
                            {world.nsec("example.org", "z. NS SOA RRSIG NSEC")})) == "bogus failure");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain,
                            {world.nsec("example.org", "z.org. NS SOA RRSIG NSEC")})) == "bogus failure");
    // A last NSEC leads to the apex, not to some name before it.
    const dns::RRset apex = world.nsec("example.org", "a.example.org. NS SOA RRSIG NSEC");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain,
                            {apex, world.nsec("b.example.org", "example.org. A RRSIG NSEC")})) == "secure nxdomain");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain,
                            {apex, world.nsec("b.example.org", "a.example.org. A RRSIG NSEC")})) == "bogus failure");
    const Hashed hashed;
    dns::RRset match = hashed.match(world, "a.example.org", "A RRSIG");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {match})) == "secure nodata");
    const std::string rdata = "1 0 0 - " + hashed.label("a.example.org", 1) + " A RRSIG";
    for (const std::string& owner :
         {hashed.label("a.example.org") + ".b.example.org", "x." + hashed.label("a.example.org") + ".example.org",
          hashed.label("a.example.org") + "00.example.org"}) {
        CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                                {world.signed_set(owner, Type::nsec3, {rdata})})) == "bogus failure");
    }
}

TEST_CASE("42: the root's two anchors: both sign, only the new one, the old one revoked") {
    const Signer old_key(".", dns::Algorithm::rsasha256), new_key(".", dns::Algorithm::rsasha256);
    const std::vector<dns::Ds> both{old_key.ds(), new_key.ds()};
    Court court;
    const auto judged = [&](const dns::RRset& set, const std::vector<dns::Ds>& anchors) {
        return court.judge.judge_anchor(name("."), anchors, {}, set).security();
    };
    dns::RRset twice = old_key.key_set({new_key.rdata()});
    CHECK(judged(twice, both) == Security::secure);
    CHECK(judged(new_key.sign(twice), both) == Security::secure);
    CHECK(judged(new_key.key_set(), both) == Security::secure);
    CHECK(judged(new_key.key_set(), {old_key.ds()}) == Security::bogus);
    Bytes revoked = old_key.rdata();
    revoked[1] |= 0x80;
    CHECK(judged(new_key.key_set({revoked}), both) == Security::secure);
    CHECK(judged(new_key.key_set({revoked}), {old_key.ds()}) == Security::bogus);
    CHECK(court.judge.judge_anchor(name("."), {}, {new_key.dnskey()}, new_key.key_set()).security() ==
          Security::secure);
    CHECK(court.judge.judge_anchor(name("."), {}, {old_key.dnskey()}, new_key.key_set()).security() == Security::bogus);
}
