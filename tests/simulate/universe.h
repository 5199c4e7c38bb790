// A random Internet, made from a seed: zones signed in every way and not at all, their servers, and the truth about
// every name in them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "simulate/zone.h"

namespace simulate {

/// How a zone stands to the root's anchor: what a validator that sees everything must say of its data.
enum class Standing : std::uint8_t { secure, insecure, broken };

/// Are the servers of this Internet right (calm), or is everything wrong with them that can be (rough)?
enum class Weather : std::uint8_t { calm, rough };

struct Server;

struct Place {
    explicit Place(Zone made) : zone(std::move(made)) {}
    Zone zone;
    Place* parent = nullptr;
    Standing standing = Standing::insecure;
    std::vector<Place*> hosts;  ///< where its name servers' names live
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

/// The truth about one link of an alias chain.
struct Truth {
    const Place* place;
    Fact fact;
};

struct Question {
    dns::Name name;
    dns::Type type{};
};

class Universe {
  public:
    Universe(std::uint64_t seed, Weather weather);
    [[nodiscard]] Truth truth(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] Question question(mxtrust::Random& random) const;
    [[nodiscard]] dns::Name name_in(mxtrust::Random& random, const Place& place) const;
    /// The zone that this server would answer from; null: it has none that fits.
    [[nodiscard]] static const Place* served_by(const Server& server, const dns::Message& query);

    [[nodiscard]] const Place& root() const { return places_.front(); }
    [[nodiscard]] const std::deque<Place>& places() const { return places_; }
    [[nodiscard]] std::deque<Server>& servers() { return servers_; }
    [[nodiscard]] Server* server_at(const mxtrust::Address& address);

  private:
    Place& found_zone(const std::string& apex, Place* parent);
    void delegate(Place& place);
    void settle_server(Place& place, const std::string& host, Place& home);
    void fill(Place& place);
    void add_aliases(Place& place);
    [[nodiscard]] Place& any_place();
    [[nodiscard]] bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
    [[nodiscard]] bool is_untouched(const Place& place, std::vector<const Place*>& seen) const;

    mxtrust::SeededRandom random_;
    Weather weather_;
    std::deque<Place> places_;  ///< the root first, parents before children; addresses are stable
    std::deque<Server> servers_;
    std::vector<std::pair<std::string, std::vector<Server*>>> known_hosts_;
    std::vector<dns::Name> targets_;  ///< what aliases may lead to
    std::uint8_t seeds_ = 0;
};

}  // namespace simulate
