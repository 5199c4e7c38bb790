// The figures for Prometheus: their format, that no domain is in them, and that the dashboard asks for what there is.
#include "serve/metrics.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

using namespace mxtrust;
using namespace mxtrust::serve;

namespace {

Status busy() {
    Status status;
    status.facts.release = "1.2 \"x\"\\";
    status.facts.started = {1795300000};
    status.facts.workers = 2;
    status.facts.time_is_fixed = true;
    status.root_probe = RootProbe{dnssec::Security::secure, dnssec::Outcome::records, {}, {1795300001}};
    AnchorStatus anchor{dns::Name(), 20326, dns::Algorithm::rsasha256, "DNSKEY", "built-in"};
    anchor.state = "revoked";
    anchor.last_seen = WallTime{1795300002};
    status.anchors.anchors = {anchor};
    status.anchors.last_authentic = WallTime{1795300003};
    resolve::ForwarderStatus forwarder;
    forwarder.address = Endpoint{Address::from_text("192.0.2.53").value(), 53};
    forwarder.state = resolve::ForwarderState::good;
    forwarder.dnssec = resolve::ForwarderDnssec::ok;
    forwarder.round_trip = Duration(12);
    status.forwarders = {forwarder};
    resolve::Counters& resolver = status.total.resolver;
    resolver.judged.at(resolve::judged_place(dnssec::Security::bogus, dnssec::Outcome::failure)) = 7;
    resolver.lookup_time.note(std::chrono::microseconds(150));
    resolver.lookup_time.note(std::chrono::milliseconds(7));
    resolver.lookup_time.note(std::chrono::seconds(60));
    resolver.spent.exhausted.at(static_cast<std::size_t>(Limit::nsec3_hashes)) = 5;
    resolver.answers_exhausted = 2;
    status.total.mail.defer = 3;
    return status;
}

std::string rendered() {
    return render_metrics(busy());
}

bool has_line(const std::string& page, const std::string& line) {
    return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

std::string get(const std::string& request) {
    return answer_scrape(request, [] { return std::string("figures\n"); }).value_or("(nothing yet)");
}

}  // namespace

TEST_CASE("memory is told by its nearest limit, and none is 0") {
    CHECK(has_line(rendered(), "mxtrust_memory_limit_octets 0"));
    CHECK(has_line(rendered(), "mxtrust_memory_short 0"));
    Status status = busy();
    status.memory = {"RLIMIT_DATA", 900, 1000, true};
    const std::string page = render_metrics(status);
    CHECK(has_line(page, "mxtrust_memory_short 1"));
    CHECK(has_line(page, "mxtrust_memory_used_octets 900"));
    CHECK(has_line(page, "mxtrust_memory_limit_octets 1000"));
}

TEST_CASE("limits that were reached are counted by their names") {
    const std::string page = rendered();
    for (const std::string_view limit : {"packets", "bytes", "verifications", "failures", "lookups"})
        CHECK(has_line(page, "mxtrust_budget_exhausted_total{limit=\"" + std::string(limit) + "\"} 0"));
    CHECK(has_line(page, R"(mxtrust_budget_exhausted_total{limit="nsec3_hashes"} 5)"));
    CHECK(has_line(page, R"(mxtrust_budget_exhausted_total{limit="answer"} 2)"));
}

TEST_CASE("every line of the figures is of Prometheus' text format, each metric with its help and type before it") {
    const std::regex sample(
        R"re(([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:,[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*")*\})? [0-9]+(\.[0-9]+)?)re");
    std::istringstream lines(rendered());
    std::string line, name;
    std::set<std::string> names, samples;
    while (std::getline(lines, line)) {
        INFO(line);
        std::smatch match;
        if (line.starts_with("# HELP ")) {
            name = line.substr(7, line.find(' ', 7) - 7);
            CHECK(names.insert(name).second);
            CHECK(line.size() > 7 + name.size() + 10);
        } else if (line.starts_with("# TYPE ")) {
            CHECK(std::regex_match(line, std::regex("# TYPE " + name + " (counter|gauge|histogram)")));
            CHECK((line.ends_with("counter") == name.ends_with("_total")));
        } else {
            REQUIRE(std::regex_match(line, match, sample));
            const std::string metric = match[1];
            CHECK(
                (metric == name || metric == name + "_bucket" || metric == name + "_sum" || metric == name + "_count"));
            CHECK(samples.insert(match[1].str() + match[2].str()).second);
        }
    }
    CHECK(names.size() > 30);
}

TEST_CASE("the figures are what was counted") {
    const std::string page = rendered();
    for (const char* line : {R"(mxtrust_build_info{version="1.2 \"x\"\\"} 1)",
                             "mxtrust_healthy 1",
                             "mxtrust_root_secure 1",
                             R"(mxtrust_answers_total{security="bogus",outcome="failure"} 7)",
                             R"(mxtrust_answers_total{security="secure",outcome="records"} 0)",
                             R"(mxtrust_mail_decisions_total{action="defer"} 3)",
                             R"(mxtrust_lookup_seconds_bucket{le="0.000200"} 1)",
                             R"(mxtrust_lookup_seconds_bucket{le="0.010000"} 2)",
                             R"(mxtrust_lookup_seconds_bucket{le="5.000000"} 2)",
                             R"(mxtrust_lookup_seconds_bucket{le="+Inf"} 3)",
                             "mxtrust_lookup_seconds_count 3",
                             "mxtrust_lookup_seconds_sum 60.007150",
                             R"(mxtrust_trust_anchor{zone=".",key_tag="20326",state="revoked",origin="built-in"} 1)",
                             R"(mxtrust_trust_anchor_last_seen_seconds{zone=".",key_tag="20326"} 1795300002)",
                             "mxtrust_trust_anchors_authentic_seconds 1795300003",
                             R"(mxtrust_forwarder_up{address="192.0.2.53:53",dnssec="ok"} 1)",
                             R"(mxtrust_forwarder_round_trip_seconds{address="192.0.2.53:53"} 0.012000)",
                             R"(mxtrust_budget_exhausted_total{limit="packets"} 0)",
                             R"(mxtrust_budget_spent_total{limit="nsec3_hashes"} 0)",
                             "mxtrust_error_reports_total 0",
                             R"(mxtrust_door_events_total{event="dns_servfail"} 0)"}) {
        INFO(line);
        CHECK(has_line(page, line));
    }
}

TEST_CASE("the dashboard is valid, and every metric it asks for exists") {
    std::ifstream stream(MXTRUST_SOURCE_DIR "/resolver/serve/dashboard.json");
    const nlohmann::json dashboard = nlohmann::json::parse(stream);
    const std::string page = rendered();
    std::set<std::string> asked;
    std::set<int> ids;
    for (const nlohmann::json& panel : dashboard.at("panels")) {
        CHECK(ids.insert(panel.at("id").get<int>()).second);
        CHECK_FALSE(panel.at("title").get<std::string>().empty());
        CHECK_FALSE(panel.at("targets").empty());
        for (const nlohmann::json& target : panel.at("targets")) {
            const std::string query = target.at("expr");
            CHECK(std::ranges::count(query, '(') == std::ranges::count(query, ')'));
            const std::regex metric("mxtrust_[a-z_]+");
            std::size_t found = 0;
            for (std::sregex_iterator at(query.begin(), query.end(), metric), end; at != end; ++at, ++found) {
                INFO(at->str());
                asked.insert(at->str());
                const bool there = page.find("\n" + at->str() + " ") != std::string::npos ||
                                   page.find("\n" + at->str() + "{") != std::string::npos;
                CHECK(there);
            }
            CHECK(found > 0);
        }
    }
    CHECK(asked.size() > 25);
}

TEST_CASE("GET /metrics gets the figures; all else is refused as HTTP has it") {
    CHECK(get("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 8\r\n"
          "Connection: close\r\n\r\nfigures\n");
    struct Row {
        std::string request, status;
    };
    for (const Row& row : std::vector<Row>{{"GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200"},
                                           {"HEAD /metrics HTTP/1.1\r\n\r\n", "200"},
                                           {"GET / HTTP/1.1\r\n\r\n", "404"},
                                           {"POST /metrics HTTP/1.1\r\n\r\n", "405"},
                                           {"GET /metrics\r\n\r\n", "400"},
                                           {"\r\n\r\n", "400"},
                                           {"GET /metrics SMTP\r\n\r\n", "400"},
                                           {std::string(9000, 'x'), "431"}}) {
        INFO(row.request.substr(0, 40));
        CHECK(get(row.request).substr(9, 3) == row.status);
    }
    CHECK(get("HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
    CHECK(get("GET /metrics HTTP/1.1\r\nHost") == "(nothing yet)");
}
