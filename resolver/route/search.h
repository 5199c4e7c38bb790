// Finding out: all that the mail decision needs to know of a domain, asked side by side, by one time.
//
// Look-ups are flights of their own: they outlive the question that began them (until their budget's deadline), and
// questions that need the same one join it. What is not there in time is left out or indeterminate; it is never taken
// for an absence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "mail/domain.h"
#include "mail/host.h"
#include "mail/mx_set.h"
#include "route/lookups.h"
#include "route/sts_source.h"
#include "task/gather.h"
#include "task/single_flight.h"
#include "task/task.h"

namespace mxtrust::route {

/// What a domain's look-ups share.
struct Errand {
    std::uint16_t port = 25;
    MonoTime due{};    ///< when they must be back
    BudgetRef budget;  ///< the mail question's; each look-up draws from it through one of its own
    bool tlsa = true;  ///< off: TLSA is not asked at all
    /// A zone known to be signed: of hosts inside it TLSA is asked beside the addresses, of others only after one of
    /// them, as it is not to be asked where the address is insecure.
    std::optional<dns::Name> signed_zone;
};

struct FoundHost {
    mail::HostFacts facts;
    bool late = false;  ///< something was not there in time
};

struct FoundDomain {
    mail::DomainFacts facts;
    bool late = false;
};

/// What a mail answer may have beside its hosts. It never holds up an answer whose hosts are all DANE's.
struct Extras {
    bool sts = false;         ///< the domain's MTA-STS policy, where a host is not DANE's
    QuestionNumber number{};  ///< of the question, in the log
    bool tlsrpt = false;      ///< where reports are wanted; told only where it is there when the rest is
};

class Search {
  public:
    struct Limits {
        Duration linger;
        std::size_t most_hosts_at_once;
        std::size_t most_flights;
        std::uint32_t budget_factor;
    };
    struct Tools {
        Clock& clock;
        Lookups& lookups;
        task::Scheduler& scheduler;
        StsSource* sts = nullptr;  ///< none: MTA-STS is switched off
    };
    Search(Limits limits, Tools tools);

    /// `extras`: what else is looked at, besides the hosts.
    task::Task<FoundDomain> find_domain(mail::NextHop hop, std::uint16_t port, MonoTime due, mail::Options options,
                                        Extras extras = Extras());
    task::Task<FoundHost> find_host(mail::MxHost host, Errand errand);
    [[nodiscard]] Errand errand(std::uint16_t port, MonoTime due, QuestionNumber number = {}) const;
    [[nodiscard]] const Limits& limits() const { return limits_; }
    [[nodiscard]] std::size_t under_way() const { return flights_.in_flight(); }

  private:
    using Asked = std::optional<dnssec::Answer>;
    /// Nothing where there was no answer by errand.due.
    task::Task<Asked> look_up(dns::Name name, dns::Type type, Errand errand);
    /// The same for what is not at hand.
    task::Task<Asked> ask(dns::Name name, dns::Type type, Errand errand);
    task::Task<std::vector<FoundHost>> find_hosts(std::vector<mail::MxHost> hosts, Errand errand);
    task::Task<void> find_extras(FoundDomain* found, Errand errand, mail::Options options, Extras extras);
    task::Task<mail::StsStatus> find_sts(dns::Name domain, Errand errand);
    [[nodiscard]] mail::TlsrptStatus read_tlsrpt(const dns::Name& domain, const Asked& record) const;
    [[nodiscard]] bool is_surely_signed(const mail::HostFacts& facts, const Errand& errand) const;
    /// Was TLSA of this host asked before? Then its address was secure, or nothing was known of that.
    [[nodiscard]] bool was_asked_tlsa(const dns::Name& host, std::uint16_t port) const;
    /// The hosts that an MX answer named which has ended: very likely those that the next one will name. They are asked
    /// beside it; which of them count, it alone says.
    [[nodiscard]] std::vector<mail::MxHost> hosts_to_guess(const dns::Name& domain) const;

    Limits limits_;
    Tools tools_;
    task::SingleFlight<std::string, dnssec::Answer> flights_;
};

/// The zone of the MX records, where the answer says that it is signed.
[[nodiscard]] std::optional<dns::Name> signed_zone(const dnssec::Answer& mx);
/// A look-up that did not come back: indeterminate, and why.
[[nodiscard]] dnssec::Answer unanswered(const dns::Name& name, dns::Type type, WallTime now);

}  // namespace mxtrust::route
