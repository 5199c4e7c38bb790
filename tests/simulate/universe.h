// A random Internet, made from a seed: zones signed in every way and not at all, their servers, and the truth about
// every name in them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "simulate/zone.h"

namespace simulate {

/// How a zone stands to the root's anchor: what a validator that sees everything must say of its data.
enum class Standing : std::uint8_t { secure, insecure, broken };

/// Are the servers of this Internet right (calm), or is everything wrong with them that can be (rough)?
enum class Weather : std::uint8_t { calm, rough };

struct Server;

/// What the parent says of a zone's keys.
enum class Delegation : std::uint8_t { none, right, wrong, unsupported };

struct Place {
    explicit Place(Zone made) : zone(std::move(made)) {}
    /// What was, with the latest time that any clock showed while it still was: who learnt it may go by it for its TTL.
    struct Generation {
        Zone zone;
        mxtrust::WallTime until;
    };
    struct Stood {
        Standing standing;
        mxtrust::WallTime until;
    };

    Zone zone;  ///< as it is now
    std::deque<Generation> past;
    Place* parent = nullptr;
    Delegation delegation = Delegation::none;
    Standing standing = Standing::insecure;
    std::vector<Stood> stood;
    int roll = 0;                ///< the step of a key roll that it has come to: change.cc
    mxtrust::WallTime rolled{};  ///< when
    std::vector<Place*> hosts;   ///< where its name servers' names live
    std::vector<Server*> servers;
    bool untouched = true;  ///< no liar serves it, its ancestors or its name servers' zones
};

/// What is wrong with a server, always.
enum class Habit : std::uint8_t {
    honest,
    liar,       ///< on every path through it: liar.h
    dead,       ///< never answers
    flapping,   ///< comes and goes
    refusing,   ///< lame: REFUSED
    empty,      ///< lame: NOERROR with nothing, without authority
    upwards,    ///< lame: refers to the root
    failing,    ///< SERVFAIL every other time
    old,        ///< FORMERR to EDNS
    cutting,    ///< truncates every datagram
    datagrams,  ///< does not listen on TCP
};

struct Server {
    mxtrust::Address address;
    std::vector<Place*> places;
    Habit habit = Habit::honest;
    std::uint32_t delay_ms = 10;  ///< one round trip, before jitter
    bool up = true;
};

/// The truth about one link of an alias chain, in one generation of its zone.
struct Truth {
    const Place* place;
    const Zone* zone;
    Fact fact;
};

struct Question {
    dns::Name name;
    dns::Type type{};
};

class Universe {
  public:
    Universe(std::uint64_t seed, Weather weather);
    /// What is true, and what was true so short a time ago that it may still be said, at a time that the resolver's
    /// clock shows.
    [[nodiscard]] std::vector<Truth> truths(const dns::Name& name, dns::Type type, mxtrust::WallTime now) const;
    [[nodiscard]] static bool may_stand(const Place& place, Standing standing, mxtrust::WallTime now);
    /// Something in the world becomes another: data, signatures, keys, delegations. `latest`: what any clock has shown
    /// so far. Returns what it was.
    std::string change(mxtrust::Random& random, mxtrust::WallTime latest);
    [[nodiscard]] Question question(mxtrust::Random& random) const;
    [[nodiscard]] dns::Name name_in(mxtrust::Random& random, const Place& place) const;
    /// The zone that this server would answer from; null: it has none that fits.
    [[nodiscard]] static const Place* served_by(const Server& server, const dns::Message& query);

    [[nodiscard]] const Place& root() const { return places_.front(); }
    [[nodiscard]] const std::deque<Place>& places() const { return places_; }
    [[nodiscard]] std::deque<Server>& servers() { return servers_; }
    [[nodiscard]] Server* server_at(const mxtrust::Address& address);

  private:
    // change.cc
    void succeed(Place& place, Zone next, mxtrust::WallTime latest);
    void sign_anew(Place& place, mxtrust::Random& random, mxtrust::WallTime latest);
    void change_data(Place& place, mxtrust::Random& random, mxtrust::WallTime latest);
    void set_ds(Place& place, const std::vector<std::uint8_t>& seeds, mxtrust::WallTime latest);
    void set_keys(Place& place, std::uint8_t seed, std::optional<std::uint8_t> also, mxtrust::WallTime latest);
    void roll(Place& place, mxtrust::WallTime latest);
    void settle_standings(mxtrust::WallTime latest);

    Place& found_zone(const std::string& apex, Place* parent);
    void delegate(Place& place);
    void settle_server(Place& place, const std::string& host, Place& home);
    void fill(Place& place);
    void add_aliases(Place& place);
    [[nodiscard]] Place& any_place();
    [[nodiscard]] bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
    [[nodiscard]] bool is_untouched(const Place& place, std::vector<const Place*>& seen) const;
    [[nodiscard]] const Place& place_of(const dns::Name& name, dns::Type type) const;

    mxtrust::SeededRandom random_;
    Weather weather_;
    std::deque<Place> places_;  ///< the root first, parents before children; addresses are stable
    std::deque<Server> servers_;
    std::vector<std::pair<std::string, std::vector<Server*>>> known_hosts_;
    std::vector<dns::Name> targets_;  ///< what aliases may lead to
    std::uint8_t seeds_ = 0;
};

}  // namespace simulate
