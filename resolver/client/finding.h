// What the doctor of `mxtrust status` has to say: one mistake in the machine's configuration or in the daemon's
// condition, why it matters for mail, and what to write where. Findings are values; what makes them is pure (doctor.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxtrust::client {

enum class Severity : std::uint8_t {
    hint,     ///< worth knowing; nothing is wrong yet
    warning,  ///< works now, but less well or less surely than it should
    error     ///< mail goes out without the protection that is expected, or not at all
};

struct Finding {
    Severity severity = Severity::error;
    std::string check;               ///< a stable word for programs, such as "no-trust-ad"
    std::string seen;                ///< a sentence: what is so
    std::string file;                ///< where, "" for what is in no file
    std::uint32_t line = 0;          ///< 0: no single one
    std::string why;                 ///< a sentence: what it does to mail
    std::string todo;                ///< a sentence: what to do
    std::vector<std::string> lines;  ///< what to write or to run, as it stands
};

[[nodiscard]] std::string_view to_text(Severity severity);

}  // namespace mxtrust::client
