// Questions sent ahead: see guess.cc.
#pragma once

#include <utility>
#include <vector>

#include "resolve/iterate.h"
#include "task/gather.h"

namespace mxtrust::resolve {

/// Of one walk: what its ended delegations' servers are asked while the parent is asked for the fresh ones. What is
/// still under way when the walk ends, ends with it.
struct Iterator::Guesses {
    struct One {
        cache::ZoneCut ended;
        std::pair<dns::Name, dns::Type> question;
        AskRef said;
    };
    explicit Guesses(task::Scheduler& scheduler) : asking(scheduler), hosts(scheduler) {}
    [[nodiscard]] std::optional<std::size_t> find(const dns::Name& zone,
                                                  const std::pair<dns::Name, dns::Type>& question) const {
        for (std::size_t index = 0; index < all.size(); ++index) {
            if (all[index].ended.zone == zone && all[index].question == question) return index;
        }
        return std::nullopt;
    }

    std::vector<One> all;                        ///< by index in `asking`
    task::Gather<AskRef> asking;                 // after what it leaves its answers in
    task::Gather<std::vector<Candidate>> hosts;  ///< addresses of name servers, for whoever wants them afterwards
};

}  // namespace mxtrust::resolve
