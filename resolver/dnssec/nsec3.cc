// NSEC3 proofs.
#include "dnssec/nsec3.h"

#include <algorithm>

#include "crypto/digest.h"
#include "dnssec/canonical.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

/// The hash that an NSEC3's owner is; nothing unless it is exactly hash.zone (A8, CVE-2026-10723).
std::optional<Bytes> owner_hash(const dns::Name& owner, const dns::Name& zone) {
    if (owner.is_root() || owner.parent() != zone) return std::nullopt;
    Result<Bytes> hash = from_base32hex(owner.label(0));
    if (!hash || hash->size() != nsec3_hash_octets) return std::nullopt;
    return std::move(*hash);
}

bool is_known(const dns::Nsec3& nsec3) {
    return nsec3.hash_algorithm == nsec3_sha1 && (nsec3.flags & ~1U) == 0 &&
           nsec3.next_hash.size() == nsec3_hash_octets;
}

bool has_same_parameters(const dns::Nsec3& left, const dns::Nsec3& right) {
    return left.iterations == right.iterations && left.salt == right.salt;
}

bool lies_between(const Bytes& hash, const Bytes& owner, const Bytes& next) {
    if (owner < next) return owner < hash && hash < next;
    return hash != owner && (owner < hash || hash < next);  // the last one of the chain, or the only one
}

}  // namespace

Nsec3Set::Nsec3Set(const dns::Name& zone, const std::vector<Evidence>& evidence, const Context& context)
    : zone_(zone), context_(context) {
    for (const Evidence& item : evidence) {
        if (item.rrset->type != dns::Type::nsec3 || item.rrset->records.size() != 1) continue;
        Result<dns::Nsec3> nsec3 = dns::parse_nsec3(item.rrset->records.front());
        std::optional<Bytes> own = owner_hash(item.rrset->owner, zone);
        if (nsec3 && own && is_known(*nsec3)) records_.push_back(Record{item, std::move(*nsec3), std::move(*own)});
    }
}

Proof Nsec3Set::missing(Code code, std::string text) const {
    if (!exhausted_ && !refused_) return not_proven(make_reason(code, dns::Ede::nsec_missing, zone_, std::move(text)));
    Proof proof = not_proven(
        refused_ ? make_reason("VHSR"_code, dns::Ede::dnssec_indeterminate, zone_,
                               "the crypto library refuses SHA-1, which NSEC3 needs")
                 : limit_reached("VHLM"_code, context_.budget, zone_, "checking NSEC3 records of " + zone_.to_text()));
    proof.proven = Proven::exhausted;
    return proof;
}

Proof Nsec3Set::contradiction(Code code, std::string text) const {
    return not_proven(make_reason(code, dns::Ede::dnssec_bogus, zone_, std::move(text)));
}

Proof Nsec3Set::opted_out(Outcome outcome, std::vector<Evidence> used, const dns::Name& name) const {
    Proof proof = proven_by(outcome, std::move(used));
    proof.proven = Proven::unsigned_only;  // RFC 5155 9.2, pitfall 7
    proof.reason.code = "VHOO"_code;
    proof.reason.zone = zone_;
    proof.reason.text =
        zone_.to_text() +
        " does not sign all its delegations (NSEC3 opt-out): there may be an unsigned one at or above " +
        name.to_text();
    return proof;
}

const Bytes* Nsec3Set::hash(const dns::Name& name) {
    if (const auto known = hashes_.find(name); known != hashes_.end()) return &known->second;
    if (refused_) return nullptr;
    if (exhausted_ || !context_.budget.take(Limit::nsec3_hashes)) {
        exhausted_ = true;
        return nullptr;
    }
    const dns::Nsec3& parameters = records_.front().nsec3;
    Bytes digest = crypto::nsec3_hash(name.wire(), parameters.salt, parameters.iterations);
    if (digest.empty()) {  // it would seem to lie before all others
        refused_ = true;
        return nullptr;
    }
    return &hashes_.emplace(name, std::move(digest)).first->second;
}

/// Pitfall 5: NS and SOA away from the apex.
bool Nsec3Set::is_misplaced(const Record& record) {
    if (!is_misplaced_apex(record.nsec3.types, false)) return false;
    const Bytes* const apex = hash(zone_);
    return apex == nullptr || *apex != record.owner_hash;
}

const Nsec3Set::Record* Nsec3Set::matching(const dns::Name& name) {
    const Bytes* const wanted = hash(name);
    if (wanted == nullptr) return nullptr;
    const auto found = std::ranges::find(records_, *wanted, &Record::owner_hash);
    return found == records_.end() || is_misplaced(*found) ? nullptr : &*found;
}

const Nsec3Set::Record* Nsec3Set::covering(const dns::Name& name) {
    const Bytes* const wanted = hash(name);
    if (wanted == nullptr) return nullptr;
    const auto found = std::ranges::find_if(records_, [&](const Record& record) {
        return lies_between(*wanted, record.owner_hash, record.nsec3.next_hash) && !is_misplaced(record);
    });
    return found == records_.end() ? nullptr : &*found;
}

const dns::TypeSet* Nsec3Set::types_at(const dns::Name& name) {
    if (records_.empty() || refuse_parameters()) return nullptr;
    const Record* const record = matching(name);
    return record == nullptr ? nullptr : &record->nsec3.types;
}

/// RFC 5155 8.2 and pitfall 10: mixed parameters prove nothing. RFC 9276 3.2 and pitfall 40: too many iterations make
/// it insecure, which may be said here, because the records' signatures were verified before.
std::optional<Proof> Nsec3Set::refuse_parameters() const {
    for (const Record& record : records_) {
        if (!has_same_parameters(record.nsec3, records_.front().nsec3)) {
            return contradiction("VHPM"_code,
                                 "the NSEC3 records of " + zone_.to_text() + " differ in their parameters");
        }
    }
    const std::uint16_t iterations = records_.front().nsec3.iterations;
    if (iterations <= context_.policy.most_nsec3_iterations) return std::nullopt;
    Proof proof;
    proof.proven = Proven::unsigned_only;
    for (const Record& record : records_) proof.used.push_back(record.evidence);
    proof.reason = make_reason("VHIT"_code, dns::Ede::unsupported_nsec3_iterations, zone_,
                               zone_.to_text() + " hashes names " + std::to_string(iterations) +
                                   " times more, over the limit of " +
                                   std::to_string(context_.policy.most_nsec3_iterations) + " (RFC 9276)");
    return proof;
}

Proof Nsec3Set::prove(const Claim& claim) {
    if (records_.empty() || !claim.name.is_within(zone_)) {
        return missing("VHNO"_code, "no usable NSEC3 of " + zone_.to_text() + " for " + claim.name.to_text());
    }
    if (std::optional<Proof> refused = refuse_parameters()) {
        refused->outcome = claim.kind == Claim::Kind::nxdomain ? Outcome::nxdomain : Outcome::nodata;
        return std::move(*refused);
    }
    switch (claim.kind) {
        case Claim::Kind::nodata:
            return nodata(claim.name, claim.type);
        case Claim::Kind::nxdomain:
            return nxdomain(claim.name);
        case Claim::Kind::expansion:
            return expansion(claim.name, claim.labels);
    }
    return {};
}

/// RFC 5155 8.3. The name itself does not count: whoever calls has found that nothing matches it.
tl::expected<Nsec3Set::Encloser, Proof> Nsec3Set::closest_encloser(const dns::Name& name) {
    for (std::size_t labels = name.label_count(); labels-- > zone_.label_count();) {
        const Record* const match = matching(name.ancestor(labels));
        if (exhausted_ || refused_) break;
        if (match == nullptr) continue;
        // RFC 5155 8.3, RFC 6672 5.3.2, pitfall 11.
        if (hides_descendants(match->nsec3.types)) {
            return tl::unexpected(contradiction("VHCD"_code, "the closest encloser " + name.ancestor(labels).to_text() +
                                                                 " of " + name.to_text() +
                                                                 " is a delegation or has a DNAME"));
        }
        const Record* const cover = covering(name.ancestor(labels + 1));
        if (cover == nullptr) break;
        return Encloser{match, labels, cover};
    }
    return tl::unexpected(
        missing("VHCE"_code, "no NSEC3 of " + zone_.to_text() + " proves the closest encloser of " + name.to_text()));
}

Proof Nsec3Set::nodata(const dns::Name& name, dns::Type type) {
    if (const Record* const match = matching(name)) {  // RFC 5155 8.5
        if (const auto objection = objection_to_nodata(match->nsec3.types, name, type)) {
            return contradiction("VHOB"_code, "the NSEC3 of " + name.to_text() + " does not deny " +
                                                  dns::to_text(type) + ": it " + *objection);
        }
        const bool nxname = says_nxname(match->nsec3.types);
        return proven_by(nxname ? Outcome::nxdomain : Outcome::nodata, {match->evidence});
    }
    const auto encloser = closest_encloser(name);
    if (!encloser) return encloser.error();
    std::vector<Evidence> used{encloser->match->evidence, encloser->next_closer->evidence};
    // RFC 5155 8.6: an unsigned delegation in the span; a wildcard beside it has no say, whatever its types.
    if (type == dns::Type::ds && encloser->next_closer->nsec3.opt_out())
        return opted_out(Outcome::nodata, std::move(used), name);
    const dns::Name wildcard = wildcard_of(name.ancestor(encloser->labels));
    const Record* const match = matching(wildcard);
    if (match != nullptr) {  // RFC 5155 8.7
        if (const auto objection = objection_to_nodata(match->nsec3.types, wildcard, type)) {
            return contradiction("VHWB"_code, "the NSEC3 of " + wildcard.to_text() + " does not deny " +
                                                  dns::to_text(type) + ": it " + *objection);
        }
        used.push_back(match->evidence);
    }
    // RFC 5155 7.1 lets empty non-terminals above unsigned delegations be left out, too.
    if (encloser->next_closer->nsec3.opt_out()) return opted_out(Outcome::nodata, std::move(used), name);
    if (match != nullptr) return proven_by(Outcome::nodata, std::move(used));
    return missing("VHWM"_code, "no NSEC3 of " + zone_.to_text() + " denies " + describe(type, name));
}

/// RFC 5155 8.4, pitfall 9.
Proof Nsec3Set::nxdomain(const dns::Name& name) {
    if (const Record* const match = matching(name)) {
        if (says_nxname(match->nsec3.types)) return proven_by(Outcome::nxdomain, {match->evidence});
        return contradiction("VHXE"_code, name.to_text() + " is said not to exist, but its NSEC3 shows that it does");
    }
    const auto encloser = closest_encloser(name);
    if (!encloser) return encloser.error();
    std::vector<Evidence> used{encloser->match->evidence, encloser->next_closer->evidence};
    bool opt_out = encloser->next_closer->nsec3.opt_out();
    const dns::Name wildcard = wildcard_of(name.ancestor(encloser->labels));
    const Record* const absent = covering(wildcard);
    if (absent == nullptr) {
        return missing("VHXW"_code,
                       "no NSEC3 of " + zone_.to_text() + " shows that there is no wildcard " + wildcard.to_text());
    }
    opt_out = opt_out || absent->nsec3.opt_out();
    used.push_back(absent->evidence);
    return opt_out ? opted_out(Outcome::nxdomain, std::move(used), name)
                   : proven_by(Outcome::nxdomain, std::move(used));
}

/// RFC 5155 8.8: the wildcard's own existence shows the closest encloser.
Proof Nsec3Set::expansion(const dns::Name& name, std::size_t labels) {
    const dns::Name next_closer = name.ancestor(labels + 1);
    const Record* const cover = covering(next_closer);
    if (cover == nullptr) {
        return missing("VHXP"_code, "no NSEC3 of " + zone_.to_text() + " shows that " + next_closer.to_text() +
                                        " does not exist, so that a wildcard must not stand for " + name.to_text());
    }
    if (cover->nsec3.opt_out()) return opted_out(Outcome::records, {cover->evidence}, name);
    return proven_by(Outcome::records, {cover->evidence});
}

}  // namespace mxtrust::dnssec
