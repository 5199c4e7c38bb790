// The file /etc/resolv.conf as glibc 2.31 and newer read it (resolv.conf(5)), and what an MTA can expect of it. Pure.
//
// Three things decide whether DANE happens at all, and none of them shows in any mail: who is asked, whether somebody
// else is asked too when the first does not answer, and whether the AD flag gets through ("options trust-ad").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "client/files.h"
#include "client/finding.h"
#include "client/root_probe.h"

namespace mxtrust::client {

struct ResolvConf {
    struct Server {
        std::string text;
        std::optional<Address> address;  ///< nothing where it is none, or has a scope (fe80::1%eth0)
        std::uint32_t line = 0;
    };
    std::vector<Server> servers;  ///< as written, also those that glibc ignores
    bool trust_ad = false;
    std::optional<int> timeout;
    std::uint32_t options_line = 0, timeout_line = 0;
};

/// glibc asks no more than these.
inline constexpr std::size_t most_name_servers = 3;

[[nodiscard]] ResolvConf parse_resolv_conf(std::string_view text);

/// Where mxtrustd serves DNS.
struct Listeners {
    bool known = false;  ///< else the daemon could not be asked
    std::vector<Endpoint> endpoints;
    /// At port 53. Where nothing is known, a loopback address that is nobody else's by custom.
    [[nodiscard]] bool serve(const Address& address) const;
    [[nodiscard]] bool at_port_53() const;
};

/// Who asks over DNS here; of an MTA that is not found, nothing is demanded.
struct Users {
    bool postfix = false, exim = false, container = false;
};

[[nodiscard]] std::vector<Finding> judge_resolv_conf(const File& file, const Listeners& listeners, const Users& users,
                                                     const std::vector<Probe>& probes);

/// The same servers in the same order, and the same options that matter here?
[[nodiscard]] bool ask_alike(const ResolvConf& one, const ResolvConf& other);

}  // namespace mxtrust::client
