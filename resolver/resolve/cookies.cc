#include "resolve/cookies.h"

#include <algorithm>
#include <iterator>

namespace mxtrust::resolve {
namespace {

constexpr std::size_t client_octets = 8;  // RFC 7873 4
constexpr std::size_t least_server_octets = 8;
constexpr std::size_t most_server_octets = 32;

/// Of several the first one counts (RFC 7873 5.2).
const dns::EdnsOption* cookie_in(const dns::Message& message) {
    if (!message.edns) return nullptr;
    const auto found = std::ranges::find(message.edns->options, dns::option_cookie, &dns::EdnsOption::code);
    return found == message.edns->options.end() ? nullptr : &*found;
}

bool is_well_formed(const Bytes& cookie) {
    if (cookie.size() == client_octets) return true;  // a server that has no part of its own to give
    return cookie.size() >= client_octets + least_server_octets && cookie.size() <= client_octets + most_server_octets;
}

}  // namespace

CookieSign sign_of(const dns::Message& sent, const dns::Message& reply) {
    const dns::EdnsOption* ours = cookie_in(sent);
    const dns::EdnsOption* theirs = cookie_in(reply);
    // Unasked for, it says nothing.
    if (ours == nullptr) return CookieSign::none;
    if (theirs == nullptr) return CookieSign::absent;
    if (!is_well_formed(theirs->data)) return CookieSign::wrong;
    const bool same = std::equal(ours->data.begin(), ours->data.begin() + client_octets, theirs->data.begin());
    return same ? CookieSign::right : CookieSign::wrong;
}

/// RFC 7873 7.1: a new secret now and then, with which all that servers gave for the old one becomes worthless.
void Cookies::renew(MonoTime now) {
    if (secret_until_ == MonoTime{}) secret_until_ = now + secret_life;
    if (now < secret_until_) return;
    secret_ = HashKey::draw(random_);
    secret_until_ = now + secret_life;
    std::erase_if(servers_, [](const auto& one) { return !one.second.given.empty(); });
}

std::optional<dns::EdnsOption> Cookies::option_for(const Address& server, MonoTime now) {
    renew(now);
    const Entry* entry = known(server, now);
    if (entry != nullptr && entry->given.empty()) return std::nullopt;
    // RFC 9018 3: one for each server, not to be guessed.
    Writer cookie;
    cookie.u64(keyed_hash(secret_, server.octets()));
    if (entry != nullptr) cookie.bytes(entry->given);
    return dns::EdnsOption{dns::option_cookie, std::move(cookie).finish()};
}

bool Cookies::expects(const Address& server, MonoTime now) const {
    const Entry* entry = known(server, now);
    return entry != nullptr && !entry->given.empty();
}

const Cookies::Entry* Cookies::known(const Address& server, MonoTime now) const {
    const auto found = servers_.find(server);
    return found == servers_.end() || found->second.until <= now ? nullptr : &found->second;
}

Cookies::Entry& Cookies::entry(const Address& server) {
    if (servers_.size() >= most_servers && !servers_.contains(server)) {
        bool drop = false;
        std::erase_if(servers_, [&drop](const auto&) { return drop = !drop; });
    }
    return servers_[server];
}

void Cookies::learn(const Address& server, const dns::Message& reply, MonoTime now) {
    const dns::EdnsOption* theirs = cookie_in(reply);
    if (theirs == nullptr || theirs->data.size() <= client_octets) return;
    const Bytes given(std::next(theirs->data.begin(), client_octets), theirs->data.end());
    entry(server) = Entry{given, now + secret_life};
}

void Cookies::switch_off(const Address& server, MonoTime now) {
    entry(server) = Entry{{}, now + off_time};
}

}  // namespace mxtrust::resolve
