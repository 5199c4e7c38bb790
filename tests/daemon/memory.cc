// What the kernel says of our memory, read from made-up files, and what is made of it.
#include "daemon/memory.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <thread>
#include <vector>

#include "base/sanitized.h"
#include "daemon/confine.h"
#include "daemon/process.h"

using namespace mxtrust;
using namespace mxtrust::daemon;
using serve::Restraint;

namespace {

constexpr std::uint64_t mebi = std::uint64_t{1} << 20U;

constexpr std::string_view process_status =
    "Name:\tmxtrustd\nVmPeak:\t  400000 kB\nVmSize:\t  300000 kB\nRssAnon:\t   20480 kB\nRssFile:\t    9000 kB\n"
    "RssShmem:\t    1024 kB\nVmData:\t   81920 kB\nVmStk:\t     132 kB\n";
constexpr std::string_view cgroup2_mount =
    "24 1 0:22 / /proc rw,nosuid - proc proc rw\n30 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - cgroup2 cgroup2 "
    "rw,nsdelegate\n";

/// A machine's files in a folder that goes away.
class Machine {
  public:
    Machine() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mxtrust-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        root_ = pattern;
        write("proc/self/status", process_status);
        write("proc/self/mountinfo", cgroup2_mount);
        write("proc/self/cgroup", "0::/system.slice/mxtrustd.service\n");
    }
    ~Machine() { std::filesystem::remove_all(root_); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    void write(const std::string& path, std::string_view text) const {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path, std::ios::binary) << text;
    }
    void remove(const std::string& path) const { std::filesystem::remove(root_ / path); }
    [[nodiscard]] std::optional<MemoryLimit> nearest() const {
        MemoryMeter::Sources sources;
        sources.root = root_;
        sources.limits = [this] { return limits; };
        sources.unused = [this] { return unused; };
        return MemoryMeter(std::move(sources)).nearest();
    }
    MemoryMeter::ProcessLimits limits;
    std::uint64_t unused = 0;

  private:
    std::filesystem::path root_;
};

struct Group {
    std::string name, directory;
    friend bool operator==(const Group&, const Group&) = default;
};
std::vector<Group> groups_of(std::string_view own, std::string_view mounts) {
    std::vector<Group> all;
    for (const MemoryGroup& group : memory_groups(own, mounts)) all.push_back({group.name, group.directory.string()});
    return all;
}

MonoTime at(int seconds) {
    return MonoTime{std::chrono::seconds{1000 + seconds}};
}

}  // namespace

TEST_CASE("what a process uses is read from its status, and not guessed where a line is missing") {
    CHECK(read_process_memory(process_status) == ProcessMemory{80 * mebi, std::uint64_t{300000} * 1024, 21 * mebi});
    for (const std::string_view line : {"VmSize", "VmData", "RssAnon", "RssShmem"}) {
        std::string without(process_status);
        without.replace(without.find(line), line.size(), "Unknown");
        CAPTURE(line);
        CHECK_FALSE(read_process_memory(without));
    }
    for (const std::string_view value :
         {"x kB", "-1 kB", "5 MB", " kB", "99999999999999999999 kB", "18446744073709551615 kB"}) {
        std::string wrong(process_status);
        wrong.replace(wrong.find("81920 kB"), 8, value);
        CAPTURE(value);
        CHECK_FALSE(read_process_memory(wrong));
    }
    CHECK_FALSE(read_process_memory(""));
}

TEST_CASE("address space that nobody may touch yet is told from what is in use") {
    CHECK(reserved_address_space("7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
                                 "7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n"
                                 "7f0005000000-7f0005001000 ---p 00000000 00:00 0 \n"
                                 "7f0006000000-7f0006001000 r--s 00000000 08:01 7 /lib/---p\n") ==
          0x7f0004000000 - 0x7f0000021000 + 0x1000);
    CHECK(reserved_address_space("") == 0);
    CHECK(reserved_address_space("nonsense\n-5 ---p\n9-1 ---p\nzz-zzz ---p\n") == 0);
}

TEST_CASE("a group's limit is a number; anything else is none") {
    CHECK(read_group_limit("1073741824\n") == 1073741824U);
    CHECK(read_group_limit("0\n") == 0U);
    for (const std::string_view none :
         {"max\n", "", "\n", "1G\n", "9223372036854771712\n", "99999999999999999999999\n"}) {
        CAPTURE(none);
        CHECK_FALSE(read_group_limit(none));
    }
}

TEST_CASE("our control groups are found wherever they are mounted") {
    const std::string_view own = "0::/system.slice/mxtrustd.service\n";
    const std::vector<Group> all{{"/system.slice/mxtrustd.service", "/sys/fs/cgroup/system.slice/mxtrustd.service"},
                                 {"/system.slice", "/sys/fs/cgroup/system.slice"},
                                 {"/", "/sys/fs/cgroup/"}};
    CHECK(groups_of(own, cgroup2_mount) == all);
    SECTION("in a namespace of its own, the root is our group") {
        CHECK(groups_of("0::/\n", cgroup2_mount) == std::vector<Group>{{"/", "/sys/fs/cgroup/"}});
    }
    SECTION("a part of the tree is mounted") {
        const std::string_view part = "30 23 0:26 /system.slice /a\\040b rw - cgroup2 none rw\n";
        CHECK(groups_of(own, part) == std::vector<Group>{{"/system.slice/mxtrustd.service", "/a b/mxtrustd.service"},
                                                         {"/system.slice", "/a b/"}});
        CHECK(groups_of("0::/system.slice\n", part) == std::vector<Group>{{"/system.slice", "/a b/"}});
    }
    SECTION("what the mount does not show is not looked for") {
        CHECK(groups_of("0::/system.slice2/x\n", "30 23 0:26 /system.slice /x rw - cgroup2 none rw\n").empty());
        CHECK(groups_of("0::/../other\n", cgroup2_mount).empty());
        CHECK(groups_of(own, "30 23 0:26 / /x rw - tmpfs none rw\n").empty());
        CHECK(groups_of(own, "").empty());
        CHECK(groups_of("", cgroup2_mount).empty());
        CHECK(groups_of("nonsense\n", "nonsense\n - \na b c - cgroup2 x y\n").empty());
    }
    SECTION("version 1, beside an empty version 2") {
        const std::string_view both =
            "30 23 0:26 / /v2 rw - cgroup2 none rw\n31 23 0:27 / /cpu rw - cgroup none rw,cpu\n"
            "32 23 0:28 / /memory rw shared:1 - cgroup none rw,memory\n";
        CHECK(groups_of("4:memory:/one\n2:cpu:/two\n0::/\n", both) ==
              std::vector<Group>{{"/", "/v2/"}, {"/one", "/memory/one"}, {"/", "/memory/"}});
    }
}

TEST_CASE("a tree of groups without end is not walked") {
    std::string deep = "0::";
    for (int level = 0; level < 1000; ++level) deep += "/x";
    CHECK(memory_groups(deep + "\n", cgroup2_mount).size() == 32);
}

TEST_CASE("of all limits the nearest counts, each by what counts against it") {
    Machine machine;
    const std::string service = "sys/fs/cgroup/system.slice/mxtrustd.service/";
    CHECK_FALSE(machine.nearest());  // no limit is no limit
    machine.write(service + "memory.high", std::to_string(100 * mebi) + "\n");
    machine.write(service + "memory.max", "max\n");
    auto nearest = machine.nearest();
    REQUIRE(nearest);
    CHECK(nearest->name == "memory.high of /system.slice/mxtrustd.service");
    CHECK(nearest->remedy == "MemoryHigh= of the unit");
    CHECK(nearest->used == 21 * mebi);
    CHECK(nearest->percent() == 21);
    SECTION("a group above may be nearer") {
        machine.write("sys/fs/cgroup/system.slice/memory.max", std::to_string(30 * mebi) + "\n");
        nearest = machine.nearest();
        REQUIRE(nearest);
        CHECK(nearest->name == "memory.max of /system.slice");
        CHECK(nearest->percent() == 70);
    }
    SECTION("RLIMIT_DATA, less what malloc has left") {
        machine.limits.data = 90 * mebi;
        machine.unused = 35 * mebi;
        nearest = machine.nearest();
        REQUIRE(nearest);
        CHECK(nearest->name == "RLIMIT_DATA");
        CHECK(nearest->used == 45 * mebi);
        CHECK(nearest->percent() == 50);
        machine.unused = 500 * mebi;  // the two are not read at the same moment
        CHECK(machine.nearest()->name == "memory.high of /system.slice/mxtrustd.service");
    }
    SECTION("RLIMIT_AS, less what is only set aside") {
        machine.limits.address_space = std::uint64_t{300000} * 1024;
        machine.write("proc/self/maps", "10000000-1a000000 ---p 00000000 00:00 0 \n");
        nearest = machine.nearest();
        REQUIRE(nearest);
        CHECK(nearest->name == "RLIMIT_AS");
        CHECK(nearest->used == std::uint64_t{300000} * 1024 - 160 * mebi);
        machine.remove("proc/self/maps");
        CHECK(machine.nearest()->percent() == 100);
    }
    SECTION("a limit of nothing is reached") {
        machine.write(service + "memory.high", "0\n");
        CHECK(machine.nearest()->percent() == 100);
    }
    SECTION("what cannot be read is not known") {
        machine.remove("proc/self/cgroup");
        CHECK_FALSE(machine.nearest());
        machine.limits.data = 90 * mebi;
        CHECK(machine.nearest()->name == "RLIMIT_DATA");
        machine.remove("proc/self/status");
        CHECK_FALSE(machine.nearest());
    }
}

TEST_CASE("this process can be measured") {
    MemoryMeter::Sources own = MemoryMeter::own();
    // A sanitizer's malloc does not say what it keeps free.
    CHECK((own.unused() > 0 || test::is_sanitized));
    own.limits = [] { return MemoryMeter::ProcessLimits{std::uint64_t{1} << 50U, std::uint64_t{1} << 59U}; };
    const auto nearest = MemoryMeter(std::move(own)).nearest();
    REQUIRE(nearest);
    CHECK(nearest->used > 0);
}

TEST_CASE("what is done about short memory is done once, and for as long as it is short") {
    struct Look {
        int second;
        std::uint64_t percent;
        MemoryPressure::Step step;
        bool is_short;
    };
    constexpr auto few = Restraint::few;
    constexpr auto none = Restraint::none;
    const std::vector<Look> looks = {
        {0, 0, {}, false},
        {1, 84, {}, false},
        {2, 85, {true, true, false, few}, true},    // told, let go
        {3, 90, {false, false, false, few}, true},  // not again at once
        {11, 99, {false, false, false, few}, true},
        {12, 99, {true, false, false, few}, true},   // let go again, and not told
        {13, 84, {false, false, false, few}, true},  // between the two nothing changes
        {14, 70, {false, false, false, few}, true},
        {15, 69, {false, false, false, none}, true},  // everybody is let in, and it is not told yet
        {20, 75, {false, false, false, none}, true},  // that was too soon
        {21, 86, {false, false, false, few}, true},
        {22, 86, {true, false, false, few}, true},
        {23, 60, {false, false, false, none}, true},
        {32, 60, {false, false, false, none}, true},
        {33, 60, {false, false, true, none}, false},  // ten seconds long it was enough
        {34, 60, {}, false},
    };
    MemoryPressure pressure;
    for (const Look& look : looks) {
        CAPTURE(look.second, look.percent);
        CHECK(pressure.look(look.percent, false, at(look.second)) == look.step);
        CHECK(pressure.is_short() == look.is_short);
    }
}

TEST_CASE("memory that is refused is short, whatever the limits say") {
    MemoryPressure pressure;
    CHECK(pressure.look(0, true, at(0)) == MemoryPressure::Step{true, true, false, Restraint::few});
    CHECK(pressure.look(0, false, at(1)).restraint == Restraint::none);
    CHECK(pressure.is_short());
    CHECK(pressure.look(0, false, at(11)).tell_enough);
}

TEST_CASE("memory that is short and enough by turns is told less and less often") {
    MemoryPressure pressure;
    std::size_t lines = 0, let_go = 0;
    for (int second = 0; second < 86400; ++second) {
        // Half a minute each; and what is let go of is soon there again.
        const MemoryPressure::Step step = pressure.look(second / 30 % 2 == 0 ? 95 : 40, false, at(second));
        lines += static_cast<std::size_t>(step.tell_short) + static_cast<std::size_t>(step.tell_enough);
        let_go += static_cast<std::size_t>(step.let_go);
    }
    CHECK(lines >= 2);
    CHECK(lines <= 10);
    CHECK(let_go >= 1440);
    CHECK(let_go <= 3 * 1440);
    SECTION("after a quiet time, as at the first") {
        MonoTime now = at(90000);
        for (int second = 0; second < 2000; ++second)
            static_cast<void>(pressure.look(10, false, now += std::chrono::seconds{1}));
        CHECK_FALSE(pressure.is_short());
        CHECK(pressure.look(90, false, now += std::chrono::seconds{1}).tell_short);
        CHECK_FALSE(pressure.look(10, false, now += std::chrono::seconds{1}).tell_enough);
        CHECK(pressure.look(10, false, now += std::chrono::seconds{10}).tell_enough);
    }
}

namespace {

/// One that is set by hand.
class TestClock final : public Clock {
  public:
    [[nodiscard]] MonoTime mono() const override { return now; }
    [[nodiscard]] WallTime wall() const override { return {1795300000}; }
    MonoTime now = at(0);
};

}  // namespace

TEST_CASE("the watch tells in one line each, shows it in the status, and lets go") {
    TestClock clock;
    std::vector<std::string> lines;
    log::Log log(log::Level::info, [&lines](std::string_view line) { lines.emplace_back(line); });
    serve::StatusBoard board(1);
    std::optional<MemoryLimit> limit = MemoryLimit{"RLIMIT_DATA", "LimitDATA= of the unit", 90 * mebi, 100 * mebi};
    std::size_t let_go = 0, reserve = 0;
    std::vector<Restraint> restraints;
    MemoryWatch watch({clock, log, board, [&limit] { return limit; }, [] { return false; }, [&let_go] { ++let_go; },
                       [&restraints](Restraint restraint) { restraints.push_back(restraint); },
                       [&reserve] { ++reserve; }});
    const auto look = [&](int second) {
        clock.now = at(second);
        watch.look();
        return board.status(clock.wall(), clock.mono(), {});
    };
    serve::Status status = look(0);
    CHECK(status.memory.is_short);
    REQUIRE(serve::warnings(status).size() == 1);
    CHECK(serve::warnings(status).front() ==
          "memory is short: 90.0 of 100.0 MiB are in use (RLIMIT_DATA); few questions and connections are taken at a "
          "time until it is less");
    static_cast<void>(look(1));
    CHECK(reserve == 0);
    limit->used = 10 * mebi;
    status = look(2);
    CHECK(status.memory.used == 10 * mebi);
    CHECK(status.memory.most == 100 * mebi);
    CHECK(reserve == 1);
    limit.reset();  // it was lifted
    status = look(12);
    CHECK_FALSE(status.memory.is_short);
    CHECK(status.memory.limit.empty());
    CHECK(serve::warnings(status).empty());
    CHECK(let_go == 1);
    CHECK(restraints == std::vector<Restraint>{Restraint::few, Restraint::none});
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("memory: 90.0 of 100.0 MiB are in use (RLIMIT_DATA): ") != std::string::npos);
    CHECK(lines[0].find("raise LimitDATA= of the unit") != std::string::npos);
    CHECK(lines[1].find("memory: there is enough again") != std::string::npos);
}

TEST_CASE("an allocation that is refused is tried again with the reserve, and ends the process only after that") {
    if (is_sanitized()) {
        WARN("not tried: a sanitizer has its own operator new");
        return;
    }
    // 0: as it should be; the child says which step was not.
    const auto in_child = [](bool twice) {
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            std::signal(SIGABRT, SIG_DFL);
            static_cast<void>(freopen("/dev/null", "w", stderr));
            static_cast<void>(prepare_process());
            if (reserve_octets() == 0 || memory_was_refused()) _exit(1);
            std::ifstream file("/proc/self/status");
            const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            const rlimit limit{read_process_memory(text).value_or(ProcessMemory{}).data, RLIM_INFINITY};
            if (setrlimit(RLIMIT_DATA, &limit) != 0) _exit(2);
            void* first = ::operator new(12 * mebi);
            if (reserve_octets() != 0 || !memory_was_refused() || memory_was_refused()) _exit(3);
            if (twice) ::operator delete(::operator new(64 * mebi));  // does not come back
            ::operator delete(first);
            const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
            if (setrlimit(RLIMIT_DATA, &none) != 0) _exit(4);
            take_reserve();
            _exit(reserve_octets() != 0 ? 0 : 5);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    };
    CHECK(in_child(false) == 0);
    CHECK(in_child(true) == -SIGABRT);
}

TEST_CASE("threads that are refused at the same moment share the reserve, and none of them ends the process") {
    if (is_sanitized()) {
        WARN("not tried: a sanitizer has its own operator new");
        return;
    }
    constexpr int rounds = 200;
    constexpr unsigned threads = 8;
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        static_cast<void>(freopen("/dev/null", "w", stderr));
        mallopt(M_MMAP_THRESHOLD, 64 << 10);  // what is freed is the system's again
        static_cast<void>(prepare_process());
        std::barrier together(threads + 1);
        std::vector<std::jthread> workers;
        for (unsigned number = 0; number < threads; ++number) {
            workers.emplace_back([&together] {
                for (int round = 0; round < rounds; ++round) {
                    together.arrive_and_wait();
                    void* all = ::operator new(mebi);
                    together.arrive_and_wait();
                    ::operator delete(all);
                    together.arrive_and_wait();
                }
            });
        }
        for (int round = 0; round < rounds; ++round) {
            if (reserve_octets() == 0) _exit(1);
            std::ifstream file("/proc/self/status");
            const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            const rlimit limit{read_process_memory(text).value_or(ProcessMemory{}).data, RLIM_INFINITY};
            if (setrlimit(RLIMIT_DATA, &limit) != 0) _exit(2);
            together.arrive_and_wait();
            together.arrive_and_wait();
            if (reserve_octets() != 0 || !memory_was_refused()) _exit(3);
            const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
            if (setrlimit(RLIMIT_DATA, &none) != 0) _exit(4);
            together.arrive_and_wait();
            take_reserve();
        }
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(status == 0);
}
