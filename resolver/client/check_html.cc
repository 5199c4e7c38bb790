// One page that needs nothing else: no script, no font, no address of anybody. The verdict at the top, then the chain
// of trust, the servers, and every test, those that do not pass open.
#include "client/check.h"
#include "dns/text.h"

namespace mxtrust::client {
namespace {

constexpr std::size_t most_octets = 4000;

constexpr std::string_view style = R"(
:root{--back:#f6f7f9;--card:#fff;--text:#1b2026;--soft:#5b6672;--line:#d5dbe1;--good:#14713d;--goodback:#e5f4ea;--fair:#8a5a00;--fairback:#fdf3dc;--bad:#b3201c;--badback:#fdeae8;--none:#5b6672;--noneback:#eceff2}
@media (prefers-color-scheme:dark){:root{--back:#12161b;--card:#1a2027;--text:#e4e9ee;--soft:#9aa6b2;--line:#343d47;--good:#63cf8d;--goodback:#15301f;--fair:#ecb94d;--fairback:#33290f;--bad:#ff8a80;--badback:#3d1a18;--none:#9aa6b2;--noneback:#262d35}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.15rem;margin:0;font-weight:600;color:var(--soft);overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .7rem}
.verdict{border-left:.6rem solid;border-radius:.5rem;padding:1.1rem 1.3rem;margin-top:.8rem;background:var(--noneback)}
.verdict p{margin:0;overflow-wrap:anywhere}.verdict .word{font-size:1.75rem;font-weight:700;line-height:1.2;margin-bottom:.35rem}
.verdict .said{font-size:1.08rem}.verdict .count{color:var(--soft);margin-top:.5rem;font-size:.92rem}
.pass{border-color:var(--good)}.warning{border-color:var(--fair)}.failure{border-color:var(--bad)}.not-tested{border-color:var(--none)}
.verdict.pass{background:var(--goodback)}.verdict.warning{background:var(--fairback)}.verdict.failure{background:var(--badback)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
.picture{padding:1rem;overflow-x:auto}.picture svg{display:block;min-width:42rem;width:100%;height:auto}
details{background:var(--card);border:1px solid var(--line);border-left-width:.35rem;border-radius:.4rem;margin:.45rem 0}
summary{cursor:pointer;padding:.55rem .8rem;display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap;list-style:none}
summary::-webkit-details-marker{display:none}
summary::after{content:"+";margin-left:auto;color:var(--soft);font-weight:700}details[open]>summary::after{content:"\2212"}
summary .of{overflow-wrap:anywhere}summary .of b{font-weight:600}
.grade{font-size:.8rem;font-weight:700;border-radius:1rem;padding:.08rem .6rem;min-width:6.2rem;text-align:center;white-space:nowrap;display:inline-block;border:1.5px solid}
.grade.pass{color:var(--good);background:var(--goodback)}.grade.warning{color:var(--fair);background:var(--fairback);border-style:dashed}
.grade.failure{color:var(--card);background:var(--bad);border-color:var(--bad)}.grade.not-tested{color:var(--none);background:var(--noneback);border-style:dotted}
.inside{padding:0 .9rem .8rem;overflow-wrap:anywhere}.inside dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem .9rem;margin:.2rem 0}
.inside dt{color:var(--soft)}.inside dd{margin:0}.inside ul{margin:.5rem 0 0;padding-left:1.1rem;font-size:.88rem;color:var(--soft)}
code{font:.92em ui-monospace,"DejaVu Sans Mono",monospace}
table{border-collapse:collapse;width:100%;font-size:.94rem}th,td{text-align:left;padding:.5rem .8rem;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{border-top:0;color:var(--soft);font-weight:600}
.scroll{overflow-x:auto}.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;margin:.8rem 0 0;color:var(--soft);font-size:.88rem}.legend svg{width:22px;height:22px;min-width:0;display:inline-block;vertical-align:-6px;margin-right:.35rem}
footer{margin-top:2.5rem;color:var(--soft);font-size:.88rem}
svg text{fill:var(--text);font:13px system-ui,"Segoe UI","DejaVu Sans",sans-serif}
svg .title{font-size:16px;font-weight:650}svg .record{font-weight:600;font-size:14px}svg .small{font-size:12px}svg .label{font-size:12px;fill:var(--soft)}svg .state{font-size:12px;font-weight:600;fill:var(--soft)}svg .reason{font-size:12px;fill:var(--bad)}
.box{fill:var(--card);stroke:var(--none);stroke-width:1.5}.box.leaf{fill:var(--back)}
.box.secure,.box.good{stroke:var(--good)}.box.insecure{stroke:var(--fair);stroke-dasharray:8 5}.box.bogus{stroke:var(--bad);stroke-width:3.5;fill:var(--badback)}.box.indeterminate{stroke:var(--bad);stroke-dasharray:2 4;stroke-width:2}
.link{fill:none;stroke:var(--none);stroke-width:1.5}.link.secure{stroke:var(--good);stroke-width:2}.link.insecure{stroke:var(--fair);stroke-dasharray:8 5}.link.bogus{stroke:var(--bad);stroke-width:3}.link.indeterminate{stroke:var(--bad);stroke-dasharray:2 4}
.sign circle{fill:var(--card);stroke-width:1.8}.sign path{fill:none;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.sign.secure *,.sign.good *{stroke:var(--good)}.sign.insecure *{stroke:var(--fair)}.sign.bogus circle,.sign.bad circle{fill:var(--bad);stroke:var(--bad)}.sign.bogus path,.sign.bad path{stroke:var(--card)}.sign.indeterminate *{stroke:var(--bad)}.sign.indeterminate circle{stroke-dasharray:2 2.5}
.chip{fill:var(--back);stroke:var(--none)}.chip.paired{stroke:var(--good);stroke-width:1.8}.chip.lonely{stroke:var(--bad);stroke-dasharray:4 3;stroke-width:1.8}
.pair{stroke:var(--good);stroke-width:2.4}.bar{fill:var(--line);stroke:var(--soft);stroke-width:.8}.now{stroke:var(--text);stroke-width:2}
@media (max-width:40rem){.inside dl{grid-template-columns:1fr}.inside dt{margin-top:.4rem}}
@media print{:root{--back:#fff;--card:#fff;--text:#000;--soft:#444;--line:#999;--good:#14713d;--goodback:#fff;--fair:#8a5a00;--fairback:#fff;--bad:#b3201c;--badback:#fff;--none:#555;--noneback:#fff}main{max-width:none;padding:0}body{font-size:11pt}details,.card,.verdict{break-inside:avoid}.picture{overflow:visible;break-inside:auto}.picture svg{min-width:0}summary::after{content:""}details::details-content{content-visibility:visible;display:block;height:auto}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)";

std::string word_of(Grade grade) {
    switch (grade) {
        case Grade::pass:
            return "passes";
        case Grade::not_tested:
            return "not tested";
        case Grade::warning:
            return "warning";
        case Grade::failure:
            return "failure";
    }
    return "failure";
}

std::string grade_mark(Grade grade) {
    static constexpr std::string_view signs[] = {"✓", "–", "!", "✕"};
    return "<span class=\"grade " + std::string(to_text(grade)) + "\">" +
           std::string(signs[static_cast<std::size_t>(grade)]) + " " + word_of(grade) + "</span>";
}

std::string title_of(const std::string& test) {
    static constexpr std::pair<std::string_view, std::string_view> titles[] = {
        {"dnssec", "DNSSEC"},           {"mx", "MX records"},      {"expected-mx", "Expected MX"},
        {"addresses", "Addresses"},     {"tlsa", "TLSA records"},  {"sts", "MTA-STS"},
        {"tlsrpt", "TLS reports"},      {"connect", "Connection"}, {"starttls", "STARTTLS"},
        {"certificate", "Certificate"}, {"dane", "DANE"},          {"webpki", "Certificate check"}};
    for (const auto& [word, title] : titles)
        if (word == test) return std::string(title);
    return test;
}

std::string pair_of(std::string_view term, const std::string& text) {
    if (text.empty()) return {};
    return "<dt>" + std::string(term) + "</dt><dd>" + html_text(text) + "</dd>";
}

std::string test_html(const Test& test) {
    const bool open = test.grade == Grade::failure || test.grade == Grade::warning;
    std::string html = "<details class=\"" + std::string(to_text(test.grade)) + "\"" + (open ? " open" : "") +
                       "><summary>" + grade_mark(test.grade) + "<span class=\"of\"><b>" + title_of(test.test) +
                       "</b> of " + html_text(test.subject) + "</span></summary><div class=\"inside\"><dl>";
    html += pair_of("Seen", sentence(test.seen)) + pair_of("For senders", sentence(test.means)) +
            pair_of("To do", sentence(test.todo));
    if (!test.code.empty()) {
        html += "<dt>They report</dt><dd><code>" + html_text(test.code) + "</code>";
        if (permanent(test.code) != test.code)
            html += ", in the end <code>" + html_text(permanent(test.code)) + "</code>";
        if (!test.tlsrpt.empty()) html += "; in TLS reports <code>" + html_text(test.tlsrpt) + "</code>";
        html += "</dd>";
    }
    html += "</dl>";
    if (!test.details.empty()) {
        html += "<ul>";
        for (const std::string& line : test.details) html += "<li>" + html_text(line) + "</li>";
        html += "</ul>";
    }
    return html + "</div></details>\n";
}

std::string server_row(const probe::Observation& one) {
    const probe::Visit& visit = one.decisive();
    const bool judged = probe::judging_of(one.target.action) != probe::Judging::nobody;
    const Grade grade = visit.trouble == probe::Trouble::no_route ? Grade::not_tested
                        : visit.trouble != probe::Trouble::none   ? Grade::failure
                        : judged                                  ? Grade::pass
                                                                  : Grade::warning;
    std::string tls = "–", certificate = "–",
                verdict = visit.trouble == probe::Trouble::none ? "" : std::string(probe::to_text(visit.trouble));
    if (visit.handshake) {
        tls = visit.handshake->protocol;
        if (!visit.handshake->chain.empty())
            certificate = visit.handshake->chain.front().key + ", until " +
                          date_words(visit.handshake->chain.front().not_after.seconds).substr(0, 10);
        if (visit.handshake->authority)
            verdict = std::to_string(visit.handshake->authority->usage) + " " +
                      std::to_string(visit.handshake->authority->selector) + " " +
                      std::to_string(visit.handshake->authority->matching) + " at depth " +
                      std::to_string(visit.handshake->authority->depth);
    }
    return "<tr><td>" + html_text(one.target.host) + "<br><code>" + html_text(one.target.endpoint.address.to_text()) +
           "</code></td><td>" + html_text(tls) + "</td><td>" + html_text(certificate) + "</td><td>" +
           grade_mark(grade) + "<br>" + html_text(verdict) + "</td></tr>\n";
}

std::string servers_html(const Report& report) {
    if (report.observations.empty()) return {};
    std::string html =
        "<h2>Servers</h2><div class=\"card "
        "scroll\"><table><thead><tr><th>Server</th><th>TLS</th><th>Certificate</th><th>Verdict</th></tr></"
        "thead><tbody>\n";
    for (const probe::Observation& one : report.observations) html += server_row(one);
    return html + "</tbody></table></div>\n";
}

std::string legend() {
    static constexpr std::string_view kinds[][2] = {
        {"secure", "M-4.5 0.5l3 3.5l6-7.5"},
        {"insecure", "M-4.5 0h9"},
        {"bogus", "M-4 -4l8 8M4 -4l-8 8"},
        {"indeterminate", "M-2.6 -2.4c0-3.4 5.4-3.4 5.4 0c0 2.2-2.8 2.2-2.8 4.4M0 5.2v.6"}};
    static constexpr std::string_view words[] = {"proven by DNSSEC, or passes",
                                                 "proven to be unsigned, or unauthenticated", "broken, or fails",
                                                 "could not be found out"};
    std::string html = "<div class=\"legend\">";
    for (std::size_t index = 0; index < 4; ++index)
        html += "<span><svg viewBox=\"-11 -11 22 22\" aria-hidden=\"true\"><g class=\"sign " +
                std::string(kinds[index][0]) + "\"><circle r=\"9\"/><path d=\"" + std::string(kinds[index][1]) +
                "\"/></g></svg>" + std::string(words[index]) + "</span>";
    return html + "<span>the upright stroke on a bar is the time of this check</span></div>";
}

std::string counts(const Report& report) {
    std::size_t found[4] = {};
    for (const Test& test : report.tests) ++found[static_cast<std::size_t>(test.grade)];
    return std::to_string(found[3]) + " failed, " + std::to_string(found[2]) + " with warnings, " +
           std::to_string(found[0]) + " passed, " + std::to_string(found[1]) + " not tested";
}

}  // namespace

std::string html_text(std::string_view text) {
    std::string html;
    for (const char octet : dns::clean_text(text, most_octets)) {
        switch (octet) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                html += octet;
        }
    }
    return html;
}

std::string check_html(const Report& report) {
    const std::string grade(to_text(report.grade()));
    static constexpr std::string_view verdicts[] = {"✓ All is well", "– Nothing was tested", "! Works, with warnings",
                                                    "✕ Something is wrong"};
    std::string html =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<meta name=\"color-scheme\" content=\"light dark\"><title>" +
        html_text(report.domain) + ": " + word_of(report.grade()) + "</title><style>" + std::string(style) +
        "</style></head><body><main>\n";
    html += "<h1>Mail to " + html_text(report.domain) + "</h1>\n<section class=\"verdict " + grade +
            "\"><p class=\"word\">" + std::string(verdicts[static_cast<std::size_t>(report.grade())]) +
            "</p><p class=\"said\">" + html_text(sentence(headline(report))) + "</p><p class=\"count\">" +
            counts(report) + " · " + date_words(report.time) + "</p></section>\n";
    const std::string picture = chain_picture(report);
    if (!picture.empty())
        html += "<h2>Chain of trust</h2><div class=\"card picture\">" + picture + legend() + "</div>\n";
    html += servers_html(report) + "<h2>Tests</h2>\n";
    // What is wrong first; otherwise in the order in which it was tested.
    for (const Grade wanted : {Grade::failure, Grade::warning, Grade::pass})
        for (const Test& test : report.tests)
            if ((test.grade == Grade::not_tested ? Grade::pass : test.grade) == wanted) html += test_html(test);
    return html + "<footer>Made by mxtrust " MXTRUST_VERSION
                  ": DNS as its resolver validated it; servers visited as a sender would, without "
                  "mail.</footer></main></body></html>\n";
}

}  // namespace mxtrust::client
