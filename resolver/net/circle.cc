// A place is posted to only while it is in the circle, with the circle's lock held: its loop is there.
#include "net/circle.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace mxtrust::net {

Accepted::~Accepted() {
    if (descriptor_ >= 0) close(descriptor_);
}

int Accepted::release() {
    return std::exchange(descriptor_, -1);
}

Circle::Seat::Seat(std::shared_ptr<Circle> circle, UvLoop& loop, Taker taker)
    : circle_(std::move(circle)), place_(std::make_shared<Place>()) {
    place_->loop = &loop;
    place_->taker = std::move(taker);
    const std::scoped_lock lock(circle_->mutex_);
    circle_->places_.push_back(place_);
}

Circle::Seat::~Seat() {
    leave();
    place_->taker = nullptr;
}

void Circle::Seat::leave() {
    const std::scoped_lock lock(circle_->mutex_);
    std::erase(circle_->places_, place_);
}

std::shared_ptr<Circle::Seat::Place> Circle::lighter_than(const Seat::Place& own) const {
    const auto fewest = std::ranges::min_element(
        places_, {}, [](const std::shared_ptr<Seat::Place>& place) { return place->connections.load(); });
    if (fewest == places_.end() || (*fewest)->connections + 2 > own.connections) return nullptr;
    return *fewest;
}

bool Circle::Seat::is_heaviest() const {
    const std::scoped_lock lock(circle_->mutex_);
    return circle_->lighter_than(*place_) != nullptr;
}

bool Circle::Seat::give(const std::shared_ptr<Accepted>& accepted) {
    const std::scoped_lock lock(circle_->mutex_);
    const std::shared_ptr<Place> place = circle_->lighter_than(*place_);
    if (!place) return false;
    ++place->connections;
    place->loop->post([place, accepted] {
        const Taker taker = place->taker;  // who takes it may leave meanwhile
        if (taker) taker(accepted);
    });
    return true;
}

}  // namespace mxtrust::net
