// What is said in SMTP before and after STARTTLS (RFC 5321 4.2, RFC 3207), over a wire that nobody vouches for: replies
// are read up to limits, and what they say is text for a person's eye and never more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/wire.h"

namespace mxtrust::probe {

/// RFC 5321 4.5.3.1.5 has 512 octets; servers with long texts are tolerated up to here.
inline constexpr std::size_t most_line_octets = 2048;
/// A greeting is a few lines; EHLO replies have some twenty.
inline constexpr std::size_t most_reply_lines = 100;
/// Of one conversation, in the clear or inside TLS.
inline constexpr std::size_t most_conversation_octets = 32768;
/// Of a line, as it is shown.
inline constexpr std::size_t most_shown_octets = 200;

struct Reply {
    int code = 0;                    ///< 200 to 599
    std::vector<std::string> lines;  ///< without code, as they came: dns::clean_text before anybody sees them
    /// "220 mx.example.org ESMTP", of the first line, clean.
    [[nodiscard]] std::string shown() const;
};

class Conversation {
  public:
    /// The wire outlives it.
    explicit Conversation(Wire& wire) : wire_(wire) {}

    /// Failure malformed: that is no SMTP. budget: longer than the limits above. unreachable: closed or broken.
    Result<Reply> reply(MonoTime deadline);
    Done command(std::string_view line, MonoTime deadline);
    /// Octets that came behind the last reply: nobody has asked for them. Before TLS they were put there by whoever
    /// stands in the way, or by a confused server (RFC 3207 4.2 forbids using them).
    [[nodiscard]] bool has_more() const { return !received_.empty(); }

  private:
    Result<std::string> line(MonoTime deadline);

    Wire& wire_;
    std::string received_;
    std::size_t total_ = 0;
};

/// Is the keyword among the lines of a reply to EHLO? (RFC 5321 4.1.1.1; case does not matter)
[[nodiscard]] bool offers(const Reply& ehlo, std::string_view keyword);

}  // namespace mxtrust::probe
