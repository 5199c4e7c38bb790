// What the daemon's status, its socket and the live probe tell the doctor.
#include <algorithm>

#include "client/doctor.h"
#include "client/words.h"

namespace mxtrust::client {
namespace {

/// What signs the root now (trust-anchors/): an anchor set without it is of the past.
constexpr int root_key_now = 38696;

Finding make(Severity severity, std::string check, std::string seen, std::string why, std::string todo,
             std::vector<std::string> lines = {}) {
    return {severity, std::move(check), std::move(seen), {}, 0, std::move(why), std::move(todo), std::move(lines)};
}

void judge_clock(std::vector<Finding>& findings, const Json& status) {
    const Json& clock = member(status, "clock");
    if (text_at(clock, "state") != "wrong") return;
    const std::string text = text_at(clock, "text");
    findings.push_back(
        make(Severity::error, "clock-wrong",
             "mxtrustd's clock says " + date_words(number_at(status, "time")) + (text.empty() ? "" : ": " + text),
             "Signatures hold from one moment to another: with a wrong clock good ones are bogus, and mail waits.",
             "Set the clock and keep it right:", {"timedatectl set-ntp true"}));
}

bool is_of_root(const Json& anchor) {
    return text_at(anchor, "zone") == ".";
}

void judge_anchors(std::vector<Finding>& findings, const Json& status) {
    const Json& anchors = member(status, "trust_anchors");
    if (!anchors.is_array()) return;
    const bool root = std::any_of(anchors.begin(), anchors.end(), is_of_root);
    if (!root) {
        findings.push_back(
            make(Severity::error, "no-trust-anchor", "mxtrustd has no trust anchor for the root",
                 "Nothing can be proven without one: every domain counts as unsigned, and there is no DANE.",
                 "Take [dnssec] trust-anchor-file out of /etc/mxtrust/mxtrust.toml: the root's anchors are built in."));
        return;
    }
    const bool now = std::any_of(anchors.begin(), anchors.end(), [](const Json& anchor) {
        const std::string state = text_at(anchor, "state");
        const bool waits_or_is_over = state == "pending" || state == "revoked" || state == "removed";
        return is_of_root(anchor) && !waits_or_is_over && number_at(anchor, "key_tag") == root_key_now;
    });
    // A root of one's own, for tests, has anchors of its own; status says where they are from.
    const bool own = std::any_of(anchors.begin(), anchors.end(), [](const Json& anchor) {
        return is_of_root(anchor) && text_at(anchor, "origin") == "[test]";
    });
    if (now || own) return;
    findings.push_back(
        make(Severity::warning, "old-trust-anchor",
             "mxtrustd does not know the root's key 38696, which signs the root since 2026",
             "Where the key that it knows is withdrawn, every signed domain becomes bogus, and its mail waits.",
             "Take [dnssec] trust-anchor-file out of /etc/mxtrust/mxtrust.toml, or bring that file up to date."));
}

/// Extended errors (RFC 8914 4) that say what is wrong with a proof; others are about not being answered.
bool is_about_proof(const Json& ede) {
    const std::int64_t code = number_at(ede, "code");
    return ede.is_object() && ((code >= 5 && code <= 12) || code == 1 || code == 2 || code == 27);
}

void judge_root(std::vector<Finding>& findings, const Json& status) {
    const Json& probe = member(status, "root_probe");
    if (!probe.is_object()) return;
    const std::string security = text_at(probe, "security");
    const std::string reason = text_at(probe, "reason");
    const std::string because = reason.empty() ? "" : ": " + reason;
    if (security == "bogus" || (security == "indeterminate" && is_about_proof(member(probe, "ede")))) {
        findings.push_back(
            make(Severity::error, "root-bogus", "The root's own records cannot be proven" + because,
                 "Nothing below can be proven either, and all mail to signed domains waits.",
                 "Look at the clock first, then at the trust anchors, then at who answers in the root servers' place:",
                 {"date -u", "mxtrust explain . NS"}));
    } else if (security == "indeterminate") {
        findings.push_back(
            make(Severity::error, "root-unreachable", "The root could not be asked" + because,
                 "mxtrustd asks name servers itself: without port 53 to the outside, UDP and TCP, all mail waits.",
                 "Open port 53 to the outside, UDP and TCP, for this machine, or name a resolver that passes DNSSEC "
                 "through, as [resolver] fallback in /etc/mxtrust/mxtrust.toml; this must print root servers:",
                 {"dig +norecurse @198.41.0.4 . NS"}));
    }
}

/// Who asks the name servers: mxtrustd itself, or forwarders in its place because it cannot.
void judge_resolution(std::vector<Finding>& findings, const Json& status) {
    const Json& resolution = member(status, "resolution");
    const std::string reason = text_at(resolution, "reason");
    const std::string because = reason.empty() ? "" : ": " + reason;
    if (text_at(resolution, "by") == "forwarders") {
        findings.push_back(make(
            Severity::warning, "fallback-in-force", "Forwarders stand in for mxtrustd's own recursion" + because,
            "What they say is validated, but they learn to whom you send mail, and where they fail it waits.",
            "Open port 53 to the outside, UDP and TCP, for this machine. If it is to stay closed, say so, with the "
            "address of a forwarder in /etc/mxtrust/mxtrust.toml:",
            {"[[forward]]", "zone = \".\"", "addresses = [\"ADDRESS\"]"}));
        return;
    }
    // The look at the root has said the same in its own words.
    const bool said = std::ranges::any_of(findings, [](const Finding& one) { return one.check == "root-unreachable"; });
    if (reason.empty() || said) return;
    findings.push_back(
        make(Severity::error, "recursion-impossible",
             "No root server answers mxtrustd, and no forwarder can stand in" + because,
             "Only what is in the cache is known, and all other mail waits.",
             "Open port 53 to the outside, UDP and TCP, for this machine, or name a resolver that passes DNSSEC "
             "through, as [resolver] fallback in /etc/mxtrust/mxtrust.toml; this must print root servers:",
             {"dig +norecurse @198.41.0.4 . NS"}));
}

/// Of a fallback nothing depends while recursion works.
bool is_idle_fallback(const Json& forwarder, const Json& status) {
    const Json& resolution = member(status, "resolution");
    return text_at(forwarder, "purpose") == "fallback" && text_at(resolution, "by") == "recursion" &&
           text_at(resolution, "reason").empty();
}

/// What is forwarded is validated all the same; a forwarder that breaks DNSSEC makes it fail.
void judge_forwarder(std::vector<Finding>& findings, const Json& forwarder, bool idle) {
    const std::string dnssec = text_at(forwarder, "dnssec"), state = text_at(forwarder, "state");
    const std::string which = "The forwarder " + text_at(forwarder, "address");
    const std::string purpose = text_at(forwarder, "purpose");
    const std::string error = text_at(forwarder, "last_error");
    const std::string why =
        idle ? "Nothing depends on it now; but where port 53 to the outside is closed, it could not stand in."
             : "Nothing that is asked there (" + purpose + ") can be proven, and mail to it waits.";
    if (dnssec == "stripped" || dnssec == "no-edns" || dnssec == "lying") {
        findings.push_back(
            make(idle ? Severity::hint : Severity::error, "forwarder-without-dnssec",
                 which + " breaks DNSSEC (" + dnssec + ")", why,
                 "Name another in /etc/mxtrust/mxtrust.toml: one that passes DNSSEC through shows RRSIG here:",
                 {"dig +dnssec @ADDRESS . NS"}));
    } else if (state == "failing" || (state == "ourselves" && !idle)) {
        findings.push_back(make(idle ? Severity::hint : Severity::warning, "forwarder-fails",
                                which + (state == "ourselves" ? " leads back to mxtrustd itself" : " does not answer") +
                                    (error.empty() ? "" : ": " + error),
                                why, "Name another in /etc/mxtrust/mxtrust.toml."));
    }
}

void judge_forwarders(std::vector<Finding>& findings, const Json& status) {
    const Json& forwarders = member(status, "forwarders");
    if (!forwarders.is_array()) return;
    for (const Json& forwarder : forwarders) judge_forwarder(findings, forwarder, is_idle_fallback(forwarder, status));
}

void judge_reach(std::vector<Finding>& findings, const Json& status, const Listeners& listeners) {
    for (const Endpoint& endpoint : listeners.endpoints) {
        if (endpoint.address.is_loopback()) continue;
        findings.push_back(
            make(Severity::hint, "listens-beyond-loopback", "mxtrustd serves DNS at " + endpoint.to_text(),
                 "An AD flag is worth as much as the network that it crosses: who can write there can forge it.",
                 "Leave it if only a bridge of this machine, or a tunnel, leads there; else listen on loopback only:",
                 {"dns-listen = [\"127.0.0.1:53\"]"}));
        break;
    }
    const std::int64_t refused = number_at(member(status, "doors"), "dns_refused");
    if (refused > 0) {
        findings.push_back(
            make(Severity::hint, "dns-refused",
                 std::to_string(refused) + (refused == 1 ? " query" : " queries") +
                     " over DNS came from networks that may not ask",
                 "Whoever that was got REFUSED; an MTA in a container counts it as a failure.",
                 "If it was one of yours, add its network to [server] allow in /etc/mxtrust/mxtrust.toml, such as:",
                 {"allow = [\"127.0.0.0/8\", \"::1/128\", \"172.17.0.0/16\"]"}));
    }
}

/// "DOMAIN is not what it was asked for": nothing of it is needed here but the code.
std::string rcode_words(const Probe& probe) {
    return dns::to_text(probe.rcode);
}

Finding probe_finding(const Probe& probe, bool ours) {
    const std::string server = probe.server.to_text();
    const std::string asked = "the name server " + server + (ours ? " (mxtrust)" : "");
    if (!probe.answered) {
        return make(Severity::error, "dns-silent", "No answer from " + asked,
                    "An MTA waits for every look-up until it gives up, and then defers the mail.",
                    ours ? "See whether mxtrustd is well: " : "Take it out of resolv.conf, or see what runs there:",
                    {ours ? std::string("journalctl -u mxtrustd") : "ss -lnup 'sport = :53'"});
    }
    if (probe.rcode == dns::Rcode::refused) {
        return make(Severity::error, "dns-refuses", "REFUSED, says " + asked,
                    "Nobody here can look anything up there; Postfix may even bounce mail on it.",
                    ours ? "Add the network that you ask from to /etc/mxtrust/mxtrust.toml, section [server]:"
                         : "Take it out of resolv.conf.",
                    ours ? std::vector<std::string>{"allow = [\"127.0.0.0/8\", \"::1/128\", \"172.17.0.0/16\"]"}
                         : std::vector<std::string>{});
    }
    if (probe.rcode != dns::Rcode::noerror) {
        return make(Severity::error, "dns-fails", rcode_words(probe) + " for NS of the root, says " + asked,
                    "Postfix asks the same at its start, and does no DANE where it fails.",
                    ours ? "See why the root is not secure:" : "Take it out of resolv.conf.",
                    ours ? std::vector<std::string>{"mxtrust explain . NS"} : std::vector<std::string>{});
    }
    return make(
        Severity::error, "dns-no-ad",
        "No AD flag from " + asked + ": it does not validate, or somebody takes the flag out",
        "Postfix asks the same at its start (dnssec_probe), and does no DANE; Exim takes every domain for unsigned.",
        ours ? "See why the root is not secure:" : "Name mxtrust in resolv.conf, and nobody else.",
        ours ? std::vector<std::string>{"mxtrust explain . NS"} : std::vector<std::string>{});
}

}  // namespace

std::vector<Finding> judge_daemon(const nlohmann::ordered_json& status) {
    std::vector<Finding> findings;
    judge_clock(findings, status);
    judge_anchors(findings, status);
    judge_root(findings, status);
    judge_resolution(findings, status);
    judge_forwarders(findings, status);
    for (Finding& finding : judge_operator(status)) findings.push_back(std::move(finding));
    judge_reach(findings, status, listeners_of(status));
    return findings;
}

std::vector<Finding> judge_socket(const SocketFacts& socket) {
    const std::string why = "No program on this machine can ask mxtrust over its socket, and `mxtrust` neither.";
    switch (socket.state) {
        case SocketFacts::State::reachable:
            return {};
        case SocketFacts::State::absent:
            return {make(Severity::error, "daemon-absent", "There is no socket at " + socket.path, why,
                         "See whether mxtrustd runs; if its socket is elsewhere, say --socket PATH.",
                         {"systemctl status mxtrustd"})};
        case SocketFacts::State::silent:
            return {make(Severity::error, "daemon-silent", "Nobody listens at " + socket.path, why,
                         "mxtrustd has ended; see what it said last, and start it:",
                         {"journalctl -u mxtrustd", "systemctl start mxtrustd"})};
        case SocketFacts::State::hanging:
            return {make(Severity::error, "daemon-hangs",
                         "mxtrustd has taken the connection at " + socket.path + " and does not answer", why,
                         "See what it said last, and start it again; systemd's watchdog does so by itself:",
                         {"journalctl -u mxtrustd", "systemctl restart mxtrustd"})};
        case SocketFacts::State::forbidden:
            break;
    }
    if (socket.group.empty() || socket.group == "root") {
        return {make(Severity::error, "daemon-forbidden",
                     "The account " + socket.account + " may not use " + socket.barrier, why,
                     "Let everybody ask, in /etc/mxtrust/mxtrust.toml, section [server], or ask as root:",
                     {"query-socket-mode = 0o666"})};
    }
    return {make(Severity::error, "daemon-forbidden",
                 "The account " + socket.account + " may not use " + socket.barrier, why,
                 "Join the group " + socket.group + ", then log in anew:",
                 {"usermod -aG " + socket.group + " " + socket.account})};
}

std::vector<Finding> judge_probes(const std::vector<Probe>& probes, const Listeners& listeners) {
    std::vector<Finding> findings;
    // Where resolv.conf cannot name mxtrust, it is not mxtrust's affair what it names.
    if (listeners.known && !listeners.at_port_53()) return findings;
    for (const Probe& probe : probes) {
        if (!probe.authentic) findings.push_back(probe_finding(probe, listeners.serve(probe.server)));
    }
    return findings;
}

}  // namespace mxtrust::client
