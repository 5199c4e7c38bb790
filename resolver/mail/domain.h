// The decision for a mail domain, from its MX set and its hosts' facts (mail-trust's tables; RFC 7672 2.1 and 2.2).
//
// Pure: the same facts at the same time give the same answer. MX preference is never reordered by security, and one
// host's failure is that host's only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"
#include "mail/host.h"
#include "mail/mx_set.h"
#include "mail/next_hop.h"

namespace mxtrust::mail {

struct DomainFacts {
    NextHop next_hop;
    std::uint16_t port = 25;
    std::optional<dnssec::Answer> mx;  ///< none for a bracketed next-hop
    bool mx_cached = false;
    MxSet set;                           ///< read_mx of it, or without_mx
    std::vector<HostFacts> hosts;        ///< one for each of set.hosts, in that order; none where set.verdict decides
    std::optional<StsStatus> sts;        ///< none: not looked at
    std::optional<TlsrptStatus> tlsrpt;  ///< none: not looked at
    WallTime now{};
    std::chrono::seconds failed_for{5};  ///< how long an answer with a defer or skip is good at most
};

MailAnswer decide(const DomainFacts& facts, const Options& options);

/// May TLSA be of any use, given the MX answer? (So that it is not asked in vain.)
[[nodiscard]] bool wants_tlsa(const MxSet& set, const Options& options);

/// Is there a host for which a policy of MTA-STS could count, as DANE does not? (So that none is looked for in vain.)
[[nodiscard]] bool wants_sts(const DomainFacts& facts, const Options& options);

/// The name of a destination in answers and in the ledger: with ":port" where it is not 25.
[[nodiscard]] std::string destination_text(const NextHop& hop, std::uint16_t port);

}  // namespace mxtrust::mail
