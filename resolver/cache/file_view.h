// Reads records from a data file that nobody has looked over yet, while that is done in the background: so that the
// first answer after a start need not wait for it. LMDB has not opened the file, nobody writes to it, and nothing in it
// is believed: pages are taken apart within bounds (file_pages.h), a walk has an end whatever pages say of one another,
// and a record counts only where its own checksum holds (record.h). What cannot be read is absent.
#pragma once

#include <deque>

#include "cache/file_pages.h"
#include "cache/records.h"

namespace mxtrust::cache {

/// For one thread. Does not keep the file: when its owner lets go of it, everything is absent.
class FileView final : public Snapshot {
  public:
    explicit FileView(std::weak_ptr<const MappedFile> file) : file_(std::move(file)) {}

    void begin() override;
    void end() override;
    [[nodiscard]] bool is_broken() const override { return broken_; }

    std::optional<BytesView> get(std::string_view key) override;
    std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) override;
    void scan(const Range& range, const Visit& visit) override;

  private:
    template <class T>
    const T* holds(const Result<T>& result);
    std::optional<FilePages::Page> open_page(std::uint64_t number, unsigned level);
    std::size_t first_not_below(const FilePages::Page& page, std::string_view key);
    std::optional<Entry> entry_of(const FilePages::Node& node);
    std::optional<Entry> last_up_to(std::uint64_t number, unsigned level, std::string_view key);
    Walk walk(std::uint64_t number, unsigned level, const Range& range, const Visit& visit);

    std::weak_ptr<const MappedFile> file_;
    std::shared_ptr<const MappedFile> held_;  ///< from begin to end
    std::optional<FilePages> pages_;
    std::uint64_t pages_left_ = 0;  ///< that a call may still look at
    std::deque<Bytes> copies_;      ///< of what was given out: the file may be written to when the check has ended
    bool broken_ = false;
};

}  // namespace mxtrust::cache
