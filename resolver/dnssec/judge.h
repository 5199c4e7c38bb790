// The validator: from (what an authority said, what is known of its zone, now) to a Finding. Pure functions; RFC 4035
// 5, RFC 5155 8, RFC 6840, RFC 6672 5.3, RFC 9276, RFC 9824.
//
// The caller (resolve/) fetches, finds out which zone signed, and asks here. Judge is the only maker of proven
// Findings.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "dns/rrset.h"
#include "dnssec/finding.h"
#include "dnssec/policy.h"
#include "dnssec/proof.h"
#include "dnssec/signature.h"

namespace mxtrust::dnssec {

struct KeySetResult;

/// What a verdict on a zone was made from, for whoever explains it: as said, proven only where the zone is secure.
struct Shown {
    std::vector<dns::Ds> ds;             ///< of the parent, or of the trust anchor
    std::vector<dns::Dnskey> keys;       ///< of the zone, without the keys' octets
    std::vector<dns::Rrsig> signatures;  ///< over the keys, without the signatures' octets
};

/// What is known of a zone's place in the chain of trust.
class ZoneTrust {
  public:
    [[nodiscard]] const dns::Name& zone() const { return zone_; }
    [[nodiscard]] Security security() const { return security_; }
    /// Requires: security() == secure.
    [[nodiscard]] const std::vector<ZoneKey>& keys() const { return *keys_; }
    [[nodiscard]] const Reason& reason() const { return reason_; }
    [[nodiscard]] WallTime expires() const { return expires_; }

    /// The DNSKEY set that was found to hold, for whoever keeps it: its signature need not be verified again. Null
    /// where there is none, or it was taken.
    [[nodiscard]] FindingRef take_key_set() { return std::exchange(key_set_, nullptr); }

    /// For explaining only; empty where the zone was not looked at.
    [[nodiscard]] const Shown& shown() const;
    /// Who showed the keys: for the reason, where somebody is at fault.
    void name_server(const std::string& server);

    static ZoneTrust bogus(dns::Name zone, Reason reason, WallTime expires);
    static ZoneTrust indeterminate(dns::Name zone, Reason reason, WallTime expires);
    /// Inherited state of a zone below an insecure, bogus or indeterminate one. Requires: security() != secure.
    [[nodiscard]] ZoneTrust inherited_by(dns::Name child) const;

  private:
    friend class Judge;
    ZoneTrust() = default;
    dns::Name zone_;
    Security security_ = Security::indeterminate;
    std::shared_ptr<const std::vector<ZoneKey>> keys_;
    FindingRef key_set_;
    std::shared_ptr<const Shown> shown_;
    Reason reason_;
    WallTime expires_;
};

/// How the question was answered, before anybody asks whether it is true (resolve/classify decides).
enum class Shape : std::uint8_t {
    records,   ///< the RRset asked for (also for type CNAME, DNAME)
    cname,     ///< a CNAME at the name
    dname,     ///< a DNAME above the name (with or without the synthesised CNAME)
    nodata,    ///< the name exists, not the type (or RFC 9824's compact denial)
    nxdomain,  ///< rcode NXDOMAIN
};

/// One authority's answer to one question, scrubbed: only what lies within the zone asked.
///
/// Type ANY: one Response for each RRset of the answer, `type` that set's own type, shape records; the weakest verdict
/// is the answer's. Shape nodata or nxdomain for the rest. Type RRSIG: nothing signs it; the caller treats it as
/// unsigned data.
struct Response {
    dns::Name name;
    dns::Type type{};
    Shape shape{};
    dns::Rcode rcode{};
    std::optional<dns::RRset> positive;  ///< for records, cname, dname
    std::vector<dns::RRset> authority;   ///< SOA, NSEC, NSEC3 of the authority section, with signatures
    std::string server;                  ///< for reasons: "ns1.example.org (192.0.2.1)"
};

/// What a secure or insecure DS answer says about a zone cut at that name (RFC 4035 5.2, RFC 5155 8.9, RFC 6840 4.4).
enum class Cut : std::uint8_t {
    signed_delegation,    ///< DS with at least one supported algorithm and digest
    unsigned_delegation,  ///< proven: a delegation without DS, an opt-out span, or only unsupported DS
    no_cut,               ///< proven: no delegation at this name
    unknown,              ///< bogus or indeterminate
};

class Judge {
  public:
    /// `verified`: signatures that held before, where the caller remembers them; outlives the judge.
    Judge(Policy policy, WallTime now, Budget& budget, VerifiedSignatures* verified = nullptr)
        : policy_(policy), now_(now), budget_(budget), verified_(verified) {}

    /// A zone with a configured trust anchor, or with a secure DS set: does its DNSKEY set hold? (RFC 4035 5.2,
    /// pitfalls 17–21) `parent_expires`: the DS set's end; an anchor has none. `dnskey` empty (no records): bogus with
    /// EDE 9.
    [[nodiscard]] ZoneTrust judge_keys(const dns::Name& zone, const std::vector<dns::Ds>& trusted,
                                       const dns::RRset& dnskey, std::optional<WallTime> parent_expires);
    /// Anchors may be whole keys, too.
    [[nodiscard]] ZoneTrust judge_anchor(const dns::Name& zone, const std::vector<dns::Ds>& ds,
                                         const std::vector<dns::Dnskey>& keys, const dns::RRset& dnskey);
    /// A zone below a cut that `ds` (a secure or insecure Finding for (zone, DS)) proves to be unsigned. Requires:
    /// cut_of(ds) == unsigned_delegation.
    [[nodiscard]] ZoneTrust judge_unsigned(const dns::Name& zone, const Finding& ds);
    /// A zone without any trust anchor above, or named by a negative trust anchor (RFC 7646): insecure by
    /// configuration.
    [[nodiscard]] ZoneTrust insecure_by_configuration(const dns::Name& zone, Reason reason, WallTime expires);

    /// The verdict on one answer. `trust` is that of the zone that signed it (or of the zone asked, where nothing is
    /// signed). Records with no valid signature in a secure zone, missing or wrong proofs: bogus. Budget exhausted:
    /// indeterminate. RFC 9824's NXNAME gives outcome nxdomain with the rcode as received (NOERROR): what it means, and
    /// what it said. An insecure Finding in a secure zone (opt-out, iterations) says so by its reason.
    [[nodiscard]] FindingRef judge(const Response& response, const ZoneTrust& trust);
    /// A failure (timeout, SERVFAIL, lame …) in a zone proven to be unsigned is insecure + failure; else indeterminate.
    [[nodiscard]] FindingRef judge_failure(const dns::Name& name, dns::Type type, dns::Rcode rcode, Reason reason,
                                           const ZoneTrust& trust);

    /// Is this RRset signed by this zone? For referrals' DS sets, priming, NSEC for aggressive use. The result's expiry
    /// is capped.
    [[nodiscard]] FindingRef judge_rrset(const dns::RRset& rrset, const ZoneTrust& trust);

    /// The SOA, NSEC and NSEC3 sets that a secure Finding rests on, each as a Finding of its own; none for any other.
    [[nodiscard]] static std::vector<FindingRef> proven_sets(const Finding& denial);

    /// Denial from cached secure NSEC/NSEC3 sets of one zone (RFC 8198): nothing where they prove nothing, or only an
    /// opt-out span.
    [[nodiscard]] FindingRef judge_from_cached(const dns::Name& name, dns::Type type, const dns::Name& zone,
                                               const std::vector<FindingRef>& denials, const FindingRef& soa);
    /// The wildcard's own RRset, of a secure answer that was expanded from it; null for any other.
    [[nodiscard]] static FindingRef wildcard_of(const Finding& finding);
    /// An answer made from a cached wildcard's set (found as such: secure, owned by the wildcard) and denials that show
    /// that nothing closer exists (RFC 8198 5.3). Null where they do not, or only by an opt-out span.
    [[nodiscard]] FindingRef expand_from_cached(const dns::Name& name, dns::Type type, const dns::Name& zone,
                                                const std::vector<FindingRef>& denials, const FindingRef& wildcard);

    [[nodiscard]] static Cut cut_of(const Finding& ds, const Policy& policy);
    /// Usable DS of a set: supported algorithm and digest, SHA-1 dropped beside stronger ones (pitfalls 20, 21, 39).
    [[nodiscard]] static std::vector<dns::Ds> usable_ds(const dns::RRset& ds, const Policy& policy);

  private:
    void limit_iterations(const ZoneTrust& trust);
    [[nodiscard]] Context context() { return Context{policy_, now_, budget_, verified_}; }
    [[nodiscard]] FindingRef bogus(Finding::Parts parts, Reason reason) const;
    [[nodiscard]] FindingRef unknown(Finding::Parts parts, Reason reason) const;
    [[nodiscard]] FindingRef unsigned_answer(const Response& response, const ZoneTrust& trust) const;
    [[nodiscard]] FindingRef unsigned_denial(Finding::Parts parts, const Response& response,
                                             const ZoneTrust& trust) const;
    [[nodiscard]] FindingRef signed_records(const Response& response, const ZoneTrust& trust);
    [[nodiscard]] FindingRef signed_expansion(const Response& response, const ZoneTrust& trust, Finding::Parts parts,
                                              const dns::Name& source);
    [[nodiscard]] FindingRef signed_denial(const Response& response, const ZoneTrust& trust);
    /// The last step of both: proven, insecure, bogus or indeterminate by what `proof` says.
    [[nodiscard]] FindingRef conclude(Finding::Parts parts, Proof proof) const;
    [[nodiscard]] static FindingRef key_set(const dns::Name& zone, KeySetResult checked);
    [[nodiscard]] ZoneTrust trust_by(const dns::Name& zone, const std::vector<dns::Ds>& ds,
                                     const std::vector<dns::Dnskey>& keys, const dns::RRset& dnskey,
                                     std::optional<WallTime> parent_expires);

    Policy policy_;
    WallTime now_;
    Budget& budget_;
    VerifiedSignatures* verified_;
};

}  // namespace mxtrust::dnssec
