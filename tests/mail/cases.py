"""Is every case of the mail-trust decision tried? By a domain of the lab, whose row says which case it is, or by a unit
test that has the case's number in its name."""

import pathlib
import re

LAST_CASE = 53
# What another part of the house will bring; such a case is shown as open until a test has its number.
TO_COME = {52: "a forwarder that does not validate, or lies"}

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
    return found


def order(row):
    """Rows by case, what belongs to a row of the tables last."""
    return int(row.case) if row.case.isdigit() else LAST_CASE + 1


def check(rows, report):
    found = covered(rows, unit_test_names())
    print("\nCases of the decision, and how many domains and tests try each:")
    line = "  ".join(f"{number}:{len(where) or ' to come' if number in TO_COME else len(where)}" for number, where in found.items())
    while line:
        cut = len(line) if len(line) <= 118 else line.rindex("  ", 0, 118)
        print(f"  {line[:cut]}")
        line = line[cut:].lstrip()
    wrong = [f"case {number} is tried nowhere" for number, where in found.items() if not where and number not in TO_COME]
    coming = [f"{number} ({TO_COME[number]})" for number in sorted(TO_COME) if not found[number]]
    told = f"; still to come: {', '.join(coming)}" if coming else ""
    report(f"{sum(1 for where in found.values() if where)} of {LAST_CASE} cases are tried{told}", wrong)
