// The small print of RFC 4034, 4035, 5155, 6840, 8624 and 9276: canonical form type by type, single-name zones, empty
// bitmaps, anchors of several kinds, keys that nearly match.
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "dnssec/anchor.h"
#include "dnssec/canonical.h"
#include "dnssec/delegation.h"
#include "zone_of_tests.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Ede;
using dns::Type;
using dnssec::Check;
using dnssec::Security;
using dnssec::Shape;

namespace {

constexpr auto bogus = "bogus failure";

Bytes octets(const std::string& text) {
    return {text.begin(), text.end()};
}

/// `count` octets of numbers, then the name "host.example" in wire form, its letters as told.
Bytes with_name(std::size_t count, bool upper, const Bytes& behind = {}) {
    Bytes rdata(count, 1);
    const Bytes wire = octets(upper ? std::string("\4HOST\7EXAMPLE\0", 14) : std::string("\4host\7example\0", 14));
    rdata.insert(rdata.end(), wire.begin(), wire.end());
    rdata.insert(rdata.end(), behind.begin(), behind.end());
    return rdata;
}

/// A crypto library that begins nothing.
class Refusing final : public crypto::PublicKey {
  public:
    [[nodiscard]] crypto::Verification verify(BytesView /*data*/, BytesView /*signature*/) const override {
        return crypto::Verification::unsupported;
    }
    [[nodiscard]] std::size_t bits() const override { return 256; }
};

}  // namespace

TEST_CASE("names in rdata are compared in lower case for the types of RFC 4034 6.2, and for no other (RFC 6840 5.1)") {
    struct Row {
        Type type;
        std::size_t before;  ///< octets before the name
        bool lowered;
    };
    const auto type = [](int number) { return static_cast<Type>(number); };
    for (const Row& row : std::vector<Row>{{Type::ns, 0, true},
                                           {Type::cname, 0, true},
                                           {Type::ptr, 0, true},
                                           {Type::mx, 2, true},
                                           {type(33), 6, true},    // SRV
                                           {type(36), 2, true},    // KX
                                           {type(18), 2, true},    // AFSDB
                                           {type(21), 2, true},    // RT
                                           {type(7), 0, true},     // MB
                                           {Type::txt, 0, false},  // "\4host" is a string there
                                           {type(65280), 3, false},
                                           {type(52), 3, false},     // TLSA
                                           {type(64), 2, false}}) {  // SVCB came later (RFC 9460)
        INFO(dns::to_text(row.type));
        World world;
        dns::RRset lower, upper;
        lower.owner = name("a.example.org");
        lower.type = row.type;
        lower.ttl = dns::Ttl(3600);
        lower.records = {with_name(row.before, false)};
        upper = lower;
        upper.records = {with_name(row.before, true)};
        upper.signatures = {world.key.signature(lower)};
        const dnssec::Context context{world.court.policy, noon, world.court.budget};
        const auto checked = dnssec::check_signatures(upper, world.key.zone(), world.trust.keys(), context);
        CHECK((checked.check == Check::valid) == row.lowered);
        // And the other way about, so that both sides are brought into one form.
        CHECK(dns::canonical(row.type, upper.records[0]) == (row.lowered ? lower.records[0] : upper.records[0]));
    }
    // The next name of an NSEC keeps its letters (RFC 6840 5.1).
    CHECK(dns::canonical(Type::nsec, with_name(0, true, {0, 1, 0x40})) == with_name(0, true, {0, 1, 0x40}));
}

TEST_CASE("a zone of one name: its NSEC or NSEC3 leads to itself and denies everything else") {
    World world;
    const dns::RRset apex = world.nsec("example.org", "example.org. NS SOA RRSIG NSEC DNSKEY");
    CHECK(world.says(denial("example.org", Type::mx, Shape::nodata, {apex})) == "secure nodata");
    CHECK(world.says(denial("example.org", Type::ns, Shape::nodata, {apex})) == bogus);
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nxdomain, {apex})) == "secure nxdomain");
    CHECK(world.says(denial("a.b.example.org", Type::mx, Shape::nodata, {apex})) == bogus);
    const Hashed hashed;
    const dns::RRset only = world.signed_set(hashed.label("example.org") + ".example.org", Type::nsec3,
                                             {"1 0 0 - " + hashed.label("example.org") + " NS SOA RRSIG"});
    CHECK(world.says(denial("example.org", Type::mx, Shape::nodata, {only})) == "secure nodata");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nxdomain, {only})) == "secure nxdomain");
    CHECK(world.says(denial("a.b.example.org", Type::mx, Shape::nxdomain, {only})) == "secure nxdomain");
    // It covers all but itself: the apex is there.
    CHECK(world.says(denial("example.org", Type::mx, Shape::nxdomain, {only})) == "secure nodata");
}

TEST_CASE("an NSEC3 with an empty bitmap is an empty non-terminal, and denies every type there") {
    World world;
    const Hashed hashed;
    const dns::RRset empty = world.signed_set(hashed.label("ent.example.org") + ".example.org", Type::nsec3,
                                              {"1 0 0 - " + hashed.label("ent.example.org", 1)});
    for (const Type type : {Type::mx, Type::a, Type::any, Type::ds, Type::cname}) {
        CHECK(world.says(denial("ent.example.org", type, Shape::nodata, {empty})) == "secure nodata");
    }
    const auto ds = world.judge(denial("ent.example.org", Type::ds, Shape::nodata, {empty}));
    CHECK(dnssec::Judge::cut_of(*ds, world.court.policy) == dnssec::Cut::no_cut);
}

TEST_CASE("type ANY is denied by what lists nothing but its own signature and NSEC") {
    World world;
    for (const auto& [types, expected] :
         std::vector<std::pair<std::string, std::string>>{{"RRSIG NSEC", "secure nodata"},
                                                          {"A RRSIG NSEC", bogus},
                                                          {"RRSIG NSEC TYPE128", "secure nxdomain"},
                                                          {"TXT", bogus}}) {
        INFO(types);
        CHECK(world.says(denial("a.example.org", Type::any, Shape::nodata,
                                {world.nsec("a.example.org", "b.example.org. " + types)})) == expected);
    }
}

TEST_CASE("of two NSEC or NSEC3 records at one name none proves anything (RFC 4034 4, RFC 5155 3)") {
    World world;
    const std::string one = "b.example.org. A RRSIG NSEC", two = "z.example.org. TXT RRSIG NSEC";
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {world.nsec("a.example.org", one)})) ==
          "secure nodata");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.signed_set("a.example.org", Type::nsec, {one, two})})) == bogus);
    const Hashed hashed;
    const std::string owner = hashed.label("a.example.org") + ".example.org";
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata,
                            {world.signed_set(owner, Type::nsec3,
                                              {"1 0 0 - " + hashed.label("a.example.org", 1) + " A RRSIG",
                                               "1 0 0 - " + hashed.label("a.example.org", 9) + " TXT RRSIG"})})) ==
          bogus);
}

TEST_CASE("an NSEC3 whose owner is no hash, or whose next hash has another length, proves nothing (RFC 5155 3)") {
    World world;
    const Hashed hashed;
    const auto says = [&](const std::string& owner, const std::string& rdata) {
        return world.says(
            denial("a.example.org", Type::mx, Shape::nodata, {world.signed_set(owner, Type::nsec3, {rdata})}));
    };
    const std::string own = hashed.label("a.example.org"), next = hashed.label("a.example.org", 1);
    CHECK(says(own + ".example.org", "1 0 0 - " + next + " A RRSIG") == "secure nodata");
    CHECK(says("example.org", "1 0 0 - " + next + " A RRSIG") == bogus);
    CHECK(says(own.substr(0, 24) + ".example.org", "1 0 0 - " + next + " A RRSIG") == bogus);
    CHECK(says("not-a-hash.example.org", "1 0 0 - " + next + " A RRSIG") == bogus);
    CHECK(says(own + ".example.org", "1 0 0 - " + next.substr(0, 24) + " A RRSIG") == bogus);
    CHECK(says(own + ".example.org", "6 0 0 - " + next + " A RRSIG") == bogus);
}

TEST_CASE("anchors: several DS and DNSKEY of a zone, any of which holds, and an island below an unsigned zone") {
    const Signer one("island.example", dns::Algorithm::ed25519, 1), two("island.example", dns::Algorithm::ed25519, 2),
        three("island.example", dns::Algorithm::ecdsa_p256_sha256);
    Court court;
    const auto judged = [&](const std::vector<dns::Ds>& ds, const std::vector<dns::Dnskey>& keys,
                            const dns::RRset& set) {
        return court.judge.judge_anchor(name("island.example"), ds, keys, set).security();
    };
    CHECK(judged({one.ds()}, {two.dnskey()}, one.key_set()) == Security::secure);
    CHECK(judged({one.ds()}, {two.dnskey()}, two.key_set()) == Security::secure);
    CHECK(judged({one.ds(), one.ds(dns::DigestType::sha384)}, {}, one.key_set()) == Security::secure);
    CHECK(judged({one.ds()}, {two.dnskey()}, three.key_set()) == Security::bogus);
    CHECK(judged({one.ds()}, {two.dnskey()}, three.key_set({one.rdata(), two.rdata()})) == Security::bogus);
    CHECK(judged({}, {one.dnskey()}, one.key_set()) == Security::secure);
}

TEST_CASE("an anchor that is a whole key ends when the zone revokes that key (RFC 5011 2.1)") {
    const Signer live("example.org", dns::Algorithm::ed25519, 1),
        revoked("example.org", dns::Algorithm::ed25519, 1, 385);
    Court court;
    CHECK(court.judge.judge_anchor(name("example.org"), {}, {live.dnskey()}, live.key_set()).security() ==
          Security::secure);
    const auto trust = court.judge.judge_anchor(name("example.org"), {}, {live.dnskey()}, revoked.key_set());
    CHECK(trust.security() == Security::bogus);
    // An anchor of an algorithm that nobody supports: there is nothing to verify with.
    dns::Dnskey unknown = live.dnskey();
    unknown.algorithm = static_cast<dns::Algorithm>(200);
    CHECK(court.judge.judge_anchor(name("example.org"), {}, {unknown}, live.key_set()).security() ==
          Security::insecure);
    CHECK(court.judge.judge_anchor(name("example.org"), {}, {unknown, live.dnskey()}, live.key_set()).security() ==
          Security::secure);
}

TEST_CASE("keys shown at another name, or another type shown as keys, are nobody's keys") {
    const Signer key("example.org");
    Court court;
    const auto judged = [&](const dns::RRset& set) {
        return court.judge.judge_keys(key.zone(), {key.ds()}, set, std::nullopt).security();
    };
    dns::RRset plain = key.key_set();
    plain.signatures.clear();
    CHECK(judged(key.sign(plain)) == Security::secure);
    dns::RRset elsewhere = plain;
    elsewhere.owner = name("a.example.org");
    CHECK(judged(key.sign(elsewhere)) == Security::bogus);
    dns::RRset other = plain;
    other.type = static_cast<Type>(60);  // CDNSKEY
    CHECK(judged(key.sign(other)) == Security::bogus);
    dns::RRset unreadable = plain;
    unreadable.records.push_back({1, 1});
    CHECK(judged(key.sign(unreadable)) == Security::secure);
}

TEST_CASE("the set of keys is signed by a key that the DS names, not by any key of the set (RFC 4035 5.2)") {
    const Signer ksk("example.org", dns::Algorithm::ed25519, 1), zsk("example.org", dns::Algorithm::ed25519, 2, 256);
    Court court;
    CHECK(court.judge.judge_keys(ksk.zone(), {ksk.ds()}, ksk.key_set({zsk.rdata()}), std::nullopt).security() ==
          Security::secure);
    const auto trust = court.judge.judge_keys(ksk.zone(), {ksk.ds()}, zsk.key_set({ksk.rdata()}), std::nullopt);
    CHECK(trust.security() == Security::bogus);
    CHECK(trust.reason().code.view() == "VKSK");
    CHECK(trust.reason().key_tag == ksk.dnskey().key_tag);
    CHECK(trust.reason().text == "the DNSKEY records of example.org are signed by key tag " +
                                     std::to_string(zsk.dnskey().key_tag) +
                                     ", not by the key that its DS or trust anchor names (key tag " +
                                     std::to_string(ksk.dnskey().key_tag) + ")");
}

TEST_CASE("each way in which a key set does not hold is told apart, with both sides' key tags") {
    const Signer key("example.org");
    Court court;
    const auto reason = [&](const std::vector<dns::Ds>& ds, const dns::RRset& set) {
        const auto trust = court.judge.judge_keys(key.zone(), ds, set, std::nullopt);
        CHECK(trust.security() == Security::bogus);
        CHECK(trust.reason().zone == key.zone());
        CHECK_FALSE(trust.reason().record.empty());
        return trust.reason();
    };
    const std::string tag = std::to_string(key.dnskey().key_tag);
    dns::Ds elsewhere = key.ds(), wrong = key.ds();
    elsewhere.key_tag = 4711;
    wrong.digest[0] ^= 1;
    dns::RRset none = key.key_set(), bare = key.key_set(), unreadable = key.key_set();
    none.records.clear();
    bare.signatures.clear();
    unreadable.signatures = {{1, 2, 3}};
    CHECK(reason({elsewhere}, key.key_set()).text ==
          "no DNSKEY of example.org is the one that its DS or trust anchor names (key tag 4711); it has key tag " +
              tag);
    dns::Ds third = elsewhere;
    third.key_tag = 4712;
    CHECK(reason({elsewhere, third}, key.key_set()).text.find("(key tag 4711 and 4712)") != std::string::npos);
    CHECK(reason({wrong}, key.key_set()).code.view() == "VKDG");
    CHECK(reason({key.ds()}, none).code.view() == "VKNO");
    CHECK(reason({key.ds()}, bare).code.view() == "VKSU");
    CHECK(reason({key.ds()}, bare).ede == Ede::rrsigs_missing);
    CHECK(reason({key.ds()}, unreadable).code.view() == "VSGU");
    const Signer revoked("example.org", dns::Algorithm::ed25519, 1, 385),
        user("example.org", dns::Algorithm::ed25519, 1, 1);
    CHECK(reason({revoked.ds()}, revoked.key_set()).code.view() == "VKRV");
    CHECK(reason({user.ds()}, user.key_set()).code.view() == "VKZK");
    CHECK(reason({user.ds()}, user.key_set()).ede == Ede::no_zone_key_bit_set);
    Bend late;
    late.expiration = -7200;
    const dnssec::Reason expired = reason({key.ds()}, key.key_set({}, late));
    CHECK(expired.code.view() == "VSGE");
    CHECK(expired.when == noon + std::chrono::seconds(-7200));
    CHECK(expired.record == "DNSKEY example.org");
    // Many tags are not all told.
    std::vector<dns::Ds> many;
    for (std::uint16_t number = 1; number <= 9; ++number) {
        many.push_back(elsewhere);
        many.back().key_tag = number;
    }
    CHECK(reason(many, key.key_set()).text.find("(key tag 1, 2, 3, 4, 5, 6 and 3 more)") != std::string::npos);
}

TEST_CASE("a signature by a key that must not or cannot sign says which, and costs nothing") {
    const Signer entry("example.org"), revoked("example.org", dns::Algorithm::ed25519, 2, 385),
        user("example.org", dns::Algorithm::ed25519, 3, 1), old("example.org", dns::Algorithm::rsasha1),
        stranger("example.org", dns::Algorithm::ed25519, 7), modern("example.org", dns::Algorithm::ecdsa_p256_sha256);
    Court court;
    const auto trust = court.judge.judge_keys(
        entry.zone(), {entry.ds()}, entry.key_set({revoked.rdata(), user.rdata(), old.rdata(), modern.rdata()}),
        std::nullopt);
    REQUIRE(trust.security() == Security::secure);
    CHECK(trust.keys().size() == 5);
    Bend claims;  // another algorithm's key, by its tag
    claims.key_tag = entry.dnskey().key_tag;
    for (const auto& [key, bend, code] :
         std::vector<std::tuple<const Signer*, Bend, std::string>>{{&revoked, {}, "VSGR"},
                                                                   {&user, {}, "VSGZ"},
                                                                   {&old, {}, "VSGA"},
                                                                   {&stranger, {}, "VSGK"},
                                                                   {&modern, claims, "VSGK"}}) {
        INFO(code);
        const std::uint32_t before = court.budget.used(Limit::verifications);
        const auto found = court.judge.judge(
            answer("a.example.org", Type::a, key->sign(rrset("a.example.org", Type::a, address), bend)), trust);
        CHECK(verdict(found) == bogus);
        CHECK(found->reason().code.view() == code);
        CHECK(found->reason().record == "A a.example.org");
        CHECK(court.budget.used(Limit::verifications) == before);
    }
    // Many signatures by many such keys: the first of the nearest is told, the good one holds.
    dns::RRset set = rrset("a.example.org", Type::a, address);
    for (const Signer* const key : {&stranger, &revoked, &user, &old, &entry}) set = key->sign(std::move(set));
    CHECK(verdict(court.judge.judge(answer("a.example.org", Type::a, set), trust)) == "secure records");
}

TEST_CASE("what the crypto library refuses in the middle of it proves nothing, and is no wrong signature either") {
    const Signer key("example.org");
    Court court;
    const dnssec::Context context{court.policy, noon, court.budget};
    const std::vector<dnssec::ZoneKey> keys{{key.dnskey(), std::make_shared<Refusing>()}};
    const auto result =
        dnssec::check_signatures(key.sign(rrset("a.example.org", Type::a, address)), key.zone(), keys, context);
    CHECK(result.check == Check::invalid);
    CHECK(court.budget.used(Limit::failures) == 0);
}

TEST_CASE("RSA keys longer than the policy allows are unsupported: insecure where they lead in, no key elsewhere") {
    const Signer key("example.org", dns::Algorithm::rsasha256);  // 1024 bits
    dnssec::Policy strict;
    strict.most_rsa_bits = 1000;
    Court court(noon, strict), liberal;
    CHECK(liberal.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt).security() == Security::secure);
    const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
    CHECK(trust.security() == Security::insecure);
    CHECK(trust.reason().code.view() == "VKBU");
    CHECK(trust.reason().ede == Ede::unsupported_dnskey_algorithm);
}

TEST_CASE(
    "of expired, future, foreign and broken signatures beside a valid one, the valid one counts (RFC 6840 5.11)") {
    World world;
    Bend expired, early, broken, reversed;
    expired.expiration = -5000;
    early.inception = 5000;
    broken.break_signature = true;
    reversed.inception = 500;
    reversed.expiration = 100;
    const Signer stranger("org", dns::Algorithm::ed25519, 9);
    dns::RRset set = rrset("a.example.org", Type::a, address);
    for (const Bend& bend : {expired, early, broken, reversed}) set = world.key.sign(std::move(set), bend);
    set = stranger.sign(std::move(set));
    CHECK(world.says(answer("a.example.org", Type::a, set)) == bogus);
    CHECK(world.says(answer("a.example.org", Type::a, world.key.sign(set))) == "secure records");
    dns::RRset signed_by_turn = rrset("a.example.org", Type::a, address);
    for (const auto& [bend, ede] : std::vector<std::pair<Bend, Ede>>{{expired, Ede::signature_expired},
                                                                     {early, Ede::signature_not_yet_valid},
                                                                     {reversed, Ede::signature_expired_before_valid},
                                                                     {broken, Ede::dnssec_bogus}}) {
        CHECK(world.judge(answer("a.example.org", Type::a, world.key.sign(signed_by_turn, bend)))->reason().ede == ede);
    }
}

TEST_CASE("the longest names have wildcards above them: what is taken off is never shorter than \"*.\"") {
    const std::string label(63, 'x');
    const std::string full = label + "." + label + "." + label + "." + std::string(59, 'x') + ".a";
    REQUIRE(name(full).wire().size() == 255);
    for (std::uint8_t labels = 0; labels < 5; ++labels) {
        const auto owner = dnssec::signed_owner(name(full), name("."), labels);
        REQUIRE(owner);
        CHECK(owner->expanded);
    }
    const dns::RRset apex = rrset(".", Type::nsec, {". NS SOA RRSIG NSEC"});
    const Signer root(".");
    Court court;
    const auto trust = court.judge.judge_keys(root.zone(), {root.ds()}, root.key_set(), std::nullopt);
    CHECK(verdict(court.judge.judge(denial(full, Type::a, Shape::nxdomain, {root.sign(apex)}), trust)) ==
          "secure nxdomain");
}

TEST_CASE("wildcards, NSEC: the used proof can lose no record, and its denials neither") {
    World world;
    const dns::RRset star = world.nsec("*.example.org", "b.example.org. MX RRSIG NSEC"),
                     cover = world.nsec("b.example.org", "z.example.org. A RRSIG NSEC");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata, {star, cover})) == "secure nodata");
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata, {star})) == bogus);
    CHECK(world.says(denial("m.example.org", Type::a, Shape::nodata, {cover})) == bogus);
    CHECK(world.says(denial("m.example.org", Type::mx, Shape::nodata, {star, cover})) == bogus);
    // A DS by NODATA at a wildcard: there is none, and no cut (RFC 4592 4.6).
    CHECK(world.says(denial("m.example.org", Type::ds, Shape::nodata, {star, cover})) == "secure nodata");
}

TEST_CASE("an exhausted budget is indeterminate in every kind of proof, not bogus") {
    BudgetLimits none;
    none.most.at(static_cast<std::size_t>(Limit::verifications)) = 1;  // the key set's
    World world({}, none);
    const dns::RRset plain = rrset("*.example.org", Type::a, address);
    dns::RRset set = world.key.sign(plain);
    set.owner = name("m.example.org");
    CHECK(world.says(answer("m.example.org", Type::a, set)) == "indeterminate failure");
    CHECK(world.says(denial("a.example.org", Type::mx, Shape::nodata, {world.soa()})) == "indeterminate failure");
    CHECK(verdict(world.court.judge.judge_rrset(world.nsec("a.example.org", "b.example.org. A RRSIG NSEC"),
                                                world.trust)) == "indeterminate failure");
    const auto found = world.judge(
        denial("a.example.org", Type::mx, Shape::nodata, {world.nsec("a.example.org", "b.example.org. A RRSIG NSEC")}));
    CHECK(found->reason().record == "NSEC a.example.org");
    // A denial by the zone's limit of hashes.
    BudgetLimits no_hash;
    no_hash.most.at(static_cast<std::size_t>(Limit::nsec3_hashes)) = 0;
    World hashless({}, no_hash);
    const Hashed hashed;
    CHECK(hashless.says(denial("a.example.org", Type::mx, Shape::nodata,
                               {hashed.match(hashless, "a.example.org", "A RRSIG")})) == "indeterminate failure");
}

TEST_CASE("a bogus NSEC stays bogus when it is judged by itself, and an unsigned one in an open zone is what it is") {
    World world;
    dns::RRset forged = world.nsec("a.example.org", "b.example.org. A RRSIG NSEC");
    forged.records[0].back() ^= 1;
    CHECK(verdict(world.court.judge.judge_rrset(forged, world.trust)) == bogus);
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    CHECK(verdict(world.court.judge.judge_rrset(forged, open)) == "insecure records");
    CHECK(dnssec::Judge::proven_sets(*world.court.judge.judge_rrset(forged, open)).empty());
}

TEST_CASE(
    "what a zone denies of its own DS, or of a name at which the answer is something else, answers no DS question") {
    using dnssec::Finding;
    World world;
    const dns::RRset proof = world.nsec("example.org", "z.example.org. NS SOA RRSIG NSEC");
    const auto absent = world.judge(denial("m.example.org", Type::a, Shape::nxdomain, {proof}));
    CHECK(verdict(Finding::answering(absent, name("m.example.org"), Type::ds)) == "secure nxdomain");
    const auto nodata = world.judge(denial("example.org", Type::mx, Shape::nodata, {proof}));
    CHECK(verdict(Finding::answering(nodata, name("example.org"), Type::mx)) == "secure nodata");
    CHECK(verdict(Finding::answering(nodata, name("example.org"), Type::a)) == "nothing");
    CHECK(verdict(Finding::answering(nullptr, name("example.org"), Type::a)) == "nothing");
    dnssec::Reason reason;
    const auto failed =
        world.court.judge.judge_failure(name("a.example.org"), Type::a, dns::Rcode::servfail, reason, world.trust);
    CHECK(verdict(Finding::answering(failed, name("a.example.org"), Type::mx)) == "nothing");
    const auto alias = world.judge(
        answer("a.example.org", Type::mx, world.signed_set("a.example.org", Type::cname, {"b.example.org."})));
    CHECK(verdict(Finding::answering(alias, name("a.example.org"), Type::cname)) == "nothing");
    CHECK(verdict(Finding::answering(alias, name("b.example.org"), Type::mx)) == "nothing");
}

TEST_CASE("no finding but a secure one with records is a secure RRset") {
    World world;
    const auto nodata = world.judge(denial("a.example.org", Type::tlsa, Shape::nodata,
                                           {world.nsec("a.example.org", "b.example.org. A RRSIG NSEC")}));
    CHECK(nodata->is_secure());
    CHECK_FALSE(dnssec::SecureRRset::from(*nodata));
    CHECK_FALSE(dnssec::SecureRRset::from(dnssec::Answer({nodata})));
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    const auto insecure = world.court.judge.judge(
        answer("a.example.org", Type::tlsa, rrset("a.example.org", Type::tlsa, {"3 1 1 00"})), open);
    CHECK_FALSE(dnssec::SecureRRset::from(*insecure));
    const auto good =
        world.judge(answer("a.example.org", Type::tlsa, world.signed_set("a.example.org", Type::tlsa, {"3 1 1 00"})));
    REQUIRE(dnssec::SecureRRset::from(*good));
    CHECK((*dnssec::SecureRRset::from(*good))->records.size() == 1);
}

TEST_CASE("anchor files: numbers, classes and records that are cut short are told by line") {
    using dnssec::TrustAnchors;
    CHECK(TrustAnchors::parse("example.org. in DS 1 8 2 " + std::string(64, 'A')));
    CHECK(TrustAnchors::parse("example.org. IN 300 DS 1 8 2 " + std::string(64, 'A')));
    for (const char* const text :
         {"example..org. DS 1 8 2 AA", "example.org. 3x00 DS 1 8 2 AA", "example.org. DS 1 8",
          "example.org. DNSKEY 257 3", "example.org. DS \\# 3 000108", "example.org. DNSKEY \\# 3 010103"}) {
        INFO(text);
        const auto anchors = TrustAnchors::parse(std::string("\n") + text);
        REQUIRE_FALSE(anchors);
        CHECK(anchors.error().text.find("line 2") != std::string::npos);
    }
}

TEST_CASE("a zone cannot deny its own DS by an apex NSEC that hides what it is") {
    World world;
    // From the parent this would be an unsigned delegation.
    const auto denied = world.judge(
        denial("example.org", Type::ds, Shape::nodata, {world.nsec("example.org", "z.example.org. NS RRSIG NSEC")}));
    CHECK(verdict(denied) == bogus);
    CHECK(dnssec::Judge::cut_of(*denied, world.court.policy) == dnssec::Cut::unknown);
    // Nor may an insecure zone's word on itself answer what only its parent knows.
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    const auto gone = world.court.judge.judge(denial("example.org", Type::a, Shape::nxdomain, {}), open);
    CHECK(verdict(dnssec::Finding::answering(gone, name("example.org"), Type::mx)) == "insecure nxdomain");
    CHECK(verdict(dnssec::Finding::answering(gone, name("example.org"), Type::ds)) == "nothing");
}

TEST_CASE("what a bogus expansion brought is not kept, and an insecure denial's records are no evidence") {
    World world;
    const auto unproven = world.judge(
        answer("m.example.org", Type::a, expanded(world, "*.example.org", "m.example.org", Type::a, address)));
    CHECK(verdict(unproven) == bogus);
    CHECK(unproven->rrset() == nullptr);
    CHECK(unproven->proof().empty());
    CHECK(unproven->reason().code.view() == "VJWP");
    CHECK(
        unproven->reason().text ==
        "A m.example.org comes from the wildcard *.example.org, but it is not proven that it may: no NSEC or NSEC3 of "
        "example.org comes with the answer for m.example.org");
    const Hashed hashed;
    const auto opted =
        world.judge(denial("no.example.org", Type::a, Shape::nxdomain,
                           {hashed.match(world, "example.org", "NS SOA RRSIG"),
                            hashed.cover(world, "no.example.org", "1"), hashed.cover(world, "*.example.org")}));
    REQUIRE(verdict(opted) == "insecure nxdomain");
    REQUIRE_FALSE(opted->proof().empty());
    CHECK(dnssec::Judge::proven_sets(*opted).empty());
}

TEST_CASE("an unsigned denial is kept as long as the lesser of the SOA's TTL and its minimum says (RFC 2308 5)") {
    World world;
    const auto open =
        world.court.judge.insecure_by_configuration(name("example.org"), {}, noon + std::chrono::seconds(60));
    for (const auto& [ttl, kept] :
         std::vector<std::pair<std::uint32_t, unsigned>>{{3600, 300}, {300, 300}, {20, 20}, {0, 0}}) {
        dns::RRset soa = world.soa();
        soa.ttl = dns::Ttl(ttl);
        const auto found = world.court.judge.judge(denial("a.example.org", Type::a, Shape::nodata, {soa}), open);
        CHECK((found->expires() - noon).count() == static_cast<std::int64_t>(kept));
        CHECK(found->proof().front()->ttl.count() == kept);
    }
    dns::RRset unreadable = world.soa();
    unreadable.records[0].resize(5);
    CHECK(
        (world.court.judge.judge(denial("a.example.org", Type::a, Shape::nodata, {unreadable}), open)->expires() - noon)
            .count() == 0);
}

TEST_CASE("a wildcard is not expanded from the cache over an opt-out span (RFC 8198 5.4, pitfall 7)") {
    World world;
    const Hashed hashed;
    const auto kept = [&](const dns::RRset& set) { return world.court.judge.judge_rrset(set, world.trust); };
    const auto wildcard = kept(world.signed_set("*.example.org", Type::a, address));
    const auto expanded_over = [&](const std::string& opt_out) {
        return verdict(world.court.judge.expand_from_cached(name("m.example.org"), Type::a, world.key.zone(),
                                                            {kept(hashed.cover(world, "m.example.org", opt_out))},
                                                            wildcard));
    };
    CHECK(expanded_over("0") == "secure records");
    CHECK(expanded_over("1") == "nothing");
}
