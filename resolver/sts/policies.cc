// Policies as notes of a store of their own: "MODE MAX_AGE FETCHED EXPIRES USED ID" and a pattern a line; see
// policies.h.
#include "sts/policies.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include "mail/host.h"
#include "mail/sts.h"
#include "mail/words.h"
#include "task/gather.h"
#include "task/wait.h"

namespace mxtrust::sts {
namespace {

using dnssec::Answer;
using dnssec::Security;
using mail::StsPolicy;
using mail::StsStatus;
using mail::StsTrouble;
using mail::TlsrptType;

constexpr std::string_view policy_prefix = "policy/";
constexpr std::string_view failure_prefix = "failed/";
constexpr std::chrono::seconds day{86400};
constexpr WallTime far{std::numeric_limits<std::int64_t>::max()};
/// Of a note that we can have written: from 1970 on, thousands of years long, in which no sum of times overflows.
constexpr WallTime last_time{std::int64_t{1} << 38U};

std::string key_of(std::string_view kind, const dns::Name& domain) {
    return std::string(kind) + domain.to_text();
}

std::optional<StsPolicy::Mode> mode_of(std::string_view word) {
    for (const auto mode : {StsPolicy::Mode::enforce, StsPolicy::Mode::testing, StsPolicy::Mode::none}) {
        if (word == to_text(mode)) return mode;
    }
    return std::nullopt;
}

bool can_be_noted(WallTime time) {
    return time >= WallTime{} && time <= last_time;
}

StsTrouble trouble(TlsrptType type, std::string text) {
    return StsTrouble{type, std::move(text)};
}

/// Nothing was found out: a failure is no absence.
bool is_unknown(const Answer& answer) {
    const bool judged = answer.security() == Security::secure || answer.security() == Security::insecure;
    return !judged || answer.outcome() == dnssec::Outcome::failure;
}

/// What the TXT record says, written down; the id where it is to be gone by.
std::optional<std::string> read_record(StsStatus& status, const dns::Name& domain, const Answer& record, WallTime now) {
    const std::string where = "the TXT record at _mta-sts." + domain.to_text();
    status.record = mail::status_of(record, now);
    status.expires = std::min(status.expires, std::max(record.expires(), now));
    if (is_unknown(record)) {
        status.trouble =
            trouble(TlsrptType::sts_policy_fetch_error, where + " could not be had" + mail::because(record));
        return std::nullopt;
    }
    const auto id = mail::parse_sts_record(mail::txt_records(record));
    if (!id) {
        status.trouble = trouble(TlsrptType::sts_policy_invalid, where + " does not count: " + id.error().text);
        return std::nullopt;
    }
    if (*id) status.record_id = **id;
    return *id;
}

std::string flight_key(const dns::Name& domain, const std::string& id) {
    return domain.to_text() + " " + id;
}

}  // namespace

/// Makes the task of a fetch where nobody fetches the same already.
class Policies::Starter {
  public:
    Starter(Policies& policies, dns::Name domain, std::string id)
        : policies_(&policies), domain_(std::move(domain)), id_(std::move(id)) {}
    task::Task<Outcome> operator()() const { return policies_->fetch(domain_, id_); }

  private:
    Policies* policies_;
    dns::Name domain_;
    std::string id_;
};

Policies::Policies(PolicySettings settings, Tools tools)
    : settings_(std::move(settings)), tools_(tools), flights_(tools.scheduler, settings_.most_fetches) {}

std::optional<Policies::Kept> Policies::load(const dns::Name& domain, WallTime now) {
    const std::optional<std::string> note = tools_.kept.find_note(key_of(policy_prefix, domain), now);
    if (!note) return std::nullopt;
    std::istringstream in(*note);
    Kept kept;
    std::string mode;
    std::int64_t max_age = 0;
    in >> mode >> max_age >> kept.policy.fetched.seconds >> kept.policy.expires.seconds >> kept.used.seconds >>
        kept.policy.id;
    const auto known = mode_of(mode);
    // Another version's, or a policy whose time is over: there is none.
    if (!in || in.get() != '\n' || !known || now >= kept.policy.expires) return std::nullopt;
    if (!can_be_noted(kept.policy.fetched) || !can_be_noted(kept.policy.expires) || !can_be_noted(kept.used) ||
        !can_be_noted(WallTime{max_age}))
        return std::nullopt;
    kept.policy.mode = *known;
    kept.policy.max_age = std::chrono::seconds(max_age);
    for (std::string pattern; std::getline(in, pattern);) kept.policy.patterns.push_back(pattern);
    return kept;
}

void Policies::store(const dns::Name& domain, const Kept& kept) {
    const StsPolicy& policy = kept.policy;
    std::ostringstream out;
    out << to_text(policy.mode) << ' ' << policy.max_age.count() << ' ' << policy.fetched.seconds << ' '
        << policy.expires.seconds << ' ' << kept.used.seconds << ' ' << policy.id << '\n';
    for (const std::string& pattern : policy.patterns) out << pattern << '\n';
    tools_.kept.store_note(key_of(policy_prefix, domain), out.str(), policy.expires);
}

void Policies::note_failure(const dns::Name& domain, const std::string& id, const StsTrouble& why, WallTime now) {
    std::ostringstream out;
    out << now.seconds << ' ' << static_cast<unsigned>(why.type) << ' ' << id << '\n' << why.text;
    tools_.kept.store_note(key_of(failure_prefix, domain), out.str(), now + std::max(settings_.retry, settings_.calm));
}

std::optional<StsTrouble> Policies::recent_failure(const dns::Name& domain, const std::string& id, WallTime now,
                                                   std::chrono::seconds within) {
    const std::optional<std::string> note = tools_.kept.find_note(key_of(failure_prefix, domain), now);
    if (!note) return std::nullopt;
    std::istringstream in(*note);
    WallTime when;
    unsigned type = 0;
    std::string failed_id;
    in >> when.seconds >> type >> failed_id;
    if (!in || in.get() != '\n' || type > static_cast<unsigned>(TlsrptType::sts_webpki_invalid) || !can_be_noted(when))
        return std::nullopt;
    // Another id is another policy, and the failure may be mended by it.
    if (failed_id != id || now - when >= within) return std::nullopt;
    StsTrouble found;
    found.type = static_cast<TlsrptType>(type);
    std::getline(in, found.text);
    return found;
}

task::Task<StsStatus> Policies::find(dns::Name domain, std::optional<Answer> record, MonoTime due) {
    ++counters_.asked;
    const WallTime now = tools_.clock.wall();
    StsStatus status;
    status.expires = now + day;
    if (std::optional<Kept> kept = load(domain, now)) {
        status.policy = kept->policy;
        status.source = StsStatus::Source::cache;
        status.expires = std::min(status.expires, kept->policy.expires);
        if (now - kept->used >= day) {
            kept->used = now;
            store(domain, *kept);
        }
    }
    if (!record) {
        status.late = true;
        status.expires = now;
        co_return status;
    }
    const std::optional<std::string> id = read_record(status, domain, *record, now);
    if (!id || (status.policy && status.policy->id == *id)) co_return status;
    status.trouble = recent_failure(domain, *id, now, settings_.retry);
    if (status.trouble) {
        status.expires = std::min(status.expires, now + settings_.retry);
        co_return status;
    }
    std::string key = flight_key(domain, *id);
    Starter starter(*this, domain, *id);
    std::optional<Outcome> outcome = co_await flights_.run(std::move(key), due, std::move(starter));
    if (!outcome) {
        // It goes on; the next question finds what came of it.
        status.late = true;
        status.expires = now;
        status.trouble =
            trouble(TlsrptType::sts_policy_fetch_error, "mta-sts." + domain.to_text() + " did not give it in time");
    } else if (outcome->policy) {
        status.policy = std::move(outcome->policy);
        status.source = StsStatus::Source::https;
        status.expires = std::min(status.expires, status.policy->expires);
    } else {
        status.trouble = std::move(outcome->trouble);
        status.expires = std::min(status.expires, now + settings_.retry);
    }
    co_return status;
}

bool Policies::may_be_asked(const Address& address) const {
    if (address.is_unusable()) return false;
    if ((address.family() == Family::ipv4 ? settings_.ipv4 : settings_.ipv6) == Allowed::no) return false;
    if (is_allowed(settings_.private_addresses, address)) return false;
    if (address.is_loopback()) return settings_.loopback_addresses == Allowed::yes;
    return settings_.local_addresses == Allowed::yes || !address.is_special_purpose();
}

task::Task<Answer> Policies::look_up(dns::Name name, dns::Type type, MonoTime deadline) {
    co_return co_await tools_.dns.resolve(std::move(name), type, deadline);
}

task::Task<Policies::Found> Policies::find_addresses(dns::Name host, MonoTime deadline) {
    Found found;
    task::Gather<Answer> gather(tools_.scheduler);
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) gather.add(look_up(host, type, deadline));
    bool any = false;
    std::string unknown;
    while (gather.pending() > 0) {
        task::Gather<Answer>::Finished next = co_await gather.next(task::never);
        if (!next) break;
        const Answer& answer = next->second;
        // What is bogus is believed in nothing; what is unsigned the certificate proves.
        if (is_unknown(answer)) {
            unknown = mail::because(answer);
            continue;
        }
        if (answer.outcome() != dnssec::Outcome::records || answer.final().rrset() == nullptr) continue;
        for (const Bytes& rdata : answer.final().rrset()->records) {
            const Result<Address> address = Address::from_rdata(rdata);
            if (!address) continue;
            any = true;
            if (may_be_asked(*address) && found.addresses.size() < settings_.most_addresses)
                found.addresses.push_back(*address);
        }
    }
    if (!found.addresses.empty()) co_return found;
    if (any) {
        found.why = " has only addresses that no public server has, or of a family that is switched off";
    } else if (!unknown.empty()) {
        found.why = " could not be looked up" + unknown;
    } else {
        found.why = " has no address";
    }
    co_return found;
}

task::Task<Policies::Outcome> Policies::fetch(dns::Name domain, std::string id) {
    ++counters_.fetches;
    Outcome outcome;
    const MonoTime deadline = tools_.clock.mono() + settings_.fetch_time;
    FetchRequest request;
    const Result<dns::Name> host = domain.prepend("mta-sts");
    if (host) {
        request.host = *host;
        dns::Name asked = *host;
        Found found = co_await find_addresses(std::move(asked), deadline);
        request.addresses = std::move(found.addresses);
        outcome.trouble = trouble(TlsrptType::sts_policy_fetch_error, host->to_text() + found.why);
    } else {
        outcome.trouble = trouble(TlsrptType::sts_policy_fetch_error, "mta-sts." + domain.to_text() + " is too long");
    }
    Fetched fetched;
    fetched.trouble = outcome.trouble;
    if (!request.addresses.empty()) {
        fetched = co_await tools_.fetcher.fetch(std::move(request), deadline);
    }
    const WallTime now = tools_.clock.wall();
    outcome.trouble = std::move(fetched.trouble);
    if (fetched.good) {
        Result<StsPolicy> policy = mail::parse_sts_policy(fetched.text);
        if (policy) {
            policy->id = id;
            policy->fetched = now;
            policy->expires = now + std::max(policy->max_age, mail::least_sts_life);
            Kept kept;
            kept.policy = *policy;
            kept.used = now;
            if (std::optional<Kept> before = load(domain, now)) kept.used = before->used;
            store(domain, kept);
            tools_.kept.store_note(key_of(failure_prefix, domain), {}, now);  // removes it
            outcome.policy = std::move(*policy);
            co_return outcome;
        }
        outcome.trouble = trouble(TlsrptType::sts_policy_invalid, policy.error().text);
    }
    ++counters_.failures;
    note_failure(domain, id, outcome.trouble, now);
    co_return outcome;
}

bool Policies::is_due(const Kept& kept, WallTime now) const {
    if (now - kept.used >= settings_.idle) return false;
    const std::chrono::seconds life = kept.policy.expires - kept.policy.fetched;
    return now - kept.policy.fetched >= std::min(settings_.daily, life / 2);
}

task::Task<void> Policies::renew(dns::Name domain, WallTime now) {
    const Result<dns::Name> owner = domain.prepend("_mta-sts");
    if (!owner) co_return;
    const MonoTime deadline = tools_.clock.mono() + settings_.fetch_time;
    dns::Name asked = *owner;
    Answer record = co_await tools_.dns.resolve(std::move(asked), dns::Type::txt, deadline);
    StsStatus status;
    status.expires = far;
    std::optional<std::string> id = read_record(status, domain, record, now);
    // Gone, or not to be had: what is kept holds to its end.
    if (!id || recent_failure(domain, *id, now, settings_.calm)) co_return;
    std::string key = flight_key(domain, *id);
    Starter starter(*this, domain, *id);
    // The fetch keeps to its own time.
    std::optional<Outcome> outcome = co_await flights_.run(std::move(key), task::never, std::move(starter));
    if (outcome && outcome->policy) ++counters_.refreshed;
}

task::Task<void> Policies::round() {
    const WallTime begin = tools_.clock.wall();
    std::vector<dns::Name> due;
    for (const auto& [key, note] : tools_.kept.notes(policy_prefix, settings_.most_policies, begin)) {
        static_cast<void>(note);
        const Result<dns::Name> domain = dns::Name::from_text(std::string_view(key).substr(policy_prefix.size()));
        if (!domain) continue;
        const std::optional<Kept> kept = load(*domain, begin);
        if (kept && is_due(*kept, begin)) due.push_back(*domain);
    }
    for (std::size_t index = 0; index < due.size(); ++index) {
        dns::Name domain = due[index];
        const WallTime now = tools_.clock.wall();
        co_await renew(std::move(domain), now);
    }
}

task::Task<void> Policies::run() {
    while (true) {
        const MonoTime next = tools_.clock.mono() + settings_.round;
        co_await task::sleep_until(next);
        co_await round();
    }
}

}  // namespace mxtrust::sts
