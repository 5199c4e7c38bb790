#include "daemon/root_data.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <set>
#include <system_error>

#include "base/require.h"
#include "daemon/assemble.h"
#include "daemon/builtin.h"
#include "dnssec/signature.h"

namespace mxtrust::daemon {
namespace {

constexpr std::size_t most_root_keys = 8;      // the root never had more than three
constexpr std::size_t least_root_servers = 8;  // of thirteen: a file with fewer is a part of one
constexpr std::size_t most_root_addresses = 64;
constexpr std::string_view version_words = "related version of root zone:";

/// As "2024041801"; 0 where the file does not say it.
std::uint64_t version_of(std::string_view hints) {
    const std::size_t place = hints.find(version_words);
    if (place == std::string_view::npos) return 0;
    const std::string_view rest = hints.substr(place + version_words.size());
    const std::size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
    std::uint64_t version = 0;
    std::from_chars(rest.data() + begin, rest.data() + rest.size(), version);
    return version;
}

bool is_same(const dns::Ds& left, const dns::Ds& right) {
    return left.key_tag == right.key_tag && left.algorithm == right.algorithm &&
           left.digest_type == right.digest_type && left.digest == right.digest;
}

bool is_good(const dns::Ds& ds) {
    const std::size_t octets = ds.digest_type == dns::DigestType::sha256   ? 32
                               : ds.digest_type == dns::DigestType::sha384 ? 48
                                                                           : 0;
    return octets != 0 && ds.digest.size() == octets && dnssec::is_supported(ds.algorithm, dnssec::Policy());
}

/// Nobody but root can put another file in its place.
bool is_roots_alone(const struct stat& status) {
    return status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

Result<std::optional<dnssec::TrustAnchor>> newer_anchors(const dnssec::TrustAnchor& builtin, std::string_view text) {
    const auto found = dnssec::parse_anchor(text);
    if (!found) return fail(found.error());
    const bool good = found->zone.is_root() && found->keys.empty() && found->ds.size() <= most_root_keys &&
                      std::ranges::all_of(found->ds, is_good);
    if (!good) {
        return fail(FailureKind::malformed, "ARAN"_code,
                    "it must have 1 to " + std::to_string(most_root_keys) +
                        " DS records of the root, with digests of type 2 or 4 and algorithms that are in use");
    }
    dnssec::TrustAnchor joined = builtin;
    for (const dns::Ds& ds : found->ds) {
        const auto same = [&ds](const dns::Ds& known) { return is_same(ds, known); };
        if (std::ranges::none_of(joined.ds, same)) joined.ds.push_back(ds);
    }
    if (joined.ds.size() == builtin.ds.size()) return std::nullopt;
    return joined;
}

Result<std::optional<std::vector<resolve::RootServer>>> newer_hints(std::string_view builtin, std::string_view text) {
    auto servers = parse_root_hints(text);
    if (!servers) return fail(servers.error());
    const dns::Name home = dns::Name::from_text("root-servers.net").value();
    std::set<dns::Name> names;
    bool good = servers->size() <= most_root_addresses;
    for (const resolve::RootServer& server : *servers) {
        names.insert(server.name);
        good = good && server.name.is_below(home) && !server.address.is_special_purpose();
    }
    if (!good || names.size() < least_root_servers) {
        return fail(FailureKind::malformed, "ARHI"_code,
                    "it must have at least " + std::to_string(least_root_servers) +
                        " servers in root-servers.net, with addresses of the public Internet");
    }
    if (version_of(text) <= version_of(builtin)) return std::nullopt;
    return std::move(*servers);
}

Result<std::optional<std::string>> read_owned_by_root(const std::filesystem::path& file) {
    struct stat status{};
    for (const std::filesystem::path& path : {file, file.parent_path()}) {
        if (stat(path.c_str(), &status) != 0) {
            if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
            return fail(FailureKind::system, "ARDS"_code, "cannot be read: " + std::generic_category().message(errno));
        }
        if (!is_roots_alone(status)) {
            return fail(FailureKind::malformed, "AROW"_code,
                        path.string() + " must belong to root, and be writable for nobody else");
        }
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text(dnssec::most_anchor_octets + 1, '\0');
    if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream && !stream.eof()) return fail(FailureKind::system, "ARDF"_code, "cannot be read");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

RootData read_root_data(const std::filesystem::path& directory) {
    RootData data;
    if (directory.empty()) return data;
    const auto doubt = [&](std::string_view name, const Failure& why) {
        data.doubts.push_back((directory / name).string() +
                              " is not used, and what is built in goes on to hold: " + why.text);
    };
    const auto ds = read_owned_by_root(directory / "root.ds");
    if (!ds) {
        doubt("root.ds", ds.error());
    } else if (*ds) {
        const auto builtin = dnssec::parse_anchor(builtin_root_anchors());
        require(builtin.has_value());  // the build's own file
        auto newer = newer_anchors(*builtin, **ds);
        if (newer) {
            data.anchors = std::move(*newer);
        } else {
            doubt("root.ds", newer.error());
        }
    }
    const auto hints = read_owned_by_root(directory / "root.hints");
    if (!hints) {
        doubt("root.hints", hints.error());
    } else if (*hints) {
        auto newer = newer_hints(builtin_root_hints(), **hints);
        if (newer) {
            data.hints = std::move(*newer);
        } else {
            doubt("root.hints", newer.error());
        }
    }
    return data;
}

}  // namespace mxtrust::daemon
