// One function for each question that is put to the configuration.
#include "client/postfix_conf.h"

#include <algorithm>

#include "client/resolv_conf.h"

namespace mxtrust::client {
namespace {

/// $a = $b, $b = $c …: deeper is a loop.
constexpr int most_expansions = 8;

bool is_name(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '_';
}

/// Separated by white space or commas.
std::vector<std::string> words_of_list(std::string text) {
    std::replace(text.begin(), text.end(), ',', ' ');
    return fields_of(text);
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

struct Logical {
    std::uint32_t line;
    std::string text;
};
/// A line that begins with white space continues the one before, comments and empty lines between do not end it.
std::vector<Logical> logical_lines(std::string_view text) {
    std::vector<Logical> all;
    for (const Line& line : lines_of(text)) {
        const std::string content = trimmed(line.text);
        if (content.empty() || content[0] == '#') continue;
        const bool goes_on = line.text[0] == ' ' || line.text[0] == '\t';
        if (goes_on && !all.empty()) {
            all.back().text += " " + content;
        } else {
            all.push_back({line.number, content});
        }
    }
    return all;
}

/// What all questions are put to.
struct Instance {
    const PostfixFiles& files;
    const File& resolv;
    const std::vector<std::string>& sockets;
    Parameters main;
    std::vector<SmtpService> services;
    std::vector<Finding> findings;

    Finding& found(Severity severity, std::string check, std::string seen, std::string_view parameter = "") {
        Finding finding;
        finding.severity = severity;
        finding.check = std::move(check);
        finding.seen = std::move(seen);
        finding.file = files.main.path;
        finding.line = main.line(std::string(parameter));
        findings.push_back(std::move(finding));
        return findings.back();
    }
    [[nodiscard]] bool is_chrooted(const SmtpService& service) const {
        if (service.chroot != "-") return service.chroot == "y";
        // The default of old: yes, below compatibility_level 1 (COMPATIBILITY_README).
        const std::string level = main.value("compatibility_level", "0");
        return level == "0";
    }
    [[nodiscard]] const SmtpService* chrooted() const {
        const auto found =
            std::find_if(services.begin(), services.end(), [this](const auto& one) { return is_chrooted(one); });
        return found == services.end() ? nullptr : &*found;
    }
};

const std::vector<std::string> over_dns = {"smtp_dns_support_level = dnssec", "smtp_tls_security_level = dane"};

/// A map of mxtrust's in smtp_tls_policy_maps; "" where there is none.
std::string our_map(const Instance& instance) {
    for (const std::string& map : words_of_list(instance.main.value("smtp_tls_policy_maps"))) {
        if (map.find("socketmap:unix:") != std::string::npos && map.find("mxtrust") != std::string::npos) return map;
        for (const std::string& socket : instance.sockets) {
            if (map.find("socketmap:unix:" + socket + ":") != std::string::npos) return map;
        }
    }
    return {};
}

void judge_level(Instance& instance) {
    const std::string level = instance.main.value("smtp_tls_security_level");
    const bool by_dns = level == "dane" || level == "dane-only";
    const bool by_map = !our_map(instance).empty();
    if (!by_dns && !by_map) {
        const bool relayed = !instance.main.value("relayhost").empty();
        auto& finding = instance.found(relayed ? Severity::hint : Severity::warning, "postfix-no-dane",
                                       "smtp_tls_security_level is " + (level.empty() ? "empty" : "\"" + level + "\"") +
                                           ", and smtp_tls_policy_maps does not ask mxtrust",
                                       "smtp_tls_security_level");
        finding.why = relayed ? "Postfix does no DANE by itself; all mail goes to the relayhost, which may."
                              : "Postfix does no DANE: what mxtrust proves is not used.";
        finding.todo = "Write into " + finding.file + ", then run postfix reload:";
        finding.lines = over_dns;
        return;
    }
    if (instance.main.value("smtp_dns_support_level") != "dnssec") {
        auto& finding =
            instance.found(Severity::error, "postfix-no-dnssec",
                           "smtp_dns_support_level is not \"dnssec\", but DANE is asked for", "smtp_dns_support_level");
        finding.why =
            "Postfix then takes \"dane\" for \"may\" with no more than a warning in its log, and defers at "
            "\"dane-only\".";
        finding.todo = "Write into " + finding.file + ", then run postfix reload:";
        finding.lines = {over_dns.front()};
    }
    if (by_map && level != "dane" && instance.main.value("smtp_tls_dane_insecure_mx_policy") != "dane") {
        auto& finding = instance.found(
            Severity::warning, "postfix-insecure-mx",
            "smtp_tls_dane_insecure_mx_policy is not \"dane\", while the default level is not \"dane\" either",
            "smtp_tls_dane_insecure_mx_policy");
        finding.why =
            "Its default follows smtp_tls_security_level: hosts with TLSA records under an unsigned MX are then not "
            "authenticated.";
        finding.todo = "Write into " + finding.file + ", then run postfix reload:";
        finding.lines = {"smtp_tls_dane_insecure_mx_policy = dane"};
    }
}

/// What makes Postfix give DANE up although it is configured.
void judge_lookups(Instance& instance) {
    if (!contains(words_of_list(instance.main.value("smtp_host_lookup", "dns")), "dns")) {
        auto& finding = instance.found(Severity::error, "postfix-host-lookup", "smtp_host_lookup is without \"dns\"",
                                       "smtp_host_lookup");
        finding.why = "Addresses then come from the C library, which proves nothing: no DANE.";
        finding.todo = "Write into " + finding.file + ", then run postfix reload:";
        finding.lines = {"smtp_host_lookup = dns"};
    }
    if (instance.main.value("ignore_mx_lookup_error") == "yes") {
        auto& finding = instance.found(Severity::error, "postfix-ignores-mx-errors", "ignore_mx_lookup_error = yes",
                                       "ignore_mx_lookup_error");
        finding.why = "A failed MX look-up must put mail off; Postfix does no DANE with this setting.";
        finding.todo = "Take the line out.";
    }
    for (const std::string& option : words_of_list(instance.main.value("smtp_dns_resolver_options"))) {
        auto& finding = instance.found(Severity::error, "postfix-searches-names",
                                       "smtp_dns_resolver_options has \"" + option + "\"", "smtp_dns_resolver_options");
        finding.why =
            "What is completed from a search list is not the name that was asked for; Postfix does no DANE with this "
            "setting.";
        finding.todo = "Take the line out.";
    }
}

void judge_map(Instance& instance) {
    const std::string map = our_map(instance);
    if (map.empty()) return;
    const std::string_view mark = "socketmap:unix:";
    const std::string rest = map.substr(map.find(mark) + mark.size());
    const std::size_t colon = rest.rfind(':');
    const std::string path = rest.substr(0, colon);
    const std::string name = colon == std::string::npos ? std::string() : rest.substr(colon + 1);
    if (name != "policy" && name != "policy-tlsrpt") {
        auto& finding =
            instance.found(Severity::error, "postfix-map-name",
                           "smtp_tls_policy_maps asks for the map \"" + name + "\"", "smtp_tls_policy_maps");
        finding.why = "mxtrust has no such map: every delivery is deferred.";
        finding.todo = "The map is \"policy\"; with Postfix 3.10 or newer \"policy-tlsrpt\", too.";
        finding.lines = {"smtp_tls_policy_maps = socketmap:unix:" + path + ":policy"};
    }
    if (!instance.sockets.empty() && !contains(instance.sockets, path)) {
        auto& finding = instance.found(Severity::error, "postfix-map-socket", "smtp_tls_policy_maps asks at " + path,
                                       "smtp_tls_policy_maps");
        finding.why = "mxtrustd does not listen there: every delivery is deferred.";
        finding.todo = "Write the path of [server] postfix-socket there; mxtrustd has these:";
        finding.lines = instance.sockets;
    }
    const SmtpService* service = instance.chrooted();
    if (service != nullptr && !map.starts_with("proxy:")) {
        auto& finding =
            instance.found(Severity::error, "postfix-map-in-chroot",
                           "the service \"" + service->name + "\" runs in a chroot, where " + path + " does not exist",
                           "smtp_tls_policy_maps");
        finding.why = "smtp(8) cannot reach the map: every delivery is deferred.";
        finding.todo = "Ask through proxymap(8), which is not in the chroot; then run postfix reload:";
        finding.lines = {"smtp_tls_policy_maps = proxy:" + map};
    }
}

void judge_services(Instance& instance) {
    for (const SmtpService& service : instance.services) {
        for (const char* name : {"smtp_tls_security_level", "smtp_dns_support_level"}) {
            const auto override = service.overrides.find(name);
            if (override == service.overrides.end()) continue;
            const std::string& value = override->second;
            if (value == "dane" || value == "dane-only" || value == "dnssec") continue;
            auto& finding = instance.found(Severity::hint, "postfix-override",
                                           "the service \"" + service.name + "\" has -o " + name + "=" + value);
            finding.file = instance.files.master.path;
            finding.line = service.line;
            finding.why = "Mail through this service is sent without DANE, whatever main.cf says.";
            finding.todo = "Leave it if that is meant.";
        }
    }
}

/// smtp(8) in a chroot reads resolv.conf there.
void judge_chroot(Instance& instance) {
    const SmtpService* service = instance.chrooted();
    const File& copy = instance.files.chroot_resolv;
    if (copy.present && ask_alike(parse_resolv_conf(copy.text), parse_resolv_conf(instance.resolv.text))) return;
    if (!copy.present && (service == nullptr || !instance.resolv.present)) return;
    auto& finding =
        instance.found(service != nullptr ? Severity::error : Severity::hint,
                       copy.present ? "postfix-chroot-differs" : "postfix-chroot-missing",
                       copy.path + (copy.present ? " differs from " : " is not there, unlike ") + instance.resolv.path);
    finding.file = copy.path;
    finding.line = 0;
    finding.why =
        service != nullptr
            ? "The service \"" + service->name +
                  "\" runs in a chroot and reads this file: it asks other servers than you think."
            : std::string("No service of smtp(8) runs in the chroot now; one that does will ask other servers.");
    finding.todo =
        "Copy it (Debian's Postfix does so at each start), or write n into the column \"chroot\" of smtp and relay "
        "in " +
        instance.files.master.path + ":";
    finding.lines = {"mkdir -p " + copy.path.substr(0, copy.path.rfind('/')),
                     "cp " + instance.resolv.path + " " + copy.path, "postfix reload"};
}

}  // namespace

std::string Parameters::value(const std::string& name, std::string_view otherwise) const {
    const auto found = all_.find(name);
    if (found == all_.end()) return std::string(otherwise);
    std::string text = found->second.value;
    for (int count = 0; count < most_expansions; ++count) {
        const std::size_t dollar = text.find('$');
        if (dollar == std::string::npos) break;
        std::size_t end = dollar + 1;
        const bool braced = end < text.size() && (text[end] == '{' || text[end] == '(');
        const std::size_t begin = braced ? ++end : end;
        while (end < text.size() && is_name(text[end])) ++end;
        const auto inner = all_.find(text.substr(begin, end - begin));
        // Conditions (${name?text}) and defaults that are not in the file stay as they are.
        if (inner == all_.end() || inner == found ||
            (braced && (end == text.size() || (text[end] != '}' && text[end] != ')'))))
            break;
        text.replace(dollar, end + (braced ? 1 : 0) - dollar, inner->second.value);
    }
    return text;
}

std::uint32_t Parameters::line(const std::string& name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? 0 : found->second.line;
}

Parameters parse_main_cf(std::string_view text) {
    Parameters parameters;
    for (const Logical& line : logical_lines(text)) {
        const std::size_t equals = line.text.find('=');
        if (equals == std::string::npos) continue;
        parameters.set(trimmed(line.text.substr(0, equals)), {trimmed(line.text.substr(equals + 1)), line.line});
    }
    return parameters;
}

std::vector<SmtpService> parse_master_cf(std::string_view text) {
    std::vector<SmtpService> services;
    for (const Logical& line : logical_lines(text)) {
        // name type private unpriv chroot wakeup maxproc command arguments
        const std::vector<std::string> fields = fields_of(line.text);
        if (fields.size() < 8 || fields[7] != "smtp") continue;
        SmtpService service{fields[0], fields[4], {}, line.line};
        for (std::size_t index = 8; index + 1 < fields.size(); ++index) {
            const std::size_t equals = fields[index + 1].find('=');
            if (fields[index] != "-o" || equals == std::string::npos) continue;
            service.overrides[fields[index + 1].substr(0, equals)] = fields[index + 1].substr(equals + 1);
        }
        services.push_back(std::move(service));
    }
    return services;
}

std::vector<Finding> judge_postfix(const PostfixFiles& files, const File& resolv,
                                   const std::vector<std::string>& sockets) {
    Instance instance{files, resolv, sockets, parse_main_cf(files.main.text), parse_master_cf(files.master.text), {}};
    if (!files.main.trouble.empty()) return {};
    judge_level(instance);
    judge_lookups(instance);
    judge_map(instance);
    judge_services(instance);
    judge_chroot(instance);
    return std::move(instance.findings);
}

}  // namespace mxtrust::client
