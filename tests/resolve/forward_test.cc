// Forwarders and stub zones, over a small Internet in virtual time; the relay to forwarders is the same network.
#include "resolve/forward.h"

#include <algorithm>

#include "resolve/build.h"
#include "resolve/world.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Rcode;
using dns::Type;
using dnssec::Outcome;
using dnssec::Security;
using resolve::ForwarderDnssec;
using resolve::ForwarderState;
using stage::verdict;
using stage::ZoneData;

namespace {

constexpr auto root_address = "192.0.2.1";
constexpr auto org_address = "192.0.2.2";
constexpr auto mail_address = "192.0.2.3";
constexpr auto plain_address = "192.0.2.5";
constexpr auto first_forwarder = "198.51.100.1";
constexpr auto second_forwarder = "198.51.100.2";

Endpoint endpoint(const std::string& address) {
    return {*Address::from_text(address), 53};
}

/// What c-ares is in production: datagram, then stream.
class NetworkRelay final : public resolve::Relay {
  public:
    explicit NetworkRelay(net::Network& network) : network_(network) {}
    task::Task<Result<Bytes>> ask(resolve::RelayQuestion question) override {
        asked.push_back(question.forwarder.to_text());
        if (!question.budget->take(Limit::packets)) co_return fail(FailureKind::budget, Code("TEST"), "spent");
        const Result<dns::Message> parsed = dns::parse_message(question.query);
        REQUIRE(parsed);
        queries.push_back(*parsed);
        Bytes query = question.query;
        net::Matcher matcher = question.datagram;
        const Endpoint forwarder = question.forwarder;
        const MonoTime deadline = question.deadline;
        Result<net::DatagramReply> reply =
            co_await network_.exchange_datagram(forwarder, std::move(query), std::move(matcher), deadline);
        if (!reply) co_return fail(reply.error());
        const bool truncated = reply->message.size() > 2 && (reply->message[2] & 2U) != 0;
        if (!reply->suspicious && !truncated) co_return std::move(reply->message);
        Bytes again = question.query;
        co_return co_await network_.exchange_stream(forwarder, std::move(again), deadline);
    }
    std::vector<std::string> asked;
    std::vector<dns::Message> queries;

  private:
    net::Network& network_;
};

/// What a resolver says that recursed: no authority of its own.
dns::Message recursed(dns::Message honest) {
    honest.authoritative = false;
    honest.recursion_available = true;
    return honest;
}

void strip(std::vector<dns::Record>& section) {
    std::erase_if(section, [](const dns::Record& record) {
        return record.type == Type::rrsig || record.type == Type::nsec || record.type == Type::ds;
    });
}

std::optional<dns::Message> stripping(const dns::Message& /*query*/, dns::Message honest) {
    strip(honest.answer);
    strip(honest.authority);
    return recursed(std::move(honest));
}

std::optional<dns::Message> good(const dns::Message& /*query*/, dns::Message honest) {
    return recursed(std::move(honest));
}

std::optional<dns::Message> silent(const dns::Message& /*query*/, dns::Message /*honest*/) {
    return std::nullopt;
}

/// A signed root, "org" and "mail.org", unsigned "plain.org"; two forwarders that know them all.
struct ForwardStage : stage::Stage {
    explicit ForwardStage(std::function<void(resolve::Settings&)> change)
        : Stage(std::move(change)),
          said(log::Level::info, [this](std::string_view line) { lines.emplace_back(line); }),
          board(said),
          relay(world) {
        ZoneData& mail = zone("mail.org.",
                              {"mail.org. NS ns.mail.org.", "ns.mail.org. A 192.0.2.3", "mail.org. MX 10 mx.mail.org.",
                               "mx.mail.org. A 198.51.100.25", "_25._tcp.mx.mail.org. TLSA 3 1 1 00112233",
                               "alias.mail.org. CNAME www.plain.org."},
                              std::uint8_t{3});
        ZoneData& plain = zone("plain.org.", {"plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5",
                                              "www.plain.org. A 198.51.100.80"});
        ZoneData& org =
            zone("org.",
                 {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns.mail.org.", "ns.mail.org. A 192.0.2.3",
                  "plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5", mail.ds_line()},
                 std::uint8_t{2});
        ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2", org.ds_line()},
                 std::uint8_t{1});
        world.serve(root_address, {&root});
        world.serve(org_address, {&org});
        world.serve(mail_address, {&mail});
        world.serve(plain_address, {&plain});
        for (const auto* forwarder : {first_forwarder, second_forwarder}) {
            world.serve(forwarder, {&root, &org, &mail, &plain});
            world.behave(forwarder, good);
        }
        extra.relay = &relay;
        extra.board = &board;
        open(root, {root_address});
    }
    resolve::ForwarderStatus status(const std::string& address) { return board.status(endpoint(address)); }
    [[nodiscard]] std::size_t told(const std::string& part) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
    void tend() {
        const auto done = scheduler.run(tended());
        REQUIRE(done);
    }
    task::Task<bool> tended() {
        co_await resolver().tend_forwarders();
        co_return true;
    }
    void authorities(const stage::Behaviour& behaviour) {
        for (const auto* address : {root_address, org_address, mail_address, plain_address})
            world.behave(address, behaviour);
    }

    std::vector<std::string> lines;
    log::Log said;
    resolve::ForwarderBoard board;
    NetworkRelay relay;
};

std::function<void(resolve::Settings&)> forward_all(const std::vector<std::string>& addresses,
                                                    const std::string& zone = ".",
                                                    resolve::Switch first = resolve::Switch::off) {
    return [=](resolve::Settings& settings) {
        resolve::Detour detour{stage::name(zone), {}, first};
        for (const std::string& address : addresses) detour.servers.push_back(endpoint(address));
        settings.forwards.push_back(std::move(detour));
    };
}

std::function<void(resolve::Settings&)> stub(const std::string& zone, const std::string& address,
                                             resolve::Switch first = resolve::Switch::off) {
    return
        [=](resolve::Settings& settings) { settings.stubs.push_back({stage::name(zone), {endpoint(address)}, first}); };
}

}  // namespace

TEST_CASE("what a forwarder says is validated from the anchor: secure, insecure and denied as by recursion") {
    ForwardStage play(forward_all({first_forwarder}));
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "secure records");
    CHECK(verdict(play.ask("nothing.mail.org.", Type::a)) == "secure nxdomain");
    CHECK(verdict(play.ask("mail.org.", Type::aaaa)) == "secure nodata");
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(verdict(play.ask("no.plain.org.", Type::a)) == "insecure nxdomain");
    CHECK(verdict(play.ask("alias.mail.org.", Type::a)) == "insecure records");
    CHECK(play.world.times_asked("192.0.2.") == 0);
}

TEST_CASE("forwarders are asked with RD, CD and DO (RFC 4035 3.2)") {
    ForwardStage play(forward_all({first_forwarder}));
    static_cast<void>(play.ask("mail.org.", Type::mx));
    REQUIRE_FALSE(play.relay.queries.empty());
    for (const dns::Message& query : play.relay.queries) {
        CHECK(query.recursion_desired);
        CHECK(query.checking_disabled);
        REQUIRE(query.edns);
        CHECK(query.edns->dnssec_ok);
    }
}

TEST_CASE("a zone whose signatures do not hold is bogus through a sound forwarder, too") {
    ForwardStage play(forward_all({first_forwarder}));
    play.world.behave(first_forwarder, [](const dns::Message& query, dns::Message honest) {
        // The data are not those that were signed.
        for (dns::Record& record : honest.answer) {
            if (record.type == Type::mx) record.rdata[1] = 99;
        }
        static_cast<void>(query);
        return std::optional(recursed(std::move(honest)));
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "bogus failure");
    CHECK(play.status(first_forwarder).dnssec == ForwarderDnssec::ok);
}

TEST_CASE("through a forwarder that strips DNSSEC everything is indeterminate: never insecure, never bogus (case 52)") {
    ForwardStage play(forward_all({first_forwarder}));
    play.world.behave(first_forwarder, stripping);
    for (const auto* name : {"mail.org.", "www.plain.org.", "nothing.mail.org.", "nothing.plain.org."}) {
        for (const Type type : {Type::mx, Type::a, Type::tlsa}) {
            const dnssec::Answer answer = play.ask(name, type);
            INFO(name << " " << dns::to_text(type) << ": " << answer.reason().text);
            CHECK(verdict(answer) == "indeterminate failure");
            CHECK(answer.reason().text.find("forwarder 198.51.100.1:53") != std::string::npos);
        }
    }
    CHECK(play.status(first_forwarder).dnssec == ForwarderDnssec::stripped);
    CHECK(play.told("DNSSEC stripped") == 1);
}

TEST_CASE("a forwarder's fault is found out at the start, before anybody asks") {
    struct Case {
        const char* what;
        stage::Behaviour behaviour;
        ForwarderState state;
        ForwarderDnssec dnssec;
    };
    const std::vector<Case> cases = {
        {"sound", good, ForwarderState::good, ForwarderDnssec::ok},
        {"strips", stripping, ForwarderState::good, ForwarderDnssec::stripped},
        {"strips proofs only",
         [](const dns::Message&, dns::Message honest) {
             strip(honest.authority);
             return std::optional(recursed(std::move(honest)));
         },
         ForwarderState::good, ForwarderDnssec::stripped},
        {"answers without EDNS",
         [](const dns::Message&, dns::Message honest) {
             honest.edns.reset();
             return stripping({}, std::move(honest));
         },
         ForwarderState::good, ForwarderDnssec::no_edns},
        {"takes EDNS for a format error",
         [](const dns::Message&, dns::Message honest) {
             honest.edns.reset();
             honest.answer.clear();
             honest.authority.clear();
             honest.rcode = Rcode::formerr;
             return std::optional(honest);
         },
         ForwarderState::failing, ForwarderDnssec::no_edns},
        {"rewrites NXDOMAIN",
         [](const dns::Message& query, dns::Message honest) {
             if (honest.rcode == Rcode::nxdomain) {
                 honest.rcode = Rcode::noerror;
                 honest.authority.clear();
                 honest.answer.push_back(stage::record(query.question->name.to_text(), Type::a, "203.0.113.9"));
             }
             return std::optional(recursed(std::move(honest)));
         },
         ForwarderState::good, ForwarderDnssec::lying},
        {"has another root's keys",
         [](const dns::Message& query, dns::Message honest) {
             if (query.question->type == Type::dnskey) {
                 for (dns::Record& record : honest.answer) record.rdata.back() ^= 1U;
             }
             return std::optional(recursed(std::move(honest)));
         },
         ForwarderState::good, ForwarderDnssec::lying},
        {"is silent", silent, ForwarderState::failing, ForwarderDnssec::unknown},
        {"refuses",
         [](const dns::Message&, dns::Message honest) {
             honest.answer.clear();
             honest.authority.clear();
             honest.rcode = Rcode::refused;
             return std::optional(honest);
         },
         ForwarderState::failing, ForwarderDnssec::unknown},
    };
    for (const Case& one : cases) {
        INFO(one.what);
        ForwardStage play(forward_all({first_forwarder}));
        play.world.behave(first_forwarder, one.behaviour);
        play.tend();
        CHECK(resolve::to_text(play.status(first_forwarder).state) == resolve::to_text(one.state));
        CHECK(resolve::to_text(play.status(first_forwarder).dnssec) == resolve::to_text(one.dnssec));
        CHECK(play.status(first_forwarder).last_error.empty() == (one.dnssec == ForwarderDnssec::ok));
    }
}

TEST_CASE("a sound forwarder is preferred to one that strips, whatever their order") {
    ForwardStage play(forward_all({first_forwarder, second_forwarder}));
    play.world.behave(first_forwarder, stripping);
    play.tend();
    play.relay.asked.clear();
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(std::ranges::find(play.relay.asked, "198.51.100.1:53") == play.relay.asked.end());
}

TEST_CASE("where the first forwarder's answer does not hold, the others are asked") {
    ForwardStage play(forward_all({first_forwarder, second_forwarder}));
    play.world.behave(first_forwarder, stripping);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("a silent forwarder does not keep the other one from answering in time") {
    ForwardStage play(forward_all({first_forwarder, second_forwarder}));
    play.world.behave(first_forwarder, silent);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("a forwarder is sound again when it passes DNSSEC again") {
    ForwardStage play(forward_all({first_forwarder}));
    play.world.behave(first_forwarder, stripping);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "indeterminate failure");
    play.world.behave(first_forwarder, good);
    play.clock.advance(31s);
    play.tend();
    CHECK(play.status(first_forwarder).dnssec == ForwarderDnssec::ok);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("a forwarder that answers SERVFAIL in spite of CD is named: indeterminate, not bogus") {
    ForwardStage play(forward_all({first_forwarder}));
    play.world.behave(first_forwarder, [](const dns::Message& query, dns::Message honest) {
        if (query.question->name == stage::name("mail.org.") && query.question->type == Type::mx) {
            honest.answer.clear();
            honest.rcode = Rcode::servfail;
            honest.edns->options.push_back(dns::make_ede({dns::Ede::dnssec_bogus, "signature expired"}));
        }
        return std::optional(recursed(std::move(honest)));
    });
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(answer.reason().text.find("told not to check (CD)") != std::string::npos);
}

TEST_CASE("a failure in a zone proven to be unsigned is insecure, through a forwarder as by recursion") {
    ForwardStage play(forward_all({first_forwarder}));
    play.world.behave(first_forwarder, [](const dns::Message& query, dns::Message honest) {
        if (query.question->type == Type::tlsa) honest.rcode = Rcode::servfail;
        return std::optional(recursed(std::move(honest)));
    });
    CHECK(verdict(play.ask("_25._tcp.www.plain.org.", Type::tlsa)) == "insecure failure");
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "indeterminate failure");
}

TEST_CASE("a forwarder's answer writes nothing but what was asked for (A31)") {
    ForwardStage play(forward_all({first_forwarder}, "plain.org."));
    play.world.behave(first_forwarder, [](const dns::Message&, dns::Message honest) {
        honest.answer.push_back(stage::record("victim.plain.org.", Type::a, "203.0.113.66"));
        honest.answer.push_back(stage::record("www.other.org.", Type::a, "203.0.113.66"));
        honest.authority.push_back(stage::record("org.", Type::ns, "ns.evil.org."));
        honest.authority.push_back(stage::record(".", Type::ns, "ns.evil.org."));
        honest.authority.push_back(stage::record("plain.org.", Type::ns, "ns.evil.org."));
        honest.additional.push_back(stage::record("ns.evil.org.", Type::a, "203.0.113.66"));
        honest.additional.push_back(stage::record("ns.org.", Type::a, "203.0.113.66"));
        return std::optional(recursed(std::move(honest)));
    });
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    for (const auto* name : {"victim.plain.org.", "www.other.org.", "ns.evil.org.", "ns.org."}) {
        INFO(name);
        CHECK_FALSE(play.resolver().peek(stage::name(name), Type::a));
    }
    CHECK_FALSE(play.resolver().peek(stage::name("org."), Type::ns));
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.times_asked("203.0.113.66") == 0);
}

TEST_CASE("an alias that leads out of the forwarded zone is followed the ordinary way (A31)") {
    ForwardStage play(forward_all({first_forwarder}, "mail.org."));
    play.world.behave(first_forwarder, [](const dns::Message&, dns::Message honest) {
        honest.answer.push_back(stage::record("www.plain.org.", Type::a, "203.0.113.66"));
        return std::optional(recursed(std::move(honest)));
    });
    const dnssec::Answer answer = play.ask("alias.mail.org.", Type::a);
    CHECK(verdict(answer) == "insecure records");
    CHECK(play.world.times_asked("192.0.2.5 www.plain.org A") == 1);
    CHECK(answer.final().rrset()->records.front() == stage::record("x.", Type::a, "198.51.100.80").rdata);
}

TEST_CASE("the DS of a forwarded zone is asked at its parent, which is not forwarded") {
    ForwardStage play(forward_all({first_forwarder}, "mail.org."));
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.times_asked("192.0.2.3 ") == 0);
    CHECK(play.world.times_asked("192.0.2.2 mail.org") > 0);
    for (const dns::Message& query : play.relay.queries)
        CHECK(query.question->name.is_within(stage::name("mail.org.")));
}

TEST_CASE("private addresses are taken out of public names, whoever says them") {
    ForwardStage play([](resolve::Settings& settings) {
        forward_all({first_forwarder})(settings);
        settings.private_addresses = {Network::from_text("198.51.100.0/24").value()};
        settings.private_domains = {stage::name("mail.org.")};
    });
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure nodata");
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
}

TEST_CASE("a deeper forwarded or stub zone goes before a higher one") {
    ForwardStage play([](resolve::Settings& settings) {
        settings.forwards.push_back({stage::name("."), {endpoint(first_forwarder)}, resolve::Switch::off});
        settings.forwards.push_back({stage::name("mail.org."), {endpoint(second_forwarder)}, resolve::Switch::off});
        settings.stubs.push_back({stage::name("plain.org."), {endpoint(plain_address)}, resolve::Switch::off});
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.times_asked("198.51.100.2 mail.org MX") == 1);
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(play.world.times_asked("192.0.2.5 www.plain.org A") == 1);
}

TEST_CASE("with first, recursion is tried where forwarders fail; without, it is not") {
    for (const resolve::Switch first : {resolve::Switch::on, resolve::Switch::off}) {
        ForwardStage play(forward_all({first_forwarder}, ".", first));
        play.world.behave(first_forwarder, [](const dns::Message&, dns::Message honest) {
            honest.answer.clear();
            honest.authority.clear();
            honest.rcode = Rcode::servfail;
            return std::optional(honest);
        });
        const std::string wanted = first == resolve::Switch::on ? "secure records" : "indeterminate failure";
        CHECK(verdict(play.ask("mail.org.", Type::mx)) == wanted);
    }
}

TEST_CASE("a referral from a forwarder is no answer: it does not recurse") {
    ForwardStage play(forward_all({root_address}));
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    CHECK(verdict(answer) == "indeterminate failure");
    CHECK(answer.reason().text.find("does not recurse") != std::string::npos);
}

TEST_CASE("a stub zone's servers are asked instead of those that the delegation names") {
    ForwardStage play(stub("mail.org.", "198.51.100.7"));
    play.world.serve("198.51.100.7", {play.zones.front().get()});
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
    CHECK(play.world.times_asked("192.0.2.3 ") == 0);
    CHECK(play.world.times_asked("198.51.100.7 mail.org MX") == 1);
}

TEST_CASE("two servers of a stub zone may share an address, at two ports") {
    ForwardStage play([](resolve::Settings& settings) {
        const Endpoint mute{*Address::from_text("198.51.100.7"), 5353};
        settings.stubs.push_back({stage::name("mail.org."), {mute, endpoint("198.51.100.7")}, resolve::Switch::off});
    });
    play.world.serve("198.51.100.7", {play.zones.front().get()});
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("a stub zone's own NS and its parent's referral do not replace its servers") {
    ForwardStage play(stub("mail.org.", "198.51.100.7"));
    play.world.serve("198.51.100.7", {play.zones.front().get()});
    CHECK(verdict(play.ask("mail.org.", Type::ns)) == "secure records");
    CHECK(verdict(play.ask("mail.org.", Type::ds)) == "secure records");
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
    CHECK(play.world.times_asked("192.0.2.3 ") == 0);
}

TEST_CASE(
    "a configured zone below a name that does not exist is asked about all the same (RFC 8020 is about one tree)") {
    for (const bool forwarded : {true, false}) {
        ForwardStage play([forwarded](resolve::Settings& settings) {
            auto& detours = forwarded ? settings.forwards : settings.stubs;
            detours.push_back({stage::name("in.corp."), {endpoint("198.51.100.7")}, resolve::Switch::off});
            settings.negative_anchors.push_back(stage::name("in.corp."));
        });
        const ZoneData& corp = play.zone("in.corp.", {"in.corp. NS ns.in.corp.", "www.in.corp. A 10.0.0.1"});
        play.world.serve("198.51.100.7", {&corp});
        if (forwarded) play.world.behave("198.51.100.7", good);
        CHECK(verdict(play.ask("corp.", Type::a)) == "secure nxdomain");
        CHECK(verdict(play.ask("other.corp.", Type::a)) == "secure nxdomain");
        CHECK(verdict(play.ask("www.in.corp.", Type::a)) == "insecure records");
    }
}

TEST_CASE("with first, the delegation's servers are asked where a stub zone's fail; without, they are not") {
    for (const resolve::Switch first : {resolve::Switch::on, resolve::Switch::off}) {
        ForwardStage play(stub("mail.org.", "198.51.100.8", first));
        play.world.serve("198.51.100.8", {});
        const std::string wanted = first == resolve::Switch::on ? "secure records" : "indeterminate failure";
        CHECK(verdict(play.ask("mail.org.", Type::mx)) == wanted);
        CHECK(play.world.times_asked("198.51.100.8 ") > 0);
    }
}

TEST_CASE("forwarders stand in when no root server answers, and stand back when one does; each is told once") {
    ForwardStage play({});
    play.board.set_fallback({endpoint(first_forwarder)});
    play.authorities(silent);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.board.forwarding());
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    play.tend();
    CHECK(play.board.forwarding());
    CHECK(play.told("forwarders stand in") == 1);
    play.authorities({});
    play.tend();
    CHECK_FALSE(play.board.forwarding());
    CHECK(play.told("forwarders stand back") == 1);
    play.world.asked.clear();
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "secure records");
    CHECK(play.world.times_asked("192.0.2.") > 0);
    CHECK(play.world.times_asked("198.51.100.1 ") == 0);
}

TEST_CASE("nobody stands in while recursion works, or for one silent zone") {
    ForwardStage play({});
    play.board.set_fallback({endpoint(first_forwarder)});
    play.world.behave(mail_address, silent);
    play.world.behave(org_address, silent);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "indeterminate failure");
    CHECK_FALSE(play.board.forwarding());
}

TEST_CASE("one who strips does not stand in, and neither does a dead one; it is told once, with the reason") {
    ForwardStage play({});
    play.board.set_fallback({endpoint(first_forwarder), endpoint("198.51.100.99")});
    play.world.behave(first_forwarder, stripping);
    play.authorities(silent);
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "indeterminate failure");
    CHECK_FALSE(play.board.forwarding());
    CHECK(play.told("no forwarder can stand in: 198.51.100.1:53 is good, DNSSEC stripped") == 1);
    // It becomes sound: it stands in at the next look.
    play.world.behave(first_forwarder, good);
    play.clock.advance(31s);
    play.tend();
    CHECK(play.board.forwarding());
}

TEST_CASE("a forwarder that leads back here is found out, and never asked again") {
    ForwardStage play(forward_all({first_forwarder, second_forwarder}));
    // Whatever it is asked, it asks us; the name of the probe is one that nobody else knows.
    play.world.behave(first_forwarder, [&play](const dns::Message& query, dns::Message honest) {
        play.board.came_in(query.question->name, play.clock.wall());
        return std::optional(recursed(std::move(honest)));
    });
    play.tend();
    CHECK(play.status(first_forwarder).state == ForwarderState::ourselves);
    play.relay.asked.clear();
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(std::ranges::find(play.relay.asked, "198.51.100.1:53") == play.relay.asked.end());
}

TEST_CASE("questions to forwarders draw from the budget") {
    ForwardStage play([](resolve::Settings& settings) {
        forward_all({first_forwarder})(settings);
        settings.lookup_limits.most.at(static_cast<std::size_t>(Limit::packets)) = 2;
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "indeterminate failure");
    CHECK(play.last_budget->used(Limit::packets) == 2);
}
