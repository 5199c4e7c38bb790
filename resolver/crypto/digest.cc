// Digests through OpenSSL's EVP interface.
#include "crypto/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace mxtrust::crypto {

namespace {

struct ContextFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

/// H(first | second); empty on failure.
Bytes hash(EVP_MD_CTX* context, const EVP_MD* algorithm, BytesView first, BytesView second) {
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    const bool done = context != nullptr && EVP_DigestInit_ex(context, algorithm, nullptr) == 1 &&
                      EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
                      EVP_DigestUpdate(context, second.data(), second.size()) == 1 &&
                      EVP_DigestFinal_ex(context, digest.data(), &length) == 1;
    if (!done) ERR_clear_error();
    digest.resize(done ? length : 0);
    return digest;
}

Bytes hash(const EVP_MD* algorithm, BytesView data) {
    const Context context(EVP_MD_CTX_new());
    return hash(context.get(), algorithm, data, {});
}

}  // namespace

Bytes sha1(BytesView data) {
    return hash(EVP_sha1(), data);
}
Bytes sha256(BytesView data) {
    return hash(EVP_sha256(), data);
}
Bytes sha384(BytesView data) {
    return hash(EVP_sha384(), data);
}
Bytes sha512(BytesView data) {
    return hash(EVP_sha512(), data);
}

Result<Bytes> ds_digest(dns::DigestType type, BytesView data) {
    Bytes digest;
    // An open enum: what is not named here has no digest.
    if (type == dns::DigestType::sha1) digest = sha1(data);
    if (type == dns::DigestType::sha256) digest = sha256(data);
    if (type == dns::DigestType::sha384) digest = sha384(data);
    if (digest.empty()) {
        return fail(FailureKind::unsupported, "CDIG"_code,
                    "DS digest type " + std::to_string(static_cast<unsigned>(type)) + " is not supported");
    }
    return digest;
}

bool can_digest(dns::DigestType type) {
    return ds_digest(type, {}).has_value();
}

Bytes nsec3_hash(BytesView canonical_name, BytesView salt, std::uint16_t iterations) {
    const Context context(EVP_MD_CTX_new());
    Bytes digest = hash(context.get(), EVP_sha1(), canonical_name, salt);
    for (std::uint32_t round = 0; round < iterations && !digest.empty(); ++round) {
        digest = hash(context.get(), EVP_sha1(), digest, salt);
    }
    return digest;
}

}  // namespace mxtrust::crypto
