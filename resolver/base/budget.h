// One budget per request. Every expensive act draws from it; sub-queries draw from the same one; nothing refills it.
//
// A child (one lookup of a mail query) has limits of its own and also draws from its parent, so that one hostile MX
// host cannot starve the others. What an exhausted budget means for an answer is decided above: indeterminate, with the
// limit's name; never insecure. Not thread-safe: a budget belongs to the worker that made it.
#pragma once

#include <algorithm>
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
    lookups,        ///< look-ups of name servers' addresses started on the way (NXNSAttack), 60
};
inline constexpr std::size_t limit_count = 6;
[[nodiscard]] std::string_view name_of(Limit limit);

/// One question of a client, or of the daemon's own, in the log: what was done for it has its number (log/log.h).
struct QuestionNumber {
    std::uint64_t number = 0;  ///< 0: nobody's
    friend bool operator==(const QuestionNumber&, const QuestionNumber&) = default;
};

struct BudgetLimits {
    std::array<std::uint32_t, limit_count> most{100, 128 * 1024, 30, 8, 128, 60};
};

/// What all budgets that share it drew, and how often one of them came to its end, by limit. For `status`.
struct Meter {
    std::array<std::uint64_t, limit_count> drawn{};
    std::array<std::uint64_t, limit_count> exhausted{};
};

/// What one answer may take of a look-up's: 16 of 30 verifications and 4 of 8 failures (attacks.md "Limits"), so that a
/// look-up of several answers does not end with the first of them. The other limits are the look-up's own.
[[nodiscard]] BudgetLimits limits_of_an_answer(const BudgetLimits& lookup);

class Budget {
  public:
    Budget(BudgetLimits limits, MonoTime deadline, std::shared_ptr<Budget> parent = nullptr,
           std::shared_ptr<Meter> meter = nullptr, QuestionNumber question = {});

    /// Draws `count`; false, and remembers which limit it was, when that is more than is left here or in the parent.
    [[nodiscard]] bool take(Limit limit, std::uint32_t count = 1);
    /// How much was drawn so far.
    [[nodiscard]] std::uint32_t used(Limit limit) const;
    /// The first limit that was reached, if any.
    [[nodiscard]] std::optional<Limit> exhausted() const { return exhausted_; }
    /// Was it not this budget's own limit but one above it that was reached first? Then the work that drew from this
    /// one is not to blame: what became of it must not be remembered (RFC 9520 is about questions that fail by
    /// themselves).
    [[nodiscard]] bool is_starved() const { return starved_; }
    [[nodiscard]] MonoTime deadline() const { return deadline_; }
    /// Whoever asked goes away at this time, and the work goes on until the deadline: what a question fails by and is
    /// remembered for all (RFC 9520) is never one client's hurry. The deadline itself, unless it was said.
    [[nodiscard]] MonoTime patience() const { return patience_; }
    void leave_at(MonoTime time) { patience_ = std::min(time, deadline_); }
    /// Whose it is; a child's is its parent's.
    [[nodiscard]] QuestionNumber question() const { return question_; }

  private:
    BudgetLimits limits_;
    std::array<std::uint32_t, limit_count> used_{};
    MonoTime deadline_;
    MonoTime patience_;
    std::shared_ptr<Budget> parent_;
    std::shared_ptr<Meter> meter_;
    std::optional<Limit> exhausted_;
    bool starved_ = false;
    QuestionNumber question_;
};

using BudgetRef = std::shared_ptr<Budget>;

}  // namespace mxtrust
