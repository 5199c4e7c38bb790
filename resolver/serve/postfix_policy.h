// What Postfix is told through socketmap (smtp_tls_policy_maps): a request's meaning, and the mail answer as a TLS
// policy. Pure. Decides nothing about trust: it says in Postfix's words what the answer says, and where Postfix's own
// DANE per host says more, leaves it to that.
//
// Two maps, as an attribute that a version of Postfix does not know is fatal there: `policy` for Postfix 3.4 and newer,
// `policy-tlsrpt` for 3.10 and newer. The whole table of replies is in PROTOCOL.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "mail/answer.h"
#include "mail/next_hop.h"

namespace mxtrust::serve {

enum class PolicyMap : std::uint8_t { plain, tlsrpt };

struct PolicyQuestion {
    PolicyMap map = PolicyMap::plain;
    mail::NextHop next_hop;
};

/// "NAME SP KEY": a question, or the reply that needs no look-up. PERM is for what the operator must mend in main.cf:
/// it puts off all mail. A key that is no destination is never PERM or TEMP: Postfix refuses it with better words, and
/// what Postfix can use all the same is left to its own DANE.
[[nodiscard]] std::variant<PolicyQuestion, std::string> parse_policy_request(std::string_view request);

/// "OK SP policy", "NOTFOUND SP" or "TEMP SP reason"; at most most_socketmap_reply_octets.
[[nodiscard]] std::string policy_reply(PolicyMap map, const mail::MailAnswer& answer);

/// "TEMP SP reason" for what is no fault of the destination.
[[nodiscard]] std::string overloaded_policy_reply();

/// What kind a reply of this file is.
enum class PolicyReplyKind : std::uint8_t { dane_only, dane, secure, encrypt, may, not_found, temp, perm };
[[nodiscard]] PolicyReplyKind policy_reply_kind(std::string_view reply);

}  // namespace mxtrust::serve
