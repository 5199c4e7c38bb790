// The doctor of `mxtrust status`: the usual mistakes that make a mail server send without the protection that mxtrust
// proves.
//
// Facts come in (files of this machine, the daemon's status, what the name servers of resolv.conf said), findings come
// out. Pure; an unknown field of the status is ignored, and one that is missing is not judged.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "client/files.h"
#include "client/finding.h"
#include "client/layout.h"
#include "client/resolv_conf.h"
#include "client/root_probe.h"

namespace mxtrust::client {

struct Facts {
    Machine machine;
    SocketFacts socket;
    std::optional<nlohmann::ordered_json> status;  ///< the daemon's reply; nothing where it could not be asked
    std::vector<Probe> probes;
};

/// The worst first; in each severity in the order of a look from the daemon outwards.
[[nodiscard]] std::vector<Finding> diagnose(const Facts& facts);

/// The addresses of resolv.conf that are worth a probe: those that the C library asks.
[[nodiscard]] std::vector<Address> servers_to_probe(const File& resolv);

/// An error or a warning is no good health.
[[nodiscard]] bool is_healthy(const std::vector<Finding>& findings);

/// {"healthy":…,"findings":[…],"probes":[…]}
[[nodiscard]] nlohmann::ordered_json doctor_json(const Facts& facts, const std::vector<Finding>& findings);
void put_doctor(Page& page, const std::vector<Finding>& findings);

// The daemon's own condition; parts of diagnose().
[[nodiscard]] std::vector<Finding> judge_daemon(const nlohmann::ordered_json& status);
/// Negative trust anchors and exceptions; a part of judge_daemon().
[[nodiscard]] std::vector<Finding> judge_operator(const nlohmann::ordered_json& status);
[[nodiscard]] std::vector<Finding> judge_socket(const SocketFacts& socket);
[[nodiscard]] std::vector<Finding> judge_probes(const std::vector<Probe>& probes, const Listeners& listeners);
/// Where it serves DNS, and all its sockets by name.
[[nodiscard]] Listeners listeners_of(const std::optional<nlohmann::ordered_json>& status);
[[nodiscard]] std::vector<std::string> sockets_of(const std::optional<nlohmann::ordered_json>& status);

}  // namespace mxtrust::client
