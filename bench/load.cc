// Load on the query socket, from one thread: some connections, each with some requests on their way, and for every
// reply how long it took. Prints one line of JSON. Asks `mail` for the domains of a file, in turn; for some seconds, or
// each domain once.
//
//   load SOCKET DOMAINS CONNECTIONS OUTSTANDING SECONDS     (SECONDS 0: every domain once)
//
// Replies are told apart by their id. A reply with "error", or none at all, is an error; what was decided is not judged
// here.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Time = std::chrono::steady_clock::time_point;

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(69);
}

struct Connection {
    int descriptor = -1;
    std::string input;
};

struct Plan {
    std::string socket;
    std::vector<std::string> domains;
    std::size_t connections = 1, outstanding = 1;
    double seconds = 0;
};

class Load {
  public:
    explicit Load(Plan plan) : plan_(std::move(plan)), connections_(plan_.connections) {
        poll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (poll_ < 0) give_up("epoll");
        for (std::size_t index = 0; index < connections_.size(); ++index) connect(index);
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() {
        for (const Connection& connection : connections_) ::close(connection.descriptor);
        ::close(poll_);
    }

    void run() {
        started_ = std::chrono::steady_clock::now();
        end_ = started_ + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(plan_.seconds));
        for (std::size_t round = 0; round < plan_.outstanding; ++round) {
            for (Connection& connection : connections_) ask(connection);
        }
        std::vector<epoll_event> events(connections_.size());
        while (answered_ + errors_ < sent_.size()) {
            const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 35'000);
            if (ready == 0) break;  // no daemon takes longer: what is missing counts as errors
            for (int index = 0; index < ready; ++index) {
                read(connections_[events[static_cast<std::size_t>(index)].data.u64]);
            }
        }
        last_ = std::chrono::steady_clock::now();
    }

    void print() {
        std::sort(took_.begin(), took_.end());
        const double seconds = std::chrono::duration<double>(last_ - started_).count();
        const double mean =
            took_.empty() ? 0 : std::accumulate(took_.begin(), took_.end(), 0.0) / static_cast<double>(took_.size());
        std::printf(
            "{\"answers\":%zu,\"errors\":%zu,\"seconds\":%.6f,\"mean_us\":%.1f,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%"
            "u,"
            "\"max_us\":%u}\n",
            took_.size(), sent_.size() - took_.size(), seconds, mean, percentile(50), percentile(90), percentile(99),
            percentile(100));
    }

  private:
    void connect(std::size_t index) {
        Connection& connection = connections_[index];
        connection.descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (plan_.socket.size() >= sizeof(address.sun_path)) give_up("the socket's path is too long");
        std::memcpy(address.sun_path, plan_.socket.c_str(), plan_.socket.size() + 1);
        // NOLINTNEXTLINE: the socket interface wants it so
        if (::connect(connection.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
            give_up("connect");
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = index;
        if (::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.descriptor, &event) != 0) give_up("epoll");
    }

    [[nodiscard]] bool more() const {
        return plan_.seconds > 0 ? std::chrono::steady_clock::now() < end_ : sent_.size() < plan_.domains.size();
    }

    void ask(Connection& connection) {
        if (!more()) return;
        const std::string& domain = plan_.domains[sent_.size() % plan_.domains.size()];
        const std::string line =
            R"({"query":"mail","domain":")" + domain + R"(","id":)" + std::to_string(sent_.size()) + "}\n";
        sent_.push_back(std::chrono::steady_clock::now());
        // A few hundred octets: the socket's buffer takes them, or the daemon does not read, which is an error of its
        // own.
        if (::send(connection.descriptor, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
            ++errors_;
    }

    void read(Connection& connection) {
        char buffer[65536];
        const ssize_t got = ::recv(connection.descriptor, buffer, sizeof(buffer), 0);
        if (got <= 0) give_up("the daemon closed a connection");
        const Time now = std::chrono::steady_clock::now();
        connection.input.append(buffer, static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = connection.input.find('\n', begin)) != std::string::npos; begin = end + 1) {
            take(std::string_view(connection.input).substr(begin, end - begin), now);
            ask(connection);
        }
        connection.input.erase(0, begin);
    }

    void take(std::string_view line, Time now) {
        const std::size_t place = line.find("\"id\":");
        if (place == std::string_view::npos || line.find("\"error\":{") != std::string_view::npos) {
            ++errors_;
            return;
        }
        const std::size_t id = std::strtoull(line.data() + place + 5, nullptr, 10);
        if (id >= sent_.size()) give_up("an id that was never sent");
        ++answered_;
        took_.push_back(
            static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(now - sent_[id]).count()));
    }

    [[nodiscard]] std::uint32_t percentile(std::size_t percent) const {
        return took_.empty() ? 0 : took_[std::min(took_.size() - 1, took_.size() * percent / 100)];
    }

    Plan plan_;
    std::vector<Connection> connections_;
    std::vector<Time> sent_;
    std::vector<std::uint32_t> took_;
    std::size_t answered_ = 0, errors_ = 0;
    int poll_ = -1;
    Time started_, end_, last_;
};

}  // namespace

int main(int count, char** words) {
    if (count != 6) {
        std::fputs("load SOCKET DOMAINS CONNECTIONS OUTSTANDING SECONDS\n", stderr);
        return 64;
    }
    Plan plan{words[1],
              {},
              std::strtoul(words[3], nullptr, 10),
              std::strtoul(words[4], nullptr, 10),
              std::strtod(words[5], nullptr)};
    std::ifstream file(words[2]);
    for (std::string domain; std::getline(file, domain);) plan.domains.push_back(domain);
    if (plan.domains.empty() || plan.connections == 0 || plan.outstanding == 0) {
        std::fputs("nothing to ask\n", stderr);
        return 64;
    }
    Load load(std::move(plan));
    load.run();
    load.print();
    return 0;
}
