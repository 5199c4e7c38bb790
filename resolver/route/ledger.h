// The ledger of failing mail domains: since when, why, how often it was looked at, when the next look is worth while.
//
// Kept as notes in the cache, one per domain, so that it survives a restart and all workers see one ledger. RFC
// 7672 2.2 wants failures to be temporary; the schedule is that of mail-trust: after 15 minutes, after 15 more, then
// hourly, after a day daily.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cache/cache.h"

namespace mxtrust::route {

struct FailingDomain {
    std::string domain;  ///< normal form, with ":port" where it is not 25
    WallTime since{};    ///< of the first failure without a good answer in between
    WallTime last{};     ///< of the latest one
    WallTime next{};     ///< when to look again
    std::uint32_t tries = 0;
    std::string code;  ///< "4.7.324 dnssec-invalid"
    std::string text;  ///< the reason, one sentence
    friend bool operator==(const FailingDomain&, const FailingDomain&) = default;
};

class Ledger {
  public:
    /// Beyond it those go first that failed but once, the longest ago first: a flood of domains that nobody asks about
    /// twice does not push out those that are failing again and again.
    static constexpr std::size_t most_entries = 10'000;
    /// A domain that nobody asks about any more is forgotten after this time.
    static constexpr std::chrono::seconds kept_for{7 * 86400};

    explicit Ledger(cache::Cache& cache) : cache_(cache) {}

    /// Notes a failure; a look before `next` counts as the same try. Returns the entry as it is now.
    FailingDomain failed(std::string_view domain, std::string_view code, std::string_view text, WallTime now);
    /// Notes a good answer. True where the domain had been failing.
    bool good(std::string_view domain, WallTime now);
    [[nodiscard]] std::vector<FailingDomain> list(std::size_t limit, WallTime now) const;

  private:
    void make_room(WallTime now);
    cache::Cache& cache_;
    std::size_t entries_ = most_entries;  ///< at most so many; counted when that is reached (other workers write, too)
};

}  // namespace mxtrust::route
