// See record.h.
#include "cache/record.h"

#include <algorithm>
#include <limits>

#include "cache/checksum.h"

namespace mxtrust::cache {
namespace {

constexpr std::size_t header_octets = 14;
constexpr std::size_t checksum_octets = 8;
constexpr std::int64_t last_second = std::numeric_limits<std::uint32_t>::max();

std::uint64_t checksum_of(std::string_view key, BytesView record_without_checksum) {
    Writer length(2);
    length.u16(static_cast<std::uint16_t>(key.size()));
    Checksum sum;
    sum.add(length.view());
    sum.add(as_bytes(key));
    static_assert(use_offset == 0);
    sum.add(record_without_checksum.subspan(1));
    return sum.value();
}

std::uint8_t pack(dnssec::Security security, dnssec::Outcome outcome) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(security) << 4 | static_cast<unsigned>(outcome));
}

}  // namespace

Epoch::Epoch(std::string_view text) : value_(0) {
    const std::uint8_t version = format_version;
    Checksum sum;
    sum.add(BytesView(&version, 1));
    sum.add(as_bytes(text));
    value_ = static_cast<std::uint32_t>(sum.value() ^ sum.value() >> 32);
}

Epoch Epoch::of_notes() {
    return Epoch(std::uint32_t{format_version});
}

std::optional<Bytes> seal(std::string_view key, const Header& header, BytesView content) {
    if (header.stored.seconds < 0 || header.stored.seconds > last_second) return std::nullopt;
    if (header.expires <= header.stored) return std::nullopt;
    Writer out(header_octets + content.size() + checksum_octets);
    out.u8(header.use);
    out.u8(pack(header.security, header.outcome));
    out.u32(header.epoch.value());
    out.u32(static_cast<std::uint32_t>(header.stored.seconds));
    out.u32(static_cast<std::uint32_t>(std::min(header.expires.seconds, last_second)));
    out.bytes(content);
    const std::uint64_t sum = checksum_of(key, out.view());
    out.u64(sum);
    return std::move(out).finish();
}

std::optional<Header> peek(BytesView record) {
    if (record.size() < header_octets + checksum_octets) return std::nullopt;
    const std::uint8_t standing = record[1];
    if ((standing >> 4) > 3 || (standing & 0x0F) > 3) return std::nullopt;
    Reader in(record, 2);
    const std::uint32_t epoch = *in.u32();
    const std::uint32_t stored = *in.u32();
    const std::uint32_t expires = *in.u32();
    return Header{.use = record[use_offset],
                  .security = static_cast<dnssec::Security>(standing >> 4),
                  .outcome = static_cast<dnssec::Outcome>(standing & 0x0F),
                  .epoch = Epoch(epoch),
                  .stored = {stored},
                  .expires = {expires}};
}

bool is_whole(std::string_view key, BytesView record) {
    if (!peek(record)) return false;
    Reader end(record, record.size() - checksum_octets);
    return checksum_of(key, record.first(record.size() - checksum_octets)) == *end.u64();
}

Opened open_record(std::string_view key, BytesView record, Epoch epoch, WallTime now) {
    const std::optional<Header> header = peek(record);
    if (!header || !is_whole(key, record)) return {Fitness::damaged, Header{.epoch = epoch}, {}};
    if (header->epoch != epoch) return {Fitness::other_epoch, *header, {}};
    if (header->stored > now + most_ahead) return {Fitness::ahead, *header, {}};
    if (header->expires <= now) return {Fitness::expired, *header, {}};
    const std::size_t content = record.size() - header_octets - checksum_octets;
    return {Fitness::good, *header, record.subspan(header_octets, content)};
}

}  // namespace mxtrust::cache
