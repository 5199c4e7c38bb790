// The event loop: libuv sleeps and calls back, the scheduler runs what became ready. Callbacks of libuv only post;
// coroutines run from the prepare and check handles, with nothing of libuv's but these on the stack.
#include "net/loop.h"

#include <uv.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <vector>

#include "base/require.h"

namespace mxtrust::net {

namespace {

/// Coroutine steps between two looks at the sockets: a flood of ready work must not keep answers and clients waiting.
constexpr std::size_t most_steps_per_turn = 1024;
/// Rounds in which libuv may call back what was closed; one is enough unless a close callback closes something else.
constexpr int most_closing_rounds = 100;

/// A repeating timer or a signal, with what it calls; freed by its close callback.
struct Repeating {
    uv_timer_t handle{};
    std::function<void()> work;
};
struct Watched {
    uv_signal_t handle{};
    std::function<void()> work;
};

template <class Holder>
void close_holder(uv_handle_t* handle) {
    std::unique_ptr<Holder>(static_cast<Holder*>(handle->data)).reset();
}

}  // namespace

struct UvLoop::State {
    uv_loop_t loop{};
    uv_timer_t timer{};
    uv_prepare_t prepare{};
    uv_check_t check{};
    uv_async_t async{};
    std::vector<Repeating*> repeating;  // owned by libuv until closed
    std::vector<Watched*> watched;
    std::mutex mutex;
    std::vector<std::function<void()>> posted;  // guarded by mutex
    UvLoop* self = nullptr;

    void arm() {
        std::optional<MonoTime> next = self->next_timer();
        if (self->has_ready()) next = self->now();  // look at the sockets, do not sleep
        if (!next) {
            uv_timer_stop(&timer);
            return;
        }
        // It only ends the sleep: what is due runs in settle(). Rounded up, or the last fraction of a millisecond would
        // be spun away.
        const auto wait = std::chrono::ceil<Duration>(*next - self->now()).count();
        uv_update_time(&loop);
        uv_timer_start(&timer, [](uv_timer_t*) {}, static_cast<std::uint64_t>(std::max<std::int64_t>(0, wait)), 0);
    }
    /// After a look at the sockets. What they brought goes first, and of the timers only those count that were due by
    /// then: where this process itself was held up, an answer that has long arrived is not taken for one that is late.
    void settle() {
        const MonoTime looked = self->now();
        self->run_ready(most_steps_per_turn);
        self->run_due(looked);
        self->run_ready(most_steps_per_turn);
    }
    void run_posted() {
        std::vector<std::function<void()>> work;
        {
            const std::lock_guard guard(mutex);
            work.swap(posted);
        }
        for (const std::function<void()>& item : work) item();
    }
};

UvLoop::UvLoop(const Clock& clock) : Scheduler(clock), state_(std::make_unique<State>()) {
    State& state = *state_;
    state.self = this;
    require(uv_loop_init(&state.loop) == 0);
    state.timer.data = state.prepare.data = state.check.data = state.async.data = &state;
    uv_timer_init(&state.loop, &state.timer);
    uv_prepare_init(&state.loop, &state.prepare);
    uv_check_init(&state.loop, &state.check);
    // Before the loop sleeps and after it has called back: whatever became ready runs now.
    uv_prepare_start(&state.prepare, [](uv_prepare_t* handle) {
        auto* loop = static_cast<State*>(handle->data);
        loop->self->run_ready(most_steps_per_turn);
        loop->arm();
    });
    uv_check_start(&state.check, [](uv_check_t* handle) { static_cast<State*>(handle->data)->settle(); });
    const int status = uv_async_init(&state.loop, &state.async,
                                     [](uv_async_t* handle) { static_cast<State*>(handle->data)->run_posted(); });
    require(status == 0);
    // A peer that closes while we write is an error of that connection (EPIPE), not the end of the process. libuv
    // leaves this to us.
    require(std::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

UvLoop::~UvLoop() {
    cancel_all();
    State& state = *state_;
    for (Repeating* holder : state.repeating)
        uv_close(reinterpret_cast<uv_handle_t*>(&holder->handle), close_holder<Repeating>);
    for (Watched* holder : state.watched)
        uv_close(reinterpret_cast<uv_handle_t*>(&holder->handle), close_holder<Watched>);
    uv_prepare_stop(&state.prepare);
    uv_check_stop(&state.check);
    for (uv_handle_t* handle :
         {reinterpret_cast<uv_handle_t*>(&state.timer), reinterpret_cast<uv_handle_t*>(&state.prepare),
          reinterpret_cast<uv_handle_t*>(&state.check), reinterpret_cast<uv_handle_t*>(&state.async)}) {
        uv_close(handle, nullptr);
    }
    // Everything that lives on this loop (servers, connections, questions) was closed by its owner before; the
    // callbacks run now.
    for (int round = 0; round < most_closing_rounds && uv_loop_alive(&state.loop) != 0; ++round) {
        uv_run(&state.loop, UV_RUN_NOWAIT);
    }
    require(uv_loop_close(&state.loop) == 0);
}

uv_loop_s* UvLoop::raw() const {
    return &state_->loop;
}

void UvLoop::run() {
    uv_run(&state_->loop, UV_RUN_DEFAULT);
}
void UvLoop::stop() {
    uv_stop(&state_->loop);
}

void UvLoop::post(std::function<void()> work) {
    {
        const std::lock_guard guard(state_->mutex);
        state_->posted.push_back(std::move(work));
    }
    uv_async_send(&state_->async);
}

Done UvLoop::on_signal(int number, std::function<void()> handler) {
    auto holder = std::make_unique<Watched>();
    holder->work = std::move(handler);
    uv_signal_init(&state_->loop, &holder->handle);
    holder->handle.data = holder.get();
    const int status = uv_signal_start(
        &holder->handle, [](uv_signal_t* handle, int) { static_cast<Watched*>(handle->data)->work(); }, number);
    state_->watched.push_back(holder.release());
    if (status != 0)
        return fail(FailureKind::system, "NSIG"_code,
                    std::string("a signal cannot be watched: ") + uv_strerror(status));
    return {};
}

void UvLoop::every(Duration period, std::function<void()> work) {
    auto holder = std::make_unique<Repeating>();
    holder->work = std::move(work);
    uv_timer_init(&state_->loop, &holder->handle);
    holder->handle.data = holder.get();
    const auto span = static_cast<std::uint64_t>(period.count());
    uv_timer_start(
        &holder->handle, [](uv_timer_t* handle) { static_cast<Repeating*>(handle->data)->work(); }, span, span);
    state_->repeating.push_back(holder.release());
}

}  // namespace mxtrust::net
