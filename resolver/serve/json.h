// The pieces that several replies share. Only for this room's renderers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"

namespace mxtrust::serve {

/// Keys stay in the order in which they were put in.
using Json = nlohmann::ordered_json;

/// One line; what is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string to_line(const Json& json);
/// {"id":ID,"version":1} with `id` as JSON.
[[nodiscard]] Json begin_reply(std::string_view id);

[[nodiscard]] Json ede_json(const dnssec::Reason& reason);      ///< {"code":7,"text":"…"} or null
[[nodiscard]] Json reason_json(const dnssec::Reason& reason);   ///< the sentence or null
[[nodiscard]] Json culprit_json(const dnssec::Reason& reason);  ///< {"zone":…,"record":…,"server":…,…} or null
[[nodiscard]] Json remedy_json(const dnssec::Reason& reason);   ///< {"fault":…,"party":…,"text":…} or null
[[nodiscard]] Json names_json(const std::vector<dns::Name>& names);
[[nodiscard]] Json text_or_null(std::string_view text);
/// [{"kind":…,"on":…,"name":…,…}]: negative trust anchors and exceptions
[[nodiscard]] Json words_json(const std::vector<mail::OperatorsWord>& words);

}  // namespace mxtrust::serve
