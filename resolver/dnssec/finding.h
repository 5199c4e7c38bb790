// What is known about one name and one type, and how well: the two axes of every answer.
//
// Security is one of RFC 4033 5's four states; outcome says what was found. They are never mixed: a failure is never an
// absence, bogus is never insecure. "Secure" and "insecure" both are proven facts: a Finding that says so can only be
// made with a ProofKey, which only the validator (dnssec::Judge) and, for what was judged before, the cache codec can
// make. A bogus Finding has a reason and no data.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "dns/rrset.h"

namespace mxtrust::cache {
class Codec;
}

namespace mxtrust::dnssec {

enum class Security : std::uint8_t { secure, insecure, bogus, indeterminate };  // RFC 4033 5
enum class Outcome : std::uint8_t { records, nodata, nxdomain, failure };

[[nodiscard]] std::string_view to_text(Security security);
[[nodiscard]] std::string_view to_text(Outcome outcome);
/// The weaker of two, for chains of aliases: bogus, then indeterminate, then insecure, then secure.
[[nodiscard]] Security weakest(Security left, Security right);

/// Why a verdict is what it is, for a postmaster: one sentence, the culprit, and the place in the source.
struct Reason {
    Code code{};
    std::optional<dns::Ede> ede{};    ///< RFC 8914
    std::string text{};               ///< one sentence without final stop; empty where nothing is to be explained
    std::optional<dns::Name> zone{};  ///< the zone at fault
    std::string record{};             ///< "MX example.org": the RRset at fault, or the one whose denial is
    std::string server{};             ///< "ns1.example.org (192.0.2.1)" where one is at fault
    std::optional<std::uint16_t> key_tag{};
    std::optional<WallTime> when{};  ///< since or until when, for signatures out of their time
    /// The failure was found earlier and is told again from memory (RFC 8914 4.14). Never stored.
    bool remembered = false;
    friend bool operator==(const Reason&, const Reason&) = default;
};

/// Who may say "proven".
class ProofKey {
    friend class Judge;
    friend class mxtrust::cache::Codec;
    ProofKey() = default;
};

class Finding;
using FindingRef = std::shared_ptr<const Finding>;

/// The result of one look-up, no alias followed.
class Finding {
  public:
    struct Parts {
        dns::Name name;
        dns::Type type{};
        Outcome outcome{};
        dns::Rcode rcode{};
        dns::RRsetRef rrset{};  ///< outcome records: the set found; CNAME or DNAME where the name is an alias
        std::vector<dns::RRsetRef>
            proof{};       ///< SOA, NSEC, NSEC3 with their signatures: of a denial or a wildcard expansion
        dns::Name zone{};  ///< the zone that answered (the signer, where secure)
        Reason reason{};
        WallTime expires{};  ///< good until then: TTLs, signature expirations, all capped (pitfalls 23, 24)
    };

    /// A proven fact. Requires: security is secure or insecure; `insecure` + `failure` only in a zone proven to be
    /// unsigned.
    static FindingRef proven(ProofKey key, Security security, Parts parts);
    /// In these two a reason without EDE gets one: 6 (DNSSEC bogus), 5 (indeterminate): no failure is without.
    /// The chain does not hold. Carries no data (parts.rrset and proof are dropped).
    static FindingRef bogus(Parts parts);
    /// It could not be found out. Outcome failure, security indeterminate.
    static FindingRef failure(Parts parts);
    /// A failure out of the cache says so; anything else is given back as it is.
    static FindingRef remembered(const FindingRef& finding);
    /// The same fact, told for another question that it answers: a CNAME for any type at its name, a DNAME for a name
    /// below its owner, an NXDOMAIN for any type at its name and for every name below it (RFC 8020). Null where it
    /// answers nothing.
    static FindingRef answering(const FindingRef& finding, const dns::Name& name, dns::Type type);

    [[nodiscard]] const dns::Name& name() const { return parts_.name; }
    [[nodiscard]] dns::Type type() const { return parts_.type; }
    [[nodiscard]] Security security() const { return security_; }
    [[nodiscard]] Outcome outcome() const { return parts_.outcome; }
    [[nodiscard]] dns::Rcode rcode() const { return parts_.rcode; }
    [[nodiscard]] const dns::RRsetRef& rrset() const { return parts_.rrset; }
    [[nodiscard]] const std::vector<dns::RRsetRef>& proof() const { return parts_.proof; }
    [[nodiscard]] const dns::Name& zone() const { return parts_.zone; }
    [[nodiscard]] const Reason& reason() const { return parts_.reason; }
    [[nodiscard]] WallTime expires() const { return parts_.expires; }
    [[nodiscard]] bool is_secure() const { return security_ == Security::secure; }

    /// The name stands for another one: a CNAME where another type was asked, or a DNAME above the name.
    [[nodiscard]] bool is_alias() const;
    /// Where the alias leads. Requires: is_alias(). An error where the substituted name grows too long (YXDOMAIN, RFC
    /// 6672 2.2).
    [[nodiscard]] Result<dns::Name> alias_target() const;
    /// The CNAME set to show for an alias: its own, or the one synthesised from the DNAME (RFC 6672 3.1). Requires:
    /// is_alias().
    [[nodiscard]] Result<dns::RRset> alias_rrset() const;

  private:
    Finding(Security security, Parts parts) : security_(security), parts_(std::move(parts)) {}
    Security security_;
    Parts parts_;
};

/// A look-up with its aliases followed: every link keeps its own status (validator-pitfalls 27, RFC 7672 2.2.2).
class Answer {
  public:
    /// Requires: not empty; all but the last are aliases.
    explicit Answer(std::vector<FindingRef> links);
    [[nodiscard]] const std::vector<FindingRef>& links() const { return links_; }
    [[nodiscard]] const dns::Name& name() const { return links_.front()->name(); }
    [[nodiscard]] dns::Type type() const { return links_.front()->type(); }
    [[nodiscard]] bool is_aliased() const { return links_.size() > 1; }
    [[nodiscard]] const Finding& final() const { return *links_.back(); }
    /// The fully expanded name: where the last link looked.
    [[nodiscard]] const dns::Name& expanded() const { return links_.back()->name(); }
    [[nodiscard]] Outcome outcome() const { return final().outcome(); }
    [[nodiscard]] dns::Rcode rcode() const { return final().rcode(); }
    [[nodiscard]] Security security() const;        ///< of the weakest link
    [[nodiscard]] Security alias_security() const;  ///< of the weakest alias link; secure where there is none
    [[nodiscard]] WallTime expires() const;         ///< of the link that ends first
    [[nodiscard]] const Reason& reason() const;     ///< of the weakest link; of equally weak ones, of that which failed

  private:
    std::vector<FindingRef> links_;
};

/// TLSA records that the DANE code may be called with: proven to be authentic. Anything else gives nothing.
class SecureRRset {
  public:
    static std::optional<SecureRRset> from(const Answer& answer);
    static std::optional<SecureRRset> from(const Finding& finding);
    [[nodiscard]] const dns::RRset& operator*() const { return *rrset_; }
    [[nodiscard]] const dns::RRset* operator->() const { return rrset_.get(); }

  private:
    explicit SecureRRset(dns::RRsetRef rrset) : rrset_(std::move(rrset)) {}
    dns::RRsetRef rrset_;
};

}  // namespace mxtrust::dnssec
