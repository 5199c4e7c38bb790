// Environment, identity, capabilities. The filter of system calls is in filter.cc.
#include "daemon/confine.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace mxtrust::daemon {
namespace {

constexpr std::array kept_variables{"NOTIFY_SOCKET",  "LISTEN_FDS",    "LISTEN_PID",
                                    "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};
/// More than any kernel knows; it says where its own end.
constexpr unsigned long most_capabilities = 64;

Failure cannot(Code code, std::string_view what) {
    return Failure{
        FailureKind::system, code,
        "privileges cannot be given up: " + std::string(what) + ": " + std::generic_category().message(errno)};
}

/// What a program started by us could ever get. Only root may; nobody else can give himself any.
Done empty_bounding_set() {
    for (unsigned long capability = 0; capability < most_capabilities; ++capability) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM)
            return fail(cannot("ABND"_code, "the bounding set"));
    }
    return {};
}

using Sets = std::array<__user_cap_data_struct, 2>;

/// glibc has no function for it, and a library only for this would be one more to trust.
Done drop_capabilities() {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return fail(cannot("AAMB"_code, "the ambient set"));
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const Sets none{};
    if (syscall(SYS_capset, &header, none.data()) != 0) return fail(cannot("ACAP"_code, "capset"));
    Sets left{};
    if (syscall(SYS_capget, &header, left.data()) != 0) return fail(cannot("ACPG"_code, "capget"));
    for (const __user_cap_data_struct& set : left) {
        if (set.effective != 0 || set.permitted != 0 || set.inheritable != 0) {
            return fail(FailureKind::system, "ACPL"_code, "capabilities were given up and are still there");
        }
    }
    return {};
}

Done seal() {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(cannot("ANNP"_code, "no_new_privs"));
    // A leak sanitizer attaches to its own process at the end.
    if (is_sanitized()) return {};
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return fail(cannot("ACOR"_code, "the limit of core dumps"));
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail(cannot("ADMP"_code, "dumpable"));
    return {};
}

}  // namespace

void forget_environment() {
    // A preloaded library that gives this process another clock, as tests do, learns at the first look what to show.
    // Whoever may preload could do worse, and the loader has believed it already.
    static_cast<void>(SystemClock().wall());
    std::vector<std::pair<const char*, std::string>> kept;
    for (const char* name : kept_variables) {
        const char* value = std::getenv(name);
        if (value != nullptr) kept.emplace_back(name, value);
    }
    clearenv();
    for (const auto& [name, value] : kept) setenv(name, value.c_str(), 1);
}

Done give_up_privileges(const std::optional<Account>& account) {
    Done done = empty_bounding_set();
    if (done && account) done = become(*account);
    if (done) done = drop_capabilities();
    if (done) done = seal();
    return done;
}

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer);
#else
    return false;
#endif
}

}  // namespace mxtrust::daemon
