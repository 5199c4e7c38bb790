// How a policy is fetched, as policies.h sees it: so that tests can play the web in virtual time.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/name.h"
#include "mail/answer.h"
#include "task/task.h"

namespace mxtrust::sts {

struct FetchRequest {
    dns::Name host;                  ///< mta-sts.DOMAIN
    std::vector<Address> addresses;  ///< nobody else is connected to; not empty
};

/// A policy's text as it came, or why it did not.
struct Fetched {
    bool good = false;
    std::string text;
    mail::StsTrouble trouble;  ///< where it is not good
};

class Fetcher {
  public:
    Fetcher() = default;
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;
    virtual ~Fetcher() = default;

    /// GET https://HOST/.well-known/mta-sts.txt (RFC 8461 3.3): 200 only, text/plain, at most 64 KiB, no redirects, by
    /// the deadline.
    virtual task::Task<Fetched> fetch(FetchRequest request, MonoTime deadline) = 0;
};

}  // namespace mxtrust::sts
