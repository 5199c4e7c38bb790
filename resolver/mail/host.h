// The policy for one MX host, from what was found of its addresses and its TLSA records (RFC 7672 2.2).
//
// Two questions, in this order: at which names may TLSA be asked (base_domains), and what follows from the answers
// (judge_host). A failure is never an absence: where a record that matters could not be found out or is bogus, the host
// is skipped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"
#include "mail/mx_set.h"

namespace mxtrust::mail {

/// At which TLSA base domains to ask, the first one first; none: TLSA must not be asked, or asking it makes no
/// difference.
[[nodiscard]] std::vector<dns::Name> base_domains(const dnssec::Answer& a, const dnssec::Answer& aaaa);

struct TlsaFact {
    dns::Name base;
    dnssec::Answer answer;
};

/// What was found of one host. More TLSA answers may be here than may be used: they are asked ahead of time.
struct HostFacts {
    MxHost host;
    std::optional<dnssec::Answer> a, aaaa;  ///< both there, except for hosts that are not asked for (literals, dropped)
    std::vector<TlsaFact> tlsa;
};

/// At which of the base domains a TLSA answer is still needed before the policy can be judged; none: `facts` suffice as
/// they are. Requires: a and aaaa are there.
[[nodiscard]] std::optional<dns::Name> missing_tlsa(const HostFacts& facts, std::uint16_t port);

/// What holds for all hosts of a domain.
struct Circumstances {
    std::vector<dns::Name>
        identifiers;           ///< next-hop names that may stand in the certificate: none where MX is not authentic
    bool use_dane = true;      ///< off by the operator's word, or because of MX and `insecure_mx`
    std::string why_not_dane;  ///< where off: why, one sentence
    std::uint16_t port = 25;
    WallTime now{};
    std::optional<StsPolicy> sts;
};

HostAnswer judge_host(const HostFacts& facts, const Circumstances& circumstances);

/// Will DANE decide about this host, whatever MTA-STS says? Requires: a and aaaa are there.
[[nodiscard]] bool dane_decides(const HostFacts& facts, std::uint16_t port);

/// Both axes of a look-up, for show.
[[nodiscard]] Status status_of(const dnssec::Answer& answer, WallTime now);

}  // namespace mxtrust::mail
