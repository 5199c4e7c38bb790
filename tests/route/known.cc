// Domains that were known once: what their records said is a guess at what will be asked, and nothing else.
#include <catch2/catch.hpp>

#include "mail/words.h"
#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::testing::summary;

void was(Bench& bench, std::string_view owner, Type type, dnssec::Outcome outcome,
         const std::vector<std::string>& texts = {}) {
    cache::Ended ended{outcome, {}};
    for (const std::string& text : texts) ended.records.push_back(dns::rdata_from_text(type, text).value());
    bench.lookups.ended[{name(owner), type}] = std::move(ended);
}

/// The domain and its hosts were known, and all of that has ended.
void was_known(Bench& bench, int hosts) {
    std::vector<std::string> records;
    for (int index = 0; index < hosts; ++index) {
        const std::string host = "mx" + std::to_string(index) + ".example.org";
        records.push_back(std::to_string(index) + " " + host + ".");
        was(bench, "_25._tcp." + host, Type::tlsa, dnssec::Outcome::records, {sha256});
    }
    was(bench, "example.org", Type::mx, dnssec::Outcome::records, records);
}

}  // namespace

TEST_CASE("of a domain that was known once, everything is asked at once") {
    Bench bench;
    put_hosts(bench.world(), 3);
    bench.lookups.usual = Duration(100);
    was_known(bench, 3);
    const MailAnswerRef answer = bench.ask("example.org");
    CHECK(summary(answer->decision) == "deliver dane +");
    CHECK(bench.took == Duration(100));
    // Guessed, and once more from the cache when MX has said that they count.
    CHECK(bench.lookups.asked("mx0.example.org", Type::a) <= 2);
    CHECK(bench.lookups.asked("_25._tcp.mx2.example.org", Type::tlsa) <= 2);
}

TEST_CASE("the fresh MX answer alone says which hosts there are") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.world().put_host("old.example.net", {});
    bench.lookups.usual = Duration(100);
    was(bench, "example.org", Type::mx, dnssec::Outcome::records, {"5 old.example.net."});
    const MailAnswerRef answer = bench.ask("example.org");
    REQUIRE(answer->hosts.size() == 1);
    CHECK(answer->hosts[0].name == "mx0.example.org");
    CHECK(summary(answer->decision) == "deliver dane +");
    CHECK(bench.took == Duration(200));
}

TEST_CASE("a host that is guessed and hangs holds up nobody who does not need it") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.lookups.usual = Duration(100);
    bench.lookups.delay("old.example.net", Type::a, Duration(4000));
    bench.lookups.delay("old.example.net", Type::aaaa, Duration(4000));
    was(bench, "example.org", Type::mx, dnssec::Outcome::records, {"5 old.example.net."});
    CHECK(summary(bench.ask("example.org")->decision) == "deliver dane +");
    CHECK(bench.took == Duration(200));
}

TEST_CASE("TLSA that was asked once is not waited for where the address is insecure now (RFC 7672 2.2.2)") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"0 mx0.example.org."});
    bench.world().put_host("mx0.example.org", {}, Axis::insecure_records);
    bench.lookups.usual = Duration(100);
    bench.lookups.delay("_25._tcp.mx0.example.org", Type::tlsa, Duration(4000));
    was_known(bench, 1);
    const MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->decision.action == mail::Action::deliver);
    CHECK(bench.took == Duration(100));
}

TEST_CASE("TLSA that was never asked is not guessed") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"0 mx.example.net."});
    bench.world().put_host("mx.example.net", {}, Axis::insecure_records);
    was(bench, "example.org", Type::mx, dnssec::Outcome::records, {"0 mx.example.net."});
    static_cast<void>(bench.ask("example.org"));
    CHECK(bench.lookups.asked("_25._tcp.mx.example.net", Type::tlsa) == 0);
}

TEST_CASE("a domain that had no MX is guessed to be its own host; a null MX has none") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_nodata);
    bench.world().put_host("example.org", {sha256});
    bench.lookups.usual = Duration(100);
    was(bench, "example.org", Type::mx, dnssec::Outcome::nodata);
    was(bench, "_25._tcp.example.org", Type::tlsa, dnssec::Outcome::records, {sha256});
    CHECK(summary(bench.ask("example.org")->decision) == "deliver dane +");
    CHECK(bench.took == Duration(100));

    Bench null;
    null.world().put("example.org", Type::mx, Axis::secure_records, {"0 ."});
    was(null, "example.org", Type::mx, dnssec::Outcome::records, {"0 ."});
    CHECK(null.ask("example.org")->decision.action == mail::Action::bounce);
    CHECK(null.lookups.all == 1);
}

TEST_CASE("a flood of hosts in an ended MX answer is not all guessed") {
    Bench bench;
    put_hosts(bench.world(), 1);
    std::vector<std::string> records;
    for (int index = 0; index < 90; ++index) records.push_back("9 h" + std::to_string(index) + ".example.net.");
    was(bench, "example.org", Type::mx, dnssec::Outcome::records, records);
    static_cast<void>(bench.ask("example.org"));
    CHECK(bench.lookups.all <= 1 + 3 + 2 * 8);
}

}  // namespace mxtrust::route
