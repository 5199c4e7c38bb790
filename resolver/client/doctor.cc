// Puts every question to the facts, and sorts what comes out.
#include "client/doctor.h"

#include <algorithm>

#include "client/exim_conf.h"
#include "client/postfix_conf.h"
#include "client/words.h"

namespace mxtrust::client {
namespace {

void append(std::vector<Finding>& all, std::vector<Finding> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

/// "127.0.0.1:53", "[::1]:53"; a path is none.
std::optional<Endpoint> endpoint_of(std::string text) {
    const std::size_t colon = text.rfind(':');
    if (text.starts_with('/') || colon == std::string::npos) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    const auto address = Address::from_text(host);
    const std::string digits = text.substr(colon + 1);
    if (!address || digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(std::stoul(digits))};
}

Finding musl_finding() {
    Finding finding;
    finding.severity = Severity::warning;
    finding.check = "musl";
    finding.seen = "The C library here is musl";
    finding.why =
        "Its resolver hides the AD flag from every program: an MTA that asks by it sees no DNSSEC, whatever "
        "resolv.conf says.";
    finding.todo =
        "Run the MTA on a system with glibc. What asks mxtrust's socket and needs no DNS of its own, such as Exim's "
        "readsocket, is not "
        "concerned; Postfix at \"dane-only\" is.";
    return finding;
}

/// A file that is there and cannot be read was not judged: better to say so than to be silent.
void note_unread(std::vector<Finding>& findings, const File& file) {
    if (!file.present || file.trouble.empty()) return;
    Finding finding;
    finding.severity = Severity::hint;
    finding.check = "unread-file";
    finding.seen = file.path + " " + file.trouble;
    finding.file = file.path;
    finding.why = "What is wrong in it, if anything, is not found.";
    finding.todo = "Ask as root:";
    finding.lines = {"sudo mxtrust status"};
    findings.push_back(std::move(finding));
}

Finding clock_not_kept() {
    Finding finding;
    finding.severity = Severity::hint;
    finding.check = "clock-not-kept";
    finding.seen = "The kernel says that nobody keeps its clock right";
    finding.why = "A clock that is an hour off makes good signatures bogus, and expired ones good.";
    finding.todo = "Run an NTP client:";
    finding.lines = {"timedatectl set-ntp true"};
    return finding;
}

}  // namespace

std::string_view to_text(Severity severity) {
    switch (severity) {
        case Severity::hint:
            return "hint";
        case Severity::warning:
            return "warning";
        case Severity::error:
            return "error";
    }
    return "error";
}

std::vector<std::string> sockets_of(const std::optional<nlohmann::ordered_json>& status) {
    std::vector<std::string> sockets;
    if (!status) return sockets;
    const Json& list = member(*status, "sockets");
    if (!list.is_array()) return sockets;
    for (const Json& socket : list) {
        if (socket.is_string()) sockets.push_back(socket.get<std::string>());
    }
    return sockets;
}

Listeners listeners_of(const std::optional<nlohmann::ordered_json>& status) {
    Listeners listeners;
    listeners.known = status && member(*status, "sockets").is_array();
    for (const std::string& socket : sockets_of(status)) {
        if (const auto endpoint = endpoint_of(socket)) listeners.endpoints.push_back(*endpoint);
    }
    return listeners;
}

std::vector<Address> servers_to_probe(const File& resolv) {
    std::vector<Address> servers;
    for (const auto& server : parse_resolv_conf(resolv.text).servers) {
        if (servers.size() == most_name_servers) break;
        if (server.address && std::find(servers.begin(), servers.end(), *server.address) == servers.end())
            servers.push_back(*server.address);
    }
    return servers;
}

std::vector<Finding> diagnose(const Facts& facts) {
    std::vector<Finding> findings;
    const Listeners listeners = listeners_of(facts.status);
    const Machine& machine = facts.machine;
    append(findings, judge_socket(facts.socket));
    if (facts.status) append(findings, judge_daemon(*facts.status));
    const Users users{!machine.postfix.empty(), machine.exim.has_value(), machine.container};
    append(findings, judge_resolv_conf(machine.resolv, listeners, users, facts.probes));
    append(findings, judge_probes(facts.probes, listeners));
    for (const PostfixFiles& postfix : machine.postfix) {
        std::vector<std::string> paths;
        for (const std::string& socket : sockets_of(facts.status)) {
            if (socket.starts_with('/')) paths.push_back(socket);
        }
        append(findings, judge_postfix(postfix, machine.resolv, paths));
        for (const File* file : {&postfix.main, &postfix.master, &postfix.chroot_resolv}) note_unread(findings, *file);
    }
    if (machine.exim) {
        append(findings, judge_exim(*machine.exim));
        note_unread(findings, *machine.exim);
    }
    if (machine.musl) findings.push_back(musl_finding());
    if (machine.clock_is_kept == false) findings.push_back(clock_not_kept());
    std::vector<Finding> sorted;
    for (const Severity severity : {Severity::error, Severity::warning, Severity::hint}) {
        for (const Finding& finding : findings) {
            if (finding.severity == severity) sorted.push_back(finding);
        }
    }
    return sorted;
}

bool is_healthy(const std::vector<Finding>& findings) {
    return std::all_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.severity == Severity::hint; });
}

}  // namespace mxtrust::client
