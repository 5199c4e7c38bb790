// The order of keys is the order of the DNS, and ranges hold what they are named for.
#include "cache/keys.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/random.h"
#include "cache/checksum.h"
#include "findings.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;

namespace {

dns::Name random_name(Random& random, std::size_t most_labels) {
    dns::Name made;
    const std::uint64_t labels = random.below(most_labels + 1);
    for (std::uint64_t count = 0; count < labels; ++count) {
        std::string label;
        const std::uint64_t length = 1 + random.below(3);
        static constexpr std::string_view letters("\x00\x01\x02-az\xff", 7);
        for (std::uint64_t at = 0; at < length; ++at) label.push_back(letters[random.below(letters.size())]);
        made = made.prepend(label).value();
    }
    return made;
}

}  // namespace

TEST_CASE("the checksum is CRC-64/XZ", "[checksum]") {
    Checksum sum;
    sum.add(as_bytes("123456789"));
    CHECK(sum.value() == 0x995DC9BBDF1939FA);
    Checksum parts;
    parts.add(as_bytes("1234"));
    parts.add(as_bytes("56789"));
    CHECK(parts.value() == sum.value());
}

TEST_CASE("the order of cut keys is the canonical order of names (RFC 4034 6.1)", "[keys]") {
    SeededRandom random(1);
    for (int round = 0; round < 5000; ++round) {
        const dns::Name left = random_name(random, 4), right = random_name(random, 4);
        CHECK((left < right) == (cut_key(left) < cut_key(right)));
    }
}

TEST_CASE("answer keys are unique for name and type, and give the type back", "[keys]") {
    SeededRandom random(2);
    for (int round = 0; round < 5000; ++round) {
        const dns::Name left = random_name(random, 3), right = random_name(random, 3);
        const dns::Type types[] = {dns::Type{static_cast<std::uint16_t>(random.below(65536))}, dns::Type::a};
        CHECK(answer_type(answer_key(left, types[0])) == types[0]);
        CHECK((answer_key(left, types[0]) == answer_key(right, types[1])) == (left == right && types[0] == types[1]));
    }
}

TEST_CASE("a name's own answers come before those of all names below it, in one range", "[keys]") {
    SeededRandom random(3);
    for (int round = 0; round < 5000; ++round) {
        const dns::Name zone = random_name(random, 2), other = random_name(random, 4);
        const std::string own = answer_key(zone, dns::Type{0xFFFF}), key = answer_key(other, dns::Type::a);
        CHECK(prefix_range(answer_prefix(own)).has(key) == (other == zone));
        const auto flushed = flush_ranges(zone, true);
        const bool is_flushed =
            std::any_of(flushed.begin(), flushed.end(), [&](const Range& range) { return range.has(key); });
        CHECK(is_flushed == other.is_within(zone));
        if (other.is_below(zone)) CHECK(own < key);
    }
}

TEST_CASE("denial keys of a zone order by owner, and other zones' owners do not come between", "[keys]") {
    SeededRandom random(4);
    for (int round = 0; round < 5000; ++round) {
        const dns::Name zone = random_name(random, 2);
        const dns::Name left = random_name(random, 2).rebase(dns::Name(), zone).value();
        const dns::Name right = random_name(random, 2).rebase(dns::Name(), zone).value();
        const std::string key = denial_key(zone, dns::Type::nsec, left, 7);
        CHECK((left < right) == (key < denial_key(zone, dns::Type::nsec, right, 7)));
        CHECK(key.starts_with(denial_prefix(zone, dns::Type::nsec)));
        CHECK(denial_owner(zone, dns::Type::nsec, key).value() == left);
        if (left != zone)
            CHECK_FALSE(denial_key(left, dns::Type::nsec, left, 7).starts_with(denial_prefix(zone, dns::Type::nsec)));
    }
}

TEST_CASE("the longest names, every octet escaped, still fit into LMDB's keys", "[keys]") {
    dns::Name longest;
    for (const std::size_t length : {61U, 63U, 63U, 63U}) longest = longest.prepend(std::string(length, '\0')).value();
    REQUIRE(longest.wire().size() == dns::Name::most_octets);
    CHECK(answer_key(longest, dns::Type::tlsa).size() <= most_key_octets);
    dns::Name deepest;
    while (deepest.label_count() < dns::Name::most_labels) deepest = deepest.prepend(std::string(1, '\x01')).value();
    CHECK(answer_key(deepest, dns::Type::tlsa).size() <= most_key_octets);
}

TEST_CASE("the same slot of all ancestors, root last", "[keys]") {
    const auto slots = ancestors_slots(answer_key(name("a.example.org"), dns::Type::mx), nxdomain_slot);
    CHECK(slots == std::vector<std::string>{answer_key(name("example.org"), nxdomain_slot),
                                            answer_key(name("org"), nxdomain_slot),
                                            answer_key(dns::Name(), nxdomain_slot)});
    CHECK(ancestors_slots(answer_key(dns::Name(), dns::Type::mx), nxdomain_slot).empty());
    const dns::Name odd =
        dns::Name().prepend(std::string("\0\x01", 2)).value().prepend(std::string("\x01\0", 2)).value();
    CHECK(ancestors_slots(answer_key(odd, dns::Type::mx), nxdomain_slot) ==
          std::vector<std::string>{answer_key(odd.parent(), nxdomain_slot), answer_key(dns::Name(), nxdomain_slot)});
}

TEST_CASE("a flush of one name reaches what denies or renames it from above, and nothing beside", "[keys]") {
    const auto ranges = flush_ranges(name("a.example.org"), false);
    const auto has = [&](const std::string& key) {
        return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) { return range.has(key); });
    };
    CHECK(has(answer_key(name("a.example.org"), dns::Type::mx)));
    CHECK(has(answer_key(name("a.example.org"), nxdomain_slot)));
    CHECK(has(cut_key(name("a.example.org"))));
    CHECK(has(answer_key(name("example.org"), nxdomain_slot)));
    CHECK(has(answer_key(name("org"), dns::Type::dname)));
    CHECK(has(denial_key(name("org"), dns::Type::nsec3, name("xyz.org"), 7)));
    CHECK_FALSE(has(answer_key(name("b.a.example.org"), dns::Type::mx)));
    CHECK_FALSE(has(cut_key(name("b.a.example.org"))));
    CHECK_FALSE(has(answer_key(name("example.org"), dns::Type::mx)));
    CHECK_FALSE(has(cut_key(name("example.org"))));
    CHECK_FALSE(has(denial_key(name("b.example.org"), dns::Type::nsec, name("b.example.org"), 7)));
    CHECK_FALSE(has(note_key("example.org")));
}
