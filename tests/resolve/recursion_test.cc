// Recursion's rules, one by one: priming, minimisation, referrals and glue, delegations that move, servers of every bad
// kind, failures remembered. README.md of resolver/resolve names each test beside its rule.
#include <algorithm>

#include "resolve/failures.h"
#include "resolve/signed_stage.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Message;
using dns::Rcode;
using dns::Type;
using stage::mail_address;
using stage::org_address;
using stage::plain_address;
using stage::root_address;
using stage::second_address;
using stage::SignedStage;
using stage::verdict;

namespace {

using Said = std::optional<Message>;

Said silence() {
    return std::nullopt;
}
Message bare(Message honest, Rcode rcode) {
    honest.answer.clear();
    honest.authority.clear();
    honest.additional.clear();
    honest.rcode = rcode;
    return honest;
}
Message referral(Message honest, const std::string& owner, const std::string& server) {
    honest = bare(std::move(honest), Rcode::noerror);
    honest.authoritative = false;
    honest.authority.push_back(stage::record(owner, Type::ns, server));
    return honest;
}
bool is_probe_of_root(const Message& query) {
    return query.question->name.is_root() && query.question->type == Type::ns;
}

/// A way to be no server of "mail.org".
struct BadKind {
    std::string what;
    stage::Behaviour does;
};
const std::vector<BadKind>& bad_kinds() {
    static const std::vector<BadKind> kinds = {
        {"REFUSED", [](const Message&, Message honest) { return Said(bare(honest, Rcode::refused)); }},
        {"NOTAUTH", [](const Message&, Message honest) { return Said(bare(honest, Rcode::notauth)); }},
        {"SERVFAIL", [](const Message&, Message honest) { return Said(bare(honest, Rcode::servfail)); }},
        {"NOTIMP", [](const Message&, Message honest) { return Said(bare(honest, Rcode::notimp)); }},
        {"FORMERR", [](const Message&, Message honest) { return Said(bare(honest, Rcode::formerr)); }},
        {"YXDOMAIN", [](const Message&, Message honest) { return Said(bare(honest, Rcode::yxdomain)); }},
        {"an rcode that nobody knows",
         [](const Message&, Message honest) { return Said(bare(honest, static_cast<Rcode>(14))); }},
        {"refers to the root", [](const Message&, Message honest) { return Said(referral(honest, ".", "a.root.")); }},
        {"refers upwards", [](const Message&, Message honest) { return Said(referral(honest, "org.", "ns.org.")); }},
        {"refers to itself",
         [](const Message&, Message honest) { return Said(referral(honest, "mail.org.", "ns1.mail.org.")); }},
        {"refers sideways",
         [](const Message&, Message honest) { return Said(referral(honest, "plain.org.", "ns.plain.org.")); }},
        {"empty, without authority",
         [](const Message&, Message honest) {
             honest = bare(honest, Rcode::noerror);
             honest.authoritative = false;
             return Said(honest);
         }},
        {"NXDOMAIN, without authority or SOA",
         [](const Message&, Message honest) {
             honest = bare(honest, Rcode::nxdomain);
             honest.authoritative = false;
             return Said(honest);
         }},
        {"an error without question",
         [](const Message&, Message honest) {
             honest = bare(honest, Rcode::refused);
             honest.question.reset();
             return Said(honest);
         }},
        {"another question",
         [](const Message&, Message honest) {
             honest.question->name = stage::name("other.org.");
             honest.question->spelled.clear();
             return Said(honest);
         }},
        {"another ID",
         [](const Message&, Message honest) {
             honest.id ^= 1U;
             return Said(honest);
         }},
        {"a question in place of an answer", [](const Message& query, Message) { return Said(query); }},
        {"silence", [](const Message&, Message) { return silence(); }}};
    return kinds;
}

}  // namespace

TEST_CASE("the root is primed once, and its own list of servers counts from then on (RFC 8109)") {
    stage::Stage play;
    stage::ZoneData& root =
        play.zone(".", {". NS b.root.", "b.root. A 192.0.2.9", "one.root. A 198.51.100.1", "two.root. A 198.51.100.2"},
                  std::uint8_t{1});
    play.world.serve(root_address, {&root});
    play.world.serve("192.0.2.9", {&root});
    play.open(root, {root_address});
    CHECK(verdict(play.ask("one.root.", Type::a)) == "secure records");
    CHECK(verdict(play.ask("two.root.", Type::a)) == "secure records");
    CHECK(play.world.times_asked(". NS") == 1);
    CHECK(play.world.times_asked("192.0.2.1 ") == 1);
    CHECK(play.world.times_asked("192.0.2.9 ") > 1);
}

TEST_CASE("priming that brings no address leaves the hints in use (RFC 8109 3.3)") {
    SignedStage play;
    play.world.behave(root_address, [](const Message& query, Message honest) {
        if (is_probe_of_root(query)) honest.additional.clear();
        return Said(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("priming that brings addresses of the wrong family only leaves the hints in use") {
    SignedStage play([](resolve::Settings& settings) { settings.ipv6 = resolve::Switch::off; });
    play.world.behave(root_address, [](const Message& query, Message honest) {
        if (is_probe_of_root(query)) {
            honest.additional.clear();
            honest.additional.push_back(stage::record("a.root.", Type::aaaa, "2001:db8::1"));
        }
        return Said(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("a probe's error or NXDOMAIN for an empty non-terminal hides nothing below it (RFC 9156 3)") {
    using Row = std::pair<std::string, std::optional<Rcode>>;
    const Row row =
        GENERATE(Row{"NXDOMAIN", Rcode::nxdomain}, Row{"REFUSED", Rcode::refused}, Row{"SERVFAIL", Rcode::servfail},
                 Row{"NOTIMP", Rcode::notimp}, Row{"FORMERR", Rcode::formerr}, Row{"silence", std::nullopt});
    INFO(row.first);
    SignedStage play;
    play.both([&row](const Message& query, Message honest) {
        if (query.question->name != stage::name("ent.mail.org.")) return Said(honest);
        return row.second ? Said(bare(honest, *row.second)) : silence();
    });
    const dnssec::Answer answer = play.ask("host.ent.mail.org.", Type::a, 10'000ms);
    INFO(answer.reason().text);
    CHECK(verdict(answer) == "secure records");
    CHECK(play.world.times_asked(" ent.mail.org") > 0);
}

TEST_CASE("a truncated referral is asked for again over TCP (RFC 9471 3)") {
    SignedStage play;
    play.world.behave(org_address, [](const Message&, Message honest) {
        honest.truncated = true;
        return Said(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(play.world.streams > 0);
}

TEST_CASE("a referral without the glue that it needs: the parent's server is asked for the addresses (RFC 9471 2)") {
    SignedStage play;
    play.world.behave(org_address, [](const Message& query, Message honest) {
        const dns::Name& asked = query.question->name;
        const bool of_server = asked == stage::name("ns1.mail.org.") || asked == stage::name("ns2.mail.org.");
        if (!of_server) honest.additional.clear();
        return Said(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
}

TEST_CASE("glue that is of no use, or of the wrong family: the name server's addresses are looked up") {
    for (const bool other_family : {true, false}) {
        stage::Stage play([&](resolve::Settings& settings) { settings.ipv6 = resolve::Switch::off; });
        const std::string glue = other_family ? "ns.help.org. AAAA 2001:db8::5" : "ns.help.org. A 127.0.0.1";
        stage::ZoneData& far = play.zone("far.org.", {"far.org. NS ns.help.org.", "www.far.org. A 198.51.100.3"});
        stage::ZoneData& help = play.zone("help.org.", {"help.org. NS ns.org.", glue, "ns.help.org. A 192.0.2.5"});
        stage::ZoneData& org = play.zone("org.", {"org. NS ns.org.", "ns.org. A 192.0.2.2", "far.org. NS ns.help.org.",
                                                  "help.org. NS ns.org.", glue});
        stage::ZoneData& root =
            play.zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2"});
        play.world.serve(root_address, {&root});
        play.world.serve(org_address, {&org, &help});
        play.world.serve("192.0.2.5", {&far});
        play.open(root, {root_address});
        CHECK(verdict(play.ask("www.far.org.", Type::a)) == "insecure records");
        CHECK(play.world.times_asked("127.0.0.1 ") == 0);
    }
}

namespace {

/// An unsigned "org"; the domains "dead.org" and "gone.org", whose servers are silent, and "help.org", whose are not.
/// "site.org" has the servers given, and lies where those of "help.org" are.
struct GluelessStage : stage::Stage {
    explicit GluelessStage(const std::vector<std::string>& servers) {
        std::vector<std::string> site_lines{"www.site.org. A 198.51.100.3", "second.site.org. A 198.51.100.4",
                                            "third.site.org. A 198.51.100.5"};
        std::vector<std::string> org_lines{"org. NS ns.org.",
                                           "ns.org. A 192.0.2.2",
                                           "help.org. NS ns1.help.org.",
                                           "ns1.help.org. A 192.0.2.3",
                                           "dead.org. NS ns1.dead.org.",
                                           "ns1.dead.org. A 192.0.2.66",
                                           "gone.org. NS ns1.gone.org.",
                                           "ns1.gone.org. A 192.0.2.67",
                                           "ns.site.org. A 192.0.2.3",
                                           "ns2.alias.org. CNAME ns2.help.org.",
                                           "moved.org. DNAME help.org."};
        for (const std::string& server : servers) {
            site_lines.push_back("site.org. NS " + server);
            org_lines.push_back("site.org. NS " + server);
        }
        stage::ZoneData& site = zone("site.org.", site_lines);
        stage::ZoneData& help = zone("help.org.", {"ns1.help.org. A 192.0.2.3", "ns2.help.org. A 192.0.2.3"});
        stage::ZoneData& org = zone("org.", org_lines);
        stage::ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2"});
        world.serve(root_address, {&root});
        world.serve(org_address, {&org});
        world.serve(mail_address, {&site, &help});
        open(root, {root_address});
    }
    /// How long the answer took.
    Duration time_of(const std::string& name) {
        const MonoTime begin = clock.mono();
        CHECK(verdict(ask(name, Type::a, 4900ms)) == "insecure records");
        return std::chrono::duration_cast<Duration>(clock.mono() - begin);
    }
};

}  // namespace

TEST_CASE("an answer does not wait for the address of another name server, in a dead domain") {
    GluelessStage play({"ns.site.org.", "ns.dead.org."});
    play.world.delay(mail_address, 700ms);
    CHECK(play.time_of("www.site.org.") < 800ms);
}

TEST_CASE("name servers without glue in dead domains do not keep one in a good domain from being found") {
    GluelessStage play({"ns2.help.org.", "ns.dead.org.", "ns.gone.org."});
    CHECK(play.time_of("www.site.org.") < 1500ms);
}

TEST_CASE(
    "a name server's AAAA that is never answered holds up no question, not the second one, either (RFC 4074 4.1)") {
    GluelessStage play({"ns2.help.org."});
    play.world.behave(mail_address, [](const Message& query, Message honest) {
        return query.question->type == Type::aaaa ? silence() : Said(honest);
    });
    for (const char* const name : {"www.site.org.", "second.site.org.", "third.site.org."}) {
        CHECK(play.time_of(name) < 200ms);
    }
}

TEST_CASE("a name server's name may be an alias, by CNAME or DNAME, as some are (RFC 2181 10.3)") {
    for (const char* const server : {"ns2.alias.org.", "ns2.moved.org."}) {
        GluelessStage play({server});
        CHECK(play.time_of("www.site.org.") < 200ms);
    }
}

TEST_CASE("a server of any bad kind is passed over for the other one") {
    const BadKind& kind = GENERATE(from_range(bad_kinds()));
    INFO(kind.what);
    SignedStage play;
    play.world.behave(mail_address, kind.does);
    for (const auto& [name, type] : {std::pair("mail.org.", Type::mx), std::pair("mx.mail.org.", Type::a),
                                     std::pair("_25._tcp.mx.mail.org.", Type::tlsa)}) {
        const dnssec::Answer answer = play.ask(name, type);
        INFO(name << " " << answer.reason().text);
        CHECK(verdict(answer) == "secure records");
    }
}

TEST_CASE("a denial for a zone above is a last resort: another server may have the zone (RFC 2308 2)") {
    for (const Rcode rcode : {Rcode::nxdomain, Rcode::noerror}) {
        for (const std::string& above : {std::string("."), std::string("org.")}) {
            SignedStage play([](resolve::Settings& settings) { settings.anchors = {}; });
            bool all = false;
            std::string first;
            for (const std::string& address : {std::string(mail_address), std::string(second_address)}) {
                play.world.behave(address, [&, address](const Message&, Message honest) {
                    if (first.empty()) first = address;
                    if (!all && first != address) return Said(honest);
                    honest = bare(std::move(honest), rcode);
                    honest.authority.push_back(stage::record(above, Type::soa, "a. b. 1 7200 3600 1209600 300"));
                    return Said(honest);
                });
            }
            CHECK(verdict(play.ask("mail.org.", Type::mx)) == "insecure records");
            CHECK(play.world.times_asked(first) > 0);
            all = true;
            const std::string wanted = rcode == Rcode::nxdomain ? "insecure nxdomain" : "insecure nodata";
            CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == wanted);
        }
    }
}

TEST_CASE("servers that all are of a bad kind: a failure with EDE 22 or 23 and a sentence, never an absence") {
    const BadKind& kind = GENERATE(from_range(bad_kinds()));
    INFO(kind.what);
    SignedStage play;
    play.both(kind.does);
    const dnssec::Answer answer = play.ask("mail.org.", Type::mx);
    INFO(answer.reason().text);
    REQUIRE(answer.reason().ede);
    // Where every server says so it is judged as a last resort, and does not hold in a signed zone.
    const bool hearsay = kind.what == "NXDOMAIN, without authority or SOA";
    CHECK(verdict(answer) == (hearsay ? "bogus failure" : "indeterminate failure"));
    if (hearsay) return;
    const bool no_answer = kind.what == "another question" || kind.what == "another ID";
    CHECK(*answer.reason().ede == (no_answer ? dns::Ede::network_error : dns::Ede::no_reachable_authority));
    CHECK_FALSE(answer.reason().text.empty());
    CHECK(answer.reason().code.view().size() == 4);
    CHECK(play.world.asked.size() < 40);
}

TEST_CASE("a server that does not know the zone is not asked about it again for a while") {
    SignedStage play;
    play.world.behave(mail_address, [](const Message&, Message honest) { return Said(bare(honest, Rcode::refused)); });
    for (const std::string host : {"mx", "alias", "out", "host.ent", "one", "two", "three"})
        static_cast<void>(play.ask(host + ".mail.org.", Type::a));
    CHECK(play.world.times_asked("192.0.2.3 ") <= 3);
}

TEST_CASE("servers that are silent to TLSA only answer everything else as fast as before") {
    SignedStage play;
    play.both([](const Message& query, Message honest) {
        return query.question->type == Type::tlsa ? silence() : Said(honest);
    });
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "indeterminate failure");
    const MonoTime begin = play.clock.mono();
    CHECK(verdict(play.ask("mx.mail.org.", Type::a)) == "secure records");
    CHECK(play.clock.mono() - begin < 200ms);
}

TEST_CASE("a slow server is helped by another one: a hedge, not a wait") {
    SignedStage play;
    play.world.delay(mail_address, 1500ms);
    for (const auto& [name, type] : {std::pair("mail.org.", Type::mx), std::pair("mx.mail.org.", Type::a)}) {
        const MonoTime begin = play.clock.mono();
        CHECK(verdict(play.ask(name, type)) == "secure records");
        CHECK(play.clock.mono() - begin < 1000ms);
    }
}

TEST_CASE("what a child says of its name servers neither adds to nor prolongs what the parent said (A30)") {
    SignedStage play;
    stage::ZoneData& child =
        play.zone("plain.org.", {"plain.org. NS ns9.plain.org.", "ns9.plain.org. A 192.0.2.99",
                                 "www.plain.org. A 198.51.100.80", "mx.plain.org. A 198.51.100.81"});
    play.world.replace(plain_address, {&child});
    play.world.serve("192.0.2.99", {&child});
    CHECK(verdict(play.ask("plain.org.", Type::ns)) == "insecure records");
    CHECK(verdict(play.ask("ns9.plain.org.", Type::a)) == "insecure records");
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    CHECK(play.world.times_asked("192.0.2.99 ") == 0);
    // The parent takes the delegation back: by its TTL the zone is gone, though its servers go on.
    stage::ZoneData& org = play.zone("org.", {"org. NS ns.org.", "ns.org. A 192.0.2.2"}, std::uint8_t{2});
    play.world.replace(org_address, {&org});
    play.clock.advance(3601s);
    CHECK(verdict(play.ask("mx.plain.org.", Type::a)) == "secure nxdomain");
}

TEST_CASE("a delegation that fails is asked for again at the parent: the zone may have moved") {
    SignedStage play;
    CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
    stage::ZoneData& moved = play.zone(
        "plain.org.", {"plain.org. NS new.plain.org.", "new.plain.org. A 192.0.2.77", "mx.plain.org. A 198.51.100.82"});
    stage::ZoneData& org = play.zone(
        "org.",
        {"org. NS ns.org.", "ns.org. A 192.0.2.2", "plain.org. NS new.plain.org.", "new.plain.org. A 192.0.2.77"},
        std::uint8_t{2});
    play.world.replace(org_address, {&org});
    play.world.serve("192.0.2.77", {&moved});
    play.world.behave(plain_address, [](const Message&, Message honest) { return Said(bare(honest, Rcode::refused)); });
    CHECK(verdict(play.ask("mx.plain.org.", Type::a)) == "insecure records");
}

TEST_CASE("a delegation whose servers have lost their authority is asked for again at the parent") {
    // They recurse, or pretend to have everything.
    const std::vector<stage::Behaviour> former = {
        [](const Message& query, Message honest) {
            honest = bare(std::move(honest), Rcode::noerror);
            honest.authoritative = false;
            honest.recursion_available = true;
            if (query.question->name == stage::name("mx.plain.org."))
                honest.answer.push_back(stage::record("mx.plain.org.", Type::a, "198.51.100.99"));
            return Said(honest);
        },
        [](const Message&, Message honest) {
            honest = bare(std::move(honest), Rcode::nxdomain);
            honest.authority.push_back(stage::record(".", Type::soa, "a. b. 1 7200 3600 1209600 300"));
            return Said(honest);
        }};
    for (const stage::Behaviour& does : former) {
        for (const bool moved : {true, false}) {
            SignedStage play;
            CHECK(verdict(play.ask("www.plain.org.", Type::a)) == "insecure records");
            play.world.behave(plain_address, does);
            stage::ZoneData& fresh =
                play.zone("plain.org.", {"mx.plain.org. A 192.0.2.82", "new.plain.org. A 192.0.2.77"});
            stage::ZoneData& org = play.zone("org.",
                                             {"org. NS ns.org.", "ns.org. A 192.0.2.2", "plain.org. NS new.plain.org.",
                                              "new.plain.org. A 192.0.2.77"},
                                             std::uint8_t{2});
            play.world.serve("192.0.2.77", {&fresh});
            if (moved) play.world.replace(org_address, {&org});
            const dnssec::Answer answer = play.ask("mx.plain.org.", Type::a);
            CHECK((play.world.times_asked("192.0.2.77 mx.plain.org A") > 0) == moved);
            const dns::Record now = stage::record("mx.plain.org.", Type::a, "192.0.2.82");
            REQUIRE((!moved || answer.final().rrset() != nullptr));
            if (moved) CHECK(answer.final().rrset()->records.front() == now.rdata);
            // Where the parent names them still, there is nothing better.
            CHECK(answer.outcome() != dnssec::Outcome::failure);
        }
    }
}

TEST_CASE("DS is asked at the parent, also where one server has both sides of the cut (pitfalls 30)") {
    SignedStage play;
    play.world.serve(org_address, {play.zones[2].get(), play.zones[0].get()});
    CHECK(verdict(play.ask("mail.org.", Type::ds)) == "secure records");
    CHECK(verdict(play.ask("mail.org.", Type::mx)) == "secure records");
    CHECK(verdict(play.ask("mx.mail.org.", Type::ds)) == "secure nodata");
}

TEST_CASE("negative answers live as long as the lesser of SOA TTL and SOA minimum says (RFC 2308 5, RFC 9077 3)") {
    SignedStage play;
    // SOA TTL 3600, minimum 300; the NSEC's TTL is 300.
    for (const auto& [name, type] : {std::pair("mx.mail.org.", Type::aaaa), std::pair("nothing.mail.org.", Type::a),
                                     std::pair("www.plain.org.", Type::aaaa)}) {
        const dnssec::Answer answer = play.ask(name, type);
        CHECK(answer.expires() <= play.clock.wall() + 300s);
        CHECK(answer.expires() > play.clock.wall() + 290s);
    }
}

TEST_CASE("a failure is remembered for longer each time, a minute at most, and forgotten with success (RFC 9520 3.2)") {
    SignedStage play;
    bool broken = true;
    play.both([&broken](const Message& query, Message honest) {
        return broken && query.question->type == Type::tlsa ? Said(bare(honest, Rcode::notimp)) : Said(honest);
    });
    std::vector<std::int64_t> kept;
    for (int turn = 0; turn < 6; ++turn) {
        const dnssec::Answer answer = play.ask("_25._tcp.mx.mail.org.", Type::tlsa);
        CHECK(verdict(answer) == "indeterminate failure");
        CHECK_FALSE(answer.reason().remembered);
        kept.push_back((answer.expires() - play.clock.wall()).count());
        const std::size_t before = play.world.asked.size();
        const dnssec::Answer again = play.ask("_25._tcp.mx.mail.org.", Type::tlsa);
        CHECK(again.reason().remembered);
        CHECK(again.reason().code == answer.reason().code);
        CHECK(play.world.asked.size() == before);
        play.clock.advance(std::chrono::seconds(kept.back()));
    }
    CHECK(kept == std::vector<std::int64_t>{5, 10, 20, 40, 60, 60});
    broken = false;
    CHECK(verdict(play.ask("_25._tcp.mx.mail.org.", Type::tlsa)) == "secure records");
}

TEST_CASE("the memory of failures is bounded") {
    SeededRandom random(4);
    resolve::Failures failures(random);
    for (std::size_t number = 0; number < resolve::Failures::most_questions + 100; ++number)
        static_cast<void>(failures.failed(stage::name("a" + std::to_string(number) + ".org."), Type::mx, MonoTime{}));
    CHECK(failures.size() <= resolve::Failures::most_questions);
}

TEST_CASE("every kind of failure has its EDE, a sentence and a place in the source (RFC 8914)") {
    struct Row {
        std::string what;
        dns::Ede ede;
        std::function<void(SignedStage&)> prepare;
        std::string name;
        Type type;
    };
    const auto strip = [](Type type) {
        return [type](const Message& query, Message honest) {
            if (query.question->type == type)
                std::erase_if(honest.answer, [](const dns::Record& one) { return one.type == Type::rrsig; });
            return Said(honest);
        };
    };
    const std::vector<Row> rows = {
        {"no signature", dns::Ede::rrsigs_missing, [&](SignedStage& play) { play.both(strip(Type::mx)); }, "mail.org.",
         Type::mx},
        {"DS without its key", dns::Ede::dnskey_missing,
         [](SignedStage& play) {
             play.both([](const Message& query, Message honest) {
                 for (dns::Record& one : honest.answer) {
                     if (query.question->type == Type::dnskey && one.type == Type::dnskey) one.rdata.back() ^= 1U;
                 }
                 return Said(honest);
             });
         },
         "mail.org.", Type::mx},
        {"no proof of absence", dns::Ede::nsec_missing,
         [](SignedStage& play) {
             play.both([](const Message& query, Message honest) {
                 if (query.question->type == Type::aaaa)
                     std::erase_if(honest.authority, [](const dns::Record& one) { return one.type == Type::nsec; });
                 return Said(honest);
             });
         },
         "mx.mail.org.", Type::aaaa},
        {"changed data", dns::Ede::dnssec_bogus,
         [](SignedStage& play) {
             play.both([](const Message& query, Message honest) {
                 for (dns::Record& one : honest.answer) {
                     if (query.question->type == Type::a && one.type == Type::a) one.rdata.back() ^= 1U;
                 }
                 return Said(honest);
             });
         },
         "mx.mail.org.", Type::a},
        {"signatures of yesterday", dns::Ede::signature_expired,
         [](SignedStage& play) { play.clock.step_wall(1000 * 24h); }, "mail.org.", Type::mx},
        {"signatures of tomorrow", dns::Ede::signature_not_yet_valid,
         [](SignedStage& play) { play.clock.step_wall(-1000 * 24h); }, "mail.org.", Type::mx},
        {"aliases in a circle", dns::Ede::other, [](SignedStage&) {}, "loop1.mail.org.", Type::a},
        {"signatures asked for", dns::Ede::not_supported, [](SignedStage&) {}, "mail.org.", Type::rrsig},
        {"unsigned and broken", dns::Ede::no_reachable_authority,
         [](SignedStage& play) {
             play.world.behave(plain_address,
                               [](const Message&, Message honest) { return Said(bare(honest, Rcode::servfail)); });
         },
         "www.plain.org.", Type::a}};
    for (const Row& row : rows) {
        INFO(row.what);
        SignedStage play;
        row.prepare(play);
        const dnssec::Answer answer = play.ask(row.name, row.type);
        CHECK(answer.outcome() == dnssec::Outcome::failure);
        INFO(answer.reason().text);
        REQUIRE(answer.reason().ede);
        CHECK(static_cast<int>(*answer.reason().ede) == static_cast<int>(row.ede));
        CHECK_FALSE(answer.reason().text.empty());
        CHECK(answer.reason().code.view().size() == 4);
    }
}

TEST_CASE("what a server says in its EDE is quoted, short and harmless (RFC 8914 6)") {
    SignedStage play;
    play.both([](const Message&, Message honest) {
        honest = bare(honest, Rcode::servfail);
        honest.edns->options.push_back(
            dns::make_ede({dns::Ede::other, "\x1b[31m\"} [RNOS]\n" + std::string(3000, 'x')}));
        return Said(honest);
    });
    const std::string text = play.ask("mail.org.", Type::mx).reason().text;
    INFO(text);
    CHECK(text.find("it says") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find('[') == std::string::npos);
    CHECK(text.size() < 700);
}
