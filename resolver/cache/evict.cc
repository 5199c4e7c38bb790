// See evict.h.
#include "cache/evict.h"

#include <algorithm>
#include <bit>

#include "cache/totals.h"

namespace mxtrust::cache {
namespace {

/// All records; the totals come before.
Range everything(std::string from) {
    if (from.empty()) from = std::string(totals_key) + '\0';
    return {std::move(from), std::string(most_key_octets + 1, '\xFF')};
}

std::uint64_t cost_of(std::string_view key, BytesView record) {
    constexpr std::uint64_t node = 10;  // LMDB's header and offset of an entry
    return key.size() + record.size() + node;
}

std::size_t use_index(const Header& header) {
    return std::min<std::size_t>(header.use, use_count - 1);
}

}  // namespace

std::size_t Eviction::span_of(WallTime expires, WallTime now) {
    const std::int64_t left = std::clamp<std::int64_t>(expires.seconds - now.seconds, 0, 0xFFFFFFFF);
    return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(left)));
}

bool Eviction::is_dead(const std::optional<Header>& header) const {
    if (!header || header->expires <= now_ || header->stored > now_ + most_ahead) return true;
    return header->epoch != epoch_ && header->epoch != Epoch::of_notes();
}

Eviction::Eviction(Records& records, Epoch epoch, WallTime now) : epoch_(epoch), now_(now) {
    records.scan(everything({}), [&](const Entry& entry) {
        const std::optional<Header> header = peek(entry.record);
        const std::uint64_t cost = cost_of(entry.key, entry.record);
        octets_ += cost;
        if (!is_dead(header)) living_[use_index(*header)][span_of(header->expires, now_)] += cost;
        return Walk::on;
    });
}

void Eviction::aim(std::uint64_t octets) {
    std::uint64_t living = 0;
    for (const auto& use : living_) {
        for (const std::uint64_t span : use) living += span;
    }
    std::uint64_t wanted = octets > octets_ - living ? octets - (octets_ - living) : 0;
    edge_use_ = edge_span_ = 0;
    edge_octets_ = 0;
    from_.clear();
    for (; edge_use_ < use_count; ++edge_use_) {
        for (edge_span_ = 0; edge_span_ < spans; ++edge_span_) {
            if (wanted <= living_[edge_use_][edge_span_]) {
                edge_octets_ = wanted;
                return;
            }
            wanted -= living_[edge_use_][edge_span_];
        }
    }
}

bool Eviction::goes(std::string_view key, BytesView record) {
    const std::optional<Header> header = peek(record);
    if (is_dead(header)) return true;
    const std::size_t use = use_index(*header), span = span_of(header->expires, now_);
    if (use != edge_use_) return use < edge_use_;
    if (span != edge_span_) return span < edge_span_;
    if (edge_octets_ == 0) return false;
    edge_octets_ -= std::min(edge_octets_, cost_of(key, record));
    return true;
}

std::vector<std::string> Eviction::next(Records& records, std::size_t most) {
    std::vector<std::string> keys;
    records.scan(everything(from_), [&](const Entry& entry) {
        if (goes(entry.key, entry.record)) keys.emplace_back(entry.key);
        return keys.size() < most ? Walk::on : Walk::stop;
    });
    if (!keys.empty()) from_ = keys.back() + '\0';
    return keys;
}

}  // namespace mxtrust::cache
