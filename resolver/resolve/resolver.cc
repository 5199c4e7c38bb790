#include "resolve/resolver.h"

#include <algorithm>
#include <numeric>

#include "resolve/aggressive.h"
#include "resolve/all_sets.h"
#include "resolve/chain.h"
#include "resolve/exchange.h"
#include "resolve/fitting_cache.h"
#include "resolve/iterate.h"
#include "resolve/lookup_key.h"
#include "resolve/report.h"
#include "resolve/servers.h"
#include "resolve/servers_note.h"
#include "resolve/shelf.h"
#include "resolve/unchecked.h"
#include "task/gather.h"
#include "task/nursery.h"

namespace mxtrust::resolve {
namespace {

using dnssec::Answer, dnssec::Finding, dnssec::FindingRef, dnssec::Outcome, dnssec::Security;

constexpr std::size_t most_lookups_in_flight = 10'000;
constexpr std::size_t most_refreshes = 64;         // at a time: clients come first
constexpr std::size_t most_refreshed = 10'000;     // remembered, so that one is not begun again at once
constexpr std::chrono::seconds refresh_pause{10};  // after the last try
constexpr Duration refresh_time{5000};
constexpr std::uint32_t last_part_of_life = 10;  // a question in the last tenth of an answer's life renews it

Finding::Parts failed_parts(const dns::Name& name, dns::Type type, Code code, dns::Ede ede, std::string text,
                            WallTime expires) {
    Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.outcome = Outcome::failure;
    parts.rcode = dns::Rcode::servfail;
    parts.zone = name;
    parts.reason.code = code;
    parts.reason.ede = ede;
    parts.reason.text = std::move(text);
    parts.reason.record = dns::to_text(type) + " " + name.to_text();
    parts.expires = expires;
    return parts;
}

/// A secure denial of DS that was learnt from a referral.
bool lacks_soa(const Finding& finding) {
    if (finding.type() != dns::Type::ds || finding.outcome() != Outcome::nodata || !finding.is_secure()) return false;
    return std::ranges::none_of(finding.proof(), [](const dns::RRsetRef& set) { return set->type == dns::Type::soa; });
}

/// From alias to alias; `find` says what there is at a name. Empty where a link is not there, or one too many.
template <class Find>
std::vector<FindingRef> links_from(dns::Name name, dns::Type type, Find find) {
    std::vector<FindingRef> links;
    while (links.size() <= most_aliases) {
        FindingRef link = find(name);
        if (!link) return {};
        const bool last = !link->is_alias() || type == dns::Type::cname;
        links.push_back(std::move(link));
        if (last) return links;
        Result<dns::Name> target = links.back()->alias_target();
        if (!target) return {};
        name = std::move(*target);
    }
    return {};
}

}  // namespace

struct Resolver::State {
    State(Settings given, Tools given_tools)
        : settings(std::move(given)),
          fitting(settings, given_tools.cache),
          tools{given_tools.clock, given_tools.random,    given_tools.network, fitting,
                given_tools.log,   given_tools.scheduler, given_tools.relay,   given_tools.board},
          evidence(tools.random),
          own_board(given_tools.log),
          servers(tools.random),
          exchange(options_of(settings),
                   {tools.clock, tools.random, tools.network, servers, tools.log, tools.scheduler}),
          forwarding({settings, tools.clock, tools.random, tools.network, tools.log, tools.scheduler,
                      tools.board != nullptr ? *tools.board : own_board, tools.relay}),
          report_agents(tools.random),
          iterator({settings, tools.clock, tools.random, tools.cache, tools.scheduler, servers, exchange, evidence,
                    forwarding, report_agents}),
          chain({settings, tools.clock, tools.random, tools.cache, tools.scheduler, iterator, evidence, counters}),
          reporter({settings, tools.clock, tools.random, tools.cache, tools.log, tools.scheduler, report_agents, chain},
                   meter),
          flights(tools.scheduler, most_lookups_in_flight, LookupKeyHash(tools.random)),
          shelf(settings.most_stale, tools.random),
          refreshed(0, LookupKeyHash(tools.random)),
          prefetches(tools.scheduler) {
        iterator.on_referral([this](const dns::Name& zone, const Context& context) {
            const Evidence::Entry* said = evidence.find(zone, tools.clock.wall());
            const bool signed_zone = said != nullptr && said->response.positive;
            if (signed_zone) prefetches.spawn(fetch_keys(zone, context));
        });
    }

    /// The keys of a zone on the way are fetched beside the referrals; the chain joins the flight later.
    task::Task<void> fetch_keys(dns::Name zone, Context context) {
        dnssec::ZoneTrust trust = co_await chain.trust_of(std::move(zone), std::move(context), Chain::Reach::keys);
        static_cast<void>(trust);
    }

    /// The zone that will be asked is known, or was known once, and its keys have ended, or what its parent says of it:
    /// these are fetched beside the question, not after its answer.
    void fetch_keys_beside(const dns::Name& name, const Context& context) {
        const Trail trail = iterator.trail_to(name);
        const dns::Name& zone = trail.ended.empty() ? trail.live.zone : trail.ended.back().zone;
        if (!zone.is_root() && chain.is_to_be_renewed(zone)) prefetches.spawn(fetch_keys(zone, context));
    }

    [[nodiscard]] FindingRef cached(const dns::Name& name, dns::Type type);
    task::Task<FindingRef> lookup(dns::Name name, dns::Type type, Context context);
    task::Task<FindingRef> lookup_alone(dns::Name name, dns::Type type, Context context);
    [[nodiscard]] FindingRef denied_by_cache(const dns::Name& name, dns::Type type, Budget& budget);
    /// Good enough for a client, without asking anybody; null otherwise.
    [[nodiscard]] FindingRef known(const dns::Name& name, dns::Type type, Budget& budget);
    [[nodiscard]] FindingRef hand_out(const FindingRef& known);
    /// Asks again, beside whoever asks, in a budget of its own.
    void refresh(const dns::Name& name, dns::Type type);
    task::Task<void> refresh_alone(dns::Name name, dns::Type type);
    void refresh_if_ending(const Finding& known);
    [[nodiscard]] FindingRef stale(const dns::Name& name, dns::Type type);
    [[nodiscard]] FindingRef too_late(const dns::Name& name, dns::Type type) const;
    void count(const Answer& answer, QuestionNumber question);
    [[nodiscard]] ZoneStep describe(const dns::Name& zone, const dnssec::ZoneTrust& trust,
                                    const cache::ZoneCut& cut) const;

    Settings settings;
    FittingCache fitting;
    Tools tools;
    Counters counters;
    std::shared_ptr<Meter> meter = std::make_shared<Meter>();  // budgets may outlive us
    [[nodiscard]] ForwarderBoard& board() { return tools.board != nullptr ? *tools.board : own_board; }

    Evidence evidence;
    ForwarderBoard own_board;  // where nobody gave one
    Servers servers;
    std::uint64_t servers_noted = 0;  ///< servers.changes() then
    Exchange exchange;
    Forwarding forwarding;
    ReportAgents report_agents;
    Iterator iterator;
    Chain chain;
    Reporter reporter;
    task::SingleFlight<LookupKey, FindingRef, LookupKeyHash> flights;
    Shelf shelf;
    std::unordered_map<LookupKey, WallTime, LookupKeyHash> refreshed;  ///< not again before
    task::Nursery prefetches;                                          // last: what runs in there uses the rest
};

Resolver::Resolver(Settings settings, Tools tools) : state_(std::make_unique<State>(std::move(settings), tools)) {}
Resolver::~Resolver() = default;

const Settings& Resolver::settings() const {
    return state_->settings;
}

const Counters& Resolver::counters() const {
    const Exchange::Counters& sent = state_->exchange.counters();
    state_->counters.upstream_udp = sent.udp;
    state_->counters.upstream_tcp = sent.tcp;
    state_->counters.upstream_retries = sent.retries;
    state_->counters.upstream_timeouts = sent.timeouts;
    state_->counters.upstream_time = sent.time;
    state_->counters.suspicious = sent.suspicious;
    state_->counters.crowded = state_->exchange.crowd().turned_away();
    state_->counters.in_flight = state_->flights.in_flight();
    const Servers::Count servers = state_->servers.count();
    state_->counters.servers_known = servers.known;
    state_->counters.servers_failing = servers.failing;
    state_->counters.reports = state_->reporter.sent();
    const Meter& spent = state_->counters.spent = *state_->meter;
    state_->counters.verifications = spent.drawn.at(static_cast<std::size_t>(Limit::verifications));
    state_->counters.budget_exhausted =
        std::accumulate(spent.exhausted.begin(), spent.exhausted.end(), state_->counters.answers_exhausted);
    return state_->counters;
}

const Resolver::Tools& Resolver::tools() const {
    return state_->tools;
}

BudgetRef Resolver::budget(Duration time, BudgetRef parent, std::optional<QuestionNumber> own) const {
    MonoTime deadline = state_->tools.clock.mono() + time;
    if (parent) deadline = std::min(deadline, parent->deadline());
    if (!own && !parent) own = state_->tools.log.next_question();
    return std::make_shared<Budget>(state_->settings.lookup_limits, deadline, std::move(parent), state_->meter,
                                    own.value_or(QuestionNumber{}));
}

void Resolver::set_negative_anchors(dnssec::NegativeAnchors anchors) {
    state_->settings.negative_anchors = std::move(anchors);
}

void Resolver::flush(const dns::Name& name, bool subtree) {
    state_->iterator.flush(name, subtree);
    state_->chain.flush(name);
    state_->shelf.flush(name, subtree);
}

void Resolver::recall_servers(std::size_t worker) {
    resolve::recall_servers(state_->servers, worker, state_->tools.cache, state_->tools.clock);
}

void Resolver::note_servers(std::size_t worker) {
    if (state_->servers_noted == state_->servers.changes()) return;
    const std::uint64_t changes = state_->servers.changes();
    if (resolve::note_servers(state_->servers, worker, state_->tools.cache, state_->tools.clock)) {
        state_->servers_noted = changes;
    }
}

/// Everything the cache can say without asking anybody.
FindingRef Resolver::State::cached(const dns::Name& name, dns::Type type) {
    const WallTime now = tools.clock.wall();
    if (FindingRef known = tools.cache.find(name, type, now)) return known;
    const dns::Name inside = type == dns::Type::ds && !name.is_root() ? name.parent() : name;
    const std::size_t least = forwarding.configured_zone(inside).label_count();
    for (std::size_t labels = name.label_count(); labels > least; --labels) {
        const dns::Name above = name.ancestor(labels - 1);
        if (FindingRef dname = Finding::answering(tools.cache.find_dname(above, now), name, type)) return dname;
        // RFC 8020: nothing exists below a name that does not exist.
        if (FindingRef nothing = Finding::answering(tools.cache.find_nxdomain(above, now), name, type)) return nothing;
    }
    return nullptr;
}

FindingRef Resolver::State::too_late(const dns::Name& name, dns::Type type) const {
    return Finding::failure(
        failed_parts(name, type, "RLUP"_code, dns::Ede::no_reachable_authority,
                     "no answer for " + name.to_text() + " " + dns::to_text(type) + " came in the time there was",
                     tools.clock.wall() + failure_ttl));
}

/// A question that secure NSEC or NSEC3 sets in the cache answer already (RFC 8198).
FindingRef Resolver::State::denied_by_cache(const dns::Name& name, dns::Type type, Budget& budget) {
    if (settings.aggressive_denial == Switch::off || name.is_root()) return nullptr;
    // What the operator took out of validation is asked, whatever its signed parent denies.
    if (settings.negative_anchors.above(name, tools.clock.wall()) != nullptr) return nullptr;
    const dns::Name inside = type == dns::Type::ds ? name.parent() : name;
    const dns::Name zone = iterator.deepest_cut(inside).zone;
    if (forwarding.configured_zone(inside).is_below(zone)) return nullptr;
    FindingRef denied = deny_from_cache(tools.cache, name, type, zone, settings.policy, tools.clock.wall(), budget);
    if (denied && denied->is_secure()) tools.cache.store(denied);
    return denied;
}

task::Task<FindingRef> Resolver::State::lookup_alone(dns::Name name, dns::Type type, Context context) {
    if (type == dns::Type::dnskey) {
        // The chain needs these keys in any case; afterwards they are in the cache.
        dns::Name zone = name;
        Context first = context;
        dnssec::ZoneTrust trust = co_await chain.trust_of(std::move(zone), std::move(first), Chain::Reach::keys);
        static_cast<void>(trust);
        if (FindingRef known = cached(name, type)) co_return known;
    }
    if (type == dns::Type::ds && !name.is_root()) {
        dns::Name zone = name;
        Context first = context;
        FindingRef known = co_await chain.ds_of(std::move(zone), std::move(first));
        // A referral's proof comes without the SOA that a client needs to keep a denial (RFC 2308 5).
        if (!lacks_soa(*known)) co_return known;
        FindingRef whole = co_await chain.fetch(std::move(name), type, std::move(context));
        co_return whole->outcome() == Outcome::failure ? known : whole;
    }
    if (type != dns::Type::dnskey) fetch_keys_beside(name, context);
    co_return co_await chain.fetch(std::move(name), type, std::move(context));
}

FindingRef Resolver::State::known(const dns::Name& name, dns::Type type, Budget& budget) {
    FindingRef found = cached(name, type);
    if (!found || lacks_soa(*found)) {
        if (FindingRef denied = denied_by_cache(name, type, budget)) found = denied;
    }
    return found && !lacks_soa(*found) ? found : nullptr;
}

FindingRef Resolver::State::hand_out(const FindingRef& known) {
    ++counters.from_cache;
    refresh_if_ending(*known);
    shelf.put(known);
    return Finding::remembered(known);
}

task::Task<FindingRef> Resolver::State::lookup(dns::Name name, dns::Type type, Context context) {
    if (FindingRef found = known(name, type, *context.budget)) co_return hand_out(found);
    auto starter = [this, name, type, context]() { return lookup_alone(name, type, context); };
    LookupKey key{name, type};
    const MonoTime deadline = context.budget->patience();
    std::optional<FindingRef> found = co_await flights.run(std::move(key), deadline, starter);
    // Ended by what had been spent for somebody else's mail question, and not remembered: once more, for ourselves.
    const bool in_vain = found && *found && (*found)->outcome() == Outcome::failure;
    if (in_vain && !context.budget->exhausted() && !tools.cache.find(name, type, tools.clock.wall())) {
        LookupKey again{name, type};
        found = co_await flights.run(std::move(again), deadline, std::move(starter));
    }
    if (found && *found) {
        shelf.put(*found);
        reporter.consider(**found, context.budget->question());
        co_return std::move(*found);
    }
    co_return too_late(name, type);
}

task::Task<void> Resolver::State::refresh_alone(dns::Name name, dns::Type type) {
    const MonoTime deadline = tools.clock.mono() + refresh_time;
    Context context{std::make_shared<Budget>(settings.lookup_limits, deadline, nullptr, meter), 0, {}};
    FindingRef fresh = co_await chain.fetch(std::move(name), type, std::move(context));
    shelf.put(fresh);
}

void Resolver::State::refresh(const dns::Name& name, dns::Type type) {
    const WallTime now = tools.clock.wall();
    if (prefetches.size() >= most_refreshes) return;
    WallTime& next = refreshed[LookupKey{name, type}];
    if (next > now) return;
    next = now + refresh_pause;
    if (refreshed.size() > most_refreshed) refreshed.clear();
    prefetches.spawn(refresh_alone(name, type));
}

/// Somebody wants it, and it ends soon: the next one shall not have to wait. Keys and DS are renewed with what they
/// prove.
void Resolver::State::refresh_if_ending(const Finding& known) {
    if (settings.prefetch == Switch::off || known.outcome() == Outcome::failure) return;
    if (known.type() == dns::Type::ds || known.type() == dns::Type::dnskey) return;
    if (known.rrset() ? known.rrset()->owner != known.name() : known.proof().empty()) return;
    const dns::Ttl life = known.rrset() ? known.rrset()->ttl : known.proof().front()->ttl;
    if ((known.expires() - tools.clock.wall()) * last_part_of_life > life) return;
    refresh(known.name(), known.type());
}

/// Never "insecure" beyond the time for which that is known: in the meantime the zone may have been signed.
FindingRef Resolver::State::stale(const dns::Name& name, dns::Type type) {
    FindingRef old = shelf.take(name, type, tools.clock.wall());
    if (!old || !fits(*old, settings, tools.clock.wall())) return nullptr;
    if (old->is_secure() || chain.is_known_unsigned(old->zone())) return old;
    return nullptr;
}

void Resolver::State::count(const Answer& answer, QuestionNumber question) {
    ++counters.judged.at(judged_place(answer.security(), answer.final().outcome()));
    switch (answer.security()) {
        case Security::secure:
            ++counters.secure;
            break;
        case Security::insecure:
            ++counters.insecure;
            break;
        case Security::bogus:
            ++counters.bogus;
            break;
        case Security::indeterminate:
            ++counters.indeterminate;
            break;
    }
    if (answer.security() != Security::secure && !answer.reason().text.empty()) {
        tools.log.not_secure(question, answer.name(), answer.type(), answer.security(), answer.reason());
    }
}

task::Task<Answer> Resolver::resolve(dns::Name name, dns::Type type, BudgetRef budget) {
    ++state_->counters.questions;
    const Timed timed(state_->counters.lookup_time, state_->tools.clock);
    state_->board().came_in(name, state_->tools.clock.wall());
    std::vector<FindingRef> links;
    if (type == dns::Type::rrsig || type == dns::Type::sig) {
        // Nothing signs a signature, so that it cannot be judged by itself (RFC 4035 2.2); it comes with what it signs.
        links.push_back(
            Finding::failure(failed_parts(name, type, "RSIG"_code, dns::Ede::not_supported,
                                          "signatures are answered with the records they cover, not by themselves",
                                          state_->tools.clock.wall() + failure_ttl)));
        co_return Answer(std::move(links));
    }
    std::vector<dns::Name> visited;  // a dozen at most
    dns::Name next = std::move(name);
    while (true) {
        visited.push_back(next);
        dns::Name asked = next;
        Context context{budget, 0, {}};
        FindingRef link = co_await state_->lookup(std::move(asked), type, std::move(context));
        links.push_back(link);
        // Asked for the CNAME itself: below a DNAME it is the one made from it, and the answer ends there (RFC
        // 6672 3.2).
        if (!link->is_alias() || type == dns::Type::cname) break;
        Result<dns::Name> target = link->alias_target();
        const WallTime soon = state_->tools.clock.wall() + failure_ttl;
        if (!target) {
            // RFC 6672 2.2: the substituted name is too long; the answer to that is YXDOMAIN.
            Finding::Parts parts =
                failed_parts(next, type, "RYXD"_code, dns::Ede::other,
                             "the DNAME at " + link->rrset()->owner.to_text() + " makes a name that is too long", soon);
            parts.rcode = dns::Rcode::yxdomain;
            links.push_back(Finding::failure(std::move(parts)));
            break;
        }
        const bool circle = std::ranges::find(visited, *target) != visited.end();
        if (circle || links.size() > most_aliases) {
            const std::string what =
                circle ? "lead in a circle" : "are longer than " + std::to_string(most_aliases) + " steps";
            links.push_back(Finding::failure(
                failed_parts(*target, type, "RALI"_code, dns::Ede::other,
                             "the aliases from " + links.front()->name().to_text() + " " + what, soon)));
            break;
        }
        next = std::move(*target);
    }
    Answer answer(std::move(links));
    state_->count(answer, budget->question());
    co_return answer;
}

std::optional<Answer> Resolver::peek(const dns::Name& name, dns::Type type) {
    auto links = links_from(name, type, [&](const dns::Name& next) { return state_->cached(next, type); });
    if (links.empty()) return std::nullopt;
    return Answer(std::move(links));
}

std::optional<Answer> Resolver::at_hand(const dns::Name& name, dns::Type type, Budget& budget) {
    auto links = links_from(name, type, [&](const dns::Name& next) { return state_->known(next, type, budget); });
    if (links.empty()) return std::nullopt;
    ++state_->counters.questions;
    const Timed timed(state_->counters.lookup_time, state_->tools.clock);
    state_->board().came_in(name, state_->tools.clock.wall());
    for (FindingRef& link : links) link = state_->hand_out(link);
    Answer answer(std::move(links));
    state_->count(answer, budget.question());
    return answer;
}

std::optional<Answer> Resolver::peek_stale(const dns::Name& name, dns::Type type) {
    std::vector<FindingRef> links;
    dns::Name next = name;
    bool any_stale = false;
    while (state_->shelf.is_used() && links.size() <= most_aliases) {
        FindingRef link = state_->cached(next, type);
        if (!link || link->outcome() == Outcome::failure) {
            link = state_->stale(next, type);
            any_stale = true;
        }
        if (!link) return std::nullopt;
        links.push_back(link);
        if (!link->is_alias()) return any_stale ? std::optional(Answer(std::move(links))) : std::nullopt;
        Result<dns::Name> target = link->alias_target();
        if (!target) return std::nullopt;
        next = std::move(*target);
    }
    return std::nullopt;
}

void Resolver::refresh(const Answer& stale) {
    const WallTime now = state_->tools.clock.wall();
    for (const FindingRef& link : stale.links()) {
        if (link->expires() <= now) state_->refresh(link->name(), link->type());
    }
}

task::Task<std::vector<FindingRef>> Resolver::resolve_any(dns::Name name, BudgetRef budget) {
    Iterator* iterator = &state_->iterator;
    Chain* chain = &state_->chain;
    co_return co_await find_all(iterator, chain, std::move(name), std::move(budget));
}

task::Task<RawAnswer> Resolver::resolve_unchecked(dns::Name name, dns::Type type, BudgetRef budget) {
    const WallTime now = state_->tools.clock.wall();
    state_->board().came_in(name, now);
    const Lifetime life{now, state_->settings.policy.least_ttl, state_->settings.policy.most_ttl};
    co_return co_await find_unchecked(&state_->iterator, std::move(name), type, life, std::move(budget));
}

/// One zone of the chain, as `explain` shows it: what the parent says, what the zone says, who was asked.
ZoneStep Resolver::State::describe(const dns::Name& zone, const dnssec::ZoneTrust& trust,
                                   const cache::ZoneCut& cut) const {
    const WallTime now = tools.clock.wall();
    ZoneStep step;
    step.zone = zone;
    step.security = trust.security();
    step.reason = trust.reason();
    const dnssec::TrustAnchor* anchor = settings.anchors.closest(zone);
    if (anchor != nullptr && anchor->zone == zone) step.ds = anchor->ds;
    const FindingRef ds = tools.cache.find(zone, dns::Type::ds, now);
    const dnssec::Shown& shown = trust.shown();
    const bool is_from_cache = ds && ds->outcome() == Outcome::records && !ds->is_alias();
    if (!is_from_cache && step.ds.empty()) step.ds = shown.ds;
    if (is_from_cache) {
        for (const Bytes& rdata : ds->rrset()->records) {
            if (Result<dns::Ds> parsed = dns::parse_ds(rdata)) step.ds.push_back(std::move(*parsed));
        }
    }
    step.keys = shown.keys;
    step.key_signatures = shown.signatures;
    if (cut.zone != zone) return step;
    for (const cache::NameServer& server : cut.servers) {
        std::string text = server.name.to_text();
        for (const Address& address : server.addresses) {
            text += " " + address.to_text();
            if (const std::optional<Duration> time = servers.round_trip(address))
                text += " (" + std::to_string(time->count()) + " ms)";
        }
        step.servers.push_back(std::move(text));
    }
    return step;
}

task::Task<Explanation> Resolver::explain(dns::Name name, dns::Type type, BudgetRef budget) {
    dns::Name asked = name;
    BudgetRef same = budget;
    Answer answer = co_await resolve(std::move(asked), type, std::move(same));
    const MonoTime until = budget->patience();
    std::vector<ZoneStep> steps;
    const dns::Name last = answer.expanded();
    for (std::size_t labels = 0; labels <= last.label_count(); ++labels) {
        const dns::Name zone = last.ancestor(labels);
        const cache::ZoneCut cut = state_->iterator.deepest_cut(zone);
        // Forwarders show no cuts; a DS does.
        const FindingRef ds = state_->tools.cache.find(zone, dns::Type::ds, state_->tools.clock.wall());
        const bool delegated = ds && ds->outcome() == Outcome::records && !ds->is_alias();
        const bool is_zone = cut.zone == zone || delegated || answer.final().zone() == zone;
        if (!is_zone || (type == dns::Type::ds && zone == last && !zone.is_root())) continue;
        dns::Name apex = zone;
        Context context{budget, 0, {}};
        task::Task<dnssec::ZoneTrust> asking =
            state_->chain.trust_of(std::move(apex), std::move(context), Chain::Reach::keys);
        std::optional<dnssec::ZoneTrust> trust = co_await task::with_deadline(std::move(asking), until);
        if (!trust) break;  // whoever asked has gone
        steps.push_back(state_->describe(zone, *trust, cut));
    }
    co_return Explanation{std::move(steps), std::move(answer)};
}

bool Resolver::validates_nothing() const {
    return state_->settings.anchors.empty() && state_->forwarding.way(dns::Name());
}
task::Task<void> Resolver::tend_forwarders() {
    co_await state_->forwarding.tend();
}

task::Task<Result<dnssec::Observation>> Resolver::observe_anchor(dns::Name zone, BudgetRef budget) {
    co_return co_await state_->chain.observe_anchor(std::move(zone), std::move(budget));
}

task::Task<void> Resolver::signal_trusted_keys(dns::Name zone, BudgetRef budget) {
    co_await state_->chain.signal_trusted_keys(std::move(zone), std::move(budget));
}

void Resolver::set_anchors(dnssec::TrustAnchors anchors) {
    state_->settings.anchors = std::move(anchors);
    state_->chain.forget_all();
    flush(dns::Name(), true);
}

task::Task<Result<FindingRef>> Resolver::probe_root(BudgetRef budget) {
    const dns::Name root;
    dns::Name asked = root;
    Answer answer = co_await resolve(std::move(asked), dns::Type::ns, std::move(budget));
    FindingRef finding = answer.links().back();
    // A root that answers and does not hold is another trouble than one that does not answer: the clock, the anchors, a
    // forger.
    if (finding->outcome() == Outcome::failure && finding->security() != Security::bogus) {
        co_return fail(FailureKind::unreachable, "RPRB"_code,
                       "no root server can be reached: " + finding->reason().text);
    }
    co_return finding;
}

}  // namespace mxtrust::resolve
