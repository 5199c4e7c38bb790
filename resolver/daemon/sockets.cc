// Opening in the order of the configuration; the first that fails is told.
#include "daemon/sockets.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/require.h"

namespace mxtrust::daemon {
namespace {

/// With port 0 the kernel chooses for UDP; the same port may be taken for TCP. Then another is tried.
constexpr int most_attempts = 16;

/// net/ says which endpoint and why; the code tells which door.
Failure cannot_listen(Code code, std::string_view door, const Failure& why) {
    return Failure{FailureKind::system, code, why.text + " (" + std::string(door) + ")"};
}

Done open_pair(Sockets& sockets, const Endpoint& wanted) {
    Failure why;
    for (int attempt = 0; attempt < (wanted.port == 0 ? most_attempts : 1); ++attempt) {
        auto udp = net::Listening::udp(wanted);
        if (!udp) return fail(cannot_listen("AUDP"_code, "UDP", udp.error()));
        auto tcp = net::Listening::tcp(udp->endpoint());
        if (tcp) {
            sockets.udp.push_back(std::move(*udp));
            sockets.tcp.push_back(std::move(*tcp));
            return {};
        }
        why = tcp.error();
    }
    return fail(cannot_listen("ATCP"_code, "TCP", why));
}

/// What is made meanwhile belongs to the account's group: from the first moment on, and without a path that might be
/// another one's by then. Only root can do so, and needs to.
class MadeFor {
  public:
    explicit MadeFor(const std::optional<Account>& account) {
        // Under the unit's filter even a call that changes nothing is refused.
        if (!account || geteuid() != 0 || account->group == getegid()) return;
        before_ = getegid();
        if (setegid(account->group) != 0) error_ = errno;
    }
    ~MadeFor() {
        if (before_) require(setegid(*before_) == 0);
    }
    MadeFor(const MadeFor&) = delete;
    MadeFor& operator=(const MadeFor&) = delete;
    [[nodiscard]] Done done() const {
        if (error_ == 0) return {};
        return fail(FailureKind::system, "ASGR"_code,
                    "sockets cannot be made for the service's group: " + std::generic_category().message(error_));
    }

  private:
    std::optional<gid_t> before_;
    int error_ = 0;
};

/// Whoever may ask on the one socket may ask on the other.
Done open_file(Sockets& sockets, std::vector<net::Listening>& door, const std::filesystem::path& path, unsigned mode,
               Code code, std::string_view what) {
    if (path.empty()) return {};
    auto listening = net::Listening::unix_stream(path.string(), mode);
    if (!listening) return fail(cannot_listen(code, what, listening.error()));
    door.push_back(std::move(*listening));
    sockets.own_files.add(path.string());
    return {};
}

Done take(Sockets& sockets, PassedSocket passed) {
    using Kind = net::Listening::Kind;
    const Kind kind = passed.listening.kind();
    const bool file = kind == Kind::unix_stream;
    if (passed.name == "query" && file) {
        sockets.query.push_back(std::move(passed.listening));
    } else if (passed.name == "postfix" && file) {
        sockets.postfix.push_back(std::move(passed.listening));
    } else if (passed.name == "dns" && kind == Kind::udp) {
        sockets.udp.push_back(std::move(passed.listening));
    } else if (passed.name == "dns" && kind == Kind::tcp) {
        sockets.tcp.push_back(std::move(passed.listening));
    } else if (passed.name == "metrics" && file) {
        sockets.metrics.push_back(std::move(passed.listening));
    } else if (passed.name == "metrics" && kind == Kind::tcp) {
        // As for metrics-listen: the figures are not for the world.
        if (!passed.listening.endpoint().address.is_loopback()) {
            return fail(FailureKind::system, "APAM"_code,
                        "the socket for metrics that was passed is at " + passed.listening.endpoint().to_text() +
                            "; it must be a Unix socket or at a loopback address");
        }
        sockets.metrics.push_back(std::move(passed.listening));
    } else {
        return fail(
            FailureKind::system, "APAS"_code,
            std::string("a ") +
                (file                ? "Unix"
                 : kind == Kind::udp ? "UDP"
                                     : "TCP") +
                " socket was passed with the name \"" + passed.name +
                "\"; FileDescriptorName= must be query, postfix or metrics for a Unix socket, dns or metrics for "
                "TCP, dns for UDP");
    }
    return {};
}

/// The path of a Unix socket, or the address.
std::string name_of(const net::Listening& listening) {
    std::string path = listening.path();
    return path.empty() ? listening.endpoint().to_text() : path;
}

std::vector<std::string> names_of(const std::vector<net::Listening>& door) {
    std::vector<std::string> all;
    for (const net::Listening& listening : door) all.push_back(name_of(listening));
    return all;
}

std::vector<std::string> texts_of(const std::vector<Endpoint>& endpoints) {
    std::vector<std::string> all;
    for (const Endpoint& endpoint : endpoints) all.push_back(endpoint.to_text());
    return all;
}

bool is_permutation(const std::vector<std::string>& left, const std::vector<std::string>& right) {
    return std::ranges::is_permutation(left, right);
}

/// Have these files these permissions? One that cannot be looked at has not.
bool have_mode(const std::vector<std::string>& files, std::uint32_t mode) {
    return std::ranges::all_of(files, [mode](const std::string& file) {
        struct stat status{};
        return stat(file.c_str(), &status) == 0 && (status.st_mode & 0777U) == mode;
    });
}

Done open_metrics(Sockets& sockets, const ServerKeys& keys) {
    if (keys.metrics_listen.empty() || !sockets.metrics.empty()) return {};
    const auto endpoint = parse_endpoint(keys.metrics_listen);
    auto metrics = endpoint ? net::Listening::tcp(*endpoint)
                            : net::Listening::unix_stream(keys.metrics_listen, keys.query_socket_mode);
    if (!metrics) return fail(cannot_listen("AMEL"_code, "metrics", metrics.error()));
    sockets.metrics.push_back(std::move(*metrics));
    if (!endpoint) sockets.own_files.add(keys.metrics_listen);
    return {};
}

Done duplicate_all(const std::vector<net::Listening>& from, std::vector<net::Listening>& to) {
    for (const net::Listening& listening : from) {
        auto copy = listening.duplicate();
        if (!copy) return fail(copy.error());
        to.push_back(std::move(*copy));
    }
    return {};
}

}  // namespace

OwnFiles::~OwnFiles() {
    for (const std::string& path : paths_) unlink(path.c_str());
}

std::vector<std::string> unheeded_keys(const Loaded& loaded, const PassedDoors& passed) {
    const ServerKeys& keys = loaded.configuration.server;
    std::vector<std::string> all;
    const auto judge = [&](std::string_view key, bool same, std::string_view instead) {
        if (same || !loaded.origin.has("server", key)) return;
        all.push_back(loaded.origin.place("server", key) +
                      "has no effect, for the service manager opens this socket: " + std::string(instead));
    };
    using Names = std::vector<std::string>;
    const auto is_only = [](const Names& door, const std::string& wanted) {
        return door.empty() || door == Names{wanted};
    };
    judge("query-socket", is_only(passed.query, keys.query_socket), "systemctl edit mxtrustd-query.socket");
    judge("postfix-socket", is_only(passed.postfix, keys.postfix_socket), "systemctl edit mxtrustd-postfix.socket");
    judge("query-socket-mode",
          have_mode(passed.query, keys.query_socket_mode) && have_mode(passed.postfix, keys.query_socket_mode),
          "SocketMode= and SocketGroup= in systemctl edit mxtrustd-query.socket and mxtrustd-postfix.socket");
    judge("dns-listen", passed.dns.empty() || is_permutation(passed.dns, texts_of(keys.dns_listen)),
          "systemctl edit mxtrustd.socket");
    judge("metrics-listen", is_only(passed.metrics, keys.metrics_listen), "its unit says where");
    return all;
}

Result<Sockets> Sockets::open(const ServerKeys& keys, std::vector<PassedSocket> passed,
                              const std::optional<Account>& account) {
    Sockets sockets;
    const MadeFor owner(account);
    Done opened = owner.done();
    for (PassedSocket& one : passed) {
        if (opened) opened = take(sockets, std::move(one));
    }
    sockets.passed = {names_of(sockets.query), names_of(sockets.postfix), texts_of(sockets.dns()),
                      names_of(sockets.metrics)};
    const bool own_dns = sockets.udp.empty() && sockets.tcp.empty();
    if (opened && sockets.query.empty())
        opened =
            open_file(sockets, sockets.query, keys.query_socket, keys.query_socket_mode, "AQRY"_code, "query socket");
    if (opened && sockets.postfix.empty())
        opened = open_file(sockets, sockets.postfix, keys.postfix_socket, keys.query_socket_mode, "APFX"_code,
                           "Postfix socket");
    for (std::size_t index = 0; opened && own_dns && index < keys.dns_listen.size(); ++index)
        opened = open_pair(sockets, keys.dns_listen[index]);
    if (opened) opened = open_metrics(sockets, keys);
    if (!opened) return fail(opened.error());
    return sockets;
}

Result<Sockets> Sockets::duplicate() const {
    Sockets copy;
    Done done = duplicate_all(query, copy.query);
    if (done) done = duplicate_all(postfix, copy.postfix);
    if (done) done = duplicate_all(udp, copy.udp);
    if (done) done = duplicate_all(tcp, copy.tcp);
    if (!done) return fail(done.error());
    return copy;
}

std::vector<std::string> Sockets::names() const {
    std::vector<std::string> all;
    for (const auto* door : {&query, &postfix, &metrics}) {
        for (const net::Listening& listening : *door) all.push_back(name_of(listening));
    }
    for (const Endpoint& endpoint : dns()) all.push_back(endpoint.to_text());
    return all;
}

std::vector<Endpoint> Sockets::dns() const {
    std::vector<Endpoint> all;
    for (const auto* door : {&udp, &tcp}) {
        for (const net::Listening& listening : *door) {
            const Endpoint endpoint = listening.endpoint();
            if (std::ranges::find(all, endpoint) == all.end()) all.push_back(endpoint);
        }
    }
    return all;
}

}  // namespace mxtrust::daemon
