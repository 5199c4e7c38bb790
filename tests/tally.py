"""Counting what passed: every test program of tests/ ends with `N passed, N failed`."""


class Tally:
    """Says what failed as it happens, and how often at the end."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, title: str, good: bool, detail: object = "") -> bool:
        """One test case."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {title}" + (f"\n        {str(detail)[:600]}" if detail != "" else ""), flush=True)
        return good

    def end(self) -> int:
        """The last line, and the exit status."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
