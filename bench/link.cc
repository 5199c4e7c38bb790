// A link with latency between two network namespaces, in user space: kernels without netem have it, too. Makes two TUN
// devices, carries every IPv4 packet from one to the other after a delay, and counts and drops as it is told.
//
//   bench_link DEVICE-A DEVICE-B DELAY-MICROSECONDS
//
// The devices are left in the namespace it was started in; whoever started it moves them, once it has said "ready".
// Commands on standard input, a line each, answered by a line of JSON:
//
//   stats          what has been carried since the last `reset`: packets and octets each way, queries to port 53
//   reset          begins to count anew
//   drop ADDRESS   nothing reaches this address any more
//   drop-type N    queries for this type of record do not get through
//   clear          everything gets through again
//
// Ends with its standard input.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_octets = 65536;
constexpr std::size_t most_waiting = 200'000;  // packets on their way, each direction; a real line has an end, too

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "bench_link: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(69);
}

int make_device(const char* name) {
    const int descriptor = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) give_up("/dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (::ioctl(descriptor, TUNSETIFF, &request) != 0) give_up(name);
    return descriptor;
}

struct Packet {
    Clock::time_point due;
    std::vector<char> octets;
};

struct Way {
    int from = -1, to = -1;
    std::deque<Packet> waiting{};
    std::uint64_t packets = 0, octets = 0, dropped = 0;
};

struct Query {
    std::uint32_t destination = 0;
    std::uint16_t type = 0;
};

class Link {
  public:
    Link(const char* a, const char* b, std::chrono::microseconds delay) : delay_(delay) {
        const int one = make_device(a), two = make_device(b);
        ways_[0].from = ways_[1].to = one;
        ways_[0].to = ways_[1].from = two;
    }

    void run() {
        std::puts("ready");
        std::fflush(stdout);
        while (true) {
            pollfd watched[3] = {{ways_[0].from, POLLIN, 0}, {ways_[1].from, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
            const timespec span = until_next();
            if (::ppoll(watched, 3, &span, nullptr) < 0 && errno != EINTR) give_up("poll");
            for (Way& way : ways_) take(way);
            for (Way& way : ways_) give(way);
            if (watched[2].revents != 0 && !obey()) return;
        }
    }

  private:
    timespec until_next() const {
        auto span = std::chrono::nanoseconds(std::chrono::milliseconds(200));
        const auto now = Clock::now();
        for (const Way& way : ways_) {
            if (!way.waiting.empty())
                span = std::min(span, std::max(std::chrono::nanoseconds(0),
                                               std::chrono::nanoseconds(way.waiting.front().due - now)));
        }
        return {0, static_cast<long>(span.count())};
    }

    void take(Way& way) {
        for (int burst = 0; burst < 64; ++burst) {
            const ssize_t got = ::read(way.from, buffer_.data(), buffer_.size());
            if (got <= 0) return;
            const auto length = static_cast<std::size_t>(got);
            if (!may_pass(length) || way.waiting.size() >= most_waiting) {
                ++way.dropped;
                continue;
            }
            ++way.packets;
            way.octets += length;
            way.waiting.push_back({Clock::now() + delay_, {buffer_.begin(), buffer_.begin() + got}});
        }
    }

    static void give(Way& way) {
        const auto now = Clock::now();
        while (!way.waiting.empty() && way.waiting.front().due <= now) {
            const std::vector<char>& octets = way.waiting.front().octets;
            if (::write(way.to, octets.data(), octets.size()) < 0) ++way.dropped;  // the device is down, or moving
            way.waiting.pop_front();
        }
    }

    [[nodiscard]] unsigned octet(std::size_t place) const { return static_cast<unsigned char>(buffer_[place]); }
    [[nodiscard]] std::uint16_t word(std::size_t place) const {
        return static_cast<std::uint16_t>(octet(place) << 8 | octet(place + 1));
    }

    /// Counts queries; says whether the packet in the buffer gets through.
    bool may_pass(std::size_t length) {
        if (length < 20 || octet(0) >> 4 != 4) return false;
        const std::size_t head = (octet(0) & 15u) * 4;
        const std::uint32_t to = static_cast<std::uint32_t>(word(16)) << 16 | word(18);
        if (dead_.contains(to)) return false;
        constexpr unsigned udp = 17, tcp = 6;
        if (length < head + 8 || word(head + 2) != 53) return true;
        if (octet(9) == tcp) {
            if (length >= head + 14 && (octet(head + 13) & 2u) != 0) ++connections_;
            return true;
        }
        if (octet(9) != udp) return true;
        std::size_t place = head + 8 + 12;  // behind the DNS header
        while (place < length && octet(place) != 0) place += 1 + octet(place);
        if (place + 2 >= length) return true;
        const std::uint16_t type = word(place + 1);
        ++queries_;
        return !lost_.contains(type);
    }

    bool obey() {
        char line[256];
        const ssize_t got = ::read(STDIN_FILENO, line, sizeof(line));
        if (got <= 0) return false;
        commands_.append(line, static_cast<std::size_t>(got));
        for (std::size_t end; (end = commands_.find('\n')) != std::string::npos; commands_.erase(0, end + 1))
            answer(commands_.substr(0, end));
        return true;
    }

    void answer(const std::string& command) {
        const std::size_t space = command.find(' ');
        const std::string verb = command.substr(0, space);
        const std::string argument = space == std::string::npos ? "" : command.substr(space + 1);
        in_addr address{};
        if (verb == "reset") {
            for (Way& way : ways_) way.packets = way.octets = way.dropped = 0;
            queries_ = connections_ = 0;
        } else if (verb == "drop" && ::inet_pton(AF_INET, argument.c_str(), &address) == 1) {
            dead_.insert(ntohl(address.s_addr));
        } else if (verb == "drop-type" && std::atoi(argument.c_str()) > 0) {
            lost_.insert(static_cast<std::uint16_t>(std::atoi(argument.c_str())));
        } else if (verb == "clear") {
            dead_.clear();
            lost_.clear();
        } else if (verb != "stats") {
            std::printf("{\"error\":\"stats, reset, drop ADDRESS, drop-type N, clear\"}\n");
            std::fflush(stdout);
            return;
        }
        std::printf(
            "{\"packets\":[%llu,%llu],\"octets\":[%llu,%llu],\"dropped\":[%llu,%llu],\"queries\":%llu,\"connections\":%"
            "llu}\n",
            number(ways_[0].packets), number(ways_[1].packets), number(ways_[0].octets), number(ways_[1].octets),
            number(ways_[0].dropped), number(ways_[1].dropped), number(queries_), number(connections_));
        std::fflush(stdout);
    }
    static unsigned long long number(std::uint64_t value) { return value; }

    std::chrono::microseconds delay_;
    Way ways_[2];
    std::vector<char> buffer_ = std::vector<char>(most_octets);
    std::set<std::uint32_t> dead_;
    std::set<std::uint16_t> lost_;
    std::uint64_t queries_ = 0, connections_ = 0;
    std::string commands_;
};

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        std::fputs("bench_link DEVICE-A DEVICE-B DELAY-MICROSECONDS\n", stderr);
        return 64;
    }
    Link(words[1], words[2], std::chrono::microseconds(std::atoll(words[3]))).run();
    return 0;
}
