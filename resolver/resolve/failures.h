// How long a failed question is not asked again: longer each time it fails in a row, within bounds (RFC 9520 3.2). The
// failure itself is kept in the cache like any finding; this only remembers how often. What is remembered of a server
// is in servers.h (dead: twice as long each time, up to 64 s; lame for one zone: 60 s), of a name server without
// address in hosts.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "dns/name.h"
#include "dns/types.h"

namespace mxtrust::resolve {

class Failures {
  public:
    static constexpr std::chrono::seconds first{5};  ///< RFC 9520 3.2: at least 1 s
    /// RFC 9520 3.2 allows 300 s. Mail waits for this: an outage that is over is not to be felt for long.
    static constexpr std::chrono::seconds longest{60};
    static constexpr std::size_t most_questions = 20'000;

    explicit Failures(Random& random) : questions_(0, KeyHash(random)) {}

    /// The question failed (again): for so long its failure is to be kept.
    [[nodiscard]] std::chrono::seconds failed(const dns::Name& name, dns::Type type, MonoTime now) {
        if (questions_.size() >= most_questions) shrink(now);
        Entry& entry = questions_[Key{name, type}];
        // A failure long after the last one is a new one.
        entry.kept = entry.until <= now ? first : std::min(2 * entry.kept, longest);
        entry.until = now + 2 * entry.kept + first;
        return entry.kept;
    }
    void succeeded(const dns::Name& name, dns::Type type) {
        if (!questions_.empty()) questions_.erase(Key{name, type});
    }
    [[nodiscard]] std::size_t size() const { return questions_.size(); }

  private:
    struct Key {
        dns::Name name;
        dns::Type type{};
        friend bool operator==(const Key&, const Key&) = default;
    };
    class KeyHash {
      public:
        explicit KeyHash(Random& random) : names_(HashKey::draw(random)) {}
        std::size_t operator()(const Key& key) const {
            return names_(key.name) ^ (static_cast<std::size_t>(key.type) * 131);
        }

      private:
        dns::NameHash names_;
    };
    struct Entry {
        std::chrono::seconds kept{0};
        MonoTime until{};
    };
    void shrink(MonoTime now) {
        std::erase_if(questions_, [now](const auto& one) { return one.second.until <= now; });
        if (questions_.size() >= most_questions) questions_.clear();
    }

    std::unordered_map<Key, Entry, KeyHash> questions_;
};

}  // namespace mxtrust::resolve
