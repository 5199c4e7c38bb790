// One budget per request. Every expensive act draws from it; sub-queries draw from the same one; nothing refills it.
//
// A child (one lookup of a mail query) has limits of its own and also draws from its parent, so that one hostile MX
// host cannot starve the others. What an exhausted budget means for an answer is decided above: indeterminate, with the
// limit's name; never insecure. Not thread-safe: a budget belongs to the worker that made it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace mxtrust {

/// What is counted. The defaults beside each are per lookup (one question of an MTA), from attacks.md "Limits".
enum class Limit : std::uint8_t {
    packets,        ///< queries sent to authorities, 100
    bytes,          ///< octets received from authorities, 128 KiB
    verifications,  ///< public-key operations, 30
    failures,       ///< of these, the ones that failed, 8
    nsec3_hashes,   ///< NSEC3 hash computations, counted per name hashed, 128
    lookups,        ///< sub-lookups started (name servers' addresses, DS, DNSKEY, alias targets), 60
};
inline constexpr std::size_t limit_count = 6;
[[nodiscard]] std::string_view name_of(Limit limit);

struct BudgetLimits {
    std::array<std::uint32_t, limit_count> most{100, 128 * 1024, 30, 8, 128, 60};
};

class Budget {
  public:
    Budget(BudgetLimits limits, MonoTime deadline, std::shared_ptr<Budget> parent = nullptr);

    /// Draws `count`; false, and remembers which limit it was, when that is more than is left here or in the parent.
    [[nodiscard]] bool take(Limit limit, std::uint32_t count = 1);
    /// How much was drawn so far.
    [[nodiscard]] std::uint32_t used(Limit limit) const;
    /// The first limit that was reached, if any.
    [[nodiscard]] std::optional<Limit> exhausted() const { return exhausted_; }
    [[nodiscard]] MonoTime deadline() const { return deadline_; }

  private:
    BudgetLimits limits_;
    std::array<std::uint32_t, limit_count> used_{};
    MonoTime deadline_;
    std::shared_ptr<Budget> parent_;
    std::optional<Limit> exhausted_;
};

using BudgetRef = std::shared_ptr<Budget>;

}  // namespace mxtrust
