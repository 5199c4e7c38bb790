// A world in which every look-up's answer is written down, for tests of the mail decision.
#pragma once

#include <bit>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/rdata.h"
#include "dnssec/finding.h"
#include "mail/domain.h"
#include "mail/words.h"

namespace mxtrust::mail::testing {

using dns::Type;
using dnssec::Answer;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Security;

/// Only the validator and the cache codec can make a key; a test that must say "proven" forges one.
inline dnssec::ProofKey forged_key() {
    return std::bit_cast<dnssec::ProofKey>(std::uint8_t{0});
}

inline constexpr WallTime now{1'795'305'600};
inline constexpr WallTime later{1'795'309'200};

inline dns::Name name(std::string_view text) {
    return dns::Name::from_text(text).value();
}

/// Both axes in one, as far as they can occur together.
enum class Axis : std::uint8_t {
    secure_records,
    secure_nodata,
    secure_nxdomain,
    insecure_records,
    insecure_nodata,
    insecure_nxdomain,
    insecure_failure,
    bogus,
    indeterminate,
};
inline constexpr std::initializer_list<Axis> all_axes{
    Axis::secure_records,   Axis::secure_nodata,   Axis::secure_nxdomain,
    Axis::insecure_records, Axis::insecure_nodata, Axis::insecure_nxdomain,
    Axis::insecure_failure, Axis::bogus,           Axis::indeterminate};
inline bool is_secure(Axis axis) {
    return axis == Axis::secure_records || axis == Axis::secure_nodata || axis == Axis::secure_nxdomain;
}
inline bool is_insecure(Axis axis) {
    return !is_secure(axis) && axis != Axis::bogus && axis != Axis::indeterminate;
}
inline bool is_records(Axis axis) {
    return axis == Axis::secure_records || axis == Axis::insecure_records;
}
inline bool is_denial(Axis axis) {
    return axis == Axis::secure_nodata || axis == Axis::secure_nxdomain || axis == Axis::insecure_nodata ||
           axis == Axis::insecure_nxdomain;
}

inline dns::RRsetRef rrset(const dns::Name& owner, Type type, const std::vector<std::string>& texts) {
    auto set = std::make_shared<dns::RRset>();
    set->owner = owner;
    set->type = type;
    set->ttl = dns::Ttl(3600);
    for (const std::string& text : texts) set->records.push_back(dns::rdata_from_text(type, text).value());
    return set;
}

inline FindingRef finding(const dns::Name& owner, Type type, Axis axis, const std::vector<std::string>& texts = {},
                          WallTime expires = later) {
    dnssec::Finding::Parts parts;
    parts.name = owner;
    parts.type = type;
    parts.zone = owner.label_count() > 2 ? owner.ancestor(2) : owner;
    parts.expires = expires;
    if (is_records(axis)) {
        parts.outcome = Outcome::records;
        parts.rrset = rrset(owner, type, texts);
    } else if (is_denial(axis)) {
        bool nodata = axis == Axis::secure_nodata || axis == Axis::insecure_nodata;
        parts.outcome = nodata ? Outcome::nodata : Outcome::nxdomain;
        parts.rcode = nodata ? dns::Rcode::noerror : dns::Rcode::nxdomain;
    } else {
        parts.outcome = Outcome::failure;
        parts.rcode = dns::Rcode::servfail;
        parts.reason.text = axis == Axis::bogus ? "a signature has expired" : "no name server answers";
    }
    if (axis == Axis::bogus) return dnssec::Finding::bogus(std::move(parts));
    if (axis == Axis::indeterminate) return dnssec::Finding::failure(std::move(parts));
    return dnssec::Finding::proven(forged_key(), is_secure(axis) ? Security::secure : Security::insecure,
                                   std::move(parts));
}

/// A CNAME met while `type` was asked.
inline FindingRef alias(const dns::Name& owner, Type type, Axis axis, std::string_view target) {
    dnssec::Finding::Parts parts;
    parts.name = owner;
    parts.type = type;
    parts.zone = owner.ancestor(1);
    parts.outcome = Outcome::records;
    parts.rrset = rrset(owner, Type::cname, {std::string(target)});
    parts.expires = later;
    return dnssec::Finding::proven(forged_key(), is_secure(axis) ? Security::secure : Security::insecure,
                                   std::move(parts));
}

/// Names and types with what a resolver finds there. What is not written down is a secure NODATA.
class World {
  public:
    void put(std::string_view owner, Type type, Axis axis, std::vector<std::string> texts = {},
             WallTime expires = later) {
        facts_[{mail::testing::name(owner), type}] = finding(mail::testing::name(owner), type, axis, texts, expires);
    }
    void put_alias(std::string_view owner, std::string_view target, Axis axis = Axis::secure_records) {
        aliases_[mail::testing::name(owner)] = {std::string(target), axis};
    }
    void put_tlsa(std::string_view base, Axis axis, std::vector<std::string> texts = {}, std::uint16_t port = 25) {
        dns::Name owner = tlsa_name(mail::testing::name(base), port).value();
        facts_[{owner, Type::tlsa}] = finding(owner, Type::tlsa, axis, texts);
    }
    /// A host with a secure address and these TLSA records.
    void put_host(std::string_view owner, std::vector<std::string> tlsa, Axis address = Axis::secure_records) {
        put(owner, Type::a, address, {"192.0.2.25"});
        if (!is_secure(address)) put(owner, Type::aaaa, is_insecure(address) ? Axis::insecure_nodata : address);
        if (!tlsa.empty()) put_tlsa(owner, Axis::secure_records, std::move(tlsa));
    }

    [[nodiscard]] Answer look_up(const dns::Name& owner, Type type) const {
        std::vector<FindingRef> links;
        dns::Name at = owner;
        for (int hop = 0; hop < 9; ++hop) {
            auto found = aliases_.find(at);
            if (found == aliases_.end()) break;
            links.push_back(alias(at, type, found->second.second, found->second.first));
            at = mail::testing::name(found->second.first);
        }
        auto fact = facts_.find({at, type});
        if (links.size() == 9) {
            links.push_back(finding(at, type, Axis::indeterminate));
        } else {
            links.push_back(fact == facts_.end() ? finding(at, type, Axis::secure_nodata) : fact->second);
        }
        return Answer(std::move(links));
    }

  private:
    std::map<std::pair<dns::Name, Type>, FindingRef> facts_;
    std::map<dns::Name, std::pair<std::string, Axis>> aliases_;
};

/// What route/ does, without time: everything is asked, one after the other.
inline MailAnswer ask(const World& world, std::string_view next_hop, const Options& options = {},
                      std::uint16_t port = 25) {
    DomainFacts facts;
    facts.next_hop = parse_next_hop(next_hop).value();
    facts.port = facts.next_hop.port.value_or(port);
    facts.now = now;
    if (facts.next_hop.kind == NextHop::Kind::domain) {
        facts.mx = world.look_up(facts.next_hop.name, Type::mx);
        facts.set = read_mx(facts.next_hop.name, *facts.mx, options);
    } else {
        facts.set = without_mx(facts.next_hop);
    }
    if (facts.set.verdict) return decide(facts, options);
    for (const MxHost& host : facts.set.hosts) {
        HostFacts found{host, {}, {}, {}};
        if (host.fate == MxHost::Fate::use && !host.literal) {
            found.a = world.look_up(host.name, Type::a);
            found.aaaa = world.look_up(host.name, Type::aaaa);
            for (const dns::Name& base : base_domains(*found.a, *found.aaaa)) {
                found.tlsa.push_back({base, world.look_up(tlsa_name(base, facts.port).value(), Type::tlsa)});
            }
        }
        facts.hosts.push_back(std::move(found));
    }
    return decide(facts, options);
}

inline const std::string sha256 = "3 1 1 " + std::string(64, 'a');
inline const std::string sha512 = "3 1 2 " + std::string(128, 'b');

/// "dane may skip": the hosts' actions in order.
inline std::string actions(const MailAnswer& answer) {
    std::string text;
    for (const HostAnswer& host : answer.hosts) {
        if (!text.empty()) text += ' ';
        text += to_text(host.policy.action);
    }
    return text;
}

/// "deliver dane +" (authenticated), "defer 4.7.324", "bounce 5.1.10".
inline std::string summary(const Decision& decision) {
    std::string text(to_text(decision.action));
    if (decision.level) text += " " + std::string(to_text(*decision.level));
    if (decision.fault) text += " " + std::string(code_number(*decision.fault));
    if (decision.authenticated) text += " +";
    return text;
}

/// The worlds that most tests begin with.
inline void one_mx(World& world, Axis axis = Axis::secure_records) {
    world.put("example.org", Type::mx, axis, {"10 mx.example.org."});
}
inline void three_mx(World& world) {
    world.put("example.org", Type::mx, Axis::secure_records,
              {"10 mx1.example.org.", "20 mx2.example.org.", "30 mx3.example.org."});
    for (const char* host : {"mx1.example.org", "mx2.example.org", "mx3.example.org"}) world.put_host(host, {sha256});
}
inline void with_tlsa(World& world, std::vector<std::string> records) {
    one_mx(world);
    world.put_host("mx.example.org", std::move(records));
}

}  // namespace mxtrust::mail::testing
