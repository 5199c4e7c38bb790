#include "log/log.h"

#include "log/journal.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace mxtrust;
using log::Level;
using log::Log;

namespace {

struct Lines {
    std::vector<std::string> all;
    std::function<void(std::string_view)> writer() {
        return [this](std::string_view line) { all.emplace_back(line); };
    }
};

dns::Name name(std::string_view text) {
    return dns::Name::from_text(text).value();
}

}  // namespace

TEST_CASE("a text from the network is logged without what could deceive a terminal, and cut") {
    Lines lines;
    Log log(Level::debug, lines.writer());
    log.received({7}, "192.0.2.1:53", "\x1b[31mred\nstarted: all is well");
    log.client_trouble("pid 4711", std::string(10000, 'x'));
    REQUIRE(lines.all.size() == 2);
    CHECK(lines.all[0] == "received: ?[31mred?started: all is well from 192.0.2.1:53 | question=7 server=192.0.2.1:53");
    CHECK(lines.all[1] == "client trouble: pid 4711: " + std::string(500, 'x'));
}

TEST_CASE("events below the level are not told") {
    Lines lines;
    Log log(Level::info, lines.writer());
    log.answered({7}, "mail example.org", "deliver");
    CHECK(lines.all.empty());
    log.set_level(Level::debug);
    log.answered({7}, "mail example.org", "deliver");
    CHECK(lines.all == std::vector<std::string>{"answered: mail example.org: deliver | question=7"});
}

TEST_CASE("a domain is named at info level only where it failed") {
    const dnssec::Reason reason{
        .code = "TST0"_code, .text = "signature of MX expired", .server = "ns1.example (192.0.2.1)"};
    Lines lines;
    Log log(Level::info, lines.writer());
    log.not_secure({7}, name("example.org"), dns::Type::mx, dnssec::Security::insecure, reason);
    CHECK(lines.all.empty());
    log.not_secure({7}, name("example.org"), dns::Type::mx, dnssec::Security::bogus, reason);
    REQUIRE(lines.all.size() == 1);
    CHECK(lines.all[0] ==
          "bogus: example.org MX: signature of MX expired [server ns1.example (192.0.2.1)] (TST0) | question=7 "
          "security=bogus name=example.org type=MX server=\"ns1.example (192.0.2.1)\" code=TST0");
}

TEST_CASE("what strangers can cause is told two hundred times, and then counted") {
    const dnssec::Reason reason{.code = "TST0"_code, .text = "signature expired"};
    Lines lines;
    Log log(Level::info, lines.writer());
    for (int count = 0; count < 1000; ++count)
        log.not_secure({7}, name("example.org"), dns::Type::mx, dnssec::Security::bogus, reason);
    CHECK(lines.all.size() == 200);
    // An insecure one, which is not told at this level, costs no place.
    Lines others;
    Log quiet(Level::info, others.writer());
    for (int count = 0; count < 1000; ++count)
        quiet.not_secure({7}, name("example.org"), dns::Type::mx, dnssec::Security::insecure, reason);
    quiet.not_secure({7}, name("example.org"), dns::Type::mx, dnssec::Security::bogus, reason);
    CHECK(others.all.size() == 1);
}

TEST_CASE("a field's value cannot pass for other fields") {
    const dnssec::Reason reason{.code = "TST0"_code, .text = "x", .server = "evil\" security=\"secure (192.0.2.1)\\"};
    Lines lines;
    Log log(Level::info, lines.writer());
    log.not_secure({8}, name("example.org"), dns::Type::mx, dnssec::Security::bogus, reason);
    REQUIRE(lines.all.size() == 1);
    const std::string fields = lines.all[0].substr(lines.all[0].rfind(" | "));
    CHECK(fields ==
          " | question=8 security=bogus name=example.org type=MX "
          "server=\"evil\\\" security=\\\"secure (192.0.2.1)\\\\\" code=TST0");
}

TEST_CASE("every question has a number of its own; what is nobody's has none") {
    Lines lines;
    Log log(Level::debug, lines.writer());
    const QuestionNumber first = log.next_question();
    CHECK(first.number == 1);
    CHECK(log.next_question().number == 2);
    log.received({}, "192.0.2.1", "NOERROR");
    CHECK(lines.all.back() == "received: NOERROR from 192.0.2.1 | server=192.0.2.1");
}

TEST_CASE("a family that is silent is told once, and when it answers; one that comes and goes, seldom") {
    Lines lines;
    Log log(Level::info, lines.writer());
    log.family_answers(Family::ipv6);
    CHECK(lines.all.empty());
    for (int count = 0; count < 100; ++count) log.family_silent(Family::ipv6);
    CHECK(lines.all ==
          std::vector<std::string>{
              "network: nothing answers over IPv6; IPv4 is used. Mend it, or set [resolver] ipv6 = false"});
    for (int count = 0; count < 100; ++count) {
        log.family_answers(Family::ipv6);
        log.family_silent(Family::ipv6);
    }
    CHECK(lines.all.size() == 2);
    CHECK(lines.all.back() == "network: IPv6 is answered over again");
}

TEST_CASE("the journal's fields have names that it takes: capitals, digits, underscores") {
    CHECK(log::journal_field("key tag", "20326") == "MXTRUST_KEY_TAG=20326");
    CHECK(log::journal_field("event", "store trouble") == "MXTRUST_EVENT=store trouble");
    CHECK_FALSE(log::reaches_journal(log::Target::nowhere));
}

TEST_CASE("trouble with the store is told once a minute at most") {
    Lines lines;
    Log log(Level::warning, lines.writer());
    for (int count = 0; count < 100; ++count) log.store_trouble("no space left on device");
    CHECK(lines.all == std::vector<std::string>{"store trouble: no space left on device"});
}

TEST_CASE("the root probe is told when it changes, and always while it fails") {
    Lines lines;
    Log log(Level::info, lines.writer());
    const dnssec::Reason fine{};
    const dnssec::Reason bad{.code = "TST0"_code, .text = "no server answers"};
    log.root_probe(true, fine);
    log.root_probe(true, fine);
    CHECK(lines.all.size() == 1);
    log.root_probe(false, bad);
    log.root_probe(false, bad);
    CHECK(lines.all.size() == 3);
    log.root_probe(true, fine);
    CHECK(lines.all.size() == 4);
}
