// See file_check.h. Layout after LMDB 0.9's mdb.c: page header 16 octets (page number 8, pad 2, flags 2, lower 2, upper
// 2), then offsets of nodes; node header 8 octets (size or page number 4, flags or page number 2, key size 2), key,
// data. Host byte order.
#include "cache/file_check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "cache/keys.h"
#include "cache/record.h"

namespace mxtrust::cache {
namespace {

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint32_t lmdb_version = 1;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr std::size_t page_header = 16, node_header = 8;
constexpr std::uint16_t branch = 1, leaf = 2, overflow = 4, meta = 8;
constexpr std::uint16_t dirty_marks = 0x10 | 0x4000 | 0x8000;  // in memory only; on disk they mean nothing
constexpr std::uint16_t big_data = 1;
constexpr unsigned most_depth = 32;  // LMDB's cursor stack

template <class T>
T load(BytesView from, std::size_t offset) {
    T value;
    std::memcpy(&value, from.data() + offset, sizeof value);
    return value;
}

struct Tree {
    std::uint64_t root = no_page;
    std::uint64_t entries = 0;
    std::uint16_t depth = 0;
};

struct Meta {
    std::uint32_t page_size = 0;
    Tree free, main;
    std::uint64_t last_page = 0;
    std::uint64_t transaction = 0;
};

tl::unexpected<Failure> damaged(std::string text) {
    return fail(FailureKind::malformed, "KFIL"_code, std::move(text));
}

Tree read_tree(BytesView at) {
    return {.root = load<std::uint64_t>(at, 40),
            .entries = load<std::uint64_t>(at, 32),
            .depth = load<std::uint16_t>(at, 6)};
}

constexpr std::size_t meta_octets = page_header + 136;

Result<Meta> read_meta(BytesView page, std::uint64_t number) {
    const BytesView body = page.subspan(page_header);
    if (load<std::uint64_t>(page, 0) != number || (load<std::uint16_t>(page, 10) & meta) == 0)
        return damaged("no meta page");
    if (load<std::uint32_t>(body, 0) != lmdb_magic) return damaged("not an LMDB file");
    if (load<std::uint32_t>(body, 4) != lmdb_version) return damaged("an LMDB format that is not known");
    Meta found;
    found.page_size = load<std::uint32_t>(body, 24);
    found.free = read_tree(body.subspan(24));
    found.main = read_tree(body.subspan(72));
    found.last_page = load<std::uint64_t>(body, 120);
    found.transaction = load<std::uint64_t>(body, 128);
    constexpr std::uint16_t fixed_address = 1,
                            integer_keys = 8;  // the environment's flags stand in those of the free tree
    if ((load<std::uint16_t>(body, 28) & (fixed_address | integer_keys)) != integer_keys)
        return damaged("impossible flags");
    if (load<std::uint16_t>(body, 76) != 0) return damaged("a collection with flags");
    return found;
}

class Checker {
  public:
    Checker(BytesView file, const Meta& meta_page)
        : file_(file), size_(meta_page.page_size), meta_(meta_page), used_(meta_page.last_page + 1) {}

    Done run() {
        used_[0] = used_[1] = true;
        if (auto good = walk(meta_.main, Which::main); !good) return good;
        return walk(meta_.free, Which::free);
    }

  private:
    enum class Which : std::uint8_t { main, free };
    struct Node {
        BytesView key;
        BytesView rest;  ///< from the end of the key to the end of the page
        std::uint32_t number;
        std::uint16_t flags;
    };

    Result<BytesView> pages(std::uint64_t first, std::uint64_t count) {
        const std::uint64_t there = file_.size() / size_;
        if (first < 2 || count == 0 || first > meta_.last_page || count > meta_.last_page - first + 1 ||
            count > there || first > there - count) {
            return damaged("a page number beyond the file");
        }
        for (std::uint64_t page = first; page < first + count; ++page) {
            if (used_[page]) return damaged("a page that is used twice");
            used_[page] = true;
        }
        const BytesView found = file_.subspan(first * size_, count * size_);
        if (load<std::uint64_t>(found, 0) != first) return damaged("a page with the number of another one");
        return found;
    }

    Done walk(const Tree& tree, Which which) {
        entries_ = 0;
        previous_.reset();
        if (tree.root == no_page)
            return tree.entries == 0 ? Done() : Done(damaged("a tree without root but with entries"));
        if (tree.depth == 0 || tree.depth > most_depth) return damaged("a tree of impossible depth");
        auto good = walk_page(tree.root, tree.depth, which);
        if (good && entries_ != tree.entries) return damaged("a tree with another number of entries than it says");
        return good;
    }

    Done walk_page(std::uint64_t number, unsigned levels, Which which) {
        const auto page = pages(number, 1);
        if (!page) return fail(page.error());
        const std::uint16_t flags = load<std::uint16_t>(*page, 10) & static_cast<std::uint16_t>(~dirty_marks);
        if (flags != (levels == 1 ? leaf : branch)) return damaged("a page of the wrong kind");
        const std::uint16_t lower = load<std::uint16_t>(*page, 12), upper = load<std::uint16_t>(*page, 14);
        if (lower < page_header || lower > upper || upper > size_ || lower % 2 != 0)
            return damaged("a page with impossible bounds");
        const std::size_t nodes = (lower - page_header) / 2U;
        if (nodes == 0 || (flags == branch && nodes < 2)) return damaged("a page with too few nodes");
        for (std::size_t index = 0; index < nodes; ++index) {
            const auto node = read_node(*page, upper, load<std::uint16_t>(*page, page_header + 2 * index));
            if (!node) return fail(node.error());
            auto good = flags == branch ? walk_child(*node, index, levels, which) : check_leaf(*node, which);
            if (!good) return good;
        }
        return {};
    }

    Result<Node> read_node(BytesView page, std::uint16_t upper, std::uint16_t offset) {
        if (offset < upper || offset % 2 != 0 || offset + node_header > size_)
            return damaged("a node outside its page");
        const std::uint16_t key_size = load<std::uint16_t>(page, offset + 6U);
        if (offset + node_header + key_size > size_) return damaged("a key that leaves its page");
        return Node{.key = page.subspan(offset + node_header, key_size),
                    .rest = page.subspan(offset + node_header + key_size),
                    .number = load<std::uint32_t>(page, offset),
                    .flags = load<std::uint16_t>(page, offset + 4U)};
    }

    /// The first key of a branch is never looked at by LMDB; all others bound what is below them: not above its first
    /// key, and above all keys before.
    Done walk_child(const Node& node, std::size_t index, unsigned levels, Which which) {
        const std::uint64_t child = node.number | std::uint64_t{node.flags} << 32;
        if (index > 0) {
            if (node.key.empty() || node.key.size() > most_key_octets) return damaged("a branch without a key");
            if (previous_ && !is_before(*previous_, node.key, which)) return damaged("keys out of order");
            bound_ = node.key;
        }
        return walk_page(child, levels - 1, which);
    }

    Done check_leaf(const Node& node, Which which) {
        if (node.key.empty() || node.key.size() > most_key_octets) return damaged("a leaf without a key");
        if (which == Which::free && node.key.size() != 8) return damaged("a free list with an impossible key");
        if (previous_ && !is_before(*previous_, node.key, which)) return damaged("keys out of order");
        if (bound_ && is_before(node.key, *bound_, which)) return damaged("a key on the wrong page");
        bound_.reset();
        previous_ = node.key;
        ++entries_;
        if ((node.flags & ~big_data) != 0) return damaged("a node with unknown flags");
        const auto data = data_of(node);
        if (!data) return fail(data.error());
        if (which == Which::free) return check_free(*data);
        if (!is_whole(as_text(node.key), *data)) return damaged("a record that is not whole");
        return {};
    }

    Result<BytesView> data_of(const Node& node) {
        if ((node.flags & big_data) == 0) {
            if (node.number > node.rest.size()) return damaged("a record that leaves its page");
            return node.rest.first(node.number);
        }
        if (node.rest.size() < 8) return damaged("a record that leaves its page");
        const std::uint64_t count = (page_header + std::uint64_t{node.number} + size_ - 1) / size_;
        const auto found = pages(load<std::uint64_t>(node.rest, 0), count);
        if (!found) return fail(found.error());
        const bool right =
            (load<std::uint16_t>(*found, 10) & overflow) != 0 && load<std::uint32_t>(*found, 12) == count;
        if (!right) return damaged("an overflow page of the wrong kind");
        return found->subspan(page_header, node.number);
    }

    /// A list of free pages: their count, then their numbers, falling. Nothing of it may be in use; the main tree was
    /// walked before.
    Done check_free(BytesView list) {
        if (list.size() < 8 || list.size() % 8 != 0) return damaged("a free list of impossible size");
        const std::uint64_t count = load<std::uint64_t>(list, 0);
        if (count > list.size() / 8 - 1) return damaged("a free list that is too short");
        std::uint64_t last = no_page;
        for (std::uint64_t index = 1; index <= count; ++index) {
            const std::uint64_t page = load<std::uint64_t>(list, 8 * index);
            if (page < 2 || page > meta_.last_page || page >= last)
                return damaged("a free list with an impossible page");
            if (used_[page]) return damaged("a free page that is in use");
            used_[page] = true;
            last = page;
        }
        return {};
    }

    static bool is_before(BytesView left, BytesView right, Which which) {
        if (which == Which::free && left.size() == 8 && right.size() == 8) {
            return load<std::uint64_t>(left, 0) < load<std::uint64_t>(right, 0);
        }
        return as_text(left) < as_text(right);
    }

    BytesView file_;
    std::uint64_t size_;
    const Meta& meta_;
    std::vector<bool> used_;
    std::uint64_t entries_ = 0;
    std::optional<BytesView> previous_, bound_;
};

bool is_power_of_two(std::uint32_t number) {
    return number != 0 && (number & (number - 1)) == 0;
}

}  // namespace

Done check_file(BytesView file) {
    if (file.empty()) return {};
    if (file.size() < meta_octets) return damaged("the file is cut short");
    const auto first = read_meta(file, 0);
    if (!first) return fail(first.error());
    const std::uint32_t size = first->page_size;
    // LMDB's page is the system's; a map made for another one would not fit.
    if (!is_power_of_two(size) || size != static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE)))
        return damaged("an impossible page size");
    if (file.size() < size + meta_octets) return damaged("the file is cut short");
    const auto second = read_meta(file.subspan(size), 1);
    if (!second) return fail(second.error());
    if (second->page_size != size) return damaged("meta pages that disagree");
    const Meta& newest = first->transaction < second->transaction ? *second : *first;
    // The file need not be as long as the last page says (free pages at its end were never written), but a number far
    // beyond it is none.
    if (newest.last_page < 1 || newest.last_page > file.size() / size * 64 + 1024)
        return damaged("an impossible last page");
    return Checker(file, newest).run();
}

Done check_file_at(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return fail(FailureKind::system, "KCHK"_code, std::string("cannot be read: ") + std::strerror(errno));
    struct stat about{};
    const bool known = ::fstat(descriptor, &about) == 0;
    const auto size = static_cast<std::size_t>(about.st_size);
    void* map = known && size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    ::close(descriptor);
    if (known && size == 0) return {};
    if (map == MAP_FAILED)
        return fail(FailureKind::system, "KMAP"_code, std::string("cannot be mapped: ") + std::strerror(errno));
    ::madvise(map, size, MADV_WILLNEED);
    auto result = check_file({static_cast<const std::uint8_t*>(map), size});
    ::munmap(map, size);
    return result;
}

}  // namespace mxtrust::cache
