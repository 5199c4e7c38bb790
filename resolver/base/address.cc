// Addresses: text, and the IANA special-purpose registries (RFC 6890 and its updates; read in August 2026).
#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/require.h"

namespace mxtrust {

namespace {

struct Prefix {
    std::array<std::uint8_t, 8> octets;  ///< no entry needs more than the first 64 bits
    unsigned bits;
};

bool in_prefix(BytesView octets, BytesView prefix, unsigned bits) {
    const std::size_t whole = bits / 8;
    if (!std::equal(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(whole), prefix.begin())) {
        return false;
    }
    const unsigned rest = bits % 8;
    if (rest == 0) {
        return true;
    }
    const auto mask = static_cast<std::uint8_t>(0xffU << (8 - rest));
    return (octets[whole] & mask) == (prefix[whole] & mask);
}

/// Special-purpose blocks of IPv4. Not here: those that are globally reachable for everybody (AS112, AMT).
constexpr auto special_ipv4 = std::to_array<Prefix>({
    {{0}, 8},              // "this network", RFC 791 3.2
    {{10}, 8},             // private, RFC 1918
    {{100, 64}, 10},       // shared, RFC 6598
    {{127}, 8},            // loopback
    {{169, 254}, 16},      // link-local, RFC 3927
    {{172, 16}, 12},       // private
    {{192, 0, 0}, 24},     // protocol assignments, RFC 6890
    {{192, 0, 2}, 24},     // documentation, RFC 5737
    {{192, 88, 99}, 24},   // 6to4 relays, gone with RFC 7526
    {{192, 168}, 16},      // private
    {{198, 18}, 15},       // benchmarks, RFC 2544
    {{198, 51, 100}, 24},  // documentation
    {{203, 0, 113}, 24},   // documentation
    {{224}, 4},            // multicast
    {{240}, 4},            // reserved, and 255.255.255.255
});

/// Special-purpose blocks of IPv6, without those that carry an IPv4 address and are judged by it.
constexpr auto special_ipv6 = std::to_array<Prefix>({
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48},  // local NAT64, RFC 8215
    {{0x01, 0x00}, 16},                          // discard-only 100::/64 and its neighbours, RFC 6666
    {{0x20, 0x01, 0x00}, 23},                    // protocol assignments (Teredo, benchmarks, ORCHID), RFC 2928
    {{0x20, 0x01, 0x0d, 0xb8}, 32},              // documentation, RFC 3849
    {{0x3f, 0xff, 0x00}, 20},                    // documentation, RFC 9637
    {{0x5f, 0x00}, 16},                          // segment routing, RFC 9602
    {{0xfc}, 7},                                 // unique local, RFC 4193
    {{0xfe, 0x80}, 10},                          // link-local
    {{0xfe, 0xc0}, 10},                          // site-local, RFC 3879
    {{0xff}, 8},                                 // multicast
});

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> nat64_prefix{0, 0x64, 0xff, 0x9b};
constexpr std::array<std::uint8_t, 2> six_to_four_prefix{0x20, 0x02};

bool is_special_ipv4(BytesView octets) {
    return std::ranges::any_of(
        special_ipv4, [octets](const Prefix& prefix) { return in_prefix(octets, prefix.octets, prefix.bits); });
}

bool is_special_ipv6(BytesView octets) {
    // ::/80: unspecified, loopback, the long-gone IPv4-compatible ones (RFC 4291 2.5.5.1) and the IPv4-mapped ones.
    if (std::all_of(octets.begin(), octets.begin() + 10, [](std::uint8_t octet) { return octet == 0; })) {
        return true;
    }
    if (in_prefix(octets, nat64_prefix, 96)) {
        return is_special_ipv4(octets.subspan(12, 4));  // RFC 6052 3.1
    }
    if (in_prefix(octets, six_to_four_prefix, 16)) {
        return is_special_ipv4(octets.subspan(2, 4));  // RFC 3056 2
    }
    return std::ranges::any_of(
        special_ipv6, [octets](const Prefix& prefix) { return in_prefix(octets, prefix.octets, prefix.bits); });
}

bool is_unusable_ipv4(BytesView octets) {
    const bool multicast = (octets[0] & 0xf0U) == 0xe0U;
    const auto all = [octets](std::uint8_t value) {
        return std::ranges::all_of(octets, [value](std::uint8_t octet) { return octet == value; });
    };
    return multicast || all(0) || all(255);
}

}  // namespace

Result<Address> Address::from_rdata(BytesView rdata) {
    if (rdata.size() != 4 && rdata.size() != 16) {
        return fail(FailureKind::malformed, "BADR"_code, "an address has 4 or 16 octets");
    }
    Address address;
    address.family_ = rdata.size() == 4 ? Family::ipv4 : Family::ipv6;
    std::ranges::copy(rdata, address.octets_.begin());
    return address;
}

Result<Address> Address::from_text(std::string_view text) {
    const std::string terminated(text);
    Address address;
    // inet_pton stops at a NUL; what follows one must not be ignored.
    if (text.find('\0') == std::string_view::npos) {
        if (::inet_pton(AF_INET, terminated.c_str(), address.octets_.data()) == 1) {
            return address;
        }
        if (::inet_pton(AF_INET6, terminated.c_str(), address.octets_.data()) == 1) {
            address.family_ = Family::ipv6;
            return address;
        }
    }
    return fail(FailureKind::malformed, "BTXT"_code, "not an IPv4 or IPv6 address");
}

std::string Address::to_text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = family_ == Family::ipv4 ? AF_INET : AF_INET6;
    require(::inet_ntop(family, octets_.data(), text.data(), text.size()) != nullptr);
    return text.data();
}

bool Address::is_special_purpose() const {
    return family_ == Family::ipv4 ? is_special_ipv4(octets()) : is_special_ipv6(octets());
}

bool Address::is_loopback() const {
    if (family_ == Family::ipv4) return octets_[0] == 127;
    static constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return octets_ == one;
}

bool Address::is_unusable() const {
    if (family_ == Family::ipv4) {
        return is_unusable_ipv4(octets());
    }
    if (in_prefix(octets(), mapped_prefix, 96)) {
        return is_unusable_ipv4(octets().subspan(12, 4));
    }
    const bool unspecified = std::ranges::all_of(octets_, [](std::uint8_t octet) { return octet == 0; });
    return unspecified || octets_[0] == 0xff;
}

std::string Endpoint::to_text() const {
    const std::string host = address.family() == Family::ipv4 ? address.to_text() : "[" + address.to_text() + "]";
    return host + ":" + std::to_string(port);
}

}  // namespace mxtrust
