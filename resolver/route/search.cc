// The look-ups of one mail question; see search.h.
#include "route/search.h"

#include <algorithm>
#include <utility>

#include "mail/exception.h"
#include "mail/words.h"

namespace mxtrust::route {
namespace {

using namespace mxtrust::literals;
using dnssec::Answer;
using dnssec::Security;

task::Task<Answer> resolve(Lookups* lookups, dns::Name name, dns::Type type, BudgetRef budget) {
    co_return co_await lookups->resolve(std::move(name), type, std::move(budget));
}

/// Makes the task of a look-up when nobody is asking the same already.
class Starter {
  public:
    Starter(Lookups& lookups, dns::Name name, dns::Type type, Duration time, BudgetRef parent)
        : lookups_(&lookups), name_(std::move(name)), type_(type), time_(time), parent_(std::move(parent)) {}
    task::Task<Answer> operator()() const { return resolve(lookups_, name_, type_, lookups_->budget(time_, parent_)); }

  private:
    Lookups* lookups_;
    dns::Name name_;
    dns::Type type_;
    Duration time_;
    BudgetRef parent_;
};

std::string flight_key(const dns::Name& name, dns::Type type) {
    std::string key(as_text(name.wire()));
    auto number = static_cast<std::uint16_t>(type);
    key += static_cast<char>(number >> 8U);
    key += static_cast<char>(number & 0xffU);
    return key;
}

Duration span_until(MonoTime end, MonoTime now) {
    return std::max(Duration(0), std::chrono::duration_cast<Duration>(end - now));
}

/// What one host's look-ups were asked for, by their index in the Gather.
struct Slot {
    dns::Type type{};
    dns::Name base;  ///< of TLSA
};

void add_slot(std::vector<Slot>& slots, dns::Type type, const dns::Name& base) {
    slots.push_back(Slot{type, base});
}

bool is_asked(const std::vector<Slot>& slots, const dns::Name& base) {
    return std::any_of(slots.begin(), slots.end(),
                       [&base](const Slot& slot) { return slot.type == dns::Type::tlsa && slot.base == base; });
}

/// The base domains that are wanted in the light of what is known now, and not asked yet.
std::vector<dns::Name> new_bases(const mail::HostFacts& facts, const std::vector<Slot>& slots) {
    std::vector<dns::Name> fresh;
    for (const std::optional<Answer>* known : {&facts.a, &facts.aaaa}) {
        if (!*known) continue;
        // One family alone tells where to ask, long before the other one is there.
        for (dns::Name& base : mail::base_domains(**known, **known)) {
            bool already = is_asked(slots, base) || std::find(fresh.begin(), fresh.end(), base) != fresh.end();
            if (!already) fresh.push_back(std::move(base));
        }
    }
    return fresh;
}

/// Files an answer where it belongs.
void file(mail::HostFacts& facts, const Slot& slot, Answer answer) {
    if (slot.type == dns::Type::a) {
        facts.a = std::move(answer);
    } else if (slot.type == dns::Type::aaaa) {
        facts.aaaa = std::move(answer);
    } else {
        facts.tlsa.push_back(mail::TlsaFact{slot.base, std::move(answer)});
    }
}

bool is_enough(const mail::HostFacts& facts, const Errand& errand) {
    if (!facts.a || !facts.aaaa) return false;
    return !errand.tlsa || !mail::missing_tlsa(facts, errand.port);
}

/// TLSA that is needed and did not come: a failure like any other, with its reason.
void note_missing_tlsa(mail::HostFacts& facts, std::uint16_t port, WallTime now) {
    std::optional<dns::Name> base = mail::missing_tlsa(facts, port);
    if (!base) return;
    Result<dns::Name> owner = mail::tlsa_name(*base, port);
    if (!owner) return;  // longer than a name can be; mail/ knows
    facts.tlsa.push_back(mail::TlsaFact{std::move(*base), unanswered(*owner, dns::Type::tlsa, now)});
}

bool is_to_be_asked(const mail::MxHost& host) {
    return host.fate == mail::MxHost::Fate::use && !host.literal;
}

bool is_secure(const std::optional<Answer>& answer) {
    return answer && answer->links().front()->security() == Security::secure;
}

}  // namespace

std::optional<dns::Name> signed_zone(const Answer& mx) {
    const dnssec::Finding& last = mx.final();
    // Names right below the root or a TLD are other people's zones.
    if (last.security() != Security::secure || last.zone().label_count() < 2) return std::nullopt;
    return last.zone();
}

Answer unanswered(const dns::Name& name, dns::Type type, WallTime now) {
    dnssec::Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.outcome = dnssec::Outcome::failure;
    parts.rcode = dns::Rcode::servfail;
    parts.reason.code = "ULTE"_code;
    parts.reason.ede = dns::Ede::no_reachable_authority;
    parts.reason.text = "no answer for " + dns::to_text(type) + " of " + name.to_text() + " in time";
    parts.expires = now;
    return Answer({dnssec::Finding::failure(std::move(parts))});
}

Search::Search(Limits limits, Tools tools)
    : limits_(limits), tools_(tools), flights_(tools.scheduler, limits.most_flights) {}

Errand Search::errand(std::uint16_t port, MonoTime due) const {
    BudgetLimits limits;
    for (std::uint32_t& most : limits.most) most *= limits_.budget_factor;
    Errand made;
    made.port = port;
    made.due = due;
    made.budget = std::make_shared<Budget>(limits, due + limits_.linger);
    return made;
}

task::Task<Search::Asked> Search::look_up(dns::Name name, dns::Type type, Errand errand) {
    std::string key = flight_key(name, type);
    // Longer than the question itself may last: what comes late is there for the next one.
    Duration time = span_until(errand.due + limits_.linger, tools_.clock.mono());
    Starter starter(tools_.lookups, std::move(name), type, time, errand.budget);
    Asked answer = co_await flights_.run(std::move(key), errand.due, std::move(starter));
    co_return answer;
}

bool Search::is_surely_signed(const dns::Name& host, const Errand& errand) const {
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        // The host's own name counts, not the end of an alias: TLSA records may be beside an authentic alias.
        if (std::optional<Answer> known = tools_.lookups.peek(host, type)) return is_secure(known);
    }
    if (errand.signed_zone && host.is_within(*errand.signed_zone)) return true;
    // A zone whose keys are trusted, right above the host or at it.
    if (is_secure(tools_.lookups.peek(host, dns::Type::dnskey))) return true;
    return host.label_count() > 2 && is_secure(tools_.lookups.peek(host.parent(), dns::Type::dnskey));
}

task::Task<FoundHost> Search::find_host(mail::MxHost host, Errand errand) {
    FoundHost found;
    found.facts.host = std::move(host);
    if (!is_to_be_asked(found.facts.host)) co_return found;
    // What the operator has set aside is not asked: it may be the very thing that never answers.
    if (!mail::wants_tlsa(found.facts.host)) errand.tlsa = false;
    const dns::Name name = found.facts.host.name;
    std::vector<Slot> slots;
    task::Gather<Asked> gather(tools_.scheduler);
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        gather.add(look_up(name, type, errand));
        add_slot(slots, type, name);
    }
    std::vector<dns::Name> bases;
    // RFC 7672 2.2.2: not where the address is insecure; there are servers that answer TLSA with nothing, or with
    // errors. One of the addresses tells, a moment later, what is not known yet.
    if (errand.tlsa && is_surely_signed(name, errand)) bases.push_back(name);
    while (true) {
        for (const dns::Name& base : bases) {
            Result<dns::Name> owner = mail::tlsa_name(base, errand.port);
            if (!owner) continue;  // longer than a name can be; mail/ knows
            gather.add(look_up(std::move(*owner), dns::Type::tlsa, errand));
            add_slot(slots, dns::Type::tlsa, base);
        }
        bases.clear();
        if (is_enough(found.facts, errand)) break;
        task::Gather<Asked>::Finished next = co_await gather.next(errand.due);
        if (!next) break;
        if (!next->second) continue;  // its flight is not back by now
        file(found.facts, slots[next->first], std::move(*next->second));
        if (errand.tlsa) bases = new_bases(found.facts, slots);
    }
    found.late = !is_enough(found.facts, errand);
    WallTime now = tools_.clock.wall();
    if (!found.facts.a) found.facts.a = unanswered(name, dns::Type::a, now);
    if (!found.facts.aaaa) found.facts.aaaa = unanswered(name, dns::Type::aaaa, now);
    if (errand.tlsa) note_missing_tlsa(found.facts, errand.port, now);
    co_return found;
}

task::Task<std::vector<FoundHost>> Search::find_hosts(std::vector<mail::MxHost> hosts, Errand errand) {
    task::Gather<FoundHost> gather(tools_.scheduler, limits_.most_hosts_at_once);
    std::vector<FoundHost> all(hosts.size());
    for (mail::MxHost& host : hosts) gather.add(find_host(std::move(host), errand));
    // Every host is back by the time that is due; those that never had their turn come back at once then.
    while (gather.pending() > 0) {
        task::Gather<FoundHost>::Finished next = co_await gather.next(task::never);
        if (next) all[next->first] = std::move(next->second);
    }
    co_return all;
}

task::Task<FoundDomain> Search::find_domain(mail::NextHop hop, std::uint16_t port, MonoTime due,
                                            mail::Options options) {
    FoundDomain found;
    found.facts.next_hop = hop;
    found.facts.port = port;
    Errand all = errand(port, due);
    if (hop.kind == mail::NextHop::Kind::domain) {
        found.facts.mx_cached = tools_.lookups.peek(hop.name, dns::Type::mx).has_value();
        Asked mx = co_await look_up(hop.name, dns::Type::mx, all);
        found.late = !mx.has_value();
        if (!mx) mx = unanswered(hop.name, dns::Type::mx, tools_.clock.wall());
        found.facts.mx = std::move(mx);
        found.facts.set = mail::read_mx(hop.name, *found.facts.mx, options);
        all.signed_zone = signed_zone(*found.facts.mx);
    } else {
        found.facts.set = mail::without_mx(hop);
    }
    mail::note_exceptions(found.facts.set, hop, options, tools_.clock.wall());
    all.tlsa = mail::wants_tlsa(found.facts.set, options);
    if (!found.facts.set.verdict) {
        std::vector<FoundHost> hosts = co_await find_hosts(found.facts.set.hosts, all);
        for (FoundHost& host : hosts) {
            found.late = found.late || host.late;
            found.facts.hosts.push_back(std::move(host.facts));
        }
    }
    found.facts.now = tools_.clock.wall();
    co_return found;
}

}  // namespace mxtrust::route
