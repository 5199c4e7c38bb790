// The tables of mail-trust once more, as text, and every combination of facts held against them.
//
// The tables below are read by a small matcher, not compiled into conditions: who wants to know what the decision
// should be reads them like the page that they were copied from by hand. Statuses are written as in expected.table:
// S secure, I insecure, B bogus, X indeterminate; + records, 0 nodata, x nxdomain, ! failure.
#include <catch2/catch.hpp>
#include <sstream>

#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

// ---- The tables

/// One family's status, the other's (either way round), how the name leads there; the first line that fits holds.
/// A status is that of the weakest link. Chain: `own` the host is no alias or its alias is secure, `any`.
struct AddressRule {
    const char *one, *other, *chain, *then;
};
const AddressRule address_rules[] = {
    // One family secure suffices. The expanded name first, then the initial one.
    {"S+", "any", "any", "ask expanded initial"},
    // One name cannot be unsigned and falsely signed: in doubt nothing is sent.
    {"I+", "B", "any", "skip 4.7.324"},
    {"I+", "any", "secure-initial-alias", "ask initial"},
    {"I+", "any", "any", "may"},
    {"S0 Sx I0 Ix", "S0 Sx I0 Ix", "any", "unreachable 5.4.4"},
    {"B", "any", "any", "skip 4.7.324"},
    {"X! I!", "any", "any", "skip 4.4.312"},
};

/// What a TLSA answer comes to at one name; `next`: ask at the next name, and where there is none, `may`.
struct TlsaRule {
    const char *status, *then;
};
const TlsaRule tlsa_rules[] = {
    {"S+usable S+mixed", "dane"},
    {"S+unusable", "encrypt"},
    {"S0 Sx I+usable I+unusable I+mixed I0 Ix", "next"},
    {"B X! I!", "skip 4.7.324"},
};

/// The MX answer alone.
struct MxRule {
    const char *status, *then;
};
const MxRule mx_rules[] = {
    {"S+ I+", "hosts"},     {"S0 I0", "implicit"},      {"Sx Ix", "bounce 5.1.2"},
    {"B", "defer 4.7.324"}, {"X! I!", "defer 4.4.312"},
};

/// All that a domain's hosts come to: which policies there are among them, `-` for none; the first line that fits
/// holds.
struct DecisionRule {
    const char *some, *none_of, *then;
};
const DecisionRule decision_rules[] = {
    {"dane", "encrypt may", "deliver dane"},
    {"dane", "-", "deliver dane-partial"},
    {"may", "-", "deliver may"},
    {"encrypt", "-", "deliver encrypt"},
    {"skip", "-", "defer"},  // with the code of the most preferred one
    {"unreachable", "-", "bounce 5.4.4"},
};

/// RFC 8460 4.3, by code.
const std::map<std::string, std::string> tlsrpt_of{{"4.7.324", "dnssec-invalid"}, {"4.4.312", "validation-failure"}};

// ---- Their reader

bool is_among(const std::string& word, const char* words) {
    std::istringstream all(words);
    for (std::string one; all >> one;) {
        if (one == word || one == "any") return true;
    }
    return false;
}

enum class Chain : std::uint8_t { none, secure, secure_then_insecure, insecure, insecure_then_secure };
constexpr std::initializer_list<Chain> chains{Chain::none, Chain::secure, Chain::secure_then_insecure, Chain::insecure,
                                              Chain::insecure_then_secure};
bool is_secure(Chain chain) {
    return chain == Chain::none || chain == Chain::secure;
}

enum class Records : std::uint8_t { usable, unusable, mixed };
struct TlsaKind {
    Axis axis;
    Records records = Records::usable;
};
const TlsaKind tlsa_kinds[] = {{Axis::secure_records, Records::usable},
                               {Axis::secure_records, Records::unusable},
                               {Axis::secure_records, Records::mixed},
                               {Axis::secure_nodata},
                               {Axis::secure_nxdomain},
                               {Axis::insecure_records, Records::usable},
                               {Axis::insecure_nodata},
                               {Axis::insecure_nxdomain},
                               {Axis::insecure_failure},
                               {Axis::bogus},
                               {Axis::indeterminate}};

std::string symbol(Axis axis, bool chain_secure = true) {
    switch (axis) {
        case Axis::secure_records:
            return chain_secure ? "S+" : "I+";
        case Axis::secure_nodata:
            return chain_secure ? "S0" : "I0";
        case Axis::secure_nxdomain:
            return chain_secure ? "Sx" : "Ix";
        case Axis::insecure_records:
            return "I+";
        case Axis::insecure_nodata:
            return "I0";
        case Axis::insecure_nxdomain:
            return "Ix";
        case Axis::insecure_failure:
            return "I!";
        case Axis::bogus:
            return "B";
        case Axis::indeterminate:
            return "X!";
    }
    return {};
}

std::string symbol(TlsaKind kind) {
    std::string text = symbol(kind.axis);
    if (!is_records(kind.axis)) return text;
    return text + (kind.records == Records::usable ? "usable" : kind.records == Records::mixed ? "mixed" : "unusable");
}

/// What is true of a domain with one host.
struct Facts {
    Axis mx = Axis::secure_records;
    Chain chain = Chain::none;
    Axis a = Axis::secure_records, aaaa = Axis::secure_records;
    TlsaKind at_expanded{Axis::secure_records}, at_initial{Axis::secure_records};
};

std::string by_tlsa(const Facts& facts, const std::string& where, bool insecure_mx_may) {
    if (insecure_mx_may && symbol(facts.mx) == "I+") return "may";
    std::istringstream names(where);
    std::string word;
    names >> word;  // "ask"
    while (names >> word) {
        if (word == "expanded" && facts.chain == Chain::none) continue;  // it is the initial name
        const std::string found = symbol(word == "expanded" ? facts.at_expanded : facts.at_initial);
        for (const TlsaRule& rule : tlsa_rules) {
            if (!is_among(found, rule.status)) continue;
            const std::string then = rule.then;
            if (then == "next") break;
            return then == "dane" ? then + " " + word : then;
        }
    }
    return "may";
}

/// "dane expanded", "dane initial", "encrypt", "may", "skip 4.7.324", "unreachable 5.4.4"
std::string host_by_tables(const Facts& facts, bool insecure_mx_may) {
    const std::string a = symbol(facts.a, is_secure(facts.chain)), aaaa = symbol(facts.aaaa, is_secure(facts.chain));
    const bool initial = facts.chain == Chain::secure || facts.chain == Chain::secure_then_insecure;
    for (const AddressRule& rule : address_rules) {
        bool chain = std::string(rule.chain) == "any" || initial;
        bool families = (is_among(a, rule.one) && is_among(aaaa, rule.other)) ||
                        (is_among(aaaa, rule.one) && is_among(a, rule.other));
        if (!chain || !families) continue;
        const std::string then = rule.then;
        return then.starts_with("ask") ? by_tlsa(facts, then, insecure_mx_may) : then;
    }
    return "no rule";
}

std::string decision_by_tables(const std::vector<std::string>& hosts, bool authentic) {
    auto has = [&hosts](const char* actions) {
        for (const std::string& host : hosts) {
            if (is_among(host.substr(0, host.find(' ')), actions)) return true;
        }
        return false;
    };
    for (const DecisionRule& rule : decision_rules) {
        if (!has(rule.some) || has(rule.none_of)) continue;
        std::string then = rule.then;
        if (then == "deliver dane" && authentic) return then + " +";
        if (then != "defer") return then;
        for (const std::string& host : hosts) {
            if (host.starts_with("skip ")) return then + host.substr(4);
        }
    }
    return "no rule";
}

/// Decision and the host's policy: "deliver dane + | dane initial".
std::string by_tables(const Facts& facts, bool insecure_mx_may) {
    for (const MxRule& rule : mx_rules) {
        if (!is_among(symbol(facts.mx), rule.status)) continue;
        const std::string then = rule.then;
        if (then != "hosts" && then != "implicit") return then;
        const std::string host = host_by_tables(facts, insecure_mx_may);
        return decision_by_tables({host}, symbol(facts.mx)[0] == 'S') + " | " + host;
    }
    return "no rule";
}

// ---- The facts as the decision gets them, each answer made once

const dns::Name domain = name("example.org"), mx_host = name("mx.example.org"), middle = name("between.example.com"),
                target = name("host.example.net");

std::string records_text(Records records) {
    const std::string pkix = "1 1 1 " + std::string(64, 'c');
    return records == Records::unusable ? pkix : sha256;
}

Answer make_address(const dns::Name& host, Type type, Chain chain, Axis axis) {
    const std::string text = type == Type::a ? "192.0.2.25" : "2001:db8::25";
    std::vector<FindingRef> links;
    const bool first = chain == Chain::secure || chain == Chain::secure_then_insecure;
    const bool second = chain == Chain::secure || chain == Chain::insecure_then_secure;
    if (chain != Chain::none) {
        links.push_back(
            alias(host, type, first ? Axis::secure_records : Axis::insecure_records, "between.example.com."));
        links.push_back(
            alias(middle, type, second ? Axis::secure_records : Axis::insecure_records, "host.example.net."));
    }
    links.push_back(finding(chain == Chain::none ? host : target, type, axis, {text}));
    return Answer(std::move(links));
}

Answer make_tlsa(const dns::Name& base, TlsaKind kind) {
    std::vector<std::string> texts{records_text(kind.records)};
    if (kind.records == Records::mixed) texts.push_back("2 0 5 " + std::string(64, 'd'));
    return Answer({finding(tlsa_name(base, 25).value(), Type::tlsa, kind.axis, texts)});
}

/// Made once for each question; making them again for each combination would be most of the time.
template <class Make>
const Answer& kept(const std::string& key, const Make& make) {
    static std::map<std::string, Answer> answers;
    auto found = answers.find(key);
    if (found == answers.end()) found = answers.emplace(key, make()).first;
    return found->second;
}

std::string key_of(std::string_view what, const dns::Name& host, int first, int second) {
    return std::string(what) + host.to_text() + "/" + std::to_string(first) + "/" + std::to_string(second);
}

const Answer& address(const dns::Name& host, Type type, Chain chain, Axis axis) {
    return kept(key_of(type == Type::a ? "A" : "AAAA", host, static_cast<int>(chain), static_cast<int>(axis)),
                [&] { return make_address(host, type, chain, axis); });
}
const Answer& tlsa(const dns::Name& base, TlsaKind kind) {
    return kept(key_of("TLSA", base, static_cast<int>(kind.axis), static_cast<int>(kind.records)),
                [&] { return make_tlsa(base, kind); });
}
const Answer& mx(Axis axis) {
    return kept(key_of("MX", domain, static_cast<int>(axis), 0),
                [&] { return Answer({finding(domain, Type::mx, axis, {"10 mx.example.org."})}); });
}

DomainFacts domain_facts(const Facts& facts, const Options& options) {
    DomainFacts made;
    made.next_hop.name = domain;
    made.now = now;
    made.mx = mx(facts.mx);
    made.set = read_mx(domain, *made.mx, options);
    if (made.set.verdict) return made;
    HostFacts host{made.set.hosts.front(), {}, {}, {}};
    const dns::Name initial = host.host.name;
    host.a = address(initial, Type::a, facts.chain, facts.a);
    host.aaaa = address(initial, Type::aaaa, facts.chain, facts.aaaa);
    if (facts.chain != Chain::none) host.tlsa.push_back({target, tlsa(target, facts.at_expanded)});
    host.tlsa.push_back({initial, tlsa(initial, facts.at_initial)});
    made.hosts.push_back(std::move(host));
    return made;
}

std::string shown(const HostAnswer& host) {
    std::string text(to_text(host.policy.action));
    if (host.policy.fault) text += " " + std::string(code_number(*host.policy.fault));
    if (host.policy.action != HostAction::dane) return text;
    return text + (host.policy.sni == "host.example.net" ? " expanded"
                   : host.policy.sni == host.name        ? " initial"
                                                         : " " + host.policy.sni);
}

std::string shown(const MailAnswer& answer) {
    std::string text = summary(answer.decision);
    for (const HostAnswer& host : answer.hosts) text += " | " + shown(host);
    return text;
}

std::string described(const Facts& facts) {
    return "mx " + symbol(facts.mx) + ", chain " + std::to_string(static_cast<int>(facts.chain)) + ", a " +
           symbol(facts.a) + ", aaaa " + symbol(facts.aaaa) + ", tlsa expanded " + symbol(facts.at_expanded) +
           ", initial " + symbol(facts.at_initial);
}

template <class Each>
void for_all_hosts(Axis mx_axis, const Each& each) {
    for (Chain chain : chains) {
        for (Axis a : all_axes) {
            for (Axis aaaa : all_axes) {
                for (TlsaKind at_expanded : tlsa_kinds) {
                    for (TlsaKind at_initial : tlsa_kinds) {
                        each(Facts{mx_axis, chain, a, aaaa, at_expanded, at_initial});
                        if (chain == Chain::none) break;  // there is one name only: told by at_expanded
                    }
                }
            }
        }
    }
}

/// Without an alias the one name's TLSA is varied, as `at_expanded` above.
Facts with_one_name(Facts facts) {
    if (facts.chain == Chain::none) facts.at_initial = facts.at_expanded;
    return facts;
}

/// What every answer must have, whatever it says.
std::string incomplete(const MailAnswer& answer) {
    const Decision& decision = answer.decision;
    if (decision.text.empty()) return "no text";
    if (decision.retry_after.has_value() != (decision.action == Action::defer)) return "retry_after";
    if (decision.level.has_value() != (decision.action == Action::deliver)) return "level";
    if (decision.fault.has_value() == (decision.action == Action::deliver)) return "code";
    std::string code = decision.fault ? std::string(code_number(*decision.fault)) : std::string();
    auto type = tlsrpt_of.find(code);
    std::string found = decision.tlsrpt ? std::string(to_text(*decision.tlsrpt)) : std::string();
    if (found != (type == tlsrpt_of.end() ? "" : type->second)) return "tlsrpt " + found;
    for (const HostAnswer& host : answer.hosts) {
        if (host.policy.text.empty()) return "a host without text";
        bool used = host.policy.action != HostAction::skip && host.policy.action != HostAction::unreachable;
        if (host.policy.fault.has_value() == used) return "a host's code";
        if (host.policy.tlsrpt.has_value() != (host.policy.action == HostAction::skip)) return "a host's tlsrpt";
        if (host.policy.sni.empty() == used) return "a host's SNI";
        if (host.policy.names.empty() == (host.policy.action == HostAction::dane)) return "a host's names";
    }
    return {};
}

// ---- The tests

TEST_CASE("every combination of MX, A, AAAA, alias and TLSA gets the decision of the tables") {
    Options strict_about_mx;
    strict_about_mx.insecure_mx = InsecureMx::may;
    std::size_t tried = 0;
    for (const Options& options : {Options{}, strict_about_mx}) {
        const bool may = options.insecure_mx == InsecureMx::may;
        for (Axis mx_axis : all_axes) {
            // Where MX alone decides, one host's facts are as good as another's.
            const bool has_hosts = is_records(mx_axis) || symbol(mx_axis)[1] == '0';
            bool done = false;
            for_all_hosts(mx_axis, [&](Facts facts) {
                if (done) return;
                done = !has_hosts;
                facts = with_one_name(facts);
                const MailAnswer answer = decide(domain_facts(facts, options), options);
                const std::string found = shown(answer), expected = by_tables(facts, may);
                ++tried;
                if (found == expected && incomplete(answer).empty()) return;
                FAIL(described(facts) << ": " << found << ", expected " << expected << "; " << incomplete(answer));
            });
        }
    }
    CHECK(tried == 2 * (4 * 81 * (11 + 4 * 121) + 5));
}

/// How much a sender demands: more is stricter. What is not sent at all is the strictest.
int strictness(const MailAnswer& answer) {
    if (answer.decision.action != Action::deliver) return 4;
    switch (*answer.decision.level) {
        case Level::may:
        case Level::dane_partial:
            return 0;
        case Level::encrypt:
        case Level::sts:
            return 1;
        case Level::dane:
            return answer.decision.authenticated ? 3 : 2;
    }
    return -1;
}

/// A name that is proven to be unsigned cannot at the same time have authentic data or false signatures.
bool is_possible(const Facts& facts) {
    if (facts.chain == Chain::insecure || facts.chain == Chain::secure_then_insecure) return true;
    auto is_signed = [](Axis axis) { return testing::is_secure(axis) || axis == Axis::bogus; };
    bool one_signed = is_signed(facts.a) || is_signed(facts.aaaa);
    bool one_unsigned = is_insecure(facts.a) || is_insecure(facts.aaaa);
    return !(one_signed && one_unsigned);
}

TEST_CASE("whoever breaks or holds back a secure RRset gets no weaker decision than there was") {
    std::size_t tried = 0;
    auto compare = [&tried](const MailAnswer& was, const Facts& before, const Facts& after, const char* what) {
        const MailAnswer is = decide(domain_facts(after, {}), {});
        ++tried;
        if (strictness(is) >= strictness(was)) return;
        FAIL(what << " of " << described(before) << ": was " << shown(was) << ", is " << shown(is));
    };
    for (Axis mx_axis : {Axis::secure_records, Axis::insecure_records}) {
        for_all_hosts(mx_axis, [&](Facts facts) {
            facts = with_one_name(facts);
            if (!is_possible(facts)) return;
            const MailAnswer was = decide(domain_facts(facts, {}), {});
            for (Axis broken : {Axis::bogus, Axis::indeterminate}) {
                auto breaking = [&](auto change, const char* what) {
                    Facts after = facts;
                    change(after);
                    compare(was, facts, after, what);
                };
                if (testing::is_secure(facts.a)) breaking([&](Facts& f) { f.a = broken; }, "A");
                if (testing::is_secure(facts.aaaa)) breaking([&](Facts& f) { f.aaaa = broken; }, "AAAA");
                if (testing::is_secure(facts.a) && testing::is_secure(facts.aaaa))
                    breaking([&](Facts& f) { f.a = f.aaaa = broken; }, "A and AAAA");
                if (testing::is_secure(facts.at_initial.axis))
                    breaking([&](Facts& f) { f.at_initial = {broken}; }, "TLSA at the initial name");
                if (testing::is_secure(facts.at_expanded.axis) && facts.chain != Chain::none)
                    breaking([&](Facts& f) { f.at_expanded = {broken}; }, "TLSA at the expanded name");
            }
        });
    }
    for (Axis mx_axis : {Axis::secure_records, Axis::secure_nodata, Axis::secure_nxdomain}) {
        for (Axis broken : {Axis::bogus, Axis::indeterminate}) {
            Facts before, after;
            before.mx = mx_axis;
            after.mx = broken;
            compare(decide(domain_facts(before, {}), {}), before, after, "MX");
        }
    }
    CHECK(tried > 100'000);
}

TEST_CASE("a decision gets weaker only by a proof: by what is insecure, or by an authentic or insecure denial") {
    std::size_t weaker = 0;
    for_all_hosts(Axis::secure_records, [&](Facts facts) {
        facts = with_one_name(facts);
        if (symbol(facts.a) != "S+" || symbol(facts.aaaa) != "S+") return;
        const MailAnswer was = decide(domain_facts(facts, {}), {});
        for (TlsaKind kind : tlsa_kinds) {
            Facts after = facts;
            (facts.chain == Chain::none ? after.at_initial : after.at_expanded) = kind;
            const MailAnswer is = decide(domain_facts(after, {}), {});
            if (strictness(is) >= strictness(was)) continue;
            ++weaker;
            // Insecure TLSA records count as a denial; so does a set that is authentic and of no use.
            const std::string by = symbol(kind);
            bool proof = is_among(by, "S0 Sx I0 Ix I+usable S+unusable S+usable S+mixed");
            if (!proof) FAIL(described(facts) << " is weaker by " << by);
        }
    });
    CHECK(weaker > 0);
}

TEST_CASE("as long as one authentic TLSA record is left, nothing is sent in the clear") {
    const std::vector<std::string> all{sha256,
                                       sha512,
                                       "3 0 1 " + std::string(64, 'e'),
                                       "2 1 1 " + std::string(64, 'f'),
                                       "1 1 1 " + std::string(64, 'c'),
                                       "3 1 1 " + std::string(62, '1'),
                                       "2 0 5 " + std::string(64, 'd')};
    const std::size_t usable = 4;  // the first ones
    for (std::size_t left = 1; left < (1U << all.size()); ++left) {
        std::vector<std::string> texts;
        for (std::size_t index = 0; index < all.size(); ++index) {
            if ((left >> index) & 1U) texts.push_back(all[index]);
        }
        World world;
        world.put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
        world.put_host("mx.example.org", texts);
        const MailAnswer answer = ask(world, "example.org");
        const bool one_usable = (left & ((1U << usable) - 1)) != 0;
        CAPTURE(left);
        CHECK(actions(answer) == (one_usable ? "dane" : "encrypt"));
        CHECK(answer.hosts[0].tlsa->records.size() == texts.size());
    }
}

TEST_CASE("every sequence of up to four hosts gets the decision of the tables, in the order of preference") {
    const std::string kinds[] = {"dane", "encrypt", "may", "skip 4.7.324", "skip 4.4.312", "unreachable 5.4.4"};
    auto put = [](World& world, const std::string& host, const std::string& kind) {
        if (kind == "dane") world.put_host(host, {sha256});
        if (kind == "encrypt") world.put_host(host, {"1 1 1 " + std::string(64, 'c')});
        if (kind == "may") world.put_host(host, {});
        if (kind == "skip 4.7.324") world.put(host, Type::a, Axis::bogus);
        if (kind == "skip 4.4.312") world.put(host, Type::a, Axis::indeterminate);
    };
    for (Axis mx_axis : {Axis::secure_records, Axis::insecure_records}) {
        for (std::size_t count = 1; count <= 4; ++count) {
            std::size_t all = 1;
            for (std::size_t index = 0; index < count; ++index) all *= std::size(kinds);
            for (std::size_t choice = 0; choice < all; ++choice) {
                World world;
                std::vector<std::string> records, expected;
                std::size_t rest = choice;
                for (std::size_t index = 0; index < count; ++index) {
                    const std::string host = "mx" + std::to_string(index) + ".example.org";
                    records.push_back(std::to_string(index * 10) + " " + host + ".");
                    expected.push_back(kinds[rest % std::size(kinds)]);
                    put(world, host, expected.back());
                    rest /= std::size(kinds);
                }
                world.put("example.org", Type::mx, mx_axis, records);
                const MailAnswer answer = ask(world, "example.org");
                std::string hosts;
                for (const std::string& host : expected) hosts += " | " + host + (host == "dane" ? " initial" : "");
                const std::string wanted = decision_by_tables(expected, mx_axis == Axis::secure_records) + hosts;
                if (shown(answer) == wanted && incomplete(answer).empty()) continue;
                FAIL(shown(answer) << ", expected " << wanted << "; " << incomplete(answer));
            }
        }
    }
}

TEST_CASE("an answer ends with the first of all that it rests on, shown or not (case 53)") {
    const WallTime soon = now + std::chrono::seconds(30);
    auto world = [] {
        World made;
        made.put("example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."});
        made.put_alias("mx.example.org", "host.example.net.");
        made.put("host.example.net", Type::a, Axis::secure_records, {"192.0.2.25"});
        made.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
        return made;
    };
    CHECK(ask(world(), "example.org").expires == later);
    struct Ending {
        const char* owner;
        Type type;
        Axis axis;
        std::vector<std::string> texts;
    };
    // The denial at the expanded name is not shown where the initial name has TLSA records; it is relied on.
    const Ending endings[] = {
        {"example.org", Type::mx, Axis::secure_records, {"10 mx.example.org."}},
        {"host.example.net", Type::a, Axis::secure_records, {"192.0.2.25"}},
        {"host.example.net", Type::aaaa, Axis::secure_nodata, {}},
        {"_25._tcp.host.example.net", Type::tlsa, Axis::secure_nxdomain, {}},
        {"_25._tcp.mx.example.org", Type::tlsa, Axis::secure_records, {sha256}},
    };
    for (const Ending& ending : endings) {
        World ends = world();
        ends.put(ending.owner, ending.type, ending.axis, ending.texts, soon);
        const MailAnswer answer = ask(ends, "example.org");
        CAPTURE(ending.owner);
        CHECK(shown(answer) == "deliver dane + | dane initial");
        CHECK(answer.expires == soon);
    }
}

}  // namespace
}  // namespace mxtrust::mail
