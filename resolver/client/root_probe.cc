// POSIX datagram sockets, connected, so that a refusal of the kernel ends the wait.
#include "client/root_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/clock.h"
#include "base/random.h"

namespace mxtrust::client {
namespace {

constexpr std::uint16_t dns_port = 53;

/// One question under way; the descriptor is closed with it.
class Asking {
  public:
    Asking(const Address& server, std::uint16_t id) : server_(server), id_(id) {
        const Bytes query = probe_query(id);
        sockaddr_storage address{};
        const socklen_t length = fill(address);
        descriptor_ = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (descriptor_ < 0) return;
        if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
            send(descriptor_, query.data(), query.size(), MSG_NOSIGNAL) < 0) {
            end();
        }
    }
    Asking(Asking&& other) noexcept
        : server_(other.server_), id_(other.id_), descriptor_(std::exchange(other.descriptor_, -1)) {}
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    Asking& operator=(Asking&&) = delete;
    ~Asking() { end(); }

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Takes what has come. A forged or late datagram is none.
    void take(Probe& probe) {
        std::array<std::uint8_t, 4096> datagram{};
        const ssize_t count = recv(descriptor_, datagram.data(), datagram.size(), 0);
        if (count < 0) return end();
        probe = judge_probe(server_, id_, {datagram.data(), static_cast<std::size_t>(count)});
        if (probe.answered) end();
    }

  private:
    void end() {
        if (descriptor_ >= 0) close(descriptor_);
        descriptor_ = -1;
    }
    socklen_t fill(sockaddr_storage& storage) const {
        if (server_.family() == Family::ipv4) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(dns_port);
            std::memcpy(&address.sin_addr, server_.octets().data(), sizeof address.sin_addr);
            std::memcpy(&storage, &address, sizeof address);
            return sizeof address;
        }
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(dns_port);
        std::memcpy(&address.sin6_addr, server_.octets().data(), sizeof address.sin6_addr);
        std::memcpy(&storage, &address, sizeof address);
        return sizeof address;
    }

    Address server_;
    std::uint16_t id_;
    int descriptor_ = -1;
};

}  // namespace

Bytes probe_query(std::uint16_t id) {
    dns::Message query;
    query.id = id;
    query.recursion_desired = true;
    query.authentic_data = true;
    query.question = dns::Question{dns::Name(), dns::Type::ns, dns::Class::in, {}};
    query.edns = dns::Edns{};
    query.edns->dnssec_ok = true;
    return dns::render_message(query);
}

Probe judge_probe(const Address& server, std::uint16_t id, BytesView reply) {
    Probe probe;
    probe.server = server;
    const auto message = dns::parse_message(reply);
    if (!message || !message->response || message->id != id) return probe;
    // An error may come without the question; an answer may not.
    if (message->question && (!message->question->name.is_root() || message->question->type != dns::Type::ns))
        return probe;
    probe.answered = true;
    probe.rcode = message->rcode;
    const bool named = std::any_of(message->answer.begin(), message->answer.end(),
                                   [](const dns::Record& record) { return record.type == dns::Type::ns; });
    probe.authentic = message->question && message->rcode == dns::Rcode::noerror && named && message->authentic_data;
    return probe;
}

std::vector<Probe> probe_all(const std::vector<Address>& servers, std::chrono::milliseconds patience) {
    std::vector<Probe> probes;
    std::vector<Asking> askings;
    SystemRandom random;
    for (const Address& server : servers) {
        probes.push_back({server, false, dns::Rcode::noerror, false});
        askings.emplace_back(server, static_cast<std::uint16_t>(random.below(65536)));
    }
    const SystemClock clock;
    const MonoTime end = clock.mono() + patience;
    while (true) {
        std::vector<pollfd> waiting;
        for (const Asking& asking : askings) waiting.push_back({asking.descriptor(), POLLIN, 0});
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock.mono());
        const bool nobody = std::all_of(waiting.begin(), waiting.end(), [](const pollfd& one) { return one.fd < 0; });
        if (nobody || left.count() <= 0) return probes;
        if (poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) < 0) continue;
        for (std::size_t index = 0; index < waiting.size(); ++index) {
            if (waiting[index].fd >= 0 && waiting[index].revents != 0) askings[index].take(probes[index]);
        }
    }
}

}  // namespace mxtrust::client
