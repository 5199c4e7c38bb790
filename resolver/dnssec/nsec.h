// Denial of existence by NSEC (RFC 4034 4, RFC 4035 5.4, RFC 6840 4, RFC 9824). Pure; works on verified records only.
#pragma once

#include "dnssec/proof.h"

namespace mxtrust::dnssec {

class NsecSet {
  public:
    /// Of `evidence`, the NSEC sets that may prove anything in `zone`: exactly one record, owner and next name within
    /// the zone (pitfalls 41, A7), NS and SOA together at the apex only (pitfalls 5). Others are left out.
    NsecSet(const dns::Name& zone, const std::vector<Evidence>& evidence);

    [[nodiscard]] bool empty() const { return records_.empty(); }
    [[nodiscard]] Proof prove(const Claim& claim) const;
    /// The types at a name that an NSEC matches.
    [[nodiscard]] const dns::TypeSet* types_at(const dns::Name& name) const;

  private:
    struct Record {
        Evidence evidence;
        dns::Nsec nsec;
        [[nodiscard]] const dns::Name& owner() const { return evidence.rrset->owner; }
    };
    [[nodiscard]] const Record* matching(const dns::Name& name) const;
    [[nodiscard]] const Record* covering(const dns::Name& name) const;
    [[nodiscard]] bool covers(const Record& record, const dns::Name& name) const;
    [[nodiscard]] Proof nodata(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] Proof wildcard_nodata(const dns::Name& name, dns::Type type, const Record& cover) const;
    [[nodiscard]] Proof nxdomain(const dns::Name& name) const;
    [[nodiscard]] Proof expansion(const dns::Name& name, std::size_t labels) const;
    [[nodiscard]] Proof missing(Code code, std::string text) const;
    [[nodiscard]] Proof contradiction(Code code, std::string text) const;

    dns::Name zone_;
    std::vector<Record> records_;
};

}  // namespace mxtrust::dnssec
