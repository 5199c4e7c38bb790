"""Starting processes that outlive us, and stopping those and no others."""

import os
import signal
import time

STOP_TIMEOUT = 40.0    # mxtrustd answers those under way first, for 8 s at most; then it writes, on a busy disk perhaps


def started_at(pid):
    """When the process began, in clock ticks after boot; None when there is none. Tells a process from a later one
    with the same number."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def identity(pid):
    return {"pid": pid, "started": started_at(pid)}


def alive(process):
    return process["started"] is not None and started_at(process["pid"]) == process["started"]


def stop(process):
    """Asks it to end, insists after a while, and returns when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not alive(process):
            return
        os.kill(process["pid"], number)
        deadline = time.monotonic() + STOP_TIMEOUT
        while alive(process) and time.monotonic() < deadline:
            reap(process["pid"])
            time.sleep(0.02)


def reap(pid):
    """Collects the exit status where the process is our own child."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
