// Whole signed responses, changed in every way that an attacker on the path could, before the validator: a bounded run
// of the structure-aware fuzzer (tests/structure/, tests/fuzz/response.cc). One seed makes one run.
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "structure/mutation.h"
#include "structure/trial.h"

using namespace mxtrust;
using namespace mxtrust::structure;

namespace {

constexpr std::uint64_t usual_rounds = 5000;

/// MXTRUST_MUTATIONS and MXTRUST_SEED: for longer runs, and to see one again.
std::uint64_t from_environment(const char* name, std::uint64_t usual) {
    const char* value = std::getenv(name);
    return value == nullptr ? usual : std::strtoull(value, nullptr, 10);
}

const std::vector<SignedZone>& zones() {
    static const std::vector<SignedZone> all = [] {
        std::vector<SignedZone> made;
        made.emplace_back("example.org", Denial::nsec, std::uint8_t{1});
        made.emplace_back("example.net", Denial::nsec3, std::uint8_t{2});
        made.emplace_back("example.com", Denial::opt_out, std::uint8_t{3});
        return made;
    }();
    return all;
}

std::string described(const std::vector<Mutation>& mutations) {
    std::string text;
    for (const Mutation mutation : mutations) text += (text.empty() ? "" : ", ") + std::string(to_text(mutation));
    return text;
}

using Counts = std::array<std::uint64_t, verdict_count>;

void print(const char* what, std::uint64_t tried, const Counts& counts) {
    std::printf("%-22s %9llu mutations: ", what, static_cast<unsigned long long>(tried));
    constexpr std::array words{"secure and equal", "insecure by opt-out", "bogus", "indeterminate", "unusable",
                               "malformed"};
    for (std::size_t index = 0; index < words.size(); ++index)
        std::printf("%s%llu %s", index == 0 ? "" : ", ", static_cast<unsigned long long>(counts.at(index)),
                    words.at(index));
    std::printf("\n");
}

}  // namespace

TEST_CASE("every honest answer of the fuzzer's zones is secure, or insecure by opt-out", "[mutations]") {
    for (const SignedZone& zone : zones()) {
        const Trial trial(zone);
        for (const Question& question : zone.questions()) {
            INFO(question.name.to_text() << " " << dns::to_text(question.type));
            for (const Sentence& sentence : trial.judge(question, dns::render_message(zone.answer(question)))) {
                CHECK(sentence.fault.empty());
                const bool good = sentence.verdict == Verdict::secure ||
                                  (sentence.verdict == Verdict::insecure && zone.apex() == test::name("example.com"));
                // An unsigned NS set at a cut comes with type ANY alone, which is a referral.
                CHECK(good);
            }
        }
        CHECK(trial.judge_keys(zone.answer({zone.apex(), dns::Type::dnskey})).verdict == Verdict::secure);
    }
}

TEST_CASE("no changed answer is secure unless it says the same, and none is insecure", "[mutations][slow]") {
    const std::uint64_t seed = from_environment("MXTRUST_SEED", 1),
                        rounds = from_environment("MXTRUST_MUTATIONS", usual_rounds);
    SeededRandom random(seed);
    for (const SignedZone& zone : zones()) {
        const Trial trial(zone);
        Counts counts{};
        for (std::uint64_t round = 0; round < rounds; ++round) {
            const Question& question = zone.questions()[random.below(zone.questions().size())];
            dns::Message message = zone.answer(question);
            const std::vector<Mutation> made = mutate(message, zone, random);
            for (const Sentence& sentence : trial.judge(question, dns::render_message(message))) {
                ++counts.at(static_cast<std::size_t>(sentence.verdict));
                if (sentence.fault.empty()) continue;
                FAIL("seed " << seed << ", round " << round << ", " << zone.apex().to_text() << ": asked "
                             << question.name.to_text() << " " << dns::to_text(question.type)
                             << "; changed: " << described(made) << "; " << sentence.fault);
            }
        }
        print(zone.apex().to_text().c_str(), rounds, counts);
        // A run in which nothing could have gone wrong would say nothing.
        CHECK(counts.at(static_cast<std::size_t>(Verdict::secure)) > rounds / 20);
        CHECK(counts.at(static_cast<std::size_t>(Verdict::bogus)) > rounds / 5);
    }
}

TEST_CASE("order, repetition and letters' case change no verdict", "[mutations]") {
    constexpr std::array harmless{Mutation::duplicate, Mutation::swap, Mutation::shuffle, Mutation::letter_case};
    SeededRandom random(from_environment("MXTRUST_SEED", 1));
    for (const SignedZone& zone : zones()) {
        const Trial trial(zone);
        for (const Question& question : zone.questions()) {
            const auto verdicts = [&](const dns::Message& message) {
                std::multiset<Verdict> all;
                for (const Sentence& sentence : trial.judge(question, dns::render_message(message)))
                    all.insert(sentence.verdict);
                return all;
            };
            const dns::Message honest = zone.answer(question);
            dns::Message changed = honest;
            for (int count = 0; count < 6; ++count)
                mutate(changed, harmless.at(random.below(harmless.size())), zone, random);
            INFO(zone.apex().to_text() << ": " << question.name.to_text() << " " << dns::to_text(question.type));
            CHECK(verdicts(changed) == verdicts(honest));
        }
    }
}

TEST_CASE("no changed key set is secure unless it is the zone's, and none is insecure", "[mutations][slow]") {
    SeededRandom random(from_environment("MXTRUST_SEED", 1));
    const SignedZone& zone = zones().front();
    const Trial trial(zone);
    Counts counts{};
    const std::uint64_t rounds = from_environment("MXTRUST_MUTATIONS", usual_rounds) / 4;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        dns::Message message = zone.answer({zone.apex(), dns::Type::dnskey});
        const std::vector<Mutation> made = mutate(message, zone, random);
        const Sentence sentence = trial.judge_keys(message);
        ++counts.at(static_cast<std::size_t>(sentence.verdict));
        INFO("round " << round << ", changed: " << described(made) << "; " << sentence.fault);
        REQUIRE(sentence.fault.empty());
    }
    print("keys", rounds, counts);
    CHECK(counts.at(static_cast<std::size_t>(Verdict::secure)) > rounds / 20);
    CHECK(counts.at(static_cast<std::size_t>(Verdict::bogus)) > rounds / 5);
}
