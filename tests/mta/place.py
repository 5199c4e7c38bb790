"""Where the unpacked mail servers run: a mount namespace of our own, in which accounts and resolv.conf are ours.

Nothing of the machine is changed: what is mounted here, nobody else sees, and it is gone with the last process.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = pathlib.Path(os.environ.get("MXTRUST_TOOLS", ROOT / "build/tools"))
POSTFIX = TOOLS / "usr/lib/postfix"
# Postfix 3.10, where it could be had (tests/mta/install).
NEWER = TOOLS / "backports"
LINES = pathlib.Path(__file__).resolve().parent / "lines"
LIBRARIES = (TOOLS / f"usr/lib/{os.uname().machine}-linux-gnu", POSTFIX)
# name, uid, gid: any that the machine does not use; they exist in our mount namespace only.
ACCOUNTS = [("postfix", 64101, 64101), ("Debian-exim", 64103, 64103)]
GROUPS = [("postfix", 64101), ("postdrop", 64102), ("Debian-exim", 64103)]
STOP_TIMEOUT = 12.0
MARKER = "MXTRUST_MTA_INSIDE"


class MtaError(Exception):
    pass


def enter(script, arguments):
    """Replaces this process by the same script in a mount namespace of its own; returns where it is already there."""
    if os.environ.get(MARKER) == "yes":
        return
    os.environ[MARKER] = "yes"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", str(script), *arguments])


def bind(source, target):
    """What the file is elsewhere (a link to systemd's, perhaps), it is SOURCE here."""
    subprocess.run(["mount", "--bind", str(source), os.path.realpath(target)], check=True)


def furnish(folder, nameserver):
    """Accounts, libraries, and a resolv.conf that names the daemon: trust-ad as Exim needs it, Postfix sets it itself."""
    assert os.environ.get(MARKER) == "yes", "only in a mount namespace of our own"
    passwd, group = folder / "passwd", folder / "group"
    passwd.write_text(pathlib.Path("/etc/passwd").read_text()
                      + "".join(f"{name}:x:{uid}:{gid}::/nonexistent:/bin/false\n" for name, uid, gid in ACCOUNTS))
    group.write_text(pathlib.Path("/etc/group").read_text() + "".join(f"{name}:x:{gid}:\n" for name, gid in GROUPS))
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {nameserver}\noptions edns0 trust-ad timeout:10 attempts:1\n")
    # Exim is setuid and cleans its environment: only the loader's cache can tell it where its libraries are.
    libraries, cache = folder / "ld.so.conf", folder / "ld.so.cache"
    libraries.write_text("include /etc/ld.so.conf\n" + "".join(f"{path}\n" for path in LIBRARIES))
    subprocess.run(["/sbin/ldconfig", "-X", "-f", str(libraries), "-C", str(cache)], check=True, capture_output=True)
    for source, target in ((cache, "/etc/ld.so.cache"), (passwd, "/etc/passwd"), (group, "/etc/group"), (resolv, "/etc/resolv.conf")):
        source.chmod(0o644)
        bind(source, target)


def lines(name, folder):
    """A file of lines/, with the daemon's FOLDER in the place of the usual one."""
    return (LINES / name).read_text().replace("/run/mxtrust", str(folder))


def environment(**more):
    return {**os.environ, **more}


def directory(path, account="postfix", group="postfix", mode=0o700):
    path.mkdir(parents=True, exist_ok=True)
    shutil.chown(path, account, group)
    path.chmod(mode)
    return path


class Running:
    """A process that we started, in a session of its own; stop() ends it and its children, and nothing else."""

    def __init__(self, command, log, **more):
        self.name = os.path.basename(command[0])
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env=environment(**more), start_new_session=True)

    def check(self):
        if self.child.poll() is not None:
            raise MtaError(f"{self.name} ended with status {self.child.returncode}:\n{self.log.read_text(errors='replace')[-1500:]}")

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                pass
        # Its session is its own: who is left in the group is a child of it.
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


def wait_for(what, condition, timeout, running=()):
    """Polls until CONDITION() is true; an error where it does not become so."""
    deadline = time.monotonic() + timeout
    while not condition():
        for process in running:
            process.check()
        if time.monotonic() > deadline:
            raise MtaError(f"{what}: not within {timeout:.0f} s")
        time.sleep(0.05)
