// A line of the query socket, parsed into what is asked. PROTOCOL.md in this folder is the contract.
//
// Nothing is checked again behind this: names, types, numbers and bounds are right, or the line is a BadRequest whose
// text says what is wrong, where, and what would be right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/budget.h"
#include "base/clock.h"
#include "base/result.h"
#include "dns/name.h"
#include "dns/types.h"
#include "mail/next_hop.h"

namespace mxtrust::serve {

inline constexpr std::size_t most_request_octets = 4096;
inline constexpr Duration default_deadline{5000}, least_deadline{100}, most_deadline{30000};
inline constexpr std::size_t default_failing = 100, most_failing = 10'000;

enum class Freshness : std::uint8_t { kept, refresh };
enum class Extent : std::uint8_t { name, subtree };
enum class Sts : std::uint8_t { ignored, wanted };

struct MailRequest {
    mail::NextHop next_hop;
    std::string asked;  ///< as the client wrote it
    std::uint16_t port = 25;
    Sts sts = Sts::wanted;
    Duration deadline = default_deadline;
    Freshness freshness = Freshness::kept;
    QuestionNumber number{};  ///< in the log
};
struct DecideRequest {  ///< text form only: the reply is a line of words
    MailRequest mail;
};
struct RRsetRequest {
    dns::Name name;
    dns::Type type{};
    Duration deadline = default_deadline;
    QuestionNumber number{};  ///< in the log
};
struct ExplainRequest {
    RRsetRequest what;                      ///< of a mail domain its MX, of a bracketed host its A
    std::optional<mail::NextHop> domain{};  ///< where a mail domain is to be explained: MX and all that hangs on it
};
struct StatusRequest {};
struct FailingRequest {
    std::size_t limit = default_failing;
};
struct FlushRequest {
    dns::Name name;
    Extent extent = Extent::subtree;
};

struct ReloadRequest {};

enum class Form : std::uint8_t { json, text };

struct Request {
    Form form = Form::text;
    std::string id = "null";  ///< the JSON value to be echoed, as JSON
    std::variant<StatusRequest, MailRequest, DecideRequest, RRsetRequest, ExplainRequest, FailingRequest, FlushRequest,
                 ReloadRequest>
        what;
};

struct BadRequest {
    Form form = Form::text;
    bool wants_words = false;  ///< it was a `decide`
    std::string id = "null";
    Failure failure;
};

/// `line` is without its line feed; a carriage return at the end is dropped.
[[nodiscard]] std::variant<Request, BadRequest> parse_request(std::string_view line);

/// A line that was longer than most_request_octets.
[[nodiscard]] BadRequest overlong_request(std::string_view beginning);

}  // namespace mxtrust::serve
