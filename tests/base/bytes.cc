#include "base/bytes.h"

#include <catch2/catch.hpp>

#include "base/random.h"

using namespace mxtrust;

TEST_CASE("a reader never reads behind its end, and stays where it is when it cannot") {
    const Bytes data{1, 2, 3};
    Reader reader(data);
    CHECK(reader.u16().value() == 0x0102);
    CHECK_FALSE(reader.u16().has_value());
    CHECK(reader.position() == 2);
    CHECK_FALSE(reader.u32().has_value());
    CHECK_FALSE(reader.u64().has_value());
    CHECK_FALSE(reader.take(2).has_value());
    CHECK(reader.u8().value() == 3);
    CHECK(reader.done());
    CHECK(reader.u8().error().kind == FailureKind::malformed);
    CHECK(Reader(data, 17).remaining() == 0);
}

TEST_CASE("numbers are written and read in network byte order") {
    Writer writer;
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d0e0f);
    writer.bytes("x");
    writer.patch_u16(0, 0xfffe);
    CHECK(to_hex(writer.view()) == "fffe030405060708090a0b0c0d0e0f78");
    writer.truncate(3);
    Reader reader(writer.view(), 1);
    CHECK(reader.rest().size() == 2);
    writer.truncate(0);
    writer.u64(0x08090a0b0c0d0e0f);
    CHECK(Reader(writer.view()).u64().value() == 0x08090a0b0c0d0e0f);
    CHECK(Reader(writer.view()).u32().value() == 0x08090a0b);
}

TEST_CASE("the test vectors of RFC 4648 10") {
    struct Row {
        std::string octets, base64, base32hex;
    };
    const auto row = GENERATE(Row{"", "", ""}, Row{"f", "Zg==", "co"}, Row{"fo", "Zm8=", "cpng"},
                              Row{"foo", "Zm9v", "cpnmu"}, Row{"foob", "Zm9vYg==", "cpnmuog"},
                              Row{"fooba", "Zm9vYmE=", "cpnmuoj1"}, Row{"foobar", "Zm9vYmFy", "cpnmuoj1e8"});
    const BytesView octets = as_bytes(row.octets);
    CHECK(to_base64(octets) == row.base64);
    CHECK(to_base32hex(octets) == row.base32hex);
    CHECK(as_text(from_base64(row.base64).value()) == row.octets);
    CHECK(as_text(from_base32hex(row.base32hex).value()) == row.octets);
}

TEST_CASE("text forms of octets are strict") {
    const auto hex = GENERATE("0", "0g", "0 0", "00 0", "0x00");
    CHECK_FALSE(from_hex(hex).has_value());
    const auto base64 = GENERATE("Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm9v=", "Zm-v");
    CHECK_FALSE(from_base64(base64).has_value());
    const auto base32hex = GENERATE("c", "cp", "cpn", "cow", "co=", "c o", "cpnmuw");
    CHECK_FALSE(from_base32hex(base32hex).has_value());
}

TEST_CASE("white space and letter case where they are allowed") {
    CHECK(to_hex(from_hex(" 0aF0\n 11\t").value()) == "0af011");
    CHECK(as_text(from_base64("Zm 9v\nYg ==").value()) == "foob");
    CHECK(as_text(from_base32hex("CPNMUOG").value()) == "foob");
}

TEST_CASE("decoding what was encoded gives the same octets") {
    SeededRandom random(4648);
    for (std::size_t length = 0; length < 300; ++length) {
        Bytes data(length);
        for (std::uint8_t& octet : data) octet = static_cast<std::uint8_t>(random.below(256));
        REQUIRE(from_hex(to_hex(data)).value() == data);
        REQUIRE(from_base64(to_base64(data)).value() == data);
        REQUIRE(from_base32hex(to_base32hex(data)).value() == data);
    }
}
