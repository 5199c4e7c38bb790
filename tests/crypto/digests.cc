// Digests against published values.
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "dns/name.h"

using namespace mxtrust;

TEST_CASE("digests give the values of FIPS 180-4's example \"abc\"") {
    const BytesView abc = as_bytes("abc");
    CHECK(to_hex(crypto::sha1(abc)) == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(to_hex(crypto::sha256(abc)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(crypto::sha384(abc)) ==
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    CHECK(to_hex(crypto::sha512(abc)) ==
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643c"
          "e80e"
          "2a9ac94fa54ca49f");
}

TEST_CASE("NSEC3 hashes are those of RFC 5155 appendix A") {
    const auto [owner, hash] = GENERATE(table<std::string, std::string>({
        {"example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
        {"a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
        {"ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"},
        {"ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
        {"ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
        {"w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
        {"*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
        {"x.w.example", "b4um86eghhds6nea196smvmlo4ors995"},
        {"y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
        {"x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"},
        {"xx.example", "t644ebqk9bibcna874givr6joj62mlhv"},
    }));
    const Bytes salt{0xaa, 0xbb, 0xcc, 0xdd};
    const dns::Name name = dns::Name::from_text(owner).value();
    CHECK(to_base32hex(crypto::nsec3_hash(name.wire(), salt, 12)) == hash);
}

TEST_CASE("digest numbers are a table of their own (validator-pitfalls 39)") {
    CHECK(crypto::can_digest(dns::DigestType::sha1));
    CHECK(crypto::can_digest(dns::DigestType::sha256));
    CHECK(crypto::can_digest(dns::DigestType::sha384));
    // 5, 7, 8, 13 are algorithms of keys; 3 is GOST, which nobody verifies any more (RFC 8624 3.3); 0 and 255 are
    // nothing.
    for (const int number : {0, 3, 5, 7, 8, 13, 255}) {
        const auto type = static_cast<dns::DigestType>(number);
        CHECK_FALSE(crypto::can_digest(type));
        REQUIRE_FALSE(crypto::ds_digest(type, as_bytes("abc")));
        CHECK(crypto::ds_digest(type, as_bytes("abc")).error().kind == FailureKind::unsupported);
    }
}
