// What was in demand before a restart is ready again after it: the destinations are kept as a note of the cache, and
// their answers are made again of what the cache has, before anybody asks.
//
// Of an answer nothing is kept but for whom it was made. It is decided anew, of records that hold, under the settings
// of now; what would take a question to somebody is left for whoever asks for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cache/cache.h"
#include "route/lookups.h"
#include "route/sts_source.h"

namespace mxtrust::route {

inline constexpr std::size_t most_prepared = 2'000;   ///< answers made again after a start
inline constexpr std::size_t most_demand_notes = 64;  ///< workers whose notes are read
inline constexpr std::chrono::seconds demand_kept{24 * 3600};

/// Notes a worker's destinations, the most recently used first; the last ones are left out where there is no room.
void note_demand(const std::vector<std::string>& destinations, std::size_t worker, cache::Cache& cache, WallTime now);
/// What the workers of an earlier run noted, each one's most recently used first, each destination once. Any text may
/// come: it is for mail::parse_next_hop.
[[nodiscard]] std::vector<std::string> noted_demand(cache::Cache& cache, WallTime now);

/// Was something not at hand?
class Misses {
  public:
    void miss() { any_ = true; }
    [[nodiscard]] bool any() const { return any_; }

  private:
    bool any_ = false;
};

/// Look-ups that ask nobody: what is not at hand is missed.
class OnlyAtHand final : public Lookups {
  public:
    /// All outlive it.
    OnlyAtHand(Lookups& behind, const Clock& clock, Misses& misses) : behind_(behind), clock_(clock), misses_(misses) {}
    task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget) override;
    std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type) override;
    std::optional<dnssec::Answer> at_hand(const dns::Name& name, dns::Type type, Budget& budget) override;
    BudgetRef budget(Duration time, BudgetRef parent) override;

  private:
    Lookups& behind_;
    const Clock& clock_;
    Misses& misses_;
};

/// Says of domains without a policy that they have none; a policy may have to be fetched, and is missed.
class OnlyWithoutPolicy final : public StsSource {
  public:
    /// Both outlive it.
    OnlyWithoutPolicy(StsSource& behind, Misses& misses) : behind_(behind), misses_(misses) {}
    task::Task<mail::StsStatus> find(dns::Name domain, std::optional<dnssec::Answer> record, MonoTime due) override;

  private:
    StsSource& behind_;
    Misses& misses_;
};

}  // namespace mxtrust::route
