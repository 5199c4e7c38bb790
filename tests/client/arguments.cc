#include "client/arguments.h"

#include <catch2/catch.hpp>

using namespace mxtrust::client;

namespace {

Arguments good(const std::vector<std::string>& words) {
    const auto parsed = parse_arguments(words);
    REQUIRE(std::holds_alternative<Arguments>(parsed));
    return std::get<Arguments>(parsed);
}

}  // namespace

TEST_CASE("the command line becomes requests") {
    using Lines = std::vector<std::string>;
    CHECK(good({"a.example", "b.example"}).requests ==
          Lines{R"({"query":"mail","domain":"a.example"})", R"({"query":"mail","domain":"b.example"})"});
    CHECK(good({"--port", "587", "--refresh", "--deadline", "900", "a.example"}).requests ==
          Lines{R"({"query":"mail","deadline_ms":900,"domain":"a.example","port":587,"refresh":true})"});
    CHECK(good({"rrset", "a.example", "MX"}).requests == Lines{R"({"query":"rrset","name":"a.example","type":"MX"})"});
    CHECK(good({"explain", "a.example"}).requests == Lines{R"({"query":"explain","domain":"a.example"})"});
    CHECK(good({"explain", "a.example", "A"}).command == Command::explain);
    CHECK(good({"status"}).requests == Lines{R"({"query":"status"})"});
    CHECK(good({"failing"}).requests == Lines{R"({"query":"failing"})"});
    CHECK(good({"flush", "a.example"}).requests == Lines{R"({"query":"flush","name":"a.example"})"});
    CHECK(good({"--json", "a.example"}).output == Output::json);
    CHECK(good({"a.example", "--socket", "/x"}).socket == "/x");
    CHECK(good({"status", "--root", "/x"}).root == "/x");
    CHECK(good({"status", "--all"}).whole);
    CHECK_FALSE(good({"status"}).whole);
    // Behind "--" everything is a domain, or a command's word.
    CHECK(good({"--", "a.example"}).requests == Lines{R"({"query":"mail","domain":"a.example"})"});
    CHECK(good({"--json", "flush", "--", "--port"}).requests == Lines{R"({"query":"flush","name":"--port"})"});
    // What a domain contains stays in its string.
    CHECK(good({"a\"}\n{\"query\":\"flush"}).requests[0].find('\n') == std::string::npos);
}

TEST_CASE("an option that the command has no use for is wrong usage, and is not passed over") {
    const auto said = [](const std::vector<std::string>& words) {
        const auto parsed = parse_arguments(words);
        REQUIRE(std::holds_alternative<Message>(parsed));
        CHECK(std::get<Message>(parsed).is_error);
        return std::get<Message>(parsed).text;
    };
    for (const char* command : {"status", "failing", "reload"}) {
        CHECK(said({"--port", "587", command}) == "mxtrust: --port is for mxtrust DOMAIN; see mxtrust --help\n");
        CHECK(said({command, "--refresh"}).find("--refresh is for mxtrust DOMAIN") != std::string::npos);
        CHECK(said({"--deadline", "900", command}).find("--deadline is for") != std::string::npos);
    }
    CHECK(said({"explain", "a.example", "--port", "587"}).find("here write DOMAIN:PORT") != std::string::npos);
    CHECK(said({"rrset", "a.example", "MX", "--refresh"}).find("--refresh is for") != std::string::npos);
    CHECK(said({"a.example", "--all"}).find("--all is for mxtrust status") != std::string::npos);
    CHECK(said({"failing", "--root", "/x"}).find("--root is for mxtrust status") != std::string::npos);
}

TEST_CASE("a reply is waited for somewhat longer than its deadline, and no longer") {
    using std::chrono::milliseconds;
    CHECK(good({"a.example"}).patience == usual_deadline + beyond_deadline);
    CHECK(good({"--deadline", "100", "a.example"}).patience == milliseconds(100) + beyond_deadline);
    CHECK(good({"--deadline", "30000", "explain", "a.example"}).patience == milliseconds(30000) + beyond_deadline);
    CHECK(good({"status"}).patience == usual_deadline + beyond_deadline);
}

TEST_CASE("wrong usage is told, help and version are no errors") {
    const std::vector<std::vector<std::string>> wrong = {{},
                                                         {"rrset", "a.example"},
                                                         {"explain"},
                                                         {"status", "x"},
                                                         {"flush"},
                                                         {"--port"},
                                                         {"--root"},
                                                         {"--port", "x", "a"},
                                                         {"--deadline", "-1", "a"},
                                                         {"--nope", "a"}};
    for (const auto& words : wrong) {
        const auto parsed = parse_arguments(words);
        REQUIRE(std::holds_alternative<Message>(parsed));
        CHECK(std::get<Message>(parsed).is_error);
    }
    for (const char* word : {"--help", "--version"}) CHECK_FALSE(std::get<Message>(parse_arguments({word})).is_error);
}
