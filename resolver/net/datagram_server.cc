// Datagram sockets that serve: answers leave from the address that was asked.
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/server.h"
#include "net/sockaddr.h"

namespace mxtrust::net {
namespace {

constexpr int most_at_once = 64;      // datagrams read before other work gets its turn
constexpr int most_rounds_left = 64;  // of so many, when the server takes leave

class Server;

struct Poller {
    uv_poll_t handle{};
    Server* server = nullptr;
};

Address local_address(msghdr& header, unsigned& interface) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        Bytes octets;
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            interface = static_cast<unsigned>(info.ipi_ifindex);
            octets.resize(4);
            std::memcpy(octets.data(), &info.ipi_spec_dst, octets.size());
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            interface = info.ipi6_ifindex;
            octets.resize(16);
            std::memcpy(octets.data(), &info.ipi6_addr, octets.size());
        } else {
            continue;
        }
        if (Result<Address> address = Address::from_rdata(octets)) return *address;
    }
    return {};
}

class Server final : public DatagramServer {
  public:
    Server(Listening listening, DatagramHandler handler)
        : listening_(std::move(listening)), handler_(std::make_shared<const DatagramHandler>(std::move(handler))) {}
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
        SocketAddress remote(peer.from);
        iovec piece{};
        piece.iov_base = const_cast<std::uint8_t*>(data.data());  // sendmsg does not write to it
        piece.iov_len = data.size();
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
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
        if (poller_ == nullptr) return;
        poller_->server = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(&poller_->handle),
                 [](uv_handle_t* handle) { std::unique_ptr<Poller>(static_cast<Poller*>(handle->data)).reset(); });
        poller_ = nullptr;
    }

  private:
    template <std::size_t Size>
    static void put_source(msghdr& header, std::array<char, Size>& control, const DatagramPeer& peer) {
        const BytesView octets = peer.local.octets();
        header.msg_control = control.data();
        if (octets.size() == 4) {
            in_pktinfo info{};
            std::memcpy(&info.ipi_spec_dst, octets.data(), octets.size());
            header.msg_controllen = CMSG_SPACE(sizeof info);
            cmsghdr* item = CMSG_FIRSTHDR(&header);
            item->cmsg_level = IPPROTO_IP;
            item->cmsg_type = IP_PKTINFO;
            item->cmsg_len = CMSG_LEN(sizeof info);
            std::memcpy(CMSG_DATA(item), &info, sizeof info);
        } else {
            in6_pktinfo info{};
            std::memcpy(&info.ipi6_addr, octets.data(), octets.size());
            info.ipi6_ifindex = peer.interface;
            header.msg_controllen = CMSG_SPACE(sizeof info);
            cmsghdr* item = CMSG_FIRSTHDR(&header);
            item->cmsg_level = IPPROTO_IPV6;
            item->cmsg_type = IPV6_PKTINFO;
            item->cmsg_len = CMSG_LEN(sizeof info);
            std::memcpy(CMSG_DATA(item), &info, sizeof info);
        }
    }
    /// False where there is nothing more to read.
    bool read() {
        // The handler may destroy this server, and itself with it: both are looked at through what outlives them.
        const std::shared_ptr<const DatagramHandler> handler = handler_;
        for (int turn = 0; turn < most_at_once; ++turn) {
            if (handler.use_count() < 2 || poller_ == nullptr) return false;
            sockaddr_storage from{};
            iovec piece{buffer_.data(), buffer_.size()};
            alignas(cmsghdr) std::array<char, 128> control{};
            msghdr header{};
            header.msg_name = &from;
            header.msg_namelen = sizeof from;
            header.msg_iov = &piece;
            header.msg_iovlen = 1;
            header.msg_control = control.data();
            header.msg_controllen = control.size();
            const ssize_t count = recvmsg(listening_.descriptor(), &header, MSG_DONTWAIT);
            if (count < 0) return false;
            if ((header.msg_flags & MSG_TRUNC) != 0) continue;
            DatagramPeer peer;
            peer.from = SocketAddress::endpoint(reinterpret_cast<const sockaddr*>(&from));
            peer.local = local_address(header, peer.interface);
            (*handler)(BytesView(buffer_.data(), static_cast<std::size_t>(count)), peer);
        }
        return handler.use_count() >= 2 && poller_ != nullptr;
    }

    Listening listening_;
    std::shared_ptr<const DatagramHandler> handler_;
    Poller* poller_ = nullptr;               // owned by libuv until closed
    std::array<std::uint8_t, 4096> buffer_;  // questions are small; what is longer is dropped
};

}  // namespace

Result<std::unique_ptr<DatagramServer>> DatagramServer::start(UvLoop& loop, Listening listening,
                                                              DatagramHandler handler) {
    auto server = std::make_unique<Server>(std::move(listening), std::move(handler));
    Done begun = server->begin(loop);
    if (!begun) return fail(std::move(begun.error()));
    return server;
}

}  // namespace mxtrust::net
