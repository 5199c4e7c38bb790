// Who may be under way, when there is not room for all: nobody's questions crowd out everybody else's (attacks A20,
// A21).
//
// Places are counted by group: the domain that the question is about, by its last two labels. While half of the places
// are free, everybody gets one: a queue that is sent to one provider's domains is no attack. Then a group has at most
// its share. Where no place is left, one of those that have waited longest has to go, the one with the most of its
// kind; and where all have as little as the newcomer, the oldest, if it has waited for long. Slow servers make many
// wait; those who answer need few places, and for questions to servers that are known to answer some are kept free.
// Where it is known who asks, a part of the places stays for the other clients, whatever one of them asks for.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/random.h"
#include "dns/name.h"

namespace mxtrust::resolve {

class Crowd {
  public:
    struct Limits {
        std::size_t most = 3000;         ///< of one worker
        std::size_t part_of_group = 4;   ///< a quarter of all, once more than half are taken
        std::size_t kept_free = 750;     ///< beyond `most`, for those who will not be long
        std::size_t left_by_client = 4;  ///< a quarter of all is left for others by any one client
        Duration long_enough{250};       ///< who has waited so long may have to go for a newcomer
    };
    Crowd(Limits limits, Clock& clock, Random& random)
        : limits_(limits),
          clock_(clock),
          groups_(0, dns::NameHash(HashKey::draw(random))),
          clients_(0, ClientHash(HashKey::draw(random))) {}
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// What a place is for: the domain asked about, and who asks; empty where that is not known, or nobody in
    /// particular.
    struct Claim {
        // NOLINTNEXTLINE(google-explicit-constructor): most claims are a name and nothing else
        Claim(dns::Name name, std::string asker = {}) : about(std::move(name)), client(std::move(asker)) {}
        dns::Name about;
        std::string client;
    };
    /// How long will it take? Brief: who is asked has answered lately, and fast.
    enum class Stay : std::uint8_t { unknown, brief };
    /// A place, from its making to its end; or none. Keeps its crowd alive: it may end after all that used it.
    class Place {
      public:
        /// `lost` is called when the place is needed for somebody else; it must not destroy the place.
        Place(std::shared_ptr<Crowd> crowd, const Claim& claim, Stay stay, std::function<void()> lost);
        ~Place();
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        /// May go on: was let in, and was not told to go since.
        [[nodiscard]] bool is_held() const { return held_; }

      private:
        friend class Crowd;
        void leave();
        std::shared_ptr<Crowd> crowd_;
        dns::Name group_;
        std::string client_;
        MonoTime since_;
        Stay stay_;
        std::function<void()> lost_;
        std::list<Place*>::iterator in_group_, in_all_;
        bool held_ = false;
    };

    /// Another `most` from now on. Who is in stays, until somebody comes for whom there is no room.
    void set_most(std::size_t most) { limits_.most = most; }
    [[nodiscard]] std::size_t size() const { return all_.size() + brief_; }
    /// Those who were not let in, and those who had to go.
    [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }
    /// The domain whose doing a question for `name` is.
    [[nodiscard]] static dns::Name group_of(const dns::Name& name);

  private:
    /// Clients of the network choose their addresses: see dns::NameHash.
    class ClientHash {
      public:
        explicit ClientHash(HashKey key) : key_(key) {}
        std::size_t operator()(const std::string& client) const { return keyed_hash(key_, as_bytes(client)); }

      private:
        HashKey key_;
    };
    [[nodiscard]] bool make_room(const Place& newcomer);
    void evict(Place& place);

    Limits limits_;
    Clock& clock_;
    std::unordered_map<dns::Name, std::list<Place*>, dns::NameHash> groups_;  ///< each by age
    std::unordered_map<std::string, std::size_t, ClientHash> clients_;        ///< places of each, of unknown stay
    std::list<Place*> all_;                                                   ///< of unknown stay, by age
    std::size_t brief_ = 0;
    std::uint64_t turned_away_ = 0;
};

}  // namespace mxtrust::resolve
