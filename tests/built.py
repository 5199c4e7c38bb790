"""Where the programs under test are: MXTRUST_BUILD says which build, build/dev otherwise."""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MXTRUST_BUILD", ROOT / "build/dev"))
DAEMON = BUILD / "resolver/daemon/mxtrustd"
CLIENT = BUILD / "resolver/client/mxtrust"


def needed() -> None:
    """Ends the program with a sentence where they are not built."""
    for program in (DAEMON, CLIENT):
        if not program.exists():
            print(f"{program} is not built: cmake --preset dev && cmake --build build/dev", file=sys.stderr)
            print("0 passed, 1 failed")
            sys.exit(69)
