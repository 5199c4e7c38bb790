// The policies of MTA-STS that hold (RFC 8461): found by a domain's TXT record, fetched over HTTPS, kept until they
// end.
//
// A policy that is kept holds until its max_age, whatever becomes of the record or of the web server (RFC 8461 5.1);
// only a newer policy replaces it, one with "mode: none" at once. A changed id in the record is a reason to fetch, with
// the one who asks waiting for it no longer than it has time. Policies in use are fetched again in the background long
// before their end. A failed fetch is not repeated for a while. One for each worker; what is kept is shared by all
// through the store. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/networks.h"
#include "cache/cache.h"
#include "dnssec/finding.h"
#include "mail/answer.h"
#include "sts/fetcher.h"
#include "task/scheduler.h"
#include "task/single_flight.h"
#include "task/task.h"

namespace mxtrust::sts {

/// Our own resolver, as far as it is needed here.
class Dns {
  public:
    Dns() = default;
    Dns(const Dns&) = delete;
    Dns& operator=(const Dns&) = delete;
    virtual ~Dns() = default;
    /// Always an answer, by the deadline.
    virtual task::Task<dnssec::Answer> resolve(dns::Name name, dns::Type type, MonoTime deadline) = 0;
};

enum class Allowed : std::uint8_t { no, yes };

/// Limits with their reasons.
struct PolicySettings {
    Duration fetch_time{30'000};        ///< addresses and transfer; RFC 8461 3.3 suggests a minute, an MTA waits less
    std::chrono::seconds retry{300};    ///< RFC 8461 3.3: five minutes between tries of one policy
    std::chrono::seconds calm{3600};    ///< the same in the background
    std::chrono::seconds daily{86400};  ///< fetched again after so long, or half of its life where that is less
    std::chrono::seconds round{1800};   ///< between two looks for policies to be fetched again
    std::chrono::seconds idle{30 * 86400};  ///< a policy that nobody asked for so long ends when it ends
    std::size_t most_fetches = 64;          ///< of this worker at once; what comes when they are fails
    std::size_t most_addresses = 8;         ///< of one web server: some may be dead, not all matter
    std::size_t most_policies = 50'000;     ///< looked through for those to be fetched again
    Allowed ipv4 = Allowed::yes, ipv6 = Allowed::yes;
    Allowed local_addresses = Allowed::no, loopback_addresses = Allowed::no;  ///< tests only
    std::vector<Network> private_addresses;                                   ///< never connected to
};

struct PolicyCounters {
    std::uint64_t asked = 0;      ///< domains looked at
    std::uint64_t fetches = 0;    ///< begun
    std::uint64_t failures = 0;   ///< of these
    std::uint64_t refreshed = 0;  ///< fetched again in the background
};

class Policies {
  public:
    struct Tools {  ///< all outlive it
        const Clock& clock;
        cache::Cache& kept;  ///< for notes only; not the one of DNS answers, which are dropped for room
        Dns& dns;
        Fetcher& fetcher;
        task::Scheduler& scheduler;
    };
    Policies(PolicySettings settings, Tools tools);

    /// What holds for the domain, given the answer for TXT at _mta-sts; none where that was not there in time. By
    /// `due`; a fetch that takes longer goes on.
    task::Task<mail::StsStatus> find(dns::Name domain, std::optional<dnssec::Answer> record, MonoTime due);
    /// Looks after what is kept, for ever. One worker does it. Must not outlive this.
    task::Task<void> run();
    /// Fetches again what is due, one after the other.
    task::Task<void> round();
    [[nodiscard]] const PolicyCounters& counters() const { return counters_; }

  private:
    struct Kept {
        mail::StsPolicy policy;
        WallTime used{};  ///< by a question, to the day
    };
    struct Outcome {
        std::optional<mail::StsPolicy> policy;
        mail::StsTrouble trouble;  ///< where there is none
    };
    struct Found {
        std::vector<Address> addresses;
        std::string why;  ///< where there is none
    };
    class Starter;

    [[nodiscard]] std::optional<Kept> load(const dns::Name& domain, WallTime now);
    void store(const dns::Name& domain, const Kept& kept);
    void note_failure(const dns::Name& domain, const std::string& id, const mail::StsTrouble& trouble, WallTime now);
    [[nodiscard]] std::optional<mail::StsTrouble> recent_failure(const dns::Name& domain, const std::string& id,
                                                                 WallTime now, std::chrono::seconds within);
    [[nodiscard]] bool may_be_asked(const Address& address) const;
    task::Task<dnssec::Answer> look_up(dns::Name name, dns::Type type, MonoTime deadline);
    task::Task<Found> find_addresses(dns::Name host, MonoTime deadline);
    task::Task<Outcome> fetch(dns::Name domain, std::string id);
    task::Task<void> renew(dns::Name domain, WallTime now);
    [[nodiscard]] bool is_due(const Kept& kept, WallTime now) const;

    PolicySettings settings_;
    Tools tools_;
    PolicyCounters counters_;
    task::SingleFlight<std::string, Outcome> flights_;
};

}  // namespace mxtrust::sts
