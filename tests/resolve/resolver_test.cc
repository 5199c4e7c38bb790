// The walk of a question, from the root down, over a small Internet in virtual time.
#include "resolve/resolver.h"

#include <algorithm>

#include "resolve/signed_stage.h"
#include "task/gather.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Type;
using dnssec::Outcome;
using dnssec::Security;
using stage::mail_address;
using stage::plain_address;
using stage::second_address;
using stage::SignedStage;
using stage::verdict;
using stage::ZoneData;

TEST_CASE("a name is found from the root down, and proven to be secure") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    INFO(answer.reason().text);
    CHECK(verdict(answer) == "secure records");
    CHECK(answer.final().rrset()->records.size() == 1);
}

TEST_CASE("what was found is answered from the cache") {
    SignedStage play;
    static_cast<void>(play.ask("mail.org.", Type::mx));
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("MAIL.org.", Type::mx)) == "secure records");
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("what is at hand is what would be answered, counted as that, and nobody is asked") {
    struct Row {
        const char* name;
        Type type;
        const char* expected;
    };
    SignedStage play;
    const BudgetRef budget = play.resolver().budget(Duration(5000));
    const auto at_hand = [&](const char* name, Type type) {
        return play.resolver().at_hand(stage::name(name), type, *budget);
    };
    for (const Row& row :
         {Row{"mail.org.", Type::mx, "secure records"}, Row{"mx.mail.org.", Type::aaaa, "secure nodata"},
          Row{"nothing.mail.org.", Type::a, "secure nxdomain"}, Row{"www.plain.org.", Type::a, "insecure records"},
          Row{"alias.mail.org.", Type::a, "secure records"}, Row{"out.mail.org.", Type::a, "insecure records"}}) {
        CAPTURE(row.name);
        CHECK_FALSE(at_hand(row.name, row.type));
        const dnssec::Answer asked = play.ask(row.name, row.type);
        const std::size_t before = play.world.asked.size();
        const resolve::Counters counted = play.resolver().counters();
        const std::optional<dnssec::Answer> known = at_hand(row.name, row.type);
        REQUIRE(known);
        CHECK(verdict(*known) == row.expected);
        CHECK(known->links().size() == asked.links().size());
        CHECK(known->expires() <= asked.expires());
        CHECK(play.world.asked.size() == before);
        CHECK(play.resolver().counters().questions == counted.questions + 1);
        CHECK(play.resolver().counters().from_cache == counted.from_cache + known->links().size());
    }
    // Denied by what was learnt for another name (RFC 8020), and an alias without an end.
    CHECK(verdict(*at_hand("_25._tcp.nothing.mail.org.", Type::tlsa)) == "secure nxdomain");
    static_cast<void>(play.ask("loop1.mail.org.", Type::a));
    CHECK_FALSE(at_hand("loop1.mail.org.", Type::a));
    play.clock.advance(std::chrono::hours(48));
    CHECK_FALSE(at_hand("mail.org.", Type::mx));
}

TEST_CASE("an unsigned delegation is proven, and what lies below is insecure") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("www.plain.org.", Type::a);
    INFO(answer.reason().text);
    CHECK(verdict(answer) == "insecure records");
}

TEST_CASE("absence is proven: NODATA and NXDOMAIN, also at empty non-terminals") {
    SignedStage play;
    CHECK(verdict(play.ask("mx.mail.org.", Type::aaaa)) == "secure nodata");
    CHECK(verdict(play.ask("_tcp.mx.mail.org.", Type::tlsa)) == "secure nodata");
    CHECK(verdict(play.ask("nothing.mail.org.", Type::a)) == "secure nxdomain");
}

TEST_CASE("nothing below a name that does not exist is asked for (RFC 8020)") {
    SignedStage play;
    CHECK(verdict(play.ask("nothing.mail.org.", Type::a)) == "secure nxdomain");
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("_25._tcp.nothing.mail.org.", Type::tlsa)) == "secure nxdomain");
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("aliases are followed and each link keeps its status") {
    SignedStage play;
    const dnssec::Answer inside = play.ask("alias.mail.org.", Type::a);
    CHECK(verdict(inside) == "secure records");
    CHECK(inside.links().size() == 2);
    const dnssec::Answer outwards = play.ask("out.mail.org.", Type::a);
    CHECK(verdict(outwards) == "insecure records");
    CHECK(outwards.links().front()->security() == Security::secure);
    const dnssec::Answer inwards = play.ask("in.plain.org.", Type::a);
    CHECK(verdict(inwards) == "insecure records");
    CHECK(inwards.links().back()->security() == Security::secure);
}

TEST_CASE("a DNAME leads on, with the alias derived from it (RFC 6672)") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("mx.moved.mail.org.", Type::a);
    INFO(answer.reason().text);
    CHECK(verdict(answer) == "secure records");
    CHECK(answer.expanded() == stage::name("mx.mail.org."));
}

TEST_CASE("aliases that lead in a circle are a failure, not an absence") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("loop1.mail.org.", Type::a);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(play.world.asked.size() < 20);
}

TEST_CASE("a stripped signature is bogus, never insecure") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::mx)
            std::erase_if(honest.answer, [](const dns::Record& one) { return one.type == Type::rrsig; });
        return std::optional(honest);
    });
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "bogus failure");
    CHECK_FALSE(answer.reason().text.empty());
}

TEST_CASE("32: bogus from one server: the others are asked") {
    SignedStage play;
    play.world.behave(mail_address, [](const dns::Message&, dns::Message honest) {
        for (dns::Record& one : honest.answer) {
            if (one.type == Type::a) one.rdata.back() ^= 1U;
            if (one.type == Type::mx) one.rdata[1] ^= 1U;
        }
        return std::optional(honest);
    });
    play.world.delay(second_address, 50ms);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
}

TEST_CASE("one of two servers is silent: the answer comes one hedge later") {
    SignedStage play;
    play.world.behave(mail_address, [](const dns::Message&, dns::Message) { return std::optional<dns::Message>(); });
    const MonoTime begin = play.clock.mono();
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.clock.mono() - begin < 1500ms);
}

TEST_CASE("a server that was dead before a restart is not asked first after it") {
    const auto rounds_with_silence = [](bool recalls) {
        SignedStage play;
        play.world.behave(stage::mail_address,
                          [](const dns::Message&, dns::Message) { return std::optional<dns::Message>(); });
        int with_silence = 0;
        for (int round = 0; round < 40; ++round) {
            play.cache->flush(dns::Name(), true);
            play.open(*play.zones.back(), {stage::root_address});
            if (recalls) play.resolver().recall_servers(0);
            const std::size_t before = play.world.times_asked(stage::mail_address);
            CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
            if (play.world.times_asked(stage::mail_address) > before) ++with_silence;
            play.scheduler.run_until_idle();
            play.resolver().note_servers(0);
        }
        return with_silence;
    };
    // In the first round nobody can know, and the toss decides.
    CHECK(rounds_with_silence(true) <= 1);
    CHECK(rounds_with_silence(false) >= 10);
}

TEST_CASE("a signed zone whose servers are all silent is indeterminate, within the deadline") {
    SignedStage play;
    play.both([](const dns::Message&, dns::Message) { return std::optional<dns::Message>(); });
    const MonoTime begin = play.clock.mono();
    const dnssec::Answer answer = play.ask("_25._tcp.mx.mail.org.", Type::tlsa, 4000ms);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(play.clock.mono() - begin <= 4000ms);
    CHECK_FALSE(answer.reason().text.empty());
}

TEST_CASE("servers that are fast for most questions and slow for one are waited for, within the deadline") {
    const Duration late = GENERATE(600ms, 1000ms, 1500ms, 2000ms);
    const bool alone = GENERATE(true, false);
    CAPTURE(late.count(), alone);
    SignedStage play;
    if (alone)
        play.world.behave(second_address, [](const auto&, const auto&) { return std::optional<dns::Message>(); });
    for (const auto* address : {mail_address, second_address}) play.world.delay(address, Type::tlsa, late);
    // Their round trip is well known: 10 ms.
    for (const Type type : {Type::mx, Type::soa, Type::ns, Type::txt, Type::a}) {
        static_cast<void>(play.ask("mail.org.", type));
        static_cast<void>(play.ask("mx.mail.org.", type));
    }
    const MonoTime begin = play.clock.mono();
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "secure records");
    CHECK(play.clock.mono() - begin < 5s);
    CHECK(play.world.times_asked(std::string(mail_address) + " _25._tcp.mx.mail.org TLSA") <= 2);
}

TEST_CASE("servers that never answer one question are not hammered, and given up within the deadline") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::tlsa) return std::optional<dns::Message>();
        return std::optional(honest);
    });
    static_cast<void>(play.ask("mail.org.", Type::mx));
    const MonoTime begin = play.clock.mono();
    const dnssec::Answer answer = play.ask("_25._tcp.mx.mail.org.", Type::tlsa);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(answer.reason().text.find("did not answer in time") != std::string::npos);
    CHECK(play.clock.mono() - begin <= 5s);
    CHECK(play.world.times_asked(std::string(mail_address) + " _25._tcp.mx.mail.org TLSA") >= 1);
    // Twice each, and as often once the delegation was looked at again.
    CHECK(play.world.times_asked(std::string(mail_address) + " _25._tcp.mx.mail.org TLSA") <= 4);
    CHECK(play.world.times_asked(std::string(second_address) + " _25._tcp.mx.mail.org TLSA") <= 4);
}

TEST_CASE("an unsigned zone whose servers fail is insecure and a failure, never an absence") {
    SignedStage play;
    play.world.behave(plain_address, [](const dns::Message&, dns::Message honest) {
        honest.answer.clear();
        honest.rcode = dns::Rcode::servfail;
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure failure");
}

TEST_CASE("a failed look-up is remembered for a moment (RFC 9520)") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::tlsa) honest.rcode = dns::Rcode::notimp;
        if (query.question->type == Type::tlsa) honest.answer.clear();
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "indeterminate failure");
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "indeterminate failure");
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("truncated answers are asked for again over a stream") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::mx) honest.truncated = true;
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.streams >= 1);
}

TEST_CASE("a reply with another ID or question goes to a stream (A26)") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::mx) honest.id ^= 1U;
        return std::optional(honest);
    });
    static_cast<void>(play.ask("mail.org.", Type::mx));
    CHECK(play.world.streams >= 1);
}

TEST_CASE("the question is minimised: the root sees only the top-level domain (RFC 9156)") {
    SignedStage play;
    static_cast<void>(play.ask("mx.mail.org.", Type::a));
    CHECK(play.world.times_asked("192.0.2.1 mx.mail.org") == 0);
    CHECK(play.world.times_asked("192.0.2.1 mail.org") == 0);
    CHECK(play.world.times_asked("192.0.2.2 mx.mail.org") == 0);
}

TEST_CASE("a server that answers NXDOMAIN for an empty non-terminal hides nothing (mail-trust.md case 34)") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->name == stage::name("_tcp.mx.mail.org.")) honest.rcode = dns::Rcode::nxdomain;
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "secure records");
}

TEST_CASE("the same question asked twice at once is sent once") {
    SignedStage play;
    std::vector<task::Task<dnssec::Answer>> tasks;
    for (int turn = 0; turn < 5; ++turn)
        tasks.push_back(play.resolver().resolve(stage::name("mail.org."), Type::mx, play.resolver().budget(5000ms)));
    auto answers = play.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(answers);
    for (const dnssec::Answer& answer : *answers) CHECK(verdict(answer) == "secure records");
    CHECK(play.world.times_asked("192.0.2.3 mail.org MX") + play.world.times_asked("192.0.2.4 mail.org MX") == 1);
}

TEST_CASE("who has less time than the domain needs leaves, and leaves no failure behind for others") {
    SignedStage play;
    for (const char* server : {"192.0.2.3", "192.0.2.4"}) play.world.delay(server, Type::mx, 700ms);
    BudgetRef hasty = play.resolver().budget(5s);
    hasty->leave_at(play.clock.mono() + 300ms);
    const MonoTime start = play.clock.mono();
    const dnssec::Answer none = play.ask_with("mail.org.", Type::mx, hasty);
    CHECK(verdict(none) == "indeterminate failure");
    CHECK(none.reason().code == Code("RLUP"));
    CHECK(play.clock.mono() - start < 400ms);
    // The work that was begun goes on, and is joined: the next one gets what there is, and nothing is asked twice.
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.times_asked("192.0.2.3 mail.org MX") + play.world.times_asked("192.0.2.4 mail.org MX") <= 2);
    CHECK(verdict(play.ask_with("mail.org.", Type::mx, hasty)) == "secure records");
}

TEST_CASE("who joins a question that ends for want of another one's budget asks it once more for himself") {
    SignedStage play;
    BudgetLimits few;
    few.most.at(static_cast<std::size_t>(Limit::packets)) = 2;
    const auto mail = std::make_shared<Budget>(few, play.clock.mono() + 9s);
    std::vector<task::Task<dnssec::Answer>> tasks;
    tasks.push_back(play.resolver().resolve(stage::name("mail.org."), Type::mx, play.resolver().budget(5s, mail)));
    tasks.push_back(play.resolver().resolve(stage::name("mail.org."), Type::mx, play.resolver().budget(5s)));
    auto answers = play.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(answers);
    CHECK(verdict(answers->at(0)) == "indeterminate failure");
    CHECK(answers->at(0).reason().text.find("packets") != std::string::npos);
    CHECK(verdict(answers->at(1)) == "secure records");
}

TEST_CASE("a negative trust anchor switches validation off below it, and says so (RFC 7646)") {
    SignedStage play(
        [](resolve::Settings& settings) { settings.negative_anchors.push_back(stage::name("mail.org.")); });
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "insecure records");
}

TEST_CASE("20: below an anchor of unsupported algorithms nothing is secure, and nobody is asked for keys") {
    SignedStage play([](resolve::Settings& settings) {
        settings.anchors = *dnssec::TrustAnchors::parse("plain.org. DS 1 200 2 " + std::string(64, 'A'));
    });
    play.world.behave(stage::plain_address, [](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::dnskey) honest.rcode = dns::Rcode::servfail;
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(play.world.times_asked("DNSKEY") == 0);
}

TEST_CASE("an exhausted budget is indeterminate and names the limit") {
    SignedStage play(
        [](resolve::Settings& settings) { settings.lookup_limits.most[static_cast<std::size_t>(Limit::packets)] = 3; });
    const dnssec::Answer answer = play.ask("_25._tcp.mx.mail.org.", Type::tlsa);
    CHECK(verdict(answer) == "indeterminate failure");
    INFO(answer.reason().text);
    CHECK(answer.reason().text.find("limit") != std::string::npos);
}

TEST_CASE("a DS that matches no key makes the zone bogus") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::dnskey) {
            for (dns::Record& one : honest.answer) {
                if (one.type == Type::dnskey) one.rdata.back() ^= 1U;
            }
        }
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
}

TEST_CASE("explain names each zone of the chain with its keys") {
    SignedStage play;
    auto explanation =
        play.scheduler.run(play.resolver().explain(stage::name("mail.org."), Type::mx, play.resolver().budget(5000ms)));
    REQUIRE(explanation);
    REQUIRE(explanation->chain.size() == 3);
    CHECK(explanation->chain[0].zone.is_root());
    CHECK(explanation->chain[2].zone == stage::name("mail.org."));
    for (const resolve::ZoneStep& step : explanation->chain) {
        CHECK(step.security == Security::secure);
        CHECK_FALSE(step.keys.empty());
        CHECK_FALSE(step.ds.empty());
    }
}

TEST_CASE("a secure NSEC in the cache answers what it denies without asking again (RFC 8198)") {
    SignedStage play;
    CHECK(verdict(play.ask("plain2.org.", Type::a)) == "secure nxdomain");
    const std::size_t before = play.world.asked.size();
    CHECK(verdict(play.ask("plain3.org.", Type::a)) == "secure nxdomain");
    CHECK(verdict(play.ask("below.plain4.org.", Type::mx)) == "secure nxdomain");
    CHECK(verdict(play.ask("plain.org.", Type::ds)) == "secure nodata");
    CHECK(play.world.asked.size() == before);
}

TEST_CASE("what the cache denies is asked all the same where that is switched off, and below a negative anchor") {
    const bool switched_off = GENERATE(true, false);
    SignedStage play([switched_off](resolve::Settings& settings) {
        if (switched_off) settings.aggressive_denial = resolve::Switch::off;
        if (!switched_off) settings.negative_anchors.push_back(stage::name("plain3.org."));
    });
    CHECK(verdict(play.ask("plain2.org.", Type::a)) == "secure nxdomain");
    const std::size_t before = play.world.asked.size();
    static_cast<void>(play.ask("plain3.org.", Type::a));
    CHECK(play.world.asked.size() > before);
}

TEST_CASE("signatures are not answered by themselves: nothing proves them (RFC 4035 2.2)") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("mail.org.", Type::rrsig);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(answer.reason().ede == dns::Ede::not_supported);
    CHECK(play.world.asked.empty());
}

TEST_CASE("the question's mixed letters do not come back in names of the answer") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        // As an authority does that compresses against the question.
        for (dns::Record& one : honest.answer) {
            if (one.type == Type::mx && query.question->spelled.size() > 1) {
                const std::string& spelled = query.question->spelled;
                std::copy(spelled.begin(), spelled.end(),
                          one.rdata.end() - static_cast<std::ptrdiff_t>(spelled.size()));
            }
        }
        return std::optional(honest);
    });
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "secure records");
    const Bytes& rdata = answer.final().rrset()->records.front();
    CHECK(std::ranges::none_of(rdata, [](std::uint8_t letter) { return letter >= 'A' && letter <= 'Z'; }));
}

TEST_CASE("what a child says of its own apex says nothing of the DS, which is its parent's (RFC 4035 3.1.4.1)") {
    SignedStage play;
    play.world.behave(plain_address, [](const dns::Message&, dns::Message honest) {
        honest.answer.clear();
        honest.rcode = dns::Rcode::nxdomain;
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("plain.org.", Type::a)) == "insecure nxdomain");
    CHECK(verdict(play.ask("plain.org.", Type::ds)) == "secure nodata");
}

TEST_CASE("asked for a CNAME below a DNAME, the answer is the one made from it (RFC 6672 3.2)") {
    SignedStage play;
    const dnssec::Answer answer = play.ask("nothing.moved.mail.org.", Type::cname);
    CHECK(verdict(answer) == "secure records");
    CHECK(answer.final().is_alias());
}

TEST_CASE("type ANY below a DNAME: the CNAME made from it is nobody's set, and needs no signature (RFC 6672 3.1)") {
    SignedStage play;
    play.both([](const dns::Message& query, dns::Message honest) {
        if (query.question->name == stage::name("nothing.moved.mail.org.") && !honest.answer.empty())
            honest.answer.push_back(stage::record("nothing.moved.mail.org.", Type::cname, "nothing.mail.org."));
        return std::optional(honest);
    });
    const auto findings = play.scheduler.run(
        play.resolver().resolve_any(stage::name("nothing.moved.mail.org."), play.resolver().budget(5000ms)));
    REQUIRE(findings);
    REQUIRE(findings->size() == 2);  // and what the alias leads to
    CHECK(findings->front()->is_secure());
    CHECK(findings->front()->is_alias());
    CHECK(findings->back()->name() == stage::name("nothing.mail.org."));
}

TEST_CASE(
    "with CD, too, the CNAME made from a DNAME ends the answer for who asked for it, and too long a name is YXDOMAIN") {
    SignedStage play;
    const auto unchecked = [&](const std::string& what, Type type) {
        const auto raw = play.scheduler.run(
            play.resolver().resolve_unchecked(stage::name(what), type, play.resolver().budget(5000ms)));
        REQUIRE(raw);
        return *raw;
    };
    const resolve::RawAnswer alias = unchecked("nothing.moved.mail.org.", Type::cname);
    REQUIRE(alias.answer.size() == 2);
    CHECK(alias.answer.back().type == Type::cname);
    CHECK(play.world.times_asked("nothing.mail.org") == 0);
    const std::string label = std::string(60, 'a') + ".";
    play.both([&label](const dns::Message& query, dns::Message honest) {
        if (query.question->name.is_below(stage::name("moved.mail.org.")))
            honest.answer = {stage::record("moved.mail.org.", Type::dname, label + label + "mail.org.")};
        return std::optional(honest);
    });
    const resolve::RawAnswer raw = unchecked(label + label + label + "moved.mail.org.", Type::a);
    CHECK(raw.rcode == dns::Rcode::yxdomain);
    CHECK(raw.answer.size() == 1);
}
