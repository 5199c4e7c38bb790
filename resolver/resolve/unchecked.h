// What name servers say, from alias to alias, and nobody has judged: for clients that set CD (RFC 4035 3.2.2). It never
// meets what was judged.
#pragma once

#include <chrono>

#include "resolve/iterate.h"

namespace mxtrust::resolve {

/// How long such an answer may be kept.
struct Lifetime {
    WallTime now{};
    std::chrono::seconds least_ttl{}, most_ttl{};
};

/// Always an answer; SERVFAIL with a reason where the servers have none. `iterator` outlives the task.
task::Task<RawAnswer> find_unchecked(Iterator* iterator, dns::Name name, dns::Type type, Lifetime life,
                                     BudgetRef budget);

}  // namespace mxtrust::resolve
