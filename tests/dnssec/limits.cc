// What a hostile zone may make the validator do, and what is said when a limit is reached: indeterminate with the
// limit's name, never insecure (attacks.md A1–A5). And that reasons tell a postmaster what is wrong.
#include <catch2/catch.hpp>

#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Ede;
using dns::Type;
using dnssec::Security;
using dnssec::Shape;

namespace {

const std::vector<std::string> address{"192.0.2.1"};

dnssec::ZoneTrust trust_of(const Signer& key, const std::vector<Bytes>& others = {}) {
    Court court;
    return court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(others), std::nullopt);
}

BudgetLimits limits(Limit limit, std::uint32_t most) {
    BudgetLimits result;
    result.most.at(static_cast<std::size_t>(limit)) = most;
    return result;
}

}  // namespace

TEST_CASE("A5: a thousand expired signatures before a valid one cost nothing") {
    const Signer key("example.org");
    const auto trust = trust_of(key);
    dns::RRset set = rrset("a.example.org", Type::a, address);
    Bend expired;
    expired.expiration = -4000;
    expired.break_signature = true;
    set.signatures.assign(1000, key.signature(set, expired));
    set = key.sign(std::move(set));
    Court court;
    const auto found = court.judge.judge(answer("a.example.org", Type::a, set), trust);
    CHECK(verdict(found) == "secure records");
    CHECK(court.budget.used(Limit::verifications) == 1);
    CHECK(found->rrset()->signatures.size() == 1);  // the flood is not kept
}

TEST_CASE("A1: KeyTrap: many wrong signatures by a right key tag end at eight per RRset, or at the budget's failures") {
    const Signer key("example.org");
    const auto trust = trust_of(key);
    dns::RRset set = rrset("a.example.org", Type::a, address);
    Bend broken;
    broken.break_signature = true;
    for (int copy = 0; copy < 50; ++copy) set = key.sign(std::move(set), broken);
    set = key.sign(std::move(set));
    Court court;
    const auto found = court.judge.judge(answer("a.example.org", Type::a, set), trust);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found->reason().ede == Ede::dnssec_indeterminate);
    CHECK(found->reason().text.find("signatures per RRset") != std::string::npos);
    CHECK(court.budget.used(Limit::verifications) == 8);
    Court strict(noon, {}, limits(Limit::failures, 3));
    const auto sooner = strict.judge.judge(answer("a.example.org", Type::a, set), trust);
    CHECK(verdict(sooner) == "indeterminate failure");
    CHECK(sooner->reason().text.find(std::string(name_of(Limit::failures))) != std::string::npos);
    CHECK(strict.budget.used(Limit::verifications) == 4);
}

TEST_CASE("A1: KeyTrap: keys of one tag and their signatures multiply to no more than the limits") {
    const Signer key("example.org");
    std::vector<Bytes> twins;
    for (std::size_t variant = 0; variant < 15; ++variant) twins.push_back(with_same_tag(key.rdata(), variant));
    Court entry;
    const auto trust = entry.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(twins), std::nullopt);
    CHECK(trust.security() == Security::indeterminate);
    CHECK(entry.budget.used(Limit::verifications) == 0);
}

TEST_CASE("a budget of verifications that is spent is indeterminate, for keys, answers and denials alike") {
    const Signer key("example.org");
    const auto trust = trust_of(key);
    Court court(noon, {}, limits(Limit::verifications, 0));
    CHECK(court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt).security() ==
          Security::indeterminate);
    const auto found =
        court.judge.judge(answer("a.example.org", Type::a, key.sign(rrset("a.example.org", Type::a, address))), trust);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found->reason().text.find(std::string(name_of(Limit::verifications))) != std::string::npos);
    const dns::RRset nsec = key.sign(rrset("a.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"}));
    CHECK(verdict(court.judge.judge(denial("a.example.org", Type::mx, Shape::nodata, {nsec}), trust)) ==
          "indeterminate failure");
}

TEST_CASE("A2: a name of 120 labels stops at the budget's hashes") {
    const Signer key("example.org");
    const auto trust = trust_of(key);
    std::string owner = "example.org";
    for (int label = 0; label < 118; ++label) owner = "a." + owner;
    const dns::RRset nsec3 = key.sign(rrset("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org", Type::nsec3,
                                            {"1 0 50 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A RRSIG"}));
    Court court(noon, {}, limits(Limit::nsec3_hashes, 64));
    const auto found = court.judge.judge(denial(owner, Type::a, Shape::nxdomain, {nsec3}), trust);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found->reason().text.find(std::string(name_of(Limit::nsec3_hashes))) != std::string::npos);
    CHECK(court.budget.used(Limit::nsec3_hashes) <= 64);
}

TEST_CASE("A3: proof padding: of hundreds of valid NSEC records eight are looked at") {
    const Signer key("example.org");
    const auto trust = trust_of(key);
    std::vector<dns::RRset> padding;
    for (int number = 100; number < 300; ++number) {
        padding.push_back(key.sign(rrset("p" + std::to_string(number) + ".example.org", Type::nsec,
                                         {"p" + std::to_string(number + 1) + ".example.org. A RRSIG NSEC"})));
    }
    const dns::RRset proof = key.sign(rrset("a.example.org", Type::nsec, {"b.example.org. A RRSIG NSEC"}));
    Court court;
    std::vector<dns::RRset> last = padding, first = padding;
    last.push_back(proof);
    first.insert(first.begin(), proof);
    CHECK(verdict(court.judge.judge(denial("a.example.org", Type::mx, Shape::nodata, last), trust)) ==
          "indeterminate failure");
    CHECK(court.budget.used(Limit::verifications) == 8);
    const auto found = court.judge.judge(denial("a.example.org", Type::mx, Shape::nodata, first), trust);
    CHECK(verdict(found) == "secure nodata");
    CHECK(found->proof().size() == 1);  // of such a heap, only what proves is kept
}

TEST_CASE("reasons name zone, record, key tag and time, in words") {
    const Signer key("example.org"), stranger("example.org", dns::Algorithm::ed25519, 7);
    const auto trust = trust_of(key);
    const dns::RRset set = rrset("example.org", Type::mx, {"10 mail.example.org."});
    const std::string tag = std::to_string(key.dnskey().key_tag);
    Bend expired, early, broken;
    expired.expiration = -7200;
    early.inception = 3 * 86400;
    broken.break_signature = true;
    struct Row {
        dns::RRset set;
        Ede ede;
        std::string text;
    };
    for (const Row& row : std::vector<Row>{
             {set, Ede::rrsigs_missing, "MX example.org is not signed although the zone example.org is"},
             {key.sign(set, expired), Ede::signature_expired,
              "signature of MX example.org expired 2 h ago (key tag " + tag + ", ED25519)"},
             {key.sign(set, early), Ede::signature_not_yet_valid,
              "signature of MX example.org is not valid before 3 days from now (key tag " + tag + ", ED25519)"},
             {key.sign(set, broken), Ede::dnssec_bogus,
              "signature of MX example.org does not verify (key tag " + tag + ", ED25519)"},
             // The nearest miss is the one that is told.
             {stranger.sign(key.sign(set, expired)), Ede::signature_expired,
              "signature of MX example.org expired 2 h ago (key tag " + tag + ", ED25519)"}}) {
        Court court;
        const auto found = court.judge.judge(answer("example.org", Type::mx, row.set), trust);
        CHECK(verdict(found) == "bogus failure");
        CHECK(found->reason().ede == row.ede);
        CHECK(found->reason().text == row.text);
        CHECK(found->reason().zone == name("example.org"));
        CHECK(found->reason().server == "ns1.example (192.0.2.1)");
        CHECK(found->rrset() == nullptr);
        CHECK((found->expires() - noon).count() == 60);
    }
}

TEST_CASE("a bogus or indeterminate zone passes its reason on to all that is asked in it, and to its children") {
    dnssec::Reason reason;
    reason.text = "no key";
    const Signer key("example.org");
    const dns::RRset set = key.sign(rrset("a.example.org", Type::a, address));
    Court court;
    for (const auto& [trust, expected] : std::vector<std::pair<dnssec::ZoneTrust, std::string>>{
             {dnssec::ZoneTrust::bogus(key.zone(), reason, noon), "bogus failure"},
             {dnssec::ZoneTrust::indeterminate(key.zone(), reason, noon), "indeterminate failure"}}) {
        const auto found = court.judge.judge(answer("a.example.org", Type::a, set), trust);
        CHECK(verdict(found) == expected);
        CHECK(found->reason().text == "no key");
        CHECK(trust.inherited_by(name("b.example.org")).security() == trust.security());
        CHECK(trust.inherited_by(name("b.example.org")).zone() == name("b.example.org"));
    }
}
