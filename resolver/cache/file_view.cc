// See file_view.h.
#include "cache/file_view.h"

namespace mxtrust::cache {

template <class T>
const T* FileView::holds(const Result<T>& result) {
    if (result) return &*result;
    broken_ = true;
    return nullptr;
}

void FileView::begin() {
    copies_.clear();
    pages_.reset();
    held_ = file_.lock();
    if (!held_) return;
    const auto meta = newest_meta(held_->octets());
    if (const FileMeta* good = holds(meta)) pages_.emplace(held_->octets(), *good);
}

void FileView::end() {
    copies_.clear();
    pages_.reset();
    held_.reset();
}

/// Pages may say of one another what they like: no call looks at more of them than there are.
std::optional<FilePages::Page> FileView::open_page(std::uint64_t number, unsigned level) {
    if (pages_left_ == 0) {
        broken_ = true;
        return std::nullopt;
    }
    --pages_left_;
    const auto page = pages_->page(number, level);
    const auto* good = holds(page);
    return good != nullptr ? std::optional(*good) : std::nullopt;
}

/// The index of the first node whose key is not below `key`; of a branch's first node the key is not looked at and is
/// below everything.
std::size_t FileView::first_not_below(const FilePages::Page& page, std::string_view key) {
    std::size_t low = page.kind == FilePages::Kind::branch ? 1 : 0, high = page.nodes;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        const auto node = pages_->node(page, middle);
        const auto* good = holds(node);
        if (good == nullptr) return page.nodes;
        if (as_text(good->key) < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

std::optional<Entry> FileView::entry_of(const FilePages::Node& node) {
    const auto run = pages_->run_of(node);
    const auto* where = holds(run);
    if (where == nullptr) return std::nullopt;
    const auto data = pages_->data_of(node, *where);
    const auto* octets = holds(data);
    if (octets == nullptr) return std::nullopt;
    const Bytes& key = copies_.emplace_back(node.key.begin(), node.key.end());
    const Bytes& record = copies_.emplace_back(octets->begin(), octets->end());
    return Entry{as_text(key), record};
}

std::optional<BytesView> FileView::get(std::string_view key) {
    const auto entry = at_or_before(key, key);
    if (!entry || entry->key != key) return std::nullopt;
    return entry->record;
}

std::optional<Entry> FileView::at_or_before(std::string_view prefix, std::string_view key) {
    if (!pages_ || pages_->meta().main.root == no_page) return std::nullopt;
    const FileTree& tree = pages_->meta().main;
    pages_left_ = 4 * most_levels;
    auto entry = last_up_to(tree.root, tree.depth, key);
    if (entry && entry->key.starts_with(prefix)) return entry;
    return std::nullopt;
}

/// The entry with the greatest key ≤ `key` in this part of the tree.
std::optional<Entry> FileView::last_up_to(std::uint64_t number, unsigned level, std::string_view key) {
    const auto page = open_page(number, level);
    if (!page) return std::nullopt;
    std::size_t behind = first_not_below(*page, key);
    if (behind < page->nodes) {
        const auto node = pages_->node(*page, behind);
        const auto* good = holds(node);
        if (good != nullptr && as_text(good->key) == key) ++behind;
    }
    // In a branch all keys of the child may be above; then it is the last one of the child before.
    for (std::size_t index = behind; index-- > 0;) {
        const auto node = pages_->node(*page, index);
        const auto* good = holds(node);
        if (good == nullptr) return std::nullopt;
        if (page->kind == FilePages::Kind::leaf) return entry_of(*good);
        if (auto entry = last_up_to(good->child, level - 1, key)) return entry;
        if (broken_) return std::nullopt;
    }
    return std::nullopt;
}

void FileView::scan(const Range& range, const Visit& visit) {
    if (!pages_ || pages_->meta().main.root == no_page) return;
    const FileTree& tree = pages_->meta().main;
    pages_left_ = pages_->meta().last_page + 1;
    static_cast<void>(walk(tree.root, tree.depth, range, visit));
}

Walk FileView::walk(std::uint64_t number, unsigned level, const Range& range, const Visit& visit) {
    const auto page = open_page(number, level);
    if (!page) return Walk::stop;
    std::size_t index = first_not_below(*page, range.from);
    if (page->kind == FilePages::Kind::branch && index > 0) --index;  // the child before may reach into the range
    const std::size_t first = index;
    for (; index < page->nodes; ++index) {
        const auto node = pages_->node(*page, index);
        const auto* good = holds(node);
        if (good == nullptr) return Walk::stop;
        if (page->kind == FilePages::Kind::branch) {
            if (index > first && as_text(good->key) >= range.to) return Walk::stop;
            if (walk(good->child, level - 1, range, visit) == Walk::stop) return Walk::stop;
            continue;
        }
        if (as_text(good->key) >= range.to) return Walk::stop;
        const auto entry = entry_of(*good);
        if (!entry || (range.has(entry->key) && visit(*entry) == Walk::stop)) return Walk::stop;
    }
    return Walk::on;
}

}  // namespace mxtrust::cache
