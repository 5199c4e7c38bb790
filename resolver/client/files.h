// The files that decide how this machine asks DNS, read once. Nothing is written, nothing is judged here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxtrust::client {

struct File {
    std::string path;     ///< as a person would write it, whatever the root is
    std::string link;     ///< where the path is a symbolic link: its target as it stands there; else ""
    std::string trouble;  ///< why it could not be read although it is there; else ""
    std::string text;
    bool present = false;
};

/// One instance of Postfix.
struct PostfixFiles {
    File main, master;
    File chroot_resolv;  ///< etc/resolv.conf below its queue directory
};

/// Everything that is looked at.
struct Machine {
    File resolv;
    std::vector<PostfixFiles> postfix;
    std::optional<File> exim;  ///< the configuration that Exim runs with, where one is found
    bool musl = false;         ///< the C library is musl and not glibc
    bool container = false;
    std::optional<bool> clock_is_kept;  ///< by NTP, as the kernel says; nothing where it does not say
};

/// `root` is "/" or a folder that holds the file system of a container or chroot; symbolic links stay inside it.
[[nodiscard]] Machine look_at(const std::string& root);

/// The daemon's socket, from this client's side.
struct SocketFacts {
    enum class State : std::uint8_t { reachable, absent, forbidden, silent, hanging };
    State state = State::reachable;
    std::string path, account;
    std::string barrier;  ///< of forbidden: the socket, or the directory that cannot be entered
    std::string group;    ///< of forbidden: the group that may
};
/// Requires: connecting to `path` was tried; `connected` says how it went.
[[nodiscard]] SocketFacts look_at_socket(const std::string& path, bool connected);

// Lines of configuration files.
struct Line {
    std::uint32_t number;
    std::string text;
};
[[nodiscard]] std::vector<Line> lines_of(std::string_view text);
/// Separated by spaces or tabs.
[[nodiscard]] std::vector<std::string> fields_of(std::string_view text);
[[nodiscard]] std::string trimmed(std::string_view text);

}  // namespace mxtrust::client
