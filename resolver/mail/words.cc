// Parts of sentences; see words.h.
#include "mail/words.h"

namespace mxtrust::mail {

std::string because(const dnssec::Answer& answer) {
    const dnssec::Reason& reason = answer.reason();
    if (!reason.text.empty()) return ": " + reason.text;
    if (answer.rcode() != dns::Rcode::noerror && answer.rcode() != dns::Rcode::nxdomain) {
        return ": the name servers of " + answer.final().zone().to_text() + " answer " + dns::to_text(answer.rcode());
    }
    return ": no reason is known";
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
