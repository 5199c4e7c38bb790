#include "net/sockaddr.h"

#include <arpa/inet.h>

#include <cstring>

namespace mxtrust::net {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
    const BytesView octets = endpoint.address.octets();
    if (endpoint.address.family() == Family::ipv4) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        std::memcpy(&address.sin_addr, octets.data(), octets.size());
        std::memcpy(&storage_, &address, sizeof address);
    } else {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(endpoint.port);
        std::memcpy(&address.sin6_addr, octets.data(), octets.size());
        std::memcpy(&storage_, &address, sizeof address);
    }
}

SocketAddress SocketAddress::any(Family family, std::uint16_t port) {
    const Bytes zeros(family == Family::ipv4 ? 4 : 16, 0);
    Result<Address> address = Address::from_rdata(zeros);
    return address ? SocketAddress(Endpoint{*address, port}) : SocketAddress();
}

void SocketAddress::forbid_fragments(int descriptor, Family family) {
    const int four = IP_PMTUDISC_PROBE;
    const int six = IPV6_PMTUDISC_PROBE;
    if (family == Family::ipv4) {
        static_cast<void>(setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four));
    } else {
        static_cast<void>(setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six));
    }
}

socklen_t SocketAddress::size() const {
    return storage_.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

Address SocketAddress::address(const in_addr& address) {
    return Address::from_rdata(BytesView(reinterpret_cast<const std::uint8_t*>(&address), sizeof address))
        .value_or(Address());
}

Address SocketAddress::address(const in6_addr& address) {
    return Address::from_rdata(BytesView(reinterpret_cast<const std::uint8_t*>(&address), sizeof address))
        .value_or(Address());
}

Endpoint SocketAddress::endpoint(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        return {SocketAddress::address(in.sin_addr), ntohs(in.sin_port)};
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, address, sizeof in);
        return {SocketAddress::address(in.sin6_addr), ntohs(in.sin6_port)};
    }
    return {{}, 0};
}

}  // namespace mxtrust::net
