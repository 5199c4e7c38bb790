// Everything in a certificate was written by a stranger: text is cleaned and cut, times may be absurd.
#include "probe/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>

#include "dns/text.h"

namespace mxtrust::probe {
namespace {

/// A distinguished name is a line.
constexpr std::size_t most_name_octets = 200;
constexpr int longest_domain = 253;

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
struct NamesFree {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const X509_NAME* name) {
    const std::unique_ptr<BIO, BioFree> memory(BIO_new(BIO_s_mem()));
    if (memory == nullptr || name == nullptr) return {};
    X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    char* data = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &data);
    if (data == nullptr || length <= 0) return {};
    return dns::clean_text({data, static_cast<std::size_t>(length)}, most_name_octets);
}

WallTime time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
    using namespace std::chrono;
    const sys_days days = year(parts.tm_year + 1900) / month(static_cast<unsigned>(parts.tm_mon) + 1) /
                          day(static_cast<unsigned>(parts.tm_mday));
    return {duration_cast<seconds>(days.time_since_epoch()).count() + parts.tm_hour * 3600 + parts.tm_min * 60 +
            parts.tm_sec};
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> found;
    const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (names == nullptr) return found;
    for (int index = 0; index < sk_GENERAL_NAME_num(names.get()) && found.size() < most_names; ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), index);
        if (name->type != GEN_DNS) continue;
        const unsigned char* data = ASN1_STRING_get0_data(name->d.dNSName);
        const int length = ASN1_STRING_length(name->d.dNSName);
        if (data == nullptr || length <= 0 || length > longest_domain) continue;
        found.push_back(dns::clean_text({reinterpret_cast<const char*>(data), static_cast<std::size_t>(length)},
                                        static_cast<std::size_t>(longest_domain)));
    }
    return found;
}

void describe_key(Certificate& facts, const EVP_PKEY* key) {
    if (key == nullptr) {
        facts.key = "of an unknown kind";
        return;
    }
    facts.key_bits = EVP_PKEY_get_bits(key);
    const int type = EVP_PKEY_get_base_id(key);
    const std::string bits = std::to_string(facts.key_bits) + " bits";
    if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS) {
        facts.kind = KeyKind::rsa;
        facts.key = (type == EVP_PKEY_RSA_PSS ? "RSA-PSS, " : "RSA, ") + bits;
    } else if (type == EVP_PKEY_EC) {
        facts.kind = KeyKind::ecdsa;
        facts.key = "ECDSA, " + bits;
    } else if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        facts.kind = KeyKind::ecdsa;
        facts.key = type == EVP_PKEY_ED448 ? "Ed448" : "Ed25519";
    } else {
        facts.key = "of another kind, " + bits;
    }
}

/// The octets that a selector chooses (RFC 6698 2.1.2).
Bytes selected(X509* certificate, std::uint8_t selector) {
    unsigned char* der = nullptr;
    const int length =
        selector == 0 ? i2d_X509(certificate, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0 || der == nullptr) return {};
    Bytes octets(der, der + length);
    OPENSSL_free(der);
    return octets;
}

Bytes digest(const EVP_MD* kind, const Bytes& data) {
    Bytes result(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    if (EVP_Digest(data.data(), data.size(), result.data(), &length, kind, nullptr) != 1) length = 0;
    result.resize(length);
    return result;
}

}  // namespace

Certificate facts_of(X509* certificate) {
    Certificate facts;
    facts.subject = text_of(X509_get_subject_name(certificate));
    facts.issuer = text_of(X509_get_issuer_name(certificate));
    facts.names = names_of(certificate);
    facts.not_before = time_of(X509_get0_notBefore(certificate));
    facts.not_after = time_of(X509_get0_notAfter(certificate));
    describe_key(facts, X509_get0_pubkey(certificate));
    const int algorithm = X509_get_signature_nid(certificate);
    const char* name = algorithm == NID_undef ? nullptr : OBJ_nid2ln(algorithm);
    facts.signature = name == nullptr ? "unknown" : name;
    facts.spki_sha256 = digest(EVP_sha256(), selected(certificate, 1));
    facts.certificate_sha256 = digest(EVP_sha256(), selected(certificate, 0));
    facts.is_authority = X509_check_ca(certificate) > 0;
    ERR_clear_error();
    return facts;
}

bool fits(const mail::TlsaRecord& record, X509* certificate) {
    if (record.selector > 1 || record.matching > 2 || record.data.empty()) return false;
    const Bytes octets = selected(certificate, record.selector);
    if (octets.empty()) return false;
    if (record.matching == 0) return octets == record.data;
    return digest(record.matching == 1 ? EVP_sha256() : EVP_sha512(), octets) == record.data;
}

}  // namespace mxtrust::probe
