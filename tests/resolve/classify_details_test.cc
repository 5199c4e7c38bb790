// Odd messages, and what of them is believed: signatures in the wrong place, several aliases, sections that contradict
// one another, more than anybody needs.
#include "resolve/build.h"
#include "resolve/classify.h"
#include "resolve/scrub.h"

using namespace mxtrust;
using dns::Type;
using dnssec::Shape;
using resolve::AnySets;
using resolve::Asked;
using resolve::Classified;
using resolve::Referral;
using resolve::Unusable;
using stage::name;
using stage::record;
using stage::response;

namespace {

const std::string soa = "ns.example. host.example. 1 7200 3600 1209600 300";

Asked asked(const std::string& what, Type type, const std::string& zone) {
    return {name(what), type, name(zone)};
}

const dnssec::Response* answer_of(const Classified& classified) {
    return std::get_if<dnssec::Response>(&classified);
}

std::string told(const Classified& classified) {
    if (const auto* answer = answer_of(classified)) {
        switch (answer->shape) {
            case Shape::records:
                return "records";
            case Shape::cname:
                return "cname";
            case Shape::dname:
                return "dname " + answer->positive->owner.to_text();
            case Shape::nodata:
                return "nodata";
            case Shape::nxdomain:
                return "nxdomain";
        }
    }
    if (std::holds_alternative<AnySets>(classified)) return "any";
    if (const auto* referral = std::get_if<Referral>(&classified)) return "referral " + referral->zone.to_text();
    return std::get<Unusable>(classified).text;
}

const std::string signature = " 13 2 3600 20261201000000 20261101000000 12345 example. AAAA";

}  // namespace

TEST_CASE("signatures are found in whatever section they stand, for their own set only") {
    for (const int section : {0, 1, 2}) {
        dns::Message message = response("mx.example.", Type::a);
        message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
        std::vector<dns::Record>& place = section == 0   ? message.answer
                                          : section == 1 ? message.authority
                                                         : message.additional;
        place.push_back(record("mx.example.", Type::rrsig, "AAAA" + signature));  // of another type
        place.push_back(record("my.example.", Type::rrsig, "A" + signature));     // of another name
        dns::Record unreadable = place.back();
        unreadable.owner = name("mx.example.");
        unreadable.rdata = {0, 2, 3};
        place.push_back(unreadable);
        place.push_back(record("mx.example.", Type::rrsig, "A" + signature));
        const Classified classified = classify(asked("mx.example.", Type::a, "example."), message);
        REQUIRE(answer_of(classified));
        CHECK(answer_of(classified)->positive->signatures.size() == 1);
    }
}

TEST_CASE("of several DNAME records the deepest above the name counts, and none beside it") {
    dns::Message message = response("a.b.c.example.", Type::mx);
    message.answer.push_back(record("c.example.", Type::dname, "x.example."));
    message.answer.push_back(record("b.c.example.", Type::dname, "y.example."));
    message.answer.push_back(record("example.", Type::dname, "z.example."));
    message.answer.push_back(record("d.example.", Type::dname, "w.example."));
    CHECK(told(classify(asked("a.b.c.example.", Type::mx, "example."), message)) == "dname b.c.example");
    message.rcode = dns::Rcode::yxdomain;
    CHECK(told(classify(asked("a.b.c.example.", Type::mx, "example."), message)) == "dname b.c.example");
    message.answer = {record("d.example.", Type::dname, "w.example.")};
    CHECK(told(classify(asked("a.b.c.example.", Type::mx, "example."), message)) ==
          "answered YXDOMAIN without a DNAME");
}

TEST_CASE("type ANY brings all sets of the name, or the DNAME above it") {
    dns::Message message = response("mx.example.", Type::any);
    message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
    message.answer.push_back(record("mx.example.", Type::txt, "\"x\""));
    message.answer.push_back(record("my.example.", Type::a, "192.0.2.2"));
    message.authority.push_back(record("a.example.", Type::nsec, "z.example. A"));
    message.authority.push_back(record("example.", Type::ns, "ns.example."));
    const Classified classified = classify(asked("mx.example.", Type::any, "example."), message);
    REQUIRE(std::holds_alternative<AnySets>(classified));
    CHECK(std::get<AnySets>(classified).sets.size() == 2);
    CHECK(std::get<AnySets>(classified).authority.size() == 1);
    message.answer = {record("example.", Type::dname, "example.net.")};
    message.authority.clear();
    CHECK(told(classify(asked("mx.example.", Type::any, "example."), message)) == "dname example");
    // The CNAME made from it is nobody's set, and not signed (RFC 6672 3.1); one of the zone's own is.
    message.answer.push_back(record("mx.example.", Type::cname, "mx.example.net."));
    CHECK(told(classify(asked("mx.example.", Type::any, "example."), message)) == "dname example");
    message.answer.erase(message.answer.begin());
    CHECK(std::holds_alternative<AnySets>(classify(asked("mx.example.", Type::any, "example."), message)));
    message.answer = {record("my.example.", Type::a, "192.0.2.2")};
    CHECK(told(classify(asked("mx.example.", Type::any, "example."), message)) == "nodata");
}

TEST_CASE("a CNAME beside the type asked for: what was said first counts, but a DS is never aliased (A12)") {
    dns::Message message = response("mx.example.", Type::a);
    const dns::Record cname = record("mx.example.", Type::cname, "b.example."),
                      a = record("mx.example.", Type::a, "192.0.2.1");
    message.answer = {cname, a};
    CHECK(told(classify(asked("mx.example.", Type::a, "example."), message)) == "cname");
    message.answer = {a, cname};
    CHECK(told(classify(asked("mx.example.", Type::a, "example."), message)) == "records");
    message.answer = {cname, record("mx.example.", Type::ds, "1 8 2 " + std::string(64, 'a'))};
    CHECK(told(classify(asked("mx.example.", Type::ds, "example."), message)) == "records");
    message.answer = {record("b.example.", Type::a, "192.0.2.1")};
    CHECK(told(classify(asked("mx.example.", Type::a, "example."), message)) == "nodata");
}

TEST_CASE("without AA: an answer is a last resort, a referral beside it counts, and NXDOMAIN needs its proof") {
    dns::Message message = response("mx.example.", Type::a);
    message.authoritative = false;
    message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
    Asked question = asked("mx.example.", Type::a, "example.");
    CHECK(told(classify(question, message)) == "answered without authority");
    question.authority = Asked::Authority::optional;
    CHECK(told(classify(question, message)) == "records");
    message.authority.push_back(record("mx.example.", Type::ns, "ns.mx.example."));
    CHECK(told(classify(question, message)) == "referral mx.example");
    // NS of the zone itself, or of a name beside, delegates nothing.
    for (const char* const owner : {"example.", "other.example."}) {
        message.authority = {record(owner, Type::ns, "ns.example.")};
        CHECK(told(classify(question, message)) == "records");
    }
    question.authority = Asked::Authority::required;
    message.answer.clear();
    message.rcode = dns::Rcode::nxdomain;
    for (const dns::Record& proof :
         {record("example.", Type::soa, soa), record("a.example.", Type::nsec, "z.example. A"),
          record("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", Type::nsec3,
                 "1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A")}) {
        message.authority = {proof};
        CHECK(told(classify(question, message)) == "nxdomain");
    }
    message.authority = {record("example.", Type::ns, "ns.example.")};
    CHECK(told(classify(question, message)) == "answered NXDOMAIN without authority");
    question.authority = Asked::Authority::optional;
    CHECK(told(classify(question, message)) == "nxdomain");
}

TEST_CASE("a parent that answers NS without AA refers to the child, whose they are to say (RFC 2181 6.1)") {
    const auto said = [](Type type, bool authoritative, Asked::Authority authority) {
        dns::Message message = response("b.example.", type);
        message.authoritative = authoritative;
        message.answer = {record("b.example.", Type::ns, "ns.b.example.")};
        message.additional = {record("ns.b.example.", Type::a, "192.0.2.1")};
        Asked question = asked("b.example.", type, "example.");
        question.authority = authority;
        return told(classify(question, message));
    };
    CHECK(said(Type::ns, false, Asked::Authority::required) == "referral b.example");
    CHECK(said(Type::any, false, Asked::Authority::required) == "referral b.example");
    CHECK(said(Type::ns, true, Asked::Authority::required) == "records");
    // A forwarder speaks for others.
    CHECK(said(Type::ns, false, Asked::Authority::none) == "records");
    // What was not asked for delegates nothing from there.
    CHECK(said(Type::mx, false, Asked::Authority::required) == "answered with nothing and without authority");
    // Nor does a zone's own.
    dns::Message own = response("example.", Type::ns);
    own.authoritative = false;
    own.answer = {record("example.", Type::ns, "ns.example.")};
    CHECK(told(classify(asked("example.", Type::ns, "example."), own)) == "answered without authority");
}

TEST_CASE("an empty answer: NODATA with SOA or AA, a referral below, lame when it points upwards or sideways") {
    const auto said = [](bool authoritative, const std::vector<dns::Record>& authority) {
        dns::Message message = response("a.b.example.", Type::a);
        message.authoritative = authoritative;
        message.authority = authority;
        return told(classify(asked("a.b.example.", Type::a, "example."), message));
    };
    const dns::Record apex = record("example.", Type::ns, "ns.example."), above = record(".", Type::ns, "a.root."),
                      below = record("b.example.", Type::ns, "ns.b.example."),
                      deeper = record("a.b.example.", Type::ns, "ns.a.b.example."),
                      beside = record("c.example.", Type::ns, "ns.c.example.");
    CHECK(said(true, {}) == "nodata");
    CHECK(said(true, {apex}) == "nodata");
    CHECK(said(false, {below}) == "referral b.example");
    // Of two the upper one: what lies below it is not this server's to delegate.
    CHECK(said(false, {deeper, below}) == "referral b.example");
    CHECK(said(false, {below, deeper}) == "referral b.example");
    const std::string lame = "referred to a zone that is not below example";
    CHECK(said(false, {apex}) == lame);
    CHECK(said(true, {above}) == lame);
    CHECK(said(false, {beside}) == lame);
    CHECK(said(true, {beside}) == lame);
}

TEST_CASE("a referral keeps what speaks of DS there, and is none without a single server") {
    dns::Message message = response("a.b.example.", Type::a);
    message.authoritative = false;
    message.authority = {
        record("b.example.", Type::ns, "ns.b.example."),
        record("b.example.", Type::ds, "1 8 2 " + std::string(64, 'a')),
        record("c.example.", Type::ds, "1 8 2 " + std::string(64, 'b')),
        record("b.example.", Type::nsec, "z.example. NS"),
        record("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", Type::nsec3, "1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3ton A")};
    const Classified classified = classify(asked("a.b.example.", Type::a, "example."), message);
    REQUIRE(std::holds_alternative<Referral>(classified));
    const auto& referral = std::get<Referral>(classified);
    REQUIRE(referral.evidence.size() == 3);
    CHECK(referral.evidence[0].owner == name("b.example."));
    CHECK(referral.evidence[1].type == Type::nsec);
    CHECK(referral.evidence[2].type == Type::nsec3);
    message.authority = {record("b.example.", Type::ns, "ns.b.example.")};
    message.authority[0].rdata = {9};
    CHECK(told(classify(asked("a.b.example.", Type::a, "example."), message)) ==
          "referred to a zone that is not below example");
}

TEST_CASE("errors carry what the server adds to them (RFC 8914), and unknown ones are told by number") {
    dns::Message message = response("a.example.", Type::a);
    message.rcode = dns::Rcode::badcookie;
    CHECK(std::get<Unusable>(classify(asked("a.example.", Type::a, "example."), message)).extended_errors.empty());
    message.edns.emplace();
    const Classified classified = classify(asked("a.example.", Type::a, "example."), message);
    CHECK(std::get<Unusable>(classified).why == Unusable::Why::other);
    CHECK(told(classified) == "answered BADCOOKIE");
    message.rcode = dns::Rcode::notauth;
    CHECK(std::get<Unusable>(classify(asked("a.example.", Type::a, "example."), message)).why ==
          Unusable::Why::refused);
    message.rcode = static_cast<dns::Rcode>(11);
    CHECK(std::get<Unusable>(classify(asked("a.example.", Type::a, "example."), message)).why == Unusable::Why::other);
}

TEST_CASE("sets of more records than anybody needs, and signatures without a set, are dropped (A19)") {
    std::vector<dns::Record> section{record("a.example.", Type::rrsig, "A" + signature)};
    CHECK(resolve::within_zone(section, name("example.")).empty());
    for (std::size_t number = 0; number < resolve::most_records_per_set; ++number) {
        section.push_back(record("b.example.", Type::txt, "\"" + std::to_string(number) + "\""));
    }
    section.push_back(record("c.example.", Type::a, "192.0.2.1"));
    CHECK(resolve::within_zone(section, name("example.")).size() == 2);
    section.push_back(record("b.example.", Type::txt, "\"one more\""));
    const std::vector<dns::RRset> left = resolve::within_zone(section, name("example."));
    REQUIRE(left.size() == 1);
    CHECK(left[0].owner == name("c.example."));
}

TEST_CASE("a set that is dropped as too large is a failure, and never an absence (A19)") {
    dns::Message message = response("a.example.", Type::mx);
    message.authoritative = true;
    for (std::size_t number = 0; number < resolve::most_records_per_set; ++number) {
        message.answer.push_back(record("a.example.", Type::mx, "10 mx" + std::to_string(number) + ".example."));
    }
    const auto mx = asked("a.example.", Type::mx, "example.");
    CHECK(std::get<dnssec::Response>(classify(mx, message)).shape == dnssec::Shape::records);
    message.answer.push_back(record("a.example.", Type::mx, "10 one.more.example."));
    CHECK(std::get<Unusable>(classify(mx, message)).why == Unusable::Why::other);
    CHECK(told(classify(mx, message)) == "answered with a set of more than 256 records");
    message.rcode = dns::Rcode::nxdomain;
    CHECK(std::get<Unusable>(classify(mx, message)).why == Unusable::Why::other);
    // What leads on to it is an answer; what it leads to is asked for itself.
    const auto alias = asked("b.example.", Type::mx, "example.");
    message.rcode = dns::Rcode::noerror;
    message.answer.insert(message.answer.begin(), record("b.example.", Type::cname, "a.example."));
    CHECK(std::get<dnssec::Response>(classify(alias, message)).shape == dnssec::Shape::cname);
    // Nor is a delegation to too many servers a denial of what lies below it.
    dns::Message referral = response("a.b.example.", Type::mx);
    referral.authoritative = true;
    for (std::size_t number = 0; number <= resolve::most_records_per_set; ++number) {
        referral.authority.push_back(record("b.example.", Type::ns, "ns" + std::to_string(number) + ".b.example."));
    }
    CHECK(std::get<Unusable>(classify(asked("a.b.example.", Type::mx, "example."), referral)).why ==
          Unusable::Why::other);
}

TEST_CASE("of a delegation so many servers, and of each so many addresses, as are enough (A15, A16)") {
    dns::RRset ns;
    ns.owner = name("b.example.");
    ns.type = Type::ns;
    std::vector<dns::Record> additional;
    for (int number = 0; number < 30; ++number) {
        const std::string host = "ns" + std::to_string(number) + ".b.example.";
        ns.records.push_back(record("b.example.", Type::ns, host).rdata);
    }
    ns.records.insert(ns.records.begin(), Bytes{7});  // no name
    for (int number = 1; number < 20; ++number) {
        additional.push_back(record("ns0.b.example.", Type::a, "192.0.2." + std::to_string(number)));
    }
    dns::Record twice = additional[0], chaos = record("ns1.b.example.", Type::a, "192.0.2.99"),
                broken = record("ns1.b.example.", Type::a, "192.0.2.98");
    chaos.class_ = static_cast<dns::Class>(3);
    broken.rdata.pop_back();
    additional.insert(additional.begin(), twice);
    for (const dns::Record& one : {chaos, broken, record("ns1.b.example.", Type::txt, "\"x\""),
                                   record("ns1.b.example.", Type::aaaa, "2001:db8::1")}) {
        additional.push_back(one);
    }
    const auto servers = resolve::servers_with_glue(ns, additional, name("example."));
    CHECK(servers.size() == resolve::most_servers_per_zone);
    CHECK(servers[0].name == name("ns0.b.example."));
    CHECK(servers[0].addresses.size() == resolve::most_addresses_per_server);
    REQUIRE(servers[1].addresses.size() == 1);
    CHECK(servers[1].addresses[0].to_text() == "2001:db8::1");
}
