// From the MX answer to hosts.
#include "mail/mx_set.h"

#include <catch2/catch.hpp>

#include "support.h"

namespace mxtrust::mail {
namespace {

using namespace testing;

MxSet read(Axis axis, const std::vector<std::string>& texts = {}, const Options& options = {}) {
    Answer answer({finding(name("example.org"), Type::mx, axis, texts)});
    return read_mx(name("example.org"), answer, options);
}

/// "10 mx1.example.org; 20 mx2.example.org(drop invalid-name)"
std::string show(const MxSet& set) {
    std::string text;
    for (const MxHost& host : set.hosts) {
        if (!text.empty()) text += "; ";
        text += (host.preference ? std::to_string(*host.preference) : std::string("-")) + " " + host.text;
        if (host.fate == MxHost::Fate::drop) text += " drop";
        if (host.fate == MxHost::Fate::over_limit) text += " over";
        for (Flag flag : host.flags) text += " " + std::string(to_text(flag));
        CHECK(host.why.empty() == (host.fate == MxHost::Fate::use));
    }
    return text;
}

struct Row {
    const char* name;
    Axis axis;
    std::vector<std::string> records;
    std::string hosts;
    std::string verdict;
    Options options = {};
};

TEST_CASE("an MX answer gives hosts, or decides by itself") {
    Options strict;
    strict.strict_null_mx = true;
    Options literals;
    literals.allow_mx_literals = true;
    const Row rows[] = {
        {"one host", Axis::secure_records, {"10 mx1.example.org."}, "10 mx1.example.org", ""},
        {"by preference",
         Axis::secure_records,
         {"20 b.example.", "10 c.example.", "30 a.example."},
         "10 c.example; 20 b.example; 30 a.example",
         ""},
        {"case 50: equal preferences",
         Axis::secure_records,
         {"10 c.example.", "10 a.example.", "10 b.example."},
         "10 a.example; 10 b.example; 10 c.example",
         ""},
        {"the same host twice",
         Axis::secure_records,
         {"20 a.example.", "10 A.Example.", "15 b.example."},
         "10 a.example duplicate; 15 b.example",
         ""},
        {"preference 0 and 65535",
         Axis::insecure_records,
         {"65535 b.example.", "0 a.example."},
         "0 a.example; 65535 b.example",
         ""},
        {"case 42: null MX", Axis::secure_records, {"0 ."}, "", "bounce 5.1.10"},
        {"null MX of any preference", Axis::insecure_records, {"10 ."}, "", "bounce 5.1.10"},
        {"null MX twice", Axis::secure_records, {"0 .", "10 ."}, "", "bounce 5.1.10"},
        {"case 43: null MX beside a host",
         Axis::secure_records,
         {"0 .", "10 a.example."},
         "0 . drop malformed-null-mx; 10 a.example",
         ""},
        {"the same, strict",
         Axis::secure_records,
         {"0 .", "10 a.example."},
         "0 . drop malformed-null-mx; 10 a.example drop",
         "bounce 5.1.10",
         strict},
        {"strictness changes nothing else", Axis::secure_records, {"10 a.example."}, "10 a.example", "", strict},
        {"IPv4 literal",
         Axis::secure_records,
         {"10 192.0.2.1.", "20 a.example."},
         "10 192.0.2.1 drop address-literal; 20 a.example",
         ""},
        {"IPv6 literal",
         Axis::secure_records,
         {"10 2001:db8::1.", "20 a.example."},
         "10 2001:db8::1 drop address-literal; 20 a.example",
         ""},
        {"bracketed literal",
         Axis::secure_records,
         {"10 [192.0.2.1].", "20 a.example."},
         "10 192.0.2.1 drop address-literal; 20 a.example",
         ""},
        {"literals allowed", Axis::secure_records, {"10 192.0.2.1."}, "10 192.0.2.1 address-literal", "", literals},
        {"only a literal",
         Axis::secure_records,
         {"10 192.0.2.1."},
         "10 192.0.2.1 drop address-literal",
         "bounce 5.4.4"},
        {"underscore", Axis::secure_records, {"10 mx_1.example."}, "10 mx_1.example underscore", ""},
        {"invalid name",
         Axis::secure_records,
         {"10 mx\\0321.example.", "20 a.example."},
         "10 mx\\0321.example drop invalid-name; 20 a.example",
         ""},
        {"mail address",
         Axis::secure_records,
         {"10 postmaster\\@a.example."},
         "10 postmaster@a.example drop invalid-name",
         "bounce 5.4.4"},
        {"wildcard", Axis::secure_records, {"10 *.example."}, "10 *.example drop invalid-name", "bounce 5.4.4"},
        {"hyphen first", Axis::secure_records, {"10 -a.example."}, "10 -a.example drop invalid-name", "bounce 5.4.4"},
        {"null MX beside what is dropped",
         Axis::secure_records,
         {"0 .", "10 *.example."},
         "0 . drop malformed-null-mx; 10 *.example drop invalid-name",
         "bounce 5.4.4"},
        {"nodata, secure", Axis::secure_nodata, {}, "0 example.org implicit-mx", ""},
        {"nodata, insecure", Axis::insecure_nodata, {}, "0 example.org implicit-mx", ""},
        {"case 48: nxdomain, secure", Axis::secure_nxdomain, {}, "", "bounce 5.1.2"},
        {"nxdomain, insecure", Axis::insecure_nxdomain, {}, "", "bounce 5.1.2"},
        {"failure in an unsigned zone", Axis::insecure_failure, {}, "", "defer 4.4.312"},
        {"indeterminate", Axis::indeterminate, {}, "", "defer 4.4.312"},
        {"case 38: bogus", Axis::bogus, {}, "", "defer 4.7.324"},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        MxSet set = read(row.axis, row.records, row.options);
        std::string shown = show(set);
        for (std::size_t at; (at = shown.find("\\@")) != std::string::npos;)
            shown.erase(at, 1);  // either way of showing an @
        CHECK(shown == row.hosts);
        CHECK((set.verdict ? summary(*set.verdict) : "") == row.verdict);
        CHECK(set.authentic == is_secure(row.axis));
        if (set.verdict) CHECK_FALSE(set.verdict->text.empty());
        if (set.verdict) CHECK(set.verdict->retry_after.has_value() == (set.verdict->action == Action::defer));
    }
}

TEST_CASE("a bogus denial is not believed to be one") {
    dnssec::Finding::Parts parts;
    parts.name = name("example.org");
    parts.type = Type::mx;
    parts.expires = later;
    for (Outcome outcome : {Outcome::records, Outcome::nodata, Outcome::nxdomain, Outcome::failure}) {
        parts.outcome = outcome;
        MxSet set = read_mx(name("example.org"), Answer({dnssec::Finding::bogus(parts)}), {});
        REQUIRE(set.verdict.has_value());
        CHECK(summary(*set.verdict) == "defer 4.7.324");
        CHECK(set.hosts.empty());
    }
}

TEST_CASE("the listing does not depend on the order in which records were received") {
    std::vector<std::string> records{"10 a.example.", "10 b.example.", "20 c.example.", "5 d.example.",
                                     "20 a.example."};
    std::sort(records.begin(), records.end());
    std::string first = show(read(Axis::secure_records, records));
    while (std::next_permutation(records.begin(), records.end())) {
        std::string shown = show(read(Axis::secure_records, records));
        if (shown != first) FAIL(shown);
    }
    CHECK(first == "5 d.example; 10 a.example duplicate; 10 b.example; 20 c.example");
}

TEST_CASE("more hosts than are looked up are listed and flagged, never cut") {
    std::vector<std::string> records;
    for (int index = 0; index < 130; ++index)
        records.push_back(std::to_string(index) + " mx" + std::to_string(index) + ".example.");
    MxSet set = read(Axis::secure_records, records);
    REQUIRE(set.hosts.size() == 130);
    CHECK_FALSE(set.verdict.has_value());
    for (std::size_t index = 0; index < 130; ++index) {
        const MxHost& host = set.hosts[index];
        CHECK(host.preference == index);
        CHECK((host.fate == MxHost::Fate::over_limit) == (index >= most_hosts));
        CHECK((!host.flags.empty() && host.flags.front() == Flag::over_limit) == (index >= most_hosts));
    }
}

TEST_CASE("of an aliased domain both names are reference identifiers when the chain is secure") {
    Answer secure({alias(name("example.org"), Type::mx, Axis::secure_records, "example.net."),
                   finding(name("example.net"), Type::mx, Axis::secure_records, {"10 mx.example.net."})});
    MxSet set = read_mx(name("example.org"), secure, {});
    CHECK(set.authentic);
    CHECK(set.identifiers == std::vector<dns::Name>{name("example.org"), name("example.net")});
    Answer insecure({alias(name("example.org"), Type::mx, Axis::insecure_records, "example.net."),
                     finding(name("example.net"), Type::mx, Axis::secure_records, {"10 mx.example.net."})});
    CHECK_FALSE(read_mx(name("example.org"), insecure, {}).authentic);
}

}  // namespace
}  // namespace mxtrust::mail
