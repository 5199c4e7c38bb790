// Non-blocking sockets and poll(2), so that a deadline holds at every step.
#include "probe/socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <system_error>

namespace mxtrust::probe {
namespace {

/// What is wrong at this end and not at the other.
FailureKind kind_of(int error) {
    const bool here = error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EACCES ||
                      error == EPERM || error == ENETDOWN;
    return here ? FailureKind::system : FailureKind::unreachable;
}

std::string system_text(int error) {
    return std::generic_category().message(error);
}

/// false: the deadline has come.
bool wait_for(int descriptor, short events, const Clock& clock, MonoTime deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.mono());
        if (left.count() <= 0) return false;
        pollfd waiting{descriptor, events, 0};
        const int ready = poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60000)));
        if (ready > 0) return true;
        // Interrupted or bad: the call that follows says what is wrong.
        if (ready < 0 && errno != EINTR) return true;
    }
}

class Socket final : public Wire {
  public:
    Socket(int descriptor, const Clock& clock) : descriptor_(descriptor), clock_(clock) {}
    ~Socket() override { close(descriptor_); }

    Result<std::size_t> receive(std::span<std::uint8_t> into, MonoTime deadline) override {
        for (;;) {
            const ssize_t count = recv(descriptor_, into.data(), into.size(), 0);
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                return fail(FailureKind::unreachable, "PRCV"_code, system_text(errno));
            if (!wait_for(descriptor_, POLLIN, clock_, deadline))
                return fail(FailureKind::timeout, "PRTM"_code, "nothing came in time");
        }
    }

    [[nodiscard]] std::optional<Address> local() const override {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::nullopt;
        const auto* base = reinterpret_cast<const std::uint8_t*>(&storage);
        const bool four = storage.ss_family == AF_INET;
        const BytesView octets(base + (four ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr)),
                               four ? 4 : 16);
        const Result<Address> address = Address::from_rdata(octets);
        return address ? std::optional(*address) : std::nullopt;
    }

    Done send(BytesView octets, MonoTime deadline) override {
        while (!octets.empty()) {
            const ssize_t count = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (count >= 0) {
                octets = octets.subspan(static_cast<std::size_t>(count));
                continue;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                return fail(FailureKind::unreachable, "PSND"_code, system_text(errno));
            if (!wait_for(descriptor_, POLLOUT, clock_, deadline))
                return fail(FailureKind::timeout, "PSTM"_code, "it takes nothing that is sent");
        }
        return {};
    }

  private:
    int descriptor_;
    const Clock& clock_;
};

socklen_t fill(sockaddr_storage& storage, const Endpoint& server) {
    const BytesView octets = server.address.octets();
    if (server.address.family() == Family::ipv4) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(server.port);
        std::memcpy(&four.sin_addr, octets.data(), octets.size());
        std::memcpy(&storage, &four, sizeof four);
        return sizeof four;
    }
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(server.port);
    std::memcpy(&six.sin6_addr, octets.data(), octets.size());
    std::memcpy(&storage, &six, sizeof six);
    return sizeof six;
}

}  // namespace

Result<std::unique_ptr<Wire>> SocketConnector::connect(const Endpoint& server, MonoTime deadline) {
    sockaddr_storage storage{};
    const socklen_t length = fill(storage, server);
    const int descriptor = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return fail(FailureKind::system, "PSOC"_code, "no socket: " + system_text(errno));
    auto made = std::make_unique<Socket>(descriptor, clock_);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
        if (errno != EINPROGRESS && errno != EINTR) return fail(kind_of(errno), "PCON"_code, system_text(errno));
        if (!wait_for(descriptor, POLLOUT, clock_, deadline))
            return fail(FailureKind::timeout, "PCTM"_code, "no connection in time");
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
            return fail(kind_of(error), "PCOE"_code, system_text(error));
    }
    return std::unique_ptr<Wire>(std::move(made));
}

}  // namespace mxtrust::probe
