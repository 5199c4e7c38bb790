// The real resolver as route/ sees it, and resolvers of its own for a second look.
#include "route/lookups.h"

#include <utility>

#include "cache/memory_cache.h"
#include "route/fresh_cache.h"

namespace mxtrust::route {
namespace {

/// For one question, or one check of an operator's word.
constexpr std::size_t most_own_entries = 5000;

/// A resolver that lives for seconds does not ask the root for its servers first.
resolve::Settings unprimed(resolve::Settings settings) {
    settings.prime_root = resolve::Switch::off;
    return settings;
}

}  // namespace

task::Task<dnssec::Answer> ResolverLookups::resolve(dns::Name name, dns::Type type, BudgetRef budget) {
    return resolver_.resolve(std::move(name), type, std::move(budget));
}

std::optional<dnssec::Answer> ResolverLookups::peek(const dns::Name& name, dns::Type type) {
    return resolver_.peek(name, type);
}

std::optional<dnssec::Answer> ResolverLookups::at_hand(const dns::Name& name, dns::Type type, Budget& budget) {
    return resolver_.at_hand(name, type, budget);
}

std::optional<cache::Ended> ResolverLookups::once(const dns::Name& name, dns::Type type) {
    return resolver_.tools().cache.find_ended(name, type, resolver_.tools().clock.wall());
}

BudgetRef ResolverLookups::budget(Duration time, BudgetRef parent) {
    return resolver_.budget(time, std::move(parent));
}

std::shared_ptr<Lookups> ResolverLookups::anew() {
    auto cache = std::make_unique<FreshCache>(resolver_.tools().cache);
    return std::make_shared<OwnLookups>(unprimed(resolver_.settings()), resolver_.tools(), std::move(cache));
}

std::shared_ptr<Lookups> ResolverLookups::without(const dns::Name& negative_anchor) {
    resolve::Settings settings = unprimed(resolver_.settings());
    settings.negative_anchors = settings.negative_anchors.without(negative_anchor);
    auto cache = std::make_unique<cache::MemoryCache>(most_own_entries);
    return std::make_shared<OwnLookups>(std::move(settings), resolver_.tools(), std::move(cache));
}

OwnLookups::OwnLookups(resolve::Settings settings, const resolve::Resolver::Tools& tools,
                       std::unique_ptr<cache::Cache> cache)
    : cache_(std::move(cache)),
      resolver_(std::move(settings), {tools.clock, tools.random, tools.network, *cache_, tools.log, tools.scheduler}) {}

task::Task<dnssec::Answer> OwnLookups::resolve(dns::Name name, dns::Type type, BudgetRef budget) {
    return resolver_.resolve(std::move(name), type, std::move(budget));
}

std::optional<dnssec::Answer> OwnLookups::peek(const dns::Name& name, dns::Type type) {
    return resolver_.peek(name, type);
}

std::optional<dnssec::Answer> OwnLookups::at_hand(const dns::Name& name, dns::Type type, Budget& budget) {
    return resolver_.at_hand(name, type, budget);
}

BudgetRef OwnLookups::budget(Duration time, BudgetRef parent) {
    return resolver_.budget(time, std::move(parent));
}

}  // namespace mxtrust::route
