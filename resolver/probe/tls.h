// TLS over a wire, and what OpenSSL's DANE makes of the server's certificates (RFC 7671, RFC 7672 3, RFC 6698). The
// handshake goes through whatever the verdict, so that everything there is to see is seen; nothing is ever sent inside
// that an eavesdropper might like.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mail/answer.h"
#include "probe/wire.h"

namespace mxtrust::probe {

/// Which kind of server key is asked for. Servers with two certificates choose by the client's signature algorithms.
enum class KeyKind : std::uint8_t { any, rsa, ecdsa };
[[nodiscard]] std::string_view to_text(KeyKind kind);  ///< "RSA", "ECDSA"; EdDSA counts as ECDSA

/// How the certificate is judged.
enum class Judging : std::uint8_t {
    dane,    ///< by TLSA records
    webpki,  ///< by the system's certificate authorities, for MTA-STS (RFC 8461 4.2)
    nobody,  ///< only looked at
};

/// A certificate, as the server sent it. All text is clean (dns::clean_text).
struct Certificate {
    std::string subject, issuer;
    std::vector<std::string> names;  ///< DNS names of subjectAltName, at most most_names
    WallTime not_before, not_after;
    std::string key;  ///< "RSA, 2048 bits", "ECDSA P-256"
    int key_bits = 0;
    KeyKind kind = KeyKind::any;
    std::string signature;     ///< "ecdsa-with-SHA256"
    Bytes spki_sha256;         ///< what a 3 1 1 or 2 1 1 record for it has
    Bytes certificate_sha256;  ///< what x 0 1 has
    bool is_authority = false;
};
inline constexpr std::size_t most_names = 50;
/// Chains are three or four long. OpenSSL is told not to build longer ones.
inline constexpr std::size_t most_certificates = 10;
/// Of a whole certificate message: what OpenSSL, and so every MTA that rests on it, takes by default.
inline constexpr std::size_t most_certificate_octets = 102400;
/// Of everything in a handshake.
inline constexpr std::size_t most_handshake_octets = 262144;

/// Something that verification complained of.
struct Complaint {
    int error = 0;  ///< X509_V_ERR_…
    int depth = 0;  ///< 0 is the server's own certificate
    std::string text;
};
/// The record that authenticated the server, as OpenSSL says.
struct Authority {
    int depth = 0;
    std::uint8_t usage = 0, selector = 0, matching = 0;
    Bytes data;
    bool by_bare_key = false;  ///< a 2 1 0 record's key signed the top of the chain; no certificate of it was sent
};

struct Wanted {
    Judging judging = Judging::nobody;
    KeyKind kind = KeyKind::any;
    std::string sni;                 ///< also the TLSA base domain; empty: no SNI
    std::vector<std::string> names;  ///< reference identifiers
    std::vector<mail::TlsaRecord> records;
    WallTime now{};  ///< at which certificates are judged
};

struct Handshake {
    KeyKind asked = KeyKind::any;
    std::string protocol, cipher;
    std::vector<Certificate> chain;     ///< the server's own first; at most most_certificates
    std::size_t sent_certificates = 0;  ///< with those that are not in `chain`
    std::vector<std::optional<int>>
        matches;  ///< for each of Wanted::records: the least depth whose certificate it fits
    std::optional<Authority> authority;
    std::vector<Complaint> complaints;  ///< each error once for a depth
    [[nodiscard]] bool complains_of(int error) const;
};

/// Why there was no handshake.
enum class TlsTrouble : std::uint8_t { cut, cut_later, timeout, too_much, refused, garbage, ours };
struct TlsFailure {
    TlsTrouble trouble = TlsTrouble::garbage;
    std::string text;  ///< clean
};

class TlsWire final : public Wire {
  public:
    /// The wire outlives it.
    explicit TlsWire(Wire& under);
    ~TlsWire() override;

    /// Once. Returns what was seen.
    tl::expected<Handshake, TlsFailure> handshake(const Wanted& wanted, MonoTime deadline);
    Result<std::size_t> receive(std::span<std::uint8_t> into, MonoTime deadline) override;
    Done send(BytesView octets, MonoTime deadline) override;
    /// close_notify, as far as it can be sent.
    void close(MonoTime deadline);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::probe
