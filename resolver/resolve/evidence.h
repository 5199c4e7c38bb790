// What referrals said about DS: kept until the chain of trust asks, so that the parent need not be asked again.
// Unjudged; in memory only, bounded, and short-lived.
#pragma once

#include <chrono>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "dns/rrset.h"
#include "dnssec/judge.h"

namespace mxtrust::resolve {

class Evidence {
  public:
    static constexpr std::size_t most_zones = 4096;
    static constexpr std::chrono::seconds kept{30};

    struct Entry {
        dns::Name parent;           ///< the zone whose server said it
        dnssec::Response response;  ///< as an answer to (zone, DS)
        WallTime until{};
    };

    explicit Evidence(Random& random) : entries_(0, dns::NameHash(HashKey::draw(random))) {}

    /// `sets`: the DS, NSEC and NSEC3 sets of a referral to `zone` by a server of `parent`.
    void store(const dns::Name& zone, const dns::Name& parent, const std::vector<dns::RRset>& sets, std::string server,
               WallTime now) {
        if (entries_.size() >= most_zones) entries_.clear();
        dnssec::Response response;
        response.name = zone;
        response.type = dns::Type::ds;
        response.shape = dnssec::Shape::nodata;
        response.rcode = dns::Rcode::noerror;
        response.server = std::move(server);
        for (const dns::RRset& set : sets) {
            if (set.type == dns::Type::ds && set.owner == zone) {
                response.shape = dnssec::Shape::records;
                response.positive = set;
            } else {
                response.authority.push_back(set);
            }
        }
        entries_[zone] = Entry{parent, std::move(response), now + kept};
    }
    [[nodiscard]] const Entry* find(const dns::Name& zone, WallTime now) const {
        const auto found = entries_.find(zone);
        if (found == entries_.end() || found->second.until <= now) return nullptr;
        return &found->second;
    }
    void drop(const dns::Name& zone) { entries_.erase(zone); }
    void flush(const dns::Name& name) {
        std::erase_if(entries_, [&name](const auto& entry) { return entry.first.is_within(name); });
    }

  private:
    std::unordered_map<dns::Name, Entry, dns::NameHash> entries_;
};

}  // namespace mxtrust::resolve
