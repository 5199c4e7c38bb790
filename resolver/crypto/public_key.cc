// Keys become EVP_PKEYs; OpenSSL 3's parameter interface only, nothing deprecated.
#include "crypto/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

namespace mxtrust::crypto {

namespace {

using dns::Algorithm;

template <auto free_function>
struct Free {
    template <class T>
    void operator()(T* pointer) const {
        free_function(pointer);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

enum class Scheme : std::uint8_t { rsa, ecdsa, eddsa };

/// The table of algorithms; whatever is not here is unsupported.
struct Entry {
    Algorithm algorithm;
    Scheme scheme;
    const EVP_MD* (*digest)();  ///< null for EdDSA, which hashes by itself
    const char* group;          ///< OpenSSL's name of the curve
    std::size_t octets;         ///< of a coordinate (ECDSA) or of the key (EdDSA)
    std::size_t bits;
};
constexpr std::array<Entry, 8> table{{
    {Algorithm::rsasha1, Scheme::rsa, EVP_sha1, nullptr, 0, 0},
    {Algorithm::rsasha1_nsec3_sha1, Scheme::rsa, EVP_sha1, nullptr, 0, 0},
    {Algorithm::rsasha256, Scheme::rsa, EVP_sha256, nullptr, 0, 0},
    {Algorithm::rsasha512, Scheme::rsa, EVP_sha512, nullptr, 0, 0},
    {Algorithm::ecdsa_p256_sha256, Scheme::ecdsa, EVP_sha256, "prime256v1", 32, 256},
    {Algorithm::ecdsa_p384_sha384, Scheme::ecdsa, EVP_sha384, "secp384r1", 48, 384},
    {Algorithm::ed25519, Scheme::eddsa, nullptr, "ED25519", 32, 256},
    {Algorithm::ed448, Scheme::eddsa, nullptr, "ED448", 57, 456},
}};

const Entry* find_entry(Algorithm algorithm) {
    const auto* const found = std::ranges::find(table, algorithm, &Entry::algorithm);
    return found == table.end() ? nullptr : &*found;
}

/// One INTEGER of DER: minimal, with a leading zero where the top bit is set (X.690 8.3).
void write_integer(Writer& writer, BytesView number) {
    while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    const bool pad = (number[0] & 0x80) != 0;
    writer.u8(0x02);
    writer.u8(static_cast<std::uint8_t>(number.size() + (pad ? 1 : 0)));
    if (pad) writer.u8(0);
    writer.bytes(number);
}

/// DNSSEC's ECDSA signatures are r | s (RFC 6605 4), OpenSSL's are DER. Requires: an even length of at most 96, so that
/// all lengths fit one octet of at most 127.
Bytes ecdsa_der(BytesView signature) {
    Writer numbers;
    write_integer(numbers, signature.first(signature.size() / 2));
    write_integer(numbers, signature.last(signature.size() / 2));
    Writer sequence;
    sequence.u8(0x30);
    sequence.u8(static_cast<std::uint8_t>(numbers.size()));
    sequence.bytes(numbers.view());
    return std::move(sequence).finish();
}

/// The digest of an ECDSA entry, looked up in the library once and not at every verification.
const EVP_MD* digest_of(const Entry& entry) {
    using Digest = std::unique_ptr<EVP_MD, Free<EVP_MD_free>>;
    static const Digest sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    static const Digest sha384(EVP_MD_fetch(nullptr, "SHA384", nullptr));
    const Digest& fetched = entry.octets == 32 ? sha256 : sha384;
    return fetched ? fetched.get() : entry.digest();
}

class EvpKey final : public PublicKey {
  public:
    EvpKey(const Entry& entry, Key key, std::size_t bits) : entry_(entry), key_(std::move(key)), bits_(bits) {}

    [[nodiscard]] Verification verify(BytesView data, BytesView signature) const override {
        if (signature.size() != signature_octets()) return Verification::invalid;
        if (entry_.scheme == Scheme::ecdsa) return verify_ecdsa(data, ecdsa_der(signature));
        const DigestContext context = begin();
        if (!context) return Verification::unsupported;
        // 0 is a wrong signature, negative one that does not even parse: both mean that these octets are not signed by
        // this key.
        const int answer =
            EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size());
        ERR_clear_error();
        return answer == 1 ? Verification::valid : Verification::invalid;
    }
    [[nodiscard]] std::size_t bits() const override { return bits_; }
    /// Would the library start a verification? A system policy that refuses SHA-1 signatures says no here.
    [[nodiscard]] bool is_usable() const { return begin() != nullptr; }

  private:
    /// ECDSA has no parameters but the digest: hashing by itself saves the library's setting up of both together, a
    /// tenth of the whole. is_usable() has asked before what the system's policy thinks of the pair.
    [[nodiscard]] Verification verify_ecdsa(BytesView data, const Bytes& der) const {
        std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
        unsigned length = 0;
        const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
        if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
            EVP_Digest(data.data(), data.size(), digest.data(), &length, digest_of(entry_), nullptr) != 1) {
            ERR_clear_error();
            return Verification::unsupported;
        }
        const int answer = EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), length);
        ERR_clear_error();
        return answer == 1 ? Verification::valid : Verification::invalid;
    }
    [[nodiscard]] std::size_t signature_octets() const {
        return entry_.scheme == Scheme::rsa ? (bits_ + 7) / 8 : 2 * entry_.octets;
    }
    [[nodiscard]] DigestContext begin() const {
        DigestContext context(EVP_MD_CTX_new());
        const EVP_MD* digest = entry_.digest == nullptr ? nullptr : entry_.digest();
        if (context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1) return context;
        ERR_clear_error();
        return nullptr;
    }

    const Entry& entry_;
    Key key_;
    std::size_t bits_;
};

Result<std::shared_ptr<const EvpKey>> finish(const Entry& entry, Key key, std::size_t bits) {
    return std::make_shared<const EvpKey>(entry, std::move(key), bits);
}

/// Empty where the library does not take the parameters.
Key from_parameters(const char* type, OSSL_PARAM_BLD* builder, int selection = EVP_PKEY_PUBLIC_KEY) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
        ERR_clear_error();
    }
    return Key(key);
}

struct RsaNumbers {
    BytesView exponent, modulus;
};

/// RFC 3110 2: the exponent's length in one octet, or in two behind a zero octet; the exponent; the modulus.
Result<RsaNumbers> split_rsa(BytesView octets) {
    Reader reader(octets);
    const Result<std::uint8_t> short_length = reader.u8();
    if (!short_length) return fail(short_length.error());
    std::size_t length = *short_length;
    if (length == 0) {
        const Result<std::uint16_t> long_length = reader.u16();
        if (!long_length) return fail(long_length.error());
        length = *long_length;
    }
    const Result<BytesView> exponent = reader.take(length);
    if (!exponent) return fail(exponent.error());
    const RsaNumbers numbers{*exponent, reader.rest()};
    if (numbers.exponent.empty() || numbers.modulus.empty()) {
        return fail(FailureKind::malformed, "CRSE"_code, "RSA key without exponent or modulus");
    }
    if (numbers.exponent[0] == 0 || numbers.modulus[0] == 0) {
        return fail(FailureKind::malformed, "CRSZ"_code, "RSA key with leading zeroes (RFC 3110 2)");
    }
    return numbers;
}

std::size_t bit_length(BytesView number) {
    return (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(number[0]));
}

Done check_rsa(Algorithm algorithm, const RsaNumbers& numbers) {
    const std::size_t bits = bit_length(numbers.modulus);
    if (bits > most_rsa_bits) {
        return fail(FailureKind::unsupported, "CRSL"_code,
                    "RSA modulus of " + std::to_string(bits) + " bits is too long");
    }
    if (numbers.exponent.size() > most_rsa_exponent_octets) {
        return fail(FailureKind::unsupported, "CRSX"_code,
                    "RSA exponent of " + std::to_string(numbers.exponent.size()) + " octets is too long");
    }
    const std::size_t least = algorithm == Algorithm::rsasha512 ? least_rsasha512_bits : least_rsa_bits;  // RFC 5702 2
    if (bits < least) {
        return fail(FailureKind::malformed, "CRSS"_code,
                    "RSA modulus of " + std::to_string(bits) + " bits is too short");
    }
    // With an even exponent or 1, anybody can make signatures.
    const bool one = numbers.exponent.size() == 1 && numbers.exponent[0] == 1;
    if (one || (numbers.exponent.back() & 1) == 0 || (numbers.modulus.back() & 1) == 0) {
        return fail(FailureKind::malformed, "CRSO"_code, "RSA exponent 1, even exponent or even modulus");
    }
    return {};
}

Result<std::shared_ptr<const EvpKey>> parse_rsa(const Entry& entry, BytesView octets) {
    const Result<RsaNumbers> numbers = split_rsa(octets);
    if (!numbers) return fail(numbers.error());
    if (const Done sound = check_rsa(entry.algorithm, *numbers); !sound) return fail(sound.error());
    const Number exponent(BN_bin2bn(numbers->exponent.data(), static_cast<int>(numbers->exponent.size()), nullptr));
    const Number modulus(BN_bin2bn(numbers->modulus.data(), static_cast<int>(numbers->modulus.size()), nullptr));
    const Builder builder(OSSL_PARAM_BLD_new());
    Key key;
    if (exponent && modulus && builder &&
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1) {
        key = from_parameters("RSA", builder.get());
    }
    if (!key) return fail(FailureKind::unsupported, "CRSP"_code, "the crypto library refuses the RSA key");
    return finish(entry, std::move(key), bit_length(numbers->modulus));
}

/// A curve without a point: made once, for making one anew costs four times what copying it does. Null where the
/// library does not have it.
EVP_PKEY* bare_curve(const Entry& entry) {
    const auto make = [](const char* group) {
        const Builder builder(OSSL_PARAM_BLD_new());
        if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1)
            return Key();
        return from_parameters("EC", builder.get(), EVP_PKEY_KEY_PARAMETERS);
    };
    static const Key p256 = make("prime256v1");
    static const Key p384 = make("secp384r1");
    return entry.octets == 32 ? p256.get() : p384.get();
}

/// RFC 6605 4: the point as x | y; OpenSSL wants it with the octet that says "uncompressed" and refuses points off the
/// curve.
Result<std::shared_ptr<const EvpKey>> parse_ecdsa(const Entry& entry, BytesView octets) {
    if (octets.size() != 2 * entry.octets) {
        return fail(FailureKind::malformed, "CECL"_code, "ECDSA key of the wrong length");
    }
    Writer point;
    point.u8(0x04);
    point.bytes(octets);
    Key key(EVP_PKEY_dup(bare_curve(entry)));
    if (key && EVP_PKEY_set1_encoded_public_key(key.get(), point.view().data(), point.size()) != 1) key.reset();
    ERR_clear_error();
    // can_verify() has told before whether the curve is there at all, so that this is the point's fault.
    if (!key) return fail(FailureKind::malformed, "CECP"_code, "ECDSA key is no point of its curve");
    return finish(entry, std::move(key), entry.bits);
}

Result<std::shared_ptr<const EvpKey>> parse_eddsa(const Entry& entry, BytesView octets) {
    if (octets.size() != entry.octets) {
        return fail(FailureKind::malformed, "CEDL"_code, "EdDSA key of the wrong length");
    }
    Key key(EVP_PKEY_new_raw_public_key_ex(nullptr, entry.group, nullptr, octets.data(), octets.size()));
    if (!key) {
        ERR_clear_error();
        return fail(FailureKind::malformed, "CEDP"_code, "EdDSA key is refused by the crypto library");
    }
    return finish(entry, std::move(key), entry.bits);
}

Result<std::shared_ptr<const EvpKey>> parse_entry(const Entry& entry, BytesView octets) {
    switch (entry.scheme) {
        case Scheme::rsa:
            return parse_rsa(entry, octets);
        case Scheme::ecdsa:
            return parse_ecdsa(entry, octets);
        case Scheme::eddsa:
            return parse_eddsa(entry, octets);
    }
    return fail(FailureKind::unsupported, "CSCH"_code, "unknown signature scheme");
}

/// A key to try the library with: any odd modulus with exponent 3, the base points of the curves (SEC 2 2.4.2, 2.5.1),
/// y = 4/5 of Ed25519 (RFC 8032 5.1) and, for Ed448, whose key is not looked at before it is used, zeroes.
Bytes probe_octets(const Entry& entry) {
    static constexpr std::string_view p256 =
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    static constexpr std::string_view p384 =
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
    Bytes octets;
    switch (entry.scheme) {
        case Scheme::rsa:
            octets.assign(2 + 256, 0xff);
            octets[0] = 1;
            octets[1] = 3;
            break;
        case Scheme::ecdsa:
            octets = from_hex(entry.octets == 32 ? p256 : p384).value_or(Bytes());
            break;
        case Scheme::eddsa:
            octets.assign(entry.octets, entry.octets == 32 ? std::uint8_t{0x66} : std::uint8_t{0});
            break;
    }
    return octets;
}

std::array<bool, table.size()> probe_all() {
    std::array<bool, table.size()> able{};
    for (std::size_t index = 0; index < table.size(); ++index) {
        const Entry& entry = table.at(index);
        const auto key = parse_entry(entry, probe_octets(entry));
        able.at(index) = key && (*key)->is_usable();
    }
    return able;
}

}  // namespace

Result<std::shared_ptr<const PublicKey>> PublicKey::parse(dns::Algorithm algorithm, BytesView public_key) {
    const Entry* const entry = find_entry(algorithm);
    if (entry == nullptr || !can_verify(algorithm)) {
        return fail(FailureKind::unsupported, "CALG"_code, dns::to_text(algorithm) + " is not supported");
    }
    Result<std::shared_ptr<const EvpKey>> key = parse_entry(*entry, public_key);
    if (!key) return fail(key.error());
    return std::shared_ptr<const PublicKey>(std::move(*key));
}

bool can_verify(dns::Algorithm algorithm) {
    // What the library can do does not change while it is loaded; asked once.
    static const std::array<bool, table.size()> able = probe_all();
    const Entry* const entry = find_entry(algorithm);
    return entry != nullptr && able.at(static_cast<std::size_t>(entry - table.data()));
}

}  // namespace mxtrust::crypto
