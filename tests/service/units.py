"""The unit files: what systemd itself says about them, and how well the service is shut off, beside Unbound's."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import built

MOST_EXPOSURE = 1.2
UNITS = ("mxtrustd.service", "mxtrustd.socket", "mxtrustd-query.socket", "mxtrustd-postfix.socket")


def exposure(unit: pathlib.Path) -> float | None:
    """`systemd-analyze security`, without a running systemd."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    return float(found[1]) if found else None


def verified(edits: dict[str, str]) -> tuple[bool, str]:
    """What systemd says of the units as they are installed, with the programs that they name. EDITS: by the unit's name what `systemctl edit` was
    given."""
    with tempfile.TemporaryDirectory(prefix="mxtrust-") as root:
        place = pathlib.Path(root, "etc/systemd/system")
        place.mkdir(parents=True)
        for unit in UNITS:
            place.joinpath(unit).write_bytes((built.ROOT / "systemd" / unit).read_bytes())
        for target in ("sysinit", "basic", "sockets", "network", "time-sync", "nss-lookup", "shutdown", "multi-user"):
            place.joinpath(f"{target}.target").write_text("[Unit]\nDescription=x\n")
        for program in ("usr/sbin/mxtrustd", "bin/kill"):
            pathlib.Path(root, program).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true", pathlib.Path(root, program))
        for unit, text in edits.items():
            (place / f"{unit}.d").mkdir()
            (place / f"{unit}.d/override.conf").write_text(text)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}", *UNITS], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if "mxtrust" in line and "not-found" not in line]
        return done.returncode == 0 and not said, done.stderr


def run(tally, table) -> None:
    folder = built.ROOT / "systemd"
    good, said = verified({})
    tally.check("systemd-analyze verify finds nothing wrong with the units", good, said)
    good, said = verified({"mxtrustd.socket": "[Socket]\nListenStreams=327.0.0.1:53\n"})
    tally.check("and would find it", not good and "ListenStreams" in said, said)
    for kind in ("sysusers", "tmpfiles"):
        with tempfile.TemporaryDirectory(prefix="mxtrust-") as root:
            pathlib.Path(root, "etc").mkdir()
            pathlib.Path(root, "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nmxtrust:x:990:990::/:/x\n" if kind == "tmpfiles" else "")
            pathlib.Path(root, "etc/group").write_text("root:x:0:\nmxtrust:x:990:\n" if kind == "tmpfiles" else "")
            more = ["--create"] if kind == "tmpfiles" else []
            done = subprocess.run([f"systemd-{kind}", f"--root={root}", *more, str(folder / f"mxtrust.{kind}")], capture_output=True, text=True)
            if kind == "sysusers":
                made = "mxtrust:" in pathlib.Path(root, "etc/passwd").read_text()
            else:
                state = pathlib.Path(root, "var/lib/mxtrust")
                made = state.is_dir() and (state.stat().st_mode & 0o777, state.stat().st_uid) == (0o700, 990)
            tally.check(f"systemd-{kind} makes what is needed", done.returncode == 0 and made, done.stderr)
    own = exposure(folder / "mxtrustd.service")
    tally.check(f"the service's exposure is {MOST_EXPOSURE} or less", own is not None and own <= MOST_EXPOSURE, own)
    others = [path for path in (built.ROOT / "build/tools").glob("**/system/unbound.service")]
    theirs = exposure(others[0]) if others else None
    tally.check("it can be compared with Unbound's", theirs is not None, "tests/lab/install unpacks Debian's unbound")
    table.row("systemd-analyze security: mxtrustd", own, f"at most {MOST_EXPOSURE}; Debian's unbound.service: {theirs}")
