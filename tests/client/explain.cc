#include <catch2/catch.hpp>

#include "client/columns.h"
#include "client/words.h"

using namespace mxtrust::client;

namespace {

const char* reply_of_domain =
    R"json({"id":null,"version":1,"domain":"example.org","name":"example.org","type":"MX","time":1795305600,
"security":"secure","outcome":"records","expires":1795309200,"reason":null,"remedy":null,"signer":"example.org","alias":null,
"records":["10 mx.example.org."],
"chain":[{"zone":".","security":"secure","ds":[{"key_tag":20326,"algorithm":"RSASHA256"}],
  "keys":[{"key_tag":20326,"algorithm":"RSASHA256","secure_entry_point":true}],
  "signatures":[{"key_tag":20326,"inception":1795219200,"expiration":1796428800}],"servers":["a.root 192.0.2.1 (12 ms)"],"reason":null,"remedy":null},
 {"zone":"example.org","security":"secure","ds":[{"key_tag":12345,"algorithm":"ED25519"}],
  "keys":[{"key_tag":12345,"algorithm":"ED25519","secure_entry_point":true},{"key_tag":4711,"algorithm":"ED25519","revoked":true}]}],
"hosts":[{"name":"mx.example.org",
 "a":{"name":"mx.example.org","type":"A","time":1795305600,"security":"secure","outcome":"records","expires":1795309200,
  "signer":"example.org","records":["192.0.2.25"],"chain":[{"zone":".","security":"secure"},{"zone":"example.org","security":"secure"}]},
 "aaaa":null,
 "tlsa":{"name":"_25._tcp.mx.example.org","type":"TLSA","time":1795305600,"security":"bogus","outcome":"failure","expires":1795305660,
  "reason":"signature of TLSA _25._tcp.mx.example.org expired 2 h ago (key tag 12345, ED25519)",
  "remedy":{"fault":"signature-expired","party":"zone","text":"sign example.org again and look why it was not done in time"},
  "records":[],"chain":[{"zone":".","security":"secure"},{"zone":"example.org","security":"secure"}]}}],
"hosts_left_out":2})json";

const char* words_of_domain = R"json(. secure
    DS 20326 RSASHA256
    keys 20326 RSASHA256 (entry point)
    signed by 20326, 2026-11-21 00:00 UTC to 2026-12-05 00:00 UTC
    servers a.root 192.0.2.1 (12 ms)
example.org secure
    DS 12345 ED25519
    keys 12345 ED25519 (entry point), 4711 ED25519 (revoked)
example.org MX
  secure, signed by example.org, good for 60 min
    10 mx.example.org.
mx.example.org A
  secure, signed by example.org, good for 60 min
    192.0.2.25
_25._tcp.mx.example.org TLSA
  bogus: signature of TLSA _25._tcp.mx.example.org expired 2 h ago (key tag
    12345, ED25519)
  remedy, for the zone's operator: Sign example.org again and look why it was
    not done in time.
2 more hosts are not explained
)json";

const char* reply_of_name =
    R"json({"name":"a.example","type":"A","security":"bogus","outcome":"failure","reason":"no DNSKEY of example is the one that its DS names",
"remedy":{"fault":"ds-matches-no-key","party":"parent","text":"replace the DS records of example at its registrar by those of its present keys"},
"chain":[{"zone":"example","security":"bogus","ds":[{"key_tag":1,"algorithm":"ED25519"}],"keys":[{"key_tag":2,"algorithm":"ED25519"}],
 "reason":"no DNSKEY of example is the one that its DS names",
 "remedy":{"fault":"ds-matches-no-key","party":"parent","text":"replace the DS records of example at its registrar by those of its present keys"}}]})json";

const char* words_of_name = R"json(example bogus
    DS 1 ED25519
    keys 2 ED25519
    reason: no DNSKEY of example is the one that its DS names
    remedy, for the zone's registrar: Replace the DS records of example at its
      registrar by those of its present keys.
a.example A
  bogus: no DNSKEY of example is the one that its DS names
)json";

}  // namespace

TEST_CASE("an explanation reads well at 80 columns: each zone once, then look-up by look-up, the remedy below") {
    const std::string words = words_of(Command::explain, Json::parse(reply_of_domain), Colour::off);
    CHECK(words == words_of_domain);
    CHECK(widest(words) <= 80);
}

TEST_CASE("a remedy is told where the chain breaks, and not again") {
    const std::string words = words_of(Command::explain, Json::parse(reply_of_name), Colour::off);
    CHECK(words == words_of_name);
    CHECK(widest(words) <= 80);
}

TEST_CASE("a remedy that is ours says so") {
    const std::string words = words_of(
        Command::explain,
        Json::parse(
            R"json({"name":"a.example","type":"A","security":"indeterminate","outcome":"failure","reason":"no answer came",
            "remedy":{"fault":"deadline","party":"us","text":"ask again"}})json"),
        Colour::off);
    CHECK(words == "a.example A\n  failed: no answer came\n  remedy, here: Ask again.\n");
}

TEST_CASE("one bogus look-up of a domain is enough for exit status 1") {
    Json reply = Json::parse(reply_of_domain);
    CHECK(status_of(Command::explain, reply) == 1);
    reply["hosts"][0].erase("tlsa");
    CHECK(status_of(Command::explain, reply) == 0);
    reply["security"] = "bogus";
    CHECK(status_of(Command::explain, reply) == 1);
}
