// How a Universe changes while it is asked: data come and go, signatures are made anew, keys are rolled with care (RFC
// 6781 4.1.1.1, 4.1.2) and without, delegations become secure and insecure. In calm weather only what a resolver must
// not notice.
#include <algorithm>

#include "simulate/universe.h"

namespace simulate {

using namespace mxtrust;
using dns::Name;
using dns::Type;
using test::name;

namespace {

constexpr std::chrono::seconds step_of_roll{3600 + 120};  // everything cached before has run out
constexpr std::uint8_t last_seed = 240;                   // of keys; beyond them is the liars' own

std::string below(const char* label, const Name& apex) {
    return std::string(label) + "." + (apex.is_root() ? "" : apex.to_text() + ".");
}

}  // namespace

void Universe::succeed(Place& place, Zone next, WallTime latest) {
    next.close();
    place.past.push_back({std::move(place.zone), latest});
    place.zone = std::move(next);
}

void Universe::sign_anew(Place& place, Random& random, WallTime latest) {
    if (!place.zone.is_signed()) return;
    Zone::Keys keys = *place.zone.keys();
    const std::int64_t days = weather_ == Weather::calm ? 90 : 1 + std::int64_t(random.below(14));
    keys.expiration = (latest - test::noon).count() + days * 86400;
    succeed(place, place.zone.reopened(keys), latest);
}

void Universe::change_data(Place& place, Random& random, WallTime latest) {
    if (place.parent == nullptr) return;
    const Name& apex = place.zone.apex();
    Zone next = place.zone.reopened(place.zone.keys());
    const std::string octet = std::to_string(1 + random.below(250));
    const Name www = name(below("www", apex)), mx = name(below("mx", apex)), tlsa = name(below("_25._tcp.mx", apex));
    switch (random.below(4)) {
        case 0:
            if (next.find(www, Type::a) != nullptr) {
                next.remove(www, Type::a);
            } else {
                next.add(www, Type::a, "198.51.100." + octet);
            }
            break;
        case 1:
            next.remove(mx, Type::a);
            next.add(mx, Type::a, "198.51.100." + octet);
            break;
        case 2:
            next.remove(tlsa, Type::tlsa);
            next.add(tlsa, Type::tlsa, "3 1 1 " + std::string(64, "0123456789abcdef"[random.below(16)]));
            break;
        default:
            next.remove(tlsa, Type::tlsa);
            break;
    }
    succeed(place, std::move(next), latest);
}

void Universe::set_ds(Place& place, const std::vector<std::uint8_t>& seeds, WallTime latest) {
    Zone next = place.parent->zone.reopened(place.parent->zone.keys());
    const Name apex = place.zone.apex();
    next.remove(apex, Type::ds);
    for (const std::uint8_t seed : seeds) next.add(apex, Type::ds, Zone::ds_text(apex, seed));
    succeed(*place.parent, std::move(next), latest);
    place.delegation = seeds.empty() ? Delegation::none : Delegation::right;
    settle_standings(latest);
}

void Universe::set_keys(Place& place, std::uint8_t seed, std::optional<std::uint8_t> also, WallTime latest) {
    Zone::Keys keys = *place.zone.keys();
    keys.seed = seed;
    keys.also = also;
    succeed(place, place.zone.reopened(keys), latest);
}

void Universe::roll(Place& place, WallTime latest) {
    const Zone::Keys keys = *place.zone.keys();
    place.rolled = latest;
    switch (place.roll) {
        case 0:
            set_keys(place, keys.seed, ++seeds_, latest);
            break;
        case 1:
            set_ds(place, {keys.seed, *keys.also}, latest);
            break;
        case 2:
            set_keys(place, *keys.also, keys.seed, latest);
            break;
        case 3:
            set_ds(place, {keys.seed}, latest);
            break;
        default:
            set_keys(place, keys.seed, std::nullopt, latest);
            break;
    }
    place.roll = (place.roll + 1) % 5;
}

void Universe::settle_standings(WallTime latest) {
    for (Place& place : places_) {
        if (place.parent == nullptr) continue;
        Standing now = place.parent->standing;
        if (now == Standing::secure) {
            const bool right = place.delegation == Delegation::right;
            const bool wrong = place.delegation == Delegation::wrong;
            now = right ? Standing::secure : wrong ? Standing::broken : Standing::insecure;
        }
        if (now == place.standing) continue;
        place.stood.push_back({place.standing, latest});
        place.standing = now;
    }
}

std::string Universe::change(Random& random, WallTime latest) {
    Place* place = &places_[random.below(places_.size())];
    const auto rolling = std::ranges::find_if(
        places_, [&](const Place& each) { return each.roll != 0 && latest > each.rolled + step_of_roll; });
    if (rolling != places_.end() && random.below(2) == 0) place = &*rolling;
    const bool can_roll = place->parent != nullptr && place->delegation == Delegation::right;
    if (place->roll != 0) {
        if (latest <= place->rolled + step_of_roll) return "nothing: a roll of keys goes on";
        roll(*place, latest);
        return place->zone.apex().to_text() + ": next step of its roll of keys";
    }
    const std::string apex = place->zone.apex().to_text();
    switch (random.below(5)) {
        case 0:
            sign_anew(*place, random, latest);
            return apex + " is signed anew";
        case 1:
            if (!can_roll || seeds_ >= last_seed) break;
            roll(*place, latest);
            return apex + " begins to roll its keys";
        case 2:
            if (!can_roll || weather_ == Weather::calm || seeds_ >= last_seed) break;
            set_keys(*place, ++seeds_, std::nullopt, latest);
            set_ds(*place, {seeds_}, latest);
            return apex + " changes its keys at once";
        case 3:
            if (place->parent == nullptr || !place->zone.is_signed()) break;
            if (place->delegation == Delegation::right) {
                set_ds(*place, {}, latest);
                return apex + " is not signed any more, says its parent";
            }
            if (place->delegation != Delegation::none) break;
            set_ds(*place, {place->zone.keys()->seed}, latest);
            return apex + " is signed from now on, says its parent";
        default:
            break;
    }
    change_data(*place, random, latest);
    return apex + " has other data";
}

}  // namespace simulate
