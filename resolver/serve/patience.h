// How long a peer may take to finish what it began to send: a line, a message. Closes the connection when that is over.
#pragma once

#include "net/server.h"
#include "task/scheduler.h"

namespace mxtrust::serve {

class Patience {
  public:
    Patience(task::Scheduler& scheduler, const net::ConnectionRef& connection)
        : scheduler_(scheduler), timer_(scheduler, [connection] { connection->close(); }) {}
    /// Something incomplete is there since now, or nothing is. What was there before goes on, unless end() was called.
    void watch(bool incomplete, Duration span) {
        if (!incomplete) {
            timer_.cancel();
        } else if (!timer_.is_set()) {
            timer_.wake_at(scheduler_.now() + span);
        }
    }
    /// What was begun is finished, or the connection is gone.
    void end() { timer_.cancel(); }

  private:
    task::Scheduler& scheduler_;
    task::Timer timer_;
};

}  // namespace mxtrust::serve
