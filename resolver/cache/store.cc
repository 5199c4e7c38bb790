// See store.h: opening, closing, and what workers do with the store. The writer thread is in writer.cc.
#include "cache/store.h"

#include <algorithm>

#include "base/require.h"
#include "cache/lmdb_cache.h"

namespace mxtrust::cache {
namespace {

constexpr std::uint64_t least_octets = 1 << 20;
constexpr std::uint64_t page_octets = 4096;
/// The share of the map that one transaction may copy; three generations of copies fit into the reserve that make_room
/// keeps.
constexpr std::uint64_t transactions_share = 32;
constexpr std::size_t most_notices = 32;

std::uint64_t map_octets(const StoreSettings& settings) {
    return std::max(settings.most_octets, least_octets) / page_octets * page_octets;
}

/// The same words for all stores of a process that are on one disk: the log tells them once.
std::string system_word(const std::string& text) {
    const std::size_t place = text.rfind(": ");
    return place == std::string::npos ? text : text.substr(place + 2);
}

std::size_t slice_of(const StoreSettings& settings) {
    const std::uint64_t share = map_octets(settings) / page_octets / transactions_share;
    return std::max<std::size_t>(1, std::min<std::uint64_t>(share, settings.batch_entries));
}

}  // namespace

Result<LmdbStore::Entered> LmdbStore::enter(const StoreSettings& settings, WallTime now, Notices& notices) {
    auto guard = Guard::enter({settings.directory, settings.boot_id, settings.most_octets, now}, notices);
    if (!guard && guard.error().kind != FailureKind::system) return fail(guard.error());
    if (!guard) return Entered{nullptr, nullptr, system_word(guard.error().text)};
    auto found = MappedFile::open((*guard)->data_path());
    if (!found) return Entered{nullptr, nullptr, system_word(found.error().text)};
    return Entered{std::move(*guard), std::move(*found), {}};
}

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const StoreSettings& settings, WallTime now, Notices& notices) {
    StoreSettings effective = settings;
    effective.most_octets = map_octets(settings);
    auto entered = enter(effective, now, notices);
    if (!entered) return fail(entered.error());
    return std::unique_ptr<LmdbStore>(new LmdbStore(effective, std::move(*entered), now));
}

LmdbStore::LmdbStore(const StoreSettings& settings, Entered entered, WallTime now)
    : settings_(settings),
      guard_(std::move(entered.guard)),
      slice_(slice_of(settings)),
      scene_{.environment = nullptr,
             .found = entered.found,
             .environment_number = 0,
             .epoch = Epoch(std::string_view(settings.epoch)),
             .flushes = {}},
      now_(now.seconds),
      found_(std::move(entered.found)) {
    if (!guard_) began(entered.trouble, 0);
    if (found_) {
        const auto meta = newest_meta(found_->octets());
        if (meta) publish({.entries = meta->main.entries, .octets = found_->octets().size()});
    }
    writer_ = std::thread([this] { run(); });
}

LmdbStore::~LmdbStore() {
    finish();
}

void LmdbStore::finish() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        require(views_.empty());
        stop_ = true;
        // What is to be forgotten must be, before the next start can find it: that is worth waiting for the check.
        give_up_ = scene_.flushes.empty();
    }
    wake_.notify_all();
    writer_.join();
    scene_.environment.reset();
    const EnvironmentRef last = std::move(environment_);
    // Where either fails, the file stays marked as open, and is good as long as this boot lasts: nothing to add.
    if (last && last->sync() == Written::done) static_cast<void>(guard_->mark_clean());
}

std::unique_ptr<LmdbCache> LmdbStore::view() {
    return std::unique_ptr<LmdbCache>(new LmdbCache(*this));
}

std::shared_ptr<LmdbStore::ViewCounters> LmdbStore::add_view() {
    auto counters = std::make_shared<ViewCounters>();
    const std::lock_guard lock(mutex_);
    views_.push_back(counters);
    return counters;
}

void LmdbStore::remove_view(const std::shared_ptr<ViewCounters>& counters) {
    const std::lock_guard lock(mutex_);
    departed_.hits += counters->hits.load();
    departed_.misses += counters->misses.load();
    departed_.stored += counters->stored.load();
    departed_.dropped += counters->dropped.load();
    std::erase(views_, counters);
}

LmdbStore::Scene LmdbStore::scene() const {
    const std::lock_guard lock(mutex_);
    return scene_;
}

std::uint64_t LmdbStore::Operation::cost() const {
    return sizeof(Operation) + key.size() + (record ? record->size() : 0);
}

std::optional<std::uint64_t> LmdbStore::submit(Operation operation, WallTime now) {
    const std::uint64_t cost = operation.cost();
    now_.store(now.seconds, std::memory_order_relaxed);
    bool first = false, enough = false;
    std::uint64_t ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_octets_ + cost > settings_.most_waiting_octets) return std::nullopt;
        waiting_octets_ += cost;
        first = waiting_.empty();
        waiting_.push_back(std::move(operation));
        enough = waiting_.size() == settings_.batch_entries;
        ticket = ++submitted_;
    }
    if (first || enough) wake_.notify_one();
    return ticket;
}

void LmdbStore::flush(std::vector<Range> ranges) {
    {
        const std::lock_guard lock(mutex_);
        auto flush = std::make_shared<const Flush>(Flush{++scene_.last_flush, std::move(ranges)});
        scene_.flushes.push_back(flush);
        waiting_.push_back({Operation::What::flush, {}, nullptr, std::move(flush)});
        waiting_octets_ += waiting_.back().cost();
        ++submitted_;
        hurry_ = true;
        generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_one();
}

void LmdbStore::report_damage(std::uint64_t environment_number) {
    {
        const std::lock_guard lock(mutex_);
        damaged_environment_.store(environment_number);
    }
    wake_.notify_one();
}

void LmdbStore::set_epoch(const std::string& epoch) {
    const std::lock_guard lock(mutex_);
    scene_.epoch = Epoch(std::string_view(epoch));
    generation_.fetch_add(1, std::memory_order_release);
}

void LmdbStore::sync() {
    std::unique_lock lock(mutex_);
    const std::uint64_t target = submitted_;
    hurry_ = true;
    wake_.notify_one();
    settled_.wait(lock, [&] { return begun_ && committed_.load() >= target; });
}

void LmdbStore::notice(std::string text) {
    const std::lock_guard lock(mutex_);
    if (notices_.size() < most_notices) notices_.push_back(std::move(text));
}

Notices LmdbStore::take_notices() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notices_, {});
}

CacheCounters LmdbStore::counters() const {
    const std::lock_guard lock(mutex_);
    CacheCounters sum = departed_;
    for (const auto& view : views_) {
        sum.hits += view->hits.load(std::memory_order_relaxed);
        sum.misses += view->misses.load(std::memory_order_relaxed);
        sum.stored += view->stored.load(std::memory_order_relaxed);
        sum.dropped += view->dropped.load(std::memory_order_relaxed);
    }
    sum.dropped += dropped_.load();
    sum.evicted = evicted_.load();
    sum.entries = entries_.load();
    sum.octets = octets_.load();
    sum.keeping = is_in_trouble() ? Keeping::not_written : begun_ ? Keeping::good : Keeping::checking;
    return sum;
}

}  // namespace mxtrust::cache
