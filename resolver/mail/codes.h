// What a sender is told, beside the texts: how enhanced status codes (RFC 3463), their names and the result types of
// TLSRPT (RFC 8460 4.3) belong together, and when it is worth while to try again. The enums and their texts are in
// mail/answer.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "mail/answer.h"

namespace mxtrust::mail {

/// The result type under which a failure for this reason is reported; none for what is no failure of TLS (null MX, no
/// such domain …).
[[nodiscard]] std::optional<TlsrptType> tlsrpt_type(Fault fault);
/// Bogus anywhere is dnssec-invalid; else a look-up failed. Requires: not secure or insecure with an outcome that is no
/// failure.
[[nodiscard]] Fault fault_of(dnssec::Security security);

/// How long to wait before the next look: 15 minutes, 15 minutes more, then hourly; daily once a day has passed since
/// the first failure, when messages have expired. `tries` counts the looks so far, the first one included.
[[nodiscard]] std::chrono::seconds retry_delay(std::uint32_t tries, std::chrono::seconds failing_for);

}  // namespace mxtrust::mail
