// What an authority's message is: an answer, a referral, or nothing that can be used. Pure; RFC 1034 5.3.3, RFC 2308 2,
// RFC 2181 5.4, RFC 6672 3.
//
// Only what lies within the zone that was asked is looked at (scrub.h); what is more is dropped, not believed.
#pragma once

#include <variant>

#include "cache/cache.h"
#include "dns/message.h"
#include "dnssec/judge.h"

namespace mxtrust::resolve {

/// A delegation to a zone below the one that was asked.
struct Referral {
    dns::Name zone;
    std::vector<cache::NameServer> servers;  ///< with in-bailiwick glue only
    dns::Ttl ttl{};
    std::vector<dns::RRset> evidence;  ///< DS, NSEC, NSEC3 of the authority section, with signatures
};

/// All sets at the name, for questions of type ANY.
struct AnySets {
    std::vector<dns::RRset> sets;
    std::vector<dns::RRset> authority;  ///< NSEC, NSEC3: proofs of wildcard expansion
};

/// Cannot be used; another server is asked.
struct Unusable {
    enum class Why : std::uint8_t {
        lame,             ///< knows nothing of the zone: an upward referral, an empty answer without authority
        refused,          ///< REFUSED, NOTAUTH
        server_failure,   ///< SERVFAIL
        not_implemented,  ///< NOTIMP
        format_error,     ///< FORMERR
        other,            ///< another rcode, or a message that makes no sense
        unauthoritative,  ///< an answer without AA, or a denial for a zone above: a last resort
    };
    Why why{};
    dns::Rcode rcode{};
    std::string text;
    std::vector<dns::ExtendedError> extended_errors;
};

using Classified = std::variant<dnssec::Response, Referral, AnySets, Unusable>;

/// What was asked of whom.
struct Asked {
    dns::Name name;
    dns::Type type{};
    dns::Name zone;  ///< the zone whose server was asked
    /// May an answer lack AA? Only as a last resort, when no server of the zone gave one that has it. None is expected
    /// of a forwarder, who speaks for others.
    enum class Authority : std::uint8_t { required, optional, none } authority = Authority::required;
};

Classified classify(const Asked& asked, const dns::Message& message);

}  // namespace mxtrust::resolve
