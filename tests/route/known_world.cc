// Domains that were known once, with the real resolver, in a small Internet: how many round trips their answer takes.
#include <catch2/catch.hpp>

#include "mail/support.h"
#include "resolve/signed_stage.h"
#include "route/router.h"

using namespace mxtrust;
using namespace stage;
using dns::Type;

namespace {

constexpr Duration round_trip{10};

/// d.org takes its mail at mail.org's host, u.org (unsigned) at its own; all of what is said of the three ends soon.
struct MailStage : SignedStage {
    MailStage() {
        ZoneData& d = zone("d.org.", {"d.org. NS ns.d.org.", "ns.d.org. A 192.0.2.11", "d.org. MX 10 mx.mail.org."},
                           std::uint8_t{11});
        ZoneData& u = zone("u.org.", {"u.org. NS ns.u.org.", "ns.u.org. A 192.0.2.12", "u.org. MX 10 mx.u.org.",
                                      "mx.u.org. A 198.51.100.26"});
        ZoneData& org = zone("org.",
                             {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns1.mail.org.",
                              "ns1.mail.org. A 192.0.2.3", "d.org. NS ns.d.org.", "ns.d.org. A 192.0.2.11",
                              "u.org. NS ns.u.org.", "ns.u.org. A 192.0.2.12", zones.front()->ds_line(), d.ds_line()},
                             std::uint8_t{2});
        world.replace(org_address, {&org});
        world.serve("192.0.2.11", {&d});
        world.serve("192.0.2.12", {&u});
        const Behaviour brief = [](const dns::Message&, dns::Message honest) -> std::optional<dns::Message> {
            for (auto* section : {&honest.answer, &honest.authority, &honest.additional}) {
                for (dns::Record& record : *section) record.ttl = std::min(record.ttl, dns::Ttl(30));
            }
            return honest;
        };
        for (const char* address : {mail_address, second_address, "192.0.2.11", "192.0.2.12"})
            world.behave(address, brief);
        world.behave(org_address, [](const dns::Message&, dns::Message honest) -> std::optional<dns::Message> {
            for (auto* section : {&honest.authority, &honest.additional}) {
                for (dns::Record& record : *section) record.ttl = std::min(record.ttl, dns::Ttl(30));
            }
            return honest;
        });
        lookups.emplace(resolver());
        router.emplace(route::RouteSettings{}, route::Router::Tools{clock, *lookups, *cache, scheduler});
    }
    std::string ask(const std::string& domain) {
        world.asked.clear();
        const MonoTime start = clock.mono();
        route::MailQuestion question{mail::parse_next_hop(domain).value(), 25, start + Duration(5000)};
        const auto answer = scheduler.run(router->ask(std::move(question)));
        took = std::chrono::duration_cast<Duration>(clock.mono() - start);
        return answer ? mail::testing::summary((*answer)->decision) : std::string("nothing");
    }

    std::optional<route::ResolverLookups> lookups;
    std::optional<route::Router> router;
    Duration took{};
};

}  // namespace

TEST_CASE("a mail domain that has ended is answered in one round trip: delegations, keys, hosts and all") {
    MailStage play;
    struct Case {
        const char* domain;
        const char* decision;
        std::size_t packets;
    };
    // Of each zone a referral; of signed ones the keys; MX, A, AAAA, and TLSA where the host is signed.
    for (const Case& one : {Case{"mail.org", "deliver encrypt", 6}, Case{"d.org", "deliver encrypt", 8},
                            Case{"u.org", "deliver may", 4}}) {
        INFO(one.domain);
        CHECK(play.ask(one.domain) == one.decision);
        play.clock.advance(std::chrono::seconds(100));
        CHECK(play.ask(one.domain) == one.decision);
        for (const std::string& line : play.world.asked) UNSCOPED_INFO(line);
        CHECK(play.world.asked.size() == one.packets);
        CHECK(play.took == round_trip);
        play.clock.advance(std::chrono::seconds(100));
    }
}
