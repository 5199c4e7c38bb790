// mxtrust: asks the daemon, prints for a person or for a program, exits with the decision.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "client/arguments.h"
#include "client/check.h"
#include "client/connection.h"
#include "client/doctor.h"
#include "client/words.h"
#include "dns/text.h"

namespace {

using namespace mxtrust;
using namespace mxtrust::client;

Colour colour_of_terminal() {
    // https://no-color.org: any value that is not empty.
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    return isatty(STDOUT_FILENO) != 0 && !dumb && (no_colour == nullptr || *no_colour == '\0') ? Colour::on
                                                                                               : Colour::off;
}

int complain(const std::string& text, ExitStatus status) {
    std::cout.flush();
    std::cerr << "mxtrust: " << dns::clean_text(text, 1000) << '\n';
    return status;
}

/// The more serious of two: what cannot be asked, then bounce, then defer.
int worse(int left, int right) {
    return std::max(left, right);
}

int show(const Arguments& arguments, const std::string& line, bool first) {
    const Json reply = Json::parse(line, nullptr, false);
    if (reply.is_discarded()) return complain("mxtrustd said something that is no JSON", unavailable);
    const ExitStatus status = status_of(arguments.command, reply);
    if (arguments.output == Output::json) {
        std::cout << line << '\n';
        return status;
    }
    const Json& error = member(reply, "error");
    if (!error.is_null()) return complain(text_at(error, "text"), status);
    if (!first) std::cout << '\n';
    std::cout << words_of(arguments.command, reply, colour_of_terminal());
    return status;
}

/// For the root's name servers, which are in every cache.
constexpr std::chrono::milliseconds probe_patience{3000};

/// Asks for the status. Returns what went wrong, "" where nothing did.
std::string ask_status(const Arguments& arguments, Facts& facts) {
    auto connection = Connection::open(arguments.socket);
    facts.socket = look_at_socket(arguments.socket, connection.has_value());
    if (!connection) return connection.error().text;
    const auto line = connection->ask(arguments.requests.front(), arguments.patience);
    if (!line) {
        facts.socket.state = SocketFacts::State::hanging;
        return line.error().text;
    }
    Json reply = Json::parse(*line, nullptr, false);
    if (!reply.is_object()) return "mxtrustd said something that is no JSON";
    facts.status = std::move(reply);
    // For the screen; in JSON it is a reply of its own.
    if (arguments.output == Output::words && !arguments.whole) {
        const auto failing = connection->ask(R"({"query":"failing","limit":4})", arguments.patience);
        const Json list = failing ? Json::parse(*failing, nullptr, false) : Json();
        if (list.is_object() && member(list, "failing").is_array()) (*facts.status)["failing"] = list["failing"];
    }
    return text_at(member(*facts.status, "error"), "text");
}

/// Whatever the daemon says or does not say, the machine is looked at, too.
int examine(const Arguments& arguments) {
    std::error_code error;
    if (!std::filesystem::is_directory(arguments.root, error))
        return complain("--root: there is no directory " + arguments.root + ", or this account may not look into it",
                        wrong_usage);
    Facts facts;
    const std::string trouble = ask_status(arguments, facts);
    facts.machine = look_at(arguments.root);
    facts.probes = probe_all(servers_to_probe(facts.machine.resolv), probe_patience);
    const std::vector<Finding> findings = diagnose(facts);
    const int status = !trouble.empty() ? unavailable : is_healthy(findings) ? deliver : defer;
    if (arguments.output == Output::json) {
        Json all = facts.status ? *facts.status : Json::object();
        if (!facts.status) all["error"] = {{"code", "unreachable"}, {"text", trouble}};
        all["doctor"] = doctor_json(facts, findings);
        std::cout << all.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
        return status;
    }
    Page page(colour_of_terminal());
    put_doctor(page, findings);
    if (trouble.empty()) {
        Page screen(colour_of_terminal());
        put_status(screen, *facts.status, arguments.whole ? Detail::whole : Detail::glance);
        std::cout << screen.text();
    }
    std::cout << page.text();
    return trouble.empty() ? status : complain(trouble, unavailable);
}

/// Whoever cannot reach the daemon is told who looks for the cause.
int unreached(const Failure& failure) {
    return complain(failure.text + "; mxtrust status looks why", unavailable);
}

int ask(const Arguments& arguments) {
    auto connection = Connection::open(arguments.socket);
    if (!connection) return unreached(connection.error());
    int status = deliver;
    for (std::size_t index = 0; index < arguments.requests.size(); ++index) {
        auto line = connection->ask(arguments.requests[index], arguments.patience);
        // A daemon that is being restarted closes what it has not taken; the next one takes it.
        if (!line && line.error().kind == FailureKind::unreachable) {
            connection = Connection::open(arguments.socket);
            if (!connection) return unreached(connection.error());
            line = connection->ask(arguments.requests[index], arguments.patience);
        }
        if (!line) return unreached(line.error());
        status = worse(status, show(arguments, *line, index == 0));
    }
    return status;
}

/// Help, version, or what is wrong with the command line.
int tell(const Message& message) {
    (message.is_error ? std::cerr : std::cout) << message.text << std::flush;
    if (message.is_error) return wrong_usage;
    return std::cout ? deliver : complain("the output cannot be written", unavailable);
}

int check(const std::vector<std::string>& words) {
    const auto parsed = parse_check_arguments(words);
    if (const auto* message = std::get_if<Message>(&parsed)) return tell(*message);
    const int status = run_check(std::get<CheckArguments>(parsed), colour_of_terminal());
    std::cout.flush();
    return std::cout ? status : complain("the output cannot be written", unavailable);
}

}  // namespace

int main(int count, char** values) {
    const std::vector<std::string> words(values + 1, values + count);
    if (asks_for_check(words)) return check(words);
    const auto parsed = parse_arguments(words);
    if (const auto* message = std::get_if<Message>(&parsed)) return tell(*message);
    const auto& arguments = std::get<Arguments>(parsed);
    const int status = arguments.command == Command::status ? examine(arguments) : ask(arguments);
    std::cout.flush();
    return std::cout ? status : complain("the output cannot be written", unavailable);
}
