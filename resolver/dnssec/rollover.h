// How trust anchors change over time (RFC 5011): a function of what was known, what the zone shows now, and the time.
// Nothing here fetches, looks at a clock or writes a file; daemon/anchors.h does.
//
// What differs from the RFC, and why:
// - The configured anchors (built in, or the operator's) stay trusted beside what was learnt, until one of their keys
//   is seen revoked: state that is lost or wrong can never take trust away, let alone turn validation off.
// - A revoked key is remembered for as long as a configured anchor names it (RFC 5011 4.2 would forget it after the
//   remove hold-down, and the configured DS would bring it back).
// - Where every anchor of a zone is revoked, the zone is not taken for unsigned (RFC 5011 5): nothing in it is secure
//   until there is another anchor.
#pragma once

#include <map>
#include <optional>

#include "dnssec/anchor.h"
#include "dnssec/signature.h"

namespace mxtrust::dnssec {

/// RFC 5011 4.2; "start" is a key that nobody has noted.
enum class KeyState : std::uint8_t {
    pending,  ///< seen, not trusted yet: the add hold-down runs
    valid,    ///< trusted
    missing,  ///< trusted, but not in the zone at the last look
    revoked,  ///< by its own signature; the remove hold-down runs
    removed,  ///< that has ended as well
};
[[nodiscard]] std::string_view to_text(KeyState state);
[[nodiscard]] std::optional<KeyState> key_state_from_text(std::string_view text);

struct ManagedKey {
    dns::Dnskey key;  ///< without the REVOKE bit
    KeyState state{};
    WallTime since{};                   ///< in this state
    std::optional<WallTime> last_seen;  ///< in an authentic key set
    friend bool operator==(const ManagedKey& left, const ManagedKey& right);
};

/// What is remembered of one zone.
struct ZoneRollover {
    std::vector<ManagedKey> keys;
    std::optional<WallTime> last_authentic;  ///< a key set was seen that a trusted key signs
    std::optional<WallTime> last_tried;
    std::chrono::seconds original_ttl{0};    ///< of that key set; 0: none was seen
    std::chrono::seconds signature_life{0};  ///< how long its signatures still held
    friend bool operator==(const ZoneRollover&, const ZoneRollover&) = default;
};
using Rollovers = std::map<dns::Name, ZoneRollover>;

/// RFC 5011 2.2, 2.3, 2.4.1. `pace` divides every span, so that a test sees a rollover of months in seconds.
struct RolloverTimers {
    std::int64_t pace = 1;
    [[nodiscard]] std::chrono::seconds scaled(std::chrono::seconds span) const;
    [[nodiscard]] std::chrono::seconds add_hold_down(std::chrono::seconds original_ttl) const;
    [[nodiscard]] std::chrono::seconds remove_hold_down() const;
    [[nodiscard]] std::chrono::seconds refresh_interval(const ZoneRollover& zone) const;
    [[nodiscard]] std::chrono::seconds retry_interval(const ZoneRollover& zone) const;
};

/// Keys noted of one zone: RFC 5011 6.1 wants at least five; the root never had more than three (A1, A5).
inline constexpr std::size_t most_managed_keys = 16;

/// A zone's key set, as far as rollovers are concerned.
struct Observation {
    bool authentic = false;            ///< a trusted key signs it
    std::vector<dns::Dnskey> keys;     ///< those that may become anchors: zone key, SEP, protocol 3, not revoked
    std::vector<dns::Dnskey> revoked;  ///< with the REVOKE bit and a signature by themselves; the bit is taken off here
    std::chrono::seconds original_ttl{0}, signature_life{0};
    Reason reason;  ///< why it is not authentic
};
/// `trusted`: the anchors in force. Verifications draw from the budget.
[[nodiscard]] Observation observe(const TrustAnchor& trusted, const dns::RRset& dnskey, const Context& context);

/// What happened, for log and status.
struct RolloverEvent {
    enum class Kind : std::uint8_t {
        seen,      ///< a new key: the add hold-down begins
        gone,      ///< it went before it was trusted: all begins anew
        trusted,   ///< it is an anchor from now on
        missing,   ///< an anchor is not in the zone any more, without having been revoked
        back,      ///< it is there again
        revoked,   ///< never trusted again
        removed,   ///< the remove hold-down has ended
        too_many,  ///< not noted: there are too many keys
    };
    Kind kind{};
    dns::Dnskey key;
    friend bool operator==(const RolloverEvent& left, const RolloverEvent& right);
};
[[nodiscard]] std::string_view to_text(RolloverEvent::Kind kind);

struct Advanced {
    ZoneRollover zone;
    std::vector<RolloverEvent> events;
};
/// One step: `configured` is what holds without any state. An observation that is neither authentic nor revokes
/// anything changes nothing but last_tried.
[[nodiscard]] Advanced advance(ZoneRollover zone, const TrustAnchor& configured, const Observation& seen,
                               const RolloverTimers& timers, WallTime now);

/// When to look again; at once where the clock was set back to before the last look.
[[nodiscard]] WallTime next_look(const ZoneRollover& zone, const RolloverTimers& timers, WallTime now);
/// The anchors in force: what is configured and not revoked, and what was learnt. May be left without any record: then
/// nothing in the zone can be secure.
[[nodiscard]] TrustAnchor in_force(const TrustAnchor& configured, const ZoneRollover& zone);
/// State that was written while the clock was ahead of now: what is pending begins anew; what is trusted or revoked
/// stays so.
[[nodiscard]] ZoneRollover not_of_the_future(ZoneRollover zone, WallTime now);

/// Does the DS, or the key, name this one? (flags but REVOKE do not count)
[[nodiscard]] bool names(const TrustAnchor& anchor, const dns::Dnskey& key);

/// "_ta-4a5c-4f66" (RFC 8145 5.1): the tags of these anchors, ascending; empty where there is none.
[[nodiscard]] std::string key_tag_label(const TrustAnchor& anchor);

/// The state as text, for a file: readable, with a version and a checksum. decode(encode(x)) == x.
[[nodiscard]] std::string encode_rollovers(const Rollovers& zones, WallTime written);
struct DecodedRollovers {
    Rollovers zones;
    WallTime written{};
};
/// FailureKind::unsupported: of a later version; malformed: damaged, or no such file at all.
[[nodiscard]] Result<DecodedRollovers> decode_rollovers(std::string_view text);
inline constexpr std::size_t most_rollover_octets = 262144;

}  // namespace mxtrust::dnssec
