// Sets of addresses: who may ask, and which addresses are private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace mxtrust {

/// "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one.
class Network {
  public:
    /// An error where the address does not parse, the prefix is too long, or bits behind the prefix are set.
    static Result<Network> from_text(std::string_view text);
    [[nodiscard]] bool contains(const Address& address) const;
    [[nodiscard]] std::string to_text() const;
    friend bool operator==(const Network&, const Network&) = default;

  private:
    Address address_;
    std::uint8_t prefix_ = 32;
};

/// An IPv4 client of an IPv6 socket (::ffff:192.0.2.1) counts as IPv4.
[[nodiscard]] bool is_allowed(const std::vector<Network>& networks, const Address& client);

}  // namespace mxtrust
