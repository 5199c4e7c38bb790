// Exim's configuration, as far as DANE depends on it. Pure.
//
// Facts about Exim 4.96: dnssec_request_domains of routers and of the smtp transport, and hosts_try_dane, are "*" by
// default; what can go wrong is that somebody has narrowed them, or has taken DNSSEC out of all look-ups.
#pragma once

#include <vector>

#include "client/files.h"
#include "client/finding.h"

namespace mxtrust::client {

[[nodiscard]] std::vector<Finding> judge_exim(const File& file);

}  // namespace mxtrust::client
