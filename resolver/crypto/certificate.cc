// DER through OpenSSL's parsers, with the whole input consumed.
#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace mxtrust::crypto {

namespace {

struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

bool has_sane_size(BytesView der) {
    return !der.empty() && der.size() <= most_association_octets;
}

}  // namespace

bool is_certificate(BytesView der) {
    if (!has_sane_size(der)) return false;
    const std::uint8_t* position = der.data();
    const std::unique_ptr<X509, CertificateFree> certificate(
        d2i_X509(nullptr, &position, static_cast<long>(der.size())));
    // Without a key that the TLS library understands, the certificate can match in no handshake.
    const bool good =
        certificate && position == der.data() + der.size() && X509_get0_pubkey(certificate.get()) != nullptr;
    ERR_clear_error();
    return good;
}

bool is_public_key_info(BytesView der) {
    if (!has_sane_size(der)) return false;
    const std::uint8_t* position = der.data();
    const std::unique_ptr<EVP_PKEY, KeyFree> key(d2i_PUBKEY(nullptr, &position, static_cast<long>(der.size())));
    const bool good = key && position == der.data() + der.size();
    ERR_clear_error();
    return good;
}

}  // namespace mxtrust::crypto
