// Failing domains as notes: "since last next tries", the code, the text, a line each; see ledger.h.
#include "route/ledger.h"

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

#include "mail/codes.h"

namespace mxtrust::route {
namespace {

constexpr std::string_view prefix = "ledger/";
/// How many entries go at once when the ledger is full, so that not every failure counts all of them.
constexpr std::size_t room = Ledger::most_entries / 10;
constexpr std::size_t most_text = 500;
/// Of a note that we can have written: from 1970 on, thousands of years long, in which no sum of times overflows, and a
/// try each quarter of an hour for thirty of them.
constexpr WallTime last_time{std::int64_t{1} << 38U};
constexpr std::uint32_t most_tries = 1'000'000;

std::string key_of(std::string_view domain) {
    std::string key(prefix);
    key += domain;
    return key;
}

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, most_text));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

std::string encode(const FailingDomain& entry) {
    std::ostringstream out;
    out << entry.since.seconds << ' ' << entry.last.seconds << ' ' << entry.next.seconds << ' ' << entry.tries << '\n'
        << entry.code << '\n'
        << entry.text;
    return out.str();
}

/// Nothing where the note is not one of ours (another version's, say): the domain begins anew.
std::optional<FailingDomain> decode(std::string_view domain, const std::string& note) {
    std::istringstream in(note);
    FailingDomain entry;
    entry.domain = domain;
    in >> entry.since.seconds >> entry.last.seconds >> entry.next.seconds >> entry.tries;
    if (!in || in.get() != '\n' || entry.tries == 0 || entry.tries > most_tries) return std::nullopt;
    for (const WallTime time : {entry.since, entry.last, entry.next}) {
        if (time < WallTime{} || time > last_time) return std::nullopt;
    }
    std::getline(in, entry.code);
    std::getline(in, entry.text);
    return entry;
}

}  // namespace

FailingDomain Ledger::failed(std::string_view domain, std::string_view code, std::string_view text, WallTime now) {
    std::string key = key_of(domain);
    std::optional<FailingDomain> entry;
    if (std::optional<std::string> note = cache_.find_note(key, now)) entry = decode(domain, *note);
    if (!entry) {
        make_room(now);
        entry.emplace();
        entry->domain = domain;
        entry->since = now;
    }
    // Ten messages for one domain in one minute are one look, not ten tries.
    if (entry->tries == 0 || now >= entry->next) {
        ++entry->tries;
        entry->next = now + mail::retry_delay(entry->tries, now - entry->since);
    }
    entry->last = now;
    entry->code = one_line(code);
    entry->text = one_line(text);
    cache_.store_note(key, encode(*entry), now + kept_for);
    return *entry;
}

bool Ledger::good(std::string_view domain, WallTime now) {
    std::string key = key_of(domain);
    if (!cache_.find_note(key, now)) return false;
    cache_.store_note(key, {}, now);  // expires at once
    return true;
}

std::vector<FailingDomain> Ledger::list(std::size_t limit, WallTime now) const {
    std::vector<FailingDomain> entries;
    for (const auto& [key, note] : cache_.notes(prefix, most_entries, now)) {
        std::optional<FailingDomain> entry = decode(std::string_view(key).substr(prefix.size()), note);
        if (entry) entries.push_back(std::move(*entry));
    }
    std::sort(entries.begin(), entries.end(), [](const FailingDomain& left, const FailingDomain& right) {
        return left.last != right.last ? left.last > right.last : left.domain < right.domain;
    });
    if (entries.size() > limit) entries.resize(limit);
    return entries;
}

void Ledger::make_room(WallTime now) {
    if (++entries_ < most_entries) return;
    std::vector<FailingDomain> entries = list(most_entries, now);
    entries_ = entries.size() + 1;
    if (entries.size() < most_entries) return;
    std::sort(entries.begin(), entries.end(), [](const FailingDomain& left, const FailingDomain& right) {
        return std::tuple(left.tries > 1, left.last) > std::tuple(right.tries > 1, right.last);
    });
    for (std::size_t index = most_entries - room; index < entries.size(); ++index) good(entries[index].domain, now);
    entries_ = most_entries - room + 1;
}

}  // namespace mxtrust::route
