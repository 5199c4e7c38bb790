// Finished DNS replies as bytes, found by the bytes of the query: a datagram that was answered a moment ago is answered
// again without being parsed, and without a coroutine, an allocation, a lock or a log line.
//
// A query is known by all its octets but the ID, and by the path it came on (loopback takes larger datagrams). TTLs go
// on counting down. Most questions are asked once, so a reply is kept from the second time on; and then for some
// seconds only, and never beyond half of what is left of its shortest TTL: what the cache learns meanwhile, and whether
// the answer is to be renewed, is soon looked at again. Flushes forget all.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "dns/message.h"
#include "serve/dns_request.h"

namespace mxtrust::serve {

/// Where the TTLs stand in a message, the OPT record's field left out. Empty and false where it cannot be read.
struct TtlPlaces {
    bool readable = false;
    std::vector<std::size_t> places;
};
[[nodiscard]] TtlPlaces ttl_places(BytesView message);

class HotReplies {
  public:
    static constexpr std::size_t most_replies = 16'384;
    static constexpr std::size_t most_query_octets = 300;
    static constexpr std::chrono::seconds most_life{5};

    explicit HotReplies(Random& random) : replies_(0, Hash(random)) {}

    /// The reply with the query's ID and today's TTLs, valid until the next call; empty where none is known.
    /// `authentic` is set where its AD bit is.
    [[nodiscard]] BytesView find(BytesView query, Path path, WallTime now, bool& authentic);
    /// Keeps a whole reply (nothing truncated) to exactly this query.
    void keep(BytesView query, Path path, BytesView reply, WallTime now);
    void forget() { replies_.clear(); }  // that something was asked is still so
    [[nodiscard]] std::size_t size() const { return replies_.size(); }

  private:
    struct Key {
        std::string_view rest;  ///< of the query, behind its ID
        Path path;
    };
    struct Hash {
        using is_transparent = void;
        explicit Hash(Random& random) : key(HashKey::draw(random)) {}
        std::size_t operator()(const Key& query) const { return keyed_hash(key, as_bytes(query.rest)); }
        std::size_t operator()(const std::string& stored) const {
            return keyed_hash(key, as_bytes(std::string_view(stored).substr(1)));
        }
        HashKey key;
    };
    /// A stored query is its path's number and the rest.
    struct Same {
        using is_transparent = void;
        bool operator()(const Key& query, const std::string& stored) const {
            return stored.front() == static_cast<char>(query.path) && std::string_view(stored).substr(1) == query.rest;
        }
        bool operator()(const std::string& stored, const Key& query) const { return (*this)(query, stored); }
        bool operator()(const std::string& left, const std::string& right) const { return left == right; }
    };
    struct Ttl {
        std::size_t place;
        WallTime ends;
    };
    struct Reply {
        Bytes octets;  ///< with TTLs as they are rewritten at each use
        std::vector<Ttl> ttls;
        WallTime until{};
    };

    bool was_asked(const Key& query);

    std::unordered_map<std::string, Reply, Hash, Same> replies_;
    std::array<std::uint32_t, 8192> asked_{};  ///< marks of the queries asked last, each at its own place
};

}  // namespace mxtrust::serve
