// What an operator may make stricter or laxer, and the answers that a cached wildcard makes (RFC 8198 5.3).
#include <catch2/catch.hpp>

#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Type;
using dnssec::Shape;

namespace {

dnssec::Policy all_algorithms() {
    dnssec::Policy policy;
    policy.algorithms = dnssec::Algorithms::all;
    return policy;
}

struct TwoAlgorithms {
    Signer first{"example.org", dns::Algorithm::ed25519, 1};
    Signer second{"example.org", dns::Algorithm::ecdsa_p256_sha256, 2};
    [[nodiscard]] dns::RRset keys_by_both() const {
        dns::RRset set = first.key_set({second.rdata()});
        set.signatures.push_back(second.signature(set));
        return set;
    }
};

}  // namespace

TEST_CASE("one valid algorithm suffices (RFC 6840 5.11), unless the policy wants all that DS names") {
    const TwoAlgorithms keys;
    const std::vector<dns::Ds> both{keys.first.ds(), keys.second.ds()};
    Court lax, strict(noon, all_algorithms());
    const dns::RRset by_one = keys.first.key_set({keys.second.rdata()});
    CHECK(lax.judge.judge_keys(keys.first.zone(), both, by_one, std::nullopt).security() == dnssec::Security::secure);
    CHECK(strict.judge.judge_keys(keys.first.zone(), both, by_one, std::nullopt).security() == dnssec::Security::bogus);
    const auto trust = strict.judge.judge_keys(keys.first.zone(), both, keys.keys_by_both(), std::nullopt);
    CHECK(trust.security() == dnssec::Security::secure);

    const dns::RRset plain = rrset("a.example.org", Type::a, {"192.0.2.1"});
    const dns::RRset once = keys.first.sign(plain);
    const dns::RRset twice = keys.second.sign(once);
    CHECK(verdict(strict.judge.judge(answer("a.example.org", Type::a, once), trust)) == "bogus failure");
    CHECK(verdict(strict.judge.judge(answer("a.example.org", Type::a, twice), trust)) == "secure records");
    CHECK(verdict(lax.judge.judge(answer("a.example.org", Type::a, once), trust)) == "secure records");
}

TEST_CASE("a key that DS names and the zone does not have is missed only where all algorithms are wanted") {
    const TwoAlgorithms keys;
    const std::vector<dns::Ds> both{keys.first.ds(), keys.second.ds()};
    Court lax, strict(noon, all_algorithms());
    CHECK(lax.judge.judge_keys(keys.first.zone(), both, keys.first.key_set(), std::nullopt).security() ==
          dnssec::Security::secure);
    CHECK(strict.judge.judge_keys(keys.first.zone(), both, keys.first.key_set(), std::nullopt).security() ==
          dnssec::Security::bogus);
    // An algorithm that only DNSKEY shows, while it is being introduced, is not wanted.
    CHECK(strict.judge.judge_keys(keys.first.zone(), {keys.first.ds()}, keys.first.key_set({keys.second.rdata()}), {})
              .security() == dnssec::Security::secure);
}

TEST_CASE("dates of signatures count, unless a test takes them away") {
    const Signer key("example.org");
    dnssec::Policy recorded;
    recorded.dates = dnssec::Dates::ignored;
    Court today, museum(noon, recorded);
    const auto trust = today.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
    Bend old;
    old.inception = -2'000'000;
    old.expiration = -1'000'000;
    const dns::RRset set = key.sign(rrset("a.example.org", Type::a, {"192.0.2.1"}), old);
    CHECK(verdict(today.judge.judge(answer("a.example.org", Type::a, set), trust)) == "bogus failure");
    const auto found = museum.judge.judge(answer("a.example.org", Type::a, set), trust);
    CHECK(verdict(found) == "secure records");
    CHECK(found->expires() > noon);
}

TEST_CASE("a denial lives at least as long as the policy wants, but not beyond its proof") {
    const Signer key("example.org");
    dnssec::Policy policy;
    policy.least_negative_ttl = std::chrono::seconds(600);
    Court court(noon, policy);
    const dns::RRset soa = rrset("example.org", Type::soa, {"ns1.example.org. host.example.org. 1 3600 600 86400 30"});
    dnssec::Reason why;
    const auto unsigned_zone = court.judge.insecure_by_configuration(key.zone(), why, noon + std::chrono::hours(1));
    CHECK(court.judge.judge(denial("b.example.org", Type::a, Shape::nodata, {soa}), unsigned_zone)->expires() ==
          noon + std::chrono::seconds(600));
    const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
    const dns::RRset nsec = rrset("b.example.org", Type::nsec, {"c.example.org. MX RRSIG NSEC"});
    const auto found =
        court.judge.judge(denial("b.example.org", Type::a, Shape::nodata, {key.sign(soa), key.sign(nsec)}), trust);
    CHECK(verdict(found) == "secure nodata");
    CHECK(found->expires() == noon + std::chrono::seconds(600));
    Bend ending;
    ending.expiration = 100;
    const auto brief = court.judge.judge(
        denial("b.example.org", Type::a, Shape::nodata, {key.sign(soa, ending), key.sign(nsec)}), trust);
    CHECK(brief->expires() == noon + std::chrono::seconds(100));
}

TEST_CASE("the limit of NSEC3 iterations may depend on the zone's smallest key") {
    const Signer key("example.org");  // 256 bits
    const dns::RRset nsec3 = rrset("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org", Type::nsec3,
                                   {"1 0 100 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG"});
    const auto judged = [&](const std::vector<dnssec::IterationLimit>& limits) {
        dnssec::Policy policy;
        policy.nsec3_by_key = limits;
        Court court(noon, policy);
        const auto trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
        return verdict(court.judge.judge(denial("x.example.org", Type::a, Shape::nxdomain, {key.sign(nsec3)}), trust));
    };
    CHECK(judged({}) == "insecure nxdomain");  // 50
    CHECK(judged({{255, 10}, {1024, 99}}) == "insecure nxdomain");
    CHECK(judged({{255, 10}, {1024, 100}}) == "bogus failure");  // looked at, and it proves nothing
    CHECK(judged({{128, 150}}) == "bogus failure");              // larger than all: the last one
}

namespace {

struct Wildcard {
    Signer key{"example.org"};
    Court court;
    dnssec::ZoneTrust trust = court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
    dnssec::FindingRef nsec = judged(rrset("*.w.example.org", Type::nsec, {"x.example.org. A RRSIG NSEC"}));

    dnssec::FindingRef judged(const dns::RRset& set) { return court.judge.judge_rrset(key.sign(set), trust); }
    /// What a server answers for `owner` from *.w.example.org.
    dnssec::FindingRef expanded(const std::string& owner) {
        const dns::RRset source = key.sign(rrset("*.w.example.org", Type::a, {"192.0.2.1"}));
        dns::RRset set = source;
        set.owner = name(owner);
        const dns::RRset proof = key.sign(rrset("*.w.example.org", Type::nsec, {"x.example.org. A RRSIG NSEC"}));
        return court.judge.judge(answer(owner, Type::a, set, {proof}), trust);
    }
};

}  // namespace

TEST_CASE("from a secure expansion the wildcard itself is learnt, and from a secure set nothing") {
    Wildcard play;
    const auto first = play.expanded("one.w.example.org");
    REQUIRE(verdict(first) == "secure records");
    const auto source = dnssec::Judge::wildcard_of(*first);
    REQUIRE(source);
    CHECK(source->name() == name("*.w.example.org"));
    CHECK(source->rrset()->owner == name("*.w.example.org"));
    CHECK(source->expires() == first->expires());
    CHECK_FALSE(dnssec::Judge::wildcard_of(*play.judged(rrset("a.example.org", Type::a, {"192.0.2.1"}))));
    CHECK_FALSE(dnssec::Judge::wildcard_of(*play.judged(rrset("*.w.example.org", Type::a, {"192.0.2.1"}))));
}

TEST_CASE("a known wildcard stands for a name that a known NSEC shows not to exist (RFC 8198 5.3), and only then") {
    Wildcard play;
    const auto source = dnssec::Judge::wildcard_of(*play.expanded("one.w.example.org"));
    const auto made = [&](const std::string& owner, Type type, const std::vector<dnssec::FindingRef>& denials,
                          const dnssec::FindingRef& wildcard) {
        const auto found = play.court.judge.expand_from_cached(name(owner), type, play.key.zone(), denials, wildcard);
        return found ? verdict(found) + " " + found->rrset()->owner.to_text() : std::string("nothing");
    };
    CHECK(made("two.w.example.org", Type::a, {play.nsec}, source) == "secure records two.w.example.org");
    CHECK(made("deep.two.w.example.org", Type::a, {play.nsec}, source) == "secure records deep.two.w.example.org");
    CHECK(made("two.w.example.org", Type::a, {}, source) == "nothing");
    CHECK(made("two.w.example.org", Type::a, {play.nsec}, nullptr) == "nothing");
    CHECK(made("two.w.example.org", Type::aaaa, {play.nsec}, source) == "nothing");
    CHECK(made("two.w.example.org", Type::ds, {play.nsec}, source) == "nothing");
    CHECK(made("*.w.example.org", Type::a, {play.nsec}, source) == "nothing");
    CHECK(made("w.example.org", Type::a, {play.nsec}, source) == "nothing");
    CHECK(made("two.v.example.org", Type::a, {play.nsec}, source) == "nothing");
    // Something closer may be there: the NSEC covers another span.
    const auto elsewhere = play.judged(rrset("x.example.org", Type::nsec, {"z.example.org. A RRSIG NSEC"}));
    CHECK(made("two.w.example.org", Type::a, {elsewhere}, source) == "nothing");
    // A closer encloser exists: two.w has names below it.
    const auto below = play.judged(rrset("*.w.example.org", Type::nsec, {"b.two.w.example.org. A RRSIG NSEC"}));
    CHECK(made("two.w.example.org", Type::a, {below}, source) == "nothing");
}
