// What an authority's message is taken for.
#include "resolve/classify.h"

#include "resolve/build.h"

using namespace mxtrust;
using dns::Type;
using dnssec::Shape;
using resolve::Classified;
using resolve::Referral;
using resolve::Unusable;
using stage::name;
using stage::record;
using stage::response;

namespace {

resolve::Asked asked(const std::string& what, Type type, const std::string& zone) {
    return {name(what), type, name(zone)};
}

Shape shape_of(const Classified& classified) {
    const auto* answer = std::get_if<dnssec::Response>(&classified);
    REQUIRE(answer != nullptr);
    return answer->shape;
}

Unusable::Why trouble_of(const Classified& classified) {
    const auto* unusable = std::get_if<Unusable>(&classified);
    REQUIRE(unusable != nullptr);
    return unusable->why;
}

const std::string soa = "ns.example. host.example. 1 7200 3600 1209600 300";

}  // namespace

TEST_CASE("the RRset asked for is the answer") {
    dns::Message message = response("mx.example.", Type::a);
    message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
    CHECK(shape_of(classify(asked("mx.example.", Type::a, "example."), message)) == Shape::records);
}

TEST_CASE("an answer without AA is not authoritative and not used") {
    dns::Message message = response("mx.example.", Type::a);
    message.authoritative = false;
    message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
    CHECK(trouble_of(classify(asked("mx.example.", Type::a, "example."), message)) == Unusable::Why::unauthoritative);
}

TEST_CASE("records outside the zone that was asked are not looked at (RFC 2181 5.4.1)") {
    dns::Message message = response("mx.other.", Type::a);
    message.answer.push_back(record("mx.other.", Type::a, "192.0.2.66"));
    CHECK(shape_of(classify(asked("mx.other.", Type::a, "example."), message)) == Shape::nodata);
}

TEST_CASE("a CNAME at the name is an alias, whatever follows it") {
    dns::Message message = response("mx.example.", Type::a);
    message.answer.push_back(record("mx.example.", Type::cname, "host.example."));
    message.answer.push_back(record("host.example.", Type::a, "192.0.2.1"));
    const Classified classified = classify(asked("mx.example.", Type::a, "example."), message);
    CHECK(shape_of(classified) == Shape::cname);
    CHECK(std::get<dnssec::Response>(classified).positive->owner == name("mx.example."));
}

TEST_CASE("the rcode beside an alias belongs to its target (RFC 6604 3)") {
    dns::Message message = response("mx.example.", Type::a);
    message.rcode = dns::Rcode::nxdomain;
    message.answer.push_back(record("mx.example.", Type::cname, "gone.example."));
    const Classified classified = classify(asked("mx.example.", Type::a, "example."), message);
    CHECK(shape_of(classified) == Shape::cname);
    CHECK(std::get<dnssec::Response>(classified).rcode == dns::Rcode::noerror);
}

TEST_CASE("two CNAMEs at one name are refused (RFC 2181 10.1)") {
    dns::Message message = response("mx.example.", Type::a);
    message.answer.push_back(record("mx.example.", Type::cname, "one.example."));
    message.answer.push_back(record("mx.example.", Type::cname, "two.example."));
    CHECK(trouble_of(classify(asked("mx.example.", Type::a, "example."), message)) == Unusable::Why::other);
}

TEST_CASE("a DNAME above the name redirects it, and counts more than the CNAME made from it (RFC 6672 3.1)") {
    dns::Message message = response("a.sub.example.", Type::a);
    message.answer.push_back(record("sub.example.", Type::dname, "elsewhere.example."));
    message.answer.push_back(record("a.sub.example.", Type::cname, "forged.example."));
    const Classified classified = classify(asked("a.sub.example.", Type::a, "example."), message);
    CHECK(shape_of(classified) == Shape::dname);
    CHECK(std::get<dnssec::Response>(classified).positive->type == Type::dname);
}

TEST_CASE("a DNAME at the name itself does not redirect it (RFC 6672 2.3)") {
    dns::Message message = response("sub.example.", Type::a);
    message.answer.push_back(record("sub.example.", Type::dname, "elsewhere.example."));
    CHECK(shape_of(classify(asked("sub.example.", Type::a, "example."), message)) == Shape::nodata);
}

TEST_CASE("an SOA in the authority section makes an empty answer NODATA (RFC 2308 2.2)") {
    dns::Message message = response("mx.example.", Type::tlsa);
    message.authority.push_back(record("example.", Type::soa, soa));
    CHECK(shape_of(classify(asked("mx.example.", Type::tlsa, "example."), message)) == Shape::nodata);
}

TEST_CASE("NXDOMAIN is taken as such, with authority") {
    dns::Message message = response("no.example.", Type::a);
    message.rcode = dns::Rcode::nxdomain;
    message.authority.push_back(record("example.", Type::soa, soa));
    CHECK(shape_of(classify(asked("no.example.", Type::a, "example."), message)) == Shape::nxdomain);
}

TEST_CASE("NXDOMAIN without AA, SOA or proof is hearsay") {
    dns::Message message = response("no.example.", Type::a);
    message.rcode = dns::Rcode::nxdomain;
    message.authoritative = false;
    CHECK(trouble_of(classify(asked("no.example.", Type::a, "example."), message)) == Unusable::Why::unauthoritative);
}

TEST_CASE("an NS set below the zone is a referral, with glue only from inside the zone that was asked (RFC 9471 2)") {
    dns::Message message = response("mx.child.example.", Type::a);
    message.authoritative = false;
    message.authority.push_back(record("child.example.", Type::ns, "ns1.child.example."));
    message.authority.push_back(record("child.example.", Type::ns, "ns.foreign."));
    message.additional.push_back(record("ns1.child.example.", Type::a, "192.0.2.53"));
    message.additional.push_back(record("ns.foreign.", Type::a, "192.0.2.66"));
    message.additional.push_back(record("unasked.example.", Type::a, "192.0.2.67"));
    const Classified classified = classify(asked("mx.child.example.", Type::a, "example."), message);
    const auto* referral = std::get_if<Referral>(&classified);
    REQUIRE(referral != nullptr);
    CHECK(referral->zone == name("child.example."));
    REQUIRE(referral->servers.size() == 2);
    CHECK(referral->servers[0].addresses.size() == 1);
    CHECK(referral->servers[1].addresses.empty());
}

TEST_CASE("a referral to the zone itself or upwards is lame") {
    const std::string owner = GENERATE("example.", ".");
    dns::Message message = response("mx.example.", Type::a);
    message.authoritative = false;
    message.authority.push_back(record(owner, Type::ns, "ns.example."));
    CHECK(trouble_of(classify(asked("mx.example.", Type::a, "example."), message)) == Unusable::Why::lame);
}

TEST_CASE("34: an empty answer without authority and without SOA is lame, not NODATA") {
    dns::Message message = response("mx.example.", Type::a);
    message.authoritative = false;
    CHECK(trouble_of(classify(asked("mx.example.", Type::a, "example."), message)) == Unusable::Why::lame);
}

TEST_CASE(
    "34 twin: with AA, or with the SOA of a zone above the name, it is an answer; with another zone's SOA it is lame") {
    const auto said = [](bool authoritative, const std::string& soa_owner) {
        dns::Message message = response("mx.example.", Type::a);
        message.authoritative = authoritative;
        if (!soa_owner.empty()) message.authority.push_back(record(soa_owner, Type::soa, soa));
        return classify(asked("mx.example.", Type::a, "example."), message);
    };
    CHECK(shape_of(said(true, "")) == Shape::nodata);
    CHECK(shape_of(said(false, "example.")) == Shape::nodata);
    CHECK(trouble_of(said(false, "a.example.")) == Unusable::Why::lame);
    CHECK(trouble_of(said(false, "org.")) == Unusable::Why::lame);
}

TEST_CASE("an error is an error, never an absence") {
    using Row = std::pair<dns::Rcode, Unusable::Why>;
    const auto [rcode, why] = GENERATE(
        Row{dns::Rcode::servfail, Unusable::Why::server_failure}, Row{dns::Rcode::refused, Unusable::Why::refused},
        Row{dns::Rcode::notimp, Unusable::Why::not_implemented}, Row{dns::Rcode::formerr, Unusable::Why::format_error},
        Row{dns::Rcode::badvers, Unusable::Why::other}, Row{dns::Rcode::yxdomain, Unusable::Why::other});
    dns::Message message = response("_25._tcp.mx.example.", Type::tlsa);
    message.rcode = rcode;
    message.authority.push_back(record("example.", Type::soa, soa));
    CHECK(trouble_of(classify(asked("_25._tcp.mx.example.", Type::tlsa, "example."), message)) == why);
}

TEST_CASE("unsolicited NS sets beside an answer are dropped (A28)") {
    dns::Message message = response("mx.example.", Type::a);
    message.answer.push_back(record("mx.example.", Type::a, "192.0.2.1"));
    message.authority.push_back(record("example.", Type::ns, "ns.evil."));
    const Classified classified = classify(asked("mx.example.", Type::a, "example."), message);
    CHECK(shape_of(classified) == Shape::records);
    CHECK(std::get<dnssec::Response>(classified).authority.empty());
}

TEST_CASE("asked for signatures, these are the answer (RFC 4034 3), and those of other names are not") {
    const char* mine = "A 13 2 300 20261201000000 20261101000000 12345 example. AAAA";
    dns::Message message = response("mx.example.", Type::rrsig);
    message.answer.push_back(record("mx.example.", Type::rrsig, mine));
    message.answer.push_back(record("www.example.", Type::rrsig, mine));
    const Classified classified = classify(asked("mx.example.", Type::rrsig, "example."), message);
    REQUIRE(shape_of(classified) == Shape::records);
    CHECK(std::get<dnssec::Response>(classified).positive->type == Type::rrsig);
    CHECK(std::get<dnssec::Response>(classified).positive->records.size() == 1);
    dns::Message none = response("mx.example.", Type::rrsig);
    none.authority.push_back(record("example.", Type::soa, soa));
    CHECK(shape_of(classify(asked("mx.example.", Type::rrsig, "example."), none)) == Shape::nodata);
}
