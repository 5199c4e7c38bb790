// Delegations that have ended, as guesses: while the parent is asked whom the zone belongs to now, those who had it
// last are asked what is wanted. If the parent names the same server again, its answer is what it would be if it were
// asked now, a round trip later; if not, it was never heard (A30: nobody lives on by what a former parent said).
// Nothing is learnt from a guess, and each proof is made anew from what comes.
#include "resolve/guess.h"

#include <algorithm>

#include "resolve/walk.h"

namespace mxtrust::resolve {

Trail Iterator::trail_to(const dns::Name& name) const {
    const WallTime now = tools_.clock.wall();
    Trail trail;
    bool found = false;
    for (std::size_t labels = name.label_count(); labels > 0 && !found; --labels) {
        const dns::Name zone = name.ancestor(labels);
        if (const Detour* stub = stub_of(zone)) {
            trail.live = stub_cut(*stub);
            found = true;
            continue;
        }
        const std::shared_ptr<const cache::ZoneCut> cut = tools_.cache.find_cut_of_any_age(zone, now);
        if (!cut) continue;
        found = cut->expires > now;
        if (found) trail.live = *cut;
        if (!found && trail.ended.size() < most_guessed_cuts) trail.ended.push_back(*cut);
    }
    if (!found) trail.live = deepest_cut(dns::Name());
    std::ranges::reverse(trail.ended);
    // Only as far as each one's parent is the one before: what lies beyond a gap cannot be asked for in one go.
    dns::Name above = trail.live.zone;
    std::size_t linked = 0;
    while (linked < trail.ended.size() && trail.ended[linked].parent == above) above = trail.ended[linked++].zone;
    trail.ended.resize(linked);
    return trail;
}

/// Where a name server was, as far as that is remembered.
std::vector<Address> Iterator::once_known_addresses(const dns::Name& host) const {
    const WallTime now = tools_.clock.wall();
    std::vector<Address> addresses;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        if (!uses(family)) continue;
        if (const std::optional<std::vector<Address>> known = known_addresses(host, family)) {
            addresses.insert(addresses.end(), known->begin(), known->end());
            continue;
        }
        const auto ended = tools_.cache.find_ended(host, family == Family::ipv4 ? dns::Type::a : dns::Type::aaaa, now);
        if (!ended) continue;
        for (const Bytes& rdata : ended->records) {
            const Result<Address> address = Address::from_rdata(rdata);
            if (address && addresses.size() < most_guessed_attempts) addresses.push_back(*address);
        }
    }
    for (std::size_t labels = host.label_count(); labels > 0 && addresses.empty(); --labels) {
        const auto cut = tools_.cache.find_cut_of_any_age(host.ancestor(labels), now);
        if (!cut) continue;
        for (const cache::NameServer& server : cut->servers) {
            if (server.name == host) addresses = server.addresses;
        }
    }
    return addresses;
}

std::vector<Candidate> Iterator::guessed_candidates(const cache::ZoneCut& ended, const Context& context) const {
    std::vector<Candidate> candidates = known_candidates(ended, context);
    for (const cache::NameServer& server : ended.servers) {
        if (candidates.size() >= most_guessed_attempts) break;
        if (server.addresses.empty())
            add_candidates(candidates, server.name, once_known_addresses(server.name), context);
    }
    return candidates;
}

void Iterator::send_ahead(Guesses& guesses, const std::vector<cache::ZoneCut>& ended, const dns::Name& name,
                          dns::Type type, const Context& context) {
    if (ended.empty() || !context.excluded.empty()) return;
    std::vector<dns::Name> zones;
    for (const cache::ZoneCut& cut : ended) zones.push_back(cut.zone);
    Context guess = context;
    guess.ground = Context::Ground::guess;
    guess.patience = Context::Patience::no;
    for (const cache::ZoneCut& cut : ended) {
        Walk walk(name, type, cut, tools_.settings);
        walk.expect(zones);
        const std::pair<dns::Name, dns::Type> question = walk.question();
        guesses.all.push_back({cut, question, nullptr});
        guesses.asking.add(ask(cut, question.first, question.second, guess));
        // Whose addresses have ended, too: they will be wanted as soon as the parent has named it again.
        if (context.depth > 1) continue;
        for (const cache::NameServer& server : cut.servers) {
            if (guesses.hosts.pending() >= most_guessed_servers) break;
            const bool outside = server.addresses.empty() && !server.name.is_within(cut.zone);
            if (outside && glue_of(server.name).empty()) guesses.hosts.add(candidates_of(server.name, context));
        }
    }
}

/// What was said on a guess, where the fresh delegation names the server that said it. Null otherwise, and where it is
/// not there in the time the server usually takes.
task::Task<Iterator::AskRef> Iterator::confirmed(Guesses* guesses, std::size_t index, cache::ZoneCut fresh,
                                                 Context context) {
    const auto names = [&fresh](const dns::Name& name) {
        return std::ranges::any_of(fresh.servers, [&name](const auto& server) { return server.name == name; });
    };
    const std::vector<cache::NameServer>& before = guesses->all.at(index).ended.servers;
    if (std::ranges::none_of(before, [&names](const auto& server) { return names(server.name); })) co_return nullptr;
    MonoTime patience = tools_.clock.mono();
    for (const Candidate& candidate : known_candidates(fresh, context))
        patience = std::max(patience, tools_.clock.mono() + tools_.servers.hedge_delay(candidate.address));
    patience = std::min(patience, context.budget->deadline());
    while (!guesses->all.at(index).said) {
        auto finished = co_await guesses->asking.next(patience);
        if (!finished) break;
        guesses->all.at(finished->first).said = std::move(finished->second);
    }
    const AskRef said = guesses->all.at(index).said;
    if (!said || !said->reply) co_return nullptr;
    const auto is_who_said_it = [&said](const Candidate& candidate) {
        return candidate.address == said->server.address && candidate.port == said->server.port;
    };
    if (std::ranges::any_of(known_candidates(fresh, context), is_who_said_it)) co_return said;
    if (!names(said->server.server)) co_return nullptr;
    dns::Name host = said->server.server;
    std::vector<Candidate> found = co_await candidates_of(std::move(host), std::move(context));
    const bool same = std::ranges::any_of(found, is_who_said_it);
    co_return same ? said : nullptr;
}

}  // namespace mxtrust::resolve
