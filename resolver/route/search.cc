// The look-ups of one mail question; see search.h.
#include "route/search.h"

#include <algorithm>
#include <utility>

#include "mail/exception.h"
#include "mail/sts.h"
#include "mail/tlsrpt.h"
#include "mail/words.h"

namespace mxtrust::route {
namespace {

using namespace mxtrust::literals;
using dnssec::Answer;
using dnssec::Security;

constexpr std::size_t most_guessed = 8;  // hosts of an ended MX answer; most domains have one or two

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

/// Where reports are wanted was not there in time: soon it is.
constexpr std::chrono::seconds not_known_for{5};

/// Longer than a name can be: there is no policy, and there never will be one.
mail::StsStatus without_record(WallTime now) {
    mail::StsStatus status;
    status.expires = now + std::chrono::hours(24);
    return status;
}

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

/// The base domains that are wanted in the light of what is known now, and not asked yet.
std::vector<dns::Name> new_bases(const mail::HostFacts& facts, const std::vector<dns::Name>& asked) {
    std::vector<dns::Name> fresh;
    for (const std::optional<Answer>* known : {&facts.a, &facts.aaaa}) {
        if (!*known) continue;
        // One family alone tells where to ask, long before the other one is there.
        for (dns::Name& base : mail::base_domains(**known, **known)) {
            const bool already = std::ranges::find(asked, base) != asked.end();
            if (!already && std::ranges::find(fresh, base) == fresh.end()) fresh.push_back(std::move(base));
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

Errand Search::errand(std::uint16_t port, MonoTime due, QuestionNumber number) const {
    BudgetLimits limits;
    for (std::uint32_t& most : limits.most) most *= limits_.budget_factor;
    Errand made;
    made.port = port;
    made.due = due;
    made.budget = std::make_shared<Budget>(limits, due + limits_.linger, nullptr, nullptr, number);
    return made;
}

task::Task<Search::Asked> Search::look_up(dns::Name name, dns::Type type, Errand errand) {
    if (Asked known = tools_.lookups.at_hand(name, type, *errand.budget)) co_return known;
    co_return co_await ask(std::move(name), type, std::move(errand));
}

task::Task<Search::Asked> Search::ask(dns::Name name, dns::Type type, Errand errand) {
    std::string key = flight_key(name, type);
    // Longer than the question itself may last: what comes late is there for the next one.
    Duration time = span_until(errand.due + limits_.linger, tools_.clock.mono());
    Starter starter(tools_.lookups, std::move(name), type, time, errand.budget);
    Asked answer = co_await flights_.run(std::move(key), errand.due, std::move(starter));
    co_return answer;
}

bool Search::is_surely_signed(const mail::HostFacts& facts, const Errand& errand) const {
    const dns::Name& host = facts.host.name;
    // The host's own name counts, not the end of an alias: TLSA records may be beside an authentic alias.
    if (facts.a) return is_secure(facts.a);
    if (facts.aaaa) return is_secure(facts.aaaa);
    if (errand.signed_zone && host.is_within(*errand.signed_zone)) return true;
    // A zone whose keys are trusted, right above the host or at it.
    if (is_secure(tools_.lookups.peek(host, dns::Type::dnskey))) return true;
    return host.label_count() > 2 && is_secure(tools_.lookups.peek(host.parent(), dns::Type::dnskey));
}

bool Search::was_asked_tlsa(const dns::Name& host, std::uint16_t port) const {
    const Result<dns::Name> owner = mail::tlsa_name(host, port);
    return owner && tools_.lookups.once(*owner, dns::Type::tlsa);
}

std::vector<mail::MxHost> Search::hosts_to_guess(const dns::Name& domain) const {
    std::vector<mail::MxHost> hosts;
    const std::optional<cache::Ended> once = tools_.lookups.once(domain, dns::Type::mx);
    if (!once) return hosts;
    std::vector<std::pair<std::uint16_t, dns::Name>> named;
    for (const Bytes& rdata : once->records) {
        Result<dns::Mx> mx = dns::parse_mx(rdata);
        if (mx && !mx->exchange.is_root()) named.emplace_back(mx->preference, std::move(mx->exchange));
    }
    std::sort(named.begin(), named.end());
    // RFC 5321 5.1: without MX the domain is its own host.
    if (once->outcome == dnssec::Outcome::nodata) named.emplace_back(std::uint16_t{0}, domain);
    for (auto& [preference, name] : named) {
        if (hosts.size() >= most_guessed) break;
        hosts.emplace_back();
        hosts.back().name = std::move(name);
    }
    return hosts;
}

task::Task<FoundHost> Search::find_host(mail::MxHost host, Errand errand) {
    FoundHost found;
    found.facts.host = std::move(host);
    if (!is_to_be_asked(found.facts.host)) co_return found;
    // What the operator has set aside is not asked: it may be the very thing that never answers.
    if (!mail::wants_tlsa(found.facts.host)) errand.tlsa = false;
    const dns::Name name = found.facts.host.name;
    task::Gather<Asked> gather(tools_.scheduler);
    std::vector<Slot> slots;  // of what is gathered, by index
    // What is at hand is taken at once; the rest is asked side by side.
    auto fill = [&](const dns::Name& owner, Slot slot) {
        if (Asked known = tools_.lookups.at_hand(owner, slot.type, *errand.budget)) {
            file(found.facts, slot, std::move(*known));
            return;
        }
        gather.add(ask(owner, slot.type, errand));
        slots.push_back(std::move(slot));
    };
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) fill(name, Slot{type, name});
    std::vector<dns::Name> bases, asked;
    // RFC 7672 2.2.2: not where the address is insecure; there are servers that answer TLSA with nothing, or with
    // errors. One of the addresses tells, a moment later, what is not known yet.
    const bool at_once = is_surely_signed(found.facts, errand) || was_asked_tlsa(name, errand.port);
    if (errand.tlsa && at_once) bases.push_back(name);
    while (true) {
        for (const dns::Name& base : bases) {
            asked.push_back(base);
            // Longer than a name can be: mail/ knows.
            if (Result<dns::Name> owner = mail::tlsa_name(base, errand.port)) fill(*owner, Slot{dns::Type::tlsa, base});
        }
        bases.clear();
        if (is_enough(found.facts, errand)) break;
        if (errand.tlsa) bases = new_bases(found.facts, asked);
        if (!bases.empty()) continue;
        task::Gather<Asked>::Finished next = co_await gather.next(errand.due);
        if (!next) break;
        if (!next->second) continue;  // its flight is not back by now
        file(found.facts, slots[next->first], std::move(*next->second));
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

task::Task<mail::StsStatus> Search::find_sts(dns::Name domain, Errand errand) {
    const Result<dns::Name> owner = domain.prepend("_mta-sts");
    if (!owner) co_return without_record(tools_.clock.wall());
    dns::Name asked = *owner;
    Asked record = co_await look_up(std::move(asked), dns::Type::txt, errand);
    mail::StsStatus found = co_await tools_.sts->find(std::move(domain), std::move(record), errand.due);
    co_return found;
}

mail::TlsrptStatus Search::read_tlsrpt(const dns::Name& domain, const Asked& record) const {
    mail::TlsrptStatus status;
    status.expires = tools_.clock.wall() + not_known_for;
    status.problem = "the TXT record at _smtp._tls." + domain.to_text() + " was not looked up in time";
    if (!record) return status;
    status.record = mail::status_of(*record, tools_.clock.wall());
    status.expires = std::max(record->expires(), status.expires);
    status.problem.clear();
    const bool judged = record->security() == Security::secure || record->security() == Security::insecure;
    if (!judged || record->outcome() == dnssec::Outcome::failure) {
        status.problem =
            "the TXT record at _smtp._tls." + domain.to_text() + " could not be had" + mail::because(*record);
        return status;
    }
    Result<std::vector<std::string>> uris = mail::parse_tlsrpt_record(mail::txt_records(*record));
    if (uris) {
        status.rua = std::move(*uris);
    } else {
        status.problem = uris.error().text;
    }
    return status;
}

/// The hosts, and beside them what else is to be told. MTA-STS is looked at where it can count: at once where the MX
/// records are not signed, as few of such domains' hosts are DANE's; else when a host turns out not to be. So an answer
/// of DANE alone neither waits for it nor, mostly, asks.
task::Task<void> Search::find_extras(FoundDomain* found, Errand errand, mail::Options options, Extras extras) {
    const dns::Name domain = found->facts.next_hop.name;
    const bool named = found->facts.next_hop.kind != mail::NextHop::Kind::address;
    const bool off = found->facts.set.exception && found->facts.set.exception->action == mail::ExceptionAction::no_sts;
    const bool sts = extras.sts && named && !off && tools_.sts != nullptr;
    task::Gather<Asked> reports(tools_.scheduler);
    task::Gather<mail::StsStatus> policies(tools_.scheduler);
    const Result<dns::Name> owner = dns::Name::from_text("_smtp._tls." + domain.to_text());
    if (extras.tlsrpt && named && owner) reports.add(look_up(*owner, dns::Type::txt, errand));
    if (sts && !(errand.tlsa && found->facts.set.authentic)) policies.add(find_sts(domain, errand));
    std::vector<FoundHost> hosts = co_await find_hosts(found->facts.set.hosts, errand);
    for (FoundHost& host : hosts) {
        found->late = found->late || host.late;
        found->facts.hosts.push_back(std::move(host.facts));
    }
    const bool wanted = sts && mail::wants_sts(found->facts, options);
    if (wanted && policies.pending() == 0) policies.add(find_sts(domain, errand));
    if (wanted) {
        // Whoever looks for it keeps to the errand's time; a moment more lets it say so.
        task::Gather<mail::StsStatus>::Finished policy = co_await policies.next(task::never);
        if (policy) found->facts.sts = std::move(policy->second);
        found->late = found->late || !found->facts.sts || found->facts.sts->late;
    }
    if (reports.pending() == 0) co_return;
    task::Gather<Asked>::Finished report = co_await reports.next(tools_.clock.mono());
    const Asked record = report ? std::move(report->second) : std::nullopt;
    found->facts.tlsrpt = read_tlsrpt(domain, record);
}

task::Task<FoundDomain> Search::find_domain(mail::NextHop hop, std::uint16_t port, MonoTime due, mail::Options options,
                                            Extras extras) {
    FoundDomain found;
    found.facts.next_hop = hop;
    found.facts.port = port;
    Errand all = errand(port, due, extras.number);
    // What is guessed ends with this question; its look-ups, which others may have joined, do not.
    task::Gather<FoundHost> guessed(tools_.scheduler);
    if (hop.kind == mail::NextHop::Kind::domain) {
        Asked mx = tools_.lookups.at_hand(hop.name, dns::Type::mx, *all.budget);
        found.facts.mx_cached = mx.has_value();
        if (!mx) {
            for (mail::MxHost& host : hosts_to_guess(hop.name)) guessed.add(find_host(std::move(host), all));
            mx = co_await ask(hop.name, dns::Type::mx, all);
        }
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
        FoundDomain* into = &found;  // awaited in the same statement
        co_await find_extras(into, all, std::move(options), extras);
    }
    found.facts.now = tools_.clock.wall();
    co_return found;
}

}  // namespace mxtrust::route
