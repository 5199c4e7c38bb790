// DNS messages: parse and render (RFC 1035 4, RFC 6891). Class IN and opcode QUERY are judged by the callers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "dns/rrset.h"

namespace mxtrust::dns {

struct Question {
    Name name;
    Type type{};
    Class class_ = Class::in;
    std::string spelled;  ///< wire form of the name as sent, for 0x20; empty: as in `name`
};

struct EdnsOption {
    std::uint16_t code;
    Bytes data;
    friend bool operator==(const EdnsOption&, const EdnsOption&) = default;
};
inline constexpr std::uint16_t option_cookie = 10, option_ede = 15, option_tcp_keepalive = 11, option_padding = 12,
                               option_report_channel = 18;  // RFC 9567 5

struct ExtendedError {
    Ede code{};
    std::string text;  ///< UTF-8; cleaned of control characters when parsed
};

struct Edns {
    std::uint16_t udp_size = 1232;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    std::vector<EdnsOption> options;
    [[nodiscard]] std::vector<ExtendedError> extended_errors() const;
};

struct Message {
    std::uint16_t id = 0;
    Opcode opcode = Opcode::query;
    Rcode rcode = Rcode::noerror;
    bool response = false, authoritative = false, truncated = false, recursion_desired = false,
         recursion_available = false, authentic_data = false, checking_disabled = false;
    std::optional<Question> question;
    std::vector<Record> answer, authority, additional;  ///< additional without OPT
    std::optional<Edns> edns;
};

/// Limits (A22): one question at most, 100 EDNS options, 5,000 records. Trailing octets are an error. Two OPTs are an
/// error.
Result<Message> parse_message(BytesView wire);
/// Only the header and the question, for requests that do not parse as a whole (to answer FORMERR) and for matching.
struct Envelope {
    std::uint16_t id = 0;
    bool response = false;
    Opcode opcode = Opcode::query;
    std::uint16_t questions = 0;
    bool recursion_desired = false;
    bool checking_disabled = false;
};
Result<Envelope> parse_envelope(BytesView wire);

/// Renders with name compression (names in rdata of the RFC 1035 types only). Where it would exceed `most_octets`,
/// whole RRsets are left out from the end, additional first; TC is set when something of answer or authority is missing
/// (RFC 2181 9). OPT is always kept.
Bytes render_message(const Message& message, std::size_t most_octets = 65535);

/// An EDE option for responses.
EdnsOption make_ede(const ExtendedError& error);

}  // namespace mxtrust::dns
