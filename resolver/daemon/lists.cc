// Readers of compound values. Lists have limits of their own, so that a wrong file cannot become a large program.
#include "daemon/lists.h"

#include <algorithm>
#include <charconv>

#include "daemon/entries.h"

namespace mxtrust::daemon {
namespace {

/// Of addresses to listen on: more than any machine has interfaces.
constexpr std::size_t most_endpoints = 64;

constexpr std::string_view wanted_endpoints =
    "a list of addresses with ports, such as [\"127.0.0.1:53\", \"[::1]:53\"]";
constexpr std::string_view wanted_names = "a list of domain names, such as [\"corp.example\"]";
constexpr std::string_view wanted_limits = "a list such as [{ bits = 1024, iterations = 150 }]";
constexpr std::string_view wanted_networks = "a list of networks, such as [\"192.0.2.0/24\", \"2001:db8::/32\"]";
constexpr std::string_view wanted_hints = "a list of { name = \"ns.root.example\", address = \"192.0.2.1\" }";
constexpr std::string_view wanted_anchors = "a list of DS or DNSKEY records, such as [\". DS 20326 8 2 E06D…\"]";

Result<RootHint> read_root_hint(const Value& value) {
    const auto table = read_entry(value, wanted_hints, {"name", "address"});
    if (!table) return fail(table.error());
    const auto name = name_member(value, **table);
    if (!name) return fail(name.error());
    const auto text = member(value, **table, "address");
    if (!text) return fail(text.error());
    const auto address = Address::from_text(*text);
    if (!address) {
        return fail(FailureKind::malformed, "AADR"_code,
                    value.place + "address must be an IPv4 or IPv6 address, is \"" + *text + "\"");
    }
    return RootHint{*name, *address};
}

}  // namespace

Done wrong_word(const Value& value, std::string_view wanted) {
    return fail(FailureKind::malformed, "AWRD"_code, must_be(value, wanted));
}

Done read_mode(const Value& value, std::uint32_t& target) {
    const auto* number = value.node.as_integer();
    if (number == nullptr || number->get() < 0 || number->get() > 0777) {
        return fail(FailureKind::malformed, "AMOD"_code,
                    must_be(value, "permissions in octal, 0o000 to 0o777, such as 0o660") + " (in decimal)");
    }
    target = static_cast<std::uint32_t>(number->get());
    return {};
}

Done read_account(const Value& value, std::string& target) {
    const auto text = read_text(value, "a name, or \"\" for none");
    if (!text) return fail(text.error());
    target = *text;
    return {};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto wrong = [] {
        return fail(FailureKind::malformed, "AEND"_code,
                    "not an address with a port, such as 127.0.0.1:53 or [::1]:53");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong();
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = Address::from_text(host);
    if (!address || bracketed != (address->family() == Family::ipv6)) return wrong();
    Endpoint endpoint{*address, 0};
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc() || end != port.data() + port.size()) return wrong();
    return endpoint;
}

Done read_metrics_listen(const Value& value, std::string& target) {
    constexpr std::string_view wanted =
        "the path of a socket (/run/mxtrust/metrics.sock) or a loopback address with port "
        "(127.0.0.1:9953)";
    const auto text = read_text(value, wanted);
    if (!text) return fail(text.error());
    const auto endpoint = parse_endpoint(*text);
    const bool path = text->starts_with("/") && text->size() < 108;
    if (!text->empty() && !path && !(endpoint && endpoint->address.is_loopback())) {
        return fail(FailureKind::malformed, "AMET"_code, must_be(value, wanted) + ", is \"" + *text + "\"");
    }
    target = *text;
    return {};
}

Done read_endpoints(const Value& value, std::vector<Endpoint>& target) {
    const auto list = read_list(value, wanted_endpoints, most_endpoints);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const auto text = read_text(element(value, node, target.size()), "an address with a port");
        if (!text) return fail(text.error());
        const auto endpoint = parse_endpoint(*text);
        if (!endpoint)
            return fail(FailureKind::malformed, "ALIS"_code,
                        value.place + "\"" + *text + "\" is " + endpoint.error().text);
        target.push_back(*endpoint);
    }
    return {};
}

Done read_networks(const Value& value, std::vector<Network>& target) {
    const auto list = read_list(value, wanted_networks, most_entries);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const auto text = read_text(element(value, node, target.size()), "a network");
        if (!text) return fail(text.error());
        const auto network = Network::from_text(*text);
        if (!network) {
            return fail(
                FailureKind::malformed, "ANET"_code,
                value.place + "\"" + *text + "\" is not a network, such as 192.0.2.0/24: " + network.error().text);
        }
        target.push_back(*network);
    }
    return {};
}

Done read_names(const Value& value, std::vector<dns::Name>& target) {
    const auto list = read_list(value, wanted_names, most_entries);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const auto text = read_text(element(value, node, target.size()), "a domain name");
        if (!text) return fail(text.error());
        const auto name = dns::Name::from_text(*text);
        if (!name) {
            return fail(FailureKind::malformed, "ANML"_code,
                        value.place + "\"" + *text + "\" is not a domain name: " + name.error().text);
        }
        target.push_back(*name);
    }
    return {};
}

Done read_iteration_limits(const Value& value, std::vector<dnssec::IterationLimit>& target) {
    const auto list = read_list(value, wanted_limits, most_entries);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const Value entry = element(value, node, target.size());
        const auto table = read_entry(entry, wanted_limits, {"bits", "iterations"});
        if (!table) return fail(table.error());
        dnssec::IterationLimit limit;
        Done read = read_number(Value{*(*table)->get("bits"), entry.place + "bits: "}, 1, 65535, limit.key_bits);
        if (!read) return read;
        read =
            read_number(Value{*(*table)->get("iterations"), entry.place + "iterations: "}, 0, 2500, limit.iterations);
        if (!read) return read;
        if (!target.empty() && target.back().key_bits >= limit.key_bits) {
            return fail(FailureKind::malformed, "AITL"_code, entry.place + "the bits must grow from entry to entry");
        }
        target.push_back(limit);
    }
    return {};
}

Done read_time(const Value& value, WallTime& target) {
    const auto seconds = read_integer(value, 0, 0xFFFFFFFF);
    if (!seconds) return fail(seconds.error());
    target = WallTime{*seconds};
    return {};
}

Done read_root_hints(const Value& value, std::optional<std::vector<RootHint>>& target) {
    const auto list = read_list(value, wanted_hints, most_entries);
    if (!list) return fail(list.error());
    target.emplace();
    for (const toml::node& node : **list) {
        auto hint = read_root_hint(element(value, node, target->size()));
        if (!hint) return fail(hint.error());
        target->push_back(std::move(*hint));
    }
    return {};
}

Done read_anchor_texts(const Value& value, std::optional<std::vector<std::string>>& target) {
    const auto list = read_list(value, wanted_anchors, most_entries);
    if (!list) return fail(list.error());
    target.emplace();
    for (const toml::node& node : **list) {
        auto text = read_text(element(value, node, target->size()), "a DS or DNSKEY record");
        if (!text) return fail(text.error());
        target->push_back(std::move(*text));
    }
    return {};
}

}  // namespace mxtrust::daemon
