#include "resolve/report.h"

#include <algorithm>

namespace mxtrust::resolve {
namespace {

constexpr std::string_view report_label = "_er";
constexpr Duration minute{60'000};

/// A report may cost a third of what a client's question may (RFC 9567 6.1: a limit of expense is a must).
constexpr std::uint32_t part_of_lookup = 3;

BudgetLimits limits_of_a_report(const BudgetLimits& lookup) {
    BudgetLimits limits = lookup;
    for (std::uint32_t& most : limits.most) most = std::max<std::uint32_t>(most / part_of_lookup, 1);
    return limits;
}

bool is_report(const dns::Name& name) {
    return !name.is_root() && name.label(0) == report_label;
}

/// Broken by its owner, or out of reach. What is ours (not supported, blocked, too early, stale) is nobody's business.
bool is_the_zones(dns::Ede error) {
    switch (error) {
        case dns::Ede::dnssec_bogus:
        case dns::Ede::signature_expired:
        case dns::Ede::signature_not_yet_valid:
        case dns::Ede::dnskey_missing:
        case dns::Ede::rrsigs_missing:
        case dns::Ede::no_zone_key_bit_set:
        case dns::Ede::nsec_missing:
        case dns::Ede::not_authoritative:
        case dns::Ede::no_reachable_authority:
        case dns::Ede::network_error:
        case dns::Ede::invalid_data:
        case dns::Ede::signature_expired_before_valid:
            return true;
        case dns::Ede::other:
        case dns::Ede::unsupported_dnskey_algorithm:
        case dns::Ede::unsupported_ds_digest:
        case dns::Ede::stale_answer:
        case dns::Ede::dnssec_indeterminate:
        case dns::Ede::cached_error:
        case dns::Ede::not_ready:
        case dns::Ede::blocked:
        case dns::Ede::prohibited:
        case dns::Ede::stale_nxdomain_answer:
        case dns::Ede::not_supported:
        case dns::Ede::too_early:
        case dns::Ede::unsupported_nsec3_iterations:
        case dns::Ede::unable_to_conform_to_policy:
        case dns::Ede::synthesized:
            return false;
    }
    return false;
}

}  // namespace

std::optional<dns::Name> agent_in(const dns::Message& said, const dns::Name& zone) {
    if (!said.edns) return std::nullopt;
    const std::vector<dns::EdnsOption>& options = said.edns->options;
    const auto names_agent = [](const dns::EdnsOption& one) { return one.code == dns::option_report_channel; };
    const auto found = std::ranges::find_if(options, names_agent);
    if (found == options.end() || std::ranges::count_if(options, names_agent) > 1) return std::nullopt;
    Reader reader(BytesView(found->data));
    Result<dns::Name> agent = dns::Name::from_wire(reader);
    if (!agent || reader.remaining() != 0) return std::nullopt;
    // The root would be told of everything; and what is broken cannot be asked about itself.
    if (agent->is_root() || agent->is_within(zone)) return std::nullopt;
    return std::move(*agent);
}

std::optional<dns::Name> report_name(const dns::Name& name, dns::Type type, dns::Ede error, const dns::Name& agent) {
    std::vector<std::string> labels{std::string(report_label), std::to_string(static_cast<std::uint16_t>(type))};
    for (std::size_t index = 0; index < name.label_count(); ++index) labels.emplace_back(name.label(index));
    labels.push_back(std::to_string(static_cast<std::uint16_t>(error)));
    labels.emplace_back(report_label);
    dns::Name report = agent;
    for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
        Result<dns::Name> longer = report.prepend(*label);
        if (!longer) return std::nullopt;
        report = std::move(*longer);
    }
    return report;
}

std::optional<dns::Ede> error_to_report(const dnssec::Finding& finding) {
    if (finding.outcome() != dnssec::Outcome::failure || is_report(finding.name())) return std::nullopt;
    const std::optional<dns::Ede> error = finding.reason().ede;
    return error && is_the_zones(*error) ? error : std::nullopt;
}

void ReportAgents::learn(const dns::Name& zone, const dns::Message& said, MonoTime now) {
    std::optional<dns::Name> agent = agent_in(said, zone);
    if (!agent) return;
    if (agents_.size() >= most && !agents_.contains(zone)) {
        std::erase_if(agents_, [now](const auto& one) { return one.second.until <= now; });
        if (agents_.size() >= most) agents_.erase(agents_.begin());
    }
    agents_.insert_or_assign(zone, Known{std::move(*agent), now + kept});
}

std::optional<dns::Name> ReportAgents::of(const dns::Name& zone, MonoTime now) const {
    const auto found = agents_.find(zone);
    if (found == agents_.end() || found->second.until <= now) return std::nullopt;
    return found->second.agent;
}

bool ReportLimits::take(const dns::Name& report, const dns::Name& agent, MonoTime now) {
    const auto told = told_.find(report);
    if (told != told_.end() && told->second > now) return false;
    if (!minute_began_ || now - *minute_began_ >= minute) {
        minute_began_ = now;
        in_minute_ = 0;
        to_agent_.clear();
        std::erase_if(told_, [now](const auto& one) { return one.second <= now; });
    }
    if (in_minute_ >= most_in_minute || told_.size() >= most_remembered) return false;
    if (to_agent_[agent] >= most_to_agent_in_minute) return false;
    ++in_minute_;
    ++to_agent_[agent];
    told_[report] = now + pause;
    return true;
}

Reporter::Reporter(Tools tools, std::shared_ptr<Meter> meter)
    : tools_(tools), meter_(std::move(meter)), limits_(tools.random), under_way_(tools.scheduler) {}

void Reporter::consider(const dnssec::Finding& finding, QuestionNumber question) {
    if (tools_.settings.error_reporting == Switch::off || under_way_.size() >= most_under_way) return;
    const std::optional<dns::Ede> error = error_to_report(finding);
    if (!error) return;
    const MonoTime now = tools_.clock.mono();
    const std::optional<dns::Name> agent = tools_.agents.of(finding.reason().zone.value_or(finding.zone()), now);
    if (!agent) return;
    std::optional<dns::Name> report = report_name(finding.name(), finding.type(), *error, *agent);
    if (!report || tools_.cache.find(*report, dns::Type::txt, tools_.clock.wall())) return;
    if (!limits_.take(*report, *agent, now)) return;
    ++sent_;
    tools_.log.reported(question, *report);
    under_way_.spawn(send(std::move(*report), question));
}

/// By the chain and not as a client's question, of which there would be reports. What it finds is kept like anything.
task::Task<void> Reporter::send(dns::Name report, QuestionNumber question) {
    const MonoTime deadline = tools_.clock.mono() + most_time;
    Context context{std::make_shared<Budget>(limits_of_a_report(tools_.settings.lookup_limits), deadline, nullptr,
                                             meter_, question),
                    0,
                    {}};
    dnssec::FindingRef answer = co_await tools_.chain.fetch(std::move(report), dns::Type::txt, std::move(context));
    static_cast<void>(answer);
}

}  // namespace mxtrust::resolve
