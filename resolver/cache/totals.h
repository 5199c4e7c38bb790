// The sum of all records' checksums, kept in the collection itself under a key of its own and changed by the same
// transaction that changes a record. It ties the records of a file to one moment: a tree in which one page is an older
// one of the same place (a write that was lost, or came in another order) holds only whole records, in order, and yet
// another sum.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace mxtrust::cache {

/// Before all kinds of records (keys.h).
inline constexpr std::string_view totals_key = "!";

class Totals {
  public:
    /// `record`: sealed (record.h).
    void add(BytesView record) { sum_ += checksum_in(record), ++count_; }
    void subtract(BytesView record) { sum_ -= checksum_in(record), --count_; }
    /// As kept in the file. Nothing where it is not what write() makes.
    static std::optional<Totals> read(BytesView stored);
    [[nodiscard]] Bytes write() const;
    /// What a file says of the records that were found in it. A file without records need not say anything.
    [[nodiscard]] bool fits(const std::optional<Totals>& stored) const;
    [[nodiscard]] std::uint64_t count() const { return count_; }
    friend bool operator==(const Totals&, const Totals&) = default;

  private:
    static std::uint64_t checksum_in(BytesView record);
    std::uint64_t sum_ = 0, count_ = 0;
};

}  // namespace mxtrust::cache
