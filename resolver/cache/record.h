// What every stored record has around its content: use, standing, epoch, times, checksum.
//
//   octet  0      use: how dear the record is to eviction. Outside the checksum, so that it can be raised in place
//   octet  1      standing: security and outcome, for the rules of replacement; of a finding only
//   octets 2–5    epoch: hash of the format's version and of what the record was judged under
//   octets 6–9    when it was stored, Unix seconds until 2106
//   octets 10–13  when it ends
//   …             content (codec.h)
//   last 8        checksum over the key and everything but octet 0
//
// A record is good for a reader only if all of it holds; there is no way to get at the content of another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "dnssec/finding.h"

namespace mxtrust::cache {

inline constexpr std::uint8_t format_version = 2;
/// A record from further ahead was written before the clock was set back: its times mean nothing (A38).
inline constexpr std::chrono::seconds most_ahead{3600};

/// A hash of everything the judgement of a record rests on. Records of another epoch do not exist.
class Epoch {
  public:
    /// `text`: anchors, negative anchors and policy in some canonical form, or a digest of them; the format's version
    /// is added here.
    explicit Epoch(std::string_view text);
    /// For notes: small state that is no judgement and outlives a change of anchors (the state of the anchors
    /// themselves is such).
    static Epoch of_notes();
    [[nodiscard]] std::uint32_t value() const { return value_; }
    explicit Epoch(std::uint32_t value) : value_(value) {}
    friend bool operator==(const Epoch&, const Epoch&) = default;

  private:
    std::uint32_t value_;
};

struct Header {
    std::uint8_t use = 0;
    dnssec::Security security{};
    dnssec::Outcome outcome{};
    Epoch epoch;
    WallTime stored{};
    WallTime expires{};
    friend bool operator==(const Header&, const Header&) = default;
};

enum class Fitness : std::uint8_t {
    good,
    expired,
    ahead,  ///< stored later than now
    other_epoch,
    damaged,  ///< cut short, a checksum that does not fit
};

struct Opened {
    Fitness fitness{};
    Header header;
    BytesView content;  ///< empty unless good
};

/// Nothing where a time cannot be expressed (before 1970, stored after 2106) or the record would be born expired.
[[nodiscard]] std::optional<Bytes> seal(std::string_view key, const Header& header, BytesView content);
/// `content` points into `record`.
[[nodiscard]] Opened open_record(std::string_view key, BytesView record, Epoch epoch, WallTime now);
/// The header without the check of its contents, for eviction and for records in memory; nothing where it does not even
/// look like one.
[[nodiscard]] std::optional<Header> peek(BytesView record);
/// Whether the record is whole, whatever its epoch and times.
[[nodiscard]] bool is_whole(std::string_view key, BytesView record);

inline constexpr std::size_t use_offset = 0;

}  // namespace mxtrust::cache
