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

/// As many descriptors as we may have, no signal for a client that left, one line where memory ends; whoever tells us
/// to end meanwhile waits for hear_signals(), so that what was begun is put in order. Before any thread is made: they
/// all inherit it. Returns the number of descriptors.
std::uint64_t prepare_process();
/// From here on this thread, and no other, hears SIGTERM and SIGINT, those that waited included.
void hear_signals();

}  // namespace mxtrust::daemon
