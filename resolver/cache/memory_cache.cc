// See memory_cache.h.
#include "cache/memory_cache.h"

#include <algorithm>
#include <utility>

#include "base/require.h"

namespace mxtrust::cache {

std::optional<BytesView> MemoryCache::Table::get(std::string_view key) {
    const auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    return BytesView(found->second);
}

std::optional<Entry> MemoryCache::Table::at_or_before(std::string_view prefix, std::string_view key) {
    auto after = entries.upper_bound(key);
    if (after == entries.begin()) return std::nullopt;
    --after;
    if (!std::string_view(after->first).starts_with(prefix)) return std::nullopt;
    return Entry{after->first, after->second};
}

void MemoryCache::Table::scan(const Range& range, const Visit& visit) {
    for (auto entry = entries.lower_bound(range.from); entry != entries.end() && entry->first < range.to; ++entry) {
        if (visit({entry->first, entry->second}) == Walk::stop) return;
    }
}

MemoryCache::MemoryCache(std::size_t most_entries)
    : RecordCache(Epoch(std::string_view("memory")), WallTime{0}),
      most_entries_(std::max<std::size_t>(most_entries, 1)) {}

void MemoryCache::write(std::string key, RecordRef record, std::vector<std::string> superseded) {
    const auto remove = [this](const std::string& gone) {
        const auto found = table_.entries.find(gone);
        if (found == table_.entries.end()) return;
        octets_ -= found->first.size() + found->second.size();
        table_.entries.erase(found);
    };
    for (const std::string& gone : superseded) remove(gone);
    remove(key);
    if (!record) return;
    if (table_.entries.size() >= most_entries_) make_room();
    octets_ += key.size() + record->size();
    table_.entries.emplace(std::move(key), *record);
}

void MemoryCache::first_hit(std::string_view key) {
    const auto found = table_.entries.find(key);
    if (found == table_.entries.end()) return;
    std::uint8_t& use = found->second.at(use_offset);
    use = static_cast<std::uint8_t>(after_hit(static_cast<Use>(use)));
}

void MemoryCache::damaged(std::string_view /*key*/) {
    require(false);
}  // nobody else can have touched it

/// A sixteenth at a time, so that the sort is paid for by many stores.
void MemoryCache::make_room() {
    using Place = std::map<std::string, Bytes, std::less<>>::iterator;
    struct Candidate {
        std::pair<unsigned, std::int64_t> worth;  // expired ones first, then by use, then by what is left
        Place place;
    };
    std::vector<Candidate> candidates;
    candidates.reserve(table_.entries.size());
    for (auto entry = table_.entries.begin(); entry != table_.entries.end(); ++entry) {
        const std::optional<Header> header = peek(entry->second);
        const bool gone = !header || header->expires <= latest();
        const unsigned use = gone ? 0U : header->use + 1U;
        candidates.push_back({{use, header ? header->expires.seconds : 0}, entry});
    }
    const std::size_t victims = std::min(candidates.size(), most_entries_ / 16 + 1);
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(victims);
    std::partial_sort(candidates.begin(), end, candidates.end(),
                      [](const Candidate& left, const Candidate& right) { return left.worth < right.worth; });
    for (auto victim = candidates.begin(); victim != end; ++victim) {
        octets_ -= victim->place->first.size() + victim->place->second.size();
        table_.entries.erase(victim->place);
    }
    evicted_ += victims;
}

std::size_t MemoryCache::flush(const dns::Name& name, bool subtree) {
    std::size_t dropped = 0;
    for (const Range& range : flush_ranges(name, subtree)) {
        auto entry = table_.entries.lower_bound(range.from);
        while (entry != table_.entries.end() && entry->first < range.to) {
            octets_ -= entry->first.size() + entry->second.size();
            entry = table_.entries.erase(entry);
            ++dropped;
        }
    }
    return dropped;
}

CacheCounters MemoryCache::counters() const {
    CacheCounters counters = counted_;
    counters.evicted = evicted_;
    counters.entries = table_.entries.size();
    counters.octets = octets_;
    return counters;
}

}  // namespace mxtrust::cache
