// A signature that held once is not computed again, and nothing else is let through by that.
#include "dnssec/verified.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "zone_of_tests.h"

using namespace mxtrust;
using namespace mxtrust::dnssec;
using namespace mxtrust::test;

namespace {

/// One who remembers; a fresh budget each time.
struct Remembering {
    VerifiedSignatures verified;
    Signer key{"example.org"};
    ZoneTrust trust = Court().judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);

    struct Said {
        std::string verdict;
        std::uint64_t verifications;
    };
    Said judge(const dns::RRset& rrset, WallTime when = noon) {
        Policy policy;
        Budget budget(BudgetLimits{}, MonoTime{});
        const FindingRef finding =
            Judge(policy, when, budget, &verified).judge(answer("www.example.org", dns::Type::a, rrset), trust);
        return {verdict(finding), budget.used(Limit::verifications)};
    }
    [[nodiscard]] dns::RRset signed_address(const std::string& address, const Bend& bend = {}) const {
        return key.sign(rrset("www.example.org", dns::Type::a, {address}), bend);
    }
};

}  // namespace

TEST_CASE("a signature that held is not computed a second time") {
    Remembering world;
    const dns::RRset set = world.signed_address("192.0.2.1");
    const auto first = world.judge(set), second = world.judge(set);
    CHECK(first.verdict == "secure records");
    CHECK(first.verifications == 1);
    CHECK(second.verdict == "secure records");
    CHECK(second.verifications == 0);
}

TEST_CASE("a signature that held does not hold for another set, and a broken one never") {
    Remembering world;
    const dns::RRset good = world.signed_address("192.0.2.1");
    REQUIRE(world.judge(good).verdict == "secure records");
    dns::RRset forged = rrset("www.example.org", dns::Type::a, {"203.0.113.66"});
    forged.signatures = good.signatures;
    Bend bend;
    bend.break_signature = true;
    const dns::RRset broken = world.signed_address("192.0.2.1", bend);
    for (int time = 0; time < 2; ++time) {
        CHECK(world.judge(forged).verdict == "bogus failure");
        CHECK(world.judge(broken).verdict == "bogus failure");
        CHECK(world.judge(broken).verifications == 1);
    }
}

TEST_CASE("a signature that held is of no use when its time is over") {
    Remembering world;
    Bend bend;
    bend.inception = -3600;
    bend.expiration = 3600;
    const dns::RRset set = world.signed_address("192.0.2.1", bend);
    REQUIRE(world.judge(set).verdict == "secure records");
    CHECK(world.judge(set, noon + std::chrono::hours(48)).verdict == "bogus failure");
    CHECK(world.judge(set).verdict == "secure records");
}

TEST_CASE("a signature that held under another key says nothing") {
    const Signer one("example.org", dns::Algorithm::ed25519, 1), other("example.org", dns::Algorithm::ed25519, 2);
    const Bytes data{1, 2, 3}, signature{4, 5, 6}, longer{1, 2, 3, 4}, shorter{5, 6};
    const Bytes known = VerifiedSignatures::fingerprint(one.dnskey(), data, signature);
    CHECK(known == VerifiedSignatures::fingerprint(one.dnskey(), data, signature));
    CHECK(known != VerifiedSignatures::fingerprint(other.dnskey(), data, signature));
    CHECK(known != VerifiedSignatures::fingerprint(one.dnskey(), longer, signature));
    // The same octets, otherwise divided.
    CHECK(VerifiedSignatures::fingerprint(one.dnskey(), {}, signature) !=
          VerifiedSignatures::fingerprint(one.dnskey(), signature, {}));
    CHECK(VerifiedSignatures::fingerprint(one.dnskey(), longer, shorter) !=
          VerifiedSignatures::fingerprint(one.dnskey(), shorter, longer));
}

TEST_CASE("no more signatures are remembered than there is room for, and those in use longest") {
    VerifiedSignatures verified;
    const auto number = [](std::size_t value) {
        return Bytes{static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
                     static_cast<std::uint8_t>(value)};
    };
    const Bytes used = number(0xffffff);
    verified.add(used);
    for (std::size_t value = 0; value < 5 * VerifiedSignatures::most; ++value) {
        verified.add(number(value));
        REQUIRE(verified.holds(used));
        REQUIRE(verified.size() <= 2 * VerifiedSignatures::most);
    }
    CHECK_FALSE(verified.holds(number(0)));
    CHECK_FALSE(verified.holds({}));
}

TEST_CASE("a zone's keys are judged with one verification, and kept with the signatures of all its keys") {
    const Signer entry("example.org", dns::Algorithm::ed25519, 1);
    const Signer daily("example.org", dns::Algorithm::ed25519, 2, 256);
    const Signer stranger("example.org", dns::Algorithm::ed25519, 3, 256);
    dns::RRset keys = daily.sign(entry.key_set({daily.rdata()}));
    keys = stranger.sign(keys);
    std::rotate(keys.signatures.begin(), keys.signatures.begin() + 1, keys.signatures.end());
    Budget budget(BudgetLimits{}, MonoTime{});
    Judge judge(Policy{}, noon, budget);
    ZoneTrust trust = judge.judge_keys(entry.zone(), {entry.ds()}, keys, std::nullopt);
    REQUIRE(trust.security() == Security::secure);
    CHECK(budget.used(Limit::verifications) == 1);
    const FindingRef kept = trust.take_key_set();
    REQUIRE(kept != nullptr);
    CHECK(verdict(kept) == "secure records");
    CHECK(kept->name() == entry.zone());
    CHECK(kept->type() == dns::Type::dnskey);
    CHECK(kept->expires() == noon + std::chrono::seconds(3600));
    CHECK(kept->rrset()->records == keys.records);
    // Whoever has no key in the set has no say.
    CHECK(kept->rrset()->signatures.size() == 2);
    CHECK(trust.take_key_set() == nullptr);
}

TEST_CASE("keys that do not hold are not kept") {
    const Signer entry("example.org"), other("example.org", dns::Algorithm::ed25519, 2);
    Bend bend;
    bend.break_signature = true;
    for (const dns::RRset& keys : {entry.key_set({}, bend), other.key_set()}) {
        ZoneTrust trust = Court().judge.judge_keys(entry.zone(), {entry.ds()}, keys, std::nullopt);
        CHECK(trust.security() == Security::bogus);
        CHECK(trust.take_key_set() == nullptr);
    }
}
