// POSIX, in the order in which a daemon starts.
#include "daemon/process.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <system_error>

#include "base/require.h"

namespace mxtrust::daemon {
namespace {

std::string system_text(int error) {
    return std::generic_category().message(error);
}

sigset_t signals_to_end() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    return ends;
}

/// Nothing can be answered without memory, and half a change must not be kept: the service manager starts us again, and
/// the cache is there. Takes no memory itself.
[[noreturn]] void end_without_memory() {
    static constexpr char line[] = "system trouble: there is no memory left; mxtrustd ends, to be started again\n";
    static_cast<void>(!write(STDERR_FILENO, line, sizeof line - 1));
    std::abort();
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
    std::set_new_handler(end_without_memory);
    std::signal(SIGPIPE, SIG_IGN);
    // A reload that is asked for while we start would be the end; what it wants is read anyway.
    std::signal(SIGHUP, SIG_IGN);
    const sigset_t ends = signals_to_end();
    require(pthread_sigmask(SIG_BLOCK, &ends, nullptr) == 0);
    return limit.rlim_cur;
}

void hear_signals() {
    const sigset_t ends = signals_to_end();
    require(pthread_sigmask(SIG_UNBLOCK, &ends, nullptr) == 0);
}

}  // namespace mxtrust::daemon
