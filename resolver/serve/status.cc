// Adding up what the workers publish.
#include "serve/status.h"

#include <array>
#include <cstdio>

namespace mxtrust::serve {
namespace {

/// 2026-08-01: this program was written later.
constexpr WallTime written{1785542400};

void add(resolve::Counters& total, const resolve::Counters& one) {
    total.questions += one.questions;
    total.from_cache += one.from_cache;
    total.upstream_udp += one.upstream_udp;
    total.upstream_tcp += one.upstream_tcp;
    total.upstream_retries += one.upstream_retries;
    total.upstream_timeouts += one.upstream_timeouts;
    total.verifications += one.verifications;
    total.secure += one.secure;
    total.insecure += one.insecure;
    total.bogus += one.bogus;
    total.indeterminate += one.indeterminate;
    total.budget_exhausted += one.budget_exhausted;
    for (std::size_t place = 0; place < one.judged.size(); ++place) total.judged.at(place) += one.judged.at(place);
    total.lookup_time += one.lookup_time;
    total.upstream_time += one.upstream_time;
    total.suspicious += one.suspicious;
    total.answers_exhausted += one.answers_exhausted;
    total.crowded += one.crowded;
    total.servers_known += one.servers_known;
    total.servers_failing += one.servers_failing;
    total.reports += one.reports;
    total.in_flight += one.in_flight;
    for (std::size_t limit = 0; limit < limit_count; ++limit) {
        total.spent.drawn.at(limit) += one.spent.drawn.at(limit);
        total.spent.exhausted.at(limit) += one.spent.exhausted.at(limit);
    }
}

void add(route::RouteCounters& total, const route::RouteCounters& one) {
    total.questions += one.questions;
    total.kept += one.kept;
    total.searches += one.searches;
    total.deliver += one.deliver;
    total.defer += one.defer;
    total.bounce += one.bounce;
    total.late += one.late;
    total.ahead += one.ahead;
    total.refreshed += one.refreshed;
    total.renewed += one.renewed;
    total.prepared += one.prepared;
    total.answer_time += one.answer_time;
}

void add(StsCounters& total, const StsCounters& one) {
    total.asked += one.asked;
    total.fetches += one.fetches;
    total.failures += one.failures;
    total.refreshed += one.refreshed;
}

/// In the order of the status.
constexpr std::array all_door_counters{std::to_array<DoorCounter>({
    {"query_connections", &DoorCounters::query_connections},
    {"query_refused_connections", &DoorCounters::query_refused_connections},
    {"query_idle_connections", &DoorCounters::query_idle_connections},
    {"query_requests", &DoorCounters::query_requests},
    {"query_bad_requests", &DoorCounters::query_bad_requests},
    {"query_overloaded", &DoorCounters::query_overloaded},
    {"query_slow_readers", &DoorCounters::query_slow_readers},
    {"query_mail", &DoorCounters::query_mail},
    {"query_decide_deliver", &DoorCounters::query_decide_deliver},
    {"query_decide_defer", &DoorCounters::query_decide_defer},
    {"query_decide_bounce", &DoorCounters::query_decide_bounce},
    {"postfix_connections", &DoorCounters::postfix_connections},
    {"postfix_refused_connections", &DoorCounters::postfix_refused_connections},
    {"postfix_idle_connections", &DoorCounters::postfix_idle_connections},
    {"postfix_requests", &DoorCounters::postfix_requests},
    {"postfix_broken_framing", &DoorCounters::postfix_broken_framing},
    {"postfix_overloaded", &DoorCounters::postfix_overloaded},
    {"postfix_dane_only", &DoorCounters::postfix_dane_only},
    {"postfix_dane", &DoorCounters::postfix_dane},
    {"postfix_secure", &DoorCounters::postfix_secure},
    {"postfix_encrypt", &DoorCounters::postfix_encrypt},
    {"postfix_may", &DoorCounters::postfix_may},
    {"postfix_not_found", &DoorCounters::postfix_not_found},
    {"postfix_temp", &DoorCounters::postfix_temp},
    {"postfix_perm", &DoorCounters::postfix_perm},
    {"dns_connections", &DoorCounters::dns_connections},
    {"dns_refused_connections", &DoorCounters::dns_refused_connections},
    {"dns_idle_connections", &DoorCounters::dns_idle_connections},
    {"dns_udp", &DoorCounters::dns_udp},
    {"dns_tcp", &DoorCounters::dns_tcp},
    {"dns_refused", &DoorCounters::dns_refused},
    {"dns_malformed", &DoorCounters::dns_malformed},
    {"dns_dropped", &DoorCounters::dns_dropped},
    {"dns_overloaded", &DoorCounters::dns_overloaded},
    {"dns_authentic", &DoorCounters::dns_authentic},
    {"dns_servfail", &DoorCounters::dns_servfail},
})};
// Eight octets each and nothing else: one that is missing above would be missing in the status.
static_assert(sizeof(DoorCounters) == sizeof(std::uint64_t) * all_door_counters.size());

/// What the operator ought to do about it, where there is something.
std::string standing_warning(const route::WordStanding& standing) {
    const std::string what = mail::described(standing.word);
    if (!standing.active) return what + " has ended and has no effect any more; remove it";
    if (standing.need == route::Need::not_needed)
        return what + " is no longer needed: " + standing.text + "; remove it";
    if (standing.ends_soon) return what + " ends soon: it holds " + dnssec::until_in_words(standing.word.expires);
    return {};
}

std::string mebibytes(std::uint64_t octets) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(octets) / (1024.0 * 1024.0));
    return text.data();
}

}  // namespace

std::string memory_words(const MemoryStatus& memory) {
    if (memory.limit.empty()) return "the system has no more memory to give";
    return mebibytes(memory.used) + " of " + mebibytes(memory.most) + " MiB are in use (" + memory.limit + ")";
}

std::span<const DoorCounter> door_counters() {
    return all_door_counters;
}

DoorCounters& operator+=(DoorCounters& total, const DoorCounters& one) {
    for (const DoorCounter& counter : all_door_counters) total.*counter.member += one.*counter.member;
    return total;
}

std::string_view health(const Status& status) {
    if (!status.facts.time_is_fixed && clock_is_behind(status.time)) return "clock-wrong";
    if (!status.root_probe) return "starting";
    return status.root_probe->security == dnssec::Security::secure ? "good" : "root-not-secure";
}

std::vector<std::string> warnings(const Status& status) {
    std::vector<std::string> all = status.facts.doubts;
    if (status.reload && !status.reload->accepted) all.push_back("the last reload was refused: " + status.reload->text);
    for (const route::WordStanding& standing : status.words) {
        std::string warning = standing_warning(standing);
        if (!warning.empty()) all.push_back(std::move(warning));
    }
    if (!status.anchors.trouble.empty()) all.push_back(status.anchors.trouble);
    if (status.memory.is_short) {
        all.push_back("memory is short: " + memory_words(status.memory) +
                      "; few questions and connections are taken at a time until it is less");
    }
    return all;
}

bool clock_is_behind(WallTime now) {
    return now < written;
}

void StatusBoard::set_facts(Facts facts) {
    const std::lock_guard guard(mutex_);
    facts_ = std::move(facts);
}

void StatusBoard::publish(std::size_t worker, const WorkerFigures& figures) {
    const std::lock_guard guard(mutex_);
    figures_.at(worker) = figures;
}

void StatusBoard::root_probed(RootProbe probe) {
    const std::lock_guard guard(mutex_);
    root_probe_ = std::move(probe);
}

void StatusBoard::set_anchors(AnchorReport report) {
    const std::lock_guard guard(mutex_);
    anchors_ = std::move(report);
}

void StatusBoard::set_memory(MemoryStatus memory) {
    const std::lock_guard guard(mutex_);
    memory_ = std::move(memory);
}

void StatusBoard::watch(const resolve::ForwarderBoard& forwarders) {
    const std::lock_guard guard(mutex_);
    forwarders_ = &forwarders;
}

void StatusBoard::reloaded(Reload reload) {
    const std::lock_guard guard(mutex_);
    reload_ = std::move(reload);
}

void StatusBoard::set_doubts(std::vector<std::string> doubts) {
    const std::lock_guard guard(mutex_);
    facts_.doubts = std::move(doubts);
}

void StatusBoard::set_words(std::vector<route::WordStanding> words) {
    const std::lock_guard guard(mutex_);
    words_ = std::move(words);
}

Status StatusBoard::status(WallTime now, MonoTime mono, const cache::CacheCounters& cache) const {
    const std::lock_guard guard(mutex_);
    Status status;
    status.facts = facts_;
    status.time = now;
    status.uptime = std::chrono::duration_cast<std::chrono::seconds>(mono - facts_.started_mono);
    status.anchors = anchors_;
    status.memory = memory_;
    status.root_probe = root_probe_;
    status.reload = reload_;
    status.words = words_;
    status.cache = cache;
    if (forwarders_ != nullptr) {
        status.resolution = forwarders_->resolution();
        status.forwarders = forwarders_->all();
    }
    for (const WorkerFigures& one : figures_) {
        add(status.total.resolver, one.resolver);
        add(status.total.mail, one.mail);
        add(status.total.sts, one.sts);
        status.total.doors += one.doors;
    }
    return status;
}

}  // namespace mxtrust::serve
