#include "structure/signed_zone.h"

#include <algorithm>

#include "crypto/digest.h"

namespace mxtrust::structure {

using dns::Name;
using dns::Type;

namespace {

Bytes hash_of(const Name& name) {
    return crypto::nsec3_hash(name.wire(), Bytes{0xab, 0xcd}, 3);
}

std::string key_of(const Bytes& hash) {
    return {hash.begin(), hash.end()};
}

dns::Message reply_to(const Question& question) {
    dns::Message message;
    message.response = message.authoritative = true;
    message.question = dns::Question{question.name, question.type, dns::Class::in, {}};
    message.edns = dns::Edns{1232, 0, true, {}};
    return message;
}

}  // namespace

void append(std::vector<dns::Record>& section, const dns::RRset& set, const Name& owner) {
    for (const Bytes& rdata : set.records) section.push_back({owner, set.type, dns::Class::in, set.ttl, rdata});
    for (const Bytes& rdata : set.signatures) section.push_back({owner, Type::rrsig, dns::Class::in, set.ttl, rdata});
}

void append(std::vector<dns::Record>& section, const dns::RRset& set) {
    append(section, set, set.owner);
}

SignedZone::SignedZone(const std::string& apex, Denial denial, std::uint8_t seed)
    : apex_(test::name(apex)),
      denial_(denial),
      key_(apex, dns::Algorithm::ed25519, seed),
      key_set_(key_.key_set({}, {})) {
    fill();
    for (const auto& [name, node] : nodes_) {
        for (std::size_t labels = apex_.label_count(); labels <= name.label_count(); ++labels)
            names_.insert(name.ancestor(labels));
    }
    if (denial_ == Denial::nsec) {
        chain_nsec();
    } else {
        chain_nsec3();
    }
    sign_all();
    collect();
}

std::string SignedZone::full(const std::string& relative) const {
    return relative == "@" ? apex_.to_text() : relative + "." + apex_.to_text();
}

void SignedZone::add(const std::string& owner, Type type, const std::vector<std::string>& rdata) {
    dns::RRset set = test::rrset(full(owner), type, rdata, type == Type::soa ? negative_ttl : ttl);
    nodes_[set.owner][type] = std::move(set);
}

/// Every kind of name there is: data, several types, empty non-terminals, wildcards of data and of aliases with names
/// beside them, aliases, a redirected tree, a signed and an unsigned delegation.
void SignedZone::fill() {
    const std::string dot = apex_.to_text() + ".";
    const std::string digest = " 13 2 " + std::string(64, 'a');
    add("@", Type::soa, {"ns1." + dot + " host." + dot + " 1 3600 600 86400 300"});
    add("@", Type::ns, {"ns1." + dot, "ns2." + dot});
    add("@", Type::mx, {"10 mx." + dot, "20 mx2." + dot});
    add("@", Type::txt, {"\"v=spf1 -all\""});
    nodes_[apex_][Type::dnskey] = key_set_;
    nodes_[apex_][Type::dnskey].signatures.clear();
    add("ns1", Type::a, {"192.0.2.53"});
    add("ns2", Type::a, {"192.0.2.54"});
    add("mx", Type::a, {"192.0.2.1", "192.0.2.2"});
    add("mx", Type::aaaa, {"2001:db8::1"});
    add("mx2", Type::a, {"192.0.2.3"});
    add("_25._tcp.mx", Type::tlsa, {"3 1 1 " + std::string(64, '1')});
    add("_25._tcp.mx2", Type::tlsa, {"3 1 1 " + std::string(64, '2'), "2 1 1 " + std::string(64, '3')});
    add("alias", Type::cname, {"mx." + dot});
    add("*.w", Type::a, {"192.0.2.9"});
    add("*.w", Type::mx, {"10 mx." + dot});
    add("host.w", Type::txt, {"\"beside the wildcard\""});
    add("*.cw", Type::cname, {"mx." + dot});
    add("_25._tcp.cw", Type::tlsa, {"3 1 1 " + std::string(64, '4')});
    add("a.b.c", Type::txt, {"\"below empty non-terminals\""});
    add("d", Type::dname, {"elsewhere.example."});
    add("s", Type::ns, {"ns.s." + dot});
    add("s", Type::ds, {"4711" + digest});
    add("u", Type::ns, {"ns.u." + dot});
    add("z", Type::a, {"192.0.2.26"});
    for (const char* name :
         {"@",     "ns1",   "mx",     "_tcp.mx",  "_25._tcp.mx", "_25._tcp.mx2", "alias",       "w",   "*.w",
          "x.w",   "y.x.w", "host.w", "x.host.w", "n.cw",        "_25._tcp.cw",  "_26._tcp.cw", "c",   "b.c",
          "a.b.c", "q.b.c", "d",      "x.d",      "s",           "x.s",          "u",           "x.u", "nx",
          "mx3",   "aa.mx", "zz",     "0"}) {
        for (const Type type :
             {Type::a, Type::mx, Type::tlsa, Type::txt, Type::ds, Type::cname, Type::any, Type::dnskey}) {
            const Name asked = test::name(full(name));
            // A zone has no say in its own DS, and what a DS at an alias is nobody has said.
            const bool odd = asked == apex_ || std::string_view(name) == "alias" || std::string_view(name) == "n.cw" ||
                             std::string_view(name) == "_26._tcp.cw";
            if (type == Type::ds && odd) continue;
            questions_.push_back({asked, type});
        }
    }
}

std::string SignedZone::types_at(const Name& name, bool in_nsec) const {
    std::string text = in_nsec ? " NSEC RRSIG" : "";
    const auto found = nodes_.find(name);
    if (found == nodes_.end()) return text;
    bool is_signed = false;
    for (const auto& [type, set] : found->second) {
        text += " " + dns::to_text(type);
        is_signed = is_signed || type != Type::ns || name == apex_;
    }
    if (!in_nsec && is_signed) text += " RRSIG";
    if (!in_nsec && name == apex_) text += " NSEC3PARAM";
    return text;
}

void SignedZone::chain_nsec() {
    std::vector<Name> owners;
    for (const auto& [name, node] : nodes_) owners.push_back(name);
    for (std::size_t index = 0; index < owners.size(); ++index) {
        const Name& next = owners[(index + 1) % owners.size()];
        dns::RRset set = test::rrset(owners[index].to_text(), Type::nsec,
                                     {next.to_text() + "." + types_at(owners[index], true)}, negative_ttl);
        nodes_[owners[index]][Type::nsec] = std::move(set);
    }
}

void SignedZone::chain_nsec3() {
    std::map<std::string, Name> hashes;
    for (const Name& name : names_) {
        const bool left_out = denial_ == Denial::opt_out && is_cut(name) && !has(name, Type::ds);
        if (!left_out) hashes.emplace(key_of(hash_of(name)), name);
    }
    for (auto here = hashes.begin(); here != hashes.end(); ++here) {
        const auto next = std::next(here) == hashes.end() ? hashes.begin() : std::next(here);
        const std::string owner = to_base32hex(as_bytes(here->first)) + "." + apex_.to_text();
        const std::string parameters = denial_ == Denial::opt_out ? "1 1 3 abcd " : "1 0 3 abcd ";
        dns::RRset set = test::rrset(owner, Type::nsec3,
                                     {parameters + to_base32hex(as_bytes(next->first)) + types_at(here->second, false)},
                                     negative_ttl);
        hashed_.emplace(here->first, key_.sign(std::move(set)));
    }
    dns::RRset parameters;
    parameters.owner = apex_;
    parameters.type = Type::nsec3param;
    parameters.ttl = dns::Ttl(0);
    parameters.records = {Bytes{1, 0, 0, 3, 2, 0xab, 0xcd}};
    nodes_[apex_][Type::nsec3param] = std::move(parameters);
}

void SignedZone::sign_all() {
    for (auto& [name, node] : nodes_) {
        for (auto& [type, set] : node) {
            if (type != Type::ns || name == apex_) set = key_.sign(std::move(set));
        }
    }
}

void SignedZone::collect() {
    const test::Signer twin(apex_.to_text(), dns::Algorithm::ed25519, 200);
    const test::Signer child(full("s"), dns::Algorithm::ed25519, 201);
    const test::Signer stranger("attacker.example", dns::Algorithm::ed25519, 202);
    for (const auto& [hash, set] : hashed_) pool_.push_back(set);
    for (const auto& [name, node] : nodes_) {
        for (const auto& [type, set] : node) pool_.push_back(set);
    }
    // Other data at the same names; whose signature, and when.
    test::Bend old, early, tagged, parent;
    old.inception = -90 * 86400;
    old.expiration = -30 * 86400;
    early.inception = 30 * 86400;
    early.expiration = 60 * 86400;
    tagged.key_tag = key_.dnskey().key_tag;
    parent.signer = apex_.to_text();
    parent.key_tag = key_.dnskey().key_tag;
    for (const char* owner : {"@", "mx", "nx", "x.w", "s", "u", "x.s", "z"}) {
        const dns::RRset evil = test::rrset(full(owner), Type::a, {"203.0.113.66"}, ttl);
        const dns::RRset ds = test::rrset(full(owner), Type::ds, {"666 13 2 " + std::string(64, 'f')}, ttl);
        const dns::RRset none = test::rrset(full(owner), Type::nsec, {full("zz") + ". NS RRSIG NSEC"}, negative_ttl);
        for (const dns::RRset& set : {evil, ds, none}) {
            pool_.push_back(set);
            pool_.push_back(key_.sign(set, old));
            pool_.push_back(key_.sign(set, early));
            pool_.push_back(twin.sign(set, tagged));
            pool_.push_back(stranger.sign(set));
            pool_.push_back(stranger.sign(set, parent));
            if (set.owner.is_within(child.zone())) pool_.push_back(child.sign(set));
        }
    }
}

bool SignedZone::has(const Name& name, Type type) const {
    const auto node = nodes_.find(name);
    return node != nodes_.end() && node->second.contains(type);
}

bool SignedZone::is_cut(const Name& name) const {
    return name != apex_ && has(name, Type::ns);
}

bool SignedZone::exists(const Name& name) const {
    return names_.contains(name);
}

Name SignedZone::closest_encloser(const Name& name) const {
    Name encloser = name;
    while (!exists(encloser)) encloser = encloser.parent();
    return encloser;
}

std::optional<Name> SignedZone::cut_above(const Name& name, Type type) const {
    for (std::size_t labels = apex_.label_count() + 1; labels <= name.label_count(); ++labels) {
        const Name ancestor = name.ancestor(labels);
        // At the cut itself, DS and NSEC are this zone's own; asked for NSEC, a server may give that of either side
        // (RFC 4035 2.6, 3.1).
        const bool is_ours = type == Type::ds || (type == Type::nsec && has(name, Type::nsec));
        if (is_cut(ancestor) && !(ancestor == name && is_ours)) return ancestor;
    }
    return std::nullopt;
}

Truth SignedZone::truth(const Name& name, Type type) const {
    if (const std::optional<Name> cut = cut_above(name, type))
        return {Truth::Kind::elsewhere, nullptr, denial_ == Denial::opt_out && !has(*cut, Type::ds)};
    for (std::size_t labels = apex_.label_count(); labels < name.label_count(); ++labels) {
        if (has(name.ancestor(labels), Type::dname))
            return {Truth::Kind::records, &nodes_.at(name.ancestor(labels)).at(Type::dname), false};
    }
    Name node = name;
    if (!exists(name)) {
        const Result<Name> wildcard = closest_encloser(name).wildcard();
        if (!wildcard || !exists(*wildcard)) return {Truth::Kind::nxdomain, nullptr, denial_ == Denial::opt_out};
        node = *wildcard;
    }
    const bool expanded = denial_ == Denial::opt_out && node != name;
    for (const Type there : {type, Type::cname}) {
        if (has(node, there)) return {Truth::Kind::records, &nodes_.at(node).at(there), expanded};
    }
    // Nobody can deny that a name has any type, where it has one.
    const auto found = nodes_.find(node);
    if (type == Type::any && found != nodes_.end())
        return {Truth::Kind::records, &found->second.begin()->second, expanded};
    return {Truth::Kind::nodata, nullptr,
            expanded || (denial_ == Denial::opt_out && is_cut(name) && !has(name, Type::ds))};
}

const dns::RRset* SignedZone::matching(const Name& name) const {
    if (denial_ == Denial::nsec) return has(name, Type::nsec) ? &nodes_.at(name).at(Type::nsec) : nullptr;
    const auto found = hashed_.find(key_of(hash_of(name)));
    return found == hashed_.end() ? nullptr : &found->second;
}

const dns::RRset* SignedZone::covering(const Name& name) const {
    if (denial_ == Denial::nsec) {
        auto after = nodes_.upper_bound(name);
        return &std::prev(after)->second.at(Type::nsec);
    }
    const auto after = hashed_.upper_bound(key_of(hash_of(name)));
    return &(after == hashed_.begin() ? std::prev(hashed_.end()) : std::prev(after))->second;
}

namespace {

void append_once(std::vector<dns::Record>& section, const dns::RRset* set) {
    if (set == nullptr) return;
    const bool there = std::ranges::any_of(
        section, [set](const dns::Record& record) { return record.owner == set->owner && record.type == set->type; });
    if (!there) append(section, *set);
}

}  // namespace

/// Of a name that does not exist, or a wildcard that has the type: that nothing closer exists.
void SignedZone::prove_expansion(dns::Message& message, const Name& name) const {
    const Name encloser = closest_encloser(name);
    append_once(message.authority,
                covering(denial_ == Denial::nsec ? name : name.ancestor(encloser.label_count() + 1)));
}

void SignedZone::deny(dns::Message& message, const Name& name) const {
    append(message.authority, nodes_.at(apex_).at(Type::soa));
    if (const dns::RRset* match = matching(name)) {
        append_once(message.authority, match);
        return;
    }
    if (exists(name) && denial_ == Denial::nsec) {  // an empty non-terminal
        append_once(message.authority, covering(name));
        return;
    }
    const Name encloser = exists(name) ? closest_encloser(name.parent()) : closest_encloser(name);
    const Name wildcard = encloser.wildcard().value();
    if (denial_ != Denial::nsec) {
        append_once(message.authority, matching(encloser));
        append_once(message.authority, covering(name.ancestor(encloser.label_count() + 1)));
    } else {
        append_once(message.authority, covering(name));
    }
    append_once(message.authority, exists(wildcard) ? matching(wildcard) : covering(wildcard));
}

void SignedZone::refer(dns::Message& message, const Name& cut) const {
    message.authoritative = false;
    const Node& node = nodes_.at(cut);
    append(message.authority, node.at(Type::ns));
    if (node.contains(Type::ds)) {
        append(message.authority, node.at(Type::ds));
    } else if (const dns::RRset* match = matching(cut)) {
        append(message.authority, *match);
    } else {
        append_once(message.authority, matching(cut.parent()));
        append_once(message.authority, covering(cut));
    }
    const Name server = dns::parse_single_name(node.at(Type::ns).records.front()).value();
    message.additional.push_back({server, Type::a, dns::Class::in, dns::Ttl(ttl), Bytes{192, 0, 2, 99}});
}

dns::Message SignedZone::answer(const Question& question) const {
    dns::Message message = reply_to(question);
    if (const std::optional<Name> cut = cut_above(question.name, question.type)) {
        refer(message, *cut);
        return message;
    }
    const Truth truth = this->truth(question.name, question.type);
    if (question.type == Type::any && truth.kind == Truth::Kind::records && truth.set->type != Type::dname) {
        const bool expanded = truth.set->owner != question.name;
        for (const auto& [type, set] : nodes_.at(truth.set->owner)) {
            if (!expanded || type != Type::nsec) append(message.answer, set, question.name);
        }
        if (expanded) prove_expansion(message, question.name);
    } else if (truth.kind == Truth::Kind::records) {
        const bool redirected = truth.set->type == Type::dname && question.type != Type::dname;
        append(message.answer, *truth.set, redirected ? truth.set->owner : question.name);
        if (truth.set->owner.is_wildcard() && truth.set->owner != question.name)
            prove_expansion(message, question.name);
    } else {
        if (truth.kind == Truth::Kind::nxdomain) message.rcode = dns::Rcode::nxdomain;
        deny(message, question.name);
    }
    return message;
}

}  // namespace mxtrust::structure
