// Replies of the query socket, as one line each without the line feed. PROTOCOL.md in this folder is the contract: the
// order of keys, null for what is not there, times as Unix seconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/answer.h"
#include "resolve/resolver.h"
#include "route/ledger.h"
#include "serve/request.h"
#include "serve/status.h"

namespace mxtrust::serve {

inline constexpr int protocol_version = 1;

/// What of a mail answer does not depend on who asked: rendered once, sent often. From "time" on, with the closing
/// brace.
[[nodiscard]] std::string render_mail_body(const mail::MailAnswer& answer);
/// What stands between the id and the body. `domain` is the normal form of `asked`, with a port only where one was
/// written there.
[[nodiscard]] std::string render_mail_head(std::string_view domain, std::string_view asked);
/// The whole line; `id` is JSON.
[[nodiscard]] std::string render_mail(std::string_view id, std::string_view domain, std::string_view asked,
                                      std::string_view body);
/// "ACTION LEVEL CODE TEXT", with "-" for what is not there.
[[nodiscard]] std::string render_decide(const mail::MailAnswer& answer);

[[nodiscard]] std::string render_rrset(std::string_view id, const dnssec::Answer& answer,
                                       const dnssec::NegativeAnchors& anchors, WallTime now);
[[nodiscard]] std::string render_explanation(std::string_view id, const resolve::Explanation& explanation,
                                             const dnssec::NegativeAnchors& anchors, WallTime now);
/// A mail domain look-up by look-up: MX, then of each host what was asked for it.
struct HostExplanation {
    std::string name;
    std::optional<resolve::Explanation> a, aaaa, tlsa;  ///< none where it is not asked
};
struct DomainExplanation {
    std::string domain;
    std::optional<resolve::Explanation> mx;  ///< none for a bracketed next-hop
    std::vector<HostExplanation> hosts;
    std::size_t left_out = 0;  ///< hosts beyond the limit
};
[[nodiscard]] std::string render_explanation(std::string_view id, const DomainExplanation& domain,
                                             const dnssec::NegativeAnchors& anchors, WallTime now);
[[nodiscard]] std::string render_status(std::string_view id, const Status& status);
[[nodiscard]] std::string render_failing(std::string_view id, const std::vector<route::FailingDomain>& domains,
                                         WallTime now);
[[nodiscard]] std::string render_reload(std::string_view id, const Reload& reload);
[[nodiscard]] std::string render_flushed(std::string_view id, const dns::Name& name, Extent extent,
                                         std::size_t entries);

/// {"id":…,"error":{"code":…,"text":…}}
enum class ErrorCode : std::uint8_t { bad_request, forbidden, overloaded, internal };
[[nodiscard]] std::string render_error(std::string_view id, ErrorCode code, std::string_view text);
/// The same in words, for `decide`: "error - bad-request TEXT".
[[nodiscard]] std::string render_error_words(ErrorCode code, std::string_view text);
[[nodiscard]] std::string render_bad_request(const BadRequest& request);

}  // namespace mxtrust::serve
