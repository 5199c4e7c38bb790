// RFC 9567: what is told, to whom, and above all what is not.
#include "resolve/report.h"

#include "resolve/signed_stage.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Ede;
using dns::Type;
using resolve::agent_in;
using resolve::report_name;
using resolve::Switch;
using stage::mail_address;
using stage::name;
using stage::plain_address;
using stage::SignedStage;
using stage::verdict;

namespace {

void add_agent(dns::Message& message, const std::string& agent) {
    if (!message.edns) message.edns.emplace();
    const dns::Name parsed = name(agent);
    message.edns->options.push_back({dns::option_report_channel, Bytes(parsed.wire().begin(), parsed.wire().end())});
}

void spoil_mx(dns::Message& message) {
    for (dns::Record& one : message.answer) {
        if (one.type == Type::mx) one.rdata[1] ^= 1U;
    }
}

/// mail.org's servers name `agent`, and their MX does not hold. "plain.org" is where agents usually are.
struct BrokenStage : SignedStage {
    explicit BrokenStage(const std::string& agent, Switch reporting = Switch::on)
        : SignedStage([reporting](resolve::Settings& settings) { settings.error_reporting = reporting; }) {
        both([agent](const dns::Message&, dns::Message honest) {
            spoil_mx(honest);
            if (!agent.empty()) add_agent(honest, agent);
            return std::optional(honest);
        });
    }
    /// Reports that reached anybody, as "NAME TYPE", with duplicates.
    [[nodiscard]] std::vector<std::string> reports() const {
        std::vector<std::string> found;
        for (const std::string& line : world.asked) {
            if (line.find(" _er.") != std::string::npos && line.ends_with(" TXT")) found.push_back(line);
        }
        return found;
    }
    void settle() { scheduler.run_for(10s); }
};

}  // namespace

TEST_CASE("a report's name: type, name and error as decimal numbers between two labels (RFC 9567 6.1.1)") {
    struct Row {
        std::string name;
        Type type;
        Ede error;
        std::string agent, report;
    };
    const auto row = GENERATE(
        Row{"broken.test.", Type::a, Ede::signature_expired, "a01.agent-domain.example.",
            "_er.1.broken.test.7._er.a01.agent-domain.example."},
        Row{"_25._tcp.mx.org.", Type::tlsa, Ede::dnssec_bogus, "a.example.", "_er.52._25._tcp.mx.org.6._er.a.example."},
        Row{".", Type::dnskey, Ede::dnskey_missing, "a.example.", "_er.48.9._er.a.example."});
    CHECK(report_name(name(row.name), row.type, row.error, name(row.agent)) == name(row.report));
}

TEST_CASE("a report whose name would be too long is none") {
    const std::string label(60, 'x');
    const dns::Name name_of_244 = name(label + "." + label + "." + label + "." + label + ".");
    CHECK_FALSE(report_name(name_of_244, Type::a, Ede::dnssec_bogus, name("agent.example.")));
    CHECK(report_name(name_of_244.parent(), Type::a, Ede::dnssec_bogus, name("agent.example.")));
}

TEST_CASE("an agent is one name, not the root, not in the zone it is told about (RFC 9567 6.1, 6.2, 8.1)") {
    struct Row {
        std::string what;
        std::vector<Bytes> options;
        bool taken;
    };
    const auto wire = [](std::string_view text) {
        const dns::Name parsed = name(std::string(text));
        return Bytes(parsed.wire().begin(), parsed.wire().end());
    };
    Bytes with_rest = wire("agent.example.");
    with_rest.push_back(0);
    const std::vector<Row> rows = {
        {"one name", {wire("agent.example.")}, true},
        {"none", {}, false},
        {"an empty option", {Bytes{}}, false},
        {"the root", {wire(".")}, false},
        {"two", {wire("agent.example."), wire("other.example.")}, false},
        {"the zone itself", {wire("mail.org.")}, false},
        {"below the zone", {wire("agent.mail.org.")}, false},
        {"beside the zone", {wire("agent.org.")}, true},
        {"something behind the name", {with_rest}, false},
        {"cut off", {Bytes{5, 'a', 'g'}}, false},
        {"a compression pointer", {Bytes{0xc0, 12}}, false},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        dns::Message said;
        said.edns.emplace();
        for (const Bytes& option : row.options) said.edns->options.push_back({dns::option_report_channel, option});
        CHECK(agent_in(said, name("mail.org.")).has_value() == row.taken);
    }
}

TEST_CASE("what is bogus is told to the agent that the zone's servers name") {
    BrokenStage play("plain.org.");
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
    play.settle();
    REQUIRE(play.reports().size() == 1);
    CHECK(play.reports().front() == std::string(plain_address) + " _er.15.mail.org.6._er.plain.org TXT");
    CHECK(play.resolver().counters().reports == 1);
}

TEST_CASE("nothing is told unless the operator wants it, and nothing where all is well") {
    BrokenStage off("plain.org.", Switch::off);
    CHECK(verdict(off.ask("mail.org.", Type::mx)) == "bogus failure");
    off.settle();
    CHECK(off.reports().empty());
    BrokenStage well("plain.org.");
    CHECK(verdict(well.ask("mx.mail.org.", Type::a)) == "secure records");
    CHECK(verdict(well.ask("nothing.mail.org.", Type::a)) == "secure nxdomain");
    well.settle();
    CHECK(well.reports().empty());
}

TEST_CASE("no agent, no report: none named, the root, the zone itself") {
    const auto agent = GENERATE(as<std::string>{}, "", ".", "mail.org.", "agent.mail.org.");
    BrokenStage play(agent);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
    play.settle();
    CHECK(play.reports().empty());
    CHECK(play.resolver().counters().reports == 0);
}

TEST_CASE("the option never goes with a question (RFC 9567 6.1)") {
    SignedStage play([](resolve::Settings& settings) { settings.error_reporting = Switch::on; });
    std::size_t seen = 0, with_option = 0;
    play.both([&](const dns::Message& query, dns::Message honest) {
        ++seen;
        if (query.edns) {
            for (const dns::EdnsOption& option : query.edns->options)
                with_option += option.code == dns::option_report_channel ? 1 : 0;
        }
        spoil_mx(honest);
        add_agent(honest, "plain.org.");
        return std::optional(honest);
    });
    static_cast<void>(play.ask("mail.org.", Type::mx));
    CHECK(seen > 0);
    CHECK(with_option == 0);
}

TEST_CASE("the same is told once an hour, however often it is asked for") {
    BrokenStage play("plain.org.");
    // The agent's answer must not be what keeps the second one back.
    play.world.behave(plain_address, [](const dns::Message& query, dns::Message honest) {
        return query.question->type == Type::txt ? std::nullopt : std::optional(honest);
    });
    for (int round = 0; round < 5; ++round) {
        static_cast<void>(play.ask("mail.org.", Type::mx));
        play.scheduler.run_for(300s);
    }
    CHECK(play.resolver().counters().reports == 1);
    play.scheduler.run_for(3600s);
    static_cast<void>(play.ask("mail.org.", Type::mx));
    play.settle();
    CHECK(play.resolver().counters().reports == 2);
}

TEST_CASE("of a report that fails nobody is told, be its agent as broken as the zone") {
    // The agent's zone gives no usable answers, and its servers name an agent themselves: mail.org.
    BrokenStage play("plain.org.");
    play.world.behave(plain_address, [](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::txt) honest.rcode = dns::Rcode::servfail;
        add_agent(honest, "mail.org.");
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
    play.settle();
    CHECK(play.reports().size() >= 1);
    CHECK(play.resolver().counters().reports == 1);
    // The same failure, met by a client's question, is one to be told.
    CHECK(verdict(play.ask("x.plain.org.", Type::txt)) == "insecure failure");
    play.settle();
    CHECK(play.resolver().counters().reports == 2);
    CHECK(play.world.times_asked("_er.16.x.plain.org.22._er.mail.org") > 0);
}

TEST_CASE("a client that asks for a report's name causes none") {
    BrokenStage play("plain.org.");
    play.both([](const dns::Message&, dns::Message honest) {
        for (dns::Record& one : honest.authority) {
            if (one.type == Type::rrsig) one.rdata.back() ^= 1U;
        }
        add_agent(honest, "plain.org.");
        return std::optional(honest);
    });
    CHECK(verdict(play.ask("_er.15.x.6._er.mail.org.", Type::txt)) == "bogus failure");
    play.settle();
    CHECK(play.resolver().counters().reports == 0);
    CHECK(verdict(play.ask("nothing.mail.org.", Type::txt)) == "bogus failure");
    play.settle();
    CHECK(play.resolver().counters().reports == 1);
}

TEST_CASE("a flood of broken names costs an agent five questions a minute, and all agents thirty") {
    SeededRandom random(3);
    resolve::ReportLimits limits(random);
    const dns::Name agent = name("agent.example.");
    MonoTime now{};
    const auto taken = [&](const std::string& to, int from, int count) {
        int allowed = 0;
        for (int number = from; number < from + count; ++number) {
            const dns::Name report = name("_er.1.n" + std::to_string(number) + ".org.6._er." + to);
            allowed += limits.take(report, name(to), now) ? 1 : 0;
        }
        return allowed;
    };
    CHECK(taken("agent.example.", 0, 1000) == 5);
    int others = 0;
    for (int one = 0; one < 50; ++one) others += taken("agent" + std::to_string(one) + ".example.", 0, 20);
    CHECK(others == 25);
    now += 60s;
    CHECK(taken("agent.example.", 1000, 1000) == 5);
    CHECK(taken("agent.example.", 0, 5) == 0);
}

TEST_CASE("a report has a third of a look-up's budget (RFC 9567 6.1: a limit is a must)") {
    // An agent whose name servers' names lead nowhere but to more questions.
    BrokenStage play("deep.plain.org.");
    std::size_t questions = 0;
    play.world.behave(plain_address, [&](const dns::Message& query, dns::Message honest) {
        ++questions;
        dns::Message referral = honest;
        referral.authoritative = false;
        referral.answer.clear();
        referral.authority.clear();
        referral.additional.clear();
        // One label deeper each time, always to this server.
        const std::size_t labels = std::min<std::size_t>(query.question->name.label_count(), 2 + questions);
        const dns::Name cut = query.question->name.ancestor(labels);
        const dns::Name target = name("ns.plain.org.");
        referral.authority.push_back(
            {cut, Type::ns, dns::Class::in, dns::Ttl{60}, Bytes(target.wire().begin(), target.wire().end())});
        return std::optional(referral);
    });
    static_cast<void>(play.ask("mail.org.", Type::mx));
    play.settle();
    CHECK(questions <= 33);
}
