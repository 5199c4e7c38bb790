// Looks over an LMDB data file before LMDB does (file_pages.h says why). This walks the newest tree of the file, page
// by page, and says whether every offset, size and page number is within bounds, every page is used once, keys are in
// order, free pages are free, every record is whole, and all of them together are those of one moment (totals.h): a
// page of an older transaction among newer ones is whole in itself and yet damage.
#pragma once

#include <atomic>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace mxtrust::cache {

/// `file`: the whole data file. An error says what is wrong; `cancelled`, that `give_up` was set meanwhile. An empty
/// file is good: LMDB makes a new one of it.
[[nodiscard]] Done check_file(BytesView file, const std::atomic<bool>* give_up = nullptr);
/// The same for a file on disk. Requires: nobody writes to it.
[[nodiscard]] Done check_file_at(const std::string& path);

}  // namespace mxtrust::cache
