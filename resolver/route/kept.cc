// A list in order of use and a table into it; see kept.h.
#include "route/kept.h"

#include <algorithm>
#include <utility>

#include "mail/exception.h"

namespace mxtrust::route {
namespace {

class Touched {
  public:
    Touched(const dns::Name& name, bool subtree) : name_(name), subtree_(subtree) {}
    [[nodiscard]] bool operator()(const dns::Name& other) const {
        return subtree_ ? other.is_within(name_) : other == name_;
    }

  private:
    const dns::Name& name_;
    bool subtree_;
};

bool rests_on(const mail::HostAnswer& host, const Touched& touched) {
    if (host.alias && std::any_of(host.alias->chain.begin(), host.alias->chain.end(), touched)) return true;
    if (std::any_of(host.unshown.begin(), host.unshown.end(), touched)) return true;
    if (host.tlsa && (touched(host.tlsa->name) || touched(host.tlsa->base))) return true;
    Result<dns::Name> name = dns::Name::from_text(host.name);
    return name && touched(*name);
}

bool rests_on(const dns::Name& domain, const mail::MailAnswer& answer, const Touched& touched) {
    if (touched(domain)) return true;
    for (const char* policy : {"_mta-sts.", "_smtp._tls."}) {
        const Result<dns::Name> record = dns::Name::from_text(policy + domain.to_text());
        if ((answer.sts || answer.tlsrpt) && record && touched(*record)) return true;
    }
    if (answer.mx && std::any_of(answer.mx->alias.begin(), answer.mx->alias.end(), touched)) return true;
    return std::any_of(answer.hosts.begin(), answer.hosts.end(),
                       [&touched](const mail::HostAnswer& host) { return rests_on(host, touched); });
}

}  // namespace

KeptAnswers::Ref KeptAnswers::find(const std::string& key, WallTime now, WallTime latest) {
    auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    const mail::MailAnswer& answer = *found->second->answer;
    const std::optional<WallTime> word_ends = mail::first_end(answer.by_operator);
    if (answer.expires <= now || (word_ends && *word_ends <= latest)) {
        drop(key);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front().answer;
}

const KeptAnswers::Origin* KeptAnswers::origin(const std::string& key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &found->second->origin;
}

void KeptAnswers::keep(const std::string& key, Origin origin, Ref answer) {
    drop(key);
    if (most_ == 0) return;
    while (entries_.size() >= most_) {
        places_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front(Entry{key, std::move(origin), std::move(answer)});
    places_.emplace(key, entries_.begin());
}

void KeptAnswers::drop(const std::string& key) {
    auto found = places_.find(key);
    if (found == places_.end()) return;
    entries_.erase(found->second);
    places_.erase(found);
}

std::size_t KeptAnswers::flush(const dns::Name& name, bool subtree) {
    Touched touched(name, subtree);
    std::size_t dropped = 0;
    for (Place place = entries_.begin(); place != entries_.end();) {
        if (!rests_on(place->origin.next_hop.name, *place->answer, touched)) {
            ++place;
            continue;
        }
        places_.erase(place->key);
        place = entries_.erase(place);
        ++dropped;
    }
    return dropped;
}

std::vector<std::string> KeptAnswers::keys(std::size_t most) const {
    std::vector<std::string> keys;
    for (const Entry& entry : entries_) {
        if (keys.size() == most) break;
        keys.push_back(entry.key);
    }
    return keys;
}

void KeptAnswers::clear() {
    places_.clear();
    entries_.clear();
}

}  // namespace mxtrust::route
