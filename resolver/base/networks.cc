// Address prefixes (RFC 4632 3.1, RFC 4291 2.3) and IPv4-mapped clients (RFC 4291 2.5.5.2).
#include "base/networks.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace mxtrust {
namespace {

bool bit(BytesView octets, std::size_t index) {
    return (octets[index / 8] >> (7 - index % 8) & 1) != 0;
}

Address unmapped(const Address& address) {
    constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    const BytesView octets = address.octets();
    if (address.family() == Family::ipv4 || !std::equal(prefix.begin(), prefix.end(), octets.begin())) return address;
    return Address::from_rdata(octets.subspan(12)).value_or(address);
}

}  // namespace

Result<Network> Network::from_text(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = Address::from_text(text.substr(0, slash));
    if (!address) return fail(address.error());
    Network network;
    network.address_ = *address;
    const std::size_t bits = address->octets().size() * 8;
    network.prefix_ = static_cast<std::uint8_t>(bits);
    if (slash == std::string_view::npos) return network;
    const std::string_view length = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), network.prefix_);
    if (error != std::errc() || end != length.data() + length.size() || network.prefix_ > bits) {
        return fail(FailureKind::malformed, "BNPL"_code, "the prefix length must be 0 to " + std::to_string(bits));
    }
    for (std::size_t index = network.prefix_; index < bits; ++index) {
        if (bit(address->octets(), index)) {
            return fail(FailureKind::malformed, "BNHB"_code, "the address has bits set behind the prefix");
        }
    }
    return network;
}

bool Network::contains(const Address& address) const {
    if (address.family() != address_.family()) return false;
    const BytesView its = address.octets();
    const BytesView ours = address_.octets();
    const std::size_t whole = prefix_ / 8;
    const unsigned rest = prefix_ % 8;
    if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), its.begin())) return false;
    return rest == 0 || (ours[whole] ^ its[whole]) >> (8 - rest) == 0;
}

std::string Network::to_text() const {
    return address_.to_text() + "/" + std::to_string(prefix_);
}

bool is_allowed(const std::vector<Network>& networks, const Address& client) {
    const Address plain = unmapped(client);
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(plain); });
}

}  // namespace mxtrust
