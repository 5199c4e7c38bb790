// The one table of RDATA formats: from it follow the checks of received RDATA, the expansion of compressed names, the
// canonical form, and the text form in both directions. Used inside dns/ only.
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/types.h"

namespace mxtrust::dns {

/// What is to be done with domain names inside RDATA. Ordered from the oldest habit to the newest.
enum class Names : std::uint8_t {
    compressed,  ///< types of RFC 1035: compressed when rendered; accepted compressed; lower-cased to sign
    expanded,    ///< accepted compressed from old senders (RFC 3597 4), never sent so; lower-cased to sign
    plain,       ///< never compressed; lower-cased to sign (RRSIG: RFC 4034 3.1.7, RFC 6840 5.1)
    kept,        ///< never compressed, and signed as it stands (NSEC: RFC 6840 5.1)
};

/// Whether RDATA that does not have this shape is refused, or passed on as octets: refused only where this program or
/// its canonical form takes the RDATA apart.
enum class Check : bool { opaque, strict };

struct Shape {
    Type type;
    /// A letter a field, left to right:
    ///   1 2 4  number of so many octets        a 6  IPv4, IPv6 address       n  domain name
    ///   s      character string                S    one or more, to the end  g  length and tag, not quoted (CAA)
    ///   X      length and octets in hex        h    length (not 0) and octets in base32hex
    ///   t      type                            d    time, in seconds         T  type bit maps, to the end
    ///   x      rest in hex, may be empty       b    rest in base64           v  rest as a quoted string
    ///   *      rest that has no text form here
    std::string_view fields;
    Names names;
    Check check;
};

/// Null for types that are opaque octets.
[[nodiscard]] const Shape* shape_of(Type type);

}  // namespace mxtrust::dns
