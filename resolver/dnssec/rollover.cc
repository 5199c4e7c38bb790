// The transitions of RFC 5011 4, in the order of its table; and its timers.
#include "dnssec/rollover.h"

#include <algorithm>
#include <array>
#include <set>

#include "dnssec/delegation.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {
namespace {

using std::chrono::seconds;

constexpr seconds thirty_days = std::chrono::days(30);
constexpr seconds fifteen_days = std::chrono::days(15);
constexpr seconds one_day = std::chrono::days(1);
constexpr seconds one_hour = std::chrono::hours(1);
constexpr std::uint16_t revoke_bit = 0x0080;
constexpr std::size_t most_tags_told = 12;  // a label has 63 octets

bool is_same_key(const dns::Dnskey& left, const dns::Dnskey& right) {
    return left.algorithm == right.algorithm && left.public_key == right.public_key;
}

Bytes rdata_of(const dns::Dnskey& key) {
    Writer writer;
    writer.u16(key.flags);
    writer.u8(key.protocol);
    writer.u8(static_cast<std::uint8_t>(key.algorithm));
    writer.bytes(key.public_key);
    return std::move(writer).finish();
}

dns::Dnskey without_revoke_bit(dns::Dnskey key) {
    key.flags = static_cast<std::uint16_t>(key.flags & ~revoke_bit);
    key.key_tag = dns::key_tag_of(rdata_of(key));
    return key;
}

/// RFC 5011 2.1: the set is signed by the revoked key itself, whoever else signs it.
bool revokes_itself(const dns::Dnskey& key, const dns::RRset& set, const Context& context) {
    // A revoked key verifies nothing else (pitfalls 18); for this one purpose it is looked at as it was before, with
    // the tag that the bit gives it.
    dns::Dnskey before = without_revoke_bit(key);
    ZoneKey zone_key = make_zone_key(std::move(before), context.policy);
    zone_key.dnskey.key_tag = key.key_tag;
    if (!zone_key.key) return false;
    dns::RRset own = set;
    std::erase_if(own.signatures, [&key](const Bytes& rdata) {
        const auto rrsig = dns::parse_rrsig(rdata);
        return !rrsig || rrsig->key_tag != key.key_tag || rrsig->algorithm != key.algorithm;
    });
    return check_signatures(own, set.owner, {zone_key}, context).check == Check::valid;
}

ManagedKey* find(ZoneRollover& zone, const dns::Dnskey& key) {
    const auto found =
        std::ranges::find_if(zone.keys, [&key](const ManagedKey& known) { return is_same_key(known.key, key); });
    return found == zone.keys.end() ? nullptr : &*found;
}

bool contains(const std::vector<dns::Dnskey>& keys, const dns::Dnskey& key) {
    return std::ranges::any_of(keys, [&key](const dns::Dnskey& one) { return is_same_key(one, key); });
}

bool is_dead(KeyState state) {
    return state == KeyState::revoked || state == KeyState::removed;
}

bool is_trusted(KeyState state) {
    return state == KeyState::valid || state == KeyState::missing;
}

class Step {
  public:
    Step(ZoneRollover zone, const TrustAnchor& configured, const Observation& seen, const RolloverTimers& timers,
         WallTime now)
        : zone_(std::move(zone)), configured_(configured), seen_(seen), timers_(timers), now_(now) {}

    Advanced run() {
        for (const dns::Dnskey& key : seen_.revoked) revoke(key);
        if (seen_.authentic) {
            zone_.last_authentic = now_;
            zone_.original_ttl = seen_.original_ttl;
            zone_.signature_life = seen_.signature_life;
            for (ManagedKey& known : zone_.keys) visit(known);
            std::erase_if(zone_.keys, [this](const ManagedKey& known) { return is_to_be_forgotten(known); });
            for (const dns::Dnskey& key : seen_.keys) meet(key);
        }
        zone_.last_tried = now_;
        return {std::move(zone_), std::move(events_)};
    }

  private:
    void tell(RolloverEvent::Kind kind, const dns::Dnskey& key) { events_.push_back({kind, key}); }
    void turn(ManagedKey& known, KeyState state) {
        known.state = state;
        known.since = now_;
    }

    /// RFC 5011 2.1: immediate and permanent. A key that nobody knew or trusts is noted, too: it is not to become
    /// trusted later, and a configured DS may yet name it.
    void revoke(const dns::Dnskey& key) {
        ManagedKey* known = find(zone_, key);
        if (known == nullptr) {
            // Somebody else's dead key costs no place in the list.
            if (!names(configured_, key)) return;
            zone_.keys.push_back({key, KeyState::revoked, now_, now_});
            return tell(RolloverEvent::Kind::revoked, key);
        }
        known->last_seen = now_;
        if (is_dead(known->state)) return;
        turn(*known, KeyState::revoked);
        tell(RolloverEvent::Kind::revoked, key);
    }

    /// A key that was noted before, and an authentic key set.
    void visit(ManagedKey& known) {
        const bool present = contains(seen_.keys, known.key);
        if (present && !is_dead(known.state)) known.last_seen = now_;
        switch (known.state) {
            case KeyState::pending:
                return visit_pending(known, present);
            case KeyState::valid:
                if (present) return;
                turn(known, KeyState::missing);
                return tell(RolloverEvent::Kind::missing, known.key);
            case KeyState::missing:
                if (!present) return;
                turn(known, KeyState::valid);
                return tell(RolloverEvent::Kind::back, known.key);
            case KeyState::revoked:
                if (now_ - known.since < timers_.remove_hold_down()) return;
                turn(known, KeyState::removed);
                return tell(RolloverEvent::Kind::removed, known.key);
            case KeyState::removed:
                return;
        }
    }
    void visit_pending(ManagedKey& known, bool present) {
        // RFC 5011 2.2: an authentic set without it stops the acceptance. Erased by run().
        if (!present) return tell(RolloverEvent::Kind::gone, known.key);
        const bool held = now_ - known.since >= timers_.add_hold_down(zone_.original_ttl);
        if (!held && !names(configured_, known.key)) return;
        turn(known, KeyState::valid);
        tell(RolloverEvent::Kind::trusted, known.key);
    }
    [[nodiscard]] bool is_to_be_forgotten(const ManagedKey& known) const {
        if (known.state == KeyState::pending) return !contains(seen_.keys, known.key);
        return known.state == KeyState::removed && !names(configured_, known.key);
    }

    /// A key in an authentic key set.
    void meet(const dns::Dnskey& key) {
        if (find(zone_, key) != nullptr) return;
        const bool is_configured = names(configured_, key);
        if (zone_.keys.size() >= most_managed_keys && !is_configured) return tell(RolloverEvent::Kind::too_many, key);
        // What is configured was trusted all along, and needs no announcement.
        zone_.keys.push_back({key, is_configured ? KeyState::valid : KeyState::pending, now_, now_});
        if (!is_configured) tell(RolloverEvent::Kind::seen, key);
    }

    ZoneRollover zone_;
    const TrustAnchor& configured_;
    const Observation& seen_;
    const RolloverTimers& timers_;
    WallTime now_;
    std::vector<RolloverEvent> events_;
};

bool names(const dns::Name& zone, const dns::Ds& ds, const dns::Dnskey& key) {
    // Whoever wrote the DS may have taken the flags as they are now or as they were: only the public key counts.
    return is_digest_of(ds, zone, key);
}

}  // namespace

bool operator==(const ManagedKey& left, const ManagedKey& right) {
    return rdata_of(left.key) == rdata_of(right.key) && left.state == right.state && left.since == right.since &&
           left.last_seen == right.last_seen;
}

bool operator==(const RolloverEvent& left, const RolloverEvent& right) {
    return left.kind == right.kind && is_same_key(left.key, right.key);
}

std::string_view to_text(KeyState state) {
    switch (state) {
        case KeyState::pending:
            return "pending";
        case KeyState::valid:
            return "valid";
        case KeyState::missing:
            return "missing";
        case KeyState::revoked:
            return "revoked";
        case KeyState::removed:
            return "removed";
    }
    return "pending";
}

std::optional<KeyState> key_state_from_text(std::string_view text) {
    for (const KeyState state :
         {KeyState::pending, KeyState::valid, KeyState::missing, KeyState::revoked, KeyState::removed}) {
        if (to_text(state) == text) return state;
    }
    return std::nullopt;
}

std::string_view to_text(RolloverEvent::Kind kind) {
    switch (kind) {
        case RolloverEvent::Kind::seen:
            return "is new; it will be trusted when it has been there for 30 days";
        case RolloverEvent::Kind::gone:
            return "is gone again before it was trusted";
        case RolloverEvent::Kind::trusted:
            return "is trusted from now on";
        case RolloverEvent::Kind::missing:
            return "is not in the zone any more, although it was not revoked; it stays trusted";
        case RolloverEvent::Kind::back:
            return "is in the zone again";
        case RolloverEvent::Kind::revoked:
            return "is revoked by its owner, and not trusted any more";
        case RolloverEvent::Kind::removed:
            return "was revoked 30 days ago and counts as removed";
        case RolloverEvent::Kind::too_many:
            return "is new and not noted: the zone has too many keys";
    }
    return "";
}

seconds RolloverTimers::scaled(seconds span) const {
    return seconds(span.count() / std::max<std::int64_t>(pace, 1));
}

seconds RolloverTimers::add_hold_down(seconds original_ttl) const {
    return scaled(std::max(thirty_days, original_ttl));  // RFC 5011 2.4.1
}

seconds RolloverTimers::remove_hold_down() const {
    return scaled(thirty_days);  // RFC 5011 2.4.2
}

seconds RolloverTimers::refresh_interval(const ZoneRollover& zone) const {
    // RFC 5011 2.3: MAX(1 hr, MIN(15 days, 1/2 original TTL, 1/2 what is left of the signature)).
    const seconds wanted = std::min({fifteen_days, zone.original_ttl / 2, zone.signature_life / 2});
    return std::max(seconds(1), scaled(std::max(one_hour, wanted)));
}

seconds RolloverTimers::retry_interval(const ZoneRollover& zone) const {
    // RFC 5011 2.3: MAX(1 hr, MIN(1 day, .1 original TTL, .1 what is left of the signature)).
    const seconds wanted = std::min({one_day, zone.original_ttl / 10, zone.signature_life / 10});
    return std::max(seconds(1), scaled(std::max(one_hour, wanted)));
}

bool names(const TrustAnchor& anchor, const dns::Dnskey& key) {
    return std::ranges::any_of(anchor.ds, [&](const dns::Ds& ds) { return names(anchor.zone, ds, key); }) ||
           std::ranges::any_of(anchor.keys, [&](const dns::Dnskey& one) { return is_same_key(one, key); });
}

Observation observe(const TrustAnchor& trusted, const dns::RRset& dnskey, const Context& context) {
    Observation seen;
    const KeySetResult checked = check_key_set(trusted.zone, Entry{trusted.ds, trusted.keys}, dnskey, context);
    seen.authentic = checked.state == KeySet::secure;
    seen.reason = checked.reason;
    std::size_t revoked = 0;
    for (const Bytes& rdata : dnskey.records) {
        const Result<dns::Dnskey> key = dns::parse_dnskey(rdata);
        if (!key || !key->is_zone_key() || !key->is_secure_entry_point() || key->protocol != 3) continue;
        if (!key->is_revoked()) {
            if (seen.authentic) seen.keys.push_back(*key);
        } else if (++revoked <= most_managed_keys && revokes_itself(*key, dnskey, context)) {
            seen.revoked.push_back(without_revoke_bit(*key));
        }
    }
    bool first = true;
    for (const Bytes& rdata : dnskey.signatures) {
        const Result<dns::Rrsig> rrsig = dns::parse_rrsig(rdata);
        if (!rrsig || rrsig->signer != trusted.zone) continue;
        const seconds ttl(rrsig->original_ttl);
        const seconds life = std::max(seconds(0), widen(rrsig->expiration, context.now) - context.now);
        seen.original_ttl = first ? ttl : std::min(seen.original_ttl, ttl);
        seen.signature_life = first ? life : std::min(seen.signature_life, life);
        first = false;
    }
    return seen;
}

Advanced advance(ZoneRollover zone, const TrustAnchor& configured, const Observation& seen,
                 const RolloverTimers& timers, WallTime now) {
    return Step(std::move(zone), configured, seen, timers, now).run();
}

WallTime next_look(const ZoneRollover& zone, const RolloverTimers& timers, WallTime now) {
    if (!zone.last_tried || *zone.last_tried > now) return now;
    const bool well = zone.last_authentic == zone.last_tried;
    return *zone.last_tried + (well ? timers.refresh_interval(zone) : timers.retry_interval(zone));
}

TrustAnchor in_force(const TrustAnchor& configured, const ZoneRollover& zone) {
    TrustAnchor trusted{configured.zone, {}, {}};
    const auto is_revoked = [&zone, &configured](const auto& record) {
        return std::ranges::any_of(zone.keys, [&](const ManagedKey& known) {
            TrustAnchor alone{configured.zone, {}, {}};
            if constexpr (std::is_same_v<std::decay_t<decltype(record)>, dns::Ds>) {
                alone.ds.push_back(record);
            } else {
                alone.keys.push_back(record);
            }
            return is_dead(known.state) && names(alone, known.key);
        });
    };
    std::ranges::remove_copy_if(configured.ds, std::back_inserter(trusted.ds), is_revoked);
    std::ranges::remove_copy_if(configured.keys, std::back_inserter(trusted.keys), is_revoked);
    for (const ManagedKey& known : zone.keys) {
        if (is_trusted(known.state) && !names(trusted, known.key)) trusted.keys.push_back(known.key);
    }
    return trusted;
}

std::string key_tag_label(const TrustAnchor& anchor) {
    std::set<std::uint16_t> tags;
    for (const dns::Ds& ds : anchor.ds) tags.insert(ds.key_tag);
    for (const dns::Dnskey& key : anchor.keys) tags.insert(key.key_tag);
    std::string label = "_ta";
    std::size_t told = 0;
    for (const std::uint16_t tag : tags) {
        if (++told > most_tags_told) break;
        const std::array<std::uint8_t, 2> octets{static_cast<std::uint8_t>(tag >> 8U),
                                                 static_cast<std::uint8_t>(tag & 0xffU)};
        label += "-" + to_hex(octets);
    }
    return told == 0 ? std::string() : label;
}

ZoneRollover not_of_the_future(ZoneRollover zone, WallTime now) {
    for (ManagedKey& known : zone.keys) {
        if (known.since > now) known.since = now;
        if (known.last_seen && *known.last_seen > now) known.last_seen = now;
    }
    if (zone.last_authentic && *zone.last_authentic > now) zone.last_authentic.reset();
    if (zone.last_tried && *zone.last_tried > now) zone.last_tried.reset();
    return zone;
}

}  // namespace mxtrust::dnssec
