// Asks the daemon, visits the servers, prints as it goes. Several servers, and in a batch several domains, are visited
// side by side, each by a thread of its own; what is printed comes in order.
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "client/check.h"
#include "client/connection.h"
#include "dns/text.h"
#include "probe/socket.h"

namespace mxtrust::client {
namespace {

/// The daemon's own deadline, and time to render and send.
constexpr std::chrono::milliseconds deadline{15000}, patience{20000};
constexpr std::size_t servers_at_once = 8, domains_at_once = 4;
/// A list of domains for a cron job; more is a file that was not meant.
constexpr std::size_t most_batch_lines = 100000;
constexpr int cannot_write = 73;  // EX_CANTCREAT

std::string own_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    std::string text(name.data());
    for (const char octet : text) {
        const bool plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                           (octet >= '0' && octet <= '9') || octet == '-' || octet == '.';
        if (!plain) return "localhost";
    }
    return text.empty() ? "localhost" : text;
}

class Checking {
  public:
    Checking(const CheckArguments& arguments, const Clock& clock, const std::string& name)
        : arguments_(arguments), clock_(clock), name_(name) {}

    /// `shown` is told of each test as it finishes.
    Report run(const std::string& domain, const Note& shown) {
        Report report;
        report.domain = dns::clean_text(domain, 300);
        report.port = arguments_.port;
        report.time = clock_.wall().seconds;
        const Note note = [&report, &shown](Test test) {
            shown(test);
            report.tests.push_back(std::move(test));
        };
        examine(report, domain, note);
        report.ended = clock_.wall().seconds;
        return report;
    }

  private:
    Json ask(const Json& question, std::string& trouble) {
        auto connection = Connection::open(arguments_.socket);
        if (!connection) return trouble = connection.error().text, Json();
        const auto line = connection->ask(question.dump(-1, ' ', false, Json::error_handler_t::replace), patience);
        if (!line) return trouble = line.error().text, Json();
        Json reply = Json::parse(*line, nullptr, false);
        if (!reply.is_object()) return trouble = "mxtrustd said something that is no JSON", Json();
        const std::string error = text_at(member(reply, "error"), "text");
        if (!error.empty()) return trouble = error, Json();
        return reply;
    }

    Json question(std::string_view verb) const {
        Json json;
        json["query"] = verb;
        json["deadline_ms"] = deadline.count();
        return json;
    }

    Json ask_mail(const std::string& domain, std::string& trouble) {
        Json json = question("mail");
        json["domain"] = domain;
        json["port"] = arguments_.port;
        // Whoever has just mended something wants to see it.
        json["refresh"] = true;
        return ask(json, trouble);
    }

    Json ask_explain(const std::string& domain) {
        std::string trouble;
        Json json = question("explain");
        const bool plain = domain.find(':') == std::string::npos;
        json["domain"] = domain + (plain && arguments_.port != 25 ? ":" + std::to_string(arguments_.port) : "");
        return ask(json, trouble);
    }

    Json ask_text(const std::string& name) {
        std::string trouble;
        Json json = question("rrset");
        json["name"] = name;
        json["type"] = "TXT";
        return ask(json, trouble);
    }

    void examine(Report& report, const std::string& domain, const Note& note) {
        report.mail = ask_mail(domain, report.trouble);
        if (!report.trouble.empty()) return;
        report.domain = text_at(report.mail, "domain");
        report.port = static_cast<std::uint16_t>(number_at(report.mail, "port"));
        report.explain = ask_explain(report.domain);
        test_dnssec(report, note);
        test_mx(report, note);
        choose_host(report, note);
        test_expected_mx(report, arguments_.expected_mx, note);
        for (const Json& host : hosts(report)) test_addresses(report, host, note);
        if (arguments_.depth == Depth::dnssec) return;
        for (const Json& host : hosts(report)) test_tlsa(report, host, note);
        if (member(report.mail, "mx").is_object()) test_policies(report, note);
        if (arguments_.depth == Depth::probe) visit(report, note);
        for (const Json& host : hosts(report)) test_host_records(report, host, note);
    }

    void test_policies(Report& report, const Note& note) {
        // A port belongs to the next-hop, not to the domain.
        const std::string domain = report.domain.substr(0, report.domain.find(':'));
        report.sts_record = ask_text("_mta-sts." + domain);
        report.tlsrpt_record = ask_text("_smtp._tls." + domain);
        test_sts(report, arguments_.expected_mx, note);
        test_tlsrpt(report, note);
    }

    /// The hosts that are looked at: all, or the one of --mx.
    std::vector<Json> hosts(const Report& report) const {
        std::vector<Json> chosen;
        const Json& all = member(report.mail, "hosts");
        for (const Json& host : all.is_array() ? all : Json::array())
            if (arguments_.host.empty() || text_at(host, "name") == arguments_.host) chosen.push_back(host);
        return chosen;
    }

    void choose_host(Report& report, const Note& note) {
        if (arguments_.host.empty() || !hosts(report).empty()) return;
        std::string trouble;
        const std::string hop = "[" + arguments_.host + "]";
        const Json alone = ask_mail(hop, trouble);
        const Json explained = ask_explain(hop);
        note(not_tested("mx", arguments_.host,
                        trouble.empty() ? "MX does not name it; it is looked at as a next-hop of its own" : trouble));
        if (!alone.is_object()) return;
        report.mail["hosts"] = member(alone, "hosts");
        if (explained.is_object()) report.explain["hosts"] = member(explained, "hosts");
    }

    void visit(Report& report, const Note& note) {
        Plan plan = plan_visits(report, arguments_);
        for (const Json& host : hosts(report)) {
            const std::string action = text_at(member(host, "policy"), "action");
            if (action == "skip" || action == "unreachable")
                note(not_tested("connect", text_at(host, "name"), "a sender would not connect: " + action));
        }
        if (plan.targets.empty() && !arguments_.address.empty())
            note(not_tested("connect", arguments_.address, "no host has this address; name the host with --mx"));
        if (plan.left_out > 0)
            note(not_tested("connect", report.domain,
                            std::to_string(plan.left_out) + " more addresses are not visited"));
        visit_all(report, std::move(plan.targets), note);
    }

    void visit_all(Report& report, std::vector<probe::Target> targets, const Note& note) {
        std::mutex mutex;
        std::condition_variable finished;
        std::size_t next = 0;
        std::vector<std::optional<probe::Observation>> seen(targets.size());
        probe::SocketConnector connector(clock_);
        probe::Options options;
        options.ehlo_name = name_;
        options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(arguments_.timeout);
        auto work = [&] {
            for (;;) {
                std::unique_lock lock(mutex);
                if (next == targets.size()) return;
                const std::size_t mine = next++;
                lock.unlock();
                probe::Observation one = probe::probe(targets[mine], connector, clock_, options);
                lock.lock();
                seen[mine] = std::move(one);
                finished.notify_one();
            }
        };
        std::vector<std::jthread> threads;
        for (std::size_t count = 0; count < std::min(servers_at_once, targets.size()); ++count)
            threads.emplace_back(work);
        for (std::size_t index = 0; index < targets.size(); ++index) {
            std::unique_lock lock(mutex);
            if (!seen[index]) say_waiting(targets[index].host, index, targets.size());
            finished.wait(lock, [&seen, index] { return seen[index].has_value(); });
            report.observations.push_back(*seen[index]);
            lock.unlock();
            test_visit(report, report.observations.back(), note);
        }
    }

    /// On a terminal only; the next line of the report is written over it.
    void say_waiting(const std::string& host, std::size_t index, std::size_t count) const {
        if (!arguments_.batch.empty() || arguments_.output != CheckOutput::words || isatty(STDERR_FILENO) == 0) return;
        std::cerr << "  … " << dns::clean_text(host, 60) << ", server " << index + 1 << " of " << count << "\r"
                  << std::flush;
    }

    const CheckArguments& arguments_;
    const Clock& clock_;
    const std::string& name_;
};

int complain(const std::string& text, int status) {
    std::cout.flush();
    std::cerr << "mxtrust: " << dns::clean_text(text, 1000) << '\n';
    return status;
}

int write_page(const CheckArguments& arguments, const Report& report) {
    if (arguments.html.empty() || !report.trouble.empty()) return 0;
    std::ofstream file(arguments.html, std::ios::binary | std::ios::trunc);
    file << check_html(report);
    file.close();
    return file ? 0 : complain(arguments.html + " cannot be written", cannot_write);
}

void show(const CheckArguments& arguments, const Report& report, Colour colour) {
    if (arguments.output == CheckOutput::json) {
        std::cout << check_json(report).dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
    } else if (arguments.output == CheckOutput::words && report.trouble.empty()) {
        Page page(colour);
        put_verdict(page, report);
        std::cout << page.text() << std::flush;
    }
    if (!report.trouble.empty()) complain(report.domain + ": " + report.trouble, unavailable);
}

int one_by_one(const CheckArguments& arguments, const Clock& clock, Colour colour, std::vector<Report>& reports) {
    const std::string name = own_name();
    int status = 0;
    for (const std::string& domain : arguments.domains) {
        Checking checking(arguments, clock, name);
        bool begun = false;
        const Report report = checking.run(domain, [&](const Test& test) {
            if (arguments.output != CheckOutput::words) return;
            Page page(colour);
            if (!begun) page.put({Piece{dns::clean_text(domain, 300), Tone::strong}}, "", 0);
            begun = true;
            put_test(page, test);
            if (isatty(STDERR_FILENO) != 0) std::cerr << "\x1b[K" << std::flush;
            // Each as it finishes: through a pipe, too.
            std::cout << page.text() << std::flush;
        });
        show(arguments, report, colour);
        status = std::max({status, exit_status(report), write_page(arguments, report)});
        reports.push_back(report);
    }
    return status;
}

Result<std::vector<std::string>> read_batch(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(FailureKind::system, "IBAT"_code, path + " cannot be read");
    std::vector<std::string> domains;
    for (std::string line; std::getline(file, line);) {
        line = line.substr(0, line.find('#'));
        const std::size_t begin = line.find_first_not_of(" \t\r"), end = line.find_last_not_of(" \t\r");
        if (begin == std::string::npos) continue;
        domains.push_back(line.substr(begin, end - begin + 1));
        if (domains.size() > most_batch_lines)
            return fail(FailureKind::budget, "IBTL"_code,
                        path + " has more than " + std::to_string(most_batch_lines) + " domains");
    }
    return domains;
}

/// A domain of a batch: its verdict, and what does not pass.
void show_short(const Report& report, Colour colour) {
    Page page(colour);
    put_heading(page, report);
    for (const Test& test : report.tests) {
        if (test.grade != Grade::failure && test.grade != Grade::warning) continue;
        Test brief = test;
        brief.details.clear();
        put_test(page, brief);
    }
    if (report.trouble.empty()) put_verdict(page, report);
    std::cout << page.text() << std::flush;
}

void show_summary(const std::vector<Report>& reports, Colour colour) {
    std::size_t counts[3] = {}, unasked = 0;
    for (const Report& report : reports) {
        if (!report.trouble.empty())
            ++unasked;
        else
            ++counts[std::min(exit_status(report), 2)];
    }
    Page page(colour);
    page.blank();
    page.put(std::to_string(reports.size()) + " domains: ",
             std::to_string(counts[0]) + " pass, " + std::to_string(counts[1]) + " with warnings, " +
                 std::to_string(counts[2]) + " with failures, " + std::to_string(unasked) + " not checked",
             2, Tone::strong);
    std::cout << page.text();
}

int batch(const CheckArguments& arguments, const Clock& clock, Colour colour, std::vector<Report>& reports) {
    const Result<std::vector<std::string>> domains = read_batch(arguments.batch);
    if (!domains) return complain(domains.error().text, cannot_write);
    const std::string name = own_name();
    std::mutex mutex;
    std::size_t next = 0;
    int status = 0;
    auto work = [&] {
        for (;;) {
            std::unique_lock lock(mutex);
            if (next == domains->size()) return;
            const std::string& domain = (*domains)[next++];
            lock.unlock();
            Checking checking(arguments, clock, name);
            Report report = checking.run(domain, [](const Test&) {});
            lock.lock();
            status = std::max(status, exit_status(report));
            if (arguments.output == CheckOutput::words) show_short(report, colour);
            if (arguments.output == CheckOutput::json || !report.trouble.empty()) show(arguments, report, colour);
            // Thousands of chains of trust need not be remembered for a summary.
            report.explain = Json();
            if (arguments.output != CheckOutput::tlsrpt) report.mail = Json();
            reports.push_back(std::move(report));
            std::cerr << reports.size() << "/" << domains->size() << " " << reports.back().domain << ": "
                      << to_text(reports.back().grade()) << std::endl;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t count = 0; count < std::min(domains_at_once, domains->size()); ++count)
            threads.emplace_back(work);
    }
    if (arguments.output == CheckOutput::words) show_summary(reports, colour);
    return status;
}

}  // namespace

int run_check(const CheckArguments& arguments, Colour colour) {
    const SystemClock clock;
    std::vector<Report> reports;
    const int status = arguments.batch.empty() ? one_by_one(arguments, clock, colour, reports)
                                               : batch(arguments, clock, colour, reports);
    std::erase_if(reports, [](const Report& report) { return !report.trouble.empty(); });
    if (arguments.output == CheckOutput::tlsrpt && !reports.empty())
        std::cout << tlsrpt_json(reports, own_name()).dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
    return status;
}

}  // namespace mxtrust::client
