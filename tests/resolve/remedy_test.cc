// The table of remedies against the source it speaks of, and its sentences.
#include "resolve/remedy.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "dns/types.h"

using namespace mxtrust;
using resolve::Party;

namespace {

/// The source of two rooms without the table itself.
std::string source_of_rooms() {
    std::string text;
    for (const char* const room : {"dnssec", "resolve"}) {
        for (const auto& file :
             std::filesystem::directory_iterator(std::string(MXTRUST_SOURCE_DIR) + "/resolver/" + room)) {
            if (file.path().stem() == "remedy") continue;
            std::ostringstream content;
            content << std::ifstream(file.path()).rdbuf();
            text += content.str();
        }
    }
    return text;
}

dnssec::Reason reason_at(std::string_view code) {
    dnssec::Reason reason;
    reason.code = Code(code);
    reason.text = "something is wrong";
    reason.zone = dns::Name::from_text("example.org").value();
    reason.key_tag = std::uint16_t{12345};
    return reason;
}

}  // namespace

TEST_CASE("every place that the table of remedies knows is in the source, and leads to a remedy") {
    const std::string source = source_of_rooms();
    const std::vector<std::string_view> faults = resolve::known_faults();
    std::set<std::string_view> used{"digest-unsupported", "algorithm-unsupported"};
    for (const resolve::KnownPlace& place : resolve::known_places()) {
        INFO(place.code);
        CHECK(source.find('"' + std::string(place.code) + "\"_code") != std::string::npos);
        CHECK(std::ranges::count(faults, place.fault) == 1);
        used.insert(place.fault);
        const auto remedy = resolve::remedy_of(reason_at(place.code));
        REQUIRE(remedy);
        CHECK(remedy->fault == place.fault);
        CHECK(remedy->text.find('{') == std::string::npos);
        CHECK(remedy->text.size() > 20);
        CHECK(remedy->text.back() != '.');
    }
    for (const std::string_view fault : faults) {
        INFO(fault);
        CHECK(used.contains(fault));
    }
}

TEST_CASE("every reason that the validator gives has a remedy") {
    // What dnssec/ says through make_reason, note or limit_reached; failures of parsers never reach a reader.
    const std::string source = source_of_rooms();
    const std::regex reasons(
        R"((?:make_reason|limit_reached|about|note|note_time|missing|contradiction|wrong_answer|unsupported_delegation)\(\s*(?:Nearness::\w+,\s*)?"(V[A-Z]{3})\"_code|reason_?\.code = "([VR][A-Z]{3})\"_code)");
    // Of these two nobody is told: the name exists, or is signed.
    const std::set<std::string> silent{"RSGN", "RRAW"};
    std::size_t count = 0;
    for (std::sregex_iterator at(source.begin(), source.end(), reasons), end; at != end; ++at) {
        const std::string code = (*at)[1].matched ? (*at)[1].str() : (*at)[2].str();
        if (silent.contains(code) || !code.starts_with('V')) continue;
        INFO(code);
        ++count;
        CHECK(resolve::remedy_of(reason_at(code)));
    }
    CHECK(count > 50);
}

TEST_CASE("every reason that a look-up ends with has a remedy") {
    // What resolve/ puts into a reason itself, or hands to failed_parts; what it calls a Failure is told within one of
    // these.
    const std::string source = source_of_rooms();
    const std::regex reasons(R"(reason_?\.code = "(R[A-Z]{3})\"_code|failed_parts\([^"]*"(R[A-Z]{3})\"_code)");
    // Nobody reads advice with these: that a delegation is signed is no fault; with CD=1 no reason is explained.
    const std::set<std::string> silent{"RSGN", "RRAW"};
    std::set<std::string> found;
    for (std::sregex_iterator at(source.begin(), source.end(), reasons), end; at != end; ++at) {
        const std::string code = (*at)[1].matched ? (*at)[1].str() : (*at)[2].str();
        INFO(code);
        found.insert(code);
        CHECK(resolve::remedy_of(reason_at(code)).has_value() != silent.contains(code));
    }
    CHECK(found.size() >= 18);
    for (const char* const code : {"RNOC", "RBUD", "RSTP", "RFNO", "RFBL", "RALI", "RYXD", "RSIG", "RLUP"}) {
        INFO(code);
        CHECK(found.contains(code));
    }
}

TEST_CASE("a remedy names zone, parent and key tag, and who can act") {
    const auto remedy = resolve::remedy_of(reason_at("VKDG"));
    REQUIRE(remedy);
    CHECK(remedy->text ==
          "have the DS of example.org computed anew from the DNSKEY with key tag 12345, and replace it at the "
          "registrar");
    CHECK(remedy->party == Party::parent);
    CHECK(resolve::to_text(remedy->party) == "parent");
    CHECK(resolve::to_text(Party::zone) == "zone");
    CHECK(resolve::to_text(Party::us) == "us");
    CHECK(resolve::remedy_of(reason_at("VZUD"))->text ==
          "nothing is broken; to protect mail by DANE, sign example.org and publish its DS at org");
    dnssec::Reason root = reason_at("VSGE");
    root.zone = dns::Name();
    CHECK(resolve::remedy_of(root)->text.starts_with("sign the root again"));
    root.zone.reset();
    CHECK(resolve::remedy_of(root)->text.starts_with("sign the zone again"));
}

TEST_CASE("algorithms and digests that are not supported are told apart") {
    dnssec::Reason reason = reason_at("VKUN");
    reason.ede = dns::Ede::unsupported_ds_digest;
    CHECK(resolve::remedy_of(reason)->fault == "digest-unsupported");
    reason.ede = dns::Ede::unsupported_dnskey_algorithm;
    CHECK(resolve::remedy_of(reason)->fault == "algorithm-unsupported");
}

TEST_CASE("where nothing is wrong, or the place is not known, there is no remedy") {
    CHECK_FALSE(resolve::remedy_of(dnssec::Reason{}));
    CHECK_FALSE(resolve::remedy_of(reason_at("XXXX")));
    dnssec::Reason silent = reason_at("VSGE");
    silent.text.clear();
    CHECK_FALSE(resolve::remedy_of(silent));
}
