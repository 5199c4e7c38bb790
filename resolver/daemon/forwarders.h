// The configuration of forwarders and stub zones: [[forward]], [[stub]], [resolver] fallback, and what resolv.conf
// says.
#pragma once

#include <filesystem>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/values.h"

namespace mxtrust::daemon {

Done read_detours(const Value& value, std::vector<resolve::Detour>& target);
/// "off", "resolv.conf", or a list of addresses.
Done read_fallback(const Value& value, ResolverKeys& target);
/// What the forwarders and stub zones must be to each other, and to the rest.
Done check_detours(const Configuration& configuration, const Origin& origin);

/// The name servers of a resolv.conf(5), port 53, without those with a scope and those in `listening`: forwarding to
/// ourselves is a loop. A file that cannot be read has none.
[[nodiscard]] std::vector<Endpoint> forwarders_of_host(const std::filesystem::path& file,
                                                       const std::vector<Endpoint>& listening);
/// Those of the first file that has one for us. Once resolv.conf names this daemon alone, the program that wrote it
/// before has kept what the network gave it elsewhere.
[[nodiscard]] std::vector<Endpoint> forwarders_of_host(const std::vector<std::filesystem::path>& files,
                                                       const std::vector<Endpoint>& listening);
/// Does a question to `server` come to one of these? Wildcard addresses stand for all of this machine's.
[[nodiscard]] bool is_ours(const Endpoint& server, const std::vector<Endpoint>& listening);
/// Where to look for the host's name servers; empty: nowhere. Those of this world know nothing of another root's.
[[nodiscard]] std::vector<std::filesystem::path> resolv_confs_of(const Configuration& configuration);

}  // namespace mxtrust::daemon
