#include "serve/metrics.h"

#include <array>
#include <cstdio>

#include "dns/text.h"

namespace mxtrust::serve {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// Prometheus' text format: backslash, quote and line feed are written with a backslash.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char letter : dns::clean_text(text, 200)) {
        if (letter == '\\' || letter == '"') result += '\\';
        result += letter;
    }
    return result;
}

std::string seconds_text(std::uint64_t microseconds) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%llu.%06llu", static_cast<unsigned long long>(microseconds / 1'000'000),
                  static_cast<unsigned long long>(microseconds % 1'000'000));
    return text.data();
}

class Exposition {
  public:
    /// What follows belongs to this metric. `kind`: counter, gauge or histogram.
    void begin(std::string_view name, std::string_view kind, std::string_view help) {
        name_ = "mxtrust_" + std::string(name);
        text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(kind) + "\n";
    }
    void value(const std::string& number, const Labels& labels = {}, std::string_view suffix = "") {
        text_ += name_ + std::string(suffix);
        for (std::size_t index = 0; index < labels.size(); ++index) {
            text_ += index == 0 ? "{" : ",";
            text_ += std::string(labels[index].first) + "=\"" + escaped(labels[index].second) + "\"";
        }
        text_ += (labels.empty() ? " " : "} ") + number + "\n";
    }
    void value(std::uint64_t number, const Labels& labels = {}) { value(std::to_string(number), labels); }
    void one(std::string_view name, std::string_view kind, std::string_view help, std::uint64_t number) {
        begin(name, kind, help);
        value(number);
    }
    void time(std::string_view name, std::string_view help, WallTime when) {
        begin(name, "gauge", help);
        value(std::to_string(when.seconds));
    }
    void histogram(std::string_view name, std::string_view help, const Histogram& times) {
        begin(name, "histogram", help);
        std::uint64_t count = 0;
        for (std::size_t place = 0; place < times.counts.size(); ++place) {
            count += times.counts.at(place);
            const std::string bound =
                place < Histogram::bounds.size()
                    ? seconds_text(static_cast<std::uint64_t>(Histogram::bounds.at(place).count()))
                    : "+Inf";
            value(std::to_string(count), {{"le", bound}}, "_bucket");
        }
        value(seconds_text(times.microseconds), {}, "_sum");
        value(std::to_string(count), {}, "_count");
    }
    [[nodiscard]] std::string finish() && { return std::move(text_); }

  private:
    std::string text_, name_;
};

void put_self(Exposition& page, const Status& status) {
    page.begin("build_info", "gauge", "The running release.");
    page.value(1, {{"version", status.facts.release}});
    page.time("start_time_seconds", "When the daemon was started.", status.facts.started);
    page.one("workers", "gauge", "Threads that answer.", status.facts.workers);
    page.one("healthy", "gauge", "1: the clock is plausible and the root is proven; 0: look at mxtrust status.",
             health(status) == "good" ? 1 : 0);
    page.one("warnings", "gauge", "Sentences in mxtrust status that want to be read.", warnings(status).size());
    page.one("root_secure", "gauge", "1: the last look at the root's own records was secure.",
             status.root_probe && status.root_probe->security == dnssec::Security::secure ? 1 : 0);
    page.time("root_probe_time_seconds", "When the root was last looked at; 0: not yet.",
              status.root_probe ? status.root_probe->time : WallTime{});
}

void put_memory(Exposition& page, const MemoryStatus& memory) {
    page.one("memory_short", "gauge", "1: few questions and connections are taken at a time.", memory.is_short ? 1 : 0);
    page.one("memory_used_octets", "gauge", "What counts against the nearest limit of memory; 0: none is known.",
             memory.used);
    page.one("memory_limit_octets", "gauge", "That limit; 0: none is known.", memory.most);
}

void put_answers(Exposition& page, const resolve::Counters& counters) {
    page.begin("answers_total", "counter", "Look-ups of clients and mail answers, by security and outcome.");
    for (const auto security : {dnssec::Security::secure, dnssec::Security::insecure, dnssec::Security::bogus,
                                dnssec::Security::indeterminate}) {
        for (const auto outcome :
             {dnssec::Outcome::records, dnssec::Outcome::nodata, dnssec::Outcome::nxdomain, dnssec::Outcome::failure}) {
            page.value(counters.judged.at(resolve::judged_place(security, outcome)),
                       {{"security", std::string(dnssec::to_text(security))},
                        {"outcome", std::string(dnssec::to_text(outcome))}});
        }
    }
    page.one("questions_total", "counter", "Look-ups asked for.", counters.questions);
    page.one("questions_from_cache_total", "counter", "Of these, answered without asking anybody.",
             counters.from_cache);
    page.histogram("lookup_seconds", "How long a look-up took.", counters.lookup_time);
    page.begin("upstream_queries_total", "counter", "Queries sent to name servers.");
    page.value(counters.upstream_udp, {{"transport", "udp"}});
    page.value(counters.upstream_tcp, {{"transport", "tcp"}});
    page.one("upstream_retries_total", "counter", "Of these over UDP, sent because another server was slow or silent.",
             counters.upstream_retries);
    page.one("upstream_timeouts_total", "counter", "Queries that were not answered in time.",
             counters.upstream_timeouts);
    page.begin("name_servers", "gauge", "Addresses of name servers that workers remember, also over restarts.");
    page.value(counters.servers_known - counters.servers_failing, {{"state", "answering"}});
    page.value(counters.servers_failing, {{"state", "failing"}});
    page.histogram("upstream_seconds", "How long name servers took to answer over UDP.", counters.upstream_time);
    page.one("verifications_total", "counter", "Signatures verified.", counters.verifications);
    page.begin("budget_exhausted_total", "counter", "Look-ups that reached a limit of what one may cost.");
    for (std::size_t index = 0; index < limit_count; ++index)
        page.value(counters.spent.exhausted.at(index), {{"limit", std::string(name_of(static_cast<Limit>(index)))}});
    page.value(counters.answers_exhausted, {{"limit", "answer"}});
    page.begin("budget_spent_total", "counter", "What look-ups drew of their limits.");
    for (std::size_t index = 0; index < limit_count; ++index)
        page.value(counters.spent.drawn.at(index), {{"limit", std::string(name_of(static_cast<Limit>(index)))}});
    page.one("crowded_total", "counter", "Queries to name servers held up or left out: too many under way.",
             counters.crowded);
    page.one("suspicious_replies_total", "counter", "Replies that a forger may have sent.", counters.suspicious);
    page.one("error_reports_total", "counter", "Errors told to the agents that zones' servers name (RFC 9567).",
             counters.reports);
}

void put_mail(Exposition& page, const route::RouteCounters& counters) {
    page.begin("mail_decisions_total", "counter", "Mail answers made, by what they decide.");
    page.value(counters.deliver, {{"action", "deliver"}});
    page.value(counters.defer, {{"action", "defer"}});
    page.value(counters.bounce, {{"action", "bounce"}});
    page.one("mail_questions_total", "counter", "Mail answers asked for.", counters.questions);
    page.one("mail_kept_total", "counter", "Of these, answered by one that was kept.", counters.kept);
    page.one("mail_late_total", "counter", "Mail answers made without all that was needed.", counters.late);
    page.one("mail_renewed_total", "counter", "Mail answers made anew before their end, because they are in demand.",
             counters.renewed);
    page.one("mail_prepared_total", "counter", "Mail answers made again after the start, before anybody asked.",
             counters.prepared);
    page.histogram("mail_seconds", "How long a mail answer took.", counters.answer_time);
}

void put_cache(Exposition& page, const cache::CacheCounters& counters) {
    page.one("cache_entries", "gauge", "Entries kept.", counters.entries);
    page.one("cache_octets", "gauge", "Octets that they take.", counters.octets);
    page.one("cache_kept", "gauge", "1: what is known will be there after a restart.",
             counters.keeping == cache::Keeping::good ? 1 : 0);
    page.begin("cache_lookups_total", "counter", "Look-ups in the cache.");
    page.value(counters.hits, {{"result", "hit"}});
    page.value(counters.misses, {{"result", "miss"}});
    page.one("cache_stored_total", "counter", "Entries written.", counters.stored);
    page.one("cache_evicted_total", "counter", "Entries that had to make room.", counters.evicted);
    page.one("cache_dropped_total", "counter", "Entries that could not be written.", counters.dropped);
}

void put_anchors(Exposition& page, const AnchorReport& report) {
    page.begin("trust_anchor", "gauge", "1 for each known key of a trust anchor, with its state (RFC 5011 4.2).");
    for (const AnchorStatus& anchor : report.anchors) {
        page.value(1, {{"zone", anchor.zone.is_root() ? "." : anchor.zone.to_text()},
                       {"key_tag", std::to_string(anchor.key_tag)},
                       {"state", anchor.state},
                       {"origin", anchor.origin}});
    }
    page.begin("trust_anchor_last_seen_seconds", "gauge", "When the key was last seen; 0: not yet.");
    for (const AnchorStatus& anchor : report.anchors) {
        page.value(std::to_string(anchor.last_seen.value_or(WallTime{}).seconds),
                   {{"zone", anchor.zone.is_root() ? "." : anchor.zone.to_text()},
                    {"key_tag", std::to_string(anchor.key_tag)}});
    }
    page.time("trust_anchors_authentic_seconds", "When the anchors' key sets were last seen to hold; 0: not yet.",
              report.last_authentic.value_or(WallTime{}));
    page.one("trust_anchors_state_trouble", "gauge", "1: what is kept of the trust anchors cannot be read or written.",
             report.trouble.empty() ? 0 : 1);
}

void put_forwarders(Exposition& page, const Status& status) {
    page.one("forwarding", "gauge", "1: forwarders stand in for recursion.", status.resolution.forwarding ? 1 : 0);
    page.one("recursion_impossible", "gauge", "1: no root server can be reached, and nobody stands in.",
             !status.resolution.forwarding && !status.resolution.reason.empty() ? 1 : 0);
    page.begin("forwarder_up", "gauge", "1: the forwarder answers.");
    for (const resolve::ForwarderStatus& one : status.forwarders) {
        page.value(one.state == resolve::ForwarderState::good ? 1 : 0,
                   {{"address", one.address.to_text()}, {"dnssec", std::string(resolve::to_text(one.dnssec))}});
    }
    page.begin("forwarder_round_trip_seconds", "gauge", "How long it takes to answer, smoothed.");
    for (const resolve::ForwarderStatus& one : status.forwarders) {
        if (!one.round_trip) continue;
        page.value(seconds_text(static_cast<std::uint64_t>(one.round_trip->count()) * 1000),
                   {{"address", one.address.to_text()}});
    }
}

std::string reply(std::string_view status, std::string_view type, const std::string& body, bool with_body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           (with_body ? body : std::string());
}

}  // namespace

std::string render_metrics(const Status& status) {
    Exposition page;
    put_self(page, status);
    put_memory(page, status.memory);
    put_answers(page, status.total.resolver);
    put_mail(page, status.total.mail);
    put_cache(page, status.cache);
    put_anchors(page, status.anchors);
    put_forwarders(page, status);
    page.begin("door_events_total", "counter",
               "What came in at each door and what was replied; PROTOCOL.md has the words.");
    for (const DoorCounter& counter : door_counters())
        page.value(status.total.doors.*counter.member, {{"event", std::string(counter.name)}});
    return std::move(page).finish();
}

std::optional<std::string> answer_scrape(std::string_view request, const std::function<std::string()>& metrics) {
    constexpr std::string_view text = "text/plain; charset=utf-8";
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (request.size() < MetricsServer::most_request_octets) return std::nullopt;
        return reply("431 Request Header Fields Too Large", text, "too long\n", true);
    }
    const std::string_view line = request.substr(0, request.find("\r\n"));
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
        return reply("400 Bad Request", text, "this is no HTTP/1 request\n", true);
    }
    const std::string_view method = line.substr(0, first);
    std::string_view path = line.substr(first + 1, second - first - 1);
    path = path.substr(0, path.find('?'));
    if (method != "GET" && method != "HEAD") return reply("405 Method Not Allowed", text, "only GET\n", true);
    if (path != "/metrics") return reply("404 Not Found", text, "there is /metrics alone\n", method == "GET");
    return reply("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics(), method == "GET");
}

class MetricsServer::Conversation final : public net::ConnectionUser {
  public:
    Conversation(const std::function<std::string()>& metrics, net::ConnectionRef connection)
        : metrics_(metrics), connection_(std::move(connection)) {
        connection_->close_when_idle_for(most_idle_time);
    }
    void received(BytesView data) override {
        if (answered_) return;
        request_ += as_text(data);
        const std::optional<std::string> answer = answer_scrape(request_, metrics_);
        if (!answer) return;
        answered_ = true;
        const BytesView octets = as_bytes(*answer);
        connection_->send(Bytes(octets.begin(), octets.end()));
        connection_->close_when_sent();
    }
    void ended() override {
        if (!answered_) connection_->close();
    }
    void drained() override {}
    void closed() override { answered_ = true; }

  private:
    const std::function<std::string()>& metrics_;  // the server's, which outlives its connections
    net::ConnectionRef connection_;
    std::string request_;
    bool answered_ = false;
};

std::shared_ptr<net::ConnectionUser> MetricsServer::greet(net::ConnectionRef connection) {
    return std::make_shared<Conversation>(metrics_, std::move(connection));
}

}  // namespace mxtrust::serve
