// A report as text, test by test, and the one sentence that it comes to.
#include <algorithm>

#include "client/check.h"
#include "dns/text.h"

namespace mxtrust::client {
namespace {

constexpr std::size_t indent = 13;

Tone tone_of(Grade grade) {
    switch (grade) {
        case Grade::pass:
            return Tone::good;
        case Grade::not_tested:
            return Tone::faint;
        case Grade::warning:
            return Tone::fair;
        case Grade::failure:
            return Tone::bad;
    }
    return Tone::bad;
}

std::string words_of(Grade grade) {
    return grade == Grade::not_tested ? "not tested" : std::string(to_text(grade));
}

std::string title_of(const Test& test) {
    static constexpr std::pair<std::string_view, std::string_view> titles[] = {{"dnssec", "DNSSEC"},
                                                                               {"mx", "MX"},
                                                                               {"expected-mx", "Expected MX"},
                                                                               {"addresses", "Addresses"},
                                                                               {"tlsa", "TLSA"},
                                                                               {"sts", "MTA-STS"},
                                                                               {"tlsrpt", "TLS reports"},
                                                                               {"connect", "Connection"},
                                                                               {"starttls", "STARTTLS"},
                                                                               {"certificate", "Certificate"},
                                                                               {"dane", "DANE"},
                                                                               {"webpki", "Certificate check"}};
    for (const auto& [word, title] : titles)
        if (test.test == word) return std::string(title);
    return test.test;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

void put_part(Page& page, std::string_view head, const std::string& text) {
    if (!text.empty()) page.put(std::string(indent, ' ') + std::string(head), sentence(text), indent + 2);
}

/// Visits that a sender could have delivered at, and all.
std::pair<std::size_t, std::size_t> authenticated(const Report& report) {
    std::size_t good = 0, all = 0;
    for (const probe::Observation& one : report.observations) {
        if (one.visit.trouble == probe::Trouble::no_route) continue;
        ++all;
        const bool judged = probe::judging_of(one.target.action) != probe::Judging::nobody;
        good += judged && one.decisive().trouble == probe::Trouble::none ? 1 : 0;
    }
    return {good, all};
}

bool any_troubled(const Report& report) {
    return std::any_of(report.observations.begin(), report.observations.end(), [](const probe::Observation& one) {
        const probe::Trouble trouble = one.decisive().trouble;
        // Where TLS is not required, its failure stops no mail.
        const bool stops = one.target.action != mail::HostAction::may || !probe::fault_of(trouble);
        return trouble != probe::Trouble::none && trouble != probe::Trouble::no_route && stops;
    });
}

/// Is the trouble everywhere one that comes before TLS?
bool none_reached(const Report& report) {
    return std::all_of(report.observations.begin(), report.observations.end(), [](const probe::Observation& one) {
        const probe::Trouble trouble = one.decisive().trouble;
        return trouble != probe::Trouble::none && !probe::fault_of(trouble);
    });
}

bool all_troubled(const Report& report) {
    bool all = !report.observations.empty();
    for (const probe::Observation& one : report.observations) {
        // A server whose other certificate fails delivers to some.
        const probe::Trouble trouble = one.visit.trouble;
        const bool stops = trouble != probe::Trouble::none &&
                           (one.target.action != mail::HostAction::may || !probe::fault_of(trouble));
        all = all && stops;
    }
    return all;
}

}  // namespace

Grade Report::grade() const {
    Grade worst = Grade::pass;
    for (const Test& test : tests)
        if (test.grade > worst && test.grade != Grade::not_tested) worst = test.grade;
    return trouble.empty() ? worst : Grade::failure;
}

int exit_status(const Report& report) {
    if (!report.trouble.empty()) return unavailable;
    switch (report.grade()) {
        case Grade::pass:
        case Grade::not_tested:
            return 0;
        case Grade::warning:
            return 1;
        case Grade::failure:
            return 2;
    }
    return 2;
}

std::string headline(const Report& report) {
    if (!report.trouble.empty()) return report.trouble;
    const Json& decision = member(report.mail, "decision");
    const std::string action = text_at(decision, "action"), level = text_at(decision, "level");
    const std::string mail = "mail to " + report.domain;
    if (action == "bounce") return mail + " is returned: " + text_at(decision, "text");
    if (action == "defer") return mail + " waits: " + text_at(decision, "text");
    const auto [good, all] = authenticated(report);
    if (all > 0 && none_reached(report))
        return mail + " waits: " + (all == 1 ? "its only server" : "none of its " + std::to_string(all) + " servers") +
               (all == 1 ? " cannot be talked to" : " can be talked to");
    if (all_troubled(report))
        return mail + " waits at every sender that looks: " +
               (all == 1 ? "its only server does not pass" : "none of its " + std::to_string(all) + " servers passes");
    if (any_troubled(report))
        return mail + " is delivered through some of its servers; " + std::to_string(good) + " of " +
               std::to_string(all) + " are authenticated";
    if (all > 0 && good == all && level == "dane" && member(decision, "authenticated") == true)
        return mail + " is authenticated by DANE, at " +
               (all == 1 ? "its only server" : "all " + std::to_string(all) + " servers");
    if (all > 0 && good > 0)
        return mail + " is delivered; " + std::to_string(good) + " of " + counted(all, "server is", "servers are") +
               " authenticated";
    return mail + " is delivered: " + text_at(decision, "text");
}

void put_heading(Page& page, const Report& report) {
    page.put({Piece{report.domain, Tone::strong}}, "", 0);
}

void put_test(Page& page, const Test& test) {
    std::string grade = words_of(test.grade);
    grade.append(indent - 2 - grade.size(), ' ');
    const std::string colon = test.seen.empty() ? "" : ": ";
    page.put({Piece{"  "}, Piece{grade, tone_of(test.grade)}, Piece{title_of(test) + " of ", Tone::plain},
              Piece{unbroken(test.subject)}, Piece{colon}},
             test.seen, indent + 2);
    if (test.grade == Grade::pass || test.grade == Grade::not_tested) return;
    put_part(page, "For senders: ", test.means);
    put_part(page, "To do: ", test.todo);
    if (!test.code.empty())
        put_part(page, "They report: ",
                 test.code + (permanent(test.code) == test.code ? "" : ", in the end " + permanent(test.code)) +
                     (test.tlsrpt.empty() ? "" : "; in TLS reports " + test.tlsrpt));
    for (const std::string& line : test.details)
        page.put(std::string(indent + 2, ' ') + "- ", line, indent + 4, Tone::faint);
}

void put_verdict(Page& page, const Report& report) {
    std::size_t counts[4] = {};
    for (const Test& test : report.tests) ++counts[static_cast<std::size_t>(test.grade)];
    page.put({Piece{"  = " + words_of(report.grade()) + ": ", tone_of(report.grade())}}, sentence(headline(report)), 4);
    page.put("    ",
             counted(counts[0], "pass", "passes") + ", " + counted(counts[2], "warning", "warnings") + ", " +
                 counted(counts[3], "failure", "failures") + ", " + std::to_string(counts[1]) + " not tested",
             4, Tone::faint);
}

}  // namespace mxtrust::client
