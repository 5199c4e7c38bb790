// One RRset with both axes, and the chain of trust link by link.
#include "dnssec/signature.h"
#include "mail/exception.h"
#include "serve/json.h"
#include "serve/render.h"

namespace mxtrust::serve {
namespace {

Json records_json(const dnssec::Finding& finding) {
    Json list = Json::array();
    if (!finding.rrset() || finding.is_alias()) return list;
    for (const Bytes& rdata : finding.rrset()->records)
        list.push_back(dns::rdata_to_text(finding.rrset()->type, rdata));
    return list;
}

Json alias_json(const dnssec::Answer& answer) {
    if (!answer.is_aliased()) return nullptr;
    Json json;
    json["security"] = dnssec::to_text(answer.alias_security());
    json["chain"] = list_json(answer.links(), [](const dnssec::FindingRef& link) { return link->name().to_text(); });
    json["expanded"] = answer.expanded().to_text();
    return json;
}

/// The links of an alias chain, each with its own verdict.
Json links_json(const dnssec::Answer& answer) {
    Json list = Json::array();
    for (const dnssec::FindingRef& link : answer.links()) {
        Json one;
        one["name"] = link->name().to_text();
        one["security"] = dnssec::to_text(link->security());
        one["outcome"] = dnssec::to_text(link->outcome());
        one["zone"] = link->zone().to_text();
        one["expires"] = link->expires().seconds;
        one["reason"] = reason_json(link->reason());
        one["remedy"] = remedy_json(link->reason());
        list.push_back(std::move(one));
    }
    return list;
}

void put_answer(Json& json, const dnssec::Answer& answer, const dnssec::NegativeAnchors& anchors, WallTime now) {
    const dnssec::Finding& last = answer.final();
    json["name"] = answer.name().to_text();
    json["type"] = dns::to_text(answer.type());
    json["time"] = now.seconds;
    json["security"] = dnssec::to_text(answer.security());
    json["outcome"] = dnssec::to_text(answer.outcome());
    json["rcode"] = dns::to_text(answer.rcode());
    json["ttl"] = last.outcome() == dnssec::Outcome::records
                      ? Json(std::max<std::int64_t>((answer.expires() - now).count(), 0))
                      : Json(nullptr);
    json["expires"] = answer.expires().seconds;
    json["ede"] = ede_json(answer.reason());
    json["reason"] = reason_json(answer.reason());
    json["culprit"] = culprit_json(answer.reason());
    json["remedy"] = remedy_json(answer.reason());
    // Of the whole: behind an unsigned alias nobody has signed what was asked for.
    json["signer"] = answer.security() == dnssec::Security::secure ? Json(last.zone().to_text()) : Json(nullptr);
    json["operator"] = words_json(mail::words_of(answer, anchors));
    json["alias"] = alias_json(answer);
    json["links"] = links_json(answer);
    json["records"] = records_json(last);
}

Json ds_json(const dns::Ds& ds) {
    Json json;
    json["key_tag"] = ds.key_tag;
    json["algorithm"] = dns::to_text(ds.algorithm);
    json["digest_type"] = static_cast<std::uint8_t>(ds.digest_type);
    json["digest"] = to_hex(ds.digest);
    return json;
}

Json key_json(const dns::Dnskey& key) {
    Json json;
    json["key_tag"] = key.key_tag;
    json["algorithm"] = dns::to_text(key.algorithm);
    json["flags"] = key.flags;
    json["secure_entry_point"] = key.is_secure_entry_point();
    json["revoked"] = key.is_revoked();
    return json;
}

Json signature_json(const dns::Rrsig& signature, WallTime now) {
    Json json;
    json["key_tag"] = signature.key_tag;
    json["algorithm"] = dns::to_text(signature.algorithm);
    json["signer"] = signature.signer.to_text();
    json["inception"] = dnssec::widen(signature.inception, now).seconds;
    json["expiration"] = dnssec::widen(signature.expiration, now).seconds;
    return json;
}

Json step_json(const resolve::ZoneStep& step, const dnssec::NegativeAnchors& anchors, WallTime now) {
    Json json;
    json["zone"] = step.zone.to_text();
    json["security"] = dnssec::to_text(step.security);
    json["ds"] = list_json(step.ds, ds_json);
    json["keys"] = list_json(step.keys, key_json);
    json["signatures"] =
        list_json(step.key_signatures, [now](const dns::Rrsig& signature) { return signature_json(signature, now); });
    json["servers"] = step.servers;
    json["ede"] = ede_json(step.reason);
    json["reason"] = reason_json(step.reason);
    json["culprit"] = culprit_json(step.reason);
    json["operator"] = words_json(mail::words_of(step.reason, anchors));
    json["remedy"] = remedy_json(step.reason);
    return json;
}

Json chain_json(const resolve::Explanation& explanation, const dnssec::NegativeAnchors& anchors, WallTime now) {
    Json chain = Json::array();
    for (const resolve::ZoneStep& step : explanation.chain) chain.push_back(step_json(step, anchors, now));
    return chain;
}

Json lookup_json(const std::optional<resolve::Explanation>& explanation, const dnssec::NegativeAnchors& anchors,
                 WallTime now) {
    if (!explanation) return nullptr;
    Json json;
    put_answer(json, explanation->answer, anchors, now);
    json["chain"] = chain_json(*explanation, anchors, now);
    return json;
}

}  // namespace

std::string render_rrset(std::string_view id, const dnssec::Answer& answer, const dnssec::NegativeAnchors& anchors,
                         WallTime now) {
    Json json = begin_reply(id);
    put_answer(json, answer, anchors, now);
    return json.line();
}

std::string render_explanation(std::string_view id, const resolve::Explanation& explanation,
                               const dnssec::NegativeAnchors& anchors, WallTime now) {
    Json json = begin_reply(id);
    put_answer(json, explanation.answer, anchors, now);
    json["chain"] = chain_json(explanation, anchors, now);
    return json.line();
}

std::string render_explanation(std::string_view id, const DomainExplanation& domain,
                               const dnssec::NegativeAnchors& anchors, WallTime now) {
    Json json = begin_reply(id);
    json["domain"] = domain.domain;
    if (domain.mx) {
        put_answer(json, domain.mx->answer, anchors, now);
        json["chain"] = chain_json(*domain.mx, anchors, now);
    }
    json["hosts"] = list_json(domain.hosts, [&](const HostExplanation& host) {
        Json one;
        one["name"] = host.name;
        one["a"] = lookup_json(host.a, anchors, now);
        one["aaaa"] = lookup_json(host.aaaa, anchors, now);
        one["tlsa"] = lookup_json(host.tlsa, anchors, now);
        return one;
    });
    json["hosts_left_out"] = domain.left_out;
    return json.line();
}

}  // namespace mxtrust::serve
