// Delegations made to hurt: how many packets they cost, and whom they reach (attacks A15, A16, A18, A33, A34).
#include <algorithm>

#include "resolve/signed_stage.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Message;
using dns::Type;
using stage::verdict;

namespace {

/// An unsigned root with "evil.", served by one address, and "victim.", served by another.
struct EvilStage : stage::Stage {
    explicit EvilStage(const std::vector<std::string>& evil, std::function<void(resolve::Settings&)> change = {})
        : stage::Stage(std::move(change)) {
        std::vector<std::string> in_evil = {"evil. NS ns.evil.", "ns.evil. A 192.0.2.66"};
        in_evil.insert(in_evil.end(), evil.begin(), evil.end());
        stage::ZoneData& attacker = zone("evil.", in_evil);
        stage::ZoneData& victim = zone("victim.", {"victim. NS ns.victim.", "ns.victim. A 192.0.2.50"});
        stage::ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "evil. NS ns.evil.", "ns.evil. A 192.0.2.66",
                       "victim. NS ns.victim.", "ns.victim. A 192.0.2.50"});
        world.serve("192.0.2.1", {&root});
        world.serve("192.0.2.66", {&attacker});
        world.serve("192.0.2.50", {&victim});
        open(root, {"192.0.2.1"});
    }
};

}  // namespace

TEST_CASE("A15: a delegation to a thousand names of a victim's sends the victim at most 20 packets") {
    std::vector<std::string> lines;
    for (int number = 0; number < 1000; ++number)
        lines.push_back("sub.evil. NS n" + std::to_string(number) + ".victim.");
    EvilStage play(lines);
    CHECK(play.ask("www.sub.evil.", Type::a).outcome() == dnssec::Outcome::failure);
    CHECK(play.world.times_asked("192.0.2.50 ") <= 20);
    CHECK(play.last_budget->used(Limit::packets) <= 100);
    // Asked again, it costs next to nothing.
    const std::size_t before = play.world.asked.size();
    static_cast<void>(play.ask("www.sub.evil.", Type::a));
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("A16: fifteen hundred servers at mute addresses, many of them the same, are given up early") {
    const bool same = GENERATE(true, false);
    std::vector<std::string> lines;
    for (int number = 0; number < 1500; ++number) {
        const std::string server = "n" + std::to_string(number) + ".sub.evil.";
        lines.push_back("sub.evil. NS " + server);
        lines.push_back(server + " A 198.51.100." + std::to_string(same ? 7 : number % 250 + 1));
    }
    EvilStage play(lines);
    CHECK(play.ask("www.sub.evil.", Type::a).outcome() == dnssec::Outcome::failure);
    // Thirteen servers, each asked once more where all were silent; one address is one server.
    CHECK(play.world.times_asked("198.51.100.") <= (same ? 4 : 30));
    const std::size_t before = play.world.asked.size();
    static_cast<void>(play.ask("www.sub.evil.", Type::a));
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("what ends because a mail question's other look-ups had spent all is not remembered, and told by its name") {
    EvilStage play({"www.evil. A 192.0.2.80"});
    BudgetLimits none;
    none.most.at(static_cast<std::size_t>(Limit::packets)) = 0;
    const auto mail = std::make_shared<Budget>(none, play.clock.mono() + 9s);
    const auto starved = play.ask_with("www.victim.", Type::a, play.resolver().budget(5s, mail));
    CHECK(verdict(starved) == "indeterminate failure");
    CHECK(starved.reason().text.find("packets") != std::string::npos);
    // Nobody else suffers for it.
    CHECK(play.ask("victim.", Type::ns).outcome() == dnssec::Outcome::records);
    CHECK(play.ask("www.victim.", Type::a).outcome() == dnssec::Outcome::nxdomain);
}

TEST_CASE("a limit that is reached is indeterminate with its name, also in a zone that is proven to be unsigned") {
    EvilStage play({"www.evil. A 192.0.2.80"}, [](resolve::Settings& settings) {
        settings.lookup_limits.most.at(static_cast<std::size_t>(Limit::packets)) = 1;
    });
    const auto found = play.ask("www.evil.", Type::a);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found.reason().text.find("packets") != std::string::npos);
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("www.evil.", Type::a)) == "indeterminate failure");
    CHECK(play.world.asked.size() == before);
    const resolve::Counters& counters = play.resolver().counters();
    CHECK(counters.spent.exhausted.at(static_cast<std::size_t>(Limit::packets)) == 1);
    CHECK(counters.budget_exhausted == 1);
}

TEST_CASE("each limit of a look-up, when it is reached: indeterminate with its name, counted, remembered (RFC 9520)") {
    struct Case {
        Limit limit;
        std::uint32_t most;
        std::string name;
    };
    // The look-up of a secure zone from the root down takes more than that of each. For NSEC3
    // hashes see A2 of tests/attack.
    const Case one = GENERATE(Case{Limit::packets, 2, "packets"}, Case{Limit::bytes, 400, "bytes"},
                              Case{Limit::verifications, 1, "verifications"}, Case{Limit::failures, 1, "failures"});
    INFO(one.name);
    const auto index = static_cast<std::size_t>(one.limit);
    stage::SignedStage play(
        [&one, index](resolve::Settings& settings) { settings.lookup_limits.most.at(index) = one.most; });
    if (one.limit == Limit::failures) {
        play.both([](const Message& query, Message honest) {
            if (query.question->type != Type::mx) return std::optional(honest);
            std::vector<dns::Record> spoilt;
            for (dns::Record& record : honest.answer) {
                if (record.type != Type::rrsig) continue;
                record.rdata.back() ^= 1U;
                spoilt.push_back(record);
                spoilt.back().rdata.back() ^= 2U;
            }
            honest.answer.insert(honest.answer.end(), spoilt.begin(), spoilt.end());
            return std::optional(honest);
        });
    }
    const auto found = play.ask("mail.org.", Type::mx);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found.reason().text.find(one.name) != std::string::npos);
    const resolve::Counters& counters = play.resolver().counters();
    CHECK(counters.budget_exhausted >= 1);
    CHECK(counters.spent.exhausted.at(index) + counters.answers_exhausted >= 1);
    const std::size_t before = play.world.asked.size();
    const std::uint64_t verified = counters.verifications;
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "indeterminate failure");
    CHECK(play.world.asked.size() == before);
    CHECK(play.resolver().counters().verifications == verified);
}

TEST_CASE("the limit of look-ups on the way is one of those, too") {
    EvilStage play({"sub.evil. NS www.far.victim.", "sub.evil. NS ns2.far.victim."}, [](resolve::Settings& settings) {
        settings.lookup_limits.most.at(static_cast<std::size_t>(Limit::lookups)) = 0;
    });
    const auto found = play.ask("www.sub.evil.", Type::a);
    CHECK(verdict(found) == "indeterminate failure");
    CHECK(found.reason().text.find("lookups") != std::string::npos);
    CHECK(play.resolver().counters().spent.exhausted.at(static_cast<std::size_t>(Limit::lookups)) >= 1);
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("www.sub.evil.", Type::a)) == "indeterminate failure");
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("A18: name servers that live in each other's zones cost less than 20 questions, and then none") {
    stage::Stage play;
    stage::ZoneData& root =
        play.zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "one. NS ns.two.", "two. NS ns.one."});
    play.world.serve("192.0.2.1", {&root});
    play.open(root, {"192.0.2.1"});
    CHECK(play.ask("www.one.", Type::a).outcome() == dnssec::Outcome::failure);
    CHECK(play.world.asked.size() < 20);
    const std::size_t before = play.world.asked.size();
    CHECK(play.ask("www.one.", Type::a).outcome() == dnssec::Outcome::failure);
    CHECK(play.world.asked.size() == before);
    CHECK(play.ask("mx.one.", Type::a).outcome() == dnssec::Outcome::failure);
    CHECK(play.world.asked.size() < before + 20);
}

TEST_CASE("A33: glue that no server can have is never asked, and an honest server beside it is") {
    const std::string address =
        GENERATE("0.0.0.0", "127.0.0.1", "127.9.9.9", "10.0.0.1", "169.254.1.1", "224.0.0.251", "255.255.255.255",
                 "100.64.0.1", "192.168.1.1", "::", "::1", "fe80::1", "ff02::fb", "fc00::1", "::ffff:127.0.0.1");
    INFO(address);
    const std::string type = address.find(':') == std::string::npos ? " A " : " AAAA ";
    stage::Stage play([](resolve::Settings& settings) { settings.local_authorities = resolve::Switch::off; });
    stage::ZoneData& sub = play.zone("sub.", {"sub. NS good.sub.", "sub. NS bad.sub.", "good.sub. A 9.0.0.2",
                                              "bad.sub." + type + address, "www.sub. A 9.0.0.80"});
    stage::ZoneData& root = play.zone(".", {". NS a.root.", "a.root. A 9.0.0.1", "sub. NS good.sub.",
                                            "sub. NS bad.sub.", "good.sub. A 9.0.0.2", "bad.sub." + type + address});
    play.world.serve("9.0.0.1", {&root});
    play.world.serve("9.0.0.2", {&sub});
    play.world.serve(address, {&sub});
    play.open(root, {"9.0.0.1"});
    for (const std::string host : {"www", "one", "two", "three", "four"})
        static_cast<void>(play.ask(host + ".sub.", Type::a));
    CHECK(verdict(play.ask("www.sub.", Type::a)) == "insecure records");
    CHECK(play.world.times_asked(address + " ") == 0);
}

TEST_CASE("an address at which this daemon itself answers is no authority's") {
    EvilStage play({"sub.evil. NS us.sub.evil.", "us.sub.evil. A 192.0.2.200"}, [](resolve::Settings& settings) {
        settings.own_addresses.push_back(*Address::from_text("192.0.2.200"));
    });
    CHECK(play.ask("www.sub.evil.", Type::a).outcome() == dnssec::Outcome::failure);
    CHECK(play.resolver().settings().own_addresses.size() == 1);
    CHECK(play.world.times_asked("192.0.2.200 ") == 0);
}

TEST_CASE("A28, A34: glue for names that the zone asked has no say in is not used") {
    EvilStage play({"www.evil. A 192.0.2.80"});
    play.world.behave("192.0.2.66", [](const Message&, Message honest) {
        honest.authority.push_back(stage::record("victim.", Type::ns, "ns.victim."));
        honest.additional.push_back(stage::record("ns.victim.", Type::a, "192.0.2.66"));
        honest.additional.push_back(stage::record("victim.", Type::a, "192.0.2.66"));
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("www.evil.", Type::a)) == "insecure records");
    static_cast<void>(play.ask("www.victim.", Type::a));
    static_cast<void>(play.ask("victim.", Type::a));
    CHECK(play.world.times_asked("192.0.2.66 victim") == 0);
    CHECK(play.world.times_asked("192.0.2.66 www.victim") == 0);
    CHECK(play.world.times_asked("192.0.2.50 ") > 0);
}
