// Questions that others resolve for us: forwarders, for configured zones, or for everything while recursion is
// impossible. They are asked with RD, DO and CD (RFC 4035 3.2), and believed in nothing: what they say is judged here
// from the trust anchor, like any other answer.
//
// Of an answer only what was asked for is used: the set at the question's name, or the alias there, whose target is
// asked for by itself; nothing outside the zone that is forwarded (A31). A forwarder through which DNSSEC does not come
// is found out by looking at what is known to be signed; then a broken chain is the forwarder's doing, as far as
// anybody can tell, and the answer is indeterminate, not bogus, and never insecure.
#pragma once

#include <map>

#include "base/budget.h"
#include "base/random.h"
#include "dnssec/judge.h"
#include "net/network.h"
#include "resolve/classify.h"
#include "resolve/forward_board.h"
#include "resolve/forward_relay.h"
#include "resolve/resolver.h"
#include "task/nursery.h"
#include "task/single_flight.h"

namespace mxtrust::resolve {

struct ForwardQuestion {
    dns::Name name;
    dns::Type type{};
    std::vector<Address> excluded;  ///< forwarders whose answer did not hold
    BudgetRef budget;
};

class Forwarding {
  public:
    static constexpr std::size_t most_attempts = 6;  ///< exchanges for one question
    static constexpr std::size_t most_side_by_side = 3;
    static constexpr Duration attempt_time{2500};  ///< then it is asked again: what it looked for, it has by then
    static constexpr Duration first_hedge{800};    ///< a resolver may have to look around before it answers
    static constexpr Duration least_hedge{300};
    static constexpr Duration most_hedge{1500};
    static constexpr Duration probe_time{2000};
    static constexpr std::chrono::seconds trust_time{60};   ///< so long one look at a forwarder's DNSSEC serves
    static constexpr std::chrono::seconds probe_good{600};  ///< until the next look at one that is sound
    static constexpr std::chrono::seconds probe_bad{30};    ///< and at one that is not
    static constexpr std::size_t enough_silence = 2;        ///< addresses of root and TLDs, before the root is tried
    static constexpr Duration root_time{800};
    static constexpr std::chrono::seconds check_again{15};

    struct Tools {  ///< all outlive this
        const Settings& settings;
        Clock& clock;
        Random& random;
        net::Network& network;
        log::Log& log;
        task::Scheduler& scheduler;
        ForwarderBoard& board;
        Relay* relay;  ///< null: there is no way to ask forwarders
    };
    /// Who is asked instead of the authorities.
    struct Way {
        dns::Name zone;
        std::vector<Endpoint> forwarders;
        Switch first = Switch::off;  ///< recursion is tried where they fail
    };
    struct Reply {
        std::optional<Classified> reply;  ///< Response or AnySets
        Endpoint forwarder;
        dns::Rcode rcode = dns::Rcode::servfail;
        dnssec::Reason reason{};
        FailureKind kind = FailureKind::unreachable;
    };

    explicit Forwarding(Tools tools);

    /// Nothing where the authorities, or a stub zone's servers, are asked.
    [[nodiscard]] std::optional<Way> way(const dns::Name& name) const;
    /// The deepest configured zone that the name lies in, forwarded or stub; the root where there is none. What lies
    /// above says nothing about it: a private zone may well be denied by its public parent.
    [[nodiscard]] dns::Name configured_zone(const dns::Name& name) const;
    task::Task<Reply> ask(Way way, ForwardQuestion question);
    /// May a verdict "bogus" on what this forwarder said stand? Not where DNSSEC does not come through it.
    task::Task<bool> vouches(Endpoint forwarder, dns::Name name, MonoTime deadline);
    /// Why the answer is indeterminate where it may not; `found`: why it would be bogus.
    [[nodiscard]] dnssec::Reason blame(const Endpoint& forwarder, const dnssec::Reason& found) const;

    /// Do forwarders stand in for recursion now?
    [[nodiscard]] bool stands_in() const { return tools_.board.forwarding(); }
    /// A server of the root or of a TLD gave nothing that can be used. When there are too many of them, the root is
    /// tried, and if it is silent, forwarders stand in.
    void nothing_from(const dns::Name& zone, const Address& server);
    /// An authority answered.
    void heard() { silent_.clear(); }
    /// Is it being found out whether recursion is impossible? Then look again soon.
    [[nodiscard]] bool is_checking() const { return checking_; }
    /// Waits until that is found out.
    task::Task<void> settle(MonoTime deadline);
    /// Looks at each forwarder that was not looked at for long, and at the root while others stand in for it. Now and
    /// then.
    task::Task<void> tend();

  private:
    class EndpointHash {
      public:
        explicit EndpointHash(Random& random) : addresses_(HashKey::draw(random)) {}
        std::size_t operator()(const Endpoint& endpoint) const {
            return addresses_(endpoint.address) ^ (endpoint.port * 31ULL);
        }

      private:
        AddressHash addresses_;
    };
    struct Attempt {
        Endpoint forwarder;
        std::optional<Classified> reply;
        dns::Rcode rcode = dns::Rcode::servfail;
        FailureKind kind = FailureKind::unreachable;
        Code code{};
        std::string text;
    };
    struct Look {
        ForwarderDnssec dnssec = ForwarderDnssec::unknown;
        std::string error;
    };
    class Round;

    // forward.cc
    task::Task<Attempt> attempt(Endpoint forwarder, dns::Name zone, ForwardQuestion question);
    task::Task<Result<dns::Message>> exchange(Endpoint forwarder, dns::Name name, dns::Type type, MonoTime until,
                                              BudgetRef budget);
    [[nodiscard]] dns::Message build(const dns::Name& name, dns::Type type);
    [[nodiscard]] Duration hedge_delay(const Endpoint& forwarder) const;
    // forward_probe.cc
    task::Task<ForwarderDnssec> look_at(Endpoint forwarder, dns::Name zone);
    task::Task<Look> look_at_keys(Endpoint forwarder, dns::Name zone, BudgetRef budget);
    task::Task<Look> look_at_denial(Endpoint forwarder, dns::Name zone, dnssec::ZoneTrust trust, BudgetRef budget);
    task::Task<void> ask_nobody(Endpoint forwarder, BudgetRef budget);
    [[nodiscard]] std::optional<dns::Name> nobodys_name(const dns::Name& zone);
    task::Task<void> look_when_due(Endpoint forwarder, dns::Name zone);
    task::Task<void> check_recursion();
    task::Task<bool> root_answers();
    task::Task<bool> root_server_answers(Endpoint server, MonoTime deadline);
    task::Task<bool> stand_in();

    Tools tools_;
    std::map<Endpoint, MonoTime> looked_;
    std::vector<Address> silent_;
    bool checking_ = false;
    MonoTime next_check_{};
    task::SingleFlight<Endpoint, ForwarderDnssec, EndpointHash> looks_;
    task::Nursery checks_;  // last: what runs in there uses the rest
};

}  // namespace mxtrust::resolve
