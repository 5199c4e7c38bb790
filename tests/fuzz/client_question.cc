// Any octets as what a DNS client sent: dropped, refused with a reply that fits the question and the client, or a
// question that can be looked up. What is dropped is no question; what is answered can be no start of a loop.
#include "base/require.h"
#include "serve/dns_reply.h"
#include "serve/dns_request.h"

using namespace mxtrust;
using namespace mxtrust::serve;

namespace {

/// A reply has the question's identity, is a response, says nothing is secure, and fits into what the client takes.
void check(const dns::Message& reply, BytesView wire, std::size_t most) {
    const Bytes rendered = dns::render_message(reply, most);
    require(rendered.size() >= 12 && rendered.size() <= most);
    const auto parsed = dns::parse_message(rendered);
    require(parsed.has_value());
    require(rendered[0] == wire[0] && rendered[1] == wire[1]);
    require(parsed->response && !parsed->authentic_data && parsed->answer.empty());
    require(((rendered[2] ^ wire[2]) & 0x79) == 0);  // OPCODE and RD are the client's own (RFC 1035 4.1.1)
    require(parsed->rcode != dns::Rcode::noerror && parsed->rcode != dns::Rcode::nxdomain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView wire(data, size);
    const DnsRequest stranger = judge_request(wire, Admission::refused);
    // Who may not ask learns that, and nothing of the question.
    require(!std::holds_alternative<Asked>(stranger));
    if (const auto* refused = std::get_if<Refused>(&stranger)) {
        check(refused->reply, wire, least_datagram);
        require(refused->reply.rcode == dns::Rcode::refused && !refused->reply.question);
    }

    const DnsRequest known = judge_request(wire, Admission::allowed);
    require(std::holds_alternative<Dropped>(known) == std::holds_alternative<Dropped>(stranger));
    if (std::holds_alternative<Dropped>(known)) {
        require(size < 12 || (wire[2] & 0x80) != 0);
    } else if (const auto* refused = std::get_if<Refused>(&known)) {
        check(refused->reply, wire, least_datagram);
    } else {
        const dns::Message& query = std::get<Asked>(known).query;
        require(query.question.has_value() && query.question->class_ == dns::Class::in && !query.response);
        require(query.opcode == dns::Opcode::query && (!query.edns || query.edns->version == 0));
        const std::size_t local = most_datagram_octets(query, Path::loopback);
        const std::size_t remote = most_datagram_octets(query, Path::network);
        require(least_datagram <= remote && remote <= 1232 && remote <= local && local <= 4096);
        const dns::Message failed =
            error_reply(query, dns::Rcode::servfail, {{dns::Ede::dnssec_bogus, "the signature has ended"}});
        check(failed, wire, remote);
        require(failed.question.has_value() && failed.question->name == query.question->name);
        require(failed.edns.has_value() == query.edns.has_value());
    }
    return 0;
}
