// Datagram sockets that serve: answers leave from the address that was asked.
//
// Under load questions are taken several at a time, and what is answered at once leaves together: a system call for
// each would cost more than the answer. Not many at a time, as the other workers take from the same socket.
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/server.h"
#include "net/sockaddr.h"

namespace mxtrust::net {
namespace {

constexpr std::size_t most_taken_alone = 32;  // datagrams of one system call
constexpr std::size_t most_taken_shared = 8;
constexpr std::size_t most_at_once = 64;            // datagrams read before other work gets its turn
constexpr int most_rounds_left = 64;                // of so many, when the server takes leave
constexpr std::size_t most_question_octets = 4096;  // questions are small; what is longer is dropped
constexpr std::size_t most_gathered_octets =
    512;  // of a reply that fits any path: nobody needs to know whether it went

class Server;

struct Poller {
    uv_poll_t handle{};
    Server* server = nullptr;
};

using Control = std::array<char, 64>;
static_assert(sizeof(Control) >= CMSG_SPACE(sizeof(in6_pktinfo)));

void note_local_address(msghdr& header, DatagramPeer& peer) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            peer.interface = static_cast<unsigned>(info.ipi_ifindex);
            peer.local = SocketAddress::address(info.ipi_spec_dst);
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            peer.interface = info.ipi6_ifindex;
            peer.local = SocketAddress::address(info.ipi6_addr);
        }
    }
}

template <class Info>
void put_control(msghdr& header, Control& control, int level, int type, const Info& info) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(item), &info, sizeof info);
}

/// The address that was asked. Where the socket has but one, the kernel puts it.
void put_source(msghdr& header, Control& control, const DatagramPeer& peer) {
    header.msg_control = nullptr;
    header.msg_controllen = 0;
    if (!peer.local) return;
    const BytesView octets = peer.local->octets();
    if (peer.local->family() == Family::ipv4) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, octets.data(), octets.size());
        put_control(header, control, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, octets.data(), octets.size());
        info.ipi6_ifindex = peer.interface;
        put_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

/// Datagrams as the kernel fills them in, some at a time.
class Taken {
  public:
    explicit Taken(std::size_t most) : places_(most), headers_(most) {
        for (std::size_t index = 0; index < most; ++index) {
            Place& place = places_[index];
            place.piece = {place.octets.data(), place.octets.size()};
            headers_[index].msg_hdr.msg_iov = &place.piece;
            headers_[index].msg_hdr.msg_iovlen = 1;
        }
    }
    /// How many there are now; none where there is nothing to read.
    std::size_t take(int descriptor) {
        for (std::size_t index = 0; index < headers_.size(); ++index) {
            msghdr& header = headers_[index].msg_hdr;
            header.msg_name = &places_[index].from;
            header.msg_namelen = sizeof places_[index].from;
            header.msg_control = places_[index].control.data();
            header.msg_controllen = places_[index].control.size();
        }
        const int count =
            recvmmsg(descriptor, headers_.data(), static_cast<unsigned>(headers_.size()), MSG_DONTWAIT, nullptr);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    [[nodiscard]] std::size_t most() const { return headers_.size(); }
    [[nodiscard]] bool is_whole(std::size_t index) const {
        return (headers_[index].msg_hdr.msg_flags & MSG_TRUNC) == 0;
    }
    [[nodiscard]] BytesView octets(std::size_t index) const {
        return {places_[index].octets.data(), headers_[index].msg_len};
    }
    [[nodiscard]] DatagramPeer peer(std::size_t index) {
        DatagramPeer peer;
        peer.from = SocketAddress::endpoint(reinterpret_cast<const sockaddr*>(&places_[index].from));
        note_local_address(headers_[index].msg_hdr, peer);
        return peer;
    }

  private:
    struct Place {
        sockaddr_storage from{};
        iovec piece{};
        alignas(cmsghdr) Control control{};
        std::array<std::uint8_t, most_question_octets> octets;
    };
    std::vector<Place> places_;
    std::vector<mmsghdr> headers_;
};

/// Replies that leave together.
class Gathered {
  public:
    explicit Gathered(std::size_t most) : places_(most), headers_(most) {
        for (std::size_t index = 0; index < most; ++index) headers_[index].msg_hdr.msg_iov = &places_[index].piece;
    }
    [[nodiscard]] bool is_full() const { return count_ == headers_.size(); }
    void add(const DatagramPeer& peer, BytesView data) {
        Place& place = places_[count_];
        std::ranges::copy(data, place.octets.begin());
        place.piece = {place.octets.data(), data.size()};
        place.to = SocketAddress(peer.from);
        msghdr& header = headers_[count_].msg_hdr;
        header.msg_name = place.to.raw();
        header.msg_namelen = place.to.size();
        header.msg_iovlen = 1;
        put_source(header, place.control, peer);
        ++count_;
    }
    /// A full buffer drops what is left; the clients ask again.
    void send(int descriptor) {
        std::size_t sent = 0;
        while (sent < count_) {
            const int done = sendmmsg(descriptor, &headers_[sent], static_cast<unsigned>(count_ - sent), MSG_DONTWAIT);
            if (done < 0 && (errno == EAGAIN || errno == ENOBUFS)) break;
            sent += done > 0 ? static_cast<std::size_t>(done) : 1;  // that one cannot be sent; others may
        }
        count_ = 0;
    }

  private:
    struct Place {
        SocketAddress to;
        iovec piece{};
        alignas(cmsghdr) Control control{};
        std::array<std::uint8_t, most_gathered_octets> octets;
    };
    std::vector<Place> places_;
    std::vector<mmsghdr> headers_;
    std::size_t count_ = 0;
};

class Server final : public DatagramServer {
  public:
    Server(Listening listening, DatagramHandler handler, std::size_t most_taken)
        : listening_(std::move(listening)),
          handler_(std::make_shared<const DatagramHandler>(std::move(handler))),
          taken_(std::make_shared<Taken>(most_taken)),
          gathered_(most_taken) {}
    ~Server() override { stop(); }

    Done begin(UvLoop& loop) {
        auto poller = std::make_unique<Poller>();
        poller->server = this;
        int status = uv_poll_init_socket(loop.raw(), &poller->handle, listening_.descriptor());
        if (status != 0)
            return fail(FailureKind::system, "NDPI"_code,
                        std::string("cannot wait for datagrams: ") + uv_strerror(status));
        poller->handle.data = poller.get();
        poller_ = poller.release();
        status = uv_poll_start(&poller_->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
            Server* server = static_cast<Poller*>(handle->data)->server;
            if (server != nullptr) server->read();
        });
        if (status != 0)
            return fail(FailureKind::system, "NDPS"_code,
                        std::string("cannot wait for datagrams: ") + uv_strerror(status));
        return {};
    }
    Sent reply(const DatagramPeer& peer, BytesView data) override {
        if (gathering_ && data.size() <= most_gathered_octets) {
            if (gathered_.is_full()) gathered_.send(listening_.descriptor());
            gathered_.add(peer, data);
            return Sent::yes;
        }
        SocketAddress remote(peer.from);
        iovec piece{};
        piece.iov_base = const_cast<std::uint8_t*>(data.data());  // sendmsg does not write to it
        piece.iov_len = data.size();
        alignas(cmsghdr) Control control{};
        msghdr header{};
        header.msg_name = remote.raw();
        header.msg_namelen = remote.size();
        header.msg_iov = &piece;
        header.msg_iovlen = 1;
        put_source(header, control, peer);
        // A full buffer drops the reply; the client asks again.
        const ssize_t sent = sendmsg(listening_.descriptor(), &header, MSG_DONTWAIT);
        return sent < 0 && errno == EMSGSIZE ? Sent::too_large : Sent::yes;
    }
    void drain() override {
        // Of a socket that only we have, what is left unread would be lost; of one that systemd keeps, it would wait.
        for (int round = 0; round < most_rounds_left && poller_ != nullptr; ++round) {
            if (!read()) break;
        }
        stop();
    }
    void stop() override {
        leave_together();
        if (poller_ == nullptr) return;
        poller_->server = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(&poller_->handle),
                 [](uv_handle_t* handle) { std::unique_ptr<Poller>(static_cast<Poller*>(handle->data)).reset(); });
        poller_ = nullptr;
    }

  private:
    void leave_together() {
        gathering_ = false;
        gathered_.send(listening_.descriptor());
    }
    /// False where there is nothing more to read.
    bool read() {
        // The handler may destroy this server, and itself with it: both are looked at through what outlives them.
        const std::shared_ptr<const DatagramHandler> handler = handler_;
        const std::shared_ptr<Taken> taken = taken_;
        for (std::size_t all = 0; all < most_at_once; all += taken->most()) {
            const std::size_t count = taken->take(listening_.descriptor());
            gathering_ = count > 1;
            for (std::size_t index = 0; index < count; ++index) {
                if (!taken->is_whole(index)) continue;
                (*handler)(taken->octets(index), taken->peer(index));
                if (handler.use_count() < 2 || poller_ == nullptr) return false;
            }
            leave_together();
            if (count < taken->most()) return false;
        }
        return true;
    }

    Listening listening_;
    std::shared_ptr<const DatagramHandler> handler_;
    Poller* poller_ = nullptr;  // owned by libuv until closed
    std::shared_ptr<Taken> taken_;
    Gathered gathered_;
    bool gathering_ = false;  ///< what is said now leaves together, in a moment
};

}  // namespace

Result<std::unique_ptr<DatagramServer>> DatagramServer::start(UvLoop& loop, Listening listening,
                                                              DatagramHandler handler, Takers takers) {
    const std::size_t most = takers == Takers::one ? most_taken_alone : most_taken_shared;
    auto server = std::make_unique<Server>(std::move(listening), std::move(handler), most);
    Done begun = server->begin(loop);
    if (!begun) return fail(std::move(begun.error()));
    return server;
}

}  // namespace mxtrust::net
