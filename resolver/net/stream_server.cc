// Accepted connections: reading, writing with a queue that can be seen, idling, closing.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <optional>
#include <unordered_set>
#include <vector>

#include "net/server.h"
#include "net/sockaddr.h"

namespace mxtrust::net {
namespace {

/// One libuv handle that may be of either kind.
union AnyStream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

class Server;

class Peer final : public Connection, public std::enable_shared_from_this<Peer> {
  public:
    Peer(UvLoop& loop, Server& server, bool is_unix) : server_(&server), is_unix_(is_unix) {
        if (is_unix) {
            uv_pipe_init(loop.raw(), &stream_.pipe, 0);
        } else {
            uv_tcp_init(loop.raw(), &stream_.tcp);
        }
        stream_.handle.data = this;
        uv_timer_init(loop.raw(), &idle_);
        idle_.data = this;
    }
    [[nodiscard]] uv_stream_t* raw() { return &stream_.stream; }
    /// Begins to live: keeps itself until libuv has closed it.
    void begin(std::shared_ptr<ConnectionUser> user);

    void send(Bytes data) override {
        if (closing_ || closing_when_sent_ || data.empty()) return;
        auto request = std::make_unique<Write>(shared_from_this(), std::move(data));
        uv_buf_t buffer =
            uv_buf_init(reinterpret_cast<char*>(request->data.data()), static_cast<unsigned>(request->data.size()));
        queued_ += request->data.size();
        if (uv_write(&request->handle, raw(), &buffer, 1, on_written) != 0) {
            queued_ -= request->data.size();
            close();
            return;
        }
        [[maybe_unused]] const auto* on_its_way = request.release();  // freed by on_written
        touch();
    }
    void write(BytesView data) override {
        if (closing_ || closing_when_sent_ || data.empty()) return;
        if (queued_ == 0) {
            // libuv does not write to it.
            uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(const_cast<std::uint8_t*>(data.data())),
                                          static_cast<unsigned>(data.size()));
            const int written = uv_try_write(raw(), &buffer, 1);
            if (written > 0) {
                touch();
                data = data.subspan(static_cast<std::size_t>(written));
            } else if (written != UV_EAGAIN) {
                close();
                return;
            }
        }
        if (!data.empty()) send(Bytes(data.begin(), data.end()));
    }
    [[nodiscard]] std::size_t queued() const override { return queued_; }
    void pause_reading() override {
        if (!closing_) uv_read_stop(raw());
    }
    void resume_reading() override {
        if (!closing_ && !ended_) uv_read_start(raw(), on_allocate, on_read);
    }
    void close_when_sent() override {
        closing_when_sent_ = true;
        if (queued_ == 0) close();
    }
    void close() override;
    void close_when_idle_for(Duration span) override {
        idle_span_ = span;
        touch();
    }
    [[nodiscard]] std::optional<Endpoint> peer() const override {
        if (is_unix_) return std::nullopt;
        sockaddr_storage storage{};
        int size = sizeof storage;
        if (uv_tcp_getpeername(&stream_.tcp, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
        return SocketAddress::endpoint(reinterpret_cast<const sockaddr*>(&storage));
    }
    [[nodiscard]] std::optional<PeerCredentials> credentials() const override {
        uv_os_fd_t descriptor{};
        if (!is_unix_ || closing_ || uv_fileno(&stream_.handle, &descriptor) != 0) return std::nullopt;
        ucred credentials{};
        socklen_t size = sizeof credentials;
        if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
        return PeerCredentials{credentials.uid, credentials.gid, credentials.pid};
    }
    void forget_server() { server_ = nullptr; }
    /// A second descriptor of it; -1: there is none to be had.
    [[nodiscard]] int duplicate() const {
        uv_os_fd_t descriptor{};
        if (uv_fileno(&stream_.handle, &descriptor) != 0) return -1;
        return fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    }
    /// Instead of being accepted.
    bool open(Accepted& accepted) {
        const int descriptor = accepted.release();
        const int status = is_unix_ ? uv_pipe_open(&stream_.pipe, descriptor) : uv_tcp_open(&stream_.tcp, descriptor);
        if (status != 0) ::close(descriptor);
        return status == 0;
    }
    /// What the peer has sent is still read, then comes the end of input; what it sends now fails at its side (on a
    /// Unix socket; over TCP it learns it by the close). Best effort: one that is gone already needs none of it.
    void take_no_more() {
        uv_os_fd_t descriptor{};
        if (closing_ || uv_fileno(&stream_.handle, &descriptor) != 0) return;
        static_cast<void>(::shutdown(descriptor, SHUT_RD));
    }

  private:
    struct Write {
        Write(std::shared_ptr<Peer> given, Bytes bytes) : peer(std::move(given)), data(std::move(bytes)) {
            handle.data = this;
        }
        uv_write_t handle{};
        std::shared_ptr<Peer> peer;
        Bytes data;
    };
    static void on_written(uv_write_t* handle, int status) {
        const std::unique_ptr<Write> request(static_cast<Write*>(handle->data));
        Peer& self = *request->peer;
        self.queued_ -= request->data.size();
        if (self.closing_) return;
        if (status != 0) {
            self.close();
            return;
        }
        self.touch();
        if (self.queued_ > 0) return;
        if (self.closing_when_sent_) {
            self.close();
        } else if (const std::shared_ptr<ConnectionUser> user = self.user_) {
            user->drained();
        }
    }
    static void on_allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Peer*>(handle->data);
        *buffer = uv_buf_init(reinterpret_cast<char*>(self->chunk_.data()), static_cast<unsigned>(self->chunk_.size()));
    }
    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        const std::shared_ptr<Peer> self = static_cast<Peer*>(stream->data)->shared_from_this();
        if (self->closing_ || count == 0) return;
        const std::shared_ptr<ConnectionUser> user = self->user_;
        if (count == UV_EOF) {
            self->ended_ = true;
            uv_read_stop(stream);
            user->ended();
            return;
        }
        if (count < 0) {
            self->close();
            return;
        }
        self->touch();
        user->received(BytesView(self->chunk_.data(), static_cast<std::size_t>(count)));
    }
    /// Nothing has happened for as long as the user said.
    void idle_out();
    void touch() {
        if (closing_) return;
        if (idle_span_.count() <= 0) {
            uv_timer_stop(&idle_);
            return;
        }
        uv_timer_start(
            &idle_, [](uv_timer_t* timer) { static_cast<Peer*>(timer->data)->idle_out(); },
            static_cast<std::uint64_t>(idle_span_.count()), 0);
    }
    /// The second of two close callbacks lets go of the connection.
    static void on_closed(uv_handle_t* handle) {
        auto* self = static_cast<Peer*>(handle->data);
        if (++self->handles_closed_ < 2) return;
        const std::shared_ptr<Peer> last = std::move(self->self_);
        const std::shared_ptr<ConnectionUser> user = std::move(last->user_);
        if (user) user->closed();
    }

    Server* server_;
    bool is_unix_;
    AnyStream stream_{};
    uv_timer_t idle_{};
    Duration idle_span_{0};
    std::shared_ptr<ConnectionUser> user_;
    std::shared_ptr<Peer> self_;
    std::size_t queued_ = 0;
    int handles_closed_ = 0;
    bool closing_ = false, closing_when_sent_ = false, ended_ = false;
    std::array<std::uint8_t, 16384> chunk_;  // written before it is read
};

/// The listening handle, freed by its close callback.
struct Acceptor {
    AnyStream stream{};
    Server* server = nullptr;
};

/// The timer of a server that rests, freed by its close callback.
struct Rest {
    uv_timer_t timer{};
    Server* server = nullptr;
};

/// How long nobody is accepted when no descriptor is left.
constexpr std::uint64_t rest_milliseconds = 100;

class Server final : public StreamServer {
  public:
    Server(UvLoop& loop, std::size_t most, Greeter greeter)
        : loop_(loop), most_(most), greeter_(std::make_shared<const Greeter>(std::move(greeter))) {}
    ~Server() override { stop(); }

    Done begin(Listening listening) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        if (getsockname(listening.descriptor(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
            return fail(FailureKind::system, "NSNA"_code, "a listening socket has no name");
        }
        is_unix_ = storage.ss_family == AF_UNIX;
        auto spare = listening.duplicate();
        if (!spare) return fail(spare.error());
        spare_ = std::move(*spare);
        seat_.emplace(listening.circle(), loop_, [this](const std::shared_ptr<Accepted>& given) { adopt(*given); });
        return accept_on(std::move(listening));
    }
    Done accept_on(Listening listening) {
        auto acceptor = std::make_unique<Acceptor>();
        acceptor->server = this;
        int status = is_unix_ ? uv_pipe_init(loop_.raw(), &acceptor->stream.pipe, 0)
                              : uv_tcp_init(loop_.raw(), &acceptor->stream.tcp);
        acceptor->stream.handle.data = acceptor.get();
        acceptor_ = acceptor.release();
        if (status == 0) {
            status = is_unix_ ? uv_pipe_open(&acceptor_->stream.pipe, listening.descriptor())
                              : uv_tcp_open(&acceptor_->stream.tcp, listening.descriptor());
        }
        if (status == 0) {
            static_cast<void>(listening.release());  // libuv closes it
            status = uv_listen(&acceptor_->stream.stream, 512, on_connection);
        }
        if (status != 0)
            return fail(FailureKind::system, "NSLI"_code, std::string("cannot listen: ") + uv_strerror(status));
        return {};
    }
    [[nodiscard]] std::size_t connections() const override { return seat_ ? seat_->connections() : 0; }
    [[nodiscard]] const StreamCounters& counters() const override { return counters_; }
    void set_most_connections(std::size_t most) override { most_ = most; }
    void drain() override {
        accept_no_more();
        is_draining_ = true;
        const std::vector<Peer*> peers(peers_.begin(), peers_.end());
        for (Peer* peer : peers) peer->take_no_more();
    }
    void stop() override {
        accept_no_more();
        const std::vector<Peer*> peers(peers_.begin(), peers_.end());
        for (Peer* peer : peers) peer->close();
        for (Peer* peer : peers) peer->forget_server();
        peers_.clear();
        seat_.reset();
    }
    void gone(Peer& peer) {
        if (peers_.erase(&peer) > 0 && seat_) seat_->closed();
    }
    void idled() { ++counters_.idle; }

  private:
    /// libuv tries again at once where no descriptor is left, and comes to nothing else, not even to closing those that
    /// have left: so its handle is closed for a while. The spare keeps the socket, and who knocks waits in its queue.
    void rest() {
        close_acceptor();
        if (rest_ != nullptr) return;
        rest_ = std::make_unique<Rest>().release();  // freed by its close callback
        rest_->server = this;
        rest_->timer.data = rest_;
        uv_timer_init(loop_.raw(), &rest_->timer);
        uv_timer_start(&rest_->timer, on_rested, rest_milliseconds, rest_milliseconds);
    }
    static void on_rested(uv_timer_t* timer) {
        Server* self = static_cast<Rest*>(timer->data)->server;
        auto copy = self->spare_->duplicate();
        if (!copy) return;  // still none: look again
        if (self->accept_on(std::move(*copy))) {
            self->end_rest();
        } else {
            self->close_acceptor();
        }
    }
    void end_rest() {
        if (rest_ == nullptr) return;
        uv_close(reinterpret_cast<uv_handle_t*>(&rest_->timer),
                 [](uv_handle_t* handle) { std::unique_ptr<Rest>(static_cast<Rest*>(handle->data)).reset(); });
        rest_ = nullptr;
    }
    void accept_no_more() {
        close_acceptor();
        end_rest();
        spare_.reset();
        if (seat_) seat_->leave();
    }
    void close_acceptor() {
        if (acceptor_ == nullptr) return;
        acceptor_->server = nullptr;
        uv_close(&acceptor_->stream.handle,
                 [](uv_handle_t* handle) { std::unique_ptr<Acceptor>(static_cast<Acceptor*>(handle->data)).reset(); });
        acceptor_ = nullptr;
    }
    static void on_connection(uv_stream_t* stream, int status) {
        Server* self = static_cast<Acceptor*>(stream->data)->server;
        if (self == nullptr) return;
        if (status == UV_EMFILE || status == UV_ENFILE) self->rest();
        if (status != 0) return;
        auto peer = std::make_shared<Peer>(self->loop_, *self, self->is_unix_);
        self->peers_.insert(peer.get());  // before the greeter, who may close it at once
        self->seat_->opened();
        const bool accepted = uv_accept(stream, peer->raw()) == 0;
        if (accepted && self->seat_->is_heaviest() && self->hand_over(*peer)) {
            peer->begin(nullptr);
        } else {
            self->welcome(peer, accepted);
        }
    }
    /// To another loop that has fewer connections; false: it is this one's.
    bool hand_over(Peer& peer) {
        const int copy = peer.duplicate();
        return copy >= 0 && seat_->give(std::make_shared<Accepted>(copy));
    }
    /// One that another loop has accepted, and has counted here.
    void adopt(Accepted& given) {
        auto peer = std::make_shared<Peer>(loop_, *this, is_unix_);
        peers_.insert(peer.get());
        const bool opened = peer->open(given);
        const bool is_draining = is_draining_;
        welcome(peer, opened);
        if (is_draining) peer->take_no_more();
    }
    /// May destroy this server.
    void welcome(const std::shared_ptr<Peer>& peer, bool is_connected) {
        std::shared_ptr<ConnectionUser> user;
        const bool too_many = peers_.size() > most_;
        ++(too_many ? counters_.refused : counters_.accepted);
        // The greeter may destroy this server, and itself with it: it is kept until it has returned, and nothing of
        // this is used after that.
        const std::shared_ptr<const Greeter> greeter = greeter_;
        if (is_connected && !too_many) user = (*greeter)(peer);
        peer->begin(std::move(user));
    }
    UvLoop& loop_;
    std::size_t most_;
    std::shared_ptr<const Greeter> greeter_;
    bool is_unix_ = false;
    Acceptor* acceptor_ = nullptr;  // owned by libuv until closed
    Rest* rest_ = nullptr;          // likewise
    std::optional<Listening> spare_;
    std::optional<Circle::Seat> seat_;  ///< from begin() to stop()
    std::unordered_set<Peer*> peers_;
    bool is_draining_ = false;
    StreamCounters counters_;
};

void Peer::begin(std::shared_ptr<ConnectionUser> user) {
    self_ = shared_from_this();
    user_ = std::move(user);
    if (user_ == nullptr) {
        close();
        return;
    }
    // Replies are whole messages; waiting for more to send with them (Nagle) costs a pipelining client 40 ms each. Best
    // effort.
    if (!is_unix_) static_cast<void>(uv_tcp_nodelay(&stream_.tcp, 1));
    resume_reading();
}

void Peer::idle_out() {
    if (!closing_ && server_ != nullptr) server_->idled();
    close();
}

void Peer::close() {
    if (closing_) return;
    closing_ = true;
    if (server_ != nullptr) server_->gone(*this);
    uv_timer_stop(&idle_);
    uv_close(&stream_.handle, on_closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&idle_), on_closed);
}

}  // namespace

Result<std::unique_ptr<StreamServer>> StreamServer::start(UvLoop& loop, Listening listening,
                                                          std::size_t most_connections, Greeter greeter) {
    auto server = std::make_unique<Server>(loop, most_connections, std::move(greeter));
    Done begun = server->begin(std::move(listening));
    if (!begun) return fail(std::move(begun.error()));
    return server;
}

}  // namespace mxtrust::net
