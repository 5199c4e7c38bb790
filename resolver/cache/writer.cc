// The store's writer thread: takes what workers handed over, applies the rules once more, commits, keeps room, and
// copes with trouble.
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <limits>
#include <span>

#include "base/require.h"
#include "cache/evict.h"
#include "cache/file_check.h"
#include "cache/rules.h"
#include "cache/store.h"

namespace mxtrust::cache {
namespace {

/// Of the map, in use by entries: above `high` room is made, above `urgent` at once. The rest is for the copies that
/// transactions make.
constexpr std::uint64_t high_percent = 75, urgent_percent = 85;
/// What an eviction takes, of all there is: so much that the census before it pays.
constexpr std::uint64_t evicted_share = 5;
/// A file that was begun anew this often in one run will not get better; the workers' memory serves from then on.
constexpr unsigned most_beginnings = 8;
constexpr std::chrono::seconds calm{10};
/// For each entry that is added so many may be moved to close ranks; looking at one costs a tenth of that. In a smaller
/// file there is nothing to be gained.
constexpr std::size_t packed_for_one = 4, looks_for_one = 10, packed_at_once = 100;
constexpr std::uint64_t least_packed_octets = 256 << 10;
/// What must fit onto a disk that is said to have room again: about what a batch writes.
constexpr std::size_t room_octets = 65'536;
/// What an interrupted reader may take; a call of it takes microseconds.
constexpr std::chrono::milliseconds for_readers{2};
constexpr unsigned most_waits = 5;

/// Signals are for the main thread; a file-size limit must come back as an error of the write (SIGXFSZ kills
/// otherwise).
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    require(pthread_sigmask(SIG_BLOCK, &all, nullptr) == 0);
}

}  // namespace

void LmdbStore::run() {
    block_signals();
    look_over();
    std::unique_lock lock(mutex_);
    begun_ = true;
    settled_.notify_all();
    if (found_ && give_up_) return;
    for (;;) {
        const Operations batch = next_batch(lock);
        if (batch.empty() && stop_) return;
        const std::uint64_t damaged = damaged_environment_.exchange(0);
        const bool idle = batch.empty();
        lock.unlock();
        if (idle && damaged == 0) recover();
        if (damaged != 0 && damaged == environment_number_) begin_anew("a record in it is damaged");
        apply(batch);
        lock.lock();
        committed_.fetch_add(batch.size(), std::memory_order_release);
        settled_.notify_all();
    }
}

/// Before LMDB opens what is there: LMDB believes what it finds.
void LmdbStore::look_over() {
    if (!guard_) return;
    if (found_) {
        const Done whole = check_file(found_->octets(), &give_up_);
        if (!whole && whole.error().kind == FailureKind::cancelled) return;
        if (!whole) {
            begin_anew("it is damaged: " + whole.error().text);
            return;
        }
    }
    adopt();
}

/// What is there becomes LMDB's. Where the disk does not even allow the mark, or memory the map, the file is left as it
/// is, and is read on.
void LmdbStore::adopt() {
    if (auto good = guard_->mark_open(); !good) {
        began(good.error().text, 0);
        next_try_ = now() + settings_.between_tries;
        return;
    }
    auto opened = Environment::open(guard_->data_path(), settings_.most_octets);
    if (!opened && opened.error().kind == FailureKind::system) {
        began(opened.error().text, 0);
        next_try_ = now() + settings_.between_tries;
        return;
    }
    if (!opened) {  // whatever LMDB does not like about it
        begin_anew(opened.error().text);
        return;
    }
    environment_ = std::move(*opened);
    show_environment();
    publish(WriteView(environment_).usage());
}

LmdbStore::Operations LmdbStore::next_batch(std::unique_lock<std::mutex>& lock) {
    const auto is_urgent = [this] { return stop_ || hurry_ || damaged_environment_.load() != 0; };
    const auto is_called = [&] { return !waiting_.empty() || is_urgent(); };
    // In trouble it looks up now and then, also where nobody stores anything.
    if (trouble_.load()) {
        if (!wake_.wait_for(lock, settings_.between_tries, is_called)) return {};
    } else {
        wake_.wait(lock, is_called);
    }
    if (!is_urgent()) {
        wake_.wait_for(lock, settings_.batch_time,
                       [&] { return is_urgent() || waiting_.size() >= settings_.batch_entries; });
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), settings_.batch_entries));
    for (auto operation = waiting_.begin(); operation != waiting_.begin() + count; ++operation)
        waiting_octets_ -= operation->cost();
    Operations batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    if (waiting_.empty()) hurry_ = false;
    return batch;
}

/// In the order handed over; a flush between two others is carried out between them.
void LmdbStore::apply(const Operations& batch) {
    std::span<const Operation> left(batch);
    while (!left.empty()) {
        if (left.front().what == Operation::What::flush) {
            carry_out(*left.front().flush);
            left = left.subspan(1);
            continue;
        }
        std::size_t length = 1;
        while (length < left.size() && length < slice_ && left[length].what != Operation::What::flush) ++length;
        make_room(false);
        commit(left.first(length));
        pack();
        left = left.subspan(length);
    }
}

void LmdbStore::commit(std::span<const Operation> run) {
    std::string trouble;
    Written written = try_commit(run, trouble);
    for (unsigned wait = 0; written == Written::full && wait < most_waits; ++wait) {
        // A reader that was interrupted in the middle of a call keeps all pages of its snapshot from being used again.
        std::this_thread::sleep_for(for_readers);
        written = try_commit(run, trouble);
    }
    switch (written) {
        case Written::done:
            ended();
            return;
        case Written::disk:
            began(trouble, run.size());
            return;
        case Written::broken:
            begin_anew(trouble);
            began(trouble, run.size());
            return;
        case Written::full:
            break;
    }
    if (run.size() == 1) {
        began("there is no room for it", 1);
        return;
    }
    // Fewer entries copy fewer pages; and the transactions in between let go of older copies.
    make_room(true);
    commit(run.first(run.size() / 2));
    commit(run.subspan(run.size() / 2));
}

Written LmdbStore::try_commit(std::span<const Operation> run, std::string& trouble) {
    if (!environment_ && now() >= next_try_) retry();
    if (!environment_) {
        trouble = "there is no cache file";
        return Written::disk;
    }
    WriteView view(environment_);
    for (const Operation& operation : run) {
        if (view.state() == Written::done) write(view, operation);
    }
    const Usage usage = view.usage();
    const Written written = view.commit();
    trouble = view.trouble();
    if (written != Written::done) return written;
    work_to_pack_ += packed_for_one * view.added();
    publish(usage);
    for (const Operation& operation : run) written_since_eviction_ += operation.record ? operation.record->size() : 0;
    return written;
}

namespace {

void raise_use(WriteView& view, const std::string& key) {
    const auto present = view.get(key);
    if (!present || !peek(*present)) return;
    Bytes record(present->begin(), present->end());
    const Use use = after_hit(static_cast<Use>(record[use_offset]));
    if (record[use_offset] == static_cast<std::uint8_t>(use)) return;
    record[use_offset] = static_cast<std::uint8_t>(use);
    view.put(key, record);
}

/// A name that was asked for stays so when its record is renewed.
bool was_used(WriteView& view, const std::string& key) {
    const auto present = view.get(key);
    if (!present) return false;
    const std::optional<Header> header = peek(*present);
    return header && is_used(static_cast<Use>(header->use));
}

}  // namespace

void LmdbStore::write(WriteView& view, const Operation& operation) {
    switch (operation.what) {
        case Operation::What::hit:
            raise_use(view, operation.key);
            return;
        case Operation::What::remove:
            view.erase(operation.key);
            return;
        case Operation::What::flush:
            return;  // apply() has these
        case Operation::What::put:
            break;
    }
    const std::optional<Header> header = peek(*operation.record);
    require(header.has_value());
    const Change change = decide(view, operation.key, *header);
    if (!change.accepted) return;
    for (const std::string& key : change.superseded) view.erase(key);
    const bool used = was_used(view, operation.key);
    view.put(operation.key, *operation.record);
    if (used) raise_use(view, operation.key);
}

/// Goes round and round through the entries while others are added, and closes their ranks. What it moves is paid for
/// by what is added, so that packing never costs more than storing does.
void LmdbStore::pack() {
    const std::size_t window = std::min(slice_, packed_at_once);
    while (environment_ && !trouble_.load() && work_to_pack_ >= window) {
        if (octets_.load() < least_packed_octets) {
            work_to_pack_ = 0;
            return;
        }
        WriteView view(environment_);
        WriteView::Packed packed = view.pack(pack_from_, window);
        const Usage usage = view.usage();
        const Written written = packed.moved == 0 ? view.state() : view.commit();
        if (written == Written::broken) begin_anew(view.trouble());
        if (written != Written::done) return;  // whoever stores the next entry will see
        pack_from_ = std::move(packed.next);
        work_to_pack_ -= std::min(work_to_pack_, packed.moved + window / looks_for_one);
        if (packed.moved != 0) publish(usage);
    }
}

/// Removes keys, in one transaction.
Written LmdbStore::erase(const std::vector<std::string>& keys) {
    WriteView view(environment_);
    for (const std::string& key : keys) view.erase(key);
    const Usage usage = view.usage();
    const Written written = view.commit();
    if (written == Written::broken) begin_anew(view.trouble());
    if (written == Written::done) publish(usage);
    return written;
}

/// Removes all of a range, some at a time.
Written LmdbStore::empty(const Range& range) {
    for (;;) {
        ReadView reader(environment_);
        std::vector<std::string> keys;
        reader.begin();
        reader.scan(range, [&](const Entry& entry) {
            keys.emplace_back(entry.key);
            return keys.size() < slice_ ? Walk::on : Walk::stop;
        });
        reader.end();
        if (keys.empty()) return Written::done;
        const Written written = erase(keys);
        if (written != Written::done) return written;
    }
}

void LmdbStore::carry_out(const Flush& flush) {
    if (found_) begin_anew("entries cannot be removed from it");
    if (!guard_) flushed_unseen_ = true;
    for (const Range& range : flush.ranges) {
        if (!environment_) break;
        const Written written = empty(range);
        if (written == Written::broken) break;  // and all of it gone
        if (written == Written::done) continue;
        // What was to be forgotten must not come back after a restart: where it cannot be removed, all goes.
        begin_anew("entries cannot be removed from it");
        break;
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(scene_.flushes, [&](const auto& other) { return other->number == flush.number; });
    generation_.fetch_add(1, std::memory_order_release);
}

void LmdbStore::make_room(bool forced) {
    if (!environment_) return;
    const std::uint64_t percent = octets_.load() * 100 / settings_.most_octets;
    if (!forced && percent <= high_percent) return;
    if (!forced && percent <= urgent_percent && written_since_eviction_ < last_eviction_ / 2) return;
    ReadView reader(environment_);
    reader.begin();
    Eviction eviction(reader, scene().epoch, now(), settings_.most_octets);
    reader.end();
    last_eviction_ = eviction.octets() / evicted_share;
    written_since_eviction_ = 0;
    eviction.aim(last_eviction_);
    for (;;) {
        reader.begin();
        const std::vector<std::string> keys = eviction.next(reader, slice_);
        reader.end();
        if (keys.empty() || erase(keys) != Written::done) return;
        evicted_.fetch_add(keys.size());
    }
}

// --- Trouble: told when it begins and when it ends. On a disk that is just full small commits still fit now and then;
// so it ends only after a while without.

void LmdbStore::began(const std::string& trouble, std::size_t dropped) {
    dropped_.fetch_add(dropped);
    dropped_in_trouble_ += dropped;
    last_trouble_ = now();
    // The file that was set aside is for somebody to look at; room for what is known now is worth more.
    if (!trouble_.load() && guard_) static_cast<void>(guard_->forget_older());
    if (trouble_.exchange(true, std::memory_order_acq_rel)) return;
    // LMDB takes a write that came out short for an error of the disk.
    std::error_code error;
    const auto space = std::filesystem::space(settings_.directory, error);
    const bool full = !error && space.available < room_octets;
    notice(settings_.title + " cannot be written (" + (full ? "No space left on device" : trouble) +
           "); answers are kept in memory meanwhile");
}

void LmdbStore::ended() {
    // A clock that was set back must not keep trouble alive.
    const bool lately = now() < last_trouble_ + calm && now() >= last_trouble_;
    if (lately || !trouble_.exchange(false, std::memory_order_acq_rel)) return;
    notice(settings_.title + " can be written again; " + std::to_string(dropped_in_trouble_) +
           " entries could not be; those still in memory are written now");
    dropped_in_trouble_ = 0;
}

/// Called when nothing was stored for a while, in trouble: no time was told either (now()), so this is the calm.
void LmdbStore::recover() {
    if (!trouble_.load()) return;
    if (!environment_) retry();
    std::string trouble;
    switch (try_room(trouble)) {
        case Written::done:
            last_trouble_ = {};
            ended();
            return;
        case Written::broken:
            begin_anew(trouble);
            return;
        case Written::full:
        case Written::disk:
            return;
    }
}

/// Whether as much can be written as a batch needs: something that takes so much room is stored, and removed.
Written LmdbStore::try_room(std::string& trouble) {
    if (!environment_) return Written::disk;
    const std::string key = note_key("room");
    const Header header{.epoch = Epoch::of_notes(), .stored = now(), .expires = now() + calm};
    const std::optional<Bytes> record = seal(key, header, Bytes(room_octets));
    if (!record) return Written::disk;
    for (const bool present : {true, false}) {
        WriteView view(environment_);
        if (present) {
            view.put(key, *record);
        } else {
            view.erase(key);
        }
        const Written written = view.commit();
        trouble = view.trouble();
        if (written != Written::done) return written;
    }
    return Written::done;
}

/// Readers go on with the file they have open until they see the new scene; its entries were checked one by one.
void LmdbStore::begin_anew(const std::string& why) {
    environment_.reset();
    if (++begun_anew_ <= most_beginnings) {
        make_file(why);
    } else {
        notice(settings_.title + ": its file was damaged too often and is not used any more until the next start");
        next_try_ = {std::numeric_limits<std::int64_t>::max()};
    }
    show_environment();
}

void LmdbStore::retry() {
    if (begun_anew_ > most_beginnings) return;
    if (!guard_) {
        enter_again();
        return;
    }
    if (environment_number_ == 0) {
        adopt();
        return;
    }
    make_file("it could not be begun before");
    if (environment_) show_environment();
}

/// The directory could not be used until now.
void LmdbStore::enter_again() {
    Notices told;
    auto entered = enter(settings_, now(), told);
    for (std::string& text : told) notice(std::move(text));
    if (!entered || !entered->guard) {
        next_try_ = now() + settings_.between_tries;
        return;
    }
    guard_ = std::move(entered->guard);
    found_ = std::move(entered->found);
    if (found_ && flushed_unseen_) {
        begin_anew("something that may be in it was to be forgotten before it could be opened");
        return;
    }
    look_over();
}

/// From now on readers go by the file there is, or by none.
void LmdbStore::show_environment() {
    publish({});
    // Let go of last, when the generation tells already: who finds it gone looks again (LmdbCache::begin).
    const std::shared_ptr<const MappedFile> found = std::move(found_);
    ++environment_number_;
    const std::lock_guard lock(mutex_);
    scene_.environment = environment_;
    scene_.found.reset();
    scene_.environment_number = environment_number_;
    generation_.fetch_add(1, std::memory_order_release);
}

/// Sets aside what is there and makes an empty file; where that fails, there is none for a while.
void LmdbStore::make_file(const std::string& why) {
    Notices told;
    Done good = guard_->set_aside(why, now(), told);
    if (good) good = guard_->mark_open();
    if (good) {
        auto opened = Environment::open(guard_->data_path(), settings_.most_octets);
        if (opened) {
            environment_ = std::move(*opened);
        } else {
            good = fail(opened.error());
        }
    }
    if (!good) {
        told.push_back(settings_.title + ": its file cannot be begun anew: " + good.error().text);
        next_try_ = now() + settings_.between_tries;
    }
    for (std::string& text : told) notice(std::move(text));
}

void LmdbStore::publish(const Usage& usage) {
    entries_.store(usage.entries);
    octets_.store(usage.octets);
}

}  // namespace mxtrust::cache
