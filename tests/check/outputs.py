"""Text and JSON as they are printed, TLS reports, batches, options that contradict each other."""
import difflib
import json
import os
import pathlib
import re
import tempfile

from check import schema

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden"
SCENES = {"well": "well.check.nlx", "second-key": "second-key.check.nlx", "ds-mismatch": "ds-mismatch.nlx", "one-tlsa-bogus": "one-tlsa-bogus.nlx",
          "markup": "markup.check.nlx"}


def steady(text):
    """What is another in every world: digests, key tags, times."""
    text = re.sub(r"\b[0-9a-f]{16}…|\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\d{4}-\d\d-\d\d\s+\d\d:\d\d\s+UTC", "DATE", text)
    text = re.sub(r"((?:key\s+tag|names\s+key|DNSKEY\s+has|signed\s+by)\s+)(?!4711\b)\d+(?:,\s+\d+)*\b", r"\1TAG", text)
    return re.sub(r'("(?:time|not_before|not_after|ms)": )\d+', r"\g<1>0", text)


def steady_order(report):
    """TLSA records come in the order of their data, which is another in every world."""
    for server in report["servers"]:
        for visit in server["visits"]:
            if visit["tls"]:
                visit["tls"]["matches"].sort(key=str)
    for test in report["tests"]:
        if all("certificate" in line for line in test["details"]):
            test["details"].sort(key=lambda line: line.split("…")[-1])


def squeezed(text):
    """Lines are broken elsewhere when a tag has another length."""
    return steady(re.sub(r"\s+", " ", text))


def compare(tally, name, text):
    path = GOLDEN / name
    if os.environ.get("MXTRUST_WRITE_GOLDEN") == "1":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    wanted = path.read_text() if path.exists() else ""
    same = squeezed(wanted) == squeezed(text)
    tally.check(f"golden: {name}", same, "\n".join(difflib.unified_diff(steady(wanted).splitlines(), steady(text).splitlines(), lineterm="", n=0)))


def golden(on, tally):
    for name, domain in SCENES.items():
        _, text, _ = on.check(domain)
        compare(tally, f"{name}.txt", steady(text))
        _, report = on.report(domain)
        tally.check(f"{name}: the report has what the daemon said", report.pop("mail", None) and report.pop("explain", None))
        steady_order(report)
        compare(tally, f"{name}.json", steady(json.dumps(report, indent=1, ensure_ascii=False)) + "\n")


def reports(on, tally):
    from jsonschema import Draft7Validator, FormatChecker
    validator = Draft7Validator(schema.TLSRPT, format_checker=FormatChecker())
    for domain, good, bad, kind in (("well.check.nlx", 1, 0, None), ("dane-ee-stale.nlx", 0, 2, "tlsa-invalid"), ("tlsa-servfail.nlx", 0, 1, "dnssec-invalid"),
                                    ("dane-no-starttls.nlx", 0, 2, "starttls-not-supported"), ("plain.check.nlx", 1, 0, None),
                                    ("ds-mismatch.nlx", 0, 1, "dnssec-invalid"), ("dane-ta-wrong-name.nlx", 0, 2, "certificate-host-mismatch")):
        _, out, _ = on.check("--tlsrpt", domain)
        try:
            report = json.loads(out)
        except ValueError:
            tally.check(f"TLS report of {domain} is JSON", False, out[:300])
            continue
        errors = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(report)]
        tally.check(f"TLS report of {domain} is valid by RFC 8460", not errors, errors)
        summed = [sum(policy["summary"][f"total-{what}-session-count"] for policy in report["policies"]) for what in ("successful", "failure")]
        tally.check(f"TLS report of {domain} counts", summed == [good, bad], summed)
        kinds = {detail["result-type"] for policy in report["policies"] for detail in policy.get("failure-details", [])}
        tally.check(f"TLS report of {domain} names the failure", kinds == ({kind} if kind else set()), kinds)
        for spoiled in spoil(report):
            tally.check(f"a spoiled TLS report of {domain} is noticed", list(validator.iter_errors(spoiled)))


def spoil(report):
    """A schema that lets everything through would be none."""
    for key in ("organization-name", "date-range", "policies"):
        yield {name: value for name, value in report.items() if name != key}
    changed = json.loads(json.dumps(report))
    changed["policies"][0]["policy"]["policy-type"] = "dane"
    yield changed


def batch(on, tally):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("# three domains\nwell.check.nlx\n\ngarbage.check.nlx  # is not well\nplain.check.nlx\nnot a domain\n")
        file.flush()
        status, out, error = on.check("--batch", file.name)
        tally.check("batch: ends with a summary", "4 domains: 1 pass, 1 with warnings, 1 with failures, 1 not checked" in " ".join(out.split()), out[-300:])
        tally.check("batch: the most serious counts", status == 69, status)
        tally.check("batch: shows progress", "4/4" in error, error)
        _, out, _ = on.check("--batch", file.name, "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        tally.check("batch: one JSON object on each line", len(rows) == 4 and sum("error" in row for row in rows) == 1, out[:200])
        _, out, _ = on.check("--batch", file.name, "--tlsrpt")
        tally.check("batch: one TLS report", {policy["policy"]["policy-domain"] for policy in json.loads(out)["policies"]}
                    == {"mx.well.check.nlx", "mx.garbage.check.nlx", "plain.check.nlx"}, out[:300])


def usage(on, tally):
    for words, status in ((["--help"], 0), ([], 64), (["a.nlx", "--html"], 64), (["a.nlx", "--port", "0"], 64), (["a.nlx", "--timeout", "301"], 64),
                          (["a.nlx", "--address", "mx"], 64), (["a.nlx", "--batch", "x"], 64), (["a.nlx", "b.nlx", "--html", "x"], 64),
                          (["a.nlx", "--refresh"], 64), (["a.nlx", "--no-probe", "--tlsrpt"], 64), (["--batch", "/nonexistent"], 73),
                          (["well.check.nlx", "--no-probe", "--html", "/nonexistent/page"], 73), (["a..b"], 69)):
        found, _, error = on.check(*words)
        tally.check(f"usage: {' '.join(words) or 'nothing'} ends with {status}", found == status and (status == 0 or error.startswith("mxtrust: ")), (found, error))


def run(on, tally):
    golden(on, tally)
    reports(on, tally)
    batch(on, tally)
    usage(on, tally)
