// Listening descriptors: opened early, shared by the workers.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "net/server.h"
#include "net/sockaddr.h"

namespace mxtrust::net {
namespace {

constexpr int backlog = 512;
/// Questions that may wait while a worker computes: some thousands. The kernel grants up to net.core.rmem_max.
constexpr int receive_buffer = 4 * 1024 * 1024;

std::string error_text() {
    return std::strerror(errno);
}  // NOLINT(concurrency-mt-unsafe): start-up, one thread

/// Is somebody listening on this socket file?
bool is_alive(const sockaddr_un& address) {
    // Whoever listens and hangs, with as many waiting as there may be, would keep us waiting, too.
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return true;
    const bool connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const bool nobody = !connected && (errno == ECONNREFUSED || errno == ENOENT);
    ::close(probe);
    return !nobody;
}

Result<int> bound(const Endpoint& endpoint, int kind) {
    const bool six = endpoint.address.family() == Family::ipv6;
    const int descriptor = socket(six ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return fail(FailureKind::system, "NLSO"_code, "no socket for " + endpoint.to_text() + ": " + error_text());
    const int on = 1;
    // Workers share one descriptor, so that nobody else can take the port beside us: no SO_REUSEPORT, and SO_REUSEADDR
    // only where it means "although old connections linger" (TCP).
    const bool set = (kind != SOCK_STREAM || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0) &&
                     (!six || setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    const SocketAddress address(endpoint);
    if (!set || bind(descriptor, address.raw(), address.size()) != 0) {
        const std::string why = error_text();
        ::close(descriptor);
        return fail(FailureKind::system, "NLBI"_code, "cannot listen on " + endpoint.to_text() + ": " + why);
    }
    return descriptor;
}

/// -1 where it cannot be read.
int option(int descriptor, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, level, name, &value, &size) == 0 ? value : -1;
}

/// May questions come to several of our addresses, or is an address not enough to find the way back?
bool needs_packet_information(const Address& address) {
    const BytesView octets = address.octets();
    const bool wildcard = std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; });
    const bool link_local = address.family() == Family::ipv6 && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
    return wildcard || link_local;
}

Done prepare_datagrams(int descriptor, const Endpoint& endpoint) {
    // Best effort: with less, a burst of questions loses some, and their clients ask again.
    static_cast<void>(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer));
    SocketAddress::forbid_fragments(descriptor, endpoint.address.family());
    if (!needs_packet_information(endpoint.address)) return {};
    const int on = 1;
    const int status = endpoint.address.family() == Family::ipv6
                           ? setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                           : setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (status == 0) return {};
    return fail(FailureKind::system, "NLPK"_code,
                "cannot learn to which address a question came on " + endpoint.to_text() + ": " + error_text());
}

}  // namespace

Listening::Listening(Listening&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), circle_(std::move(other.circle_)) {}

Listening& Listening::operator=(Listening&& other) noexcept {
    if (this != &other) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
        circle_ = std::move(other.circle_);
    }
    return *this;
}

Listening::~Listening() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

int Listening::release() {
    return std::exchange(descriptor_, -1);
}

Result<Listening> Listening::inherited(int descriptor) {
    Listening listening(descriptor);
    const auto refuse = [descriptor](Code code, const std::string& why) {
        return fail(FailureKind::system, code, "the inherited descriptor " + std::to_string(descriptor) + " " + why);
    };
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return refuse("NLIS"_code, "is no socket");
    const bool internet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    const bool stream = option(descriptor, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
    const bool datagram = option(descriptor, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
    if (!(address.ss_family == AF_UNIX && stream) && !(internet && (stream || datagram)))
        return refuse("NLIK"_code, "is neither a stream socket nor a UDP socket");
    if (stream && option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) != 1)
        return refuse("NLIL"_code, "does not listen (Accept=no is what is needed)");
    if (address.ss_family == AF_INET6 && option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) != 1)
        return refuse("NLIV"_code, "mixes IPv4 into IPv6 (BindIPv6Only=ipv6-only is what is needed)");
    const int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return refuse("NLIF"_code, "cannot be made ready: " + error_text());
    if (datagram) {
        const Done ready =
            prepare_datagrams(descriptor, SocketAddress::endpoint(reinterpret_cast<sockaddr*>(&address)));
        if (!ready) return fail(ready.error());
    }
    return listening;
}

Listening::Kind Listening::kind() const {
    if (option(descriptor_, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM) return Kind::udp;
    return option(descriptor_, SOL_SOCKET, SO_DOMAIN) == AF_UNIX ? Kind::unix_stream : Kind::tcp;
}

std::string Listening::path() const {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    if (address.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path)) return {};
    const char* path = &address.sun_path[0];
    return {path, strnlen(path, size - offsetof(sockaddr_un, sun_path))};
}

Result<Listening> Listening::duplicate() const {
    const int copy = fcntl(descriptor_, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return fail(FailureKind::system, "NLDU"_code, "a listening socket cannot be shared: " + error_text());
    return Listening(copy, circle_);
}

Endpoint Listening::endpoint() const {
    SocketAddress address;
    socklen_t size = sizeof(sockaddr_storage);
    if (getsockname(descriptor_, address.raw(), &size) != 0) return Endpoint{{}, 0};
    return SocketAddress::endpoint(address.raw());
}

Result<Listening> Listening::tcp(const Endpoint& endpoint) {
    Result<int> descriptor = bound(endpoint, SOCK_STREAM);
    if (!descriptor) return fail(std::move(descriptor.error()));
    Listening listening(*descriptor);
    if (listen(*descriptor, backlog) != 0) {
        return fail(FailureKind::system, "NLTC"_code, "cannot listen on " + endpoint.to_text() + ": " + error_text());
    }
    return listening;
}

Result<Listening> Listening::udp(const Endpoint& endpoint) {
    Result<int> descriptor = bound(endpoint, SOCK_DGRAM);
    if (!descriptor) return fail(std::move(descriptor.error()));
    Listening listening(*descriptor);
    const Done ready = prepare_datagrams(*descriptor, endpoint);
    if (!ready) return fail(ready.error());
    return listening;
}

Result<Listening> Listening::unix_stream(const std::string& path, unsigned mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fail(
            FailureKind::system, "NLUP"_code,
            "the socket path " + path + " must have 1 to " + std::to_string(sizeof address.sun_path - 1) + " octets");
    }
    std::memcpy(&address.sun_path[0], path.data(), path.size());
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode))
            return fail(FailureKind::system, "NLUF"_code, path + " is there and is no socket");
        if (is_alive(address))
            return fail(FailureKind::system, "NLUA"_code, "somebody listens on " + path + " already");
        unlink(path.c_str());
    }
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return fail(FailureKind::system, "NLUS"_code, "no socket for " + path + ": " + error_text());
    Listening listening(descriptor);
    // Created closed to everybody else, and opened to whom it is meant for before anybody can connect (listen comes
    // last).
    const mode_t before = umask(0777);
    const int bind_status = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const std::string why = error_text();
    umask(before);
    if (bind_status != 0) return fail(FailureKind::system, "NLUB"_code, "cannot listen on " + path + ": " + why);
    if (chmod(path.c_str(), mode) != 0 || listen(descriptor, backlog) != 0) {
        return fail(FailureKind::system, "NLUL"_code, "cannot listen on " + path + ": " + error_text());
    }
    return listening;
}

}  // namespace mxtrust::net
