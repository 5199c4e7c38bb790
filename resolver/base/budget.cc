// Drawing from a budget and from all budgets above it, or from none of them.
#include "base/budget.h"

#include <algorithm>
#include <utility>

#include "base/require.h"

namespace mxtrust {

std::string_view name_of(Limit limit) {
    switch (limit) {
        case Limit::packets:
            return "packets";
        case Limit::bytes:
            return "bytes";
        case Limit::verifications:
            return "verifications";
        case Limit::failures:
            return "failures";
        case Limit::nsec3_hashes:
            return "nsec3_hashes";
        case Limit::lookups:
            return "lookups";
    }
    broken_promise(std::source_location::current());
}

Budget::Budget(BudgetLimits limits, MonoTime deadline, std::shared_ptr<Budget> parent)
    : limits_(limits),
      deadline_(parent == nullptr ? deadline : std::min(deadline, parent->deadline())),
      parent_(std::move(parent)) {}

bool Budget::take(Limit limit, std::uint32_t count) {
    const auto index = static_cast<std::size_t>(limit);
    Budget* refusing = this;
    while (refusing != nullptr && count <= refusing->limits_.most.at(index) - refusing->used_.at(index)) {
        refusing = refusing->parent_.get();
    }
    if (refusing == nullptr) {
        for (Budget* budget = this; budget != nullptr; budget = budget->parent_.get()) {
            budget->used_.at(index) += count;
        }
        return true;
    }
    // Whoever looks at this budget later must find the reason here, also when it was the parent that had nothing left.
    for (Budget* budget = this; budget != refusing->parent_.get(); budget = budget->parent_.get()) {
        if (!budget->exhausted_) {
            budget->exhausted_ = limit;
        }
    }
    return false;
}

std::uint32_t Budget::used(Limit limit) const {
    return used_.at(static_cast<std::size_t>(limit));
}

}  // namespace mxtrust
