// From DS to DNSKEY.
#include "dnssec/delegation.h"

#include <algorithm>

#include "crypto/digest.h"
#include "dnssec/reason.h"

namespace mxtrust::dnssec {

namespace {

constexpr std::size_t most_tags_told = 6;

bool is_usable(const dns::Ds& ds, const Policy& policy) {
    return is_supported(ds.algorithm, policy) && crypto::can_digest(ds.digest_type);
}

Bytes rdata_of(const dns::Dnskey& dnskey) {
    Writer writer(4 + dnskey.public_key.size());
    writer.u16(dnskey.flags);
    writer.u8(dnskey.protocol);
    writer.u8(static_cast<std::uint8_t>(dnskey.algorithm));
    writer.bytes(dnskey.public_key);
    return std::move(writer).finish();
}

bool is_same_key(const dns::Dnskey& left, const dns::Dnskey& right) {
    return left.algorithm == right.algorithm && left.public_key == right.public_key;
}

/// Well-formed, but nothing that can be verified with here: too long, or refused by the library. Malformed is not this.
bool is_beyond_us(const dns::Dnskey& dnskey, const Policy& policy) {
    if (!is_supported(dnskey.algorithm, policy)) return true;
    const auto key = crypto::PublicKey::parse(dnskey.algorithm, dnskey.public_key);
    return key ? make_zone_key(dnskey, policy).key == nullptr : key.error().kind == FailureKind::unsupported;
}

/// "1", "1 and 2", "1, 2 and 3", and not more than a sentence holds.
std::string list_of_tags(const std::vector<std::uint16_t>& tags) {
    if (tags.empty()) return "none";
    const std::size_t shown = std::min<std::size_t>(tags.size(), most_tags_told);
    std::string text;
    for (std::size_t index = 0; index < shown; ++index) {
        const bool last = index + 1 == tags.size();
        if (index > 0) text += last ? " and " : ", ";
        text += std::to_string(tags[index]);
    }
    if (shown < tags.size()) text += " and " + std::to_string(tags.size() - shown) + " more";
    return text;
}

class Search {
  public:
    Search(const dns::Name& zone, const Context& context) : zone_(zone), context_(context) {}

    KeySetResult run(const Entry& entry, const dns::RRset& rrset) {
        const std::vector<dns::Ds> usable = usable_of(entry.ds, context_.policy);
        const bool any_key = std::ranges::any_of(
            entry.keys, [&](const dns::Dnskey& key) { return is_supported(key.algorithm, context_.policy); });
        if (usable.empty() && !any_key) {  // pitfall 20
            return result(KeySet::unsupported, unsupported_delegation("VKUN"_code, zone_, entry.ds, context_.policy));
        }
        if (rrset.records.empty() || rrset.type != dns::Type::dnskey || rrset.owner != zone_) {
            return result(KeySet::bogus,
                          make_reason("VKNO"_code, dns::Ede::dnskey_missing, zone_,
                                      zone_.to_text() + " ought to be signed but shows no DNSKEY records"));
        }
        for (const Bytes& rdata : rrset.records) {
            Result<dns::Dnskey> key = dns::parse_dnskey(rdata);
            if (key) keys_.push_back(std::move(*key));
        }
        for (const dns::Ds& ds : usable) name(ds.algorithm);
        for (const dns::Dnskey& anchor : entry.keys) {
            if (is_supported(anchor.algorithm, context_.policy)) name(anchor.algorithm);
        }
        for (const dns::Ds& ds : usable) follow(ds);
        for (const dns::Dnskey& anchor : entry.keys) follow(anchor);
        return conclude(rrset);
    }

  private:
    [[nodiscard]] KeySetResult result(KeySet state, Reason reason) const {
        KeySetResult result;
        result.state = state;
        result.reason = std::move(reason);
        if (result.reason.record.empty()) result.reason.record = describe(dns::Type::dnskey, zone_);
        return result;
    }

    void name(dns::Algorithm algorithm) {
        if (!is_named(algorithm)) named_.push_back(algorithm);
    }
    [[nodiscard]] bool is_named(dns::Algorithm algorithm) const {
        return std::ranges::find(named_, algorithm) != named_.end();
    }
    /// An algorithm that DS or anchor name, and of which none of the keys they name is there.
    [[nodiscard]] std::optional<dns::Algorithm> missing_algorithm() const {
        if (context_.policy.algorithms == Algorithms::any) return std::nullopt;
        for (const dns::Algorithm algorithm : named_) {
            const auto same = [algorithm](const ZoneKey& entry) { return entry.dnskey.algorithm == algorithm; };
            if (std::ranges::none_of(entries_, same)) return algorithm;
        }
        return std::nullopt;
    }

    void follow(const dns::Ds& ds) {
        std::uint32_t tried = 0;
        bool found = false;
        for (const dns::Dnskey& key : keys_) {
            if (key.key_tag != ds.key_tag || key.algorithm != ds.algorithm) continue;
            if (!may_sign(key)) {  // pitfall 18
                unfit_ = key;
                continue;
            }
            if (++tried > context_.policy.most_keys_per_tag) {
                limited_ = true;
                break;
            }
            if (is_digest_of(ds, zone_, key)) {
                enter(key);
                found = true;
            } else {
                unlike_ = key.key_tag;
            }
        }
        if (!found) lost_.push_back(ds.key_tag);
    }
    void follow(const dns::Dnskey& anchor) {
        if (!is_supported(anchor.algorithm, context_.policy)) return;
        const auto found = std::ranges::find_if(
            keys_, [&](const dns::Dnskey& key) { return may_sign(key) && is_same_key(key, anchor); });
        if (found == keys_.end()) {
            lost_.push_back(anchor.key_tag);
        } else {
            enter(*found);
        }
    }
    void enter(const dns::Dnskey& key) {
        const bool known =
            std::ranges::any_of(entries_, [&](const ZoneKey& entry) { return is_same_key(entry.dnskey, key); });
        if (known) return;
        ZoneKey entry = make_zone_key(key, context_.policy);
        entry.named = true;
        if (entry.key) {
            entries_.push_back(std::move(entry));
        } else if (is_beyond_us(key, context_.policy)) {
            beyond_us_ = key;
        } else {
            broken_ = key.key_tag;
        }
    }

    KeySetResult conclude(const dns::RRset& rrset) {
        if (const auto missing = missing_algorithm(); missing && !entries_.empty()) {
            return result(KeySet::bogus, make_reason("VKAL"_code, dns::Ede::dnskey_missing, zone_,
                                                     zone_.to_text() + " has no key of algorithm " +
                                                         std::to_string(static_cast<unsigned>(*missing)) +
                                                         ", which its DS or trust anchor names"));
        }
        if (!entries_.empty()) {
            SignatureResult check = check_signatures(rrset, zone_, entries_, context_);
            if (check.check == Check::valid) return accept(check, rrset);
            if (check.check == Check::exhausted) return result(KeySet::exhausted, std::move(check.reason));
            if (std::optional<Reason> reason = unsigned_set(rrset)) return result(KeySet::bogus, std::move(*reason));
            return result(KeySet::bogus, std::move(check.reason));
        }
        if (limited_) {
            return result(KeySet::exhausted, limit_reached("VKLM"_code, "keys with one key tag", zone_,
                                                           "looking for the key of " + zone_.to_text()));
        }
        if (beyond_us_ && lost_.empty() && !broken_) {  // pitfall 38
            Reason reason = make_reason("VKBU"_code, dns::Ede::unsupported_dnskey_algorithm, zone_,
                                        "the key of " + zone_.to_text() + " (" +
                                            describe_key(beyond_us_->key_tag, beyond_us_->algorithm) +
                                            ") is not supported here, so that the zone counts as unsigned");
            reason.key_tag = beyond_us_->key_tag;
            return result(KeySet::unsupported, std::move(reason));
        }
        return no_path();
    }

    KeySetResult accept(const SignatureResult& check, const dns::RRset& rrset) {
        KeySetResult result;
        result.state = KeySet::secure;
        result.expires = check.expires;
        for (dns::Dnskey& key : keys_) {
            const bool named = is_named(key.algorithm);
            result.keys.push_back(parsed(std::move(key)));
            result.keys.back().named = named;
        }
        if (!check.source) result.rrset = with_other_signatures(check.rrset, rrset, zone_, result.keys, context_);
        return result;
    }
    /// A key that was entered is parsed already: that costs as much as a good part of a verification.
    [[nodiscard]] ZoneKey parsed(dns::Dnskey key) const {
        const auto same = [&key](const ZoneKey& entry) {
            return is_same_key(entry.dnskey, key) && entry.dnskey.flags == key.flags &&
                   entry.dnskey.protocol == key.protocol;
        };
        const auto entered = std::ranges::find_if(entries_, same);
        if (entered != entries_.end()) return *entered;
        return make_zone_key(std::move(key), context_.policy);
    }

    [[nodiscard]] std::string subject() const { return "the key of " + zone_.to_text() + " that its DS names"; }
    [[nodiscard]] std::string tags_of_keys() const {
        std::vector<std::uint16_t> tags;
        for (const dns::Dnskey& key : keys_) tags.push_back(key.key_tag);
        return list_of_tags(tags);
    }
    [[nodiscard]] Reason about(Code code, dns::Ede ede, std::uint16_t key_tag, std::string text) const {
        Reason reason = make_reason(code, ede, zone_, std::move(text));
        reason.key_tag = key_tag;
        return reason;
    }

    /// The keys came, but nothing that could hold them together with the DS: no signature at all, or none by the right
    /// key.
    [[nodiscard]] std::optional<Reason> unsigned_set(const dns::RRset& rrset) const {
        const std::uint16_t entry = entries_.front().dnskey.key_tag;
        if (rrset.signatures.empty()) {
            return about("VKSU"_code, dns::Ede::rrsigs_missing, entry,
                         "the DNSKEY records of " + zone_.to_text() +
                             " come without signatures although the zone has a DS or trust anchor (key tag " +
                             std::to_string(entry) + ")");
        }
        std::vector<std::uint16_t> tags;
        for (const Bytes& rdata : rrset.signatures) {
            const Result<dns::Rrsig> rrsig = dns::parse_rrsig(rdata);
            if (!rrsig) return std::nullopt;
            const auto is_by = [&](const ZoneKey& key) { return key.dnskey.key_tag == rrsig->key_tag; };
            if (std::ranges::any_of(entries_, is_by)) return std::nullopt;
            tags.push_back(rrsig->key_tag);
        }
        return about("VKSK"_code, dns::Ede::dnssec_bogus, entry,
                     "the DNSKEY records of " + zone_.to_text() + " are signed by key tag " + list_of_tags(tags) +
                         ", not by the key that its DS or trust anchor names (key tag " + std::to_string(entry) + ")");
    }

    [[nodiscard]] Reason no_path_reason() const {
        if (broken_) {
            return about("VKBR"_code, dns::Ede::dnssec_bogus, *broken_,
                         subject() + " (key tag " + std::to_string(*broken_) + ") is malformed");
        }
        if (unfit_ && unfit_->is_revoked()) {
            return about("VKRV"_code, dns::Ede::dnssec_bogus, unfit_->key_tag,
                         subject() + " (key tag " + std::to_string(unfit_->key_tag) + ") is revoked");
        }
        if (unfit_) {
            return about("VKZK"_code, dns::Ede::no_zone_key_bit_set, unfit_->key_tag,
                         subject() + " (key tag " + std::to_string(unfit_->key_tag) + ") is no zone key (flags " +
                             std::to_string(unfit_->flags) + ", protocol " + std::to_string(unfit_->protocol) + ")");
        }
        if (unlike_) {
            return about("VKDG"_code, dns::Ede::dnskey_missing, *unlike_,
                         "the DS of " + zone_.to_text() + " for key tag " + std::to_string(*unlike_) +
                             " has the digest of another key than the DNSKEY with that tag");
        }
        return about("VKNM"_code, dns::Ede::dnskey_missing, lost_.front(),
                     "no DNSKEY of " + zone_.to_text() + " is the one that its DS or trust anchor names (key tag " +
                         list_of_tags(lost_) + "); it has key tag " + tags_of_keys());
    }
    [[nodiscard]] KeySetResult no_path() const { return result(KeySet::bogus, no_path_reason()); }

    const dns::Name& zone_;
    const Context& context_;
    std::vector<dns::Dnskey> keys_;
    std::vector<dns::Algorithm> named_;     ///< by DS and anchors, of those supported
    std::vector<ZoneKey> entries_;          ///< keys of the set that DS or anchor name
    std::optional<dns::Dnskey> beyond_us_;  ///< named, but not supported
    std::optional<dns::Dnskey> unfit_;      ///< its tag is named, but it must not sign
    std::vector<std::uint16_t> lost_;       ///< named and not there
    std::optional<std::uint16_t> unlike_;   ///< its tag is named, but by the digest of another key
    std::optional<std::uint16_t> broken_;   ///< named and malformed
    bool limited_ = false;
};

}  // namespace

std::vector<dns::Ds> usable_of(const std::vector<dns::Ds>& ds, const Policy& policy) {
    std::vector<dns::Ds> usable;
    std::ranges::copy_if(ds, std::back_inserter(usable), [&](const dns::Ds& one) { return is_usable(one, policy); });
    const auto is_sha1 = [](const dns::Ds& one) { return one.digest_type == dns::DigestType::sha1; };
    if (!std::ranges::all_of(usable, is_sha1)) std::erase_if(usable, is_sha1);
    return usable;
}

std::vector<dns::Ds> parse_ds_set(const dns::RRset& rrset) {
    std::vector<dns::Ds> set;
    for (const Bytes& rdata : rrset.records) {
        Result<dns::Ds> ds = dns::parse_ds(rdata);
        if (ds) set.push_back(std::move(*ds));
    }
    return set;
}

bool is_digest_of(const dns::Ds& ds, const dns::Name& zone, const dns::Dnskey& dnskey) {
    if (ds.key_tag != dnskey.key_tag || ds.algorithm != dnskey.algorithm) return false;
    Writer writer;
    writer.bytes(zone.wire());
    writer.bytes(rdata_of(dnskey));
    const Result<Bytes> digest = crypto::ds_digest(ds.digest_type, writer.view());
    return digest && *digest == ds.digest;
}

Reason unsupported_delegation(Code code, const dns::Name& zone, const std::vector<dns::Ds>& ds, const Policy& policy) {
    const auto has_algorithm = [&](const dns::Ds& one) { return is_supported(one.algorithm, policy); };
    const bool digest = std::ranges::any_of(ds, has_algorithm);
    std::string numbers;
    for (const dns::Ds& one : ds) {
        if (digest && !has_algorithm(one)) continue;
        const std::string number =
            digest ? std::to_string(static_cast<unsigned>(one.digest_type)) : dns::to_text(one.algorithm);
        if (numbers.find(number) == std::string::npos) numbers += (numbers.empty() ? "" : ", ") + number;
    }
    const std::string what = digest ? "DS digests" : "algorithms";
    Reason reason =
        make_reason(code, digest ? dns::Ede::unsupported_ds_digest : dns::Ede::unsupported_dnskey_algorithm, zone,
                    zone.to_text() + " is signed, but only with " + what + " that are not supported here (" + numbers +
                        "), so that it counts as unsigned");
    reason.record = describe(dns::Type::ds, zone);
    if (!ds.empty()) reason.key_tag = ds.front().key_tag;
    return reason;
}

KeySetResult check_key_set(const dns::Name& zone, const Entry& entry, const dns::RRset& dnskey,
                           const Context& context) {
    return Search(zone, context).run(entry, dnskey);
}

}  // namespace mxtrust::dnssec
