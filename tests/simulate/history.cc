#include "simulate/history.h"

#include <algorithm>

#include "simulate/fickle_cache.h"

namespace simulate {

using namespace mxtrust;
using dnssec::Outcome;
using dnssec::Security;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds grace{1};                // rounding between milliseconds and microseconds
constexpr std::chrono::seconds skew{2 * 3600};  // more than any policy's allowance at the end of a signature
constexpr std::size_t most_at_once = 12;

std::vector<Bytes> sorted(std::vector<Bytes> records) {
    std::ranges::sort(records);
    return records;
}

class History final : task::Finisher {
  public:
    History(std::uint64_t seed, Tally& tally, std::vector<std::string>* trace)
        : random_(seed),
          weather_(random_.below(5) == 0 ? Weather::calm : Weather::rough),
          universe_(random_.next(), weather_),
          tally_(tally),
          trace_(trace),
          wire_(universe_, faults(), random_.next(), clock_),
          resolver_random_(random_.next()),
          log_(log::Level::error, log::Target::nowhere) {
        wire_.trace = trace;
        open();
    }

    void run(std::uint64_t resolutions) {
        while (resolutions > 0 && violations_.empty()) {
            const std::uint64_t now = std::min<std::uint64_t>(resolutions, 1 + random_.below(most_at_once));
            between();
            if (random_.below(25) == 0) {
                outage();
            } else {
                together(now);
                resolutions -= now;
            }
        }
        end();
    }
    std::vector<Violation> violations() { return std::move(violations_); }

  private:
    /// One client's question.
    struct Client {
        Question question;
        milliseconds patience{};
        MonoTime starts{};
        WallTime asked{};
        std::optional<task::Task<void>> task{};
    };

    void finished() noexcept override {}

    Wire::Faults faults() {
        if (weather_ == Weather::calm) return {};
        Wire::Faults made;
        made.loss = random_.below(3) == 0 ? random_.below(40) : random_.below(5);
        made.duplication = random_.below(20);
        made.forgery = random_.below(2) == 0 ? random_.below(10) : 0;
        made.spike = random_.below(5);
        made.broken_stream = random_.below(20);
        made.jitter_ms = static_cast<std::uint32_t>(random_.below(100));
        return made;
    }

    void open() {
        resolve::Settings settings;
        for (const Server* server : universe_.root().servers)
            settings.root_hints.push_back({test::name("ns0."), server->address});
        settings.anchors = *dnssec::TrustAnchors::parse(". DS " + universe_.root().zone.ds_text());
        settings.local_authorities = resolve::Switch::on;
        resolver_ = std::make_unique<resolve::Resolver>(
            settings, resolve::Resolver::Tools{clock_, resolver_random_, wire_, cache_, log_, scheduler_});
    }

    void note(const std::string& text) {
        if (trace_ == nullptr) return;
        const auto now = std::chrono::duration_cast<milliseconds>(clock_.mono().time_since_epoch());
        trace_->push_back(std::to_string(now.count()) + " ms " + text);
    }

    // What happens to the world while nobody asks.
    void between() {
        if (random_.below(3) == 0) clock_.advance(std::chrono::seconds(random_.below(1200)));
        if (random_.below(10) == 0) clock_.advance(std::chrono::seconds(random_.below(7200)));
        if (random_.below(10) == 0) flush();
        if (random_.below(30) == 0) {
            note("the resolver is started anew");
            resolver_.reset();
            open();
        }
        if (random_.below(cache_.closed ? 4 : 30) == 0) toggle_cache();
        if (random_.below(4) == 0) {
            latest_ = std::max(latest_, clock_.wall());
            ++tally_.changes;
            note("the world: " + universe_.change(random_, latest_));
        }
        if (weather_ == Weather::calm) return;
        for (Server& server : universe_.servers()) {
            if (server.habit == Habit::flapping) server.up = random_.below(2) == 0;
        }
        if (random_.below(25) == 0) step_clock();
    }

    void step_clock() {
        const auto step = std::chrono::seconds(static_cast<std::int64_t>(random_.below(4 * 86400)) - 86400);
        note("the clock is set by " + std::to_string(step.count()) + " s");
        ++tally_.steps;
        latest_ = std::max(latest_, clock_.wall());
        clock_.step_wall(step);
        earliest_ = std::min(earliest_, clock_.wall());
    }

    void toggle_cache() {
        cache_.closed = !cache_.closed;
        ++tally_.closings;
        note(cache_.closed ? "the cache is closed" : "the cache is open again");
    }

    // The network is gone, and comes back; what was said meanwhile is forgotten in good time (RFC 9520 3.2: 5 min).
    void outage() {
        note("the network is cut off");
        ++tally_.outages;
        wire_.cut = true;
        together(1 + random_.below(most_at_once));
        wire_.cut = false;
        note("the network is back");
        clock_.advance(std::chrono::seconds(300 + random_.below(900)));
    }

    void flush() {
        note("the cache is wiped");
        ++tally_.flushes;
        cache_.flush(dns::Name(), true);
        resolver_->flush(dns::Name(), true);
    }

    void together(std::uint64_t count) {
        std::vector<std::unique_ptr<Client>> clients;
        for (std::uint64_t number = 0; number < count; ++number) {
            auto client = std::make_unique<Client>();
            client->question = universe_.question(random_);
            const bool hurried = weather_ == Weather::rough && random_.below(5) == 0;
            client->patience = milliseconds(hurried ? random_.below(1000) : 3000 + random_.below(5000));
            client->starts = clock_.mono() + milliseconds(random_.below(3) == 0 ? random_.below(300) : 0);
            client->task.emplace(ask(client.get()));
            client->task->start(scheduler_, *this);
            clients.push_back(std::move(client));
        }
        earliest_ = clock_.wall();
        if (random_.below(10) == 0) {
            scheduler_.run_for(milliseconds(random_.below(200)));
            flush();
        }
        if (random_.below(15) == 0) {
            scheduler_.run_for(milliseconds(random_.below(200)));
            toggle_cache();
        }
        if (weather_ == Weather::rough && random_.below(40) == 0) {
            scheduler_.run_for(milliseconds(random_.below(200)));
            step_clock();
        }
        if (random_.below(6) == 0) {
            scheduler_.run_for(milliseconds(random_.below(400)));
            Client& gone = *clients[random_.below(clients.size())];
            if (!gone.task->is_done()) {
                note("somebody who asked for " + gone.question.name.to_text() + " is gone");
                ++tally_.cancelled;
                gone.task.reset();
            }
        }
        hold(scheduler_.run_until_idle(), Rule::nothing_left, "events without end");
        for (const auto& client : clients) {
            hold(!client->task || client->task->is_done(), Rule::nothing_left,
                 client->question.name.to_text() + " " + dns::to_text(client->question.type) + " waits for ever");
        }
        hold(scheduler_.spawned() == 0, Rule::nothing_left, "tasks are left");
        hold(!scheduler_.next_timer() && !scheduler_.has_ready(), Rule::nothing_left, "timers are left");
        hold(wire_.open() == 0, Rule::nothing_left, "exchanges are left");
    }

    void end() {
        resolver_.reset();
        tally_.packets += wire_.packets();
        tally_.lies += wire_.lies();
    }

    task::Task<void> ask(Client* client) {
        co_await task::sleep_until(client->starts);
        client->starts = clock_.mono();
        client->asked = clock_.wall();
        const BudgetRef budget = resolver_->budget(client->patience);
        const dnssec::Answer answer = co_await resolver_->resolve(client->question.name, client->question.type, budget);
        check(*client, answer, *budget);
    }

    template <class Text>
    void hold(bool holds, Rule rule, const Text& text) {
        ++tally_.held[static_cast<std::size_t>(rule)];
        if (!holds) violations_.push_back({rule, text});
    }

    void check(const Client& client, const dnssec::Answer& answer, const Budget& budget) {
        ++tally_.resolutions;
        const std::string what = client.question.name.to_text() + " " + dns::to_text(client.question.type) + ": ";
        hold(clock_.mono() <= client.starts + client.patience + grace, Rule::deadline_kept,
             what + "the deadline has passed");
        const BudgetLimits limits = resolver_->settings().lookup_limits;
        for (std::size_t limit = 0; limit < limit_count; ++limit) {
            hold(budget.used(static_cast<Limit>(limit)) <= limits.most[limit], Rule::budget_kept,
                 what + std::string(name_of(static_cast<Limit>(limit))));
        }
        for (const dnssec::FindingRef& link : answer.links()) check_link(client, *link, what);
        switch (answer.security()) {
            case Security::secure:
                ++tally_.secure;
                break;
            case Security::insecure:
                ++tally_.insecure;
                break;
            case Security::bogus:
                ++tally_.bogus;
                break;
            case Security::indeterminate:
                ++tally_.indeterminate;
                break;
        }
        note("answer " + what + std::string(dnssec::to_text(answer.security())) + " " +
             std::string(dnssec::to_text(answer.outcome())) + " " + answer.reason().text);
    }

    [[nodiscard]] static bool is_opted_out(const Truth& truth) {
        const bool may_be = truth.zone->is_signed() && truth.zone->keys()->denial == Denial::opt_out;
        return may_be && (truth.fact.kind == Fact::Kind::nodata || truth.fact.kind == Fact::Kind::nxdomain ||
                          truth.fact.wildcard);
    }

    /// RFC 5155 9.2: every NSEC3 of such a zone has the flag, so that nothing that needs a covering one is secure.
    [[nodiscard]] static bool rests_on_opt_out(const Truth& truth) {
        return is_opted_out(truth) && (truth.fact.kind == Fact::Kind::nxdomain || truth.fact.wildcard);
    }

    void check_link(const Client& client, const dnssec::Finding& link, const std::string& what) {
        const WallTime now = std::min(client.asked, earliest_);
        const std::vector<Truth> truths = universe_.truths(link.name(), link.type(), now);
        const Place& place = *truths.front().place;
        const std::string said = what + link.name().to_text() + " is said to be " +
                                 std::string(dnssec::to_text(link.security())) + " " +
                                 std::string(dnssec::to_text(link.outcome())) + " " + link.reason().text;
        switch (link.security()) {
            case Security::secure:
                hold(Universe::may_stand(place, Standing::secure, now) &&
                         std::ranges::any_of(
                             truths,
                             [&](const Truth& truth) { return agrees(link, truth) && !rests_on_opt_out(truth); }),
                     Rule::secure_is_true, said);
                hold(std::ranges::any_of(
                         truths, [&](const Truth& truth) { return agrees(link, truth) && in_time(link, truth, now); }),
                     Rule::secure_in_time, said);
                break;
            case Security::insecure:
                hold(Universe::may_stand(place, Standing::insecure, now) ||
                         (Universe::may_stand(place, Standing::secure, now) &&
                          std::ranges::any_of(truths, is_opted_out)),
                     Rule::insecure_is_proven, said);
                if (place.untouched && link.outcome() != Outcome::failure)
                    hold(std::ranges::any_of(truths, [&](const Truth& truth) { return agrees(link, truth); }),
                         Rule::insecure_is_honest, said);
                break;
            case Security::bogus:
            case Security::indeterminate:
                hold(link.rrset() == nullptr && link.outcome() == Outcome::failure, Rule::bogus_carries_nothing, said);
                break;
        }
        if (weather_ == Weather::calm && !wire_.cut)
            hold(std::ranges::any_of(truths, [&](const Truth& truth) { return is_calmly_right(link, truth, now); }),
                 Rule::calm_is_answered, said);
    }

    [[nodiscard]] static bool is_calmly_right(const dnssec::Finding& link, const Truth& truth, WallTime now) {
        const Place& place = *truth.place;
        if (link.security() == Security::bogus) return Universe::may_stand(place, Standing::broken, now);
        if (!agrees(link, truth)) return false;
        if (link.security() == Security::insecure)
            return Universe::may_stand(place, Standing::insecure, now) ||
                   (Universe::may_stand(place, Standing::secure, now) && is_opted_out(truth));
        return link.security() == Security::secure && Universe::may_stand(place, Standing::secure, now);
    }

    [[nodiscard]] static bool in_time(const dnssec::Finding& link, const Truth& truth, WallTime now) {
        if (!truth.zone->is_signed()) return false;
        const WallTime last = test::noon + std::chrono::seconds(truth.zone->keys()->expiration) + skew;
        return now <= last && link.expires() <= last;
    }

    [[nodiscard]] static bool agrees(const dnssec::Finding& link, const Truth& truth) {
        switch (truth.fact.kind) {
            case Fact::Kind::nodata:
                return link.outcome() == Outcome::nodata;
            case Fact::Kind::nxdomain:
                return link.outcome() == Outcome::nxdomain;
            case Fact::Kind::records:
            case Fact::Kind::alias:
                break;
        }
        if (link.outcome() != Outcome::records || link.rrset() == nullptr) return false;
        return link.rrset()->type == truth.fact.set->type &&
               sorted(link.rrset()->records) == sorted(truth.fact.set->records);
    }

    SeededRandom random_;
    Weather weather_;
    Universe universe_;
    Tally& tally_;
    std::vector<std::string>* trace_;
    ManualClock clock_{test::noon};
    task::ManualScheduler scheduler_{clock_};
    Wire wire_;
    SeededRandom resolver_random_;
    FickleCache cache_;
    log::Log log_;
    std::unique_ptr<resolve::Resolver> resolver_;
    std::vector<Violation> violations_;
    WallTime latest_ = test::noon;    ///< that the clock ever showed
    WallTime earliest_ = test::noon;  ///< that the clock showed since those asked who are asking
};

}  // namespace

std::string_view to_text(Rule rule) {
    switch (rule) {
        case Rule::secure_is_true:
            return "secure only what is true";
        case Rule::secure_in_time:
            return "secure only within the signatures' time";
        case Rule::insecure_is_proven:
            return "never insecure in a signed zone";
        case Rule::insecure_is_honest:
            return "nobody but its servers speaks for an unsigned zone";
        case Rule::bogus_carries_nothing:
            return "bogus and indeterminate carry no data";
        case Rule::deadline_kept:
            return "never past the deadline";
        case Rule::budget_kept:
            return "never over budget";
        case Rule::calm_is_answered:
            return "everything is found out where nothing is wrong";
        case Rule::nothing_left:
            return "nothing is left over";
    }
    return "?";
}

std::vector<Violation> run_history(std::uint64_t seed, std::uint64_t resolutions, Tally& tally, Tracing tracing,
                                   std::vector<std::string>& trace) {
    History history(seed, tally, tracing == Tracing::on ? &trace : nullptr);
    history.run(resolutions);
    return history.violations();
}

}  // namespace simulate
