#include "dns/message.h"

#include <catch2/catch.hpp>

#include "support.h"

using namespace mxtrust;
using namespace mxtrust::dns;
using namespace mxtrust::dns::testing;

namespace {

void check_same(const Message& left, const Message& right) {
    CHECK(left.id == right.id);
    CHECK(left.opcode == right.opcode);
    CHECK(left.rcode == right.rcode);
    CHECK(left.response == right.response);
    CHECK(left.authoritative == right.authoritative);
    CHECK(left.truncated == right.truncated);
    CHECK(left.recursion_desired == right.recursion_desired);
    CHECK(left.recursion_available == right.recursion_available);
    CHECK(left.authentic_data == right.authentic_data);
    CHECK(left.checking_disabled == right.checking_disabled);
    REQUIRE(left.question.has_value() == right.question.has_value());
    if (left.question) {
        CHECK(left.question->name == right.question->name);
        CHECK(left.question->type == right.question->type);
        CHECK(left.question->class_ == right.question->class_);
    }
    CHECK((left.answer == right.answer));
    CHECK((left.authority == right.authority));
    CHECK((left.additional == right.additional));
    REQUIRE(left.edns.has_value() == right.edns.has_value());
    if (left.edns) {
        CHECK(left.edns->udp_size == right.edns->udp_size);
        CHECK(left.edns->version == right.edns->version);
        CHECK(left.edns->dnssec_ok == right.edns->dnssec_ok);
        CHECK(left.edns->options == right.edns->options);
    }
}

Message mail_answer() {
    Message message;
    message.id = 0x1234;
    message.response = true;
    message.recursion_desired = true;
    message.question = Question{name("example.org"), Type::mx, Class::in, {}};
    message.answer = {
        record("example.org", Type::mx, "10 mx1.example.org"), record("example.org", Type::mx, "20 mx2.example.org"),
        record("example.org", Type::rrsig, "MX 13 2 3600 20300101000000 20200101000000 1 example.org. AAAA")};
    message.authority = {record("example.org", Type::ns, "ns1.example.org"),
                         record("example.org", Type::ns, "ns2.example.org")};
    message.additional = {record("mx1.example.org", Type::a, "192.0.2.1"),
                          record("mx2.example.org", Type::a, "192.0.2.2")};
    message.edns = Edns{1232, 0, true, {make_ede({Ede::other, "text"})}};
    return message;
}

const std::string header_of_query = "1234 0100 0001 0000 0000 0000";

}  // namespace

TEST_CASE("a message says the same after rendering and parsing") {
    const Message message = mail_answer();
    const Bytes wire = render_message(message);
    check_same(parse_message(wire).value(), message);
}

TEST_CASE("every flag has its bit") {
    for (unsigned flags = 0; flags < 128; ++flags) {
        Message message;
        message.response = (flags & 1U) != 0;
        message.authoritative = (flags & 2U) != 0;
        message.truncated = (flags & 4U) != 0;
        message.recursion_desired = (flags & 8U) != 0;
        message.recursion_available = (flags & 16U) != 0;
        message.authentic_data = (flags & 32U) != 0;
        message.checking_disabled = (flags & 64U) != 0;
        message.opcode = Opcode::notify;
        message.rcode = Rcode::refused;
        check_same(parse_message(render_message(message)).value(), message);
    }
    Message all;
    all.response = all.authoritative = all.truncated = all.recursion_desired = all.recursion_available =
        all.authentic_data = all.checking_disabled = true;
    CHECK(to_hex(BytesView(render_message(all)).subspan(2, 2)) == "87b0");
}

TEST_CASE("names are compressed, and in RDATA only of RFC 1035's types") {
    Message message;
    message.question = Question{name("www.example.org"), Type::any, Class::in, {}};
    message.answer = {record("www.example.org", Type::cname, "mail.example.org"),
                      record("mail.example.org", Type::srv, "1 2 3 www.example.org")};
    CHECK(to_hex(render_message(message)) ==
          "000000000001000200000000"
          "03777777076578616d706c65036f7267000"
          "0ff0001"
          "c00c"
          "00050001"
          "00000e10"
          "0007"
          "046d61696cc010"
          "c02d"
          "00210001"
          "00000e10"
          "0017"
          "000100020003"
          "03777777076578616d706c65036f726700");
    check_same(parse_message(render_message(message)).value(), message);
}

TEST_CASE("the question's spelling goes out as it came in, and compares as one name (0x20)") {
    const Bytes query = hex(header_of_query + "07 4578614d706c45 03 6f5247 00 000f 0001");
    Message message = parse_message(query).value();
    CHECK(message.question->name == name("example.org"));
    CHECK(message.question->spelled == std::string("\7ExaMplE\3oRG\0", 13));
    CHECK(render_message(message) == query);
    message.answer = {record("example.org", Type::mx, "10 mx.example.org")};
    const Bytes answer = render_message(message);
    CHECK(answer.size() == query.size() + 2 + 10 + 2 + 16);  // the owner points into the question
    // What the record says keeps its letters.
    CHECK((parse_message(answer).value().answer == message.answer));
    message.question->spelled.clear();
    CHECK(render_message(message).size() == answer.size() - 11);  // now the exchange points there too
}

TEST_CASE("a spelling of another name is not sent") {
    Message message;
    message.question = Question{name("example.org"), Type::mx, Class::in, std::string("\7exbmple\3org\0", 13)};
    CHECK(parse_message(render_message(message)).value().question->name == name("example.org"));
}

TEST_CASE("names far into a message are not pointed to (RFC 1035 4.1.4)") {
    Message message;
    for (int index = 0; index < 700; ++index) {
        message.answer.push_back(record("h" + std::to_string(index) + ".example.org", Type::txt, "\"0123456789\""));
        message.answer.push_back(record("h" + std::to_string(index) + ".example.org", Type::a, "192.0.2.1"));
    }
    const Bytes wire = render_message(message);
    REQUIRE(wire.size() > 0x4000);
    check_same(parse_message(wire).value(), message);
}

TEST_CASE("whole RRsets are left out from the end; TC where answer or authority is not complete (RFC 2181 9)") {
    const Message whole = mail_answer();
    const std::size_t full_size = render_message(whole).size();
    std::size_t last_count = 0;
    for (std::size_t most = 60; most <= full_size; ++most) {
        const Bytes wire = render_message(whole, most);
        REQUIRE(wire.size() <= most);
        const Message cut = parse_message(wire).value();
        REQUIRE(cut.edns.has_value());
        // MX with its signature, NS: all of it or nothing. The two A sets are two sets.
        REQUIRE((cut.answer.empty() || cut.answer == whole.answer));
        REQUIRE((cut.authority.empty() || (cut.authority == whole.authority && cut.answer == whole.answer)));
        REQUIRE((cut.additional.empty() || cut.authority == whole.authority));
        REQUIRE(cut.truncated == (cut.answer != whole.answer || cut.authority != whole.authority));
        const std::size_t count = cut.answer.size() + cut.authority.size() + cut.additional.size();
        REQUIRE(count >= last_count);
        last_count = count;
    }
    CHECK(last_count == 7);
    check_same(parse_message(render_message(whole, full_size)).value(), whole);
}

TEST_CASE("what is truncated is not AD: cut off sections are no authentic denial (RFC 4035 3.2.3, pitfalls 26)") {
    Message whole = mail_answer();
    whole.authentic_data = true;
    const std::size_t full_size = render_message(whole).size();
    for (std::size_t most = 60; most <= full_size; ++most) {
        const Message cut = parse_message(render_message(whole, most)).value();
        REQUIRE(cut.authentic_data == !cut.truncated);
    }
}

TEST_CASE("what was left out is not pointed to afterwards") {
    Message message;
    message.answer = {record("a.example", Type::txt, "\"x\"")};
    message.additional = {
        record("long.label.that.does.not.fit.example", Type::txt, "\"" + std::string(200, 'x') + "\"")};
    const std::size_t enough = 100;
    message.edns = Edns{};
    const Message cut = parse_message(render_message(message, enough)).value();
    CHECK(cut.answer == message.answer);
    CHECK(cut.additional.empty());
    CHECK_FALSE(cut.truncated);
}

TEST_CASE("OPT stays when there is room for nothing else; its options go first") {
    Message message;
    message.question = Question{name(std::string(63, 'a') + "." + std::string(63, 'b')), Type::mx, Class::in, {}};
    message.edns = Edns{1232, 0, false, {{3, Bytes(400)}, {10, Bytes(8)}}};
    const Bytes wire = render_message(message, 200);
    CHECK(wire.size() <= 200);
    const Message cut = parse_message(wire).value();
    REQUIRE(cut.edns.has_value());
    CHECK(cut.edns->options == std::vector<EdnsOption>{{10, Bytes(8)}});
}

TEST_CASE("a response code above 15 needs OPT; without it the error stays an error (RFC 6891 6.1.3)") {
    Message message;
    message.rcode = Rcode::badvers;
    CHECK(parse_message(render_message(message)).value().rcode == Rcode::servfail);
    message.edns = Edns{};
    CHECK(parse_message(render_message(message)).value().rcode == Rcode::badvers);
    message.rcode = Rcode::badcookie;
    CHECK(parse_message(render_message(message)).value().rcode == Rcode::badcookie);
}

TEST_CASE("malformed messages are errors (A22)") {
    const std::string question = "016100 000f 0001";
    const std::string opt = "00 0029 04d0 00000000 0000";
    struct Row {
        std::string why, wire;
    };
    const auto row = GENERATE_COPY(
        Row{"empty", ""}, Row{"half a header", "1234 0100 0001"}, Row{"question missing", header_of_query},
        Row{"question cut short", header_of_query + "016100 000f 00"},
        Row{"trailing octet", header_of_query + question + "00"},
        Row{"two questions", "1234 0100 0002 0000 0000 0000" + question + question},
        Row{"count without record", "1234 8100 0001 0001 0000 0000" + question},
        Row{"65,535 records", "1234 8100 0001 ffff ffff ffff" + question},
        Row{"record longer than the message", "1234 8100 0000 0001 0000 0000 00 0010 0001 00000000 0002 00"},
        Row{"A of five octets", "1234 8100 0000 0001 0000 0000 00 0001 0001 00000000 0005 0102030405"},
        Row{"PX without its second name", "1234 8100 0000 0001 0000 0000 00 001a 0001 00000000 0003 000a00"},
        Row{"two OPTs", "1234 0100 0001 0000 0000 0002" + question + opt + opt},
        Row{"OPT in the answer", "1234 8100 0001 0001 0000 0000" + question + opt},
        Row{"OPT in authority", "1234 8100 0001 0000 0001 0000" + question + opt},
        Row{"OPT at a name", "1234 0100 0001 0000 0000 0001" + question + "0161" + opt},
        Row{"option longer than OPT",
            "1234 0100 0001 0000 0000 0001" + question + "00 0029 04d0 00000000 0004 000a0001"},
        Row{"half an option", "1234 0100 0001 0000 0000 0001" + question + "00 0029 04d0 00000000 0003 000a00"});
    CAPTURE(row.why);
    const auto parsed = parse_message(hex(row.wire));
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().kind == FailureKind::malformed);
}

TEST_CASE("a hundred EDNS options are read, one more is an error (CVE-2026-41292)") {
    Message message;
    message.edns = Edns{};
    message.edns->options.resize(100, EdnsOption{65001, {}});
    CHECK(parse_message(render_message(message)).value().edns->options.size() == 100);
    message.edns->options.push_back({65001, {}});
    CHECK_FALSE(parse_message(render_message(message)).has_value());
}

TEST_CASE("five thousand records are read, one more is an error") {
    Message message;
    message.answer.resize(5000, Record{Name(), static_cast<Type>(4711), Class::in, Ttl(0), {}});
    CHECK(parse_message(render_message(message)).has_value());
    message.answer.push_back(message.answer.front());
    CHECK_FALSE(parse_message(render_message(message)).has_value());
}

TEST_CASE("no cut of a message parses, and no changed octet does harm") {
    const Bytes wire = render_message(mail_answer());
    for (std::size_t length = 0; length < wire.size(); ++length) {
        REQUIRE_FALSE(parse_message(BytesView(wire).first(length)).has_value());
    }
    SeededRandom random(1035);
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes changed = wire;
        changed[random.below(changed.size())] = static_cast<std::uint8_t>(random.below(256));
        const auto parsed = parse_message(changed);
        if (!parsed) continue;
        ++accepted;
        const auto again = parse_message(render_message(*parsed));
        REQUIRE(again.has_value());
        REQUIRE(again->answer == parsed->answer);
    }
    CHECK(accepted > 1000);
}

TEST_CASE("a TTL with its top bit set is 0 (RFC 2181 8)") {
    const auto ttl = GENERATE(std::pair("7fffffff", 0x7fffffffU), std::pair("80000000", 0U), std::pair("ffffffff", 0U));
    const Bytes wire = hex(std::string("1234 8100 0000 0001 0000 0000 00 0010 0001 ") + ttl.first + "0001 00");
    CHECK(parse_message(wire).value().answer.at(0).ttl == Ttl(ttl.second));
}

TEST_CASE("records of other classes are octets, and no RRset") {
    const Bytes wire = hex("1234 8100 0000 0001 0000 0000 00 0001 0003 00000000 0005 0102030405");
    const Message message = parse_message(wire).value();
    CHECK(message.answer.at(0).class_ == Class::ch);
    CHECK(group(message.answer).empty());
    CHECK(render_message(message) == wire);
}

TEST_CASE("the envelope is read where the message cannot be") {
    const Envelope envelope = parse_envelope(hex("1234 2910 0002 0000 0000 0000 ff")).value();
    CHECK(envelope.id == 0x1234);
    CHECK_FALSE(envelope.response);
    CHECK(envelope.opcode == Opcode::update);
    CHECK(envelope.questions == 2);
    CHECK(envelope.recursion_desired);
    CHECK(envelope.checking_disabled);
    CHECK_FALSE(parse_envelope(hex("1234 2910 0002 0000 0000 00")).has_value());
}

TEST_CASE("extended errors are read, cleaned, and written (RFC 8914)") {
    Edns edns;
    edns.options = {{option_ede, hex("0006")},
                    {10, hex("0006")},
                    {option_ede, hex("00")},
                    {option_ede, hex("0007 61 1b 62 00")},
                    {option_ede, hex("ffff")}};
    const auto errors = edns.extended_errors();
    REQUIRE(errors.size() == 3);
    CHECK(errors[0].code == Ede::dnssec_bogus);
    CHECK(errors[0].text.empty());
    CHECK(errors[1].code == Ede::signature_expired);
    CHECK(errors[1].text == "a?b");
    CHECK(errors[2].code == static_cast<Ede>(0xffff));
    const EdnsOption option = make_ede({Ede::signature_expired, "two\nlines"});
    CHECK(option.code == option_ede);
    CHECK(to_hex(option.data) == "0007" + to_hex(as_bytes("two?lines")));
}

TEST_CASE("random messages say the same after rendering and parsing, whatever their names") {
    SeededRandom random(6891);
    const auto random_record = [&random] {
        Record made{random_name(random), Type::txt, Class::in, Ttl(static_cast<std::uint32_t>(random.below(1000))), {}};
        const Name target = random_name(random);
        Writer rdata;
        switch (random.below(4)) {
            case 0:
                made.type = Type::mx;
                rdata.u16(static_cast<std::uint16_t>(random.next()));
                rdata.bytes(target.wire());
                break;
            case 1:
                made.type = Type::soa;
                rdata.bytes(target.wire());
                rdata.bytes(made.owner.wire());
                rdata.bytes(BytesView(Bytes(20, 7)));
                break;
            case 2:
                made.type = Type::dname;
                rdata.bytes(target.wire());
                break;
            default:
                rdata.bytes("\2hi");
        }
        made.rdata = std::move(rdata).finish();
        return made;
    };
    for (int round = 0; round < 300; ++round) {
        Message message;
        message.question = Question{random_name(random), Type::mx, Class::in, {}};
        for (auto* section : {&message.answer, &message.authority, &message.additional}) {
            for (std::uint64_t count = random.below(40); count > 0; --count) section->push_back(random_record());
        }
        const Bytes wire = render_message(message);
        check_same(parse_message(wire).value(), message);
        const std::size_t most = 300 + random.below(wire.size());
        const Bytes cut = render_message(message, most);
        REQUIRE(cut.size() <= most);
        REQUIRE(parse_message(cut).has_value());
    }
}
