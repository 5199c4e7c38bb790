// A request goes there with a number, its result comes back with it: whoever asked may be gone by then.
#include "sts/fetch_thread.h"

#include <map>
#include <utility>

#include "task/signal.h"

namespace mxtrust::sts {
namespace {

/// How much longer than the transfer's own deadline its result may take.
constexpr Duration crossing{1000};

struct Waiting {
    task::Signal landed;
    Fetched result;
};

/// Touched in the asking loop only.
using Table = std::map<std::uint64_t, Waiting*>;

class Seat {
  public:
    Seat(Table& table, std::uint64_t number, Waiting& waiting) : table_(table), number_(number) {
        table_.emplace(number, &waiting);
    }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    ~Seat() { table_.erase(number_); }

  private:
    Table& table_;
    std::uint64_t number_;
};

void deliver(Table& table, std::uint64_t number, const Fetched& result) {
    const auto found = table.find(number);
    if (found == table.end()) return;
    found->second->result = result;
    found->second->landed.notify();
}

/// Fetcher and loop outlive the task.
task::Task<void> carry(Fetcher* fetcher, FetchRequest request, MonoTime deadline, net::UvLoop* back,
                       std::shared_ptr<Table> table, std::uint64_t number) {
    Fetched fetched = co_await fetcher->fetch(std::move(request), deadline);
    const auto result = std::make_shared<const Fetched>(std::move(fetched));
    back->post([table, number, result] { deliver(*table, number, *result); });
}

}  // namespace

class FetchThread::Remote final : public Fetcher {
  public:
    Remote(FetchThread& thread, net::UvLoop& loop) : thread_(thread), loop_(loop) {}

    task::Task<Fetched> fetch(FetchRequest request, MonoTime deadline) override {
        const std::uint64_t number = ++last_;
        Waiting waiting;
        Seat seat(*table_, number, waiting);
        FetchThread* there = &thread_;
        net::UvLoop* back = &loop_;
        there->loop_.post([there, back, request = std::move(request), deadline, table = table_, number] {
            there->loop_.spawn(carry(&there->curl_, request, deadline, back, table, number));
        });
        const MonoTime patience = deadline + crossing;
        const bool landed = co_await waiting.landed.wait(patience);
        if (!landed) {
            waiting.result.trouble.type = mail::TlsrptType::sts_policy_fetch_error;
            waiting.result.trouble.text = "the policy of MTA-STS was not fetched in time";
        }
        co_return std::move(waiting.result);
    }

  private:
    FetchThread& thread_;
    net::UvLoop& loop_;
    std::shared_ptr<Table> table_ = std::make_shared<Table>();
    std::uint64_t last_ = 0;
};

FetchThread::FetchThread(FetchSettings settings, const Clock& clock)
    : loop_(clock), curl_(std::move(settings), loop_) {}

FetchThread::~FetchThread() {
    stop();
    loop_.cancel_all();
}

void FetchThread::start() {
    thread_ = std::thread([this] {
        loop_.run();
        loop_.cancel_all();
    });
}

void FetchThread::stop() {
    if (!thread_.joinable()) return;
    loop_.post([this] { loop_.stop(); });
    thread_.join();
}

std::unique_ptr<Fetcher> FetchThread::fetcher_for(net::UvLoop& loop) {
    return std::make_unique<Remote>(*this, loop);
}

}  // namespace mxtrust::sts
