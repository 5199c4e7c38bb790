// Proofs against the truth: a small zone is made of the input's octets, its honest NSEC or NSEC3 chain of it, and of
// that some records are shown beside a claim. What is proven must be so in the zone, by RFC 1034 4.3.2 and RFC 4592
// read anew here; nothing that exists may ever be denied, whichever records are left out or put beside. With opt-out,
// unsigned delegations are not in the chain, and nothing that rests on a span is more than unsigned.
//
// Input: options (NSEC3, opt-out, number of names), for each name its labels and types; claim (kind, labels, type,
// number of labels); then which records are shown.
#include <array>
#include <map>
#include <set>

#include "base/require.h"
#include "crypto/digest.h"
#include "dnssec/nsec.h"
#include "dnssec/nsec3.h"

namespace {

using namespace mxtrust;
using dns::Name;
using dns::Type;
using dnssec::Claim;
using dnssec::Proven;

constexpr std::array labels{"a", "b", "*", "m", "z", "_x"};
constexpr std::array types{Type::a, Type::mx, Type::cname, Type::ns, Type::ds, Type::dname, Type::txt, Type::tlsa};
constexpr std::size_t most_names = 12;

/// Octets, one after the other; zeros behind the end.
class Octets {
  public:
    explicit Octets(BytesView data) : data_(data) {}
    std::uint8_t take() { return place_ < data_.size() ? data_[place_++] : std::uint8_t{0}; }
    [[nodiscard]] bool done() const { return place_ >= data_.size(); }

  private:
    BytesView data_;
    std::size_t place_ = 0;
};

Name below(const Name& apex, std::uint8_t first, std::uint8_t second) {
    Name name = apex;
    // One to three labels below the apex; 6 and 7 end it.
    for (const unsigned label : {first & 7U, first >> 3U & 7U, second & 7U}) {
        if (label < labels.size()) name = name.prepend(labels.at(label)).value();
    }
    return name;
}

class Zone {
  public:
    explicit Zone(Octets& octets) {
        const std::uint8_t options = octets.take();
        hashed_ = (options & 1) != 0;
        opt_out_ = hashed_ && (options & 2) != 0;
        nodes_[apex_] = {Type::soa, Type::ns, Type::dnskey};
        const std::size_t count = (options >> 2U) % (most_names + 1);
        for (std::size_t index = 0; index < count; ++index) {
            const std::uint8_t first = octets.take(), second = octets.take();
            add(below(apex_, first, second), octets.take());
        }
        // What lies below a zone cut or a DNAME is no data of the zone (RFC 1034 4.2.1, RFC 6672 2.4).
        std::erase_if(nodes_, [this](const auto& node) { return hidden(node.first); });
        for (const auto& [name, there] : nodes_) {
            for (std::size_t depth = apex_.label_count(); depth <= name.label_count(); ++depth)
                names_.insert(name.ancestor(depth));
        }
    }

    [[nodiscard]] const Name& apex() const { return apex_; }
    [[nodiscard]] bool hashed() const { return hashed_; }
    [[nodiscard]] bool holds(const Claim& claim) const;
    /// Does somebody come to make that claim? An expansion begins with a signed wildcard of the zone.
    [[nodiscard]] bool arises(const Claim& claim) const {
        return claim.kind != Claim::Kind::expansion ||
               nodes_.contains(claim.name.ancestor(claim.labels).wildcard().value());
    }
    [[nodiscard]] std::vector<dnssec::Evidence> chain() const { return hashed_ ? nsec3_chain() : nsec_chain(); }

  private:
    using Types = std::set<Type>;
    void add(const Name& name, std::uint8_t bits) {
        Types there;
        for (std::size_t bit = 0; bit < types.size(); ++bit) {
            if ((bits >> bit & 1) != 0) there.insert(types.at(bit));
        }
        if (name == apex_) return;
        // A cut has NS and DS alone, DS nowhere else; beside a CNAME there is nothing; no wildcard is a cut or a DNAME.
        if (name.is_wildcard()) there.erase(Type::ns), there.erase(Type::dname);
        if (there.contains(Type::ns)) {
            std::erase_if(there, [](Type type) { return type != Type::ns && type != Type::ds; });
        } else {
            there.erase(Type::ds);
        }
        if (there.contains(Type::cname)) there = {Type::cname};
        if (!there.empty()) nodes_[name] = there;
    }
    [[nodiscard]] bool has(const Name& name, Type type) const {
        const auto found = nodes_.find(name);
        return found != nodes_.end() && found->second.contains(type);
    }
    [[nodiscard]] bool is_cut(const Name& name) const { return name != apex_ && has(name, Type::ns); }
    [[nodiscard]] bool hidden(const Name& name) const {
        for (std::size_t depth = apex_.label_count(); depth < name.label_count(); ++depth) {
            if (is_cut(name.ancestor(depth)) || has(name.ancestor(depth), Type::dname)) return true;
        }
        return false;
    }
    [[nodiscard]] Name encloser(Name name) const {
        while (!names_.contains(name)) name = name.parent();
        return name;
    }
    [[nodiscard]] bool lacks(const Name& node, Type type) const {
        if (is_cut(node) && type != Type::ds) return false;
        return !has(node, type) && (type == Type::cname || !has(node, Type::cname));
    }
    [[nodiscard]] static dnssec::Evidence evidence(const Name& owner, Type type, Bytes rdata) {
        auto set = std::make_shared<dns::RRset>();
        set->owner = owner;
        set->type = type;
        set->records.push_back(std::move(rdata));
        return {set, WallTime{}};
    }
    [[nodiscard]] Bytes bitmap(const Name& name, Type own) const;
    [[nodiscard]] std::vector<dnssec::Evidence> nsec_chain() const;
    [[nodiscard]] std::vector<dnssec::Evidence> nsec3_chain() const;

    Name apex_ = Name::from_text("example").value();
    bool hashed_ = false, opt_out_ = false;
    std::map<Name, Types> nodes_;
    std::set<Name> names_;
};

bool Zone::holds(const Claim& claim) const {
    const Name& name = claim.name;
    if (hidden(name)) return false;
    // A zone has no say in its own DS (RFC 4035 2.4).
    if (name == apex_ && claim.type == Type::ds) return false;
    const bool exists = names_.contains(name);
    switch (claim.kind) {
        case Claim::Kind::nodata: {
            if (exists) return lacks(name, claim.type);
            const Name wildcard = encloser(name).wildcard().value();
            return names_.contains(wildcard) && lacks(wildcard, claim.type);
        }
        case Claim::Kind::nxdomain:
            return !exists && !names_.contains(encloser(name).wildcard().value());
        case Claim::Kind::expansion:
            return !names_.contains(name.ancestor(claim.labels + 1));
    }
    return false;
}

Bytes Zone::bitmap(const Name& name, Type own) const {
    std::array<std::uint8_t, 32> bits{};
    std::size_t octets = 0;
    const auto set = [&](Type type) {
        const auto number = static_cast<unsigned>(type);
        bits.at(number / 8) |= static_cast<std::uint8_t>(0x80U >> number % 8);
        octets = std::max<std::size_t>(octets, number / 8 + 1);
    };
    const auto found = nodes_.find(name);
    if (found != nodes_.end()) {
        for (const Type type : found->second) set(type);
        if (!is_cut(name) || has(name, Type::ds)) set(Type::rrsig);
    }
    if (own == Type::nsec) set(Type::nsec), set(Type::rrsig);
    if (octets == 0) return {};
    Bytes map{0, static_cast<std::uint8_t>(octets)};
    map.insert(map.end(), bits.begin(), bits.begin() + static_cast<std::ptrdiff_t>(octets));
    return map;
}

std::vector<dnssec::Evidence> Zone::nsec_chain() const {
    std::vector<dnssec::Evidence> all;
    for (auto here = nodes_.begin(); here != nodes_.end(); ++here) {
        const auto next = std::next(here) == nodes_.end() ? nodes_.begin() : std::next(here);
        Writer writer;
        writer.bytes(next->first.wire());
        writer.bytes(bitmap(here->first, Type::nsec));
        all.push_back(evidence(here->first, Type::nsec, std::move(writer).finish()));
    }
    return all;
}

std::vector<dnssec::Evidence> Zone::nsec3_chain() const {
    std::map<Bytes, Name> hashes;
    for (const Name& name : names_) {
        if (!(opt_out_ && is_cut(name) && !has(name, Type::ds)))
            hashes.emplace(crypto::nsec3_hash(name.wire(), {}, 0), name);
    }
    std::vector<dnssec::Evidence> all;
    for (auto here = hashes.begin(); here != hashes.end(); ++here) {
        const auto next = std::next(here) == hashes.end() ? hashes.begin() : std::next(here);
        Writer writer;
        writer.u8(1);
        writer.u8(opt_out_ ? 1 : 0);
        writer.u16(0);
        writer.u8(0);
        writer.u8(static_cast<std::uint8_t>(next->first.size()));
        writer.bytes(next->first);
        writer.bytes(bitmap(here->second, Type::nsec3));
        all.push_back(
            evidence(apex_.prepend(to_base32hex(here->first)).value(), Type::nsec3, std::move(writer).finish()));
    }
    return all;
}

Claim claim_of(Octets& octets, const Zone& zone) {
    Claim claim{};
    claim.kind = static_cast<Claim::Kind>(octets.take() % 3);
    const std::uint8_t first = octets.take(), second = octets.take();
    claim.name = below(zone.apex(), first, second);
    claim.type = types.at(octets.take() % types.size());
    const std::size_t depth = claim.name.label_count() - zone.apex().label_count();
    if (depth == 0) claim.kind = Claim::Kind::nodata;
    claim.labels = zone.apex().label_count() + (depth == 0 ? 0 : octets.take() % depth);
    return claim;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Octets octets(BytesView(data, size));
    const Zone zone(octets);
    const Claim claim = claim_of(octets, zone);
    if (!zone.arises(claim)) return 0;
    const std::vector<dnssec::Evidence> chain = zone.chain();
    std::vector<dnssec::Evidence> shown;
    for (std::size_t bit = 0; bit < chain.size(); bit += 8) {
        const unsigned left_out = octets.take();
        for (std::size_t index = bit; index < std::min(bit + 8, chain.size()); ++index) {
            if ((left_out >> (index - bit) & 1) == 0) shown.push_back(chain[index]);
        }
    }
    dnssec::Proof proof;
    if (zone.hashed()) {
        const dnssec::Policy policy;
        Budget budget(BudgetLimits{}, MonoTime{});
        const dnssec::Context context{policy, WallTime{}, budget};
        dnssec::Nsec3Set set(zone.apex(), shown, context);
        proof = set.prove(claim);
    } else {
        const dnssec::NsecSet set(zone.apex(), shown);
        proof = set.prove(claim);
        require(proof.proven != Proven::unsigned_only);
    }
    if (proof.proven == Proven::yes) require(zone.holds(claim));
    // With all of the chain there, and nothing left to opt-out, what is so is proven.
    const bool whole = shown.size() == chain.size();
    if (whole && zone.holds(claim)) require(proof.proven == Proven::yes || proof.proven == Proven::unsigned_only);
    return 0;
}
