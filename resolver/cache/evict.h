// What has to go when the store is nearly full. First a census of everything there by use and by time left, then a
// sweep that takes the dead, then the least dear, of these the soonest to end, until enough is freed. So a flood of
// rubbish can only push out rubbish.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cache/record.h"
#include "cache/records.h"
#include "cache/rules.h"

namespace mxtrust::cache {

class Eviction {
  public:
    /// Counts all that is there. Dead is: expired, stored ahead of time, of another epoch, or not readable.
    Eviction(Records& records, Epoch epoch, WallTime now);

    [[nodiscard]] std::uint64_t octets() const { return octets_; }
    /// Settles what goes: at least `octets` where there is as much.
    void aim(std::uint64_t octets);
    /// The next keys to remove, at most `most`, in key order from where the last call stopped; none: the sweep is over.
    /// What a call names is taken as removed. `records` may have changed since.
    [[nodiscard]] std::vector<std::string> next(Records& records, std::size_t most);

  private:
    /// The time left, in powers of two of seconds.
    static constexpr std::size_t spans = 33;
    static std::size_t span_of(WallTime expires, WallTime now);
    [[nodiscard]] bool is_dead(const std::optional<Header>& header) const;
    [[nodiscard]] bool goes(std::string_view key, BytesView record);

    Epoch epoch_;
    WallTime now_;
    std::uint64_t octets_ = 0;
    std::array<std::array<std::uint64_t, spans>, use_count> living_{};  ///< octets
    std::size_t edge_use_ = 0, edge_span_ = 0;  ///< all before go; of this span itself, `edge_octets_`
    std::uint64_t edge_octets_ = 0;
    std::string from_;
};

}  // namespace mxtrust::cache
