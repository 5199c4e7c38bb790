// How wide a printed text is.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include "client/words.h"

namespace mxtrust::client {

/// The columns of the widest line.
inline std::size_t widest(const std::string& text) {
    std::size_t most = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) most = std::max(most, columns(line));
    return most;
}

}  // namespace mxtrust::client
