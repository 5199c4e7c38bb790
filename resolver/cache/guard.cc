// See guard.h.
#include "cache/guard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cache/record.h"

namespace mxtrust::cache {
namespace {

namespace files = std::filesystem;

constexpr mode_t others_may_write = S_IWGRP | S_IWOTH;
constexpr std::size_t most_state_octets = 4096;
/// More than LMDB needs for as many readers as environment.cc allows, 64 octets each.
constexpr off_t readers_octets = 20'480;

std::string errno_text() {
    return std::strerror(errno);
}

/// A descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

  private:
    int number_;
};

/// The first octets of a small file; empty where it cannot be read.
std::string read_small(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.is_open()) return {};
    std::array<char, most_state_octets> buffer{};
    const ssize_t octets = ::read(file.number(), buffer.data(), buffer.size());
    return octets > 0 ? std::string(buffer.data(), static_cast<std::size_t>(octets)) : std::string();
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t octets = ::write(descriptor, text.data(), text.size());
        if (octets < 0 && errno == EINTR) continue;
        if (octets <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(octets));
    }
    return true;
}

constexpr std::string_view state_title = "mxtrust cache state\n";

std::string state_text(const std::string& boot_id, const std::string& how_left) {
    return std::string(state_title) + "format " + std::to_string(format_version) + "\nboot " + boot_id + "\nleft " +
           how_left + "\n";
}

}  // namespace

std::string current_boot_id() {
    std::string text = read_small("/proc/sys/kernel/random/boot_id");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

Guard::~Guard() {
    if (lock_ >= 0) ::close(lock_);  // and with it the lock
}

Done Guard::check_directory() const {
    struct stat about{};
    if (::lstat(directory_.c_str(), &about) != 0) {
        return fail(FailureKind::system, "KDIR"_code, "cache directory " + directory_ + ": " + errno_text());
    }
    if (!S_ISDIR(about.st_mode)) return fail(FailureKind::refused, "KDNO"_code, directory_ + " is no directory");
    if (about.st_uid != ::geteuid()) {
        return fail(FailureKind::refused, "KOWN"_code, "cache directory " + directory_ + " belongs to somebody else");
    }
    if ((about.st_mode & others_may_write) != 0) {
        return fail(FailureKind::refused, "KMOD"_code, "cache directory " + directory_ + " may be written by others");
    }
    return {};
}

Done Guard::lock() {
    const std::string path = directory_ + "/lock";
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    // What is there may be read where nothing can be written; the lock is the same.
    if (lock_ < 0 && errno == EROFS) lock_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lock_ < 0 && errno == ENOENT) errno = EROFS;
    if (lock_ < 0) return fail(FailureKind::system, "KLCK"_code, path + ": " + errno_text());
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail(FailureKind::system, "KFLK"_code, path + ": " + errno_text());
        std::string holder = read_small(path);
        while (!holder.empty() && holder.back() == '\n') holder.pop_back();
        return fail(
            FailureKind::refused, "KTWO"_code,
            "cache directory " + directory_ + " is in use by another process" + (holder.empty() ? "" : ", " + holder));
    }
    // For the message above only; where it cannot be written, the message is shorter.
    if (::ftruncate(lock_, 0) == 0) static_cast<void>(write_all(lock_, std::to_string(::getpid()) + "\n"));
    return {};
}

Result<std::unique_ptr<Guard>> Guard::enter(const Request& request, Notices& notices) {
    if (::mkdir(request.directory.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail(FailureKind::system, "KMKD"_code, "cache directory " + request.directory + ": " + errno_text());
    }
    std::unique_ptr<Guard> guard(new Guard(request.directory, request.boot_id));
    if (auto good = guard->check_directory(); !good) return fail(good.error());
    if (auto good = guard->lock(); !good) return fail(good.error());
    const std::string why = guard->why_not(request.most_octets);
    if (!why.empty()) {
        if (auto good = guard->set_aside(why, request.now, notices); !good) return fail(good.error());
    }
    return guard;
}

/// Empty where the file may be looked at, or is not there.
std::string Guard::why_not(std::uint64_t most_octets) const {
    struct stat about{};
    if (::lstat(data_path().c_str(), &about) != 0) return errno == ENOENT ? "" : errno_text();
    if (!S_ISREG(about.st_mode) || about.st_nlink != 1) return "it is not a plain file";
    if (about.st_uid != ::geteuid()) return "it belongs to somebody else";
    if ((about.st_mode & others_may_write) != 0) return "it may be written by others";
    if (static_cast<std::uint64_t>(about.st_size) > most_octets) return "it is larger than the limit allows now";
    const std::string state = read_small(directory_ + "/state");
    const bool clean = state.starts_with(state_title) && state.ends_with("\nleft clean\n");
    const std::string format = "\nformat " + std::to_string(format_version) + "\n";
    if (state.find(format) == std::string::npos)
        return state.empty() ? "nothing says how it was left" : "it has another version's format";
    const bool same_boot = !boot_id_.empty() && state == state_text(boot_id_, "open");
    return clean || same_boot ? "" : "it was not closed before the system went down";
}

Done Guard::forget_older() const {
    std::error_code error;
    for (const auto& entry : files::directory_iterator(directory_, error)) {
        if (!entry.path().filename().string().starts_with("cache.lmdb.damaged-")) continue;
        if (::unlink(entry.path().c_str()) != 0)
            return fail(FailureKind::system, "KOLD"_code, entry.path().string() + ": " + errno_text());
    }
    if (error) return fail(FailureKind::system, "KLST"_code, directory_ + ": " + error.message());
    return {};
}

Done Guard::set_aside(const std::string& why, WallTime now, Notices& notices) {
    if (auto good = forget_older(); !good) return good;
    const std::string aside = data_path() + ".damaged-" + std::to_string(now.seconds);
    if (::rename(data_path().c_str(), aside.c_str()) != 0 && errno != ENOENT) {
        return fail(FailureKind::system, "KREN"_code, "cannot set aside " + data_path() + ": " + errno_text());
    }
    for (const char* other : {"/cache.lmdb-lock", "/state"}) {
        if (::unlink((directory_ + other).c_str()) != 0 && errno != ENOENT) {
            return fail(FailureKind::system, "KUNL"_code, "cannot remove " + directory_ + other + ": " + errno_text());
        }
    }
    notices.push_back(data_path() + " set aside as " + aside + " and begun anew, because " + why);
    return {};
}

/// Complete or not at all: under another name first, then renamed, all of it on the disk before anything else happens.
Done Guard::write_state(const std::string& how_left) const {
    const std::string path = directory_ + "/state", fresh = path + ".new";
    {
        const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file.is_open() || !write_all(file.number(), state_text(boot_id_, how_left)) ||
            ::fsync(file.number()) != 0) {
            return fail(FailureKind::system, "KSTA"_code, fresh + ": " + errno_text());
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0)
        return fail(FailureKind::system, "KSTR"_code, path + ": " + errno_text());
    const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open() || ::fsync(directory.number()) != 0) {
        return fail(FailureKind::system, "KSTD"_code, directory_ + ": " + errno_text());
    }
    return {};
}

Done Guard::mark_clean() {
    return write_state("clean");
}

/// LMDB writes its table of readers through a map: a page of it that the disk has no room for kills the process.
Done Guard::reserve_readers() const {
    const std::string path = data_path() + "-lock";
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return fail(FailureKind::system, "KRDO"_code, path + ": " + errno_text());
    if (const int error = ::posix_fallocate(file.number(), 0, readers_octets); error != 0)
        return fail(FailureKind::system, "KRDF"_code, path + ": " + std::strerror(error));
    return {};
}

Done Guard::mark_open() {
    if (auto good = reserve_readers(); !good) return good;
    return write_state("open");
}

}  // namespace mxtrust::cache
