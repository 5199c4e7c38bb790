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
    static constexpr std::size_t most_zones = 512;  ///< evidence is of use for as long as a look-up takes
    static constexpr std::chrono::seconds kept{30};

    struct Entry {
        dns::Name parent;           ///< the zone whose server said it
        dnssec::Response response;  ///< as an answer to (zone, DS)
        WallTime until{};
    };

    explicit Evidence(Random& random) : entries_(0, dns::NameHash(HashKey::draw(random))), older_(entries_) {}

    /// `sets`: the DS, NSEC and NSEC3 sets of a referral to `zone` by a server of `parent`.
    void store(const dns::Name& zone, const dns::Name& parent, const std::vector<dns::RRset>& sets, std::string server,
               WallTime now) {
        if (entries_.size() >= most_zones / 2) {  // the older half goes: of the younger some is being worked with
            older_.swap(entries_);
            entries_.clear();
        }
        older_.erase(zone);
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
        for (const Entries* entries : {&entries_, &older_}) {
            const auto found = entries->find(zone);
            if (found != entries->end()) return found->second.until <= now ? nullptr : &found->second;
        }
        return nullptr;
    }
    void drop(const dns::Name& zone) {
        entries_.erase(zone);
        older_.erase(zone);
    }
    void flush(const dns::Name& name) {
        for (Entries* entries : {&entries_, &older_})
            std::erase_if(*entries, [&name](const auto& entry) { return entry.first.is_within(name); });
    }

  private:
    using Entries = std::unordered_map<dns::Name, Entry, dns::NameHash>;
    Entries entries_, older_;
};

}  // namespace mxtrust::resolve
