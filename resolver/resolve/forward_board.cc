#include "resolve/forward_board.h"

#include <algorithm>
#include <tuple>

namespace mxtrust::resolve {

std::string_view to_text(ForwarderState state) {
    switch (state) {
        case ForwarderState::unknown:
            return "unknown";
        case ForwarderState::good:
            return "good";
        case ForwarderState::failing:
            return "failing";
        case ForwarderState::ourselves:
            return "ourselves";
    }
    return "unknown";
}

std::string_view to_text(ForwarderDnssec dnssec) {
    switch (dnssec) {
        case ForwarderDnssec::unknown:
            return "unknown";
        case ForwarderDnssec::ok:
            return "ok";
        case ForwarderDnssec::stripped:
            return "stripped";
        case ForwarderDnssec::no_edns:
            return "no-edns";
        case ForwarderDnssec::lying:
            return "lying";
        case ForwarderDnssec::unchecked:
            return "unchecked";
    }
    return "unknown";
}

ForwarderBoard::Record& ForwarderBoard::record(const Endpoint& forwarder) {
    Record& record = records_[forwarder];
    record.status.address = forwarder;
    return record;
}

void ForwarderBoard::know(const Endpoint& forwarder, const std::string& purpose) {
    const std::lock_guard guard(mutex_);
    std::string& known = record(forwarder).status.purpose;
    if ((", " + known + ", ").find(", " + purpose + ", ") != std::string::npos) return;
    known += (known.empty() ? "" : ", ") + purpose;
}

void ForwarderBoard::set_fallback(const std::vector<Endpoint>& forwarders) {
    for (const Endpoint& forwarder : forwarders) know(forwarder, "fallback");
    const std::lock_guard guard(mutex_);
    // Who is no longer in resolv.conf, and nothing else, is forgotten.
    std::erase_if(records_, [&forwarders](const auto& entry) {
        return entry.second.status.purpose == "fallback" &&
               std::ranges::find(forwarders, entry.first) == forwarders.end();
    });
    fallback_ = forwarders;
}

std::vector<Endpoint> ForwarderBoard::fallback() const {
    const std::lock_guard guard(mutex_);
    return fallback_;
}

int ForwarderBoard::rank(const Record& record) {
    const ForwarderDnssec dnssec = record.status.dnssec;
    const bool broken =
        dnssec == ForwarderDnssec::stripped || dnssec == ForwarderDnssec::no_edns || dnssec == ForwarderDnssec::lying;
    if (record.failures >= most_failures) return broken ? 4 : 3;
    if (broken) return 2;
    return record.failures > 0 ? 1 : 0;
}

std::vector<Endpoint> ForwarderBoard::order(const std::vector<Endpoint>& forwarders) const {
    // Unknown ones first among equals, so that they become known; else in the order that they were given.
    std::vector<std::tuple<int, Duration, std::size_t>> places;
    {
        const std::lock_guard guard(mutex_);
        for (std::size_t index = 0; index < forwarders.size(); ++index) {
            const auto found = records_.find(forwarders[index]);
            if (found == records_.end()) {
                places.emplace_back(0, Duration{0}, index);
            } else if (found->second.status.state != ForwarderState::ourselves) {
                places.emplace_back(rank(found->second), found->second.status.round_trip.value_or(Duration{0}), index);
            }
        }
    }
    std::ranges::sort(places);
    std::vector<Endpoint> ordered;
    for (const auto& [rank, round_trip, index] : places) ordered.push_back(forwarders[index]);
    return ordered;
}

ForwarderStatus ForwarderBoard::status(const Endpoint& forwarder) const {
    const std::lock_guard guard(mutex_);
    const auto found = records_.find(forwarder);
    if (found != records_.end()) return found->second.status;
    ForwarderStatus unknown;
    unknown.address = forwarder;
    return unknown;
}

std::vector<ForwarderStatus> ForwarderBoard::all() const {
    const std::lock_guard guard(mutex_);
    std::vector<ForwarderStatus> statuses;
    for (const auto& [endpoint, record] : records_) statuses.push_back(record.status);
    return statuses;
}

void ForwarderBoard::change(Record& record, ForwarderState state, ForwarderDnssec dnssec, WallTime now) {
    ForwarderStatus& status = record.status;
    if (status.state == state && status.dnssec == dnssec) return;
    status.state = state;
    status.dnssec = dnssec;
    status.since = now;
    const bool sound =
        state == ForwarderState::good &&
        (dnssec == ForwarderDnssec::ok || dnssec == ForwarderDnssec::unchecked || dnssec == ForwarderDnssec::unknown);
    const std::string what = std::string(to_text(state)) + ", DNSSEC " + std::string(to_text(dnssec));
    log_.forwarder(status.address.to_text(), what, sound ? "" : status.last_error, sound);
}

void ForwarderBoard::answered(const Endpoint& forwarder, Duration round_trip, WallTime now) {
    const std::lock_guard guard(mutex_);
    Record& known = record(forwarder);
    known.failures = 0;
    const std::optional<Duration> before = known.status.round_trip;
    known.status.round_trip = before ? (7 * *before + round_trip) / 8 : round_trip;
    known.status.last_answer = now;
    if (known.status.state != ForwarderState::ourselves) change(known, ForwarderState::good, known.status.dnssec, now);
}

void ForwarderBoard::failed(const Endpoint& forwarder, const std::string& error, WallTime asked, WallTime now) {
    const std::lock_guard guard(mutex_);
    Record& known = record(forwarder);
    if (known.status.last_answer && *known.status.last_answer >= asked) return;
    known.status.last_error = error;
    ++known.failures;
    // One lost packet makes no state.
    const bool often = known.failures >= most_failures || known.status.state == ForwarderState::unknown;
    if (often && known.status.state != ForwarderState::ourselves)
        change(known, ForwarderState::failing, known.status.dnssec, now);
}

void ForwarderBoard::judged(const Endpoint& forwarder, ForwarderDnssec dnssec, const std::string& error, WallTime now) {
    const std::lock_guard guard(mutex_);
    Record& known = record(forwarder);
    if (!error.empty()) known.status.last_error = error;
    change(known, known.status.state, dnssec, now);
}

void ForwarderBoard::expect(const dns::Name& name, const Endpoint& forwarder) {
    const std::lock_guard guard(mutex_);
    expected_[name] = forwarder;
    expected_count_ = expected_.size();
}

void ForwarderBoard::forget(const dns::Name& name) {
    const std::lock_guard guard(mutex_);
    expected_.erase(name);
    expected_count_ = expected_.size();
}

void ForwarderBoard::came_in(const dns::Name& name, WallTime now) {
    if (expected_count_.load(std::memory_order_relaxed) == 0) return;
    const std::lock_guard guard(mutex_);
    const auto found = expected_.find(name);
    if (found == expected_.end()) return;
    Record& known = record(found->second);
    known.status.last_error = "leads back to this daemon";
    change(known, ForwarderState::ourselves, known.status.dnssec, now);
}

void ForwarderBoard::stand_in(const std::string& reason, WallTime now) {
    const std::lock_guard guard(mutex_);
    if (forwarding_) return;
    resolution_ = {true, now, reason};
    nobody_ = false;
    forwarding_ = true;
    log_.resolution_changed("forwarders stand in for recursion: " + reason, false);
}

void ForwarderBoard::stand_back(WallTime now) {
    const std::lock_guard guard(mutex_);
    if (!forwarding_) return;
    forwarding_ = false;
    resolution_ = {false, now, ""};
    log_.resolution_changed("recursion works again: forwarders stand back", true);
}

void ForwarderBoard::nobody_stands_in(const std::string& reason, WallTime now) {
    const std::lock_guard guard(mutex_);
    if (nobody_ || forwarding_) return;
    nobody_ = true;
    resolution_ = {false, now, reason};
    log_.resolution_changed("recursion is impossible, and no forwarder can stand in: " + reason, false);
}

void ForwarderBoard::recursion_works() {
    const std::lock_guard guard(mutex_);
    if (!nobody_ || forwarding_) return;
    nobody_ = false;
    resolution_.reason.clear();
    log_.resolution_changed("recursion works again", true);
}

ResolutionStatus ForwarderBoard::resolution() const {
    const std::lock_guard guard(mutex_);
    return resolution_;
}

}  // namespace mxtrust::resolve
