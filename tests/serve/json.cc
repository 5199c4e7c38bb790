// JSON that is written as it grows, against the library that reads it.
#include "serve/json.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace {

using namespace mxtrust;
using serve::Json;

nlohmann::ordered_json read(const Json& json) {
    return nlohmann::ordered_json::parse(json.line());
}

}  // namespace

TEST_CASE("an object has its members in the order in which they were put in", "[json]") {
    Json inner;
    inner["b"] = 2;
    inner["a"] = Json(nullptr);
    Json json;
    json["z"] = inner;
    json["list"] = std::vector<std::string>{"x", "y"};
    json["none"] = Json::array();
    json["empty"] = Json();
    json["yes"] = true;
    json["no"] = false;
    json["text"] = "t";
    CHECK(json.line() ==
          R"({"z":{"b":2,"a":null},"list":["x","y"],"none":[],"empty":{},"yes":true,"no":false,"text":"t"})");
}

TEST_CASE("numbers keep every digit", "[json]") {
    CHECK(Json(std::numeric_limits<std::uint64_t>::max()).line() == "18446744073709551615");
    CHECK(Json(std::numeric_limits<std::int64_t>::min()).line() == "-9223372036854775808");
    CHECK(Json(std::uint8_t{65}).line() == "65");
    CHECK(Json(false).line() == "false");
}

TEST_CASE("a text comes back as it was, whatever octets it has", "[json]") {
    for (unsigned octet = 0; octet < 0x80; ++octet) {
        const std::string text = std::string("a") + static_cast<char>(octet) + "b";
        CAPTURE(octet);
        const Json json(text);
        CHECK(read(json).get<std::string>() == text);
        CHECK(json.line().find('\n') == std::string::npos);
    }
    CHECK(Json("\xc3\xbc").line() == "\"\xc3\xbc\"");
    CHECK(Json("").line() == "\"\"");
}

TEST_CASE("what is no UTF-8 becomes U+FFFD, and the line stays JSON", "[json]") {
    for (const char* broken : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80"}) {
        const std::string read_back = read(Json(broken)).get<std::string>();
        CHECK(read_back.find("\xef\xbf\xbd") != std::string::npos);
    }
}

TEST_CASE("another object's members follow; of an empty one none do", "[json]") {
    Json json, more;
    json.update(Json());
    json["a"] = 1;
    json.update(Json());
    more["b"] = 2;
    more["c"] = 3;
    json.update(more);
    json["d"] = 4;
    CHECK(json.line() == R"({"a":1,"b":2,"c":3,"d":4})");
}

TEST_CASE("a list has what was made of each", "[json]") {
    const std::vector<int> numbers{1, 2, 3};
    CHECK(serve::list_json(numbers, [](int number) { return Json(number * number); }).line() == "[1,4,9]");
}

TEST_CASE("an id is passed on as JSON, and never as anything else", "[json]") {
    CHECK(Json::parsed("7").line() == "7");
    CHECK(Json::parsed(R"("x\"y")").line() == R"("x\"y")");
    CHECK(Json::parsed("{\"a\": [1]}").line() == R"({"a":[1]})");
    for (const char* broken : {"", "7,\"a\":1", "{", "\"", "nul"}) CHECK(Json::parsed(broken).line() == "null");
}
