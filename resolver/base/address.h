// Internet addresses and endpoints as values, and which of them may be asked on the Internet.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/keyed_hash.h"

namespace mxtrust {

enum class Family : std::uint8_t { ipv4, ipv6 };

class Address {
  public:
    Address() = default;  ///< 0.0.0.0
    /// From the rdata of A (4 octets) or AAAA (16 octets); other lengths are an error.
    static Result<Address> from_rdata(BytesView rdata);
    static Result<Address> from_text(std::string_view text);
    [[nodiscard]] Family family() const { return family_; }
    [[nodiscard]] BytesView octets() const {
        return {octets_.data(), family_ == Family::ipv4 ? std::size_t{4} : std::size_t{16}};
    }
    [[nodiscard]] std::string to_text() const;
    /// Loopback, private, link-local, shared (100.64/10), multicast, unspecified, broadcast, documentation, v4-mapped,
    /// 6to4 of such, unique local …: IANA special-purpose registries. An authority may not have one in production
    /// (A33).
    [[nodiscard]] bool is_special_purpose() const;
    /// 127.0.0.0/8, ::1.
    [[nodiscard]] bool is_loopback() const;
    /// Can never be a server, not even in tests: unspecified, multicast, broadcast.
    [[nodiscard]] bool is_unusable() const;
    friend auto operator<=>(const Address&, const Address&) = default;

  private:
    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> octets_{};
};

struct Endpoint {
    Address address;
    std::uint16_t port = 53;
    [[nodiscard]] std::string to_text() const;  ///< "192.0.2.1:53", "[2001:db8::1]:53"
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// For hash tables; keyed, because strangers choose the addresses (see dns::NameHash).
class AddressHash {
  public:
    explicit AddressHash(HashKey key) : key_(key) {}
    std::size_t operator()(const Address& address) const { return keyed_hash(key_, address.octets()); }

  private:
    HashKey key_;
};

}  // namespace mxtrust
