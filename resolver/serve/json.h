// The pieces that several replies share. Only for this room's renderers.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dnssec/finding.h"
#include "mail/answer.h"

namespace mxtrust::serve {

/// A JSON value (RFC 8259) that is written as it grows: replies are made key by key, in the order of the protocol, and
/// nobody looks at them again, so that a tree of nodes would only be built to be taken apart.
class Json {
  public:
    Json() : text_("{"), end_('}') {}  ///< an object without members
    Json(std::nullptr_t /*nothing*/) : text_("null") {}
    template <std::same_as<bool> Bool>
    Json(Bool value) : text_(value ? "true" : "false") {}
    template <std::integral Number>
        requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
    Json(Number value) : text_(std::to_string(value)) {}
    Json(std::string_view text);  ///< what is no UTF-8 becomes U+FFFD
    Json(const char* text) : Json(std::string_view(text)) {}
    Json(const std::string& text) : Json(std::string_view(text)) {}
    Json(const std::vector<std::string>& texts);
    static Json array();
    /// `text` if it is JSON, else null.
    static Json parsed(std::string_view text);

    /// A place for a member that is not there yet. Requires: an object; `key` is letters, digits, "_" and "-".
    class Member {
      public:
        Member(Json& object, std::string_view key) : object_(object), key_(key) {}
        void operator=(const Json& value) &&;

      private:
        Json& object_;
        std::string_view key_;
    };
    [[nodiscard]] Member operator[](std::string_view key) { return {*this, key}; }
    /// Requires: an array.
    void push_back(const Json& value);
    /// The members of another object behind those of this one.
    void update(const Json& object);
    /// One line, complete.
    [[nodiscard]] std::string line() const;

  private:
    void separate();
    std::string text_;  ///< without the bracket that ends an object or an array
    char end_ = 0;      ///< that bracket
};

/// What `each` makes of each.
template <class Range, class Each>
[[nodiscard]] Json list_json(const Range& range, Each each) {
    Json list = Json::array();
    for (const auto& element : range) list.push_back(each(element));
    return list;
}

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
