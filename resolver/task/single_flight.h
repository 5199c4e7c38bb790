// Many askers, one question, one answer: the first asker's question takes off, the others wait for the same.
//
// The flight belongs to the SingleFlight, not to who started it. An asker that is destroyed or whose deadline comes
// leaves alone; when nobody is left, the flight goes on to its end (its budget bounds it), so that a late answer still
// fills the cache. A flight that is worth nothing then is given its Askers, and sees to that itself.
//
// Flights that wait for each other in a circle sleep until the askers' deadlines: callers keep that from happening.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "task/nursery.h"
#include "task/task.h"
#include "task/wait.h"

namespace mxtrust::task {

/// Flights of one table at a time. An answer costs memory while it is on its way; above this new questions are refused
/// (A21).
inline constexpr std::size_t most_flights = 20'000;

/// How many wait for one flight.
class Askers {
  public:
    [[nodiscard]] bool any() const { return count_ > 0; }
    /// Rung when the last one has left; somebody may have come since.
    Condition left;

    /// One of them, as long as it lives.
    class Seat {
      public:
        explicit Seat(std::shared_ptr<Askers> askers) : askers_(std::move(askers)) { ++askers_->count_; }
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;
        ~Seat() {
            if (--askers_->count_ == 0) askers_->left.ring_all();
        }

      private:
        std::shared_ptr<Askers> askers_;
    };

  private:
    std::size_t count_ = 0;
};
using AskersRef = std::shared_ptr<Askers>;

/// Makes the work of a flight: owns all it needs, and may be told who waits for it.
template <class Starter>
concept FlightStarter = std::invocable<Starter> || std::invocable<Starter, AskersRef>;

template <class Key, class Value, class Hash = std::hash<Key>>
class SingleFlight {
  public:
    explicit SingleFlight(Scheduler& scheduler, std::size_t most = most_flights, Hash hash = Hash())
        : most_(most), flights_(0, std::move(hash)), nursery_(scheduler) {}
    SingleFlight(const SingleFlight&) = delete;
    SingleFlight& operator=(const SingleFlight&) = delete;
    /// Cancels the flights. Not to be called from inside one. Who still waits sleeps until its deadline.
    ~SingleFlight() { nursery_.cancel_all(); }

    /// Joins the flight of `key`, or starts one with `starter()` or `starter(askers)`, which returns a Task<Value>
    /// that owns all it needs.
    /// Yields nullopt when the deadline comes first, or when the flight would be one too many (refused() counts these).
    /// Value is copied to every asker; a shared_ptr mostly.
    template <FlightStarter Starter>
    Task<std::optional<Value>> run(Key key, MonoTime deadline, Starter starter) {
        std::shared_ptr<Flight> flight = find(key);
        if (flight == nullptr) {
            if (is_full()) {
                ++refused_;
                co_return std::nullopt;
            }
            flight = std::make_shared<Flight>();
            flights_.emplace(key, flight);
            if constexpr (std::invocable<Starter, AskersRef>) {
                nursery_.spawn(fly(std::move(key), flight, starter(flight->askers)));
            } else {
                nursery_.spawn(fly(std::move(key), flight, starter()));
            }
        } else {
            ++joined_;
        }
        // From here on `this` may be gone: only the flight itself is looked at.
        const Askers::Seat seat(flight->askers);
        bool in_time = true;
        while (!flight->value && in_time) {
            in_time = co_await flight->landed.wait(deadline);
        }
        co_return flight->value;
    }

    [[nodiscard]] std::size_t in_flight() const { return flights_.size(); }
    [[nodiscard]] bool is_in_flight(const Key& key) const { return flights_.contains(key); }
    [[nodiscard]] bool is_full() const { return flights_.size() >= most_; }
    [[nodiscard]] std::uint64_t joined() const { return joined_; }    ///< askers that found a flight under way
    [[nodiscard]] std::uint64_t refused() const { return refused_; }  ///< askers turned away because of `most`

  private:
    struct Flight {
        std::optional<Value> value;
        Condition landed;
        AskersRef askers = std::make_shared<Askers>();
    };

    std::shared_ptr<Flight> find(const Key& key) const {
        const auto found = flights_.find(key);
        return found == flights_.end() ? nullptr : found->second;
    }
    Task<void> fly(Key key, std::shared_ptr<Flight> flight, Task<Value> work) {
        Value value = co_await std::move(work);
        flight->value.emplace(std::move(value));
        flights_.erase(key);
        flight->landed.ring_all();
    }

    std::size_t most_;
    std::uint64_t joined_ = 0;
    std::uint64_t refused_ = 0;
    std::unordered_map<Key, std::shared_ptr<Flight>, Hash> flights_;
    Nursery nursery_;
};

}  // namespace mxtrust::task
