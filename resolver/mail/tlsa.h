// What TLSA records are worth to SMTP: usability and digest agility (RFC 7672 3.1, RFC 7671 4, 5 and 9, RFC 6698 2.1).
//
// Can only be asked of records that are proven to be authentic. Records of an insecure answer are listed, never judged.
#pragma once

#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"

namespace mxtrust::mail {

/// Each record with its worth, in order of usage, selector, matching type, data: the same set gives the same list.
[[nodiscard]] std::vector<TlsaRecord> judge_tlsa(const dnssec::SecureRRset& rrset);
/// For show only: nothing counts.
[[nodiscard]] std::vector<TlsaRecord> list_unproven_tlsa(const dns::RRset& rrset);
[[nodiscard]] bool any_usable(const std::vector<TlsaRecord>& records);

}  // namespace mxtrust::mail
