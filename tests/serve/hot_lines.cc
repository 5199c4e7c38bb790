// Which requests may be answered by their octets alone.
#include "serve/hot_lines.h"

#include <catch2/catch.hpp>

using namespace mxtrust;
using serve::HotLines;
using serve::LineShape;
using serve::shape_of;

TEST_CASE("a request's id is cut out where a glance tells that it is one") {
    const auto shape = shape_of(R"({"query":"mail","id":17,"domain":"example.org"})");
    REQUIRE(shape);
    CHECK(shape->before == R"({"query":"mail","id":)");
    CHECK(shape->id == "17");
    CHECK(shape->after == R"(,"domain":"example.org"})");
}

TEST_CASE("a request without an id is known as a whole") {
    for (const char* line : {R"({"query":"mail","domain":"example.org"})", "mail example.org", "decide example.org"}) {
        CAPTURE(line);
        const auto shape = shape_of(line);
        REQUIRE(shape);
        CHECK(shape->before == line);
        CHECK(shape->id.empty());
        CHECK(shape->after.empty());
    }
}

TEST_CASE("whatever takes a parser to understand is left to the parser") {
    const char* line = GENERATE(
        "", "status", "flush example.org", "mailexample.org", R"({"id":"7","query":"mail","domain":"example.org"})",
        R"({"id": 7,"query":"mail","domain":"example.org"})", R"({"id":07,"query":"mail","domain":"example.org"})",
        R"({"id":-7,"query":"mail","domain":"example.org"})", R"({"id":7.5,"query":"mail","domain":"example.org"})",
        R"({"id":7e3,"query":"mail","domain":"example.org"})",
        R"({"id":7,"id":8,"query":"mail","domain":"example.org"})",
        R"({"x":{"id":7},"query":"mail","domain":"example.org"})", R"({"id":7,"query":"mail","domain":"example.org"}x)",
        R"({"\u0069d":3,"id":7,"query":"mail","domain":"example.org"})",
        R"({"id" :7,"query":"mail","domain":"example.org"})",
        R"({"id":1234567890123456789,"query":"mail","domain":"example.org"})", "mail example.org\nmail example.net");
    CAPTURE(line);
    CHECK_FALSE(shape_of(line));
}

TEST_CASE("a line is known by all its octets but those of the id") {
    SeededRandom random(1);
    HotLines lines(random);
    HotLines::Reply reply;
    reply.head = "A";
    lines.keep(*shape_of(R"({"id":1,"query":"mail","domain":"a.example"})"), reply);
    CHECK(lines.find(*shape_of(R"({"id":1,"query":"mail","domain":"a.example"})")));
    CHECK(lines.find(*shape_of(R"({"id":99,"query":"mail","domain":"a.example"})")));
    CHECK_FALSE(lines.find(*shape_of(R"({"id":1,"query":"mail","domain":"b.example"})")));
    CHECK_FALSE(lines.find(*shape_of(R"({"id":1,"query":"mail","domain":"A.example"})")));
    CHECK_FALSE(lines.find(*shape_of(R"({"id":1,"query":"mail","domain":"a.example","port":26})")));
    CHECK_FALSE(lines.find(*shape_of(R"({"query":"mail","domain":"a.example"})")));
}

TEST_CASE("the number of lines kept is bounded") {
    SeededRandom random(1);
    HotLines lines(random);
    for (std::size_t number = 0; number <= HotLines::most_lines; ++number)
        lines.keep(*shape_of("mail d" + std::to_string(number) + ".example"), {});
    CHECK(lines.size() <= HotLines::most_lines);
}
