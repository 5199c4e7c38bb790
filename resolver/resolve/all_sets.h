// Type ANY: all sets that a server shows of a name, each judged by itself (RFC 6840 4.2). Nothing is cached: what one
// server shows need not be all there is (RFC 8482).
#pragma once

#include "resolve/chain.h"
#include "resolve/iterate.h"

namespace mxtrust::resolve {

/// The sets at the name, or its denial, or a failure. A CNAME is one of the sets and is not followed (RFC 1034 4.3.2);
/// where a DNAME stands above the name, it comes first, and then what there is at the name that it leads to (RFC
/// 6672 3.2). Empty where nothing came that can be judged. `iterator` and `chain` outlive the task.
task::Task<std::vector<dnssec::FindingRef>> find_all(Iterator* iterator, Chain* chain, dns::Name name,
                                                     BudgetRef budget);

}  // namespace mxtrust::resolve
