// How a question gets to a forwarder and its answer back. Production has forward_ares.h; tests have a scripted one.
#pragma once

#include "base/budget.h"
#include "net/network.h"
#include "task/task.h"

namespace mxtrust::resolve {

struct RelayQuestion {
    Endpoint forwarder;
    Bytes query;
    net::Matcher datagram;  ///< must also see to the letters of the question, which a forger has to guess
    net::Matcher stream;    ///< need not: nobody guesses a connection
    MonoTime deadline{};
    BudgetRef budget;  ///< packets are drawn from it
};

class Relay {
  public:
    Relay() = default;
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    virtual ~Relay() = default;

    /// Sends the query as it is, by datagram from a random port; by stream when the answer is truncated or somebody
    /// seems to guess (Match::suspect). Returns the first message that the matcher accepts. Failures: timeout,
    /// unreachable, budget, system, malformed. Cancelled cleanly with its task.
    virtual task::Task<Result<Bytes>> ask(RelayQuestion question) = 0;
};

}  // namespace mxtrust::resolve
