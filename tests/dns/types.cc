#include "dns/types.h"

#include <catch2/catch.hpp>

using namespace mxtrust;
using namespace mxtrust::dns;

TEST_CASE("types have mnemonics or the generic form (RFC 3597 5)") {
    CHECK(to_text(Type::tlsa) == "TLSA");
    CHECK(to_text(static_cast<Type>(4711)) == "TYPE4711");
    CHECK(type_from_text("tlsa").value() == Type::tlsa);
    CHECK(type_from_text("Type52").value() == Type::tlsa);
    CHECK(type_from_text("TYPE65535").value() == static_cast<Type>(65535));
    const auto wrong = GENERATE("", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE 1", "BOGUS", "MXX");
    CHECK_FALSE(type_from_text(wrong).has_value());
}

TEST_CASE("every type's text leads back to it") {
    for (std::uint32_t number = 0; number <= 0xffff; ++number) {
        const auto type = static_cast<Type>(number);
        if (type_from_text(to_text(type)).value() != type) FAIL(number);
    }
}

TEST_CASE("types that are no data are known (RFC 6895 3.1)") {
    const auto meta = GENERATE(Type::opt, Type::nxname, Type::tkey, Type::tsig, Type::ixfr, Type::axfr, Type::any);
    CHECK(is_meta(meta));
    const auto data = GENERATE(Type::a, Type::caa, Type::https, static_cast<Type>(127), static_cast<Type>(256));
    CHECK_FALSE(is_meta(data));
}

TEST_CASE("response codes and algorithms have names, unknown ones numbers") {
    CHECK(to_text(Rcode::nxdomain) == "NXDOMAIN");
    CHECK(to_text(static_cast<Rcode>(3841)) == "RCODE3841");
    CHECK(to_text(Algorithm::ecdsa_p256_sha256) == "ECDSAP256SHA256");
    CHECK(to_text(static_cast<Algorithm>(200)) == "algorithm 200");
}
