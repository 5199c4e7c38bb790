// The MX RRset as a list of hosts; see mx_set.h.
#include "mail/mx_set.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "dns/rdata.h"
#include "mail/codes.h"
#include "mail/words.h"

namespace mxtrust::mail {
namespace {

using dnssec::Outcome;
using dnssec::Security;

Decision bounce(Fault fault, std::string text) {
    Decision decision;
    decision.action = Action::bounce;
    decision.fault = fault;
    decision.text = std::move(text);
    return decision;
}

Decision defer(const dns::Name& domain, const dnssec::Answer& mx) {
    Decision decision;
    decision.action = Action::defer;
    decision.fault = fault_of(mx.security());
    decision.tlsrpt = tlsrpt_type(*decision.fault);
    decision.retry_after = retry_delay(1, {});
    std::string what = mx.security() == Security::bogus
                           ? "the MX records of " + domain.to_text() + " are bogus"
                           : "the MX records of " + domain.to_text() + " could not be looked up";
    decision.text = what + because(mx) + "; mail waits " + until_mended(mx);
    return decision;
}

/// RFC 5321 5.1 forbids it, yet it is published: "MX 10 192.0.2.1." is a name of four labels in the zone file's eyes.
std::optional<Address> as_literal(const dns::Name& name) {
    std::string text = name.to_text();
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    constexpr std::string_view tag = "ipv6:";  // names are lower case
    if (text.starts_with(tag)) text.erase(0, tag.size());
    Result<Address> address = Address::from_text(text);
    if (!address) return std::nullopt;
    return *address;
}

void drop(MxHost& host, Flag flag, std::string why) {
    host.flags.push_back(flag);
    host.fate = MxHost::Fate::drop;
    host.why = std::move(why);
}

MxHost read_target(const dns::Name& target, std::uint16_t preference, const Options& options) {
    MxHost host;
    host.text = target.to_text();
    host.name = target;
    host.preference = preference;
    if (target.is_root()) {
        drop(host, Flag::malformed_null_mx,
             "a null MX must stand alone (RFC 7505 3); beside other hosts it is ignored");
    } else if (std::optional<Address> literal = as_literal(target)) {
        host.text = literal->to_text();
        host.literal = literal;
        host.flags.push_back(Flag::address_literal);
        if (!options.allow_mx_literals) {
            host.fate = MxHost::Fate::drop;
            host.why = "an MX record must name a host, not an address (RFC 5321 5.1); it is not used";
        }
    } else if (!is_host_name(target, Underscores::tolerated)) {
        drop(host, Flag::invalid_name, "not a valid host name (letters, digits and hyphens); it is not used");
    } else if (!is_host_name(target, Underscores::refused)) {
        host.flags.push_back(Flag::underscore);
    }
    return host;
}

struct Target {
    std::uint16_t preference = 0;
    bool duplicate = false;
};

/// One entry per host: the lower preference value counts. A map, so that the result does not depend on the order
/// received.
std::map<dns::Name, Target> collect(const dns::RRset& rrset) {
    std::map<dns::Name, Target> targets;
    for (const Bytes& rdata : rrset.records) {
        Result<dns::Mx> mx = dns::parse_mx(rdata);
        if (!mx) continue;  // rdata is checked when a message or the cache is read; such a set does not get here
        auto [place, fresh] = targets.try_emplace(mx->exchange, Target{mx->preference, false});
        if (fresh) continue;
        place->second.duplicate = true;
        place->second.preference = std::min(place->second.preference, mx->preference);
    }
    return targets;
}

void limit_hosts(std::vector<MxHost>& hosts) {
    std::size_t used = 0;
    for (MxHost& host : hosts) {
        if (host.fate != MxHost::Fate::use || ++used <= most_hosts) continue;
        host.fate = MxHost::Fate::over_limit;
        host.flags.push_back(Flag::over_limit);
        host.why = "not looked up: the domain has more than " + std::to_string(most_hosts) + " MX hosts";
    }
}

void read_records(MxSet& set, const dnssec::Answer& mx, const Options& options) {
    std::map<dns::Name, Target> targets = collect(*mx.final().rrset());
    bool has_null = targets.contains(dns::Name());
    // RFC 7505 3: one record, "."; the preference does not matter. Several that all say "." say the same.
    if (has_null && targets.size() == 1) {
        set.verdict =
            bounce(Fault::null_mx, "the domain " + set.domain.to_text() + " takes no mail, and says so by a null MX");
        return;
    }
    if (has_null && options.strict_null_mx) {
        set.verdict =
            bounce(Fault::null_mx, "the domain " + set.domain.to_text() +
                                       " publishes a null MX beside other MX hosts, which is taken at its word here");
    }
    for (const auto& [name, target] : targets) {
        MxHost host = read_target(name, target.preference, options);
        if (target.duplicate) host.flags.push_back(Flag::duplicate);
        set.hosts.push_back(std::move(host));
    }
    // The map gave them by name; equal preferences stay in that order, so that the listing does not depend on the order
    // received.
    std::sort(set.hosts.begin(), set.hosts.end(), [](const MxHost& left, const MxHost& right) {
        return std::tie(left.preference, left.name) < std::tie(right.preference, right.name);
    });
    if (set.verdict) {
        for (MxHost& host : set.hosts) {
            if (host.fate != MxHost::Fate::use) continue;
            host.fate = MxHost::Fate::drop;
            host.why = "not used: the domain also publishes a null MX";
        }
    }
    limit_hosts(set.hosts);
    bool any = std::any_of(set.hosts.begin(), set.hosts.end(),
                           [](const MxHost& host) { return host.fate != MxHost::Fate::drop; });
    if (!any && !set.verdict) {
        set.verdict = bounce(Fault::no_route, "no MX record of " + set.domain.to_text() +
                                                  " names a host that can be used: its operator must mend them");
    }
}

void add_implicit(MxSet& set) {
    MxHost host;
    host.text = set.domain.to_text();
    host.name = set.domain;
    host.preference = std::uint16_t{0};
    host.implicit = true;
    host.flags.push_back(Flag::implicit_mx);
    set.hosts.push_back(std::move(host));
}

}  // namespace

MxSet read_mx(const dns::Name& domain, const dnssec::Answer& mx, const Options& options) {
    MxSet set;
    set.domain = domain;
    set.identifiers.push_back(domain);
    if (mx.is_aliased() && mx.expanded() != domain) set.identifiers.push_back(mx.expanded());
    Security security = mx.security();
    // Security before outcome: of a bogus answer not even its being a denial is believed.
    if (security == Security::bogus || security == Security::indeterminate || mx.outcome() == Outcome::failure) {
        set.verdict = defer(domain, mx);
        return set;
    }
    set.authentic = security == Security::secure;
    switch (mx.outcome()) {
        case Outcome::records:
            read_records(set, mx, options);
            break;
        case Outcome::nodata:
            add_implicit(set);
            break;
        case Outcome::nxdomain:
            set.verdict =
                bounce(Fault::bad_domain,
                       "the domain " + domain.to_text() +
                           (mx.is_aliased() ? " is an alias of " + mx.expanded().to_text() + ", which does not exist"
                                            : " does not exist: is it spelled right?"));
            break;
        case Outcome::failure:
            break;  // above
    }
    return set;
}

MxSet without_mx(const NextHop& hop) {
    MxSet set;
    set.asked_mx = false;
    set.authentic = true;
    MxHost host;
    if (hop.kind == NextHop::Kind::address) {
        host.literal = hop.address;
        host.text = hop.address.to_text();
        host.flags.push_back(Flag::address_literal);
    } else {
        set.domain = hop.name;
        set.identifiers.push_back(hop.name);
        host.name = hop.name;
        host.text = hop.name.to_text();
    }
    set.hosts.push_back(std::move(host));
    return set;
}

}  // namespace mxtrust::mail
