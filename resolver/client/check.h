// The doctor for a mail domain, `mxtrust check DOMAIN`. The daemon says what the DNS says and what it makes of it; each
// server is visited (probe/); here both become tests: what was seen, what it means for who sends mail there, what the
// domain's administrator should do. What makes tests is pure; check_run.cc asks and connects.
//
// The words in Test::test, Test::diagnosis and in the JSON are a contract: serve/PROTOCOL.md, "The check report".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/arguments.h"
#include "client/words.h"
#include "probe/probe.h"

namespace mxtrust::client {

enum class Grade : std::uint8_t { pass, not_tested, warning, failure };
[[nodiscard]] std::string_view to_text(Grade grade);  ///< "not-tested"

/// One finding of one test. A test that finds several things is several of these.
struct Test {
    std::string test;  ///< dnssec, mx, expected-mx, addresses, tlsa, sts, tlsrpt, connect, starttls, certificate, dane
    std::string subject;  ///< "example.org", "mx.example.org", "mx.example.org [192.0.2.1]:25"
    Grade grade = Grade::pass;
    std::string diagnosis;             ///< a stable word; "good" of what passes
    std::string code;                  ///< "4.7.323 tlsa-invalid"; "" where a sender reports none
    std::string tlsrpt;                ///< result type of RFC 8460 4.3, or ""
    std::string seen, means, todo;     ///< sentences without final stop; the last two are "" of what passes
    std::vector<std::string> details;  ///< facts, one a line
};
/// "5.7.323 tlsa-invalid" of "4.7.323 tlsa-invalid": what the sender is told in the end.
[[nodiscard]] std::string permanent(const std::string& code);

enum class Depth : std::uint8_t { dnssec, dns, probe };  ///< --dnssec, --no-probe, all
enum class CheckOutput : std::uint8_t { words, json, tlsrpt };

struct CheckArguments {
    std::vector<std::string> domains;
    std::string batch;  ///< file with a domain on each line; "" where domains are given
    std::string socket = "/run/mxtrust/query.sock";
    std::string html;         ///< file to write; "" none
    std::string host;         ///< --mx: only this one
    std::string address;      ///< --address: only this one
    std::string expected_mx;  ///< --expect-mx
    std::uint16_t port = 25;
    std::chrono::seconds timeout{20};
    Depth depth = Depth::probe;
    CheckOutput output = CheckOutput::words;
};
/// Is `check` the first word that is no option?
[[nodiscard]] bool asks_for_check(const std::vector<std::string>& words);
[[nodiscard]] std::variant<CheckArguments, Message> parse_check_arguments(const std::vector<std::string>& words);

/// Everything that was found out about one domain.
struct Report {
    std::string domain;  ///< as the daemon writes it
    std::uint16_t port = 25;
    std::int64_t time = 0, ended = 0;
    Json mail, explain;  ///< replies of the daemon; null where there was none
    Json tlsrpt_record, sts_record;
    std::vector<Test> tests;
    std::vector<probe::Observation> observations;
    std::string trouble;  ///< why nothing could be asked; "" else
    [[nodiscard]] Grade grade() const;
};
/// One sentence: can mail be sent there, and how surely?
[[nodiscard]] std::string headline(const Report& report);
/// 0 all passes, 1 warnings, 2 failures, 69 the daemon cannot be asked.
[[nodiscard]] int exit_status(const Report& report);

// What is known → tests. Nothing is fetched.
using Note = std::function<void(Test)>;
void test_dnssec(const Report& report, const Note& note);
void test_mx(const Report& report, const Note& note);
void test_expected_mx(const Report& report, const std::string& expected, const Note& note);
void test_addresses(const Report& report, const Json& host, const Note& note);
void test_tlsa(const Report& report, const Json& host, const Note& note);
void test_sts(const Report& report, const std::string& expected, const Note& note);
void test_tlsrpt(const Report& report, const Note& note);
void test_visit(const Report& report, const probe::Observation& seen, const Note& note);
/// Findings that need the visits and the records: what matches nothing, what will.
void test_host_records(const Report& report, const Json& host, const Note& note);

/// A test from the table of diagnoses (check_words.cc): grade, means and todo are there. Requires: a word of the table.
[[nodiscard]] Test diagnosed(std::string_view test, std::string subject, std::string_view diagnosis, std::string seen,
                             const Report& report);
[[nodiscard]] Test passed(std::string_view test, std::string subject, std::string seen);
[[nodiscard]] Test not_tested(std::string_view test, std::string subject, std::string why);

/// Whom to visit. Hosts that a sender would not turn to are not among them.
struct Plan {
    std::vector<probe::Target> targets;
    std::size_t left_out = 0;  ///< beyond most_targets
};
inline constexpr std::size_t most_targets = 60;  ///< addresses of one domain
[[nodiscard]] Plan plan_visits(const Report& report, const CheckArguments& arguments);

// Outputs.
void put_heading(Page& page, const Report& report);
void put_test(Page& page, const Test& test);
void put_verdict(Page& page, const Report& report);
[[nodiscard]] Json check_json(const Report& report);
/// RFC 8460 4.4. `organisation`: this machine's name.
[[nodiscard]] Json tlsrpt_json(const std::vector<Report>& reports, const std::string& organisation);
[[nodiscard]] std::string check_html(const Report& report);
/// The chain of trust as SVG, for the page.
[[nodiscard]] std::string chain_picture(const Report& report);
/// Text from the network in a page: clean, and nothing of it is markup.
[[nodiscard]] std::string html_text(std::string_view text);

/// Asks, visits, prints. Returns the exit status.
[[nodiscard]] int run_check(const CheckArguments& arguments, Colour colour);

}  // namespace mxtrust::client
