// One Universe's history: questions by the hundred, faults between and beneath them, and what must hold after every
// answer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resolve/resolver.h"
#include "simulate/weather.h"
#include "task/manual.h"

namespace simulate {

/// What is checked, and counted.
enum class Rule : std::uint8_t {
    secure_is_true,         ///< secure: the zone is, and it is the zone's data
    secure_in_time,         ///< secure: not beyond the zone's signatures
    insecure_is_proven,     ///< insecure: not in a signed zone, but what opt-out allows
    insecure_is_honest,     ///< insecure, where no liar has a hand in the zone: the zone's data
    bogus_carries_nothing,  ///< bogus and indeterminate: no data
    deadline_kept,
    budget_kept,
    calm_is_answered,  ///< where nothing is wrong, everything is found out
    nothing_left,      ///< no task, timer, exchange or allocation outlives its work
};
inline constexpr std::size_t rule_count = 9;
[[nodiscard]] std::string_view to_text(Rule rule);

struct Tally {
    std::array<std::uint64_t, rule_count> held{};
    std::uint64_t resolutions = 0, cancelled = 0, secure = 0, insecure = 0, bogus = 0, indeterminate = 0, packets = 0,
                  lies = 0, flushes = 0, changes = 0, closings = 0, steps = 0, outages = 0;
};

struct Violation {
    Rule rule{};
    std::string text;
};

enum class Tracing : std::uint8_t { off, on };

/// Runs the history of seed `seed`: `resolutions` questions. Returns what did not hold; stops at the first.
std::vector<Violation> run_history(std::uint64_t seed, std::uint64_t resolutions, Tally& tally, Tracing tracing,
                                   std::vector<std::string>& trace);

}  // namespace simulate
