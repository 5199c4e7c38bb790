// Denial of existence by NSEC3 (RFC 5155 8, RFC 6840 4, RFC 9276). Pure; works on verified records only.
//
// Each name is hashed once per proof and draws once from Limit::nsec3_hashes: the search for the closest encloser is
// what a hostile zone and a long name make dear (CVE-2023-50868, A2).
#pragma once

#include <map>

#include "dnssec/proof.h"
#include "dnssec/signature.h"

namespace mxtrust::dnssec {

class Nsec3Set {
  public:
    /// Of `evidence`, the NSEC3 sets that may prove anything in `zone`: one record, hash algorithm 1, no unknown flag
    /// (RFC 5155 8.1, 8.2), owner exactly hash.zone (A8), NS and SOA together only where the hash is the apex's. Others
    /// are left out.
    Nsec3Set(const dns::Name& zone, const std::vector<Evidence>& evidence, const Context& context);

    [[nodiscard]] bool empty() const { return records_.empty(); }
    [[nodiscard]] Proof prove(const Claim& claim);
    /// The types at a name that an NSEC3 matches; nothing where none does or a limit was reached.
    [[nodiscard]] const dns::TypeSet* types_at(const dns::Name& name);

  private:
    struct Record {
        Evidence evidence;
        dns::Nsec3 nsec3;
        Bytes owner_hash;
    };
    struct Encloser {
        const Record* match;        ///< of the closest encloser
        std::size_t labels;         ///< its labels
        const Record* next_closer;  ///< covers the next closer name
    };
    [[nodiscard]] const Bytes* hash(const dns::Name& name);
    [[nodiscard]] const Record* matching(const dns::Name& name);
    [[nodiscard]] const Record* covering(const dns::Name& name);
    [[nodiscard]] bool is_misplaced(const Record& record);
    [[nodiscard]] tl::expected<Encloser, Proof> closest_encloser(const dns::Name& name);
    [[nodiscard]] std::optional<Proof> refuse_parameters() const;
    [[nodiscard]] Proof nodata(const dns::Name& name, dns::Type type);
    [[nodiscard]] Proof nxdomain(const dns::Name& name);
    [[nodiscard]] Proof expansion(const dns::Name& name, std::size_t labels);
    [[nodiscard]] Proof missing(Code code, std::string text) const;
    [[nodiscard]] Proof contradiction(Code code, std::string text) const;
    [[nodiscard]] Proof opted_out(Outcome outcome, std::vector<Evidence> used, const dns::Name& name) const;

    dns::Name zone_;
    const Context& context_;
    std::vector<Record> records_;
    std::map<dns::Name, Bytes> hashes_;
    bool exhausted_ = false;
    bool refused_ = false;  ///< the crypto library has no SHA-1
};

/// RFC 5155 3.1.3, 3: SHA-1, whose hashes have 20 octets.
inline constexpr std::uint8_t nsec3_sha1 = 1;
inline constexpr std::size_t nsec3_hash_octets = 20;

}  // namespace mxtrust::dnssec
