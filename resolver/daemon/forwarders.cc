#include "daemon/forwarders.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "daemon/entries.h"
#include "daemon/lists.h"
#include "net/sockaddr.h"

namespace mxtrust::daemon {
namespace {

constexpr std::size_t most_zones = 1000;       // each is looked through for every question
constexpr std::size_t most_servers = 8;        // of one zone: more are never asked within one answer's time
constexpr std::size_t most_host_servers = 4;   // of resolv.conf; the C library takes 3
constexpr std::size_t most_host_lines = 1000;  // no resolv.conf is longer

constexpr std::string_view wanted_detour =
    "a table with zone = \"example.org\", addresses = [\"192.0.2.53\", \"[2001:db8::53]:5353\"] and, if wanted, "
    "first = true";
constexpr std::string_view wanted_servers = "a list of addresses, such as [\"192.0.2.53\", \"[2001:db8::53]:5353\"]";

/// An address with a port, or without for port 53.
Result<Endpoint> parse_server(std::string_view text) {
    const auto address = Address::from_text(text);
    if (address) return Endpoint{*address, 53};
    return parse_endpoint(text);
}

Done read_servers(const Value& value, std::vector<Endpoint>& target) {
    const auto array = read_array(value, wanted_servers);
    if (!array) return fail(array.error());
    target.clear();
    for (const toml::node& node : **array) {
        const auto text = read_text(Value{node, value.place}, wanted_servers);
        if (!text) return fail(text.error());
        const auto server = parse_server(*text);
        if (!server || server->address.is_unusable() || server->port == 0) {
            return fail(FailureKind::malformed, "AFSV"_code,
                        value.place + "\"" + *text + "\" is no address of a server, such as 192.0.2.53, " +
                            "192.0.2.53:5353 or [2001:db8::53]:53");
        }
        if (std::ranges::find(target, *server) != target.end()) {
            return fail(FailureKind::malformed, "AFTW"_code, value.place + "\"" + *text + "\" is there twice");
        }
        target.push_back(*server);
    }
    if (target.empty() || target.size() > most_servers) {
        return fail(FailureKind::malformed, "AFNO"_code,
                    value.place + "must have 1 to " + std::to_string(most_servers) + " addresses, has " +
                        std::to_string(target.size()));
    }
    return {};
}

Done read_detour(const Value& value, resolve::Detour& target) {
    const auto* table = value.node.as_table();
    if (table == nullptr) return fail(FailureKind::malformed, "AFTB"_code, must_be(value, wanted_detour));
    for (const auto& [key, node] : *table) {
        const Value member{node, value.place + std::string(key.str()) + " "};
        Done done;
        if (key.str() == "zone") {
            const auto text = read_text(member, "a domain name");
            if (!text) return fail(text.error());
            auto name = dns::Name::from_text(*text);
            if (!name) return fail(FailureKind::malformed, "AFZN"_code, member.place + name.error().text);
            target.zone = std::move(*name);
        } else if (key.str() == "addresses") {
            done = read_servers(member, target.servers);
        } else if (key.str() == "first") {
            bool first = false;
            done = read_boolean(member, first);
            target.first = first ? resolve::Switch::on : resolve::Switch::off;
        } else {
            return fail(FailureKind::malformed, "AFKY"_code,
                        value.place + "has a key that is unknown here, " + std::string(key.str()) + "; wanted is " +
                            std::string(wanted_detour));
        }
        if (!done) return done;
    }
    if (!table->contains("zone") || !table->contains("addresses")) {
        return fail(FailureKind::malformed, "AFMS"_code,
                    value.place + "lacks " + (table->contains("zone") ? "addresses" : "zone") + "; wanted is " +
                        std::string(wanted_detour));
    }
    return {};
}

Done check_servers(const Configuration& configuration, const std::vector<Endpoint>& servers, const std::string& place) {
    for (const Endpoint& server : servers) {
        if (is_ours(server, configuration.server.dns_listen)) {
            return fail(FailureKind::malformed, "AFUS"_code,
                        place + server.to_text() + " is this daemon itself ([server] dns-listen)");
        }
        const bool four = server.address.family() == Family::ipv4;
        if (four ? configuration.resolver.ipv4 : configuration.resolver.ipv6) continue;
        return fail(FailureKind::malformed, "AFFM"_code,
                    place + server.to_text() + " needs [resolver] " + (four ? "ipv4" : "ipv6") + " = true");
    }
    return {};
}

bool can_be_bound(const Address& address) {
    const int family = address.family() == Family::ipv6 ? AF_INET6 : AF_INET;
    const int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    const net::SocketAddress any_port(Endpoint{address, 0});
    const bool bound = bind(descriptor, any_port.raw(), any_port.size()) == 0;
    close(descriptor);
    return bound;
}

/// Neither the filter of system calls nor the unit lets the list of addresses be had (netlink), which may change while
/// we run: tried instead. Where nobody's address can be bound, too (ip_nonlocal_bind), nothing is found out by that;
/// then the look at the forwarder itself tells that it leads back to us.
bool is_of_this_machine(const Address& address) {
    const char* nobodys = address.family() == Family::ipv6 ? "100::1" : "240.0.0.1";  // RFC 6666; RFC 1112 4
    return can_be_bound(address) && !can_be_bound(Address::from_text(nobodys).value());
}

}  // namespace

Done read_detours(const Value& value, std::vector<resolve::Detour>& target) {
    const auto* array = value.node.as_array();
    if (value.node.is_table()) {
        return fail(FailureKind::malformed, "AFBR"_code,
                    value.place + "must be in double brackets, for there may be several, each " +
                        std::string(wanted_detour) + "; is in single ones");
    }
    if (array == nullptr || array->size() > most_zones)
        return fail(FailureKind::malformed, "AFAR"_code, must_be(value, wanted_detour));
    target.clear();
    for (const toml::node& node : *array) {
        resolve::Detour detour;
        Done done = read_detour(element(value, node, target.size()), detour);
        if (!done) return done;
        target.push_back(std::move(detour));
    }
    return {};
}

Done read_fallback(const Value& value, ResolverKeys& target) {
    if (value.node.is_array()) {
        target.fallback = Fallback::listed;
        return read_servers(value, target.fallback_forwarders);
    }
    const auto text = read_text(value, "\"off\", \"resolv.conf\" or a list of addresses");
    if (!text) return fail(text.error());
    if (*text != "off" && *text != "resolv.conf")
        return wrong_word(value, "\"off\", \"resolv.conf\" or a list of addresses");
    target.fallback = *text == "off" ? Fallback::off : Fallback::resolv_conf;
    return {};
}

Done check_detours(const Configuration& configuration, const Origin& origin) {
    std::vector<dns::Name> zones;
    for (const bool forwards : {true, false}) {
        const std::string place = origin.place("", forwards ? "forward" : "stub");
        for (const resolve::Detour& detour : forwards ? configuration.forwards : configuration.stubs) {
            const std::string zone = detour.zone.is_root() ? "." : detour.zone.to_text();
            if (std::ranges::find(zones, detour.zone) != zones.end()) {
                return fail(FailureKind::malformed, "AFDU"_code,
                            place + "zone " + zone + " must be given once, in [[forward]] or in [[stub]]");
            }
            if (!forwards && detour.zone.is_root() && detour.first == resolve::Switch::on) {
                return fail(FailureKind::malformed, "AFRT"_code,
                            place + "the root zone cannot have first = true: its servers are what else is asked first");
            }
            zones.push_back(detour.zone);
            Done done = check_servers(configuration, detour.servers, place);
            if (!done) return done;
        }
    }
    return check_servers(configuration, configuration.resolver.fallback_forwarders,
                         origin.place("resolver", "fallback"));
}

bool is_ours(const Endpoint& server, const std::vector<Endpoint>& listening) {
    for (const Endpoint& own : listening) {
        if (own.port != server.port) continue;
        if (own.address == server.address) return true;
        const bool wildcard = std::ranges::all_of(own.address.octets(), [](std::uint8_t octet) { return octet == 0; });
        const bool same_family = own.address.family() == server.address.family();
        if (!wildcard || !same_family) continue;
        if (server.address.is_loopback()) return true;
        if (is_of_this_machine(server.address)) return true;
    }
    return false;
}

std::vector<Endpoint> forwarders_of_host(const std::filesystem::path& file, const std::vector<Endpoint>& listening) {
    std::vector<Endpoint> servers;
    std::ifstream stream(file);
    std::size_t number = 0;
    for (std::string line; std::getline(stream, line) && ++number < most_host_lines;) {
        std::istringstream words(line);
        std::string key, text;
        words >> key >> text;
        const auto address = Address::from_text(text);
        if (key != "nameserver" || !address) continue;
        // resolv.conf(5): the unspecified address is this machine's.
        const Endpoint server{*address, 53};
        if (address->is_unusable() || is_ours(server, listening)) continue;
        if (servers.size() < most_host_servers && std::ranges::find(servers, server) == servers.end())
            servers.push_back(server);
    }
    return servers;
}

std::vector<Endpoint> forwarders_of_host(const std::vector<std::filesystem::path>& files,
                                         const std::vector<Endpoint>& listening) {
    for (const std::filesystem::path& file : files) {
        std::vector<Endpoint> servers = forwarders_of_host(file, listening);
        if (!servers.empty()) return servers;
    }
    return {};
}

std::vector<std::filesystem::path> resolv_confs_of(const Configuration& configuration) {
    if (!configuration.test.resolv_conf.empty()) return {configuration.test.resolv_conf};
    if (configuration.test.root_hints) return {};
    // What systemd-resolved, NetworkManager, resolvconf(8) and dhclient's users keep for other resolvers. The stub of
    // systemd-resolved in /etc/resolv.conf is no loop, and is found there.
    return {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf",
            "/run/resolvconf/resolv.conf", "/etc/resolv.conf.orig"};
}

}  // namespace mxtrust::daemon
