// From hosts' policies to what to do with the mail; see domain.h.
#include "mail/domain.h"

#include <algorithm>
#include <utility>

#include "mail/codes.h"
#include "mail/exception.h"
#include "mail/words.h"

namespace mxtrust::mail {
namespace {

using dnssec::Security;

bool may_be_used(const HostAnswer& host) {
    return host.policy.action != HostAction::skip && host.policy.action != HostAction::unreachable;
}

/// What the hosts come to, counted.
struct Tally {
    std::vector<const HostAnswer*> used, skipped, unreachable;
    std::size_t dane = 0, encrypt = 0, sts = 0, may = 0;
};

Tally tally(const std::vector<HostAnswer>& hosts) {
    Tally counted;
    for (const HostAnswer& host : hosts) {
        switch (host.policy.action) {
            case HostAction::dane:
                ++counted.dane;
                break;
            case HostAction::encrypt:
                ++counted.encrypt;
                break;
            case HostAction::sts:
                ++counted.sts;
                break;
            case HostAction::may:
                ++counted.may;
                break;
            case HostAction::skip:
                counted.skipped.push_back(&host);
                break;
            case HostAction::unreachable:
                counted.unreachable.push_back(&host);
                break;
        }
        if (may_be_used(host)) counted.used.push_back(&host);
    }
    return counted;
}

/// That of the weakest host which may be used; partial where some, not all, are authenticated by DANE.
Level level_of(const Tally& hosts) {
    if (hosts.dane == hosts.used.size()) return Level::dane;
    if (hosts.dane > 0) return Level::dane_partial;
    if (hosts.may > 0) return Level::may;
    if (hosts.encrypt > 0) return Level::encrypt;
    return Level::sts;
}

std::string hosts_that(std::size_t count, std::size_t all, std::string_view one, std::string_view many) {
    if (all == 1) return "the only host " + std::string(one);
    if (count == all) return "all " + std::to_string(all) + " hosts " + std::string(many);
    return std::to_string(count) + " of " + std::to_string(all) + " hosts " + std::string(count == 1 ? one : many);
}

std::string named(const std::vector<const HostAnswer*>& hosts) {
    constexpr std::size_t most_named = 3;  // a sentence is to be read
    std::vector<std::string> names;
    for (std::size_t index = 0; index < std::min(hosts.size(), most_named); ++index)
        names.push_back(hosts[index]->name == "." ? "the null MX" : hosts[index]->name);
    if (hosts.size() > most_named) names.push_back(std::to_string(hosts.size() - most_named) + " more");
    return listed(names);
}

std::vector<const HostAnswer*> without_dane(std::vector<const HostAnswer*> hosts) {
    std::erase_if(hosts, [](const HostAnswer* host) { return host->policy.action == HostAction::dane; });
    return hosts;
}

std::string level_text(Level level, const Tally& hosts, std::size_t all) {
    std::size_t used = hosts.used.size();
    switch (level) {
        case Level::dane:
            return hosts_that(used, all, "is authenticated by DANE", "are authenticated by DANE");
        case Level::dane_partial:
            return hosts_that(hosts.dane, all, "is authenticated by DANE", "are authenticated by DANE") +
                   "; mail may also go to " + named(without_dane(hosts.used)) +
                   (used - hosts.dane == 1 ? ", which is not" : ", which are not");
        case Level::encrypt:
            return hosts_that(used, all, "requires TLS, but its certificate cannot be checked",
                              "require TLS, but their certificates cannot be checked");
        case Level::sts:
            return hosts_that(used, all, "is authenticated as its MTA-STS policy says",
                              "are authenticated as the MTA-STS policy says");
        case Level::may:
            return hosts_that(used, all, "is reached unauthenticated, with TLS where it is offered",
                              "are reached unauthenticated, with TLS where it is offered");
    }
    return {};
}

/// The hosts that may be used and yet are not all that one would wish.
std::string troubled_text(const Tally& hosts) {
    std::string text;
    if (!hosts.skipped.empty())
        text += "; " + named(hosts.skipped) + (hosts.skipped.size() == 1 ? " is" : " are") + " skipped for now";
    if (!hosts.unreachable.empty()) text += "; " + named(hosts.unreachable) + " cannot be used";
    return text;
}

std::string unauthenticated_text(const MxSet& set) {
    std::string why = ", as its MX records are not signed with DNSSEC";
    if (set.hosts.front().implicit) why = ", as nothing proves that it has no MX records";
    return "; the destination itself is not authenticated" + why;
}

Decision deliver(const Tally& hosts, std::size_t all, const MxSet& set) {
    Decision decision;
    decision.action = Action::deliver;
    decision.level = level_of(hosts);
    decision.authenticated = set.authentic && *decision.level == Level::dane;
    decision.text = level_text(*decision.level, hosts, all) + troubled_text(hosts);
    if (hosts.dane > 0 && !set.authentic) decision.text += unauthenticated_text(set);
    return decision;
}

Decision defer(const Tally& hosts) {
    const HostAnswer& first = *hosts.skipped.front();  // the most preferred one
    Decision decision;
    decision.action = Action::defer;
    decision.fault = first.policy.fault;
    decision.tlsrpt = first.policy.tlsrpt;
    decision.retry_after = retry_delay(1, {});
    decision.text = "no host can be used now: " + first.policy.text;
    return decision;
}

Decision bounce(const MxSet& set, std::size_t all) {
    Decision decision;
    decision.action = Action::bounce;
    decision.fault = Fault::no_route;
    std::string domain = set.domain.to_text();
    bool implicit = all == 1 && set.hosts.front().implicit;
    if (implicit) {
        decision.text = "the domain " + domain + " has neither MX records nor an address: it takes no mail";
    } else if (!set.asked_mx) {
        decision.text = "the host " + domain + " has no address: the next-hop is wrong, or the host is gone";
    } else {
        decision.text = "no MX host of " + domain + " has an address that can be used: its operator must mend the MX " +
                        "records or the hosts' addresses";
    }
    return decision;
}

Decision decide_hosts(const std::vector<HostAnswer>& hosts, const MxSet& set) {
    Tally counted = tally(hosts);
    if (!counted.used.empty()) return deliver(counted, hosts.size(), set);
    if (!counted.skipped.empty()) return defer(counted);
    return bounce(set, hosts.size());
}

Circumstances circumstances_of(const DomainFacts& facts, const Options& options) {
    Circumstances made;
    // RFC 7672 3.2.2: the next-hop domain is what the client asked for; it stands for a host where MX is authentic, or
    // where the domain is its own host.
    bool own_host = facts.set.hosts.size() == 1 && facts.set.hosts.front().implicit;
    if (facts.set.authentic) made.identifiers = facts.set.identifiers;
    if (!facts.set.authentic && own_host) made.identifiers.push_back(facts.set.domain);
    made.use_dane = wants_tlsa(facts.set, options);
    if (!options.dane_on) {
        made.why_not_dane = "DANE is switched off here";
    } else if (!made.use_dane) {
        made.why_not_dane = "the MX records are not signed with DNSSEC, and insecure_mx = \"may\" is set here";
    }
    made.port = facts.port;
    made.now = facts.now;
    if (facts.sts) made.sts = facts.sts->policy;
    return made;
}

MxStatus mx_status(const dnssec::Answer& mx, bool cached, WallTime now) {
    MxStatus status{status_of(mx, now), cached, {}};
    if (!mx.is_aliased()) return status;
    for (const dnssec::FindingRef& link : mx.links()) status.alias.push_back(link->name());
    return status;
}

/// Hosts that were not asked because the MX answer decides: listed with the reason.
HostAnswer unasked(const MxHost& host) {
    HostFacts facts;
    facts.host = host;
    return judge_host(facts, {});
}

/// A day: nothing is kept longer, and a literal rests on nothing that could expire.
constexpr std::chrono::seconds longest{86400};

WallTime expires_of(const MailAnswer& answer, std::chrono::seconds failed_for) {
    WallTime end = answer.time + longest;
    if (answer.mx) end = std::min(end, answer.mx->status.expires);
    bool failing = answer.decision.action == Action::defer;
    for (const HostAnswer& host : answer.hosts) {
        end = std::min(end, host.expires);
        failing = failing || host.policy.action == HostAction::skip;
    }
    if (answer.sts) end = std::min(end, answer.sts->expires);
    if (answer.tlsrpt) end = std::min(end, answer.tlsrpt->expires);
    if (std::optional<WallTime> ends = first_end(answer.by_operator)) end = std::min(end, *ends);
    // What failed may heal any moment; and what came late is to be seen soon.
    if (failing) end = std::min(end, answer.time + failed_for);
    return std::max(end, answer.time);
}

}  // namespace

bool wants_tlsa(const MxSet& set, const Options& options) {
    // What `insecure_mx` says is about hosts that an MX record names: who has none names itself.
    bool own_host = set.hosts.size() == 1 && set.hosts.front().implicit;
    return options.dane_on && (set.authentic || own_host || options.insecure_mx == InsecureMx::dane);
}

bool wants_sts(const DomainFacts& facts, const Options& options) {
    // A literal is no mail domain, and has no name to which a policy could belong (RFC 8461 3.4).
    if (facts.next_hop.kind == NextHop::Kind::address || facts.set.verdict) return false;
    const bool use_dane = wants_tlsa(facts.set, options);
    return std::any_of(facts.hosts.begin(), facts.hosts.end(), [&](const HostFacts& host) {
        if (host.host.fate != MxHost::Fate::use) return false;
        if (host.host.exception && host.host.exception->action == ExceptionAction::no_sts) return false;
        if (host.host.literal || !use_dane || !wants_tlsa(host.host)) return true;
        return host.a && host.aaaa && !dane_decides(host, facts.port);
    });
}

std::string destination_text(const NextHop& hop, std::uint16_t port) {
    std::string text = hop.to_text();
    if (port != 25) text += ":" + std::to_string(port);
    return text;
}

MailAnswer decide(const DomainFacts& facts, const Options& options) {
    MailAnswer answer;
    answer.domain = destination_text(facts.next_hop, facts.port);
    answer.port = facts.port;
    answer.time = facts.now;
    if (facts.mx) answer.mx = mx_status(*facts.mx, facts.mx_cached, facts.now);
    answer.sts = facts.sts;
    answer.tlsrpt = facts.tlsrpt;
    if (facts.set.verdict) {
        for (const MxHost& host : facts.set.hosts) answer.hosts.push_back(unasked(host));
        answer.decision = *facts.set.verdict;
    } else {
        Circumstances circumstances = circumstances_of(facts, options);
        for (const HostFacts& host : facts.hosts) {
            answer.hosts.push_back(judge_host(host, under_exception(host, circumstances)));
            apply_exception(answer.hosts.back(), host, circumstances, facts.set);
        }
        answer.decision = decide_hosts(answer.hosts, facts.set);
    }
    apply_operators_word(answer, facts, options);
    answer.expires = expires_of(answer, facts.failed_for);
    return answer;
}

}  // namespace mxtrust::mail
