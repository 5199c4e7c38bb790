// One c-ares channel for each question: it lives in the coroutine's frame, so that cancelling the task destroys it.
#include "resolve/forward_ares.h"

#include <ares.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/poll.h"

namespace mxtrust::resolve {
namespace {

/// Octets 2 and 3 of a message (RFC 1035 4.1.1).
bool is_truncated(BytesView message) {
    return message.size() > 2 && (message[2] & 0x02U) != 0;
}

}  // namespace

class AresRelay::Channel {
  public:
    Channel(AresRelay& relay, const RelayQuestion& question)
        : relay_(relay),
          by_datagram_(question.datagram),
          by_stream_(question.stream),
          budget_(question.budget),
          polls_(relay.loop_) {
        ++relay_.channels_;
    }
    ~Channel() {
        by_stream_ = nullptr;
        if (channel_ != nullptr) ares_destroy(channel_);
        --relay_.channels_;
    }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    int open(const Endpoint& forwarder, Transport transport, Duration time) {
        // Everything that c-ares could read from files or the environment is given, so that it reads none.
        ares_options options{};
        char lookups[] = "b";
        options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                        (transport == Transport::stream ? ARES_FLAG_USEVC : 0);
        options.timeout = static_cast<int>(time.count()) + 1000;  // the deadline is kept here, not there
        options.tries = 1;
        options.ndots = 1;
        options.lookups = lookups;
        options.sock_state_cb = [](void* self, ares_socket_t descriptor, int readable, int writable) {
            static_cast<Channel*>(self)->polls_.watch(descriptor, readable != 0, writable != 0);
        };
        options.sock_state_cb_data = this;
        const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
                          ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB;
        if (const int status = ares_init_options(&channel_, &options, given); status != ARES_SUCCESS) {
            channel_ = nullptr;
            return status;
        }
        static const ares_socket_functions functions{open_socket, close_socket, connect_socket, receive, send_all};
        ares_set_socket_functions(channel_, &functions, this);
        return choose(forwarder);
    }
    void send(const Bytes& query) {
        ares_send(
            channel_, query.data(), static_cast<int>(query.size()),
            [](void* self, int status, int, unsigned char* message, int length) {
                static_cast<Channel*>(self)->ended(status, message, length);
            },
            this);
    }
    void process() {
        for (const net::PollSet::Event& event : polls_.take()) {
            if (done()) return;
            ares_process_fd(channel_, event.readable ? event.descriptor : ARES_SOCKET_BAD,
                            event.writable ? event.descriptor : ARES_SOCKET_BAD);
        }
    }
    [[nodiscard]] bool done() const { return ended_ || reply_.suspicious || !reply_.message.empty(); }
    [[nodiscard]] task::Wait wait(MonoTime deadline) { return polls_.wait(deadline); }

    Result<net::DatagramReply> result() {
        if (reply_.suspicious || !reply_.message.empty()) return std::move(reply_);
        if (budget_ended_)
            return fail(FailureKind::budget, "RFBP"_code, "the look-up sent as many queries as its budget allows");
        if (!ended_) return fail(FailureKind::timeout, "RFTO"_code, "did not answer in time");
        if (status_ == ARES_SUCCESS) return fail(FailureKind::malformed, "RFST"_code, "answered another question");
        return fail(
            FailureKind::unreachable, "RFUN"_code,
            std::string("cannot be reached: ") + (error_ != 0 ? std::strerror(error_) : ares_strerror(status_)));
    }

  private:
    int choose(const Endpoint& forwarder) {
        ares_addr_port_node server{};
        const BytesView octets = forwarder.address.octets();
        server.family = forwarder.address.family() == Family::ipv4 ? AF_INET : AF_INET6;
        std::memcpy(&server.addr, octets.data(), octets.size());
        server.udp_port = server.tcp_port = forwarder.port;
        return ares_set_servers_ports(channel_, &server);
    }
    void ended(int status, const unsigned char* message, int length) {
        ended_ = true;
        status_ = status;
        if (status != ARES_SUCCESS || message == nullptr || !by_stream_) return;
        const BytesView view(message, static_cast<std::size_t>(length));
        if (by_stream_(view) == net::Match::accept) reply_.message.assign(view.begin(), view.end());
    }

    static ares_socket_t open_socket(int family, int type, int protocol, void* data) {
        auto* self = static_cast<Channel*>(data);
        if (!self->budget_->take(Limit::packets)) {
            self->budget_ended_ = true;
            errno = ENOBUFS;
            return ARES_SOCKET_BAD;
        }
        const int descriptor = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        if (descriptor < 0 || type != SOCK_DGRAM) return descriptor;
        const Family of = family == AF_INET ? Family::ipv4 : Family::ipv6;
        if (net::bind_randomly(descriptor, of, self->relay_.random_) != 0) {
            self->error_ = errno;
            close(descriptor);
            return ARES_SOCKET_BAD;
        }
        self->datagram_ = descriptor;
        return descriptor;
    }
    static int close_socket(ares_socket_t descriptor, void* data) {
        auto* self = static_cast<Channel*>(data);
        self->polls_.watch(descriptor, false, false);
        if (descriptor == self->datagram_) self->datagram_ = -1;
        return close(descriptor);
    }
    static int connect_socket(ares_socket_t descriptor, const sockaddr* to, ares_socklen_t length, void*) {
        return connect(descriptor, to, length);
    }
    static ares_ssize_t send_all(ares_socket_t descriptor, const iovec* parts, int count, void*) {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts);
        message.msg_iovlen = static_cast<std::size_t>(count);
        return sendmsg(descriptor, &message, MSG_NOSIGNAL);
    }
    /// Datagrams are judged here; c-ares gets to see only those that tell it to go on by stream.
    static ares_ssize_t receive(ares_socket_t descriptor, void* buffer, size_t size, int flags, sockaddr* from,
                                ares_socklen_t* length, void* data) {
        auto* self = static_cast<Channel*>(data);
        const ares_ssize_t count = recvfrom(descriptor, buffer, size, flags, from, length);
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) self->error_ = errno;
        if (count <= 0 || descriptor != self->datagram_) return count;
        const BytesView view(static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(count));
        switch (self->by_datagram_(view)) {
            case net::Match::accept:
                if (is_truncated(view)) return count;
                self->reply_.message.assign(view.begin(), view.end());
                break;
            case net::Match::suspect:
                self->reply_.suspicious = true;
                break;
            case net::Match::ignore:
                break;
        }
        errno = EAGAIN;
        return -1;
    }

    AresRelay& relay_;
    net::Matcher by_datagram_, by_stream_;
    BudgetRef budget_;
    net::PollSet polls_;
    ares_channel channel_ = nullptr;
    net::DatagramReply reply_;
    int datagram_ = -1;
    int status_ = ARES_SUCCESS;
    int error_ = 0;
    bool ended_ = false, budget_ended_ = false;
};

AresRelay::AresRelay(net::UvLoop& loop, Random& random)
    : loop_(loop), random_(random), library_(ares_library_init(ARES_LIB_INIT_ALL)) {}

AresRelay::~AresRelay() {
    if (library_ == ARES_SUCCESS) ares_library_cleanup();
}

task::Task<Result<net::DatagramReply>> AresRelay::ask_by(Transport transport, RelayQuestion question) {
    if (library_ != ARES_SUCCESS || channels_ >= most_channels) {
        co_return fail(FailureKind::system, "RFCH"_code, "cannot be asked: too many questions to forwarders under way");
    }
    const MonoTime deadline = question.deadline;
    const auto left = std::chrono::duration_cast<Duration>(std::max(deadline - loop_.now(), MonoTime::duration{0}));
    Channel channel(*this, question);
    if (const int status = channel.open(question.forwarder, transport, left); status != ARES_SUCCESS) {
        co_return fail(FailureKind::system, "RFOP"_code, std::string("cannot be asked: ") + ares_strerror(status));
    }
    channel.send(question.query);
    bool in_time = true;
    while (!channel.done() && in_time) {
        in_time = co_await channel.wait(deadline);
        channel.process();
    }
    co_return channel.result();
}

task::Task<Result<Bytes>> AresRelay::ask(RelayQuestion question) {
    RelayQuestion first = question;
    Result<net::DatagramReply> reply = co_await ask_by(Transport::datagram, std::move(first));
    // Somebody guesses, or the forwarder does not keep the question's letters: the stream settles it (A26).
    if (reply && reply->suspicious) reply = co_await ask_by(Transport::stream, std::move(question));
    if (!reply) co_return fail(std::move(reply.error()));
    co_return std::move(reply->message);
}

}  // namespace mxtrust::resolve
