// Adding up what the workers publish.
#include "serve/status.h"

namespace mxtrust::serve {
namespace {

/// 2026-08-01: this program was written later.
constexpr WallTime written{1785542400};

void add(resolve::Counters& total, const resolve::Counters& one) {
    total.questions += one.questions;
    total.from_cache += one.from_cache;
    total.upstream_udp += one.upstream_udp;
    total.upstream_tcp += one.upstream_tcp;
    total.upstream_timeouts += one.upstream_timeouts;
    total.verifications += one.verifications;
    total.secure += one.secure;
    total.insecure += one.insecure;
    total.bogus += one.bogus;
    total.indeterminate += one.indeterminate;
    total.budget_exhausted += one.budget_exhausted;
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
}

void add(DoorCounters& total, const DoorCounters& one) {
    total.query_connections += one.query_connections;
    total.query_requests += one.query_requests;
    total.query_bad_requests += one.query_bad_requests;
    total.query_refused_connections += one.query_refused_connections;
    total.query_slow_readers += one.query_slow_readers;
    total.dns_udp += one.dns_udp;
    total.dns_tcp += one.dns_tcp;
    total.dns_refused += one.dns_refused;
    total.dns_malformed += one.dns_malformed;
    total.dns_dropped += one.dns_dropped;
    total.dns_servfail += one.dns_servfail;
}

}  // namespace

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

Status StatusBoard::status(WallTime now, MonoTime mono, const cache::CacheCounters& cache) const {
    const std::lock_guard guard(mutex_);
    Status status;
    status.facts = facts_;
    status.time = now;
    status.uptime = std::chrono::duration_cast<std::chrono::seconds>(mono - facts_.started_mono);
    status.root_probe = root_probe_;
    status.cache = cache;
    for (const WorkerFigures& one : figures_) {
        add(status.total.resolver, one.resolver);
        add(status.total.mail, one.mail);
        add(status.total.doors, one.doors);
    }
    return status;
}

}  // namespace mxtrust::serve
