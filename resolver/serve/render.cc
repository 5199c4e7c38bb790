// All replies but the mail answer and the explanation: RRsets, status, failing domains, flushes, errors.
#include "serve/render.h"

#include "dns/text.h"
#include "serve/json.h"

namespace mxtrust::serve {
namespace {

std::string_view code_word(ErrorCode code) {
    switch (code) {
        case ErrorCode::bad_request:
            return "bad-request";
        case ErrorCode::forbidden:
            return "forbidden";
        case ErrorCode::overloaded:
            return "overloaded";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

Json anchor_json(const AnchorStatus& anchor) {
    Json json;
    json["zone"] = anchor.zone.to_text();
    json["key_tag"] = anchor.key_tag;
    json["algorithm"] = dns::to_text(anchor.algorithm);
    json["kind"] = anchor.kind;
    json["state"] = anchor.state;
    json["origin"] = anchor.origin;
    json["since"] = anchor.since ? Json(anchor.since->seconds) : Json(nullptr);
    json["last_seen"] = anchor.last_seen ? Json(anchor.last_seen->seconds) : Json(nullptr);
    return json;
}

Json anchor_state_json(const AnchorReport& report) {
    Json json;
    json["follows"] = report.follows;
    json["last_authentic"] = report.last_authentic ? Json(report.last_authentic->seconds) : Json(nullptr);
    json["trouble"] = text_or_null(dns::clean_text(report.trouble, 500));
    return json;
}

/// A negative trust anchor or an exception, and how it stands.
Json standing_json(const route::WordStanding& standing) {
    Json json;
    const mail::OperatorsWord& word = standing.word;
    if (word.kind == mail::OperatorsWord::Kind::negative_trust_anchor) {
        json["zone"] = word.name.to_text();
    } else {
        json[word.on] = word.name.to_text();
        json["subdomains"] = word.subdomains;
        json["action"] = word.action;
    }
    json["reason"] = word.reason;
    json["expires"] = word.expires.seconds;
    json["active"] = standing.active;
    json["need"] = route::to_text(standing.need);
    json["text"] = text_or_null(standing.text);
    json["since"] = standing.since ? Json(standing.since->seconds) : Json(nullptr);
    json["checked"] = standing.checked ? Json(standing.checked->seconds) : Json(nullptr);
    return json;
}

Json standings_json(const std::vector<route::WordStanding>& standings, mail::OperatorsWord::Kind kind) {
    Json list = Json::array();
    for (const route::WordStanding& standing : standings) {
        if (standing.word.kind == kind) list.push_back(standing_json(standing));
    }
    return list;
}

void put_reload(Json& json, const Reload& reload) {
    json["time"] = reload.time.seconds;
    json["accepted"] = reload.accepted;
    json["text"] = reload.text;
    json["changed"] = reload.changed;
    json["restart"] = reload.restart;
}

Json reload_json(const std::optional<Reload>& reload) {
    if (!reload) return nullptr;
    Json json;
    put_reload(json, *reload);
    return json;
}

Json clock_json(const Status& status) {
    Json json;
    const bool behind = !status.facts.time_is_fixed && clock_is_behind(status.time);
    json["state"] = status.facts.time_is_fixed ? "fixed" : behind ? "wrong" : "plausible";
    json["text"] = behind
                       ? Json("the clock is behind: signatures of today are not valid yet at that time; set it (NTP)")
                       : Json(nullptr);
    return json;
}

Json probe_json(const std::optional<RootProbe>& probe) {
    if (!probe) return nullptr;
    Json json;
    json["security"] = dnssec::to_text(probe->security);
    json["outcome"] = dnssec::to_text(probe->outcome);
    json["time"] = probe->time.seconds;
    json["ede"] = ede_json(probe->reason);
    json["reason"] = reason_json(probe->reason);
    return json;
}

Json resolution_json(const resolve::ResolutionStatus& resolution) {
    Json json;
    json["by"] = resolution.forwarding ? "forwarders" : "recursion";
    json["since"] = resolution.since.seconds == 0 ? Json(nullptr) : Json(resolution.since.seconds);
    json["reason"] = resolution.reason.empty() ? Json(nullptr) : Json(dns::clean_text(resolution.reason, 500));
    return json;
}

Json forwarder_json(const resolve::ForwarderStatus& forwarder) {
    Json json;
    json["address"] = forwarder.address.to_text();
    json["purpose"] = forwarder.purpose;
    json["state"] = resolve::to_text(forwarder.state);
    json["dnssec"] = resolve::to_text(forwarder.dnssec);
    json["since"] = forwarder.since.seconds == 0 ? Json(nullptr) : Json(forwarder.since.seconds);
    json["last_answer"] = forwarder.last_answer ? Json(forwarder.last_answer->seconds) : Json(nullptr);
    json["last_error"] =
        forwarder.last_error.empty() ? Json(nullptr) : Json(dns::clean_text(forwarder.last_error, 500));
    json["round_trip_ms"] = forwarder.round_trip ? Json(forwarder.round_trip->count()) : Json(nullptr);
    return json;
}

std::string_view to_text(cache::Keeping keeping) {
    switch (keeping) {
        case cache::Keeping::good:
            return "good";
        case cache::Keeping::checking:
            return "checking";
        case cache::Keeping::not_written:
            return "not-written";
        case cache::Keeping::memory:
            return "memory";
    }
    return "";
}

Json memory_json(const MemoryStatus& memory) {
    Json json;
    json["state"] = memory.is_short ? "short" : "enough";
    const bool known = !memory.limit.empty();
    json["limit"] = known ? Json(memory.limit) : Json(nullptr);
    json["used"] = known ? Json(memory.used) : Json(nullptr);
    json["most"] = known ? Json(memory.most) : Json(nullptr);
    return json;
}

Json cache_json(const cache::CacheCounters& cache) {
    Json json;
    json["keeping"] = to_text(cache.keeping);
    json["entries"] = cache.entries;
    json["octets"] = cache.octets;
    json["hits"] = cache.hits;
    json["misses"] = cache.misses;
    json["stored"] = cache.stored;
    json["evicted"] = cache.evicted;
    json["dropped"] = cache.dropped;
    return json;
}

Json resolver_json(const resolve::Counters& counters) {
    Json json;
    json["questions"] = counters.questions;
    json["from_cache"] = counters.from_cache;
    json["upstream_udp"] = counters.upstream_udp;
    json["upstream_tcp"] = counters.upstream_tcp;
    json["upstream_retries"] = counters.upstream_retries;
    json["upstream_timeouts"] = counters.upstream_timeouts;
    json["verifications"] = counters.verifications;
    json["secure"] = counters.secure;
    json["insecure"] = counters.insecure;
    json["bogus"] = counters.bogus;
    json["indeterminate"] = counters.indeterminate;
    json["budget_exhausted"] = counters.budget_exhausted;
    Json exhausted, spent;
    exhausted["answer"] = counters.answers_exhausted;
    for (std::size_t limit = 0; limit < limit_count; ++limit) {
        const std::string_view name = name_of(static_cast<Limit>(limit));
        spent[name] = counters.spent.drawn.at(limit);
        exhausted[name] = counters.spent.exhausted.at(limit);
    }
    json["exhausted"] = exhausted;
    json["spent"] = spent;
    json["suspicious"] = counters.suspicious;
    json["crowded"] = counters.crowded;
    json["reports"] = counters.reports;
    json["in_flight"] = counters.in_flight;
    json["servers_known"] = counters.servers_known;
    json["servers_failing"] = counters.servers_failing;
    return json;
}

Json mail_json(const route::RouteCounters& counters) {
    Json json;
    json["questions"] = counters.questions;
    json["kept"] = counters.kept;
    json["searches"] = counters.searches;
    json["deliver"] = counters.deliver;
    json["defer"] = counters.defer;
    json["bounce"] = counters.bounce;
    json["late"] = counters.late;
    json["ahead"] = counters.ahead;
    json["refreshed"] = counters.refreshed;
    json["renewed"] = counters.renewed;
    json["prepared"] = counters.prepared;
    return json;
}

Json sts_json(const StsCounters& counters) {
    Json json;
    json["asked"] = counters.asked;
    json["fetches"] = counters.fetches;
    json["failures"] = counters.failures;
    json["refreshed"] = counters.refreshed;
    return json;
}

Json failing_json(const route::FailingDomain& domain) {
    Json json;
    json["domain"] = domain.domain;
    json["since"] = domain.since.seconds;
    json["last"] = domain.last.seconds;
    json["next"] = domain.next.seconds;
    json["tries"] = domain.tries;
    json["code"] = text_or_null(domain.code);
    json["text"] = domain.text;
    return json;
}

Json doors_json(const DoorCounters& counters) {
    Json json;
    for (const DoorCounter& counter : door_counters()) json[counter.name] = counters.*counter.member;
    return json;
}

}  // namespace

std::string render_status(std::string_view id, const Status& status) {
    Json json = begin_reply(id);
    json["release"] = status.facts.release;
    json["health"] = health(status);
    json["time"] = status.time.seconds;
    json["started"] = status.facts.started.seconds;
    json["uptime"] = status.uptime.count();
    json["workers"] = status.facts.workers;
    json["sockets"] = status.facts.sockets;
    json["clock"] = clock_json(status);
    json["root_probe"] = probe_json(status.root_probe);
    json["trust_anchors"] = list_json(status.anchors.anchors, anchor_json);
    json["anchor_state"] = anchor_state_json(status.anchors);
    json["negative_trust_anchors"] = standings_json(status.words, mail::OperatorsWord::Kind::negative_trust_anchor);
    json["exceptions"] = standings_json(status.words, mail::OperatorsWord::Kind::exception);
    json["memory"] = memory_json(status.memory);
    json["warnings"] = warnings(status);
    json["reload"] = reload_json(status.reload);
    json["resolution"] = resolution_json(status.resolution);
    json["forwarders"] = list_json(status.forwarders, forwarder_json);
    json["cache"] = cache_json(status.cache);
    json["resolver"] = resolver_json(status.total.resolver);
    json["mail"] = mail_json(status.total.mail);
    json["sts"] = sts_json(status.total.sts);
    json["doors"] = doors_json(status.total.doors);
    return json.line();
}

std::string render_failing(std::string_view id, const std::vector<route::FailingDomain>& domains, WallTime now) {
    Json json = begin_reply(id);
    json["time"] = now.seconds;
    json["failing"] = list_json(domains, failing_json);
    return json.line();
}

std::string render_flushed(std::string_view id, const dns::Name& name, Extent extent, std::size_t entries) {
    Json json = begin_reply(id);
    json["name"] = name.to_text();
    json["subtree"] = extent == Extent::subtree;
    json["flushed"] = entries;
    return json.line();
}

std::string render_reload(std::string_view id, const Reload& reload) {
    Json json = begin_reply(id);
    put_reload(json, reload);
    return json.line();
}

std::string render_error(std::string_view id, ErrorCode code, std::string_view text) {
    Json json, error;
    error["code"] = code_word(code);
    error["text"] = text;
    json["id"] = Json::parsed(id);
    json["error"] = error;
    return json.line();
}

std::string render_error_words(ErrorCode code, std::string_view text) {
    return "error - " + std::string(code_word(code)) + " " + dns::clean_text(text, most_request_octets);
}

std::string render_bad_request(const BadRequest& request) {
    if (request.wants_words) return render_error_words(ErrorCode::bad_request, request.failure.text);
    return render_error(request.id, ErrorCode::bad_request, request.failure.text);
}

}  // namespace mxtrust::serve
