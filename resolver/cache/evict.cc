// See evict.h.
#include "cache/evict.h"

#include <algorithm>
#include <bit>
#include <utility>

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

/// Of the room there is, what entries below one domain may hold that nobody has asked for twice.
constexpr std::uint64_t crowd_share = 16;

/// What the keys of one kind and one domain begin with: two labels, or three where the second is as short as in co.uk
/// and com.br, where domains of many people are.
std::string_view group_of(std::string_view key) {
    constexpr std::size_t shortest_domain = 4;
    std::size_t end = 1;
    for (std::size_t label = 0; label < 3; ++label) {
        const std::size_t next = key.find('\0', end);
        if (next == std::string_view::npos || next == end) break;
        const bool is_domain = label > 0 && next - end >= shortest_domain;
        end = next + 1;
        if (is_domain) break;
    }
    return key.substr(0, end);
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

Eviction::Rank Eviction::rank_of(const Header& header) {
    switch (static_cast<Use>(header.use)) {
        case Use::rubbish:
            return rubbish;
        case Use::used_rubbish:
            return used_rubbish;
        case Use::answer:
        case Use::structure:
            return unused;
        case Use::used_answer:
            return used_answer;
        case Use::used_structure:
            return used_structure;
        case Use::note:
            return note;
    }
    return rubbish;  // a flipped bit
}

Eviction::Rank Eviction::rank_of(std::string_view key, const Header& header) {
    const Rank rank = rank_of(header);
    return rank == unused && !crowds_.empty() && crowds_.contains(group_of(key)) ? rubbish : rank;
}

/// The census has seen all of a domain.
void Eviction::end_group() {
    std::uint64_t octets = 0;
    for (const std::uint64_t span : group_unused_) octets += span;
    const bool is_crowd = octets > crowd_;
    if (is_crowd) crowds_.insert(group_);
    Spans& spans_of_rank = living_[is_crowd ? rubbish : unused];
    for (std::size_t span = 0; span < spans; ++span) spans_of_rank[span] += std::exchange(group_unused_[span], 0);
}

Eviction::Eviction(Records& records, Epoch epoch, WallTime now, std::uint64_t room)
    : epoch_(epoch), now_(now), crowd_(room / crowd_share) {
    records.scan(everything({}), [&](const Entry& entry) {
        const std::optional<Header> header = peek(entry.record);
        const std::uint64_t cost = cost_of(entry.key, entry.record);
        octets_ += cost;
        if (is_dead(header)) return Walk::on;
        const Rank rank = rank_of(*header);
        const std::size_t span = span_of(header->expires, now_);
        if (rank != unused) {
            living_[rank][span] += cost;
            return Walk::on;
        }
        const std::string_view group = group_of(entry.key);
        if (group != group_) {
            end_group();
            group_ = group;
        }
        group_unused_[span] += cost;
        return Walk::on;
    });
    end_group();
}

void Eviction::aim(std::uint64_t octets) {
    std::uint64_t living = 0;
    for (const Spans& rank : living_) {
        for (const std::uint64_t span : rank) living += span;
    }
    std::uint64_t wanted = octets > octets_ - living ? octets - (octets_ - living) : 0;
    edge_rank_ = edge_span_ = 0;
    edge_octets_ = 0;
    from_.clear();
    for (; edge_rank_ < rank_count; ++edge_rank_) {
        for (edge_span_ = 0; edge_span_ < spans; ++edge_span_) {
            if (wanted <= living_[edge_rank_][edge_span_]) {
                edge_octets_ = wanted;
                return;
            }
            wanted -= living_[edge_rank_][edge_span_];
        }
    }
}

bool Eviction::goes(std::string_view key, BytesView record) {
    const std::optional<Header> header = peek(record);
    if (is_dead(header)) return true;
    const std::size_t rank = rank_of(key, *header), span = span_of(header->expires, now_);
    if (rank != edge_rank_) return rank < edge_rank_;
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
