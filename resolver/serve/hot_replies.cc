// See hot_replies.h.
#include "serve/hot_replies.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mxtrust::serve {
namespace {

constexpr std::size_t header_octets = 12;
constexpr std::size_t flags_place = 3;
constexpr std::uint8_t authentic_bit = 0x20;  // RFC 4035 3.2.3

std::string_view behind_id(BytesView query) {
    return as_text(query.subspan(2));
}

/// Past a name, compressed or not. False where it runs out of the message.
bool skip_name(Reader& reader) {
    while (true) {
        const Result<std::uint8_t> length = reader.u8();
        if (!length) return false;
        if (*length == 0) return true;
        if (*length >= 0xc0) return reader.u8().has_value();  // a pointer ends it (RFC 1035 4.1.4)
        if (!reader.take(*length)) return false;
    }
}

std::uint32_t read_ttl(BytesView octets, std::size_t place) {
    Reader reader(octets, place);
    return reader.u32().value_or(0);
}

void write_ttl(Bytes& octets, std::size_t place, std::uint32_t ttl) {
    for (unsigned shift = 32; shift > 0; shift -= 8) octets[place++] = static_cast<std::uint8_t>(ttl >> (shift - 8));
}

}  // namespace

TtlPlaces ttl_places(BytesView message) {
    TtlPlaces found;
    if (message.size() < header_octets) return found;
    Reader reader(message, 4);
    const std::size_t questions = reader.u16().value_or(0);
    std::size_t records = reader.u16().value_or(0);
    records += reader.u16().value_or(0);
    records += reader.u16().value_or(0);
    for (std::size_t question = 0; question < questions; ++question) {
        if (!skip_name(reader) || !reader.take(4)) return found;
    }
    for (std::size_t record = 0; record < records; ++record) {
        if (!skip_name(reader)) return found;
        const Result<std::uint16_t> type = reader.u16();
        if (!type || !reader.u16()) return found;
        const std::size_t place = reader.position();
        const Result<std::uint32_t> ttl = reader.u32();
        const Result<std::uint16_t> length = reader.u16();
        if (!ttl || !length || !reader.take(*length)) return found;
        if (static_cast<dns::Type>(*type) != dns::Type::opt) found.places.push_back(place);
    }
    found.readable = true;
    return found;
}

BytesView HotReplies::find(BytesView query, Path path, WallTime now, bool& authentic) {
    if (query.size() < header_octets || query.size() > most_query_octets) return {};
    const auto found = replies_.find(Key{behind_id(query), path});
    if (found == replies_.end()) return {};
    Reply& reply = found->second;
    if (reply.until <= now || now + most_life < reply.until) {  // over; or the clock was set back
        replies_.erase(found);
        return {};
    }
    reply.octets[0] = query[0];
    reply.octets[1] = query[1];
    for (const Ttl& ttl : reply.ttls)
        write_ttl(reply.octets, ttl.place, static_cast<std::uint32_t>((ttl.ends - now).count()));
    authentic = (reply.octets[flags_place] & authentic_bit) != 0;
    return reply.octets;
}

/// Lately; from now on it was. Other queries of the same place are forgotten by it, which costs them one reply.
bool HotReplies::was_asked(const Key& query) {
    const std::uint64_t hash = replies_.hash_function()(query);
    std::uint32_t& mark = asked_[hash % asked_.size()];
    const auto its = static_cast<std::uint32_t>(hash >> 32 | 1);
    return std::exchange(mark, its) == its;
}

void HotReplies::keep(BytesView query, Path path, BytesView octets, WallTime now) {
    if (query.size() < header_octets || query.size() > most_query_octets) return;
    if (!was_asked({behind_id(query), path})) return;
    const TtlPlaces ttls = ttl_places(octets);
    if (!ttls.readable) return;
    Reply reply;
    std::chrono::seconds life = 2 * most_life;
    for (const std::size_t place : ttls.places) {
        const std::chrono::seconds ttl(read_ttl(octets, place));
        life = std::min(life, ttl);
        reply.ttls.push_back({place, now + ttl});
    }
    reply.until = now + life / 2;
    if (reply.until <= now) return;
    reply.octets.assign(octets.begin(), octets.end());
    if (replies_.size() >= most_replies) {
        std::erase_if(replies_, [now](const auto& entry) { return entry.second.until <= now; });
        if (replies_.size() >= most_replies) replies_.clear();
    }
    std::string key(1, static_cast<char>(path));
    key += behind_id(query);
    replies_.insert_or_assign(std::move(key), std::move(reply));
}

}  // namespace mxtrust::serve
