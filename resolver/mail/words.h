// Sentences are put together here, so that all of them are.
#pragma once

#include <string>
#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"

namespace mxtrust::mail {

/// ": the signature of … expired 2 h ago", from the answer's reason; where it has none, from its rcode. Never empty for
/// an answer that is bogus or failed.
[[nodiscard]] std::string because(const dnssec::Answer& answer);
/// "until the operator of example.org signs it anew": what must happen, and who must do it, before the look-up can be
/// good. Requires: an answer that is bogus or failed.
[[nodiscard]] std::string until_mended(const dnssec::Answer& answer);
/// "1 host", "3 hosts"
[[nodiscard]] std::string counted(std::size_t count, std::string_view thing);
/// "a", "a and b", "a, b and c"
[[nodiscard]] std::string listed(const std::vector<std::string>& things);
/// "_25._tcp.mx.example.org"; an error where that is longer than a name can be.
[[nodiscard]] Result<dns::Name> tlsa_name(const dns::Name& base, std::uint16_t port);

}  // namespace mxtrust::mail
