// A resolver that takes its time: answers come from a world of tests/mail, each after a delay of virtual time.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "cache/memory_cache.h"
#include "mail/support.h"
#include "route/router.h"
#include "task/gather.h"
#include "task/manual.h"

namespace mxtrust::route::testing {

using namespace std::chrono_literals;
using dns::Type;
using mail::testing::Axis;
using mail::testing::name;
using mail::testing::sha256;

class SlowLookups final : public Lookups {
  public:
    explicit SlowLookups(Clock& clock) : clock_(clock) {}

    task::Task<dnssec::Answer> resolve(dns::Name asked, dns::Type type, BudgetRef budget) override {
        return answer(this, std::move(asked), type, std::move(budget));
    }
    std::optional<dnssec::Answer> peek(const dns::Name& asked, dns::Type type) override {
        if (!known.contains({asked, type})) return std::nullopt;
        return world.look_up(asked, type);
    }
    /// Counted like resolve().
    std::optional<dnssec::Answer> at_hand(const dns::Name& asked, dns::Type type, Budget& /*budget*/) override {
        std::optional<dnssec::Answer> answer = peek(asked, type);
        if (answer) {
            ++all;
            ++counts[{asked, type}];
        }
        return answer;
    }
    std::optional<cache::Ended> once(const dns::Name& asked, dns::Type type) override {
        const auto found = ended.find({asked, type});
        return found == ended.end() ? std::nullopt : std::optional(found->second);
    }
    BudgetRef budget(Duration time, BudgetRef parent) override {
        return std::make_shared<Budget>(BudgetLimits{}, clock_.mono() + time, std::move(parent));
    }

    /// Knows nothing of what was answered before.
    std::shared_ptr<Lookups> anew() override {
        ++fresh;
        return can_ask_anew ? std::make_shared<Forgetful>(*this) : nullptr;
    }
    /// Another world: what is there without a negative trust anchor.
    std::shared_ptr<Lookups> without(const dns::Name& negative_anchor) override {
        const auto found = worlds_without.find(negative_anchor);
        if (found == worlds_without.end()) return nullptr;
        auto lookups = std::make_shared<SlowLookups>(clock_);
        lookups->world = found->second;
        lookups->usual = usual;
        return lookups;
    }

    void delay(std::string_view owner, dns::Type type, Duration span) { delays[{name(owner), type}] = span; }
    [[nodiscard]] int asked(std::string_view owner, dns::Type type) const {
        auto found = counts.find({name(owner), type});
        return found == counts.end() ? 0 : found->second;
    }

    using Key = std::pair<dns::Name, dns::Type>;
    mail::testing::World world;
    Duration usual{10};
    std::map<Key, Duration> delays;
    std::map<Key, int> counts;
    std::map<Key, bool> known;  ///< answered before: what the cache has
    std::map<Key, cache::Ended> ended;
    std::uint32_t packets = 1;  ///< what a look-up costs
    int all = 0, running = 0, most_running = 0, out_of_budget = 0;
    int fresh = 0;  ///< so often asked for a resolver that asks anew
    bool can_ask_anew = true;
    std::map<dns::Name, mail::testing::World> worlds_without;

  private:
    class Forgetful final : public Lookups {
      public:
        explicit Forgetful(SlowLookups& behind) : behind_(behind) {}
        task::Task<dnssec::Answer> resolve(dns::Name asked, dns::Type type, BudgetRef budget) override {
            behind_.known.erase({asked, type});
            return behind_.resolve(std::move(asked), type, std::move(budget));
        }
        std::optional<dnssec::Answer> peek(const dns::Name& /*asked*/, dns::Type /*type*/) override {
            return std::nullopt;
        }
        BudgetRef budget(Duration time, BudgetRef parent) override { return behind_.budget(time, std::move(parent)); }

      private:
        SlowLookups& behind_;
    };
    struct Running {
        explicit Running(SlowLookups& lookups) : lookups_(lookups) {
            lookups_.most_running = std::max(lookups_.most_running, ++lookups_.running);
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        ~Running() { --lookups_.running; }
        SlowLookups& lookups_;
    };

    static task::Task<dnssec::Answer> answer(SlowLookups* self, dns::Name asked, dns::Type type, BudgetRef budget) {
        Key key(asked, type);
        ++self->counts[key];
        ++self->all;
        Running running(*self);
        auto slow = self->delays.find(key);
        Duration span = slow == self->delays.end() ? self->usual : slow->second;
        if (self->known.contains(key)) span = Duration(0);
        MonoTime end = std::min(self->clock_.mono() + span, budget->deadline());
        bool in_time = end == self->clock_.mono() + span;
        if (!budget->take(Limit::packets, self->packets)) {
            ++self->out_of_budget;
            in_time = false;
        }
        co_await task::sleep_until(end);
        if (!in_time) {
            dnssec::FindingRef failed = mail::testing::finding(asked, type, Axis::indeterminate);
            std::vector<dnssec::FindingRef> links(1, failed);
            co_return dnssec::Answer(std::move(links));
        }
        self->known[key] = true;
        co_return self->world.look_up(asked, type);
    }
    Clock& clock_;
};

/// A router in virtual time.
struct Bench {
    explicit Bench(RouteSettings chosen = {}) : settings(std::move(chosen)) { restart(); }
    void restart() {
        router.reset();
        router.emplace(settings, Router::Tools{clock, lookups, cache, scheduler});
    }
    MailQuestion question(std::string_view next_hop, Duration time = Duration(5000), Refresh refresh = Refresh::no) {
        return MailQuestion{mail::parse_next_hop(next_hop).value(), 25, clock.mono() + time, refresh};
    }
    MailAnswerRef ask(std::string_view next_hop, Duration time = Duration(5000), Refresh refresh = Refresh::no) {
        MonoTime start = clock.mono();
        std::optional<MailAnswerRef> answer = scheduler.run(router->ask(question(next_hop, time, refresh)));
        took = std::chrono::duration_cast<Duration>(clock.mono() - start);
        return answer.value_or(nullptr);
    }
    /// The answer as whoever asks again gets it.
    MailAnswerRef ask_twice(std::string_view next_hop) {
        ask(next_hop);
        return ask(next_hop);
    }
    void wait(std::chrono::microseconds span) { scheduler.run_for(span); }
    /// Whoever kept a decision must see the resolver as it is, not as its cache was.
    void forget() { lookups.known.clear(); }
    mail::testing::World& world() { return lookups.world; }

    RouteSettings settings;
    ManualClock clock{mail::testing::now};
    task::ManualScheduler scheduler{clock};
    cache::MemoryCache cache;
    SlowLookups lookups{clock};
    std::optional<Router> router;
    Duration took{};
};

inline void put_hosts(mail::testing::World& world, int count) {
    std::vector<std::string> records;
    for (int index = 0; index < count; ++index) {
        std::string host = "mx" + std::to_string(index) + ".example.org";
        records.push_back(std::to_string(index) + " " + host + ".");
        world.put_host(host, {sha256});
    }
    world.put("example.org", Type::mx, Axis::secure_records, records);
}

}  // namespace mxtrust::route::testing
