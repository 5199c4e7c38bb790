// Telling the owner of a zone that it is broken (RFC 9567): its name servers say who wants to know of it, in an EDNS
// option, and a TXT question to there carries the report in its name. Off unless the operator wants it.
//
// Whoever owns a zone chooses whom we ask, so that this is built to be of no use for anything else: an agent is never
// the root nor part of the zone it is told about, a report is sent once an hour, few are sent in a minute and fewer to
// one agent, each costs a fraction of a look-up, and of what goes wrong with a report nobody is told. Reports are
// ordinary questions otherwise: cookies go with them, what is denied already is not asked, and answers are validated.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/random.h"
#include "cache/cache.h"
#include "dns/message.h"
#include "dnssec/finding.h"
#include "log/log.h"
#include "resolve/chain.h"
#include "task/nursery.h"

namespace mxtrust::resolve {

/// The agent that a server of `zone` names; nothing where it names none, several (RFC 9567 6.2), the root, or one that
/// it may not (8.1: within the zone itself).
[[nodiscard]] std::optional<dns::Name> agent_in(const dns::Message& said, const dns::Name& zone);
/// The name that carries the report (RFC 9567 6.1.1); nothing where it would be too long.
[[nodiscard]] std::optional<dns::Name> report_name(const dns::Name& name, dns::Type type, dns::Ede error,
                                                   const dns::Name& agent);
/// What the zone's owner can do something about, and what is no report itself.
[[nodiscard]] std::optional<dns::Ede> error_to_report(const dnssec::Finding& finding);

/// What zones' servers said last of whom to tell.
class ReportAgents {
  public:
    static constexpr std::size_t most = 2000;
    static constexpr Duration kept{3600 * 1000};

    explicit ReportAgents(Random& random) : agents_(0, dns::NameHash(HashKey::draw(random))) {}
    /// `said`: by one of the zone's own servers.
    void learn(const dns::Name& zone, const dns::Message& said, MonoTime now);
    [[nodiscard]] std::optional<dns::Name> of(const dns::Name& zone, MonoTime now) const;

  private:
    struct Known {
        dns::Name agent;
        MonoTime until{};
    };
    std::unordered_map<dns::Name, Known, dns::NameHash> agents_;
};

/// How many, and how often.
class ReportLimits {
  public:
    static constexpr std::size_t most_in_minute = 30, most_to_agent_in_minute = 5;
    static constexpr std::size_t most_remembered = 10'000;  ///< beyond it none is sent before the oldest may go again
    static constexpr Duration pause{3600 * 1000};           ///< until the same is told again

    explicit ReportLimits(Random& random)
        : told_(0, dns::NameHash(HashKey::draw(random))), to_agent_(0, dns::NameHash(HashKey::draw(random))) {}
    /// May it be sent now? Then it counts as sent.
    [[nodiscard]] bool take(const dns::Name& report, const dns::Name& agent, MonoTime now);

  private:
    std::unordered_map<dns::Name, MonoTime, dns::NameHash> told_;  ///< not again before
    std::unordered_map<dns::Name, std::size_t, dns::NameHash> to_agent_;
    std::optional<MonoTime> minute_began_;
    std::size_t in_minute_ = 0;
};

class Reporter {
  public:
    static constexpr std::size_t most_under_way = 8;
    static constexpr Duration most_time{5000};

    struct Tools {  ///< all outlive the reporter
        const Settings& settings;
        Clock& clock;
        Random& random;
        cache::Cache& cache;
        log::Log& log;
        task::Scheduler& scheduler;
        ReportAgents& agents;
        Chain& chain;
    };
    Reporter(Tools tools, std::shared_ptr<Meter> meter);

    /// Of what came of a client's question: is there something to tell, and somebody who wants to know?
    void consider(const dnssec::Finding& finding, QuestionNumber question);
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

  private:
    task::Task<void> send(dns::Name report, QuestionNumber question);

    Tools tools_;
    std::shared_ptr<Meter> meter_;
    ReportLimits limits_;
    std::uint64_t sent_ = 0;
    task::Nursery under_way_;  // last: what runs in there uses the rest
};

}  // namespace mxtrust::resolve
