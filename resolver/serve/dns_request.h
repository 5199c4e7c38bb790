// What a client sent over DNS, judged before any work is done for it: dropped, refused with a code, or a question.
//
// RFC 1035 4.1, RFC 6891 6.1.3 (versions), RFC 8906 (answer what can be answered), RFC 9824 3.4 (NXNAME is not to be
// asked).
#pragma once

#include <variant>

#include "base/bytes.h"
#include "dns/message.h"

namespace mxtrust::serve {

enum class Admission : std::uint8_t { allowed, refused };  ///< by the client's network

struct Dropped {};  ///< no message, or a response: an answer could be the start of a loop
struct Refused {
    dns::Message reply;
};
struct Asked {
    dns::Message query;  ///< has a question of class IN and of a type that can be looked up
};
using DnsRequest = std::variant<Dropped, Refused, Asked>;

[[nodiscard]] DnsRequest judge_request(BytesView wire, Admission admission);

/// How large a datagram the client takes: what it said, within bounds. Above 1232 only on loopback, where nothing is
/// fragmented (RFC 9715).
inline constexpr std::uint16_t least_datagram = 512;  ///< RFC 1035 4.2.1: every client takes this much
enum class Path : std::uint8_t { loopback, network };
[[nodiscard]] std::size_t most_datagram_octets(const dns::Message& query, Path path);

}  // namespace mxtrust::serve
