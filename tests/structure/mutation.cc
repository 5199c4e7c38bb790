#include "structure/mutation.h"

#include <algorithm>

namespace mxtrust::structure {

using dns::Record;
using dns::Type;

namespace {

using Section = std::vector<Record>;
constexpr std::size_t most_records = 60;  // beyond that, nothing new is seen and everything is slow

/// A field of an RRSIG: where it begins, and its octets (RFC 4034 3.1).
struct Field {
    std::size_t begin, octets;
};
constexpr std::array rrsig_fields{Field{0, 2}, Field{2, 1},  Field{3, 1}, Field{4, 4},
                                  Field{8, 4}, Field{12, 4}, Field{16, 2}};
constexpr std::size_t rrsig_signer = 18;

template <class T>
const T& pick(const std::vector<T>& all, Random& random) {
    return all[random.below(all.size())];
}

Section& any_section(dns::Message& message, Random& random) {
    const std::array sections{&message.answer, &message.authority, &message.authority, &message.additional};
    for (std::size_t attempt = 0; attempt < 4; ++attempt) {
        Section& section = *sections.at(random.below(sections.size()));
        if (!section.empty()) return section;
    }
    return message.answer;
}

Record* any_record(dns::Message& message, Random& random) {
    Section& section = any_section(message, random);
    return section.empty() ? nullptr : &section[random.below(section.size())];
}

/// A record of one of these types, wherever it is.
Record* any_of(dns::Message& message, std::initializer_list<Type> types, Random& random) {
    std::vector<Record*> found;
    for (Section* section : {&message.answer, &message.authority, &message.additional}) {
        for (Record& record : *section) {
            if (std::find(types.begin(), types.end(), record.type) != types.end()) found.push_back(&record);
        }
    }
    return found.empty() ? nullptr : pick(found, random);
}

void flip(Bytes& octets, std::size_t begin, std::size_t count, Random& random) {
    if (begin >= octets.size() || count == 0) return;
    const std::size_t place = begin + random.below(std::min(count, octets.size() - begin));
    octets[place] = static_cast<std::uint8_t>(octets[place] ^ (1U << random.below(8)));
}

/// Sometimes a bit, sometimes a number that somebody may think of.
void change_number(Bytes& octets, Field field, Random& random) {
    if (field.begin + field.octets > octets.size()) return;
    if (random.below(2) == 0) return flip(octets, field.begin, field.octets, random);
    constexpr std::array<std::uint8_t, 4> likely{0x00, 0xff, 0x7f, 0x01};
    const std::uint8_t value = likely.at(random.below(likely.size()));
    if (field.octets == 1) {
        octets[field.begin] = static_cast<std::uint8_t>(octets[field.begin] + (random.below(2) == 0 ? 1 : -1));
    } else {
        for (std::size_t index = 0; index < field.octets; ++index) octets[field.begin + index] = value;
    }
}

/// Upper case for lower and back, in names that are compared without regard to it (RFC 4034 6.2).
void change_case(Record& record, Random& random) {
    if (record.type != Type::ns && record.type != Type::cname && record.type != Type::dname && record.type != Type::mx)
        return;
    for (std::uint8_t& octet : record.rdata) {
        const bool letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
        if (letter && random.below(2) == 0) octet ^= 0x20;
    }
}

void change_spelling(dns::Message& message, Random& random) {
    if (!message.question) return;
    const std::string_view wire = as_text(message.question->name.wire());
    std::string spelled(wire);
    for (char& letter : spelled) {
        if (letter >= 'a' && letter <= 'z' && random.below(2) == 0) letter = static_cast<char>(letter - 0x20);
    }
    message.question->spelled = spelled;
}

dns::Name other_owner(const Record& record, const SignedZone& zone, const dns::Message& message, Random& random) {
    switch (random.below(6)) {
        case 0:
            return message.question ? message.question->name : zone.apex();
        case 1:
            return pick(zone.pool(), random).owner;
        case 2:
            return record.owner.is_root() ? record.owner : record.owner.parent();
        case 3:
            return record.owner.prepend("sub").value_or(record.owner);
        case 4:
            return record.owner.is_root() ? record.owner : record.owner.parent().wildcard().value_or(record.owner);
        default:
            return pick(zone.questions(), random).name;
    }
}

void change_owner(dns::Message& message, const SignedZone& zone, Random& random) {
    Record* chosen = any_record(message, random);
    if (chosen == nullptr) return;
    const dns::Name old = chosen->owner;
    const dns::Name now = other_owner(*chosen, zone, message, random);
    const bool all = random.below(2) == 0;  // the set with its signatures, or one record
    for (Section* section : {&message.answer, &message.authority, &message.additional}) {
        for (Record& record : *section) {
            if (&record == chosen || (all && record.owner == old)) record.owner = now;
        }
    }
}

void change_signature_field(dns::Message& message, const SignedZone& zone, Random& random) {
    Record* record = any_of(message, {Type::rrsig}, random);
    if (record == nullptr) return;
    const std::size_t which = random.below(rrsig_fields.size() + 1);
    if (which < rrsig_fields.size()) return change_number(record->rdata, rrsig_fields.at(which), random);
    const Result<dns::Rrsig> rrsig = dns::parse_rrsig(record->rdata);
    if (!rrsig) return;
    const dns::Name signer = pick(zone.pool(), random).owner;
    Bytes changed(record->rdata.begin(), record->rdata.begin() + rrsig_signer);
    changed.insert(changed.end(), signer.wire().begin(), signer.wire().end());
    changed.insert(changed.end(), rrsig->signature.begin(), rrsig->signature.end());
    record->rdata = std::move(changed);
}

void swap_signatures(dns::Message& message, Random& random) {
    Record* one = any_of(message, {Type::rrsig}, random);
    Record* other = any_of(message, {Type::rrsig}, random);
    if (one == nullptr || one == other) return;
    if (random.below(2) == 0) return std::swap(one->owner, other->owner);
    std::swap(one->rdata, other->rdata);
    // Each says it covers what it is put beside.
    if (random.below(2) == 0 && one->rdata.size() > 2 && other->rdata.size() > 2)
        std::swap_ranges(one->rdata.begin(), one->rdata.begin() + 2, other->rdata.begin());
}

void change_range(dns::Message& message, const SignedZone& zone, Random& random) {
    Record* record = any_of(message, {Type::nsec}, random);
    if (record == nullptr) return;
    const Result<dns::Nsec> nsec = dns::parse_nsec(record->rdata);
    if (!nsec) return;
    const std::size_t octets = nsec->next.wire().size();
    const dns::Name next = pick(zone.questions(), random).name;
    Bytes changed(next.wire().begin(), next.wire().end());
    changed.insert(changed.end(), record->rdata.begin() + static_cast<std::ptrdiff_t>(octets), record->rdata.end());
    record->rdata = std::move(changed);
}

/// Algorithm, flags, iterations, salt and next hash (RFC 5155 3.2); the owner's hash is a matter of change_owner.
void change_nsec3(dns::Message& message, Random& random) {
    Record* record = any_of(message, {Type::nsec3}, random);
    if (record == nullptr) return;
    constexpr std::array fields{Field{0, 1}, Field{1, 1}, Field{2, 2}, Field{4, 1}, Field{5, 2}, Field{8, 20}};
    change_number(record->rdata, fields.at(random.below(fields.size())), random);
}

void change_bitmap(dns::Message& message, Random& random) {
    Record* record = any_of(message, {Type::nsec, Type::nsec3}, random);
    if (record == nullptr || record->rdata.size() < 8) return;
    const std::size_t octets = 6;  // of the end: that is bitmap
    flip(record->rdata, record->rdata.size() - octets, octets, random);
}

void splice(dns::Message& message, const SignedZone& zone, Random& random) {
    Section& section = random.below(2) == 0 ? message.answer : message.authority;
    for (std::size_t count = 1 + random.below(3); count > 0 && section.size() < most_records; --count) {
        const dns::RRset& set = pick(zone.pool(), random);
        const bool renamed = message.question && random.below(4) == 0;
        Section added;
        append(added, set, renamed ? message.question->name : set.owner);
        section.insert(section.begin() + static_cast<std::ptrdiff_t>(random.below(section.size() + 1)), added.begin(),
                       added.end());
    }
}

void splice_section(dns::Message& message, const SignedZone& zone, Random& random) {
    const dns::Message other = zone.answer(pick(zone.questions(), random));
    const bool add = random.below(2) == 0;
    const bool answer = random.below(2) == 0;
    Section& to = answer ? message.answer : message.authority;
    const Section& from = answer ? other.answer : other.authority;
    if (!add) to.clear();
    if (to.size() + from.size() <= most_records) to.insert(to.end(), from.begin(), from.end());
}

void replace_all(dns::Message& message, const SignedZone& zone, Random& random) {
    const std::optional<dns::Question> question = message.question;
    message = zone.answer(pick(zone.questions(), random));
    message.question = question;
}

void move_record(dns::Message& message, Random& random) {
    Section& from = any_section(message, random);
    Section& to = any_section(message, random);
    if (from.empty()) return;
    const auto place = from.begin() + static_cast<std::ptrdiff_t>(random.below(from.size()));
    const Record record = *place;
    from.erase(place);
    to.push_back(record);
}

void change_rcode(dns::Message& message, Random& random) {
    constexpr std::array rcodes{dns::Rcode::noerror, dns::Rcode::nxdomain, dns::Rcode::nxdomain, dns::Rcode::servfail,
                                dns::Rcode::yxdomain};
    message.rcode = rcodes.at(random.below(rcodes.size()));
}

void change_flags(dns::Message& message, Random& random) {
    switch (random.below(4)) {
        case 0:
            message.authoritative = !message.authoritative;
            break;
        case 1:
            message.authentic_data = !message.authentic_data;
            break;
        case 2:
            message.recursion_available = !message.recursion_available;
            break;
        default:
            message.checking_disabled = !message.checking_disabled;
    }
}

void change_order(dns::Message& message, Mutation mutation, Random& random) {
    Section& section = any_section(message, random);
    if (section.size() < 2) return;
    if (mutation == Mutation::swap)
        return std::swap(section[random.below(section.size())], section[random.below(section.size())]);
    for (std::size_t last = section.size(); last > 1; --last) std::swap(section[last - 1], section[random.below(last)]);
}

void change_ttl(dns::Message& message, Random& random) {
    constexpr std::array<std::uint32_t, 6> ttls{0, 1, 299, 3601, 86400, 0x7fffffff};
    const dns::Ttl ttl(ttls.at(random.below(ttls.size())));
    Record* chosen = any_record(message, random);
    if (chosen == nullptr) return;
    const dns::Name owner = chosen->owner;
    chosen->ttl = ttl;
    if (random.below(2) != 0) return;
    for (Section* section : {&message.answer, &message.authority, &message.additional}) {
        for (Record& record : *section) {
            if (record.owner == owner) record.ttl = ttl;
        }
    }
}

void change_number_or_presence(dns::Message& message, Mutation mutation, Random& random) {
    Section& section = any_section(message, random);
    if (section.empty()) return;
    const auto place = section.begin() + static_cast<std::ptrdiff_t>(random.below(section.size()));
    if (mutation == Mutation::drop) {
        section.erase(place);
    } else if (section.size() < most_records) {
        const Record copy = *place;
        section.push_back(copy);
    }
}

}  // namespace

const char* to_text(Mutation mutation) {
    constexpr std::array<const char*, mutation_count> words{"drop",
                                                            "duplicate",
                                                            "swap",
                                                            "shuffle",
                                                            "ttl",
                                                            "letter case",
                                                            "owner",
                                                            "rdata bit",
                                                            "type",
                                                            "class",
                                                            "signature field",
                                                            "signature bits",
                                                            "signature swap",
                                                            "signature drop",
                                                            "nsec range",
                                                            "nsec3 field",
                                                            "bitmap",
                                                            "splice records",
                                                            "splice section",
                                                            "replace",
                                                            "move",
                                                            "rcode",
                                                            "flags"};
    return words.at(static_cast<std::size_t>(mutation));
}

void mutate(dns::Message& message, Mutation mutation, const SignedZone& zone, Random& random) {
    Record* record = nullptr;
    switch (mutation) {
        case Mutation::drop:
        case Mutation::duplicate:
            return change_number_or_presence(message, mutation, random);
        case Mutation::swap:
        case Mutation::shuffle:
            return change_order(message, mutation, random);
        case Mutation::ttl:
            return change_ttl(message, random);
        case Mutation::letter_case:
            change_spelling(message, random);
            if ((record = any_record(message, random)) != nullptr) change_case(*record, random);
            return;
        case Mutation::owner:
            return change_owner(message, zone, random);
        case Mutation::rdata_bit:
            if ((record = any_record(message, random)) != nullptr) flip(record->rdata, 0, record->rdata.size(), random);
            return;
        case Mutation::type:
            if ((record = any_record(message, random)) != nullptr) record->type = pick(zone.pool(), random).type;
            return;
        case Mutation::class_:
            if ((record = any_record(message, random)) != nullptr) record->class_ = dns::Class::ch;
            return;
        case Mutation::signature_field:
            return change_signature_field(message, zone, random);
        case Mutation::signature_bits:
            if ((record = any_of(message, {Type::rrsig}, random)) != nullptr)
                flip(record->rdata, rrsig_signer, record->rdata.size(), random);
            return;
        case Mutation::signature_swap:
            return swap_signatures(message, random);
        case Mutation::signature_drop:
            for (Section* section : {&message.answer, &message.authority}) {
                if (random.below(2) == 0)
                    std::erase_if(*section, [](const Record& each) { return each.type == Type::rrsig; });
            }
            return;
        case Mutation::nsec_range:
            return change_range(message, zone, random);
        case Mutation::nsec3_field:
            return change_nsec3(message, random);
        case Mutation::bitmap:
            return change_bitmap(message, random);
        case Mutation::splice_records:
            return splice(message, zone, random);
        case Mutation::splice_section:
            return splice_section(message, zone, random);
        case Mutation::replace:
            return replace_all(message, zone, random);
        case Mutation::move:
            return move_record(message, random);
        case Mutation::rcode:
            return change_rcode(message, random);
        case Mutation::flags:
            return change_flags(message, random);
    }
}

std::vector<Mutation> mutate(dns::Message& message, const SignedZone& zone, Random& random) {
    std::vector<Mutation> made;
    const std::size_t count = 1 + std::min(random.below(6), random.below(6));
    for (std::size_t index = 0; index < count; ++index) {
        made.push_back(static_cast<Mutation>(random.below(mutation_count)));
        mutate(message, made.back(), zone, random);
    }
    return made;
}

}  // namespace mxtrust::structure
