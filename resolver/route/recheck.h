// Looks after the operator's word: whether a negative trust anchor or an exception is still needed, ends soon, has
// ended.
//
// Now and then each is looked at as if it did not exist: a negative trust anchor by a resolver of its own without it,
// an exception by the decision without exceptions. One look at a time, each within a time and a budget, so that it
// costs little whatever the list. What it finds out changes no answer; it is told to the log (once for each change) and
// to whoever shows the status. Nothing is concluded from a look that failed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/log.h"
#include "mail/exception.h"
#include "route/lookups.h"
#include "route/search.h"
#include "task/task.h"
#include "task/wait.h"

namespace mxtrust::route {

enum class Need : std::uint8_t {
    unknown,     ///< not looked at yet, or the last looks failed
    needed,      ///< without it something would fail
    not_needed,  ///< without it nothing would fail
    chosen,      ///< it makes things stricter: the operator's choice, which no look can judge
    ended,       ///< it has no effect any more
};
[[nodiscard]] std::string_view to_text(Need need);  ///< "not-needed"

struct WordStanding {
    mail::OperatorsWord word;
    bool active = true;  ///< false: it has ended
    Need need = Need::unknown;
    std::string text;                 ///< why, one sentence without final stop; may be empty
    std::optional<WallTime> since;    ///< since when `need` is so
    std::optional<WallTime> checked;  ///< the last look that said something
    bool ends_soon = false;           ///< within Recheck::soon
};

class Recheck {
  public:
    static constexpr std::chrono::seconds soon{7 * 86400};
    struct Limits {
        std::chrono::seconds interval{3600};  ///< between two rounds, about; some jitter is added
        Duration time{10'000};                ///< for one look
        Search::Limits search{Duration{0}, 50, 10'000, 20};
    };
    struct Tools {  ///< all outlive it
        Clock& clock;
        Random& random;
        Lookups& lookups;
        task::Scheduler& scheduler;
        log::Log& log;
    };
    using Tell = std::function<void(const std::vector<WordStanding>&)>;

    Recheck(Limits limits, mail::Options options, Tools tools, Tell tell);

    /// Rounds for ever, the first one soon. Must not outlive the Recheck.
    task::Task<void> run();
    /// After a reload: what is known of a word that stays, stays; a round comes soon.
    void change(mail::Options options, std::chrono::seconds interval);
    /// One look at each.
    task::Task<void> round();
    /// Notes what has ended or ends soon; cheap, for every second.
    void tick();
    [[nodiscard]] const std::vector<WordStanding>& standings() const { return standings_; }

  private:
    struct Verdict {
        Need need = Need::unknown;
        std::string text;
    };
    task::Task<Verdict> look(std::size_t index);
    task::Task<Verdict> look_at_anchor(dns::Name zone);
    task::Task<Verdict> look_at_exception(mail::ExceptionRef exception);
    void conclude(WordStanding& standing, const Verdict& verdict);

    Limits limits_;
    mail::Options options_;
    Tools tools_;
    Tell tell_;
    void list_words();
    std::vector<WordStanding> standings_;         ///< anchors first, then exceptions
    std::vector<mail::ExceptionRef> exceptions_;  ///< one for each of standings_; null for an anchor
    std::uint64_t list_ = 0;  ///< counts the lists: a look that began under another one concludes nothing
    task::Condition changed_;
};

}  // namespace mxtrust::route
