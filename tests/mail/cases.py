"""Is every case of the mail-trust decision tried? By a domain of the lab, whose row says which case it is, or by a unit
test that has the case's number in its name, or by another part that says so."""

import pathlib
import re

LAST_CASE = 53
# Cases that need more than the lab's name servers: the part that tries them names the case in what it checks.
ELSEWHERE = {52: "forward/run"}  # a forwarder that does not validate, or lies

TESTS = pathlib.Path(__file__).resolve().parent.parent
NAME = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
NUMBER = re.compile(r"\bcases? (\d+(?:(?:, | and )\d+)*)")


def unit_test_names():
    """Every TEST_CASE of the tree: name -> file."""
    names = {}
    for path in sorted(TESTS.rglob("*.cc")):
        for match in NAME.finditer(path.read_text(encoding="utf-8")):
            parts = re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(1))
            names["".join(parts).replace('\\"', '"')] = str(path.relative_to(TESTS))
    return names


def numbers_in(name):
    return {int(one) for match in NUMBER.finditer(name) for one in re.findall(r"\d+", match.group(1))}


def covered(rows, names):
    """case -> names of domains and unit tests"""
    found = {number: [] for number in range(1, LAST_CASE + 1)}
    for row in rows:
        if row.case.isdigit():
            found[int(row.case)].append(row.domain)
    for name in names:
        for number in numbers_in(name):
            if number in found:
                found[number].append(f'"{name}"')
    for number, path in ELSEWHERE.items():
        if re.search(rf'check\(f?"case {number}, ', (TESTS / path).read_text(encoding="utf-8")):
            found[number].append(path)
    return found


def order(row):
    """Rows by case, what belongs to a row of the tables last."""
    return int(row.case) if row.case.isdigit() else LAST_CASE + 1


def check(rows, report):
    found = covered(rows, unit_test_names())
    print("\nCases of the decision, and how many domains and tests try each:")
    line = "  ".join(f"{number}:{len(where)}" for number, where in found.items())
    while line:
        cut = len(line) if len(line) <= 118 else line.rindex("  ", 0, 118)
        print(f"  {line[:cut]}")
        line = line[cut:].lstrip()
    wrong = [f"case {number} is tried nowhere" for number, where in found.items() if not where]
    report(f"{sum(1 for where in found.values() if where)} of {LAST_CASE} cases are tried", wrong)
