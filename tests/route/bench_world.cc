// A small Internet like that of bench/, with the real resolver: domains at hosters, mail at hosts of their own or at
// providers, two name servers for each hoster and provider. What it costs that one of them is dead, and that records
// have ended. Times are virtual: round trips and waits, nothing else.
#include <catch2/catch.hpp>

#include "mail/support.h"
#include "resolve/build.h"
#include "resolve/servers.h"
#include "resolve/world.h"
#include "route/router.h"
#include "task/gather.h"

using namespace mxtrust;
using namespace stage;

namespace {

constexpr Duration round_trip{20};
constexpr int tops = 8, hosters = 20, providers = 50, domains = 90;
constexpr int warm = 30;  // domains asked first: some of the hosters and providers are known after them
constexpr std::size_t at_once = 4;

enum class Health : std::uint8_t { all_alive, first_dead };

std::string numbered(const std::string& word, int number) {
    return word + std::to_string(number);
}

struct Group {
    const char* word;
    int subnet;
    [[nodiscard]] std::string zone(int number) const {
        return numbered(word, number) + "." + numbered("t", number % tops) + ".";
    }
    [[nodiscard]] std::string address(int number, int server) const {
        return "10." + std::to_string(subnet) + "." + std::to_string(number) + "." + std::to_string(server);
    }
    /// NS records of a zone that this one serves.
    [[nodiscard]] std::vector<std::string> servers(const std::string& of, int number) const {
        return {of + " NS ns1." + zone(number), of + " NS ns2." + zone(number)};
    }
    [[nodiscard]] std::vector<std::string> addresses(int number) const {
        return {"ns1." + zone(number) + " A " + address(number, 1), "ns2." + zone(number) + " A " + address(number, 2)};
    }
};
constexpr Group hoster{"host", 1}, provider{"mail", 2};

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
}

/// The domains are spread over hosters, and every second one has its mail at a provider.
struct MailInternet : Stage {
    explicit MailInternet(Health health, std::uint64_t seed = 1) {
        for (std::uint64_t drawn = 0; drawn < seed; ++drawn) random.next();  // another history
        std::vector<std::vector<std::string>> top_lines(tops);
        for (int number = 0; number < hosters; ++number) make(hoster, number, {}, top_lines, health);
        for (int number = 0; number < providers; ++number)
            make(provider, number, mail_host("mx." + provider.zone(number)), top_lines, health);
        for (int number = 0; number < domains; ++number) make_domain(number, top_lines);
        std::vector<std::string> root_lines{". NS a.root.", "a.root. A 192.0.2.1"};
        for (int number = 0; number < tops; ++number) {
            const std::string top = numbered("t", number) + ".", address = numbered("192.0.2.", 10 + number);
            const std::vector<std::string> delegation{top + " NS ns." + top, "ns." + top + " A " + address};
            append(top_lines[static_cast<std::size_t>(number)], delegation);
            append(root_lines, delegation);
            ZoneData& zone_of_top = zone(top, top_lines[static_cast<std::size_t>(number)], std::uint8_t{2});
            root_lines.push_back(zone_of_top.ds_line());
            serve(address, zone_of_top);
        }
        ZoneData& root = zone(".", root_lines, std::uint8_t{1});
        serve("192.0.2.1", root);
        open(root, {"192.0.2.1"});
        lookups.emplace(resolver());
        router.emplace(route::RouteSettings{}, route::Router::Tools{clock, *lookups, *cache, scheduler});
    }

    static std::vector<std::string> mail_host(const std::string& host) {
        return {host + " A 198.51.100.25", "_25._tcp." + host + " TLSA 3 1 1 00112233"};
    }
    void serve(const std::string& address, const ZoneData& data) {
        world.serve(address, {&data});
        world.delay(address, round_trip);
    }
    void serve(const Group& group, int number, const ZoneData& data) {
        for (const int server : {1, 2}) serve(group.address(number, server), data);
    }
    static std::vector<std::string>& top_of(std::vector<std::vector<std::string>>& top_lines, int number) {
        return top_lines[static_cast<std::size_t>(number % tops)];
    }
    void make(const Group& group, int number, std::vector<std::string> lines,
              std::vector<std::vector<std::string>>& top_lines, Health health) {
        const std::string apex = group.zone(number);
        append(top_of(top_lines, number), group.servers(apex, number));
        append(top_of(top_lines, number), group.addresses(number));
        append(lines, group.servers(apex, number));
        append(lines, group.addresses(number));
        ZoneData& made = zone(apex, lines, std::uint8_t{3});
        top_of(top_lines, number).push_back(made.ds_line());
        serve(group, number, made);
        if (health == Health::first_dead) {
            world.behave(group.address(number, 1),
                         [](const dns::Message&, dns::Message) { return std::optional<dns::Message>(); });
        }
    }
    void make_domain(int number, std::vector<std::vector<std::string>>& top_lines) {
        const std::string apex = domain(number) + ".";
        const int served_by = (number * 7919 + 13) % 1009 % hosters, mail_by = (number * 6101 + 7) % 1013 % providers;
        const bool away = number % 2 == 0;
        const std::string host = "mx." + (away ? provider.zone(mail_by) : apex);
        std::vector<std::string> lines{apex + " MX 10 " + host};
        append(lines, hoster.servers(apex, served_by));
        append(top_of(top_lines, number), hoster.servers(apex, served_by));
        if (!away) append(lines, mail_host(host));
        ZoneData& made = zone(apex, lines, std::uint8_t{4});
        top_of(top_lines, number).push_back(made.ds_line());
        serve(hoster, served_by, made);
    }
    /// All that domains and hosters say ends after three seconds; delegations do not.
    void shorten() {
        const Behaviour brief = [](const dns::Message&, dns::Message honest) -> std::optional<dns::Message> {
            for (auto* section : {&honest.answer, &honest.authority, &honest.additional}) {
                for (dns::Record& record : *section) record.ttl = std::min(record.ttl, dns::Ttl(3));
            }
            return honest;
        };
        for (int number = 0; number < hosters; ++number) {
            for (const int server : {1, 2}) world.behave(hoster.address(number, server), brief);
        }
    }
    static std::string domain(int number) { return numbered("d", number) + "." + numbered("t", number % tops); }

    task::Task<Duration> timed(std::string name) {
        const MonoTime start = clock.mono();
        route::MailQuestion question{mail::parse_next_hop(name).value(), 25, start + Duration(5000)};
        route::MailAnswerRef answer = co_await router->ask(std::move(question));
        CHECK(mail::testing::summary(answer->decision) == "deliver encrypt");
        co_return std::chrono::duration_cast<Duration>(clock.mono() - start);
    }
    task::Task<std::vector<Duration>> all_timed(int first, int last, std::size_t side_by_side) {
        task::Gather<Duration> asking(scheduler, side_by_side);
        for (int number = first; number < last; ++number) asking.add(timed(domain(number)));
        std::vector<Duration> took;
        while (asking.pending() > 0) {
            auto finished = co_await asking.next(task::never);
            took.push_back(finished->second);
        }
        co_return took;
    }

    struct Cost {
        double mean = 0, longest = 0, packets = 0;
    };
    Cost ask_all() {
        REQUIRE(scheduler.run(all_timed(0, warm, warm)));
        world.asked.clear();
        const auto took = scheduler.run(all_timed(warm, domains, at_once));
        REQUIRE(took);
        Cost cost;
        for (const Duration one : *took) {
            cost.mean += static_cast<double>(one.count()) / static_cast<double>(took->size());
            cost.longest = std::max(cost.longest, static_cast<double>(one.count()));
        }
        cost.packets = static_cast<double>(world.asked.size()) / static_cast<double>(took->size());
        return cost;
    }

    std::optional<route::ResolverLookups> lookups;
    std::optional<route::Router> router;
};

}  // namespace

TEST_CASE("one of two name servers of every hoster and provider is dead: an answer takes one hedge longer, not more") {
    const MailInternet::Cost alive = MailInternet(Health::all_alive).ask_all();
    const auto hedge = static_cast<double>(resolve::Servers::least_first_hedge.count());
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const MailInternet::Cost dead = MailInternet(Health::first_dead, seed).ask_all();
        CAPTURE(seed, alive.mean, dead.mean, dead.longest, alive.packets, dead.packets);
        CHECK(dead.mean <= alive.mean + hedge);
        CHECK(dead.longest <= alive.longest + 2 * hedge);            // a hoster and a provider, both unknown
        CHECK(dead.packets <= alive.packets + 0.2 * alive.packets);  // a dead one is found out once
    }
}

TEST_CASE("a domain of this world whose records have ended takes one round trip, whichever domain and server it is") {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        MailInternet internet(Health::all_alive, seed);
        internet.shorten();
        REQUIRE(internet.scheduler.run(internet.all_timed(0, domains, at_once)));
        internet.clock.advance(std::chrono::seconds(4));
        for (int number = 1; number < domains; number += 2) {
            // One after the other: together they would find what another one has just fetched.
            const std::optional<Duration> took = internet.scheduler.run(internet.timed(MailInternet::domain(number)));
            CAPTURE(seed, MailInternet::domain(number));
            REQUIRE(took);
            CHECK(*took == round_trip);
        }
    }
}
