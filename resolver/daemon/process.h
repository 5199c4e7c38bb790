// What a daemon is to the system: whose it is, and how many descriptors it may have.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "daemon/configuration.h"

namespace mxtrust::daemon {

struct Account {
    uid_t user{};
    gid_t group{};
};

/// The account that [server] user and group name; nothing where none is named. An error, with its place in the file,
/// where this machine has no such account.
Result<std::optional<Account>> find_account(const ServerKeys& keys, const Origin& origin);
/// Makes the state directory where it does not exist, for that account and for nobody else.
Done make_state_directory(const std::filesystem::path& directory, const std::optional<Account>& account);
/// Becomes that account for good, without supplementary groups; nothing is done where we are it already.
Done become(const Account& account);

/// Whoever tells us to end, or to read the configuration again, waits for hear_signals(): what was begun is put in
/// order, and what has changed since it was read is not missed. Before the configuration is read, and before any thread
/// is made: they all inherit it.
void hold_signals();
/// As many descriptors as we may have, no signal for a client that left, a reserve of memory, and one line where that
/// has ended, too. Before any thread is made. Returns the number of descriptors.
std::uint64_t prepare_process();
/// From here on this thread, and no other, hears SIGTERM, SIGINT and SIGHUP, those that waited included.
void hear_signals();
/// The next SIGTERM or SIGINT ends the process at once, whatever it is about: who says it twice does not want to wait.
void end_at_next_signal();

/// The reserve is given up when the system refuses an allocation, which is then tried again: so there is time to let go
/// of something (memory.h) before nothing is left. It is address space that nobody has touched, and costs no memory;
/// what it gives is room below RLIMIT_DATA, RLIMIT_AS, or the kernel's own limit of what may be promised. How large it
/// is now; 0: given up.
[[nodiscard]] std::uint64_t reserve_octets();
/// Where it was given up and can be had again.
void take_reserve();
/// Was it given up since this was last asked?
[[nodiscard]] bool memory_was_refused();

}  // namespace mxtrust::daemon
