// Keys of the store: one octet for the kind of record, then names in lookup form, so that the store's octet order is
// the DNS's canonical order (RFC 4034 6.1), a subtree is one range, and "the greatest owner ≤ this position" is one
// seek.
//
//   answer  'a' lookup_key(name) 00 type       one judged finding; type 0: the proven NXDOMAIN of the name, whatever
//                                              was asked
//   cut     'c' lookup_key(zone)               a zone cut
//   denial  'd' lookup_key(zone) 00 type rest 00 version
//                                              an NSEC, NSEC3 or SOA set of a zone; `rest` is the owner's key behind
//                                              the zone's, `version` four octets made of the set: findings that rest on
//                                              it refer to it (codec.h), also when the zone has a newer one by now
//   note    'n' text                           small named state
//
// A lookup key is made of labels that end in 00 and hold none, so no label begins with 00: the separator puts a name's
// own records together, before those of all names below it. The longest name with every octet escaped gives 508 octets,
// LMDB takes 511; a longer key (a note's) makes nothing here, and such a thing is not cached.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/name.h"
#include "dns/types.h"

namespace mxtrust::cache {

inline constexpr std::size_t most_key_octets = 511;  ///< LMDB's compiled-in limit
/// In the place of the type: the NXDOMAIN of a name. Type 0 is reserved and never asked (RFC 6895 3.1).
inline constexpr dns::Type nxdomain_slot{0};

enum class Kind : char { answer = 'a', cut = 'c', denial = 'd', note = 'n' };
/// The kind that a key begins with; nothing where there is none such.
[[nodiscard]] std::optional<Kind> kind_of(std::string_view key);

[[nodiscard]] std::string answer_key(const dns::Name& name, dns::Type type);
[[nodiscard]] std::string cut_key(const dns::Name& zone);
/// What all versions of this owner's set begin with. Requires: owner.is_within(zone).
[[nodiscard]] std::string denial_versions(const dns::Name& zone, dns::Type type, const dns::Name& owner);
[[nodiscard]] std::string denial_key(const dns::Name& zone, dns::Type type, const dns::Name& owner,
                                     std::uint32_t version);
/// What all denial keys of this zone and type begin with.
[[nodiscard]] std::string denial_prefix(const dns::Name& zone, dns::Type type);
[[nodiscard]] std::string note_key(std::string_view text);

/// The owner of a denial record. Requires: `key` begins with denial_prefix(zone, type).
[[nodiscard]] Result<dns::Name> denial_owner(const dns::Name& zone, dns::Type type, std::string_view key);

/// The type at the end of an answer key. Requires: kind_of(key) == answer.
[[nodiscard]] dns::Type answer_type(std::string_view key);
/// All answer keys of the name of this answer key begin with it. Requires: kind_of(key) == answer.
[[nodiscard]] std::string_view answer_prefix(std::string_view key);
/// The same slot of the name's ancestors, root last. Requires: kind_of(key) == answer.
[[nodiscard]] std::vector<std::string> ancestors_slots(std::string_view key, dns::Type type);

/// Keys from `from` up to, not including, `to`.
struct Range {
    std::string from, to;
    [[nodiscard]] bool has(std::string_view key) const { return key >= from && key < to; }
    friend bool operator==(const Range&, const Range&) = default;
};
/// All keys that begin with `prefix`. Requires: it is not empty and does not end in FF only.
[[nodiscard]] Range prefix_range(std::string_view prefix);
/// What has to go so that nothing is known of a name (and of all below it): its answers and cut, the denials of its
/// zones, and of its ancestors whatever denies or renames it from above: NXDOMAIN (RFC 8020), DNAME (RFC 6672), denial
/// sets (RFC 8198).
[[nodiscard]] std::vector<Range> flush_ranges(const dns::Name& name, bool subtree);

}  // namespace mxtrust::cache
