// The query socket of one worker: lines in, lines out (PROTOCOL.md in this folder). Owns framing, order, limits and
// permissions; what is asked is parsed in request.h, answered by route/ and resolve/, and rendered in render.h.
//
// One client cannot hurt another: each connection has a bounded number of requests under way and a bounded output
// queue, and is not read from while it is at its limit; what a client begins to send it must finish; connections are
// counted.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "base/clock.h"
#include "cache/cache.h"
#include "log/log.h"
#include "net/server.h"
#include "resolve/resolver.h"
#include "route/router.h"
#include "serve/request.h"
#include "serve/restraint.h"
#include "serve/status.h"

namespace mxtrust::serve {

/// Limits with their reasons (A36 of the attack catalogue).
struct QueryLimits {
    std::size_t most_connections = 1000;      ///< of one worker; an MTA has one a process, some hundred at most
    std::size_t most_pending = 64;            ///< requests under way of one connection; then it is not read from
    std::size_t most_pending_in_all = 4000;   ///< of one worker; what comes then is told "overloaded"
    std::size_t most_queued_octets = 262144;  ///< replies that a client has not taken; then it is not read from
    std::size_t most_skipped_octets = 65536;  ///< of an overlong line; then framing is given up
    Duration most_line_time{30000};           ///< from a line's first octet to its end
    Duration most_idle_time{300000};          ///< nothing received, nothing sent, nothing taken
};

class QueryServer {
  public:
    struct Tools {  ///< all outlive the server
        Clock& clock;
        resolve::Resolver& resolver;
        route::Router& router;
        cache::Cache& cache;
        task::Scheduler& scheduler;
        log::Log& log;
        StatusBoard& board;
    };
    /// Drops what all workers know of a name; returns the number of entries.
    using Flush = std::function<std::size_t(const dns::Name& name, Extent extent)>;
    /// This worker's figures, for the board.
    using Publish = std::function<void()>;
    /// Reads the configuration again; `told` is called once, in this worker's thread.
    using Reloading = std::function<void(std::function<void(const Reload& reload)> told)>;
    QueryServer(QueryLimits limits, Tools tools, Flush flush, Publish publish, Reloading reloading);
    ~QueryServer();
    QueryServer(const QueryServer&) = delete;
    QueryServer& operator=(const QueryServer&) = delete;

    /// For net::StreamServer.
    std::shared_ptr<net::ConnectionUser> greet(net::ConnectionRef connection);
    /// Adds what this server counted; its connections are counted where they are accepted.
    void count(DoorCounters& counters) const;
    void restrain(Restraint restraint);
    /// This answer will be asked for, and this is what is said of it.
    void prepare(const route::MailAnswerRef& answer, std::shared_ptr<const std::string> body);
    /// Forgets finished replies; they are made again when they are asked for.
    void forget();

  private:
    struct State;
    class Conversation;
    std::unique_ptr<State> state_;
};

/// May this peer drop cache entries, and have the configuration read again? Root, the account the daemon runs as, and
/// its group.
[[nodiscard]] bool may_flush(const net::PeerCredentials& peer, uid_t own_user, gid_t own_group);

}  // namespace mxtrust::serve
