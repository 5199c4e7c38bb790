// An ordered collection of records, as both the rules and the cache in front of it see one: in memory, in LMDB, or
// both.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "cache/keys.h"

namespace mxtrust::cache {

/// Octets of a record, shared between those who wait for it to be written.
using RecordRef = std::shared_ptr<const Bytes>;

struct Entry {
    std::string_view key;
    BytesView record;
};

enum class Walk : std::uint8_t { on, stop };
using Visit = std::function<Walk(const Entry&)>;

class Records {
  public:
    Records() = default;
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;
    virtual ~Records() = default;

    /// What is returned stays valid until the records change, of a snapshot until its end.
    virtual std::optional<BytesView> get(std::string_view key) = 0;
    /// The entry with the greatest key that is not above `key` and begins with `prefix`.
    virtual std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) = 0;
    /// In the order of keys. The visitor must not call this object.
    virtual void scan(const Range& range, const Visit& visit) = 0;
};

/// Records as they are at one moment, from begin() to end().
class Snapshot : public Records {
  public:
    /// Where no snapshot can be had, everything is absent until the next begin.
    virtual void begin() = 0;
    virtual void end() = 0;
    /// Something is wrong with the file, as far as this reader saw.
    [[nodiscard]] virtual bool is_broken() const = 0;
};

}  // namespace mxtrust::cache
