// The forged twin of each rule in pitfalls.cc: the honest answer first, then the same with one thing changed, which
// must be bogus, or exactly what the rule says. Numbers are those of the list of rules; tests/tidy looks whether one is
// missing.
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "dnssec/anchor.h"
#include "zone_of_tests.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Ede;
using dns::Type;
using dnssec::Cut;
using dnssec::Security;
using dnssec::Shape;

namespace {

constexpr auto bogus = "bogus failure";

/// An answer at a.example.org of type A, signed as `bend` says.
std::string signed_by(const Bend& bend) {
    World world;
    return world.says(answer("a.example.org", Type::a, world.signed_set("a.example.org", Type::a, address, bend)));
}

Security of_keys(const dnssec::Policy& policy, const Signer& key, const std::vector<dns::Ds>& ds,
                 const dns::RRset& set) {
    Court court(noon, policy);
    return court.judge.judge_keys(key.zone(), ds, set, std::nullopt).security();
}

}  // namespace

TEST_CASE("1 twin: the proof beside a wildcard answer is the wildcard's own NSEC, which covers something else") {
    World world;
    const dns::RRset set = expanded(world, "*.example.org", "m.example.org", Type::a, address);
    const auto with = [&](const std::string& owner, const std::string& next) {
        return world.says(answer("m.example.org", Type::a, set, {world.nsec(owner, next + " A RRSIG NSEC")}));
    };
    CHECK(with("*.example.org", "z.example.org.") == "secure records");
    CHECK(with("*.example.org", "b.example.org.") == bogus);
    CHECK(with("m.example.org", "z.example.org.") == bogus);  // the name is there, so that nothing stands for it
}

TEST_CASE("2 twin: a wildcard's signature at a literal asterisk one level deeper is an expansion") {
    World world;
    dns::RRset set = world.signed_set("*.example.org", Type::a, address);
    CHECK(world.says(answer("*.example.org", Type::a, set)) == "secure records");
    set.owner = name("*.*.example.org");
    CHECK(world.says(answer("*.*.example.org", Type::a, set)) == bogus);
}

TEST_CASE("3 twin: the parent's NSEC of a zone cut denies the child's address") {
    World world;
    CHECK(world.says(denial("sub.example.org", Type::a, Shape::nodata,
                            {world.nsec("sub.example.org", "z.example.org. TXT RRSIG NSEC")})) == "secure nodata");
    CHECK(world.says(denial("sub.example.org", Type::a, Shape::nodata,
                            {world.nsec("sub.example.org", "z.example.org. NS RRSIG NSEC")})) == bogus);
    CHECK(world.says(denial("sub.example.org", Type::a, Shape::nodata,
                            {world.nsec("sub.example.org", "z.example.org. NS DS RRSIG NSEC")})) == bogus);
}

TEST_CASE("4 twin: the child's apex denies the DS that its parent has") {
    World world;
    const Hashed hashed;
    CHECK(world.says(denial("example.org", Type::txt, Shape::nodata,
                            {hashed.match(world, "example.org", "NS SOA RRSIG")})) == "secure nodata");
    CHECK(world.says(denial("example.org", Type::ds, Shape::nodata,
                            {hashed.match(world, "example.org", "NS SOA RRSIG")})) == bogus);
    CHECK(world.says(denial("example.org", Type::ds, Shape::nxdomain,
                            {world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC")})) == bogus);
}

TEST_CASE("5 twin: a child's apex NSEC3, copied into the parent, is of no apex there") {
    World world;
    const Hashed hashed;
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata,
                            {hashed.match(world, "sub.example.org", "A RRSIG")})) == "secure nodata");
    CHECK(world.says(denial("sub.example.org", Type::mx, Shape::nodata,
                            {hashed.match(world, "sub.example.org", "A NS SOA RRSIG")})) == bogus);
    // Nor does it cover.
    CHECK(world.says(denial("t.example.org", Type::mx, Shape::nxdomain,
                            {world.nsec("example.org", "sub.example.org. NS SOA RRSIG NSEC"),
                             world.nsec("sub.example.org", "z.example.org. NS SOA RRSIG NSEC")})) == bogus);
}

TEST_CASE("6 twin: with DS, without NS, or with SOA beside it, there is no unsigned delegation") {
    World world;
    const auto cut = [&](const std::string& types) {
        const auto found = world.judge(denial("sub.example.org", Type::ds, Shape::nodata,
                                              {world.nsec("sub.example.org", "z.example.org. " + types)}));
        return dnssec::Judge::cut_of(*found, world.court.policy);
    };
    CHECK(cut("NS RRSIG NSEC") == Cut::unsigned_delegation);
    CHECK(cut("NS DS RRSIG NSEC") == Cut::unknown);
    CHECK(cut("TXT RRSIG NSEC") == Cut::no_cut);
    CHECK(cut("NS SOA RRSIG NSEC") == Cut::unknown);
    CHECK(cut("SOA RRSIG NSEC") == Cut::unknown);
}

TEST_CASE("7 twin: the opt-out flag on any covering record takes AD away, and is part of what is signed") {
    World world;
    const Hashed hashed;
    const dns::RRset apex = hashed.match(world, "example.org", "NS SOA RRSIG");
    const auto says = [&](const dns::RRset& next, const dns::RRset& star) {
        return world.says(denial("no.example.org", Type::a, Shape::nxdomain, {apex, next, star}));
    };
    const dns::RRset next = hashed.cover(world, "no.example.org"), star = hashed.cover(world, "*.example.org");
    CHECK(says(next, star) == "secure nxdomain");
    CHECK(says(hashed.cover(world, "no.example.org", "1"), star) == "insecure nxdomain");
    CHECK(says(next, hashed.cover(world, "*.example.org", "1")) == "insecure nxdomain");
    // Cleared on the way, to make it look secure.
    dns::RRset cleared = hashed.cover(world, "no.example.org", "1");
    cleared.records[0][1] = 0;
    CHECK(says(cleared, star) == bogus);
}

TEST_CASE("8 twin: an opt-out span does not excuse a name that is signed or a proof that is missing") {
    World world;
    const Hashed hashed;
    const dns::RRset apex = hashed.match(world, "example.org", "NS SOA RRSIG"),
                     span = hashed.cover(world, "sub.example.org", "1");
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {apex, span})) == "insecure nodata");
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {span})) == bogus);
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata, {apex})) == bogus);
    Hashed flagged;
    flagged.parameters = "1 1 0 -";
    CHECK(world.says(denial("sub.example.org", Type::ds, Shape::nodata,
                            {flagged.match(world, "sub.example.org", "NS DS RRSIG")})) == bogus);
}

TEST_CASE("9 twin: an NSEC3 that covers the name instead of the next closer one proves no NXDOMAIN") {
    World world;
    const Hashed hashed;
    const dns::RRset encloser = hashed.match(world, "b.example.org", "A RRSIG"),
                     star = hashed.cover(world, "*.b.example.org");
    const auto says = [&](const std::string& covered) {
        return world.says(
            denial("x.no.b.example.org", Type::a, Shape::nxdomain, {encloser, hashed.cover(world, covered), star}));
    };
    CHECK(says("no.b.example.org") == "secure nxdomain");
    CHECK(says("x.no.b.example.org") == bogus);
    CHECK(says("b.example.org") == bogus);
}

TEST_CASE("10 twin: a record of another salt among the rest, even one that nobody needs") {
    World world;
    const Hashed plain;
    Hashed salted;
    salted.parameters = "1 0 0 aabb";
    salted.salt = {0xaa, 0xbb};
    const dns::RRset match = plain.match(world, "a.example.org", "A RRSIG");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {match})) == "secure nodata");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {match, salted.match(world, "b.example.org", "A RRSIG")})) == bogus);
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {salted.match(world, "b.example.org", "A RRSIG"), match})) == bogus);
}

TEST_CASE("11 twin: a DNAME bit at the closest encloser, or at the owner of the covering NSEC") {
    World world;
    const Hashed hashed;
    const auto by_hash = [&](const std::string& types) {
        return world.says(denial("x.d.example.org", Type::a, Shape::nxdomain,
                                 {hashed.match(world, "d.example.org", types), hashed.cover(world, "x.d.example.org"),
                                  hashed.cover(world, "*.d.example.org")}));
    };
    CHECK(by_hash("TXT RRSIG") == "secure nxdomain");
    CHECK(by_hash("TXT DNAME RRSIG") == bogus);
    // The same for a wildcard that would be denied from above a DNAME.
    dns::RRset wild = expanded(world, "*.example.org", "x.d.example.org", Type::a, address);
    CHECK(world.says(answer("x.d.example.org", Type::a, wild,
                            {world.nsec("c.example.org", "z.example.org. TXT RRSIG NSEC")})) == "secure records");
    CHECK(world.says(answer("x.d.example.org", Type::a, wild,
                            {world.nsec("d.example.org", "z.example.org. DNAME RRSIG NSEC")})) == bogus);
}

TEST_CASE("12 twin: a CNAME that says it comes from a DNAME is not believed, only the DNAME is") {
    World world;
    const dns::RRset dname = world.signed_set("d.example.org", Type::dname, {"example.net."});
    const auto honest = world.judge(answer("a.d.example.org", Type::mx, dname));
    CHECK(honest->alias_target().value() == name("a.example.net"));
    // Unsigned, and leading elsewhere (A12).
    CHECK(world.says(answer("a.d.example.org", Type::mx, rrset("a.d.example.org", Type::cname, {"a.evil.example."}))) ==
          bogus);
    dns::RRset changed = dname;
    changed.records[0].back() = 0;
    changed.records[0][1] ^= 1;
    CHECK(world.says(answer("a.d.example.org", Type::mx, changed)) == bogus);
}

TEST_CASE("13 twin: NODATA beside a CNAME, at the name and at the wildcard") {
    World world;
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.nsec("a.example.org", "b.example.org. TXT RRSIG NSEC")})) == "secure nodata");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.nsec("a.example.org", "b.example.org. CNAME RRSIG NSEC")})) == bogus);
    // Of the CNAME itself, another bitmap would be the proof.
    CHECK(world.says(denial("a.example.org", Type::cname, Shape::nodata,
                            {world.nsec("a.example.org", "b.example.org. CNAME RRSIG NSEC")})) == bogus);
}

TEST_CASE("14 twin: the next name lies beside the empty non-terminal, not below it") {
    World world;
    CHECK(world.says(denial("ent.example.org", Type::mx, Shape::nodata,
                            {world.nsec("example.org", "a.ent.example.org. NS SOA RRSIG NSEC")})) == "secure nodata");
    CHECK(world.says(denial("ent.example.org", Type::mx, Shape::nodata,
                            {world.nsec("example.org", "a.enx.example.org. NS SOA RRSIG NSEC")})) == bogus);
    CHECK(world.says(denial("ent.example.org", Type::mx, Shape::nodata,
                            {world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC")})) == bogus);
}

TEST_CASE("15 twin: a label count that was lowered on the way makes another wildcard, which nobody signed") {
    CHECK(signed_by({}) == "secure records");
    Bend lower;
    lower.labels = 2;
    CHECK(signed_by(lower) == bogus);
    World world;
    dns::RRset set = world.signed_set("a.example.org", Type::a, address);
    set.signatures[0][3] = 2;
    CHECK(world.says(answer("a.example.org", Type::a, set,
                            {world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC")})) == bogus);
}

TEST_CASE("16 twin: the parent signs with its own good key what is the child's") {
    const Signer parent("org", dns::Algorithm::ed25519, 9);
    World world;
    const dns::RRset set = rrset("a.example.org", Type::a, address);
    CHECK(world.says(answer("a.example.org", Type::a, world.key.sign(set))) == "secure records");
    CHECK(world.says(answer("a.example.org", Type::a, parent.sign(set))) == bogus);
    // The parent's own answers do not go below its cut either: asked in its zone, its signature is good; the chain
    // above sees to the cut.
    Bend claimed;
    claimed.signer = "org";
    CHECK(signed_by(claimed) == bogus);
}

TEST_CASE("17 twin: a key with the right tag and the wrong octets verifies nothing") {
    const Signer key("example.org");
    const Bytes twin = with_same_tag(key.rdata(), 0);
    Court court;
    dns::RRset only = key.key_set();
    only.records = {twin};
    only.signatures = {key.signature(only)};
    CHECK(court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set({twin}), std::nullopt).security() ==
          Security::secure);
    const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, only, std::nullopt);
    CHECK(trust.security() == Security::bogus);
    CHECK(trust.reason().text.find("digest of another key") != std::string::npos);
}

TEST_CASE("18 twin: REVOKE set, zone bit cleared or protocol changed on the key that the DS names") {
    const Signer good("example.org");
    CHECK(of_keys({}, good, {good.ds()}, good.key_set()) == Security::secure);
    for (const auto& [flags, protocol] : std::vector<std::pair<int, int>>{{385, 3}, {1, 3}, {0, 3}, {257, 4}}) {
        INFO(flags << " " << protocol);
        const Signer bad("example.org", dns::Algorithm::ed25519, 1, static_cast<std::uint16_t>(flags),
                         static_cast<std::uint8_t>(protocol));
        CHECK(of_keys({}, bad, {bad.ds()}, bad.key_set()) == Security::bogus);
        // Beside a good one that is named, too, it signs nothing.
        CHECK(of_keys({}, good, {good.ds()}, bad.sign(rrset("example.org", Type::dnskey, {}))) == Security::bogus);
    }
}

TEST_CASE("19 twin: when no path holds, none suffices") {
    const Signer one("example.org"), two("example.org", dns::Algorithm::ecdsa_p256_sha256);
    Bend broken;
    broken.break_signature = true;
    CHECK(of_keys({}, one, {two.ds(), one.ds()}, one.key_set({two.rdata()})) == Security::secure);
    CHECK(of_keys({}, one, {two.ds(), one.ds()}, one.key_set({two.rdata()}, broken)) == Security::bogus);
    // Two names a key that is there and did not sign, one signed and is not named.
    CHECK(of_keys({}, one, {two.ds()}, one.key_set({two.rdata()})) == Security::bogus);
}

TEST_CASE("20 twin: one supported DS among unsupported ones, and it matches nothing") {
    const Signer key("example.org");
    dns::Ds unknown = key.ds(), wrong = key.ds();
    unknown.algorithm = static_cast<dns::Algorithm>(200);
    wrong.key_tag = static_cast<std::uint16_t>(wrong.key_tag + 1);
    CHECK(of_keys({}, key, {unknown}, key.key_set()) == Security::insecure);
    CHECK(of_keys({}, key, {unknown, wrong}, key.key_set()) == Security::bogus);
    CHECK(of_keys({}, key, {wrong}, key.key_set()) == Security::bogus);
}

TEST_CASE("21 twin: a right SHA-1 digest does not save a wrong SHA-256 or SHA-384 digest") {
    const Signer key("example.org");
    for (const dns::DigestType type : {dns::DigestType::sha256, dns::DigestType::sha384}) {
        dns::Ds wrong = key.ds(type);
        wrong.digest.back() ^= 1;
        CHECK(of_keys({}, key, {key.ds(dns::DigestType::sha1), key.ds(type)}, key.key_set()) == Security::secure);
        CHECK(of_keys({}, key, {key.ds(dns::DigestType::sha1), wrong}, key.key_set()) == Security::bogus);
    }
    // A digest that is not supported is none that SHA-1 would have to yield to.
    dns::Ds gost = key.ds();
    gost.digest_type = dns::DigestType::gost;
    CHECK(of_keys({}, key, {key.ds(dns::DigestType::sha1), gost}, key.key_set()) == Security::secure);
}

TEST_CASE("22 twin: a signature of sixty-eight years from now is not valid now, and one of an hour ago no more") {
    CHECK(signed_by({}) == "secure records");
    Bend old, far;
    old.expiration = -3600;
    CHECK(signed_by(old) == bogus);
    far.inception = 2147483000;
    far.expiration = 2147483600;
    CHECK(signed_by(far) == bogus);
}

TEST_CASE("23 twin: a TTL that was raised on the way is cut to what was signed") {
    World world;
    dns::RRset set = world.signed_set("a.example.org", Type::a, address);
    set.ttl = dns::Ttl(86400);
    const auto found = world.judge(answer("a.example.org", Type::a, set));
    CHECK(verdict(found) == "secure records");
    CHECK((found->expires() - noon).count() == 3600);
    // The original TTL itself cannot be raised.
    set.signatures[0][4] = 1;
    CHECK(world.says(answer("a.example.org", Type::a, set)) == bogus);
}

TEST_CASE("24 twin: an SOA with a larger minimum is another SOA than the one that was signed") {
    World world;
    const dns::RRset nsec = world.nsec("a.example.org", "b.example.org. A RRSIG NSEC");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {world.soa(), nsec})) == "secure nodata");
    dns::RRset raised = world.soa();
    raised.records[0][raised.records[0].size() - 3] = 1;
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {raised, nsec})) == bogus);
    dns::RRset bare = world.soa();
    bare.signatures.clear();
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {bare, nsec})) == bogus);
}

TEST_CASE("27 twin: one bogus or indeterminate link, and nothing of the chain is secure") {
    World world;
    const auto alias = world.judge(
        answer("a.example.org", Type::tlsa, world.signed_set("a.example.org", Type::cname, {"b.example.org."})));
    const dns::RRset data = world.signed_set("b.example.org", Type::tlsa, {"3 1 1 " + std::string(64, 'a')});
    const auto good = world.judge(answer("b.example.org", Type::tlsa, data));
    dns::RRset forged = data;
    forged.records[0].back() ^= 1;
    const auto bad = world.judge(answer("b.example.org", Type::tlsa, forged));
    CHECK(dnssec::Answer({alias, good}).security() == Security::secure);
    CHECK(dnssec::Answer({alias, bad}).security() == Security::bogus);
    CHECK(dnssec::Answer({alias, bad}).alias_security() == Security::secure);
    CHECK_FALSE(dnssec::SecureRRset::from(dnssec::Answer({alias, bad})));
}

TEST_CASE("30 twin: the child's own word on its DS, signed with its own good key") {
    const Signer parent("org", dns::Algorithm::ed25519, 9), child("example.org");
    Court court;
    const auto above = court.judge.judge_keys(parent.zone(), {parent.ds()}, parent.key_set(), std::nullopt);
    const auto below = court.judge.judge_keys(child.zone(), {child.ds()}, child.key_set(), std::nullopt);
    const dns::RRset ds = rrset("example.org", Type::ds, {"1 15 2 " + std::string(64, 'a')});
    CHECK(verdict(court.judge.judge(answer("example.org", Type::ds, parent.sign(ds)), above)) == "secure records");
    CHECK(verdict(court.judge.judge(answer("example.org", Type::ds, child.sign(ds)), below)) == bogus);
    CHECK(verdict(court.judge.judge(answer("example.org", Type::ds, child.sign(ds)), above)) == bogus);
}

TEST_CASE("31 twin: what came and does not hold is bogus, not a failure to fetch") {
    World world;
    dnssec::Reason reason;
    reason.text = "timed out";
    CHECK(verdict(world.court.judge.judge_failure(name("a.example.org"), Type::a, dns::Rcode::servfail, reason,
                                                  world.trust)) == "indeterminate failure");
    dns::RRset forged = world.signed_set("a.example.org", Type::a, address);
    forged.records[0][0] ^= 1;
    CHECK(world.says(answer("a.example.org", Type::a, forged)) == bogus);
}

TEST_CASE("33 twin: NODATA whose own bitmap has the type, NSEC and NSEC3, of every kind of type") {
    World world;
    const Hashed hashed;
    for (const char* const type : {"A", "MX", "TLSA", "CAA", "TYPE65280"}) {
        INFO(type);
        const Type asked = dns::type_from_text(type).value();
        CHECK(world.says(denial("a.example.org", asked, Shape::nodata,
                                {world.nsec("a.example.org", "b.example.org. TXT RRSIG NSEC")})) == "secure nodata");
        CHECK(world.says(denial("a.example.org", asked, Shape::nodata,
                                {world.nsec("a.example.org", std::string("b.example.org. TXT RRSIG NSEC ") + type)})) ==
              bogus);
        CHECK(world.says(denial("a.example.org", asked, Shape::nodata,
                                {hashed.match(world, "a.example.org", std::string("TXT RRSIG ") + type)})) == bogus);
    }
}

TEST_CASE("35 twin: the same stray signatures in a zone that has a DS are bogus") {
    World world;
    Bend broken;
    broken.break_signature = true;
    const dns::RRset set = world.signed_set("a.example.org", Type::a, address, broken);
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    CHECK(verdict(world.court.judge.judge(answer("a.example.org", Type::a, set), open)) == "insecure records");
    CHECK(world.says(answer("a.example.org", Type::a, set)) == bogus);
}

TEST_CASE("36 twin: an NSEC that was expanded from a wildcard, shown as the NSEC of the name it denies") {
    World world;
    const dns::RRset own = world.nsec("w.example.org", "x.example.org. TXT RRSIG NSEC");
    const dns::RRset shown =
        expanded(world, "*.example.org", "w.example.org", Type::nsec, {"b.example.org. TXT RRSIG NSEC"});
    CHECK(world.says(denial("w.example.org", Type::a, Shape::nodata, {own})) == "secure nodata");
    CHECK(world.says(denial("w.example.org", Type::a, Shape::nodata, {shown})) == bogus);
}

TEST_CASE("37 twin: NXNAME of another name, or beside the type that is denied") {
    World world;
    const dns::RRset compact = world.nsec("no.example.org", "\\000.no.example.org. RRSIG NSEC TYPE128");
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nodata, {compact})) == "secure nxdomain");
    CHECK(world.says(denial("on.example.org", Type::mx, Shape::nodata, {compact})) == bogus);
    CHECK(world.says(denial("no.example.org", Type::mx, Shape::nodata,
                            {world.nsec("no.example.org", "\\000.no.example.org. MX RRSIG NSEC TYPE128")})) == bogus);
}

TEST_CASE("38: SHA-1 signatures can be verified, and are unsupported by policy: insecure, never bogus (RFC 9905)") {
    for (const dns::Algorithm algorithm : {dns::Algorithm::rsasha1, dns::Algorithm::rsasha1_nsec3_sha1}) {
        const Signer key("example.org", algorithm);
        dnssec::Policy accepting;
        accepting.sha1 = dnssec::Sha1::accepted;
        CHECK(of_keys(accepting, key, {key.ds()}, key.key_set()) == Security::secure);
        CHECK(of_keys({}, key, {key.ds()}, key.key_set()) == Security::insecure);
    }
}

TEST_CASE("38 twin: a broken SHA-1 signature is bogus where SHA-1 is accepted") {
    const Signer key("example.org", dns::Algorithm::rsasha1), modern("example.org");
    dnssec::Policy accepting;
    accepting.sha1 = dnssec::Sha1::accepted;
    Bend broken;
    broken.break_signature = true;
    CHECK(of_keys(accepting, key, {key.ds()}, key.key_set({}, broken)) == Security::bogus);
    // Beside a modern algorithm SHA-1 is no way in and no way out.
    CHECK(of_keys({}, key, {key.ds(), modern.ds()}, modern.key_set({key.rdata()})) == Security::secure);
    CHECK(of_keys({}, key, {key.ds(), modern.ds()}, key.key_set({modern.rdata()})) == Security::bogus);
}

TEST_CASE("39: algorithm numbers and digest numbers are separate tables") {
    const Signer key("example.org", dns::Algorithm::ecdsa_p256_sha256);
    // 2 and 4 are digests and no algorithms here, 8 and 13 algorithms and no digests.
    for (const int number : {1, 2, 4}) {
        dns::Ds ds = key.ds();
        ds.algorithm = static_cast<dns::Algorithm>(number);
        CHECK(of_keys({}, key, {ds}, key.key_set()) == Security::insecure);
    }
    for (const int number : {8, 13, 15}) {
        dns::Ds ds = key.ds();
        ds.digest_type = static_cast<dns::DigestType>(number);
        CHECK(of_keys({}, key, {ds}, key.key_set()) == Security::insecure);
    }
}

TEST_CASE("39 twin: algorithm and digest changed places") {
    const Signer key("example.org");
    dns::Ds swapped = key.ds();
    swapped.algorithm = static_cast<dns::Algorithm>(2);
    swapped.digest_type = static_cast<dns::DigestType>(15);
    CHECK(of_keys({}, key, {swapped}, key.key_set()) == Security::insecure);
    // An algorithm that is supported, but not the key's: that DS matches nothing.
    dns::Ds other = key.ds();
    other.algorithm = dns::Algorithm::ecdsa_p256_sha256;
    CHECK(of_keys({}, key, {other}, key.key_set()) == Security::bogus);
}

TEST_CASE("40 twin: iterations over the limit on a record that the zone did not sign") {
    World world;
    Hashed many;
    many.iterations = 200;
    many.parameters = "1 0 200 -";
    const dns::RRset match = many.match(world, "a.example.org", "A RRSIG");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {match})) == "insecure nodata");
    dns::RRset bare = match;
    bare.signatures.clear();
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {bare})) == bogus);
    const Signer stranger("example.org", dns::Algorithm::ed25519, 7);
    dns::RRset forged = bare;
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {stranger.sign(forged)})) == bogus);
}

TEST_CASE("41 twin: an NSEC that reaches out of its zone, or an NSEC3 that is a label too deep") {
    World world;
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata,
                            {world.nsec("example.org", "a.m.example.org. NS SOA RRSIG NSEC")})) == "secure nodata");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata,
                            {world.nsec("example.org", "a.m.example.net. NS SOA RRSIG NSEC")})) == bogus);
    const Hashed hashed;
    const std::string rdata = "1 0 0 - " + hashed.label("a.example.org", 1) + " A RRSIG";
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.signed_set(hashed.label("a.example.org") + ".example.org", Type::nsec3,
                                              {rdata})})) == "secure nodata");
    CHECK(world.says(denial(
              "a.example.org", Type::mx, Shape::nodata,
              {world.signed_set(hashed.label("a.example.org") + ".sub.example.org", Type::nsec3, {rdata})})) == bogus);
}

TEST_CASE("42 twin: the root's keys signed by a revoked or a foreign key only") {
    const Signer old_key(".", dns::Algorithm::ed25519, 1), new_key(".", dns::Algorithm::ed25519, 2),
        foreign(".", dns::Algorithm::ed25519, 3);
    const std::vector<dns::Ds> both{old_key.ds(), new_key.ds()};
    Court court;
    const auto judged = [&](const dns::RRset& set) {
        return court.judge.judge_anchor(name("."), both, {}, set).security();
    };
    CHECK(judged(old_key.key_set({new_key.rdata()})) == Security::secure);
    CHECK(judged(foreign.key_set({old_key.rdata(), new_key.rdata()})) == Security::bogus);
    const Signer revoked(".", dns::Algorithm::ed25519, 1, 257 | 128);
    CHECK(judged(revoked.key_set({new_key.rdata()})) == Security::bogus);
    CHECK(judged(new_key.sign(revoked.key_set({new_key.rdata()}))) == Security::secure);
}

TEST_CASE("8.6: a wildcard's own NSEC3 beside an opt-out span does not make an unsigned delegation bogus (RFC 5155)") {
    World world;
    const Hashed hashed;
    const auto with = [&](const std::string& flag) {
        return world.says(
            denial("b.example.org", Type::ds, Shape::nodata,
                   {world.soa(), hashed.match(world, "example.org", "NS SOA RRSIG DNSKEY NSEC3PARAM"),
                    hashed.cover(world, "b.example.org", flag), hashed.match(world, "*.example.org", "CNAME RRSIG")}));
    };
    CHECK(with("1") == "insecure nodata");
    CHECK(with("0") == bogus);  // no span: the wildcard's alias stands for the name
}
