// Postfix's socketmap door of one worker (socketmap_table(5)): netstrings in, netstrings out, in order. Owns framing,
// order and limits; what a request means is in postfix_policy.h.
//
// A client may send requests without waiting for replies. One that floods is not read from; framing that is broken
// costs the connection, once what was asked before is answered.
#pragma once

#include <memory>

#include "base/clock.h"
#include "log/log.h"
#include "net/server.h"
#include "route/router.h"
#include "serve/restraint.h"
#include "serve/status.h"
#include "task/scheduler.h"

namespace mxtrust::serve {

/// Limits with their reasons.
struct PostfixLimits {
    std::size_t most_connections = 1000;      ///< of one worker; each smtp(8) process has one
    std::size_t most_pending = 16;            ///< requests under way of one connection; Postfix itself has one
    std::size_t most_pending_in_all = 4000;   ///< of one worker; what comes then is told to come again
    std::size_t most_queued_octets = 262144;  ///< replies not taken; then the connection is not read from
    Duration most_request_time{30000};        ///< from a request's first octet to its last
    Duration most_idle_time{100000};          ///< Postfix gives up after 10 s, and asks anew where it finds EOF
    Duration deadline{5000};                  ///< of an answer; Postfix waits longer, mail does not like to
};

class PostfixServer {
  public:
    struct Tools {  ///< all outlive the server
        Clock& clock;
        route::Router& router;
        task::Scheduler& scheduler;
        log::Log& log;
        Random& random;
    };
    PostfixServer(PostfixLimits limits, Tools tools);
    ~PostfixServer();
    PostfixServer(const PostfixServer&) = delete;
    PostfixServer& operator=(const PostfixServer&) = delete;

    /// For net::StreamServer.
    std::shared_ptr<net::ConnectionUser> greet(net::ConnectionRef connection);
    /// Adds what this server counted; its connections are counted where they are accepted.
    void count(DoorCounters& counters) const;
    void restrain(Restraint restraint);

  private:
    struct State;
    class Conversation;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::serve
