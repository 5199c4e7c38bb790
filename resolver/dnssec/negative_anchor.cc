// A list that is looked through: operators have few of these, and the configuration bounds them.
#include "dnssec/negative_anchor.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace mxtrust::dnssec {

bool NegativeAnchors::is_in_force(const NegativeAnchor& anchor, WallTime now) const {
    return latest_->seen(now) < anchor.ends;
}

const NegativeAnchor* NegativeAnchors::above(const dns::Name& name, WallTime now) const {
    const NegativeAnchor* deepest = nullptr;
    for (const NegativeAnchor& anchor : anchors_) {
        if (!name.is_within(anchor.name) || !is_in_force(anchor, now)) continue;
        if (deepest == nullptr || anchor.name.is_below(deepest->name)) deepest = &anchor;
    }
    return deepest;
}

const NegativeAnchor* NegativeAnchors::find(const dns::Name& name) const {
    const auto found = std::ranges::find(anchors_, name, &NegativeAnchor::name);
    return found == anchors_.end() ? nullptr : &*found;
}

NegativeAnchors NegativeAnchors::without(const dns::Name& name) const {
    NegativeAnchors rest = *this;
    std::erase_if(rest.anchors_, [&name](const NegativeAnchor& anchor) { return anchor.name == name; });
    return rest;
}

Reason reason_of(const NegativeAnchor& anchor) {
    Reason reason;
    reason.code = negative_anchor_code;
    reason.zone = anchor.name;
    reason.text = "a negative trust anchor for " + anchor.name.to_text() + " switches validation off by configuration";
    if (!anchor.reason.empty()) reason.text += " " + until_in_words(anchor.ends) + " (" + anchor.reason + ")";
    return reason;
}

const dns::Name* negative_anchor_of(const Reason& reason) {
    return reason.code == negative_anchor_code && reason.zone ? &*reason.zone : nullptr;
}

std::string until_in_words(WallTime end) {
    using namespace std::chrono;
    const sys_seconds time{seconds(end.seconds)};
    const sys_days midnight = floor<days>(time);
    const bool whole_day = time == midnight;
    const year_month_day date(whole_day ? midnight - days(1) : midnight);
    const hh_mm_ss clock(time - midnight);
    std::array<char, 64> text{};
    const int day = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    const std::string words(text.data(), static_cast<std::size_t>(std::max(day, 0)));
    if (whole_day) return "to the end of " + words;
    const int minute =
        std::snprintf(text.data(), text.size(), " %02d:%02d UTC", static_cast<int>(clock.hours().count()),
                      static_cast<int>(clock.minutes().count()));
    return "until " + words + std::string(text.data(), static_cast<std::size_t>(std::max(minute, 0)));
}

}  // namespace mxtrust::dnssec
