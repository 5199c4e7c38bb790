// How the crypto library is started: by us, with nothing but what is compiled in.
#pragma once

#include "base/result.h"

namespace mxtrust::crypto {

/// Without the machine's openssl.cnf (or whatever OPENSSL_CONF names): it can load providers, that is code, and take
/// algorithms away, which would make signed zones look unsigned. What is supported is the policy's business
/// (dnssec/policy.h). Requires: nothing of the library was used yet, and this is the only thread.
Done prepare();

}  // namespace mxtrust::crypto
