// The files of trust-anchors/, as they were when this program was built. The build embeds them (builtin.cc.in).
#pragma once

#include <string_view>

namespace mxtrust::daemon {

[[nodiscard]] std::string_view builtin_root_hints();
[[nodiscard]] std::string_view builtin_root_anchors();

}  // namespace mxtrust::daemon
