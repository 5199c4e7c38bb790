// What route/ wants of a resolver, so that tests can play one in virtual time.
#pragma once

#include "base/budget.h"
#include "dns/name.h"
#include "dns/types.h"
#include "dnssec/finding.h"
#include "resolve/resolver.h"
#include "task/task.h"

namespace mxtrust::route {

class Lookups {
  public:
    Lookups() = default;
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;
    virtual ~Lookups() = default;

    /// Always an answer, by the budget's deadline.
    virtual task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget) = 0;
    /// What the cache knows without asking anybody.
    virtual std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type) = 0;
    /// A budget for one look-up that also draws from `parent`.
    virtual BudgetRef budget(Duration time, BudgetRef parent) = 0;
};

class ResolverLookups final : public Lookups {
  public:
    explicit ResolverLookups(resolve::Resolver& resolver) : resolver_(resolver) {}
    task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget) override;
    std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type) override;
    BudgetRef budget(Duration time, BudgetRef parent) override;

  private:
    resolve::Resolver& resolver_;
};

}  // namespace mxtrust::route
