// How much the doors let in at a time. Few, while memory is short: those are answered as ever, and whoever comes when
// as many are under way is told to come again, as at any other limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mxtrust::serve {

enum class Restraint : std::uint8_t { none, few };

/// Questions of one worker and door at once. Enough for a mail server's usual day: most answers are there within
/// milliseconds. One that is being looked up takes some 100 KiB, one with many hosts up to a MiB.
inline constexpr std::size_t few_questions = 32;
/// Of the connections that a door may have otherwise, this part; those that are there stay.
inline constexpr std::size_t few_connections_part = 8;

}  // namespace mxtrust::serve
