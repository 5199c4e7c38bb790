// The loops that accept on duplicates of one listening socket. Who takes a new connection is the kernel's choice, and a
// client that opens many at once may find one worker for all of them; so whoever has got more than another hands the
// next one over, before a single octet of it is read.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/loop.h"

namespace mxtrust::net {

/// An accepted socket on its way from one loop to another; closed where it never gets there.
class Accepted {
  public:
    explicit Accepted(int descriptor) : descriptor_(descriptor) {}
    ~Accepted();
    Accepted(const Accepted&) = delete;
    Accepted& operator=(const Accepted&) = delete;
    /// The caller closes it.
    [[nodiscard]] int release();

  private:
    int descriptor_;
};

class Circle {
  public:
    /// Called in the loop of the one that it was given to.
    using Taker = std::function<void(std::shared_ptr<Accepted>)>;

    /// Somebody's place, left when it goes. Used in one thread; the loop outlives it.
    class Seat {
      public:
        Seat(std::shared_ptr<Circle> circle, UvLoop& loop, Taker taker);
        ~Seat();
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;
        /// One connection more, or one less.
        void opened() { ++place_->connections; }
        void closed() { --place_->connections; }
        /// Those that are on their way here are counted.
        [[nodiscard]] std::size_t connections() const { return place_->connections; }
        /// Takes part no more: nothing is given to it from now on; what is on its way still comes.
        void leave();
        /// Is there somebody with at least two fewer?
        [[nodiscard]] bool is_heaviest() const;
        /// Gives it to whoever has fewest; false where that is nobody else any more.
        bool give(const std::shared_ptr<Accepted>& accepted);

      private:
        friend class Circle;
        struct Place {
            UvLoop* loop;
            std::atomic<std::size_t> connections{0};
            Taker taker;  ///< of its own thread; empty when the seat is gone
        };
        std::shared_ptr<Circle> circle_;
        std::shared_ptr<Place> place_;
    };

  private:
    /// The one with fewest, if it has at least two fewer than `own`. Requires: the mutex is held.
    [[nodiscard]] std::shared_ptr<Seat::Place> lighter_than(const Seat::Place& own) const;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Seat::Place>> places_;  // guarded by mutex_
};

}  // namespace mxtrust::net
