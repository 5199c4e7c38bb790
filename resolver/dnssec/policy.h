// What the validator accepts. Numbers with their reasons; the defaults are what production uses.
#pragma once

#include <chrono>
#include <cstdint>

namespace mxtrust::dnssec {

enum class Sha1 : std::uint8_t { unsupported, accepted };

struct Policy {
    Sha1 sha1 = Sha1::unsupported;             ///< algorithms 5 and 7 (RFC 9905); unsupported makes such zones insecure
    std::uint16_t most_nsec3_iterations = 50;  ///< above: insecure, EDE 27 (RFC 9276 3.2)
    std::uint32_t most_signatures_tried = 8;   ///< per RRset (A1, A5)
    std::uint32_t most_keys_per_tag = 2;       ///< DNSKEYs with one key tag and algorithm (A1, CVE-2023-50387)
    std::uint32_t most_nsec3_records = 8;      ///< NSEC and NSEC3 sets per answer (A3)
    std::uint32_t most_rsa_bits = 4096;        ///< longer moduli are unsupported (A4)
    std::chrono::seconds skew{300};  ///< how far our clock may be off, at inception and expiration (pitfalls 22); at
                                     ///< most 10 % of the signature's life
    std::chrono::seconds most_ttl{86400};  ///< nothing positive is kept longer (RFC 8767 4 suggests a cap)
    std::chrono::seconds least_ttl{0};     ///< tests raise it; never beyond a signature's expiration
    std::chrono::seconds most_negative_ttl{3600};
    std::chrono::seconds no_soa_ttl{
        30};  ///< an unsigned zone's denial without SOA: RFC 2308 5 would not keep it; this stops storms
    std::chrono::seconds failure_ttl{
        5};  ///< how long a failure is kept: RFC 9520 3.2 says 1 s to 5 min; mail is retried soon
    std::chrono::seconds bogus_ttl{60};  ///< how long a bogus verdict or a failure is kept (RFC 4035 4.7, RFC 9520)
};

}  // namespace mxtrust::dnssec
