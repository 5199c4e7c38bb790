// What may stand where in a configuration file, before the parser sees it: ASCII without control characters, and any
// UTF-8 in lines that are comments. TOML 1.0 allows more in texts (there are its escapes \uXXXX for that); but
// toml++ 3.3 has undefined behaviour on letters beyond ASCII where it does not expect a text, and only the parser
// itself knows where that is.
#pragma once

#include <string_view>

#include "base/result.h"

namespace mxtrust::daemon {

/// The error says file and line.
Done check_characters(std::string_view text, std::string_view file);

}  // namespace mxtrust::daemon
