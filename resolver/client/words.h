// Replies of the daemon as text for a person. What a reply lacks is left out; nothing is invented.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "client/arguments.h"
#include "client/layout.h"

namespace mxtrust::client {

using Json = nlohmann::ordered_json;

enum ExitStatus : int { deliver = 0, defer = 1, bounce = 2, wrong_usage = 64, unavailable = 69 };

[[nodiscard]] std::string words_of(Command command, const Json& reply, Colour colour);
/// For mail the decision; else 0, and 1 for what is bogus, could not be found out, or is forbidden.
[[nodiscard]] ExitStatus status_of(Command command, const Json& reply);

// Pieces that all files of this room's renderers use.
[[nodiscard]] std::string text_at(const Json& json, const char* key);     ///< "" where there is none
[[nodiscard]] std::int64_t number_at(const Json& json, const char* key);  ///< 0 where there is none
[[nodiscard]] const Json& member(const Json& json, const char* key);      ///< null where there is none
[[nodiscard]] std::string plain_words(const Json& text);                  ///< "" where it is no text
[[nodiscard]] std::int64_t plain_number(const Json& number);  ///< whole, at most 53 bits; 0 where it is no number
/// What ONE makes of each entry, between commas; "" where there is no list.
[[nodiscard]] std::string list_words(const Json& list, const auto& one) {
    std::string all;
    if (!list.is_array()) return all;
    for (const Json& entry : list) all += (all.empty() ? "" : ", ") + one(entry);
    return all;
}
/// "secure", "not signed", "none", "bogus", "failed", "not asked"
[[nodiscard]] std::string condition(const Json& status);
/// "secure, signed by example.org, good for 59 min", "bogus: the signature …"
[[nodiscard]] std::string status_words(const Json& status, std::int64_t now);
[[nodiscard]] Tone tone_of(const Json& status);

void put_mail(Page& page, const Json& reply);
void put_rrset(Page& page, const Json& reply);
void put_explanation(Page& page, const Json& reply);
/// Is any look-up of an explanation bogus or failed?
[[nodiscard]] bool explains_trouble(const Json& reply);
/// One screen of a terminal, or all that there is.
enum class Detail : std::uint8_t { glance, whole };
/// `failing` of the reply, where there is one, is that of the reply to the request "failing".
void put_status(Page& page, const Json& reply, Detail detail);
void put_failing(Page& page, const Json& reply);
void put_flushed(Page& page, const Json& reply);

}  // namespace mxtrust::client
