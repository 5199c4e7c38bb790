// `mxtrust status` at a glance: what a postmaster has to see fits on one screen, however bad the day is.
#include <catch2/catch.hpp>
#include <sstream>

#include "client/words.h"

using namespace mxtrust::client;

namespace {

constexpr std::size_t lines_of_a_terminal = 24;

Json good() {
    return Json::parse(
        R"json({"release":"0.1.0","health":"good","time":1795305600,"started":1795046400,"uptime":259200,"workers":4,
"sockets":["/run/mxtrust/query.sock","127.0.0.1:53"],"clock":{"state":"plausible","text":null},
"root_probe":{"security":"secure","outcome":"records","time":1795305000,"ede":null,"reason":null},
"trust_anchors":[{"zone":".","key_tag":20326,"algorithm":"RSASHA256","kind":"DNSKEY","state":"revoked","origin":"built-in"},
{"zone":".","key_tag":38696,"algorithm":"RSASHA256","kind":"DNSKEY","state":"valid","origin":"built-in"}],
"anchor_state":{"follows":true,"last_authentic":1795298400,"trouble":null},"negative_trust_anchors":[],"exceptions":[],"warnings":[],
"resolution":{"by":"recursion","since":null,"reason":null},"forwarders":[],
"cache":{"entries":1234,"octets":12345678,"hits":900,"misses":100,"stored":5,"evicted":0,"dropped":0},
"resolver":{"questions":9,"secure":300,"insecure":400,"bogus":0,"indeterminate":2},
"mail":{"questions":70,"deliver":60,"defer":3,"bounce":0},"doors":{"query_connections":0},"failing":[]})json");
}

std::string shown(const Json& status, Detail detail = Detail::glance) {
    Page page(Colour::off);
    put_status(page, status, detail);
    return page.text();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("the status of a good day: nine lines, and no figure that is zero") {
    CHECK(shown(good()) ==
          "mxtrustd 0.1.0 is well\n"
          "  up 3 days, since 2026-11-19 00:00 UTC; now 2026-11-22 00:00 UTC\n"
          "  asks by recursion\n"
          "  anchors . 20326 revoked, . 38696 valid; the keys were seen 2 h ago\n"
          "  root secure, looked at 10 min ago\n"
          "  cache 1234 entries, 11 MiB; 90 % of look-ups were in it\n"
          "  mail 60 to deliver, 3 to put off\n"
          "  look-ups 300 secure, 400 insecure, 2 not found out\n"
          "  failing no mail domain\n");
}

TEST_CASE("the status of the worst day still fits on a screen of 80 by 24, and says what is wrong first") {
    Json bad = good();
    bad["health"] = "root-not-secure";
    const std::string long_text =
        "no server of the root zone gave a usable answer in the time there was, and neither did " +
        std::string(60, 'x') + " or any of the others that were asked one after the other";
    bad["root_probe"] = {
        {"security", "indeterminate"}, {"outcome", "failure"}, {"time", 1795305000}, {"reason", long_text}};
    bad["resolution"] = {{"by", "recursion"}, {"since", 1795300000}, {"reason", long_text}};
    for (int count = 0; count < 40; ++count) {
        bad["warnings"].push_back(long_text);
        bad["negative_trust_anchors"].push_back({{"zone", "a.example"}});
        bad["failing"].push_back({{"domain", "d" + std::to_string(count) + ".example"},
                                  {"last", 1795305500},
                                  {"code", "4.7.324 dnssec-invalid"}});
        bad["trust_anchors"].push_back(bad["trust_anchors"][0]);
    }
    const std::vector<std::string> lines = lines_of(shown(bad));
    CHECK(lines.size() <= lines_of_a_terminal);
    for (const std::string& line : lines) CHECK(columns(line) <= Page::width);
    CHECK(lines.front().starts_with("mxtrustd 0.1.0 is not well: the root cannot be proven: no server"));
    const std::string all = shown(bad);
    CHECK(all.find("d0.example, 100 s ago: 4.7.324 dnssec-invalid") != std::string::npos);
    CHECK(all.find("d9.example") == std::string::npos);
    CHECK(all.find("and more: mxtrust failing") != std::string::npos);
    CHECK(all.find("40 negative trust anchors") != std::string::npos);
    CHECK(all.find("38 more: mxtrust status --all") != std::string::npos);
}

TEST_CASE("forwarders in recursion's place, and anchors that are missing, are told") {
    Json status = good();
    status["resolution"] = {{"by", "forwarders"}, {"since", 1795300000}, {"reason", "no root server answers"}};
    status["forwarders"] = Json::array({{{"address", "192.0.2.53:53"}, {"state", "good"}, {"dnssec", "ok"}},
                                        {{"address", "192.0.2.54:53"},
                                         {"state", "failing"},
                                         {"dnssec", "unknown"},
                                         {"last_error", "did not answer"}}});
    status["trust_anchors"] = Json::array();
    const std::string text = shown(status);
    CHECK(text.find("asks by forwarders since 2026-11-21 22:26 UTC: no root server answers\n") != std::string::npos);
    CHECK(text.find("forwarder 192.0.2.53:53 good, DNSSEC ok\n") != std::string::npos);
    CHECK(text.find("forwarder 192.0.2.54:53 failing, DNSSEC unknown: did not answer\n") != std::string::npos);
    CHECK(text.find("anchors none: nothing can be secure\n") != std::string::npos);
}

TEST_CASE("a cache that a restart would lose is told") {
    struct Row {
        const char *keeping, *words;
    };
    for (const Row& row :
         {Row{"not-written", "cannot be written"}, Row{"memory", "in memory only"}, Row{"checking", "looked over"}}) {
        Json status = good();
        status["cache"]["keeping"] = row.keeping;
        std::string text = shown(status);
        for (std::size_t at = text.find("\n    "); at != std::string::npos; at = text.find("\n    "))
            text.replace(at, 5, " ");
        CHECK(text.find(row.words) != std::string::npos);
    }
    Json status = good();
    status["cache"]["keeping"] = "good";
    CHECK(shown(status) == shown(good()));
}

TEST_CASE("all of the status has every figure, zero or not") {
    const std::string text = shown(good(), Detail::whole);
    CHECK(text.find("query_connections 0") != std::string::npos);
    CHECK(text.find("38696 RSASHA256") != std::string::npos);
    CHECK(text.find("  memory") == std::string::npos);
    Json limited = good();
    limited["memory"] = {{"state", "enough"}, {"limit", "RLIMIT_DATA"}, {"used", 44040192}, {"most", 1073741824}};
    CHECK(shown(limited, Detail::whole).find("  memory enough: 42 MiB of 1024 MiB, RLIMIT_DATA\n") !=
          std::string::npos);
}
