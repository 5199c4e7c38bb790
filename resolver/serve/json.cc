// The shared pieces of replies, as JSON.
#include "serve/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/require.h"
#include "resolve/remedy.h"
#include "serve/render.h"

namespace mxtrust::serve {

namespace {

/// Of text as our own words and names are, nothing but these two needs care.
bool is_plain(char letter) {
    return letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\';
}

std::string quoted(std::string_view text) {
    if (!std::ranges::all_of(text, is_plain))
        return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string quoted;
    quoted.reserve(text.size() + 2);
    quoted += '"';
    quoted += text;
    quoted += '"';
    return quoted;
}

}  // namespace

Json::Json(std::string_view text) : text_(quoted(text)) {}

Json::Json(const std::vector<std::string>& texts) : text_("["), end_(']') {
    for (const std::string& text : texts) push_back(text);
}

Json Json::array() {
    return Json(std::vector<std::string>());
}

Json Json::parsed(std::string_view text) {
    const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    Json json(nullptr);
    if (!value.is_discarded()) json.text_ = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return json;
}

void Json::separate() {
    if (text_.size() > 1) text_ += ',';
}

void Json::Member::operator=(const Json& value) && {
    require(object_.end_ == '}');
    object_.separate();
    object_.text_ += '"';
    object_.text_ += key_;
    object_.text_ += "\":";
    object_.text_ += value.text_;
    if (value.end_ != 0) object_.text_ += value.end_;
}

void Json::push_back(const Json& value) {
    require(end_ == ']');
    separate();
    text_ += value.text_;
    if (value.end_ != 0) text_ += value.end_;
}

void Json::update(const Json& object) {
    require(end_ == '}' && object.end_ == '}');
    if (object.text_.size() == 1) return;
    separate();
    text_.append(object.text_, 1);
}

std::string Json::line() const {
    return end_ != 0 ? text_ + end_ : text_;
}

Json begin_reply(std::string_view id) {
    Json reply;
    // An id comes from parse_request and is JSON; anything else would be our own mistake and must not break the line.
    reply["id"] = Json::parsed(id);
    reply["version"] = protocol_version;
    return reply;
}

Json text_or_null(std::string_view text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json ede_json(const dnssec::Reason& reason) {
    if (!reason.ede) return nullptr;
    Json ede;
    ede["code"] = static_cast<std::uint16_t>(*reason.ede);
    ede["text"] = reason.text;
    return ede;
}

Json reason_json(const dnssec::Reason& reason) {
    return text_or_null(reason.text);
}

Json culprit_json(const dnssec::Reason& reason) {
    if (reason.text.empty()) return nullptr;
    Json culprit;
    culprit["zone"] = reason.zone ? Json(reason.zone->to_text()) : Json(nullptr);
    culprit["record"] = text_or_null(reason.record);
    culprit["server"] = text_or_null(reason.server);
    culprit["key_tag"] = reason.key_tag ? Json(*reason.key_tag) : Json(nullptr);
    culprit["when"] = reason.when ? Json(reason.when->seconds) : Json(nullptr);
    culprit["place"] = reason.code.view();
    return culprit;
}

Json remedy_json(const dnssec::Reason& reason) {
    const std::optional<resolve::Remedy> remedy = resolve::remedy_of(reason);
    if (!remedy) return nullptr;
    Json json;
    json["fault"] = remedy->fault;
    json["party"] = resolve::to_text(remedy->party);
    json["text"] = remedy->text;
    return json;
}

Json names_json(const std::vector<dns::Name>& names) {
    Json list = Json::array();
    for (const dns::Name& name : names) list.push_back(name.to_text());
    return list;
}

Json words_json(const std::vector<mail::OperatorsWord>& words) {
    Json list = Json::array();
    for (const mail::OperatorsWord& word : words) {
        Json one;
        const bool anchor = word.kind == mail::OperatorsWord::Kind::negative_trust_anchor;
        one["kind"] = anchor ? "negative-trust-anchor" : "exception";
        one["on"] = word.on;
        one["name"] = word.name.to_text();
        one["subdomains"] = word.subdomains;
        one["action"] = word.action;
        one["reason"] = word.reason;
        one["expires"] = word.expires.seconds;
        one["text"] = word.text;
        list.push_back(std::move(one));
    }
    return list;
}

}  // namespace mxtrust::serve
