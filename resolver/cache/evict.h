// What has to go when the store is nearly full. First a census of everything there by use and by time left, then a
// sweep that takes the dead, then the least dear, of these the soonest to end, until enough is freed. So a flood of
// rubbish can only push out rubbish.
//
// A flood may also look like mail: random names below a wildcard, each with its address. Nobody asks for them again;
// and where such entries below one domain hold more than a share of all the room there is, they are a crowd, and
// rubbish.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "cache/record.h"
#include "cache/records.h"
#include "cache/rules.h"

namespace mxtrust::cache {

class Eviction {
  public:
    /// Counts all that is there. Dead is: expired, stored ahead of time, of another epoch, or not readable. `room`:
    /// octets that the store may have.
    Eviction(Records& records, Epoch epoch, WallTime now, std::uint64_t room);

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

    /// What goes first has the lowest rank; answers and structure that nobody asked for again have the same.
    enum Rank : std::uint8_t { rubbish, used_rubbish, unused, used_answer, used_structure, note };
    static constexpr std::size_t rank_count = 6;
    static Rank rank_of(const Header& header);
    [[nodiscard]] Rank rank_of(std::string_view key, const Header& header);
    void end_group();

    using Spans = std::array<std::uint64_t, spans>;
    Epoch epoch_;
    WallTime now_;
    std::uint64_t crowd_;  ///< octets
    std::uint64_t octets_ = 0;
    std::array<Spans, rank_count> living_{};  ///< octets
    std::string group_;                       ///< what the keys of one domain begin with; the census has come so far
    Spans group_unused_{};
    std::set<std::string, std::less<>> crowds_;  ///< groups; no more than fit into the room
    std::size_t edge_rank_ = 0, edge_span_ = 0;  ///< all before go; of this span itself, `edge_octets_`
    std::uint64_t edge_octets_ = 0;
    std::string from_;
};

}  // namespace mxtrust::cache
