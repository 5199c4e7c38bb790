// Between this program's addresses and the operating system's.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"

namespace mxtrust::net {

/// Big enough for both families; `raw()` for system calls.
class SocketAddress {
  public:
    SocketAddress() = default;
    explicit SocketAddress(const Endpoint& endpoint);
    /// The wildcard address of a family, port 0 or given.
    static SocketAddress any(Family family, std::uint16_t port);
    [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    [[nodiscard]] sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage_); }
    [[nodiscard]] socklen_t size() const;
    /// IPv4 or IPv6; anything else gives 0.0.0.0:0.
    static Endpoint endpoint(const sockaddr* address);
    static Address address(const in_addr& address);
    static Address address(const in6_addr& address);
    /// What is sent from the socket is not fragmented, neither here nor on the way, and no (perhaps forged) ICMP makes
    /// it smaller; what does not fit the interface is EMSGSIZE (RFC 9715 3). Best effort: a kernel that refuses still
    /// sends what is far below any path's limit.
    static void forbid_fragments(int descriptor, Family family);

  private:
    sockaddr_storage storage_{};
};

}  // namespace mxtrust::net
