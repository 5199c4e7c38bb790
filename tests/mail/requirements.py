"""Does everything that requirements.md names exist?"""

import pathlib
import re

from mail import cases

HERE = pathlib.Path(__file__).resolve().parent
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "–"}
# Duties that are not the decision's; each says why.
ELSEWHERE = ("MTA: ", "publisher: ", "resolver: ", "not here: ")
FEWEST = 90  # requirements: a table that shrinks is a table that was cut


def read(text):
    """(RFC, section, level, requirement, [where]) for each line of the tables."""
    rfc, lines = None, []
    for line in text.splitlines():
        if line.startswith("## RFC "):
            rfc = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if rfc and len(cells) == 4 and cells[0] not in ("section", "---"):
            lines.append((rfc, *cells[:3], re.split(r"; (?=lab |mta |test |file |MTA: |publisher: |resolver: |not here: )", cells[3])))
    return lines


def missing(where, rows, deliveries, names):
    """Why WHERE is no test, or nothing."""
    kind, _, what = where.partition(" ")
    if where.startswith(ELSEWHERE):
        return None if len(where) > 12 else f"no reason: {where}"
    if kind == "lab":
        return None if what in rows else f"no row of expected.table is for {what}"
    if kind == "mta":
        return None if what in deliveries else f"no delivery of tests/mta/expected.tsv goes to {what}"
    if kind == "test":
        return None if what.strip('"') in names else f"there is no unit test {what}"
    if kind == "file":
        return None if (HERE.parent / what).is_file() else f"there is no tests/{what}"
    return f"what is {where!r}?"


def check(rows, report):
    text = (HERE / "requirements.md").read_text(encoding="utf-8")
    domains = {row.domain for row in rows}
    table = (HERE.parent / "mta" / "expected.tsv").read_text(encoding="utf-8")
    deliveries = {line.split("\t")[0] for line in table.splitlines() if line and not line.startswith("#")}
    names = cases.unit_test_names()
    lines, wrong, tried = read(text), [], 0
    for rfc, section, level, requirement, places in lines:
        if level not in LEVELS or not requirement:
            wrong.append(f"{rfc} {section}: level {level!r}, requirement {requirement!r}")
        for where in places:
            why = missing(where, domains, deliveries, names)
            wrong += [f"{rfc} {section}: {why}"] if why else []
        tried += any(not where.startswith(ELSEWHERE) for where in places)
    # The checker must be able to fail.
    for nonsense in ("lab nowhere.example", "mta nowhere.example", 'test "no such test"', "file mail/nothing", "MTA: ", "hearsay"):
        if missing(nonsense, domains, deliveries, names) is None:
            wrong.append(f"{nonsense!r} would pass")
    if len(lines) < FEWEST:
        wrong.append(f"{len(lines)} requirements, there were {FEWEST}")
    report(f"{len(lines)} requirements of RFC 7672, 7671 and 7505: {tried} are tried, the others are another's and say whose", wrong)
