// One question to one server of every odd kind: what is sent, what is believed, and where it ends.
#include "resolve/exchange.h"

#include <deque>

#include "resolve/build.h"
#include "task/gather.h"
#include "task/manual.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Message;
using dns::Rcode;
using dns::Type;
using resolve::EdnsNeed;

namespace {

enum class Over { datagram, stream };
using Reply = std::variant<std::monostate, Bytes, FailureKind>;  // silence, octets, an error of the network

/// A network with one server, which does what the test says.
class Wire final : public net::Network {
  public:
    explicit Wire(task::Scheduler& scheduler) : scheduler_(scheduler) {}
    task::Task<Result<net::DatagramReply>> exchange_datagram(Endpoint /*server*/, Bytes query, net::Matcher matcher,
                                                             MonoTime deadline) override {
        const Reply reply = said(Over::datagram, query);
        const Opened opened(open);
        const MonoTime arrives = scheduler_.now() + 10ms;
        co_await task::sleep_until(arrives);
        if (const auto* failed = std::get_if<FailureKind>(&reply)) co_return fail(*failed, Code("TEST"), "cannot");
        net::DatagramReply result;
        const auto* octets = std::get_if<Bytes>(&reply);
        if (octets != nullptr) {
            const net::Match match = matcher(*octets);
            result.suspicious = match == net::Match::suspect;
            if (match == net::Match::accept) result.message = *octets;
            if (match != net::Match::ignore) co_return result;
        }
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    task::Task<Result<Bytes>> exchange_stream(Endpoint /*server*/, Bytes query, MonoTime deadline) override {
        const Reply reply = said(Over::stream, query);
        const Opened opened(open);
        const MonoTime arrives = scheduler_.now() + 20ms;
        co_await task::sleep_until(arrives);
        if (const auto* failed = std::get_if<FailureKind>(&reply)) co_return fail(*failed, Code("TEST"), "cannot");
        if (const auto* octets = std::get_if<Bytes>(&reply)) co_return *octets;
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    std::function<Reply(Over, const Message&)> server;
    std::vector<Message> datagrams, streams;
    std::size_t open = 0;  ///< sockets

  private:
    struct Opened {
        explicit Opened(std::size_t& total) : count(total) { ++count; }
        Opened(const Opened&) = delete;
        Opened& operator=(const Opened&) = delete;
        ~Opened() { --count; }
        std::size_t& count;
    };
    Reply said(Over over, const Bytes& query) {
        const Result<Message> parsed = dns::parse_message(query);
        REQUIRE(parsed);
        (over == Over::datagram ? datagrams : streams).push_back(*parsed);
        return server(over, *parsed);
    }
    task::Scheduler& scheduler_;
};

Message answer(const Message& query, const std::string& address = "192.0.2.80") {
    Message reply;
    reply.id = query.id;
    reply.response = reply.authoritative = true;
    reply.question = query.question;
    if (query.edns) reply.edns = dns::Edns{1232, 0, true, {}};
    reply.answer.push_back(stage::record("www.example.", Type::a, address));
    return reply;
}
Message error(const Message& query, Rcode rcode) {
    Message reply = answer(query);
    reply.answer.clear();
    reply.rcode = rcode;
    return reply;
}
Message without_edns(Message reply) {
    reply.edns.reset();
    return reply;
}
Reply as_reply(const Message& message) {
    return dns::render_message(message);
}

const dns::EdnsOption* cookie_of(const Message& message) {
    if (!message.edns) return nullptr;
    for (const dns::EdnsOption& option : message.edns->options) {
        if (option.code == dns::option_cookie) return &option;
    }
    return nullptr;
}
std::string client_part(const Message& message) {
    const dns::EdnsOption* cookie = cookie_of(message);
    return cookie == nullptr ? "" : to_hex(BytesView(cookie->data).first(8));
}
std::string server_part(const Message& message) {
    const dns::EdnsOption* cookie = cookie_of(message);
    return cookie == nullptr ? "" : to_hex(BytesView(cookie->data).subspan(8));
}
/// The client's cookie back, with the server's part.
Message with_cookie(Message reply, const Message& query, const std::string& server, std::uint8_t spoil = 0) {
    const dns::EdnsOption* asked = cookie_of(query);
    if (asked == nullptr) return reply;
    Bytes data(asked->data.begin(), asked->data.begin() + 8);
    data.front() ^= spoil;
    const Bytes part = *from_hex(server);
    data.insert(data.end(), part.begin(), part.end());
    reply.edns->options.push_back({dns::option_cookie, data});
    return reply;
}

struct Play {
    ManualClock clock{WallTime{1'800'000'000}};
    SeededRandom random{11};
    task::ManualScheduler scheduler{clock};
    Wire wire{scheduler};
    log::Log log{log::Level::error, log::Target::nowhere};
    resolve::Servers servers{random};
    resolve::Exchange exchange{{}, {clock, random, wire, servers, log, scheduler}};
    BudgetRef budget;

    resolve::Query query(EdnsNeed need = EdnsNeed::wanted, const std::string& at = "192.0.2.1") {
        resolve::Query query;
        query.to = {stage::name("ns.example."), *Address::from_text(at)};
        query.name = stage::name("www.example.");
        query.type = Type::a;
        query.edns = need;
        query.until = clock.mono() + 3s;
        return query;
    }
    Result<Message> ask(EdnsNeed need = EdnsNeed::wanted, const std::string& at = "192.0.2.1") {
        budget = std::make_shared<Budget>(BudgetLimits(), clock.mono() + 5s);
        std::optional<Result<Message>> result = scheduler.run(exchange.ask(query(need, at), budget));
        REQUIRE(result);
        return *result;
    }
    /// "2 datagrams, 1 stream" since the last call.
    std::string sent() {
        const std::string text = std::to_string(wire.datagrams.size()) + "+" + std::to_string(wire.streams.size());
        wire.datagrams.clear();
        wire.streams.clear();
        return text;
    }
};

bool is_answer(const Result<Message>& message, const std::string& address = "192.0.2.80") {
    return message && message->rcode == Rcode::noerror && message->answer.size() == 1 &&
           message->answer[0].rdata == stage::record("www.example.", Type::a, address).rdata;
}

task::Task<void> pause(MonoTime until) {
    co_await task::sleep_until(until);
}

/// Asks, and leaves when its time is over.
task::Task<void> ask_for(Play& play, resolve::Query query, BudgetRef budget, MonoTime until) {
    task::Task<Result<Message>> asking = play.exchange.ask(std::move(query), std::move(budget));
    co_await task::with_deadline(std::move(asking), until);
}

}  // namespace

TEST_CASE("a server gets a cookie of its own, and its own part back from then on (RFC 7873 5, RFC 9018 3)") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(with_cookie(answer(query), query, "0102030405060708"));
    };
    CHECK(is_answer(play.ask()));
    const std::string first = client_part(play.wire.datagrams.front());
    CHECK(first.size() == 16);
    CHECK(server_part(play.wire.datagrams.front()).empty());
    CHECK(is_answer(play.ask()));
    CHECK(client_part(play.wire.datagrams.back()) == first);
    CHECK(server_part(play.wire.datagrams.back()) == "0102030405060708");
    CHECK(is_answer(play.ask(EdnsNeed::wanted, "192.0.2.2")));
    CHECK(client_part(play.wire.datagrams.back()) != first);
    CHECK(server_part(play.wire.datagrams.back()).empty());
}

TEST_CASE("the cookie's secret is drawn anew after a day, and what servers gave for the old one is dropped") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(with_cookie(answer(query), query, "0102030405060708"));
    };
    CHECK(is_answer(play.ask()));
    const std::string first = client_part(play.wire.datagrams.front());
    play.clock.advance(resolve::Cookies::secret_life);
    CHECK(is_answer(play.ask()));
    CHECK(client_part(play.wire.datagrams.back()) != first);
    CHECK(server_part(play.wire.datagrams.back()).empty());
}

TEST_CASE("a wrong cookie, or none from a server that does cookies, is taken for a forgery: a stream settles it") {
    const std::string forged = GENERATE("wrong", "too short", "missing", "no EDNS");
    INFO(forged);
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(with_cookie(answer(query), query, "0102030405060708"));
    };
    CHECK(is_answer(play.ask()));
    static_cast<void>(play.sent());
    play.wire.server = [&forged](Over over, const Message& query) {
        if (over == Over::stream) return as_reply(with_cookie(answer(query), query, "0102030405060708"));
        const Message evil = answer(query, "192.0.2.66");
        if (forged == "wrong") return as_reply(with_cookie(evil, query, "0102030405060708", 1));
        if (forged == "too short") return as_reply(with_cookie(evil, query, "01020304"));
        return as_reply(forged == "missing" ? evil : without_edns(evil));
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
    // The genuine server still does cookies, so that the forger has gained nothing.
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
}

TEST_CASE("a server that has stopped doing cookies is believed over a stream, once, and then as before") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(with_cookie(answer(query), query, "0102030405060708"));
    };
    CHECK(is_answer(play.ask()));
    play.wire.server = [](Over, const Message& query) { return as_reply(answer(query)); };
    static_cast<void>(play.sent());
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+0");
}

TEST_CASE("BADCOOKIE: once more with the new cookie, then a stream, then no more (CVE-2026-5950)") {
    Play play;
    int good_after = GENERATE(1, 2, 3, 4);
    int asked = 0;
    play.wire.server = [&](Over, const Message& query) {
        ++asked;
        const std::string part = "010203040506070" + std::to_string(asked);
        Message reply = asked >= good_after ? answer(query) : error(query, Rcode::badcookie);
        return as_reply(with_cookie(std::move(reply), query, part));
    };
    const Result<Message> said = play.ask();
    REQUIRE(said);
    CHECK(is_answer(said) == (good_after < 4));
    CHECK(asked == std::min(good_after, 3));
    if (good_after >= 2) CHECK(server_part(play.wire.datagrams.at(1)) == "0102030405060701");
    CHECK(play.sent() == (good_after == 1 ? "1+0" : good_after == 2 ? "2+0" : "2+1"));
}

TEST_CASE("BADCOOKIE without our cookie is nobody's: a stream settles it") {
    Play play;
    play.wire.server = [](Over over, const Message& query) {
        return as_reply(over == Over::stream ? answer(query) : error(query, Rcode::badcookie));
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
}

TEST_CASE("a server that fails because of a cookie is asked without one, and from then on") {
    Play play;
    const std::string how = GENERATE("FORMERR with OPT", "FORMERR without OPT", "silence");
    INFO(how);
    play.wire.server = [&how](Over, const Message& query) -> Reply {
        if (cookie_of(query) == nullptr) return as_reply(answer(query));
        if (how == "silence") return std::monostate();
        const Message bad = error(query, Rcode::formerr);
        return as_reply(how == "FORMERR with OPT" ? bad : without_edns(bad));
    };
    if (how == "silence") CHECK_FALSE(play.ask(EdnsNeed::indispensable));
    CHECK(is_answer(play.ask(EdnsNeed::indispensable)));
    static_cast<void>(play.sent());
    CHECK(is_answer(play.ask(EdnsNeed::indispensable)));
    CHECK(play.sent() == "1+0");
    play.clock.advance(resolve::Cookies::off_time);
    static_cast<void>(play.ask(EdnsNeed::indispensable));
    CHECK(cookie_of(play.wire.datagrams.front()) != nullptr);
}

TEST_CASE("a server that returns wrong cookies over streams, too, is sent none") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(with_cookie(answer(query), query, "0102030405060708", 1));
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+0");
}

TEST_CASE("cookies of servers without number do not fill the memory") {
    SeededRandom random(5);
    resolve::Cookies cookies(random);
    Message reply;
    reply.edns = dns::Edns{1232, 0, true, {{dns::option_cookie, Bytes(24, 7)}}};
    for (std::uint32_t host = 0; host < 3 * resolve::Cookies::most_servers; ++host) {
        Writer octets;
        octets.u32(0xC6000000U + host);
        cookies.learn(*Address::from_rdata(octets.view()), reply, MonoTime{});
    }
    CHECK(cookies.size() <= resolve::Cookies::most_servers);
}

TEST_CASE("a server that does not know EDNS is asked without, where the zone allows it (RFC 6891 7)") {
    const Rcode rcode = GENERATE(Rcode::formerr, Rcode::notimp);
    const EdnsNeed need = GENERATE(EdnsNeed::wanted, EdnsNeed::indispensable);
    Play play;
    play.wire.server = [rcode](Over, const Message& query) {
        return as_reply(query.edns ? without_edns(error(query, rcode)) : answer(query));
    };
    const Result<Message> said = play.ask(need);
    REQUIRE(said);
    // Never for a zone that may be signed: the signatures would be lost (A32).
    CHECK(is_answer(said) == (need == EdnsNeed::wanted));
    for (const Message& query : play.wire.datagrams) CHECK((need == EdnsNeed::wanted || query.edns.has_value()));
}

TEST_CASE("BADVERS to version 0 is a server that does not know EDNS") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        return as_reply(query.edns ? error(query, Rcode::badvers) : answer(query));
    };
    CHECK(is_answer(play.ask()));
}

TEST_CASE("one forged FORMERR does not turn EDNS off; a server that says it twice is believed for a while (A32)") {
    Play play;
    bool forge = true;
    play.wire.server = [&forge](Over, const Message& query) {
        if (!forge || !query.edns) return as_reply(answer(query));
        forge = false;
        return as_reply(without_edns(error(query, Rcode::formerr)));
    };
    CHECK(is_answer(play.ask()));
    static_cast<void>(play.sent());
    CHECK(is_answer(play.ask()));
    CHECK(play.wire.datagrams.front().edns);
    // Once EDNS has worked, not even two forgeries do harm.
    forge = true;
    CHECK(is_answer(play.ask()));
    forge = true;
    CHECK(is_answer(play.ask()));
    static_cast<void>(play.sent());
    CHECK(is_answer(play.ask()));
    CHECK(play.wire.datagrams.front().edns);

    Play old;
    old.wire.server = [](Over, const Message& query) {
        return as_reply(query.edns ? without_edns(error(query, Rcode::formerr)) : answer(query));
    };
    CHECK(is_answer(old.ask()));
    CHECK(is_answer(old.ask()));
    static_cast<void>(old.sent());
    CHECK(is_answer(old.ask()));
    CHECK(old.sent() == "1+0");
    old.clock.advance(resolve::Servers::doubt_time);
    CHECK(is_answer(old.ask()));
    CHECK(old.wire.datagrams.front().edns);
}

TEST_CASE(
    "a server that drops questions with EDNS is asked without after silence, never for a zone that may be signed") {
    Play play;
    play.wire.server = [](Over, const Message& query) -> Reply {
        if (query.edns) return std::monostate();
        return as_reply(answer(query));
    };
    CHECK_FALSE(play.ask());
    CHECK(is_answer(play.ask()));
    CHECK_FALSE(play.ask(EdnsNeed::indispensable));
    for (const Message& query : play.wire.datagrams) CHECK(query.question->name == stage::name("www.example."));
    CHECK(play.wire.datagrams.back().edns);
}

TEST_CASE("what is odd about a datagram is left to a stream (A26, A32)") {
    using Make = std::function<Bytes(const Message&)>;
    struct Row {
        std::string what;
        Make make;
    };
    const auto wire_of = [](Message message) { return dns::render_message(message); };
    const auto evil = [](const Message& query) { return answer(query, "192.0.2.66"); };
    const std::vector<Row> rows = {{"another ID",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.id ^= 1U;
                                        return wire_of(reply);
                                    }},
                                   {"another name",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.question->name = stage::name("ww2.example.");
                                        reply.question->spelled.clear();
                                        return wire_of(reply);
                                    }},
                                   {"another type",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.question->type = Type::aaaa;
                                        return wire_of(reply);
                                    }},
                                   {"another class",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.question->class_ = static_cast<dns::Class>(3);
                                        return wire_of(reply);
                                    }},
                                   {"no question beside an answer",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.question.reset();
                                        return wire_of(reply);
                                    }},
                                   {"other letters",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.question->spelled.clear();
                                        return wire_of(reply);
                                    }},
                                   {"two questions",
                                    [=](const Message& query) {
                                        Bytes wire = wire_of(evil(query));
                                        wire[5] = 2;
                                        return wire;
                                    }},
                                   {"octets behind the end",
                                    [=](const Message& query) {
                                        Bytes wire = wire_of(evil(query));
                                        wire.push_back(0);
                                        return wire;
                                    }},
                                   {"cut off in the middle of a record",
                                    [=](const Message& query) {
                                        Bytes wire = wire_of(evil(query));
                                        wire.resize(wire.size() - 14);
                                        return wire;
                                    }},
                                   {"truncated",
                                    [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.truncated = true;
                                        return wire_of(reply);
                                    }},
                                   {"another opcode", [=](const Message& query) {
                                        Message reply = evil(query);
                                        reply.opcode = static_cast<dns::Opcode>(5);
                                        return wire_of(reply);
                                    }}};
    for (const Row& row : rows) {
        INFO(row.what);
        Play play;
        play.wire.server = [&row](Over over, const Message& query) -> Reply {
            if (over == Over::stream) return as_reply(answer(query));
            return row.make(query);
        };
        CHECK(is_answer(play.ask()));
        CHECK(play.sent() == "1+1");
    }
}

TEST_CASE("what is not even an answer is passed over: the answer may still come (A32)") {
    const bool query_itself = GENERATE(true, false);
    Play play;
    play.wire.server = [query_itself](Over, const Message& query) -> Reply {
        if (query_itself) return dns::render_message(query);
        return Bytes{1, 2, 3};
    };
    const Result<Message> said = play.ask();
    REQUIRE_FALSE(said);
    CHECK(said.error().kind == FailureKind::timeout);
    CHECK(play.sent() == "1+0");
}

TEST_CASE("options, versions and flags that nobody knows are passed over (RFC 6891 6.1.2)") {
    const std::string what = GENERATE("NSID", "unknown", "version 1", "large");
    Play play;
    play.wire.server = [&what](Over, const Message& query) {
        Message reply = answer(query);
        if (what == "NSID") reply.edns->options.push_back({3, {'n', 's', '1'}});
        if (what == "unknown") reply.edns->options.push_back({65'001, Bytes(300, 9)});
        if (what == "version 1") reply.edns->version = 1;
        if (what == "large") reply.edns->udp_size = 65'535;
        return as_reply(reply);
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+0");
}

TEST_CASE("TC leads to TCP once; whatever goes wrong there ends the attempt, and the server is not dead for it (A23)") {
    struct Row {
        std::string what;
        std::function<Reply(const Message&)> stream;
        FailureKind kind;
    };
    const std::vector<Row> rows = {
        {"refused or closed", [](const Message&) -> Reply { return FailureKind::unreachable; },
         FailureKind::unreachable},
        {"never ends", [](const Message&) -> Reply { return std::monostate(); }, FailureKind::timeout},
        {"truncated again",
         [](const Message& query) {
             Message reply = answer(query);
             reply.truncated = true;
             return as_reply(reply);
         },
         FailureKind::malformed},
        {"garbage",
         [](const Message& query) -> Reply {
             Bytes wire = dns::render_message(answer(query));
             wire.resize(wire.size() - 3);
             return wire;
         },
         FailureKind::malformed},
        {"another question",
         [](const Message& query) {
             Message reply = answer(query);
             reply.question->name = stage::name("evil.example.");
             reply.question->spelled.clear();
             return as_reply(reply);
         },
         FailureKind::malformed}};
    for (const Row& row : rows) {
        INFO(row.what);
        Play play;
        play.wire.server = [&row](Over over, const Message& query) {
            if (over == Over::stream) return row.stream(query);
            Message reply = answer(query, "192.0.2.66");
            reply.truncated = true;
            return as_reply(reply);
        };
        const Result<Message> said = play.ask();
        REQUIRE_FALSE(said);
        CHECK(said.error().kind == row.kind);
        CHECK(play.sent() == "1+1");
        CHECK_FALSE(play.servers.was_silent(*Address::from_text("192.0.2.1")));
        CHECK(play.servers.hedge_delay(*Address::from_text("192.0.2.1")) < 300ms);
    }
}

TEST_CASE("an answer of 65,535 octets comes over TCP") {
    Play play;
    play.wire.server = [](Over over, const Message& query) {
        Message reply = answer(query);
        if (over == Over::datagram) {
            reply.truncated = true;
            return as_reply(reply);
        }
        // One record more, whose owner is two octets and whose fixed part is ten.
        dns::Record large = reply.answer.front();
        large.type = static_cast<Type>(65'280);
        large.rdata.assign(65'535 - dns::render_message(reply).size() - 12, 1);
        reply.answer.push_back(large);
        CHECK(dns::render_message(reply).size() == 65'535);
        return as_reply(reply);
    };
    const Result<Message> said = play.ask();
    REQUIRE(said);
    CHECK(said->answer.size() == 2);
    CHECK(play.exchange.counters().octets > 65'500);
}

TEST_CASE("a server that loses the letters is asked over TCP once, then in small letters (0x20)") {
    Play play;
    play.wire.server = [](Over, const Message& query) {
        Message reply = answer(query);
        reply.question->spelled.clear();
        return as_reply(reply);
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+1");
    CHECK(is_answer(play.ask()));
    CHECK(play.wire.datagrams.front().question->spelled == as_text(stage::name("www.example.").wire()));
    CHECK(play.sent() == "1+0");
}

TEST_CASE(
    "a server that loses the letters and has no TCP is asked again in small letters; two such answers are believed") {
    Play play;
    play.wire.server = [](Over over, const Message& query) -> Reply {
        if (over == Over::stream) return FailureKind::unreachable;
        Message reply = answer(query);
        reply.question->spelled.clear();
        return as_reply(reply);
    };
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "2+1");
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "2+1");
    CHECK(is_answer(play.ask()));
    CHECK(play.sent() == "1+0");
}

TEST_CASE("a forger who has the ID but not the letters gains nothing, with TCP or without (0x20)") {
    const bool has_tcp = GENERATE(true, false);
    Play play;
    bool forged = false;
    play.wire.server = [&](Over over, const Message& query) -> Reply {
        if (over == Over::stream && !has_tcp) return FailureKind::unreachable;
        if (over == Over::stream || forged) return as_reply(answer(query));
        forged = true;
        Message evil = answer(query, "192.0.2.66");
        evil.question->spelled.clear();
        return as_reply(evil);
    };
    CHECK(is_answer(play.ask()));
    static_cast<void>(play.sent());
    CHECK(is_answer(play.ask()));
    CHECK(play.wire.datagrams.front().question->spelled != as_text(stage::name("www.example.").wire()));
}

TEST_CASE("the same question is under way once to one address, whoever asks (RFC 5452 5, CVE-2025-5994)") {
    Play play;
    play.wire.server = [](Over, const Message& query) { return as_reply(answer(query)); };
    const auto budget = std::make_shared<Budget>(BudgetLimits(), play.clock.mono() + 5s);
    std::vector<task::Task<Result<Message>>> tasks;
    for (int turn = 0; turn < 5; ++turn) tasks.push_back(play.exchange.ask(play.query(), budget));
    tasks.push_back(play.exchange.ask(play.query(EdnsNeed::wanted, "192.0.2.2"), budget));
    auto said = play.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(said);
    for (const Result<Message>& one : *said) CHECK(is_answer(one));
    CHECK(play.sent() == "2+0");
}

TEST_CASE("what nobody waits for ends: at once where the server spoke, else when its silence is known") {
    Play play;
    const bool spoke = GENERATE(true, false);
    CAPTURE(spoke);
    play.wire.server = [spoke](Over over, const Message& query) {
        Message reply = answer(query);
        reply.truncated = true;
        return over == Over::datagram && spoke ? as_reply(reply) : Reply();
    };
    const MonoTime begin = play.clock.mono();
    std::vector<task::Task<void>> askers;
    for (unsigned which = 0; which < 100; ++which) {
        resolve::Query query = play.query(EdnsNeed::wanted, "192.0.2." + std::to_string(which + 1));
        query.patience = 3s;
        const auto budget = std::make_shared<Budget>(BudgetLimits(), begin + 5s);
        askers.push_back(ask_for(play, std::move(query), budget, begin + 50ms));
    }
    REQUIRE(play.scheduler.run(task::when_all(std::move(askers))));
    CHECK(play.clock.mono() == begin + 50ms);
    CHECK(play.wire.open == (spoke ? 0U : 100U));
    // An address that was never asked before has 900 ms.
    REQUIRE(play.scheduler.run(pause(begin + resolve::Servers::first_timeout + 20ms)));
    CHECK(play.wire.open == 0);
    CHECK(play.sent() == (spoke ? "100+100" : "100+0"));
}

TEST_CASE("of many questions to a silent server that nobody waits for, one stays to learn that it is silent") {
    Play play;
    play.wire.server = [](Over, const Message&) { return Reply(); };
    const MonoTime begin = play.clock.mono();
    std::vector<task::Task<void>> askers;
    for (unsigned which = 0; which < 50; ++which) {
        resolve::Query query = play.query();
        query.name = stage::name("n" + std::to_string(which) + ".example.");
        const auto budget = std::make_shared<Budget>(BudgetLimits(), begin + 5s);
        askers.push_back(ask_for(play, std::move(query), budget, begin + 50ms));
    }
    REQUIRE(play.scheduler.run(task::when_all(std::move(askers))));
    CHECK(play.wire.open == 1U);
    REQUIRE(play.scheduler.run(pause(begin + resolve::Servers::first_timeout + 20ms)));
    CHECK(play.wire.open == 0);
    CHECK(play.exchange.counters().timeouts == 1);
}

TEST_CASE("an answer larger than was asked for may have come in fragments: it is fetched over TCP (A29)") {
    Play play;
    play.wire.server = [](Over over, const Message& query) {
        Message reply = answer(query);
        const std::string text = '"' + std::string(250, over == Over::datagram ? 'd' : 's') + '"';
        for (int turn = 0; turn < 7; ++turn) reply.additional.push_back(stage::record("www.example.", Type::txt, text));
        return as_reply(reply);
    };
    const Result<Message> said = play.ask();
    REQUIRE(said);
    CHECK(said->additional.front().rdata.back() == 's');
    CHECK(play.sent() == "1+1");
}

TEST_CASE("a question stays under way as long as one of its askers is left") {
    Play play;
    play.wire.server = [](Over over, const Message& query) {
        Message reply = answer(query);
        reply.truncated = over == Over::datagram;
        return as_reply(reply);
    };
    const auto budget = std::make_shared<Budget>(BudgetLimits(), play.clock.mono() + 5s);
    const MonoTime begin = play.clock.mono();
    task::Gather<Result<Message>> asking(play.scheduler);
    asking.add(play.exchange.ask(play.query(), budget));
    asking.add(play.exchange.ask(play.query(), budget));
    REQUIRE(play.scheduler.run(pause(begin + 15ms)));
    asking.cancel(0);
    const auto said = play.scheduler.run(asking.next(begin + 3s));
    REQUIRE(said);
    REQUIRE(*said);
    CHECK(is_answer((*said)->second));
    CHECK(play.sent() == "1+1");
}

TEST_CASE("who has more patience than the question it joined asks again") {
    Play play;
    play.wire.server = [](Over, const Message&) { return Reply(); };
    const auto budget = std::make_shared<Budget>(BudgetLimits(), play.clock.mono() + 5s);
    resolve::Query patient = play.query();
    patient.patience = 2s;
    std::vector<task::Task<Result<Message>>> tasks;
    tasks.push_back(play.exchange.ask(play.query(), budget));
    tasks.push_back(play.exchange.ask(patient, budget));
    const auto said = play.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(said);
    CHECK_FALSE(said->at(0));
    CHECK_FALSE(said->at(1));
    CHECK(play.sent() == "2+0");
}

TEST_CASE("who joins a question is not ended by the budget of the one who began it") {
    Play play;
    play.wire.server = [](Over over, const Message& query) {
        Message reply = answer(query);
        reply.truncated = over == Over::datagram;
        return as_reply(reply);
    };
    BudgetLimits one;
    one.most[static_cast<std::size_t>(Limit::packets)] = 1;
    std::vector<task::Task<Result<Message>>> tasks;
    tasks.push_back(play.exchange.ask(play.query(), std::make_shared<Budget>(one, play.clock.mono() + 5s)));
    tasks.push_back(play.exchange.ask(play.query(), std::make_shared<Budget>(BudgetLimits(), play.clock.mono() + 5s)));
    auto said = play.scheduler.run(task::when_all(std::move(tasks)));
    REQUIRE(said);
    REQUIRE_FALSE(said->at(0));
    CHECK(said->at(0).error().kind == FailureKind::budget);
    CHECK(is_answer(said->at(1)));
}

TEST_CASE("IDs and letters come from the given randomness, and differ from question to question") {
    Play play;
    play.wire.server = [](Over, const Message& query) { return as_reply(answer(query)); };
    std::vector<std::uint16_t> ids;
    for (int turn = 0; turn < 50; ++turn) CHECK(is_answer(play.ask()));
    for (const Message& query : play.wire.datagrams) ids.push_back(query.id);
    std::ranges::sort(ids);
    CHECK(std::ranges::unique(ids).size() <= 1);
    CHECK(play.wire.datagrams[0].edns->udp_size == 1232);
    CHECK(play.wire.datagrams[0].edns->dnssec_ok);
    // No client subnet, ever (A27, CVE-2025-5994).
    for (const Message& query : play.wire.datagrams) CHECK(query.edns->options.size() == 1);
}
