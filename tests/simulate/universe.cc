#include "simulate/universe.h"

#include <algorithm>

namespace simulate {

using namespace mxtrust;
using dns::Name;
using dns::Type;
using test::name;

namespace {

std::string join(const std::string& left, const Name& right) {
    return right.is_root() ? left + "." : left + "." + right.to_text() + ".";
}

constexpr std::chrono::seconds longest_ttl{3600 + 60};  // of all data (zone.cc), and some time under way

std::string absolute(const Name& apex) {
    return apex.is_root() ? "." : apex.to_text() + ".";
}

}  // namespace

Universe::Universe(std::uint64_t seed, Weather weather) : random_(seed), weather_(weather) {
    Place& root = found_zone(".", nullptr);
    for (std::uint64_t top = 0, tops = 2 + random_.below(3); top < tops; ++top) {
        Place& tld = found_zone("t" + std::to_string(top) + ".", &root);
        for (std::uint64_t child = 0, children = 1 + random_.below(4); child < children; ++child) {
            Place& domain = found_zone(join("d" + std::to_string(child), tld.zone.apex()), &tld);
            // Grandchildren, some with an empty non-terminal between the cuts.
            if (chance(25)) found_zone(join("sub", domain.zone.apex()), &domain);
            if (chance(10)) found_zone(join("deep.down", domain.zone.apex()), &domain);
        }
    }
    for (Place& place : places_) delegate(place);
    for (Place& place : places_) fill(place);
    for (Place& place : places_) add_aliases(place);
    for (Place& place : places_) place.zone.close();
    for (Place& place : places_) {
        std::vector<const Place*> seen;
        place.untouched = is_untouched(place, seen);
    }
}

Place& Universe::found_zone(const std::string& apex, Place* parent) {
    const bool is_signed = parent == nullptr || chance(70);
    std::optional<Zone::Keys> keys;
    if (is_signed) {
        Zone::Keys made{++seeds_,
                        weather_ == Weather::calm ? 90 * 86400 : (1 + std::int64_t(random_.below(14))) * 86400};
        if (parent != nullptr) made.denial = static_cast<Denial>(random_.below(3));
        keys = made;
    }
    Place& place = places_.emplace_back(Zone(name(apex), keys));
    place.parent = parent;
    return place;
}

// The delegation and what it makes of the zone: DS, no DS, one that nobody supports, one that is wrong.
void Universe::delegate(Place& place) {
    Place* parent = place.parent;
    const Name& apex = place.zone.apex();
    const std::uint64_t count = 1 + random_.below(3);
    for (std::uint64_t number = 0; number < count; ++number) {
        const bool elsewhere = parent != nullptr && parent->parent != nullptr && chance(30);
        if (elsewhere) {
            // A zone that is older: name servers never depend on each other in a circle.
            std::vector<Place*> older;
            for (Place& other : places_) {
                if (&other == &place) break;
                if (other.parent != nullptr) older.push_back(&other);
            }
            Place& home = *older[random_.below(older.size())];
            settle_server(place, join("ns" + std::to_string(random_.below(2)), home.zone.apex()), home);
        } else {
            settle_server(place, join("ns" + std::to_string(number), apex), place);
        }
    }
    if (parent == nullptr) {
        place.standing = Standing::secure;
        return;
    }
    place.standing = parent->standing;
    const bool with_ds = place.zone.is_signed() && chance(90);
    if (parent->standing != Standing::secure) {
        if (with_ds) {
            parent->zone.add(apex, Type::ds, place.zone.ds_text());
            place.delegation = Delegation::right;
        }
        return;
    }
    place.standing = Standing::insecure;
    if (with_ds && chance(93)) {
        parent->zone.add(apex, Type::ds, place.zone.ds_text());
        place.standing = Standing::secure;
        place.delegation = Delegation::right;
    } else if (with_ds) {
        std::string wrong = place.zone.ds_text();
        wrong.back() = wrong.back() == '0' ? '1' : '0';
        parent->zone.add(apex, Type::ds, wrong);
        place.standing = Standing::broken;
        place.delegation = Delegation::wrong;
    } else if (chance(10)) {
        parent->zone.add(apex, Type::ds, "4711 200 2 " + std::string(64, 'a'));
        place.delegation = Delegation::unsupported;
    }
}

void Universe::settle_server(Place& place, const std::string& host, Place& home) {
    const Name server_name = name(host);
    place.zone.add(place.zone.apex(), Type::ns, host);
    if (std::ranges::find(place.hosts, &home) == place.hosts.end()) place.hosts.push_back(&home);
    std::vector<Place*> knowing{&home};
    if (place.parent != nullptr) {
        place.parent->zone.add(place.zone.apex(), Type::ns, host);
        if (server_name.is_within(place.parent->zone.apex())) knowing.push_back(place.parent);
    }
    auto known =
        std::ranges::find(known_hosts_, host, [](const auto& pair) -> const std::string& { return pair.first; });
    if (known == known_hosts_.end()) {
        known_hosts_.push_back({host, {}});
        known = std::prev(known_hosts_.end());
        for (std::uint64_t count = 1 + random_.below(2); count > 0; --count) {
            Server& server = servers_.emplace_back();
            const std::size_t number = servers_.size();
            const bool six = chance(30);
            server.address = *Address::from_text(six ? "2001:db8::" + std::to_string(number)
                                                     : "192.0." + std::to_string(2 + number / 250) + "." +
                                                           std::to_string(1 + number % 250));
            server.delay_ms = static_cast<std::uint32_t>(2 + random_.below(60));
            if (weather_ == Weather::rough && chance(place.parent == nullptr ? 15 : 40))
                server.habit = chance(40) ? Habit::liar : static_cast<Habit>(random_.below(11));
            known->second.push_back(&server);
        }
    }
    for (Server* server : known->second) {
        const Type type = server->address.family() == Family::ipv4 ? Type::a : Type::aaaa;
        for (Place* where : knowing) {
            // Glue below a cut of the home zone is not the home's data; the names are chosen so that there is none.
            where->zone.add(server_name, type, server->address.to_text());
        }
        if (std::ranges::find(place.servers, server) == place.servers.end()) {
            place.servers.push_back(server);
            server->places.push_back(&place);
        }
    }
}

void Universe::fill(Place& place) {
    Zone& zone = place.zone;
    const Name& apex = zone.apex();
    if (place.parent == nullptr) return;
    zone.add(apex, Type::mx, "10 " + join("mx", apex));
    zone.add(name(join("mx", apex)), Type::a, "198.51.100." + std::to_string(1 + random_.below(250)));
    if (chance(50)) zone.add(name(join("mx", apex)), Type::aaaa, "2001:db8:25::" + std::to_string(random_.below(9999)));
    if (chance(70)) zone.add(name(join("_25._tcp.mx", apex)), Type::tlsa, "3 1 1 " + std::string(64, 'c'));
    if (chance(40)) zone.add(name(join("www", apex)), Type::a, "198.51.100." + std::to_string(1 + random_.below(250)));
    if (chance(30)) zone.add(name(join("*.wild", apex)), Type::a, "198.51.100.99");
    if (chance(30)) zone.add(name(join("*.wild", apex)), Type::mx, "5 " + join("mx", apex));
    if (chance(15)) zone.add(name(join("*", apex)), Type::txt, "\"anything\"");
    if (chance(20)) zone.add(name(join("there.wild", apex)), Type::a, "198.51.100.98");
    if (chance(20)) {
        // Beyond 1232 octets: truncated over UDP.
        for (char letter = 'a'; letter < 'i'; ++letter)
            zone.add(name(join("large", apex)), Type::txt, '"' + std::string(200, letter) + '"');
    }
    for (const char* owner : {"mx", "_25._tcp.mx", "www", "any.wild", "nothing", "large"})
        targets_.push_back(name(join(owner, apex)));
}

void Universe::add_aliases(Place& place) {
    if (place.parent == nullptr) return;
    Zone& zone = place.zone;
    for (std::uint64_t number = 0, count = random_.below(3); number < count; ++number) {
        const Name alias = name(join("alias" + std::to_string(number), zone.apex()));
        zone.add(alias, Type::cname, absolute(targets_[random_.below(targets_.size())]));
        targets_.push_back(alias);
    }
    if (chance(15))
        zone.add(name(join("*.aka", zone.apex())), Type::cname, absolute(targets_[random_.below(targets_.size())]));
    // Only to zones that came before: a DNAME into itself would go round.
    const Place& other = any_place();
    if (chance(20) && other.parent != nullptr && &other != &place && !place.zone.apex().is_within(other.zone.apex()) &&
        !other.zone.apex().is_within(place.zone.apex()) && other.zone.apex() < place.zone.apex())
        zone.add(name(join("moved", zone.apex())), Type::dname, absolute(other.zone.apex()));
}

Place& Universe::any_place() {
    return places_[random_.below(places_.size())];
}

bool Universe::is_untouched(const Place& place, std::vector<const Place*>& seen) const {
    if (std::ranges::find(seen, &place) != seen.end()) return true;
    seen.push_back(&place);
    if (std::ranges::any_of(place.servers, [](const Server* server) { return server->habit == Habit::liar; }))
        return false;
    if (place.parent != nullptr && !is_untouched(*place.parent, seen)) return false;
    return std::ranges::all_of(place.hosts, [&](const Place* host) { return is_untouched(*host, seen); });
}

const Place& Universe::place_of(const Name& asked, Type type) const {
    const Place* best = &places_.front();
    for (const Place& place : places_) {
        const Name& apex = place.zone.apex();
        if (!asked.is_within(apex) || (type == Type::ds && asked == apex && !apex.is_root())) continue;
        if (apex.label_count() >= best->zone.apex().label_count()) best = &place;
    }
    return *best;
}

std::vector<Truth> Universe::truths(const Name& asked, Type type, WallTime now) const {
    const Place& place = place_of(asked, type);
    std::vector<Truth> found{{&place, &place.zone, place.zone.look(asked, type)}};
    // Nobody can tell a replay from the zone as long as its signatures are in time: liars tell what was for ever.
    const bool replayed =
        std::ranges::any_of(place.servers, [](const Server* server) { return server->habit == Habit::liar; });
    for (const Place::Generation& before : place.past) {
        if (replayed || now <= before.until + longest_ttl)
            found.push_back({&place, &before.zone, before.zone.look(asked, type)});
    }
    return found;
}

bool Universe::may_stand(const Place& place, Standing standing, WallTime now) {
    if (place.standing == standing) return true;
    // Each link of the chain may be learnt at the end of the life of the one above it and lives for its own TTL: DS,
    // DNSKEY, DS, DNSKEY, data (RFC 4035 5.3.3 limits each by its own signature only).
    std::chrono::seconds lasts = longest_ttl;
    for (const Place* above = &place; above->parent != nullptr; above = above->parent) lasts += 2 * longest_ttl;
    return std::ranges::any_of(place.stood, [&](const Place::Stood& before) {
        return before.standing == standing && (!place.untouched || now <= before.until + lasts);
    });
}

const Place* Universe::served_by(const Server& server, const dns::Message& query) {
    const Name& asked = query.question->name;
    const Place* best = nullptr;
    bool best_is_child = false;
    for (const Place* place : server.places) {
        const Name& apex = place->zone.apex();
        if (!asked.is_within(apex)) continue;
        // For DS the child speaks (NODATA) only where its parent is not served beside it (RFC 4035 3.1.4.1).
        const bool is_child = query.question->type == Type::ds && asked == apex && !apex.is_root();
        if (best == nullptr || best_is_child || (!is_child && apex.is_below(best->zone.apex()))) {
            best = place;
            best_is_child = is_child;
        }
    }
    return best;
}

Name Universe::name_in(Random& random, const Place& place) const {
    static const char* const prefixes[] = {"mx",      "www",       "_25._tcp.mx", "_tcp.mx", "alias0",   "alias1",
                                           "nothing", "x.nothing", "a.wild",      "wild",    "b.a.wild", "there.wild",
                                           "*.wild",  "large",     "mx.moved",    "moved",   "z.aka",    "below.mx",
                                           "sub",     "down",      "deep.down",   "q.sub",   "zz9",      "ns0"};
    const Name& apex = place.zone.apex();
    if (random.below(100) < 20) return apex;
    if (random.below(100) < 10) return name(join("r" + std::to_string(random.below(50)), apex));
    return name(join(prefixes[random.below(std::size(prefixes))], apex));
}

Question Universe::question(Random& random) const {
    static const Type types[] = {Type::a,    Type::a,  Type::aaaa, Type::mx, Type::mx,     Type::tlsa,
                                 Type::tlsa, Type::ns, Type::soa,  Type::ds, Type::dnskey, Type::txt};
    const Place& place = places_[random.below(places_.size())];
    const Type type = types[random.below(std::size(types))];
    return {name_in(random, place), type};
}

Server* Universe::server_at(const Address& address) {
    const auto found = std::ranges::find(servers_, address, &Server::address);
    return found == servers_.end() ? nullptr : &*found;
}

}  // namespace simulate
