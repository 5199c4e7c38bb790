// Reading what the kernel says of our memory, and judging it.
#include "daemon/memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include "daemon/process.h"

namespace mxtrust::daemon {
namespace {

constexpr std::size_t deepest_group = 32;  // systemd makes four or five, containers in containers a few more
constexpr std::uint64_t kibi = 1024;
/// Version 1 says "no limit" by the largest number of pages there can be.
constexpr std::uint64_t no_limit = std::uint64_t{1} << 60U;

const std::vector<std::string_view> second_version{"memory.high", "memory.max"};
const std::vector<std::string_view> first_version{"memory.limit_in_bytes"};

/// Nothing where it cannot be read: it need not be there.
std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad()) return std::nullopt;
    return text;
}

std::string_view next_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(by);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::uint64_t> number_in(std::string_view text, int base = 10) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// "VmData:\t  123 kB" by its name.
std::optional<std::uint64_t> kilobytes(std::string_view status, std::string_view name) {
    while (!status.empty()) {
        std::string_view line = next_line(status);
        if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
        line.remove_prefix(name.size() + 1);
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (!line.ends_with(" kB")) return std::nullopt;
        line.remove_suffix(3);
        const auto value = number_in(line);
        if (!value || *value > no_limit / kibi) return std::nullopt;
        return *value * kibi;
    }
    return std::nullopt;
}

/// mountinfo writes blanks, tabs, line feeds and backslashes as "\040".
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto code = text[at] == '\\' ? number_in(text.substr(at + 1, 3), 8) : std::nullopt;
        if (code && *code < 256) {
            plain += static_cast<char>(*code);
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

struct Mount {
    std::string root, place;  ///< what of the file system is mounted where
    std::string_view kind, options;
};

/// proc_pid_mountinfo(5): "36 35 98:0 /root /place rw,noatime master:1 - kind source options".
std::optional<Mount> read_mount(std::string_view line) {
    const std::size_t bar = line.find(" - ");
    if (bar == std::string_view::npos) return std::nullopt;
    const auto before = split(line.substr(0, bar), ' ');
    const auto after = split(line.substr(bar + 3), ' ');
    if (before.size() < 6 || after.size() < 3) return std::nullopt;
    return Mount{unescaped(before[3]), unescaped(before[4]), after[0], after[2]};
}

bool lists(std::string_view all, std::string_view one) {
    const auto parts = split(all, ',');
    return std::ranges::find(parts, one) != parts.end();
}

/// Where below the mount the group is. Nothing where the mount does not show it.
std::optional<std::filesystem::path> below(const Mount& mount, const std::string& group) {
    const auto parts = split(group, '/');
    // From within a namespace, what is outside begins with "..".
    if (!group.starts_with('/') || std::ranges::find(parts, "..") != parts.end()) return std::nullopt;
    if (mount.root == "/") return std::filesystem::path(group).relative_path();
    if (group == mount.root) return std::filesystem::path();
    if (!group.starts_with(mount.root + "/")) return std::nullopt;
    return std::filesystem::path(group.substr(mount.root.size())).relative_path();
}

void add_with_those_above(std::vector<MemoryGroup>& all, const Mount& mount, const std::string& group,
                          const std::vector<std::string_view>& limits) {
    auto inside = below(mount, group);
    if (!inside) return;
    std::filesystem::path name = group;
    for (std::size_t depth = 0; depth < deepest_group; ++depth) {
        all.push_back({name.string(), std::filesystem::path(mount.place) / *inside, limits});
        if (inside->empty()) return;
        inside = inside->parent_path();
        name = name.parent_path();
    }
}

std::optional<std::uint64_t> limit_of(int resource) {
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return std::nullopt;
    return limit.rlim_cur;
}

}  // namespace

std::optional<ProcessMemory> read_process_memory(std::string_view status) {
    const auto data = kilobytes(status, "VmData");
    const auto address_space = kilobytes(status, "VmSize");
    const auto anonymous = kilobytes(status, "RssAnon");
    const auto shared = kilobytes(status, "RssShmem");
    if (!data || !address_space || !anonymous || !shared) return std::nullopt;
    return ProcessMemory{*data, *address_space, *anonymous + *shared};
}

std::uint64_t reserved_address_space(std::string_view maps) {
    std::uint64_t octets = 0;
    while (!maps.empty()) {
        const auto fields = split(next_line(maps), ' ');  // "7f12a0000000-7f12a4000000 ---p 00000000 00:00 0"
        if (fields.size() < 2 || fields[1] != "---p") continue;
        const std::size_t dash = fields[0].find('-');
        if (dash == std::string_view::npos) continue;
        const auto from = number_in(fields[0].substr(0, dash), 16);
        const auto to = number_in(fields[0].substr(dash + 1), 16);
        if (from && to && *from < *to) octets += *to - *from;
    }
    return octets;
}

std::optional<std::uint64_t> read_group_limit(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto limit = number_in(text);
    return limit && *limit < no_limit ? limit : std::nullopt;
}

std::vector<MemoryGroup> memory_groups(std::string_view groups, std::string_view mounts) {
    // cgroups(7): "0::/path" is of version 2, "4:memory:/path" of version 1. Both may be there.
    std::optional<std::string> second, first;
    while (!groups.empty()) {
        const std::string_view line = next_line(groups);
        const std::size_t one = line.find(':');
        const std::size_t two = one == std::string_view::npos ? one : line.find(':', one + 1);
        if (two == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(one + 1, two - one - 1);
        if (controllers.empty()) second = line.substr(two + 1);
        if (lists(controllers, "memory")) first = line.substr(two + 1);
    }
    std::vector<MemoryGroup> all;
    while (!mounts.empty()) {
        const auto mount = read_mount(next_line(mounts));
        if (!mount) continue;
        if (second && mount->kind == "cgroup2") add_with_those_above(all, *mount, *second, second_version);
        if (first && mount->kind == "cgroup" && lists(mount->options, "memory"))
            add_with_those_above(all, *mount, *first, first_version);
    }
    return all;
}

MemoryMeter::MemoryMeter(Sources sources) : sources_(std::move(sources)) {
    mounts_ = read_file(sources_.root / "proc/self/mountinfo").value_or(std::string());
}

MemoryMeter::Sources MemoryMeter::own() {
    Sources sources;
    sources.limits = [] { return ProcessLimits{limit_of(RLIMIT_DATA), limit_of(RLIMIT_AS)}; };
    sources.unused = [] { return std::uint64_t{mallinfo2().fordblks} + reserve_octets(); };
    return sources;
}

void MemoryMeter::add_groups(std::vector<MemoryLimit>& limits, const ProcessMemory& memory) const {
    const auto groups = read_file(sources_.root / "proc/self/cgroup");
    if (!groups) return;
    for (const MemoryGroup& group : memory_groups(*groups, mounts_)) {
        for (const std::string_view file : group.limits) {
            const auto text = read_file(sources_.root / group.directory.relative_path() / file);
            const auto most = text ? read_group_limit(*text) : std::nullopt;
            if (!most) continue;
            limits.push_back({std::string(file) + " of " + group.name,
                              file == "memory.high" ? "MemoryHigh= of the unit" : "MemoryMax= of the unit",
                              memory.anonymous, *most});
        }
    }
}

void MemoryMeter::add_own(std::vector<MemoryLimit>& limits, const ProcessMemory& memory) const {
    const ProcessLimits own = sources_.limits();
    const std::size_t before = limits.size();
    if (own.data) limits.push_back({"RLIMIT_DATA", "LimitDATA= of the unit", memory.data, *own.data});
    if (own.address_space) {
        const std::uint64_t reserved =
            reserved_address_space(read_file(sources_.root / "proc/self/maps").value_or(std::string()));
        limits.push_back({"RLIMIT_AS", "LimitAS= of the unit",
                          memory.address_space - std::min(reserved, memory.address_space), *own.address_space});
    }
    const auto added = std::span(limits).subspan(before);
    if (std::ranges::none_of(added,
                             [](const MemoryLimit& limit) { return limit.percent() >= MemoryPressure::enough_below; }))
        return;
    const std::uint64_t unused = sources_.unused();
    for (MemoryLimit& limit : added) limit.used -= std::min(unused, limit.used);
}

std::optional<MemoryLimit> MemoryMeter::nearest() const {
    const auto status = read_file(sources_.root / "proc/self/status");
    const auto memory = status ? read_process_memory(*status) : std::nullopt;
    if (!memory) return std::nullopt;
    std::vector<MemoryLimit> limits;
    add_groups(limits, *memory);
    add_own(limits, *memory);
    const auto nearest = std::ranges::max_element(limits, [](const MemoryLimit& left, const MemoryLimit& right) {
        // In double precision: octets of one times octets of another need more than 64 bits.
        return static_cast<double>(left.used) * static_cast<double>(right.most) <
               static_cast<double>(right.used) * static_cast<double>(left.most);
    });
    if (nearest == limits.end()) return std::nullopt;
    return *nearest;
}

void give_memory_back() {
    malloc_trim(0);
}

void MemoryPressure::begin(MonoTime now) {
    short_ = true;
    const bool again = over_at_ && now - *over_at_ < longest_calm;
    calm_ = again ? std::min(2 * calm_, longest_calm) : first_calm;
}

MemoryPressure::Step MemoryPressure::look(std::uint64_t percent, bool refused, MonoTime now) {
    Step step;
    if (percent >= short_from || refused) {
        step.tell_short = !short_;
        if (!short_) begin(now);
        step.let_go = step.tell_short || now - let_go_at_ >= between;
        if (step.let_go) let_go_at_ = now;
        restraint_ = serve::Restraint::few;
        enough_since_.reset();
    } else if (short_ && percent < enough_below) {
        restraint_ = serve::Restraint::none;
        if (!enough_since_) enough_since_ = now;
        step.tell_enough = now - *enough_since_ >= calm_;
        if (step.tell_enough) {
            short_ = false;
            over_at_ = now;
            enough_since_.reset();
        }
    } else {
        enough_since_.reset();
    }
    step.restraint = restraint_;
    return step;
}

void MemoryWatch::look() {
    const std::optional<MemoryLimit> limit = tools_.measure();
    const std::uint64_t percent = limit ? limit->percent() : 0;
    const MemoryPressure::Step step = pressure_.look(percent, tools_.refused(), tools_.clock.mono());
    serve::MemoryStatus status;
    if (limit) status = {limit->name, limit->used, limit->most};
    status.is_short = pressure_.is_short();
    if (step.tell_short) {
        tools_.log.memory_short(serve::memory_words(status) +
                                ": what is kept only for speed is let go of, and until it is less, few questions and "
                                "connections are taken at a time; raise " +
                                (limit ? limit->remedy : "what the machine has"));
    }
    if (step.tell_enough)
        tools_.log.memory_enough((limit ? serve::memory_words(status) + ": " : std::string()) +
                                 "there is enough again");
    tools_.board.set_memory(std::move(status));
    if (step.restraint != restraint_) tools_.restrain(step.restraint);
    restraint_ = step.restraint;
    if (step.let_go) tools_.let_go();
    if (percent < MemoryPressure::enough_below) tools_.take_reserve();
}

}  // namespace mxtrust::daemon
