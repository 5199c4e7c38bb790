#include "dns/rdata.h"

#include <catch2/catch.hpp>

#include "dns/rdata_shape.h"
#include "support.h"

using namespace mxtrust;
using namespace mxtrust::dns;
using namespace mxtrust::dns::testing;

namespace {

struct Sample {
    Type type;
    std::string text;
    std::string wire;  ///< hex
};

// Texts are in the form that rdata_to_text() writes.
const std::vector<Sample> samples{
    {Type::a, "192.0.2.1", "c0000201"},
    {Type::ns, "ns.example.", "026e73076578616d706c6500"},
    {Type::cname, ".", "00"},
    {Type::soa, "a. b. 1 2 3 4 4294967295", "016100 016200 00000001 00000002 00000003 00000004 ffffffff"},
    {Type::ptr, "p.", "017000"},
    {Type::hinfo, "\"RFC8482\" \"\"", "0752464338343832 00"},
    {Type::minfo, "a. b.", "016100 016200"},
    {Type::mx, "10 mx.example.", "000a 026d78076578616d706c6500"},
    {Type::mx, "0 .", "0000 00"},
    {Type::txt, "\"v=STSv1; id=1\" \"a\\\"b\\\\c\\000\\255\"", "0d763d53545376313b2069643d31 07 61 22 62 5c 63 00 ff"},
    {Type::txt, "\"\"", "00"},
    {Type::rp, "a. b.", "016100 016200"},
    {Type::afsdb, "1 a.", "0001 016100"},
    {Type::rt, "1 a.", "0001 016100"},
    {Type::px, "10 a. b.", "000a 016100 016200"},
    {Type::kx, "1 a.", "0001 016100"},
    {Type::aaaa, "2001:db8::1", "20010db8000000000000000000000001"},
    {Type::srv, "1 2 25 a.", "0001 0002 0019 016100"},
    {Type::naptr, "1 2 \"U\" \"E2U\" \"!x!\" .", "0001 0002 0155 03453255 03217821 00"},
    {Type::dname, "a.b.", "0161016200"},
    {Type::ds, "20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d",
     "4f66 08 02 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d"},
    {Type::sshfp, "4 2 00ff", "0402 00ff"},
    {Type::rrsig, "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AAEC",
     "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 076578616d706c6503636f6d00 000102"},
    {Type::sig, "A 5 3 86400 20030322173103 20030220173103 2642 . AAEC",
     "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 00 000102"},
    // RFC 4034 4.3.
    {Type::nsec, "host.example.com. A MX RRSIG NSEC TYPE1234",
     "04686f7374076578616d706c6503636f6d00 0006400100000003 "
     "041b000000000000000000000000000000000000000000000000000020"},
    {Type::dnskey, "257 3 13 AAEC", "0101 03 0d 000102"},
    // RFC 5155 appendix B's salt and its first hash.
    {Type::nsec3, "1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG",
     "01 01 000c 04aabbccdd 14 065368abeed7ec6e9feba96b8c8bc3e8b791f716 0006400000000002"},
    {Type::nsec3, "1 0 0 - 0o", "01 00 0000 00 01 06"},
    {Type::nsec3param, "1 0 12 aabbccdd", "01 00 000c 04aabbccdd"},
    {Type::nsec3param, "1 0 0 -", "01 00 0000 00"},
    {Type::tlsa, "3 1 1 00ff", "030101 00ff"},
    {Type::smimea, "3 0 0 aa", "030000 aa"},
    {Type::cds, "0 0 0 00", "0000 00 00 00"},
    {Type::cdnskey, "0 3 0 AA==", "0000 03 00 00"},
    {Type::caa, "128 issue \"ca.example; x=y\"", "80 056973737565 63612e6578616d706c653b20783d79"},
    {Type::caa, "0 iodef \"\"", "00 05696f646566"},
    {Type::https, "\\# 3 000100", "0001 00"},
    {static_cast<Type>(4711), "\\# 2 abcd", "abcd"},
    {static_cast<Type>(4711), "\\# 0", ""},
    {Type::nxt, "\\# 5 0161004080", "016100 4080"},
};

}  // namespace

TEST_CASE("records in text and on the wire mean the same") {
    for (const Sample& sample : samples) {
        CAPTURE(to_text(sample.type), sample.text);
        const Bytes wire = hex(sample.wire);
        CHECK(rdata_to_text(sample.type, wire) == sample.text);
        CHECK(to_hex(rdata_from_text(sample.type, sample.text).value()) == to_hex(wire));
        CHECK(check_rdata(sample.type, wire).has_value());
    }
}

TEST_CASE("RDATA that is too short or too long is an error in every type that is taken apart (A22)") {
    for (const Sample& sample : samples) {
        const Shape* const shape = shape_of(sample.type);
        if (shape == nullptr || shape->check == Check::opaque) continue;
        CAPTURE(to_text(sample.type), sample.text);
        const Bytes wire = hex(sample.wire);
        const auto open_end = std::string_view("xb*").find(shape->fields.back()) != std::string_view::npos;
        std::size_t accepted = 0;
        for (std::size_t length = 0; length < wire.size(); ++length) {
            const BytesView cut = BytesView(wire).first(length);
            accepted += check_rdata(sample.type, cut) ? 1U : 0U;
            // Nor may octets that stand behind the RDATA in the message be taken for it.
            Reader reader(wire);
            CHECK(read_rdata(sample.type, reader, static_cast<std::uint16_t>(length)).has_value() ==
                  check_rdata(sample.type, cut).has_value());
            CHECK(reader.position() == length);
        }
        if (shape->fields.back() == 'T') {
            CHECK(accepted <= 2);  // without a type, or cut between windows, a bit map is still one
        } else if (!open_end) {
            CHECK(accepted == 0);
            Bytes longer = wire;
            longer.push_back(0);
            CHECK_FALSE(check_rdata(sample.type, longer).has_value());
        }
    }
}

TEST_CASE("the shortest RDATA of types with an open end") {
    struct Row {
        Type type;
        std::string shortest;
    };
    const auto row = GENERATE(Row{Type::tlsa, "030101"}, Row{Type::ds, "00010801"}, Row{Type::dnskey, "01010308"},
                              Row{Type::rrsig, "0001 05 03 00000000 00000000 00000000 0000 00"}, Row{Type::nxt, "00"},
                              Row{Type::nsec, "00"});
    const Bytes wire = hex(row.shortest);
    CHECK(check_rdata(row.type, wire).has_value());
    CHECK_FALSE(check_rdata(row.type, BytesView(wire).first(wire.size() - 1)).has_value());
    CHECK(rdata_from_text(row.type, rdata_to_text(row.type, wire)).value() == wire);
}

TEST_CASE("malformed RDATA of a type that is not taken apart passes as octets") {
    const auto type = GENERATE(Type::txt, Type::hinfo, Type::caa, Type::svcb, Type::https, static_cast<Type>(4711));
    const Bytes malformed = hex("ff00");
    CHECK(check_rdata(type, malformed).has_value());
    CHECK(rdata_to_text(type, malformed) == "\\# 2 ff00");
    CHECK(rdata_from_text(type, "\\# 2 ff00").value() == malformed);
}

TEST_CASE("octets that are no record of their type are shown as octets") {
    // An NSEC3 whose hash is empty would read as one whose hash is "NS".
    CHECK(rdata_to_text(Type::nsec3, hex("0100000000 00 000120")) == "\\# 9 010000000000000120");
    CHECK(rdata_to_text(Type::a, hex("0102030405")) == "\\# 5 0102030405");
    CHECK(rdata_to_text(Type::caa, hex("0000")) == "\\# 2 0000");
    CHECK(rdata_to_text(Type::caa, hex("00012061")) == "\\# 4 00012061");
}

TEST_CASE("compressed names in RDATA are expanded with their letters kept, where the type may have them (RFC 3597 4)") {
    struct Row {
        Type type;
        std::string before;  ///< octets before the name
        bool allowed;
    };
    const auto row =
        GENERATE(Row{Type::ns, "", true}, Row{Type::mx, "000a", true}, Row{Type::srv, "000100020019", true},
                 Row{Type::dname, "", true}, Row{Type::naptr, "00010002000000", true}, Row{Type::kx, "0001", true},
                 Row{Type::rt, "0001", true}, Row{Type::afsdb, "0001", true}, Row{Type::nxt, "", true},
                 Row{Type::sig, "000105030000000000000000000000000000", true},
                 Row{Type::rrsig, "000105030000000000000000000000000000", false}, Row{Type::nsec, "", false});
    CAPTURE(to_text(row.type));
    const Bytes wire = hex("024d5800 " + row.before + " 0161c000");
    Reader reader(wire, 4);
    const auto read = read_rdata(row.type, reader, static_cast<std::uint16_t>(wire.size() - 4));
    REQUIRE(read.has_value() == row.allowed);
    if (read) CHECK(to_hex(*read) == row.before + "0161024d5800");
    CHECK(reader.done());
    // Uncompressed octets are never allowed a pointer.
    CHECK_FALSE(check_rdata(row.type, BytesView(wire).subspan(4)).has_value());
}

TEST_CASE("unknown types and those newer than RFC 1035 are not searched for pointers") {
    const auto type = GENERATE(Type::svcb, Type::txt, static_cast<Type>(4711));
    const Bytes wire = hex("00 0001 c000");
    Reader reader(wire, 1);
    CHECK(to_hex(read_rdata(type, reader, 4).value()) == "0001c000");
}

TEST_CASE("names are lower-cased to sign where RFC 4034 6.2 and RFC 6840 5.1 say so, and nothing else is") {
    struct Row {
        Type type;
        std::string wire, canonical;
    };
    const std::string head = "000105030000000000000000000000000000";
    const auto row = GENERATE_COPY(
        Row{Type::ns, "0141 00", "016100"}, Row{Type::mx, "4142 0141 00", "4142016100"},
        Row{Type::soa, "0141000142 00 41424344" + std::string(32, '4'), "01610001620041424344" + std::string(32, '4')},
        Row{Type::rp, "014100014200", "016100016200"}, Row{Type::px, "4142014100014200", "4142016100016200"},
        Row{Type::naptr, "00010002 0141 0142 0143 0144 00",
            "0001000201410142014301"
            "6400"},
        Row{Type::srv, "414141414141014100", "414141414141016100"}, Row{Type::dname, "014100", "016100"},
        Row{Type::rrsig, head + "014100 4142", head + "0161004142"},
        Row{Type::sig, head + "014100 4142", head + "0161004142"}, Row{Type::nxt, "0141004142", "0161004142"},
        Row{Type::nsec, "014100", "014100"}, Row{Type::hinfo, "01410142", "01410142"}, Row{Type::txt, "0141", "0141"},
        Row{Type::md, "014100", "016100"}, Row{Type::mf, "014100", "016100"}, Row{Type::cname, "014100", "016100"},
        Row{Type::mb, "014100", "016100"}, Row{Type::mg, "014100", "016100"}, Row{Type::mr, "014100", "016100"},
        Row{Type::ptr, "014100", "016100"}, Row{Type::minfo, "014100014200", "016100016200"},
        Row{Type::afsdb, "4142014100", "4142016100"}, Row{Type::rt, "4142014100", "4142016100"},
        Row{Type::kx, "4142014100", "4142016100"}, Row{Type::nsec, "0141024243000001 40", "014102424300000140"},
        // A6 has its name behind an address of any length, and is historic (RFC 6563): it stays as it came.
        Row{static_cast<Type>(38), "80014100", "80014100"}, Row{Type::svcb, "0001014100", "0001014100"},
        Row{static_cast<Type>(4711), "014100", "014100"},
        // The short PX of which a validator once signed what lay behind it: it stays as it is.
        Row{Type::px, "000a00", "000a00"});
    CAPTURE(to_text(row.type));
    CHECK(to_hex(canonical(row.type, hex(row.wire))) == row.canonical);
}

TEST_CASE("type bit maps are read strictly (RFC 4034 4.1.2)") {
    struct Row {
        std::string why, bitmap;
        bool good;
    };
    const std::string octets32(64, 'f');
    const auto row =
        GENERATE_COPY(Row{"empty", "", true}, Row{"A and window 1", "000140 010140", true},
                      Row{"32 octets", "0020" + octets32, true}, Row{"window 255", "ff0101", true},
                      Row{"no octets", "0000", false}, Row{"33 octets", "0021" + octets32 + "ff", false},
                      Row{"same window twice", "000140 000140", false}, Row{"descending", "010140 000140", false},
                      Row{"runs out", "000240", false}, Row{"half a head", "000140 01", false});
    CAPTURE(row.why);
    CHECK(TypeSet::parse(hex(row.bitmap)).has_value() == row.good);
    CHECK(check_rdata(Type::nsec, hex("00" + row.bitmap)).has_value() == row.good);
    CHECK(check_rdata(Type::nsec3, hex("0100000000"
                                       "0106" +
                                       row.bitmap))
              .has_value() == row.good);
}

TEST_CASE("a type set has what its bit map says") {
    const TypeSet set = parse_nsec(rdata(Type::nsec, "a. A MX RRSIG NSEC TYPE1234 TYPE65535")).value().types;
    CHECK(set.has(Type::a));
    CHECK(set.has(Type::mx));
    CHECK(set.has(static_cast<Type>(1234)));
    CHECK(set.has(static_cast<Type>(65535)));
    CHECK_FALSE(set.has(Type::ns));
    CHECK_FALSE(set.has(static_cast<Type>(0)));
    CHECK(set.all().size() == 6);
    CHECK(TypeSet().empty());
}

TEST_CASE("key tags (RFC 4034 appendix B)") {
    struct Row {
        std::string key;
        std::uint16_t tag;
    };
    const std::string made =
        "AwEAAdug/L739i0mgN2nuK/bhxu3wFn5Ud9nK2+XUmZQlPUEZUC5YZvm1rfMmEWTGBn87fFxEu/kjFZHJ55JLzqsbbpVHLbmKCTT2gYR2FV2"
        "WDKROGKuYbVkJIXdKAjJ0ONuK507NinYvlWXIoxHn22KAWOd9wKgSTNHBlmGkX+ts3hh";
    const auto row = GENERATE_COPY(Row{"256 3 5 "
                                       "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/"
                                       "2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBa"
                                       "MbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
                                       60485},  // RFC 4034 5.4
                                   Row{"256 3 8 " + made, 55566}, Row{"257 3 8 " + made, 55567});
    CHECK(parse_dnskey(rdata(Type::dnskey, row.key)).value().key_tag == row.tag);
}

TEST_CASE("typed views hold what the octets say") {
    CHECK(parse_mx(rdata(Type::mx, "10 MX.example")).value().exchange == name("mx.example"));
    CHECK(parse_mx(rdata(Type::mx, "0 .")).value().exchange.is_root());
    const Soa soa = parse_soa(rdata(Type::soa, "a. b.c. 1 2 3 4 5")).value();
    CHECK(soa.mname == name("a"));
    CHECK(soa.rname == name("b.c"));
    CHECK(soa.serial == 1);
    CHECK(soa.minimum == 5);
    const Ds ds = parse_ds(rdata(Type::ds, "20326 8 2 e06d 44b8")).value();
    CHECK(ds.key_tag == 20326);
    CHECK(ds.algorithm == Algorithm::rsasha256);
    CHECK(ds.digest_type == DigestType::sha256);
    CHECK(to_hex(ds.digest) == "e06d44b8");
    const Dnskey key = parse_dnskey(rdata(Type::dnskey, "385 3 13 AAEC")).value();
    CHECK(key.is_zone_key());
    CHECK(key.is_revoked());
    CHECK(key.is_secure_entry_point());
    CHECK(to_hex(key.public_key) == "000102");
    const Rrsig rrsig =
        parse_rrsig(rdata(Type::rrsig, "MX 13 2 3600 20300101000000 20200101000000 12345 Example. AAEC")).value();
    CHECK(rrsig.covered == Type::mx);
    CHECK(rrsig.algorithm == Algorithm::ecdsa_p256_sha256);
    CHECK(rrsig.labels == 2);
    CHECK(rrsig.original_ttl == 3600);
    CHECK(rrsig.expiration == 1893456000);
    CHECK(rrsig.inception == 1577836800);
    CHECK(rrsig.key_tag == 12345);
    CHECK(rrsig.signer == name("example"));
    CHECK(to_hex(rrsig.signature) == "000102");
    const Nsec3 nsec3 =
        parse_nsec3(rdata(Type::nsec3, "1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG")).value();
    CHECK(nsec3.hash_algorithm == 1);
    CHECK(nsec3.opt_out());
    CHECK(nsec3.iterations == 12);
    CHECK(to_hex(nsec3.salt) == "aabbccdd");
    CHECK(to_base32hex(nsec3.next_hash) == "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
    CHECK(nsec3.types.has(Type::rrsig));
    const Tlsa tlsa = parse_tlsa(rdata(Type::tlsa, "3 1 1 00 ff")).value();
    CHECK(tlsa.usage == 3);
    CHECK(to_hex(tlsa.data) == "00ff");
    CHECK(parse_single_name(rdata(Type::cname, "A.b.")).value() == name("a.b"));
    CHECK_FALSE(parse_single_name(hex("016100 00")).has_value());
}

TEST_CASE("texts that are no record are errors") {
    struct Row {
        Type type;
        std::string text;
    };
    const auto row = GENERATE(
        Row{Type::a, ""}, Row{Type::a, "::1"}, Row{Type::a, "192.0.2.1 x"}, Row{Type::aaaa, "192.0.2.1"},
        Row{Type::mx, "10"}, Row{Type::mx, "65536 a."}, Row{Type::mx, "-1 a."}, Row{Type::mx, "10 a. b."},
        Row{Type::mx, "10 a..b"}, Row{Type::txt, "\"open"}, Row{Type::txt, "\"open\\\""}, Row{Type::txt, ""},
        Row{Type::ds, "1 8 2"}, Row{Type::ds, "1 8 2 0"}, Row{Type::ds, "1 8 256 00"}, Row{Type::dnskey, "257 3 13 A"},
        Row{Type::nsec, "a. WRONG"}, Row{Type::nsec3, "1 0 0 - "}, Row{Type::nsec3, "1 0 0 xx 00"},
        Row{Type::rrsig, "A 5 3 86400 20300231000000 20030220173103 2642 a. AAEC"}, Row{Type::a, "\\# 5 0102030405"},
        Row{Type::a, "\\# 4 010203"}, Row{Type::a, "\\# x"}, Row{Type::px, "\\# 3 000a00"},
        Row{Type::https, "1 . alpn=h2"}, Row{static_cast<Type>(4711), "abcd"}, Row{Type::txt, "\\2"},
        Row{Type::txt, "\\256"}, Row{Type::txt, "a\\"});
    CAPTURE(to_text(row.type), row.text);
    CHECK_FALSE(rdata_from_text(row.type, row.text).has_value());
}

TEST_CASE("records may be written over several lines, and an empty bit map is none") {
    CHECK(rdata_from_text(Type::soa, "a b ( 1\n 2 3\t4\n 5 )").value() == rdata(Type::soa, "a. b. 1 2 3 4 5"));
    CHECK(rdata_from_text(Type::a, "\\# 4 c000 0201").value() == rdata(Type::a, "192.0.2.1"));
    CHECK(parse_nsec(rdata(Type::nsec, "a.")).value().types.empty());
}
