// See checksum.h. Eight octets a step, with one table for each place of an octet in the step.
#include "cache/checksum.h"

#include <array>

namespace mxtrust::cache {
namespace {

constexpr std::uint64_t polynomial = 0xC96C5795D7870F42;
using Table = std::array<std::uint64_t, 256>;

constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (std::size_t octet = 0; octet < 256; ++octet) {
        std::uint64_t value = octet;
        for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
        tables[0][octet] = value;
    }
    for (std::size_t octet = 0; octet < 256; ++octet) {
        for (std::size_t place = 1; place < 8; ++place) {
            const std::uint64_t before = tables[place - 1][octet];
            tables[place][octet] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}
constexpr std::array<Table, 8> tables = make_tables();

}  // namespace

void Checksum::add(BytesView data) {
    std::size_t at = 0;
    for (; at + 8 <= data.size(); at += 8) {
        std::uint64_t step = state_;
        for (unsigned place = 0; place < 8; ++place) step ^= std::uint64_t{data[at + place]} << (8 * place);
        state_ = 0;
        for (unsigned place = 0; place < 8; ++place) state_ ^= tables[7 - place][(step >> (8 * place)) & 0xFF];
    }
    for (; at < data.size(); ++at) state_ = (state_ >> 8) ^ tables[0][(state_ ^ data[at]) & 0xFF];
}

}  // namespace mxtrust::cache
