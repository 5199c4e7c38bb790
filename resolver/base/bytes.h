// Octets, read and written with bounds checks; network byte order. The only way to take wire data apart in this tree.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mxtrust {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// Reads from the front; every read checks what is left. Does not own the octets.
class Reader {
  public:
    /// A position behind the end is the end.
    explicit Reader(BytesView data, std::size_t position = 0)
        : data_(data), position_(position < data.size() ? position : data.size()) {}

    [[nodiscard]] std::size_t position() const { return position_; }
    [[nodiscard]] std::size_t remaining() const { return data_.size() - position_; }
    [[nodiscard]] bool done() const { return remaining() == 0; }
    /// All octets, from the very beginning: compression pointers need them (RFC 1035 4.1.4).
    [[nodiscard]] BytesView whole() const { return data_; }

    Result<std::uint8_t> u8();
    Result<std::uint16_t> u16();
    Result<std::uint32_t> u32();
    Result<std::uint64_t> u64();
    Result<BytesView> take(std::size_t count);
    [[nodiscard]] BytesView rest();
    /// Requires: position ≤ whole().size().
    void seek(std::size_t position);

  private:
    BytesView data_;
    std::size_t position_;
};

class Writer {
  public:
    Writer() = default;
    /// With room for so many octets; more are no error.
    explicit Writer(std::size_t expected) { data_.reserve(expected); }
    void u8(std::uint8_t value) { data_.push_back(value); }
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void u64(std::uint64_t value);
    void bytes(BytesView value);
    void bytes(std::string_view value);
    /// Overwrites two octets that were written before, such as a length. Requires: offset + 2 ≤ size().
    void patch_u16(std::size_t offset, std::uint16_t value);
    /// Drops what was written after `size`. Requires: size ≤ size().
    void truncate(std::size_t size);
    [[nodiscard]] std::size_t size() const { return data_.size(); }
    [[nodiscard]] BytesView view() const { return data_; }
    [[nodiscard]] Bytes finish() && { return std::move(data_); }

  private:
    Bytes data_;
};

[[nodiscard]] std::string to_hex(BytesView data);                   ///< lower case
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);        ///< white space between octets is allowed
[[nodiscard]] std::string to_base64(BytesView data);                ///< RFC 4648 4, padded
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);     ///< white space is allowed
[[nodiscard]] std::string to_base32hex(BytesView data);             ///< RFC 4648 7, lower case, unpadded (NSEC3 owners)
[[nodiscard]] Result<Bytes> from_base32hex(std::string_view text);  ///< either case, unpadded
[[nodiscard]] BytesView as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(BytesView data);

}  // namespace mxtrust
