#include "resolve/classify.h"

#include <algorithm>

#include "resolve/scrub.h"

namespace mxtrust::resolve {
namespace {

const dns::RRset* find_set(const std::vector<dns::RRset>& sets, const dns::Name& owner, dns::Type type) {
    for (const dns::RRset& set : sets) {
        if (set.type == type && set.owner == owner) return &set;
    }
    return nullptr;
}

/// The SOA of a negative answer: its owner is the zone's apex, at or above the name asked (RFC 2308 3).
const dns::RRset* negative_soa(const std::vector<dns::RRset>& authority, const dns::Name& name) {
    for (const dns::RRset& set : authority) {
        if (set.type == dns::Type::soa && name.is_within(set.owner)) return &set;
    }
    return nullptr;
}

/// A DNAME above the name asked redirects it (RFC 6672 3.2). The deepest one counts.
const dns::RRset* covering_dname(const std::vector<dns::RRset>& answer, const dns::Name& name) {
    const dns::RRset* best = nullptr;
    for (const dns::RRset& set : answer) {
        if (set.type != dns::Type::dname || !name.is_below(set.owner)) continue;
        if (best == nullptr || set.owner.label_count() > best->owner.label_count()) best = &set;
    }
    return best;
}

std::vector<dns::RRset> proofs(const std::vector<dns::RRset>& authority) {
    std::vector<dns::RRset> kept;
    for (const dns::RRset& set : authority) {
        if (set.type == dns::Type::soa || set.type == dns::Type::nsec || set.type == dns::Type::nsec3)
            kept.push_back(set);
    }
    return kept;
}

bool has_any(const std::vector<dns::RRset>& sets, dns::Type type) {
    return std::ranges::any_of(sets, [type](const dns::RRset& set) { return set.type == type; });
}

Unusable unusable(Unusable::Why why, const dns::Message& message, std::string text) {
    Unusable result{why, message.rcode, std::move(text), {}};
    if (message.edns) result.extended_errors = message.edns->extended_errors();
    return result;
}

std::optional<Unusable> error_rcode(const dns::Message& message) {
    using Why = Unusable::Why;
    switch (message.rcode) {
        case dns::Rcode::noerror:
        case dns::Rcode::nxdomain:
        case dns::Rcode::yxdomain:
            return std::nullopt;
        case dns::Rcode::servfail:
            return unusable(Why::server_failure, message, "answered SERVFAIL");
        case dns::Rcode::refused:
        case dns::Rcode::notauth:
            return unusable(Why::refused, message, "answered " + dns::to_text(message.rcode));
        case dns::Rcode::notimp:
            return unusable(Why::not_implemented, message, "answered NOTIMP");
        case dns::Rcode::formerr:
            return unusable(Why::format_error, message, "answered FORMERR");
        case dns::Rcode::badvers:
        case dns::Rcode::badcookie:
            break;
    }
    return unusable(Why::other, message, "answered " + dns::to_text(message.rcode));
}

/// One message, with its sections scrubbed, on its way to a verdict.
class Classifier {
  public:
    Classifier(const Asked& asked, const dns::Message& message)
        : asked_(asked),
          message_(message),
          answer_(within_zone(message.answer, asked.zone)),
          authority_(within_zone(message.authority, asked.zone)) {
        for (dns::RRset& set : answer_) collect_signatures(set);
        for (dns::RRset& set : authority_) collect_signatures(set);
    }

    Classified run() {
        if (std::optional<Unusable> error = error_rcode(message_)) return std::move(*error);
        if (std::optional<Classified> positive = from_answer()) return std::move(*positive);
        // A set that is dropped as too large is there all the same: a failure, and never an absence.
        if (has_overlarge_set(message_.answer, asked_.zone)) return overlarge();
        if (message_.rcode == dns::Rcode::yxdomain)
            return unusable(Unusable::Why::other, message_, "answered YXDOMAIN without a DNAME");
        if (message_.rcode == dns::Rcode::nxdomain) return from_nxdomain();
        return from_empty();
    }

  private:
    Classified respond(dnssec::Shape shape, const dns::RRset* positive) {
        dnssec::Response response;
        response.name = asked_.name;
        response.type = asked_.type;
        response.shape = shape;
        response.rcode = message_.rcode;
        if (positive != nullptr) response.positive = *positive;
        response.authority = proofs(authority_);
        // An alias' rcode belongs to the name it leads to (RFC 6604 3); the target is asked for itself.
        if (shape == dnssec::Shape::cname || shape == dnssec::Shape::dname || shape == dnssec::Shape::records) {
            response.rcode = dns::Rcode::noerror;
        }
        return response;
    }

    /// Some servers put a set's signatures into another section; they verify or they do not, wherever they stood.
    void collect_signatures(dns::RRset& set) const {
        if (!set.signatures.empty()) return;
        for (const std::vector<dns::Record>* section : {&message_.answer, &message_.authority, &message_.additional}) {
            for (const dns::Record& record : *section) {
                if (record.type != dns::Type::rrsig || record.owner != set.owner) continue;
                const Result<dns::Rrsig> rrsig = dns::parse_rrsig(record.rdata);
                if (rrsig && rrsig->covered == set.type) set.signatures.push_back(record.rdata);
            }
        }
    }

    std::optional<Classified> from_answer() {
        if (answer_.empty() && asked_.type != dns::Type::rrsig) return std::nullopt;
        std::optional<Classified> found = positive();
        if (!found) return std::nullopt;
        if (message_.authoritative || asked_.authority == Asked::Authority::none) return found;
        if (delegates_instead()) return std::nullopt;
        if (asked_.authority != Asked::Authority::required) return found;
        return unusable(Unusable::Why::unauthoritative, message_, "answered without authority");
    }

    /// No AA, an answer and a referral in one: a server that leaked its cache into a referral. The referral counts.
    [[nodiscard]] bool delegates_instead() const { return delegation_set() != nullptr; }

    /// The NS set of a delegation below the zone; the highest one counts. Where these were asked for, some parents put
    /// them into the answer section, and leave AA out, as they are the child's to say (RFC 2181 6.1).
    [[nodiscard]] const dns::RRset* delegation_set() const {
        const dns::RRset* best = nullptr;
        const auto consider = [&](const dns::RRset& set) {
            if (set.type != dns::Type::ns || !set.owner.is_below(asked_.zone) || !asked_.name.is_within(set.owner))
                return;
            if (best == nullptr || set.owner.label_count() < best->owner.label_count()) best = &set;
        };
        std::ranges::for_each(authority_, consider);
        const bool asked_for = asked_.type == dns::Type::ns || asked_.type == dns::Type::any;
        if (best == nullptr && asked_for && !message_.authoritative) std::ranges::for_each(answer_, consider);
        return best;
    }

    std::optional<Classified> positive() {
        if (asked_.type == dns::Type::any) return any();
        if (std::optional<dns::RRset> signatures = signatures_themselves())
            return respond(dnssec::Shape::records, &*signatures);
        // Beside a CNAME there must be nothing else (RFC 2181 10.1); where there is, what was said first counts.
        for (const dns::RRset& set : answer_) {
            if (set.owner != asked_.name) continue;
            if (set.type == asked_.type) return respond(dnssec::Shape::records, &set);
            if (set.type == dns::Type::cname && asked_.type != dns::Type::ds) break;
        }
        if (const dns::RRset* set = covering_dname(answer_, asked_.name)) return respond(dnssec::Shape::dname, set);
        const dns::RRset* cname = find_set(answer_, asked_.name, dns::Type::cname);
        if (cname == nullptr) return std::nullopt;
        // Two CNAMEs at one name contradict one another (RFC 2181 10.1).
        if (cname->records.size() > 1)
            return unusable(Unusable::Why::other, message_, "answered with more than one CNAME");
        return respond(dnssec::Shape::cname, cname);
    }

    /// Asked for signatures: what is otherwise kept with the sets they cover is the answer itself (RFC 4034 3).
    [[nodiscard]] std::optional<dns::RRset> signatures_themselves() const {
        if (asked_.type != dns::Type::rrsig) return std::nullopt;
        dns::RRset set{asked_.name, dns::Type::rrsig, {}, {}, {}};
        for (const dns::Record& record : message_.answer) {
            if (record.type != dns::Type::rrsig || record.owner != asked_.name || record.class_ != dns::Class::in)
                continue;
            if (set.records.size() >= most_records_per_set) break;
            set.ttl = set.records.empty() ? record.ttl : std::min(set.ttl, record.ttl);
            set.records.push_back(record.rdata);
        }
        if (set.records.empty()) return std::nullopt;
        return set;
    }

    std::optional<Classified> any() {
        AnySets sets;
        for (const dns::RRset& set : answer_) {
            if (set.owner == asked_.name) sets.sets.push_back(set);
        }
        sets.authority = proofs(authority_);
        // A CNAME beside a DNAME is the one made from it, which nobody signs (RFC 6672 3.1).
        const bool only_alias =
            std::ranges::all_of(sets.sets, [](const dns::RRset& set) { return set.type == dns::Type::cname; });
        const dns::RRset* dname = only_alias ? covering_dname(answer_, asked_.name) : nullptr;
        if (dname != nullptr) return respond(dnssec::Shape::dname, dname);
        if (sets.sets.empty()) return std::nullopt;
        return sets;
    }

    Classified from_nxdomain() {
        if (!message_.authoritative && asked_.authority == Asked::Authority::required &&
            negative_soa(authority_, asked_.name) == nullptr && !has_any(authority_, dns::Type::nsec) &&
            !has_any(authority_, dns::Type::nsec3)) {
            return unusable(Unusable::Why::unauthoritative, message_, "answered NXDOMAIN without authority");
        }
        if (denies_from_above()) return denied_from_above();
        return respond(dnssec::Shape::nxdomain, nullptr);
    }

    Classified from_empty() {
        const dns::RRset* soa = negative_soa(authority_, asked_.name);
        if (soa != nullptr) return respond(dnssec::Shape::nodata, nullptr);
        if (has_overlarge_set(message_.authority, asked_.zone)) return overlarge();
        if (std::optional<Referral> referral = delegation()) return std::move(*referral);
        if ((has_any(authority_, dns::Type::ns) && !own_apex()) || refers_upwards()) {
            return unusable(Unusable::Why::lame, message_,
                            "referred to a zone that is not below " + asked_.zone.to_text());
        }
        if (denies_from_above()) return denied_from_above();
        if (message_.authoritative) return respond(dnssec::Shape::nodata, nullptr);
        // A resolver that recursed may leave the SOA out (RFC 2308 2.2, type 3); one that did not knows nothing.
        const bool recursed = message_.recursion_available && !has_any(authority_, dns::Type::ns);
        if (asked_.authority == Asked::Authority::none && recursed) return respond(dnssec::Shape::nodata, nullptr);
        // Empty, without authority and without SOA: the server does not know the zone (validator-pitfalls 34).
        return unusable(Unusable::Why::lame, message_, "answered with nothing and without authority");
    }

    [[nodiscard]] Unusable overlarge() const {
        return unusable(Unusable::Why::other, message_,
                        "answered with a set of more than " + std::to_string(most_records_per_set) + " records");
    }

    /// With the SOA of a zone above, and nothing of its own (RFC 2308 2): the server has that zone, or pretends to, and
    /// not the one it was asked about. Another one may have it; what stub zones' servers serve is their owner's choice.
    [[nodiscard]] bool denies_from_above() const {
        const bool is_fallback = asked_.authority != Asked::Authority::required;
        if (is_fallback || !message_.authoritative || !authority_.empty()) return false;
        return std::ranges::any_of(message_.authority, [this](const dns::Record& record) {
            return record.type == dns::Type::soa && asked_.zone.is_below(record.owner);
        });
    }
    [[nodiscard]] Unusable denied_from_above() const {
        return unusable(Unusable::Why::unauthoritative, message_,
                        "denied it for a zone above " + asked_.zone.to_text());
    }

    /// NS of a zone above, whatever AA says: a server that does not know the zone and points to where one begins to
    /// look.
    [[nodiscard]] bool refers_upwards() const {
        return std::ranges::any_of(message_.authority, [this](const dns::Record& record) {
            return record.type == dns::Type::ns && asked_.zone.is_below(record.owner);
        });
    }

    [[nodiscard]] bool own_apex() const {
        return message_.authoritative && find_set(authority_, asked_.zone, dns::Type::ns) != nullptr;
    }

    [[nodiscard]] std::optional<Referral> delegation() const {
        const dns::RRset* best = delegation_set();
        if (best == nullptr) return std::nullopt;
        Referral referral{best->owner, servers_with_glue(*best, message_.additional, asked_.zone), best->ttl, {}};
        if (referral.servers.empty()) return std::nullopt;
        for (const dns::RRset& set : authority_) {
            const bool ds = set.type == dns::Type::ds && set.owner == referral.zone;
            if (ds || set.type == dns::Type::nsec || set.type == dns::Type::nsec3) referral.evidence.push_back(set);
        }
        return referral;
    }

    const Asked& asked_;
    const dns::Message& message_;
    std::vector<dns::RRset> answer_, authority_;
};

}  // namespace

Classified classify(const Asked& asked, const dns::Message& message) {
    return Classifier(asked, message).run();
}

}  // namespace mxtrust::resolve
