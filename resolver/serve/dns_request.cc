// The order of the tests is the order of their cost, and of what may be told to whom: who may not ask learns nothing
// else.
#include "serve/dns_request.h"

#include <algorithm>

#include "serve/dns_reply.h"

namespace mxtrust::serve {
namespace {

constexpr std::uint16_t most_on_networks = 1232;  // RFC 9715 3.2: never fragmented
constexpr std::uint16_t most_on_loopback = 4096;

Refused from_envelope(const dns::Envelope& envelope, dns::Rcode rcode) {
    dns::Message reply;
    reply.id = envelope.id;
    reply.opcode = envelope.opcode;
    reply.response = true;
    reply.recursion_desired = envelope.recursion_desired;
    reply.checking_disabled = envelope.checking_disabled;
    reply.rcode = rcode;
    return {std::move(reply)};
}

bool can_be_looked_up(dns::Type type) {
    return type == dns::Type::any || !dns::is_meta(type);
}

DnsRequest judge_question(dns::Message query) {
    const dns::Question& question = *query.question;
    if (question.class_ != dns::Class::in) {
        return Refused{error_reply(query, dns::Rcode::refused, {{dns::Ede::not_supported, "only class IN is served"}})};
    }
    // Asking for NXNAME would mix up what proves and what is proven (RFC 9824 3.4); the code is "Invalid Query Type".
    if (question.type == dns::Type::nxname) {
        return Refused{
            error_reply(query, dns::Rcode::formerr, {{static_cast<dns::Ede>(30), "NXNAME cannot be asked"}})};
    }
    if (!can_be_looked_up(question.type)) {
        return Refused{
            error_reply(query, dns::Rcode::refused,
                        {{dns::Ede::not_supported, dns::to_text(question.type) + " cannot be asked of a resolver"}})};
    }
    return Asked{std::move(query)};
}

}  // namespace

DnsRequest judge_request(BytesView wire, Admission admission) {
    const auto envelope = dns::parse_envelope(wire);
    if (!envelope || envelope->response) return Dropped{};
    if (admission == Admission::refused) return from_envelope(*envelope, dns::Rcode::refused);
    if (envelope->opcode != dns::Opcode::query) return from_envelope(*envelope, dns::Rcode::notimp);
    auto query = dns::parse_message(wire);
    if (!query || !query->question) return from_envelope(*envelope, dns::Rcode::formerr);
    if (query->edns && query->edns->version != 0) return Refused{error_reply(*query, dns::Rcode::badvers, {})};
    return judge_question(std::move(*query));
}

std::size_t most_datagram_octets(const dns::Message& query, Path path) {
    if (!query.edns) return least_datagram;
    return std::clamp(query.edns->udp_size, least_datagram,
                      path == Path::loopback ? most_on_loopback : most_on_networks);
}

}  // namespace mxtrust::serve
