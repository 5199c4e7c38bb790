// Any octets as a note of the cache: an entry of the ledger of failing domains, a policy of MTA-STS that is kept, or
// what is known of servers.
// Whatever it is, it is nothing, or something with bounded times from which the next one can be made.
#include "base/require.h"
#include "cache/memory_cache.h"
#include "resolve/servers_note.h"
#include "route/ledger.h"
#include "sts/policies.h"
#include "task/manual.h"

using namespace mxtrust;

namespace {

constexpr WallTime now{1795305600};
constexpr std::int64_t millennium = 1000LL * 366 * 86400;

bool is_near(WallTime time) {
    return time.seconds >= 0 && time < now + std::chrono::seconds(10 * millennium);
}

void check_ledger(std::string_view note) {
    cache::MemoryCache kept;
    kept.store_note("ledger/example.org", note, now + std::chrono::seconds(60));
    route::Ledger ledger(kept);
    for (const route::FailingDomain& entry : ledger.list(10, now)) {
        require(entry.domain == "example.org" && entry.tries > 0);
        require(is_near(entry.since) && is_near(entry.last) && is_near(entry.next));
        require(entry.code.find('\n') == std::string::npos && entry.text.find('\n') == std::string::npos);
    }
    const route::FailingDomain again = ledger.failed("example.org", "4.7.324 dnssec-invalid", "it\nis bogus", now);
    require(again.tries > 0 && again.last == now && again.text == "it is bogus");
    require(ledger.list(10, now) == std::vector{again});
}

/// Neither is asked: what is kept is looked at alone.
class NoDns final : public sts::Dns {
    task::Task<dnssec::Answer> resolve(dns::Name, dns::Type, MonoTime) override { broken_promise({}); }
};
class NoWeb final : public sts::Fetcher {
    task::Task<sts::Fetched> fetch(sts::FetchRequest, MonoTime) override { broken_promise({}); }
};

void check_policy(std::string_view note) {
    ManualClock clock{now};
    task::ManualScheduler scheduler{clock};
    cache::MemoryCache kept;
    kept.store_note("policy/example.org", note, now + std::chrono::seconds(60));
    NoDns dns;
    NoWeb web;
    sts::Policies policies({}, {clock, kept, dns, web, scheduler});
    const dns::Name domain = *dns::Name::from_text("example.org");
    for (int count = 0; count < 2; ++count) {
        const auto status = scheduler.run(policies.find(domain, std::nullopt, clock.mono() + Duration(100)));
        require(status.has_value() && status->late);
        if (!status->policy) return;
        // It holds now, and what was read is written and read again as the same.
        require(now < status->policy->expires && is_near(status->policy->expires) && is_near(status->policy->fetched));
        require(status->policy->max_age.count() >= 0 && status->policy->max_age.count() <= 10 * millennium);
        require(!status->policy->id.empty());
    }
}

void check_servers(std::string_view note) {
    const auto read = resolve::read_servers_note(note);
    if (!read) return;
    require(resolve::servers_note(*read) == note);
    SeededRandom random(1);
    resolve::Servers servers(random);
    servers.recall(read->memory, MonoTime{});
    // A hint: whoever is a candidate stays one, and nobody is waited for longer than ever.
    std::vector<resolve::Candidate> candidates;
    for (const resolve::ServersMemory::One& one : read->memory.servers) {
        candidates.push_back({dns::Name(), one.address});
        require(servers.timeout(one.address) <= resolve::Servers::most_timeout);
        require(servers.hedge_delay(one.address) <= resolve::Servers::most_hedge);
    }
    const std::size_t count = candidates.size();
    require(servers.order(std::move(candidates), dns::Name(), MonoTime{}).size() == count);
    require(resolve::servers_note({now, servers.remember(resolve::most_servers_noted, MonoTime{})}).size() <= 65'536);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view note = as_text({data, size});
    check_ledger(note);
    check_policy(note);
    check_servers(note);
    return 0;
}
