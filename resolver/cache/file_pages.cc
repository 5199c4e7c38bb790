// See file_pages.h. Layout after LMDB 0.9's mdb.c: page header 16 octets (page number 8, pad 2, flags 2, lower 2, upper
// 2), then offsets of nodes; node header 8 octets (size or page number 4, flags or page number 2, key size 2), key,
// data. Host byte order.
#include "cache/file_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mxtrust::cache {
namespace {

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint32_t lmdb_version = 1;
constexpr std::size_t page_header = 16, node_header = 8;
constexpr std::size_t meta_octets = page_header + 136;
constexpr std::uint16_t branch_flag = 1, leaf_flag = 2, overflow_flag = 4, meta_flag = 8;
constexpr std::uint16_t dirty_marks = 0x10 | 0x4000 | 0x8000;  // in memory only; on disk they mean nothing
constexpr std::uint16_t big_data = 1;

template <class T>
T load(BytesView from, std::size_t offset) {
    T value;
    std::memcpy(&value, from.data() + offset, sizeof value);
    return value;
}

FileTree read_tree(BytesView at) {
    return {.root = load<std::uint64_t>(at, 40),
            .entries = load<std::uint64_t>(at, 32),
            .branches = load<std::uint64_t>(at, 8),
            .leaves = load<std::uint64_t>(at, 16),
            .overflows = load<std::uint64_t>(at, 24),
            .depth = load<std::uint16_t>(at, 6)};
}

Result<FileMeta> read_meta(BytesView page, std::uint64_t number) {
    const BytesView body = page.subspan(page_header);
    if (load<std::uint64_t>(page, 0) != number || (load<std::uint16_t>(page, 10) & meta_flag) == 0)
        return damaged_file("no meta page");
    if (load<std::uint32_t>(body, 0) != lmdb_magic) return damaged_file("not an LMDB file");
    if (load<std::uint32_t>(body, 4) != lmdb_version) return damaged_file("an LMDB format that is not known");
    FileMeta found;
    found.page_size = load<std::uint32_t>(body, 24);
    found.free = read_tree(body.subspan(24));
    found.main = read_tree(body.subspan(72));
    found.last_page = load<std::uint64_t>(body, 120);
    found.transaction = load<std::uint64_t>(body, 128);
    constexpr std::uint16_t fixed_address = 1,
                            integer_keys = 8;  // the environment's flags stand in those of the free tree
    if ((load<std::uint16_t>(body, 28) & (fixed_address | integer_keys)) != integer_keys)
        return damaged_file("impossible flags");
    if (load<std::uint16_t>(body, 76) != 0) return damaged_file("a collection with flags");
    return found;
}

bool is_power_of_two(std::uint32_t number) {
    return number != 0 && (number & (number - 1)) == 0;
}

}  // namespace

tl::unexpected<Failure> damaged_file(std::string text) {
    return fail(FailureKind::malformed, "KFIL"_code, std::move(text));
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT) return nullptr;
    if (descriptor < 0)
        return fail(FailureKind::system, "KCHK"_code, std::string("cannot be read: ") + std::strerror(errno));
    struct stat about{};
    const bool known = ::fstat(descriptor, &about) == 0;
    const auto size = static_cast<std::size_t>(about.st_size);
    void* map = known && size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0) : MAP_FAILED;
    const int error = errno;
    ::close(descriptor);
    if (known && size == 0) return nullptr;
    if (map == MAP_FAILED)
        return fail(FailureKind::system, "KMAP"_code, std::string("cannot be mapped: ") + std::strerror(error));
    return std::shared_ptr<const MappedFile>(new MappedFile(map, size));
}

MappedFile::~MappedFile() {
    ::munmap(map_, size_);
}

Result<FileMeta> newest_meta(BytesView file) {
    if (file.size() < meta_octets) return damaged_file("the file is cut short");
    const auto first = read_meta(file, 0);
    if (!first) return fail(first.error());
    const std::uint32_t size = first->page_size;
    // LMDB's page is the system's; a map made for another one would not fit.
    if (!is_power_of_two(size) || size != static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE)))
        return damaged_file("an impossible page size");
    if (file.size() < size + meta_octets) return damaged_file("the file is cut short");
    const auto second = read_meta(file.subspan(size), 1);
    if (!second) return fail(second.error());
    if (second->page_size != size) return damaged_file("meta pages that disagree");
    const FileMeta& newest = first->transaction < second->transaction ? *second : *first;
    // The file need not be as long as the last page says (free pages at its end were never written), but a number far
    // beyond it is none.
    if (newest.last_page < 1 || newest.last_page > file.size() / size * 64 + 1024)
        return damaged_file("an impossible last page");
    for (const FileTree& tree : {newest.main, newest.free}) {
        if (tree.root == no_page && tree.entries != 0) return damaged_file("a tree without root but with entries");
        if (tree.root != no_page && (tree.depth == 0 || tree.depth > most_levels))
            return damaged_file("a tree of impossible depth");
    }
    return newest;
}

Result<BytesView> FilePages::pages(const Run& run) const {
    const std::uint64_t size = meta_.page_size, there = file_.size() / size;
    if (run.first < 2 || run.count == 0 || run.first > meta_.last_page || run.count > meta_.last_page - run.first + 1 ||
        run.count > there || run.first > there - run.count) {
        return damaged_file("a page number beyond the file");
    }
    const BytesView found = file_.subspan(run.first * size, run.count * size);
    if (load<std::uint64_t>(found, 0) != run.first) return damaged_file("a page with the number of another one");
    return found;
}

Result<FilePages::Page> FilePages::page(std::uint64_t number, unsigned level) const {
    const auto octets = pages({number, 1});
    if (!octets) return fail(octets.error());
    const std::uint16_t flags = load<std::uint16_t>(*octets, 10) & static_cast<std::uint16_t>(~dirty_marks);
    if (flags != (level == 1 ? leaf_flag : branch_flag)) return damaged_file("a page of the wrong kind");
    const std::uint16_t lower = load<std::uint16_t>(*octets, 12), upper = load<std::uint16_t>(*octets, 14);
    if (lower < page_header || lower > upper || upper > octets->size() || lower % 2 != 0)
        return damaged_file("a page with impossible bounds");
    const std::size_t nodes = (lower - page_header) / 2U;
    if (nodes == 0 || (flags == branch_flag && nodes < 2)) return damaged_file("a page with too few nodes");
    return Page{.octets = *octets, .kind = level == 1 ? Kind::leaf : Kind::branch, .upper = upper, .nodes = nodes};
}

Result<FilePages::Node> FilePages::node(const Page& page, std::size_t index) const {
    const std::uint16_t offset = load<std::uint16_t>(page.octets, page_header + 2 * index);
    if (offset < page.upper || offset % 2 != 0 || offset + node_header > page.octets.size())
        return damaged_file("a node outside its page");
    const std::uint16_t key_size = load<std::uint16_t>(page.octets, offset + 6U);
    if (offset + node_header + key_size > page.octets.size()) return damaged_file("a key that leaves its page");
    const auto low = load<std::uint32_t>(page.octets, offset);
    const auto high = load<std::uint16_t>(page.octets, offset + 4U);
    return Node{.key = page.octets.subspan(offset + node_header, key_size),
                .rest = page.octets.subspan(offset + node_header + key_size),
                .child = low | std::uint64_t{high} << 32,
                .size = low,
                .flags = high};
}

Result<FilePages::Run> FilePages::run_of(const Node& node) const {
    if ((node.flags & ~big_data) != 0) return damaged_file("a node with unknown flags");
    if ((node.flags & big_data) == 0) return Run{};
    if (node.rest.size() < 8) return damaged_file("a record that leaves its page");
    return Run{load<std::uint64_t>(node.rest, 0),
               (page_header + std::uint64_t{node.size} + meta_.page_size - 1) / meta_.page_size};
}

Result<BytesView> FilePages::data_of(const Node& node, const Run& run) const {
    if (run.count == 0) {
        if (node.size > node.rest.size()) return damaged_file("a record that leaves its page");
        return node.rest.first(node.size);
    }
    const auto found = pages(run);
    if (!found) return fail(found.error());
    if ((load<std::uint16_t>(*found, 10) & overflow_flag) == 0 || load<std::uint32_t>(*found, 12) != run.count)
        return damaged_file("an overflow page of the wrong kind");
    return found->subspan(page_header, node.size);
}

}  // namespace mxtrust::cache
