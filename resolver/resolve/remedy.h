// From what is wrong to what would mend it: one table for logs, answers and explanations. Pure; the place in the source
// (Reason::code) decides, so that no text is ever searched for words.
//
// A remedy is likely, not certain: who sees a broken zone from outside cannot know what its operator did. It names the
// party that can act, and the first thing to look at.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dnssec/finding.h"

namespace mxtrust::resolve {

/// Who can mend it.
enum class Party : std::uint8_t {
    zone,    ///< who signs and serves the zone
    parent,  ///< the zone's registrar or parent, on the zone's order
    us,      ///< who runs this machine
};
[[nodiscard]] std::string_view to_text(Party party);  ///< "zone", "parent", "us"

struct Remedy {
    std::string_view fault;  ///< one word for a kind of breakage, as PROTOCOL.md lists them: "signature-expired"
    Party party = Party::zone;
    std::string text;  ///< a sentence without final stop
};

/// Nothing where the reason says nothing, or comes from a place that the table does not know.
[[nodiscard]] std::optional<Remedy> remedy_of(const dnssec::Reason& reason);

/// The codes that the table knows; a test holds them against the source.
struct KnownPlace {
    std::string_view code, fault;
};
[[nodiscard]] std::span<const KnownPlace> known_places();
/// Every kind of breakage, once.
[[nodiscard]] std::vector<std::string_view> known_faults();

}  // namespace mxtrust::resolve
