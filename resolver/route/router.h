// The mail answer: asks MX, then A, AAAA and TLSA of all hosts side by side, and hands what was found to mail/ for the
// decision.
//
// Nothing is decided here. One deadline holds for the whole answer: what is not known by then is indeterminate, and
// goes on being looked up for a while, so that a second question a moment later profits. One host's trouble is that
// host's only. Questions that are being answered are joined, finished answers are kept until they expire. One Router
// per worker; not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "cache/cache.h"
#include "mail/answer.h"
#include "mail/next_hop.h"
#include "route/ledger.h"
#include "route/lookups.h"
#include "route/sts_source.h"
#include "task/task.h"

namespace mxtrust::route {

enum class Refresh : std::uint8_t {
    no,
    yes,
    ahead,  ///< like yes, for nobody who waits; the router's own
};
enum class Sts : std::uint8_t { ignored, wanted };  ///< may a policy of MTA-STS count?

struct MailQuestion {
    mail::NextHop next_hop;
    std::uint16_t port = 25;  ///< a port in the next-hop itself goes before it
    MonoTime deadline{};      ///< the answer is there some milliseconds before
    /// yes: not from what is kept here or in the cache, the authorities are asked anew; for one destination not more
    /// often than refresh_interval, and for few at once: else as without.
    Refresh refresh = Refresh::no;
    Sts sts = Sts::wanted;
    QuestionNumber number{};  ///< in the log
};

using MailAnswerRef = std::shared_ptr<const mail::MailAnswer>;

/// Limits with their reasons.
struct RouteSettings {
    mail::Options options;
    Duration margin{50};                  ///< left of the client's deadline, for deciding, rendering and sending
    Duration usual_time{5000};            ///< where a question has no deadline
    Duration linger{5000};                ///< how long look-ups go on after the answer was due
    std::size_t most_hosts_at_once = 50;  ///< hosts of one question under way at once, each with three or four look-ups
    std::size_t most_flights = 10'000;  ///< look-ups of all questions under way at once; what comes when they are fails
    std::uint32_t budget_factor = 20;   ///< a mail question may spend what so many single look-ups may
    std::size_t most_answers = 10'000;  ///< finished answers kept, the least recently used go first
    std::chrono::seconds failed_for{5};  ///< answers with a defer or a skip are kept no longer than this
    Duration patience{2000};             ///< a question with less time than this is no witness that a domain is failing
    std::size_t most_ahead = 256;        ///< hosts under way for look_ahead; what comes when they are is not begun
    std::size_t most_ahead_each = 16;    ///< hosts of one MX answer fetched ahead, by preference; an MTA tries fewer
    Duration refresh_interval{10'000};   ///< between two fresh looks at one destination: a person looks, a script loops
    bool tlsrpt = false;                 ///< look for where reports are wanted (RFC 8460)?
    std::size_t most_refreshing = 8;     ///< fresh looks under way at once; each costs what an unknown domain costs
    bool refresh_ahead = true;           ///< make answers in demand anew when a tenth of their life is left?
    std::size_t most_ahead_of_end = 4;   ///< of these under way at once: half of what may look anew, for people
    std::size_t most_busy = 200;         ///< look-ups under way, beyond which none is begun: clients come first
    std::chrono::seconds least_life_ahead{30};  ///< shorter-lived answers are made anew when they are asked for
};

struct RouteCounters {
    std::uint64_t questions = 0;                       ///< asked of us
    std::uint64_t kept = 0;                            ///< of these, answered by an answer kept
    std::uint64_t searches = 0;                        ///< answers made; the other questions joined one
    std::uint64_t deliver = 0, defer = 0, bounce = 0;  ///< answers made
    std::uint64_t late = 0;                            ///< answers made without all that was needed
    std::uint64_t ahead = 0;                           ///< hosts fetched ahead
    std::uint64_t refreshed = 0;                       ///< fresh looks at the authorities
    std::uint64_t renewed = 0;                         ///< answers made anew before their end, for nobody who waited
    std::uint64_t prepared = 0;                        ///< answers made after the start, before anybody asked
    Histogram answer_time;                             ///< of all questions
};

class Router {
  public:
    struct Tools {  ///< all outlive the router
        Clock& clock;
        Lookups& lookups;
        cache::Cache& cache;
        task::Scheduler& scheduler;
        StsSource* sts = nullptr;  ///< none: MTA-STS is switched off
    };
    Router(RouteSettings settings, Tools tools);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// Always an answer, by the deadline.
    task::Task<MailAnswerRef> ask(MailQuestion question);
    /// A finished answer that still holds, as ask() would give it; null where there is none. Neither allocates nor
    /// waits.
    [[nodiscard]] MailAnswerRef kept(const std::string& destination);
    /// An MX answer went out over DNS: what the MTA will ask next is fetched now, in the background.
    void look_ahead(const dnssec::Answer& mx);
    /// Destinations of answers kept, the most recently used first.
    [[nodiscard]] std::vector<std::string> in_demand(std::size_t most) const;
    /// Makes the answers for these as far as that asks nobody (demand.h), one after the other, and looks at the sockets
    /// between two. Those that are good are kept and given to `made`.
    task::Task<void> prepare(std::vector<std::string> destinations, std::function<void(const MailAnswerRef&)> made);
    /// Keeps an answer that another router has prepared, unless there is one. The caller has seen to it that it still
    /// holds: epoch() is what it was before the cache was looked at.
    bool take(const MailAnswerRef& answer);
    /// Another one whenever something was flushed, forgotten or decided otherwise.
    [[nodiscard]] std::uint64_t epoch() const;
    /// Mail domains whose last decision was defer, or that have a host to be skipped; the latest failure first.
    [[nodiscard]] std::vector<FailingDomain> failing(std::size_t limit) const;
    /// Drops kept answers that rest on the name, or on a name below it; returns how many.
    std::size_t flush(const dns::Name& name, bool subtree);
    /// Forgets all kept answers: the operator's word has changed or ended.
    void forget();
    /// The same to save memory: they still hold, and those being made are kept again.
    void let_go();
    /// After a reload: forgets all kept answers.
    void set_options(const mail::Options& options);
    [[nodiscard]] const RouteCounters& counters() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::route
