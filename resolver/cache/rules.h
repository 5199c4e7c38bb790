// Who may take whose place in the cache, and what is dear to it. Pure; RFC 2181 5.4.1, validator-pitfalls 29, RFC
// 2308 5.
#pragma once

#include <string>
#include <vector>

#include "cache/record.h"
#include "cache/records.h"

namespace mxtrust::cache {

/// What a new record does to those that are there.
struct Change {
    bool accepted = false;
    std::vector<std::string> superseded;  ///< keys of records that the new one contradicts
};

/// May `incoming` take the place of `present`, which is still good?
/// - secure gives way to secure only: never to insecure, bogus or a failure;
/// - proven data gives way to no failure of an indeterminate kind; insecure data does give way to bogus (the stricter),
/// and to
///   proven news;
/// - bogus gives way to a new verdict, not to a failure to reach one; a failure gives way to anything.
[[nodiscard]] bool may_replace(const Header& present, const Header& incoming);

/// Decides on one record, at the time it was stored, against what is in the same place and what would contradict it:
/// an NXDOMAIN against all types of its name, records and NODATA against an NXDOMAIN of the name or above it (RFC
/// 8020); an NXDOMAIN that nothing proves, in its type's place, against nothing that is as unproven. The newer wins
/// unless the older is secure and the newer is not. A denial's set only gets longer to live, or dearer. Records of
/// another epoch, expired, or damaged stand in nobody's way.
[[nodiscard]] Change decide(Records& records, std::string_view key, const Header& incoming);

/// How dear a record is, least first: what a flood of questions makes (denials of names never asked again, failures)
/// goes before what mail needs. An answer that was hit moves up (`used`).
enum class Use : std::uint8_t { rubbish, used_rubbish, answer, structure, used_answer, used_structure, note };
inline constexpr std::size_t use_count = 7;
inline constexpr std::size_t most_answer_octets = 4096;
/// `octets`: of the content; an answer far larger than mail needs is rubbish until somebody asks again.
[[nodiscard]] Use use_of(std::string_view key, const Header& header, std::size_t octets);
/// After a hit. The same as before where it is as high as it gets.
[[nodiscard]] Use after_hit(Use use);
/// Whether it is what after_hit makes.
[[nodiscard]] bool is_used(Use use);

}  // namespace mxtrust::cache
