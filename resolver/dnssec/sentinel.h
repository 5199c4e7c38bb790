// The root key sentinel (RFC 8509): names by which somebody on the Internet can find out, through nothing but address
// look-ups, whether a resolver trusts a root key. Says what the answer to such a name has to be.
#pragma once

#include "dnssec/anchor.h"

namespace mxtrust::dnssec {

enum class Sentinel : std::uint8_t {
    none,       ///< an ordinary question: answer it
    satisfied,  ///< the statement in the name is true: answer it
    violated,   ///< it is false: SERVFAIL (RFC 8509 3.2)
};

/// What the question (of a client that did not set CD) wants to know. Only to be acted upon where the answer is secure
/// (RFC 8509 3.1). `anchors`: those of the root count; without them there is nothing to tell.
[[nodiscard]] Sentinel judge_sentinel(const dns::Name& name, dns::Type type, const TrustAnchors& anchors);

}  // namespace mxtrust::dnssec
