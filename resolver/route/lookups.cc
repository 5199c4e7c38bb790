// The real resolver as route/ sees it.
#include "route/lookups.h"

#include <utility>

namespace mxtrust::route {

task::Task<dnssec::Answer> ResolverLookups::resolve(dns::Name name, dns::Type type, BudgetRef budget) {
    return resolver_.resolve(std::move(name), type, std::move(budget));
}

std::optional<dnssec::Answer> ResolverLookups::peek(const dns::Name& name, dns::Type type) {
    return resolver_.peek(name, type);
}

BudgetRef ResolverLookups::budget(Duration time, BudgetRef parent) {
    return resolver_.budget(time, std::move(parent));
}

}  // namespace mxtrust::route
