// TLSRPT (RFC 8460): where a domain wants reports on TLS, and what of a mail answer such a report would say. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "mail/answer.h"

namespace mxtrust::mail {

/// The URIs of the one record that begins with "v=TLSRPTv1;", mailto: and https: only; none where there is no such
/// record, or more than one (RFC 8460 3). An error where it is malformed.
[[nodiscard]] Result<std::vector<std::string>> parse_tlsrpt_record(const std::vector<std::string>& texts);

/// The domain whose policy it is: the next-hop domain, or the host in brackets (RFC 8461 3.4), without port.
[[nodiscard]] std::string policy_domain(const MailAnswer& answer);

/// The policies that apply to the answer's hosts, with what failed of them before any connection (RFC 8460 4.3, 4.4):
/// DANE for each TLSA base domain, the domain's MTA-STS policy, or that there is none.
[[nodiscard]] std::vector<ReportedPolicy> reported_policies(const MailAnswer& answer);

}  // namespace mxtrust::mail
