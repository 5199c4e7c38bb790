// What route/ wants of a resolver, so that tests can play one in virtual time.
#pragma once

#include <memory>
#include <optional>

#include "base/budget.h"
#include "cache/cache.h"
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
    /// What resolve() would answer, and counted like it, where nobody has to be asked for it.
    virtual std::optional<dnssec::Answer> at_hand(const dns::Name& name, dns::Type type, Budget& budget) {
        static_cast<void>(budget);
        return peek(name, type);
    }
    /// What it said once and has ended: to guess what will be asked, for nothing else.
    virtual std::optional<cache::Ended> once(const dns::Name& name, dns::Type type) {
        static_cast<void>(name);
        static_cast<void>(type);
        return std::nullopt;
    }
    /// A budget for one look-up that also draws from `parent`.
    virtual BudgetRef budget(Duration time, BudgetRef parent) = 0;
    /// The same without what is known of names below the top-level domains: whoever is asked there is asked anew. What
    /// is found out is kept for all. Null where that cannot be had.
    virtual std::shared_ptr<Lookups> anew() { return nullptr; }
    /// The same as if one negative trust anchor did not exist. What is found out is kept for nobody else. Null where
    /// that cannot be had.
    virtual std::shared_ptr<Lookups> without(const dns::Name& negative_anchor) {
        static_cast<void>(negative_anchor);
        return nullptr;
    }
};

class ResolverLookups final : public Lookups {
  public:
    explicit ResolverLookups(resolve::Resolver& resolver) : resolver_(resolver) {}
    task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget) override;
    std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type) override;
    std::optional<dnssec::Answer> at_hand(const dns::Name& name, dns::Type type, Budget& budget) override;
    std::optional<cache::Ended> once(const dns::Name& name, dns::Type type) override;
    BudgetRef budget(Duration time, BudgetRef parent) override;
    std::shared_ptr<Lookups> anew() override;
    std::shared_ptr<Lookups> without(const dns::Name& negative_anchor) override;

  private:
    resolve::Resolver& resolver_;
};

/// A resolver of its own, with a cache of its own, for one purpose and a short time. Must not outlive what `tools`
/// name.
class OwnLookups final : public Lookups {
  public:
    OwnLookups(resolve::Settings settings, const resolve::Resolver::Tools& tools, std::unique_ptr<cache::Cache> cache);
    task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, BudgetRef budget) override;
    std::optional<dnssec::Answer> peek(const dns::Name& name, dns::Type type) override;
    std::optional<dnssec::Answer> at_hand(const dns::Name& name, dns::Type type, Budget& budget) override;
    BudgetRef budget(Duration time, BudgetRef parent) override;

  private:
    std::unique_ptr<cache::Cache> cache_;
    resolve::Resolver resolver_;
};

}  // namespace mxtrust::route
