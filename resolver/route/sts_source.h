// What route/ wants of MTA-STS (RFC 8461), so that tests can play it and the mail answer does not know how policies are
// fetched and kept.
#pragma once

#include <optional>

#include "base/clock.h"
#include "dns/name.h"
#include "dnssec/finding.h"
#include "mail/answer.h"
#include "task/task.h"

namespace mxtrust::route {

class StsSource {
  public:
    StsSource() = default;
    StsSource(const StsSource&) = delete;
    StsSource& operator=(const StsSource&) = delete;
    virtual ~StsSource() = default;

    /// The policy that holds for the domain, given the answer for the TXT record at _mta-sts, or none where that did
    /// not come in time. Always by `due`; a fetch that takes longer goes on, and the next question profits.
    virtual task::Task<mail::StsStatus> find(dns::Name domain, std::optional<dnssec::Answer> record, MonoTime due) = 0;
};

}  // namespace mxtrust::route
