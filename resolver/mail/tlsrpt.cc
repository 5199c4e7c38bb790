// See tlsrpt.h.
#include "mail/tlsrpt.h"

#include <algorithm>

#include "mail/fields.h"
#include "mail/sts.h"

namespace mxtrust::mail {
namespace {

using namespace mxtrust::literals;

/// A record lists a few; more is no use to anybody.
constexpr std::size_t most_uris = 20;

bool has_scheme(std::string_view uri, std::string_view scheme) {
    if (uri.size() <= scheme.size()) return false;
    return std::equal(scheme.begin(), scheme.end(), uri.begin(),
                      [](char wanted, char letter) { return wanted == lower(letter); });
}

/// RFC 3986 2: no white space, no control characters, none of the excluded delimiters.
bool is_uri(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return letter > ' ' && letter <= '~' && std::string_view("\"<>\\^`{|}!").find(letter) == std::string_view::npos;
    });
}

std::string tlsa_line(const TlsaRecord& record) {
    return std::to_string(record.usage) + " " + std::to_string(record.selector) + " " +
           std::to_string(record.matching) + " " + to_hex(record.data);
}

/// Is it DANE that decides about the host, or whose look-up failed?
bool is_of_dane(const HostAnswer& host) {
    if (!host.tlsa) return false;
    return host.policy.action == HostAction::dane || host.policy.action == HostAction::encrypt ||
           host.policy.tlsrpt == TlsrptType::dnssec_invalid || host.policy.tlsrpt == TlsrptType::dane_required;
}

ReportedPolicy dane_policy(const HostAnswer& host) {
    ReportedPolicy policy;
    policy.type = ReportedPolicy::Type::tlsa;
    policy.domain = host.tlsa->base.to_text();
    for (const TlsaRecord& record : host.tlsa->records) policy.strings.push_back(tlsa_line(record));
    return policy;
}

ReportedPolicy domain_policy(const MailAnswer& answer) {
    ReportedPolicy policy;
    policy.domain = policy_domain(answer);
    if (answer.sts && answer.sts->policy) {
        policy.type = ReportedPolicy::Type::sts;
        policy.strings = sts_lines(*answer.sts->policy);
        policy.mx_hosts = answer.sts->policy->patterns;
    }
    if (answer.sts && answer.sts->trouble) {
        policy.type = ReportedPolicy::Type::sts;
        policy.failures.push_back({answer.sts->trouble->type, {}, answer.sts->trouble->text});
    }
    return policy;
}

void add_failure(ReportedPolicy& policy, const HostAnswer& host) {
    if (host.policy.tlsrpt) policy.failures.push_back({*host.policy.tlsrpt, host.name, host.policy.text});
}

ReportedPolicy& dane_policy_of(std::vector<ReportedPolicy>& policies, const HostAnswer& host) {
    const std::string base = host.tlsa->base.to_text();
    for (ReportedPolicy& known : policies) {
        if (known.type == ReportedPolicy::Type::tlsa && known.domain == base) return known;
    }
    return policies.emplace_back(dane_policy(host));
}

}  // namespace

std::string_view to_text(ReportedPolicy::Type type) {
    switch (type) {
        case ReportedPolicy::Type::tlsa:
            return "tlsa";
        case ReportedPolicy::Type::sts:
            return "sts";
        case ReportedPolicy::Type::no_policy_found:
            return "no-policy-found";
    }
    return {};
}

std::string policy_domain(const MailAnswer& answer) {
    std::string_view text = answer.domain;
    if (text.starts_with('[')) return std::string(text.substr(1, text.find(']') - 1));
    return std::string(text.substr(0, text.find(':')));
}

Result<std::vector<std::string>> parse_tlsrpt_record(const std::vector<std::string>& texts) {
    std::vector<std::string> uris;
    const auto found = only_record(texts, "v=TLSRPTv1");
    if (!found) return uris;
    const auto fields = parse_fields(*found);
    if (!fields) return fail(FailureKind::malformed, "MTRX"_code, "the TXT record of TLSRPT is malformed");
    const auto rua =
        std::find_if(fields->begin(), fields->end(), [](const auto& field) { return field.first == "rua"; });
    if (rua == fields->end()) return fail(FailureKind::malformed, "MTRR"_code, "the TXT record of TLSRPT has no rua");
    std::string_view rest = rua->second;
    while (!rest.empty() && uris.size() < most_uris) {
        const std::size_t comma = rest.find(',');
        const std::string_view uri = trimmed(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        if (!is_uri(uri)) return fail(FailureKind::malformed, "MTRU"_code, "the rua of TLSRPT has what is no URI");
        // RFC 8460 3: other schemes are passed over.
        if (has_scheme(uri, "mailto:") || has_scheme(uri, "https://")) uris.emplace_back(uri);
    }
    if (uris.empty())
        return fail(FailureKind::malformed, "MTRN"_code, "the rua of TLSRPT has no mailto: and no https: URI");
    return uris;
}

std::vector<ReportedPolicy> reported_policies(const MailAnswer& answer) {
    std::vector<ReportedPolicy> policies;
    ReportedPolicy domain = domain_policy(answer);
    bool needed = answer.hosts.empty() || !domain.failures.empty();
    for (const HostAnswer& host : answer.hosts) {
        if (is_of_dane(host)) {
            add_failure(dane_policy_of(policies, host), host);
        } else if (host.policy.action != HostAction::unreachable) {
            needed = true;
            add_failure(domain, host);
        }
    }
    if (answer.hosts.empty() && answer.decision.tlsrpt)
        domain.failures.push_back({*answer.decision.tlsrpt, {}, answer.decision.text});
    if (needed) policies.push_back(std::move(domain));
    return policies;
}

}  // namespace mxtrust::mail
