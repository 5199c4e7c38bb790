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

    /// What is returned stays valid until the next call on this object.
    virtual std::optional<BytesView> get(std::string_view key) = 0;
    /// The entry with the greatest key that is not above `key` and begins with `prefix`.
    virtual std::optional<Entry> at_or_before(std::string_view prefix, std::string_view key) = 0;
    /// In the order of keys. The visitor must not call this object.
    virtual void scan(const Range& range, const Visit& visit) = 0;
};

}  // namespace mxtrust::cache
