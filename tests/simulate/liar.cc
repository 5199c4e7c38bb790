#include "simulate/liar.h"

#include <algorithm>
#include <array>

namespace simulate {

using namespace mxtrust;
using dns::Message;
using dns::Name;
using dns::Record;
using dns::RRset;
using dns::Type;

namespace {

constexpr std::array<std::uint8_t, 4> evil_address{203, 0, 113, 66};

Bytes evil_a() {
    return {evil_address.begin(), evil_address.end()};
}

class Liar {
  public:
    Liar(Random& random, const Universe& universe, const Place& place, const Message& query, Message honest)
        : random_(random),
          universe_(universe),
          place_(place),
          zone_(place.zone),
          query_(query),
          said_(std::move(honest)) {}

    Message tell() {
        using Lie = void (Liar::*)();
        static constexpr Lie lies[] = {
            &Liar::alter,
            &Liar::strip_signatures,
            &Liar::strip_something,
            &Liar::deny_by_another,
            &Liar::deny_barely,
            &Liar::rename_another,
            &Liar::expand_wildcard,
            &Liar::delegate_away,
            &Liar::delegate_away_unsigned,
            &Liar::poison,
            &Liar::prolong,
            &Liar::deny_by_the_cut,
            &Liar::sign_with_own_key,
            &Liar::change_code,
            &Liar::alias_away,
            &Liar::deny_existing_by_span,
            &Liar::replay_elsewhere,
            &Liar::raise_ttl,
            &Liar::deny_delegation,
            &Liar::replay_past,
        };
        for (std::uint64_t count = 1 + below(10) / 8; count > 0; --count) (this->*lies[below(std::size(lies))])();
        return std::move(said_);
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
    const Name& asked() const { return query_.question->name; }
    Type type() const { return query_.question->type; }
    const Zone& any_zone() { return universe_.places()[below(universe_.places().size())].zone; }
    std::vector<Record>& any_section() { return below(2) == 0 ? said_.answer : said_.authority; }
    const Name& any_owner(const Zone& zone) { return zone.owners()[below(zone.owners().size())]; }
    void empty() {
        said_.answer.clear();
        said_.authority.clear();
        said_.additional.clear();
        said_.authoritative = true;
    }

    void alter() {
        std::vector<Record>& section = any_section();
        if (section.empty()) return;
        Bytes& rdata = section[below(section.size())].rdata;
        if (!rdata.empty()) rdata[below(rdata.size())] ^= static_cast<std::uint8_t>(1 + below(255));
    }
    void strip_signatures() {
        for (auto* section : {&said_.answer, &said_.authority})
            std::erase_if(*section, [](const Record& record) { return record.type == Type::rrsig; });
    }
    void strip_something() {
        std::vector<Record>& section = any_section();
        if (section.empty()) return;
        const Type kind = section[below(section.size())].type;
        std::erase_if(section, [kind](const Record& record) { return record.type == kind; });
    }
    /// A denial that is true of another name of the zone.
    void deny_by_another() {
        empty();
        said_.rcode = below(2) == 0 ? dns::Rcode::nxdomain : dns::Rcode::noerror;
        Name other = any_owner(zone_);
        if (below(2) == 0) {
            if (const auto made = other.prepend("q" + std::to_string(below(9)))) other = *made;
        }
        // Of what lies below a cut or a DNAME the zone has no denial to give.
        const bool is_beyond =
            zone_.cut_above(other, Type::ds) != nullptr || zone_.look(other, Type::hinfo).kind == Fact::Kind::alias;
        if (is_beyond) other = zone_.apex();
        zone_.deny(said_, other, Type::hinfo);
    }
    void deny_barely() {
        empty();
        said_.rcode = below(2) == 0 ? dns::Rcode::nxdomain : dns::Rcode::noerror;
        if (const RRset* soa = zone_.find(zone_.apex(), Type::soa)) put(said_, said_.authority, *soa);
    }
    /// A signed set of another name, under the name asked for.
    void rename_another() {
        const Zone& zone = below(3) == 0 ? any_zone() : zone_;
        const RRset* set = zone.find(any_owner(zone), type());
        if (set == nullptr) return;
        RRset renamed = *set;
        renamed.owner = asked();
        empty();
        said_.rcode = dns::Rcode::noerror;
        put(said_, said_.answer, renamed);
    }
    /// The zone's wildcard, for a name that it must not be expanded to.
    void expand_wildcard() {
        for (const Name& owner : zone_.owners()) {
            const RRset* set = owner.is_wildcard() ? zone_.find(owner, type()) : nullptr;
            if (set == nullptr || !asked().is_within(owner.parent())) continue;
            RRset expanded = *set;
            expanded.owner = asked();
            empty();
            said_.rcode = dns::Rcode::noerror;
            put(said_, said_.answer, expanded);
            const RRset* proof =
                zone_.is_signed() ? zone_.covering(below(2) == 0 ? asked() : any_owner(zone_)) : nullptr;
            if (proof != nullptr) put(said_, said_.authority, *proof);
            return;
        }
    }
    void away(bool with_proof) {
        if (asked().label_count() <= zone_.apex().label_count()) return;
        const std::size_t labels =
            zone_.apex().label_count() + 1 + below(asked().label_count() - zone_.apex().label_count());
        const Name cut = asked().ancestor(labels);
        const auto host = cut.prepend("ns");
        if (!host) return;
        empty();
        said_.authoritative = false;
        said_.rcode = dns::Rcode::noerror;
        said_.authority.push_back(
            {cut, Type::ns, dns::Class::in, dns::Ttl(3600), Bytes(host->wire().begin(), host->wire().end())});
        said_.additional.push_back({*host, Type::a, dns::Class::in, dns::Ttl(3600), evil_a()});
        if (!with_proof || !zone_.is_signed()) return;
        const RRset* proof = below(2) == 0 ? zone_.covering(cut) : zone_.matching(any_owner(zone_));
        if (proof != nullptr) put(said_, said_.authority, *proof);
    }
    void delegate_away() { away(true); }
    void delegate_away_unsigned() { away(false); }
    /// Data of other zones, in every section, with and without their signatures.
    void poison() {
        const Zone& victim = any_zone();
        const Name& owner = any_owner(victim);
        Record evil{owner, Type::a, dns::Class::in, dns::Ttl(86400), evil_a()};
        any_section().push_back(evil);
        said_.additional.push_back(evil);
        const auto host = victim.apex().prepend("evil");
        if (host) {
            said_.authority.push_back({victim.apex(), Type::ns, dns::Class::in, dns::Ttl(86400),
                                       Bytes(host->wire().begin(), host->wire().end())});
            said_.additional.push_back({*host, Type::a, dns::Class::in, dns::Ttl(86400), evil_a()});
        }
        for (const auto& [kind, set] : victim.sets_at(owner)) put(said_, any_section(), set);
    }
    /// Expiration of every signature, ten years on.
    void prolong() {
        for (auto* section : {&said_.answer, &said_.authority}) {
            for (Record& record : *section) {
                if (record.type == Type::rrsig && record.rdata.size() > 12) record.rdata[8] ^= 0x08;
            }
        }
    }
    /// NODATA by the NSEC of the parent's side of a cut, or of the apex for another name.
    void deny_by_the_cut() {
        const RRset* proof = zone_.is_signed() ? zone_.matching(asked()) : nullptr;
        if (proof == nullptr) return;
        deny_barely();
        said_.rcode = dns::Rcode::noerror;
        put(said_, said_.authority, *proof);
    }
    void sign_with_own_key() {
        if (!zone_.is_signed()) return;
        RRset set{asked(), Type::a, dns::Ttl(3600), {evil_a()}, {}};
        test::Bend bend;
        if (below(2) == 0) bend.signer = any_zone().apex().to_text();
        // The liar has no zone's keys: its own is of another seed than any zone's.
        const test::Signer own(zone_.apex().to_text(), dns::Algorithm::ed25519, 255);
        set = own.sign(std::move(set), bend);
        empty();
        said_.rcode = dns::Rcode::noerror;
        put(said_, said_.answer, set);
    }
    void change_code() {
        static constexpr dns::Rcode codes[] = {dns::Rcode::noerror, dns::Rcode::nxdomain, dns::Rcode::servfail,
                                               dns::Rcode::refused, dns::Rcode::formerr,  dns::Rcode::yxdomain};
        said_.rcode = codes[below(std::size(codes))];
    }
    void alias_away() {
        const Name& target = any_owner(any_zone());
        empty();
        said_.rcode = dns::Rcode::noerror;
        said_.answer.push_back(
            {asked(), Type::cname, dns::Class::in, dns::Ttl(3600), Bytes(target.wire().begin(), target.wire().end())});
        said_.answer.push_back({target, Type::a, dns::Class::in, dns::Ttl(3600), evil_a()});
    }
    /// NXDOMAIN by every NSEC or NSEC3 that lies near.
    void deny_existing_by_span() {
        if (!zone_.is_signed()) return;
        deny_barely();
        said_.rcode = dns::Rcode::nxdomain;
        for (int count = 0; count < 3; ++count) {
            const Name& near = any_owner(zone_);
            if (const RRset* proof = zone_.covering(near)) put(said_, said_.authority, *proof);
        }
        if (const RRset* proof = zone_.covering(asked())) put(said_, said_.authority, *proof);
    }
    /// The true answer of another zone to the same question, or to this one's part of it.
    void replay_elsewhere() {
        const Zone& other = any_zone();
        Message query = query_;
        if (!asked().is_within(other.apex())) query.question->name = any_owner(other);
        Message replayed = other.answer(query);
        replayed.question = query_.question;
        replayed.id = query_.id;
        said_ = std::move(replayed);
    }
    /// What the zone once said, as a secondary that nobody feeds does.
    void replay_past() {
        if (place_.past.empty()) return;
        said_ = place_.past[below(place_.past.size())].zone.answer(query_);
    }
    /// NXDOMAIN for what lies below a delegation, proven as for a name of this zone: opt-out may cover it.
    void deny_delegation() {
        const RRset* cut = zone_.is_signed() ? zone_.cut_above(asked(), Type::a) : nullptr;
        if (cut == nullptr) return;
        deny_barely();
        said_.rcode = dns::Rcode::nxdomain;
        if (const RRset* apex = zone_.matching(zone_.apex())) put(said_, said_.authority, *apex);
        if (const RRset* cover = zone_.covering(cut->owner)) put(said_, said_.authority, *cover);
        const auto wildcard = cut->owner.parent().wildcard();
        const RRset* cover = wildcard ? zone_.covering(*wildcard) : nullptr;
        if (cover != nullptr) put(said_, said_.authority, *cover);
    }
    void raise_ttl() {
        for (auto* section : {&said_.answer, &said_.authority}) {
            for (Record& record : *section) record.ttl = dns::Ttl(0x7fffffff);
        }
    }

    Random& random_;
    const Universe& universe_;
    const Place& place_;
    const Zone& zone_;
    const Message& query_;
    Message said_;
};

}  // namespace

Message lie(Random& random, const Universe& universe, const Place& place, const Message& query, Message honest) {
    return Liar(random, universe, place, query, std::move(honest)).tell();
}

Message forge_blindly(Random& random, const Message& query) {
    Message forged;
    forged.id = query.id;
    forged.response = true;
    forged.authoritative = true;
    forged.question = query.question;
    forged.edns = query.edns;
    forged.answer.push_back({query.question->name, Type::a, dns::Class::in, dns::Ttl(86400), evil_a()});
    if (random.below(2) == 0) {
        forged.id = static_cast<std::uint16_t>(forged.id + 1 + random.below(65535));
    } else {
        forged.question->name = *Name::from_text("forged.example.");
        forged.question->spelled.clear();
    }
    return forged;
}

}  // namespace simulate
