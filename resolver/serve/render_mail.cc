// The mail answer as JSON and as a line of words. Nothing is decided here; every value has its key, what is not there
// is null.
#include "dns/text.h"
#include "mail/tlsrpt.h"
#include "serve/json.h"
#include "serve/render.h"

namespace mxtrust::serve {
namespace {

Json status_json(const mail::Status& status) {
    Json json;
    json["security"] = dnssec::to_text(status.security);
    json["outcome"] = dnssec::to_text(status.outcome);
    json["rcode"] = dns::to_text(status.rcode);
    json["ttl"] = status.ttl ? Json(status.ttl->count()) : Json(nullptr);
    json["expires"] = status.expires.seconds;
    json["ede"] = ede_json(status.reason);
    json["reason"] = reason_json(status.reason);
    json["culprit"] = culprit_json(status.reason);
    json["signer"] = status.signer ? Json(status.signer->to_text()) : Json(nullptr);
    json["operator"] = words_json(status.by_operator);
    return json;
}

Json mx_json(const std::optional<mail::MxStatus>& mx) {
    if (!mx) return nullptr;
    Json json = status_json(mx->status);
    json["alias"] = mx->alias.empty() ? Json(nullptr) : names_json(mx->alias);
    json["cached"] = mx->cached;
    return json;
}

Json addresses_json(const std::optional<mail::AddressStatus>& addresses) {
    if (!addresses) return nullptr;
    Json json = status_json(addresses->status);
    json["records"] = list_json(addresses->addresses, [](const Address& address) { return address.to_text(); });
    return json;
}

Json alias_json(const std::optional<mail::AliasStatus>& alias) {
    if (!alias) return nullptr;
    Json json;
    json["security"] = dnssec::to_text(alias->security);
    json["chain"] = names_json(alias->chain);
    json["expanded"] = alias->expanded.to_text();
    return json;
}

Json record_json(const mail::TlsaRecord& record) {
    Json json;
    json["usage"] = record.usage;
    json["selector"] = record.selector;
    json["matching"] = record.matching;
    json["data"] = to_hex(record.data);
    json["usable"] = record.usable;
    json["counts"] = record.counts;
    json["why"] = text_or_null(record.why);
    return json;
}

Json tlsa_json(const std::optional<mail::TlsaStatus>& tlsa) {
    if (!tlsa) return nullptr;
    Json json;
    json["base"] = tlsa->base.to_text();
    json["name"] = tlsa->name.to_text();
    json.update(status_json(tlsa->status));
    json["records"] = list_json(tlsa->records, record_json);
    return json;
}

Json code_json(const std::optional<mail::Fault>& fault) {
    return fault ? Json(mail::code_text(*fault)) : Json(nullptr);
}
Json tlsrpt_json(const std::optional<mail::TlsrptType>& type) {
    return type ? Json(mail::to_text(*type)) : Json(nullptr);
}

Json policy_json(const mail::HostPolicy& policy) {
    Json json;
    json["action"] = mail::to_text(policy.action);
    json["sni"] = text_or_null(policy.sni);
    json["names"] = policy.names;
    json["code"] = code_json(policy.fault);
    json["tlsrpt"] = tlsrpt_json(policy.tlsrpt);
    json["text"] = policy.text;
    return json;
}

Json host_json(const mail::HostAnswer& host) {
    Json json;
    json["name"] = host.name;
    json["preference"] = host.preference ? Json(*host.preference) : Json(nullptr);
    json["implicit"] = host.implicit;
    json["flags"] = list_json(host.flags, [](mail::Flag flag) { return mail::to_text(flag); });
    json["alias"] = alias_json(host.alias);
    json["a"] = addresses_json(host.a);
    json["aaaa"] = addresses_json(host.aaaa);
    json["tlsa"] = tlsa_json(host.tlsa);
    json["policy"] = policy_json(host.policy);
    json["operator"] = words_json(host.by_operator);
    return json;
}

Json decision_json(const mail::Decision& decision) {
    Json json;
    json["action"] = mail::to_text(decision.action);
    json["level"] = decision.level ? Json(mail::to_text(*decision.level)) : Json(nullptr);
    json["authenticated"] = decision.authenticated;
    json["code"] = code_json(decision.fault);
    json["text"] = decision.text;
    json["tlsrpt"] = tlsrpt_json(decision.tlsrpt);
    json["retry_after"] = decision.retry_after ? Json(decision.retry_after->count()) : Json(nullptr);
    return json;
}

std::string_view source_text(mail::StsStatus::Source source) {
    switch (source) {
        case mail::StsStatus::Source::none:
            return {};
        case mail::StsStatus::Source::https:
            return "https";
        case mail::StsStatus::Source::cache:
            return "cache";
    }
    return {};
}

Json sts_record_json(const mail::StsStatus& sts) {
    if (!sts.record) return nullptr;
    Json json = status_json(*sts.record);
    json["id"] = text_or_null(sts.record_id);
    return json;
}

Json trouble_json(const std::optional<mail::StsTrouble>& trouble) {
    if (!trouble) return nullptr;
    Json json;
    json["tlsrpt"] = mail::to_text(trouble->type);
    json["text"] = trouble->text;
    return json;
}

Json sts_json(const std::optional<mail::StsStatus>& sts, WallTime now) {
    if (!sts) return nullptr;
    Json json;
    const mail::StsPolicy* policy = sts->policy ? &*sts->policy : nullptr;
    json["mode"] = policy ? Json(mail::to_text(policy->mode)) : Json(nullptr);
    json["id"] = policy ? text_or_null(policy->id) : Json(nullptr);
    json["age"] = policy ? Json(now.seconds - policy->fetched.seconds) : Json(nullptr);
    json["max_age"] = policy ? Json(policy->max_age.count()) : Json(nullptr);
    json["mx"] = policy ? Json(policy->patterns) : Json::array();
    json["source"] = text_or_null(source_text(sts->source));
    json["fetched"] = policy ? Json(policy->fetched.seconds) : Json(nullptr);
    json["expires"] = policy ? Json(policy->expires.seconds) : Json(nullptr);
    json["record"] = sts_record_json(*sts);
    json["error"] = trouble_json(sts->trouble);
    return json;
}

Json failure_json(const mail::ReportedPolicy::Failure& failure) {
    Json json;
    json["tlsrpt"] = mail::to_text(failure.type);
    json["host"] = text_or_null(failure.host);
    json["text"] = failure.text;
    return json;
}

Json reported_json(const mail::ReportedPolicy& policy) {
    Json json;
    json["type"] = mail::to_text(policy.type);
    json["domain"] = policy.domain;
    json["strings"] = policy.strings;
    json["mx"] = policy.mx_hosts;
    json["failures"] = list_json(policy.failures, failure_json);
    return json;
}

Json report_json(const mail::MailAnswer& answer) {
    if (!answer.tlsrpt) return nullptr;
    Json json;
    json["rua"] = answer.tlsrpt->rua;
    json["error"] = text_or_null(answer.tlsrpt->problem);
    json["record"] = answer.tlsrpt->record ? status_json(*answer.tlsrpt->record) : Json(nullptr);
    json["policies"] = list_json(mail::reported_policies(answer), reported_json);
    return json;
}

}  // namespace

std::string render_mail_body(const mail::MailAnswer& answer) {
    Json json;
    json["time"] = answer.time.seconds;
    json["expires"] = answer.expires.seconds;
    json["port"] = answer.port;
    json["decision"] = decision_json(answer.decision);
    json["mx"] = mx_json(answer.mx);
    json["hosts"] = list_json(answer.hosts, host_json);
    json["sts"] = sts_json(answer.sts, answer.time);
    json["tlsrpt"] = report_json(answer);
    json["operator"] = words_json(answer.by_operator);
    return json.line().substr(1);
}

std::string render_mail_head(std::string_view domain, std::string_view asked) {
    Json head;
    head["version"] = protocol_version;
    head["domain"] = domain;
    head["asked"] = asked;
    std::string text = head.line();
    text.front() = ',';
    text.back() = ',';
    return text;
}

std::string render_mail(std::string_view id, std::string_view domain, std::string_view asked, std::string_view body) {
    return "{\"id\":" + std::string(id) + render_mail_head(domain, asked) + std::string(body);
}

std::string render_decide(const mail::MailAnswer& answer) {
    const mail::Decision& decision = answer.decision;
    std::string line(mail::to_text(decision.action));
    line += ' ';
    line += decision.level ? mail::to_text(*decision.level) : std::string_view("-");
    line += ' ';
    line += decision.fault ? mail::code_number(*decision.fault) : std::string_view("-");
    line += ' ';
    line += dns::clean_text(decision.text, most_request_octets);
    return line;
}

}  // namespace mxtrust::serve
