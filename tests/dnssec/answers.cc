// Answers that do not fit their question, and the small print of positive answers, key sets and cached denials.
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "dnssec/canonical.h"
#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Type;
using dnssec::Check;
using dnssec::Cut;
using dnssec::Security;
using dnssec::Shape;

namespace {

const std::vector<std::string> address{"192.0.2.1"};

struct World {
    World() : trust(court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt)) {}
    std::string says(const dnssec::Response& response) { return verdict(court.judge.judge(response, trust)); }
    Signer key{"example.org"};
    Court court;
    dnssec::ZoneTrust trust;
};

}  // namespace

TEST_CASE("an answer is for the name and type asked, in a secure zone and in an insecure one") {
    World world;
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    const dns::RRset a = world.key.sign(rrset("a.example.org", Type::a, address));
    const dns::RRset twice = world.key.sign(rrset("a.example.org", Type::cname, {"b.example.org.", "c.example.org."}));
    const dns::RRset alias = world.key.sign(rrset("a.example.org", Type::cname, {"b.example.org."}));
    dnssec::Response nothing = answer("a.example.org", Type::a, a);
    nothing.positive.reset();
    dnssec::Response empty = answer("a.example.org", Type::a, a);
    empty.positive->records.clear();
    for (const dnssec::Response& wrong :
         {answer("b.example.org", Type::a, a), answer("a.example.org", Type::aaaa, a),
          answer("a.example.org", Type::a, twice), answer("b.example.org", Type::a, alias), nothing, empty}) {
        CHECK(world.says(wrong) == "bogus failure");
        CHECK(verdict(world.court.judge.judge(wrong, open)) == "indeterminate failure");
    }
    CHECK(world.says(answer("a.example.org", Type::a, a)) == "secure records");
    CHECK(world.says(answer("a.example.org", Type::cname, alias)) == "secure records");
    CHECK(world.says(answer("a.example.org", Type::a, alias)) == "secure records");
}

TEST_CASE("a signature covers one type, and a set outside the zone is not the zone's") {
    World world;
    Bend other;
    other.covered = Type::txt;
    CHECK(world.says(answer("a.example.org", Type::a,
                            world.key.sign(rrset("a.example.org", Type::a, address), other))) == "bogus failure");
    const dnssec::Context context{world.court.policy, noon, world.court.budget};
    const dns::RRset outside = world.key.sign(rrset("a.b.example.net", Type::a, address));
    CHECK(dnssec::check_signatures(outside, world.key.zone(), world.trust.keys(), context).check == Check::invalid);
}

TEST_CASE("a wildcard that is an empty non-terminal stands for names, so that there is no NXDOMAIN (RFC 4592 2.2.2)") {
    World world;
    const dns::RRset apex = world.key.sign(rrset("example.org", Type::nsec, {"x.*.example.org. NS SOA RRSIG NSEC"})),
                     last = world.key.sign(rrset("x.*.example.org", Type::nsec, {"example.org. A RRSIG NSEC"}));
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nxdomain, {apex, last})) == "secure nodata");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata, {apex, last})) == "secure nodata");
}

TEST_CASE("an expanded or doubled SOA is bogus, and so is an expanded NSEC3 worth nothing") {
    World world;
    const std::string soa = "ns1.example.org. host.example.org. 1 3600 600 86400 300";
    const dns::RRset nsec = world.key.sign(rrset("a.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"}));
    const dns::RRset doubled = world.key.sign(
        rrset("example.org", Type::soa, {soa, "ns1.example.org. host.example.org. 2 3600 600 86400 300"}));
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {nsec, doubled})) == "bogus failure");
    const std::string hash = to_base32hex(crypto::nsec3_hash(name("a.example.org").wire(), {}, 0));
    dns::RRset nsec3 =
        world.key.sign(rrset("*.example.org", Type::nsec3, {"1 0 0 - " + std::string(32, 'v') + " A RRSIG"}));
    nsec3.owner = name(hash + ".example.org");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {nsec3})) == "bogus failure");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.key.sign(rrset(hash + ".example.org", Type::nsec3,
                                                  {"1 0 0 - " + std::string(32, 'v') + " A RRSIG"}))})) ==
          "secure nodata");
}

TEST_CASE("every wildcard that must not be is refused, with a perfect proof beside it") {
    World world;
    const dns::RRset proof = world.key.sign(rrset("*.example.org", Type::nsec, {"z.example.org. A RRSIG NSEC"}));
    const auto at = [&](Type type, const std::string& rdata) {
        dns::RRset set = world.key.sign(rrset("*.example.org", type, {rdata}));
        set.owner = name("m.example.org");
        return world.says(answer("m.example.org", type, set, {proof}));
    };
    CHECK(at(Type::a, "192.0.2.1") == "secure records");
    CHECK(at(Type::cname, "b.example.org.") == "secure records");
    CHECK(at(Type::ds, "1 15 2 " + std::string(64, 'a')) == "bogus failure");
    CHECK(at(Type::dname, "b.example.net.") == "bogus failure");
    CHECK(at(Type::soa, "a. b. 1 2 3 4 5") == "bogus failure");
    CHECK(at(Type::nsec, "z.example.org. A") == "bogus failure");
    CHECK(at(Type::dnskey, "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=") == "bogus failure");
    // An alias from a wildcard wants the proof as everything else does (CVE-2026-52686).
    dns::RRset alias = world.key.sign(rrset("*.example.org", Type::cname, {"b.example.org."}));
    alias.owner = name("m.example.org");
    CHECK(world.says(answer("m.example.org", Type::a, alias)) == "bogus failure");
}

TEST_CASE("trust in keys ends with the parent's word or the key set, whichever is first") {
    const Signer key("example.org");
    Court court;
    const auto kept = [&](std::optional<WallTime> parent) {
        return (court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), parent).expires() - noon).count();
    };
    CHECK(kept(std::nullopt) == 3600);
    CHECK(kept(noon + std::chrono::seconds(10)) == 10);
    CHECK(kept(noon + std::chrono::seconds(100000)) == 3600);
}

TEST_CASE("a key beyond our means excuses only the DS that names it") {
    const Signer key("example.org");
    Writer huge;
    huge.u16(257);
    huge.u8(3);
    huge.u8(8);
    huge.u8(1);
    huge.u8(3);
    huge.bytes(Bytes(1200, 0xff));
    Writer named;
    named.bytes(key.zone().wire());
    named.bytes(huge.view());
    dns::RRset set = key.key_set({Bytes(huge.view().begin(), huge.view().end())});
    const dns::Dnskey parsed = dns::parse_dnskey(huge.view()).value();
    const dns::Ds of_huge{parsed.key_tag, parsed.algorithm, dns::DigestType::sha256, crypto::sha256(named.view())};
    dns::Ds wrong = key.ds();
    wrong.digest[0] ^= 1;
    Court court;
    CHECK(court.judge.judge_keys(key.zone(), {of_huge}, set, std::nullopt).security() == Security::insecure);
    CHECK(court.judge.judge_keys(key.zone(), {of_huge, key.ds()}, set, std::nullopt).security() == Security::secure);
    CHECK(court.judge.judge_keys(key.zone(), {of_huge, wrong}, set, std::nullopt).security() == Security::bogus);
}

TEST_CASE("DS answers say what kind of cut there is") {
    World world;
    const auto cut = [&](const std::string& rdata) {
        const dns::RRset ds = world.key.sign(rrset("sub.example.org", Type::ds, {rdata}));
        const auto found = world.court.judge.judge(answer("sub.example.org", Type::ds, ds), world.trust);
        return std::pair(dnssec::Judge::cut_of(*found, world.court.policy), found);
    };
    CHECK(cut("1 15 2 " + std::string(64, 'a')).first == Cut::signed_delegation);
    const auto [kind, found] = cut("1 200 2 " + std::string(64, 'a'));
    CHECK(kind == Cut::unsigned_delegation);
    const auto trust = world.court.judge.judge_unsigned(name("sub.example.org"), *found);
    CHECK(trust.security() == Security::insecure);
    CHECK(trust.reason().ede == dns::Ede::unsupported_dnskey_algorithm);
    CHECK(cut("1 5 1 " + std::string(40, 'a')).first == Cut::unsigned_delegation);
    const dns::RRset none = world.key.sign(rrset("sub.example.org", Type::nsec, {"z.example.org. NS RRSIG NSEC"}));
    const auto proven =
        world.court.judge.judge(denial("sub.example.org", Type::ds, Shape::nodata, {none}), world.trust);
    const auto plain = world.court.judge.judge_unsigned(name("sub.example.org"), *proven);
    CHECK(plain.reason().text == "sub.example.org is not signed: example.org has no DS for it");
    CHECK_FALSE(plain.reason().ede);
    dnssec::Reason reason;
    CHECK(dnssec::Judge::cut_of(*world.court.judge.judge_failure(name("sub.example.org"), Type::ds,
                                                                 dns::Rcode::servfail, reason, world.trust),
                                world.court.policy) == Cut::unknown);
}

TEST_CASE("cached denials are of the zone asked about: the parent's say nothing about a name in the child") {
    World world;
    const Signer child("sub.example.org", dns::Algorithm::ed25519, 5);
    const auto below = world.court.judge.judge_keys(child.zone(), {child.ds()}, child.key_set(), std::nullopt);
    const std::string rdata = "ns1.example.org. host.example.org. 1 3600 600 86400 300";
    const auto soa = world.court.judge.judge_rrset(child.sign(rrset("sub.example.org", Type::soa, {rdata})), below);
    const auto set = rrset("a.sub.example.org", Type::nsec, {"b.sub.example.org. A RRSIG NSEC"});
    const auto by_parent = world.court.judge.judge_rrset(world.key.sign(set), world.trust);
    const auto by_child = world.court.judge.judge_rrset(child.sign(set), below);
    REQUIRE(by_parent->is_secure());
    const auto deny = [&](const dnssec::FindingRef& nsec) {
        return verdict(
            world.court.judge.judge_from_cached(name("a.sub.example.org"), Type::mx, child.zone(), {nsec}, soa));
    };
    CHECK(deny(by_child) == "secure nodata");
    CHECK(deny(by_parent) == "nothing");
    // Nor a DS: that is the parent's to deny.
    const auto apex = world.court.judge.judge_rrset(
        child.sign(rrset("sub.example.org", Type::nsec, {"a.sub.example.org. NS SOA RRSIG NSEC"})), below);
    CHECK_FALSE(world.court.judge.judge_from_cached(child.zone(), Type::ds, child.zone(), {apex}, soa));
}

TEST_CASE("all supported algorithms sign zones, and rdata is compared in its canonical form") {
    for (const dns::Algorithm algorithm :
         {dns::Algorithm::rsasha256, dns::Algorithm::rsasha512, dns::Algorithm::ecdsa_p256_sha256,
          dns::Algorithm::ecdsa_p384_sha384, dns::Algorithm::ed25519, dns::Algorithm::ed448}) {
        INFO(dns::to_text(algorithm));
        const Signer key("example.org", algorithm);
        Court court;
        const auto trust =
            court.judge.judge_keys(key.zone(), {key.ds(dns::DigestType::sha384)}, key.key_set(), std::nullopt);
        REQUIRE(trust.security() == Security::secure);
        const dns::RRset lower = key.sign(rrset("example.org", Type::mx, {"10 mail.example.org.", "5 b.example.org."}));
        dns::RRset shown =
            rrset("example.org", Type::mx, {"5 B.Example.ORG.", "10 MAIL.example.org.", "5 b.example.org."});
        shown.signatures = lower.signatures;
        CHECK(verdict(court.judge.judge(answer("example.org", Type::mx, shown), trust)) == "secure records");
        shown.records.pop_back();
        shown.records.pop_back();
        CHECK(verdict(court.judge.judge(answer("example.org", Type::mx, shown), trust)) == "bogus failure");
    }
}

TEST_CASE("the signed owner follows from the labels field, between the owner's and the zone's (RFC 4034 3.1.3, A6)") {
    struct Row {
        std::string owner, zone;
        int labels;
        std::string expected;  ///< empty: impossible
        bool expanded;
    };
    for (const Row& row : std::vector<Row>{{"a.b.example.org", "example.org", 4, "a.b.example.org", false},
                                           {"a.b.example.org", "example.org", 3, "*.b.example.org", true},
                                           {"a.b.example.org", "example.org", 2, "*.example.org", true},
                                           {"a.b.example.org", "example.org", 1, "", false},
                                           {"a.b.example.org", "example.org", 0, "", false},
                                           {"a.b.example.org", "example.org", 5, "", false},
                                           {"*.example.org", "example.org", 2, "*.example.org", false},
                                           {"*.example.org", "example.org", 3, "", false},
                                           {"*.b.example.org", "example.org", 2, "*.example.org", true},
                                           {"org", ".", 0, "*", true},
                                           {"*", ".", 0, "*", false},
                                           {".", ".", 0, ".", false},
                                           {".", ".", 1, "", false}}) {
        INFO(row.owner << " " << row.labels);
        const auto owner = dnssec::signed_owner(name(row.owner), name(row.zone), static_cast<std::uint8_t>(row.labels));
        REQUIRE(owner.has_value() == !row.expected.empty());
        if (!owner) continue;
        CHECK(owner->owner == name(row.expected));
        CHECK(owner->expanded == row.expanded);
    }
}

TEST_CASE("keys of one tag are tried twice, also where the zone was entered by another key (A1)") {
    const Signer entry("example.org"), zsk("example.org", dns::Algorithm::ed25519, 2, 256);
    const Bytes one = with_same_tag(zsk.rdata(), 0), two = with_same_tag(zsk.rdata(), 1);
    const dns::RRset a = zsk.sign(rrset("a.example.org", Type::a, address));
    const auto judged = [&](const std::vector<Bytes>& keys) {
        Court court;
        const auto trust = court.judge.judge_keys(entry.zone(), {entry.ds()}, entry.key_set(keys), std::nullopt);
        REQUIRE(trust.security() == Security::secure);
        return verdict(court.judge.judge(answer("a.example.org", Type::a, a), trust));
    };
    CHECK(judged({one, zsk.rdata()}) == "secure records");
    CHECK(judged({one, two, zsk.rdata()}) == "indeterminate failure");
    CHECK(judged({zsk.rdata(), one, two}) == "secure records");
}

TEST_CASE("another zone's SOA beside the proof is nobody's business") {
    World world;
    const dns::RRset nsec = world.key.sign(rrset("a.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"}));
    const dns::RRset stray =
        rrset("sub.example.org", Type::soa, {"ns1.example.org. host.example.org. 1 3600 600 86400 300"});
    const auto found =
        world.court.judge.judge(denial("a.example.org", Type::mx, Shape::nodata, {stray, nsec}), world.trust);
    CHECK(verdict(found) == "secure nodata");
    CHECK(found->proof().size() == 1);
}

TEST_CASE("an NSEC with SOA denies no DS, with NS or without") {
    World world;
    for (const char* const types : {"SOA RRSIG NSEC", "NS SOA RRSIG NSEC"}) {
        const dns::RRset nsec =
            world.key.sign(rrset("sub.example.org", Type::nsec, {std::string("z.example.org. ") + types}));
        CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {nsec})) == "bogus failure");
    }
}

TEST_CASE("an unsigned zone answers for its own names only") {
    World world;
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    CHECK(verdict(world.court.judge.judge(answer("a.example.net", Type::a, rrset("a.example.net", Type::a, address)),
                                          open)) == "indeterminate failure");
    // And without a SOA its denials are kept for half a minute.
    const auto none = world.court.judge.judge(denial("b.example.org", Type::a, Shape::nodata, {}), open);
    CHECK(verdict(none) == "insecure nodata");
    CHECK((none->expires() - noon).count() == 30);
}

TEST_CASE("of the signatures those are kept that may be of use, the proven one first") {
    const Signer one("example.org"), two("example.org", dns::Algorithm::ecdsa_p256_sha256),
        stranger("example.org", dns::Algorithm::ed25519, 7);
    Court court;
    const auto trust = court.judge.judge_keys(one.zone(), {one.ds()}, one.key_set({two.rdata()}), std::nullopt);
    const dns::RRset plain = rrset("a.example.org", Type::a, address);
    Bend broken, expired, fewer;
    broken.break_signature = true;
    expired.expiration = -5000;
    fewer.labels = 2;
    dns::RRset set = one.sign(plain, fewer);
    for (const Bend& bend : {expired, broken}) set = two.sign(std::move(set), bend);
    set = one.sign(stranger.sign(std::move(set)));
    const auto found = court.judge.judge(answer("a.example.org", Type::a, set), trust);
    REQUIRE(verdict(found) == "secure records");
    REQUIRE(found->rrset()->signatures.size() == 2);
    CHECK(found->rrset()->signatures[0] == set.signatures.back());
    CHECK(found->rrset()->signatures[1] == set.signatures[2]);
}

TEST_CASE("a finding answers for other names and types only where it proves them") {
    using dnssec::Finding;
    World world;
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    const dns::RRset proof = world.key.sign(rrset("example.org", Type::nsec, {"z.example.org. NS SOA RRSIG NSEC"}));
    const dnssec::Response absent = denial("m.example.org", Type::a, Shape::nxdomain, {proof});
    const auto secure = world.court.judge.judge(absent, world.trust), insecure = world.court.judge.judge(absent, open);
    const auto told = [](const dnssec::FindingRef& finding, const std::string& owner, Type type) {
        return verdict(Finding::answering(finding, name(owner), type));
    };
    CHECK(told(secure, "m.example.org", Type::mx) == "secure nxdomain");
    CHECK(told(secure, "a.m.example.org", Type::mx) == "secure nxdomain");
    CHECK(told(secure, "example.org", Type::mx) == "nothing");
    CHECK(told(insecure, "m.example.org", Type::mx) == "insecure nxdomain");
    CHECK(told(insecure, "a.m.example.org", Type::mx) == "nothing");
    const auto alias = world.court.judge.judge(
        answer("a.example.org", Type::mx, world.key.sign(rrset("a.example.org", Type::cname, {"b.example.org."}))),
        world.trust);
    CHECK(told(alias, "a.example.org", Type::a) == "secure records");
    CHECK(told(alias, "x.a.example.org", Type::a) == "nothing");
    const auto dname = world.court.judge.judge(
        answer("x.d.example.org", Type::mx, world.key.sign(rrset("d.example.org", Type::dname, {"example.net."}))),
        world.trust);
    CHECK(told(dname, "y.x.d.example.org", Type::a) == "secure records");
    CHECK(told(dname, "d.example.org", Type::a) == "nothing");
    const auto a = world.court.judge.judge(
        answer("a.example.org", Type::a, world.key.sign(rrset("a.example.org", Type::a, address))), world.trust);
    CHECK(told(a, "a.example.org", Type::mx) == "nothing");
    CHECK(told(a, "a.example.org", Type::a) == "secure records");
}
