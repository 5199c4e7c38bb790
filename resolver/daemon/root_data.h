// Debian's dns-root-data: trust anchors and hints that may be newer than those that are built in. Whoever can write
// these files can change this program as well: that is what they are trusted for, and why they have to belong to root
// alone.
//
// Newer anchors are those with a key that the built-in ones lack; they are added, and nothing is taken away: that is
// done by a revocation (RFC 5011) or a new release. Newer hints are those of a later version of the root zone, which
// the file names. A file that is wrong in any way is left alone, and told.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/configuration.h"
#include "dnssec/anchor.h"
#include "resolve/resolver.h"

namespace mxtrust::daemon {

/// The built-in anchors with what root.ds adds to them; nothing where it adds nothing. Errors: no anchor file, another
/// zone's records, no DS of a digest and an algorithm that are good, more keys than a root has.
Result<std::optional<dnssec::TrustAnchor>> newer_anchors(const dnssec::TrustAnchor& builtin, std::string_view text);
/// The servers of root.hints; nothing where it is not newer. Errors: no hints, too few or too many servers, names
/// outside root-servers.net, addresses that no root server can have.
Result<std::optional<std::vector<resolve::RootServer>>> newer_hints(std::string_view builtin, std::string_view text);

/// The text of a file that belongs to root alone, with all that leads there; nothing where there is no such file.
Result<std::optional<std::string>> read_owned_by_root(const std::filesystem::path& file);

struct RootData {
    std::optional<dnssec::TrustAnchor> anchors;
    std::optional<std::vector<resolve::RootServer>> hints;
    std::vector<std::string> doubts;  ///< why a file is not used, where it is wrong
};
RootData read_root_data(const std::filesystem::path& directory);

}  // namespace mxtrust::daemon
