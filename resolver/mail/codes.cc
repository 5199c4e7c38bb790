// Names and numbers of the mail answer; see codes.h and answer.h.
#include "mail/codes.h"

#include <array>

namespace mxtrust::mail {
namespace {

using namespace std::chrono_literals;

struct FaultText {
    std::string_view number;
    std::string_view name;
};

/// mail-trust's table; .321 to .324 and 4.312 are the codes that Exchange Online made common.
constexpr FaultText text_of(Fault fault) {
    switch (fault) {
        case Fault::starttls_not_supported:
            return {"4.7.321", "starttls-not-supported"};
        case Fault::certificate_expired:
            return {"4.7.322", "certificate-expired"};
        case Fault::tlsa_invalid:
            return {"4.7.323", "tlsa-invalid"};
        case Fault::dnssec_invalid:
            return {"4.7.324", "dnssec-invalid"};
        case Fault::dns_query_failed:
            return {"4.4.312", "DNS query failed"};
        case Fault::null_mx:
            return {"5.1.10", "null MX"};
        case Fault::bad_domain:
            return {"5.1.2", "bad domain"};
        case Fault::no_route:
            return {"5.4.4", "no route"};
        case Fault::sts_policy:
            return {"4.7.0", "sts-policy"};
        // What Postfix says where DANE is mandatory and not to be had.
        case Fault::dane_required:
            return {"4.7.5", "dane-required"};
        // RFC 3463 3.8: delivery is not authorized, by the sender's own administration.
        case Fault::held:
            return {"4.7.1", "held by the operator"};
    }
    return {};
}

}  // namespace

std::string_view code_number(Fault fault) {
    return text_of(fault).number;
}
std::string_view code_name(Fault fault) {
    return text_of(fault).name;
}

std::string code_text(Fault fault) {
    std::string text(code_number(fault));
    text += ' ';
    text += code_name(fault);
    return text;
}

std::string expired_code_text(Fault fault) {
    std::string text = code_text(fault);
    text.front() = '5';
    return text;
}

std::string_view to_text(TlsrptType type) {
    switch (type) {
        case TlsrptType::starttls_not_supported:
            return "starttls-not-supported";
        case TlsrptType::certificate_host_mismatch:
            return "certificate-host-mismatch";
        case TlsrptType::certificate_not_trusted:
            return "certificate-not-trusted";
        case TlsrptType::certificate_expired:
            return "certificate-expired";
        case TlsrptType::validation_failure:
            return "validation-failure";
        case TlsrptType::tlsa_invalid:
            return "tlsa-invalid";
        case TlsrptType::dnssec_invalid:
            return "dnssec-invalid";
        case TlsrptType::dane_required:
            return "dane-required";
        case TlsrptType::sts_policy_fetch_error:
            return "sts-policy-fetch-error";
        case TlsrptType::sts_policy_invalid:
            return "sts-policy-invalid";
        case TlsrptType::sts_webpki_invalid:
            return "sts-webpki-invalid";
    }
    return {};
}

std::string_view to_text(StsPolicy::Mode mode) {
    switch (mode) {
        case StsPolicy::Mode::enforce:
            return "enforce";
        case StsPolicy::Mode::testing:
            return "testing";
        case StsPolicy::Mode::none:
            return "none";
    }
    return {};
}

std::string_view to_text(Flag flag) {
    switch (flag) {
        case Flag::implicit_mx:
            return "implicit-mx";
        case Flag::address_literal:
            return "address-literal";
        case Flag::malformed_null_mx:
            return "malformed-null-mx";
        case Flag::duplicate:
            return "duplicate";
        case Flag::cname:
            return "cname";
        case Flag::invalid_name:
            return "invalid-name";
        case Flag::underscore:
            return "underscore";
        case Flag::over_limit:
            return "over-limit";
    }
    return {};
}

std::string_view to_text(HostAction action) {
    switch (action) {
        case HostAction::dane:
            return "dane";
        case HostAction::encrypt:
            return "encrypt";
        case HostAction::sts:
            return "sts";
        case HostAction::may:
            return "may";
        case HostAction::skip:
            return "skip";
        case HostAction::unreachable:
            return "unreachable";
    }
    return {};
}

std::string_view to_text(Action action) {
    switch (action) {
        case Action::deliver:
            return "deliver";
        case Action::defer:
            return "defer";
        case Action::bounce:
            return "bounce";
    }
    return {};
}

std::string_view to_text(Level level) {
    switch (level) {
        case Level::dane:
            return "dane";
        case Level::dane_partial:
            return "dane-partial";
        case Level::encrypt:
            return "encrypt";
        case Level::sts:
            return "sts";
        case Level::may:
            return "may";
    }
    return {};
}

std::optional<TlsrptType> tlsrpt_type(Fault fault) {
    switch (fault) {
        case Fault::starttls_not_supported:
            return TlsrptType::starttls_not_supported;
        case Fault::certificate_expired:
            return TlsrptType::certificate_expired;
        case Fault::tlsa_invalid:
            return TlsrptType::tlsa_invalid;
        case Fault::dnssec_invalid:
            return TlsrptType::dnssec_invalid;
        case Fault::sts_policy:
            return TlsrptType::validation_failure;  // RFC 8460 has no type for a host that the policy does not name
        case Fault::dane_required:
            return TlsrptType::dane_required;
        // RFC 8460 4.3.3: a failure that none of the other types describes.
        case Fault::dns_query_failed:
            return TlsrptType::validation_failure;
        // The domain wants no mail, or gets it nowhere: nothing failed.
        case Fault::null_mx:
        case Fault::bad_domain:
        case Fault::no_route:
        case Fault::held:
            return std::nullopt;
    }
    return std::nullopt;
}

Fault fault_of(dnssec::Security security) {
    return security == dnssec::Security::bogus ? Fault::dnssec_invalid : Fault::dns_query_failed;
}

std::chrono::seconds retry_delay(std::uint32_t tries, std::chrono::seconds failing_for) {
    if (failing_for >= 24h) return 24h;
    return tries <= 2 ? std::chrono::seconds(15min) : std::chrono::seconds(1h);
}

}  // namespace mxtrust::mail
