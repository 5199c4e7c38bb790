// Reading is done in the asker's thread: it takes a millisecond or two.
#include "daemon/reload.h"

#include <algorithm>
#include <array>

#include "daemon/assemble.h"

namespace mxtrust::daemon {
namespace {

constexpr std::array<std::string_view, 11> changeable{
    "server.log-level",          "server.allow",
    "resolver.deadline-ms",      "resolver.serve-stale-after-ms",
    "resolver.serve-stale-ttl",  "dnssec.negative-trust-anchors",
    "dnssec.root-key-sentinel",  "mail.strict-null-mx",
    "mail.allow-mx-literals",    "operator.exceptions",
    "operator.recheck-interval",
};

bool is_changeable(std::string_view key) {
    return std::ranges::find(changeable, key) != changeable.end();
}

/// `wanted` as far as it can be had without a restart.
Configuration in_force(const Configuration& started, const Configuration& wanted) {
    Configuration all = started;
    all.server.log_level = wanted.server.log_level;
    all.server.allow = wanted.server.allow;
    all.resolver.deadline = wanted.resolver.deadline;
    all.resolver.serve_stale_after = wanted.resolver.serve_stale_after;
    all.resolver.serve_stale_ttl = wanted.resolver.serve_stale_ttl;
    all.dnssec.negative_trust_anchors = wanted.dnssec.negative_trust_anchors;
    all.dnssec.root_key_sentinel = wanted.dnssec.root_key_sentinel;
    all.mail.strict_null_mx = wanted.mail.strict_null_mx;
    all.mail.allow_mx_literals = wanted.mail.allow_mx_literals;
    all.operator_keys = wanted.operator_keys;
    return all;
}

/// "dnssec.negative-trust-anchors" as it is written in errors.
std::string shown_key(const std::string& key) {
    const std::size_t dot = key.rfind('.');
    if (dot == std::string::npos || dot == 0) return key.substr(dot == 0 ? 1 : 0);
    return "[" + key.substr(0, dot) + "] " + key.substr(dot + 1);
}

std::string listed(const std::vector<std::string>& keys) {
    std::string all;
    for (const std::string& key : keys) all += (all.empty() ? "" : ", ") + key;
    return all;
}

std::string sentence(const Difference& what) {
    std::string text = what.changed.empty() ? "nothing has changed" : "now in force: " + listed(what.changed);
    if (!what.restart.empty()) text += "; needs a restart: " + listed(what.restart);
    return text;
}

}  // namespace

std::span<const std::string_view> changeable_keys() {
    return changeable;
}

Difference difference(const Loaded& started, const Loaded& current, const Loaded& wanted) {
    Difference all;
    for (const std::string& key : wanted.origin.differing(current.origin)) {
        if (is_changeable(key)) all.changed.push_back(shown_key(key));
    }
    // A key that is now written out with its default, or the other way round, has not changed.
    if (in_force(current.configuration, wanted.configuration) == current.configuration) all.changed.clear();
    if (in_force(started.configuration, wanted.configuration) == wanted.configuration) return all;
    for (const std::string& key : wanted.origin.differing(started.origin)) {
        if (!is_changeable(key)) all.restart.push_back(shown_key(key));
    }
    return all;
}

std::vector<dns::Name> renewed_names(const DnssecKeys& before, const DnssecKeys& after) {
    std::vector<dns::Name> names;
    for (const auto& [here, there] : {std::pair(&before, &after), std::pair(&after, &before)}) {
        for (const dnssec::NegativeAnchor& anchor : here->negative_trust_anchors) {
            const auto& others = there->negative_trust_anchors;
            if (std::ranges::find(others, anchor) != others.end()) continue;
            if (std::ranges::find(names, anchor.name) == names.end()) names.push_back(anchor.name);
        }
    }
    return names;
}

Reloader::Reloader(Loaded started, std::shared_ptr<LatestTime> latest, Tools tools, Load load)
    : started_(std::move(started)),
      current_(started_),
      latest_(std::move(latest)),
      tools_(tools),
      load_(std::move(load)) {}

void Reloader::carry_out_by(Apply apply) {
    const std::lock_guard guard(mutex_);
    apply_ = std::move(apply);
}

void Reloader::refuse(const Failure& failure, const Told& told) {
    tools_.log.reload_refused(failure);
    serve::Reload report;
    report.time = tools_.clock.wall();
    report.text = failure.text + "; the configuration stays as it was";
    tools_.board.reloaded(report);
    told(report);
}

void Reloader::reload(Told told) {
    const std::lock_guard guard(mutex_);
    if (!apply_) {
        refuse(Failure{FailureKind::system, "ARLS"_code, "the daemon is starting or ending"}, told);
        return;
    }
    Result<Loaded> wanted = load_();
    if (!wanted) {
        refuse(wanted.error(), told);
        return;
    }
    const Difference what = difference(started_, current_, *wanted);
    auto change = std::make_shared<Change>();
    Loaded next{in_force(started_.configuration, wanted->configuration), wanted->origin};
    const Configuration& configuration = next.configuration;
    change->renewed = renewed_names(current_.configuration.dnssec, configuration.dnssec);
    change->negative_anchors =
        dnssec::NegativeAnchors(current_negative_anchors(configuration, latest_->seen(tools_.clock.wall())), latest_);
    change->route = route_settings(configuration, latest_);
    change->recheck_interval = configuration.operator_keys.recheck_interval;
    change->dns = dns_settings(configuration);
    tools_.log.set_level(configuration.server.log_level);
    const std::vector<std::string> unheeded = unheeded_keys(*wanted, tools_.passed);
    for (const auto& all : {doubts(configuration, tools_.clock.wall()), unheeded}) {
        for (const std::string& doubt : all) tools_.log.configuration_doubt(doubt);
    }
    std::vector<std::string> lasting = lasting_doubts(configuration);
    lasting.insert(lasting.end(), unheeded.begin(), unheeded.end());
    tools_.board.set_doubts(std::move(lasting));
    current_ = std::move(next);
    serve::Reload report{true, tools_.clock.wall(), sentence(what), what.changed, what.restart};
    apply_(std::move(change), [this, report = std::move(report), told = std::move(told)] {
        tools_.log.reloaded(report.text, report.restart.empty());
        tools_.board.reloaded(report);
        told(report);
    });
}

}  // namespace mxtrust::daemon
