#include "route/demand.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "route/search.h"

namespace mxtrust::route {
namespace {

constexpr std::string_view prefix = "demand/";
constexpr std::size_t most_note_octets = 60'000;  // a note of the cache has 64 KiB at most
constexpr std::size_t most_destination_octets = 300;

std::string key_of(std::size_t worker) {
    return std::string(prefix) + std::to_string(worker);
}

}  // namespace

void note_demand(const std::vector<std::string>& destinations, std::size_t worker, cache::Cache& cache, WallTime now) {
    std::string note;
    for (const std::string& destination : destinations) {
        if (note.size() + destination.size() + 1 > most_note_octets) break;
        note += destination;
        note += '\n';
    }
    cache.store_note(key_of(worker), note, now + demand_kept);
}

std::vector<std::string> noted_demand(cache::Cache& cache, WallTime now) {
    const std::vector<std::pair<std::string, std::string>> notes = cache.notes(prefix, most_demand_notes, now);
    std::vector<std::string_view> left;
    for (const auto& [key, note] : notes) left.push_back(note);
    std::vector<std::string> destinations;
    std::unordered_set<std::string> seen;
    while (!left.empty() && destinations.size() < most_prepared) {
        for (std::string_view& note : left) {
            const std::string_view destination = note.substr(0, note.find('\n'));
            note.remove_prefix(std::min(note.size(), destination.size() + 1));
            if (destination.empty() || destination.size() > most_destination_octets) continue;
            if (destinations.size() == most_prepared || !seen.emplace(destination).second) continue;
            destinations.emplace_back(destination);
        }
        std::erase_if(left, [](std::string_view note) { return note.empty(); });
    }
    return destinations;
}

task::Task<dnssec::Answer> OnlyAtHand::resolve(dns::Name name, dns::Type type, BudgetRef budget) {
    static_cast<void>(budget);
    misses_.miss();
    co_return unanswered(name, type, clock_.wall());
}

std::optional<dnssec::Answer> OnlyAtHand::peek(const dns::Name& name, dns::Type type) {
    return behind_.peek(name, type);
}

std::optional<dnssec::Answer> OnlyAtHand::at_hand(const dns::Name& name, dns::Type type, Budget& budget) {
    return behind_.at_hand(name, type, budget);
}

BudgetRef OnlyAtHand::budget(Duration time, BudgetRef parent) {
    return behind_.budget(time, std::move(parent));
}

task::Task<mail::StsStatus> OnlyWithoutPolicy::find(dns::Name domain, std::optional<dnssec::Answer> record,
                                                    MonoTime due) {
    if (!record || record->outcome() == dnssec::Outcome::records || record->outcome() == dnssec::Outcome::failure) {
        misses_.miss();
        co_return mail::StsStatus{};
    }
    co_return co_await behind_.find(std::move(domain), std::move(record), due);
}

}  // namespace mxtrust::route
