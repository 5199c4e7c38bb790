// One MX host's policy; see host.h. The tables are those of RFC 7672 2.2.2 and 2.2.3, in the order of its decisions.
#include "mail/host.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "mail/codes.h"
#include "mail/sts.h"
#include "mail/tlsa.h"
#include "mail/words.h"

namespace mxtrust::mail {
namespace {

using dnssec::Answer;
using dnssec::Outcome;
using dnssec::Security;

bool is_bogus(const Answer& answer) {
    return answer.security() == Security::bogus;
}

/// Data or a denial that may be relied on as far as its security says; not a failure, not a lie.
bool is_good(const Answer& answer) {
    bool judged = answer.security() == Security::secure || answer.security() == Security::insecure;
    return judged && answer.outcome() != Outcome::failure;
}
bool has_records(const Answer& answer) {
    return is_good(answer) && answer.outcome() == Outcome::records;
}
bool is_denied(const Answer& answer) {
    return is_good(answer) && answer.outcome() != Outcome::records;
}

enum class Reachability : std::uint8_t {
    authentic,     ///< at least one family has authentic addresses
    unproven,      ///< addresses, none of them authentic
    contradicted,  ///< addresses of one family are not signed, the other family says that they must be
    none,          ///< proven: no address
    unknown,       ///< no address was found, and something failed
};

/// The family that the policy rests on, where there is one with addresses.
const Answer* basis_of(const Answer& a, const Answer& aaaa) {
    // One authentic family suffices: TLS authenticates the name, whatever the address.
    for (const Answer* answer : {&a, &aaaa}) {
        if (has_records(*answer) && answer->security() == Security::secure) return answer;
    }
    for (const Answer* answer : {&a, &aaaa}) {
        if (has_records(*answer)) return answer;
    }
    return nullptr;
}

Reachability reachability_of(const Answer& a, const Answer& aaaa) {
    const Answer* basis = basis_of(a, aaaa);
    if (basis == nullptr) return is_denied(a) && is_denied(aaaa) ? Reachability::none : Reachability::unknown;
    if (basis->security() == Security::secure) return Reachability::authentic;
    // One name cannot be both unsigned and falsely signed. In doubt no mail is sent in the clear.
    if (is_bogus(a) || is_bogus(aaaa)) return Reachability::contradicted;
    return Reachability::unproven;
}

AddressStatus addresses_of(const Answer& answer, WallTime now) {
    AddressStatus status{status_of(answer, now), {}};
    if (!has_records(answer) || answer.final().rrset() == nullptr) return status;
    for (const Bytes& rdata : answer.final().rrset()->records) {
        Result<Address> address = Address::from_rdata(rdata);
        if (address) status.addresses.push_back(*address);
    }
    std::sort(status.addresses.begin(), status.addresses.end());
    return status;
}

/// The alias to show: that of the family the policy rests on, else of whichever is one.
std::optional<AliasStatus> alias_of(const Answer& a, const Answer& aaaa) {
    const Answer* shown = basis_of(a, aaaa);
    if (shown == nullptr) shown = a.is_aliased() ? &a : &aaaa;
    if (!shown->is_aliased()) return std::nullopt;
    AliasStatus alias;
    alias.security = shown->alias_security();
    for (const dnssec::FindingRef& link : shown->links()) alias.chain.push_back(link->name());
    alias.expanded = shown->expanded();
    return alias;
}

/// Of what rests on nothing that ends.
constexpr WallTime forever{std::numeric_limits<std::int64_t>::max()};

/// What the look-ups at the candidates come to.
struct TlsaOutcome {
    enum class Kind : std::uint8_t { usable, unusable, absent, failed, not_asked } kind = Kind::not_asked;
    dns::Name base;
    const Answer* answer = nullptr;  ///< the one that decided; none where it never came
    std::vector<TlsaRecord> records;
    WallTime expires = forever;  ///< of all answers that were relied on
};

const Answer* find(const std::vector<TlsaFact>& facts, const dns::Name& base) {
    for (const TlsaFact& fact : facts) {
        if (fact.base == base) return &fact.answer;
    }
    return nullptr;
}

/// RFC 7672 2.2.3: the fully expanded name first, then the initial name; an error at one is an error, not a denial.
TlsaOutcome walk_candidates(const std::vector<dns::Name>& bases, const std::vector<TlsaFact>& facts,
                            std::uint16_t port) {
    TlsaOutcome outcome;
    for (const dns::Name& base : bases) {
        if (!tlsa_name(base, port)) continue;  // longer than a name can be: nothing can be published there
        const Answer* answer = find(facts, base);
        // What was denied at the name before is relied on as well.
        WallTime expires = answer == nullptr ? outcome.expires : std::min(outcome.expires, answer->expires());
        if (answer == nullptr || !is_good(*answer)) return {TlsaOutcome::Kind::failed, base, answer, {}, expires};
        if (std::optional<dnssec::SecureRRset> secure = dnssec::SecureRRset::from(*answer)) {
            std::vector<TlsaRecord> records = judge_tlsa(*secure);
            TlsaOutcome::Kind kind = any_usable(records) ? TlsaOutcome::Kind::usable : TlsaOutcome::Kind::unusable;
            return {kind, base, answer, std::move(records), expires};
        }
        outcome.expires = expires;
        if (outcome.answer != nullptr) continue;  // the first denial is shown
        outcome = {TlsaOutcome::Kind::absent, base, answer, {}, expires};
        if (has_records(*answer)) outcome.records = list_unproven_tlsa(*answer->final().rrset());
    }
    return outcome;
}

TlsaStatus shown_tlsa(const TlsaOutcome& outcome, std::uint16_t port, WallTime now) {
    TlsaStatus shown;
    shown.base = outcome.base;
    shown.name = tlsa_name(outcome.base, port).value();
    if (outcome.answer != nullptr) {
        shown.status = status_of(*outcome.answer, now);
    } else {
        shown.status.reason.ede = dns::Ede::dnssec_indeterminate;
        shown.status.reason.text = "no answer in time";
        shown.status.expires = now;
    }
    shown.records = outcome.records;
    return shown;
}

HostPolicy policy(HostAction action, std::string text) {
    HostPolicy made;
    made.action = action;
    made.text = std::move(text);
    return made;
}

HostPolicy skip(Fault fault, std::string text) {
    HostPolicy made = policy(HostAction::skip, std::move(text));
    made.fault = fault;
    made.tlsrpt = tlsrpt_type(fault);
    return made;
}

HostPolicy unreachable(std::string text) {
    HostPolicy made = policy(HostAction::unreachable, std::move(text));
    made.fault = Fault::no_route;
    return made;
}

/// No address was found and something failed. Bogus outweighs: that is the domain's to repair, and it says where.
HostPolicy skip_for_addresses(const std::string& host, const Answer& a, const Answer& aaaa) {
    const Answer* culprit = !is_good(a) ? &a : &aaaa;
    if (is_bogus(aaaa)) culprit = &aaaa;
    if (is_bogus(a)) culprit = &a;
    std::string_view how = is_bogus(*culprit) ? " are bogus" : " could not be looked up";
    return skip(fault_of(culprit->security()), "the addresses of " + host + std::string(how) + because(*culprit) +
                                                   "; the host is skipped " + until_mended(*culprit));
}

void add_name(std::vector<std::string>& names, const dns::Name& name) {
    std::string text = name.to_text();
    if (std::find(names.begin(), names.end(), text) == names.end()) names.push_back(std::move(text));
}

/// RFC 7672 3.2.2: the TLSA base domain, the next-hop domain where it is authentic, and the host's own name where it is
/// an alias.
std::vector<std::string> reference_identifiers(const HostFacts& facts, const dns::Name& base,
                                               const Circumstances& circumstances) {
    std::vector<std::string> names;
    add_name(names, base);
    for (const dns::Name& name : circumstances.identifiers) add_name(names, name);
    // A name that the TLSA records were not found at is one more only as the alias of the one where they were.
    if (facts.host.name != base) add_name(names, facts.host.name);
    return names;
}

std::string dane_text(const TlsaOutcome& outcome) {
    std::size_t counting = 0;
    for (const TlsaRecord& record : outcome.records) counting += record.counts ? 1 : 0;
    std::size_t all = outcome.records.size();
    std::string records = "the TLSA record of " + outcome.base.to_text();
    if (all > 1) records = "one of the " + std::to_string(all) + " TLSA records of " + outcome.base.to_text();
    if (counting < all)
        records += counting == 1 ? ", of which one counts" : ", of which " + std::to_string(counting) + " count";
    return "TLS is required and the server's certificate must match " + records;
}

std::string encrypt_text(const TlsaOutcome& outcome) {
    std::string why = outcome.records.empty() ? std::string("there are none") : outcome.records.front().why;
    return "TLS is required, but the certificate cannot be checked: no TLSA record of " + outcome.base.to_text() +
           " is usable (" + why + ")";
}

std::string absent_text(const TlsaOutcome& outcome) {
    std::string name = outcome.base.to_text();
    if (!outcome.records.empty())
        return "the TLSA records of " + name +
               " are not signed with DNSSEC, so they are not used; TLS is used where it is offered";
    return "no TLSA record is published for " + name + "; TLS is used where it is offered";
}

HostPolicy policy_from_tlsa(const HostFacts& facts, const TlsaOutcome& outcome, const Circumstances& circumstances) {
    HostPolicy made;
    switch (outcome.kind) {
        case TlsaOutcome::Kind::usable:
            made = policy(HostAction::dane, dane_text(outcome));
            made.sni = outcome.base.to_text();
            made.names = reference_identifiers(facts, outcome.base, circumstances);
            return made;
        case TlsaOutcome::Kind::unusable:
            made = policy(HostAction::encrypt, encrypt_text(outcome));
            made.sni = outcome.base.to_text();
            return made;
        case TlsaOutcome::Kind::absent:
            return policy(HostAction::may, absent_text(outcome));
        case TlsaOutcome::Kind::failed: {
            // RFC 7672 2.1.1: without a trustworthy denial the host may well have TLSA records. Exchange Online says
            // the same code.
            std::string what = "the TLSA records of " + outcome.base.to_text();
            if (outcome.answer == nullptr)
                return skip(Fault::dnssec_invalid,
                            what + " were not looked up in time; the host is skipped until they are");
            return skip(Fault::dnssec_invalid,
                        what + (is_bogus(*outcome.answer) ? " are bogus" : " could not be looked up") +
                            because(*outcome.answer) + "; the host is skipped " + until_mended(*outcome.answer));
        }
        case TlsaOutcome::Kind::not_asked:
            break;
    }
    return policy(HostAction::may,
                  "the name of " + facts.host.text + " is too long for TLSA records; TLS is used where it is offered");
}

/// Where DANE is proven to be absent, an enforced MTA-STS policy holds (RFC 8461 2: DANE's failure never falls back to
/// it).
HostPolicy with_sts(HostPolicy found, const HostFacts& facts, const Circumstances& circumstances) {
    bool dane_absent = found.action == HostAction::may || found.action == HostAction::encrypt;
    if (!dane_absent || !circumstances.sts || circumstances.sts->mode != StsPolicy::Mode::enforce) return found;
    if (facts.host.literal || !matches_sts(facts.host.name, circumstances.sts->patterns)) {
        return skip(Fault::sts_policy, "the MTA-STS policy of the domain does not name " + facts.host.text +
                                           "; the host is skipped until the policy names it, or MX no longer does");
    }
    HostPolicy made = policy(
        HostAction::sts,
        "MTA-STS: TLS is required and the certificate must be one that certificate authorities vouch for, naming " +
            facts.host.text);
    made.sni = facts.host.text;
    made.names.push_back(facts.host.text);
    return made;
}

std::string unproven_text(const HostFacts& facts, const Answer& basis) {
    std::string host = facts.host.text;
    std::string where = basis.is_aliased() ? host + " is an alias, and the chain to " + basis.expanded().to_text() +
                                                 " is not signed with DNSSEC throughout"
                                           : "the addresses of " + host + " are not signed with DNSSEC";
    return where + ", so TLSA was not asked; TLS is used where it is offered";
}

std::string no_address_hint(const HostFacts& facts) {
    if (facts.host.implicit) return "it publishes no MX records either";
    if (!facts.host.preference) return "is the name right?";
    return "its operator must publish one, or the domain remove it from MX";
}

void judge_asked_host(HostAnswer& answer, const HostFacts& facts, const Circumstances& circumstances) {
    const Answer& a = *facts.a;
    const Answer& aaaa = *facts.aaaa;
    answer.a = addresses_of(a, circumstances.now);
    answer.aaaa = addresses_of(aaaa, circumstances.now);
    answer.expires = std::min(a.expires(), aaaa.expires());
    answer.alias = alias_of(a, aaaa);
    if (answer.alias) answer.flags.push_back(Flag::cname);
    switch (reachability_of(a, aaaa)) {
        case Reachability::none:
            answer.policy =
                unreachable(facts.host.text + " has no address, neither A nor AAAA; " + no_address_hint(facts));
            return;
        case Reachability::unknown:
        case Reachability::contradicted:
            answer.policy = skip_for_addresses(facts.host.text, a, aaaa);
            return;
        case Reachability::authentic:
        case Reachability::unproven:
            break;
    }
    if (!circumstances.use_dane) {
        answer.policy = policy(HostAction::may, circumstances.why_not_dane + "; TLS is used where it is offered");
        return;
    }
    std::vector<dns::Name> bases = base_domains(a, aaaa);
    if (bases.empty()) {
        answer.policy = policy(HostAction::may, unproven_text(facts, *basis_of(a, aaaa)));
        return;
    }
    TlsaOutcome outcome = walk_candidates(bases, facts.tlsa, circumstances.port);
    answer.expires = std::min(answer.expires, outcome.expires);
    if (outcome.kind != TlsaOutcome::Kind::not_asked)
        answer.tlsa = shown_tlsa(outcome, circumstances.port, circumstances.now);
    answer.policy = policy_from_tlsa(facts, outcome, circumstances);
}

/// Most hosts have none: an alias of TLSA records, what was denied at a base domain before, the other family's alias.
std::vector<dns::Name> unshown_names(const HostAnswer& answer, const HostFacts& facts) {
    std::vector<dns::Name> names;
    const auto add = [&](const Answer& look_up) {
        for (const dnssec::FindingRef& link : look_up.links()) {
            const dns::Name& name = link->name();
            const bool in_chain =
                answer.alias && std::ranges::find(answer.alias->chain, name) != answer.alias->chain.end();
            const bool is_shown = name == facts.host.name || in_chain || (answer.tlsa && answer.tlsa->name == name);
            if (!is_shown && std::ranges::find(names, name) == names.end()) names.push_back(name);
        }
    };
    add(*facts.a);
    add(*facts.aaaa);
    for (const TlsaFact& fact : facts.tlsa) add(fact.answer);
    return names;
}

}  // namespace

std::vector<dns::Name> base_domains(const Answer& a, const Answer& aaaa) {
    const Answer* basis = basis_of(a, aaaa);
    if (basis == nullptr) return {};
    if (basis->security() == Security::secure) {
        std::vector<dns::Name> bases{basis->expanded()};
        if (basis->expanded() != basis->name()) bases.push_back(basis->name());
        return bases;
    }
    if (reachability_of(a, aaaa) != Reachability::unproven) return {};
    // RFC 7672 2.2.2: the chain leaves signed space, but the alias itself is authentic: its owner may speak for the
    // host.
    if (basis->is_aliased() && basis->links().front()->is_secure()) return {basis->name()};
    return {};
}

std::optional<dns::Name> missing_tlsa(const HostFacts& facts, std::uint16_t port) {
    TlsaOutcome outcome = walk_candidates(base_domains(*facts.a, *facts.aaaa), facts.tlsa, port);
    if (outcome.kind == TlsaOutcome::Kind::failed && outcome.answer == nullptr) return outcome.base;
    return std::nullopt;
}

bool dane_decides(const HostFacts& facts, std::uint16_t port) {
    const TlsaOutcome outcome = walk_candidates(base_domains(*facts.a, *facts.aaaa), facts.tlsa, port);
    // What could not be found out is no reason to look elsewhere either (RFC 8461 2).
    return outcome.kind == TlsaOutcome::Kind::usable || outcome.kind == TlsaOutcome::Kind::failed;
}

HostAnswer judge_host(const HostFacts& facts, const Circumstances& circumstances) {
    HostAnswer answer;
    answer.name = facts.host.text;
    answer.preference = facts.host.preference;
    answer.implicit = facts.host.implicit;
    answer.flags = facts.host.flags;
    answer.expires = forever;
    if (facts.host.fate == MxHost::Fate::drop) {
        answer.policy = unreachable(facts.host.why);
    } else if (facts.host.fate == MxHost::Fate::over_limit) {
        answer.policy = skip(Fault::dns_query_failed, facts.host.why);
    } else if (facts.host.fate == MxHost::Fate::left_out) {
        answer.policy = skip(Fault::held, facts.host.why);
    } else if (facts.host.literal) {
        answer.policy = policy(HostAction::may,
                               "an address has no name that DANE could authenticate; TLS is used where it is offered");
        answer.policy = with_sts(std::move(answer.policy), facts, circumstances);
    } else if (!facts.a || !facts.aaaa) {
        answer.policy =
            skip(Fault::dns_query_failed, "the addresses of " + facts.host.text +
                                              " were not looked up in time; the host is skipped until they are");
    } else {
        judge_asked_host(answer, facts, circumstances);
        answer.unshown = unshown_names(answer, facts);
        answer.policy = with_sts(std::move(answer.policy), facts, circumstances);
    }
    // Without TLSA the name for SNI is the host's own; where nothing is sent, and to a literal, there is none.
    if (answer.policy.action == HostAction::may && !facts.host.literal) answer.policy.sni = facts.host.text;
    return answer;
}

Status status_of(const Answer& answer, WallTime now) {
    Status status;
    status.security = answer.security();
    status.outcome = answer.outcome();
    status.rcode = answer.rcode();
    status.expires = answer.expires();
    status.reason = answer.reason();
    if (has_records(answer)) {
        std::int64_t left = std::clamp<std::int64_t>(answer.expires().seconds - now.seconds, 0, 0x7fffffff);
        status.ttl = dns::Ttl(static_cast<std::uint32_t>(left));
    }
    if (status.security == Security::secure) status.signer = answer.final().zone();
    return status;
}

}  // namespace mxtrust::mail
