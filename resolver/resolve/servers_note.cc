#include "resolve/servers_note.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace mxtrust::resolve {
namespace {

// The note: version 1, noted 8; a bit for each dead family 1; contacts: count 1, each 2 ms; servers: count 2, each
// its flags 1, failures 1, smoothed and variation 2 ms each, address 4 or 16.
constexpr std::uint8_t version = 1;
constexpr std::uint8_t is_ipv6 = 1, was_heard = 2, all_flags = 3;
constexpr std::uint8_t ipv4_dead = 1, ipv6_dead = 2, all_dead = 3;
constexpr std::chrono::seconds clock_skew{300};  // a note may be that far ahead of a clock that was set back a little
constexpr std::string_view prefix = "servers/";

std::uint16_t milliseconds(Duration time) {
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(time.count(), 0, 65'535));
}

std::uint8_t octet(std::size_t value) {
    return static_cast<std::uint8_t>(std::min<std::size_t>(value, 255));
}

std::string key_of(std::size_t worker) {
    return std::string(prefix) + std::to_string(worker);
}

void write(Writer& out, const ServersMemory::One& one) {
    unsigned flags = one.address.family() == Family::ipv6 ? is_ipv6 : 0;
    if (one.heard) flags |= was_heard;
    out.u8(static_cast<std::uint8_t>(flags));
    out.u8(octet(one.failures));
    out.u16(milliseconds(one.smoothed));
    out.u16(milliseconds(one.variation));
    out.bytes(one.address.octets());
}

std::optional<ServersMemory::One> read_one(Reader& in) {
    const auto flags = in.u8();
    const auto failures = in.u8();
    const auto smoothed = in.u16();
    const auto variation = in.u16();
    if (!flags || !failures || !smoothed || !variation || *flags > all_flags) return std::nullopt;
    const auto octets = in.take((*flags & is_ipv6) != 0 ? 16 : 4);
    if (!octets) return std::nullopt;
    const auto address = Address::from_rdata(*octets);
    if (!address) return std::nullopt;
    return ServersMemory::One{*address, Duration(*smoothed), Duration(*variation), *failures,
                              (*flags & was_heard) != 0};
}

}  // namespace

std::string servers_note(const NotedServers& servers) {
    const ServersMemory& memory = servers.memory;
    Writer out;
    out.u8(version);
    out.u64(static_cast<std::uint64_t>(servers.noted.seconds));
    out.u8(static_cast<std::uint8_t>((memory.dead[0] ? ipv4_dead : 0) | (memory.dead[1] ? ipv6_dead : 0)));
    const std::size_t contacts = std::min<std::size_t>(memory.contacts.size(), Servers::first_contacts);
    out.u8(octet(contacts));
    for (std::size_t index = 0; index < contacts; ++index) out.u16(milliseconds(memory.contacts[index]));
    const std::size_t count = std::min(memory.servers.size(), most_servers_noted);
    out.u16(static_cast<std::uint16_t>(count));
    for (std::size_t index = 0; index < count; ++index) write(out, memory.servers[index]);
    return std::string(as_text(out.view()));
}

std::optional<NotedServers> read_servers_note(std::string_view note) {
    Reader in(as_bytes(note));
    const auto read_version = in.u8();
    const auto noted = in.u64();
    const auto dead = in.u8();
    const auto contacts = in.u8();
    if (!read_version || !noted || !dead || !contacts) return std::nullopt;
    if (*read_version != version || *dead > all_dead || *contacts > Servers::first_contacts) return std::nullopt;
    NotedServers servers{WallTime{static_cast<std::int64_t>(*noted)}, {}};
    if (servers.noted.seconds < 0) return std::nullopt;
    servers.memory.dead = {(*dead & ipv4_dead) != 0, (*dead & ipv6_dead) != 0};
    for (int left = *contacts; left > 0; --left) {
        const auto contact = in.u16();
        if (!contact) return std::nullopt;
        servers.memory.contacts.emplace_back(*contact);
    }
    const auto count = in.u16();
    if (!count || *count > most_servers_noted) return std::nullopt;
    for (int left = *count; left > 0; --left) {
        const auto one = read_one(in);
        if (!one) return std::nullopt;
        servers.memory.servers.push_back(*one);
    }
    if (!in.done()) return std::nullopt;
    return servers;
}

bool note_servers(const Servers& servers, std::size_t worker, cache::Cache& cache, const Clock& clock) {
    if (!servers.is_anybody_there(clock.mono())) return false;
    const WallTime now = clock.wall();
    const NotedServers noted{now, servers.remember(most_servers_noted, clock.mono())};
    cache.store_note(key_of(worker), servers_note(noted), now + servers_kept);
    return true;
}

void recall_servers(Servers& servers, std::size_t worker, cache::Cache& cache, const Clock& clock) {
    const WallTime now = clock.wall();
    std::vector<std::pair<std::string, std::string>> notes = cache.notes(prefix, most_server_notes, now);
    const std::string own = key_of(worker);
    std::ranges::partition(notes, [&own](const auto& note) { return note.first == own; });
    for (const auto& [key, note] : notes) {
        std::optional<NotedServers> read = read_servers_note(note);
        if (!read || read->noted > now + clock_skew || now > read->noted + servers_kept) continue;
        if (now > read->noted + dead_family_kept) read->memory.dead = {};
        servers.recall(read->memory, clock.mono());
    }
}

}  // namespace mxtrust::resolve
