#include "simulate/zone.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/digest.h"

namespace simulate {

using namespace mxtrust;
using dns::Name;
using dns::RRset;
using dns::Type;

namespace {

constexpr std::uint32_t ttl = 3600;
constexpr std::uint32_t negative_ttl = 300;

std::string absolute(const Name& name) {
    return name.is_root() ? "." : name.to_text() + ".";
}

Bytes rdata_of(Type type, const std::string& text) {
    auto made = dns::rdata_from_text(type, text);
    if (!made) throw std::runtime_error("cannot make " + dns::to_text(type) + " of " + text);
    return *made;
}

}  // namespace

void put(const dns::Message& message, std::vector<dns::Record>& section, const RRset& set) {
    for (const Bytes& rdata : set.records) section.push_back({set.owner, set.type, dns::Class::in, set.ttl, rdata});
    if (!message.edns || !message.edns->dnssec_ok) return;
    for (const Bytes& rdata : set.signatures)
        section.push_back({set.owner, Type::rrsig, dns::Class::in, set.ttl, rdata});
}

Zone::Zone(const Name& apex, std::optional<Keys> keys) : apex_(apex), keys_(keys) {
    if (keys_) signer_.emplace(absolute(apex_), dns::Algorithm::ed25519, keys_->seed);
    const std::string below = apex_.is_root() ? "" : absolute(apex_);
    add(apex_, Type::soa, "ns." + below + " host." + below + " 1 7200 3600 1209600 " + std::to_string(negative_ttl));
}

void Zone::add(const Name& owner, Type type, const std::string& rdata) {
    RRset& set = sets_[owner][type];
    set.owner = owner;
    set.type = type;
    set.ttl = dns::Ttl(type == Type::nsec || type == Type::nsec3 ? negative_ttl : ttl);
    const Bytes octets = rdata_of(type, rdata);
    if (std::ranges::find(set.records, octets) == set.records.end()) set.records.push_back(octets);
}

Zone Zone::reopened(std::optional<Keys> keys) const {
    Zone next(apex_, keys);
    next.sets_ = sets_;
    next.remove(apex_, Type::dnskey);
    next.remove(apex_, Type::nsec3param);
    for (auto& [owner, sets] : next.sets_) {
        for (auto& [type, set] : sets) set.signatures.clear();
    }
    return next;
}

void Zone::remove(const Name& owner, Type type) {
    const auto at = sets_.find(owner);
    if (at == sets_.end()) return;
    at->second.erase(type);
    if (at->second.empty()) sets_.erase(at);
}

std::string Zone::ds_text() const {
    return ds_text(apex_, keys_->seed);
}

std::string Zone::ds_text(const Name& apex, std::uint8_t seed) {
    const dns::Ds ds = test::Signer(absolute(apex), dns::Algorithm::ed25519, seed).ds();
    return std::to_string(ds.key_tag) + " " + std::to_string(static_cast<int>(ds.algorithm)) + " " +
           std::to_string(static_cast<int>(ds.digest_type)) + " " + to_hex(ds.digest);
}

bool Zone::is_below_cut(const Name& owner) const {
    const RRset* cut = cut_above(owner, Type::a);
    return cut != nullptr && cut->owner != owner;
}

void Zone::close() {
    for (const auto& [owner, sets] : sets_) {
        if (is_below_cut(owner)) continue;
        owners_.push_back(owner);
        for (std::size_t labels = apex_.label_count(); labels <= owner.label_count(); ++labels)
            names_.insert(owner.ancestor(labels));
    }
    if (!signer_) return;
    Bytes key = signer_->rdata();
    RRset& keys = sets_[apex_][Type::dnskey];
    keys = RRset{apex_, Type::dnskey, dns::Ttl(ttl), {std::move(key)}, {}};
    if (keys_->also)
        keys.records.push_back(test::Signer(absolute(apex_), dns::Algorithm::ed25519, *keys_->also).rdata());
    make_chain();
    test::Bend dates;
    dates.expiration = keys_->expiration;
    for (auto& [place, set] : chain_) set = signer_->sign(std::move(set), dates);
    for (const Name& owner : owners_) {
        const bool is_cut = owner != apex_ && find(owner, Type::ns) != nullptr;
        for (auto& [type, set] : sets_[owner]) {
            if (!is_cut || type == Type::ds) set = signer_->sign(std::move(set), dates);
        }
    }
}

std::string Zone::types_at(const Name& owner) const {
    std::string types;
    const auto found = sets_.find(owner);
    if (found == sets_.end()) return types;
    const bool is_unsigned_cut =
        owner != apex_ && found->second.contains(Type::ns) && !found->second.contains(Type::ds);
    for (const auto& [type, set] : found->second) types += " " + dns::to_text(type);
    if (!is_unsigned_cut) types += " RRSIG";
    return types;
}

std::string Zone::place_of(const Name& name) const {
    if (keys_->denial == Denial::nsec) return name.lookup_key();
    const Bytes hash = crypto::nsec3_hash(name.wire(), {}, 0);
    return std::string(as_text(hash));
}

void Zone::make_chain() {
    const bool hashed = keys_->denial != Denial::nsec;
    std::map<std::string, Name> places;
    if (hashed) {
        for (const Name& name : names_) {
            const bool is_unsigned_cut =
                name != apex_ && find(name, Type::ns) != nullptr && find(name, Type::ds) == nullptr;
            if (!is_unsigned_cut || keys_->denial != Denial::opt_out) places.emplace(place_of(name), name);
        }
        sets_[apex_][Type::nsec3param] =
            RRset{apex_, Type::nsec3param, dns::Ttl(ttl), {rdata_of(Type::nsec3param, "1 0 0 -")}, {}};
    } else {
        for (const Name& name : owners_) places.emplace(place_of(name), name);
    }
    for (auto at = places.begin(); at != places.end(); ++at) {
        const auto after = std::next(at) == places.end() ? places.begin() : std::next(at);
        RRset set;
        set.ttl = dns::Ttl(negative_ttl);
        if (hashed) {
            set.owner = *apex_.prepend(to_base32hex(as_bytes(at->first)));
            set.type = Type::nsec3;
            const std::string flags = keys_->denial == Denial::opt_out ? "1" : "0";
            set.records.push_back(rdata_of(
                Type::nsec3, "1 " + flags + " 0 - " + to_base32hex(as_bytes(after->first)) + types_at(at->second)));
        } else {
            set.owner = at->second;
            set.type = Type::nsec;
            const std::string also = types_at(at->second).ends_with(" RRSIG") ? " NSEC" : " RRSIG NSEC";
            set.records.push_back(rdata_of(Type::nsec, absolute(after->second) + types_at(at->second) + also));
        }
        chain_.emplace(at->first, std::move(set));
    }
}

const RRset* Zone::matching(const Name& name) const {
    const auto found = chain_.find(place_of(name));
    return found == chain_.end() ? nullptr : &found->second;
}

const RRset* Zone::covering(const Name& name) const {
    if (chain_.empty()) return nullptr;
    auto after = chain_.upper_bound(place_of(name));
    return after == chain_.begin() ? &chain_.rbegin()->second : &std::prev(after)->second;
}

const RRset* Zone::find(const Name& owner, Type type) const {
    const auto at = sets_.find(owner);
    if (at == sets_.end()) return nullptr;
    const auto set = at->second.find(type);
    return set == at->second.end() ? nullptr : &set->second;
}

const RRset* Zone::cut_above(const Name& name, Type type) const {
    for (std::size_t labels = apex_.label_count() + 1; labels <= name.label_count(); ++labels) {
        const Name cut = name.ancestor(labels);
        if (cut == name && type == Type::ds) return nullptr;
        if (const RRset* ns = find(cut, Type::ns)) return ns;
    }
    return nullptr;
}

Fact Zone::look(const Name& name, Type type) const {
    for (std::size_t labels = apex_.label_count(); labels < name.label_count(); ++labels) {
        const RRset* dname = find(name.ancestor(labels), Type::dname);
        if (dname != nullptr) return {Fact::Kind::alias, dname};
    }
    Name source = name;
    Fact fact;
    if (!names_.contains(name)) {
        Name encloser = name.parent();
        while (!names_.contains(encloser)) encloser = encloser.parent();
        fact.encloser = encloser;
        const auto wildcard = encloser.wildcard();
        if (!wildcard || !names_.contains(*wildcard)) {
            fact.kind = Fact::Kind::nxdomain;
            return fact;
        }
        fact.wildcard = *wildcard;
        source = *wildcard;
    }
    fact.kind = Fact::Kind::nodata;
    if (const RRset* set = find(source, type)) {
        fact.kind = Fact::Kind::records;
        fact.set = set;
    } else if (const RRset* cname = find(source, Type::cname); cname != nullptr) {
        fact.kind = Fact::Kind::alias;
        fact.set = cname;
    }
    return fact;
}

std::vector<const RRset*> Zone::proof_of_type(const Name& name) const {
    if (const RRset* match = matching(name)) return {match};
    if (keys_->denial == Denial::nsec) return {covering(name)};
    // Opted out: the closest encloser that has an NSEC3, and what covers the next closer name (RFC 5155 7.2.3).
    Name encloser = name.parent();
    while (matching(encloser) == nullptr) encloser = encloser.parent();
    return {matching(encloser), covering(name.ancestor(encloser.label_count() + 1))};
}

void Zone::refer(dns::Message& message, const RRset& ns) const {
    message.authoritative = false;
    put(message, message.authority, ns);
    if (const RRset* ds = find(ns.owner, Type::ds)) {
        put(message, message.authority, *ds);
    } else if (signer_) {
        for (const RRset* set : proof_of_type(ns.owner)) put(message, message.authority, *set);
    }
    for (const Bytes& rdata : ns.records) {
        const auto host = dns::parse_single_name(rdata);
        for (const Type type : {Type::a, Type::aaaa}) {
            if (const RRset* glue = find(*host, type)) {
                for (const Bytes& address : glue->records)
                    message.additional.push_back({*host, type, dns::Class::in, glue->ttl, address});
            }
        }
    }
}

void Zone::deny(dns::Message& message, const Name& name, Type type) const {
    put(message, message.authority, *find(apex_, Type::soa));
    if (!signer_ || !message.edns || !message.edns->dnssec_ok) return;
    const Fact fact = look(name, type);
    std::vector<const RRset*> shown;
    const auto show = [&shown](const RRset* set) {
        if (set != nullptr && std::ranges::find(shown, set) == shown.end()) shown.push_back(set);
    };
    if (names_.contains(name)) {
        for (const RRset* set : proof_of_type(name)) show(set);
    } else if (keys_->denial == Denial::nsec) {
        show(covering(name));
        show(fact.wildcard ? matching(*fact.wildcard) : covering(*fact.encloser.wildcard()));
    } else {
        // The closest encloser may itself be without NSEC3, where only opted-out names are below it.
        Name encloser = fact.encloser;
        while (matching(encloser) == nullptr) encloser = encloser.parent();
        show(matching(encloser));
        show(covering(name.ancestor(encloser.label_count() + 1)));
        show(fact.wildcard ? matching(*fact.wildcard) : covering(*encloser.wildcard()));
    }
    for (const RRset* set : shown) put(message, message.authority, *set);
}

dns::Message Zone::answer(const dns::Message& query) const {
    dns::Message message;
    message.id = query.id;
    message.response = true;
    message.authoritative = true;
    message.question = query.question;
    message.edns = query.edns;
    const Name& asked = query.question->name;
    const Type type = query.question->type;
    if (const RRset* ns = cut_above(asked, type)) {
        refer(message, *ns);
        return message;
    }
    const Fact fact = look(asked, type);
    if (fact.kind == Fact::Kind::nxdomain) message.rcode = dns::Rcode::nxdomain;
    if (fact.set == nullptr) {
        deny(message, asked, type);
        return message;
    }
    RRset shown = *fact.set;
    if (fact.wildcard) shown.owner = asked;
    put(message, message.answer, shown);
    if (fact.wildcard && signer_ && message.edns && message.edns->dnssec_ok) {
        const bool nsec = keys_->denial == Denial::nsec;
        put(message, message.authority, *covering(nsec ? asked : asked.ancestor(fact.encloser.label_count() + 1)));
    }
    if (asked == apex_ && type == Type::ns) {
        dns::Message glue;
        refer(glue, *fact.set);
        message.additional = glue.additional;
    }
    return message;
}

}  // namespace simulate
