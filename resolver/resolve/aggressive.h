// Denials from what is cached: a question that a secure NSEC or NSEC3 already answers is not asked again (RFC 8198).
// Never from opt-out spans, never without the zone's SOA; what it finds is judged by dnssec::Judge like an answer from
// outside.
#pragma once

#include "base/budget.h"
#include "cache/cache.h"
#include "dnssec/judge.h"

namespace mxtrust::resolve {

/// Keeps the sets that a secure finding rests on, for the questions to come.
void keep_denials(cache::Cache& cache, const dnssec::Finding& finding);

/// Null where the cache proves nothing. `zone`: the deepest zone known that the name lies in (for DS: that the cut's
/// parent is).
dnssec::FindingRef deny_from_cache(cache::Cache& cache, const dns::Name& name, dns::Type type, const dns::Name& zone,
                                   const dnssec::Policy& policy, WallTime now, Budget& budget);

}  // namespace mxtrust::resolve
