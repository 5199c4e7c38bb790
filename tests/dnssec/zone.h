// Test zones as text, and what servers and validators do with them: answers put together by hand, judged at a fixed
// time.
#pragma once

#include <string>
#include <vector>

#include "dnssec/judge.h"
#include "signer.h"

namespace mxtrust::test {

/// RRsets with their signatures; each record one line: owner, type, rdata. TTL 3600.
class Zone {
  public:
    explicit Zone(const std::string& text);
    explicit Zone(std::vector<dns::RRset> sets) : sets_(std::move(sets)) {}
    [[nodiscard]] const dns::RRset& at(const std::string& owner, dns::Type type) const;
    [[nodiscard]] const std::vector<dns::RRset>& all() const { return sets_; }

  private:
    std::vector<dns::RRset> sets_;
};

/// A Judge with a budget and a time of its own.
struct Court {
    explicit Court(WallTime when = noon, dnssec::Policy rules = {}, BudgetLimits limits = {})
        : policy(rules), now(when), budget(limits, MonoTime{}), judge(policy, now, budget) {}
    dnssec::Policy policy;
    WallTime now;
    Budget budget;
    dnssec::Judge judge;
};

[[nodiscard]] dnssec::Response answer(const std::string& owner, dns::Type type, dns::RRset positive,
                                      std::vector<dns::RRset> authority = {});
[[nodiscard]] dnssec::Response denial(const std::string& owner, dns::Type type, dnssec::Shape shape,
                                      std::vector<dns::RRset> authority);

/// Two numbers for Catch to print.
[[nodiscard]] std::string verdict(const dnssec::FindingRef& finding);  ///< "secure nxdomain", "bogus failure", …

}  // namespace mxtrust::test
