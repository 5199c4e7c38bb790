// Levels are chosen so that an error of one host never costs the others: only where the hosts themselves are not known
// is the whole domain put off.
#include "serve/postfix_policy.h"

#include <algorithm>

#include "dns/text.h"
#include "mail/sts.h"
#include "mail/tlsrpt.h"
#include "serve/netstring.h"

namespace mxtrust::serve {
namespace {

using mail::HostAction;

/// Postfix writes the reason into its log and into the queue: a paragraph, not a page.
constexpr std::size_t most_reason_octets = 900;

std::string not_found() {
    return "NOTFOUND ";
}
/// Postfix finds out by itself, host by host, asking this same daemon over DNS.
std::string own_dane() {
    return "OK dane";
}
std::string permanent(std::string_view reason) {
    return "PERM " + dns::clean_text(reason, most_reason_octets);
}
std::string temporary(std::string_view reason) {
    return "TEMP " + dns::clean_text(reason, most_reason_octets);
}

bool every_host_is(const mail::MailAnswer& answer, HostAction action) {
    return !answer.hosts.empty() && std::all_of(answer.hosts.begin(), answer.hosts.end(),
                                                [action](const auto& host) { return host.policy.action == action; });
}
bool some_host_is(const mail::MailAnswer& answer, HostAction action) {
    return std::any_of(answer.hosts.begin(), answer.hosts.end(),
                       [action](const auto& host) { return host.policy.action == action; });
}

/// Not known which hosts there are. A failed look-up is no absence, in an unsigned zone neither.
bool hosts_are_unknown(const mail::MailAnswer& answer) {
    if (!answer.mx) return false;  // a next-hop in brackets: the operator named the host
    const mail::Status& mx = answer.mx->status;
    return mx.security == dnssec::Security::bogus || mx.security == dnssec::Security::indeterminate ||
           mx.outcome == dnssec::Outcome::failure;
}
bool hosts_are_authentic(const mail::MailAnswer& answer) {
    return !answer.mx || answer.mx->status.security == dnssec::Security::secure;
}

/// What the operator's exceptions ask of Postfix, which knows one policy for all hosts of a domain; empty where the
/// rules below say it, too. What was asked to be stricter is so for all, what was asked to be weaker only where no host
/// is stronger.
std::string_view operators_level(const mail::MailAnswer& answer) {
    bool touched = false, encrypt = false;
    for (const mail::HostAnswer& host : answer.hosts) {
        // Mandatory DANE: Postfix leaves out the hosts that do not have it.
        if (host.policy.fault == mail::Fault::dane_required) return "dane-only";
        for (const mail::OperatorsWord& word : host.by_operator) {
            if (word.kind != mail::OperatorsWord::Kind::exception) continue;
            touched = true;
            encrypt = encrypt || host.policy.action == HostAction::encrypt;
        }
    }
    if (!touched) return {};
    const bool dane = some_host_is(answer, HostAction::dane);
    if (encrypt && some_host_is(answer, HostAction::sts)) return {};
    if (encrypt) return dane && hosts_are_authentic(answer) ? "dane-only" : "encrypt";
    const bool weakest = !dane && !some_host_is(answer, HostAction::encrypt) &&
                         !some_host_is(answer, HostAction::sts) && !some_host_is(answer, HostAction::skip);
    // Without a policy of its own Postfix would look at TLSA records all the same.
    return weakest ? "may" : std::string_view();
}

/// A pattern of MTA-STS (RFC 8461 4.1) in Postfix's words: "*.example.net" is written ".example.net".
std::string match_of(const std::string& pattern) {
    return pattern.starts_with("*.") ? pattern.substr(1) : pattern;
}

bool is_left_out_by_sts(const mail::HostAnswer& host) {
    return host.policy.action == HostAction::skip && host.policy.fault == mail::Fault::sts_policy;
}

/// Does an enforced policy decide about a host?
bool sts_is_enforced(const mail::MailAnswer& answer) {
    return some_host_is(answer, HostAction::sts) ||
           std::any_of(answer.hosts.begin(), answer.hosts.end(), is_left_out_by_sts);
}

/// To Postfix ".example.net" matches at any depth, to RFC 8461 one label more.
bool postfix_would_match(const std::string& host, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&host](const std::string& pattern) {
        return pattern.starts_with("*.") ? host.ends_with(pattern.substr(1)) : host == pattern;
    });
}

/// With the policy's patterns, does Postfix keep away from every host that is not to be used by them? DANE hosts, and
/// those whose TLSA records could not be had, are not to be believed for a certificate alone (RFC 8461 2).
bool patterns_suffice(const mail::MailAnswer& answer) {
    const std::vector<std::string>& patterns = answer.sts->policy->patterns;
    return std::all_of(answer.hosts.begin(), answer.hosts.end(), [&patterns](const mail::HostAnswer& host) {
        if (is_left_out_by_sts(host)) return !postfix_would_match(host.name, patterns);
        return host.policy.action == HostAction::sts || host.policy.action == HostAction::unreachable;
    });
}

/// What certificates may name: the policy's patterns; where these say too much, the hosts that may be used by it.
std::vector<std::string> matches_of(const mail::MailAnswer& answer) {
    std::vector<std::string> matches;
    if (patterns_suffice(answer)) {
        for (const std::string& pattern : answer.sts->policy->patterns) matches.push_back(match_of(pattern));
        return matches;
    }
    for (const mail::HostAnswer& host : answer.hosts) {
        if (host.policy.action == HostAction::sts) matches.push_back(host.name);
    }
    return matches;
}

/// For the report (RFC 8460): Postfix 3.10 and newer only, and there only beside policy_type. What has white space
/// stands in braces.
std::string report_attributes(const mail::MailAnswer& answer) {
    const mail::StsPolicy& policy = *answer.sts->policy;
    std::string text = " policy_type=sts policy_domain=" + mail::policy_domain(answer);
    for (const std::string& line : mail::sts_lines(policy)) text += " { policy_string = " + line + " }";
    for (const std::string& pattern : policy.patterns) text += " mx_host_pattern=" + pattern;
    // No host is one of the policy's: whatever certificate one may have, it is not to be used.
    if (!some_host_is(answer, HostAction::sts)) text += " policy_failure=validation-failure";
    return text;
}

std::string sts_policy(PolicyMap map, const mail::MailAnswer& answer) {
    std::string policy = "OK secure servername=hostname";
    const std::vector<std::string> matches = matches_of(answer);
    // Nobody may be used, and there is no name to say so with.
    if (matches.empty()) return temporary(mail::code_text(mail::Fault::sts_policy) + ": " + answer.decision.text);
    for (const std::string& match : matches) policy += " match=" + match;
    if (map == PolicyMap::tlsrpt) policy += report_attributes(answer);
    // Half of a policy would be another policy.
    if (policy.size() > most_socketmap_reply_octets) return temporary("the MTA-STS policy is too long for socketmap");
    return policy;
}

/// Postfix can have one level for a domain, and none of ours is to become weaker by it: at "dane" it would take a host
/// without TLSA records in the clear, at "secure" one whose TLSA records do not match. So mail goes by DANE alone where
/// Postfix can have that, else by MTA-STS to those hosts alone that are authenticated by it.
std::string under_sts(PolicyMap map, const mail::MailAnswer& answer) {
    if (!some_host_is(answer, HostAction::dane)) return sts_policy(map, answer);
    if (hosts_are_authentic(answer) || !some_host_is(answer, HostAction::sts)) return "OK dane-only";
    return sts_policy(map, answer);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 0x80; });
}

/// A next-hop that could be read, were it not for what follows the last colon.
bool has_unknown_service(std::string_view key) {
    const std::size_t colon = key.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == key.size()) return false;
    return mail::parse_next_hop(key.substr(0, colon)).has_value();
}

/// For a key that is no next-hop to us. PERM and TEMP would put off all its mail for days, for nothing: what Postfix
/// cannot use as a destination either, it refuses itself, at once and with the right words; a path (LMTP) has no TLS.
/// But it can use services of /etc/services that we do not know, and names that IDNA2008 refuses and UTS 46 alone does
/// not; NOTFOUND would mean to let mail for these through without DANE.
std::string unreadable(std::string_view key) {
    const bool has_zero = key.find('\0') != std::string_view::npos;
    const bool perhaps_postfix_can = !key.starts_with('/') && !has_zero && (!is_ascii(key) || has_unknown_service(key));
    return perhaps_postfix_can ? own_dane() : not_found();
}

}  // namespace

std::variant<PolicyQuestion, std::string> parse_policy_request(std::string_view request) {
    const std::size_t space = request.find(' ');
    if (space == std::string_view::npos) {
        return permanent("a socketmap request is the name of a map, a space and a key; there is no space");
    }
    const std::string_view name = request.substr(0, space);
    const std::string_view key = request.substr(space + 1);
    PolicyQuestion question;
    if (name == "policy-tlsrpt") {
        question.map = PolicyMap::tlsrpt;
    } else if (name != "policy") {
        return permanent("there is no map \"" + std::string(name) +
                         "\" here; write socketmap:unix:PATH:policy, or policy-tlsrpt for Postfix 3.10 and newer");
    }
    // Postfix asks for parent domains when there is no policy for the domain itself (".example.org", ".org"). DANE
    // knows no inheritance.
    if (key.starts_with('.')) return not_found();
    auto next_hop = mail::parse_next_hop(key);
    if (!next_hop) return unreadable(key);
    question.next_hop = std::move(*next_hop);
    return question;
}

std::string policy_reply(PolicyMap map, const mail::MailAnswer& answer) {
    if (answer.decision.fault == mail::Fault::held && answer.decision.action == mail::Action::defer)
        return temporary(mail::code_text(mail::Fault::held) + ": " + answer.decision.text);
    if (hosts_are_unknown(answer)) {
        const std::string code = answer.decision.fault ? mail::code_text(*answer.decision.fault) + ": " : std::string();
        return temporary(code + answer.decision.text);
    }
    // Postfix finds null MX and missing domains itself, and its own bounce says it best.
    if (answer.decision.action == mail::Action::bounce) return not_found();
    if (hosts_are_authentic(answer) && every_host_is(answer, HostAction::dane)) return "OK dane-only";
    if (const std::string_view level = operators_level(answer); !level.empty()) return "OK " + std::string(level);
    if (answer.sts && answer.sts->policy && sts_is_enforced(answer)) return under_sts(map, answer);
    if (some_host_is(answer, HostAction::dane)) return own_dane();
    // RFC 7672 2.1.1: a host whose TLSA cannot be found out is skipped, the others are used: Postfix does so at "dane",
    // requires TLS where no record is usable, and takes what has none as "may".
    if (some_host_is(answer, HostAction::encrypt) || some_host_is(answer, HostAction::skip)) return own_dane();
    return not_found();
}

std::string overloaded_policy_reply() {
    return temporary("mxtrust has too many requests under way; Postfix will ask again");
}

PolicyReplyKind policy_reply_kind(std::string_view reply) {
    if (reply.starts_with("OK dane-only")) return PolicyReplyKind::dane_only;
    if (reply.starts_with("OK dane")) return PolicyReplyKind::dane;
    if (reply.starts_with("OK secure")) return PolicyReplyKind::secure;
    if (reply.starts_with("OK encrypt")) return PolicyReplyKind::encrypt;
    if (reply.starts_with("OK may")) return PolicyReplyKind::may;
    if (reply.starts_with("NOTFOUND ")) return PolicyReplyKind::not_found;
    return reply.starts_with("TEMP ") ? PolicyReplyKind::temp : PolicyReplyKind::perm;
}

}  // namespace mxtrust::serve
