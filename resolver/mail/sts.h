// MTA-STS as text (RFC 8461 3): the TXT record that says that there is a policy and which one, the policy itself, and
// whether a host is one of those that a policy names. Pure; nothing is fetched here.
//
// What is malformed gives no policy, never a part of one. Unknown keys are passed over; of a key that stands twice the
// first counts (mx may stand often).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "dnssec/finding.h"
#include "mail/answer.h"

namespace mxtrust::mail {

/// RFC 8461 3.2: about a year; what is more counts as this.
inline constexpr std::chrono::seconds longest_sts_age{31'557'600};
/// A policy that was just fetched holds for so long at least, or "max_age: 0" would mean a fetch for every message.
inline constexpr std::chrono::seconds least_sts_life{60};
/// A suggestion of RFC 8461 3.3; larger ones are not read.
inline constexpr std::size_t most_sts_octets = 64 * 1024;

/// The strings of each TXT record put together (RFC 7208 3.3, as RFC 8461 3.1 wants). Malformed ones are left out.
[[nodiscard]] std::vector<std::string> txt_records(const dnssec::Answer& answer);

/// The id of the one record that begins with "v=STSv1;"; nothing where there is none, or more than one (RFC 8461 3.1:
/// then there is no policy). An error where it is malformed.
[[nodiscard]] Result<std::optional<std::string>> parse_sts_record(const std::vector<std::string>& texts);

/// Mode, patterns and max_age of a policy's text; the other fields stay empty. An error says what is wrong.
[[nodiscard]] Result<StsPolicy> parse_sts_policy(std::string_view text);

/// The policy's lines as RFC 8460 4.4 reports them: "version: STSv1", "mode: enforce", …
[[nodiscard]] std::vector<std::string> sts_lines(const StsPolicy& policy);

/// RFC 8461 4.1: "*.example.net" stands for exactly one label more.
[[nodiscard]] bool matches_sts(const dns::Name& host, const std::vector<std::string>& patterns);

}  // namespace mxtrust::mail
