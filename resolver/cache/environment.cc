// See environment.h.
#include "cache/environment.h"

#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mxtrust::cache {
namespace {

/// Readers are workers, a handful, and whoever counts; the table is small either way.
constexpr unsigned most_readers = 254;

MDB_val value_of(std::string_view text) {
    // LMDB does not write through the pointers it is given for keys and for values to store.
    return {text.size(), const_cast<char*>(text.data())};
}

std::string_view text_of(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

Entry entry_of(const MDB_val& key, const MDB_val& record) {
    return {text_of(key), as_bytes(text_of(record))};
}

Written kind_of_error(int code) {
    switch (code) {
        case MDB_SUCCESS:
            return Written::done;
        case MDB_MAP_FULL:
        case MDB_TXN_FULL:
            return Written::full;
        case MDB_PAGE_NOTFOUND:
        case MDB_CORRUPTED:
        case MDB_PANIC:
        case MDB_VERSION_MISMATCH:
        case MDB_INVALID:
        case MDB_CURSOR_FULL:
        case MDB_PAGE_FULL:
        case MDB_INCOMPATIBLE:
        case MDB_BAD_TXN:
        case MDB_BAD_DBI:
            return Written::broken;
        default:
            return Written::disk;  // an errno
    }
}

/// The entry with the greatest key ≤ `key`, which begins with `prefix`.
std::optional<Entry> seek_before(MDB_cursor* cursor, std::string_view prefix, std::string_view key, int& code) {
    MDB_val at = value_of(key);
    MDB_val record{};
    code = mdb_cursor_get(cursor, &at, &record, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) {
        code = mdb_cursor_get(cursor, &at, &record, MDB_LAST);
    } else if (code == MDB_SUCCESS && text_of(at) != key) {
        code = mdb_cursor_get(cursor, &at, &record, MDB_PREV);
    }
    if (code != MDB_SUCCESS || !text_of(at).starts_with(prefix)) return std::nullopt;
    return entry_of(at, record);
}

int scan_with(MDB_cursor* cursor, const Range& range, const Visit& visit) {
    MDB_val at = value_of(range.from);
    MDB_val record{};
    // No key is empty, and LMDB does not look for one.
    int code = mdb_cursor_get(cursor, &at, &record, range.from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == MDB_SUCCESS && text_of(at) < range.to) {
        if (visit(entry_of(at, record)) == Walk::stop) return MDB_SUCCESS;
        code = mdb_cursor_get(cursor, &at, &record, MDB_NEXT);
    }
    return code;
}

/// The unnamed collection needs no entry of its own, but a handle, which a first transaction gives.
int open_collection(MDB_env* env, unsigned& collection) {
    MDB_txn* transaction = nullptr;
    int code = mdb_txn_begin(env, nullptr, 0, &transaction);
    if (code != MDB_SUCCESS) return code;
    code = mdb_dbi_open(transaction, nullptr, 0, &collection);
    if (code == MDB_SUCCESS) return mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return code;
}

}  // namespace

Result<std::shared_ptr<Environment>> Environment::open(const std::string& path, std::uint64_t map_octets) {
    MDB_env* env = nullptr;
    int code = mdb_env_create(&env);
    if (code != MDB_SUCCESS) return fail(FailureKind::system, "KENV"_code, std::string("LMDB: ") + mdb_strerror(code));
    EnvironmentRef environment(new Environment(env));
    // Without sync: see environment.h. Without thread-local storage: a reader's slot belongs to its view, not to its
    // thread.
    constexpr unsigned flags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOMETASYNC | MDB_NOTLS | MDB_NORDAHEAD;
    if (code == MDB_SUCCESS) code = mdb_env_set_mapsize(env, map_octets);
    if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env, most_readers);
    if (code == MDB_SUCCESS) code = mdb_env_open(env, path.c_str(), flags, 0600);
    if (code == MDB_SUCCESS) code = open_collection(env, environment->collection_);
    if (code != MDB_SUCCESS) {
        // Memory or room that is lacking is no fault of the file's.
        const FailureKind kind = kind_of_error(code) == Written::broken ? FailureKind::malformed : FailureKind::system;
        return fail(kind, "KOPN"_code, std::string("LMDB: ") + mdb_strerror(code));
    }
    return environment;
}

Environment::~Environment() {
    mdb_env_close(env_);
}

Written Environment::sync() {
    return kind_of_error(mdb_env_sync(env_, 1));
}

// --- Reading.

ReadView::ReadView(EnvironmentRef environment) : environment_(std::move(environment)) {}

ReadView::~ReadView() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
}

bool ReadView::holds(int code) {
    if (code == MDB_SUCCESS) return true;
    if (code != MDB_NOTFOUND && kind_of_error(code) == Written::broken) broken_ = true;
    return false;
}

void ReadView::begin() {
    active_ = false;
    if (transaction_ == nullptr) {
        if (!holds(mdb_txn_begin(environment_->handle(), nullptr, MDB_RDONLY, &transaction_))) {
            transaction_ = nullptr;
            return;
        }
        active_ = holds(mdb_cursor_open(transaction_, environment_->collection(), &cursor_));
        return;
    }
    if (!holds(mdb_txn_renew(transaction_))) return;
    active_ = cursor_ == nullptr ? holds(mdb_cursor_open(transaction_, environment_->collection(), &cursor_))
                                 : holds(mdb_cursor_renew(transaction_, cursor_));
}

void ReadView::end() {
    if (transaction_ != nullptr) mdb_txn_reset(transaction_);
    active_ = false;
}

std::optional<BytesView> ReadView::get(std::string_view key) {
    if (!active_) return std::nullopt;
    MDB_val at = value_of(key);
    MDB_val record{};
    if (!holds(mdb_get(transaction_, environment_->collection(), &at, &record))) return std::nullopt;
    return as_bytes(text_of(record));
}

std::optional<Entry> ReadView::at_or_before(std::string_view prefix, std::string_view key) {
    if (!active_) return std::nullopt;
    int code = MDB_SUCCESS;
    const auto entry = seek_before(cursor_, prefix, key, code);
    return holds(code) ? entry : std::nullopt;
}

void ReadView::scan(const Range& range, const Visit& visit) {
    if (active_) static_cast<void>(holds(scan_with(cursor_, range, visit)));
}

// --- Writing.

WriteView::WriteView(EnvironmentRef environment) : environment_(std::move(environment)) {
    if (!holds(mdb_txn_begin(environment_->handle(), nullptr, 0, &transaction_))) return;
    const auto stored = get_raw(totals_key);
    if (!stored) return;
    const auto totals = Totals::read(*stored);
    if (totals) {
        totals_ = *totals;
    } else {
        state_ = Written::broken;
        trouble_ = "its totals are not whole";
    }
}

WriteView::~WriteView() {
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
}

/// NOTFOUND is an answer, not trouble.
bool WriteView::holds(int code) {
    if (code == MDB_SUCCESS) return true;
    if (code != MDB_NOTFOUND && state_ == Written::done) {
        state_ = kind_of_error(code);
        trouble_ = mdb_strerror(code);
    }
    return false;
}

std::optional<BytesView> WriteView::get(std::string_view key) {
    return get_raw(key);
}

std::optional<BytesView> WriteView::get_raw(std::string_view key) {
    if (state_ != Written::done) return std::nullopt;
    MDB_val at = value_of(key);
    MDB_val record{};
    if (!holds(mdb_get(transaction_, environment_->collection(), &at, &record))) return std::nullopt;
    return as_bytes(text_of(record));
}

std::optional<Entry> WriteView::at_or_before(std::string_view prefix, std::string_view key) {
    MDB_cursor* cursor = nullptr;
    if (state_ != Written::done) return std::nullopt;
    if (!holds(mdb_cursor_open(transaction_, environment_->collection(), &cursor))) return std::nullopt;
    int code = MDB_SUCCESS;
    const auto entry = seek_before(cursor, prefix, key, code);
    mdb_cursor_close(cursor);
    return holds(code) ? entry : std::nullopt;
}

void WriteView::scan(const Range& range, const Visit& visit) {
    MDB_cursor* cursor = nullptr;
    if (state_ != Written::done) return;
    if (!holds(mdb_cursor_open(transaction_, environment_->collection(), &cursor))) return;
    const int code = scan_with(cursor, range, visit);
    mdb_cursor_close(cursor);
    static_cast<void>(holds(code));
}

void WriteView::put(std::string_view key, BytesView record) {
    if (const auto present = get_raw(key)) {
        totals_.subtract(*present);
    } else {
        ++added_;
    }
    totals_.add(record);
    changed_ = true;
    put_raw(key, record);
}

void WriteView::put_raw(std::string_view key, BytesView record) {
    if (state_ != Written::done) return;
    MDB_val at = value_of(key);
    MDB_val value = value_of(as_text(record));
    static_cast<void>(holds(mdb_put(transaction_, environment_->collection(), &at, &value, 0)));
}

bool WriteView::erase(std::string_view key) {
    const auto present = get_raw(key);
    if (!present) return false;
    totals_.subtract(*present);
    changed_ = true;
    MDB_val at = value_of(key);
    return holds(mdb_del(transaction_, environment_->collection(), &at, nullptr));
}

namespace {

constexpr std::uintptr_t page_header = 16;

/// What an entry takes of its page.
std::size_t room_of(const Entry& entry) {
    constexpr std::size_t node = 8 + 2;  // its header, and its place
    return node + (entry.key.size() + entry.record.size() + 1) / 2 * 2;
}

/// The entries of some whole pages. While a transaction has changed nothing, an entry lies where it lies in the file.
class Window {
  public:
    Window(std::size_t most, std::size_t page_octets) : most_(most), page_octets_(page_octets) {}

    Walk take(const Entry& entry) {
        const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(entry.key.data()) / page_octets_;
        if (page != page_) {
            if (entries.size() >= most_) {
                next = entry.key;
                return Walk::stop;
            }
            page_ = page;
            room_ += page_octets_ - page_header;
        }
        if (entry.record.size() > most_packed) return Walk::on;
        used_ += room_of(entry);
        entries.push_back(entry);
        return Walk::on;
    }
    [[nodiscard]] bool is_dense() const { return used_ * 100 >= room_ * dense_percent; }

    std::vector<Entry> entries;
    std::string next;

  private:
    static constexpr std::size_t most_packed = 1500;  // a larger record has a page of its own, or nearly so
    static constexpr std::size_t dense_percent = 80;  // beyond, it is not worth the work
    std::size_t most_, page_octets_, used_ = 0, room_ = 0;
    std::uintptr_t page_ = 0;
};

}  // namespace

/// LMDB splits a page in two halves, unless what comes is the last on it: then only that goes to the new page. So the
/// entries of whole pages are taken out, and come back in their order.
WriteView::Packed WriteView::pack(const std::string& from, std::size_t most) {
    MDB_stat stat{};
    if (state_ != Written::done || !holds(mdb_stat(transaction_, environment_->collection(), &stat))) return {};
    Window window(most, stat.ms_psize);
    scan({std::max(from, std::string(totals_key) + '\0'), std::string(most_key_octets + 1, '\xFF')},
         [&window](const Entry& entry) { return window.take(entry); });
    if (state_ != Written::done || window.is_dense()) return {std::move(window.next), 0};
    std::vector<std::pair<std::string, Bytes>> copies;
    copies.reserve(window.entries.size());
    for (const Entry& entry : window.entries)
        copies.emplace_back(entry.key, Bytes(entry.record.begin(), entry.record.end()));
    for (const auto& [key, record] : copies) {
        MDB_val at = value_of(key);
        if (!holds(mdb_del(transaction_, environment_->collection(), &at, nullptr))) return {};
    }
    for (const auto& [key, record] : copies) put_raw(key, record);
    return {std::move(window.next), copies.size()};
}

Usage WriteView::usage() {
    MDB_stat stat{};
    if (state_ != Written::done || !holds(mdb_stat(transaction_, environment_->collection(), &stat))) return {};
    const std::uint64_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return {.entries = totals_.count(), .octets = pages * stat.ms_psize};
}

Written WriteView::commit() {
    if (changed_) put_raw(totals_key, totals_.write());
    if (state_ != Written::done) return state_;
    MDB_txn* transaction = std::exchange(transaction_, nullptr);
    static_cast<void>(holds(mdb_txn_commit(transaction)));  // frees it, however it ends
    return state_;
}

}  // namespace mxtrust::cache
