// What the daemon can still do once it is confined: tried by a child of the test, which then ends.
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "crypto/digest.h"
#include "crypto/library.h"
#include "daemon/confine.h"
#include "daemon/forwarders.h"

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

constexpr int not_confined = 99;

struct Ended {
    int status = 0;  ///< of exit, or -1
    int signal = 0;
    friend bool operator==(const Ended&, const Ended&) = default;
};

/// Runs `act` in a child; what it returns is the child's exit status.
Ended in_child(const std::function<int()>& act) {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);  // the test program has a handler of its own
        _exit(act());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? Ended{-1, WTERMSIG(status)} : Ended{WEXITSTATUS(status), 0};
}

Ended confined(const std::function<int()>& act) {
    return in_child([&act] {
        const Done given_up = give_up_privileges(std::nullopt);
        if (!given_up || !filter_system_calls()) return not_confined;
        return act();
    });
}

/// Says what is not shown to whoever is not root; tests/run is, always.
bool only_root_can_try() {
    if (geteuid() == 0) return false;
    WARN("not tried: only root can give up an account");
    return true;
}

/// The errno of a call, 0 where it succeeded.
int error_of(long result) {
    return result == -1 ? errno : 0;
}

std::string own_status(const std::string& key) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key + ":")) continue;
        const std::size_t begin = line.find_first_not_of(" \t", key.size() + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return {};
}

struct Case {
    const char* what;
    std::function<int()> act;
    Ended expected;
};

void check_all(const std::vector<Case>& cases) {
    for (const Case& each : cases) {
        INFO(each.what);
        const Ended ended = confined(each.act);
        CHECK(ended.status == each.expected.status);
        CHECK(ended.signal == each.expected.signal);
    }
}

int work_in_thread() {
    int worked = 1;
    std::thread([&worked] { worked = own_status("Seccomp") == "2" ? 0 : 2; }).join();
    return worked;
}

/// In a network of its own, in which there is only loopback, and to which all of the address's old class then belongs.
bool give_loopback(const char* address) {
    if (unshare(CLONE_NEWNET) != 0) return false;
    const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo:1");
    auto& given = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    given.sin_family = AF_INET;
    bool good = inet_pton(AF_INET, address, &given.sin_addr) == 1 && ioctl(descriptor, SIOCSIFADDR, &request) == 0;
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    good = good && ioctl(descriptor, SIOCSIFFLAGS, &request) == 0;
    close(descriptor);
    return good;
}

void* write_and_execute() {
    return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

}  // namespace

TEST_CASE("only the service manager's variables survive") {
    const Ended ended = in_child([] {
        for (const char* name : {"OPENSSL_CONF", "SSLKEYLOGFILE", "RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES",
                                 "http_proxy", "SPDLOG_LEVEL", "TMPDIR", "NOTIFY_SOCKET", "WATCHDOG_USEC"})
            setenv(name, "x", 1);
        forget_environment();
        int left = 0;
        for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) ++left;
        const bool kept = std::getenv("NOTIFY_SOCKET") != nullptr && std::getenv("WATCHDOG_USEC") != nullptr;
        return kept ? left : not_confined;
    });
    CHECK(ended == Ended{2, 0});
}

TEST_CASE("privileges that were given up are gone, in every set") {
    const Ended ended = in_child([] {
        if (!give_up_privileges(std::nullopt)) return not_confined;
        for (const char* key : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
            if (own_status(key) != "0000000000000000") return 1;
        }
        if (own_status("NoNewPrivs") != "1") return 2;
        if (is_sanitized()) return 0;
        rlimit core{};
        if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 3;
        return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 4;
    });
    CHECK(ended == Ended{0, 0});
}

TEST_CASE("an account that cannot be had is an error, not a shrug") {
    if (only_root_can_try()) return;
    const Ended ended = in_child([] {
        // Without its capabilities root is nobody: the account does not change.
        if (!give_up_privileges(std::nullopt)) return not_confined;
        const Done done = give_up_privileges(Account{12345, 12345});
        if (done) return 1;
        return done.error().text.empty() ? 2 : 0;
    });
    // The thread sanitizer has a thread of its own, which has kept its capabilities: the C library sees that the
    // account of one thread would change and that of another not, and ends the process.
    const bool aborted = is_sanitized() && ended == Ended{-1, SIGABRT};
    CHECK((ended == Ended{0, 0} || aborted));
}

TEST_CASE("an account is taken for good, with its group and no other") {
    if (only_root_can_try()) return;
    const Ended ended = in_child([] {
        if (!give_up_privileges(Account{12345, 12346})) return not_confined;
        if (own_status("Uid") != "12345\t12345\t12345\t12345" || own_status("Gid") != "12346\t12346\t12346\t12346")
            return 1;
        if (!own_status("Groups").empty()) return 2;
        if (own_status("CapBnd") != "0000000000000000") return 3;
        return setuid(0) == 0 ? 4 : 0;
    });
    CHECK(ended == Ended{0, 0});
}

TEST_CASE("the filter lets the daemon work") {
    if (is_sanitized()) return;
    check_all({
        {"seccomp is on", [] { return own_status("Seccomp") == "2" ? 0 : 1; }, {0, 0}},
        {"threads, filtered like the first", work_in_thread, {0, 0}},
        {"UDP", [] { return error_of(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }, {0, 0}},
        {"TCP", [] { return error_of(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)); }, {0, 0}},
        {"the service manager's socket", [] { return error_of(socket(AF_UNIX, SOCK_DGRAM, 0)); }, {0, 0}},
        {"memory", [] { return std::malloc(std::size_t{1} << 26U) == nullptr ? 1 : 0; }, {0, 0}},
        {"abort", []() -> int { std::abort(); }, {-1, SIGABRT}},
        {"its own end", [] { return 7; }, {7, 0}},
    });
}

TEST_CASE("under the filter, too, a wildcard listens on every address of this machine and on nobody else's") {
    if (is_sanitized() || only_root_can_try()) return;
    const Ended ended = in_child([] {
        if (!give_loopback("192.0.2.7")) return 98;
        const Done given_up = give_up_privileges(std::nullopt);
        if (!given_up || !filter_system_calls()) return not_confined;
        const auto at = [](std::string_view text) { return parse_endpoint(text).value(); };
        if (!is_ours(at("192.0.2.7:53"), {at("0.0.0.0:53")})) return 1;
        if (is_ours(at("198.51.100.8:53"), {at("0.0.0.0:53")})) return 2;
        if (is_ours(at("192.0.2.7:53"), {at("[::]:53")})) return 3;
        return is_ours(at("[2001:db8::7]:53"), {at("[::]:53")}) ? 4 : 0;
    });
    CHECK(ended == Ended{0, 0});
}

TEST_CASE("what nobody needs fails, and the daemon lives on") {
    if (is_sanitized()) return;
    check_all({
        {"raw packets", [] { return error_of(socket(AF_PACKET, SOCK_RAW, 0)); }, {EPERM, 0}},
        {"the kernel's own sockets", [] { return error_of(socket(AF_NETLINK, SOCK_RAW, 0)); }, {EPERM, 0}},
        {"memory to write and execute", [] { return write_and_execute() == MAP_FAILED ? errno : 0; }, {EPERM, 0}},
        {"a signal to another", [] { return error_of(kill(getppid(), 0)); }, {EPERM, 0}},
        {"another's limits",
         [] { return error_of(syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, nullptr, nullptr)); },
         {EPERM, 0}},
        {"a new limit",
         [] {
             const rlimit none{0, 0};
             return error_of(setrlimit(RLIMIT_NOFILE, &none));
         },
         {EPERM, 0}},
        {"being dumpable again", [] { return error_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }, {EPERM, 0}},
        {"another owner", [] { return error_of(chown("/", 1, 1)); }, {EPERM, 0}},
        {"clone3, which the C library does without",
         [] { return error_of(syscall(SYS_clone3, nullptr, 0)); },
         {ENOSYS, 0}},
    });
}

TEST_CASE("what only an intruder would do is the end") {
    if (is_sanitized()) return;
    check_all({
        {"another program",
         [] {
             execl("/bin/true", "true", nullptr);
             return 0;
         },
         {-1, SIGSYS}},
        {"another process", [] { return fork() == -1 ? errno : 0; }, {-1, SIGSYS}},
        {"tracing", [] { return error_of(syscall(SYS_ptrace, 16, getppid(), 0, 0)); }, {-1, SIGSYS}},
        {"another account", [] { return error_of(syscall(SYS_setresuid, 0, 0, 0)); }, {-1, SIGSYS}},
        {"another world", [] { return error_of(syscall(SYS_unshare, 0x10000000)); }, {-1, SIGSYS}},
        {"mounting", [] { return error_of(syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr)); }, {-1, SIGSYS}},
        {"programs in the kernel", [] { return error_of(syscall(SYS_bpf, 0, nullptr, 0)); }, {-1, SIGSYS}},
    });
}

TEST_CASE("the crypto library starts without a configuration of others") {
    const Ended ended = in_child([] {
        // The file is one that the library refuses when it reads it.
        setenv("OPENSSL_CONF", "/proc/self/mem", 1);
        if (!crypto::prepare()) return 1;
        return crypto::sha256(Bytes{1}).size() == 32 ? 0 : 2;
    });
    CHECK(ended == Ended{0, 0});
}
