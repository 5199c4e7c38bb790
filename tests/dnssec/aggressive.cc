// RFC 8198: denials from cached records; and a property over a whole zone: what exists is never denied, what does not
// exist is.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "crypto/digest.h"
#include "dnssec/denial.h"
#include "zone.h"

using namespace mxtrust;
using namespace mxtrust::test;
using dns::Type;
using dnssec::FindingRef;
using dnssec::Shape;

namespace {

/// Names and types of a small zone; its NSEC and NSEC3 chains are made from it.
const std::map<std::string, std::string> contents{
    {"example.org", "NS SOA MX DNSKEY"}, {"a.example.org", "A AAAA"},     {"b.c.example.org", "A"},
    {"cut.example.org", "NS"},           {"signed.example.org", "NS DS"}, {"alias.example.org", "CNAME"},
    {"d.example.org", "DNAME"},          {"*.w.example.org", "MX"},       {"x.y.w.example.org", "A"},
    {"zz.example.org", "TXT"},
};

struct Chains {
    explicit Chains(const std::string& opt_out = "0") : court(noon, many(), plenty()), trust(zone_trust()) {
        std::vector<dns::Name> names;
        std::vector<std::pair<Bytes, std::string>> hashes;
        for (const auto& [owner, types] : contents) {
            names.push_back(name(owner));
            hashes.emplace_back(crypto::nsec3_hash(name(owner).wire(), {}, 0), types + " RRSIG");
        }
        for (const char* const ent : {"c.example.org", "w.example.org", "y.w.example.org"}) {
            hashes.emplace_back(crypto::nsec3_hash(name(ent).wire(), {}, 0), "");
        }
        std::ranges::sort(names);
        std::ranges::sort(hashes);
        for (std::size_t index = 0; index < names.size(); ++index) {
            const std::string owner = names[index].to_text();
            nsec.push_back(key.sign(
                rrset(owner, Type::nsec,
                      {names[(index + 1) % names.size()].to_text() + ". " + contents.at(owner) + " RRSIG NSEC"})));
        }
        for (std::size_t index = 0; index < hashes.size(); ++index) {
            nsec3.push_back(
                key.sign(rrset(to_base32hex(hashes[index].first) + ".example.org", Type::nsec3,
                               {"1 " + opt_out + " 0 - " + to_base32hex(hashes[(index + 1) % hashes.size()].first) +
                                " " + hashes[index].second})));
        }
        soa = court.judge.judge_rrset(
            key.sign(rrset("example.org", Type::soa, {"ns1.example.org. host.example.org. 1 3600 600 86400 300"})),
            trust);
    }
    static dnssec::Policy many() {
        dnssec::Policy policy;
        policy.most_nsec3_records = 100;
        return policy;
    }
    static BudgetLimits plenty() {
        BudgetLimits limits;
        limits.most.fill(1000000);
        return limits;
    }
    dnssec::ZoneTrust zone_trust() {
        return court.judge.judge_keys(key.zone(), {key.ds()}, key.key_set(), std::nullopt);
    }
    std::vector<FindingRef> cached(const std::vector<dns::RRset>& sets) {
        std::vector<FindingRef> findings;
        for (const dns::RRset& set : sets) findings.push_back(court.judge.judge_rrset(set, trust));
        return findings;
    }
    FindingRef deny(const std::string& owner, Type type, const std::vector<dns::RRset>& sets) {
        return court.judge.judge_from_cached(name(owner), type, key.zone(), cached(sets), soa);
    }

    Signer key{"example.org"};
    Court court;
    dnssec::ZoneTrust trust;
    std::vector<dns::RRset> nsec, nsec3;
    FindingRef soa;
};

struct Row {
    std::string owner;
    Type type;
    std::string truth;  ///< nodata, nxdomain, or other: nothing may be proven
};

const std::vector<Row> rows{
    {"example.org", Type::a, "nodata"},          {"example.org", Type::mx, "other"},
    {"example.org", Type::ds, "other"},          {"a.example.org", Type::mx, "nodata"},
    {"a.example.org", Type::a, "other"},         {"a.example.org", Type::ds, "nodata"},
    {"c.example.org", Type::a, "nodata"},        {"b.c.example.org", Type::mx, "nodata"},
    {"x.c.example.org", Type::a, "nxdomain"},    {"cut.example.org", Type::ds, "nodata"},
    {"cut.example.org", Type::a, "other"},       {"a.cut.example.org", Type::a, "other"},
    {"signed.example.org", Type::ds, "other"},   {"signed.example.org", Type::mx, "other"},
    {"x.signed.example.org", Type::ds, "other"}, {"alias.example.org", Type::a, "other"},
    {"alias.example.org", Type::cname, "other"}, {"a.alias.example.org", Type::a, "nxdomain"},
    {"d.example.org", Type::a, "nodata"},        {"x.d.example.org", Type::a, "other"},
    {"w.example.org", Type::mx, "nodata"},       {"q.w.example.org", Type::mx, "other"},
    {"q.w.example.org", Type::a, "nodata"},      {"y.w.example.org", Type::mx, "nodata"},
    {"q.y.w.example.org", Type::mx, "nxdomain"}, {"*.w.example.org", Type::a, "nodata"},
    {"no.example.org", Type::a, "nxdomain"},     {"zzz.example.org", Type::a, "nxdomain"},
    {"0.example.org", Type::ds, "nxdomain"},     {"example.net", Type::a, "other"},
};

}  // namespace

TEST_CASE("over a whole zone, NSEC and NSEC3 deny what is not there and nothing else, fresh and from cache") {
    Chains chains;
    for (const Row& row : rows) {
        INFO(row.owner << " " << dns::to_text(row.type));
        for (const std::vector<dns::RRset>& sets : {chains.nsec, chains.nsec3}) {
            INFO(dns::to_text(sets.front().type));
            const auto judged = [&](Shape shape) {
                return verdict(chains.court.judge.judge(denial(row.owner, row.type, shape, sets), chains.trust));
            };
            CHECK(judged(Shape::nodata) == (row.truth == "nodata" ? "secure nodata" : "bogus failure"));
            // Where the server says NXDOMAIN of a name that is there, what is proven counts.
            CHECK(judged(Shape::nxdomain) == (row.truth == "other" ? "bogus failure" : "secure " + row.truth));
            CHECK(verdict(chains.deny(row.owner, row.type, sets)) ==
                  (row.truth == "other" ? "nothing" : "secure " + row.truth));
        }
    }
}

TEST_CASE("removing a record from a proof never makes the verdict less strict", "[slow]") {
    Chains chains;
    const std::map<std::string, int> strictness{{"secure nodata", 0},
                                                {"secure nxdomain", 0},
                                                {"insecure nodata", 1},
                                                {"insecure nxdomain", 1},
                                                {"bogus failure", 2}};
    for (const Row& row : rows) {
        for (const std::vector<dns::RRset>& sets : {chains.nsec, chains.nsec3}) {
            for (const Shape shape : {Shape::nodata, Shape::nxdomain}) {
                const int whole = strictness.at(
                    verdict(chains.court.judge.judge(denial(row.owner, row.type, shape, sets), chains.trust)));
                for (std::size_t index = 0; index < sets.size(); ++index) {
                    std::vector<dns::RRset> part = sets;
                    part.erase(part.begin() + static_cast<std::ptrdiff_t>(index));
                    const auto less = chains.court.judge.judge(denial(row.owner, row.type, shape, part), chains.trust);
                    CHECK(strictness.at(verdict(less)) >= whole);
                }
            }
        }
    }
}

TEST_CASE("each record that a proof uses is needed: the used ones prove alone, and none of them can go") {
    Chains chains;
    const dnssec::Context context{chains.court.policy, noon, chains.court.budget};
    const auto prove = [&](const dnssec::Claim& claim, const std::vector<dns::RRset>& sets) {
        const dnssec::Denials denials = dnssec::gather(sets, chains.key.zone(), chains.trust.keys(), context);
        return dnssec::prove(claim, denials, chains.key.zone(), context);
    };
    for (const Row& row : rows) {
        if (row.truth == "other") continue;
        const auto kind = row.truth == "nodata" ? dnssec::Claim::Kind::nodata : dnssec::Claim::Kind::nxdomain;
        const dnssec::Claim claim{kind, name(row.owner), row.type};
        for (const std::vector<dns::RRset>& sets : {chains.nsec, chains.nsec3}) {
            INFO(row.owner << " " << dns::to_text(row.type) << " " << dns::to_text(sets.front().type));
            const dnssec::Proof whole = prove(claim, sets);
            std::vector<dns::RRset> used;
            for (const dnssec::Evidence& one : whole.used) {
                if (std::ranges::find(used, *one.rrset) == used.end()) used.push_back(*one.rrset);
            }
            REQUIRE_FALSE(used.empty());
            CHECK(prove(claim, used).proven == dnssec::Proven::yes);
            for (std::size_t index = 0; index < used.size(); ++index) {
                std::vector<dns::RRset> part = used;
                part.erase(part.begin() + static_cast<std::ptrdiff_t>(index));
                CHECK(prove(claim, part).proven == dnssec::Proven::no);
            }
        }
    }
}

TEST_CASE("an opt-out span, a stale record, another zone's, or no SOA prove nothing from the cache (RFC 8198)") {
    Chains chains, opted("1");
    CHECK(verdict(chains.deny("no.example.org", Type::a, chains.nsec3)) == "secure nxdomain");
    CHECK(verdict(opted.deny("no.example.org", Type::a, opted.nsec3)) == "nothing");
    CHECK(verdict(opted.deny("a.example.org", Type::mx, opted.nsec3)) == "secure nodata");  // what matches is no span
    const auto findings = chains.cached(chains.nsec);
    CHECK_FALSE(
        chains.court.judge.judge_from_cached(name("no.example.org"), Type::a, chains.key.zone(), findings, nullptr));
    CHECK_FALSE(
        chains.court.judge.judge_from_cached(name("no.example.org"), Type::a, name("org"), findings, chains.soa));
    Court later(noon + std::chrono::seconds(3601));
    CHECK_FALSE(
        later.judge.judge_from_cached(name("no.example.org"), Type::a, chains.key.zone(), findings, chains.soa));
    const auto open =
        chains.court.judge.insecure_by_configuration(chains.key.zone(), {}, noon + std::chrono::seconds(60));
    std::vector<FindingRef> insecure;
    for (const dns::RRset& set : chains.nsec) insecure.push_back(chains.court.judge.judge_rrset(set, open));
    CHECK_FALSE(
        chains.court.judge.judge_from_cached(name("no.example.org"), Type::a, chains.key.zone(), insecure, chains.soa));
}

TEST_CASE("a denial from cache ends with the SOA's negative TTL or its records, whichever is first") {
    Chains chains;
    const auto found = chains.deny("no.example.org", Type::a, chains.nsec);
    REQUIRE(verdict(found) == "secure nxdomain");
    CHECK((found->expires() - noon).count() == 300);
    CHECK(found->rcode() == dns::Rcode::nxdomain);
    CHECK(found->proof().front()->type == Type::soa);
}
