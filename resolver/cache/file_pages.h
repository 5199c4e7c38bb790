// An LMDB data file taken apart without LMDB, page by page and within bounds. LMDB trusts what it maps: a flipped bit
// in a page number or an offset makes it read outside the map, or write over live pages. Nothing here does, whatever
// the octets are, also where they change meanwhile: every number is loaded once, checked, and then used.
//
// Knows format version 1 of LMDB (all of 0.9) with 64-bit page numbers, one collection, no duplicates; anything else is
// an error. file_check.h walks all of a file with it, file_view.h looks things up.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace mxtrust::cache {

/// A file in memory, read only, as long as it was when it was opened. Requires: nobody makes it shorter.
class MappedFile {
  public:
    /// Null where there is nothing in it, or no file.
    static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    [[nodiscard]] BytesView octets() const { return {static_cast<const std::uint8_t*>(map_), size_}; }

  private:
    MappedFile(void* map, std::size_t size) : map_(map), size_(size) {}
    void* map_;
    std::size_t size_;
};

inline constexpr std::uint64_t no_page = ~std::uint64_t{0};

struct FileTree {
    std::uint64_t root = no_page;
    std::uint64_t entries = 0;
    std::uint64_t branches = 0, leaves = 0, overflows = 0;  ///< pages: eviction goes by how many there are
    unsigned depth = 0;
};

struct FileMeta {
    std::uint32_t page_size = 0;
    FileTree free, main;
    std::uint64_t last_page = 0;
    std::uint64_t transaction = 0;
};

/// What the newest committed transaction says of the file. Requires: it is not empty.
[[nodiscard]] Result<FileMeta> newest_meta(BytesView file);

/// "the cache file is damaged: …"; of all places that take a file apart.
[[nodiscard]] tl::unexpected<Failure> damaged_file(std::string text);

class FilePages {
  public:
    enum class Kind : std::uint8_t { branch, leaf };
    struct Page {
        BytesView octets;
        Kind kind{};
        std::uint16_t upper = 0;  ///< nodes begin no earlier
        std::size_t nodes = 0;
    };
    struct Node {
        BytesView key;
        BytesView rest;  ///< from the end of the key to the end of the page
        std::uint64_t child = 0;
        std::uint32_t size = 0;
        std::uint16_t flags = 0;
    };
    /// Pages of a record that does not fit into a node.
    struct Run {
        std::uint64_t first = 0, count = 0;
    };

    FilePages(BytesView file, const FileMeta& meta) : file_(file), meta_(meta) {}
    [[nodiscard]] const FileMeta& meta() const { return meta_; }

    /// At this many levels above the leaves, 1 for a leaf itself.
    [[nodiscard]] Result<Page> page(std::uint64_t number, unsigned level) const;
    /// Requires: index < page.nodes.
    [[nodiscard]] Result<Node> node(const Page& page, std::size_t index) const;
    /// Whether the data of a leaf's node is elsewhere, and where; a count of 0: it is not.
    [[nodiscard]] Result<Run> run_of(const Node& node) const;
    [[nodiscard]] Result<BytesView> data_of(const Node& node, const Run& run) const;

  private:
    [[nodiscard]] Result<BytesView> pages(const Run& run) const;
    BytesView file_;
    FileMeta meta_;
};

inline constexpr unsigned most_levels = 32;  ///< LMDB's cursor stack

}  // namespace mxtrust::cache
