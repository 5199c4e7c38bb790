// What the daemon gives up before it answers anybody, so that a mistake in a parser is a mistake and not an intrusion.
//
// In this order, each step verified, and a failure of any is the end (a daemon that believes to be confined and is not
// would be worse than none):
// 1. The environment, before anything else reads it: libraries take proxies, key logs, configuration files and search
//    lists from it. Kept is the service manager's protocol alone. (What the loader and the C library read before
//    main(), LD_* and GLIBC_TUNABLES, is up to who starts us; systemd passes none of them.)
// 2. Ports and sockets are open by then: the account is changed, with group and supplementary groups (process.h).
// 3. Capabilities: none in any set, also as root, and also where systemd lent CAP_NET_BIND_SERVICE. No new privileges.
//    Not dumpable: a core would hold who writes to whom, and the secrets of cookies; nobody of the same account may
//    attach.
// 4. System calls: a filter with a list of what is allowed, for all threads.
//
// The process holds no other secret: no key, no password, no session.
#pragma once

#include <optional>

#include "base/result.h"
#include "daemon/process.h"

namespace mxtrust::daemon {

/// Empties the environment, but for what sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3) read. Requires: this
/// is the only thread.
void forget_environment();

/// Steps 2 and 3. Requires: this is the only thread; what needs a privilege is open.
Done give_up_privileges(const std::optional<Account>& account);

/// Step 4, for all threads there are and will be. Requires: give_up_privileges().
///
/// Two answers to a call that is not on the list. Those that nothing here has a reason to make and an intruder would
/// (another program, another process, other identities, tracing, mounting, kernel modules, …) end the process with
/// SIGSYS; the service manager starts it anew. Any other fails with EPERM: far more likely than an intruder is an
/// update of a library that does something new, and mail should go on as long as that is no matter.
Done filter_system_calls();

/// Built with a sanitizer, which needs calls that the filter does not allow, and to be traced by itself.
[[nodiscard]] bool is_sanitized();

}  // namespace mxtrust::daemon
