// MTA-STS and TLSRPT in the mail answer: when they are looked for, what waits for them, and what is made of them.
#include <catch2/catch.hpp>

#include "route/support.h"

using namespace mxtrust;
using namespace mxtrust::route;
using namespace mxtrust::route::testing;

namespace {

/// Has a policy for every domain, after a while.
class PlayedSts final : public StsSource {
  public:
    explicit PlayedSts(Clock& clock) : clock_(clock) {}
    task::Task<mail::StsStatus> find(dns::Name /*domain*/, std::optional<dnssec::Answer> record,
                                     MonoTime due) override {
        return answer(this, record.has_value(), due);
    }
    mail::StsPolicy policy{mail::StsPolicy::Mode::enforce, "1", {"mx.example.org"}, 86400s, {}, {}};
    Duration delay{30};
    int asked = 0;

  private:
    static task::Task<mail::StsStatus> answer(PlayedSts* self, bool record, MonoTime due) {
        ++self->asked;
        mail::StsStatus status;
        status.late = !record || self->clock_.mono() + self->delay > due;
        if (!status.late) status.policy = self->policy;
        status.expires = self->clock_.wall() + 600s;
        const MonoTime end = std::min(self->clock_.mono() + self->delay, due);
        co_await task::sleep_until(end);
        co_return status;
    }
    Clock& clock_;
};

struct StsBench : Bench {
    StsBench() {
        settings.tlsrpt = true;
        router.emplace(settings, Router::Tools{clock, lookups, cache, scheduler, &sts});
    }
    void one_host(Axis mx, std::vector<std::string> tlsa, Axis address = Axis::secure_records) {
        world().put("example.org", Type::mx, mx, {"10 mx.example.org."});
        world().put_host("mx.example.org", std::move(tlsa), address);
    }
    PlayedSts sts{clock};
};

constexpr std::string_view record = "_mta-sts.example.org";
constexpr std::string_view report = "_smtp._tls.example.org";

}  // namespace

TEST_CASE("an answer of DANE alone asks for no policy, and waits for none") {
    StsBench bench;
    bench.one_host(Axis::secure_records, {sha256});
    bench.lookups.delay(record, Type::txt, 4000ms);
    bench.sts.delay = Duration(4000);
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->decision.level == mail::Level::dane);
    CHECK_FALSE(answer->sts.has_value());
    CHECK(bench.lookups.asked(record, Type::txt) == 0);
    CHECK(bench.sts.asked == 0);
    CHECK(bench.took <= Duration(40));
}

TEST_CASE("where the MX records are not signed it is asked beside the hosts, and not waited for in vain") {
    StsBench bench;
    bench.one_host(Axis::insecure_records, {sha256});
    bench.lookups.delay(record, Type::txt, 4000ms);
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->decision.level == mail::Level::dane);
    CHECK_FALSE(answer->sts.has_value());
    CHECK(bench.lookups.asked(record, Type::txt) == 1);
    CHECK(bench.took <= Duration(60));
}

TEST_CASE("a host without DANE has the policy; whatever DANE could not find out is skipped all the same") {
    struct Row {
        Axis tlsa;
        mail::HostAction action;
        int asked;
    };
    for (const Row& row :
         {Row{Axis::secure_nodata, mail::HostAction::sts, 1}, Row{Axis::bogus, mail::HostAction::skip, 0},
          Row{Axis::indeterminate, mail::HostAction::skip, 0}}) {
        StsBench bench;
        bench.one_host(Axis::secure_records, {});
        bench.world().put_tlsa("mx.example.org", row.tlsa);
        MailAnswerRef answer = bench.ask("example.org");
        CHECK(answer->hosts.at(0).policy.action == row.action);
        CHECK(bench.sts.asked == row.asked);
    }
    StsBench bench;
    bench.one_host(Axis::insecure_records, {}, Axis::insecure_records);
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->decision.level == mail::Level::sts);
    CHECK(answer->expires <= bench.clock.wall() + 600s);
    bench.ask("example.org");
    CHECK(bench.sts.asked == 1);  // the answer is kept
}

TEST_CASE("a policy that is not there in time is not waited for, and the answer is not kept") {
    StsBench bench;
    bench.one_host(Axis::secure_records, {});
    bench.sts.delay = Duration(60'000);
    MailAnswerRef answer = bench.ask("example.org", Duration(1000));
    CHECK(answer->hosts.at(0).policy.action == mail::HostAction::may);
    CHECK(answer->sts->late);
    CHECK(bench.took <= Duration(1000));
    bench.sts.delay = Duration(10);
    CHECK(bench.ask("example.org")->hosts.at(0).policy.action == mail::HostAction::sts);
}

TEST_CASE("who wants no MTA-STS has an answer without, and nobody else has it") {
    StsBench bench;
    bench.one_host(Axis::secure_records, {});
    MailQuestion question = bench.question("example.org");
    question.sts = Sts::ignored;
    MailAnswerRef answer = bench.scheduler.run(bench.router->ask(question)).value();
    CHECK(answer->hosts.at(0).policy.action == mail::HostAction::may);
    CHECK(bench.sts.asked == 0);
    CHECK(bench.ask("example.org")->hosts.at(0).policy.action == mail::HostAction::sts);
    answer = bench.scheduler.run(bench.router->ask(question)).value();
    CHECK(answer->hosts.at(0).policy.action == mail::HostAction::may);
}

TEST_CASE("a domain whose name leaves no room for _mta-sts has no policy, and its answer is kept like any other") {
    StsBench bench;
    const std::string label = std::string(61, 'a') + ".";
    const std::string domain = label + label + label + std::string(62, 'b');
    bench.world().put(domain, Type::mx, Axis::insecure_records, {"10 mx.example.org."});
    bench.world().put_host("mx.example.org", {}, Axis::insecure_records);
    MailAnswerRef answer = bench.ask(domain);
    CHECK(answer->decision.level == mail::Level::may);
    CHECK(answer->expires > bench.clock.wall() + 60s);
    bench.ask(domain);
    CHECK(bench.lookups.asked(domain, Type::mx) == 1);
    CHECK(bench.sts.asked == 0);
}

TEST_CASE("an address in brackets and a domain that takes no mail have no policy") {
    StsBench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"0 ."});
    bench.ask("example.org");
    bench.ask("[192.0.2.1]");
    CHECK(bench.sts.asked == 0);
    bench.world().put_host("relay.example.org", {}, Axis::secure_records);
    bench.sts.policy.patterns = {"relay.example.org"};
    CHECK(bench.ask("[relay.example.org]")->decision.level == mail::Level::sts);  // RFC 8461 3.4
}

TEST_CASE("where reports are wanted is told where it is known, and nobody waits for it") {
    StsBench bench;
    bench.one_host(Axis::secure_records, {sha256});
    bench.world().put(report, Type::txt, Axis::secure_records, {"\"v=TLSRPTv1; rua=mailto:r@example.org\""});
    MailAnswerRef answer = bench.ask("example.org");
    REQUIRE(answer->tlsrpt.has_value());
    CHECK(answer->tlsrpt->rua == std::vector<std::string>{"mailto:r@example.org"});
    CHECK(bench.router->flush(name(report), false) == 1);
    StsBench slow;
    slow.one_host(Axis::secure_records, {sha256});
    slow.lookups.delay(report, Type::txt, 3000ms);
    answer = slow.ask("example.org");
    CHECK(slow.took <= Duration(40));
    CHECK(answer->tlsrpt->rua.empty());
    CHECK_FALSE(answer->tlsrpt->problem.empty());
    CHECK(answer->expires <= slow.clock.wall() + 5s);
    for (const Axis axis : {Axis::bogus, Axis::indeterminate}) {
        StsBench failing;
        failing.one_host(Axis::secure_records, {sha256});
        failing.world().put(report, Type::txt, axis);
        CHECK_FALSE(failing.ask("example.org")->tlsrpt->problem.empty());
    }
}
