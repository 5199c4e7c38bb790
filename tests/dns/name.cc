#include "dns/name.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support.h"

using namespace mxtrust;
using namespace mxtrust::dns;
using namespace mxtrust::dns::testing;

namespace {

/// RFC 4034 6.1 once more, as plainly as it can be said: labels from the right, each as unsigned octets.
std::vector<std::vector<std::uint8_t>> reversed_labels(const Name& of) {
    std::vector<std::vector<std::uint8_t>> labels;
    for (std::size_t index = of.label_count(); index > 0; --index) {
        const BytesView label = as_bytes(of.label(index - 1));
        labels.emplace_back(label.begin(), label.end());
    }
    return labels;
}

}  // namespace

TEST_CASE("names are read from text and written back") {
    struct Row {
        std::string text, wire, back;
    };
    const auto row =
        GENERATE(Row{".", "00", "."}, Row{"org", "036f726700", "org"},
                 Row{"Example.ORG.", "076578616d706c65036f726700", "example.org"},
                 Row{"a\\.b.c", "03612e62016300", "a\\.b.c"}, Row{"\\097\\000\\255", "036100ff00", "a\\000\\255"},
                 Row{"\\065", "016100", "a"}, Row{"a\\\\b", "03615c6200", "a\\\\b"}, Row{"*.x", "012a017800", "*.x"},
                 Row{"_25._tcp.mx", "035f3235045f746370026d7800", "_25._tcp.mx"}, Row{"a b", "0361206200", "a\\032b"},
                 Row{"\\@\\$\\;\\(\\)\\\"", "0640243b28292200", "\\@\\$\\;\\(\\)\\\""});
    const Name read = name(row.text);
    CHECK(to_hex(read.wire()) == row.wire);
    CHECK(read.to_text() == row.back);
    CHECK(name(read.to_text()) == read);
}

TEST_CASE("what is no name is an error") {
    const std::string label63(63, 'a');
    const std::string long_label = label63 + "a.org";
    // 3 × 64 + 62 + 1 = 255 octets fit; one more does not.
    const std::string too_long = label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b');
    const std::vector<std::string> texts{"",     "..",    ".org",   "a..b",   "a.b..",    "a\\",
                                         "a\\1", "a\\12", "a\\256", "a\\25x", long_label, too_long};
    for (const std::string& text : texts) {
        CAPTURE(text);
        CHECK_FALSE(Name::from_text(text).has_value());
    }
    CHECK(name(too_long.substr(0, too_long.size() - 1)).wire().size() == Name::most_octets);
    CHECK(name(label63).label(0).size() == 63);
}

TEST_CASE("only ASCII letters are lower-cased (RFC 4343)") {
    CHECK(to_hex(name("AZ\\192\\208\\064\\091").wire()) == "06617ac0d0405b00");
}

TEST_CASE("compressed names are followed backwards, and the reader stands behind the pointer") {
    // 0: "org", 5: "Example" → 0, 15: → 5, 17: "www" → 15
    const Bytes wire = hex("036f726700 074578616d706c65c000 c005 03777777c00f ff");
    Reader reader(wire, 17);
    std::string spelled;
    CHECK(Name::from_message(reader, &spelled).value() == name("www.example.org"));
    CHECK(spelled == std::string("\3www\7Example\3org\0", 17));
    CHECK(reader.u8().value() == 0xff);
    Reader again(wire, 17);
    CHECK_FALSE(Name::from_wire(again).has_value());
}

TEST_CASE("names that do not end, or go where they must not, are errors (A22)") {
    struct Row {
        std::string why, wire;
        std::size_t at;
    };
    const auto row = GENERATE(Row{"empty", "", 0}, Row{"no root label", "0161", 0}, Row{"label runs out", "056162", 0},
                              Row{"half a pointer", "c0", 0}, Row{"pointer to itself", "c000", 0},
                              Row{"pointer forwards", "c002 00", 0}, Row{"pointer into its own piece", "0161c000", 0},
                              Row{"pointer to its own second label", "0161 0162 c002", 0},
                              Row{"loop of two", "c002c000", 2}, Row{"pointer behind the end", "00c0ff", 1},
                              Row{"label type 01", "4161 00", 0}, Row{"label type 10", "8161 00", 0});
    CAPTURE(row.why);
    const Bytes wire = hex(row.wire);
    Reader reader(wire, row.at);
    CHECK_FALSE(Name::from_message(reader).has_value());
}

TEST_CASE("a chain of pointers is cut short, whatever it would lead to") {
    Writer wire;
    wire.u8(0);
    std::size_t before = 0;
    for (std::size_t link = 0; link < 200; ++link) {
        const std::size_t here = wire.size();
        wire.u16(static_cast<std::uint16_t>(0xc000U | before));
        before = here;
    }
    Reader at_100(wire.view(), 1 + 2 * 99);
    CHECK(Name::from_message(at_100).has_value());
    Reader at_200(wire.view(), 1 + 2 * 199);
    CHECK_FALSE(Name::from_message(at_200).has_value());
}

TEST_CASE("a name of 256 octets put together by pointers is an error, one of 255 is none") {
    for (const std::size_t last : {61U, 62U}) {
        Writer wire;
        const auto label = [&wire](std::size_t octets) {
            wire.u8(static_cast<std::uint8_t>(octets));
            wire.bytes(std::string(octets, 'x'));
        };
        label(last);
        wire.u8(0);
        std::size_t before = 0;
        for (int piece = 0; piece < 3; ++piece) {
            const std::size_t here = wire.size();
            label(63);
            wire.u16(static_cast<std::uint16_t>(0xc000U | before));
            before = here;
        }
        Reader reader(wire.view(), before);
        CHECK(Name::from_message(reader).has_value() == (last == 61));
    }
}

TEST_CASE("the example of RFC 4034 6.1 is in order") {
    const std::vector<std::string> texts{"example",         "a.example",      "yljkjljk.a.example",
                                         "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                         "\\001.z.example", "*.z.example",    "\\200.z.example"};
    for (std::size_t index = 1; index < texts.size(); ++index) {
        CHECK(name(texts[index - 1]) < name(texts[index]));
        CHECK(name(texts[index - 1]).lookup_key() < name(texts[index]).lookup_key());
    }
}

TEST_CASE("lookup keys order as names do, a subtree is one range of keys, and a key gives its name back") {
    SeededRandom random(4034);
    for (int round = 0; round < 40'000; ++round) {
        const Name left = random_name(random);
        Name right = random_name(random);
        if (random.below(2) == 0) right = right.rebase(Name(), left).value_or(right);
        const std::string left_key = left.lookup_key(), right_key = right.lookup_key();
        const auto plain = reversed_labels(left) <=> reversed_labels(right);
        REQUIRE((left <=> right) == plain);
        REQUIRE((left_key <=> right_key) == plain);
        REQUIRE((left == right) == (plain == 0));
        REQUIRE(right.is_within(left) == right_key.starts_with(left_key));
        REQUIRE(Name::from_lookup_key(left_key).value() == left);
        REQUIRE(left_key.size() <= Name::most_key_octets);
    }
}

TEST_CASE("the longest key is as long as it is said to be") {
    const std::string zeroes(63, '\0');
    Name longest;
    for (int label = 0; label < 3; ++label) longest = longest.prepend(zeroes).value();
    longest = longest.prepend(zeroes.substr(0, 61)).value();
    CHECK(longest.wire().size() == Name::most_octets);
    CHECK(longest.lookup_key().size() == Name::most_key_octets);
}

TEST_CASE("keys that no name has are errors") {
    const std::vector<std::string> keys{"a",
                                        std::string("\0", 1),
                                        std::string("a\0\0", 3),
                                        std::string("A\0", 2),
                                        std::string("a\1", 2),
                                        std::string("a\1\3\0", 4),
                                        std::string(64, 'a') + std::string(1, '\0')};
    for (const std::string& key : keys) {
        CAPTURE(to_hex(as_bytes(key)));
        CHECK_FALSE(Name::from_lookup_key(key).has_value());
    }
    CHECK(Name::from_lookup_key("").value().is_root());
}

TEST_CASE("ancestry goes by labels, not by octets") {
    CHECK(name("a.example.org").is_within(name("example.org")));
    CHECK(name("a.example.org").is_within(name("a.example.org")));
    CHECK_FALSE(name("a.example.org").is_below(name("a.example.org")));
    CHECK(name("a.example.org").is_below(Name()));
    CHECK_FALSE(name("example.org").is_within(name("a.example.org")));
    CHECK_FALSE(name("badexample.org").is_within(name("example.org")));
    // A label whose octets look like "\7example\3org".
    CHECK_FALSE(name("\\007example\\003org").is_within(name("example.org")));
    CHECK_FALSE(name("x\\003org").is_within(name("org")));
}

TEST_CASE("parts of names") {
    const Name whole = name("a.b.example.org");
    CHECK(whole.label_count() == 4);
    CHECK(Name().label_count() == 0);
    CHECK(whole.label(0) == "a");
    CHECK(whole.label(3) == "org");
    CHECK(whole.parent() == name("b.example.org"));
    CHECK(name("org").parent().is_root());
    CHECK(whole.ancestor(0).is_root());
    CHECK(whole.ancestor(2) == name("example.org"));
    CHECK(whole.ancestor(4) == whole);
    CHECK(whole.common_ancestor(name("x.example.org")) == name("example.org"));
    CHECK(whole.common_ancestor(name("example.com")).is_root());
    CHECK(whole.common_ancestor(whole) == whole);
    CHECK(whole.common_ancestor(name("example.org")) == name("example.org"));
    CHECK(name("example.org").wildcard().value() == name("*.example.org"));
    CHECK(name("*.example.org").is_wildcard());
    CHECK_FALSE(name("*a.example.org").is_wildcard());
    CHECK_FALSE(name("a.*.example.org").is_wildcard());
}

TEST_CASE("a label is put in front where it fits") {
    CHECK(name("example.org").prepend("WWW").value() == name("www.example.org"));
    CHECK_FALSE(name("org").prepend("").has_value());
    CHECK_FALSE(name("org").prepend(std::string(64, 'a')).has_value());
    Name longest;
    while (const auto longer = longest.prepend("a")) longest = *longer;
    CHECK(longest.label_count() == Name::most_labels);
    CHECK(longest.wire().size() == Name::most_octets);
    CHECK(longest < longest.parent().prepend("b").value());
}

TEST_CASE("DNAME replaces a suffix, and says so where the result is too long (RFC 6672 2.2)") {
    CHECK(name("a.b.example.org").rebase(name("example.org"), name("example.net")).value() == name("a.b.example.net"));
    CHECK(name("a.org").rebase(name("org"), Name()).value() == name("a"));
    CHECK(name("org").rebase(name("org"), name("net")).value() == name("net"));
    const Name far = name(std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                          std::string(59, 'd'));
    CHECK(name("x.org").rebase(name("org"), far).has_value());
    CHECK_FALSE(name("xx.xx.org").rebase(name("org"), far).has_value());
}
