// Finished mail answers, until they expire; bounded, the least recently used go first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "dns/name.h"
#include "mail/answer.h"
#include "mail/next_hop.h"

namespace mxtrust::route {

class KeptAnswers {
  public:
    using Ref = std::shared_ptr<const mail::MailAnswer>;
    explicit KeptAnswers(std::size_t most) : most_(most) {}

    /// Null where there is none that is still good. `latest`: the latest time seen, where that is later than `now`: an
    /// operator's word that had ended by then has ended.
    Ref find(const std::string& key, WallTime now, WallTime latest);
    /// What was asked, to ask it again.
    struct Origin {
        mail::NextHop next_hop;  ///< its name is what MX was asked for, or the bracketed host
        std::uint16_t port = 25;
    };
    void keep(const std::string& key, Origin origin, Ref answer);
    /// Null where there is no such answer.
    [[nodiscard]] const Origin* origin(const std::string& key) const;
    void drop(const std::string& key);
    /// Drops the answers that rest on the name (or on one below it); returns how many.
    std::size_t flush(const dns::Name& name, bool subtree);
    void clear();
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// The most recently used first.
    [[nodiscard]] std::vector<std::string> keys(std::size_t most) const;

  private:
    struct Entry {
        std::string key;
        Origin origin;
        Ref answer;
    };
    using Place = std::list<Entry>::iterator;
    std::size_t most_;
    std::list<Entry> entries_;  ///< the most recently used first
    std::unordered_map<std::string, Place> places_;
};

}  // namespace mxtrust::route
