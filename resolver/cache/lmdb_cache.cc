// See lmdb_cache.h.
#include "cache/lmdb_cache.h"

#include <algorithm>
#include <utility>

#include "cache/file_view.h"

namespace mxtrust::cache {
namespace {

/// What an entry of the overlay costs beside its octets: nodes of two containers, the control block.
constexpr std::uint64_t overlay_node = 200;
/// Hits told and not yet committed; beyond, they are not told, and only eviction knows less.
constexpr std::size_t most_hits_told = 4096;

std::uint64_t cost_of(const std::string& key, const RecordRef& record) {
    return overlay_node + 2 * key.size() + (record ? record->size() : 0);
}

}  // namespace

// --- Layers.

bool LmdbCache::Layers::is_hidden(std::string_view key) const {
    return std::any_of(flushes.begin(), flushes.end(), [key](const auto& flush) {
        return std::any_of(flush->ranges.begin(), flush->ranges.end(),
                           [key](const Range& range) { return range.has(key); });
    });
}

std::optional<BytesView> LmdbCache::Layers::get(std::string_view key) {
    const auto own = overlay.find(key);
    if (own != overlay.end()) return own->second.record ? std::optional<BytesView>(*own->second.record) : std::nullopt;
    if (!committed || is_hidden(key)) return std::nullopt;
    return committed->get(key);
}

std::optional<Entry> LmdbCache::Layers::at_or_before(std::string_view prefix, std::string_view key) {
    std::optional<Entry> below;
    if (committed) below = committed->at_or_before(prefix, key);
    if (below && (is_hidden(below->key) || overlay.contains(below->key))) below.reset();
    auto own = overlay.upper_bound(key);
    while (own != overlay.begin()) {
        --own;
        if (!std::string_view(own->first).starts_with(prefix)) break;
        if (!own->second.record) continue;
        if (!below || own->first >= below->key) return Entry{own->first, *own->second.record};
        break;
    }
    return below;
}

/// Both layers merged by key; where both have one, the overlay's.
void LmdbCache::Layers::scan(const Range& range, const Visit& visit) {
    auto own = overlay.lower_bound(range.from);
    const auto end = overlay.lower_bound(range.to);
    Walk walk = Walk::on;
    const auto visit_own_before = [&](std::string_view limit) {
        for (; own != end && walk == Walk::on && own->first < limit; ++own) {
            if (own->second.record) walk = visit({own->first, *own->second.record});
        }
    };
    if (committed) {
        committed->scan(range, [&](const Entry& entry) {
            visit_own_before(entry.key);
            if (walk == Walk::on && !is_hidden(entry.key) && !overlay.contains(entry.key)) walk = visit(entry);
            return walk;
        });
    }
    visit_own_before(range.to);
}

// --- The view.

LmdbCache::LmdbCache(LmdbStore& store)
    : RecordCache(store.scene().epoch, store.now()), store_(store), counters_(store.add_view()) {}

LmdbCache::~LmdbCache() {
    layers_.committed.reset();
    store_.remove_view(counters_);
}

Records& LmdbCache::begin() {
    // The order matters: what is dropped from the overlay as committed must be in the snapshot, which is taken last.
    if (store_.generation() != generation_) refresh();
    settle();
    if (layers_.committed) layers_.committed->begin();
    // A file that was let go of just now is empty to its reader: what is there instead has been shown by then.
    while (store_.generation() != generation_) {
        if (layers_.committed) layers_.committed->end();
        refresh();
        if (layers_.committed) layers_.committed->begin();
    }
    return layers_;
}

void LmdbCache::end() {
    if (layers_.committed) {
        layers_.committed->end();
        // A file that is still looked over is the writer's business.
        if (layers_.committed->is_broken() && environment_number_ != 0) store_.report_damage(environment_number_);
    }
    counters_->hits.store(counted_.hits, std::memory_order_relaxed);
    counters_->misses.store(counted_.misses, std::memory_order_relaxed);
    counters_->stored.store(counted_.stored, std::memory_order_relaxed);
    counters_->dropped.store(counted_.dropped, std::memory_order_relaxed);
}

/// The store is not what it was: another file, another epoch, something flushed.
void LmdbCache::refresh() {
    generation_ = store_.generation();
    const LmdbStore::Scene scene = store_.scene();
    if (scene.environment_number != environment_number_ || !layers_.committed) {
        layers_.committed.reset();
        if (scene.environment) layers_.committed = std::make_unique<ReadView>(scene.environment);
        if (scene.found) layers_.committed = std::make_unique<FileView>(scene.found);
        environment_number_ = scene.environment_number;
    }
    for (const auto& flush : scene.flushes) {
        if (flush->number <= last_flush_) continue;
        std::erase_if(layers_.overlay, [&](const auto& own) {
            return std::any_of(flush->ranges.begin(), flush->ranges.end(),
                               [&](const Range& range) { return range.has(own.first); });
        });
    }
    layers_.flushes = scene.flushes;
    last_flush_ = scene.last_flush;
    set_epoch(scene.epoch);  // entries of the overlay carry theirs
}

/// Lets go of what is committed by now. While the store is in trouble, it may have been dropped instead: then it is
/// kept here.
void LmdbCache::settle() {
    if (order_.empty() && hits_told_.empty()) return;
    const std::uint64_t committed = store_.committed();
    if (committed >= last_ticket_) hits_told_.clear();
    if (store_.is_in_trouble()) {
        was_in_trouble_ = true;
        return;
    }
    if (std::exchange(was_in_trouble_, false)) {
        hand_over_again();
        return;
    }
    while (!order_.empty() && order_.front().ticket <= committed) forget_oldest();
}

/// The store was in trouble and can be written again: what it could not take is here.
void LmdbCache::hand_over_again() {
    std::deque<Place> again;
    for (Place& place : order_) {
        const auto own = layers_.overlay.find(place.key);
        if (own == layers_.overlay.end() || own->second.ticket != place.ticket) {
            overlay_octets_ -= place.cost;  // flushed, or stored once more since
            continue;
        }
        const RecordRef& record = own->second.record;
        const auto what = record ? LmdbStore::Operation::What::put : LmdbStore::Operation::What::remove;
        if (const auto ticket = store_.submit({what, place.key, record, nullptr}, latest())) last_ticket_ = *ticket;
        place.ticket = own->second.ticket = last_ticket_;
        again.push_back(std::move(place));
    }
    order_ = std::move(again);
}

void LmdbCache::forget_oldest() {
    const Place oldest = std::move(order_.front());
    order_.pop_front();
    overlay_octets_ -= oldest.cost;
    const auto own = layers_.overlay.find(oldest.key);
    // A flushed one was taken out before, one stored again since has its own place in the order.
    if (own != layers_.overlay.end() && own->second.ticket == oldest.ticket) layers_.overlay.erase(own);
}

void LmdbCache::remember(std::string key, RecordRef record, std::uint64_t ticket) {
    const std::uint64_t cost = cost_of(key, record);
    overlay_octets_ += cost;
    order_.push_back({ticket, key, cost});
    layers_.overlay.insert_or_assign(std::move(key), Pending{std::move(record), ticket});
}

void LmdbCache::write(std::string key, RecordRef record, std::vector<std::string> superseded) {
    const auto what = record ? LmdbStore::Operation::What::put : LmdbStore::Operation::What::remove;
    const auto ticket = store_.submit({what, key, record, nullptr}, latest());
    if (ticket) {
        last_ticket_ = *ticket;
    } else {
        ++counted_.dropped;
    }
    for (std::string& gone : superseded) remember(std::move(gone), nullptr, last_ticket_);
    remember(std::move(key), std::move(record), last_ticket_);
    while (overlay_octets_ > store_.settings_.most_overlay_octets && !order_.empty()) forget_oldest();
}

void LmdbCache::first_hit(std::string_view key) {
    if (hits_told_.size() >= most_hits_told || hits_told_.contains(key)) return;
    const auto ticket = store_.submit({LmdbStore::Operation::What::hit, std::string(key), nullptr, nullptr}, latest());
    if (!ticket) return;
    last_ticket_ = *ticket;
    hits_told_.emplace(key);
}

void LmdbCache::damaged(std::string_view key) {
    if (!layers_.overlay.contains(key)) store_.report_damage(environment_number_);
}

std::size_t LmdbCache::flush(const dns::Name& name, bool subtree) {
    std::vector<Range> ranges = flush_ranges(name, subtree);
    std::size_t dropped = 0;
    Records& records = begin();
    for (const Range& range : ranges) {
        records.scan(range, [&dropped](const Entry& /*entry*/) {
            ++dropped;
            return Walk::on;
        });
    }
    end();
    store_.flush(std::move(ranges));
    return dropped;
}

}  // namespace mxtrust::cache
