// Short forms for the tests of dns/.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "dns/message.h"

namespace mxtrust::dns::testing {

inline Name name(std::string_view text) {
    return Name::from_text(text).value();
}
inline Bytes hex(std::string_view text) {
    return from_hex(text).value();
}
inline Bytes rdata(Type type, std::string_view text) {
    return rdata_from_text(type, text).value();
}
inline Record record(std::string_view owner, Type type, std::string_view text, std::uint32_t ttl = 3600) {
    return Record{name(owner), type, Class::in, Ttl(ttl), rdata(type, text)};
}

/// Names over few octets, so that they meet: among them those that the lookup key escapes, and letters of both cases.
inline Name random_name(Random& random, std::size_t most_labels = 5, std::size_t most_octets = 4) {
    constexpr std::string_view octets(
        "\x00\x01\x02"
        "aAbz.\\*\xff",
        11);
    Name made;
    for (std::uint64_t labels = random.below(most_labels + 1); labels > 0; --labels) {
        std::string label;
        for (std::uint64_t left = 1 + random.below(most_octets); left > 0; --left) {
            label.push_back(octets[random.below(octets.size())]);
        }
        auto longer = made.prepend(label);
        if (!longer) break;
        made = std::move(*longer);
    }
    return made;
}

}  // namespace mxtrust::dns::testing
