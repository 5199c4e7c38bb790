// Grouping records into RRsets (RFC 2181 5).
#include "dns/rrset.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace mxtrust::dns {

namespace {

/// The type whose set a record belongs to: a signature's is what it covers.
Type set_type(const Record& record) {
    if (record.type != Type::rrsig) {
        return record.type;
    }
    Reader reader(record.rdata);
    return static_cast<Type>(reader.u16().value_or(static_cast<std::uint16_t>(Type::rrsig)));
}

}  // namespace

std::vector<RRset> group(const std::vector<Record>& records) {
    std::vector<RRset> sets;
    // Ordered, not hashed: the names are the sender's choice, and so would be the collisions.
    std::map<std::pair<std::string_view, Type>, std::size_t> places;
    // Seen before, with the letters of names lower-cased: such duplicates would spoil the signed form (RFC 4034 6.3).
    std::set<std::pair<std::size_t, Bytes>> seen, seen_signatures;
    for (const Record& record : records) {
        if (record.class_ != Class::in) {
            continue;
        }
        const Type type = set_type(record);
        const auto [place, first] = places.try_emplace({as_text(record.owner.wire()), type}, sets.size());
        if (first) {
            sets.push_back(RRset{record.owner, type, record.ttl, {}, {}});
        }
        RRset& set = sets[place->second];
        set.ttl = std::min(set.ttl, record.ttl);
        if (record.type == Type::rrsig) {
            if (seen_signatures.emplace(place->second, canonical(Type::rrsig, record.rdata)).second) {
                set.signatures.push_back(record.rdata);
            }
            continue;
        }
        if (seen.emplace(place->second, canonical(type, record.rdata)).second) {
            set.records.push_back(record.rdata);
        }
    }
    return sets;
}

}  // namespace mxtrust::dns
