// Negative trust anchors: names that the operator takes out of validation for a while, with all below them (RFC 7646).
//
// What is judged under one is insecure by the operator's word, never secure, and its reason says so. It is good no
// longer than the anchor is in force. An anchor that has ended stays ended: a clock that is set back does not bring it
// to life again. A trust anchor of its own below a negative one goes before it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dnssec/finding.h"

namespace mxtrust::dnssec {

/// The code of a Reason that is the operator's word; its `zone` is the negative trust anchor's name.
inline constexpr Code negative_anchor_code = "VNTA"_code;

struct NegativeAnchor {
    dns::Name name;
    std::string reason;                    ///< the operator's own words
    WallTime ends{INT64_C(253402300800)};  ///< from here on it is as if it were not there; at most the year 10000
    // A name alone is one without reason or end, for tests and tools.
    NegativeAnchor(dns::Name its_name) : name(std::move(its_name)) {}  // NOLINT(google-explicit-constructor)
    NegativeAnchor(dns::Name its_name, std::string its_reason, WallTime its_end)
        : name(std::move(its_name)), reason(std::move(its_reason)), ends(its_end) {}
    friend bool operator==(const NegativeAnchor&, const NegativeAnchor&) = default;
};

/// Copies share what they have seen of the time.
class NegativeAnchors {
  public:
    NegativeAnchors() = default;
    NegativeAnchors(std::vector<NegativeAnchor> anchors, std::shared_ptr<LatestTime> latest)
        : anchors_(std::move(anchors)), latest_(std::move(latest)) {}

    void push_back(NegativeAnchor anchor) { anchors_.push_back(std::move(anchor)); }
    /// The deepest one at or above `name` that is in force; null where there is none.
    [[nodiscard]] const NegativeAnchor* above(const dns::Name& name, WallTime now) const;
    /// Exactly this one, in force or not.
    [[nodiscard]] const NegativeAnchor* find(const dns::Name& name) const;
    [[nodiscard]] bool is_in_force(const NegativeAnchor& anchor, WallTime now) const;
    [[nodiscard]] const std::vector<NegativeAnchor>& all() const { return anchors_; }
    /// The same without one of them: for finding out whether it is still needed.
    [[nodiscard]] NegativeAnchors without(const dns::Name& name) const;

  private:
    std::vector<NegativeAnchor> anchors_;
    std::shared_ptr<LatestTime> latest_ = std::make_shared<LatestTime>();
};

/// Why what lies below it is insecure: with the operator's reason and the end, for answers, logs and EDE.
[[nodiscard]] Reason reason_of(const NegativeAnchor& anchor);
/// The negative trust anchor that a verdict rests on; nothing where it rests on none.
[[nodiscard]] const dns::Name* negative_anchor_of(const Reason& reason);

/// "until 2026-12-24 12:00 UTC"; of a whole day "to the end of 2026-12-24".
[[nodiscard]] std::string until_in_words(WallTime end);

}  // namespace mxtrust::dnssec
