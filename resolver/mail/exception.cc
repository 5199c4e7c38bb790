// Exceptions and negative trust anchors in the mail answer; see exception.h.
#include "mail/exception.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mail/codes.h"

namespace mxtrust::mail {
namespace {

constexpr std::array<std::pair<ExceptionAction, std::string_view>, 7> action_names{{
    {ExceptionAction::may, "may"},
    {ExceptionAction::encrypt, "encrypt"},
    {ExceptionAction::no_dane, "no-dane"},
    {ExceptionAction::no_sts, "no-sts"},
    {ExceptionAction::require_dane, "require-dane"},
    {ExceptionAction::skip, "skip"},
    {ExceptionAction::hold, "hold"},
}};

/// Of a host's and its domain's exception the one that lets less pass counts: in doubt the stricter.
int strictness(const ExceptionRef& exception) {
    if (!exception) return -1;
    switch (exception->action) {
        case ExceptionAction::may:
            return 0;
        case ExceptionAction::no_dane:
            return 1;
        case ExceptionAction::no_sts:
            return 2;
        case ExceptionAction::encrypt:
            return 3;
        case ExceptionAction::require_dane:
            return 4;
        case ExceptionAction::skip:
            return 5;
        case ExceptionAction::hold:
            return 6;
    }
    return 6;
}

bool sets_tlsa_aside(ExceptionAction action) {
    return action == ExceptionAction::may || action == ExceptionAction::no_dane || action == ExceptionAction::encrypt;
}

void add_word(std::vector<OperatorsWord>& words, const OperatorsWord& word) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}
void add_words(std::vector<OperatorsWord>& words, const std::vector<OperatorsWord>& more) {
    for (const OperatorsWord& word : more) add_word(words, word);
}

std::string host_or_domain(const Exception& exception) {
    std::string text = exception.on == Exception::On::host ? "host " : "mail to ";
    text += exception.name.to_text();
    if (exception.subdomains) text += " and below";
    return text;
}

/// "the operator's exception for mail to example.org (may, to the end of 2026-12-24: ticket 4711)"
std::string exception_text(const Exception& exception) {
    return "the operator's exception for " + host_or_domain(exception) + " (" + std::string(to_text(exception.action)) +
           ", " + dnssec::until_in_words(exception.ends) + ": " + exception.reason + ")";
}

/// Would the host's TLSA records have been asked, but for the exception?
bool would_ask_tlsa(const HostFacts& facts, const Circumstances& natural) {
    return natural.use_dane && facts.a && facts.aaaa && !base_domains(*facts.a, *facts.aaaa).empty();
}

/// Would a policy of MTA-STS have been looked for, but for the exception? Whether there is one nobody knows.
bool would_look_for_sts(const HostPolicy& policy) {
    return policy.action == HostAction::may || policy.action == HostAction::encrypt;
}

bool is_used(const HostPolicy& policy) {
    return policy.action != HostAction::skip && policy.action != HostAction::unreachable;
}

void refuse(HostPolicy& policy, std::string why) {
    policy = HostPolicy{};
    policy.action = HostAction::skip;
    policy.fault = Fault::dane_required;
    policy.tlsrpt = tlsrpt_type(Fault::dane_required);
    policy.text = std::move(why);
}

/// True where it made a difference.
bool require_dane(HostPolicy& policy, const MxSet& set, const Exception& exception) {
    if (!is_used(policy)) return false;
    const std::string required = "DANE is required by " + exception_text(exception) + ", but ";
    if (policy.action != HostAction::dane) {
        refuse(policy, required + policy.text);
        return true;
    }
    // RFC 7672 2.2.1: who must have DANE cannot rely on an MX record that anybody may have forged.
    if (exception.on != Exception::On::domain || set.authentic) return false;
    refuse(policy, required + "the MX records are not signed with DNSSEC");
    return true;
}

void encrypt(HostPolicy& policy, const std::string& host, const Exception& exception) {
    policy = HostPolicy{};
    policy.action = HostAction::encrypt;
    policy.sni = host;
    policy.text = "TLS is required, but the certificate is not checked, by " + exception_text(exception);
}

/// Why what was meant to help cannot.
std::string cannot_help(const Exception& exception) {
    return "; " + exception_text(exception) +
           " cannot help here: where records are bogus only a negative trust anchor does, where they cannot be looked "
           "up nothing";
}

bool is_helpless(const ExceptionRef& exception) {
    return exception && sets_tlsa_aside(exception->action);
}

void hold(MailAnswer& answer, const Exception& exception) {
    Decision held;
    held.action = Action::defer;
    held.fault = Fault::held;
    held.retry_after = retry_delay(1, {});
    held.text = "mail to " + answer.domain + " is held by " + exception_text(exception);
    answer.decision = std::move(held);
    add_word(answer.by_operator, word_of(exception));
}

const dnssec::Answer* tlsa_answer(const HostFacts& facts, const HostAnswer& answer) {
    if (!answer.tlsa) return nullptr;
    for (const TlsaFact& fact : facts.tlsa) {
        if (fact.base == answer.tlsa->base) return &fact.answer;
    }
    return nullptr;
}

void mark_statuses(MailAnswer& answer, const DomainFacts& facts, const dnssec::NegativeAnchors& anchors) {
    if (answer.mx && facts.mx) {
        answer.mx->status.by_operator = words_of(*facts.mx, anchors);
        add_words(answer.by_operator, answer.mx->status.by_operator);
    }
    for (std::size_t index = 0; index < std::min(answer.hosts.size(), facts.hosts.size()); ++index) {
        HostAnswer& host = answer.hosts[index];
        const HostFacts& known = facts.hosts[index];
        if (host.a && known.a) host.a->status.by_operator = words_of(*known.a, anchors);
        if (host.aaaa && known.aaaa) host.aaaa->status.by_operator = words_of(*known.aaaa, anchors);
        if (const dnssec::Answer* tlsa = tlsa_answer(known, host))
            host.tlsa->status.by_operator = words_of(*tlsa, anchors);
        if (host.a) add_words(host.by_operator, host.a->status.by_operator);
        if (host.aaaa) add_words(host.by_operator, host.aaaa->status.by_operator);
        if (host.tlsa) add_words(host.by_operator, host.tlsa->status.by_operator);
    }
}

/// Was a host left out that would have made the answer look weaker?
bool is_left_out(const HostAnswer& host) {
    return host.policy.fault == Fault::dane_required || host.policy.fault == Fault::held;
}

}  // namespace

std::string_view to_text(ExceptionAction action) {
    for (const auto& [known, name] : action_names) {
        if (known == action) return name;
    }
    return {};
}

Exceptions::Exceptions(const std::vector<Exception>& all, std::shared_ptr<LatestTime> latest)
    : latest_(std::move(latest)) {
    for (const Exception& exception : all) all_.push_back(std::make_shared<const Exception>(exception));
}

bool Exceptions::is_in_force(const Exception& exception, WallTime now) const {
    return latest_->seen(now) < exception.ends;
}

ExceptionRef Exceptions::find(Exception::On on, const dns::Name& name, WallTime now) const {
    ExceptionRef nearest;
    for (const ExceptionRef& exception : all_) {
        const bool names_it = exception->subdomains ? name.is_within(exception->name) : name == exception->name;
        if (exception->on != on || !names_it || !is_in_force(*exception, now)) continue;
        // Of one name twice, for itself and with all below, the former is nearer.
        const bool nearer = !nearest || exception->name.is_below(nearest->name) ||
                            (exception->name == nearest->name && !exception->subdomains);
        if (nearer) nearest = exception;
    }
    return nearest;
}

void note_exceptions(MxSet& set, const NextHop& hop, const Options& options, WallTime now) {
    if (!options.exceptions) return;
    const Exceptions& exceptions = *options.exceptions;
    if (hop.kind == NextHop::Kind::domain) set.exception = exceptions.find(Exception::On::domain, hop.name, now);
    const bool held = set.exception && set.exception->action == ExceptionAction::hold;
    for (MxHost& host : set.hosts) {
        if (host.fate != MxHost::Fate::use) continue;
        const ExceptionRef own = host.literal ? nullptr : exceptions.find(Exception::On::host, host.name, now);
        const ExceptionRef domains = held ? nullptr : set.exception;
        host.exception = strictness(own) >= strictness(domains) ? own : domains;
        if (!host.exception || host.exception->action != ExceptionAction::skip) continue;
        host.fate = MxHost::Fate::left_out;
        host.why = host.text + " is not used, by " + exception_text(*host.exception);
    }
}

bool wants_tlsa(const MxHost& host) {
    return !host.exception || !sets_tlsa_aside(host.exception->action);
}

Circumstances under_exception(const HostFacts& facts, Circumstances circumstances) {
    if (facts.host.exception && facts.host.exception->action == ExceptionAction::no_sts) circumstances.sts.reset();
    if (wants_tlsa(facts.host) || !would_ask_tlsa(facts, circumstances)) return circumstances;
    circumstances.use_dane = false;
    circumstances.why_not_dane = "DANE is not used, by " + exception_text(*facts.host.exception);
    return circumstances;
}

void apply_exception(HostAnswer& answer, const HostFacts& facts, const Circumstances& natural, const MxSet& set) {
    const ExceptionRef& exception = facts.host.exception;
    if (!exception) return;
    HostPolicy& policy = answer.policy;
    bool touched = is_used(policy) && sets_tlsa_aside(exception->action) && would_ask_tlsa(facts, natural);
    switch (exception->action) {
        case ExceptionAction::may:
            if (policy.action != HostAction::sts) break;
            policy = HostPolicy{};
            policy.action = HostAction::may;
            policy.sni = facts.host.literal ? std::string() : facts.host.text;
            policy.text = "MTA-STS is not used, by " + exception_text(*exception) + "; TLS is used where it is offered";
            touched = true;
            break;
        case ExceptionAction::encrypt:
            if (!is_used(policy)) break;
            encrypt(policy, facts.host.literal ? std::string() : facts.host.text, *exception);
            touched = true;
            break;
        case ExceptionAction::no_sts:
            touched = would_look_for_sts(policy);
            if (touched) policy.text += "; MTA-STS is not looked at, by " + exception_text(*exception);
            break;
        case ExceptionAction::require_dane:
            touched = require_dane(policy, set, *exception);
            break;
        case ExceptionAction::skip:
            touched = facts.host.fate == MxHost::Fate::left_out;
            break;
        case ExceptionAction::no_dane:
        case ExceptionAction::hold:
            break;
    }
    if (policy.action == HostAction::skip && is_helpless(exception)) policy.text += cannot_help(*exception);
    if (touched) add_word(answer.by_operator, word_of(*exception));
}

void apply_operators_word(MailAnswer& answer, const DomainFacts& facts, const Options& options) {
    const ExceptionRef& exception = facts.set.exception;
    if (exception && exception->action == ExceptionAction::hold) hold(answer, *exception);
    if (facts.set.verdict && facts.set.verdict->action == Action::defer && is_helpless(exception))
        answer.decision.text += cannot_help(*exception);
    if (options.negative_anchors) mark_statuses(answer, facts, *options.negative_anchors);
    for (const HostAnswer& host : answer.hosts) add_words(answer.by_operator, host.by_operator);
    if (answer.by_operator.empty()) return;
    answer.decision.authenticated = false;
    // Leaving out a host does not make the rest look better than the whole would.
    const bool left_out = std::any_of(answer.hosts.begin(), answer.hosts.end(), is_left_out);
    if (left_out && answer.decision.level == Level::dane) answer.decision.level = Level::dane_partial;
    for (const OperatorsWord& word : answer.by_operator) {
        if (answer.decision.text.find(word.text) == std::string::npos) answer.decision.text += "; " + word.text;
    }
}

std::vector<OperatorsWord> words_of(const dnssec::Reason& reason, const dnssec::NegativeAnchors& anchors) {
    std::vector<OperatorsWord> words;
    const dns::Name* name = dnssec::negative_anchor_of(reason);
    if (name == nullptr) return words;
    const dnssec::NegativeAnchor* anchor = anchors.find(*name);
    // Not configured any more, and still in an answer that was kept: it is named all the same.
    words.push_back(word_of(anchor != nullptr ? *anchor : dnssec::NegativeAnchor(*name)));
    return words;
}

std::vector<OperatorsWord> words_of(const dnssec::Answer& answer, const dnssec::NegativeAnchors& anchors) {
    std::vector<OperatorsWord> words;
    for (const dnssec::FindingRef& link : answer.links()) add_words(words, words_of(link->reason(), anchors));
    return words;
}

OperatorsWord word_of(const Exception& exception) {
    OperatorsWord word;
    word.kind = OperatorsWord::Kind::exception;
    word.on = exception.on == Exception::On::host ? "host" : "domain";
    word.name = exception.name;
    word.subdomains = exception.subdomains;
    word.action = to_text(exception.action);
    word.reason = exception.reason;
    word.expires = exception.ends;
    word.text = exception_text(exception);
    return word;
}

OperatorsWord word_of(const dnssec::NegativeAnchor& anchor) {
    OperatorsWord word;
    word.kind = OperatorsWord::Kind::negative_trust_anchor;
    word.on = "zone";
    word.name = anchor.name;
    word.subdomains = true;
    word.action = "insecure";
    word.reason = anchor.reason;
    word.expires = anchor.ends;
    word.text = dnssec::reason_of(anchor).text;
    return word;
}

std::string described(const OperatorsWord& word) {
    if (word.kind == OperatorsWord::Kind::negative_trust_anchor)
        return "the negative trust anchor for " + word.name.to_text();
    std::string text = "the operator's exception for ";
    text += word.on == "host" ? "host " : "mail to ";
    text += word.name.to_text();
    if (word.subdomains) text += " and below";
    return text + " (" + word.action + ")";
}

std::optional<WallTime> first_end(const std::vector<OperatorsWord>& words) {
    std::optional<WallTime> end;
    for (const OperatorsWord& word : words) end = end ? std::min(*end, word.expires) : word.expires;
    return end;
}

}  // namespace mxtrust::mail
