// One question by datagram.
#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <cerrno>

#include "net/sockaddr.h"
#include "net/uv_network.h"
#include "task/signal.h"

namespace mxtrust::net {
namespace {

constexpr unsigned most_binds = 16;  // random ports tried before giving up
constexpr std::uint64_t lowest_port = 1024;
constexpr std::size_t most_ignored = 64;  // datagrams that were not for us, before the question is given up

/// A socket of one exchange; lives on the heap until libuv has closed it.
class Socket {
  public:
    Socket(NetworkCounters& counters, UvNetwork::ReceiveBuffer& buffer, Endpoint server, Matcher matcher)
        : counters_(counters), buffer_(buffer), server_(server), matcher_(std::move(matcher)) {
        handle_.data = this;
    }

    int open(UvLoop& loop, Random& random) {
        if (const int status = uv_udp_init(loop.raw(), &handle_); status != 0) return status;
        initialised_ = true;
        int status = UV_EADDRINUSE;
        for (unsigned attempt = 0; attempt < most_binds && status == UV_EADDRINUSE; ++attempt) {
            const auto port = static_cast<std::uint16_t>(lowest_port + random.below(65536 - lowest_port));
            const SocketAddress local = SocketAddress::any(server_.address.family(), port);
            status = uv_udp_bind(&handle_, local.raw(), 0);
        }
        if (status != 0) return status;
        forbid_fragments(server_.address.family());
        const SocketAddress remote(server_);
        if (status = uv_udp_connect(&handle_, remote.raw()); status != 0) return status;
        return uv_udp_recv_start(&handle_, on_allocate, on_received);
    }
    int send(Bytes& query) {
        uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(query.data()), static_cast<unsigned>(query.size()));
        const int sent = uv_udp_try_send(&handle_, &buffer, 1, nullptr);
        return sent < 0 ? sent : 0;
    }
    /// Gives the socket to libuv to close and to free.
    static void release(std::unique_ptr<Socket> socket) {
        --socket->counters_.sockets;
        if (!socket->initialised_) return;
        socket->matcher_ = nullptr;
        Socket* raw = socket.release();
        uv_close(reinterpret_cast<uv_handle_t*>(&raw->handle_),
                 [](uv_handle_t* handle) { std::unique_ptr<Socket>(static_cast<Socket*>(handle->data)).reset(); });
    }

    task::Signal done;
    DatagramReply reply;
    int error = 0;

  private:
    void forbid_fragments(Family family) {
        uv_os_fd_t descriptor{};
        if (uv_fileno(reinterpret_cast<uv_handle_t*>(&handle_), &descriptor) != 0) return;
        SocketAddress::forbid_fragments(descriptor, family);
    }
    static void on_allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Socket*>(handle->data);
        *buffer =
            uv_buf_init(reinterpret_cast<char*>(self->buffer_.data()), static_cast<unsigned>(self->buffer_.size()));
    }
    static void on_received(uv_udp_t* handle, ssize_t count, const uv_buf_t*, const sockaddr* from, unsigned) {
        auto* self = static_cast<Socket*>(handle->data);
        if (self->done.is_set() || (count == 0 && from == nullptr)) return;
        if (count < 0) {
            self->error = static_cast<int>(count);
            self->done.notify();
            return;
        }
        // Connected sockets hear their peer only; but what came between bind and connect may be from anybody.
        if (SocketAddress::endpoint(from) != self->server_) return;
        self->consider(BytesView(self->buffer_.data(), static_cast<std::size_t>(count)));
    }
    void consider(BytesView datagram) {
        ++counters_.datagrams_received;
        counters_.octets_received += datagram.size();
        switch (matcher_(datagram)) {
            case Match::accept:
                reply.message.assign(datagram.begin(), datagram.end());
                done.notify();
                return;
            case Match::suspect:
                reply.suspicious = true;
                done.notify();
                return;
            case Match::ignore:
                if (++ignored_ >= most_ignored) {
                    reply.suspicious = true;
                    done.notify();
                }
                return;
        }
    }

    NetworkCounters& counters_;
    UvNetwork::ReceiveBuffer& buffer_;
    Endpoint server_;
    Matcher matcher_;
    uv_udp_t handle_{};
    bool initialised_ = false;
    std::size_t ignored_ = 0;
};

/// Releases the socket whichever way the exchange ends.
class Owner {
  public:
    explicit Owner(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() { Socket::release(std::move(socket_)); }
    [[nodiscard]] Socket& operator*() { return *socket_; }

  private:
    std::unique_ptr<Socket> socket_;
};

}  // namespace

task::Task<Result<DatagramReply>> UvNetwork::exchange_datagram(Endpoint server, Bytes query, Matcher matcher,
                                                               MonoTime deadline) {
    if (counters_.sockets >= most_) {
        ++counters_.refused;
        co_return fail(FailureKind::system, "NUSO"_code, "more questions are under way than there are sockets for");
    }
    Owner owner(std::make_unique<Socket>(counters_, *buffer_, server, std::move(matcher)));
    Socket& socket = *owner;
    ++counters_.sockets;
    int status = socket.open(loop_, random_);
    if (status == 0) status = socket.send(query);
    if (status == UV_EMSGSIZE) {
        // RFC 9715 3.2: don't fragment; what does not fit goes over a stream.
        DatagramReply unsent;
        unsent.too_large = true;
        co_return unsent;
    }
    if (status != 0) {
        const bool ours = status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOBUFS || status == UV_ENOMEM ||
                          status == UV_EADDRINUSE || status == UV_EAGAIN;
        co_return fail(ours ? FailureKind::system : FailureKind::unreachable, "NUSE"_code,
                       std::string("cannot be sent to: ") + uv_strerror(status));
    }
    ++counters_.datagrams_sent;
    const bool answered = co_await socket.done.wait(deadline);
    if (!answered) co_return fail(FailureKind::timeout, "NUTO"_code, "did not answer in time");
    if (socket.error != 0) {
        co_return fail(FailureKind::unreachable, "NUIC"_code,
                       std::string("cannot be reached: ") + uv_strerror(socket.error));
    }
    co_return std::move(socket.reply);
}

}  // namespace mxtrust::net
