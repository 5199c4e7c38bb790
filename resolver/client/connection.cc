// POSIX sockets, as a shell script would use them.
#include "client/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace mxtrust::client {
namespace {

/// A status of thousands of failing domains is far below; more is no reply of mxtrustd.
constexpr std::size_t most_reply_octets = std::size_t{64} << 20U;

std::string system_text() {
    return std::generic_category().message(errno);
}

}  // namespace

Result<Connection> Connection::open(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fail(FailureKind::malformed, "ISOP"_code, "\"" + path + "\" cannot be the path of a socket");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return fail(FailureKind::system, "ISOC"_code, "no socket: " + system_text());
    Connection connection(descriptor);
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(FailureKind::unreachable, "ICON"_code,
                    "mxtrustd cannot be reached at " + path + ": " + system_text());
    }
    return connection;
}

Connection::Connection(Connection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
    if (this != &other) {
        if (descriptor_ >= 0) close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
        received_ = std::move(other.received_);
    }
    return *this;
}

Connection::~Connection() {
    if (descriptor_ >= 0) close(descriptor_);
}

Done Connection::send(std::string_view line) {
    while (!line.empty()) {
        const ssize_t count = ::send(descriptor_, line.data(), line.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return fail(FailureKind::unreachable, "ISND"_code, "mxtrustd closed the connection: " + system_text());
        line.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<std::string> Connection::ask(const std::string& request, std::chrono::milliseconds patience) {
    const Done sent = send(request + "\n");
    if (!sent) return fail(sent.error());
    while (received_.find('\n') == std::string::npos) {
        pollfd waiting{descriptor_, POLLIN, 0};
        const int ready = poll(&waiting, 1, static_cast<int>(patience.count()));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0)
            return fail(FailureKind::timeout, "ITIM"_code,
                        "mxtrustd has not answered within " + std::to_string(patience.count() / 1000) + " s");
        std::array<char, 65536> chunk{};
        const ssize_t count = recv(descriptor_, chunk.data(), chunk.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail(FailureKind::unreachable, "ICLO"_code, "mxtrustd closed the connection");
        received_.append(chunk.data(), static_cast<std::size_t>(count));
        if (received_.size() > most_reply_octets)
            return fail(FailureKind::malformed, "ILNG"_code, "the reply does not end");
    }
    const std::size_t end = received_.find('\n');
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    return line;
}

}  // namespace mxtrust::client
