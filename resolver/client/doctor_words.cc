// Findings for a person at 80 columns, and for a program.
#include "client/doctor.h"
#include "client/words.h"

namespace mxtrust::client {
namespace {

Json finding_json(const Finding& finding) {
    Json json;
    json["severity"] = to_text(finding.severity);
    json["check"] = finding.check;
    json["seen"] = finding.seen;
    json["file"] = finding.file.empty() ? Json(nullptr) : Json(finding.file);
    json["line"] = finding.line == 0 ? Json(nullptr) : Json(finding.line);
    json["why"] = finding.why;
    json["todo"] = finding.todo;
    json["lines"] = finding.lines;
    return json;
}

Json probe_json(const Probe& probe) {
    Json json;
    json["server"] = probe.server.to_text();
    json["rcode"] = probe.answered ? Json(dns::to_text(probe.rcode)) : Json(nullptr);
    json["ad"] = probe.authentic;
    return json;
}

Tone tone_of_severity(Severity severity) {
    return severity == Severity::error ? Tone::bad : severity == Severity::warning ? Tone::fair : Tone::faint;
}

void put_finding(Page& page, const Finding& finding) {
    page.blank();
    page.put("  " + std::string(to_text(finding.severity)) + ":", sentence(finding.seen), 4,
             tone_of_severity(finding.severity));
    std::string place = finding.file;
    if (finding.line != 0) place += ", line " + std::to_string(finding.line);
    if (!place.empty()) page.put("    in", place, 6);
    page.put("    Why:", finding.why, 6);
    page.put("    Do:", finding.todo, 6);
    // As they stand, so that they can be copied: not broken.
    for (const std::string& line : finding.lines) page.put("        " + line, "", 8, Tone::strong);
}

}  // namespace

Json doctor_json(const Facts& facts, const std::vector<Finding>& findings) {
    Json json;
    json["healthy"] = is_healthy(findings);
    json["findings"] = Json::array();
    for (const Finding& finding : findings) json["findings"].push_back(finding_json(finding));
    json["probes"] = Json::array();
    for (const Probe& probe : facts.probes) json["probes"].push_back(probe_json(probe));
    return json;
}

void put_doctor(Page& page, const std::vector<Finding>& findings) {
    if (findings.empty()) {
        page.put("  mail server: nothing is wrong with how this machine asks", "", 4, Tone::good);
        return;
    }
    for (const Finding& finding : findings) put_finding(page, finding);
}

}  // namespace mxtrust::client
