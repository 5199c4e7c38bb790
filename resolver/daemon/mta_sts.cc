// See mta_sts.h.
#include "daemon/mta_sts.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

namespace mxtrust::daemon {
namespace {

sts::Allowed to_allowed(bool allowed) {
    return allowed ? sts::Allowed::yes : sts::Allowed::no;
}

}  // namespace

sts::PolicySettings policy_settings(const Configuration& configuration) {
    sts::PolicySettings settings;
    settings.ipv4 = to_allowed(configuration.resolver.ipv4);
    settings.ipv6 = to_allowed(configuration.resolver.ipv6);
    settings.local_addresses = to_allowed(configuration.test.allow_local_authorities);
    settings.loopback_addresses = to_allowed(configuration.test.allow_loopback_authorities);
    settings.private_addresses = configuration.resolver.private_addresses;
    settings.round = configuration.test.sts_round;
    return settings;
}

sts::FetchSettings fetch_settings(const Configuration& configuration) {
    sts::FetchSettings settings;
    settings.ca_file = configuration.mail.mta_sts_ca_file.string();
    settings.user_agent = std::string("mxtrust/") + MXTRUST_VERSION;
    return settings;
}

Done check_authorities(const Configuration& configuration, const Origin& origin) {
    const std::filesystem::path& file = configuration.mail.mta_sts_ca_file;
    if (!configuration.mail.mta_sts || file.empty()) return {};
    const auto wrong = [&](Code code, std::string_view what) {
        return fail(FailureKind::malformed, code,
                    origin.place("mail", "mta-sts-ca-file") + file.string() + std::string(what));
    };
    std::error_code error;
    std::ifstream stream;
    // A pipe would be waited for.
    if (std::filesystem::is_regular_file(file, error)) stream.open(file, std::ios::binary);
    if (!stream.is_open()) return wrong("ACAR"_code, " cannot be read: it must be a file in PEM form");
    for (std::string line; std::getline(stream, line);) {
        // "TRUSTED CERTIFICATE" and "X509 CERTIFICATE" are OpenSSL's.
        if (line.starts_with("-----BEGIN ") && line.find("CERTIFICATE-----") != std::string::npos) return {};
    }
    return wrong("ACAN"_code, " has no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
}

MtaSts::MtaSts(sts::PolicySettings settings, Tools tools, std::unique_ptr<cache::Cache> kept)
    : dns_(tools.resolver, tools.clock),
      kept_(std::move(kept)),
      fetcher_(tools.thread.fetcher_for(tools.loop)),
      policies_(std::move(settings), {tools.clock, *kept_, dns_, *fetcher_, tools.loop}) {}

std::unique_ptr<MtaSts> MtaSts::make(const sts::PolicySettings& settings, sts::FetchThread* fetching,
                                     std::unique_ptr<cache::Cache> kept, const Clock& clock,
                                     resolve::Resolver& resolver, net::UvLoop& loop) {
    if (fetching == nullptr) return nullptr;
    return std::make_unique<MtaSts>(settings, Tools{clock, resolver, *fetching, loop}, std::move(kept));
}

task::Task<mail::StsStatus> MtaSts::find(dns::Name domain, std::optional<dnssec::Answer> record, MonoTime due) {
    return policies_.find(std::move(domain), std::move(record), due);
}

task::Task<void> MtaSts::tend() {
    return policies_.run();
}

serve::StsCounters MtaSts::counters() const {
    const sts::PolicyCounters& own = policies_.counters();
    return {own.asked, own.fetches, own.failures, own.refreshed};
}

task::Task<dnssec::Answer> MtaSts::OwnDns::resolve(dns::Name name, dns::Type type, MonoTime deadline) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - clock_.mono());
    BudgetRef budget = resolver_.budget(std::max(left, Duration(0)));
    return resolver_.resolve(std::move(name), type, std::move(budget));
}

}  // namespace mxtrust::daemon
