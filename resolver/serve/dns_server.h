// DNS over UDP and TCP for one worker: MTAs' own resolvers ask here. What a message deserves is judged in
// dns_request.h, what it gets is built in dns_reply.h; this file carries the one to the other and minds limits.
//
// RFC 1035 4.2, RFC 7766 (TCP: pipelining, idle), RFC 8914 (EDE). Every question gets an answer within the deadline, if
// only SERVFAIL.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/networks.h"
#include "log/log.h"
#include "net/server.h"
#include "resolve/resolver.h"
#include "route/router.h"
#include "serve/restraint.h"
#include "serve/status.h"

namespace mxtrust::serve {

struct DnsSettings {
    std::vector<Network> allow;
    Duration deadline{4900};
    resolve::Switch root_key_sentinel = resolve::Switch::on;  ///< RFC 8509
    Duration stale_after{1800};                 ///< then a stale answer is told, if the resolver may (RFC 8767 5)
    std::chrono::seconds stale_ttl{30};         ///< RFC 8767 4
    std::size_t most_connections = 500;         ///< TCP, of one worker and listener
    std::size_t most_pending = 64;              ///< questions under way of one TCP connection; then it is not read from
    std::size_t most_pending_in_all = 4000;     ///< of one worker; what comes then gets SERVFAIL
    std::size_t most_queued_octets = 262144;    ///< replies a TCP client has not taken; then it is not read from
    Duration most_message_time{10000};          ///< from a TCP message's first octet to its last
    Duration most_idle_time{10000};             ///< of a TCP connection (RFC 7766 6.2.3)
    net::Takers takers = net::Takers::several;  ///< workers that listen on the same sockets
};

class DnsServer {
  public:
    struct Tools {  ///< all outlive the server
        Clock& clock;
        resolve::Resolver& resolver;
        route::Router& router;
        task::Scheduler& scheduler;
        log::Log& log;
    };
    DnsServer(DnsSettings settings, Tools tools);
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    /// Begins to answer on a socket of this worker's loop. FailureKind::system where that fails.
    Done listen_udp(net::UvLoop& loop, net::Listening listening);
    Done listen_tcp(net::UvLoop& loop, net::Listening listening);
    /// From the next question on; limits stay.
    void set_settings(const DnsSettings& settings);
    void restrain(Restraint restraint);
    /// Takes no more questions; those under way are answered. is_idle() says when they are.
    void drain();
    [[nodiscard]] bool is_idle() const;
    void stop();
    /// Forgets finished replies: something was flushed, or the operator's word has ended.
    void forget();
    void count(DoorCounters& counters) const;

  private:
    struct State;
    class Stream;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::serve
