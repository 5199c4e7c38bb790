// What of an authority's message may be looked at: records that lie within the zone that was asked (RFC 2181 5.4.1;
// attacks A28, A34). Glue is taken only for name servers of the referral, and only within the zone asked. Pure.
#pragma once

#include <vector>

#include "base/networks.h"
#include "cache/cache.h"
#include "dns/message.h"

namespace mxtrust::resolve {

inline constexpr std::size_t most_servers_per_zone = 13;     ///< NS used per delegation (A15, A16)
inline constexpr std::size_t most_addresses_per_server = 6;  ///< addresses per name server
inline constexpr std::size_t most_records_per_set = 256;     ///< RRs per RRset (A19)

/// RRsets of a section whose owners lie within `zone`; sets of too many records are dropped.
std::vector<dns::RRset> within_zone(const std::vector<dns::Record>& section, const dns::Name& zone);
/// Has within_zone dropped one? What it was is not known then, and must not look as if it were not there.
[[nodiscard]] bool has_overlarge_set(const std::vector<dns::Record>& section, const dns::Name& zone);

/// Takes A and AAAA records with an address of `networks` out of a message, but those of names within `exempt`: what a
/// public name has no business to point to (DNS rebinding). A signed set that loses one does not verify any more.
void drop_private_addresses(dns::Message& message, const std::vector<Network>& networks,
                            const std::vector<dns::Name>& exempt);

/// The name servers of an NS set with their in-bailiwick glue from the additional section.
std::vector<cache::NameServer> servers_with_glue(const dns::RRset& ns, const std::vector<dns::Record>& additional,
                                                 const dns::Name& zone_asked);

}  // namespace mxtrust::resolve
