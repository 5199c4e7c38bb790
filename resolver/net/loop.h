// One worker's event loop: libuv underneath, the scheduler's ready queue and timers on top. <uv.h> is included by the
// sources of this room only; headers name its types as opaque.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "task/scheduler.h"

struct uv_loop_s;

namespace mxtrust::net {

class UvLoop final : public task::Scheduler {
  public:
    /// The clock outlives the loop.
    explicit UvLoop(const Clock& clock);
    ~UvLoop();

    /// Until stop(). Requires: not running.
    void run();
    /// From the loop's own thread, or from a posted function.
    void stop();
    /// From any thread: runs `work` in the loop's thread.
    void post(std::function<void()> work);
    /// Calls `handler` in the loop's thread when the process gets the signal. One loop of the process should do that.
    Done on_signal(int number, std::function<void()> handler);
    /// Calls `work` again and again until the loop ends.
    void every(Duration period, std::function<void()> work);
    [[nodiscard]] uv_loop_s* raw() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::net
