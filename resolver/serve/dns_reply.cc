// Sections are filled set by set: what answers goes to the answer section, what proves to the authority section.
#include "serve/dns_reply.h"

#include <algorithm>
#include <span>

#include "dns/text.h"

namespace mxtrust::serve {
namespace {

using dnssec::Finding;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Security;

/// What we take in queries; the same as what we ask for (RFC 9715).
constexpr std::uint16_t own_udp_size = 1232;

dns::Message begin(const dns::Message& query) {
    dns::Message reply;
    reply.id = query.id;
    reply.opcode = query.opcode;
    reply.response = true;
    reply.recursion_desired = query.recursion_desired;
    reply.recursion_available = true;
    reply.checking_disabled = query.checking_disabled;
    reply.question = query.question;
    if (query.edns) reply.edns = dns::Edns{own_udp_size, 0, query.edns->dnssec_ok, {}};
    return reply;
}

bool wants_signatures(const dns::Message& query) {
    return query.edns && query.edns->dnssec_ok;
}
/// RFC 6840 5.7: the AD bit in a query asks for AD, too.
bool wants_authentic(const dns::Message& query) {
    return query.authentic_data || wants_signatures(query);
}

dns::Ttl left(WallTime expires, WallTime now) {
    const auto seconds = std::clamp<std::int64_t>((expires - now).count(), 0, 0x7FFFFFFF);
    return dns::Ttl(static_cast<std::uint32_t>(seconds));
}

/// Fills the sections of one reply; each set goes in once.
class Sections {
  public:
    Sections(dns::Message& reply, bool signatures) : reply_(reply), signatures_(signatures) {}

    void answer(const dns::RRset& set, dns::Ttl ttl) { add(reply_.answer, set, ttl); }
    void authority(const dns::RRset& set, dns::Ttl ttl) { add(reply_.authority, set, ttl); }
    /// SOA tells for how long (RFC 2308 3); NSEC and NSEC3 only mean something to who asked for DNSSEC (RFC
    /// 4035 3.2.1).
    void denial(const Finding& finding, dns::Ttl ttl) {
        for (const dns::RRsetRef& set : finding.proof()) {
            if (set->type == dns::Type::soa || signatures_) authority(*set, ttl);
        }
    }
    /// What shows that no closer name than the wildcard exists.
    void expansion(const Finding& finding, dns::Ttl ttl) {
        for (const dns::RRsetRef& set : finding.proof()) {
            if (set->type != dns::Type::soa && signatures_) authority(*set, ttl);
        }
    }

  private:
    static bool has(const std::vector<dns::Record>& section, const dns::RRset& set) {
        return std::any_of(section.begin(), section.end(), [&set](const dns::Record& record) {
            return record.type == set.type && record.owner == set.owner;
        });
    }
    void add(std::vector<dns::Record>& section, const dns::RRset& set, dns::Ttl ttl) const {
        if (has(section, set)) return;
        for (const Bytes& rdata : set.records) section.push_back({set.owner, set.type, dns::Class::in, ttl, rdata});
        if (!signatures_) return;
        for (const Bytes& rdata : set.signatures)
            section.push_back({set.owner, dns::Type::rrsig, dns::Class::in, ttl, rdata});
    }

    dns::Message& reply_;
    bool signatures_;
};

std::optional<dns::ExtendedError> extended_error(const dnssec::Reason& reason, Security security) {
    if (reason.text.empty() && !reason.ede) return std::nullopt;
    dns::Ede code = dns::Ede::other;
    if (reason.ede) {
        code = *reason.ede;
    } else if (security == Security::bogus) {
        code = dns::Ede::dnssec_bogus;
    }
    // The place in the source goes last and is never cut off, so that a line in somebody's log finds it.
    const std::string place = reason.code == Code() ? std::string() : " [" + std::string(reason.code.view()) + "]";
    return dns::ExtendedError{code, dns::clean_text(reason.text, dns::most_ede_octets - place.size()) + place};
}

void explain(dns::Message& reply, const dnssec::Reason& reason, Security security) {
    const auto error = extended_error(reason, security);
    if (reply.edns && error) reply.edns->options.push_back(dns::make_ede(*error));
    // RFC 8914 4.14: beside what went wrong, that it went wrong a moment ago.
    const bool again = reason.remembered && reply.rcode == dns::Rcode::servfail;
    if (reply.edns && again)
        reply.edns->options.push_back(dns::make_ede({dns::Ede::cached_error, "this failure is not new"}));
}

bool has_failed(const Finding& finding) {
    return finding.outcome() == Outcome::failure || finding.security() == Security::bogus ||
           finding.security() == Security::indeterminate;
}

dns::Message failure_reply(const dns::Message& query, const Finding& finding) {
    dns::Message reply = begin(query);
    reply.rcode = dns::Rcode::servfail;
    explain(reply, finding.reason(), finding.security());
    return reply;
}

void add_alias(Sections& sections, const Finding& link, dns::Ttl ttl) {
    sections.answer(*link.rrset(), ttl);
    if (link.rrset()->type == dns::Type::dname) {
        // RFC 6672 3.1: beside the DNAME goes the CNAME made from it, which nobody can have signed.
        const auto made = link.alias_rrset();
        if (made) sections.answer(*made, ttl);
    }
    sections.expansion(link, ttl);
}

/// A DNAME's substitution that grew too long (RFC 6672 2.2): the resolver tells it as a failure behind the DNAME. What
/// there is to tell is the DNAME.
std::span<const FindingRef> links_to_tell(const dnssec::Answer& answer) {
    const std::span<const FindingRef> links(answer.links());
    return answer.is_aliased() && answer.rcode() == dns::Rcode::yxdomain ? links.first(links.size() - 1) : links;
}

dns::Rcode rcode_of(const Finding& last, const dns::Message& query) {
    if (last.rcode() == dns::Rcode::yxdomain) return dns::Rcode::yxdomain;
    if (last.is_alias()) return last.alias_target() ? dns::Rcode::noerror : dns::Rcode::yxdomain;
    // RFC 9824 5: the proof is that of a NODATA. Who gets it must find the rcode that goes with it; who does not is
    // told what it means.
    if (wants_signatures(query) && last.rcode() == dns::Rcode::noerror) return dns::Rcode::noerror;
    return last.outcome() == Outcome::nxdomain ? dns::Rcode::nxdomain : dns::Rcode::noerror;
}

/// RFC 6840 5.8 and pitfalls 26: everything in answer and authority, and no denial without its proof.
bool is_authentic(const FindingRef& link) {
    if (!link->is_secure()) return false;
    return link->outcome() == Outcome::records || !link->proof().empty();
}

}  // namespace

dns::Message answer_reply(const dns::Message& query, const dnssec::Answer& answer, WallTime now) {
    const std::span<const FindingRef> links = links_to_tell(answer);
    for (const FindingRef& link : links) {
        if (has_failed(*link)) return failure_reply(query, *link);
    }
    dns::Message reply = begin(query);
    Sections sections(reply, wants_signatures(query));
    for (const FindingRef& link : links) {
        const dns::Ttl ttl = left(link->expires(), now);
        if (link->is_alias()) {
            add_alias(sections, *link, ttl);
        } else if (link->outcome() == Outcome::records) {
            sections.answer(*link->rrset(), ttl);
            sections.expansion(*link, ttl);
        } else {
            sections.denial(*link, ttl);
        }
    }
    reply.rcode = rcode_of(answer.final(), query);
    reply.authentic_data =
        wants_authentic(query) && !query.checking_disabled && std::all_of(links.begin(), links.end(), is_authentic);
    explain(reply, answer.reason(), answer.security());
    return reply;
}

dns::Message stale_reply(const dns::Message& query, const dnssec::Answer& answer, WallTime now,
                         std::chrono::seconds ttl) {
    dns::Message reply = answer_reply(query, answer, now);
    reply.authentic_data = false;
    const dns::Ttl most = std::chrono::duration_cast<dns::Ttl>(ttl);
    for (std::vector<dns::Record>* section : {&reply.answer, &reply.authority}) {
        for (dns::Record& record : *section) record.ttl = record.ttl.count() == 0 ? most : std::min(record.ttl, most);
    }
    if (reply.edns) {
        const bool nothing = answer.outcome() == Outcome::nxdomain;
        const dns::Ede code = nothing ? dns::Ede::stale_nxdomain_answer : dns::Ede::stale_answer;
        reply.edns->options.insert(reply.edns->options.begin(),
                                   dns::make_ede({code, "this has ended, and nothing newer could be had in time"}));
    }
    return reply;
}

dns::Message any_reply(const dns::Message& query, const std::vector<FindingRef>& findings, WallTime now) {
    if (findings.empty())
        return error_reply(query, dns::Rcode::servfail,
                           {{dns::Ede::other, "the name's servers showed nothing that can be judged"}});
    for (const FindingRef& finding : findings) {
        if (has_failed(*finding)) return failure_reply(query, *finding);
    }
    dns::Message reply = begin(query);
    Sections sections(reply, wants_signatures(query));
    for (const FindingRef& finding : findings) {
        const dns::Ttl ttl = left(finding->expires(), now);
        if (finding->is_alias()) {
            add_alias(sections, *finding, ttl);
        } else if (finding->outcome() == Outcome::records) {
            sections.answer(*finding->rrset(), ttl);
            sections.expansion(*finding, ttl);
        } else {
            sections.denial(*finding, ttl);
        }
    }
    reply.rcode = rcode_of(*findings.back(), query);
    reply.authentic_data = wants_authentic(query) && !query.checking_disabled &&
                           std::all_of(findings.begin(), findings.end(), is_authentic);
    explain(reply, findings.front()->reason(), findings.front()->security());
    return reply;
}

dns::Message unchecked_reply(const dns::Message& query, const resolve::RawAnswer& raw, WallTime now) {
    dns::Message reply = begin(query);
    reply.rcode = raw.rcode;
    explain(reply, raw.reason, Security::indeterminate);
    if (raw.rcode == dns::Rcode::servfail) return reply;
    Sections sections(reply, wants_signatures(query));
    for (const dns::RRset& set : raw.answer) sections.answer(set, std::min(set.ttl, left(raw.expires, now)));
    for (const dns::RRset& set : raw.authority) {
        if (set.type == dns::Type::soa || wants_signatures(query))
            sections.authority(set, std::min(set.ttl, left(raw.expires, now)));
    }
    return reply;
}

dns::Message error_reply(const dns::Message& query, dns::Rcode rcode, const std::vector<dns::ExtendedError>& errors) {
    dns::Message reply = begin(query);
    reply.rcode = rcode;
    if (reply.edns) {
        for (const dns::ExtendedError& error : errors) reply.edns->options.push_back(dns::make_ede(error));
    }
    return reply;
}

}  // namespace mxtrust::serve
