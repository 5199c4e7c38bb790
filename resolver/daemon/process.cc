// POSIX, in the order in which a daemon starts.
#include "daemon/process.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <system_error>
#include <utility>

#include "base/require.h"

namespace mxtrust::daemon {
namespace {

std::string system_text(int error) {
    return std::generic_category().message(error);
}

sigset_t our_signals() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ours, number);
    return ours;
}

/// As much as some thousand questions take in the second until somebody looks.
constexpr std::size_t reserve_size = std::size_t{16} << 20U;

/// What a handler without arguments has to know.
struct Reserve {
    std::atomic<void*> held{nullptr};
    std::atomic<bool> refused{false};
    std::atomic<unsigned> given_up{0};  ///< how often
    std::atomic_flag giving_up;         ///< by one thread at a time
};

Reserve& reserve() {
    static constinit Reserve one;
    return one;
}

/// Nothing can be answered without memory, and half a change must not be kept: the service manager starts us again, and
/// the cache is there. Takes no memory itself.
[[noreturn]] void end_without_memory() {
    static constexpr char line[] = "system trouble: there is no memory left; mxtrustd ends, to be started again\n";
    static_cast<void>(!write(STDERR_FILENO, line, sizeof line - 1));
    std::abort();
}

/// An allocation was refused. Returns where it is worth another try. Takes no memory itself.
void make_do() {
    thread_local constinit unsigned seen = 0;
    // Who is refused while another thread is just giving it up waits for that, which is a system call long.
    while (reserve().giving_up.test_and_set(std::memory_order_acquire)) sched_yield();
    if (reserve().given_up.load() == seen) {
        void* held = reserve().held.exchange(nullptr);
        if (held == nullptr || munmap(held, reserve_size) != 0) end_without_memory();
        reserve().refused = true;
        ++reserve().given_up;
    }
    // Else somebody else gave it up since this thread was last refused. Either way there may be room again.
    seen = reserve().given_up.load();
    reserve().giving_up.clear(std::memory_order_release);
}

}  // namespace

Result<std::optional<Account>> find_account(const ServerKeys& keys, const Origin& origin) {
    if (keys.user.empty()) return std::nullopt;
    const passwd* user = getpwnam(keys.user.c_str());
    if (user == nullptr)
        return fail(FailureKind::malformed, "AUSR"_code,
                    origin.place("server", "user") + "there is no account \"" + keys.user + "\" on this machine");
    Account account{user->pw_uid, user->pw_gid};
    if (keys.group.empty()) return account;
    const group* its_group = getgrnam(keys.group.c_str());
    if (its_group == nullptr) {
        return fail(FailureKind::malformed, "AGNO"_code,
                    origin.place("server", "group") + "there is no group \"" + keys.group + "\" on this machine");
    }
    account.group = its_group->gr_gid;
    return account;
}

Done make_state_directory(const std::filesystem::path& directory, const std::optional<Account>& account) {
    if (mkdir(directory.c_str(), 0700) == 0) {
        if (account && geteuid() == 0 && chown(directory.c_str(), account->user, account->group) != 0) {
            return fail(FailureKind::system, "ACHO"_code,
                        directory.string() + " cannot be given to the service's account: " + system_text(errno));
        }
        return {};
    }
    if (errno == EEXIST) return {};
    return fail(FailureKind::system, "AMKD"_code,
                "[server] state-directory: " + directory.string() + " cannot be made: " + system_text(errno));
}

Done become(const Account& account) {
    if (geteuid() == account.user && getegid() == account.group) return {};
    if (geteuid() != 0) {
        return fail(FailureKind::system, "ANRT"_code, "[server] user: only root can become another account");
    }
    // The group first: afterwards there is no right left to do it.
    if (setgroups(0, nullptr) != 0 || setgid(account.group) != 0 || setuid(account.user) != 0) {
        return fail(FailureKind::system, "ADRP"_code, "privileges cannot be dropped: " + system_text(errno));
    }
    if (account.user != 0 && setuid(0) == 0) {
        return fail(FailureKind::system, "AREG"_code, "privileges were dropped and came back; refusing to run");
    }
    return {};
}

std::uint64_t prepare_process() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        // Where the system refuses, the usual number has to do: sockets are bounded anyway.
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) static_cast<void>(getrlimit(RLIMIT_NOFILE, &limit));
    }
    take_reserve();
    std::set_new_handler(make_do);
    std::signal(SIGPIPE, SIG_IGN);
    return limit.rlim_cur;
}

void hold_signals() {
    const sigset_t ours = our_signals();
    require(pthread_sigmask(SIG_BLOCK, &ours, nullptr) == 0);
}

void hear_signals() {
    const sigset_t ours = our_signals();
    require(pthread_sigmask(SIG_UNBLOCK, &ours, nullptr) == 0);
}

void end_at_next_signal() {
    struct sigaction action{};
    action.sa_handler = [](int number) {
        // As if nobody had asked to hear of it; the first process of a container is spared by that, and ends itself.
        static_cast<void>(raise(number));
        _exit(128 + number);
    };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGTERM, SIGINT}) require(sigaction(number, &action, nullptr) == 0);
}

std::uint64_t reserve_octets() {
    return reserve().held.load() == nullptr ? 0 : reserve_size;
}

void take_reserve() {
    if (reserve_octets() != 0) return;
    void* region =
        mmap(nullptr, reserve_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region != MAP_FAILED) reserve().held = region;  // else there is none, as long as memory is short
}

bool memory_was_refused() {
    return reserve().refused.exchange(false);
}

}  // namespace mxtrust::daemon
