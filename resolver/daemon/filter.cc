// The list of system calls, by what they are for, and its way into the kernel through libseccomp.
//
// Arguments are looked at where the call would otherwise allow what nobody needs: threads but no processes, no memory
// that is written and executed, sockets of the Internet and of this machine only, signals to nobody else.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include "daemon/confine.h"

namespace mxtrust::daemon {
namespace {

// By name: which of them an architecture has, libseccomp knows.
constexpr std::array memory{"brk", "munmap", "mremap", "madvise", "msync", "membarrier"};
constexpr std::array threads{
    "futex",      "futex_waitv", "set_robust_list",   "get_robust_list", "rseq",   "set_tid_address", "exit",
    "exit_group", "sched_yield", "sched_getaffinity", "gettid",          "getpid", "getcpu"};
constexpr std::array signals{"rt_sigaction",    "rt_sigprocmask", "rt_sigreturn",   "rt_sigpending",
                             "rt_sigtimedwait", "sigaltstack",    "restart_syscall"};
constexpr std::array time_and_randomness{"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
                                         "gettimeofday",  "time",         "getrandom"};
constexpr std::array waiting{"epoll_create1",   "epoll_ctl", "epoll_wait",     "epoll_pwait",
                             "epoll_pwait2",    "poll",      "ppoll",          "select",
                             "pselect6",        "eventfd2",  "timerfd_create", "timerfd_settime",
                             "timerfd_gettime", "signalfd4", "pipe",           "pipe2"};
/// The cache, what survives a restart, resolv.conf. Whose files they may be, permissions and the unit say.
constexpr std::array reading{"open",    "openat", "close", "close_range", "read", "readv", "pread64", "preadv",
                             "preadv2", "lseek",  "fstat", "fcntl",       "dup",  "dup2",  "dup3"};
constexpr std::array writing{"write",     "writev", "pwrite64",  "pwritev",         "pwritev2", "flock",  "ftruncate",
                             "fallocate", "fsync",  "fdatasync", "sync_file_range", "chmod",    "fchmod", "fchmodat"};
constexpr std::array looking{"stat",      "lstat",      "newfstatat", "statx",      "access",
                             "faccessat", "faccessat2", "readlink",   "readlinkat", "getdents64"};
constexpr std::array names{
    "rename",        "renameat",          "renameat2",       "link",  "linkat", "unlink", "unlinkat",
    "mkdir",         "mkdirat",           "rmdir",           "umask", "getcwd", "statfs", "fstatfs",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch"};
constexpr std::array sockets{"connect",     "bind",       "listen",     "accept",  "accept4", "getsockname",
                             "getpeername", "getsockopt", "setsockopt", "sendto",  "sendmsg", "sendmmsg",
                             "recvfrom",    "recvmsg",    "recvmmsg",   "shutdown"};
/// Who and where we are.
constexpr std::array questions{"uname",  "sysinfo", "getrusage", "getrlimit", "getuid", "geteuid",
                               "getgid", "getegid", "getresuid", "getresgid", "getppid"};
// What nothing here does, no library will ever try in passing, and an intruder would: as others, to others, to the
// machine.
constexpr std::array accounts{"setuid",    "setgid",    "setreuid", "setregid", "setresuid",
                              "setresgid", "setgroups", "setfsuid", "setfsgid", "capset"};
constexpr std::array others{"execve",           "execveat",          "fork",       "vfork", "ptrace",
                            "process_vm_readv", "process_vm_writev", "pidfd_getfd"};
constexpr std::array worlds{"unshare",   "setns",      "chroot", "pivot_root", "mount",  "umount2",
                            "open_tree", "move_mount", "fsopen", "fsmount",    "swapon", "swapoff"};
constexpr std::array kernel{"init_module",  "finit_module",  "delete_module", "kexec_load", "kexec_file_load",
                            "bpf",          "userfaultfd",   "reboot",        "iopl",       "ioperm",
                            "settimeofday", "clock_settime", "mknod",         "mknodat"};

struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
};

/// Rules are added until one is refused; the first refusal is kept.
class Rules {
  public:
    Rules() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}

    /// A name that this architecture or this libseccomp does not know is no call that could be made.
    void add(std::uint32_t action, const char* call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
        const int number = seccomp_syscall_resolve_name(call);
        if (number == __NR_SCMP_ERROR) return;
        const auto count = static_cast<unsigned>(conditions.size());
        keep(seccomp_rule_add_array(filter_.get(), action, number, count, conditions.begin()));
    }
    void add(std::uint32_t action, std::span<const char* const> calls) {
        for (const char* call : calls) add(action, call);
    }
    void set(scmp_filter_attr attribute, std::uint32_t value) {
        keep(seccomp_attr_set(filter_.get(), attribute, value));
    }
    Done load() {
        if (filter_ == nullptr) error_ = ENOMEM;
        if (error_ == 0) keep(seccomp_load(filter_.get()));
        if (error_ == 0) return {};
        return fail(FailureKind::system, "ASCF"_code,
                    "the filter of system calls cannot be loaded: " + std::generic_category().message(error_) +
                        " (where the kernel has none, [server] system-call-filter = false)");
    }

  private:
    void keep(int result) {
        if (error_ == 0 && result < 0) error_ = -result;
    }
    std::unique_ptr<void, Release> filter_;
    int error_ = 0;
};

scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}

/// Of the bits of `mask`, these and no others.
scmp_arg_cmp bits(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

constexpr scmp_datum_t thread_flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

void add_memory(Rules& rules) {
    rules.add(SCMP_ACT_ALLOW, memory);
    // Nothing is loaded or compiled any more.
    for (const char* call : {"mmap", "mmap2", "mprotect", "pkey_mprotect"})
        rules.add(SCMP_ACT_ALLOW, call, {bits(2, PROT_EXEC, 0)});
}

void add_threads(Rules& rules) {
    rules.add(SCMP_ACT_ALLOW, threads);
    rules.add(SCMP_ACT_ALLOW, "clone", {bits(0, thread_flags, thread_flags)});
    rules.add(SCMP_ACT_KILL_PROCESS, "clone", {bits(0, CLONE_THREAD, 0)});
    // Its flags are behind a pointer, where no filter sees them; the C library takes clone where there is none.
    rules.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
    rules.add(SCMP_ACT_ALLOW, "prctl", {equal(0, PR_SET_NAME)});
    // To ourselves: abort(3), and what a thread needs to be cancelled.
    rules.add(SCMP_ACT_ALLOW, "tgkill", {equal(0, static_cast<scmp_datum_t>(getpid()))});
    // Limits may be read; of ourselves.
    rules.add(SCMP_ACT_ALLOW, "prlimit64", {equal(0, 0), equal(2, 0)});
}

void add_sockets(Rules& rules) {
    rules.add(SCMP_ACT_ALLOW, sockets);
    for (const int family : {AF_INET, AF_INET6, AF_UNIX})
        rules.add(SCMP_ACT_ALLOW, "socket", {equal(0, static_cast<scmp_datum_t>(family))});
    rules.add(SCMP_ACT_ALLOW, "socketpair", {equal(0, AF_UNIX)});
    // Non-blocking mode, octets waiting, and the C library's question whether a stream is a terminal.
    for (const int request : {FIONBIO, FIONREAD, FIOCLEX, TCGETS})
        rules.add(SCMP_ACT_ALLOW, "ioctl", {equal(1, static_cast<scmp_datum_t>(request))});
}

}  // namespace

Done filter_system_calls() {
    Rules rules;
    using List = std::span<const char* const>;
    for (const List calls : {List(signals), List(time_and_randomness), List(waiting), List(reading), List(writing),
                             List(looking), List(names), List(questions)}) {
        rules.add(SCMP_ACT_ALLOW, calls);
    }
    for (const List calls : {List(accounts), List(others), List(worlds), List(kernel)})
        rules.add(SCMP_ACT_KILL_PROCESS, calls);
    add_memory(rules);
    add_threads(rules);
    add_sockets(rules);
    // Another architecture's numbers mean other calls.
    rules.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    rules.set(SCMP_FLTATR_CTL_TSYNC, 1);     // all threads, not this one alone
    rules.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree: a list would be walked at every packet
    return rules.load();
}

}  // namespace mxtrust::daemon
