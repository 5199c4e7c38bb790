"""Where the programs under test are: MXTRUST_BUILD says which build, build/dev otherwise; and what a sanitizer in it asks of a test.

A sanitized program does the same work, more slowly and in more memory, and has limits of its own. Such a test asks for less by SLOWER, or
allows more by HEAVIER, and tells what not_asked() says of what it cannot ask at all. What it expects stays the same.
"""
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MXTRUST_BUILD", ROOT / "build/dev"))
DAEMON = BUILD / "resolver/daemon/mxtrustd"
CLIENT = BUILD / "resolver/client/mxtrust"


def sanitizers() -> str:
    """As -fsanitize= took them; empty for a plain build."""
    cache = BUILD / "CMakeCache.txt"
    found = re.search(r"^MXTRUST_SANITIZE:\w+=(.*)$", cache.read_text(encoding="utf-8"), re.M) if cache.exists() else None
    return found[1] if found else ""


SANITIZERS = sanitizers()
# Unoptimised and instrumented, a resolution takes five to ten times the processor's time.
SLOWER = 6 if SANITIZERS else 1
# Shadow memory, red zones, and a quarantine of 256 MiB for what was freed. Leaks are the leak sanitizer's to tell.
HEAVIER = 8 if SANITIZERS else 1


def not_asked(what: str, why: str, of: str = "") -> str:
    """What a reader is told where this cannot be asked of any sanitizer's build, or of that one's; empty where it can."""
    return f"not asked of a build with -fsanitize={SANITIZERS}: {what}: {why}" if SANITIZERS and of in SANITIZERS else ""


def needed() -> None:
    """Ends the program with a sentence where they are not built."""
    for program in (DAEMON, CLIENT):
        if not program.exists():
            print(f"{program} is not built: cmake --preset dev && cmake --build build/dev", file=sys.stderr)
            print("0 passed, 1 failed")
            sys.exit(69)
