// Values of the configuration that are made of parts: words, endpoints, networks, names with dates, lists of tables.
#pragma once

#include <array>
#include <string>

#include "daemon/configuration.h"
#include "daemon/values.h"

namespace mxtrust::daemon {

Done wrong_word(const Value& value, std::string_view wanted);

/// One of a few words.
template <class Choice, std::size_t count>
Done read_word(const Value& value, const std::array<std::pair<std::string_view, Choice>, count>& words,
               Choice& target) {
    std::string wanted;
    for (std::size_t index = 0; index < count; ++index) {
        const std::string_view word = words.at(index).first;
        if (const auto* text = value.node.as_string(); text != nullptr && text->get() == word) {
            target = words.at(index).second;
            return {};
        }
        wanted += (index == 0 ? "\"" : index + 1 == count ? " or \"" : ", \"") + std::string(word) + "\"";
    }
    return wrong_word(value, wanted);
}

Done read_mode(const Value& value, std::uint32_t& target);
/// A user's or group's name; whether it exists is found out at start.
Done read_account(const Value& value, std::string& target);
/// "", the path of a socket, or an address of this machine's own with a port: the figures are for nobody else.
Done read_metrics_listen(const Value& value, std::string& target);
Done read_endpoints(const Value& value, std::vector<Endpoint>& target);
Done read_networks(const Value& value, std::vector<Network>& target);
Done read_names(const Value& value, std::vector<dns::Name>& target);
Done read_iteration_limits(const Value& value, std::vector<dnssec::IterationLimit>& target);
Done read_negative_anchors(const Value& value, std::vector<dnssec::NegativeAnchor>& target);
Done read_exceptions(const Value& value, std::vector<mail::Exception>& target);
Done read_time(const Value& value, WallTime& target);
Done read_root_hints(const Value& value, std::optional<std::vector<RootHint>>& target);
Done read_anchor_texts(const Value& value, std::optional<std::vector<std::string>>& target);

}  // namespace mxtrust::daemon
