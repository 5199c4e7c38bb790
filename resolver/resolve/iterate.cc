#include "resolve/iterate.h"

#include <algorithm>

#include "resolve/guess.h"
#include "resolve/scrub.h"
#include "resolve/walk.h"

namespace mxtrust::resolve {
namespace {

constexpr std::chrono::seconds least_cut_ttl{60};  // attacks.md: floor, so that TTL 0 delegations cost no storm
constexpr std::chrono::seconds most_cut_ttl{86'400};
constexpr std::chrono::seconds hints_ttl{30};  // after failed priming: try again soon

}  // namespace

Iterator::Iterator(Tools tools)
    : tools_(tools),
      flights_(tools.scheduler, task::most_flights, AskKeyHash(tools.random)),
      hosts_(0, dns::NameHash(HashKey::draw(tools.random))),
      child_servers_(0, dns::NameHash(HashKey::draw(tools.random))) {}

cache::ZoneCut Iterator::hints() const {
    cache::ZoneCut root;
    for (const RootServer& server : tools_.settings.root_hints) {
        const auto same = [&server](const cache::NameServer& known) { return known.name == server.name; };
        auto found = std::ranges::find_if(root.servers, same);
        if (found == root.servers.end())
            found = root.servers.insert(root.servers.end(), cache::NameServer{server.name, {}});
        found->addresses.push_back(server.address);
    }
    root.expires = tools_.clock.wall() + hints_ttl;
    return root;
}

const Detour* Iterator::stub_of(const dns::Name& zone) const {
    const auto same = [&zone](const Detour& stub) { return stub.zone == zone; };
    const auto found = std::ranges::find_if(tools_.settings.stubs, same);
    return found == tools_.settings.stubs.end() ? nullptr : &*found;
}

/// A delegation by configuration. Its servers have the zone's name, for want of another.
cache::ZoneCut Iterator::stub_cut(const Detour& stub) const {
    cache::ZoneCut cut;
    cut.zone = stub.zone;
    if (!stub.zone.is_root()) cut.parent = stub.zone.parent();
    cut.servers.push_back({stub.zone, {}});
    for (const Endpoint& server : stub.servers) cut.servers.front().addresses.push_back(server.address);
    cut.expires = tools_.clock.wall() + most_cut_ttl;
    return cut;
}

bool Iterator::is_stub(const cache::ZoneCut& cut) const {
    const Detour* stub = stub_of(cut.zone);
    return stub != nullptr && cut.servers == stub_cut(*stub).servers;
}

cache::ZoneCut Iterator::deepest_cut(const dns::Name& name) const {
    const WallTime now = tools_.clock.wall();
    for (std::size_t labels = name.label_count(); labels > 0; --labels) {
        if (const Detour* stub = stub_of(name.ancestor(labels))) return stub_cut(*stub);
        if (std::shared_ptr<const cache::ZoneCut> cut = tools_.cache.find_cut(name.ancestor(labels), now)) return *cut;
    }
    if (const Detour* stub = stub_of(dns::Name())) return stub_cut(*stub);
    return root_ && root_until_ > tools_.clock.mono() ? *root_ : cache::ZoneCut{};
}

task::Task<cache::ZoneCut> Iterator::prime(Context context) {
    cache::ZoneCut root = hints();
    const dns::Name apex;
    AskRef result;
    if (tools_.settings.prime_root == Switch::on) {
        Context deeper = context.deeper();
        result = co_await ask(root, apex, dns::Type::ns, std::move(deeper));
    }
    std::chrono::seconds kept = hints_ttl;
    if (result && result->reply) {
        const auto* response = std::get_if<dnssec::Response>(&*result->reply);
        if (response != nullptr && response->positive) {
            std::vector<cache::NameServer> servers = servers_with_glue(*response->positive, result->additional, apex);
            const auto useless = [this](const cache::NameServer& server) {
                return std::ranges::none_of(server.addresses, [this](const Address& one) { return may_ask(one); });
            };
            // RFC 8109 3.3: without any address that can be asked the hints stay in use.
            if (!std::ranges::all_of(servers, useless)) root.servers = std::move(servers);
            kept = std::clamp(std::chrono::seconds(response->positive->ttl), least_cut_ttl, most_cut_ttl);
        }
    } else if (tools_.settings.prime_root == Switch::off) {
        kept = most_cut_ttl;
    }
    root.expires = tools_.clock.wall() + kept;
    root_ = root;
    root_until_ = tools_.clock.mono() + kept;
    co_return root;
}

cache::ZoneCut Iterator::take_referral(const Referral& referral, const cache::ZoneCut& from, const Context& context) {
    cache::ZoneCut cut;
    cut.zone = referral.zone;
    cut.parent = from.zone;
    cut.servers = referral.servers;
    cut.expires = tools_.clock.wall() + std::clamp(std::chrono::seconds(referral.ttl), least_cut_ttl, most_cut_ttl);
    tools_.cache.store_cut(cut);
    tools_.evidence.store(referral.zone, from.zone, referral.evidence, {}, tools_.clock.wall());
    if (on_referral_ && context.depth == 0) on_referral_(referral.zone, context);
    return cut;
}

task::Task<Found> Iterator::find_by_forwarder(Forwarding::Way way, dns::Name name, dns::Type type, Context context) {
    ForwardQuestion question{std::move(name), type, std::move(context.excluded), std::move(context.budget)};
    Forwarding::Reply reply = co_await tools_.forwarding.ask(std::move(way), std::move(question));
    Found found;
    // Not the zone that is forwarded: a forwarder's zones begin where DS and signatures say so. `found.zone` is the
    // root.
    found.forwarded = true;
    found.reply = std::move(reply.reply);
    found.server.address = reply.forwarder.address;
    found.rcode = reply.rcode;
    found.reason = std::move(reply.reason);
    if (found.reply) found.forwarder = reply.forwarder;
    co_return found;
}

namespace {

Found too_many_referrals(const dns::Name& name, const dns::Name& zone, Found found) {
    found.reply.reset();
    found.rcode = dns::Rcode::servfail;
    found.reason.code = "RSTP"_code;
    found.reason.ede = dns::Ede::other;
    found.reason.zone = zone;
    found.reason.text = "the look-up of " + name.to_text() + " took more referrals than are allowed";
    return found;
}

}  // namespace

/// The deepest zone at or above a name whose servers are known; at the very beginning, the root's after priming.
task::Task<cache::ZoneCut> Iterator::start_from(dns::Name name, Context context) {
    cache::ZoneCut cut = deepest_cut(name);
    if (!cut.servers.empty()) co_return cut;
    cache::ZoneCut primed = co_await prime(std::move(context));
    co_return primed;
}

task::Task<Found> Iterator::find(dns::Name name, dns::Type type, Context context) {
    // A DS belongs to the parent's side of the cut, also where both sides live on one server (RFC 4035 3.1.4.1,
    // pitfalls 30).
    const bool parent_side = type == dns::Type::ds && !name.is_root();
    dns::Name start = parent_side ? name.parent() : name;
    std::optional<Forwarding::Way> way = tools_.forwarding.way(start);
    if (way) {
        Forwarding::Way asked_way = *way;
        dns::Name asked_name = name;
        Context asked_context = context;
        Found forwarded =
            co_await find_by_forwarder(std::move(asked_way), std::move(asked_name), type, std::move(asked_context));
        if (forwarded.reply || way->first == Switch::off) co_return forwarded;
    }
    co_return co_await walk_down(std::move(name), type, std::move(context), Aim::answer);
}

task::Task<Found> Iterator::learn_delegation(dns::Name zone, Context context) {
    // Forwarders show no delegations.
    if (tools_.forwarding.way(zone.parent())) co_return Found();
    co_return co_await walk_down(std::move(zone), dns::Type::a, std::move(context), Aim::delegation);
}

task::Task<Found> Iterator::walk_down(dns::Name name, dns::Type type, Context context, Aim aim) {
    const bool parent_side = (type == dns::Type::ds || aim == Aim::delegation) && !name.is_root();
    dns::Name start = parent_side ? name.parent() : name;
    const bool forwarding = tools_.forwarding.stands_in();
    const Trail trail = trail_to(start);
    Guesses guesses(tools_.scheduler);
    send_ahead(guesses, trail.ended, name, type, context);
    cache::ZoneCut cut = trail.live;
    if (cut.servers.empty()) {
        Context starting = context;
        cut = co_await start_from(std::move(start), std::move(starting));
    }
    Walk walk(name, type, std::move(cut), tools_.settings);
    std::vector<dns::Name> expected;
    for (const cache::ZoneCut& ended : trail.ended) expected.push_back(ended.zone);
    walk.expect(std::move(expected));
    Found found;
    for (std::size_t step = 0; step < most_steps; ++step) {
        // Recursion was found to be impossible on the way.
        if (!forwarding && tools_.forwarding.stands_in())
            co_return co_await find(std::move(name), type, std::move(context));
        const std::pair<dns::Name, dns::Type> question = walk.question();
        dns::Name asked_name = question.first;
        const dns::Type asked_type = question.second;
        cache::ZoneCut asked_cut = walk.cut;
        Context asked_context = context;
        if (!walk.is_full(question)) asked_context.patience = Context::Patience::no;
        AskRef result;
        if (const std::optional<std::size_t> guess = guesses.find(walk.cut.zone, question)) {
            Guesses* sent = &guesses;
            cache::ZoneCut fresh = walk.cut;
            Context same = context;
            result = co_await confirmed(sent, *guess, std::move(fresh), std::move(same));
        }
        if (!result) {
            result = co_await ask(std::move(asked_cut), std::move(asked_name), asked_type, std::move(asked_context));
        }
        found.zone = walk.cut.zone;
        found.server = result->server;
        found.rcode = result->rcode;
        found.reason = result->reason;
        if (!result->reply) {
            // Where every server is unreachable at once, the answer to that comes after all of them.
            const MonoTime deadline = context.budget->deadline();
            co_await tools_.forwarding.settle(deadline);
            if (!forwarding && tools_.forwarding.stands_in()) continue;
            if (!walk.is_full(question) && result->kind != FailureKind::system) {
                walk.probe_failed(result->kind);
                continue;
            }
            // The delegation may have moved since it was learnt: ask the parent once more before giving up.
            const bool may_recheck = walk.from_cache && !walk.rechecked && !walk.cut.zone.is_root() &&
                                     result->kind != FailureKind::budget && result->kind != FailureKind::system;
            const Detour* stub = is_stub(walk.cut) ? stub_of(walk.cut.zone) : nullptr;
            if (!may_recheck || (stub != nullptr && stub->first == Switch::off)) co_return found;
            dns::Name parent = walk.cut.zone.parent();
            Context again = context;
            cache::ZoneCut above = co_await start_from(std::move(parent), std::move(again));
            walk.restart(std::move(above));
            continue;
        }
        const bool may_have_moved =
            result->last_resort && walk.from_cache && !walk.rechecked && !walk.cut.zone.is_root() && !is_stub(walk.cut);
        if (may_have_moved) {
            // So may it where its servers speak without authority: that is for those whom the parent names now.
            walk.rechecked = true;
            dns::Name zone = walk.cut.zone;
            Context again = context;
            const bool referred = co_await refresh_referral(std::move(zone), std::move(again));
            cache::ZoneCut fresh = deepest_cut(walk.cut.zone);
            if (referred && fresh.zone == walk.cut.zone && fresh.servers != walk.cut.servers) {
                walk.restart(std::move(fresh));
                continue;
            }
        }
        if (const auto* referral = std::get_if<Referral>(&*result->reply)) {
            walk.descend(take_referral(*referral, walk.cut, context));
            if (aim == Aim::delegation && referral->zone == name) co_return found;
            continue;
        }
        if (walk.is_full(question)) {
            found.reply = result->reply;
            co_return found;
        }
        const auto* response = std::get_if<dnssec::Response>(&*result->reply);
        const bool plain = response != nullptr && response->shape != dnssec::Shape::nxdomain &&
                           response->shape != dnssec::Shape::dname;
        // NXDOMAIN for a part of the name may be a server's ignorance of empty non-terminals: the whole name decides.
        if (plain) {
            walk.probed(question.first);
        } else {
            walk.stop_minimising();
        }
    }
    co_return too_many_referrals(name, walk.cut.zone, std::move(found));
}

task::Task<bool> Iterator::refresh_referral(dns::Name zone, Context context) {
    if (tools_.forwarding.way(zone.parent())) co_return false;
    cache::ZoneCut parent = deepest_cut(zone.parent());
    if (parent.servers.empty()) co_return false;
    cache::ZoneCut asked = parent;
    dns::Name name = zone;
    Context same = context;
    AskRef result = co_await ask(std::move(asked), std::move(name), dns::Type::a, std::move(same));
    const auto* referral = result->reply ? std::get_if<Referral>(&*result->reply) : nullptr;
    if (referral == nullptr || referral->zone != zone) co_return false;
    static_cast<void>(take_referral(*referral, parent, context));
    co_return true;
}

void Iterator::flush(const dns::Name& name, bool subtree) {
    std::erase_if(hosts_,
                  [&](const auto& entry) { return subtree ? entry.first.is_within(name) : entry.first == name; });
    std::erase_if(child_servers_,
                  [&](const auto& entry) { return subtree ? entry.first.is_within(name) : entry.first == name; });
    tools_.evidence.flush(name);
    if (name.is_root() && subtree) root_.reset();
}

}  // namespace mxtrust::resolve
