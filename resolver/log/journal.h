// The systemd journal, natively: a line with fields of its own (sd_journal_sendv(3)), so that `journalctl
// MXTRUST_SECURITY=bogus` finds it. Sole includer of <systemd/sd-journal.h> is journal.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/log.h"

namespace mxtrust::log {

/// What a line is about, beside its words: ("zone", "example.org").
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// Can lines for `target` go to the journal? For Target::journal where it runs; for stderr where that leads into it
/// (JOURNAL_STREAM of systemd.exec(5)).
[[nodiscard]] bool reaches_journal(Target target);
/// False where it was not taken; then the line has to go another way. Fields are MXTRUST_ZONE and the like.
bool send_to_journal(Level level, std::string_view event, std::string_view text, const Fields& fields);

/// As the journal has it: "MXTRUST_KEY_TAG=20326".
[[nodiscard]] std::string journal_field(std::string_view name, std::string_view value);

}  // namespace mxtrust::log
