// The state of one walk from a zone cut down to the answer: what to ask next. RFC 9156. Pure.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "resolve/iterate.h"

namespace mxtrust::resolve {

inline constexpr std::size_t one_label_steps = 4;  // RFC 9156 2.3 MINIMISE_ONE_LAB
inline constexpr std::size_t most_minimised = 10;  // RFC 9156 2.3 MAX_MINIMISE_COUNT

/// The labels below an underscore label reveal nothing that the zone's servers do not see anyway, and servers that do
/// not know empty non-terminals answer them wrongly (mail-trust.md case 34): the name is asked in full from there on.
inline std::size_t labels_to_probe(const dns::Name& name) {
    const std::size_t all = name.label_count();
    std::size_t service = 0;
    while (service < all && name.label(service).starts_with('_')) ++service;
    // Below: the host's own name is the last probe; with service labels in front it need not be probed at all.
    return service > 0 && service < all ? all - service : all;
}

class Iterator::Walk {
  public:
    Walk(dns::Name name, dns::Type type, cache::ZoneCut start, const Settings& settings)
        : cut(std::move(start)),
          name_(std::move(name)),
          type_(type),
          minimise_(settings.minimisation == Switch::on),
          hide_type_(settings.hide_query_type == Switch::on && type != dns::Type::ds && type != dns::Type::any) {
        probed_ = cut.zone.label_count();
    }

    /// The next question: the full one, or one label more than is known (RFC 9156 2).
    [[nodiscard]] std::pair<dns::Name, dns::Type> question() const {
        const std::size_t all = name_.label_count();
        if (!minimise_ || probes_ >= most_minimised) return {name_, type_};
        if (const dns::Name* known = next_known()) return {*known, probe_};
        const std::size_t step =
            probes_ < one_label_steps ? 1 : std::max<std::size_t>(1, (all - probed_) / (most_minimised - probes_));
        const std::size_t next = probed_ + step;
        if (next >= labels_to_probe(name_)) {
            // RFC 9156 3: the type is told to nobody but the server that has the name. Behind an underscore label it is
            // plain to see.
            const bool hide = hide_type_ && probed_ < all && labels_to_probe(name_) == all;
            return {name_, hide ? probe_ : type_};
        }
        return {name_.ancestor(next), probe_};
    }
    /// A probe was answered with an error: RFC 7816's NS is what older servers expect; after that the whole name.
    void probe_failed(FailureKind kind) {
        if (kind == FailureKind::refused && probe_ == dns::Type::a) {
            probe_ = dns::Type::ns;
        } else {
            minimise_ = false;
        }
    }
    [[nodiscard]] bool is_full(const std::pair<dns::Name, dns::Type>& asked) const {
        return asked.first == name_ && asked.second == type_;
    }
    /// Zone cuts that were there once, from the top down: the walk goes from one to the next, past the labels between,
    /// and to each the parent is asked for in the same way, so that many questions need its referral once.
    void expect(std::vector<dns::Name> zones) { expected_ = std::move(zones); }
    void stop_minimising() { minimise_ = false; }
    void probed(const dns::Name& asked) {
        probed_ = asked.label_count();
        ++probes_;
    }
    void descend(cache::ZoneCut child) {
        cut = std::move(child);
        probed_ = cut.zone.label_count();
        from_cache = false;
    }
    void restart(cache::ZoneCut from) {
        descend(std::move(from));
        rechecked = true;
    }

    cache::ZoneCut cut;
    bool from_cache = true;  ///< the cut was known before: it may be out of date
    bool rechecked = false;  ///< the parent was asked again already

  private:
    [[nodiscard]] const dns::Name* next_known() const {
        const auto ahead = [this](const dns::Name& zone) {
            return zone.label_count() > probed_ && zone.label_count() <= name_.label_count();
        };
        const auto found = std::ranges::find_if(expected_, ahead);
        return found == expected_.end() ? nullptr : &*found;
    }

    dns::Name name_;
    dns::Type type_;
    bool minimise_, hide_type_;
    dns::Type probe_ = dns::Type::a;  ///< hides what is asked for (RFC 9156 2.1)
    std::size_t probed_ = 0;          ///< so many labels are known to belong to the cut's zone
    std::size_t probes_ = 0;
    std::vector<dns::Name> expected_;
};

}  // namespace mxtrust::resolve
