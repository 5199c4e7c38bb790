// Addresses of name servers that came without glue. For asking only: taken from what is cached and judged where there
// is something, else looked up without judging, and kept here, never as data (validator-pitfalls 28).
#include <algorithm>

#include "resolve/iterate.h"
#include "resolve/scrub.h"

namespace mxtrust::resolve {
namespace {

constexpr std::size_t most_hosts = 20'000;
constexpr std::chrono::seconds least_host_ttl{30};
constexpr std::chrono::seconds most_host_ttl{3600};
constexpr std::chrono::seconds failed_host_ttl{
    15};                                      // a name server without address: not looked up again at once (A16, A18)
constexpr Duration other_family{50};          // waited for where a name server's addresses of one family are known
constexpr std::size_t most_host_aliases = 4;  // NS names must not be aliases (RFC 2181 10.3); some are

dns::Type type_of(Family family) {
    return family == Family::ipv4 ? dns::Type::a : dns::Type::aaaa;
}
std::size_t slot_of(Family family) {
    return family == Family::ipv4 ? 0 : 1;
}

}  // namespace

std::vector<Address> Iterator::addresses_in(const dns::RRset& set) {
    std::vector<Address> addresses;
    for (const Bytes& rdata : set.records) {
        if (addresses.size() >= most_addresses_per_server) break;
        Result<Address> address = Address::from_rdata(rdata);
        if (address) addresses.push_back(*address);
    }
    return addresses;
}

std::optional<std::vector<Address>> Iterator::known_addresses(const dns::Name& host, Family family) const {
    const dnssec::FindingRef finding = tools_.cache.find(host, type_of(family), tools_.clock.wall());
    if (finding && finding->security() != dnssec::Security::bogus) {
        if (finding->outcome() == dnssec::Outcome::records && !finding->is_alias())
            return addresses_in(*finding->rrset());
        if (finding->outcome() == dnssec::Outcome::nodata || finding->outcome() == dnssec::Outcome::nxdomain)
            return std::vector<Address>{};
    }
    const auto known = hosts_.find(host);
    if (known == hosts_.end()) return std::nullopt;
    const KnownHost& entry = known->second.at(slot_of(family));
    if (entry.until <= tools_.clock.mono()) return std::nullopt;
    return entry.addresses;
}

task::Task<std::vector<Address>> Iterator::addresses_of_family(dns::Name host, Family family, Context context) {
    std::vector<Address> addresses;
    std::chrono::seconds kept = failed_host_ttl;
    dns::Name name = host;
    for (std::size_t alias = 0; alias <= most_host_aliases; ++alias) {
        dns::Name asked = name;
        Context same = context;
        Found found = co_await find(std::move(asked), type_of(family), std::move(same));
        const auto* response = found.reply ? std::get_if<dnssec::Response>(&*found.reply) : nullptr;
        if (response == nullptr || !response->positive) break;
        if (response->shape == dnssec::Shape::records) {
            addresses = addresses_in(*response->positive);
            kept = std::clamp(std::chrono::seconds(response->positive->ttl), least_host_ttl, most_host_ttl);
            break;
        }
        const bool dname = response->shape == dnssec::Shape::dname;
        if (!dname && response->shape != dnssec::Shape::cname) break;
        Result<dns::Name> target = dns::parse_single_name(response->positive->records.front());
        if (target && dname) target = name.rebase(response->positive->owner, *target);
        if (!target) break;
        name = *target;
    }
    // Nothing was found because somebody's mail question had spent all: the next one may find it.
    if (addresses.empty() && context.budget->is_starved()) co_return addresses;
    if (hosts_.size() >= most_hosts) hosts_.clear();
    hosts_[host].at(slot_of(family)) = KnownHost{addresses, tools_.clock.mono() + kept};
    co_return addresses;
}

task::Task<std::vector<Address>> Iterator::addresses_of(dns::Name host, Context context) {
    std::vector<Address> addresses;
    task::Gather<std::vector<Address>> looking(tools_.scheduler);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        if (!uses(family)) continue;
        if (std::optional<std::vector<Address>> known = known_addresses(host, family)) {
            addresses.insert(addresses.end(), known->begin(), known->end());
            continue;
        }
        if (context.depth > most_depth || !context.budget->take(Limit::lookups)) continue;
        looking.add(addresses_of_family(host, family, context));
    }
    const MonoTime deadline = context.budget->deadline();
    while (looking.pending() > 0) {
        // What is known is enough to go on with, be it of one family, and known before: the other one may be slow, or
        // never answered for, and must not hold up the question.
        const MonoTime until = addresses.empty() ? deadline : std::min(deadline, tools_.clock.mono() + other_family);
        auto finished = co_await looking.next(until);
        if (!finished) break;
        addresses.insert(addresses.end(), finished->second.begin(), finished->second.end());
    }
    co_return addresses;
}

/// A name server whose addresses are to be found out first.
task::Task<std::vector<Candidate>> Iterator::candidates_of(dns::Name server, Context context) {
    Context deeper = context.deeper();
    dns::Name host = server;
    std::vector<Address> addresses = co_await addresses_of(std::move(host), std::move(deeper));
    const bool verified = tools_.settings.verify_glue == Switch::on && !addresses.empty();
    const std::vector<Address> glue = verified ? std::vector<Address>() : glue_of(server);
    addresses.insert(addresses.end(), glue.begin(), glue.end());
    std::vector<Candidate> found;
    add_candidates(found, server, addresses, context);
    co_return found;
}

task::Task<AskResult> Iterator::look_up(dns::Name server, Context context) {
    AskResult result;
    std::vector<Candidate> found = co_await candidates_of(std::move(server), std::move(context));
    result.found = std::move(found);
    co_return result;
}

}  // namespace mxtrust::resolve
