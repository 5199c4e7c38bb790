// The operator's word in the configuration: negative trust anchors and exceptions. Each has a reason and an end;
// without an end it would be forgotten, without a reason nobody would dare to remove it.
#include <algorithm>
#include <optional>
#include <string>

#include "daemon/entries.h"
#include "daemon/lists.h"
#include "mail/next_hop.h"

namespace mxtrust::daemon {
namespace {

constexpr std::string_view wanted_negative_anchors =
    "a list of { name = \"example.org\", reason = \"…\", expires = 2030-01-31 }";
constexpr std::string_view wanted_exceptions =
    "a list of { domain = \"example.org\", action = \"may\", reason = \"…\", expires = 2030-01-31 }, or with host = "
    "\"mx.example.org\"; subdomains = true covers what is below, too";
constexpr std::string_view wanted_end =
    "a date without quotes, such as 2030-01-31 (the last day, UTC), or a time with its offset, such as "
    "2030-01-31T12:00:00Z; from 2020 to 2099";
constexpr std::string_view wanted_action =
    "\"may\", \"encrypt\", \"no-dane\", \"no-sts\" or \"require-dane\"; of a host also \"skip\", of a domain also "
    "\"hold\"";

/// It stands in answers, logs and EDE texts.
constexpr std::size_t most_reason_octets = 200;
/// Earlier is a slip of the pen, later means "for ever".
constexpr int first_year = 2020, last_year = 2099;

std::optional<std::chrono::sys_days> day_of(const toml::date& date) {
    const std::chrono::year_month_day day{std::chrono::year(date.year), std::chrono::month(date.month),
                                          std::chrono::day(date.day)};
    if (!day.ok() || date.year < first_year || date.year > last_year) return std::nullopt;
    return std::chrono::sys_days(day);
}

std::optional<WallTime> end_of(const toml::node& node) {
    if (const auto* date = node.as_date()) {
        const auto day = day_of(date->get());
        if (!day) return std::nullopt;
        const std::chrono::sys_seconds end = *day + std::chrono::days(1);
        return WallTime{end.time_since_epoch().count()};
    }
    const auto* moment = node.as_date_time();
    // Without offset nobody knows whose noon is meant.
    if (moment == nullptr || !moment->get().offset) return std::nullopt;
    const auto day = day_of(moment->get().date);
    if (!day) return std::nullopt;
    const toml::time& time = moment->get().time;
    const std::chrono::seconds within = std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) +
                                        std::chrono::seconds(time.second) -
                                        std::chrono::minutes(moment->get().offset->minutes);
    const std::chrono::sys_seconds end = *day + within;
    return WallTime{end.time_since_epoch().count()};
}

struct Terms {
    std::string reason;
    WallTime ends{};
};

/// What every word of the operator's must have.
Result<Terms> read_terms(const Value& entry, const toml::table& table, std::string_view wanted) {
    const auto reason = member(entry, table, "reason");
    if (!reason) return fail(reason.error());
    if (reason->find_first_not_of(" \t") == std::string::npos) {
        return fail(FailureKind::malformed, "AREA"_code,
                    entry.place + "needs a reason that is not empty; wanted is " + std::string(wanted));
    }
    if (reason->size() > most_reason_octets) {
        return fail(FailureKind::malformed, "ARLO"_code,
                    member_value(entry, table, "reason").place + "must have at most " +
                        std::to_string(most_reason_octets) + " octets, has " + std::to_string(reason->size()));
    }
    const Value end = member_value(entry, table, "expires");
    const auto ends = end_of(end.node);
    if (!ends) return fail(FailureKind::malformed, "AEXP"_code, must_be(end, wanted_end));
    return Terms{*reason, *ends};
}

Result<dnssec::NegativeAnchor> read_negative_anchor(const Value& value) {
    const auto table = read_entry(value, wanted_negative_anchors, {"name", "reason", "expires"});
    if (!table) return fail(table.error());
    const auto name = name_member(value, **table);
    if (!name) return fail(name.error());
    const auto terms = read_terms(value, **table, wanted_negative_anchors);
    if (!terms) return fail(terms.error());
    return dnssec::NegativeAnchor(*name, terms->reason, terms->ends);
}

Result<mail::ExceptionAction> read_action(const Value& value, mail::Exception::On on) {
    using mail::ExceptionAction;
    const auto* text = value.node.as_string();
    for (const ExceptionAction action :
         {ExceptionAction::may, ExceptionAction::encrypt, ExceptionAction::no_dane, ExceptionAction::no_sts,
          ExceptionAction::require_dane, ExceptionAction::skip, ExceptionAction::hold}) {
        if (text == nullptr || text->get() != to_text(action)) continue;
        const bool of_domains = action == ExceptionAction::hold && on == mail::Exception::On::host;
        const bool of_hosts = action == ExceptionAction::skip && on == mail::Exception::On::domain;
        if (of_domains || of_hosts) break;
        return action;
    }
    return fail(FailureKind::malformed, "AACT"_code, must_be(value, wanted_action));
}

Result<mail::Exception> read_exception(const Value& value) {
    const auto table =
        read_entry(value, wanted_exceptions, {"action", "reason", "expires"}, {"domain", "host", "subdomains"});
    if (!table) return fail(table.error());
    const bool has_domain = (*table)->contains("domain"), has_host = (*table)->contains("host");
    if (has_domain == has_host) {
        return fail(FailureKind::malformed, "ADOH"_code,
                    value.place +
                        (has_domain ? "has domain and host, and may have one of them; wanted is "
                                    : "lacks domain or host; wanted is ") +
                        std::string(wanted_exceptions));
    }
    mail::Exception exception;
    exception.on = has_host ? mail::Exception::On::host : mail::Exception::On::domain;
    const std::string_view key = has_host ? "host" : "domain";
    const auto name = name_member(value, **table, key);
    if (!name) return fail(name.error());
    if (name->is_root() || !mail::is_host_name(*name, mail::Underscores::tolerated)) {
        return fail(FailureKind::malformed, "AHOS"_code,
                    must_be(member_value(value, **table, key),
                            "a name of letters, digits and hyphens, such as \"example.org\"; addresses have no "
                            "exceptions, subdomains = true covers what is below, the whole world has keys of its own"));
    }
    exception.name = *name;
    if ((*table)->contains("subdomains")) {
        const Done read = read_boolean(member_value(value, **table, "subdomains"), exception.subdomains);
        if (!read) return fail(read.error());
    }
    const auto action = read_action(member_value(value, **table, "action"), exception.on);
    if (!action) return fail(action.error());
    exception.action = *action;
    const auto terms = read_terms(value, **table, wanted_exceptions);
    if (!terms) return fail(terms.error());
    exception.reason = terms->reason;
    exception.ends = terms->ends;
    return exception;
}

}  // namespace

Done read_negative_anchors(const Value& value, std::vector<dnssec::NegativeAnchor>& target) {
    const auto list = read_list(value, wanted_negative_anchors, most_entries);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const Value entry = element(value, node, target.size());
        auto anchor = read_negative_anchor(entry);
        if (!anchor) return fail(anchor.error());
        const auto same = [&anchor](const dnssec::NegativeAnchor& other) { return other.name == anchor->name; };
        if (std::any_of(target.begin(), target.end(), same)) {
            return fail(FailureKind::malformed, "ANDU"_code,
                        entry.place + "name must be there once: " + anchor->name.to_text() + " is there twice");
        }
        target.push_back(std::move(*anchor));
    }
    return {};
}

Done read_exceptions(const Value& value, std::vector<mail::Exception>& target) {
    const auto list = read_list(value, wanted_exceptions, most_entries);
    if (!list) return fail(list.error());
    target.clear();
    for (const toml::node& node : **list) {
        const Value entry = element(value, node, target.size());
        auto exception = read_exception(entry);
        if (!exception) return fail(exception.error());
        const auto same = [&exception](const mail::Exception& other) {
            return other.on == exception->on && other.name == exception->name &&
                   other.subdomains == exception->subdomains;
        };
        if (std::any_of(target.begin(), target.end(), same)) {
            return fail(FailureKind::malformed, "AEXD"_code,
                        entry.place + (exception->on == mail::Exception::On::host ? "host" : "domain") +
                            " must be there once: " + exception->name.to_text() + " is there twice");
        }
        target.push_back(std::move(*exception));
    }
    return {};
}

}  // namespace mxtrust::daemon
