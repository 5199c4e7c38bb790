// Descriptors that a library opened itself, watched by the loop for it: for libraries that say which of their sockets
// wait for what and want to be called when it comes. Callbacks of libuv only note and ring; the coroutine that waits
// does the calling.
#pragma once

#include <memory>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "net/loop.h"
#include "task/wait.h"

namespace mxtrust::net {

/// The descriptors of one channel. They are the library's: a watch ends before its descriptor is closed.
class PollSet {
  public:
    struct Event {
        int descriptor = -1;
        bool readable = false, writable = false;
    };
    /// The loop outlives the set.
    explicit PollSet(UvLoop& loop) : loop_(loop) {}
    ~PollSet();
    PollSet(const PollSet&) = delete;
    PollSet& operator=(const PollSet&) = delete;

    /// From now on for these events; for none: no longer, and the descriptor may be closed. A descriptor that cannot be
    /// watched becomes an event that is both readable and writable, so that its owner sees the error.
    void watch(int descriptor, bool readable, bool writable);
    /// What came since the last call.
    std::vector<Event> take();
    /// Until something comes: `bool came = co_await set.wait(deadline);` Look at take() first.
    [[nodiscard]] task::Wait wait(MonoTime deadline) { return came_.wait(deadline); }

  private:
    struct Watched;
    static void release(Watched* watched);
    void note(Event event);

    UvLoop& loop_;
    std::vector<Watched*> watched_;  ///< owned by libuv until closed
    std::vector<Event> events_;
    task::Condition came_;
};

/// Binds a new datagram socket to a random port (RFC 5452 9.2) and forbids fragments (RFC 9715 3). Returns 0, or -1
/// with errno, as bind(2) does.
int bind_randomly(int descriptor, Family family, Random& random);

}  // namespace mxtrust::net
