// Parts of sentences; see words.h.
#include "mail/words.h"

#include <optional>

namespace mxtrust::mail {
namespace {

/// The zone at fault, where it is known.
std::optional<std::string> culprit(const dnssec::Answer& answer) {
    if (answer.reason().zone)
        return answer.reason().zone->is_root() ? "the root zone" : answer.reason().zone->to_text();
    if (answer.final().zone().is_root()) return std::nullopt;  // a look-up that did not come so far
    return answer.final().zone().to_text();
}

std::string until_signed_well(dns::Ede fault, const std::string& zone) {
    if (fault == dns::Ede::signature_not_yet_valid)
        return "until the operator of " + zone + " signs it anew, or the clock here is set right";
    if (fault == dns::Ede::dnskey_missing)
        return "until the operator of " + zone + " makes its DS records and its keys match";
    if (fault == dns::Ede::rrsigs_missing)
        return "until the name servers of " + zone + " send the signatures that its DS record promises";
    if (fault == dns::Ede::nsec_missing)
        return "until the name servers of " + zone + " prove what does not exist there (NSEC or NSEC3)";
    return "until the operator of " + zone + " signs it anew";
}

}  // namespace

std::string because(const dnssec::Answer& answer) {
    const dnssec::Reason& reason = answer.reason();
    if (!reason.text.empty()) return ": " + reason.text;
    if (answer.rcode() != dns::Rcode::noerror && answer.rcode() != dns::Rcode::nxdomain) {
        return ": the name servers of " + answer.final().zone().to_text() + " answer " + dns::to_text(answer.rcode());
    }
    return ": no reason is known";
}

std::string until_mended(const dnssec::Answer& answer) {
    std::optional<std::string> zone = culprit(answer);
    bool bogus = answer.security() == dnssec::Security::bogus;
    if (bogus)
        return until_signed_well(answer.reason().ede.value_or(dns::Ede::dnssec_bogus), zone.value_or("the zone"));
    if (!zone) return "until the look-up has succeeded, which is tried again with the next question";
    return "until the name servers of " + *zone + " answer";
}

std::string counted(std::size_t count, std::string_view thing) {
    std::string text = std::to_string(count);
    text += ' ';
    text += thing;
    if (count != 1) text += 's';
    return text;
}

std::string listed(const std::vector<std::string>& things) {
    std::string text;
    for (std::size_t index = 0; index < things.size(); ++index) {
        if (index > 0) text += index + 1 == things.size() ? " and " : ", ";
        text += things[index];
    }
    return text;
}

Result<dns::Name> tlsa_name(const dns::Name& base, std::uint16_t port) {
    Result<dns::Name> transport = base.prepend("_tcp");
    if (!transport) return transport;
    return transport->prepend("_" + std::to_string(port));
}

}  // namespace mxtrust::mail
