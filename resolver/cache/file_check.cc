// See file_check.h.
#include "cache/file_check.h"

#include <cstring>
#include <optional>
#include <vector>

#include "cache/file_pages.h"
#include "cache/keys.h"
#include "cache/record.h"
#include "cache/totals.h"

namespace mxtrust::cache {
namespace {

std::uint64_t number_at(BytesView from, std::size_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, from.data() + offset, sizeof value);
    return value;
}

class Checker {
  public:
    Checker(BytesView file, const FileMeta& meta, const std::atomic<bool>* give_up)
        : pages_(file, meta), give_up_(give_up), used_(meta.last_page + 1) {}

    Done run() {
        used_[0] = used_[1] = true;
        if (auto good = walk(pages_.meta().main, Which::main); !good) return good;
        if (!totals_.fits(stored_totals_)) return damaged_file("records of different moments");
        return walk(pages_.meta().free, Which::free);
    }

  private:
    enum class Which : std::uint8_t { main, free };

    /// Every page has one use. Before anything of it is looked at: a tree that leads back into itself ends here.
    Done claim(const FilePages::Run& run) {
        for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
            if (page >= used_.size()) return damaged_file("a page number beyond the last one");
            if (used_[page]) return damaged_file("a page that is used twice");
            used_[page] = true;
        }
        return {};
    }

    Done walk(const FileTree& tree, Which which) {
        found_ = {};
        previous_.reset();
        if (tree.root != no_page) {
            auto good = walk_page(tree.root, tree.depth, which);
            if (!good) return good;
        }
        if (found_.entries != tree.entries) return damaged_file("a tree with another number of entries than it says");
        if (found_.branches != tree.branches || found_.leaves != tree.leaves || found_.overflows != tree.overflows)
            return damaged_file("a tree with another number of pages than it says");
        return {};
    }

    Done walk_page(std::uint64_t number, unsigned level, Which which) {
        if (give_up_ != nullptr && give_up_->load(std::memory_order_relaxed))
            return fail(FailureKind::cancelled, "KGIV"_code, "nobody waits for the check any more");
        const auto page = pages_.page(number, level);
        if (!page) return fail(page.error());
        if (auto good = claim({number, 1}); !good) return good;
        ++(page->kind == FilePages::Kind::branch ? found_.branches : found_.leaves);
        for (std::size_t index = 0; index < page->nodes; ++index) {
            const auto node = pages_.node(*page, index);
            if (!node) return fail(node.error());
            auto good = page->kind == FilePages::Kind::branch ? walk_child(*node, index, level, which)
                                                              : check_leaf(*node, which);
            if (!good) return good;
        }
        return {};
    }

    /// The first key of a branch is never looked at by LMDB; all others bound what is below them: not above its first
    /// key, and above all keys before.
    Done walk_child(const FilePages::Node& node, std::size_t index, unsigned level, Which which) {
        if (index > 0) {
            if (node.key.empty() || node.key.size() > most_key_octets) return damaged_file("a branch without a key");
            if (previous_ && !is_before(*previous_, node.key, which)) return damaged_file("keys out of order");
            bound_ = node.key;
        }
        return walk_page(node.child, level - 1, which);
    }

    Done check_leaf(const FilePages::Node& node, Which which) {
        if (node.key.empty() || node.key.size() > most_key_octets) return damaged_file("a leaf without a key");
        if (which == Which::free && node.key.size() != 8) return damaged_file("a free list with an impossible key");
        if (previous_ && !is_before(*previous_, node.key, which)) return damaged_file("keys out of order");
        if (bound_ && is_before(node.key, *bound_, which)) return damaged_file("a key on the wrong page");
        bound_.reset();
        previous_ = node.key;
        ++found_.entries;
        const auto run = pages_.run_of(node);
        if (!run) return fail(run.error());
        const auto data = pages_.data_of(node, *run);
        if (!data) return fail(data.error());
        if (auto good = claim(*run); !good) return good;
        found_.overflows += run->count;
        return which == Which::free ? check_free(*data) : check_record(as_text(node.key), *data);
    }

    Done check_record(std::string_view key, BytesView record) {
        if (key == totals_key) {
            stored_totals_ = Totals::read(record);
            return stored_totals_ ? Done() : Done(damaged_file("totals that are not whole"));
        }
        if (!is_whole(key, record)) return damaged_file("a record that is not whole");
        totals_.add(record);
        return {};
    }

    /// A list of free pages: their count, then their numbers, falling. Nothing of it may be in use; the main tree was
    /// walked before.
    Done check_free(BytesView list) {
        if (list.size() < 8 || list.size() % 8 != 0) return damaged_file("a free list of impossible size");
        const std::uint64_t count = number_at(list, 0);
        if (count > list.size() / 8 - 1) return damaged_file("a free list that is too short");
        std::uint64_t last = no_page;
        for (std::uint64_t index = 1; index <= count; ++index) {
            const std::uint64_t page = number_at(list, 8 * index);
            if (page < 2 || page > pages_.meta().last_page || page >= last)
                return damaged_file("a free list with an impossible page");
            if (used_[page]) return damaged_file("a free page that is in use");
            used_[page] = true;
            last = page;
        }
        return {};
    }

    static bool is_before(BytesView left, BytesView right, Which which) {
        if (which == Which::free && left.size() == 8 && right.size() == 8)
            return number_at(left, 0) < number_at(right, 0);
        return as_text(left) < as_text(right);
    }

    FilePages pages_;
    const std::atomic<bool>* give_up_;
    std::vector<bool> used_;
    FileTree found_;  ///< of the tree that is walked: what is counted
    std::optional<BytesView> previous_, bound_;
    Totals totals_;
    std::optional<Totals> stored_totals_;
};

}  // namespace

Done check_file(BytesView file, const std::atomic<bool>* give_up) {
    if (file.empty()) return {};
    const auto meta = newest_meta(file);
    if (!meta) return fail(meta.error());
    return Checker(file, *meta, give_up).run();
}

Done check_file_at(const std::string& path) {
    const auto file = MappedFile::open(path);
    if (!file) return fail(file.error());
    return *file ? check_file((*file)->octets()) : Done();
}

}  // namespace mxtrust::cache
