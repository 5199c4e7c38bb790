// What the configuration may switch: glue, name servers that only the child names, hidden types, private addresses,
// refreshing ahead, stale answers. Each with its default.
#include <algorithm>

#include "resolve/build.h"
#include "resolve/resolver.h"
#include "resolve/world.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Type;
using resolve::Switch;
using stage::Stage;
using stage::verdict;
using stage::ZoneData;

namespace {

/// An unsigned root, "org" at .2; "site.org" at .3 by its own name, "far.org" at .4 by a name of "help.org" (.5).
struct PlainStage : Stage {
    explicit PlainStage(std::function<void(resolve::Settings&)> change = {}) : Stage(std::move(change)) {
        ZoneData& site =
            zone("site.org.", {"site.org. NS ns.site.org.", "site.org. NS ns.help.org.", "ns.site.org. A 192.0.2.3",
                               "www.site.org. A 198.51.100.1", "in.site.org. A 10.1.2.3", "both.site.org. A 10.1.2.3",
                               "both.site.org. A 198.51.100.2", "www.site.org. AAAA 2001:db8::1"});
        ZoneData& far = zone("far.org.", {"far.org. NS ns.help.org.", "www.far.org. A 198.51.100.3"});
        ZoneData& help = zone("help.org.", {"help.org. NS ns.help.org.", "ns.help.org. A 192.0.2.5"});
        ZoneData& org =
            zone("org.", {"org. NS ns.org.", "ns.org. A 192.0.2.2", "site.org. NS ns.site.org.",
                          "ns.site.org. A 192.0.2.3", "far.org. NS ns.help.org.", "help.org. NS ns.help.org.",
                          // What org has of it is out of date for far.org.
                          "ns.help.org. A 192.0.2.4"});
        ZoneData& root = zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2"});
        world.serve("192.0.2.1", {&root});
        world.serve("192.0.2.2", {&org});
        world.serve("192.0.2.3", {&site});
        world.serve("192.0.2.4", {&far, &help, &site});
        world.serve("192.0.2.5", {&far, &help, &site});
        open(root, {"192.0.2.1"});
    }
    void break_server(const std::string& address) {
        world.behave(address, [](const dns::Message&, dns::Message honest) {
            honest.answer.clear();
            honest.authority.clear();
            honest.rcode = dns::Rcode::servfail;
            return std::optional(honest);
        });
    }
    /// As servers do that add their NS set to answers.
    void add_authority(const std::string& address) {
        world.behave(address, [](const dns::Message& query, dns::Message honest) {
            if (query.question->name.is_within(stage::name("site.org.")) && !honest.answer.empty()) {
                for (const char* server : {"ns.site.org.", "ns.help.org."})
                    honest.authority.push_back(stage::record("site.org.", Type::ns, server));
            }
            return std::optional(honest);
        });
    }
};

}  // namespace

TEST_CASE("name servers that only the zone itself names are asked where those that the parent names fail") {
    for (const Switch on : {Switch::on, Switch::off}) {
        PlainStage play([on](resolve::Settings& settings) { settings.child_name_servers = on; });
        play.add_authority("192.0.2.3");
        CHECK(verdict(play.ask("www.site.org.", Type::a)) == "insecure records");
        CHECK(play.world.times_asked("192.0.2.5 www.site.org") == 0);
        play.break_server("192.0.2.3");
        const std::string wanted = on == Switch::on ? "insecure records" : "insecure failure";
        CHECK(verdict(play.ask("both.site.org.", Type::a)) == wanted);
    }
}

TEST_CASE("what a zone says of its name servers does not outlive the parent's delegation (A30)") {
    PlainStage play([](resolve::Settings& settings) { settings.child_name_servers = Switch::on; });
    play.add_authority("192.0.2.3");
    CHECK(verdict(play.ask("www.site.org.", Type::a)) == "insecure records");
    // The parent takes the delegation away.
    play.world.behave("192.0.2.2", [](const dns::Message& query, dns::Message honest) {
        if (query.question->name.is_within(stage::name("site.org."))) {
            honest.answer.clear();
            honest.authority.clear();
            honest.additional.clear();
            honest.authoritative = true;
            honest.rcode = dns::Rcode::nxdomain;
            honest.authority.push_back(stage::record("org.", Type::soa, "ns.org. host.org. 1 7200 3600 1209600 300"));
        }
        return std::optional(honest);
    });
    play.break_server("192.0.2.3");
    play.clock.step_wall(2 * 86400s);
    CHECK(verdict(play.ask("both.site.org.", Type::a)) == "insecure nxdomain");
    CHECK(play.world.times_asked("192.0.2.5 both.site.org") == 0);
}

TEST_CASE("glue for name servers outside of the zone is used, or looked up where that is wanted") {
    PlainStage trusting;
    CHECK(verdict(trusting.ask("www.far.org.", Type::a)) == "insecure records");
    CHECK(trusting.world.times_asked("192.0.2.4 www.far.org") == 1);
    PlainStage careful([](resolve::Settings& settings) { settings.verify_glue = Switch::on; });
    CHECK(verdict(careful.ask("www.far.org.", Type::a)) == "insecure records");
    CHECK(careful.world.times_asked("192.0.2.4 www.far.org") == 0);
    CHECK(careful.world.times_asked("192.0.2.5 www.far.org") == 1);
}

TEST_CASE("glue that nothing confirms is still used where there is nothing better") {
    PlainStage play([](resolve::Settings& settings) { settings.verify_glue = Switch::on; });
    play.world.behave("192.0.2.4", [](const dns::Message& query, dns::Message honest) {
        if (query.question->name == stage::name("ns.help.org.")) honest.rcode = dns::Rcode::refused;
        if (honest.rcode == dns::Rcode::refused) honest.answer.clear();
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("www.far.org.", Type::a)) == "insecure records");
}

TEST_CASE("the type of a question is hidden from all but the last server where that is wanted (RFC 9156 3)") {
    PlainStage plain;
    CHECK(verdict(plain.ask("www.site.org.", Type::aaaa)) == "insecure records");
    CHECK(plain.world.times_asked("www.site.org A") == plain.world.times_asked("www.site.org AAAA"));
    PlainStage hidden([](resolve::Settings& settings) { settings.hide_query_type = Switch::on; });
    CHECK(verdict(hidden.ask("www.site.org.", Type::aaaa)) == "insecure records");
    CHECK(hidden.world.times_asked("192.0.2.3 www.site.org AAAA") == 1);
    CHECK(hidden.world.times_asked("192.0.2.3 www.site.org A") == 2);  // "A", and the beginning of "AAAA"
    CHECK(verdict(hidden.ask("_25._tcp.www.site.org.", Type::tlsa)) == "insecure nxdomain");
    CHECK(hidden.world.times_asked("_25._tcp.www.site.org A") == 0);
}

TEST_CASE("private addresses are taken out of public names where that is wanted, and left to private ones") {
    PlainStage open;
    CHECK(verdict(open.ask("in.site.org.", Type::a)) == "insecure records");
    const auto closed = [](resolve::Settings& settings) {
        settings.private_addresses = {Network::from_text("10.0.0.0/8").value()};
    };
    PlainStage play(closed);
    CHECK(verdict(play.ask("in.site.org.", Type::a)) == "insecure nodata");
    const dnssec::Answer both = play.ask("both.site.org.", Type::a);
    CHECK(verdict(both) == "insecure records");
    CHECK(both.final().rrset()->records.size() == 1);
    PlainStage exempt([&](resolve::Settings& settings) {
        closed(settings);
        settings.private_domains = {stage::name("site.org.")};
    });
    CHECK(exempt.ask("both.site.org.", Type::a).final().rrset()->records.size() == 2);
}

TEST_CASE("an answer in demand is asked for again in the last tenth of its life, and not twice at once") {
    PlainStage play([](resolve::Settings& settings) { settings.prefetch = Switch::on; });
    CHECK(verdict(play.ask("www.site.org.", Type::a)) == "insecure records");  // TTL 3600
    play.clock.step_wall(3000s);
    static_cast<void>(play.ask("www.site.org.", Type::a));
    CHECK(play.world.times_asked("www.site.org A") == 1);
    play.clock.step_wall(300s);
    const dnssec::Answer old = play.ask("www.site.org.", Type::a);
    CHECK(old.expires() - play.clock.wall() == 300s);
    static_cast<void>(play.ask("www.site.org.", Type::a));
    static_cast<void>(play.ask("nothing.site.org.", Type::a));  // time for the refresh to come back
    CHECK(play.world.times_asked("www.site.org A") == 2);
    CHECK(play.ask("www.site.org.", Type::a).expires() - play.clock.wall() == 3600s);
}

TEST_CASE("a refresh that fails takes nothing away") {
    PlainStage play([](resolve::Settings& settings) { settings.prefetch = Switch::on; });
    static_cast<void>(play.ask("www.site.org.", Type::a));
    play.clock.step_wall(3400s);
    play.break_server("192.0.2.3");
    static_cast<void>(play.ask("www.site.org.", Type::a));
    static_cast<void>(play.ask("www.far.org.", Type::a));
    CHECK(play.world.times_asked("www.site.org A") > 1);
    CHECK(play.ask("www.site.org.", Type::a).expires() - play.clock.wall() == 200s);
}

TEST_CASE("without the switch nothing is asked ahead, and nothing stale is told") {
    PlainStage play;
    static_cast<void>(play.ask("www.site.org.", Type::a));
    play.clock.step_wall(3500s);
    static_cast<void>(play.ask("www.site.org.", Type::a));
    static_cast<void>(play.ask("www.far.org.", Type::a));
    CHECK(play.world.times_asked("www.site.org A") == 1);
    play.clock.step_wall(3600s);
    CHECK_FALSE(play.resolver().peek_stale(stage::name("www.site.org."), Type::a));
}

TEST_CASE("an answer may be told for a while after its end, where the operator wants it (RFC 8767)") {
    PlainStage play([](resolve::Settings& settings) { settings.most_stale = 1000s; });
    static_cast<void>(play.ask("www.site.org.", Type::a));
    CHECK_FALSE(play.resolver().peek_stale(stage::name("www.site.org."), Type::a));  // it is fresh
    play.clock.step_wall(3700s);
    const auto old = play.resolver().peek_stale(stage::name("www.site.org."), Type::a);
    REQUIRE(old);
    CHECK(verdict(*old) == "insecure records");
    // Asking goes on as if nothing were there: what is stale is never told to who did not ask for it.
    play.break_server("192.0.2.3");
    CHECK(verdict(play.ask("www.site.org.", Type::a)) == "insecure failure");
    play.clock.step_wall(1000s);
    CHECK_FALSE(play.resolver().peek_stale(stage::name("www.site.org."), Type::a));
}

namespace {

/// A signed root; "org" signed; "bare.org" not.
struct SignedStage : Stage {
    explicit SignedStage(std::function<void(resolve::Settings&)> change = {}) : Stage(std::move(change)) {
        ZoneData& bare = zone(
            "bare.org.", {"bare.org. NS ns.bare.org.", "ns.bare.org. A 192.0.2.3", "www.bare.org. A 198.51.100.1"});
        ZoneData& org = zone("org.",
                             {"org. NS ns.org.", "ns.org. A 192.0.2.2", "www.org. A 198.51.100.2",
                              "bare.org. NS ns.bare.org.", "ns.bare.org. A 192.0.2.3"},
                             std::uint8_t{2});
        ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2", org.ds_line()},
                 std::uint8_t{1});
        world.serve("192.0.2.1", {&root});
        world.serve("192.0.2.2", {&org});
        world.serve("192.0.2.3", {&bare});
        open(root, {"192.0.2.1"});
    }
};

}  // namespace

TEST_CASE("nothing counts as unsigned for longer than that is known, not even where stale answers are told") {
    SignedStage play([](resolve::Settings& settings) { settings.most_stale = 86400s; });
    CHECK(verdict(play.ask("www.bare.org.", Type::a)) == "insecure records");
    play.clock.step_wall(3700s);  // the proof that bare.org is not signed has ended, too
    CHECK_FALSE(play.resolver().peek_stale(stage::name("www.bare.org."), Type::a));
}

TEST_CASE("what is secure is told while its signatures hold, and not a second longer") {
    SignedStage play([](resolve::Settings& settings) { settings.most_stale = 30 * 86400s; });
    CHECK(verdict(play.ask("www.org.", Type::a)) == "secure records");
    play.clock.step_wall(3700s);
    const auto old = play.resolver().peek_stale(stage::name("www.org."), Type::a);
    REQUIRE(old);
    const auto held = dns::parse_rrsig(old->final().rrset()->signatures.front());
    REQUIRE(held);
    const std::chrono::seconds left(static_cast<std::int64_t>(held->expiration) - play.clock.wall().seconds);
    play.clock.step_wall(left - 10s);
    CHECK(play.resolver().peek_stale(stage::name("www.org."), Type::a));
    play.clock.step_wall(10s);
    CHECK_FALSE(play.resolver().peek_stale(stage::name("www.org."), Type::a));
}
