// See rules.h.
#include "cache/rules.h"

namespace mxtrust::cache {
namespace {

using dnssec::Outcome;
using dnssec::Security;

std::optional<Header> good_header(std::string_view key, BytesView record, const Header& incoming) {
    const Opened opened = open_record(key, record, incoming.epoch, incoming.stored);
    if (opened.fitness != Fitness::good) return std::nullopt;
    return opened.header;
}

bool is_proven(const Header& header) {
    return header.security == Security::secure || header.security == Security::insecure;
}

/// Of two proven facts that cannot both be true, the newer holds, unless it is only insecure and the older is secure.
bool outweighs(const Header& incoming, const Header& present) {
    return incoming.security == Security::secure || present.security != Security::secure;
}

bool is_kept_beside(const Header& incoming, const std::optional<Header>& present) {
    return present && is_proven(*present) && !outweighs(incoming, *present);
}

/// An NXDOMAIN says that no type exists at the name.
Change decide_nxdomain(Records& records, std::string_view key, const Header& incoming) {
    Change change{.accepted = true, .superseded = {}};
    records.scan(prefix_range(answer_prefix(key)), [&](const Entry& entry) {
        if (entry.key == key) return Walk::on;
        const std::optional<Header> present = good_header(entry.key, entry.record, incoming);
        if (!present) return Walk::on;
        if (is_kept_beside(incoming, present)) {
            change = {};
            return Walk::stop;
        }
        change.superseded.emplace_back(entry.key);
        return Walk::on;
    });
    return change;
}

/// An unsigned zone's NXDOMAIN, kept for its type alone, is no word on whether the name exists; where something is
/// proven of the name, it is not kept at all.
Change decide_unproven_nxdomain(Records& records, std::string_view key, const Header& incoming) {
    Change change{.accepted = true, .superseded = {}};
    records.scan(prefix_range(answer_prefix(key)), [&](const Entry& entry) {
        const std::optional<Header> present = good_header(entry.key, entry.record, incoming);
        if (!is_kept_beside(incoming, present)) return Walk::on;
        change = {};
        return Walk::stop;
    });
    return change;
}

/// Records, or the absence of one type, say that the name exists, and with it every name above.
Change decide_existence(Records& records, std::string_view key, const Header& incoming) {
    Change change{.accepted = true, .superseded = {}};
    std::vector<std::string> denials = ancestors_slots(key, nxdomain_slot);
    std::string own(answer_prefix(key));
    own.append(2, '\0');
    const auto own_denial = records.get(own);
    if (own_denial && is_kept_beside(incoming, good_header(own, *own_denial, incoming))) return {};
    denials.push_back(std::move(own));
    for (std::string& denial : denials) {
        const auto record = records.get(denial);
        if (!record) continue;
        const std::optional<Header> present = good_header(denial, *record, incoming);
        if (present && outweighs(incoming, *present)) change.superseded.push_back(std::move(denial));
    }
    return change;
}

/// Bogus and failures are kept only where nothing secure answers the same
/// question: by an alias or by the name's NXDOMAIN.
Change decide_failure(Records& records, std::string_view key, const Header& incoming) {
    for (const dns::Type type : {nxdomain_slot, dns::Type::cname}) {
        if (type == dns::Type::cname && answer_type(key) == dns::Type::ds) continue;
        std::string other(answer_prefix(key));
        const auto number = static_cast<std::uint16_t>(type);
        other.push_back(static_cast<char>(static_cast<unsigned char>(number >> 8)));
        other.push_back(static_cast<char>(static_cast<unsigned char>(number & 0xFF)));
        const auto record = records.get(other);
        if (!record) continue;
        const std::optional<Header> present = good_header(other, *record, incoming);
        if (present && present->security == Security::secure) return {};
    }
    return {.accepted = true, .superseded = {}};
}

/// One version of a set: the very same octets. It stays as long as anything that refers to it.
Change decide_denial(Records& records, std::string_view key, const Header& incoming) {
    const auto present = records.get(key);
    const auto header = present ? good_header(key, *present, incoming) : std::nullopt;
    return {.accepted = !header || header->expires < incoming.expires || header->use < incoming.use, .superseded = {}};
}

bool is_structure(std::string_view key) {
    switch (kind_of(key).value_or(Kind::note)) {
        case Kind::cut:
            return true;
        case Kind::denial:
        case Kind::note:
            return false;
        case Kind::answer:
            break;
    }
    const dns::Type type = answer_type(key);
    return type == dns::Type::ds || type == dns::Type::dnskey || type == dns::Type::ns || type == dns::Type::soa;
}

/// A mail question asks TLSA, AAAA and A of every host and mostly learns that there is none: such a NODATA is worth
/// keeping.
bool is_wanted_denial(std::string_view key, const Header& header) {
    if (header.outcome != Outcome::nodata || !is_proven(header)) return false;
    const dns::Type type = answer_type(key);
    return type == dns::Type::tlsa || type == dns::Type::aaaa || type == dns::Type::a || type == dns::Type::mx;
}

}  // namespace

bool may_replace(const Header& present, const Header& incoming) {
    switch (incoming.security) {
        case Security::secure:
            return true;
        case Security::insecure: {
            if (present.security == Security::secure) return false;
            const bool fails = incoming.outcome == Outcome::failure;
            return !fails || present.security != Security::insecure || present.outcome == Outcome::failure;
        }
        case Security::bogus:
            return present.security != Security::secure;
        case Security::indeterminate:
            return present.security == Security::indeterminate ||
                   (present.security == Security::insecure && present.outcome == Outcome::failure);
    }
    return false;
}

Change decide(Records& records, std::string_view key, const Header& incoming) {
    if (kind_of(key) == Kind::denial) return decide_denial(records, key, incoming);
    if (kind_of(key) != Kind::answer) return {.accepted = true, .superseded = {}};
    const auto present = records.get(key);
    if (present) {
        const std::optional<Header> header = good_header(key, *present, incoming);
        if (header && !may_replace(*header, incoming)) return {};
    }
    if (!is_proven(incoming) || incoming.outcome == Outcome::failure) return decide_failure(records, key, incoming);
    if (answer_type(key) == nxdomain_slot) return decide_nxdomain(records, key, incoming);
    if (incoming.outcome == Outcome::nxdomain) return decide_unproven_nxdomain(records, key, incoming);
    return decide_existence(records, key, incoming);
}

Use use_of(std::string_view key, const Header& header, std::size_t octets) {
    const std::optional<Kind> kind = kind_of(key);
    if (kind == Kind::note) return Use::note;
    if (kind == Kind::denial) return Use::rubbish;
    if (is_structure(key) && (kind == Kind::cut || is_proven(header))) return Use::structure;
    if (kind == Kind::answer && is_proven(header) && octets <= most_answer_octets) {
        if (header.outcome == Outcome::records || is_wanted_denial(key, header)) return Use::answer;
    }
    return Use::rubbish;
}

bool is_used(Use use) {
    return use == Use::used_rubbish || use == Use::used_answer || use == Use::used_structure;
}

Use after_hit(Use use) {
    switch (use) {
        case Use::rubbish:
            return Use::used_rubbish;
        case Use::answer:
            return Use::used_answer;
        case Use::structure:
            return Use::used_structure;
        case Use::used_rubbish:
        case Use::used_answer:
        case Use::used_structure:
        case Use::note:
            return use;
    }
    return use;
}

}  // namespace mxtrust::cache
