"""What a command's status and words mean: how often it passed and failed, and what of it a reader must see.

Whoever runs the tests elsewhere sees the terminal and nothing else, so a failure brings what is needed to understand it: the lines
that say so with what follows them, a traceback or a sanitizer's report, or, where there is neither, the last words.
"""
import re
import signal
from dataclasses import dataclass, field

TOLD = 40       # lines of one command: a traceback, or a sanitizer's report down to the frames of our own
WIDEST = 240    # of a line
SAYS_SO = re.compile(r"FAILED|[1-9]\d* failed|\berror:|^\w*(?:Error|Exception)\b")
REPORT = re.compile(r"^Traceback \(most recent call last\)|ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error:|terminate called|Assertion .* failed")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.notes += other.notes


def last_words(text: str) -> list[str]:
    """The end of what it said."""
    return _shown(text.splitlines()[-TOLD:])


def evidence(text: str) -> list[str]:
    """The lines that say what failed, each with what belongs to it, and the first report of something worse."""
    lines, shown = text.splitlines(), {}
    for at, line in enumerate(lines):
        if REPORT.search(line):
            shown.update({at + more: None for more in range(min(TOLD, len(lines) - at))})
            break
    said = 0
    for at, line in enumerate(lines):
        if said >= TOLD:
            break
        if SAYS_SO.search(line):
            shown[at] = None
            said += 1
            for more in range(at + 1, min(at + 5, len(lines))):     # a detail, Catch's expansion
                if not lines[more].strip() or SAYS_SO.search(lines[more]):
                    break
                if lines[more].startswith(" ") or lines[more] == "with expansion:":
                    shown[more] = None
                    said += 1
    return _shown([lines[at] for at in sorted(shown)][:2 * TOLD])


def _shown(lines: list[str]) -> list[str]:
    return ["    " + "".join(letter if letter.isprintable() else "?" for letter in line[:WIDEST].expandtabs(4)) for line in lines]


def counted(text: str) -> Count | None:
    """The last line that counts."""
    for line in reversed(text.splitlines()):
        if match := re.match(r"\s*(\d+) passed, (\d+) failed\b", line):
            return Count(int(match[1]), int(match[2]))
        if match := re.match(r"All tests passed \(.* in (\d+) test cases?\)", line):
            return Count(int(match[1]), 0)
        if match := re.match(r"test cases:\s*(\d+)\s*\|(.*)", line):
            failed = int((re.search(r"(\d+) failed", match[2]) or [0, 0])[1])
            return Count(int(match[1]) - failed, failed)
    return None


def judge(command: str, status: int, text: str) -> Count:
    """How often did it pass and fail, and why? A command that fails without saying so, or says nothing, counts as one more failure."""
    count = counted(text)
    ended = f"{command}: ended with status {status}" + (", too late" if status == -signal.SIGALRM else "")
    if count is None:
        return Count(failed=1, notes=[f"{ended} and no count; its last words:", *last_words(text)])
    if count.failed:
        count.notes += [f"{command}: {count.failed} failed", *evidence(text)]
    elif status != 0:
        count.add(Count(failed=1, notes=[f"{ended}; its last words:", *last_words(text)]))
    return count
