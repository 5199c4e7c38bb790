// Each question is a coroutine. One that came by datagram remembers where to reply; one that came by stream keeps its
// connection's Stream alive, and what it says after the client has left is not sent.
#include "serve/dns_server.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "dns/message.h"
#include "dnssec/sentinel.h"
#include "resolve/crowd.h"
#include "serve/dns_reply.h"
#include "serve/dns_request.h"
#include "serve/hot_replies.h"
#include "serve/patience.h"
#include "task/gather.h"
#include "task/task.h"

namespace mxtrust::serve {
namespace {

constexpr std::size_t octets_of_client = 8;   // of an IPv6 address: who has one has the whole /64
constexpr std::uint8_t truncated_bit = 0x02;  // RFC 1035 4.1.1, in a message's third octet

std::vector<Network> loopback_networks() {
    return {Network::from_text("127.0.0.0/8").value(), Network::from_text("::1/128").value()};
}

}  // namespace

/// A reply, and whether it may be told to whoever asks the same in the next moments.
struct Told {
    dns::Message reply;
    bool lasting = false;
};

struct DnsServer::State {
    State(DnsSettings its_settings, Tools its_tools)
        : settings(std::move(its_settings)),
          tools(its_tools),
          loopback(loopback_networks()),
          hot(its_tools.resolver.tools().random),
          crowd(std::make_shared<resolve::Crowd>(resolve::Crowd::Limits{settings.most_pending_in_all}, its_tools.clock,
                                                 its_tools.resolver.tools().random)) {}

    DnsSettings settings;
    Tools tools;
    std::vector<Network> loopback;
    HotReplies hot;
    DoorCounters counters;
    std::size_t pending = 0;  ///< questions being worked on, those included that were answered before their time
    std::shared_ptr<resolve::Crowd> crowd;  ///< of those that wait for an answer
    std::size_t most_at_once = settings.most_pending_in_all;
    std::vector<std::unique_ptr<net::StreamServer>> stream_servers;
    /// Owned here; handlers and coroutines name them by place, which never changes.
    std::vector<std::unique_ptr<net::DatagramServer>> datagram_servers;

    [[nodiscard]] Admission admission(const Address& client) const {
        return is_allowed(settings.allow, client) ? Admission::allowed : Admission::refused;
    }
    [[nodiscard]] DnsRequest judge(BytesView wire, Admission admitted) {
        DnsRequest request = judge_request(wire, admitted);
        if (std::holds_alternative<Dropped>(request)) ++counters.dns_dropped;
        if (const auto* refused = std::get_if<Refused>(&request)) {
            ++(refused->reply.rcode == dns::Rcode::formerr ? counters.dns_malformed : counters.dns_refused);
        }
        return request;
    }
    /// The crowd sees to who waits; work that nobody waits for any more ends by itself, if late.
    [[nodiscard]] bool is_full() const { return pending >= 2 * most_at_once; }
    /// What the name states of our root anchors is false (RFC 8509 3.2). Only secure answers tell of it.
    [[nodiscard]] bool contradicts(const dnssec::Answer& answer) const {
        if (settings.root_key_sentinel == resolve::Switch::off || answer.security() != dnssec::Security::secure)
            return false;
        const dnssec::TrustAnchors& anchors = tools.resolver.settings().anchors;
        return dnssec::judge_sentinel(answer.name(), answer.type(), anchors) == dnssec::Sentinel::violated;
    }
    [[nodiscard]] dns::Message reply_with(const dns::Message& query, const dnssec::Answer& answer) const {
        if (!contradicts(answer)) return answer_reply(query, answer, tools.clock.wall());
        return error_reply(query, dns::Rcode::servfail,
                           {{dns::Ede::other, "root key sentinel (RFC 8509): what the name says is not so"}});
    }
    /// MTAs take SERVFAIL for "later", which is what it is; silence would cost them seconds.
    [[nodiscard]] dns::Message overloaded(const dns::Message& query) {
        ++counters.dns_overloaded;
        return error_reply(query, dns::Rcode::servfail, {{dns::Ede::other, "too many questions are under way"}});
    }

    [[nodiscard]] Path path_of(const net::DatagramPeer& peer) const {
        return is_allowed(loopback, peer.from.address) ? Path::loopback : Path::network;
    }
    /// Clients of the network are told apart by their addresses, IPv6 ones by their network. From loopback everybody
    /// may come.
    [[nodiscard]] std::string client_of(const Address& address) const {
        if (is_allowed(loopback, address)) return {};
        const BytesView octets = address.octets();
        return std::string(as_text(octets.first(std::min<std::size_t>(octets.size(), octets_of_client))));
    }
    void datagram(std::size_t server, BytesView wire, const net::DatagramPeer& peer);
    /// A question and its place among those that wait. Who has to give it up is told SERVFAIL then.
    struct Waiting {
        dns::Message query;
        std::optional<resolve::Crowd::Place> place;
        [[nodiscard]] bool has_place() const { return place && place->is_held(); }
    };
    using WaitingRef = std::shared_ptr<Waiting>;
    /// Without a place where there is none. `reply` is called at most once by this, when the place is lost.
    [[nodiscard]] WaitingRef wait(dns::Message query, std::string client,
                                  std::function<void(const dns::Message&)> reply);
    /// True where the same was asked a moment ago, and is answered.
    bool answer_at_once(std::size_t server, BytesView wire, const net::DatagramPeer& peer);
    task::Task<void> answer_datagram(std::size_t server, net::DatagramPeer peer, WaitingRef waiting, Bytes wire);
    task::Task<void> answer_stream(std::shared_ptr<Stream> stream, WaitingRef waiting);
    task::Task<Told> answer(dns::Message query);
    task::Task<Told> resolved(dns::Message query, BudgetRef budget);
    dns::Message from_cache(const dns::Message& query);
};

/// One TCP connection.
class DnsServer::Stream final : public net::ConnectionUser, public std::enable_shared_from_this<Stream> {
  public:
    Stream(State& server, net::ConnectionRef connection, Admission admission)
        : server_(server),
          connection_(std::move(connection)),
          patience_(server.tools.scheduler, connection_),
          admission_(admission) {}

    void received(BytesView data) override {
        buffer_.insert(buffer_.end(), data.begin(), data.end());
        pump();
    }
    void ended() override {
        ended_ = true;
        pump();
    }
    void drained() override { pump(); }
    void closed() override {
        closed_ = true;
        patience_.end();
    }
    void reply(const dns::Message& message) {
        --pending_;
        send(message);
        pump();
    }

  private:
    void pump() {
        if (closed_ || pumping_) return;
        pumping_ = true;
        while (!is_full() && take_message()) {
            patience_.end();  // that message is finished; the next one has time of its own
        }
        pumping_ = false;
        if (closed_) return;
        const bool full = is_full();
        if (full != paused_ && !ended_) {
            if (full) {
                connection_->pause_reading();
            } else {
                connection_->resume_reading();
            }
            paused_ = full;
        }
        patience_.watch(!full && !ended_ && !buffer_.empty(), server_.settings.most_message_time);
        if (ended_ && pending_ == 0 && !full) connection_->close_when_sent();
    }
    [[nodiscard]] bool is_full() const {
        return pending_ >= server_.settings.most_pending || connection_->queued() > server_.settings.most_queued_octets;
    }
    bool take_message() {
        Reader reader(buffer_);
        const auto length = reader.u16();
        if (!length) return false;
        const auto wire = reader.take(*length);
        if (!wire) return false;
        consider(*wire);
        buffer_.erase(buffer_.begin(), buffer_.begin() + 2 + *length);
        return true;
    }
    void consider(BytesView wire) {
        ++server_.counters.dns_tcp;
        DnsRequest request = server_.judge(wire, admission_);
        if (std::holds_alternative<Dropped>(request)) {
            // What is no question over a stream is no client: nothing behind it can be trusted to be framed.
            connection_->close();
            return;
        }
        if (const auto* refused = std::get_if<Refused>(&request)) {
            send(refused->reply);
            return;
        }
        auto& query = std::get<Asked>(request).query;
        const std::weak_ptr<Stream> self = weak_from_this();
        const std::optional<Endpoint> peer = connection_->peer();
        auto waiting = server_.wait(std::move(query), peer ? server_.client_of(peer->address) : std::string(),
                                    [self](const dns::Message& reply) {
                                        if (const auto stream = self.lock()) stream->reply(reply);
                                    });
        if (!waiting->has_place()) {
            send(server_.overloaded(waiting->query));
            return;
        }
        ++pending_;
        ++server_.pending;
        server_.tools.scheduler.spawn(server_.answer_stream(shared_from_this(), std::move(waiting)));
    }
    void send(const dns::Message& message) {
        if (closed_) return;
        const Bytes wire = dns::render_message(message);
        Writer framed(wire.size() + 2);
        framed.u16(static_cast<std::uint16_t>(wire.size()));
        framed.bytes(wire);
        connection_->send(std::move(framed).finish());
    }

    State& server_;
    net::ConnectionRef connection_;
    Patience patience_;
    Admission admission_;
    Bytes buffer_;
    std::size_t pending_ = 0;
    bool ended_ = false, closed_ = false, paused_ = false, pumping_ = false;
};

void DnsServer::State::datagram(std::size_t server, BytesView wire, const net::DatagramPeer& peer) {
    ++counters.dns_udp;
    const Admission admitted = admission(peer.from.address);
    if (admitted == Admission::allowed && answer_at_once(server, wire, peer)) return;
    DnsRequest request = judge(wire, admitted);
    if (const auto* refused = std::get_if<Refused>(&request)) {
        datagram_servers[server]->reply(peer, dns::render_message(refused->reply, 512));
        return;
    }
    auto* asked = std::get_if<Asked>(&request);
    if (asked == nullptr) return;
    WaitingRef waiting =
        wait(std::move(asked->query), client_of(peer.from.address), [this, server, peer](const dns::Message& reply) {
            datagram_servers[server]->reply(peer, dns::render_message(reply, least_datagram));
        });
    if (!waiting->has_place()) {
        datagram_servers[server]->reply(peer, dns::render_message(overloaded(waiting->query), least_datagram));
        return;
    }
    ++pending;
    tools.scheduler.spawn(answer_datagram(server, peer, std::move(waiting), Bytes(wire.begin(), wire.end())));
}

DnsServer::State::WaitingRef DnsServer::State::wait(dns::Message query, std::string client,
                                                    std::function<void(const dns::Message&)> reply) {
    auto waiting = std::make_shared<Waiting>();
    waiting->query = std::move(query);
    if (is_full()) return waiting;
    const dns::Name& name = waiting->query.question->name;
    const resolve::Crowd::Claim claim(name, std::move(client));
    waiting->place.emplace(crowd, claim, resolve::Crowd::Stay::unknown,
                           [this, asked = waiting.get(), tell = std::move(reply)] { tell(overloaded(asked->query)); });
    return waiting;
}

bool DnsServer::State::answer_at_once(std::size_t server, BytesView wire, const net::DatagramPeer& peer) {
    if (tools.log.is_debugging()) return false;
    bool authentic = false;
    const BytesView reply = hot.find(wire, path_of(peer), tools.clock.wall(), authentic);
    if (reply.empty()) return false;
    // What does not fit the path any more is told like anything else.
    if (datagram_servers[server]->reply(peer, reply) == net::DatagramServer::Sent::too_large) return false;
    if (authentic) ++counters.dns_authentic;
    return true;
}

task::Task<void> DnsServer::State::answer_datagram(std::size_t server, net::DatagramPeer peer, WaitingRef waiting,
                                                   Bytes wire) {
    const Path path = path_of(peer);
    const std::size_t most = most_datagram_octets(waiting->query, path);
    dns::Message query = waiting->query;
    Told told = co_await answer(std::move(query));
    --pending;
    if (!waiting->has_place()) co_return;  // was told so already
    const Bytes octets = dns::render_message(told.reply, most);
    const auto sent = datagram_servers[server]->reply(peer, octets);
    if (sent == net::DatagramServer::Sent::too_large) {
        // RFC 9715 3.1: truncate, don't fragment; the client comes again over TCP.
        static_cast<void>(datagram_servers[server]->reply(peer, dns::render_message(told.reply, least_datagram)));
        co_return;
    }
    const bool truncated = (octets.at(2) & truncated_bit) != 0;
    if (told.lasting && !truncated) hot.keep(wire, path, octets, tools.clock.wall());
}

task::Task<void> DnsServer::State::answer_stream(std::shared_ptr<Stream> stream, WaitingRef waiting) {
    dns::Message query = waiting->query;
    Told told = co_await answer(std::move(query));
    --pending;
    if (!waiting->has_place()) co_return;  // was told so already
    stream->reply(told.reply);
}

task::Task<Told> DnsServer::State::answer(dns::Message query) {
    dns::Name name = query.question->name;
    const dns::Type type = query.question->type;
    Told told;
    dns::Message& reply = told.reply;  // lives in this frame
    BudgetRef budget = tools.resolver.budget(settings.deadline);
    const QuestionNumber number = budget->question();
    if (!query.recursion_desired) {
        reply = from_cache(query);
    } else if (query.checking_disabled || type == dns::Type::rrsig) {
        // Nothing signs a signature (RFC 4035 2.2): there is nothing to check, and nothing to say of it but what it is.
        resolve::RawAnswer raw = co_await tools.resolver.resolve_unchecked(std::move(name), type, std::move(budget));
        reply = unchecked_reply(query, raw, tools.clock.wall());
    } else if (type == dns::Type::any) {
        std::vector<dnssec::FindingRef> findings =
            co_await tools.resolver.resolve_any(std::move(name), std::move(budget));
        reply = any_reply(query, findings, tools.clock.wall());
    } else {
        told = co_await resolved(query, std::move(budget));
    }
    if (reply.rcode == dns::Rcode::servfail) ++counters.dns_servfail;
    if (reply.authentic_data) ++counters.dns_authentic;
    if (tools.log.is_debugging()) {
        tools.log.answered(number, "DNS " + query.question->name.to_text() + " " + dns::to_text(type),
                           dns::to_text(reply.rcode) + (reply.authentic_data ? " AD" : ""));
    }
    co_return told;
}

/// RFC 8767 5: where an answer that has ended is at hand, the client waits for a better one only so long; a failure to
/// get one does not reach it. A bogus answer does: that one was got, and it is not to be explained away.
task::Task<Told> DnsServer::State::resolved(dns::Message query, BudgetRef budget) {
    dns::Name name = query.question->name;
    const dns::Type type = query.question->type;
    const std::optional<dnssec::Answer> old = tools.resolver.peek_stale(name, type);
    if (old && settings.stale_after.count() == 0) {
        tools.resolver.refresh(*old);
        co_return Told{stale_reply(query, *old, tools.clock.wall(), settings.stale_ttl), false};
    }
    MonoTime until = budget->deadline();
    if (old) until = std::min(until, tools.clock.mono() + settings.stale_after);
    task::Task<dnssec::Answer> asking = tools.resolver.resolve(std::move(name), type, std::move(budget));
    std::optional<dnssec::Answer> answer;
    if (old) {
        answer = co_await task::with_deadline(std::move(asking), until);
    } else {
        dnssec::Answer found = co_await std::move(asking);
        answer = std::move(found);
    }
    const bool failed =
        !answer || (answer->outcome() == dnssec::Outcome::failure && answer->security() != dnssec::Security::bogus);
    if (old && failed) co_return Told{stale_reply(query, *old, tools.clock.wall(), settings.stale_ttl), false};
    // An MTA that got MX asks for the hosts next: that is fetched while it reads.
    if (type == dns::Type::mx) tools.router.look_ahead(*answer);
    Told told;
    told.reply = reply_with(query, *answer);
    // Failures are told anew each time: the next moment may know better.
    told.lasting = told.reply.rcode == dns::Rcode::noerror || told.reply.rcode == dns::Rcode::nxdomain;
    co_return told;
}

/// RD=0: what is known is told, nothing is found out for it (RFC 1034 4.3.1).
dns::Message DnsServer::State::from_cache(const dns::Message& query) {
    const std::optional<dnssec::Answer> known = tools.resolver.peek(query.question->name, query.question->type);
    if (known && known->outcome() != dnssec::Outcome::failure) return reply_with(query, *known);
    if (const auto old = tools.resolver.peek_stale(query.question->name, query.question->type)) {
        tools.resolver.refresh(*old);
        return stale_reply(query, *old, tools.clock.wall(), settings.stale_ttl);
    }
    if (known) return reply_with(query, *known);
    ++counters.dns_refused;
    return error_reply(query, dns::Rcode::refused,
                       {{dns::Ede::not_authoritative, "not in the cache, and recursion was not desired"}});
}

DnsServer::DnsServer(DnsSettings settings, Tools tools) : state_(std::make_unique<State>(std::move(settings), tools)) {}
DnsServer::~DnsServer() = default;

Done DnsServer::listen_udp(net::UvLoop& loop, net::Listening listening) {
    State* state = state_.get();
    const std::size_t place = state->datagram_servers.size();
    auto server = net::DatagramServer::start(
        loop, std::move(listening),
        [state, place](BytesView wire, const net::DatagramPeer& peer) { state->datagram(place, wire, peer); },
        state->settings.takers);
    if (!server) return fail(server.error());
    state->datagram_servers.push_back(std::move(*server));
    return {};
}

Done DnsServer::listen_tcp(net::UvLoop& loop, net::Listening listening) {
    State* state = state_.get();
    const auto greet = [state](net::ConnectionRef connection) -> std::shared_ptr<net::ConnectionUser> {
        const auto peer = connection->peer();
        const Admission admission = peer ? state->admission(peer->address) : Admission::refused;
        connection->close_when_idle_for(state->settings.most_idle_time);
        return std::make_shared<Stream>(*state, std::move(connection), admission);
    };
    auto server = net::StreamServer::start(loop, std::move(listening), state->settings.most_connections, greet);
    if (!server) return fail(server.error());
    state->stream_servers.push_back(std::move(*server));
    return {};
}

void DnsServer::forget() {
    state_->hot.forget();
}

void DnsServer::set_settings(const DnsSettings& settings) {
    DnsSettings& own = state_->settings;
    own.allow = settings.allow;
    own.deadline = settings.deadline;
    own.root_key_sentinel = settings.root_key_sentinel;
    own.stale_after = settings.stale_after;
    own.stale_ttl = settings.stale_ttl;
    forget();
}

void DnsServer::restrain(Restraint restraint) {
    const bool few = restraint == Restraint::few;
    const std::size_t usual = state_->settings.most_pending_in_all;
    state_->most_at_once = few ? std::min(few_questions, usual) : usual;
    state_->crowd->set_most(state_->most_at_once);
    const std::size_t most = state_->settings.most_connections / (few ? few_connections_part : 1);
    for (const auto& server : state_->stream_servers) server->set_most_connections(most);
}

void DnsServer::drain() {
    for (const auto& server : state_->stream_servers) server->drain();
    for (const auto& server : state_->datagram_servers) server->drain();
}

bool DnsServer::is_idle() const {
    return state_->pending == 0 &&
           std::ranges::all_of(state_->stream_servers, [](const auto& server) { return server->connections() == 0; });
}

void DnsServer::stop() {
    for (const auto& server : state_->stream_servers) server->stop();
    for (const auto& server : state_->datagram_servers) server->stop();
}

void DnsServer::count(DoorCounters& counters) const {
    counters += state_->counters;
    for (const auto& server : state_->stream_servers) {
        counters.dns_connections += server->counters().accepted;
        counters.dns_refused_connections += server->counters().refused;
        counters.dns_idle_connections += server->counters().idle;
    }
}

}  // namespace mxtrust::serve
