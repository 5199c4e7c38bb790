// The shared pieces of replies, as JSON.
#include "serve/json.h"

#include "resolve/remedy.h"
#include "serve/render.h"

namespace mxtrust::serve {

std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json begin_reply(std::string_view id) {
    Json reply;
    // An id comes from parse_request and is JSON; anything else would be our own mistake and must not break the line.
    Json parsed = Json::parse(id, nullptr, false);
    reply["id"] = parsed.is_discarded() ? Json(nullptr) : std::move(parsed);
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
