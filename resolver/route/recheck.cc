// What is asked, and what follows from the answers; see recheck.h.
#include "route/recheck.h"

#include <algorithm>
#include <utility>

#include "mail/domain.h"
#include "mail/words.h"
#include "task/wait.h"

namespace mxtrust::route {
namespace {

using dnssec::Answer;
using dnssec::Security;
using mail::ExceptionAction;
using mail::HostAction;

/// The first round comes when the daemon has had time to learn where the root is, and not together with a restart's
/// other work.
constexpr std::chrono::seconds first_round{15};

/// What the look-ups below a negative trust anchor come to, without it.
struct Findings {
    const dnssec::Finding* bogus = nullptr;
    bool secure = false, insecure = false, unknown = false;
};

void take(Findings& findings, const Answer& answer, const dns::Name& zone) {
    for (const dnssec::FindingRef& link : answer.links()) {
        if (!link->name().is_within(zone)) continue;
        switch (link->security()) {
            case Security::bogus:
                if (findings.bogus == nullptr) findings.bogus = link.get();
                break;
            case Security::secure:
                findings.secure = true;
                break;
            case Security::insecure:
                findings.insecure = true;
                break;
            case Security::indeterminate:
                findings.unknown = true;
                break;
        }
    }
}

Findings sum_up(const Answer& apex, const mail::DomainFacts& facts, const dns::Name& zone) {
    Findings findings;
    take(findings, apex, zone);
    if (facts.mx) take(findings, *facts.mx, zone);
    for (const mail::HostFacts& host : facts.hosts) {
        if (host.a) take(findings, *host.a, zone);
        if (host.aaaa) take(findings, *host.aaaa, zone);
        for (const mail::TlsaFact& tlsa : host.tlsa) take(findings, tlsa.answer, zone);
    }
    return findings;
}

bool is_service_name(const dns::Name& name) {
    return !name.is_root() && name.label(0).starts_with('_');
}

bool lowers(ExceptionAction action) {
    return action == ExceptionAction::may || action == ExceptionAction::no_dane || action == ExceptionAction::encrypt;
}

/// Of an answer made without exceptions: the trouble that one which lowers is there for.
const std::string* trouble_of(const mail::MailAnswer& answer) {
    if (answer.decision.action == mail::Action::defer) return &answer.decision.text;
    for (const mail::HostAnswer& host : answer.hosts) {
        if (host.policy.action == HostAction::skip) return &host.policy.text;
    }
    return nullptr;
}

std::size_t count_of(const mail::MailAnswer& answer, HostAction action) {
    return static_cast<std::size_t>(
        std::ranges::count(answer.hosts, action, [](const mail::HostAnswer& host) { return host.policy.action; }));
}

}  // namespace

std::string_view to_text(Need need) {
    switch (need) {
        case Need::unknown:
            return "unknown";
        case Need::needed:
            return "needed";
        case Need::not_needed:
            return "not-needed";
        case Need::chosen:
            return "chosen";
        case Need::ended:
            return "ended";
    }
    return {};
}

Recheck::Recheck(Limits limits, mail::Options options, Tools tools, Tell tell)
    : limits_(limits), options_(std::move(options)), tools_(tools), tell_(std::move(tell)) {
    list_words();
}

void Recheck::change(mail::Options options, std::chrono::seconds interval) {
    const std::vector<WordStanding> known = std::move(standings_);
    options_ = std::move(options);
    limits_.interval = interval;
    standings_.clear();
    exceptions_.clear();
    ++list_;
    list_words();
    for (WordStanding& standing : standings_) {
        const auto same = std::ranges::find(known, standing.word, &WordStanding::word);
        if (same != known.end()) standing = *same;
    }
    tick();
    tell_(standings_);
    changed_.ring_all();
}

void Recheck::list_words() {
    if (options_.negative_anchors) {
        for (const dnssec::NegativeAnchor& anchor : options_.negative_anchors->all()) {
            WordStanding standing;
            standing.word = mail::word_of(anchor);
            standings_.push_back(std::move(standing));
            exceptions_.push_back(nullptr);
        }
    }
    if (!options_.exceptions) return;
    for (const mail::ExceptionRef& exception : options_.exceptions->all()) {
        WordStanding standing;
        standing.word = mail::word_of(*exception);
        standings_.push_back(std::move(standing));
        exceptions_.push_back(exception);
    }
}

void Recheck::tick() {
    const WallTime now = tools_.clock.wall();
    bool changed = false;
    for (std::size_t index = 0; index < standings_.size(); ++index) {
        WordStanding& standing = standings_[index];
        if (!standing.active) continue;
        const bool holds = exceptions_[index]
                               ? options_.exceptions->is_in_force(*exceptions_[index], now)
                               : options_.negative_anchors->is_in_force(
                                     dnssec::NegativeAnchor(standing.word.name, {}, standing.word.expires), now);
        const std::string what = mail::described(standing.word);
        if (!holds) {
            standing.active = false;
            standing.ends_soon = false;
            standing.need = Need::ended;
            standing.since = standing.word.expires;
            standing.text = "it has ended and has no effect any more; remove it";
            tools_.log.operators_word_ended(what);
            changed = true;
        } else if (!standing.ends_soon && standing.word.expires - now <= soon) {
            standing.ends_soon = true;
            tools_.log.operators_word_ends_soon(what, dnssec::until_in_words(standing.word.expires));
            changed = true;
        }
    }
    if (changed) tell_(standings_);
}

void Recheck::conclude(WordStanding& standing, const Verdict& verdict) {
    if (!standing.active) return;  // it ended meanwhile
    const WallTime now = tools_.clock.wall();
    // A look that failed says nothing: what was known stands, and shows by its age.
    if (verdict.need == Need::unknown) {
        if (standing.need == Need::unknown) standing.text = verdict.text;
        return;
    }
    standing.checked = now;
    standing.text = verdict.text;
    if (standing.need == verdict.need) return;
    standing.need = verdict.need;
    standing.since = now;
    const std::string what = mail::described(standing.word);
    if (verdict.need == Need::needed) tools_.log.operators_word_needed(what, verdict.text);
    if (verdict.need == Need::not_needed) tools_.log.operators_word_not_needed(what, verdict.text);
}

task::Task<void> Recheck::run() {
    tick();
    tell_(standings_);
    MonoTime next = tools_.clock.mono() + std::min(limits_.interval, first_round);
    while (true) {
        bool changed = co_await changed_.wait(next);
        if (changed) {
            next = tools_.clock.mono() + std::min(limits_.interval, first_round);
            continue;
        }
        const std::uint64_t list = list_;
        co_await round();
        if (list != list_) {
            next = tools_.clock.mono() + std::min(limits_.interval, first_round);
            continue;
        }
        // A tenth more or less, so that many servers with one configuration do not look at the same moment.
        const auto tenth = static_cast<std::uint32_t>(std::max<std::int64_t>(limits_.interval.count() * 1000 / 10, 1));
        const Duration jitter(tools_.random.below(2 * tenth));
        next = tools_.clock.mono() + limits_.interval - Duration(tenth) + jitter;
    }
}

task::Task<void> Recheck::round() {
    const std::uint64_t list = list_;
    for (std::size_t index = 0; index < standings_.size(); ++index) {
        if (!standings_[index].active) continue;
        Verdict verdict = co_await look(index);
        if (list != list_) co_return;
        conclude(standings_[index], verdict);
    }
    tick();
    tell_(standings_);
}

task::Task<Recheck::Verdict> Recheck::look(std::size_t index) {
    mail::ExceptionRef exception = exceptions_[index];
    if (exception) co_return co_await look_at_exception(std::move(exception));
    dns::Name zone = standings_[index].word.name;
    co_return co_await look_at_anchor(std::move(zone));
}

task::Task<Recheck::Verdict> Recheck::look_at_anchor(dns::Name zone) {
    Verdict verdict;
    // Lives in this frame, and so does the search that uses it.
    std::shared_ptr<Lookups> without = tools_.lookups.without(zone);
    if (!without) co_return verdict;
    const MonoTime due = tools_.clock.mono() + limits_.time;
    const bool service = is_service_name(zone);
    dns::Name asked = zone;
    BudgetRef budget = without->budget(limits_.time, nullptr);
    const dns::Type type = service ? dns::Type::tlsa : dns::Type::soa;
    Answer apex = co_await without->resolve(std::move(asked), type, std::move(budget));
    FoundDomain found;
    Search search(limits_.search, {tools_.clock, *without, tools_.scheduler});
    if (!service) {
        mail::NextHop hop;
        hop.name = zone;
        mail::Options plain;
        found = co_await search.find_domain(std::move(hop), 25, due, std::move(plain));
    }
    const Findings findings = sum_up(apex, found.facts, zone);
    if (findings.bogus != nullptr) {
        verdict.need = Need::needed;
        verdict.text = findings.bogus->reason().text;
    } else if (findings.unknown || found.late || apex.outcome() == dnssec::Outcome::failure) {
        verdict.text = "the last look could not find out" + mail::because(apex);
    } else {
        verdict.need = Need::not_needed;
        const bool validates = apex.security() == Security::secure && !findings.insecure;
        verdict.text = validates ? "the chain of trust to " + zone.to_text() + " validates"
                                 : zone.to_text() + " is not signed, and nothing in it is bogus";
    }
    co_return verdict;
}

task::Task<Recheck::Verdict> Recheck::look_at_exception(mail::ExceptionRef exception) {
    Verdict verdict;
    if (!lowers(exception->action) && exception->action != ExceptionAction::require_dane) {
        verdict.need = Need::chosen;
        verdict.text = "it is the operator's choice";
        co_return verdict;
    }
    mail::NextHop hop;
    hop.kind = exception->on == mail::Exception::On::host ? mail::NextHop::Kind::host : mail::NextHop::Kind::domain;
    hop.name = exception->name;
    mail::Options plain = options_;
    plain.exceptions = nullptr;
    const mail::Options same = plain;
    const MonoTime due = tools_.clock.mono() + limits_.time;
    Search search(limits_.search, {tools_.clock, tools_.lookups, tools_.scheduler});
    FoundDomain found = co_await search.find_domain(std::move(hop), 25, due, std::move(plain));
    const mail::MailAnswer answer = mail::decide(found.facts, same);
    if (found.late) {
        verdict.text = "the last look did not get all answers in time";
        co_return verdict;
    }
    const std::size_t dane = count_of(answer, HostAction::dane);
    const std::size_t may = count_of(answer, HostAction::may);
    if (exception->action == ExceptionAction::require_dane) {
        verdict.need = Need::chosen;
        verdict.text = dane == answer.hosts.size() && dane > 0 ? "every host has DANE, it holds nothing up"
                                                               : "not every host has DANE, it keeps mail from some";
    } else if (const std::string* trouble = trouble_of(answer)) {
        verdict.need = Need::needed;
        verdict.text = *trouble;
    } else if (exception->action == ExceptionAction::encrypt && may > 0) {
        verdict.need = Need::chosen;
        verdict.text = "without it TLS would not be required";
    } else if (answer.decision.action == mail::Action::bounce) {
        verdict.need = Need::not_needed;
        verdict.text = answer.decision.text;
    } else if (dane > 0) {
        verdict.need = Need::not_needed;
        verdict.text =
            "DNSSEC and TLSA records are in order, and DANE would be used (if it is there because of a certificate, "
            "see first that this matches)";
    } else {
        verdict.need = Need::not_needed;
        verdict.text = "without it mail would go the same way";
    }
    co_return verdict;
}

}  // namespace mxtrust::route
