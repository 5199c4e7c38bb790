// Keys and signatures through OpenSSL; failures abort the test.
#include "signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "crypto/digest.h"
#include "dnssec/canonical.h"

namespace mxtrust::test {

namespace {

void expect(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("test signer: ") + what);
}

std::shared_ptr<void> own(EVP_PKEY* key) {
    expect(key != nullptr, "no key");
    return {key, [](void* pointer) { EVP_PKEY_free(static_cast<EVP_PKEY*>(pointer)); }};
}

EVP_PKEY* raw(const std::shared_ptr<void>& key) {
    return static_cast<EVP_PKEY*>(key.get());
}

const EVP_MD* digest_of(dns::Algorithm algorithm) {
    switch (algorithm) {
        case dns::Algorithm::rsasha1:
        case dns::Algorithm::rsasha1_nsec3_sha1:
            return EVP_sha1();
        case dns::Algorithm::rsasha256:
        case dns::Algorithm::ecdsa_p256_sha256:
            return EVP_sha256();
        case dns::Algorithm::ecdsa_p384_sha384:
            return EVP_sha384();
        case dns::Algorithm::rsasha512:
            return EVP_sha512();
        case dns::Algorithm::ed25519:
        case dns::Algorithm::ed448:
            return nullptr;
    }
    return nullptr;
}

bool is_ecdsa(dns::Algorithm algorithm) {
    return algorithm == dns::Algorithm::ecdsa_p256_sha256 || algorithm == dns::Algorithm::ecdsa_p384_sha384;
}

std::shared_ptr<void> make_key(dns::Algorithm algorithm, std::uint8_t seed) {
    switch (algorithm) {
        case dns::Algorithm::ed25519: {
            const Bytes secret(32, seed);
            return own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
        }
        case dns::Algorithm::ed448: {
            const Bytes secret(57, seed);
            return own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED448, nullptr, secret.data(), secret.size()));
        }
        case dns::Algorithm::ecdsa_p256_sha256:
            return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
        case dns::Algorithm::ecdsa_p384_sha384:
            return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
        case dns::Algorithm::rsasha1:
        case dns::Algorithm::rsasha1_nsec3_sha1:
        case dns::Algorithm::rsasha256:
        case dns::Algorithm::rsasha512:
            return own(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
    }
    throw std::runtime_error("test signer: unknown algorithm");
}

Bytes number(EVP_PKEY* key, const char* parameter) {
    BIGNUM* value = nullptr;
    expect(EVP_PKEY_get_bn_param(key, parameter, &value) == 1, "no number");
    const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> owner(value, BN_free);
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(value)));
    BN_bn2bin(value, octets.data());
    return octets;
}

Bytes public_octets(EVP_PKEY* key, dns::Algorithm algorithm) {
    Bytes octets(200);
    std::size_t length = octets.size();
    if (is_ecdsa(algorithm)) {
        expect(
            EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size(), &length) == 1,
            "point");
        return {octets.begin() + 1, octets.begin() + static_cast<std::ptrdiff_t>(length)};
    }
    if (digest_of(algorithm) == nullptr) {
        expect(EVP_PKEY_get_raw_public_key(key, octets.data(), &length) == 1, "raw key");
        octets.resize(length);
        return octets;
    }
    const Bytes exponent = number(key, OSSL_PKEY_PARAM_RSA_E);
    const Bytes modulus = number(key, OSSL_PKEY_PARAM_RSA_N);
    Writer writer;
    writer.u8(static_cast<std::uint8_t>(exponent.size()));
    writer.bytes(exponent);
    writer.bytes(modulus);
    return std::move(writer).finish();
}

Bytes plain_ecdsa(const Bytes& der, std::size_t octets) {
    const std::uint8_t* position = der.data();
    const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parsed(
        d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size())), ECDSA_SIG_free);
    expect(parsed != nullptr, "signature");
    Bytes plain(2 * octets);
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), plain.data(), static_cast<int>(octets));
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), plain.data() + octets, static_cast<int>(octets));
    return plain;
}

Bytes sign_octets(EVP_PKEY* key, dns::Algorithm algorithm, BytesView data) {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    expect(EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm), nullptr, key) == 1, "cannot begin to sign");
    Bytes signature(1024);
    std::size_t length = signature.size();
    expect(EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()) == 1, "cannot sign");
    signature.resize(length);
    if (algorithm == dns::Algorithm::ecdsa_p256_sha256) return plain_ecdsa(signature, 32);
    if (algorithm == dns::Algorithm::ecdsa_p384_sha384) return plain_ecdsa(signature, 48);
    return signature;
}

}  // namespace

dns::Name name(const std::string& text) {
    return dns::Name::from_text(text).value();
}

dns::RRset rrset(const std::string& owner, dns::Type type, const std::vector<std::string>& rdata, std::uint32_t ttl) {
    dns::RRset set;
    set.owner = name(owner);
    set.type = type;
    set.ttl = dns::Ttl(ttl);
    for (const std::string& text : rdata) set.records.push_back(dns::rdata_from_text(type, text).value());
    return set;
}

Bytes with_same_tag(const Bytes& dnskey, std::size_t variant) {
    Bytes other = dnskey;
    const std::size_t place = 4 + 2 * variant;
    std::swap_ranges(other.begin() + static_cast<std::ptrdiff_t>(place),
                     other.begin() + static_cast<std::ptrdiff_t>(place) + 2, other.end() - 2);
    return other;
}

Signer::Signer(const std::string& zone, dns::Algorithm algorithm, std::uint8_t seed, std::uint16_t flags,
               std::uint8_t protocol)
    : zone_(name(zone)), key_(make_key(algorithm, seed)) {
    Writer writer;
    writer.u16(flags);
    writer.u8(protocol);
    writer.u8(static_cast<std::uint8_t>(algorithm));
    writer.bytes(public_octets(raw(key_), algorithm));
    rdata_ = std::move(writer).finish();
    dnskey_ = dns::parse_dnskey(rdata_).value();
}

dns::Ds Signer::ds(dns::DigestType type) const {
    Writer writer;
    writer.bytes(zone_.wire());
    writer.bytes(rdata_);
    return {dnskey_.key_tag, dnskey_.algorithm, type, crypto::ds_digest(type, writer.view()).value()};
}

Bytes Signer::signature(const dns::RRset& set, const Bend& bend) const {
    dns::Rrsig rrsig;
    rrsig.covered = bend.covered.value_or(set.type);
    rrsig.algorithm = dnskey_.algorithm;
    const std::size_t labels = set.owner.label_count() - (set.owner.is_wildcard() ? 1 : 0);
    rrsig.labels = bend.labels.value_or(static_cast<std::uint8_t>(labels));
    rrsig.original_ttl = bend.original_ttl.value_or(set.ttl.count());
    rrsig.inception = static_cast<std::uint32_t>(noon.seconds + bend.inception.value_or(-86400));
    rrsig.expiration = static_cast<std::uint32_t>(noon.seconds + bend.expiration.value_or(7 * 86400));
    rrsig.key_tag = bend.key_tag.value_or(dnskey_.key_tag);
    rrsig.signer = bend.signer ? name(*bend.signer) : zone_;
    const Bytes head = dnssec::signed_data(rrsig, set.owner, {});
    const Bytes data = dnssec::signed_data(rrsig, set.owner, dnssec::canonical_records(set));
    Bytes signature = sign_octets(raw(key_), dnskey_.algorithm, data);
    if (bend.break_signature) signature[signature.size() / 2] ^= 1;
    Writer writer;
    writer.bytes(head);
    writer.bytes(signature);
    return std::move(writer).finish();
}

dns::RRset Signer::sign(dns::RRset set, const Bend& bend) const {
    set.signatures.push_back(signature(set, bend));
    return set;
}

dns::RRset Signer::key_set(const std::vector<Bytes>& others, const Bend& bend) const {
    dns::RRset set;
    set.owner = zone_;
    set.type = dns::Type::dnskey;
    set.ttl = dns::Ttl(3600);
    set.records = others;
    set.records.push_back(rdata_);
    return sign(std::move(set), bend);
}

}  // namespace mxtrust::test
