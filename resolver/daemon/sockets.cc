// Opening in the order of the configuration; the first that fails is told.
#include "daemon/sockets.h"

#include <unistd.h>

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

/// Whoever may ask on the one socket may ask on the other.
Done open_postfix(Sockets& sockets, const ServerKeys& keys) {
    if (keys.postfix_socket.empty()) return {};
    auto postfix = net::Listening::unix_stream(keys.postfix_socket.string(), keys.query_socket_mode);
    if (!postfix) return fail(cannot_listen("APFX"_code, "Postfix socket", postfix.error()));
    sockets.postfix.push_back(std::move(*postfix));
    return {};
}

Done open_metrics(Sockets& sockets, const ServerKeys& keys) {
    if (keys.metrics_listen.empty()) return {};
    const auto endpoint = parse_endpoint(keys.metrics_listen);
    auto metrics = endpoint ? net::Listening::tcp(*endpoint)
                            : net::Listening::unix_stream(keys.metrics_listen, keys.query_socket_mode);
    if (!metrics) return fail(cannot_listen("AMEL"_code, "metrics", metrics.error()));
    sockets.metrics.push_back(std::move(*metrics));
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

Result<Sockets> Sockets::open(const ServerKeys& keys) {
    Sockets sockets;
    if (!keys.query_socket.empty()) {
        auto query = net::Listening::unix_stream(keys.query_socket.string(), keys.query_socket_mode);
        if (!query) return fail(cannot_listen("AQRY"_code, "query socket", query.error()));
        sockets.query.push_back(std::move(*query));
    }
    Done opened = open_postfix(sockets, keys);
    for (std::size_t index = 0; opened && index < keys.dns_listen.size(); ++index)
        opened = open_pair(sockets, keys.dns_listen[index]);
    if (opened) opened = open_metrics(sockets, keys);
    if (opened) return sockets;
    // A socket file on which nobody listens would only mislead.
    if (!sockets.query.empty()) unlink(keys.query_socket.c_str());
    if (!sockets.postfix.empty()) unlink(keys.postfix_socket.c_str());
    return fail(opened.error());
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

std::vector<std::string> Sockets::names(const ServerKeys& keys) const {
    std::vector<std::string> all;
    if (!query.empty()) all.push_back(keys.query_socket.string());
    if (!postfix.empty()) all.push_back(keys.postfix_socket.string());
    if (!metrics.empty()) all.push_back(keys.metrics_listen);
    for (const net::Listening& listening : udp) all.push_back(listening.endpoint().to_text());
    return all;
}

}  // namespace mxtrust::daemon
