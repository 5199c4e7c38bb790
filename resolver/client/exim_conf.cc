// Macros and includes are not followed: what they hide is not judged.
#include "client/exim_conf.h"

#include <array>

namespace mxtrust::client {
namespace {

struct Setting {
    std::string name, value;
    std::uint32_t line;
};

/// "name = value" with continuation lines (a backslash at the end).
std::vector<Setting> settings_of(std::string_view text) {
    std::vector<Setting> all;
    std::string whole;
    std::uint32_t begin = 0;
    for (const Line& line : lines_of(text)) {
        const std::string content = trimmed(line.text);
        if (content.starts_with('#')) continue;
        if (whole.empty()) begin = line.number;
        whole += content;
        if (!whole.empty() && whole.back() == '\\') {
            whole.pop_back();
            continue;
        }
        const std::size_t equals = whole.find('=');
        if (equals != std::string::npos)
            all.push_back({trimmed(whole.substr(0, equals)), trimmed(whole.substr(equals + 1)), begin});
        whole.clear();
    }
    return all;
}

/// A list that matches nothing, or shuts everything out: "", ":", "!*".
bool is_nobody(const std::string& list) {
    return list.empty() || list == ":" || list.starts_with("!*");
}

struct Rule {
    std::string_view name, check, why, right;
};
constexpr std::array<Rule, 2> lists = {
    Rule{"dnssec_request_domains", "exim-no-dnssec",
         "Exim does not ask for DNSSEC there: no answer is secure for it, and DANE does not happen.",
         "dnssec_request_domains = *"},
    Rule{"hosts_try_dane", "exim-no-dane", "Exim looks for no TLSA records there: what mxtrust proves is not used.",
         "hosts_try_dane = *"},
};

Finding finding_of(const File& file, const Setting& setting, std::string_view check, std::string_view why,
                   std::string_view right) {
    Finding finding;
    finding.check = check;
    finding.seen = file.path + " says \"" + setting.name + " = " + setting.value + "\"";
    finding.file = file.path;
    finding.line = setting.line;
    finding.why = why;
    finding.todo = "Write instead, or take the line out, as this is the default; then restart Exim:";
    finding.lines = {std::string(right)};
    return finding;
}

}  // namespace

std::vector<Finding> judge_exim(const File& file) {
    std::vector<Finding> findings;
    for (const Setting& setting : settings_of(file.text)) {
        for (const Rule& rule : lists) {
            if (setting.name == rule.name && is_nobody(setting.value))
                findings.push_back(finding_of(file, setting, rule.check, rule.why, rule.right));
        }
        if (setting.name == "dns_dnssec_ok" && setting.value == "0") {
            findings.push_back(finding_of(file, setting, "exim-dnssec-off",
                                          "Exim takes DNSSEC out of all its look-ups: no DANE at all.",
                                          "dns_dnssec_ok = 1"));
        }
    }
    return findings;
}

}  // namespace mxtrust::client
