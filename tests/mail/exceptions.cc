// The operator's exceptions in the decision: what each changes, whom it touches, and that nothing looks more trusted
// for it.
#include "mail/exception.h"

#include <catch2/catch.hpp>

#include "mail/support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;
using On = Exception::On;

constexpr WallTime ends = now + std::chrono::hours(1);

Exception exception(On on, std::string_view what, ExceptionAction action, bool subdomains = false,
                    WallTime until = ends) {
    return Exception{on, name(what), subdomains, action, "ticket 4711", until};
}

Options with(const std::vector<Exception>& all) {
    Options options;
    options.exceptions = std::make_shared<const Exceptions>(all, std::make_shared<LatestTime>());
    return options;
}

/// What route/ does: exceptions are noted before the hosts are asked, and TLSA that does not count is not asked.
MailAnswer ask_with(const World& world, std::string_view next_hop, const Options& options,
                    const std::optional<StsStatus>& sts = {}) {
    DomainFacts facts;
    facts.sts = sts;
    facts.next_hop = parse_next_hop(next_hop).value();
    facts.now = now;
    if (facts.next_hop.kind == NextHop::Kind::domain) {
        facts.mx = world.look_up(facts.next_hop.name, Type::mx);
        facts.set = read_mx(facts.next_hop.name, *facts.mx, options);
    } else {
        facts.set = without_mx(facts.next_hop);
    }
    note_exceptions(facts.set, facts.next_hop, options, now);
    for (const MxHost& host : facts.set.hosts) {
        HostFacts found{host, {}, {}, {}};
        if (!facts.set.verdict && host.fate == MxHost::Fate::use && !host.literal) {
            found.a = world.look_up(host.name, Type::a);
            found.aaaa = world.look_up(host.name, Type::aaaa);
            if (wants_tlsa(host)) {
                for (const dns::Name& base : base_domains(*found.a, *found.aaaa))
                    found.tlsa.push_back({base, world.look_up(tlsa_name(base, 25).value(), Type::tlsa)});
            }
        }
        facts.hosts.push_back(std::move(found));
    }
    if (facts.set.verdict) facts.hosts.clear();
    return decide(facts, options);
}

/// Three hosts: DANE, TLSA bogus, no TLSA.
World three_hosts(Axis mx = Axis::secure_records) {
    World world;
    world.put("example.org", Type::mx, mx, {"10 good.example.org.", "20 bogus.example.org.", "30 plain.example.org."});
    world.put_host("good.example.org", {sha256});
    world.put_host("bogus.example.org", {});
    world.put_tlsa("bogus.example.org", Axis::bogus);
    world.put_host("plain.example.org", {});
    return world;
}

/// Actions, with a star where the host's policy is by the operator's word.
std::string shown(const MailAnswer& answer) {
    std::string text;
    for (const HostAnswer& host : answer.hosts) {
        text += (text.empty() ? "" : " ") + std::string(to_text(host.policy.action));
        if (!host.by_operator.empty()) text += '*';
    }
    return text;
}

}  // namespace

TEST_CASE("what each action makes of a host with DANE, one with bogus TLSA records, and one without") {
    struct Case {
        ExceptionAction action;
        const char *for_domain, *decision, *for_bogus_host;
    };
    const Case cases[] = {
        {ExceptionAction::may, "may* may* may*", "deliver may", "dane may* may"},
        {ExceptionAction::no_dane, "may* may* may*", "deliver may", "dane may* may"},
        {ExceptionAction::encrypt, "encrypt* encrypt* encrypt*", "deliver encrypt", "dane encrypt* may"},
        {ExceptionAction::require_dane, "dane skip skip*", "deliver dane-partial", "dane skip may"},
    };
    const World world = three_hosts();
    REQUIRE(actions(ask_with(world, "example.org", with({}))) == "dane skip may");
    for (const Case& each : cases) {
        INFO(to_text(each.action));
        const MailAnswer all =
            ask_with(world, "example.org", with({exception(On::domain, "example.org", each.action)}));
        CHECK(shown(all) == each.for_domain);
        CHECK(summary(all.decision) == each.decision);
        CHECK_THAT(all.decision.text, Catch::Contains("ticket 4711"));
        const MailAnswer one =
            ask_with(world, "example.org", with({exception(On::host, "bogus.example.org", each.action)}));
        CHECK(shown(one) == each.for_bogus_host);
    }
}

TEST_CASE("a host that is skipped by the operator is not asked, and the rest does not look better for it") {
    World world = three_hosts();
    world.put_tlsa("bogus.example.org", Axis::secure_records, {sha256});
    const MailAnswer natural = ask_with(world, "example.org", with({}));
    CHECK(summary(natural.decision) == "deliver dane-partial");
    const MailAnswer answer =
        ask_with(world, "example.org", with({exception(On::host, "plain.example.org", ExceptionAction::skip)}));
    CHECK(shown(answer) == "dane dane skip*");
    CHECK(summary(answer.decision) == "deliver dane-partial");
    CHECK_FALSE(answer.hosts[2].a.has_value());
    CHECK(code_text(*answer.hosts[2].policy.fault) == "4.7.1 held by the operator");
    const MailAnswer only =
        ask_with(world, "[plain.example.org]", with({exception(On::host, "plain.example.org", ExceptionAction::skip)}));
    CHECK(summary(only.decision) == "defer 4.7.1");
}

TEST_CASE("nothing that the operator's word has touched is authenticated") {
    World world;
    world.put("example.org", Type::mx, Axis::secure_records, {"10 a.example.org.", "20 b.example.org."});
    world.put_host("a.example.org", {sha256});
    world.put_host("b.example.org", {sha256});
    CHECK(ask_with(world, "example.org", with({})).decision.authenticated);
    for (ExceptionAction action :
         {ExceptionAction::may, ExceptionAction::encrypt, ExceptionAction::no_dane, ExceptionAction::skip}) {
        INFO(to_text(action));
        const MailAnswer answer = ask_with(world, "example.org", with({exception(On::host, "b.example.org", action)}));
        CHECK_FALSE(answer.decision.authenticated);
        REQUIRE(answer.by_operator.size() == 1);
        CHECK(answer.by_operator[0].action == to_text(action));
        CHECK(answer.by_operator[0].reason == "ticket 4711");
        CHECK(answer.expires <= ends);
    }
    // Without effect it does not show.
    const MailAnswer strict =
        ask_with(world, "example.org", with({exception(On::domain, "example.org", ExceptionAction::require_dane)}));
    CHECK(summary(strict.decision) == "deliver dane +");
    CHECK(strict.by_operator.empty());
    CHECK(strict.expires == later);
}

TEST_CASE("an exception without effect leaves the answer as it is, to the last word") {
    World world;
    world.put("example.org", Type::mx, Axis::insecure_records, {"10 a.example.org."});
    world.put_host("a.example.org", {}, Axis::insecure_records);
    const MailAnswer natural = ask_with(world, "example.org", with({}));
    for (ExceptionAction action : {ExceptionAction::may, ExceptionAction::no_dane}) {
        const MailAnswer answer = ask_with(world, "example.org", with({exception(On::domain, "example.org", action)}));
        CHECK(answer.by_operator.empty());
        CHECK(answer.decision.text == natural.decision.text);
        CHECK(answer.hosts[0].policy.text == natural.hosts[0].policy.text);
        CHECK(answer.expires == natural.expires);
    }
    CHECK(ask_with(world, "example.org", with({exception(On::domain, "example.net", ExceptionAction::hold)}))
              .by_operator.empty());
}

TEST_CASE("mandatory DANE for a domain needs authentic MX records; for a host its own TLSA records do") {
    const World world = three_hosts(Axis::insecure_records);
    const MailAnswer domain =
        ask_with(world, "example.org", with({exception(On::domain, "example.org", ExceptionAction::require_dane)}));
    CHECK(shown(domain) == "skip* skip skip*");
    CHECK(domain.decision.fault == Fault::dane_required);
    CHECK(domain.decision.tlsrpt == TlsrptType::dane_required);
    const MailAnswer host =
        ask_with(world, "example.org", with({exception(On::host, "good.example.org", ExceptionAction::require_dane)}));
    CHECK(shown(host) == "dane skip may");
}

TEST_CASE("held mail is put off whatever the DNS says, and a failure stays one that no exception helps") {
    World world = three_hosts();
    const MailAnswer held =
        ask_with(world, "example.org", with({exception(On::domain, "example.org", ExceptionAction::hold)}));
    CHECK(summary(held.decision) == "defer 4.7.1");
    CHECK(shown(held) == "dane skip may");
    for (Axis axis : {Axis::bogus, Axis::indeterminate, Axis::insecure_failure}) {
        world.put("example.org", Type::mx, axis);
        for (ExceptionAction action : {ExceptionAction::may, ExceptionAction::encrypt, ExceptionAction::no_dane}) {
            const MailAnswer answer =
                ask_with(world, "example.org", with({exception(On::domain, "example.org", action)}));
            CHECK(answer.decision.action == Action::defer);
            CHECK(answer.by_operator.empty());
            CHECK_THAT(answer.decision.text, Catch::Contains("cannot help"));
        }
    }
    World addresses;
    addresses.put("example.org", Type::mx, Axis::secure_records, {"10 a.example.org."});
    addresses.put_host("a.example.org", {sha256}, Axis::bogus);
    CHECK(summary(ask_with(addresses, "example.org", with({exception(On::host, "a.example.org", ExceptionAction::may)}))
                      .decision) == "defer 4.7.324");
}

TEST_CASE(
    "the exception for the nearest name counts; of a host's and its domain's the stricter; subdomains on demand") {
    const World world = three_hosts();
    const auto shown_with = [&world](const std::vector<Exception>& all) {
        return shown(ask_with(world, "example.org", with(all)));
    };
    CHECK(shown_with({exception(On::host, "example.org", ExceptionAction::encrypt)}) == "dane skip may");
    CHECK(shown_with({exception(On::host, "example.org", ExceptionAction::encrypt, true)}) ==
          "encrypt* encrypt* encrypt*");
    CHECK(shown_with({exception(On::host, "example.org", ExceptionAction::encrypt, true),
                      exception(On::host, "bogus.example.org", ExceptionAction::may)}) == "encrypt* may* encrypt*");
    CHECK(shown_with({exception(On::domain, "example.org", ExceptionAction::encrypt),
                      exception(On::host, "bogus.example.org", ExceptionAction::may)}) == "encrypt* encrypt* encrypt*");
    CHECK(shown_with({exception(On::domain, "org", ExceptionAction::may, true),
                      exception(On::domain, "example.org", ExceptionAction::encrypt),
                      exception(On::host, "good.example.org", ExceptionAction::skip)}) == "skip* encrypt* encrypt*");
    CHECK(shown_with({exception(On::domain, "org", ExceptionAction::may)}) == "dane skip may");
}

TEST_CASE("an exception ends by itself, and a clock that is set back does not resurrect it") {
    const Exceptions all({exception(On::domain, "example.org", ExceptionAction::may)}, std::make_shared<LatestTime>());
    CHECK(all.find(On::domain, name("example.org"), ends - std::chrono::seconds(1)) != nullptr);
    CHECK(all.find(On::host, name("example.org"), now) == nullptr);
    CHECK(all.find(On::domain, name("example.org"), ends) == nullptr);
    CHECK(all.find(On::domain, name("example.org"), now) == nullptr);
}

TEST_CASE("whatever is bogus or fails, an exception never makes it authenticated, and a stricter one never looser") {
    const auto rank = [](const HostAnswer& host) {
        switch (host.policy.action) {
            case HostAction::may:
                return 0;
            case HostAction::encrypt:
                return 1;
            case HostAction::sts:
                return 2;
            case HostAction::dane:
                return 3;
            case HostAction::skip:
            case HostAction::unreachable:
                return 4;
        }
        return 4;
    };
    for (Axis mx : {Axis::secure_records, Axis::insecure_records}) {
        for (Axis address : all_axes) {
            for (Axis tlsa : all_axes) {
                World world;
                world.put("example.org", Type::mx, mx, {"10 a.example.org."});
                world.put_host("a.example.org", {}, address);
                world.put_tlsa("a.example.org", tlsa, {sha256});
                const MailAnswer natural = ask_with(world, "example.org", with({}));
                for (ExceptionAction action : {ExceptionAction::may, ExceptionAction::encrypt, ExceptionAction::no_dane,
                                               ExceptionAction::require_dane, ExceptionAction::hold}) {
                    const MailAnswer answer =
                        ask_with(world, "example.org", with({exception(On::domain, "example.org", action)}));
                    if (!answer.by_operator.empty()) CHECK_FALSE(answer.decision.authenticated);
                    if (!natural.decision.authenticated) CHECK_FALSE(answer.decision.authenticated);
                    if (action == ExceptionAction::require_dane) CHECK(rank(answer.hosts[0]) >= rank(natural.hosts[0]));
                    if (rank(answer.hosts[0]) != rank(natural.hosts[0])) CHECK_FALSE(answer.by_operator.empty());
                }
            }
        }
    }
}

TEST_CASE("no-sts takes the policy of MTA-STS away, and leaves DANE as it is") {
    StsStatus status;
    status.policy.emplace();
    status.policy->mode = StsPolicy::Mode::enforce;
    status.policy->patterns = {"plain.example.org"};
    status.expires = later;
    const World world = three_hosts();
    CHECK(actions(ask_with(world, "example.org", {}, status)) == "dane skip sts");
    for (const On on : {On::domain, On::host}) {
        const char* name = on == On::domain ? "example.org" : "plain.example.org";
        const Options options = with({exception(on, name, ExceptionAction::no_sts)});
        const MailAnswer answer = ask_with(world, "example.org", options, status);
        CHECK(actions(answer) == "dane skip may");
        CHECK(answer.hosts[0].by_operator.empty());
        CHECK(answer.hosts[2].by_operator.size() == 1);
        CHECK_FALSE(answer.decision.authenticated);
    }
    // A host that the policy leaves out is used again.
    status.policy->patterns = {"other.example"};
    CHECK(actions(ask_with(world, "example.org", {}, status)) == "dane skip skip");
    const Options options = with({exception(On::domain, "example.org", ExceptionAction::no_sts)});
    CHECK(actions(ask_with(world, "example.org", options, status)) == "dane skip may");
}

}  // namespace mxtrust::mail
