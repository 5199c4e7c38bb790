// Answers that may be told a while after their end, where nothing better can be had (RFC 8767): in memory, bounded, and
// only where the operator wants it. What is told from here was proven once; whether it may still be said is decided
// when it is taken down: never beyond a signature's expiration. The chain says whether a zone is still known to be
// unsigned.
#pragma once

#include <deque>
#include <unordered_map>

#include "base/random.h"
#include "dnssec/finding.h"

namespace mxtrust::resolve {

class Shelf {
  public:
    static constexpr std::size_t most = 20'000;

    /// For so long after an answer's end; 0: nothing is kept.
    Shelf(std::chrono::seconds most_stale, Random& random) : most_stale_(most_stale), findings_(0, Hash(random)) {}
    [[nodiscard]] bool is_used() const { return most_stale_.count() > 0; }

    /// Kept where it is proven and no failure.
    void put(const dnssec::FindingRef& finding);
    /// Null where there is none, it has not ended yet, it ended too long ago, or one of its signatures has expired.
    [[nodiscard]] dnssec::FindingRef take(const dns::Name& name, dns::Type type, WallTime now) const;
    void flush(const dns::Name& name, bool subtree);

  private:
    struct Key {
        dns::Name name;
        dns::Type type{};
        friend bool operator==(const Key&, const Key&) = default;
    };
    class Hash {
      public:
        explicit Hash(Random& random) : names_(HashKey::draw(random)) {}
        std::size_t operator()(const Key& key) const {
            return names_(key.name) ^ (static_cast<std::size_t>(key.type) * 8191U);
        }

      private:
        dns::NameHash names_;
    };

    std::chrono::seconds most_stale_;
    std::unordered_map<Key, dnssec::FindingRef, Hash> findings_;
    std::deque<Key> order_;  ///< first come, first gone
};

}  // namespace mxtrust::resolve
