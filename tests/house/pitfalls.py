"""Every rule of the list of validators' mistakes has a test that bears its number, and a forged twin."""
import re

RULES = 42
# TEST_CASE("7, 8: …"), TEST_CASE("30, A12: …"), TEMPLATE_TEST_CASE("29 twin: …")
NAME = re.compile(r'TEST_CASE\(\s*"((?:A?\d+(?:, )?)+)( twin)?: \S')


def pitfalls(files: dict[str, str]) -> list[str]:
    """Numbers 1 to 42: as `N: what the rule says`, and as `N twin: what is forged`."""
    tests, twins = set(), set()
    for source in files.values():
        for match in NAME.finditer(source):
            (twins if match[2] else tests).update(match[1].split(", "))
    wanted = [str(number) for number in range(1, RULES + 1)]
    return ([f"tests/: no test bears the name of rule {number}" for number in wanted if number not in tests]
            + [f"tests/: rule {number} has no forged twin" for number in wanted if number not in twins])
