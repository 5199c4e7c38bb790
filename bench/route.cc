// Asks a resolver over DNS what a sending mail server asks before it can deliver: MX, the addresses of every host, and
// TLSA of each host whose addresses are authentic (RFC 7672 2.2). One UDP socket, many routes on their way. Prints one
// line of JSON.
//
//   bench_route ADDRESS PORT DOMAINS MODE AT-ONCE SECONDS     (SECONDS 0: every domain once)
//
// MODE: `sequential`, one question after the other, as Postfix asks; `pipelining`, all that can be asked at once; or
// `plain`, the MX question only. A route with a question that failed, or that nobody answered, counts as an error.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "dns/message.h"

namespace {

using namespace mxtrust;
using dns::Type;
using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds patience{15};
enum class Mode { sequential, pipelining, plain };

struct Host {
    dns::Name name;
    int families_left = 2;
    bool authentic = false;
};
struct Question {
    dns::Name name;
    Type type{};
    std::size_t host = 0;
};
struct Route {
    bool busy = false;
    bool failed = false;
    Time begun;
    std::vector<Host> hosts;
    std::deque<Question> to_ask;
    int on_their_way = 0;
};
struct Sent {
    std::size_t route = 0;
    Question question;
    bool open = false;
    Time when;
};

class Asker {
  public:
    Asker(int socket, std::vector<dns::Name> domains, Mode mode, std::size_t at_once, double seconds)
        : socket_(socket),
          domains_(std::move(domains)),
          mode_(mode),
          routes_(at_once),
          seconds_(seconds),
          sent_(65536) {}

    void run() {
        begun_ = std::chrono::steady_clock::now();
        for (std::size_t route = 0; route < routes_.size(); ++route) begin(route);
        std::vector<std::uint8_t> buffer(65536);
        Time looked = begun_;
        while (busy_ > 0) {
            pollfd watched{socket_, POLLIN, 0};
            ::poll(&watched, 1, 100);
            const Time now = std::chrono::steady_clock::now();
            for (ssize_t got = 0; (got = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
                take({buffer.data(), static_cast<std::size_t>(got)}, now);
            if (now - looked > std::chrono::milliseconds(100)) {
                looked = now;
                give_up_on_old(now);
            }
        }
        ended_ = std::chrono::steady_clock::now();
    }

    void print() {
        std::sort(took_.begin(), took_.end());
        const double seconds = std::chrono::duration<double>(ended_ - begun_).count();
        const double mean =
            took_.empty() ? 0 : std::accumulate(took_.begin(), took_.end(), 0.0) / static_cast<double>(took_.size());
        std::printf(
            "{\"answers\":%zu,\"questions\":%zu,\"errors\":%zu,\"seconds\":%.6f,\"mean_us\":%.1f,\"p50_us\":%u,\"p90_"
            "us\":%u,"
            "\"p99_us\":%u,\"max_us\":%u}\n",
            took_.size(), asked_, errors_, seconds, mean, percentile(50), percentile(90), percentile(99),
            percentile(100));
    }

  private:
    [[nodiscard]] bool more() const {
        if (seconds_ == 0) return next_ < domains_.size();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count() < seconds_;
    }

    void begin(std::size_t number) {
        Route& route = routes_[number];
        if (!more()) return;
        route = Route{};
        route.busy = true;
        ++busy_;
        route.begun = std::chrono::steady_clock::now();
        route.to_ask.push_back({domains_[next_++ % domains_.size()], Type::mx, 0});
        go_on(number);
    }

    void go_on(std::size_t number) {
        Route& route = routes_[number];
        while (!route.to_ask.empty() && (mode_ == Mode::pipelining || route.on_their_way == 0)) {
            const Question question = route.to_ask.front();
            route.to_ask.pop_front();
            ask(number, question);
            ++route.on_their_way;
        }
        if (route.on_their_way > 0) return;
        const auto took = std::chrono::steady_clock::now() - route.begun;
        took_.push_back(
            static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
        if (route.failed) ++errors_;
        route.busy = false;
        --busy_;
        begin(number);
    }

    void ask(std::size_t number, const Question& question) {
        do ++id_;
        while (sent_[id_].open);
        dns::Message message;
        message.id = id_;
        message.recursion_desired = true;
        message.authentic_data = true;
        message.question = dns::Question{question.name, question.type, dns::Class::in, {}};
        message.edns.emplace();
        const Bytes wire = dns::render_message(message);
        sent_[id_] = {number, question, true, std::chrono::steady_clock::now()};
        ++asked_;
        if (::send(socket_, wire.data(), wire.size(), 0) < 0) std::perror("send");
    }

    void take(BytesView wire, Time) {
        const auto message = dns::parse_message(wire);
        if (!message || !message->response || !sent_[message->id].open) return;
        Sent& sent = sent_[message->id];
        sent.open = false;
        learn(sent.route, sent.question, *message);
    }

    void learn(std::size_t number, const Question& question, const dns::Message& message) {
        Route& route = routes_[number];
        --route.on_their_way;
        if (message.rcode != dns::Rcode::noerror && message.rcode != dns::Rcode::nxdomain) route.failed = true;
        if (question.type == Type::mx && mode_ != Mode::plain) {
            for (const dns::Record& record : message.answer) {
                if (record.type != Type::mx) continue;
                const auto mx = dns::parse_mx(record.rdata);
                if (!mx) continue;
                route.to_ask.push_back({mx->exchange, Type::a, route.hosts.size()});
                route.to_ask.push_back({mx->exchange, Type::aaaa, route.hosts.size()});
                route.hosts.push_back({mx->exchange});
            }
        } else if (question.type == Type::a || question.type == Type::aaaa) {
            Host& host = route.hosts[question.host];
            if (message.authentic_data && !message.answer.empty()) host.authentic = true;
            if (--host.families_left == 0 && host.authentic) {
                if (const auto tlsa = dns::Name::from_text("_25._tcp." + host.name.to_text() + "."))
                    route.to_ask.push_back({*tlsa, Type::tlsa, question.host});
            }
        }
        go_on(number);
    }

    void give_up_on_old(Time now) {
        for (Sent& sent : sent_) {
            if (!sent.open || now - sent.when < patience) continue;
            sent.open = false;
            routes_[sent.route].failed = true;
            dns::Message nothing;
            nothing.rcode = dns::Rcode::servfail;
            learn(sent.route, sent.question, nothing);
        }
    }

    [[nodiscard]] std::uint32_t percentile(std::size_t percent) const {
        return took_.empty() ? 0 : took_[std::min(took_.size() - 1, took_.size() * percent / 100)];
    }

    int socket_;
    std::vector<dns::Name> domains_;
    Mode mode_;
    std::vector<Route> routes_;
    double seconds_;
    std::vector<Sent> sent_;
    std::uint16_t id_ = 0;
    std::size_t next_ = 0, busy_ = 0, asked_ = 0, errors_ = 0;
    std::vector<std::uint32_t> took_;
    Time begun_, ended_;
};

int connect_to(const char* address, const char* port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    if (::inet_pton(AF_INET, address, &to.sin_addr) != 1) return -1;
    const int made = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int room = 8 << 20;
    ::setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    // NOLINTNEXTLINE: the socket interface wants it so
    return ::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? made : -1;
}

}  // namespace

int main(int count, char** words) {
    const std::string_view mode = count == 7 ? words[4] : "";
    if (mode != "sequential" && mode != "pipelining" && mode != "plain") {
        std::fputs("bench_route ADDRESS PORT DOMAINS sequential|pipelining|plain AT-ONCE SECONDS\n", stderr);
        return 64;
    }
    std::vector<dns::Name> domains;
    std::ifstream file(words[3]);
    for (std::string line; std::getline(file, line);) {
        if (const auto name = dns::Name::from_text(line + ".")) domains.push_back(*name);
    }
    const int socket = connect_to(words[1], words[2]);
    const std::size_t at_once = std::strtoul(words[5], nullptr, 10);
    if (domains.empty() || socket < 0 || at_once == 0) {
        std::fputs("bench_route: nothing to ask, or nobody\n", stderr);
        return 64;
    }
    Asker asker(socket, std::move(domains),
                mode == "plain"        ? Mode::plain
                : mode == "sequential" ? Mode::sequential
                                       : Mode::pipelining,
                at_once, std::strtod(words[6], nullptr));
    asker.run();
    asker.print();
    ::close(socket);
    return 0;
}
