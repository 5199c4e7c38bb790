// Facts of a certificate, for show and for advice; and whether a TLSA record fits it (RFC 6698 2.1), for show beside
// OpenSSL's verdict. For this room's sources: the header names OpenSSL's types as opaque.
#pragma once

#include "mail/answer.h"
#include "probe/tls.h"

struct x509_st;

namespace mxtrust::probe {

[[nodiscard]] Certificate facts_of(x509_st* certificate);
/// Selector, matching type and data; usage is the caller's business.
[[nodiscard]] bool fits(const mail::TlsaRecord& record, x509_st* certificate);

}  // namespace mxtrust::probe
