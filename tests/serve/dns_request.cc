#include "serve/dns_request.h"

#include <catch2/catch.hpp>

#include "serve/findings.h"

using namespace mxtrust;
using namespace mxtrust::serve;
using dns::Rcode;
using dns::Type;

namespace {

dns::Message question(Type type = Type::mx, dns::Class class_ = dns::Class::in) {
    dns::Message message;
    message.id = 7;
    message.recursion_desired = true;
    message.question = dns::Question{test::name("example.org"), type, class_, {}};
    message.edns = dns::Edns{};
    return message;
}

std::string judged(BytesView wire, Admission admission = Admission::allowed) {
    const DnsRequest request = judge_request(wire, admission);
    if (std::holds_alternative<Dropped>(request)) return "dropped";
    if (const auto* refused = std::get_if<Refused>(&request)) {
        CHECK(refused->reply.response);
        CHECK(refused->reply.id == 7);
        CHECK(refused->reply.answer.empty());
        return dns::to_text(refused->reply.rcode);
    }
    return "asked";
}

std::string judged(const dns::Message& message, Admission admission = Admission::allowed) {
    return judged(dns::render_message(message), admission);
}

}  // namespace

TEST_CASE("what cannot be answered is refused with the right code, before any work") {
    CHECK(judged(question()) == "asked");
    CHECK(judged(question(Type::any)) == "asked");
    CHECK(judged(question(static_cast<Type>(65280))) == "asked");
    CHECK(judged(question(), Admission::refused) == "REFUSED");
    CHECK(judged(question(Type::mx, dns::Class::ch)) == "REFUSED");
    CHECK(judged(question(Type::mx, dns::Class::any)) == "REFUSED");
    for (const Type type : {Type::axfr, Type::ixfr, Type::opt, Type::tsig, Type::tkey, Type::maila, Type::mailb}) {
        CHECK(judged(question(type)) == "REFUSED");
    }
    CHECK(judged(question(Type::nxname)) == "FORMERR");
    dns::Message update = question();
    update.opcode = dns::Opcode::update;
    CHECK(judged(update) == "NOTIMP");
    dns::Message version = question();
    version.edns->version = 1;
    CHECK(judged(version) == "BADVERS");
    dns::Message nothing = question();
    nothing.question.reset();
    CHECK(judged(nothing) == "FORMERR");
}

TEST_CASE("responses and fragments of headers are dropped, other malformed messages are FORMERR") {
    dns::Message response = question();
    response.response = true;
    CHECK(judged(response) == "dropped");
    const Bytes wire = dns::render_message(question());
    for (std::size_t length = 0; length < 12; ++length) CHECK(judged(BytesView(wire).first(length)) == "dropped");
    for (std::size_t length = 12; length < wire.size(); ++length)
        CHECK(judged(BytesView(wire).first(length)) == "FORMERR");
    Bytes longer = wire;
    longer.push_back(0);
    CHECK(judged(longer) == "FORMERR");
}

TEST_CASE("datagrams are as large as the client takes, and larger than 1232 on loopback only") {
    dns::Message query = question();
    query.edns->udp_size = 4000;
    CHECK(most_datagram_octets(query, Path::loopback) == 4000);
    CHECK(most_datagram_octets(query, Path::network) == 1232);
    query.edns->udp_size = 100;
    CHECK(most_datagram_octets(query, Path::network) == 512);
    query.edns.reset();
    CHECK(most_datagram_octets(query, Path::loopback) == 512);
}
