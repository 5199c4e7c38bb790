// Any octets as a certificate, or as a public key, from a mail server's handshake or a TLSA record with matching type
// 0: what is told of it is clean and bounded, and a record that was made of it fits it.
#include <openssl/x509.h>

#include <memory>

#include "base/require.h"
#include "crypto/certificate.h"
#include "dns/text.h"
#include "probe/certificate.h"

using namespace mxtrust;

namespace {

struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

void check_text(const std::string& text, std::size_t most) {
    require(text.size() <= most && text == dns::clean_text(text, most));
}

mail::TlsaRecord record_of(std::uint8_t selector, const Bytes& sha256) {
    mail::TlsaRecord record;
    record.usage = 3;
    record.selector = selector;
    record.matching = 1;
    record.data = sha256;
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView der(data, size);
    const bool whole = crypto::is_certificate(der);
    // One cannot be the other: a certificate begins with a sequence in a sequence, whose first is no algorithm.
    require(!whole || !crypto::is_public_key_info(der));

    const std::uint8_t* position = data;
    const std::unique_ptr<X509, CertificateFree> certificate(d2i_X509(nullptr, &position, static_cast<long>(size)));
    require(!whole || certificate != nullptr);
    if (certificate == nullptr) return 0;
    const probe::Certificate facts = probe::facts_of(certificate.get());
    check_text(facts.subject, 200);
    check_text(facts.issuer, 200);
    check_text(facts.key, 100);
    check_text(facts.signature, 100);
    require(facts.names.size() <= probe::most_names);
    for (const std::string& name : facts.names) check_text(name, 253);
    require(facts.spki_sha256.empty() || probe::fits(record_of(1, facts.spki_sha256), certificate.get()));
    require(facts.certificate_sha256.empty() || probe::fits(record_of(0, facts.certificate_sha256), certificate.get()));
    require(!probe::fits(record_of(1, Bytes(32, 7)), certificate.get()));
    return 0;
}
