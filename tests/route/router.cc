// The mail answer in virtual time: one deadline, isolation, joining, keeping.
#include "route/router.h"

#include <catch2/catch.hpp>

#include "route/support.h"

namespace mxtrust::route {
namespace {

using namespace testing;
using mail::testing::actions;
using mail::testing::summary;

TEST_CASE("addresses and TLSA of all hosts are asked side by side") {
    Bench bench;
    put_hosts(bench.world(), 25);
    bench.lookups.usual = Duration(100);
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->hosts.size() == 25);
    CHECK(summary(answer->decision) == "deliver dane +");
    CHECK(bench.took == Duration(200));
    CHECK(bench.lookups.all == 1 + 3 * 25);
}

TEST_CASE("hosts under way at once are bounded, and all of them are asked") {
    RouteSettings settings;
    settings.most_hosts_at_once = 10;
    Bench bench(settings);
    put_hosts(bench.world(), 95);
    bench.lookups.usual = Duration(100);
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(answer->hosts.size() == 95);
    CHECK(summary(answer->decision) == "deliver dane +");
    CHECK(bench.lookups.most_running == 30);
    CHECK(bench.took == Duration(1100));
}

TEST_CASE("the router's answer is that of the decision, whatever the order in which things arrive") {
    SeededRandom random(1);
    const Type types[] = {Type::a, Type::aaaa, Type::tlsa};
    for (int round = 0; round < 300; ++round) {
        Bench bench;
        std::vector<Axis> axes(mail::testing::all_axes);
        put_hosts(bench.world(), 3);
        for (int index = 0; index < 3; ++index) {
            std::string host = "mx" + std::to_string(index) + ".example.org";
            if (random.below(3) == 0) {
                bench.world().put_alias(host, "target" + host + ".",
                                        random.below(2) == 0 ? Axis::secure_records : Axis::insecure_records);
                host = "target" + host;
            }
            bench.world().put(host, Type::a, axes[random.below(axes.size())], {"192.0.2.1"});
            bench.world().put(host, Type::aaaa, axes[random.below(axes.size())], {"2001:db8::1"});
            bench.world().put_tlsa(host, axes[random.below(axes.size())], {sha256});
            for (Type type : types) {
                std::string owner = type == Type::tlsa ? "_25._tcp." + host : host;
                bench.lookups.delay(owner, type, Duration(random.below(400)));
            }
        }
        MailAnswerRef found = bench.ask("example.org");
        mail::MailAnswer wanted = mail::testing::ask(bench.world(), "example.org");
        CAPTURE(round, found->decision.text, wanted.decision.text);
        CHECK(actions(*found) == actions(wanted));
        CHECK(summary(found->decision) == summary(wanted.decision));
        CHECK(found->decision.text == wanted.decision.text);
        for (std::size_t index = 0; index < 3; ++index) {
            CHECK(found->hosts[index].policy.text == wanted.hosts[index].policy.text);
            CHECK(found->hosts[index].tlsa.has_value() == wanted.hosts[index].tlsa.has_value());
        }
    }
}

TEST_CASE("one dead host costs that host only, and the answer keeps the deadline") {
    Bench bench;
    put_hosts(bench.world(), 3);
    bench.lookups.delay("mx1.example.org", Type::a, Duration(60'000));
    bench.lookups.delay("mx1.example.org", Type::aaaa, Duration(60'000));
    MailAnswerRef answer = bench.ask("example.org", Duration(2000));
    CHECK(bench.took == Duration(1950));
    CHECK(actions(*answer) == "dane skip dane");
    CHECK(summary(answer->decision) == "deliver dane +");
    CHECK(answer->hosts[1].a->status.security == dnssec::Security::indeterminate);
    CHECK(answer->hosts[1].a->status.outcome == dnssec::Outcome::failure);
    CHECK_THAT(answer->hosts[1].policy.text, Catch::Contains("in time"));
    CHECK(bench.router->counters().late == 1);
}

TEST_CASE("a second question a moment later profits from what arrived late") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.lookups.delay("_25._tcp.mx1.example.org", Type::tlsa, Duration(3000));
    MailAnswerRef first = bench.ask("example.org", Duration(1000));
    CHECK(actions(*first) == "dane skip");
    CHECK(first->hosts[1].policy.fault == mail::Fault::dnssec_invalid);
    bench.wait(500ms);
    MailAnswerRef second = bench.ask("example.org", Duration(5000));
    CHECK(actions(*second) == "dane dane");
    CHECK(bench.took < Duration(1600));
    CHECK(bench.lookups.asked("_25._tcp.mx1.example.org", Type::tlsa) == 1);
}

TEST_CASE("look-ups that nobody waits for end with their own deadline") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.lookups.usual = Duration(100'000);
    CHECK(summary(bench.ask("example.org", Duration(1000))->decision) == "defer 4.4.312");
    CHECK(bench.took == Duration(950));
    CHECK(bench.lookups.running == 1);
    bench.wait(5001ms);
    CHECK(bench.lookups.running == 0);
}

TEST_CASE("a router that goes takes its look-ups with it") {
    Bench bench;
    put_hosts(bench.world(), 5);
    bench.lookups.delay("mx1.example.org", Type::a, Duration(60'000));
    bench.ask("example.org", Duration(100));
    CHECK(bench.lookups.running > 0);
    bench.router.reset();
    CHECK(bench.lookups.running == 0);
}

TEST_CASE("a TLSA look-up that turns out not to matter is not waited for") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.world().put("mx0.example.org", Type::a, Axis::insecure_records, {"192.0.2.1"});
    bench.world().put("mx0.example.org", Type::aaaa, Axis::insecure_nodata);
    bench.lookups.delay("_25._tcp.mx0.example.org", Type::tlsa, Duration(60'000));
    MailAnswerRef answer = bench.ask("example.org");
    CHECK(actions(*answer) == "may");
    CHECK_FALSE(answer->hosts[0].tlsa.has_value());
    CHECK(bench.took == Duration(20));
    CHECK(bench.router->counters().late == 0);
}

TEST_CASE("TLSA of an alias is asked at the expanded name as soon as one family tells it") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
    bench.world().put_alias("mx.example.org", "host.example.net.");
    bench.world().put("host.example.net", Type::a, Axis::secure_records, {"192.0.2.1"});
    bench.world().put_tlsa("host.example.net", Axis::secure_records, {sha256});
    bench.lookups.delay("mx.example.org", Type::aaaa, Duration(60'000));
    bench.lookups.delay("_25._tcp.host.example.net", Type::tlsa, Duration(800));
    MailAnswerRef answer = bench.ask("example.org", Duration(1000));
    CHECK(actions(*answer) == "dane");
    CHECK(answer->hosts[0].policy.sni == "host.example.net");
    CHECK(answer->hosts[0].aaaa->status.outcome == dnssec::Outcome::failure);
}

TEST_CASE(
    "TLSA of a host elsewhere is asked after one of its addresses, and beside them where its zone is known to be "
    "signed") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.net."});
    bench.world().put_host("mx.example.net", {sha256});
    bench.lookups.usual = Duration(100);
    SECTION("nothing is known of it") {
        CHECK(actions(*bench.ask("example.org")) == "dane");
        CHECK(bench.took == Duration(300));
    }
    SECTION("the slower address is not waited for") {
        bench.lookups.delay("mx.example.net", Type::aaaa, Duration(250));
        CHECK(actions(*bench.ask("example.org")) == "dane");
        CHECK(bench.took == Duration(350));
    }
    SECTION("the keys of its zone are known") {
        bench.world().put("example.net", Type::dnskey, Axis::secure_records, {"257 3 13 AAAA"});
        bench.lookups.known[{name("example.net"), Type::dnskey}] = true;
        CHECK(actions(*bench.ask("example.org")) == "dane");
        CHECK(bench.took == Duration(200));
    }
    SECTION("the keys of its zone are known to be none") {
        bench.world().put("example.net", Type::dnskey, Axis::insecure_nodata);
        bench.lookups.known[{name("example.net"), Type::dnskey}] = true;
        CHECK(actions(*bench.ask("example.org")) == "dane");
        CHECK(bench.took == Duration(300));
    }
    SECTION("it turns out to be unsigned") {
        bench.world().put_host("mx.example.net", {sha256}, Axis::insecure_records);
        CHECK(actions(*bench.ask("example.org")) == "may");
        CHECK(bench.took == Duration(200));
        CHECK(bench.lookups.asked("_25._tcp.mx.example.net", Type::tlsa) == 0);
    }
    SECTION("one family is unsigned, the other is not: the policy holds for all addresses of the host") {
        bench.world().put("mx.example.net", Type::a, Axis::insecure_records, {"192.0.2.1"});
        bench.world().put("mx.example.net", Type::aaaa, Axis::secure_records, {"2001:db8::1"});
        CHECK(actions(*bench.ask("example.org")) == "dane");
    }
}

TEST_CASE("TLSA is not asked where it cannot matter") {
    Bench bench;
    SECTION("the host lies in the unsigned zone of the MX records") {
        bench.world().put("example.org", Type::mx, Axis::insecure_records, {"10 mx.example.org."});
        bench.world().put_host("mx.example.org", {sha256}, Axis::insecure_records);
        CHECK(actions(*bench.ask("example.org")) == "may");
    }
    SECTION("the host's address is known to be unsigned") {
        bench.world().put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
        bench.world().put_host("mx.example.org", {sha256}, Axis::insecure_records);
        bench.lookups.known[{name("mx.example.org"), Type::a}] = true;
        CHECK(actions(*bench.ask("example.org")) == "may");
    }
    SECTION("DANE is off") {
        bench.settings.options.dane_on = false;
        bench.restart();
        bench.world().put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
        bench.world().put_host("mx.example.org", {sha256});
        CHECK(actions(*bench.ask("example.org")) == "may");
    }
    SECTION("the MX records are unsigned and insecure_mx = may") {
        bench.settings.options.insecure_mx = mail::InsecureMx::may;
        bench.restart();
        bench.world().put("example.org", Type::mx, Axis::insecure_records, {"10 mx.example.org."});
        bench.world().put_host("mx.example.org", {sha256});
        CHECK(actions(*bench.ask("example.org")) == "may");
    }
    CHECK(bench.lookups.asked("_25._tcp.mx.example.org", Type::tlsa) == 0);
}

TEST_CASE("case 42: of a null MX the addresses are not asked; of a literal nothing is") {
    Bench bench;
    bench.world().put("example.org", Type::mx, Axis::secure_records, {"0 ."});
    CHECK(summary(bench.ask("example.org")->decision) == "bounce 5.1.10");
    CHECK(bench.lookups.all == 1);
    CHECK(summary(bench.ask("[192.0.2.1]")->decision) == "deliver may");
    CHECK(bench.lookups.all == 1);
}

TEST_CASE("a bracketed host is asked at its own port, and MX is not asked") {
    Bench bench;
    bench.world().put_host("relay.example", {});
    bench.world().put_tlsa("relay.example", Axis::secure_records, {sha256}, 587);
    MailAnswerRef answer = bench.ask("[relay.example]:587");
    CHECK(actions(*answer) == "dane");
    CHECK(answer->domain == "[relay.example]:587");
    CHECK_FALSE(answer->mx.has_value());
    CHECK(bench.lookups.asked("relay.example", Type::mx) == 0);
    CHECK(bench.lookups.asked("_587._tcp.relay.example", Type::tlsa) == 1);
}

TEST_CASE("what was found out is told, however late the clock is looked at") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.lookups.delay("_25._tcp.mx1.example.org", Type::tlsa, Duration(60'000));
    task::Gather<MailAnswerRef> askers(bench.scheduler);
    askers.add(bench.router->ask(bench.question("example.org", Duration(5000))));
    bench.scheduler.run_for(1s);
    // The machine was busy elsewhere: the flight's end and that of who waits for it come in one turn of the loop.
    bench.clock.advance(4500ms);
    bench.scheduler.settle();
    const MonoTime came_to = bench.clock.mono();
    auto finished = bench.scheduler.run(askers.next(task::never));
    REQUIRE(finished.has_value());
    REQUIRE(finished->has_value());
    const MailAnswerRef answer = (*finished)->second;
    REQUIRE(answer->mx.has_value());
    CHECK(answer->mx->status.security == dnssec::Security::secure);
    CHECK(actions(*answer) == "dane skip");
    CHECK(bench.clock.mono() == came_to);
}

TEST_CASE("who asks the same at the same time joins") {
    Bench bench;
    put_hosts(bench.world(), 3);
    task::Gather<MailAnswerRef> askers(bench.scheduler);
    for (const char* spelled : {"example.org", "EXAMPLE.org.", "example.ORG"})
        askers.add(bench.router->ask(bench.question(spelled)));
    bench.scheduler.run_for(1s);
    MailAnswerRef first;
    for (int index = 0; index < 3; ++index) {
        auto finished = bench.scheduler.run(askers.next(bench.clock.mono()));
        REQUIRE(finished.has_value());
        REQUIRE(finished->has_value());
        if (!first) first = (*finished)->second;
        CHECK((*finished)->second == first);
    }
    CHECK(bench.router->counters().searches == 1);
    CHECK(bench.router->counters().questions == 3);
    CHECK(bench.lookups.all == 10);
}

TEST_CASE("an impatient asker does not spoil a patient one's answer, whoever came first") {
    for (bool patient_first : {true, false}) {
        Bench bench;
        put_hosts(bench.world(), 2);
        bench.lookups.delay("mx1.example.org", Type::a, Duration(1500));
        std::vector<task::Task<MailAnswerRef>> tasks;
        tasks.push_back(bench.router->ask(bench.question("example.org", Duration(patient_first ? 5000 : 200))));
        tasks.push_back(bench.router->ask(bench.question("example.org", Duration(patient_first ? 200 : 5000))));
        MonoTime start = bench.clock.mono();
        std::optional<std::vector<MailAnswerRef>> answers = bench.scheduler.run(task::when_all(std::move(tasks)));
        REQUIRE(answers.has_value());
        const mail::MailAnswer& patient = *answers->at(patient_first ? 0 : 1);
        const mail::MailAnswer& impatient = *answers->at(patient_first ? 1 : 0);
        CHECK(actions(patient) == "dane dane");
        CHECK(impatient.decision.text != patient.decision.text);
        CHECK(bench.clock.mono() - start < 1600ms);
        CHECK(bench.lookups.asked("mx1.example.org", Type::a) == 1);
    }
}

TEST_CASE("an answer is kept until it expires, and a refresh goes past it") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.world().put("mx0.example.org", Type::a, Axis::secure_records, {"192.0.2.1"}, mail::testing::now + 60s);
    MailAnswerRef first = bench.ask("example.org");
    CHECK_FALSE(first->mx->cached);
    MailAnswerRef kept = bench.ask("Example.ORG");
    CHECK(kept->mx->cached);  // and everything else is what was said first
    CHECK(kept->time == first->time);
    CHECK(kept->expires == first->expires);
    CHECK(bench.took == Duration(0));
    CHECK(bench.ask("example.org") == kept);
    CHECK(bench.router->counters().kept == 2);
    MailAnswerRef fresh = bench.ask("example.org", Duration(5000), Refresh::yes);
    CHECK_FALSE(fresh->mx->cached);
    MailAnswerRef kept_then = bench.ask("example.org");
    CHECK(kept_then != kept);
    CHECK(bench.ask("example.org") == kept_then);
    bench.wait(61s);
    CHECK(bench.ask("example.org") != kept_then);
}

TEST_CASE("a failing answer is kept a few seconds") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.world().put_tlsa("mx1.example.org", Axis::bogus);
    MailAnswerRef first = bench.ask("example.org");
    CHECK(actions(*first) == "dane skip");
    CHECK(first->expires == first->time + 5s);
    bench.wait(2s);
    CHECK(bench.ask("example.org")->time == first->time);
    bench.world().put_tlsa("mx1.example.org", Axis::secure_records, {sha256});
    bench.wait(4s);
    CHECK(actions(*bench.ask("example.org")) == "dane dane");
}

TEST_CASE("kept answers are bounded: the least recently used goes first") {
    RouteSettings settings;
    settings.most_answers = 2;
    Bench bench(settings);
    for (const char* domain : {"a.example", "b.example", "c.example"}) bench.world().put_host(domain, {sha256});
    MailAnswerRef a = bench.ask_twice("a.example");
    MailAnswerRef b = bench.ask_twice("b.example");
    CHECK(bench.ask("a.example") == a);
    bench.ask("c.example");
    CHECK(bench.ask("a.example") == a);
    CHECK(bench.ask("b.example") != b);
}

TEST_CASE("a flush drops the answers that rest on a name") {
    Bench bench;
    put_hosts(bench.world(), 2);
    bench.world().put_host("other.example", {sha256});
    bench.ask("example.org");
    MailAnswerRef other = bench.ask_twice("other.example");
    CHECK(bench.router->flush(name("mx7.example.org"), false) == 0);
    CHECK(bench.router->flush(name("mx1.example.org"), false) == 1);
    bench.ask("example.org");
    CHECK(bench.router->flush(name("_25._tcp.mx1.example.org"), false) == 1);
    bench.ask("example.org");
    CHECK(bench.router->flush(name("org"), false) == 0);
    CHECK(bench.router->flush(name("org"), true) == 1);
    CHECK(bench.ask("other.example") == other);
    CHECK(bench.router->flush(dns::Name(), true) == 1);
}

TEST_CASE("a flush drops the answers that rest on a name which they do not show") {
    Bench bench;
    put_hosts(bench.world(), 1);
    // A TLSA record shared by alias (RFC 7671 6).
    bench.world().put_alias("_25._tcp.mx0.example.org", "shared.provider.example");
    bench.world().put("shared.provider.example", Type::tlsa, Axis::secure_records, {sha256});
    CHECK(bench.ask("example.org")->decision.level == mail::Level::dane);
    CHECK(bench.router->flush(name("shared.provider.example"), false) == 1);
    bench.ask("example.org");
    CHECK(bench.router->flush(name("provider.example"), true) == 1);
    // Records at an alias count only where its target is proven to have none (RFC 7672 2.2.3).
    bench.world().put("two.example.org", Type::mx, Axis::secure_records, {"10 alias.example.org."});
    bench.world().put_alias("alias.example.org", "target.provider.example");
    bench.world().put_host("target.provider.example", {});
    bench.world().put_tlsa("alias.example.org", Axis::secure_records, {sha256});
    CHECK(bench.ask("two.example.org")->hosts.at(0).tlsa->base == name("alias.example.org"));
    CHECK(bench.router->flush(name("_25._tcp.target.provider.example"), false) == 1);
    CHECK(bench.router->flush(name("_25._tcp.target.provider.example"), false) == 0);
}

TEST_CASE("what was being found out during a flush or a reload is not kept") {
    Bench bench;
    put_hosts(bench.world(), 1);
    bench.lookups.usual = Duration(100);
    task::Gather<MailAnswerRef> askers(bench.scheduler);
    askers.add(bench.router->ask(bench.question("example.org")));
    bench.wait(50ms);
    mail::Options off;
    off.dane_on = false;
    bench.router->set_options(off);
    bench.wait(1s);
    CHECK(actions(*bench.ask("example.org")) == "may");
}

TEST_CASE("all look-ups of a question draw from one budget, and one that spends much does not starve the others") {
    Bench bench;
    put_hosts(bench.world(), 25);
    bench.lookups.packets = 26;
    CHECK(summary(bench.ask("example.org")->decision) == "deliver dane +");
    CHECK(bench.lookups.out_of_budget == 0);
    bench.forget();
    bench.lookups.packets = 100;
    MailAnswerRef answer = bench.ask("example.org", Duration(5000), Refresh::yes);
    CHECK(bench.lookups.out_of_budget == 76 - 20);
    CHECK(answer->hosts.size() == 25);
    CHECK(actions(*answer).substr(0, 9) == "dane dane");
    CHECK(actions(*answer).find("may") == std::string::npos);
    bench.forget();
    bench.lookups.packets = 101;
    bench.wait(10s);  // a fresh look at one domain now and then
    CHECK(summary(bench.ask("example.org", Duration(5000), Refresh::yes)->decision) == "defer 4.4.312");
}

TEST_CASE("a question without any time gets an answer all the same") {
    Bench bench;
    put_hosts(bench.world(), 1);
    MailAnswerRef answer = bench.ask("example.org", Duration(1));
    REQUIRE(answer != nullptr);
    CHECK(summary(answer->decision) == "defer 4.4.312");
    answer = bench.ask("[mx9.example.org]", Duration(1));
    CHECK(summary(answer->decision) == "defer 4.4.312");
    CHECK(bench.router->failing(10).empty());  // that was no fault of the domain
}

TEST_CASE("an MX answer over DNS lets the hosts be fetched ahead") {
    Bench bench;
    put_hosts(bench.world(), 3);
    bench.router->look_ahead(bench.world().look_up(name("example.org"), Type::mx));
    CHECK(bench.router->counters().ahead == 3);
    bench.wait(1s);
    CHECK(bench.lookups.all == 9);
    CHECK(bench.lookups.running == 0);
    bench.router->look_ahead(bench.world().look_up(name("example.org"), Type::mx));
    CHECK(bench.router->counters().ahead == 3);  // all is known by now
    SECTION("not of a null MX, not of what failed, not of another type") {
        for (Axis axis : {Axis::bogus, Axis::indeterminate, Axis::secure_nxdomain}) {
            bench.world().put("example.net", Type::mx, axis);
            bench.router->look_ahead(bench.world().look_up(name("example.net"), Type::mx));
        }
        bench.world().put("example.net", Type::mx, Axis::secure_records, {"0 ."});
        bench.router->look_ahead(bench.world().look_up(name("example.net"), Type::mx));
        bench.router->look_ahead(bench.world().look_up(name("mx0.example.org"), Type::a));
        bench.wait(1s);
        CHECK(bench.lookups.all == 9);
    }
    SECTION("no TLSA where the addresses turn out to be unsigned") {
        bench.world().put("example.net", Type::mx, Axis::insecure_records, {"10 mx.example.net."});
        bench.world().put_host("mx.example.net", {sha256}, Axis::insecure_records);
        bench.router->look_ahead(bench.world().look_up(name("example.net"), Type::mx));
        bench.wait(1s);
        CHECK(bench.lookups.asked("mx.example.net", Type::aaaa) == 1);
        CHECK(bench.lookups.asked("_25._tcp.mx.example.net", Type::tlsa) == 0);
    }
    SECTION("the domain itself where it has no MX") {
        bench.router->look_ahead(bench.world().look_up(name("host.example.net"), Type::mx));
        bench.wait(1s);
        CHECK(bench.lookups.asked("host.example.net", Type::aaaa) == 1);
    }
    SECTION("no more than is allowed") {
        put_hosts(bench.world(), 60);
        bench.router->look_ahead(bench.world().look_up(name("example.org"), Type::mx));
        bench.wait(1s);
        CHECK(bench.router->counters().ahead == 3 + 13);  // of the first 16, three are known
    }
}

}  // namespace
}  // namespace mxtrust::route
