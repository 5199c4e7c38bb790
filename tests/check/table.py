"""Rows of expected.tsv, and whether every word that check has occurs in one of them."""
import collections
import concurrent.futures
import pathlib
import re
import time

from tally import Tally

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What takes its words, and its name, from the daemon's remedies: ds-matches-no-key, signature-expired, …
RENAMED = {"dnssec-broken"}
CODES = {"4.7.321", "4.7.322", "4.7.323", "4.7.324", "4.4.312"}
TYPES = {"starttls-not-supported", "certificate-host-mismatch", "certificate-not-trusted", "certificate-expired", "validation-failure",
         "tlsa-invalid", "dnssec-invalid"}
Row = collections.namedtuple("Row", "domain options status findings")


def read():
    for line in (HERE / "expected.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            domain, options, status, findings = line.split("\t")
            yield Row(domain, options.split(), int(status), sorted(findings.split()) if findings != "-" else [])


def findings_of(report):
    found = []
    for test in report["tests"]:
        if test["result"] in ("warning", "failure"):
            code = test["code"].split()[0] if test["code"] else ""
            found.append(f"{test['test']}:{test['diagnosis']}" + (f":{code}" if code else ""))
    return sorted(found)


def run(on, tally: Tally, wanted):
    """Returns (row, report) of each."""
    rows = [row for row in read() if not wanted or row.domain in wanted]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda row: on.report(*row.options, row.domain), rows))
    for row, (status, report) in zip(rows, reports):
        found = findings_of(report)
        good = found == row.findings and status == row.status and all(complete(test) for test in report["tests"])
        print(f"{' '.join([row.domain, *row.options])} → {status}: {', '.join(found) or 'nothing'} → {'agrees' if good else 'DISAGREES'}", flush=True)
        tally.check(f"{row.domain} {' '.join(row.options)}", good,
                    f"wanted {row.status}: {row.findings}; {report.get('error', '')} missing {sorted(set(row.findings) - set(found))}, "
                    f"beyond {sorted(set(found) - set(row.findings))}" + "".join(
                        f"\n        {test['test']}: {test['seen']}" for test in report["tests"] if not good and test["result"] != "pass"))
    manners(on, tally, wanted)
    return list(zip(rows, (report for _, report in reports)))


def complete(test):
    """What does not pass says what it means and what to do."""
    return test["seen"] and (test["result"] in ("pass", "not-tested") or (test["means"] and test["todo"]))


def manners(on, tally, wanted):
    """Every server that could be talked to at all was told EHLO with a name and QUIT, and never MAIL FROM."""
    if wanted:
        return
    polite = ("well", "greeting-4xx", "greeting-5xx", "starttls-5xx", "plain-clear", "no-smtp", "markup", "two-keys", "second-key", "weak", "plain")
    for name in polite:
        first, until = [], time.monotonic() + 20
        while first[-1:] != ["QUIT"] and time.monotonic() < until:      # the client does not wait until it was heard
            first = on.played[name].heard[0] if on.played[name].heard else []
            time.sleep(0.01)
        heard = [line for lines in on.played[name].heard for line in lines]
        tally.check(f"manners: {name} was told QUIT", first and first[-1] == "QUIT", first)
        tally.check(f"manners: {name} was never told MAIL", not any(line.upper().startswith(("MAIL", "RCPT", "DATA", "VRFY", "AUTH")) for line in heard), heard)
        tally.check(f"manners: {name} knows who asks", all(re.fullmatch(r"EHLO [\w.-]+", line) for line in heard if line.startswith("EHLO")), heard)


def everything_occurs(tally, found):
    reports = [report for _, report in found]
    tests = [test for report in reports for test in report["tests"]]
    words = re.findall(r'^    \{"([a-z0-9-]+)",', (ROOT / "resolver/client/check_words.cc").read_text(), re.M)
    tally.check("the table of diagnoses is understood", len(words) > 60 and "tlsa-no-match" in words, words)
    seen = {test["diagnosis"] for test in tests}
    for word in words:
        if word not in RENAMED:
            tally.check(f"{word} occurs", word in seen)
    page = (ROOT / "resolver/serve/PROTOCOL.md").read_text()
    tally.check("PROTOCOL.md knows every diagnosis", not (lost := [word for word in words if f"`{word}`" not in page]), lost)
    texts = [(test["means"], test["todo"]) for test in tests if test["means"]]
    tally.check("no two diagnoses say the same", len({text for _, text in diagnoses(tests)}) == len(diagnoses(tests)), "")
    tally.check("every code occurs", CODES <= {test["code"].split()[0] for test in tests if test["code"]}, texts[:0])
    tally.check("every permanent code is the temporary one with a 5", all(
        test["code_in_the_end"][1:] == test["code"][1:] and test["code_in_the_end"][0] == "5" for test in tests if test["code"]))
    tally.check("every result type occurs", TYPES <= {test["tlsrpt"] for test in tests if test["tlsrpt"]},
                TYPES - {test["tlsrpt"] for test in tests if test["tlsrpt"]})
    bad = [test for test in tests for text in [str(test)] if any(ord(c) < 32 or 0x202A <= ord(c) <= 0x202E for c in text)]
    tally.check("no control character comes through", not bad, bad[:1])


def diagnoses(tests):
    """(diagnosis, its words without the names in them)"""
    found = {}
    for test in tests:
        if test["means"]:
            found[test["diagnosis"]] = re.sub(r"[\w.-]+\.(?:nlx|oldx|example)\b", "NAME", f"{test['means']} {test['todo']}")
    return sorted(found.items())
