// The zone of most tests: example.org, signed with Ed25519, and its NSEC and NSEC3 records, whatever a test wants them
// to say.
#pragma once

#include "crypto/digest.h"
#include "zone.h"

namespace mxtrust::test {

/// example.org, signed with Ed25519; what a test needs is signed as it goes.
struct World {
    explicit World(dnssec::Policy policy = {}, BudgetLimits limits = {})
        : court(noon, policy, limits),
          trust(court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt)) {}

    dns::RRset signed_set(const std::string& owner, dns::Type type, const std::vector<std::string>& rdata,
                          const Bend& bend = {}) const {
        return key.sign(rrset(owner, type, rdata), bend);
    }
    dns::RRset nsec(const std::string& owner, const std::string& next_and_types) const {
        return signed_set(owner, dns::Type::nsec, {next_and_types});
    }
    dns::RRset soa() const {
        return signed_set("example.org", dns::Type::soa, {"ns1.example.org. host.example.org. 1 3600 600 86400 300"});
    }
    dnssec::FindingRef judge(const dnssec::Response& response) { return court.judge.judge(response, trust); }
    std::string says(const dnssec::Response& response) { return verdict(judge(response)); }

    Signer key{"example.org"};
    Court court;
    dnssec::ZoneTrust trust;
};

/// What stands at `owner` was expanded from the wildcard: signed as *.example.org, shown at another name.
inline dns::RRset expanded(const World& world, const std::string& wildcard, const std::string& owner, dns::Type type,
                           const std::vector<std::string>& rdata) {
    dns::RRset set = world.signed_set(wildcard, type, rdata);
    set.owner = name(owner);
    return set;
}

/// NSEC3 sets of example.org for plain names; 1 0 0 - or as told.
struct Hashed {
    std::string parameters = "1 0 0 -";
    std::uint16_t iterations = 0;
    Bytes salt{};

    std::string label(const std::string& owner, int step = 0) const {
        Bytes hash = crypto::nsec3_hash(name(owner).wire(), salt, iterations);
        for (std::size_t place = hash.size(); step != 0 && place-- > 0;) {
            const int sum = hash[place] + step;
            hash[place] = static_cast<std::uint8_t>(sum & 0xff);
            step = sum < 0 ? -1 : sum > 255 ? 1 : 0;
        }
        return to_base32hex(hash);
    }
    dns::RRset match(const World& world, const std::string& owner, const std::string& types) const {
        return world.signed_set(label(owner) + ".example.org", dns::Type::nsec3,
                                {parameters + " " + label(owner, 1) + " " + types});
    }
    dns::RRset cover(const World& world, const std::string& owner, const std::string& flags_zero_or_one = "0") const {
        std::string own = parameters;
        own[2] = flags_zero_or_one[0];
        return world.signed_set(label(owner, -1) + ".example.org", dns::Type::nsec3,
                                {own + " " + label(owner, 1) + " A RRSIG"});
    }
};

inline const std::vector<std::string> address{"192.0.2.1"};

}  // namespace mxtrust::test
