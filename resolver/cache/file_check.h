// Looks over an LMDB data file before LMDB does. LMDB trusts what it maps: a flipped bit in a page number or an offset
// makes it read outside the map, or write over live pages. This walks the newest tree of the file, page by page, and
// says whether every offset, size and page number is within bounds, every page is used once, keys are in order, free
// pages are free, and every record is whole.
//
// Knows format version 1 of LMDB (all of 0.9) with 64-bit page numbers, one collection, no duplicates. Anything else is
// not whole.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace mxtrust::cache {

/// `file`: the whole data file. An error says what is wrong. An empty file is good: LMDB makes a new one of it.
[[nodiscard]] Done check_file(BytesView file);
/// The same for a file on disk. Requires: nobody writes to it.
[[nodiscard]] Done check_file_at(const std::string& path);

}  // namespace mxtrust::cache
