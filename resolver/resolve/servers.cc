#include "resolve/servers.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace mxtrust::resolve {
namespace {

constexpr Duration unknown_cost{60};  // between a near and a far server: unknown ones are soon tried
constexpr Duration dead_cost{20'000};
constexpr Duration lame_cost{100'000};
constexpr std::uint64_t explore_one_in = 20;
constexpr std::uint32_t most_failures_recalled = 3;
constexpr std::size_t most_lame_zones = 8;  // per address; the oldest goes

std::size_t index_of(Family family) {
    return family == Family::ipv4 ? 0 : 1;
}

}  // namespace

Servers::Record& Servers::record(const Address& address) {
    if (records_.size() >= most_addresses && !records_.contains(address)) {
        bool drop = false;
        std::erase_if(records_, [&drop](const auto&) { return drop = !drop; });
    }
    return records_[address];
}

const Servers::Record* Servers::known(const Address& address) const {
    const auto found = records_.find(address);
    return found == records_.end() ? nullptr : &found->second;
}

Duration Servers::cost(const Candidate& candidate, const dns::Name& zone, MonoTime now) const {
    Duration cost = unknown_cost;
    if (const Record* record = known(candidate.address)) {
        cost = record->smoothed.value_or(unknown_cost);
        if (record->dead_until > now) cost += dead_cost;
    }
    if (is_lame(candidate.address, zone, now)) cost += lame_cost;
    if (is_family_dead(candidate.address.family(), now)) cost += dead_cost;
    return cost;
}

std::vector<Candidate> Servers::order(std::vector<Candidate> candidates, const dns::Name& zone, MonoTime now) {
    struct Ranked {
        Duration cost;
        std::uint64_t tie;
        Candidate candidate;
    };
    const AddressHash hash(tie_);
    std::vector<Ranked> ranked;
    ranked.reserve(candidates.size());
    for (Candidate& candidate : candidates) {
        // Of those never heard from, all questions of one moment go to the same one: if it is dead, that costs one
        // hedge. Which one is nobody's business but ours.
        const Record* record = known(candidate.address);
        const bool heard = record != nullptr && record->heard;
        const std::uint64_t tie = heard ? random_.next() : hash(candidate.address);
        ranked.push_back({cost(candidate, zone, now), tie, std::move(candidate)});
    }
    std::ranges::sort(ranked, {}, [](const Ranked& one) { return std::pair(one.cost, one.tie); });
    std::ranges::transform(ranked, candidates.begin(), [](Ranked& one) { return std::move(one.candidate); });
    if (candidates.size() > 1 && random_.below(explore_one_in) == 0) {
        const std::size_t other = 1 + random_.below(candidates.size() - 1);
        if (cost(candidates[other], zone, now) < dead_cost) {
            std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(other),
                        candidates.begin() + static_cast<std::ptrdiff_t>(other) + 1);
        }
    }
    return candidates;
}

Duration Servers::timeout(const Address& address) const {
    const Record* record = known(address);
    if (record == nullptr) return first_timeout;
    // What was feared of one never heard from is no measure: it may be far away.
    Duration timeout = record->heard ? *record->smoothed + 4 * record->variation : first_timeout;
    timeout *= 1 + std::min<std::uint32_t>(record->failures, 3);
    return std::clamp(timeout, least_timeout, most_timeout);
}

Duration Servers::hedge_delay(const Address& address) const {
    const Record* record = known(address);
    if (record == nullptr) return first_hedge_;
    if (record->doubted) return doubted_hedge;  // do not wait for it
    if (!record->heard) return first_hedge_;
    return std::clamp(*record->smoothed + 3 * record->variation, least_hedge, most_hedge);
}

bool Servers::is_lame(const Address& address, const dns::Name& zone, MonoTime now) const {
    const Record* record = known(address);
    if (record == nullptr) return false;
    return std::ranges::any_of(record->lame,
                               [&](const auto& entry) { return entry.second > now && entry.first == zone; });
}

bool Servers::is_family_dead(Family family, MonoTime now) const {
    return families_.at(index_of(family)).dead_until > now;
}

EdnsSupport Servers::edns(const Address& address, MonoTime now) const {
    const Record* record = known(address);
    if (record == nullptr) return EdnsSupport::unknown;
    if (record->edns_works) return EdnsSupport::works;
    return record->no_edns.holds(now) ? EdnsSupport::refused : EdnsSupport::unknown;
}

bool Servers::was_silent(const Address& address) const {
    const Record* record = known(address);
    return record != nullptr && record->silent;
}

bool Servers::keeps_letters(const Address& address, MonoTime now) const {
    const Record* record = known(address);
    return record == nullptr || !record->no_letters.holds(now);
}

void Servers::Doubt::strike(MonoTime now) {
    if (until <= now) strikes = 0;
    if (strikes < most_strikes) ++strikes;
    until = now + doubt_time;
}

std::optional<Duration> Servers::round_trip(const Address& address) const {
    const Record* record = known(address);
    return record == nullptr || !record->heard ? std::nullopt : record->smoothed;
}

void Servers::answered(const Address& address, Duration round_trip) {
    Record& entry = record(address);
    if (!entry.heard || entry.failures > 0) ++changes_;
    if (entry.answers < std::numeric_limits<std::uint32_t>::max()) ++entry.answers;
    if (!entry.heard) {
        note_first_contact(round_trip);
        entry.smoothed = round_trip;
        entry.variation = round_trip / 2;
    } else {
        const Duration error = std::chrono::abs(*entry.smoothed - round_trip);
        entry.variation = (3 * entry.variation + error) / 4;
        entry.smoothed = (7 * *entry.smoothed + round_trip) / 8;
    }
    entry.heard = true;
    entry.doubted = false;
    entry.failures = 0;
    entry.silent = false;
    entry.dead_until = {};
    FamilyState& family = families_.at(index_of(address.family()));
    family.answered = true;
    family.failures = 0;
    family.dead_until = {};
}

void Servers::note_first_contact(Duration round_trip) {
    contacts_.at(contacts_made_++ % first_contacts) = round_trip;
    learn_first_hedge();
}

void Servers::learn_first_hedge() {
    const std::size_t count = std::min(contacts_made_, first_contacts);
    if (count < least_first_contacts) return;
    std::array<Duration, first_contacts> sorted = contacts_;
    const auto nine_in_ten = sorted.begin() + static_cast<std::ptrdiff_t>(count * 9 / 10);
    std::nth_element(sorted.begin(), nine_in_ten, sorted.begin() + static_cast<std::ptrdiff_t>(count));
    first_hedge_ = std::clamp(*nine_in_ten, least_first_hedge, most_first_hedge);
}

void Servers::family_failed(const Address& address, MonoTime now) {
    FamilyState& family = families_.at(index_of(address.family()));
    if (family.failures > 0 && family.last_failed == address) return;
    family.last_failed = address;
    if (++family.failures < family_dead_after) return;
    if (family.dead_until <= now) ++changes_;
    family.dead_until = now + family_retry;
}

void Servers::timed_out(const Address& address, MonoTime now) {
    Record& entry = record(address);
    if (entry.failures == 0) ++changes_;
    entry.smoothed = std::min<Duration>(most_timeout, entry.smoothed ? 2 * *entry.smoothed : first_timeout);
    entry.silent = entry.doubted = true;
    entry.failures = std::min<std::uint32_t>(entry.failures + 1, 10);
    entry.dead_until = now + std::chrono::seconds(1LL << std::min<std::uint32_t>(entry.failures, 6));
    family_failed(address, now);
}

void Servers::unreachable(const Address& address, MonoTime now) {
    Record& entry = record(address);
    if (entry.failures == 0) ++changes_;
    entry.doubted = true;
    entry.failures = std::min<std::uint32_t>(entry.failures + 1, 10);
    entry.dead_until = now + std::chrono::seconds(1LL << std::min<std::uint32_t>(entry.failures + 1, 6));
    family_failed(address, now);
}

void Servers::overdue(const Address& address, Duration waited, MonoTime now) {
    Record& entry = record(address);
    entry.smoothed = std::max(entry.smoothed.value_or(waited), waited);
    entry.doubted = true;
    entry.dead_until = std::max(entry.dead_until, now + doubted_time);
}

void Servers::lame(const Address& address, const dns::Name& zone, MonoTime now) {
    Record& entry = record(address);
    std::erase_if(entry.lame, [&](const auto& old) { return old.second <= now || old.first == zone; });
    if (entry.lame.size() >= most_lame_zones) entry.lame.erase(entry.lame.begin());
    entry.lame.emplace_back(zone, now + lame_time);
}

void Servers::edns_works(const Address& address) {
    Record& entry = record(address);
    entry.edns_works = true;
    entry.no_edns = {};
}

void Servers::edns_refused(const Address& address, MonoTime now) {
    Record& entry = record(address);
    if (entry.edns_works) return;  // one odd answer does not undo what was seen (A32)
    entry.no_edns.strike(now);
}

void Servers::letters_lost(const Address& address, Seen seen, MonoTime now) {
    Doubt& doubt = record(address).no_letters;
    doubt.strike(now);
    if (seen == Seen::stream) doubt.strikes = most_strikes;
}

Servers::Count Servers::count() const {
    const auto failing = std::ranges::count_if(records_, [](const auto& one) { return one.second.failures > 0; });
    return {records_.size(), static_cast<std::size_t>(failing)};
}

bool Servers::is_anybody_there(MonoTime now) const {
    return std::ranges::any_of(
        families_, [now](const FamilyState& family) { return family.answered && family.dead_until <= now; });
}

ServersMemory Servers::remember(std::size_t most, MonoTime now) const {
    const auto is_failing = [](const Record& record) { return record.failures > 0; };
    std::vector<std::pair<Address, const Record*>> chosen;
    for (const auto& [address, record] : records_) {
        if (is_failing(record) || record.heard) chosen.emplace_back(address, &record);
    }
    // Among the failing ones as well: a flood of delegations to nowhere leaves the ones that matter.
    std::ranges::sort(chosen, [&](const auto& one, const auto& other) {
        return std::tuple(!is_failing(*one.second), other.second->answers, one.first) <
               std::tuple(!is_failing(*other.second), one.second->answers, other.first);
    });
    const auto healthy =
        std::ranges::find_if_not(chosen, [&](const auto& one) { return is_failing(*one.second); }) - chosen.begin();
    const std::size_t failing = std::min(static_cast<std::size_t>(healthy), most / 2);
    chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(failing), chosen.begin() + healthy);
    if (chosen.size() > most) chosen.resize(most);

    ServersMemory memory;
    for (const auto& [address, record] : chosen) {
        memory.servers.push_back(
            {address, record->smoothed.value_or(first_timeout), record->variation, record->failures, record->heard});
    }
    memory.dead = {is_family_dead(Family::ipv4, now), is_family_dead(Family::ipv6, now)};
    const std::size_t count = std::min(contacts_made_, first_contacts);
    memory.contacts.assign(contacts_.begin(), contacts_.begin() + static_cast<std::ptrdiff_t>(count));
    return memory;
}

void Servers::recall(const ServersMemory& memory, MonoTime now) {
    for (const ServersMemory::One& one : memory.servers) {
        if (records_.size() >= most_addresses) break;
        const auto [place, is_new] = records_.try_emplace(one.address);
        if (!is_new) continue;
        Record& entry = place->second;
        entry.smoothed = std::clamp<Duration>(one.smoothed, Duration(0), most_timeout);
        entry.variation = std::clamp<Duration>(one.variation, Duration(0), most_timeout);
        entry.heard = one.heard;
        entry.failures = std::min(one.failures, most_failures_recalled);
        if (entry.failures == 0) continue;
        entry.doubted = true;
        entry.dead_until = now + std::chrono::seconds(1LL << entry.failures);
    }
    for (std::size_t family = 0; family < families_.size(); ++family) {
        if (memory.dead.at(family)) families_.at(family).dead_until = now + family_retry;
    }
    if (contacts_made_ > 0) return;
    for (const Duration contact : memory.contacts) {
        if (contacts_made_ == first_contacts) break;
        contacts_.at(contacts_made_++) = std::clamp<Duration>(contact, Duration(0), most_timeout);
    }
    learn_first_hedge();
}

}  // namespace mxtrust::resolve
