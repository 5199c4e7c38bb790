// A zone that was known: what has ended is fetched anew, side by side, and judged anew.
#include <catch2/catch.hpp>

#include "resolve/signed_stage.h"

using namespace mxtrust;
using namespace stage;
using dns::Type;

namespace {

/// Everything mail.org says ends after half a minute; the delegation and its DS last longer.
std::optional<dns::Message> short_lived(const dns::Message& /*query*/, dns::Message honest) {
    for (dns::Record& record : honest.answer) record.ttl = dns::Ttl(30);
    return honest;
}

Duration time_of(SignedStage& play, const std::string& expected) {
    const MonoTime start = play.clock.mono();
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == expected);
    return std::chrono::duration_cast<Duration>(play.clock.mono() - start);
}

}  // namespace

TEST_CASE("keys that have ended are fetched beside the question, not after its answer") {
    SignedStage play;
    play.both(short_lived);
    CHECK(time_of(play, "secure records") > Duration(10));
    play.clock.advance(std::chrono::seconds(40));
    play.world.asked.clear();
    CHECK(time_of(play, "secure records") == Duration(10));  // one round trip
    CHECK(play.world.times_asked(" mail.org DNSKEY") == 1);
    CHECK(play.world.times_asked(" mail.org MX") == 1);
}

TEST_CASE("a zone that was secure once is judged anew by its new signatures") {
    SignedStage play;
    play.both(short_lived);
    CHECK(time_of(play, "secure records") > Duration(0));
    play.clock.advance(std::chrono::seconds(40));
    play.both([](const dns::Message&, dns::Message honest) -> std::optional<dns::Message> {
        for (dns::Record& record : honest.answer) {
            if (record.type == Type::rrsig) record.rdata.back() ^= 1;
        }
        return honest;
    });
    CHECK(time_of(play, "bogus failure") > Duration(0));
}

namespace {

/// What org says of the delegation ends as soon as it may: after a minute.
std::optional<dns::Message> short_lived_referral(const dns::Message& /*query*/, dns::Message honest) {
    for (dns::Record& record : honest.authority) record.ttl = dns::Ttl(30);
    for (dns::Record& record : honest.additional) record.ttl = dns::Ttl(30);
    return honest;
}

/// mail.org and plain.org were known, and all of that has ended; what is above them has not.
struct Ended : SignedStage {
    explicit Ended(std::function<void(resolve::Settings&)> change = {}) : SignedStage(std::move(change)) {
        for (const char* address : {mail_address, second_address, plain_address}) world.behave(address, short_lived);
        world.behave(org_address, short_lived_referral);
        CHECK(verdict(ask("mail.org.", Type::mx)) == "secure records");
        CHECK(verdict(ask("www.plain.org.", Type::a)) == "insecure records");
        clock.advance(std::chrono::seconds(100));
        world.asked.clear();
    }
};

}  // namespace

TEST_CASE("delegation, DS, keys and data that have ended are asked for at once") {
    Ended play;
    CHECK(time_of(play, "secure records") == Duration(10));  // one round trip
    CHECK(play.world.times_asked(" mail.org A") == 1);       // the parent's referral brings the DS
    CHECK(play.world.times_asked(" mail.org DS") == 0);
    CHECK(play.world.times_asked(" mail.org DNSKEY") == 1);
    CHECK(play.world.times_asked(" mail.org MX") == 1);
    CHECK(play.world.asked.size() == 3);
}

TEST_CASE("so it is where the zone is not signed") {
    Ended play;
    const MonoTime start = play.clock.mono();
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(play.clock.mono() - start == Duration(10));
    CHECK(play.world.times_asked(" plain.org A") == 1);
    CHECK(play.world.times_asked(" www.plain.org A") == 1);
}

TEST_CASE("a whole way down that has ended is walked at once, beside the root's priming") {
    SignedStage play;
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    play.clock.advance(std::chrono::hours(24 * 3));
    play.world.asked.clear();
    const MonoTime start = play.clock.mono();
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.clock.mono() - start == Duration(20));
    CHECK(play.world.asked.size() == 7);  // NS, DNSKEY and org at the root, mail.org and DNSKEY at org, DNSKEY, MX
}

TEST_CASE("whom the parent does not name any more is not heard, signed or not (A30)") {
    for (const bool with_glue : {true, false}) {
        Ended play;
        // plain.org has moved; its former servers go on serving what they had.
        ZoneData& moved = play.zone("plain.org.", {"plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.77",
                                                   "www.plain.org. A 198.51.100.99"});
        ZoneData& org = play.zone("org.",
                                  {"org. NS ns.org.", "ns.org. A 192.0.2.2",
                                   with_glue ? "plain.org. NS ns.plain.org." : "plain.org. NS new.plain.org.",
                                   with_glue ? "ns.plain.org. A 192.0.2.77" : "new.plain.org. A 192.0.2.77"},
                                  std::uint8_t{2});
        play.world.serve("192.0.2.77", {&moved});
        play.world.replace(org_address, {&org});
        const dnssec::Answer answer = play.ask("www.plain.org.", Type::a);
        CHECK(verdict(answer) == "insecure records");
        CHECK(dns::rdata_to_text(Type::a, answer.final().rrset()->records.front()) == "198.51.100.99");
    }
}

TEST_CASE("a domain that its parent has taken back is gone, whatever its former servers say (A30)") {
    Ended play;
    ZoneData& org =
        play.zone("org.", {"org. NS ns.org.", "ns.org. A 192.0.2.2", "other.org. NS ns.org."}, std::uint8_t{2});
    play.world.replace(org_address, {&org});
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "secure nxdomain");
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure nxdomain");
}

TEST_CASE("a zone that was signed and is not any more is judged by the fresh delegation, and the other way round") {
    Ended play;
    ZoneData& mail = play.zone(
        "mail.org.", {"mail.org. NS ns1.mail.org.", "ns1.mail.org. A 192.0.2.3", "mail.org. MX 20 other.mail.org."});
    ZoneData& plain = play.zone(
        "plain.org.", {"plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5", "www.plain.org. A 198.51.100.81"},
        std::uint8_t{9});
    ZoneData& org =
        play.zone("org.",
                  {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns1.mail.org.", "ns1.mail.org. A 192.0.2.3",
                   "plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5", plain.ds_line()},
                  std::uint8_t{2});
    play.world.replace(org_address, {&org});
    play.world.replace(mail_address, {&mail});
    play.world.replace(second_address, {&mail});
    play.world.replace(plain_address, {&plain});
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "insecure records");
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "secure records");
}

TEST_CASE("an unsigned answer sent ahead does not pass where the parent says that the zone is signed") {
    Ended play;
    play.both([](const dns::Message&, dns::Message honest) -> std::optional<dns::Message> {
        std::erase_if(honest.answer, [](const dns::Record& record) { return record.type == Type::rrsig; });
        return honest;
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
}

TEST_CASE("former servers that are silent cost the time of the fresh ones, not their own") {
    Ended play;
    play.world.delay(plain_address, std::chrono::seconds(30));
    ZoneData& moved = play.zone(
        "plain.org.", {"plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.77", "www.plain.org. A 198.51.100.99"});
    ZoneData& org = play.zone(
        "org.",
        {"org. NS ns.org.", "ns.org. A 192.0.2.2", "plain.org. NS new.plain.org.", "new.plain.org. A 192.0.2.77"},
        std::uint8_t{2});
    play.world.serve("192.0.2.77", {&moved});
    play.world.replace(org_address, {&org});
    const MonoTime start = play.clock.mono();
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(play.clock.mono() - start == Duration(20));
}

TEST_CASE("servers that are named without addresses are found again in the same round trip") {
    SignedStage play;
    // away.org is served by mail.org's servers, which org gives no glue for.
    ZoneData& away =
        play.zone("away.org.", {"away.org. NS ns1.mail.org.", "away.org. MX 10 mx.away.org."}, std::uint8_t{7});
    ZoneData& org =
        play.zone("org.",
                  {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns1.mail.org.", "ns1.mail.org. A 192.0.2.3",
                   "away.org. NS ns1.mail.org.", away.ds_line(), play.zones.front()->ds_line()},
                  std::uint8_t{2});
    play.world.replace(org_address, {&org});
    play.world.serve(mail_address, {&away});
    play.world.behave(org_address, [](const dns::Message& query, dns::Message honest) -> std::optional<dns::Message> {
        if (query.question->name == name("away.org.")) honest.additional.clear();
        return short_lived_referral(query, std::move(honest));
    });
    play.both(short_lived);
    CHECK(verdict(play.ask("away.org.", Type::mx)) == "secure records");
    play.clock.advance(std::chrono::seconds(100));
    play.world.asked.clear();
    const MonoTime start = play.clock.mono();
    CHECK(verdict(play.ask("away.org.", Type::mx)) == "secure records");
    CHECK(play.clock.mono() - start == Duration(10));
}
