// One host's policy, rule by rule. (Every combination of facts is in tables.cc.)
#include "mail/host.h"

#include <catch2/catch.hpp>

#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

/// How the host's name leads to its addresses.
enum class Chain : std::uint8_t { none, secure, secure_then_insecure, insecure, insecure_then_secure };
/// A TLSA answer: the two axes, and whether its records are of use.
struct TlsaAxis {
    Axis axis;
    bool usable = false;
};
const dns::Name initial = name("mx.example.org");
const dns::Name middle = name("between.example.com");
const dns::Name expanded = name("host.example.net");

Answer address_answer(Type type, Chain chain, Axis axis) {
    std::string text = type == Type::a ? "192.0.2.25" : "2001:db8::25";
    std::vector<FindingRef> links;
    Axis first = chain == Chain::insecure || chain == Chain::insecure_then_secure ? Axis::insecure_records
                                                                                  : Axis::secure_records;
    Axis second = chain == Chain::secure_then_insecure || chain == Chain::insecure ? Axis::insecure_records
                                                                                   : Axis::secure_records;
    if (chain != Chain::none) {
        links.push_back(alias(initial, type, first, "between.example.com."));
        links.push_back(alias(middle, type, second, "host.example.net."));
    }
    links.push_back(finding(chain == Chain::none ? initial : expanded, type, axis, {text}));
    return Answer(std::move(links));
}

Answer tlsa_answer(const dns::Name& base, TlsaAxis axis) {
    dns::Name owner = tlsa_name(base, 25).value();
    return Answer({finding(owner, Type::tlsa, axis.axis, {axis.usable ? sha256 : "1 1 1 " + std::string(64, 'a')})});
}

HostFacts facts_of(Chain chain, Axis a, Axis aaaa, TlsaAxis at_expanded, TlsaAxis at_initial) {
    HostFacts facts;
    facts.host.text = initial.to_text();
    facts.host.name = initial;
    facts.host.preference = std::uint16_t{10};
    facts.a = address_answer(Type::a, chain, a);
    facts.aaaa = address_answer(Type::aaaa, chain, aaaa);
    if (chain != Chain::none) facts.tlsa.push_back({expanded, tlsa_answer(expanded, at_expanded)});
    facts.tlsa.push_back({initial, tlsa_answer(initial, chain == Chain::none ? at_expanded : at_initial)});
    return facts;
}

TEST_CASE("a TLSA answer that never came is a failed one, not an absent one") {
    for (Chain chain : {Chain::none, Chain::secure, Chain::secure_then_insecure}) {
        HostFacts facts =
            facts_of(chain, Axis::secure_records, Axis::secure_nodata, {Axis::secure_nodata}, {Axis::secure_nodata});
        CHECK(judge_host(facts, {}).policy.action == HostAction::may);
        std::size_t every = facts.tlsa.size();
        for (std::size_t missing = 0; missing < every; ++missing) {
            HostFacts less = facts;
            bool needed = chain != Chain::secure_then_insecure || less.tlsa[missing].base == initial;
            less.tlsa.erase(less.tlsa.begin() + static_cast<std::ptrdiff_t>(missing));
            HostAnswer answer = judge_host(less, {});
            CHECK(answer.policy.action == (needed ? HostAction::skip : HostAction::may));
            if (needed) CHECK(answer.policy.fault == Fault::dnssec_invalid);
        }
    }
    HostFacts nothing = facts_of(Chain::none, Axis::secure_records, Axis::secure_records, {Axis::secure_nodata}, {});
    nothing.aaaa.reset();
    CHECK(judge_host(nothing, {}).policy.action == HostAction::skip);
}

TEST_CASE("speculative TLSA answers are not used, and not shown, where they may not be asked") {
    HostFacts facts =
        facts_of(Chain::none, Axis::insecure_records, Axis::insecure_nodata, {Axis::bogus}, {Axis::bogus});
    HostAnswer answer = judge_host(facts, {});
    CHECK(answer.policy.action == HostAction::may);
    CHECK_FALSE(answer.tlsa.has_value());
    CHECK_THAT(answer.policy.text, Catch::Contains("not signed with DNSSEC, so TLSA was not asked"));
    facts = facts_of(Chain::insecure_then_secure, Axis::secure_records, Axis::secure_nodata,
                     {Axis::secure_records, true}, {Axis::secure_records, true});
    answer = judge_host(facts, {});
    CHECK(answer.policy.action == HostAction::may);
    CHECK_FALSE(answer.tlsa.has_value());
}

TEST_CASE("the fault of a host to be skipped tells DNSSEC's failures from others") {
    struct Row {
        Axis a, aaaa, tlsa;
        Fault fault;
    };
    const Row rows[] = {
        {Axis::bogus, Axis::bogus, Axis::secure_nodata, Fault::dnssec_invalid},
        {Axis::bogus, Axis::indeterminate, Axis::secure_nodata, Fault::dnssec_invalid},
        {Axis::indeterminate, Axis::bogus, Axis::secure_nodata, Fault::dnssec_invalid},
        {Axis::secure_nodata, Axis::bogus, Axis::secure_nodata, Fault::dnssec_invalid},
        {Axis::indeterminate, Axis::indeterminate, Axis::secure_nodata, Fault::dns_query_failed},
        {Axis::secure_nodata, Axis::indeterminate, Axis::secure_nodata, Fault::dns_query_failed},
        {Axis::insecure_failure, Axis::insecure_failure, Axis::secure_nodata, Fault::dns_query_failed},
        {Axis::insecure_failure, Axis::insecure_nodata, Axis::secure_nodata, Fault::dns_query_failed},
        {Axis::secure_records, Axis::secure_nodata, Axis::bogus, Fault::dnssec_invalid},
        {Axis::secure_records, Axis::secure_nodata, Axis::indeterminate, Fault::dnssec_invalid},
        {Axis::secure_records, Axis::secure_nodata, Axis::insecure_failure, Fault::dnssec_invalid},
    };
    for (const Row& row : rows) {
        CAPTURE(int(row.a), int(row.aaaa), int(row.tlsa));
        HostPolicy policy = judge_host(facts_of(Chain::none, row.a, row.aaaa, {row.tlsa}, {}), {}).policy;
        CHECK(policy.action == HostAction::skip);
        CHECK(policy.fault == row.fault);
        CHECK(policy.tlsrpt ==
              (row.fault == Fault::dnssec_invalid ? TlsrptType::dnssec_invalid : TlsrptType::validation_failure));
    }
}

TEST_CASE("reference identifiers: the base first, the next-hop where it is authentic, the alias (RFC 7672 3.2.2)") {
    Circumstances authentic;
    authentic.identifiers = {name("example.org"), name("example.com")};
    Circumstances unproven;
    TlsaAxis good{Axis::secure_records, true}, none{Axis::secure_nodata};
    struct Row {
        Chain chain;
        TlsaAxis at_expanded, at_initial;
        const Circumstances* circumstances;
        std::string sni;
        std::vector<std::string> names;
    };
    const std::string mx = "mx.example.org", host = "host.example.net";
    const Row rows[] = {
        {Chain::none, good, none, &authentic, mx, {mx, "example.org", "example.com"}},
        {Chain::none, good, none, &unproven, mx, {mx}},
        {Chain::secure, good, none, &authentic, host, {host, "example.org", "example.com", mx}},
        {Chain::secure, good, none, &unproven, host, {host, mx}},
        {Chain::secure, none, good, &authentic, mx, {mx, "example.org", "example.com"}},
        {Chain::secure_then_insecure, none, good, &unproven, mx, {mx}},
    };
    for (const Row& row : rows) {
        HostAnswer answer =
            judge_host(facts_of(row.chain, Axis::secure_records, Axis::secure_nodata, row.at_expanded, row.at_initial),
                       *row.circumstances);
        CHECK(answer.policy.action == HostAction::dane);
        CHECK(answer.policy.sni == row.sni);
        CHECK(answer.policy.names == row.names);
        CHECK(answer.tlsa->name == tlsa_name(answer.tlsa->base, 25).value());
    }
}

TEST_CASE("DANE switched off asks nothing of TLSA") {
    Circumstances off;
    off.use_dane = false;
    off.why_not_dane = "DANE is switched off here";
    HostAnswer answer =
        judge_host(facts_of(Chain::none, Axis::secure_records, Axis::secure_nodata, {Axis::bogus}, {}), off);
    CHECK(answer.policy.action == HostAction::may);
    CHECK_FALSE(answer.tlsa.has_value());
    CHECK_THAT(answer.policy.text, Catch::Contains("DANE is switched off here"));
    // What is wrong with the addresses still is.
    CHECK(judge_host(facts_of(Chain::none, Axis::bogus, Axis::secure_nodata, {Axis::bogus}, {}), off).policy.action ==
          HostAction::skip);
}

TEST_CASE("an enforced MTA-STS policy holds where DANE is proven absent, and only there") {
    Circumstances with;
    with.sts.emplace();
    with.sts->mode = StsPolicy::Mode::enforce;
    with.sts->patterns = {"*.example.org", "other.example"};
    auto action = [&with](Axis address, TlsaAxis tlsa) {
        return judge_host(facts_of(Chain::none, address,
                                   is_insecure(address) ? Axis::insecure_nodata : Axis::secure_nodata, tlsa, {}),
                          with)
            .policy.action;
    };
    TlsaAxis good{Axis::secure_records, true}, unusable{Axis::secure_records, false};
    CHECK(action(Axis::secure_records, good) == HostAction::dane);
    CHECK(action(Axis::secure_records, unusable) == HostAction::sts);
    CHECK(action(Axis::secure_records, {Axis::secure_nodata}) == HostAction::sts);
    CHECK(action(Axis::insecure_records, {Axis::bogus}) == HostAction::sts);
    CHECK(action(Axis::secure_records, {Axis::bogus}) == HostAction::skip);
    CHECK(action(Axis::secure_records, {Axis::indeterminate}) == HostAction::skip);
    CHECK(action(Axis::secure_nodata, {Axis::secure_nodata}) == HostAction::unreachable);
    with.sts->patterns = {"other.example"};
    CHECK(action(Axis::secure_records, good) == HostAction::dane);
    CHECK(action(Axis::secure_records, {Axis::secure_nodata}) == HostAction::skip);
    with.sts->mode = StsPolicy::Mode::testing;
    CHECK(action(Axis::secure_records, {Axis::secure_nodata}) == HostAction::may);
    with.sts->mode = StsPolicy::Mode::none;
    CHECK(action(Axis::secure_records, {Axis::secure_nodata}) == HostAction::may);
}

}  // namespace
}  // namespace mxtrust::mail
