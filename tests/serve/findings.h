// Findings to render. The validator is the only maker of proven ones; here they are forged on purpose, so that
// rendering can be tested without signing anything.
#pragma once

#include <bit>
#include <string_view>
#include <vector>

#include "dnssec/finding.h"

namespace mxtrust::test {

inline dnssec::ProofKey forged_key() {
    return std::bit_cast<dnssec::ProofKey>(std::uint8_t{0});
}

inline dns::Name name(std::string_view text) {
    return dns::Name::from_text(text).value();
}
inline Bytes rdata(dns::Type type, std::string_view text) {
    return dns::rdata_from_text(type, text).value();
}

inline constexpr WallTime now{1795305600};
inline constexpr WallTime later{1795305600 + 300};

inline dns::RRset set(std::string_view owner, dns::Type type, const std::vector<std::string_view>& records,
                      std::string_view signer = "example.org") {
    dns::RRset result{name(owner), type, dns::Ttl(3600), {}, {}};
    for (const std::string_view record : records) result.records.push_back(rdata(type, record));
    if (!signer.empty()) {
        result.signatures.push_back(rdata(
            dns::Type::rrsig,
            dns::to_text(type) + " 13 2 3600 20261201000000 20261101000000 12345 " + std::string(signer) + ". AAAA"));
    }
    return result;
}

struct Told {
    std::string_view asked;
    dns::Type type;
    dnssec::Security security = dnssec::Security::secure;
    dnssec::Outcome outcome = dnssec::Outcome::records;
};

inline dnssec::FindingRef found(Told told, dns::RRset rrset, std::vector<dns::RRset> proof = {},
                                dnssec::Reason reason = {}) {
    dnssec::Finding::Parts parts;
    parts.name = name(told.asked);
    parts.type = told.type;
    parts.outcome = told.outcome;
    parts.rcode = told.outcome == dnssec::Outcome::nxdomain ? dns::Rcode::nxdomain : dns::Rcode::noerror;
    if (told.outcome == dnssec::Outcome::records) parts.rrset = std::make_shared<const dns::RRset>(std::move(rrset));
    for (dns::RRset& each : proof) parts.proof.push_back(std::make_shared<const dns::RRset>(std::move(each)));
    parts.zone = name("example.org");
    parts.reason = std::move(reason);
    parts.expires = later;
    return dnssec::Finding::proven(forged_key(), told.security, std::move(parts));
}

inline dnssec::FindingRef denied(std::string_view asked, dns::Type type, dnssec::Outcome outcome,
                                 std::vector<dns::RRset> proof) {
    return found({asked, type, dnssec::Security::secure, outcome}, {}, std::move(proof));
}

inline dnssec::FindingRef bogus(std::string_view asked, dns::Type type, dnssec::Reason reason) {
    dnssec::Finding::Parts parts;
    parts.name = name(asked);
    parts.type = type;
    parts.outcome = dnssec::Outcome::failure;
    parts.rcode = dns::Rcode::servfail;
    parts.reason = std::move(reason);
    parts.expires = later;
    return dnssec::Finding::bogus(std::move(parts));
}

inline dnssec::FindingRef failed(std::string_view asked, dns::Type type, dnssec::Reason reason) {
    dnssec::Finding::Parts parts;
    parts.name = name(asked);
    parts.type = type;
    parts.outcome = dnssec::Outcome::failure;
    parts.rcode = dns::Rcode::servfail;
    parts.reason = std::move(reason);
    parts.expires = later;
    return dnssec::Finding::failure(std::move(parts));
}

}  // namespace mxtrust::test
