// What a reload changes, and what it says needs a restart.
#include "daemon/reload.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "daemon/assemble.h"

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

Loaded loaded(std::string_view text) {
    auto all = parse_configuration(text, "x.toml", TestMode::off);
    REQUIRE(all);
    return std::move(*all);
}

constexpr std::string_view word = R"([dnssec]
negative-trust-anchors = [{ name = "a.example", reason = "x", expires = 2030-01-31 }]
)";
constexpr std::string_view other_end = R"([dnssec]
negative-trust-anchors = [{ name = "a.example", reason = "x", expires = 2031-01-31 }]
)";

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("every key that is changeable at run time exists") {
    const auto known = known_keys();
    for (const std::string_view key : changeable_keys()) {
        CAPTURE(key);
        CHECK(std::ranges::any_of(
            known, [key](const auto& one) { return std::string(one.first) + "." + std::string(one.second) == key; }));
    }
}

TEST_CASE("a reload names what has changed, and what needs a restart") {
    struct Case {
        std::string_view started, current, wanted;
        Keys changed, restart;
    };
    const std::string_view none;
    const std::string both = "[server]\nworkers = 3\n" + std::string(word);
    const std::vector<Case> cases = {
        {none, none, none, {}, {}},
        {none, none, word, {"[dnssec] negative-trust-anchors"}, {}},
        {word, word, none, {"[dnssec] negative-trust-anchors"}, {}},
        {word, word, other_end, {"[dnssec] negative-trust-anchors"}, {}},
        {none, word, word, {}, {}},
        {none, none, "[server]\nworkers = 3\n", {}, {"[server] workers"}},
        {none, none, both, {"[dnssec] negative-trust-anchors"}, {"[server] workers"}},
        // It still does when the file is read once more.
        {none, word, both, {}, {"[server] workers"}},
        // A default that is written out is no change.
        {none, none, "[server]\nworkers = 0\nlog-level = \"info\"\n", {}, {}},
        {none, none, "[[forward]]\nzone = \"example.org\"\naddresses = [\"192.0.2.1\"]\n", {}, {"forward"}},
    };
    for (const Case& each : cases) {
        CAPTURE(each.started, each.current, each.wanted);
        const Difference found = difference(loaded(each.started), loaded(each.current), loaded(each.wanted));
        CHECK(found.changed == each.changed);
        CHECK(found.restart == each.restart);
    }
}

TEST_CASE("names of negative trust anchors that came, went or are others are known, and no more") {
    const DnssecKeys none, one = loaded(word).configuration.dnssec, later = loaded(other_end).configuration.dnssec;
    const std::vector<dns::Name> name = {dns::Name::from_text("a.example").value()};
    CHECK(renewed_names(none, none).empty());
    CHECK(renewed_names(one, one).empty());
    CHECK(renewed_names(none, one) == name);
    CHECK(renewed_names(one, none) == name);
    CHECK(renewed_names(one, later) == name);
}

TEST_CASE("what has no effect because the service manager opens the sockets is told at a reload, too, and stays told") {
    ManualClock clock{WallTime{1795305600}};
    std::vector<std::string> lines;
    log::Log log(log::Level::info, [&lines](std::string_view line) { lines.emplace_back(line); });
    serve::StatusBoard board(1);
    const PassedDoors passed{{}, {}, {"127.0.0.1:53"}, {}};
    Result<Loaded> file = loaded("[server]\ndns-listen = [\"127.0.0.2:53\"]\n");
    Reloader reloader(loaded(""), std::make_shared<LatestTime>(), {clock, log, board, passed},
                      [&file] { return file; });
    reloader.carry_out_by([](std::shared_ptr<const Change> /*given*/, std::function<void()> done) { done(); });
    reloader.reload([](const serve::Reload& /*told*/) {});
    const std::string told = "x.toml:2: [server] dns-listen: has no effect";
    const auto is_told = [&told](const std::string& text) { return text.find(told) != std::string::npos; };
    CHECK(std::ranges::any_of(lines, is_told));
    CHECK(std::ranges::any_of(board.status(clock.wall(), clock.mono(), {}).facts.doubts, is_told));
    file = loaded("");
    reloader.reload([](const serve::Reload& /*told*/) {});
    CHECK(std::ranges::none_of(board.status(clock.wall(), clock.mono(), {}).facts.doubts, is_told));
}

TEST_CASE("what is refused changes nothing and is told; what is accepted is told when it is in force") {
    ManualClock clock{WallTime{1795305600}};
    std::vector<std::string> lines;
    log::Log log(log::Level::info, [&lines](std::string_view line) { lines.emplace_back(line); });
    serve::StatusBoard board(1);
    Result<Loaded> file = loaded(word);
    Reloader reloader(loaded(""), std::make_shared<LatestTime>(), {clock, log, board}, [&file] { return file; });
    std::vector<serve::Reload> told;
    const auto hear = [&told](const serve::Reload& reload) { told.push_back(reload); };
    reloader.reload(hear);
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told.back().accepted);  // nobody carries it out yet
    std::shared_ptr<const Change> change;
    std::function<void()> finished;
    reloader.carry_out_by([&](std::shared_ptr<const Change> given, std::function<void()> done) {
        change = std::move(given);
        finished = std::move(done);
    });
    reloader.reload(hear);
    REQUIRE(change);
    CHECK(change->negative_anchors.all().size() == 1);
    CHECK(change->renewed.size() == 1);
    CHECK(told.size() == 1);
    finished();
    REQUIRE(told.size() == 2);
    CHECK(told.back().accepted);
    CHECK(lines.back() == "configuration reloaded: now in force: [dnssec] negative-trust-anchors");
    CHECK(board.status(clock.wall(), clock.mono(), {}).reload->accepted);
    file = parse_configuration("[server]\nworkers = -1\n", "x.toml", TestMode::off);
    change = nullptr;
    reloader.reload(hear);
    CHECK_FALSE(change);
    REQUIRE(told.size() == 3);
    CHECK_FALSE(told.back().accepted);
    CHECK(told.back().text.find("x.toml:2: [server] workers: must be 0 to 64") != std::string::npos);
    CHECK(lines.back().find("the old one stays in force: x.toml:2") != std::string::npos);
    CHECK_FALSE(board.status(clock.wall(), clock.mono(), {}).reload->accepted);
}
