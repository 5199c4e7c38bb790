// RFC 5011: every state and timer, in virtual time; the root's rollover of 2024 to 2027; the state as text.
#include "dnssec/rollover.h"

#include <catch2/catch.hpp>

#include "signer.h"
#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using namespace mxtrust::dnssec;
using Kind = RolloverEvent::Kind;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr std::uint8_t old_seed = 1, new_seed = 2, third_seed = 3;
constexpr std::uint16_t revoked_flags = 385;

struct Key {
    explicit Key(std::uint8_t seed, std::uint16_t flags = 257) : signer(".", dns::Algorithm::ed25519, seed, flags) {}
    Signer signer;
};

/// A zone's key set of `published`, signed by `signing`; its signatures hold for three weeks around `when`, as the
/// root's do.
dns::RRset key_set(const std::vector<const Key*>& published, const std::vector<const Key*>& signing, WallTime when,
                   std::uint32_t ttl = 172800) {
    dns::RRset set = rrset(".", dns::Type::dnskey, {}, ttl);
    for (const Key* key : published) set.records.push_back(key->signer.rdata());
    Bend bend;
    bend.inception = (when - noon).count() - 86400;
    bend.expiration = (when - noon).count() + 20 * 86400;
    for (const Key* key : signing) set = key->signer.sign(set, bend);
    return set;
}

/// One resolver's life: configured anchors, what it learnt, and its clock.
struct Life {
    explicit Life(std::vector<const Key*> configured_keys) {
        for (const Key* key : configured_keys) configured.ds.push_back(key->signer.ds());
    }
    Observation look(const dns::RRset& set) {
        Budget budget(BudgetLimits{}, MonoTime{});
        const Policy policy;
        const Context context{policy, now, budget};
        const Observation seen = observe(in_force(configured, zone), set, context);
        Advanced advanced = advance(zone, configured, seen, timers, now);
        zone = std::move(advanced.zone);
        events = std::move(advanced.events);
        return seen;
    }
    /// Looks whenever it is time to, for so long, at what is published.
    void live(seconds span, const std::vector<const Key*>& published, const std::vector<const Key*>& signing) {
        const WallTime end = now + span;
        for (WallTime next = next_look(zone, timers, now); next <= end; next = next_look(zone, timers, now)) {
            now = std::max(now, next);
            look(key_set(published, signing, now));
            for (const RolloverEvent& event : events) told.push_back(event.kind);
        }
        now = end;
    }
    std::string state(const Key& key) const {
        for (const ManagedKey& known : zone.keys) {
            if (known.key.public_key == key.signer.dnskey().public_key) return std::string(to_text(known.state));
        }
        return "start";
    }
    bool trusts(const Key& key) const { return names(in_force(configured, zone), key.signer.dnskey()); }
    /// Is a key set with this signature secure now?
    bool believes(const std::vector<const Key*>& published, const std::vector<const Key*>& signing) const {
        Court court(now);
        const TrustAnchor anchor = in_force(configured, zone);
        return court.judge.judge_anchor(configured.zone, anchor.ds, anchor.keys, key_set(published, signing, now))
                   .security() == Security::secure;
    }

    TrustAnchor configured{dns::Name(), {}, {}};
    ZoneRollover zone;
    RolloverTimers timers;
    WallTime now = noon;
    std::vector<RolloverEvent> events;
    std::vector<Kind> told;
};

const Key old_key(old_seed), new_key(new_seed), third_key(third_seed), old_revoked(old_seed, revoked_flags),
    new_revoked(new_seed, revoked_flags);

}  // namespace

TEST_CASE("a new key that a trusted one vouches for is trusted after 30 days, not before (RFC 5011 2.4.1)") {
    Life life({&old_key});
    life.live(days(1), {&old_key}, {&old_key});
    CHECK(life.state(old_key) == "valid");
    CHECK(life.told.empty());
    life.live(days(30) - hours(1), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "pending");
    CHECK_FALSE(life.trusts(new_key));
    CHECK_FALSE(life.believes({&new_key}, {&new_key}));
    CHECK(life.told == std::vector{Kind::seen});
    life.live(days(3), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "valid");
    CHECK(life.trusts(new_key));
    CHECK(life.believes({&new_key}, {&new_key}));
    CHECK(life.told == std::vector{Kind::seen, Kind::trusted});
}

TEST_CASE("a TTL longer than 30 days lengthens the add hold-down (RFC 5011 2.4.1)") {
    const RolloverTimers timers;
    CHECK(timers.add_hold_down(hours(48)) == days(30));
    CHECK(timers.add_hold_down(days(40)) == days(40));
    CHECK(timers.remove_hold_down() == days(30));
}

TEST_CASE("a key that goes before its time begins anew (RFC 5011 2.2)") {
    Life life({&old_key});
    life.live(days(20), {&old_key, &new_key}, {&old_key});
    life.live(days(2), {&old_key}, {&old_key});
    CHECK(life.state(new_key) == "start");
    CHECK(life.told == std::vector{Kind::seen, Kind::gone});
    life.live(days(29), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "pending");
    life.live(days(3), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "valid");
}

TEST_CASE("the hold-down's end is not enough: the key has to be seen then (RFC 5011 2.4.1)") {
    Life life({&old_key});
    life.look(key_set({&old_key, &new_key}, {&old_key}, life.now));
    life.now = life.now + days(60);
    CHECK(life.state(new_key) == "pending");
    life.look(key_set({&old_key}, {&old_key}, life.now));
    CHECK(life.state(new_key) == "start");
}

TEST_CASE("a key set that no trusted key signs teaches nothing") {
    Life life({&old_key});
    life.live(days(1), {&old_key}, {&old_key});
    const ZoneRollover before = life.zone;
    const Observation seen = life.look(key_set({&old_key, &new_key, &third_key}, {&new_key}, life.now));
    CHECK_FALSE(seen.authentic);
    CHECK(seen.keys.empty());
    CHECK(seen.reason.code != Code());
    CHECK(life.events.empty());
    CHECK(life.zone.keys == before.keys);
    CHECK(life.zone.last_authentic == before.last_authentic);
    CHECK(life.zone.last_tried == life.now);
    // A signature of yesterday's yesterday is none: a wrong clock learns nothing, either.
    life.now = life.now + days(400);
    CHECK_FALSE(life.look(key_set({&old_key, &new_key}, {&old_key}, noon)).authentic);
    CHECK(life.state(new_key) == "start");
}

TEST_CASE("only a secure entry point becomes an anchor: 257, protocol 3") {
    const Key signing(new_seed, 256);
    Life life({&old_key});
    life.live(days(40), {&old_key, &signing}, {&old_key});
    CHECK(life.state(signing) == "start");
    CHECK_FALSE(life.trusts(signing));
}

TEST_CASE("an anchor that goes without being revoked is missing and stays trusted (RFC 5011 4.2)") {
    Life life({&old_key});
    life.live(days(40), {&old_key, &new_key}, {&old_key});
    life.told.clear();
    life.live(days(100), {&old_key}, {&old_key});
    CHECK(life.state(new_key) == "missing");
    CHECK(life.trusts(new_key));
    life.live(days(2), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "valid");
    CHECK(life.told == std::vector{Kind::missing, Kind::back});
}

TEST_CASE("a revocation counts at once and for ever, and only when the key itself signs it (RFC 5011 2.1)") {
    Life life({&old_key, &new_key});
    life.live(days(1), {&old_key, &new_key}, {&old_key, &new_key});
    SECTION("without its own signature it is the zone's other keys that say so: nothing") {
        life.look(key_set({&old_revoked, &new_key}, {&new_key}, life.now));
        CHECK(life.state(old_key) == "missing");
        CHECK(life.trusts(old_key));
    }
    SECTION("with a broken one neither") {
        dns::RRset set = key_set({&old_revoked, &new_key}, {&new_key}, life.now);
        Bend broken;
        broken.break_signature = true;
        set = old_revoked.signer.sign(set, broken);
        life.look(set);
        CHECK(life.trusts(old_key));
    }
    SECTION("with its own it is over, also where nobody else signs") {
        const Observation seen = life.look(key_set({&old_revoked, &new_key}, {&old_revoked}, life.now));
        CHECK_FALSE(seen.authentic);
        CHECK(life.state(old_key) == "revoked");
        CHECK_FALSE(life.trusts(old_key));
        CHECK(life.trusts(new_key));
        CHECK(life.events == std::vector<RolloverEvent>{{Kind::revoked, old_key.signer.dnskey()}});
        // It comes back without the bit, and signs.
        life.live(days(200), {&old_key, &new_key}, {&old_key, &new_key});
        CHECK_FALSE(life.trusts(old_key));
        CHECK_FALSE(life.believes({&old_key}, {&old_key}));
        CHECK(life.state(old_key) == "removed");  // kept: a configured DS names it
    }
}

TEST_CASE("a revoked key is removed after 30 days; one that only RFC 5011 brought is then forgotten") {
    Life life({&old_key});
    life.live(days(40), {&old_key, &new_key}, {&old_key});
    life.live(days(1), {&old_key, &new_revoked}, {&old_key, &new_revoked});
    CHECK(life.state(new_key) == "revoked");
    life.live(days(28), {&old_key}, {&old_key});
    CHECK(life.state(new_key) == "revoked");
    life.live(days(4), {&old_key}, {&old_key});
    CHECK(life.state(new_key) == "start");
    CHECK(life.told == std::vector{Kind::seen, Kind::trusted, Kind::revoked, Kind::removed});
}

TEST_CASE("a pending key that is revoked is never trusted") {
    Life life({&old_key});
    life.live(days(10), {&old_key, &new_key}, {&old_key});
    life.live(days(1), {&old_key, &new_revoked}, {&old_key, &new_revoked});
    life.live(days(20), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "revoked");
    CHECK_FALSE(life.trusts(new_key));
}

TEST_CASE("where all anchors are revoked nothing is secure, and nothing insecure") {
    Life life({&old_key});
    life.live(days(1), {&old_key}, {&old_key});
    life.look(key_set({&old_revoked}, {&old_revoked}, life.now));
    const TrustAnchor anchor = in_force(life.configured, life.zone);
    CHECK(anchor.ds.empty());
    CHECK(anchor.keys.empty());
    Court court(life.now);
    for (const Key* key : {&old_key, &old_revoked, &new_key}) {
        const auto trust =
            court.judge.judge_anchor(dns::Name(), anchor.ds, anchor.keys, key_set({key}, {key}, life.now));
        CHECK(trust.security() == Security::indeterminate);
        CHECK(trust.reason().text.find("revoked") != std::string::npos);
    }
}

TEST_CASE("the root's rollover of 2024 to 2027 in its four situations (validator-pitfalls 42)") {
    const bool knows_both = GENERATE(true, false);
    INFO("configured: " << (knows_both ? "both keys" : "the old key only"));
    Life life(knows_both ? std::vector<const Key*>{&old_key, &new_key} : std::vector<const Key*>{&old_key});
    life.live(days(100), {&old_key}, {&old_key});
    // January 2025: the new key is published; the old one signs, for 21 months.
    life.live(days(600), {&old_key, &new_key}, {&old_key});
    CHECK(life.trusts(old_key));
    CHECK(life.trusts(new_key));
    // Both signing.
    CHECK(life.believes({&old_key, &new_key}, {&old_key, &new_key}));
    // October 2026: only the new one signs.
    life.live(days(90), {&old_key, &new_key}, {&new_key});
    CHECK(life.zone.last_authentic > life.now - days(2));
    CHECK(life.believes({&old_key, &new_key}, {&new_key}));
    // January 2027: the old one is revoked, and signs its revocation.
    life.live(days(60), {&old_revoked, &new_key}, {&old_revoked, &new_key});
    CHECK_FALSE(life.trusts(old_key));
    CHECK(life.believes({&old_revoked, &new_key}, {&old_revoked, &new_key}));
    CHECK_FALSE(life.believes({&old_key, &new_key}, {&old_key}));
    // Then it is gone.
    life.live(days(60), {&new_key}, {&new_key});
    CHECK(life.state(old_key) == "removed");
    CHECK(life.state(new_key) == "valid");
    CHECK(life.believes({&new_key}, {&new_key}));

    // The state's file could never be written (read-only): a restart knows what is configured, and no more.
    Life reborn(knows_both ? std::vector<const Key*>{&old_key, &new_key} : std::vector<const Key*>{&old_key});
    reborn.now = life.now;
    reborn.live(days(1), {&new_key}, {&new_key});
    CHECK(reborn.believes({&new_key}, {&new_key}) == knows_both);
    // Without the new key, nothing is secure then, and nothing insecure: bogus.
    if (!knows_both) {
        Court court(reborn.now);
        const auto trust = court.judge.judge_anchor(dns::Name(), reborn.configured.ds, {},
                                                    key_set({&new_key}, {&new_key}, reborn.now));
        CHECK(trust.security() == Security::bogus);
    }
}

TEST_CASE("it looks again after half of TTL and signature, within an hour and 15 days; sooner after a failure") {
    struct Row {
        seconds ttl, life, refresh, retry;
    };
    for (const Row& row :
         {Row{days(2), days(20), days(1), seconds(17280)}, Row{hours(1), days(20), hours(1), hours(1)},
          Row{days(365), days(365), days(15), days(1)}, Row{days(60), days(4), days(2), seconds(34560)},
          Row{seconds(0), seconds(0), hours(1), hours(1)}}) {
        ZoneRollover zone;
        zone.original_ttl = row.ttl;
        zone.signature_life = row.life;
        const RolloverTimers timers;
        CHECK(timers.refresh_interval(zone) == row.refresh);
        CHECK(timers.retry_interval(zone) == row.retry);
        CHECK(next_look(zone, timers, noon) == noon);
        zone.last_tried = zone.last_authentic = noon;
        CHECK(next_look(zone, timers, noon) == noon + row.refresh);
        zone.last_authentic = noon - hours(1);
        CHECK(next_look(zone, timers, noon) == noon + row.retry);
        // The clock was set back: what was is not in the future.
        CHECK(next_look(zone, timers, noon - days(1)) == noon - days(1));
    }
    const RolloverTimers fast{259200};
    CHECK(fast.add_hold_down(hours(48)) == seconds(10));
    CHECK(fast.refresh_interval({}) == seconds(1));
}

TEST_CASE("what is configured later needs no announcement, and too many keys are not noted") {
    Life life({&old_key});
    life.live(days(3), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "pending");
    life.configured.ds.push_back(new_key.signer.ds());
    CHECK(life.trusts(new_key));
    life.live(days(2), {&old_key, &new_key}, {&old_key});
    CHECK(life.state(new_key) == "valid");

    std::vector<Key> many;
    for (std::uint8_t seed = 20; seed < 50; ++seed) many.emplace_back(seed);
    std::vector<const Key*> published{&old_key};
    for (const Key& key : many) published.push_back(&key);
    life.look(key_set(published, {&old_key}, life.now));
    CHECK(life.zone.keys.size() == most_managed_keys);
    CHECK(life.events.back().kind == Kind::too_many);
}

TEST_CASE("five keys at once are followed (RFC 5011 6.1)") {
    std::vector<Key> keys;
    for (std::uint8_t seed = 20; seed < 25; ++seed) keys.emplace_back(seed);
    Life life({&old_key});
    std::vector<const Key*> published{&old_key};
    for (const Key& key : keys) published.push_back(&key);
    life.live(days(40), published, {&old_key});
    for (const Key& key : keys) CHECK(life.state(key) == "valid");
}

TEST_CASE("the state survives as text; every damage is noticed; a later version is not guessed at") {
    Life life({&old_key, &new_key});
    life.live(days(1), {&old_key, &new_key, &third_key}, {&old_key});
    life.look(key_set({&old_revoked, &new_key, &third_key}, {&old_revoked, &new_key}, life.now));
    const Rollovers zones{{dns::Name(), life.zone}, {name("example.org"), ZoneRollover{}}};
    const std::string text = encode_rollovers(zones, life.now);
    const auto decoded = decode_rollovers(text);
    REQUIRE(decoded);
    CHECK(decoded->zones == zones);
    CHECK(decoded->written == life.now);

    for (std::size_t place = 0; place < text.size(); ++place) {
        std::string damaged = text;
        damaged[place] = static_cast<char>(damaged[place] ^ 1);
        INFO(place);
        CHECK_FALSE(decode_rollovers(damaged));
    }
    for (std::size_t length = 0; length < text.size(); length += 7)
        CHECK_FALSE(decode_rollovers(text.substr(0, length)));
    CHECK_FALSE(decode_rollovers(text + "\n"));
    CHECK_FALSE(decode_rollovers(std::string(most_rollover_octets + 1, 'x')));
    const auto later = decode_rollovers("mxtrust-trust-anchors 2 1\n");
    REQUIRE_FALSE(later);
    CHECK(later.error().kind == FailureKind::unsupported);
}

TEST_CASE("state that was written while the clock was ahead: trust stays, what is pending begins anew") {
    Life life({&old_key, &new_key});
    life.live(days(1), {&old_key, &new_key, &third_key}, {&old_key});
    life.look(key_set({&old_revoked, &new_key, &third_key}, {&old_revoked, &new_key}, life.now));
    const WallTime back = life.now - days(300);
    life.zone = not_of_the_future(life.zone, back);
    life.now = back;
    CHECK_FALSE(life.trusts(old_key));
    CHECK(life.trusts(new_key));
    CHECK(next_look(life.zone, life.timers, back) == back);
    life.live(days(29), {&new_key, &third_key}, {&new_key});
    CHECK(life.state(third_key) == "pending");
    life.live(days(3), {&new_key, &third_key}, {&new_key});
    CHECK(life.state(third_key) == "valid");
}
