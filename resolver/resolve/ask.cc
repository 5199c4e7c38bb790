// One question to one zone: its servers in turn, the fastest first, a second one beside a slow one, until one gives
// something that can be used. Each kind of trouble has its own handling (attacks A15, A16; RFC 9520).
#include <algorithm>
#include <utility>

#include "dns/text.h"
#include "resolve/iterate.h"
#include "resolve/report.h"
#include "resolve/scrub.h"

namespace mxtrust::resolve {
namespace {

std::string describe(const Candidate& candidate) {
    return candidate.server.to_text() + " (" + candidate.address.to_text() + ")";
}

/// How much a failure tells: an error said by a server is worth more than silence.
int weight(FailureKind kind) {
    switch (kind) {
        case FailureKind::budget:
            return 4;
        case FailureKind::refused:
            return 3;
        case FailureKind::malformed:
            return 2;
        case FailureKind::timeout:
            return 1;
        case FailureKind::unreachable:
        case FailureKind::cancelled:
        case FailureKind::system:
        case FailureKind::unsupported:
            return 0;
    }
    return 0;
}

/// A server's own words (RFC 8914 6: unauthenticated, for a person only): short, without what could pass for ours.
std::string what_it_says(const std::vector<dns::ExtendedError>& errors) {
    constexpr std::size_t most_octets = 100;
    for (const dns::ExtendedError& error : errors) {
        std::string text = dns::clean_text(error.text, most_octets);
        std::ranges::replace_if(text, [](char one) { return one == '[' || one == ']' || one == '"'; }, '\'');
        if (!text.empty()) return " (it says \"" + text + "\")";
    }
    return {};
}

constexpr Duration look_up_hedge{500};              // a name server that is not found by then gets company
constexpr std::size_t most_missing_glue = 2;        // names of one referral whose addresses the parent is asked for
constexpr Duration check_interval{100};             // how soon forwarders that come to stand in are noticed
constexpr std::size_t most_child_servers = 10'000;  // zones of which is kept what they say of their own servers
constexpr std::chrono::seconds most_child_servers_ttl{86'400};
constexpr std::size_t most_troubles_told = 4;  // in one sentence; the rest is counted
constexpr Duration time_to_tell{20};           // for a failure to come up through all that waits for it

}  // namespace

/// Whom to ask, in which order, and who was asked already. Pure.
class Iterator::Roster {
  public:
    Roster(const cache::ZoneCut& cut, const std::vector<dns::Name>& unverified) : nameless_(unverified) {
        const auto addressed = [](const cache::NameServer& server) { return !server.addresses.empty(); };
        const bool any_glue = std::ranges::any_of(cut.servers, addressed);
        for (const cache::NameServer& server : cut.servers) {
            // A server inside its own zone, with no way into the zone, cannot be found (A34).
            const bool hopeless = !any_glue && server.name.is_within(cut.zone);
            if (server.addresses.empty() && !hopeless) nameless_.push_back(server.name);
        }
    }
    void add(std::vector<Candidate> ordered) {
        for (Candidate& candidate : ordered) {
            // Many names for one address are one server (A16).
            const auto same = [&candidate](const Candidate& known) {
                return known.address == candidate.address && known.port == candidate.port;
            };
            if (std::ranges::any_of(all_, same)) continue;
            all_.push_back(candidate);
        }
    }
    std::optional<Candidate> next() {
        if (next_ >= all_.size()) return std::nullopt;
        return all_[next_++];
    }
    /// A name server whose address is not known yet; each is given out once.
    std::optional<dns::Name> next_nameless() {
        if (nameless_.empty() || looked_up_ >= most_unknown_servers) return std::nullopt;
        ++looked_up_;
        dns::Name name = nameless_.back();
        nameless_.pop_back();
        return name;
    }
    void failed(const AskResult& result) {
        if (result.kind == FailureKind::timeout && !second_round_) slow_.push_back(result.server);
        ++failures_;
        if (troubles_.size() < most_troubles_told) {
            troubles_.push_back(describe(result.server) + " " + result.reason.text);
        }
        if (weight(result.kind) > weight(kind_)) kind_ = result.kind;
        if (result.kind == FailureKind::refused) ++(result.lame == Lame::yes ? lame_ : erring_);
    }
    /// When all that came with the referral failed, or is of no use to us: the servers may have other addresses than
    /// their glue said. Once.
    bool look_further(const cache::ZoneCut& cut) {
        if (looked_further_) return false;
        looked_further_ = true;
        for (const cache::NameServer& server : cut.servers) {
            const bool already = std::ranges::find(nameless_, server.name) != nameless_.end();
            if (!server.addresses.empty() && !server.name.is_within(cut.zone) && !already)
                nameless_.push_back(server.name);
        }
        return !nameless_.empty();
    }
    /// Name servers that the zone alone knows. Once.
    bool turn_to_child(std::vector<dns::Name> names) {
        if (turned_to_child_) return false;
        turned_to_child_ = true;
        nameless_.insert(nameless_.end(), names.begin(), names.end());
        return !names.empty();
    }
    bool unverified_was_used() { return std::exchange(unverified_used_, true); }
    bool glue_was_fetched() { return std::exchange(glue_fetched_, true); }
    /// Those who were silent get one more chance, once: a packet may have been lost.
    bool second_round() {
        if (second_round_ || slow_.empty()) return false;
        second_round_ = true;
        second_from_ = all_.size();
        all_.insert(all_.end(), slow_.begin(), slow_.end());
        return next_ < all_.size();
    }
    /// Is the one given out last asked for the second time?
    [[nodiscard]] bool is_second_try() const {
        return second_round_ && next_ > second_from_ && next_ <= second_from_ + slow_.size();
    }
    [[nodiscard]] bool anybody() const { return !all_.empty(); }
    [[nodiscard]] FailureKind kind() const { return kind_; }
    [[nodiscard]] Trouble trouble() const {
        return Trouble{kind_, anybody(), lame_ > 0 && erring_ == 0 ? Lame::yes : Lame::no, told()};
    }
    [[nodiscard]] std::string told() const {
        std::string text;
        for (const std::string& trouble : troubles_) text += (text.empty() ? "" : "; ") + trouble;
        if (failures_ > troubles_.size()) text += "; and " + std::to_string(failures_ - troubles_.size()) + " more";
        return text;
    }

  private:
    std::vector<Candidate> all_, slow_;
    std::vector<dns::Name> nameless_;
    std::vector<std::string> troubles_;
    std::size_t second_from_ = 0;  ///< in all_: those behind it are asked for the second time
    std::size_t next_ = 0, looked_up_ = 0, failures_ = 0, lame_ = 0, erring_ = 0;
    bool second_round_ = false, looked_further_ = false, glue_fetched_ = false, turned_to_child_ = false,
         unverified_used_ = false;
    FailureKind kind_ = FailureKind::unreachable;
};

bool Iterator::uses(Family family) const {
    return (family == Family::ipv4 ? tools_.settings.ipv4 : tools_.settings.ipv6) == Switch::on;
}

bool Iterator::may_ask(const Address& address) const {
    if (!uses(address.family()) || address.is_unusable()) return false;
    const std::vector<Address>& own = tools_.settings.own_addresses;
    if (std::ranges::find(own, address) != own.end()) return false;
    if (address.is_loopback()) return tools_.settings.loopback_authorities == Switch::on;
    return tools_.settings.local_authorities == Switch::on || !address.is_special_purpose();
}

void Iterator::note_unusable(const Candidate& candidate, const dns::Name& zone, const Unusable& unusable) {
    switch (unusable.why) {
        case Unusable::Why::lame:
        case Unusable::Why::refused:
            tools_.servers.lame(candidate.address, zone, tools_.clock.mono());
            return;
        case Unusable::Why::server_failure:
        case Unusable::Why::not_implemented:
        case Unusable::Why::format_error:
        case Unusable::Why::other:
        case Unusable::Why::unauthoritative:
            return;
    }
}

bool Iterator::may_lack_edns(const dns::Name& zone) const {
    const WallTime now = tools_.clock.wall();
    const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(zone);
    if (anchor == nullptr) return true;
    // A proof that the zone, or one above it, is not signed. What is proven counts more than what a referral said.
    for (std::size_t labels = zone.label_count(); labels > anchor->zone.label_count(); --labels) {
        const dns::Name at = zone.ancestor(labels);
        const dnssec::FindingRef ds = tools_.cache.find(at, dns::Type::ds, now);
        if (!ds || ds->security() == dnssec::Security::indeterminate) continue;
        const dnssec::Cut cut = dnssec::Judge::cut_of(*ds, tools_.settings.policy);
        if (cut == dnssec::Cut::unsigned_delegation) return true;
        if (cut == dnssec::Cut::signed_delegation && at == zone) return false;
    }
    if (anchor->zone == zone) return false;
    // A referral without DS may have lost it to a forger; that costs no more than the answer, which will not hold.
    const Evidence::Entry* said = tools_.evidence.find(zone, now);
    return said != nullptr && !said->response.positive;
}

task::Task<AskResult> Iterator::attempt(Query query, dns::Name zone, BudgetRef budget, Context::Ground ground) {
    const Candidate candidate = query.to;
    const dns::Name name = query.name;
    const dns::Type type = query.type;
    // Whoever is asked on a guess need not serve the zone any more: nothing is learnt from that.
    const bool guessed = ground == Context::Ground::guess;
    AskResult result;
    result.server = candidate;
    if (!may_lack_edns(zone)) query.edns = EdnsNeed::indispensable;
    Result<dns::Message> message = co_await tools_.exchange.ask(std::move(query), std::move(budget));
    if (!message) {
        const bool silent =
            message.error().kind == FailureKind::timeout || message.error().kind == FailureKind::unreachable;
        if (silent && !guessed) tools_.forwarding.nothing_from(zone, candidate.address);
        result.kind = message.error().kind;
        result.reason.code = message.error().code;
        result.reason.text = message.error().text;
        co_return result;
    }
    Asked asked{name, type, zone};
    drop_private_addresses(*message, tools_.settings.private_addresses, tools_.settings.private_domains);
    if (!guessed) learn_child_servers(zone, *message);
    if (!guessed && tools_.settings.error_reporting == Switch::on)
        tools_.report_agents.learn(zone, *message, tools_.clock.mono());
    Classified classified = classify(asked, *message);
    result.rcode = message->rcode;
    if (auto* unusable = std::get_if<Unusable>(&classified)) {
        if (!guessed) {
            tools_.forwarding.nothing_from(zone, candidate.address);
            note_unusable(candidate, zone, *unusable);
        }
        if (unusable->why == Unusable::Why::unauthoritative) {
            asked.authority = Asked::Authority::optional;
            result.weak = classify(asked, *message);
            auto* weak = std::get_if<dnssec::Response>(&*result.weak);
            if (weak != nullptr) weak->server = describe(candidate);
            if (std::holds_alternative<Unusable>(*result.weak)) result.weak.reset();
        }
        result.kind = FailureKind::refused;
        const bool does_not_serve = unusable->why == Unusable::Why::lame || unusable->why == Unusable::Why::refused;
        result.lame = does_not_serve ? Lame::yes : Lame::no;
        result.reason.text = unusable->text;
        result.reason.text += what_it_says(unusable->extended_errors);
        co_return result;
    }
    if (candidate.port == 0) tools_.forwarding.heard();  // a stub zone's server says nothing about the world
    if (auto* response = std::get_if<dnssec::Response>(&classified)) response->server = describe(candidate);
    auto* referral = std::get_if<Referral>(&classified);
    if (referral != nullptr && type == dns::Type::ds && referral->zone == name) {
        // Old servers answer a DS question with the referral it belongs to; what it says of DS is in its authority
        // section.
        dnssec::Response denied;
        denied.name = name;
        denied.type = type;
        denied.shape = dnssec::Shape::nodata;
        denied.rcode = dns::Rcode::noerror;
        denied.server = describe(candidate);
        for (const dns::RRset& set : referral->evidence) {
            if (set.type == dns::Type::ds) {
                denied.shape = dnssec::Shape::records;
                denied.positive = set;
            } else {
                denied.authority.push_back(set);
            }
        }
        classified = std::move(denied);
    }
    if (name.is_root()) result.additional = std::move(message->additional);
    result.reply = std::move(classified);
    co_return result;
}

void Iterator::add_candidates(std::vector<Candidate>& candidates, const dns::Name& server,
                              const std::vector<Address>& addresses, const Context& context) const {
    for (const Address& address : addresses) {
        const bool excluded = std::ranges::find(context.excluded, address) != context.excluded.end();
        if (may_ask(address) && !excluded) candidates.push_back({server, address});
    }
}

std::vector<Address> Iterator::glue_of(const dns::Name& host) const {
    const WallTime now = tools_.clock.wall();
    for (std::size_t labels = host.label_count(); labels > 0; --labels) {
        const std::shared_ptr<const cache::ZoneCut> cut = tools_.cache.find_cut(host.ancestor(labels), now);
        if (!cut) continue;
        for (const cache::NameServer& server : cut->servers) {
            if (server.name == host && !server.addresses.empty()) return server.addresses;
        }
    }
    return {};
}

/// A referral that lacks the glue without which it leads nowhere (RFC 9471): its server is asked for the addresses.
task::Task<std::vector<Candidate>> Iterator::fetch_glue(cache::ZoneCut cut, Context context) {
    std::vector<Candidate> candidates;
    const cache::ZoneCut above = deepest_cut(cut.zone.is_root() ? cut.zone : cut.zone.parent());
    if (context.depth > most_depth || above.servers.empty() || !cut.zone.is_below(above.zone)) co_return candidates;
    std::size_t asked = 0;
    for (const cache::NameServer& server : cut.servers) {
        if (!server.name.is_within(cut.zone) || ++asked > most_missing_glue) continue;
        cache::ZoneCut parent = above;
        dns::Name host = server.name;
        Context same = context;
        AskRef result = co_await ask(std::move(parent), std::move(host), dns::Type::a, std::move(same));
        std::vector<Address> addresses;
        const Classified* reply = result->reply ? &*result->reply : nullptr;
        if (const auto* referral = reply == nullptr ? nullptr : std::get_if<Referral>(reply)) {
            for (const cache::NameServer& glued : referral->servers) {
                if (glued.name == server.name) addresses = glued.addresses;
            }
        } else if (const auto* response = reply == nullptr ? nullptr : std::get_if<dnssec::Response>(reply)) {
            if (response->positive && response->shape == dnssec::Shape::records) {
                addresses = addresses_in(*response->positive);
            }
        }
        add_candidates(candidates, server.name, addresses, context);
    }
    co_return candidates;
}

void Iterator::learn_child_servers(const dns::Name& zone, const dns::Message& message) {
    if (tools_.settings.child_name_servers == Switch::off || zone.is_root() || !message.authoritative) return;
    ChildServers learnt;
    for (const std::vector<dns::Record>* section : {&message.answer, &message.authority}) {
        for (const dns::Record& record : *section) {
            if (record.type != dns::Type::ns || record.owner != zone || learnt.names.size() >= most_servers_per_zone)
                continue;
            const Result<dns::Name> name = dns::parse_single_name(record.rdata);
            if (!name) continue;
            learnt.names.push_back(*name);
            learnt.until = tools_.clock.wall() + std::min<std::chrono::seconds>(record.ttl, most_child_servers_ttl);
        }
    }
    if (learnt.names.empty()) return;
    if (child_servers_.size() >= most_child_servers) child_servers_.clear();
    child_servers_[zone] = std::move(learnt);
}

/// RFC 2181 5.4.1 ranks the child's word higher; here it only adds, and only while the parent's delegation lives (A30).
std::vector<dns::Name> Iterator::child_servers(const cache::ZoneCut& cut) const {
    std::vector<dns::Name> names;
    const auto found = child_servers_.find(cut.zone);
    if (found == child_servers_.end() || found->second.until <= tools_.clock.wall()) return names;
    for (const dns::Name& name : found->second.names) {
        const auto same = [&name](const cache::NameServer& server) { return server.name == name; };
        if (std::ranges::none_of(cut.servers, same)) names.push_back(name);
    }
    return names;
}

bool Iterator::is_to_be_verified(const cache::NameServer& server, const cache::ZoneCut& cut,
                                 const Context& context) const {
    return tools_.settings.verify_glue == Switch::on && context.depth == 0 && !server.addresses.empty() &&
           !cut.zone.is_root() && !server.name.is_within(cut.zone) && !is_stub(cut);
}

/// Those of which an address is known.
std::vector<Candidate> Iterator::known_candidates(const cache::ZoneCut& cut, const Context& context) const {
    std::vector<Candidate> known;
    const Detour* stub = is_stub(cut) ? stub_of(cut.zone) : nullptr;
    if (stub != nullptr) {
        // Configured ones may have any address (A33 is about what strangers name), but ourselves is for forwarders.
        for (const Endpoint& server : stub->servers) {
            const bool excluded = std::ranges::find(context.excluded, server.address) != context.excluded.end();
            if (uses(server.address.family()) && !excluded) known.push_back({cut.zone, server.address, server.port});
        }
        return known;
    }
    for (const cache::NameServer& server : cut.servers) {
        if (is_to_be_verified(server, cut, context)) continue;
        const std::vector<Address> addresses = server.addresses.empty() ? glue_of(server.name) : server.addresses;
        add_candidates(known, server.name, addresses, context);
    }
    return known;
}

/// How long a server that was silent once is waited for when it is asked again. One that is fast for most questions
/// may be slow for this one: its usual time-out would run out in the same way each time (RFC 6298 5.5 backs off for the
/// same reason). Half of what is left, so that there is time for another way; less where others wait for a name
/// server's address.
Duration Iterator::patience_of(const Context& context, MonoTime deadline) const {
    if (context.patience == Context::Patience::no) return Duration{0};
    const auto left = std::chrono::duration_cast<Duration>(deadline - tools_.clock.mono());
    return std::max(Duration{0}, context.depth == 0 ? left / 2 : left / 4);
}

/// One question to one zone while it is under way.
struct Iterator::Asking {
    Asking(cache::ZoneCut at, dns::Name wanted, dns::Type wanted_type, Context within,
           std::vector<dns::Name> not_yet_verified)
        : cut(std::move(at)),
          name(std::move(wanted)),
          type(wanted_type),
          context(std::move(within)),
          unverified(std::move(not_yet_verified)),
          roster(cut, unverified) {}
    cache::ZoneCut cut;
    dns::Name name;
    dns::Type type;
    Context context;
    std::vector<dns::Name> unverified;  ///< servers whose glue is not to be believed without a look of our own
    Roster roster;
    MonoTime deadline{};
    std::size_t launched = 0;
    std::size_t looking = 0;  ///< of what is under way, look-ups of name servers' addresses
    std::size_t patient = 0;  ///< attempts that are waited for longer than usual
    bool crowded = false;     ///< there was no room for a question; there is none for the next one, either
    AskResult worst;
    std::shared_ptr<AskResult> last_resort;  ///< an answer that nobody authoritative gave
};

/// The query to the next server: with patience where it was silent once.
Query Iterator::query_to(const Candidate& server, Asking& asking) const {
    ++asking.launched;
    Query query;
    query.to = server;
    query.name = asking.name;
    query.type = asking.type;
    query.retry = asking.launched > 1;
    if (asking.roster.is_second_try()) {
        query.patience = patience_of(asking.context, asking.deadline);
        ++asking.patient;
    }
    query.until = std::min(asking.deadline, tools_.clock.mono() + 2 * Servers::most_timeout);
    return query;
}

/// When all that were asked have failed: whom else, in the order of what is likeliest to help? No when there is nobody.
task::Task<bool> Iterator::look_further(std::shared_ptr<Asking> asking) {
    Roster& roster = asking->roster;
    asking->patient = 0;
    // A lost packet is likelier than glue that is out of date.
    if (roster.second_round()) co_return true;
    // But not where those that there are were excluded: the answer is at fault then, not the addresses.
    const bool may_look = roster.anybody() || asking->context.excluded.empty();
    if (may_look && roster.look_further(asking->cut)) co_return true;
    if (!roster.anybody() && !roster.glue_was_fetched()) {
        cache::ZoneCut asked_cut = asking->cut;
        Context deeper = asking->context.deeper();
        std::vector<Candidate> found = co_await fetch_glue(std::move(asked_cut), std::move(deeper));
        roster.add(std::move(found));
        co_return true;
    }
    if (!asking->unverified.empty() && !roster.unverified_was_used()) {
        // Nothing better was to be found out: then as the parent says.
        std::vector<Candidate> said;
        for (const cache::NameServer& server : asking->cut.servers)
            add_candidates(said, server.name, server.addresses, asking->context);
        roster.add(tools_.servers.order(std::move(said), asking->cut.zone, tools_.clock.mono()));
        co_return true;
    }
    co_return !is_stub(asking->cut) && roster.turn_to_child(child_servers(asking->cut));
}

/// When is the next turn due, if nobody answers before? After the hedge delay, when a query was just sent.
MonoTime Iterator::next_turn(std::optional<Duration> hedge, MonoTime deadline) const {
    MonoTime wake = deadline;
    if (hedge) wake = std::min(deadline, tools_.clock.mono() + *hedge);
    if (tools_.forwarding.is_checking()) wake = std::min(wake, tools_.clock.mono() + check_interval);
    return wake;
}

/// What is told when no server gave anything that can be used.
Iterator::AskRef Iterator::failure_of(Asking& asking) const {
    AskResult& worst = asking.worst;
    if (asking.last_resort && worst.kind != FailureKind::budget) {
        asking.last_resort->reply = std::move(asking.last_resort->weak);
        asking.last_resort->last_resort = true;
        return asking.last_resort;
    }
    const Budget& budget = *asking.context.budget;
    // Where no address was found because nothing more may be spent, that is our limit and no fault of the zone's.
    if (!asking.roster.anybody() && budget.exhausted()) worst.kind = FailureKind::budget;
    const bool known =
        worst.kind == FailureKind::budget || worst.kind == FailureKind::timeout || worst.kind == FailureKind::system;
    if (!known) worst.kind = asking.roster.kind();
    Trouble trouble = asking.roster.trouble();
    trouble.kind = worst.kind;
    worst.reason = reason_of(trouble, asking.cut.zone, asking.name, asking.type, budget);
    return std::make_shared<const AskResult>(std::move(worst));
}

task::Task<Iterator::AskRef> Iterator::ask_alone(cache::ZoneCut cut, dns::Name name, dns::Type type, Context context) {
    std::vector<dns::Name> unverified;
    for (const cache::NameServer& server : cut.servers) {
        if (is_to_be_verified(server, cut, context)) unverified.push_back(server.name);
    }
    // Whoever waits for this gives up at the deadline itself: what the servers said is told just before.
    const MonoTime deadline = context.budget->deadline() - time_to_tell;
    const bool guessed = context.ground == Context::Ground::guess;
    std::vector<Candidate> known = guessed ? guessed_candidates(cut, context) : known_candidates(cut, context);
    auto asking =
        std::make_shared<Asking>(std::move(cut), std::move(name), type, std::move(context), std::move(unverified));
    asking->deadline = deadline;
    const dns::Name zone = asking->cut.zone;
    Roster& roster = asking->roster;
    AskResult& worst = asking->worst;
    roster.add(tools_.servers.order(std::move(known), zone, tools_.clock.mono()));

    task::Gather<AskResult> flying(tools_.scheduler);
    const bool forwarding = tools_.forwarding.stands_in();
    for (std::size_t turn = 0; turn < 4 * most_attempts; ++turn) {
        if (tools_.clock.mono() >= deadline) {
            worst.kind = FailureKind::timeout;
            break;
        }
        if (!forwarding && tools_.forwarding.stands_in()) break;
        std::optional<Candidate> next;
        const std::size_t questions = flying.pending() - asking->looking;
        // Those that are waited for with patience must not keep the others from their second try.
        const bool room = questions < most_side_by_side + asking->patient &&
                          asking->launched < (guessed ? most_guessed_attempts : most_attempts) && !asking->crowded;
        if (room) next = roster.next();
        std::optional<Duration> hedge;
        if (!next && room && asking->patient == 0 && !guessed) {
            // Beside those who were asked: an answer need not wait for a name server in somebody's dead domain.
            if (std::optional<dns::Name> nameless = roster.next_nameless()) {
                flying.add(look_up(std::move(*nameless), asking->context));
                ++asking->looking;
                hedge = look_up_hedge;
            }
        }
        const MonoTime sent = tools_.clock.mono();
        if (next) hedge = tools_.servers.hedge_delay(next->address);
        if (next) flying.add(attempt(query_to(*next, *asking), zone, asking->context.budget, asking->context.ground));
        if (flying.pending() == 0) {
            if (guessed) break;
            if (asking->crowded) worst.kind = FailureKind::system;
            if (asking->crowded) break;
            std::shared_ptr<Asking> same = asking;
            const bool more = co_await look_further(std::move(same));
            if (!more) break;
            continue;
        }
        const MonoTime wake = next_turn(hedge, deadline);
        std::optional<std::pair<std::size_t, AskResult>> finished = co_await flying.next(wake);
        if (!finished) {
            const MonoTime now = tools_.clock.mono();
            if (next && now - sent >= *hedge) tools_.servers.overdue(next->address, *hedge, now);
            continue;
        }
        if (finished->second.reply) co_return std::make_shared<const AskResult>(std::move(finished->second));
        AskResult& failed = finished->second;
        if (failed.found) {
            --asking->looking;
            roster.add(tools_.servers.order(std::move(*failed.found), zone, tools_.clock.mono()));
            continue;
        }
        if (failed.weak && !asking->last_resort) asking->last_resort = std::make_shared<AskResult>(failed);
        roster.failed(failed);
        if (failed.kind == FailureKind::refused) worst.rcode = failed.rcode;
        if (failed.kind == FailureKind::system) asking->crowded = true;
        if (failed.kind == FailureKind::budget) {
            worst.kind = FailureKind::budget;
            break;
        }
    }
    co_return failure_of(*asking);
}

task::Task<Iterator::AskRef> Iterator::ask(cache::ZoneCut cut, dns::Name name, dns::Type type, Context context) {
    // Somebody asked the same a moment ago: wait for that answer. A flight waits only on flights that are deeper than
    // itself (the depth is part of the key), so that they never wait on each other in a circle (A18).
    if (!context.excluded.empty())
        co_return co_await ask_alone(std::move(cut), std::move(name), type, std::move(context));
    AskKey key{cut.zone, name, type, context.depth, is_stub(cut), context.ground};
    const MonoTime deadline = context.budget->deadline();
    auto starter = [this, cut, name, type, context]() { return ask_alone(cut, name, type, context); };
    std::optional<AskRef> shared = co_await flights_.run(std::move(key), deadline, std::move(starter));
    if (shared && *shared) co_return std::move(*shared);
    AskResult late;
    late.kind = FailureKind::timeout;
    late.reason.code = "RLAT"_code;
    late.reason.ede = dns::Ede::no_reachable_authority;
    late.reason.text = "no answer came in the time there was";
    co_return std::make_shared<const AskResult>(std::move(late));
}

}  // namespace mxtrust::resolve
