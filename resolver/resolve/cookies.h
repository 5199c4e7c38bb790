// DNS cookies towards authorities (RFC 7873, RFC 9018): what a forger who does not see our questions would have to
// guess beside port, ID and letters.
//
// Our part is made from a secret and the server's address, so that no two servers see the same; the secret is drawn
// anew every day. The server's part is kept as it came, for as long. Nothing is ever decided by a cookie alone that an
// off-path forger could profit from: what looks wrong is asked over a stream, and only what a stream said counts.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "dns/message.h"

namespace mxtrust::resolve {

/// What a reply's COOKIE option says of the reply.
enum class CookieSign : std::uint8_t {
    none,    ///< neither was one sent, nor did one come
    absent,  ///< one was sent, none came back: an old server, or a forger
    wrong,   ///< not the one that was sent, or no cookie at all: a forger, or a broken server
    right,   ///< ours came back
};

class Cookies {
  public:
    /// RFC 7873 7.1 wants a secret to last no longer than a bit over a day.
    static constexpr std::chrono::hours secret_life{24};
    static constexpr std::chrono::minutes off_time{15};  ///< how long a server that cannot bear cookies is sent none
    static constexpr std::size_t most_servers = 20'000;  ///< remembered; the table is emptied by half when it is full

    explicit Cookies(Random& random)
        : random_(random), secret_(HashKey::draw(random)), servers_(0, AddressHash(HashKey::draw(random))) {}

    /// The COOKIE option for a question to `server`: our part, and the server's where it is known. Nothing where the
    /// server is known not to bear it.
    [[nodiscard]] std::optional<dns::EdnsOption> option_for(const Address& server, MonoTime now);
    /// Has this server given us a cookie? Its replies without one are not believed as they are.
    [[nodiscard]] bool expects(const Address& server, MonoTime now) const;
    /// Keeps the server's part of a right cookie.
    void learn(const Address& server, const dns::Message& reply, MonoTime now);
    /// A reply that nobody can have forged came without a cookie: the server (or the one behind its address now) does
    /// none.
    void forget(const Address& server) { servers_.erase(server); }
    /// Cookies make this server fail, or it returns wrong ones.
    void switch_off(const Address& server, MonoTime now);
    [[nodiscard]] std::size_t size() const { return servers_.size(); }

  private:
    struct Entry {
        Bytes given;  ///< the server's part; empty: it is to be sent no cookie
        MonoTime until{};
    };
    Entry& entry(const Address& server);
    [[nodiscard]] const Entry* known(const Address& server, MonoTime now) const;
    void renew(MonoTime now);

    Random& random_;
    HashKey secret_;
    MonoTime secret_until_{};
    std::unordered_map<Address, Entry, AddressHash> servers_;
};

/// Pure. RFC 7873 5.3.
[[nodiscard]] CookieSign sign_of(const dns::Message& sent, const dns::Message& reply);

}  // namespace mxtrust::resolve
