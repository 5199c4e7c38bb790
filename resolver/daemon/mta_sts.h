// MTA-STS in one worker: what route/ wants of it (route/sts_source.h), made of the policies (sts/policies.h), which ask
// this worker's resolver and the thread that fetches.
#pragma once

#include <memory>

#include "cache/cache.h"
#include "daemon/configuration.h"
#include "net/loop.h"
#include "resolve/resolver.h"
#include "route/sts_source.h"
#include "serve/status.h"
#include "sts/fetch_thread.h"
#include "sts/policies.h"

namespace mxtrust::daemon {

[[nodiscard]] sts::PolicySettings policy_settings(const Configuration& configuration);
[[nodiscard]] sts::FetchSettings fetch_settings(const Configuration& configuration);

/// Can the file of certificate authorities that is configured, if one is, be read by this account, and is there any in
/// it? With none every policy would be out of reach, and its domains' mail as if they had none.
Done check_authorities(const Configuration& configuration, const Origin& origin);

class MtaSts final : public route::StsSource {
  public:
    struct Tools {  ///< all outlive it
        const Clock& clock;
        resolve::Resolver& resolver;
        sts::FetchThread& thread;
        net::UvLoop& loop;
    };
    MtaSts(sts::PolicySettings settings, Tools tools, std::unique_ptr<cache::Cache> kept);
    /// Null where nobody fetches: MTA-STS is switched off.
    [[nodiscard]] static std::unique_ptr<MtaSts> make(const sts::PolicySettings& settings, sts::FetchThread* fetching,
                                                      std::unique_ptr<cache::Cache> kept, const Clock& clock,
                                                      resolve::Resolver& resolver, net::UvLoop& loop);

    task::Task<mail::StsStatus> find(dns::Name domain, std::optional<dnssec::Answer> record, MonoTime due) override;
    /// Looks after what is kept, for ever; one worker does it.
    task::Task<void> tend();
    [[nodiscard]] serve::StsCounters counters() const;

  private:
    class OwnDns final : public sts::Dns {
      public:
        explicit OwnDns(resolve::Resolver& resolver, const Clock& clock) : resolver_(resolver), clock_(clock) {}
        task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, MonoTime deadline) override;

      private:
        resolve::Resolver& resolver_;
        const Clock& clock_;
    };

    OwnDns dns_;
    std::unique_ptr<cache::Cache> kept_;
    std::unique_ptr<sts::Fetcher> fetcher_;
    sts::Policies policies_;
};

}  // namespace mxtrust::daemon
