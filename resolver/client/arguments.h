// The command line of mxtrust, parsed into what is to be asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mxtrust::client {

enum class Command : std::uint8_t { mail, rrset, explain, status, failing, flush, reload };
enum class Output : std::uint8_t { words, json };

constexpr std::chrono::milliseconds usual_deadline{5000};  ///< the protocol's, where the client says none
constexpr std::chrono::milliseconds beyond_deadline{5000};

struct Arguments {
    Command command = Command::mail;
    Output output = Output::words;
    std::string socket = "/run/mxtrust/query.sock";
    bool whole = false;                 ///< of the status all, not what fits on a screen
    std::string root = "/";             ///< of the file system whose configuration `status` looks at
    std::vector<std::string> requests;  ///< lines for the query socket, without line feed
    /// How long a reply is waited for. An answer comes within its deadline; the rest is for rendering, and for a
    /// machine that is busy.
    std::chrono::milliseconds patience{usual_deadline + beyond_deadline};
};
/// What is printed instead: help, version (exit status 0), or what is wrong (64).
struct Message {
    std::string text;
    bool is_error = false;
};

[[nodiscard]] std::variant<Arguments, Message> parse_arguments(const std::vector<std::string>& words);

}  // namespace mxtrust::client
