// Octets in network byte order, and the text forms of octets (RFC 4648). Every decoder here is strict: one text form
// for one string of octets, because what is decoded ends up in comparisons (NSEC3 owners, digests, keys).
#include "base/bytes.h"

#include <array>

#include "base/require.h"

namespace mxtrust {

namespace {

std::uint64_t big_endian(BytesView octets) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) {
        value = (value << 8U) | octet;
    }
    return value;
}

bool is_space(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base32hex_alphabet = "0123456789abcdefghijklmnopqrstuv";
constexpr std::uint8_t not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> digit_values(std::string_view alphabet) {
    std::array<std::uint8_t, 256> values{};
    values.fill(not_a_digit);
    for (std::size_t index = 0; index < alphabet.size(); ++index) {
        values.at(static_cast<std::uint8_t>(alphabet[index])) = static_cast<std::uint8_t>(index);
    }
    return values;
}

constexpr std::array<std::uint8_t, 256> base64_values = digit_values(base64_alphabet);
constexpr std::array<std::uint8_t, 256> base32hex_values = [] {
    std::array<std::uint8_t, 256> values = digit_values(base32hex_alphabet);
    for (std::size_t letter = 'a'; letter <= 'v'; ++letter) {
        values.at(letter - 'a' + 'A') = values.at(letter);  // either case, RFC 4648 7
    }
    return values;
}();

std::uint8_t hex_value(char letter) {
    if (letter >= '0' && letter <= '9') return static_cast<std::uint8_t>(letter - '0');
    if (letter >= 'a' && letter <= 'f') return static_cast<std::uint8_t>(letter - 'a' + 10);
    if (letter >= 'A' && letter <= 'F') return static_cast<std::uint8_t>(letter - 'A' + 10);
    return not_a_digit;
}

/// Digits of `bits` bits each; what is left in the last octet is filled with zero bits.
std::string encode(BytesView data, unsigned bits, std::string_view alphabet) {
    std::string text;
    text.reserve(data.size() * 8 / bits + 4);
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    const std::uint32_t mask = (1U << bits) - 1;
    for (const std::uint8_t octet : data) {
        held = (held << 8U) | octet;
        held_bits += 8;
        while (held_bits >= bits) {
            held_bits -= bits;
            text.push_back(alphabet[(held >> held_bits) & mask]);
        }
        held &= (1U << held_bits) - 1;
    }
    if (held_bits > 0) {
        text.push_back(alphabet[(held << (bits - held_bits)) & mask]);
    }
    return text;
}

/// The reverse, digit by digit. A last digit that carries no whole octet, or bits that belong to none, are refused: two
/// texts must not mean the same octets.
class Decoder {
  public:
    explicit Decoder(unsigned bits) : bits_(bits) {}

    void digit(std::uint8_t value) {
        held_ = (held_ << bits_) | value;
        held_bits_ += bits_;
        if (held_bits_ >= 8) {
            held_bits_ -= 8;
            data_.push_back(static_cast<std::uint8_t>(held_ >> held_bits_));
            held_ &= (1U << held_bits_) - 1;
        }
    }
    [[nodiscard]] bool complete() const { return held_bits_ < bits_ && held_ == 0; }
    [[nodiscard]] Bytes finish() && { return std::move(data_); }

  private:
    unsigned bits_;
    std::uint32_t held_ = 0;
    unsigned held_bits_ = 0;
    Bytes data_;
};

}  // namespace

Result<BytesView> Reader::take(std::size_t count) {
    if (count > remaining()) {
        return fail(FailureKind::malformed, "BTAK"_code, "ends in the middle of a field");
    }
    const BytesView taken = data_.subspan(position_, count);
    position_ += count;
    return taken;
}

Result<std::uint8_t> Reader::u8() {
    return take(1).map([](BytesView octets) { return octets[0]; });
}

Result<std::uint16_t> Reader::u16() {
    return take(2).map([](BytesView octets) { return static_cast<std::uint16_t>(big_endian(octets)); });
}

Result<std::uint32_t> Reader::u32() {
    return take(4).map([](BytesView octets) { return static_cast<std::uint32_t>(big_endian(octets)); });
}

Result<std::uint64_t> Reader::u64() {
    return take(8).map([](BytesView octets) { return big_endian(octets); });
}

BytesView Reader::rest() {
    const BytesView taken = data_.subspan(position_);
    position_ = data_.size();
    return taken;
}

void Reader::seek(std::size_t position) {
    require(position <= data_.size());
    position_ = position;
}

void Writer::u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8U));
    u8(static_cast<std::uint8_t>(value));
}

void Writer::u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16U));
    u16(static_cast<std::uint16_t>(value));
}

void Writer::u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32U));
    u32(static_cast<std::uint32_t>(value));
}

void Writer::bytes(BytesView value) {
    data_.insert(data_.end(), value.begin(), value.end());
}

void Writer::bytes(std::string_view value) {
    bytes(as_bytes(value));
}

void Writer::patch_u16(std::size_t offset, std::uint16_t value) {
    require(offset <= data_.size() && data_.size() - offset >= 2);
    data_[offset] = static_cast<std::uint8_t>(value >> 8U);
    data_[offset + 1] = static_cast<std::uint8_t>(value);
}

void Writer::truncate(std::size_t size) {
    require(size <= data_.size());
    data_.resize(size);
}

std::string to_hex(BytesView data) {
    return encode(data, 4, base32hex_alphabet);
}

Result<Bytes> from_hex(std::string_view text) {
    Bytes data;
    data.reserve(text.size() / 2);
    for (std::size_t index = 0; index < text.size(); index += 2) {
        while (index < text.size() && is_space(text[index])) {
            ++index;
        }
        if (index == text.size()) break;
        const std::uint8_t high = hex_value(text[index]);
        const std::uint8_t low = index + 1 < text.size() ? hex_value(text[index + 1]) : not_a_digit;
        if (high == not_a_digit || low == not_a_digit) {
            return fail(FailureKind::malformed, "BHEX"_code, "not hexadecimal digits in pairs");
        }
        data.push_back(static_cast<std::uint8_t>(high << 4U | low));
    }
    return data;
}

std::string to_base64(BytesView data) {
    std::string text = encode(data, 6, base64_alphabet);
    while (text.size() % 4 != 0) {
        text.push_back('=');
    }
    return text;
}

Result<Bytes> from_base64(std::string_view text) {
    Decoder decoder(6);
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char letter : text) {
        if (is_space(letter)) continue;
        ++digits;
        if (letter == '=') {
            ++padding;
            continue;
        }
        const std::uint8_t value = base64_values.at(static_cast<std::uint8_t>(letter));
        if (value == not_a_digit || padding > 0) {
            return fail(FailureKind::malformed, "BSIX"_code, "not base64");
        }
        decoder.digit(value);
    }
    if (digits % 4 != 0 || padding > 2 || !decoder.complete()) {
        return fail(FailureKind::malformed, "BPAD"_code, "base64 that ends wrongly");
    }
    return std::move(decoder).finish();
}

std::string to_base32hex(BytesView data) {
    return encode(data, 5, base32hex_alphabet);
}

Result<Bytes> from_base32hex(std::string_view text) {
    Decoder decoder(5);
    for (const char letter : text) {
        const std::uint8_t value = base32hex_values.at(static_cast<std::uint8_t>(letter));
        if (value == not_a_digit) {
            return fail(FailureKind::malformed, "BTHX"_code, "not base32hex");
        }
        decoder.digit(value);
    }
    if (!decoder.complete()) {
        return fail(FailureKind::malformed, "BTHE"_code, "base32hex that ends wrongly");
    }
    return std::move(decoder).finish();
}

BytesView as_bytes(std::string_view text) {
    // Reading any object's octets as unsigned char is what [basic.lval] allows.
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(BytesView data) {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace mxtrust
