// What a client may name as the destination of mail, taken apart: Postfix's next-hop syntax (transport(5)), in any
// spelling.
//
//     example.org   EXAMPLE.org.   bücher.example   example.org:587     a mail domain: MX is asked
//     [relay.example]   [relay.example]:587   [relay.example]:submission   one host: MX is not asked
//     [192.0.2.1]   [IPv6:2001:db8::1]   [2001:db8::1]:2525               one address: nothing is asked
//
// Names become A-labels (IDNA2008 with UTS 46 mapping, non-transitional) and lower case, so that all spellings of a
// domain are one. Refuses what cannot be a mail domain, and says what is wrong and what would be right. Sole includer
// of libidn2 is next_hop.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"
#include "dns/name.h"

namespace mxtrust::mail {

struct NextHop {
    enum class Kind : std::uint8_t { domain, host, address };
    Kind kind = Kind::domain;
    dns::Name name;                     ///< of domain and host
    Address address;                    ///< of address
    std::optional<std::uint16_t> port;  ///< where one was written

    /// The normal form without port: "example.org", "[relay.example]", "[192.0.2.1]", "[IPv6:2001:db8::1]".
    [[nodiscard]] std::string to_text() const;
};

/// An error is FailureKind::malformed with a sentence for whoever wrote the text.
Result<NextHop> parse_next_hop(std::string_view text);

/// A host or domain name of letters, digits and hyphens, dots between; underscores where `underscores` says so.
enum class Underscores : std::uint8_t { refused, tolerated };
[[nodiscard]] bool is_host_name(const dns::Name& name, Underscores underscores);
/// U-labels to A-labels and lower case, then to a Name; does not judge whether it may be a host.
Result<dns::Name> name_from_utf8(std::string_view text);

}  // namespace mxtrust::mail
