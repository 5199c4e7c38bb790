// What tells one look-up from another: its name and type. Hashed with a key of this process, so that nobody can choose
// names that meet.
#pragma once

#include "base/random.h"
#include "dns/name.h"
#include "dns/types.h"

namespace mxtrust::resolve {

struct LookupKey {
    dns::Name name;
    dns::Type type{};
    friend bool operator==(const LookupKey&, const LookupKey&) = default;
};
class LookupKeyHash {
  public:
    explicit LookupKeyHash(Random& random) : names_(HashKey::draw(random)) {}
    std::size_t operator()(const LookupKey& key) const {
        return names_(key.name) ^ (static_cast<std::size_t>(key.type) * 8191U);
    }

  private:
    dns::NameHash names_;
};

}  // namespace mxtrust::resolve
