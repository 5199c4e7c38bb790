// Findings as DNS responses: pure functions of (query, what was found, now).
//
// RFC 1034 4.3.2, RFC 4035 3.2 (AD, DO, CD), RFC 6672 3 (DNAME with its CNAME), RFC 6840 5.7 and 5.8 (when AD may be
// set), RFC 8914 (EDE). A failure or a bogus link makes the whole SERVFAIL: MTAs take anything else as an answer about
// the domain.
#pragma once

#include <vector>

#include "base/clock.h"
#include "dns/message.h"
#include "dnssec/finding.h"
#include "resolve/resolver.h"

namespace mxtrust::serve {

/// Requires of all: query.question. Never AD unless the client said AD or DO, CD is clear, and every link with its
/// proofs is secure.
[[nodiscard]] dns::Message answer_reply(const dns::Message& query, const dnssec::Answer& answer, WallTime now);
/// What has ended, told for want of something better (RFC 8767): with the TTL given at most, EDE 3 or 19, and never AD.
[[nodiscard]] dns::Message stale_reply(const dns::Message& query, const dnssec::Answer& answer, WallTime now,
                                       std::chrono::seconds ttl);
/// Type ANY: all sets at the name; SERVFAIL where one of them is bogus or could not be found out.
[[nodiscard]] dns::Message any_reply(const dns::Message& query, const std::vector<dnssec::FindingRef>& findings,
                                     WallTime now);
/// What a client with CD gets: as the authority said it, never AD.
[[nodiscard]] dns::Message unchecked_reply(const dns::Message& query, const resolve::RawAnswer& raw, WallTime now);
/// An error without any data; `errors` go out where the client speaks EDNS.
[[nodiscard]] dns::Message error_reply(const dns::Message& query, dns::Rcode rcode,
                                       const std::vector<dns::ExtendedError>& errors);

}  // namespace mxtrust::serve
