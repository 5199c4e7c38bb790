// Policies of MTA-STS in virtual time, with a web and a DNS that are played.
#include "sts/policies.h"

#include <catch2/catch.hpp>
#include <map>

#include "cache/memory_cache.h"
#include "mail/sts.h"
#include "mail/support.h"
#include "task/manual.h"

using namespace mxtrust;
using namespace mxtrust::sts;
using namespace std::chrono_literals;
using mail::StsPolicy;
using mail::StsStatus;
using mail::testing::Axis;
using mail::testing::name;

namespace {

/// Web servers by host: what they answer, and how long it takes.
class PlayedWeb final : public Fetcher {
  public:
    explicit PlayedWeb(Clock& clock) : clock_(clock) {}
    task::Task<Fetched> fetch(FetchRequest request, MonoTime deadline) override {
        return answer(this, std::move(request), deadline);
    }
    void put(const std::string& text) {
        page.good = true;
        page.text = text;
    }
    void break_down(mail::TlsrptType type = mail::TlsrptType::sts_policy_fetch_error) {
        page.good = false;
        page.trouble.type = type;
        page.trouble.text = "mta-sts.example.org does not answer";
    }

    Fetched page;
    Duration delay{20};
    int asked = 0;
    std::vector<Address> addresses;

  private:
    static task::Task<Fetched> answer(PlayedWeb* self, FetchRequest request, MonoTime deadline) {
        ++self->asked;
        self->addresses = request.addresses;
        Fetched page = self->page;
        const MonoTime end = std::min(self->clock_.mono() + self->delay, deadline);
        if (end < self->clock_.mono() + self->delay) {
            page.good = false;
            page.trouble.text = "did not answer in time";
        }
        co_await task::sleep_until(end);
        co_return page;
    }
    Clock& clock_;
};

class PlayedDns final : public Dns {
  public:
    task::Task<dnssec::Answer> resolve(dns::Name asked, dns::Type type, MonoTime /*deadline*/) override {
        return answer(this, std::move(asked), type);
    }
    mail::testing::World world;

  private:
    static task::Task<dnssec::Answer> answer(PlayedDns* self, dns::Name asked, dns::Type type) {
        co_return self->world.look_up(asked, type);
    }
};

const std::string enforce = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 864000\n";
const std::string other = "version: STSv1\nmode: enforce\nmx: other.example.org\nmax_age: 864000\n";
const std::string none = "version: STSv1\nmode: none\nmax_age: 864000\n";

struct Bench {
    Bench() {
        dns.world.put("mta-sts.example.org", dns::Type::a, Axis::insecure_records, {"198.18.0.1", "8.8.4.4"});
        web.put(enforce);
        announce("a");
    }
    void announce(const std::string& id) {
        dns.world.put("_mta-sts.example.org", dns::Type::txt, Axis::insecure_records, {"\"v=STSv1; id=" + id + "\""},
                      clock.wall() + 300s);
    }
    void withdraw(Axis axis = Axis::insecure_nxdomain) {
        dns.world.put("_mta-sts.example.org", dns::Type::txt, axis, {}, clock.wall() + 300s);
    }
    StsStatus find(Duration time = Duration(5000)) {
        std::optional<dnssec::Answer> record = dns.world.look_up(name("_mta-sts.example.org"), dns::Type::txt);
        const MonoTime begin = clock.mono();
        auto status = scheduler.run(policies->find(name("example.org"), std::move(record), clock.mono() + time));
        took = std::chrono::duration_cast<Duration>(clock.mono() - begin);
        return status.value();
    }
    /// What holds: "enforce a mx.example.org", or why not.
    std::string told(Duration time = Duration(5000)) {
        const StsStatus status = find(time);
        if (!status.policy) return status.trouble ? std::string(to_text(status.trouble->type)) : std::string("-");
        std::string text(to_text(status.policy->mode));
        text += " " + status.policy->id;
        for (const std::string& pattern : status.policy->patterns) text += " " + pattern;
        return text + (status.trouble ? " (" + std::string(to_text(status.trouble->type)) + ")" : "");
    }
    void wait(std::chrono::seconds span) { scheduler.run_for(span); }
    void restart() { policies.emplace(settings, Policies::Tools{clock, kept, dns, web, scheduler}); }
    void round() { scheduler.run(policies->round()); }

    PolicySettings settings;
    ManualClock clock{mail::testing::now};
    task::ManualScheduler scheduler{clock};
    cache::MemoryCache kept;
    PlayedDns dns;
    PlayedWeb web{clock};
    std::optional<Policies> policies{std::in_place, settings, Policies::Tools{clock, kept, dns, web, scheduler}};
    Duration took{};
};

}  // namespace

TEST_CASE("a note that no policy can have made is none") {
    const std::string end = std::to_string(mail::testing::now.seconds + 1000);
    for (const std::string& note : std::vector<std::string>{
             "what is this", "enforce 9223372036854775807 1 " + end + " 1 b\nmx.example.org\n",
             "enforce -1 1 " + end + " 1 b\n", "enforce 1000 -9223372036854775808 " + end + " 1 b\n",
             "enforce 1000 1 9223372036854775807 1 b\n", "enforce 1000 1 " + end + " -9223372036854775808 b\n"}) {
        CAPTURE(note);
        Bench bench;
        bench.withdraw();
        bench.kept.store_note("policy/example.org", note, bench.clock.wall() + 1000s);
        CHECK(bench.told() == "-");
    }
    Bench bench;
    bench.withdraw();
    bench.kept.store_note("policy/example.org", "enforce 1000 1 " + end + " 1 b\nmx.example.org\n",
                          bench.clock.wall() + 1000s);
    CHECK(bench.told() == "enforce b mx.example.org");
}

TEST_CASE("a policy is fetched once, and kept over restarts until its max_age") {
    Bench bench;
    const StsStatus first = bench.find();
    REQUIRE(first.policy.has_value());
    CHECK(first.source == StsStatus::Source::https);
    CHECK(first.policy->expires == bench.clock.wall() + 864000s);
    CHECK(first.record_id == "a");
    CHECK(bench.find().source == StsStatus::Source::cache);
    bench.restart();
    CHECK(bench.told() == "enforce a mx.example.org");
    CHECK(bench.web.asked == 1);
    bench.wait(863990s);
    bench.withdraw();
    CHECK(bench.told() == "enforce a mx.example.org");
    bench.wait(20s);
    CHECK(bench.told() == "-");
    CHECK(bench.web.asked == 1);
}

TEST_CASE("what is kept holds whatever becomes of the record and of the web server (RFC 8461 5.1)") {
    Bench bench;
    CHECK(bench.told() == "enforce a mx.example.org");
    for (const Axis axis : {Axis::insecure_nxdomain, Axis::insecure_nodata, Axis::secure_nxdomain}) {
        bench.withdraw(axis);
        CHECK(bench.told() == "enforce a mx.example.org");
    }
    for (const Axis axis : {Axis::bogus, Axis::indeterminate, Axis::insecure_failure}) {
        bench.withdraw(axis);
        CHECK(bench.told() == "enforce a mx.example.org (sts-policy-fetch-error)");
    }
    bench.announce("b");
    bench.web.break_down();
    CHECK(bench.told() == "enforce a mx.example.org (sts-policy-fetch-error)");
    bench.wait(301s);
    bench.announce("c");
    bench.web.put("rubbish");
    CHECK(bench.told() == "enforce a mx.example.org (sts-policy-invalid)");
    bench.announce("d");
    bench.web.break_down(mail::TlsrptType::sts_webpki_invalid);
    CHECK(bench.told() == "enforce a mx.example.org (sts-webpki-invalid)");
}

TEST_CASE("without a policy from before, what fails gives none, and says why") {
    Bench bench;
    bench.web.break_down();
    CHECK(bench.told() == "sts-policy-fetch-error");
    CHECK(bench.find().expires <= bench.clock.wall() + 300s);
    bench.dns.world.put("_mta-sts.example.org", dns::Type::txt, Axis::insecure_records, {"\"v=STSv1; id=!\""});
    CHECK(bench.told() == "sts-policy-invalid");
    bench.withdraw(Axis::bogus);
    CHECK(bench.told() == "sts-policy-fetch-error");
    bench.withdraw();
    CHECK(bench.told() == "-");
}

TEST_CASE("a changed id is a reason to fetch at once; \"mode: none\" replaces at once") {
    Bench bench;
    CHECK(bench.told() == "enforce a mx.example.org");
    bench.web.put(other);
    CHECK(bench.told() == "enforce a mx.example.org");  // the same id: nobody looks
    bench.announce("b");
    CHECK(bench.told() == "enforce b other.example.org");
    bench.web.put(none);
    bench.announce("c");
    CHECK(bench.told() == "none c");
    CHECK(bench.web.asked == 3);
}

TEST_CASE("nobody waits for a slow web server longer than there is time, and the next question profits") {
    Bench bench;
    bench.web.delay = Duration(20'000);
    const StsStatus first = bench.find(Duration(3000));
    CHECK(first.late);
    CHECK_FALSE(first.policy.has_value());
    CHECK(bench.took <= Duration(3000));
    bench.wait(18s);
    CHECK(bench.told() == "enforce a mx.example.org");
    CHECK(bench.web.asked == 1);
    // A newer one is waited for as little; what is kept holds meanwhile.
    bench.announce("b");
    const StsStatus second = bench.find(Duration(3000));
    CHECK(second.late);
    CHECK(second.policy->id == "a");
    CHECK(bench.took <= Duration(3000));
}

TEST_CASE("a failed fetch is not repeated for five minutes, but for another id (RFC 8461 3.3)") {
    Bench bench;
    bench.web.break_down();
    for (int count = 0; count < 5; ++count) CHECK(bench.told() == "sts-policy-fetch-error");
    CHECK(bench.web.asked == 1);
    bench.restart();
    CHECK(bench.told() == "sts-policy-fetch-error");
    CHECK(bench.web.asked == 1);
    bench.wait(301s);
    bench.web.put(enforce);
    CHECK(bench.told() == "enforce a mx.example.org");
    bench.web.break_down();
    bench.announce("b");
    bench.find();
    bench.announce("c");
    bench.find();
    CHECK(bench.web.asked == 4);
}

TEST_CASE("a policy in use is fetched again long before its end, one that nobody uses is not") {
    Bench bench;
    CHECK(bench.told() == "enforce a mx.example.org");
    bench.round();
    CHECK(bench.web.asked == 1);
    bench.wait(86500s);
    bench.announce("a");
    bench.round();
    CHECK(bench.web.asked == 2);
    CHECK(bench.find().policy->fetched > mail::testing::now + 86400s);
    // The web server is away: what is kept holds to its end, and the next try is an hour later.
    bench.web.break_down();
    bench.wait(86500s);
    bench.round();
    bench.round();
    CHECK(bench.web.asked == 3);
    bench.wait(3700s);
    bench.round();
    CHECK(bench.web.asked == 4);
    bench.web.put(none);
    bench.wait(3700s);
    bench.round();
    CHECK(bench.told() == "none a");
    const int before = bench.web.asked;
    for (int count = 0; count < 60; ++count) {
        bench.wait(86500s);
        bench.round();
    }
    // 30 days after the last question nobody looks any more, and it ends when it ends.
    CHECK(bench.web.asked - before <= 31);
    CHECK(bench.kept.notes("policy/", 10, bench.clock.wall()).empty());
}

TEST_CASE("only addresses that a public server can have are connected to (the resolver's own)") {
    Bench bench;
    struct Row {
        std::vector<std::string> addresses;
        bool local;
        std::vector<std::string> asked;
    };
    const std::vector<Row> rows = {
        {{"10.0.0.1", "127.0.0.1", "8.8.4.4"}, false, {"8.8.4.4"}},
        {{"10.0.0.1", "169.254.1.1", "100.64.0.1", "192.0.2.1"}, false, {}},
        {{"192.0.2.1", "127.0.0.1", "0.0.0.0", "224.0.0.1"}, true, {"192.0.2.1"}},
        {{"9.9.9.9", "8.8.4.4"}, false, {"8.8.4.4"}},  // 9.0.0.0/8 is private to this operator
    };
    int id = 0;
    for (const Row& row : rows) {
        CAPTURE(row.addresses);
        bench.settings.local_addresses = row.local ? Allowed::yes : Allowed::no;
        bench.settings.private_addresses = {Network::from_text("9.0.0.0/8").value()};
        bench.restart();
        bench.dns.world.put("mta-sts.example.org", dns::Type::a, Axis::insecure_records, row.addresses);
        bench.announce("x" + std::to_string(++id));
        bench.web.addresses.clear();
        const StsStatus status = bench.find();
        std::vector<std::string> asked;
        for (const Address& address : bench.web.addresses) asked.push_back(address.to_text());
        CHECK(asked == row.asked);
        CHECK(status.trouble.has_value() == row.asked.empty());
    }
    for (const Axis axis : {Axis::bogus, Axis::indeterminate, Axis::insecure_nodata}) {
        bench.dns.world.put("mta-sts.example.org", dns::Type::a, axis);
        bench.dns.world.put("mta-sts.example.org", dns::Type::aaaa, axis);
        bench.announce("y" + std::to_string(++id));
        const int before = bench.web.asked;
        CHECK(bench.find().trouble->type == mail::TlsrptType::sts_policy_fetch_error);
        CHECK(bench.web.asked == before);
    }
}

TEST_CASE("what is kept and cannot be read is none") {
    Bench bench;
    for (const char* note : {"", "enforce", "strict 1 1 9999999999 1 a\nmx\n", "enforce x 1 9999999999 1 a\nmx\n"}) {
        bench.withdraw();
        bench.kept.store_note("policy/example.org", note, bench.clock.wall() + 100s);
        CHECK(bench.told() == "-");
    }
}
