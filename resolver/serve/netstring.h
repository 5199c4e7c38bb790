// Netstrings, the framing of Postfix's socketmap protocol (socketmap_table(5)): "12:hello world!,". Pure: octets in,
// strings out. Refuses lengths with leading zeros, without end, or beyond the bound before any content is kept: what
// is broken once cannot be put in step again, so the first error is final.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mxtrust::serve {

/// Postfix's own bounds (dict_sockmap.c): what it would send at most, and what it would take.
inline constexpr std::size_t most_socketmap_request_octets = 10'000;
inline constexpr std::size_t most_socketmap_reply_octets = 100'000;

class NetstringReader {
  public:
    explicit NetstringReader(std::size_t most_octets) : most_octets_(most_octets) {}
    /// What was received; at most what one read gives, as everything is kept until it is taken.
    void add(std::string_view data) { buffer_ += data; }
    /// The next whole string; nothing where more must come first; an error for good where the framing is broken.
    Result<std::optional<std::string>> take();
    /// A string has begun and is not complete.
    [[nodiscard]] bool is_inside() const { return !buffer_.empty(); }
    /// Octets received and not taken.
    [[nodiscard]] std::size_t kept() const { return buffer_.size(); }

  private:
    /// The length, where its colon is there.
    Result<std::optional<std::size_t>> length();

    std::size_t most_octets_;
    std::string buffer_;
    std::size_t colon_ = 0;  ///< where the length ends; set by length()
};

[[nodiscard]] std::string netstring(std::string_view content);

}  // namespace mxtrust::serve
