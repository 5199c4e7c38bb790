// The rules of the list that no pure function can keep alone, over a small Internet in virtual time; and what `explain`
// says where the chain is not made of records: limits, deadlines, configuration, servers.
#include "resolve/build.h"
#include "resolve/remedy.h"
#include "resolve/world.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Type;
using stage::Stage;
using stage::verdict;
using stage::ZoneData;

namespace {

constexpr auto root_address = "192.0.2.1";
constexpr auto org_address = "192.0.2.2";
constexpr auto mail_address = "192.0.2.3";
constexpr auto second_address = "192.0.2.4";

/// A signed root, "org" and "mail.org" on two servers, which also serve its signed child "sub.mail.org" and its
/// unsigned child "open.ent.mail.org".
struct World : Stage {
    explicit World(std::function<void(resolve::Settings&)> change = {}) : Stage(std::move(change)) {
        ZoneData& sub = zone(
            "sub.mail.org.",
            {"sub.mail.org. NS ns1.mail.org.", "sub.mail.org. NS ns2.mail.org.", "www.sub.mail.org. A 198.51.100.81"},
            std::uint8_t{4});
        ZoneData& open_zone =
            zone("open.ent.mail.org.", {"open.ent.mail.org. NS ns1.mail.org.", "open.ent.mail.org. NS ns2.mail.org.",
                                        "www.open.ent.mail.org. A 198.51.100.82"});
        ZoneData& mail =
            zone("mail.org.",
                 {"open.ent.mail.org. NS ns1.mail.org.", "open.ent.mail.org. NS ns2.mail.org.",
                  "mail.org. NS ns1.mail.org.", "mail.org. NS ns2.mail.org.", "ns1.mail.org. A 192.0.2.3",
                  "ns2.mail.org. A 192.0.2.4", "mail.org. MX 10 mx.mail.org.", "mx.mail.org. A 198.51.100.25",
                  "sub.mail.org. NS ns1.mail.org.", "sub.mail.org. NS ns2.mail.org.", sub.ds_line()},
                 std::uint8_t{3});
        ZoneData& org =
            zone("org.",
                 {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns1.mail.org.", "mail.org. NS ns2.mail.org.",
                  "ns1.mail.org. A 192.0.2.3", "ns2.mail.org. A 192.0.2.4", mail.ds_line()},
                 std::uint8_t{2});
        ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2", org.ds_line()},
                 std::uint8_t{1});
        world.serve(root_address, {&root});
        world.serve(org_address, {&org});
        for (const char* const address : {mail_address, second_address})
            world.serve(address, {&mail, &sub, &open_zone});
        open(root, {root_address});
    }
    void both(const stage::Behaviour& behaviour) {
        world.behave(mail_address, behaviour);
        world.behave(second_address, behaviour);
    }
    std::string fault_of(const dnssec::Answer& answer) {
        const auto remedy = resolve::remedy_of(answer.reason());
        return remedy ? std::string(remedy->fault) : "none";
    }
};

std::optional<dns::Message> forge_addresses(const dns::Message& /*query*/, dns::Message honest) {
    for (dns::Record& one : honest.answer) {
        if (one.type == Type::a) one.rdata.back() ^= 1U;
        if (one.type == Type::mx) one.rdata[1] ^= 1U;  // the preference: a changed name would be malformed
    }
    return honest;
}

std::optional<dns::Message> silence(const dns::Message& /*query*/, dns::Message /*honest*/) {
    return std::nullopt;
}

std::optional<dns::Message> refuse(const dns::Message& /*query*/, dns::Message honest) {
    honest.answer.clear();
    honest.authority.clear();
    honest.rcode = dns::Rcode::refused;
    return honest;
}

std::optional<dns::Message> say_nothing(const dns::Message& /*query*/, dns::Message honest) {
    honest.answer.clear();
    honest.authority.clear();
    honest.authoritative = false;
    return honest;
}

}  // namespace

TEST_CASE("25 twin: what is fetched with CD is kept apart: forged data is neither served nor evicts (A13)") {
    World play;
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
    play.both(forge_addresses);
    const auto raw = play.scheduler.run(
        play.resolver().resolve_unchecked(stage::name("mx.mail.org."), Type::a, play.resolver().budget(5000ms)));
    REQUIRE(raw);
    REQUIRE(raw->answer.size() == 1);
    CHECK(dns::rdata_to_text(Type::a, raw->answer[0].records.at(0)) != "198.51.100.25");  // CD sees it
    const dnssec::Answer again = play.ask("mx.mail.org.", Type::a);
    CHECK(verdict(again) == "secure records");
    CHECK(dns::rdata_to_text(Type::a, again.final().rrset()->records.at(0)) == "198.51.100.25");
    // And what only CD has seen is bogus for everybody else.
    World fresh;
    fresh.both(forge_addresses);
    CHECK(fresh.scheduler.run(
        fresh.resolver().resolve_unchecked(stage::name("mx.mail.org."), Type::a, fresh.resolver().budget(5000ms))));
    CHECK(verdict(fresh.ask("mx.mail.org.", Type::a)) == "bogus failure");
}

TEST_CASE("28: glue leads to a server and is no data: the child's own signed address is the answer") {
    World play;
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    const dnssec::Answer answer = play.ask("ns1.mail.org.", Type::a);
    CHECK(verdict(answer) == "secure records");
    CHECK(answer.final().zone() == stage::name("mail.org."));
    CHECK(play.world.times_asked("192.0.2.3 ns1.mail.org A") + play.world.times_asked("192.0.2.4 ns1.mail.org A") == 1);
}

TEST_CASE("28 twin: forged glue and a forged referral's NS are never answered, secure or not") {
    World play;
    play.world.behave(org_address, [](const dns::Message&, dns::Message honest) {
        for (dns::Record& one : honest.additional) {
            // The second server's address is a stranger's who says nothing.
            if (one.owner == stage::name("ns2.mail.org.")) one.rdata.back() = 66;
        }
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    const dnssec::Answer answer = play.ask("ns2.mail.org.", Type::a);
    CHECK(verdict(answer) == "secure records");
    CHECK(dns::rdata_to_text(Type::a, answer.final().rrset()->records.at(0)) == "192.0.2.4");
}

TEST_CASE("30: the DS of a zone is its parent's, even where one server has both zones") {
    World play;
    CHECK(verdict(play.ask("www.sub.mail.org.", Type::a)) == "secure records");
    const dnssec::Answer ds = play.ask("sub.mail.org.", Type::ds);
    CHECK(verdict(ds) == "secure records");
    CHECK(ds.final().zone() == stage::name("mail.org."));
}

TEST_CASE("an unsigned zone that its parent's own servers answer for, without a referral, is insecure and not bogus") {
    // Its cut lies below an empty non-terminal: that there is none at the first label says nothing of the next.
    World play;
    CHECK(verdict(play.ask("www.open.ent.mail.org.", Type::a)) == "insecure records");
    CHECK(verdict(play.ask("www.sub.mail.org.", Type::a)) == "secure records");
    CHECK(play.fault_of(play.ask("www.open.ent.mail.org.", Type::a)) == "unsigned-delegation");
}

TEST_CASE("31: keys that cannot be fetched make indeterminate, not bogus, and that for a moment only") {
    World play;
    play.both([](const dns::Message& query, dns::Message honest) {
        return query.question->type == Type::dnskey ? std::nullopt : std::optional(honest);
    });
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK((answer.expires() - play.clock.wall()).count() <= 5);
    CHECK(play.fault_of(answer) == "servers-unreachable");
    CHECK(answer.reason().record == "DNSKEY mail.org");
    CHECK(answer.reason().text.find("ns1.mail.org (192.0.2.3) did not answer in time") != std::string::npos);
}

TEST_CASE("32 twin: bogus from all servers is bogus, with one of them named") {
    World play;
    play.both(forge_addresses);
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "bogus failure");
    CHECK(play.fault_of(answer) == "signature-wrong");
    CHECK(answer.reason().server.starts_with("ns"));
    CHECK(answer.reason().record == "MX mail.org");
    CHECK(answer.reason().key_tag.has_value());
}

TEST_CASE("34: a lame server is passed over; where all are, it is a failure and no absence") {
    World play;
    play.world.behave(mail_address, say_nothing);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    World worse;
    worse.both(say_nothing);
    const dnssec::Answer answer = worse.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(worse.fault_of(answer) == "servers-lame");
}

TEST_CASE("servers that are silent, that do not serve the zone, and that fail are told apart, each with what it said") {
    struct Row {
        stage::Behaviour behaviour;
        std::string fault, said;
    };
    const stage::Behaviour fail = [](const dns::Message& query, dns::Message honest) {
        std::optional<dns::Message> answer = refuse(query, std::move(honest));
        answer->rcode = dns::Rcode::servfail;
        return answer;
    };
    for (const Row& row : std::vector<Row>{{silence, "servers-unreachable", "did not answer in time"},
                                           {refuse, "servers-lame", "answered REFUSED"},
                                           {say_nothing, "servers-lame", "answered with nothing and without authority"},
                                           {fail, "servers-fail", "answered SERVFAIL"}}) {
        INFO(row.said);
        World play;
        play.both(row.behaviour);
        const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
        CHECK(verdict(answer) == "indeterminate failure");
        CHECK(play.fault_of(answer) == row.fault);
        CHECK(answer.reason().zone == stage::name("mail.org."));
        for (const char* const server : {"ns1.mail.org (192.0.2.3) ", "ns2.mail.org (192.0.2.4) "}) {
            CHECK(answer.reason().text.find(server + row.said) != std::string::npos);
        }
    }
}

TEST_CASE("one lame server and one that fails: the one that fails may be mended") {
    World play;
    play.world.behave(mail_address, refuse);
    play.world.behave(second_address, [](const dns::Message& query, dns::Message honest) {
        std::optional<dns::Message> answer = refuse(query, std::move(honest));
        answer->rcode = dns::Rcode::servfail;
        return answer;
    });
    CHECK(play.fault_of(play.ask("mail.org.", Type::mx)) == "servers-fail");
}

TEST_CASE("a secure zone above an island may deny what lies in it (RFC 6840 C.2), but only by a proof that holds") {
    const auto with_island = [](resolve::Settings& settings) {
        settings.anchors.add(*dnssec::parse_anchor("gone.org. IN DS 4711 13 2 " + std::string(64, 'A')));
    };
    World denied(with_island);
    const dnssec::Answer answer = denied.ask("www.gone.org.", Type::a);
    INFO(answer.reason().text);
    CHECK(verdict(answer).starts_with("secure nx"));

    World forged(with_island);
    forged.world.behave(org_address, [](const dns::Message& query, dns::Message honest) {
        if (query.question->name.is_below(stage::name("org.")))
            std::erase_if(honest.authority, [](const auto& one) { return one.type == Type::rrsig; });
        return std::optional<dns::Message>(std::move(honest));
    });
    CHECK_FALSE(verdict(forged.ask("www.gone.org.", Type::a)).starts_with("secure"));
}

TEST_CASE("a limit, a deadline, a negative anchor and a missing one are told as what they are") {
    World spent(
        [](resolve::Settings& settings) { settings.lookup_limits.most[static_cast<std::size_t>(Limit::packets)] = 3; });
    const dnssec::Answer limit = spent.ask("mx.mail.org.", Type::a);
    CHECK(spent.fault_of(limit) == "limit-reached");
    CHECK(limit.reason().text.find("packets") != std::string::npos);

    World late;
    late.world.delay(root_address, 400ms);
    const dnssec::Answer deadline = late.ask("mx.mail.org.", Type::a, 150ms);
    CHECK(verdict(deadline) == "indeterminate failure");
    INFO(deadline.reason().text);
    CHECK(late.fault_of(deadline) == "deadline");

    World negative([](resolve::Settings& settings) { settings.negative_anchors.push_back(stage::name("mail.org.")); });
    const dnssec::Answer open = negative.ask("mail.org.", Type::mx);
    CHECK(verdict(open) == "insecure records");
    CHECK(negative.fault_of(open) == "negative-trust-anchor");
    CHECK(open.reason().zone == stage::name("mail.org."));

    World nothing([](resolve::Settings& settings) { settings.anchors = {}; });
    const dnssec::Answer unknown = nothing.ask("mail.org.", Type::mx);
    CHECK(verdict(unknown) == "insecure records");
    CHECK(nothing.fault_of(unknown) == "no-trust-anchor");
}

TEST_CASE("an explanation shows the keys of both sides of a cut that does not hold, and who showed them") {
    World play;
    play.both([](const dns::Message& query, dns::Message honest) {
        for (dns::Record& one : honest.answer) {
            if (query.question->name == stage::name("mail.org.") && one.type == Type::dnskey) one.rdata.back() ^= 1U;
        }
        return std::optional(honest);
    });
    const auto explanation =
        play.scheduler.run(play.resolver().explain(stage::name("mail.org."), Type::mx, play.resolver().budget(5000ms)));
    REQUIRE(explanation);
    REQUIRE(explanation->chain.size() == 3);
    const resolve::ZoneStep& broken = explanation->chain.back();
    CHECK(broken.security == dnssec::Security::bogus);
    REQUIRE(broken.ds.size() == 1);
    REQUIRE(broken.keys.size() == 1);
    CHECK(broken.ds[0].key_tag != broken.keys[0].key_tag);
    CHECK(broken.key_signatures.size() == 1);
    CHECK(resolve::remedy_of(broken.reason)->fault == "ds-matches-no-key");
    CHECK(broken.reason.server.starts_with("ns"));
    for (const std::uint16_t tag : {broken.ds[0].key_tag, broken.keys[0].key_tag}) {
        CHECK(broken.reason.text.find(std::to_string(tag)) != std::string::npos);
    }
}
