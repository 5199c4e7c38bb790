// OPENSSL_init_crypto(3): the first call decides about the configuration file; later ones, also of other libraries in
// this process, find it decided.
#include "crypto/library.h"

#include <openssl/crypto.h>

namespace mxtrust::crypto {

Done prepare() {
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1) return {};
    return fail(FailureKind::system, "CLIB"_code, "the crypto library cannot be started");
}

}  // namespace mxtrust::crypto
