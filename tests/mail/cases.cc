// mail-trust's cases by number, as far as the DNS decides them (2 to 10 are decided in the TLS handshake), and the
// domain's decision.
#include <catch2/catch.hpp>

#include <functional>

#include "mail/codes.h"
#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

struct Case {
    std::string number;
    std::function<void(World&)> world;
    std::string hosts;  ///< actions, in order
    std::string decision;
    Options options = {};
    std::string next_hop = "example.org";
};

void aliased(World& world, Axis link, Axis address) {
    one_mx(world);
    world.put_alias("mx.example.org", "host.example.net.", link);
    world.put("host.example.net", Type::a, address, {"192.0.2.25"});
    world.put("host.example.net", Type::aaaa, is_secure(address) ? Axis::secure_nodata : Axis::insecure_nodata);
}

const std::vector<Case>& cases() {
    static const Options may = {true, InsecureMx::may, false, false}, off = {false, InsecureMx::dane, false, false},
                         literals = {true, InsecureMx::dane, false, true},
                         strict = {true, InsecureMx::dane, true, false};
    static const std::vector<Case> all{
        {"1", [](World& w) { with_tlsa(w, {sha256}); }, "dane", "deliver dane +"},
        {"1, DANE off", [](World& w) { with_tlsa(w, {sha256}); }, "may", "deliver may", off},
        {"11", [](World& w) { with_tlsa(w, {"0 0 1 " + std::string(64, 'a'), "1 1 1 " + std::string(64, 'a')}); },
         "encrypt", "deliver encrypt"},
        {"12 selector", [](World& w) { with_tlsa(w, {"3 2 1 " + std::string(64, 'a')}); }, "encrypt",
         "deliver encrypt"},
        {"12 matching 3", [](World& w) { with_tlsa(w, {"3 1 3 " + std::string(64, 'a')}); }, "encrypt",
         "deliver encrypt"},
        {"12 matching 255", [](World& w) { with_tlsa(w, {"3 1 255 " + std::string(64, 'a')}); }, "encrypt",
         "deliver encrypt"},
        {"13", [](World& w) { with_tlsa(w, {"3 1 1 " + std::string(62, 'a')}); }, "encrypt", "deliver encrypt"},
        {"14", [](World& w) { with_tlsa(w, {"3 0 0 3003020100"}); }, "encrypt", "deliver encrypt"},
        {"15", [](World& w) { with_tlsa(w, {"\\# 3 030101"}); }, "encrypt", "deliver encrypt"},
        {"16", [](World& w) { with_tlsa(w, {"1 1 1 " + std::string(64, 'a'), sha256}); }, "dane", "deliver dane +"},
        {"17", [](World& w) { with_tlsa(w, {sha256, sha512}); }, "dane", "deliver dane +"},
        {"18",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {sha256});
         },
         "dane", "deliver dane"},
        {"18, insecure_mx = may",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {sha256});
         },
         "may", "deliver may", may},
        {"19",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
         },
         "may", "deliver may"},
        {"19, TLSA would fail",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
             w.put_tlsa("mx.example.org", Axis::insecure_failure);
         },
         "may", "deliver may"},
        {"21",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx2.example.org", Axis::bogus);
         },
         "dane skip dane", "deliver dane +"},
        {"21, the best one",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx1.example.org", Axis::bogus);
         },
         "skip dane dane", "deliver dane +"},
        {"22",
         [](World& w) {
             three_mx(w);
             w.put("mx2.example.org", Type::a, Axis::bogus);
         },
         "dane skip dane", "deliver dane +"},
        {"23",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx1.example.org", Axis::secure_nodata);
         },
         "may dane dane", "deliver dane-partial"},
        {"24",
         [](World& w) {
             aliased(w, Axis::secure_records, Axis::secure_records);
             w.put_tlsa("host.example.net", Axis::secure_records, {sha256});
         },
         "dane", "deliver dane +"},
        {"25",
         [](World& w) {
             aliased(w, Axis::secure_records, Axis::secure_records);
             w.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
         },
         "dane", "deliver dane +"},
        {"26",
         [](World& w) {
             aliased(w, Axis::secure_records, Axis::secure_records);
             w.put_tlsa("host.example.net", Axis::indeterminate);
             w.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
         },
         "skip", "defer 4.7.324"},
        {"27",
         [](World& w) {
             aliased(w, Axis::secure_records, Axis::insecure_records);
             w.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
             w.put_tlsa("host.example.net", Axis::bogus);
         },
         "dane", "deliver dane +"},
        {"28",
         [](World& w) {
             aliased(w, Axis::insecure_records, Axis::secure_records);
             w.put_tlsa("host.example.net", Axis::secure_records, {sha256});
             w.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
         },
         "may", "deliver may"},
        {"29",
         [](World& w) {
             one_mx(w);
             w.put_alias("mx.example.org", "mx2.example.org.");
             w.put_alias("mx2.example.org", "mx.example.org.");
         },
         "skip", "defer 4.4.312"},
        {"30",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_alias("_25._tcp.mx.example.org", "tlsa.example.net.");
             w.put("tlsa.example.net", Type::tlsa, Axis::secure_records, {sha256});
         },
         "dane", "deliver dane +"},
        {"31",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_alias("_25._tcp.mx.example.org", "tlsa.example.net.");
             w.put("tlsa.example.net", Type::tlsa, Axis::insecure_records, {sha256});
         },
         "may", "deliver may"},
        {"31, unsigned alias",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_alias("_25._tcp.mx.example.org", "tlsa.example.net.", Axis::insecure_records);
             w.put("tlsa.example.net", Type::tlsa, Axis::secure_records, {sha256});
         },
         "may", "deliver may"},
        {"32 without proof, 35",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_tlsa("mx.example.org", Axis::bogus);
         },
         "skip", "defer 4.7.324"},
        {"33",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_tlsa("mx.example.org", Axis::secure_nxdomain);
         },
         "may", "deliver may"},
        {"36",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_tlsa("mx.example.org", Axis::insecure_nxdomain);
         },
         "may", "deliver may"},
        {"37",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
             w.put_tlsa("mx.example.org", Axis::indeterminate);
         },
         "skip", "defer 4.7.324"},
        {"38, 39", [](World& w) { one_mx(w, Axis::bogus); }, "", "defer 4.7.324"},
        {"MX indeterminate", [](World& w) { one_mx(w, Axis::indeterminate); }, "", "defer 4.4.312"},
        {"MX failure, unsigned", [](World& w) { one_mx(w, Axis::insecure_failure); }, "", "defer 4.4.312"},
        {"40, 41",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
         },
         "may", "deliver may"},
        {"42",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"0 ."});
             w.put_host("example.org", {sha256});
         },
         "", "bounce 5.1.10"},
        {"43",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"0 .", "10 mx.example.org."});
             w.put_host("mx.example.org", {sha256});
         },
         "unreachable dane", "deliver dane +"},
        {"43 strict",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"0 .", "10 mx.example.org."});
             w.put_host("mx.example.org", {sha256});
         },
         "unreachable unreachable", "bounce 5.1.10", strict},
        {"44", [](World& w) { w.put_host("example.org", {sha256}); }, "dane", "deliver dane +"},
        {"45",
         [](World& w) {
             w.put("example.org", Type::aaaa, Axis::secure_records, {"2001:db8::25"});
             w.put_tlsa("example.org", Axis::secure_records, {sha256});
         },
         "dane", "deliver dane +"},
        {"46",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {sha256});
             w.put("mx.example.org", Type::aaaa, Axis::indeterminate);
         },
         "dane", "deliver dane +"},
        {"46, unsigned",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
             w.put("mx.example.org", Type::aaaa, Axis::insecure_failure);
         },
         "may", "deliver may"},
        {"46, only the other fails",
         [](World& w) {
             one_mx(w);
             w.put("mx.example.org", Type::aaaa, Axis::indeterminate);
         },
         "skip", "defer 4.4.312"},
        {"47",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"10 a.example.", "20 b.example."});
             for (const char* host : {"a.example", "b.example"}) {
                 w.put(host, Type::a, Axis::secure_nxdomain);
                 w.put(host, Type::aaaa, Axis::insecure_nxdomain);
             }
         },
         "unreachable unreachable", "bounce 5.4.4"},
        {"47, one fails",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"10 a.example.", "20 b.example."});
             w.put("b.example", Type::a, Axis::bogus);
         },
         "unreachable skip", "defer 4.7.324"},
        {"48", [](World& w) { w.put("example.org", Type::mx, Axis::secure_nxdomain); }, "", "bounce 5.1.2"},
        {"48, bogus", [](World& w) { w.put("example.org", Type::mx, Axis::bogus); }, "", "defer 4.7.324"},
        {"the most preferred skip gives the code",
         [](World& w) {
             three_mx(w);
             for (const char* h : {"mx1.example.org", "mx2.example.org", "mx3.example.org"}) {
                 w.put(h, Type::a, Axis::indeterminate);
             }
             w.put("mx2.example.org", Type::a, Axis::bogus);
         },
         "skip skip skip", "defer 4.4.312"},
        {"no MX and no address", [](World& w) { w.put("example.org", Type::a, Axis::secure_nodata); }, "unreachable",
         "bounce 5.4.4"},
        {"an MX literal beside a host",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"10 192.0.2.1.", "20 mx.example.org."});
             w.put_host("mx.example.org", {sha256});
         },
         "unreachable dane", "deliver dane +"},
        {"an MX literal, allowed",
         [](World& w) { w.put("example.org", Type::mx, Axis::secure_records, {"10 192.0.2.1."}); }, "may",
         "deliver may", literals},
        {"encrypt and dane",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx2.example.org", Axis::secure_records, {"0 0 1 " + std::string(64, 'a')});
         },
         "dane encrypt dane", "deliver dane-partial"},
        {"encrypt and may",
         [](World& w) {
             three_mx(w);
             w.put_tlsa("mx1.example.org", Axis::secure_nodata);
             w.put_tlsa("mx2.example.org", Axis::secure_records, {"0 0 1 " + std::string(64, 'a')});
             w.put("mx3.example.org", Type::a, Axis::secure_nodata);
         },
         "may encrypt unreachable", "deliver may"},
        {"bracketed host",
         [](World& w) {
             w.put_host("relay.example", {});
             w.put_tlsa("relay.example", Axis::secure_records, {sha256}, 587);
         },
         "dane",
         "deliver dane +",
         {},
         "[relay.example]:587"},
        {"bracketed host, TLSA of another port",
         [](World& w) { w.put_host("relay.example", {sha256}); },
         "may",
         "deliver may",
         {},
         "[relay.example]:587"},
        {"bracketed host without address", [](World&) {}, "unreachable", "bounce 5.4.4", {}, "[relay.example]"},
        {"bracketed host, insecure_mx = may does not matter", [](World& w) { w.put_host("relay.example", {sha256}); },
         "dane", "deliver dane +", may, "[relay.example]"},
        {"bracketed address", [](World&) {}, "may", "deliver may", {}, "[192.0.2.1]"},
        {"bracketed IPv6 address", [](World&) {}, "may", "deliver may", {}, "[IPv6:2001:db8::1]:2525"},
    };
    return all;
}

TEST_CASE("the cases of mail-trust, by number") {
    for (const Case& one : cases()) {
        INFO(one.number);
        World world;
        one.world(world);
        MailAnswer answer = ask(world, one.next_hop, one.options);
        CHECK(actions(answer) == one.hosts);
        CHECK(summary(answer.decision) == one.decision);
        CHECK_FALSE(answer.decision.text.empty());
        CHECK(answer.decision.retry_after.has_value() == (answer.decision.action == Action::defer));
        CHECK(answer.expires > answer.time);
        for (const HostAnswer& host : answer.hosts) {
            CHECK_FALSE(host.policy.text.empty());
            bool unusable = host.policy.action == HostAction::skip || host.policy.action == HostAction::unreachable;
            CHECK(host.policy.fault.has_value() == unusable);
            CHECK(host.policy.names.empty() == (host.policy.action != HostAction::dane));
        }
    }
}

TEST_CASE("24, 25, 27: SNI is the name that had TLSA") {
    World world;
    aliased(world, Axis::secure_records, Axis::secure_records);
    world.put_tlsa("mx.example.org", Axis::secure_records, {sha256});
    CHECK(ask(world, "example.org").hosts[0].policy.sni == "mx.example.org");
    world.put_tlsa("host.example.net", Axis::secure_records, {sha256});
    MailAnswer answer = ask(world, "example.org");
    CHECK(answer.hosts[0].policy.sni == "host.example.net");
    CHECK(answer.hosts[0].policy.names ==
          std::vector<std::string>{"host.example.net", "example.org", "mx.example.org"});
    REQUIRE(answer.hosts[0].alias.has_value());
    CHECK(answer.hosts[0].alias->expanded == name("host.example.net"));
    CHECK(answer.hosts[0].alias->chain == std::vector<dns::Name>{name("mx.example.org"), name("host.example.net")});
    CHECK(answer.hosts[0].flags == std::vector<Flag>{Flag::cname});
}

TEST_CASE("30: an aliased TLSA record leaves the base as it is") {
    World world;
    one_mx(world);
    world.put_host("mx.example.org", {});
    world.put_alias("_25._tcp.mx.example.org", "tlsa.example.net.");
    world.put("tlsa.example.net", Type::tlsa, Axis::secure_records, {sha256});
    MailAnswer answer = ask(world, "example.org");
    CHECK(answer.hosts[0].policy.sni == "mx.example.org");
    CHECK(answer.hosts[0].tlsa->base == name("mx.example.org"));
}

TEST_CASE("49: 25 hosts are all listed") {
    World world;
    std::vector<std::string> records;
    for (int index = 0; index < 25; ++index) {
        std::string host = "mx" + std::to_string(index) + ".example.org";
        records.push_back("10 " + host + ".");
        world.put_host(host, {sha256});
    }
    world.put("example.org", Type::mx, Axis::secure_records, records);
    MailAnswer answer = ask(world, "example.org");
    CHECK(answer.hosts.size() == 25);
    CHECK(answer.decision.text == "all 25 hosts are authenticated by DANE");
}

TEST_CASE("51: U-label and A-label have one answer") {
    World world;
    world.put_host("xn--bcher-kva.example", {sha256});
    MailAnswer unicode = ask(world, "Bücher.example.");
    MailAnswer ascii = ask(world, "xn--bcher-kva.example");
    CHECK(unicode.domain == "xn--bcher-kva.example");
    CHECK(unicode.domain == ascii.domain);
    CHECK(summary(unicode.decision) == "deliver dane +");
    CHECK(summary(ascii.decision) == "deliver dane +");
}

TEST_CASE("53: an answer ends with the first of what it rests on") {
    World world;
    one_mx(world);
    world.put_host("mx.example.org", {sha256});
    CHECK(ask(world, "example.org").expires == later);
    world.put("mx.example.org", Type::aaaa, Axis::secure_nodata, {}, now + std::chrono::seconds(77));
    CHECK(ask(world, "example.org").expires == now + std::chrono::seconds(77));
    dns::Name owner = tlsa_name(name("mx.example.org"), 25).value();
    world.put("_25._tcp.mx.example.org", Type::tlsa, Axis::secure_records, {sha256}, now + std::chrono::seconds(20));
    MailAnswer answer = ask(world, "example.org");
    CHECK(answer.expires == now + std::chrono::seconds(20));
    CHECK(answer.hosts[0].tlsa->status.ttl == dns::Ttl(20));
    world.put("_25._tcp.mx.example.org", Type::tlsa, Axis::secure_records, {sha256}, now);
    CHECK(ask(world, "example.org").expires == now);
    world.put("_25._tcp.mx.example.org", Type::tlsa, Axis::bogus);
    CHECK(ask(world, "example.org").expires == now + std::chrono::seconds(5));
}

TEST_CASE("an aliased domain without MX is its own host at the end of the chain") {
    World world;
    world.put_alias("example.org", "example.net.");
    world.put_host("example.net", {sha256});
    MailAnswer answer = ask(world, "example.org");
    REQUIRE(answer.hosts.size() == 1);
    CHECK(answer.hosts[0].name == "example.org");
    CHECK(answer.hosts[0].implicit);
    CHECK(answer.hosts[0].policy.sni == "example.net");
    CHECK(answer.hosts[0].policy.names == std::vector<std::string>{"example.net", "example.org"});
    CHECK(summary(answer.decision) == "deliver dane +");
    CHECK(answer.mx->alias.size() == 2);
}

TEST_CASE(
    "MX axes times host policies: bogus and unknown never deliver, and the destination is authentic only when MX is") {
    for (Axis mx : all_axes) {
        for (Axis address : all_axes) {
            for (Axis tlsa : all_axes) {
                World world;
                one_mx(world, mx);
                for (const char* host : {"mx.example.org", "example.org"}) {
                    world.put(host, Type::a, address, {"192.0.2.25"});
                    world.put(host, Type::aaaa, is_insecure(address) ? Axis::insecure_nodata : Axis::secure_nodata);
                    world.put_tlsa(host, tlsa, {sha256});
                }
                MailAnswer answer = ask(world, "example.org");
                CAPTURE(int(mx), int(address), int(tlsa), answer.decision.text);
                bool mx_good = is_records(mx) || mx == Axis::secure_nodata || mx == Axis::insecure_nodata;
                if (answer.decision.action == Action::deliver) CHECK((mx_good && is_records(address)));
                if (answer.decision.authenticated)
                    CHECK((is_secure(mx) && address == Axis::secure_records && tlsa == Axis::secure_records));
                if (mx == Axis::bogus || mx == Axis::indeterminate || mx == Axis::insecure_failure)
                    CHECK(answer.decision.action == Action::defer);
                if (answer.decision.action == Action::bounce) {
                    CHECK((mx == Axis::secure_nxdomain || mx == Axis::insecure_nxdomain || is_denial(address)));
                }
                bool tlsa_broken = tlsa == Axis::bogus || tlsa == Axis::indeterminate || tlsa == Axis::insecure_failure;
                if (mx_good && address == Axis::secure_records && tlsa_broken)
                    CHECK(summary(answer.decision) == "defer 4.7.324");
                if (mx_good && address == Axis::insecure_records) CHECK(summary(answer.decision) == "deliver may");
            }
        }
    }
}

TEST_CASE("codes and their names") {
    CHECK(code_text(Fault::dnssec_invalid) == "4.7.324 dnssec-invalid");
    CHECK(expired_code_text(Fault::dnssec_invalid) == "5.7.324 dnssec-invalid");
    CHECK(code_text(Fault::dns_query_failed) == "4.4.312 DNS query failed");
    CHECK(expired_code_text(Fault::dns_query_failed) == "5.4.312 DNS query failed");
    CHECK(code_text(Fault::starttls_not_supported) == "4.7.321 starttls-not-supported");
    CHECK(code_text(Fault::certificate_expired) == "4.7.322 certificate-expired");
    CHECK(code_text(Fault::tlsa_invalid) == "4.7.323 tlsa-invalid");
    CHECK(code_text(Fault::null_mx) == "5.1.10 null MX");
    CHECK(expired_code_text(Fault::null_mx) == "5.1.10 null MX");
    CHECK(code_text(Fault::bad_domain) == "5.1.2 bad domain");
    CHECK(code_text(Fault::no_route) == "5.4.4 no route");
}

TEST_CASE("the retry schedule: 15 minutes, 15 minutes, hourly, daily") {
    using namespace std::chrono_literals;
    CHECK(retry_delay(1, 0s) == 15min);
    CHECK(retry_delay(2, 15min) == 15min);
    CHECK(retry_delay(3, 30min) == 1h);
    CHECK(retry_delay(20, 23h) == 1h);
    CHECK(retry_delay(26, 24h) == 24h);
}

}  // namespace
}  // namespace mxtrust::mail
