// Troubles as words, codes and result types.
#include "probe/probe.h"

namespace mxtrust::probe {

std::string_view to_text(Trouble trouble) {
    switch (trouble) {
        case Trouble::none:
            return "none";
        case Trouble::connect_refused:
            return "connect-refused";
        case Trouble::connect_timeout:
            return "connect-timeout";
        case Trouble::no_route:
            return "no-route";
        case Trouble::silent:
            return "server-silent";
        case Trouble::closed:
            return "connection-closed";
        case Trouble::greeting_temporary:
            return "greeting-temporary";
        case Trouble::greeting_permanent:
            return "greeting-permanent";
        case Trouble::no_smtp:
            return "no-smtp";
        case Trouble::endless:
            return "endless-reply";
        case Trouble::starttls_absent:
            return "starttls-absent";
        case Trouble::starttls_temporary:
            return "starttls-refused-4xx";
        case Trouble::starttls_permanent:
            return "starttls-refused-5xx";
        case Trouble::starttls_cut:
            return "starttls-cut";
        case Trouble::injected:
            return "starttls-injection";
        case Trouble::tls_cut:
            return "tls-cut";
        case Trouble::tls_timeout:
            return "tls-timeout";
        case Trouble::tls_too_much:
            return "tls-too-much";
        case Trouble::tls_refused:
            return "tls-refused";
        case Trouble::tls_garbage:
            return "tls-garbage";
        case Trouble::tls_ours:
            return "tls-library";
        case Trouble::no_match:
            return "tlsa-no-match";
        case Trouble::expired:
            return "certificate-expired";
        case Trouble::not_yet_valid:
            return "certificate-not-yet-valid";
        case Trouble::wrong_name:
            return "certificate-wrong-name";
        case Trouble::untrusted:
            return "certificate-not-trusted";
    }
    return "none";
}

std::optional<mail::Fault> fault_of(Trouble trouble) {
    switch (trouble) {
        case Trouble::starttls_absent:
        case Trouble::starttls_temporary:
        case Trouble::starttls_permanent:
        case Trouble::starttls_cut:
            return mail::Fault::starttls_not_supported;
        case Trouble::expired:
            return mail::Fault::certificate_expired;
        case Trouble::injected:
        case Trouble::tls_cut:
        case Trouble::tls_timeout:
        case Trouble::tls_too_much:
        case Trouble::tls_refused:
        case Trouble::tls_garbage:
        case Trouble::no_match:
        case Trouble::not_yet_valid:
        case Trouble::wrong_name:
        case Trouble::untrusted:
            return mail::Fault::tlsa_invalid;
        case Trouble::none:
        case Trouble::connect_refused:
        case Trouble::connect_timeout:
        case Trouble::no_route:
        case Trouble::silent:
        case Trouble::closed:
        case Trouble::greeting_temporary:
        case Trouble::greeting_permanent:
        case Trouble::no_smtp:
        case Trouble::endless:
        case Trouble::tls_ours:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<mail::TlsrptType> tlsrpt_of(Trouble trouble, Judging judging) {
    const std::optional<mail::Fault> fault = fault_of(trouble);
    if (!fault) return std::nullopt;
    if (*fault == mail::Fault::starttls_not_supported) return mail::TlsrptType::starttls_not_supported;
    if (*fault == mail::Fault::certificate_expired) return mail::TlsrptType::certificate_expired;
    if (trouble == Trouble::wrong_name) return mail::TlsrptType::certificate_host_mismatch;
    if (trouble == Trouble::untrusted) return mail::TlsrptType::certificate_not_trusted;
    if (trouble != Trouble::no_match) return mail::TlsrptType::validation_failure;
    return judging == Judging::dane ? mail::TlsrptType::tlsa_invalid : mail::TlsrptType::certificate_not_trusted;
}

}  // namespace mxtrust::probe
