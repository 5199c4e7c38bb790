// Which TLSA records count.
#include "mail/tlsa.h"

#include <catch2/catch.hpp>

#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

// An Ed25519 certificate and its key, made for this test.
const std::string certificate =
    "308201403081f3a00302010202142b42c291c7b9ec505afada4b7214075b87a371cd300506032b657030153113301106035504030c0a6d782e"
    "6578616d"
    "706c653020170d3236313132323036323535395a180f32313236313032393036323535395a30153113301106035504030c0a6d782e6578616d"
    "706c6530"
    "2a300506032b657003210050ed33d78b7348aa77738ce5ce3c08985d43cbf1ea5eab6df81da3d09468d1aba3533051301d0603551d0e041604"
    "14dbd26f"
    "256ecc0b7faf989f6127642ff251de452c301f0603551d23041830168014dbd26f256ecc0b7faf989f6127642ff251de452c300f0603551d13"
    "0101ff04"
    "0530030101ff300506032b65700341002b1ee4416617255b6c5f28f951f092b59d1305b1fd0a30c338a00b37d5811d4be0009ae8b229195bd7"
    "c8d18100"
    "5fdc01c146d628bfa34c8878ec1002be5b300c";
const std::string public_key =
    "302a300506032b657003210050ed33d78b7348aa77738ce5ce3c08985d43cbf1ea5eab6df81da3d09468d1ab";

std::string octets(std::size_t count) {
    std::string text;
    for (std::size_t index = 0; index < count; ++index) text += "ab";
    return text;
}

std::vector<TlsaRecord> judged(const std::vector<std::string>& texts) {
    FindingRef found = finding(name("_25._tcp.mx.example.org"), Type::tlsa, Axis::secure_records, texts);
    return judge_tlsa(dnssec::SecureRRset::from(*found).value());
}

struct One {
    std::string record;
    bool usable;
    const char* why;
};

TEST_CASE("a TLSA record is usable or says why not (RFC 7672 3.1)") {
    const One cases[] = {
        {"3 1 1 " + octets(32), true, ""},
        {"3 0 1 " + octets(32), true, ""},
        {"2 1 1 " + octets(32), true, ""},
        {"2 0 2 " + octets(64), true, ""},
        {"3 1 2 " + octets(64), true, ""},
        {"3 0 0 " + certificate, true, ""},
        {"2 0 0 " + certificate, true, ""},
        {"3 1 0 " + public_key, true, ""},
        {"2 1 0 " + public_key, true, ""},
        {"0 1 1 " + octets(32), false, "usage 0"},
        {"1 1 1 " + octets(32), false, "usage 1"},
        {"4 1 1 " + octets(32), false, "usage 4"},
        {"255 1 1 " + octets(32), false, "usage 255"},
        {"3 2 1 " + octets(32), false, "selector 2"},
        {"3 255 1 " + octets(32), false, "selector 255"},
        {"3 1 3 " + octets(32), false, "matching type 3"},
        {"3 1 255 " + octets(32), false, "matching type 255"},
        {"3 1 1 " + octets(31), false, "this one has 31"},
        {"3 1 1 " + octets(33), false, "this one has 33"},
        {"3 1 1 " + octets(64), false, "this one has 64"},
        {"3 1 2 " + octets(32), false, "this one has 32"},
        {"3 1 2 " + octets(63), false, "this one has 63"},
        {"3 0 0 " + octets(32), false, "no X.509 certificate"},
        {"3 1 0 " + octets(32), false, "no public key"},
        {"3 0 0 " + public_key, false, "no X.509 certificate"},
        {"3 1 0 " + certificate, false, "no public key"},
        {"3 0 0 " + certificate + "00", false, "no X.509 certificate"},
        {"3 1 0 " + public_key.substr(2), false, "no public key"},
        {"\\# 3 030101", false, "missing"},
        {"\\# 3 030000", false, "missing"},
    };
    for (const One& one : cases) {
        INFO(one.record);
        std::vector<TlsaRecord> records = judged({one.record});
        REQUIRE(records.size() == 1);
        CHECK(records[0].usable == one.usable);
        CHECK(records[0].counts == one.usable);
        CHECK(any_usable(records) == one.usable);
        if (one.usable) CHECK(records[0].why.empty());
        if (!one.usable) CHECK_THAT(records[0].why, Catch::Contains(one.why));
    }
}

struct Agility {
    const char* name;
    std::vector<std::string> records;  ///< in the order they are listed
    std::string counting;              ///< one letter each: c counts, s superseded, u unusable
};

TEST_CASE("only the strongest digest of a usage and selector counts (RFC 7671 9)") {
    const std::string d32 = octets(32), d64 = octets(64);
    const Agility cases[] = {
        {"one digest", {"3 1 1 " + d32}, "c"},
        {"two keys, one digest", {"3 1 1 " + d32, "3 1 1 " + std::string(64, 'c')}, "cc"},
        {"both digests", {"3 1 1 " + d32, "3 1 2 " + d64}, "sc"},
        {"another selector is another matter", {"3 0 1 " + d32, "3 1 2 " + d64}, "cc"},
        {"another usage is another matter", {"2 1 1 " + d32, "3 1 2 " + d64}, "cc"},
        {"matching type 0 always counts", {"3 1 0 " + public_key, "3 1 2 " + d64}, "cc"},
        {"matching type 0 supersedes nothing", {"3 1 0 " + public_key, "3 1 1 " + d32}, "cc"},
        {"all three", {"3 1 0 " + public_key, "3 1 1 " + d32, "3 1 2 " + d64}, "csc"},
        {"a damaged strong digest supersedes nothing", {"3 1 1 " + d32, "3 1 2 " + d32}, "cu"},
        {"an unknown matching type supersedes nothing", {"3 1 1 " + d32, "3 1 200 " + d64}, "cu"},
        {"PKIX usages supersede nothing", {"1 1 2 " + d64, "3 1 1 " + d32}, "uc"},
        {"per usage", {"2 1 1 " + d32, "2 1 2 " + d64, "3 1 1 " + d32}, "scc"},
    };
    for (const Agility& one : cases) {
        INFO(one.name);
        std::vector<TlsaRecord> records = judged(one.records);
        std::string letters;
        for (const TlsaRecord& record : records) letters += record.counts ? 'c' : record.usable ? 's' : 'u';
        CHECK(letters == one.counting);
        std::vector<std::string> reversed(one.records.rbegin(), one.records.rend());
        std::vector<TlsaRecord> again = judged(reversed);
        REQUIRE(again.size() == records.size());
        for (std::size_t index = 0; index < records.size(); ++index) {
            CHECK(again[index].data == records[index].data);
            CHECK(again[index].counts == records[index].counts);
            CHECK(again[index].why.empty() == again[index].counts);
        }
    }
}

TEST_CASE(
    "every combination of usage, selector and matching type gives an answer, and only the twelve of SMTP can be "
    "usable") {
    std::size_t usable = 0;
    for (int usage = 0; usage < 256; usage += usage < 6 ? 1 : 50) {
        for (int selector = 0; selector < 256; selector += selector < 5 ? 1 : 50) {
            for (int matching = 0; matching < 256; matching += matching < 5 ? 1 : 50) {
                std::string data = matching == 1   ? octets(32)
                                   : matching == 2 ? octets(64)
                                   : selector == 1 ? public_key
                                                   : certificate;
                std::string prefix =
                    std::to_string(usage) + " " + std::to_string(selector) + " " + std::to_string(matching) + " ";
                usable += any_usable(judged({prefix + data})) ? 1U : 0U;
            }
        }
    }
    CHECK(usable == 12);
}

TEST_CASE("records that are not proven are listed and worth nothing") {
    dns::RRsetRef set = rrset(name("_25._tcp.mx.example.org"), Type::tlsa, {sha256, sha512});
    std::vector<TlsaRecord> records = list_unproven_tlsa(*set);
    REQUIRE(records.size() == 2);
    for (const TlsaRecord& record : records) {
        CHECK_FALSE(record.usable);
        CHECK_FALSE(record.counts);
        CHECK_THAT(record.why, Catch::Contains("not authentic"));
    }
    // And there is no way to have them judged.
    FindingRef insecure = finding(name("_25._tcp.mx.example.org"), Type::tlsa, Axis::insecure_records, {sha256});
    CHECK_FALSE(dnssec::SecureRRset::from(*insecure).has_value());
}

}  // namespace
}  // namespace mxtrust::mail
