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

BudgetLimits limits_of_an_answer(const BudgetLimits& lookup) {
    BudgetLimits answer = lookup;
    auto& verifications = answer.most.at(static_cast<std::size_t>(Limit::verifications));
    auto& failures = answer.most.at(static_cast<std::size_t>(Limit::failures));
    verifications = verifications / 2 + 1;
    failures = (failures + 1) / 2;
    return answer;
}

Budget::Budget(BudgetLimits limits, MonoTime deadline, std::shared_ptr<Budget> parent, std::shared_ptr<Meter> meter,
               QuestionNumber question)
    : limits_(limits),
      deadline_(parent == nullptr ? deadline : std::min(deadline, parent->deadline())),
      patience_(deadline_),
      parent_(std::move(parent)),
      meter_(std::move(meter)),
      question_(parent_ == nullptr ? question : parent_->question_) {}

bool Budget::take(Limit limit, std::uint32_t count) {
    const auto index = static_cast<std::size_t>(limit);
    Budget* refusing = this;
    while (refusing != nullptr && count <= refusing->limits_.most.at(index) - refusing->used_.at(index)) {
        refusing = refusing->parent_.get();
    }
    if (refusing == nullptr) {
        for (Budget* budget = this; budget != nullptr; budget = budget->parent_.get()) {
            budget->used_.at(index) += count;
            if (budget->meter_) budget->meter_->drawn.at(index) += count;
        }
        return true;
    }
    // Whoever looks at this budget later must find the reason here, also when it was the parent that had nothing left.
    for (Budget* budget = this; budget != refusing->parent_.get(); budget = budget->parent_.get()) {
        if (!budget->exhausted_) {
            budget->exhausted_ = limit;
            budget->starved_ = budget != refusing;
            if (budget->meter_) ++budget->meter_->exhausted.at(index);
        }
    }
    return false;
}

std::uint32_t Budget::used(Limit limit) const {
    return used_.at(static_cast<std::size_t>(limit));
}

}  // namespace mxtrust
