// The sentences' parts.
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

std::string describe(dns::Type type, const dns::Name& name) {
    return dns::to_text(type) + " " + name.to_text();
}

std::string span_in_words(std::chrono::seconds span) {
    const auto count = span.count() < 0 ? -span.count() : span.count();
    if (count < 120) return std::to_string(count) + " s";
    if (count < 7200) return std::to_string(count / 60) + " min";
    if (count < 172800) return std::to_string(count / 3600) + " h";
    return std::to_string(count / 86400) + " days";
}

std::string describe_key(std::uint16_t key_tag, dns::Algorithm algorithm) {
    return "key tag " + std::to_string(key_tag) + ", " + dns::to_text(algorithm);
}

Reason limit_reached(Code code, const Budget& budget, const dns::Name& zone, const std::string& doing) {
    const std::optional<Limit> limit = budget.exhausted();
    return limit_reached(code, limit ? name_of(*limit) : std::string_view("budget"), zone, doing);
}

Reason limit_reached(Code code, std::string_view limit, const dns::Name& zone, const std::string& doing) {
    return make_reason(code, dns::Ede::dnssec_indeterminate, zone,
                       "the limit on " + std::string(limit) + " was reached while " + doing);
}

Reason make_reason(Code code, dns::Ede ede, const dns::Name& zone, std::string text) {
    Reason reason;
    reason.code = code;
    reason.ede = ede;
    reason.text = std::move(text);
    reason.zone = zone;
    return reason;
}

}  // namespace mxtrust::dnssec
