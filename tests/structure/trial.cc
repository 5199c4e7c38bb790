#include "structure/trial.h"

#include <algorithm>

#include "dnssec/zone.h"
#include "resolve/classify.h"

namespace mxtrust::structure {

using dns::Type;
using dnssec::Outcome;
using dnssec::Security;

namespace {

/// Names in lower case, where RFC 4034 6.2 has them so: of these types the whole rdata, or all but the numbers.
Bytes plain(Type type, Bytes rdata) {
    std::size_t end = 0;
    if (type == Type::ns || type == Type::cname || type == Type::dname || type == Type::mx) end = rdata.size();
    if (type == Type::soa && rdata.size() > 20) end = rdata.size() - 20;
    for (std::size_t index = 0; index < end; ++index) {
        if (rdata[index] >= 'A' && rdata[index] <= 'Z') rdata[index] = static_cast<std::uint8_t>(rdata[index] + 0x20);
    }
    return rdata;
}

std::set<Bytes> plain(const dns::RRset& set) {
    std::set<Bytes> all;
    for (const Bytes& rdata : set.records) all.insert(plain(set.type, rdata));
    return all;
}

std::string told(const dnssec::Finding& finding) {
    return std::string(to_text(finding.security())) + " " + std::string(to_text(finding.outcome())) + " for " +
           finding.name().to_text() + " " + dns::to_text(finding.type());
}

Verdict verdict_of(Security security) {
    switch (security) {
        case Security::secure:
            return Verdict::secure;
        case Security::insecure:
            return Verdict::insecure;
        case Security::bogus:
            return Verdict::bogus;
        case Security::indeterminate:
            break;
    }
    return Verdict::indeterminate;
}

/// As the resolver keeps a referral's evidence (resolve/evidence.h).
dnssec::Response about_cut(const resolve::Referral& referral) {
    dnssec::Response response;
    response.name = referral.zone;
    response.type = Type::ds;
    response.shape = dnssec::Shape::nodata;
    for (const dns::RRset& set : referral.evidence) {
        if (set.type == Type::ds && set.owner == referral.zone) {
            response.shape = dnssec::Shape::records;
            response.positive = set;
        } else {
            response.authority.push_back(set);
        }
    }
    return response;
}

/// As the resolver takes sets of an answer to ANY apart.
std::vector<dnssec::Response> one_by_one(const resolve::AnySets& any, const dns::Name& name) {
    std::vector<dnssec::Response> responses;
    for (const dns::RRset& set : any.sets) {
        dnssec::Response response;
        response.name = name;
        response.type = set.type;
        response.shape = dnssec::Shape::records;
        response.positive = set;
        response.authority = any.authority;
        responses.push_back(std::move(response));
    }
    return responses;
}

dnssec::ZoneTrust trust_in(const SignedZone& zone) {
    test::Court court;
    return court.judge.judge_keys(zone.apex(), {zone.key().ds()}, zone.key_set(), std::nullopt);
}

}  // namespace

Trial::Trial(const SignedZone& zone) : zone_(zone), trust_(trust_in(zone)) {}

std::string Trial::fault_of_records(const dnssec::Finding& finding, const Truth& truth) const {
    if (truth.kind != Truth::Kind::records) return "there is no such record";
    const dns::RRset& set = *finding.rrset();
    const bool redirected = truth.set->type == Type::dname && truth.set->owner != finding.name();
    if (set.type != truth.set->type) return "it is of another type";
    if (set.owner != (redirected ? truth.set->owner : finding.name())) return "it is another's";
    if (plain(set) != plain(*truth.set)) return "its data is not what was signed";
    if (set.ttl > truth.set->ttl) return "its TTL is longer than the one signed";
    if (finding.expires() > test::noon + std::chrono::seconds(truth.set->ttl)) return "it is kept longer than its TTL";
    return {};
}

Sentence Trial::weigh(const dnssec::Finding& finding) const {
    Sentence sentence{verdict_of(finding.security()), {}};
    if (finding.security() == Security::bogus && finding.rrset() != nullptr) sentence.fault = "bogus, with data";
    const bool said = finding.security() == Security::secure || finding.security() == Security::insecure;
    if (!said) return sentence;
    const Truth truth = zone_.truth(finding.name(), finding.type());
    const bool long_kept = finding.expires() > test::noon + std::chrono::seconds(SignedZone::negative_ttl);
    if (truth.kind == Truth::Kind::elsewhere) {
        // An unsigned delegation that opt-out leaves out, and all below it, is not told from what is not there.
        if (finding.security() == Security::insecure && truth.unsigned_only) return sentence;
        sentence.fault = "the zone has no say here";
    } else if (finding.security() == Security::insecure && !truth.unsigned_only) {
        sentence.fault = "the zone is signed";
    } else if (finding.security() == Security::insecure && finding.outcome() != Outcome::records) {
        // Where no name is but opt-out, an unsigned delegation may be hidden; then no wildcard stands for it either.
        return sentence;
    } else if (finding.outcome() == Outcome::records) {
        sentence.fault = fault_of_records(finding, truth);
    } else if (finding.outcome() == Outcome::failure) {
        sentence.fault = "a failure that is proven";
    } else {
        const bool absent = truth.kind == Truth::Kind::nxdomain;
        if (truth.kind == Truth::Kind::records) {
            sentence.fault = "it is there";
        } else if (finding.security() == Security::secure && (finding.outcome() == Outcome::nxdomain) != absent) {
            sentence.fault = absent ? "the name does not exist" : "the name exists";
        } else if (long_kept) {
            sentence.fault = "the denial is kept too long";
        }
    }
    if (!sentence.fault.empty()) sentence.fault = told(finding) + ": " + sentence.fault;
    return sentence;
}

std::vector<Sentence> Trial::judge(const Question& question, BytesView wire) const {
    const Result<dns::Message> message = dns::parse_message(wire);
    if (!message) return {{Verdict::malformed, {}}};
    const resolve::Asked asked{question.name, question.type, zone_.apex(), resolve::Asked::Authority::optional};
    const resolve::Classified classified = resolve::classify(asked, *message);
    std::vector<dnssec::Response> responses;
    bool of_cut = false;
    if (const auto* response = std::get_if<dnssec::Response>(&classified)) {
        responses.push_back(*response);
    } else if (const auto* any = std::get_if<resolve::AnySets>(&classified)) {
        responses = one_by_one(*any, question.name);
    } else if (const auto* referral = std::get_if<resolve::Referral>(&classified)) {
        responses.push_back(about_cut(*referral));
        of_cut = true;
    }
    if (responses.empty()) return {{Verdict::unusable, {}}};
    std::vector<Sentence> sentences;
    for (const dnssec::Response& response : responses) {
        test::Court court;
        const dnssec::FindingRef finding = court.judge.judge(response, trust_);
        Sentence sentence = weigh(*finding);
        // An ANY answer's signatures or an NSEC of its own are no data of the zone that truth() knows.
        if (of_cut || response.type == Type::ds) {
            const dnssec::Cut cut = dnssec::Judge::cut_of(*finding, court.policy);
            const bool cut_here = zone_.is_cut(response.name);
            if (cut == dnssec::Cut::unsigned_delegation && (!cut_here || zone_.has(response.name, Type::ds)) &&
                !zone_.truth(response.name, Type::ds).unsigned_only)
                sentence.fault = "an unsigned zone cut at " + response.name.to_text();
            if (cut == dnssec::Cut::signed_delegation && !zone_.has(response.name, Type::ds))
                sentence.fault = "a signed zone cut at " + response.name.to_text();
            if (cut == dnssec::Cut::no_cut && cut_here) sentence.fault = "no zone cut at " + response.name.to_text();
        }
        sentences.push_back(std::move(sentence));
    }
    return sentences;
}

Sentence Trial::judge_keys(const dns::Message& message) const {
    dns::RRset keys;
    keys.owner = zone_.apex();
    keys.type = Type::dnskey;
    for (const dns::RRset& set : dns::group(message.answer)) {
        if (set.owner == zone_.apex() && set.type == Type::dnskey) keys = set;
    }
    test::Court court;
    const dnssec::ZoneTrust trust = court.judge.judge_keys(zone_.apex(), {zone_.key().ds()}, keys, std::nullopt);
    Sentence sentence{verdict_of(trust.security()), {}};
    if (trust.security() == Security::insecure) sentence.fault = "a signed zone's keys make it insecure";
    if (trust.security() != Security::secure) return sentence;
    if (plain(keys) != plain(zone_.key_set())) sentence.fault = "keys that the zone does not have";
    if (trust.expires() > test::noon + std::chrono::seconds(zone_.key_set().ttl))
        sentence.fault = "keys that are kept too long";
    return sentence;
}

}  // namespace mxtrust::structure
