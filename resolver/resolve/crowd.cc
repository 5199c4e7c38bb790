#include "resolve/crowd.h"

#include <algorithm>
#include <utility>

namespace mxtrust::resolve {
namespace {

constexpr std::size_t group_labels = 2;
constexpr std::size_t most_looked_at = 32;  // of thousands, each time one too many comes

}  // namespace

dns::Name Crowd::group_of(const dns::Name& name) {
    return name.ancestor(std::min(group_labels, name.label_count()));
}

Crowd::Place::Place(std::shared_ptr<Crowd> crowd, const Claim& claim, Stay stay, std::function<void()> lost)
    : crowd_(std::move(crowd)),
      group_(group_of(claim.about)),
      client_(claim.client),
      since_(crowd_->clock_.mono()),
      stay_(stay),
      lost_(std::move(lost)) {
    if (!crowd_->make_room(*this)) {
        ++crowd_->turned_away_;
        return;
    }
    held_ = true;
    if (stay_ == Stay::brief) {
        ++crowd_->brief_;
        return;
    }
    if (!client_.empty()) ++crowd_->clients_[client_];
    std::list<Place*>& mine = crowd_->groups_[group_];
    in_group_ = mine.insert(mine.end(), this);
    in_all_ = crowd_->all_.insert(crowd_->all_.end(), this);
}

Crowd::Place::~Place() {
    leave();
}

void Crowd::Place::leave() {
    if (!held_) return;
    held_ = false;
    if (stay_ == Stay::brief) {
        --crowd_->brief_;
        return;
    }
    crowd_->all_.erase(in_all_);
    const auto mine = crowd_->groups_.find(group_);
    mine->second.erase(in_group_);
    if (mine->second.empty()) crowd_->groups_.erase(mine);
    if (client_.empty()) return;
    const auto asker = crowd_->clients_.find(client_);
    if (--asker->second == 0) crowd_->clients_.erase(asker);
}

void Crowd::evict(Place& place) {
    ++turned_away_;
    place.leave();
    place.lost_();
}

bool Crowd::make_room(const Place& newcomer) {
    if (newcomer.stay_ == Stay::brief) return size() < limits_.most + limits_.kept_free;
    const auto asker = clients_.find(newcomer.client_);
    if (asker != clients_.end() && asker->second >= limits_.most - limits_.most / limits_.left_by_client) return false;
    const auto found = groups_.find(newcomer.group_);
    const std::size_t mine = found == groups_.end() ? 0 : found->second.size();
    if (size() < limits_.most / 2) return true;
    if (mine >= std::max<std::size_t>(1, limits_.most / limits_.part_of_group)) return false;
    if (size() < limits_.most) return true;
    if (all_.empty()) return false;
    // Of those that have waited longest, the one with the most of its kind.
    Place* worst = nullptr;
    std::size_t most = 0, looked_at = 0;
    for (Place* place : all_) {
        if (++looked_at > most_looked_at) break;
        const std::size_t size = groups_.at(place->group_).size();
        if (size <= most) continue;
        worst = place;
        most = size;
    }
    // One with as few as the newcomer has the older right, for a while.
    if (most <= mine + 1) worst = all_.front();
    if (most <= mine + 1 && clock_.mono() - worst->since_ < limits_.long_enough) return false;
    evict(*worst);
    return true;
}

}  // namespace mxtrust::resolve
