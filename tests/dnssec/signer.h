// Signs test zones: the one place outside resolver/crypto that makes keys and signatures. Test code only; nothing here
// is ever linked into the programs. A Signer is one key of one zone; what it signs can be bent in every way that a test
// wants to see refused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dns/rrset.h"

namespace mxtrust::test {

/// The time of all tests with own zones: 2026-08-01 00:00:00 UTC.
inline constexpr WallTime noon{1785542400};

/// What an RRSIG says, where it is not to say the truth.
struct Bend {
    std::optional<std::uint8_t> labels;
    std::optional<std::int64_t> inception, expiration;  ///< seconds from `noon`
    std::optional<std::uint32_t> original_ttl;
    std::optional<std::string> signer;
    std::optional<std::uint16_t> key_tag;
    std::optional<dns::Type> covered;
    bool break_signature = false;
};

class Signer {
  public:
    /// `seed` makes different Ed25519 keys; the other algorithms make a fresh key each time.
    explicit Signer(const std::string& zone, dns::Algorithm algorithm = dns::Algorithm::ed25519, std::uint8_t seed = 1,
                    std::uint16_t flags = 257, std::uint8_t protocol = 3);
    [[nodiscard]] const dns::Name& zone() const { return zone_; }
    [[nodiscard]] const dns::Dnskey& dnskey() const { return dnskey_; }
    [[nodiscard]] const Bytes& rdata() const { return rdata_; }
    [[nodiscard]] dns::Ds ds(dns::DigestType type = dns::DigestType::sha256) const;
    [[nodiscard]] Bytes signature(const dns::RRset& rrset, const Bend& bend = {}) const;
    /// The set with one more RRSIG.
    [[nodiscard]] dns::RRset sign(dns::RRset rrset, const Bend& bend = {}) const;
    /// The zone's DNSKEY set of these keys, signed by this one.
    [[nodiscard]] dns::RRset key_set(const std::vector<Bytes>& others = {}, const Bend& bend = {}) const;

  private:
    dns::Name zone_;
    dns::Dnskey dnskey_{};
    Bytes rdata_;
    std::shared_ptr<void> key_;
};

[[nodiscard]] dns::Name name(const std::string& text);
[[nodiscard]] dns::RRset rrset(const std::string& owner, dns::Type type, const std::vector<std::string>& rdata,
                               std::uint32_t ttl = 3600);
/// A DNSKEY with the same key tag and other octets: the tag is a sum of 16-bit words, and two of them change places.
[[nodiscard]] Bytes with_same_tag(const Bytes& dnskey, std::size_t variant);

}  // namespace mxtrust::test
