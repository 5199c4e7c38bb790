// Signatures of one RRset, tried in the order received.
#include "dnssec/signature.h"

#include <algorithm>

#include "dnssec/canonical.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

/// How near a signature that does not hold came to holding; the nearest one's reason is told.
enum class Nearness : std::uint8_t { none, unreadable, stranger, no_key, out_of_time, wrong };

/// One signature that passed all that costs nothing.
struct Candidate {
    const Bytes* rdata;
    dns::Rrsig rrsig;
    SignedOwner owner;
    WallTime expiration;
};

std::chrono::seconds skew_of(WallTime inception, WallTime expiration, const Policy& policy) {
    // At most a tenth of the signature's life: a skew must not make a signature of minutes valid for the double.
    return std::min(policy.skew, (expiration - inception) / 10);
}

class Trial {
  public:
    Trial(const dns::RRset& rrset, const dns::Name& zone, const std::vector<ZoneKey>& keys, const Context& context)
        : rrset_(rrset), zone_(zone), keys_(keys), context_(context) {}

    SignatureResult run() {
        if (rrset_.signatures.empty() || rrset_.records.empty()) return unsigned_set();
        std::vector<Candidate> candidates;
        for (const Bytes& rdata : rrset_.signatures) {
            std::optional<Candidate> candidate = inspect(rdata);
            if (candidate) candidates.push_back(std::move(*candidate));
        }
        std::vector<dns::Algorithm> wanted = algorithms_wanted();
        for (std::size_t index = 0; index < candidates.size() && !stopped_; ++index) {
            if (index >= context_.policy.most_signatures_tried) {
                stop(limit_reached("VSGL"_code, "signatures per RRset", zone_, checking()));
            } else if (holds(candidates[index])) {
                std::erase(wanted, candidates[index].rrsig.algorithm);
                if (wanted.empty()) return accept(candidates, index);
            }
        }
        if (!wanted.empty()) note_missing(wanted.front());
        SignatureResult result;
        result.check = stopped_ ? Check::exhausted : Check::invalid;
        result.reason = std::move(reason_);
        return result;
    }

    [[nodiscard]] dns::RRsetRef beside(const dns::RRset& held) {
        auto rrset = std::make_shared<dns::RRset>(held);
        for (const Bytes& rdata : rrset_.signatures) {
            if (rrset->signatures.size() >= context_.policy.most_signatures_tried) break;
            if (std::ranges::find(rrset->signatures, rdata) != rrset->signatures.end()) continue;
            const std::optional<Candidate> candidate = inspect(rdata);
            if (candidate && !candidate->owner.expanded) rrset->signatures.push_back(rdata);
        }
        return rrset;
    }

  private:
    /// Where the policy is stricter than RFC 6840 5.11: those that DS or anchor named. Else none: the first valid
    /// signature will do.
    [[nodiscard]] std::vector<dns::Algorithm> algorithms_wanted() const {
        std::vector<dns::Algorithm> wanted;
        if (context_.policy.algorithms == Algorithms::any) return wanted;
        for (const ZoneKey& key : keys_) {
            const dns::Algorithm algorithm = key.dnskey.algorithm;
            if (key.named && key.key && std::ranges::find(wanted, algorithm) == wanted.end())
                wanted.push_back(algorithm);
        }
        return wanted;
    }
    void note_missing(dns::Algorithm algorithm) {
        if (nearness_ != Nearness::none) return;
        reason_ =
            make_reason("VSGM"_code, dns::Ede::dnssec_bogus, zone_,
                        what() + " is not signed with algorithm " + std::to_string(static_cast<unsigned>(algorithm)) +
                            ", which DS or anchor of its zone name");
    }

    [[nodiscard]] std::string what() const { return describe(rrset_.type, rrset_.owner); }
    [[nodiscard]] std::string checking() const { return "checking the signatures of " + what(); }

    [[nodiscard]] SignatureResult unsigned_set() const {
        SignatureResult result;
        result.reason = make_reason("VSGN"_code, dns::Ede::rrsigs_missing, zone_,
                                    what() + " is not signed although the zone " + zone_.to_text() + " is");
        result.reason.record = what();
        return result;
    }

    void note(Nearness nearness, Reason reason) {
        if (stopped_ || nearness <= nearness_) return;
        nearness_ = nearness;
        reason_ = std::move(reason);
        reason_.record = what();
    }
    void note(Nearness nearness, Code code, dns::Ede ede, const dns::Rrsig& rrsig, const std::string& fault) {
        Reason reason = make_reason(
            code, ede, zone_,
            "signature of " + what() + " " + fault + " (" + describe_key(rrsig.key_tag, rrsig.algorithm) + ")");
        reason.key_tag = rrsig.key_tag;
        note(nearness, std::move(reason));
    }
    void stop(Reason reason) {
        stopped_ = true;
        reason_ = std::move(reason);
        reason_.record = what();
    }

    /// All that can be said about a signature without a public-key operation (RFC 4035 5.3.1).
    std::optional<Candidate> inspect(const Bytes& rdata) {
        Result<dns::Rrsig> rrsig = dns::parse_rrsig(rdata);
        if (!rrsig || rrsig->covered != rrset_.type) {
            note(Nearness::unreadable, make_reason("VSGU"_code, dns::Ede::dnssec_bogus, zone_,
                                                   "signature of " + what() + " is unreadable or covers another type"));
            return std::nullopt;
        }
        // Pitfall 16: the signer is the apex of the very zone; neither an ancestor nor a child can stand in for it.
        if (rrsig->signer != zone_ || !rrset_.owner.is_within(zone_)) {
            note(Nearness::stranger, "VSGS"_code, dns::Ede::dnssec_bogus, *rrsig,
                 "is by " + rrsig->signer.to_text() + ", not by the zone " + zone_.to_text());
            return std::nullopt;
        }
        Result<SignedOwner> owner = signed_owner(rrset_.owner, zone_, rrsig->labels);
        if (!owner) {
            note(Nearness::stranger, "VSGB"_code, dns::Ede::dnssec_bogus, *rrsig,
                 "is impossible: " + owner.error().text);
            return std::nullopt;
        }
        if (!has_key_for(*rrsig)) {
            note_no_key(*rrsig);
            return std::nullopt;
        }
        if (!is_in_time(*rrsig)) return std::nullopt;
        const WallTime expiration = widen(rrsig->expiration, context_.now);
        return Candidate{&rdata, std::move(*rrsig), std::move(*owner), expiration};
    }

    static bool matches(const ZoneKey& key, const dns::Rrsig& rrsig) {
        return key.key && key.dnskey.key_tag == rrsig.key_tag && key.dnskey.algorithm == rrsig.algorithm &&
               may_sign(key.dnskey);
    }
    [[nodiscard]] bool has_key_for(const dns::Rrsig& rrsig) const {
        return std::ranges::any_of(keys_, [&](const ZoneKey& key) { return matches(key, rrsig); });
    }

    /// A key that is there and must not sign is another mistake of the zone's than one that is not there.
    void note_no_key(const dns::Rrsig& rrsig) {
        const auto is_named = [&](const ZoneKey& key) {
            return key.dnskey.key_tag == rrsig.key_tag && key.dnskey.algorithm == rrsig.algorithm;
        };
        const auto named = std::ranges::find_if(keys_, is_named);
        if (named == keys_.end()) {
            note(Nearness::no_key, "VSGK"_code, dns::Ede::dnssec_bogus, rrsig,
                 "is by a key that " + zone_.to_text() + " does not have");
        } else if (named->dnskey.is_revoked()) {
            note(Nearness::no_key, "VSGR"_code, dns::Ede::dnssec_bogus, rrsig, "is by a key that is revoked");
        } else if (!may_sign(named->dnskey)) {
            note(Nearness::no_key, "VSGZ"_code, dns::Ede::no_zone_key_bit_set, rrsig,
                 "is by a key that is no zone key (flags " + std::to_string(named->dnskey.flags) + ", protocol " +
                     std::to_string(named->dnskey.protocol) + ")");
        } else {
            note(Nearness::no_key, "VSGA"_code, dns::Ede::dnssec_bogus, rrsig,
                 "is by a key that is not supported here");
        }
    }

    bool is_in_time(const dns::Rrsig& rrsig) {
        if (context_.policy.dates == Dates::ignored) return true;
        const WallTime inception = widen(rrsig.inception, context_.now);
        const WallTime expiration = widen(rrsig.expiration, context_.now);
        if (expiration < inception) {
            note(Nearness::out_of_time, "VSGI"_code, dns::Ede::signature_expired_before_valid, rrsig,
                 "expires before it becomes valid");
            return false;
        }
        const std::chrono::seconds skew = skew_of(inception, expiration, context_.policy);
        if (context_.now > expiration + skew) {
            note_time("VSGE"_code, dns::Ede::signature_expired, rrsig, expiration,
                      "expired " + span_in_words(context_.now - expiration) + " ago");
            return false;
        }
        if (context_.now + skew < inception) {
            note_time("VSGY"_code, dns::Ede::signature_not_yet_valid, rrsig, inception,
                      "is not valid before " + span_in_words(inception - context_.now) + " from now");
            return false;
        }
        return true;
    }
    void note_time(Code code, dns::Ede ede, const dns::Rrsig& rrsig, WallTime when, const std::string& fault) {
        const Nearness before = nearness_;
        note(Nearness::out_of_time, code, ede, rrsig, fault);
        if (nearness_ != before) reason_.when = when;
    }

    /// Pitfall 17: a key tag is a hint; keys with the same one are tried all, within limits (CVE-2023-50387).
    bool holds(const Candidate& candidate) {
        if (records_.empty()) records_ = canonical_records(rrset_);
        const Bytes data = signed_data(candidate.rrsig, candidate.owner.owner, records_);
        std::uint32_t tried = 0;
        for (const ZoneKey& key : keys_) {
            if (!matches(key, candidate.rrsig)) continue;
            if (++tried > context_.policy.most_keys_per_tag) {
                stop(limit_reached("VSGT"_code, "keys with one key tag", zone_, checking()));
                return false;
            }
            Bytes fingerprint = fingerprint_of(key, data, candidate);
            if (context_.verified != nullptr && context_.verified->holds(fingerprint)) return true;
            if (!context_.budget.take(Limit::verifications)) {
                stop(limit_reached("VSGV"_code, context_.budget, zone_, checking()));
                return false;
            }
            if (verify(key, data, candidate)) {
                if (context_.verified != nullptr) context_.verified->add(std::move(fingerprint));
                return true;
            }
            if (stopped_) return false;
        }
        return false;
    }

    [[nodiscard]] Bytes fingerprint_of(const ZoneKey& key, const Bytes& data, const Candidate& candidate) const {
        if (context_.verified == nullptr) return {};
        return VerifiedSignatures::fingerprint(key.dnskey, data, candidate.rrsig.signature);
    }

    bool verify(const ZoneKey& key, const Bytes& data, const Candidate& candidate) {
        switch (key.key->verify(data, candidate.rrsig.signature)) {
            case crypto::Verification::valid:
                return true;
            case crypto::Verification::unsupported:
                return false;
            case crypto::Verification::invalid:
                note(Nearness::wrong, "VSGW"_code, dns::Ede::dnssec_bogus, candidate.rrsig, "does not verify");
                if (!context_.budget.take(Limit::failures)) {
                    stop(limit_reached("VSGF"_code, context_.budget, zone_, checking()));
                }
                return false;
        }
        return false;
    }

    [[nodiscard]] SignatureResult accept(const std::vector<Candidate>& candidates, std::size_t index) const {
        const Candidate& held = candidates[index];
        SignatureResult result;
        result.check = Check::valid;
        result.expires = context_.now + life(held);
        if (held.owner.expanded) result.source = held.owner.owner;
        auto rrset = std::make_shared<dns::RRset>();
        rrset->owner = rrset_.owner;
        rrset->type = rrset_.type;
        rrset->ttl = std::chrono::duration_cast<dns::Ttl>(result.expires - context_.now);
        rrset->records = rrset_.records;
        // The one that held first; of the others those that may hold too, for clients that validate by other
        // algorithms. Not more: what nobody looked at is not worth its place in the cache.
        rrset->signatures.push_back(*held.rdata);
        for (const Candidate& other : candidates) {
            if (rrset->signatures.size() >= context_.policy.most_signatures_tried) break;
            if (&other != &held && other.rrsig.labels == held.rrsig.labels) rrset->signatures.push_back(*other.rdata);
        }
        result.rrset = std::move(rrset);
        return result;
    }

    /// Pitfall 23 and the policy's bounds. Never negative: within the skew after its end, a signature serves one
    /// answer, no cache.
    [[nodiscard]] std::chrono::seconds life(const Candidate& held) const {
        std::chrono::seconds ttl = std::min<std::chrono::seconds>(rrset_.ttl, dns::Ttl(held.rrsig.original_ttl));
        ttl = std::min(std::max(ttl, context_.policy.least_ttl), context_.policy.most_ttl);
        if (context_.policy.dates == Dates::ignored) return ttl;
        return std::max(std::min(ttl, held.expiration - context_.now), std::chrono::seconds(0));
    }

    const dns::RRset& rrset_;
    const dns::Name& zone_;
    const std::vector<ZoneKey>& keys_;
    const Context& context_;
    std::vector<Bytes> records_;
    Nearness nearness_ = Nearness::none;
    bool stopped_ = false;
    Reason reason_;
};

}  // namespace

bool is_supported(dns::Algorithm algorithm, const Policy& policy) {
    const bool sha1 = algorithm == dns::Algorithm::rsasha1 || algorithm == dns::Algorithm::rsasha1_nsec3_sha1;
    if (sha1 && policy.sha1 == Sha1::unsupported) return false;  // RFC 9905, pitfalls 38
    return crypto::can_verify(algorithm);
}

bool may_sign(const dns::Dnskey& dnskey) {
    return dnskey.is_zone_key() && !dnskey.is_revoked() && dnskey.protocol == 3;
}

ZoneKey make_zone_key(dns::Dnskey dnskey, const Policy& policy) {
    ZoneKey result{std::move(dnskey), nullptr};
    if (!may_sign(result.dnskey) || !is_supported(result.dnskey.algorithm, policy)) return result;
    auto key = crypto::PublicKey::parse(result.dnskey.algorithm, result.dnskey.public_key);
    if (!key) return result;
    const bool rsa = result.dnskey.algorithm <= dns::Algorithm::rsasha512;
    if (!rsa || (*key)->bits() <= policy.most_rsa_bits) result.key = std::move(*key);
    return result;
}

SignatureResult check_signatures(const dns::RRset& rrset, const dns::Name& zone, const std::vector<ZoneKey>& keys,
                                 const Context& context) {
    return Trial(rrset, zone, keys, context).run();
}

dns::RRsetRef with_other_signatures(const dns::RRsetRef& held, const dns::RRset& received, const dns::Name& zone,
                                    const std::vector<ZoneKey>& keys, const Context& context) {
    return Trial(received, zone, keys, context).beside(*held);
}

WallTime widen(std::uint32_t serial, WallTime now) {
    const auto distance = static_cast<std::int32_t>(serial - static_cast<std::uint32_t>(now.seconds));
    return WallTime{now.seconds + distance};
}

}  // namespace mxtrust::dnssec
