// One question by stream (RFC 7766), on a connection of its own.
#include <uv.h>

#include <array>

#include "net/sockaddr.h"
#include "net/uv_network.h"
#include "task/signal.h"

namespace mxtrust::net {
namespace {

/// A connection of one exchange; lives on the heap until libuv has closed it.
class Stream {
  public:
    Stream(NetworkCounters& counters, Bytes query) : counters_(counters) {
        handle_.data = connect_.data = write_.data = this;
        if (query.size() >= 2) id_ = {query[0], query[1]};
        Writer framed(query.size() + 2);
        framed.u16(static_cast<std::uint16_t>(query.size()));
        framed.bytes(query);
        query_ = std::move(framed).finish();
    }
    int open(UvLoop& loop, const Endpoint& server) {
        if (const int status = uv_tcp_init(loop.raw(), &handle_); status != 0) return status;
        initialised_ = true;
        const SocketAddress remote(server);
        return uv_tcp_connect(&connect_, &handle_, remote.raw(), [](uv_connect_t* request, int status) {
            static_cast<Stream*>(request->data)->connected(status);
        });
    }
    static void release(std::unique_ptr<Stream> stream) {
        --stream->counters_.sockets;
        if (!stream->initialised_) return;
        Stream* raw = stream.release();
        raw->closing_ = true;
        uv_close(reinterpret_cast<uv_handle_t*>(&raw->handle_),
                 [](uv_handle_t* handle) { std::unique_ptr<Stream>(static_cast<Stream*>(handle->data)).reset(); });
    }

    task::Signal done;
    Bytes message;
    int error = 0;

  private:
    void finish(int status) {
        if (done.is_set()) return;
        error = status;
        done.notify();
    }
    void connected(int status) {
        if (closing_) return;
        if (status != 0) {
            finish(status);
            return;
        }
        uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(query_.data()), static_cast<unsigned>(query_.size()));
        auto* stream = reinterpret_cast<uv_stream_t*>(&handle_);
        status = uv_write(&write_, stream, &buffer, 1, [](uv_write_t* request, int result) {
            auto* self = static_cast<Stream*>(request->data);
            if (result != 0 && !self->closing_) self->finish(result);
        });
        if (status == 0) status = uv_read_start(stream, on_allocate, on_read);
        if (status != 0) finish(status);
    }
    static void on_allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Stream*>(handle->data);
        *buffer = uv_buf_init(reinterpret_cast<char*>(self->chunk_.data()), static_cast<unsigned>(self->chunk_.size()));
    }
    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        auto* self = static_cast<Stream*>(stream->data);
        if (self->done.is_set() || count == 0) return;
        if (count < 0) {
            self->finish(static_cast<int>(count));
            return;
        }
        self->counters_.octets_received += static_cast<std::uint64_t>(count);
        self->received_.insert(self->received_.end(), self->chunk_.begin(), self->chunk_.begin() + count);
        self->look();
    }
    /// Takes whole messages off the front; the first with our ID is the answer, anything else ends the exchange.
    void look() {
        if (received_.size() < 2) return;
        const std::size_t length = static_cast<std::size_t>(received_[0]) << 8U | received_[1];
        if (received_.size() < 2 + length) return;
        if (length < 12 || received_[2] != id_[0] || received_[3] != id_[1]) {
            finish(UV_EPROTO);
            return;
        }
        message.assign(received_.begin() + 2, received_.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        finish(0);
    }

    NetworkCounters& counters_;
    uv_tcp_t handle_{};
    uv_connect_t connect_{};
    uv_write_t write_{};
    bool initialised_ = false;
    bool closing_ = false;
    std::array<std::uint8_t, 2> id_{};
    Bytes query_, received_;
    std::array<std::uint8_t, 8192> chunk_;  // written before it is read
};

class Owner {
  public:
    explicit Owner(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() { Stream::release(std::move(stream_)); }
    [[nodiscard]] Stream& operator*() { return *stream_; }

  private:
    std::unique_ptr<Stream> stream_;
};

}  // namespace

task::Task<Result<Bytes>> UvNetwork::exchange_stream(Endpoint server, Bytes query, MonoTime deadline) {
    if (counters_.sockets >= most_) {
        ++counters_.refused;
        co_return fail(FailureKind::system, "NUST"_code, "more questions are under way than there are sockets for");
    }
    Owner owner(std::make_unique<Stream>(counters_, std::move(query)));
    Stream& stream = *owner;
    ++counters_.sockets;
    ++counters_.streams;
    const int status = stream.open(loop_, server);
    if (status != 0)
        co_return fail(FailureKind::unreachable, "NUTC"_code,
                       std::string("cannot be connected to over TCP: ") + uv_strerror(status));
    const bool answered = co_await stream.done.wait(deadline);
    if (!answered) co_return fail(FailureKind::timeout, "NUTT"_code, "did not answer over TCP in time");
    if (stream.error == UV_EPROTO)
        co_return fail(FailureKind::malformed, "NUTM"_code, "sent another message over TCP than the answer");
    if (stream.error != 0) {
        co_return fail(FailureKind::unreachable, "NUTE"_code,
                       std::string("closed or refused the TCP connection: ") + uv_strerror(stream.error));
    }
    co_return std::move(stream.message);
}

}  // namespace mxtrust::net
