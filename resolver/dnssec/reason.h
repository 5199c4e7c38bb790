// Reasons in words: the sentences that a postmaster reads in logs, EDE texts and answers. Wording only; no verdict is
// made here.
#pragma once

#include <string>

#include "base/budget.h"
#include "dnssec/finding.h"

namespace mxtrust::dnssec {

/// "MX example.org"
[[nodiscard]] std::string describe(dns::Type type, const dns::Name& name);
/// "45 s", "12 min", "2 h", "3 days": the largest unit that gives at least two of it.
[[nodiscard]] std::string span_in_words(std::chrono::seconds span);
/// "key tag 12345"
[[nodiscard]] std::string describe_key(std::uint16_t key_tag, dns::Algorithm algorithm);

/// A budget's limit was reached while `doing`: indeterminate, never insecure (attacks.md, Limits).
[[nodiscard]] Reason limit_reached(Code code, const Budget& budget, const dns::Name& zone, const std::string& doing);
/// A limit of the policy was reached.
[[nodiscard]] Reason limit_reached(Code code, std::string_view limit, const dns::Name& zone, const std::string& doing);

[[nodiscard]] Reason make_reason(Code code, dns::Ede ede, const dns::Name& zone, std::string text);

}  // namespace mxtrust::dnssec
