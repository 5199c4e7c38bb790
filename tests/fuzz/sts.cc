// Any octets as a policy of MTA-STS, and as TXT records of MTA-STS and TLSRPT: what is accepted keeps its bounds, and
// the policy's own lines make it again.
#include "mail/sts.h"

#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "mail/next_hop.h"
#include "mail/tlsrpt.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check_policy(std::string_view text) {
    const auto policy = mxtrust::mail::parse_sts_policy(text);
    if (!policy) return;
    require(text.size() <= mxtrust::mail::most_sts_octets);
    require(policy->max_age >= std::chrono::seconds(0) && policy->max_age <= mxtrust::mail::longest_sts_age);
    require(policy->mode == mxtrust::mail::StsPolicy::Mode::none || !policy->patterns.empty());
    std::string again;
    for (const std::string& line : mxtrust::mail::sts_lines(*policy)) again += line + "\r\n";
    if (again.size() > mxtrust::mail::most_sts_octets) return;
    const auto same = mxtrust::mail::parse_sts_policy(again);
    require(same.has_value() && *same == *policy);
    for (const std::string& pattern : policy->patterns) {
        const bool wild = pattern.starts_with("*.");
        const auto host = mxtrust::dns::Name::from_text(wild ? "mx" + pattern.substr(1) : pattern);
        // With one more label in its place a star may make a name that is too long; any other pattern names itself.
        require(host.has_value() || wild);
        require(!host || mxtrust::mail::matches_sts(*host, policy->patterns));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = mxtrust::as_text({data, size});
    check_policy(text);
    // Lines as the records of one TXT RRset.
    std::vector<std::string> records;
    for (std::string_view rest = text; !rest.empty() && records.size() < 20;) {
        records.emplace_back(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(rest.size(), records.back().size() + 1));
    }
    const auto id = mxtrust::mail::parse_sts_record(records);
    require(!id || !*id || (!(*id)->empty() && (*id)->size() <= 32));
    const auto uris = mxtrust::mail::parse_tlsrpt_record(records);
    if (!uris) return 0;
    for (const std::string& uri : *uris) require(uri.size() > 7 && uri.find(',') == std::string::npos);
    return 0;
}
