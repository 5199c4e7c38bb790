// Answers kept, answers under way, answers to be found; see router.h.
#include "route/router.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mail/domain.h"
#include "mail/exception.h"
#include "mail/words.h"
#include "route/demand.h"
#include "route/kept.h"
#include "route/search.h"
#include "task/nursery.h"
#include "task/single_flight.h"
#include "task/wait.h"

namespace mxtrust::route {
namespace {

/// A question in the last tenth of an answer's life makes it anew.
constexpr std::uint32_t last_part_of_life = 10;

/// A question about somebody else's flight is asked again so often at most: each time with the asker's own deadline.
constexpr int most_attempts = 3;
constexpr std::size_t prepared_in_a_turn = 8;  // of the loop: half a millisecond

struct Outcome {
    MailAnswerRef answer;
    bool late = false;  ///< something was not there by `due`
    MonoTime due{};
};

std::vector<mail::MxHost> to_be_fetched(const mail::MxSet& set, std::size_t most) {
    std::vector<mail::MxHost> hosts;
    if (set.verdict) return hosts;
    for (const mail::MxHost& host : set.hosts) {
        if (hosts.size() < most && host.fate == mail::MxHost::Fate::use && !host.literal) hosts.push_back(host);
    }
    return hosts;
}

const mail::HostAnswer* first_skipped(const mail::MailAnswer& answer) {
    for (const mail::HostAnswer& host : answer.hosts) {
        if (host.policy.action == mail::HostAction::skip) return &host;
    }
    return nullptr;
}

/// Something is not as it should be, and soon may be.
bool is_failing(const mail::MailAnswer& answer) {
    return answer.decision.action == mail::Action::defer || first_skipped(answer) != nullptr;
}

/// As whoever asks next is told of it: nothing had to be asked.
MailAnswerRef as_kept(const MailAnswerRef& answer) {
    if (!answer->mx || answer->mx->cached) return answer;
    auto kept = std::make_shared<mail::MailAnswer>(*answer);
    kept->mx->cached = true;
    return kept;
}

}  // namespace

struct Router::State {
    State(RouteSettings chosen, Tools given)
        : settings(chosen),
          tools(given),
          search({settings.linger, settings.most_hosts_at_once, settings.most_flights, settings.budget_factor},
                 {given.clock, given.lookups, given.scheduler, given.sts}),
          flights(given.scheduler),
          background(given.scheduler),
          renewals(given.scheduler),
          kept(settings.most_answers),
          ledger(given.cache) {}

    task::Task<MailAnswerRef> ask(MailQuestion question);
    task::Task<Outcome> answer(mail::NextHop hop, std::uint16_t port, MonoTime due, Refresh refresh, Sts sts,
                               QuestionNumber number);
    [[nodiscard]] bool may_refresh(const std::string& key);
    [[nodiscard]] MailAnswerRef find_kept(const std::string& key);
    void renew_if_ending(const std::string& key, const mail::MailAnswer& answer);
    task::Task<void> renew(std::string key, KeptAnswers::Origin origin);
    task::Task<MailAnswerRef> prepare(std::string destination);
    task::Task<void> prepare_all(std::vector<std::string> destinations, std::function<void(const MailAnswerRef&)> made);
    task::Task<void> fetch(mail::MxHost host, Errand errand);
    void note(mail::MailAnswer& answer);
    void count(const mail::MailAnswer& answer);
    MailAnswerRef without_answer(const mail::NextHop& hop, std::uint16_t port);
    [[nodiscard]] bool is_known(const mail::MxHost& host, bool tlsa) const;

    RouteSettings settings;
    Tools tools;
    Search search;
    task::SingleFlight<std::string, Outcome> flights;
    task::Nursery background, renewals;
    KeptAnswers kept;
    Ledger ledger;
    RouteCounters counters;
    std::unordered_map<std::string, MonoTime> refreshed;  ///< when a destination was last looked at anew
    std::unordered_set<std::string> refreshing;           ///< destinations looked at anew right now
    std::uint64_t epoch = 0;  ///< moved on by flush and reload: what was found out before is not kept
};

namespace {

/// Makes the task of an answer when nobody is waiting for the same already.
template <class State>
class AnswerStarter {
  public:
    AnswerStarter(State& state, const MailQuestion& question, std::uint16_t port, MonoTime due, Refresh refresh,
                  Sts sts)
        : state_(&state),
          hop_(question.next_hop),
          port_(port),
          due_(due),
          refresh_(refresh),
          sts_(sts),
          number_(question.number) {}
    task::Task<Outcome> operator()() const { return state_->answer(hop_, port_, due_, refresh_, sts_, number_); }

  private:
    State* state_;
    mail::NextHop hop_;
    std::uint16_t port_;
    MonoTime due_;
    Refresh refresh_;
    Sts sts_;
    QuestionNumber number_;
};

/// A fresh look is under way until this goes, however it ends.
class UnderWay {
  public:
    UnderWay(std::unordered_set<std::string>& keys, std::string key) : keys_(keys), key_(std::move(key)) {}
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    ~UnderWay() { keys_.erase(key_); }

  private:
    std::unordered_set<std::string>& keys_;
    std::string key_;
};

}  // namespace

task::Task<MailAnswerRef> Router::State::ask(MailQuestion question) {
    ++counters.questions;
    const Timed timed(counters.answer_time, tools.clock);
    const std::uint16_t port = question.next_hop.port.value_or(question.port);
    std::string key = mail::destination_text(question.next_hop, port);
    // Whoever wants no MTA-STS has another answer.
    const Sts sts = tools.sts == nullptr ? Sts::wanted : question.sts;
    if (sts == Sts::ignored) key += " without sts";
    const MonoTime start = tools.clock.mono();
    const MonoTime deadline = question.deadline == MonoTime{} ? start + settings.usual_time : question.deadline;
    const MonoTime due = std::max(start, deadline - settings.margin);
    // A fresh look flies apart from the others: who joins it has asked for one, too.
    const std::string fresh_key = key + " anew";
    bool anew = question.refresh == Refresh::yes && (refreshing.contains(key) || may_refresh(key));
    if (!anew) {
        if (MailAnswerRef found = find_kept(key)) {
            ++counters.kept;
            co_return found;
        }
    }
    const Refresh refresh = anew ? Refresh::yes : Refresh::no;
    // The flight ends when it is due; those who wait for it give it a moment to say so.
    const MonoTime patience = due + settings.margin / 2;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        AnswerStarter<State> starter(*this, question, port, due, refresh, sts);
        const std::string flight = anew ? fresh_key : key;
        std::string own = flight;
        std::optional<Outcome> outcome = co_await flights.run(std::move(own), patience, starter);
        if (!outcome && flights.is_in_flight(flight)) {
            // The loop came late, and both ends in one turn: the flight is about to say what it has found.
            std::string again = flight;
            const MonoTime moment = tools.clock.mono() + settings.margin / 2;
            outcome = co_await flights.run(std::move(again), moment, std::move(starter));
        }
        if (!outcome) {
            if (anew && !flights.is_in_flight(fresh_key)) refreshing.erase(key);  // there was no room for it
            break;
        }
        // A flight of somebody with less time may have ended too early for us.
        bool worth_another = outcome->late && outcome->due < due && tools.clock.mono() < due;
        if (!worth_another) co_return outcome->answer;
    }
    co_return without_answer(question.next_hop, port);
}

MailAnswerRef Router::State::find_kept(const std::string& key) {
    const WallTime now = tools.clock.wall();
    const WallTime latest = settings.options.exceptions ? settings.options.exceptions->seen(now) : now;
    MailAnswerRef found = kept.find(key, now, latest);
    if (found && settings.refresh_ahead) renew_if_ending(key, *found);
    return found;
}

/// Somebody wants it, and it ends soon: the next one shall not have to wait. Clients, and people who want a fresh look,
/// go first.
void Router::State::renew_if_ending(const std::string& key, const mail::MailAnswer& answer) {
    const std::chrono::seconds life = answer.expires - answer.time;
    if ((answer.expires - tools.clock.wall()) * last_part_of_life > life || life < settings.least_life_ahead) return;
    if (renewals.size() >= settings.most_ahead_of_end || search.under_way() >= settings.most_busy) return;
    if (refreshing.contains(key) || !may_refresh(key)) return;
    renewals.spawn(renew(key, *kept.origin(key)));
}

task::Task<void> Router::State::renew(std::string key, KeptAnswers::Origin origin) {
    const MonoTime due = tools.clock.mono() + settings.usual_time;
    MailQuestion question;  // nobody's: it has no number
    question.next_hop = std::move(origin.next_hop);
    AnswerStarter<State> starter(*this, question, origin.port, due, Refresh::ahead, Sts::wanted);
    // A client who wants a fresh look joins it.
    std::string flight = key + " anew";
    std::optional<Outcome> outcome = co_await flights.run(std::move(flight), due + settings.margin, std::move(starter));
    if (!outcome && !flights.is_in_flight(key + " anew")) refreshing.erase(key);  // there was no room for it
}

/// Null where it would take a question to somebody, is there already, or is nothing to look forward to.
task::Task<MailAnswerRef> Router::State::prepare(std::string destination) {
    Result<mail::NextHop> hop = mail::parse_next_hop(destination);
    if (!hop) co_return nullptr;
    const std::uint16_t port = hop->port.value_or(25);
    const std::string key = mail::destination_text(*hop, port);
    if (kept.origin(key) != nullptr) co_return nullptr;
    Misses misses;
    OnlyAtHand at_hand(tools.lookups, tools.clock, misses);
    std::optional<OnlyWithoutPolicy> policies;
    if (tools.sts != nullptr) policies.emplace(*tools.sts, misses);
    Search own(search.limits(), {tools.clock, at_hand, tools.scheduler, policies ? &*policies : nullptr});
    const std::uint64_t begun_in = epoch;
    const mail::NextHop asked = *hop;
    const mail::Options options = settings.options;
    const MonoTime due = tools.clock.mono() + settings.usual_time;
    Extras extras;
    extras.sts = true;
    extras.tlsrpt = settings.tlsrpt;
    mail::NextHop wanted = *hop;
    FoundDomain found = co_await own.find_domain(std::move(wanted), port, due, options, extras);
    if (misses.any() || found.late || begun_in != epoch || kept.origin(key) != nullptr) co_return nullptr;
    found.facts.failed_for = settings.failed_for;
    auto made = std::make_shared<const mail::MailAnswer>(mail::decide(found.facts, options));
    if (is_failing(*made) || made->expires <= made->time) co_return nullptr;
    kept.keep(key, KeptAnswers::Origin{asked, port}, made);
    co_return made;
}

task::Task<void> Router::State::prepare_all(std::vector<std::string> destinations,
                                            std::function<void(const MailAnswerRef&)> made) {
    // The most recently used last, so that it is the last to go.
    for (std::size_t left = destinations.size(); left > 0; --left) {
        if (left % prepared_in_a_turn == 0) {
            const MonoTime now = tools.clock.mono();
            co_await task::sleep_until(now);  // the loop sees whether it is to stop
        }
        std::string destination = destinations[left - 1];
        MailAnswerRef answer = co_await prepare(std::move(destination));
        if (!answer) continue;
        ++counters.prepared;
        if (made) made(answer);
    }
}

/// A refresh makes us ask others: not without end.
bool Router::State::may_refresh(const std::string& key) {
    const MonoTime now = tools.clock.mono();
    const auto is_over = [this, now](const auto& entry) { return now - entry.second >= settings.refresh_interval; };
    const auto last = refreshed.find(key);
    if (last != refreshed.end() && !is_over(*last)) return false;
    if (refreshing.size() >= settings.most_refreshing) return false;
    if (refreshed.size() >= settings.most_answers) std::erase_if(refreshed, is_over);
    if (refreshed.size() >= settings.most_answers) return false;
    refreshed[key] = now;
    refreshing.insert(key);
    return true;
}

task::Task<Outcome> Router::State::answer(mail::NextHop hop, std::uint16_t port, MonoTime due, Refresh refresh, Sts sts,
                                          QuestionNumber number) {
    ++(refresh == Refresh::ahead ? counters.renewed : counters.searches);
    // These live in this frame until the answer is made; look-ups of a fresh look end with it.
    std::shared_ptr<Lookups> anew;
    std::optional<Search> own;
    std::optional<UnderWay> under_way;
    if (refresh != Refresh::no) {
        anew = tools.lookups.anew();
        under_way.emplace(refreshing, mail::destination_text(hop, port) + (sts == Sts::ignored ? " without sts" : ""));
    }
    if (anew) {
        if (refresh == Refresh::yes) ++counters.refreshed;
        own.emplace(search.limits(), Search::Tools{tools.clock, *anew, tools.scheduler, tools.sts});
    }
    Search* used = own ? &*own : &search;
    const std::uint64_t begun_in = epoch;
    const MonoTime start = tools.clock.mono();
    const mail::NextHop asked = hop;
    const mail::Options options = settings.options;
    Extras extras;
    extras.sts = sts == Sts::wanted;
    extras.tlsrpt = settings.tlsrpt;
    extras.number = number;
    FoundDomain found = co_await used->find_domain(std::move(hop), port, due, options, extras);
    found.facts.failed_for = settings.failed_for;
    auto made = std::make_shared<mail::MailAnswer>(mail::decide(found.facts, options));
    // What went wrong ahead of time is nobody's news: the answer that there is holds until its end, and not longer.
    if (refresh == Refresh::ahead && (found.late || is_failing(*made))) co_return Outcome{made, found.late, due};
    count(*made);
    if (found.late) ++counters.late;
    // Who gives us no time does not learn much; that is not the domain's fault.
    if (sts == Sts::wanted && (!found.late || due - start >= settings.patience)) note(*made);
    MailAnswerRef shared = made;
    // What is incomplete is not kept: the look-ups go on, and the next question finds more.
    bool worth_keeping = sts == Sts::wanted && !found.late && shared->expires > shared->time && begun_in == epoch;
    if (worth_keeping) kept.keep(shared->domain, KeptAnswers::Origin{asked, port}, as_kept(shared));
    co_return Outcome{shared, found.late, due};
}

/// The question itself could not be worked on in time: the domain's state is not known.
MailAnswerRef Router::State::without_answer(const mail::NextHop& hop, std::uint16_t port) {
    mail::DomainFacts facts;
    facts.next_hop = hop;
    facts.port = port;
    facts.now = tools.clock.wall();
    if (hop.kind == mail::NextHop::Kind::domain) {
        facts.mx = unanswered(hop.name, dns::Type::mx, facts.now);
        facts.set = mail::read_mx(hop.name, *facts.mx, settings.options);
    } else {
        facts.set = mail::without_mx(hop);
    }
    mail::note_exceptions(facts.set, hop, settings.options, facts.now);
    if (!facts.set.verdict) {
        for (const mail::MxHost& host : facts.set.hosts) facts.hosts.push_back(mail::HostFacts{host, {}, {}, {}});
    }
    return std::make_shared<const mail::MailAnswer>(mail::decide(facts, settings.options));
}

void Router::State::count(const mail::MailAnswer& answer) {
    switch (answer.decision.action) {
        case mail::Action::deliver:
            ++counters.deliver;
            return;
        case mail::Action::defer:
            ++counters.defer;
            return;
        case mail::Action::bounce:
            ++counters.bounce;
            return;
    }
}

void Router::State::note(mail::MailAnswer& answer) {
    const mail::HostAnswer* skipped = first_skipped(answer);
    bool deferred = answer.decision.action == mail::Action::defer;
    if (!deferred && skipped == nullptr) {
        ledger.good(answer.domain, answer.time);
        return;
    }
    std::optional<mail::Fault> fault = deferred ? answer.decision.fault : skipped->policy.fault;
    const std::string& text = deferred ? answer.decision.text : skipped->policy.text;
    FailingDomain entry =
        ledger.failed(answer.domain, fault ? mail::code_text(*fault) : std::string(), text, answer.time);
    // The sender's schedule is the ledger's, but never slower than hourly: its messages are younger than the failure.
    if (deferred)
        answer.decision.retry_after = std::min<std::chrono::seconds>(entry.next - answer.time, std::chrono::hours(1));
}

bool Router::State::is_known(const mail::MxHost& host, bool tlsa) const {
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        if (!tools.lookups.peek(host.name, type)) return false;
    }
    if (!tlsa) return true;
    Result<dns::Name> owner = mail::tlsa_name(host.name, 25);
    return !owner || tools.lookups.peek(*owner, dns::Type::tlsa).has_value();
}

task::Task<void> Router::State::fetch(mail::MxHost host, Errand errand) {
    // For the cache only; nobody waits for it.
    FoundHost found = co_await search.find_host(std::move(host), std::move(errand));
    static_cast<void>(found);
}

Router::Router(RouteSettings settings, Tools tools) : state_(std::make_unique<State>(settings, tools)) {}
Router::~Router() = default;

task::Task<MailAnswerRef> Router::ask(MailQuestion question) {
    return state_->ask(std::move(question));
}

MailAnswerRef Router::kept(const std::string& destination) {
    MailAnswerRef found = state_->find_kept(destination);
    if (found) {
        ++state_->counters.questions;
        ++state_->counters.kept;
    }
    return found;
}

void Router::look_ahead(const dnssec::Answer& mx) {
    if (mx.type() != dns::Type::mx) return;
    const RouteSettings& settings = state_->settings;
    mail::MxSet set = mail::read_mx(mx.name(), mx, settings.options);
    Errand errand = state_->search.errand(25, state_->tools.clock.mono() + settings.usual_time);
    errand.tlsa = mail::wants_tlsa(set, settings.options);
    errand.signed_zone = signed_zone(mx);
    for (mail::MxHost& host : to_be_fetched(set, settings.most_ahead_each)) {
        if (state_->background.size() >= settings.most_ahead) return;
        if (state_->is_known(host, errand.tlsa)) continue;
        ++state_->counters.ahead;
        state_->background.spawn(state_->fetch(std::move(host), errand));
    }
}

std::vector<std::string> Router::in_demand(std::size_t most) const {
    return state_->kept.keys(most);
}

task::Task<void> Router::prepare(std::vector<std::string> destinations,
                                 std::function<void(const MailAnswerRef&)> made) {
    return state_->prepare_all(std::move(destinations), std::move(made));
}

bool Router::take(const MailAnswerRef& answer) {
    Result<mail::NextHop> hop = mail::parse_next_hop(answer->domain);
    if (!hop || state_->kept.origin(answer->domain) != nullptr) return false;
    const std::uint16_t port = hop->port.value_or(25);
    state_->kept.keep(answer->domain, KeptAnswers::Origin{std::move(*hop), port}, answer);
    ++state_->counters.prepared;
    return true;
}

std::uint64_t Router::epoch() const {
    return state_->epoch;
}

std::vector<FailingDomain> Router::failing(std::size_t limit) const {
    return state_->ledger.list(limit, state_->tools.clock.wall());
}

std::size_t Router::flush(const dns::Name& name, bool subtree) {
    ++state_->epoch;
    return state_->kept.flush(name, subtree);
}

void Router::forget() {
    ++state_->epoch;
    state_->kept.clear();
}

void Router::let_go() {
    state_->kept.clear();
}

void Router::set_options(const mail::Options& options) {
    ++state_->epoch;
    state_->settings.options = options;
    state_->kept.clear();
}

const RouteCounters& Router::counters() const {
    return state_->counters;
}

}  // namespace mxtrust::route
