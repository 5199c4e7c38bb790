// What the validator accepts. Numbers with their reasons; the defaults are what production uses.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace mxtrust::dnssec {

enum class Sha1 : std::uint8_t { unsupported, accepted };

/// Do a signature's dates count? Ignoring them is for tests with recorded answers only.
enum class Dates : std::uint8_t { checked, ignored };

/// One valid path suffices (RFC 6840 5.11). `all`: every algorithm that DS or anchor names has to sign, against an
/// attacker who can break one of them; refuses zones that change their algorithm clumsily.
enum class Algorithms : std::uint8_t { any, all };

/// NSEC3 iterations accepted in zones whose keys have at most so many bits (as RFC 5155 10.3 once had it).
struct IterationLimit {
    std::uint32_t key_bits = 0;
    std::uint16_t iterations = 0;
    friend bool operator==(const IterationLimit&, const IterationLimit&) = default;
};

struct Policy {
    Sha1 sha1 = Sha1::unsupported;             ///< algorithms 5 and 7 (RFC 9905); unsupported makes such zones insecure
    std::uint16_t most_nsec3_iterations = 50;  ///< above: insecure, EDE 27 (RFC 9276 3.2)
    std::vector<IterationLimit> nsec3_by_key{};  ///< where not empty, instead of the above; ascending
    std::uint32_t most_signatures_tried = 8;     ///< per RRset (A1, A5)
    std::uint32_t most_keys_per_tag = 2;         ///< DNSKEYs with one key tag and algorithm (A1, CVE-2023-50387)
    std::uint32_t most_nsec3_records = 8;        ///< NSEC and NSEC3 sets per answer (A3)
    std::uint32_t most_rsa_bits = 4096;          ///< longer moduli are unsupported (A4)
    std::chrono::seconds skew{300};  ///< how far our clock may be off, at inception and expiration (pitfalls 22); at
                                     ///< most 10 % of the signature's life
    std::chrono::seconds most_ttl{86400};  ///< nothing positive is kept longer (RFC 8767 4 suggests a cap)
    std::chrono::seconds least_ttl{0};     ///< tests raise it; never beyond a signature's expiration
    std::chrono::seconds most_negative_ttl{3600};
    std::chrono::seconds least_negative_ttl{0};  ///< never beyond a signature's expiration, either
    std::chrono::seconds no_soa_ttl{
        30};  ///< an unsigned zone's denial without SOA: RFC 2308 5 would not keep it; this stops storms
    std::chrono::seconds failure_ttl{
        5};  ///< how long a failure is kept: RFC 9520 3.2 says 1 s to 5 min; mail is retried soon
    Dates dates = Dates::checked;
    Algorithms algorithms = Algorithms::any;
    std::chrono::seconds bogus_ttl{60};  ///< how long a bogus verdict or a failure is kept (RFC 4035 4.7, RFC 9520)
};

}  // namespace mxtrust::dnssec
