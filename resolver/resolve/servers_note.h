// Servers as a note of the cache, so that who is dead, far or near is known again after a restart, in whichever worker.
//
// A note is a hint and nothing else: one that is damaged, too old or from the future is left alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/cache.h"
#include "resolve/servers.h"

namespace mxtrust::resolve {

inline constexpr std::size_t most_servers_noted = 2'000;  ///< per worker: 44 KiB at most
inline constexpr std::size_t most_server_notes = 64;      ///< workers whose notes are read
inline constexpr std::chrono::seconds servers_kept{24 * 3600};
/// How long a family counts as dead: by then its owner may have mended it, or we are somewhere else.
inline constexpr std::chrono::seconds dead_family_kept{3600};

struct NotedServers {
    WallTime noted;
    ServersMemory memory;
};
[[nodiscard]] std::string servers_note(const NotedServers& servers);
/// Nothing where these are not the octets of one.
[[nodiscard]] std::optional<NotedServers> read_servers_note(std::string_view note);

/// Notes what a worker knows of servers; false where it knows nothing that counts (Servers::is_anybody_there), and the
/// note of an earlier time stays.
bool note_servers(const Servers& servers, std::size_t worker, cache::Cache& cache, const Clock& clock);
/// What the workers of an earlier run noted, `worker`'s own first.
void recall_servers(Servers& servers, std::size_t worker, cache::Cache& cache, const Clock& clock);

}  // namespace mxtrust::resolve
