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
