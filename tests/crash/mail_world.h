// Findings as mail look-ups leave them in the cache, of a made-up signed world: domains below eight top-level domains,
// most of them with the MX hosts of a few providers, some with hosts of their own. Sizes are real ones (names, keys,
// signatures, denials); signatures and keys are random octets, for nothing here verifies them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "cache/cache.h"

namespace mxtrust::test {

/// Who signs with what. A signature has 64 octets (ECDSA P-256) or 256 (RSA of 2048 bits).
enum class Mix : std::uint8_t {
    ecdsa,   ///< all zones with algorithm 13
    rsa,     ///< all zones with algorithm 8 and 2048 bits
    mostly,  ///< two of three domains with algorithm 13, one with 8; half of the top-level domains each
};
[[nodiscard]] std::string_view to_text(Mix mix);

class MailWorld {
  public:
    explicit MailWorld(Mix mix, WallTime now) : mix_(mix), now_(now), random_(7) {}

    /// Everything a look-up of this domain's mail answer stores: its delegation and keys, MX, and of hosts of its own
    /// A, AAAA and TLSA. Returns how many questions a mail server asked for it.
    std::size_t learn(std::size_t number, cache::Cache& cache);
    /// The hosts of providers, once.
    std::size_t learn_providers(cache::Cache& cache);
    [[nodiscard]] static dns::Name domain(std::size_t number);

  private:
    struct Zone {
        dns::Name name;
        bool is_rsa;
        bool has_nsec3;
    };
    [[nodiscard]] Zone zone_of(std::size_t number) const;
    [[nodiscard]] Bytes noise(std::size_t octets);
    [[nodiscard]] Bytes signature(dns::Type covered, const dns::Name& owner, const Zone& zone);
    [[nodiscard]] dns::RRsetRef rrset(const dns::Name& owner, dns::Type type, std::vector<Bytes> records,
                                      const Zone& zone);
    void keep(cache::Cache& cache, const dns::Name& name, dns::Type type, std::vector<Bytes> records, const Zone& zone);
    void deny(cache::Cache& cache, const dns::Name& name, dns::Type type, const dns::Name& next, const Zone& zone);
    void learn_zone(cache::Cache& cache, const Zone& zone, const Zone& parent);
    std::size_t learn_host(cache::Cache& cache, const dns::Name& host, const Zone& zone, std::size_t kind);

    Mix mix_;
    WallTime now_;
    SeededRandom random_;
};

}  // namespace mxtrust::test
