"""What the running daemon may still do: read in /proc, where the kernel says it; and that nobody's environment changes its mind."""
import contextlib
import ctypes
import os
import pathlib
import pwd
import re
import shutil
import struct
import subprocess
import tempfile

import built
from lab.daemon import Daemon
from lab.daemon import DaemonError

ACCOUNT = "nobody"
DOMAIN = "dane-ee.nlx"
IN_OPEN = 0x20
# Variables that libraries read: where they look for files, an existing one; else a value that would change or show something.
FILES = ("OPENSSL_CONF", "SSLKEYLOGFILE", "HOSTALIASES", "RESOLV_HOST_CONF", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NETRC", "CARES_HOSTS")
WORDS = {"LOCALDOMAIN": "nlx", "RES_OPTIONS": "use-vc attempts:0", "SPDLOG_LEVEL": "trace", "UV_THREADPOOL_SIZE": "1",
         "OPENSSL_MODULES": "/nowhere", "OPENSSL_ENGINES": "/nowhere", "http_proxy": "http://192.0.2.1:1/", "https_proxy": "http://192.0.2.1:1/",
         "ALL_PROXY": "http://192.0.2.1:1/", "HOME": "/nowhere", "TZ": ":/nowhere"}


def summary(answer: dict) -> tuple:
    """What Postfix would be told."""
    return answer["decision"]["action"], answer["decision"]["level"]


def statuses(pid: int) -> list[dict]:
    """/proc/PID/task/*/status of every thread."""
    return [dict(re.findall(r"^(\w+):\t(.*)$", (task / "status").read_text(), re.M)) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]


@contextlib.contextmanager
def as_account(state, extra=""):
    """A daemon on port 53, started as root, that becomes another account. It needs its folder where that one may reach it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxtrust-"))
    folder.chmod(0o711)
    # Not made by the test but by the daemon, for the account.
    server = f'user = "{ACCOUNT}"\n{extra}'
    daemon = Daemon(state, folder=folder, dns_port=53, server=server, make_state=False)
    try:
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder, ignore_errors=True)


def confined(state, tally) -> None:
    """Another account, no capability, a filter for all threads; and it works."""
    with as_account(state) as daemon:
        daemon.start()
        answer = daemon.ask({"query": "mail", "domain": DOMAIN})
        tally.check("privileges: the confined daemon answers", summary(answer) == ("deliver", "dane"), answer["decision"])
        account, tasks = pwd.getpwnam(ACCOUNT), statuses(daemon.child.pid)
        tally.check("privileges: several threads were looked at", len(tasks) >= 4, len(tasks))
        for key, expected in (("Uid", "\t".join([str(account.pw_uid)] * 4)), ("Gid", "\t".join([str(account.pw_gid)] * 4)), ("Groups", ""),
                              ("CapInh", "0" * 16), ("CapPrm", "0" * 16), ("CapEff", "0" * 16), ("CapBnd", "0" * 16), ("CapAmb", "0" * 16),
                              ("NoNewPrivs", "1"), ("Seccomp", "2")):
            found = {task[key].strip() for task in tasks}
            tally.check(f"privileges: {key} of every thread is {expected or 'empty'}", found == {expected}, found)
        limits = pathlib.Path(f"/proc/{daemon.child.pid}/limits").read_text()
        tally.check("privileges: no core dump", re.search(r"^Max core file size +0 +0 ", limits, re.M) is not None, limits)
        owner = os.stat(f"/proc/{daemon.child.pid}/fd").st_uid
        tally.check("privileges: not dumpable: its /proc belongs to root", owner == 0, owner)
        state_folder = (daemon.folder / "daemon").stat()
        tally.check("privileges: the cache is the account's and nobody else's", state_folder.st_uid == account.pw_uid and
                    state_folder.st_mode & 0o777 == 0o700, oct(state_folder.st_mode))
        tally.check("privileges: the store is in use", (daemon.folder / "daemon/cache.mdb").exists() or any((daemon.folder / "daemon").iterdir()),
                    list((daemon.folder / "daemon").iterdir()))
        log = daemon.log_tail(1000)
        tally.check("privileges: nothing to complain about", "WARN" not in log.upper() and "kept in memory" not in log, log)
        tally.check("privileges: it ends properly", daemon.stop() == 0, daemon.log_tail())


def doors_of_a_group(state, tally) -> None:
    """Permissions for a group are for the daemon's own, whoever opened the sockets."""
    account = pwd.getpwnam(ACCOUNT)
    with as_account(state, "query-socket-mode = 0o660\n") as daemon:
        daemon.start()
        for name in ("query.sock", "postfix.sock"):
            found = (daemon.folder / name).stat()
            tally.check(f"privileges: {name} is for the daemon's group alone", (found.st_gid, found.st_mode & 0o777) == (account.pw_gid, 0o660),
                        f"{found.st_gid} {oct(found.st_mode)}")
        for group, may in ((account.pw_gid, True), (account.pw_gid - 1, False)):
            connect = f"import socket; socket.socket(socket.AF_UNIX).connect({str(daemon.socket_path)!r})"
            done = subprocess.run(["setpriv", "--reuid=12345", f"--regid={group}", "--clear-groups", "/usr/bin/python3", "-c", connect],
                                  capture_output=True, text=True, check=False, cwd="/")
            tally.check(f"privileges: an account of group {group} may {'' if may else 'not '}ask", (done.returncode == 0) == may and
                        (may or "PermissionError" in done.stderr), done)


def without_filter(state, tally) -> None:
    """Off only when told, and loudly."""
    with Daemon(state, server="system-call-filter = false\n") as daemon:
        found = {task["Seccomp"] for task in statuses(daemon.child.pid)}
        tally.check("privileges: the filter can be switched off", found == {"0"}, found)
        tally.check("privileges: which gives a warning", "system-call-filter = false" in daemon.log_tail(1000), daemon.log_tail())
        tally.check("privileges: without it there is no capability either",
                    {task["CapEff"] for task in statuses(daemon.child.pid)} == {"0" * 16})


def refusals(state, tally) -> None:
    """What cannot be given up is the end."""
    with as_account(state) as daemon:
        daemon.server = 'user = "no-such-account"\n'
        try:
            daemon.start()
            ended = None
        except DaemonError:
            ended = daemon.child.returncode
        tally.check("privileges: an account that does not exist is a wrong configuration", ended == 78, daemon.log_tail())


class Opened:
    """The names of files in a folder that anybody has opened (inotify(7))."""

    def __init__(self, folder: pathlib.Path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0 or libc.inotify_add_watch(self.descriptor, os.fsencode(folder), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def names(self) -> set[str]:
        """Since the last call."""
        found, at = set(), 0
        try:
            events = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return found
        while at < len(events):
            length = struct.unpack_from("iIII", events, at)[3]
            found.add(events[at + 16:at + 16 + length].rstrip(b"\0").decode())
            at += 16 + length
        return found


def environment(state, tally) -> None:
    """Variables that libraries believe in: none of the files is opened, no word changes an answer."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxtrust-environment-"))
    before = dict(os.environ)
    try:
        for name in FILES:
            (folder / name).write_text("openssl_conf = nothing_such\n.include /nowhere\n")
        opened = Opened(folder)
        (folder / FILES[0]).read_text()
        tally.check("privileges: opening a file is noticed", opened.names() == {FILES[0]})
        os.environ.update(WORDS, **{name: str(folder / name) for name in FILES})
        with Daemon(state) as daemon:
            answer = daemon.ask({"query": "mail", "domain": DOMAIN})
            tally.check("privileges: a hostile environment does not change the answer", summary(answer) == ("deliver", "dane"), answer["decision"])
            short = daemon.ask({"query": "mail", "domain": "dane-ee"})
            tally.check("privileges: nor does it complete names", short["mx"]["outcome"] == "nxdomain", short["mx"])
            log = daemon.log_tail(1000)
            tally.check("privileges: nor the level of the log", "debug" not in log.lower(), log)
            tally.check("privileges: it ends properly in such an environment", daemon.stop() == 0, daemon.log_tail())
        names = opened.names()
        tally.check("privileges: no file that a variable named was opened", not names, names)
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def run(state, tally) -> None:
    """All of it; of a sanitizer's build only what it can keep."""
    environment(state, tally)
    refusals(state, tally)
    if said := built.not_asked("confinement", "the daemon does not filter system calls then, for the sanitizer's own are not known"):
        print(said, flush=True)
        return
    confined(state, tally)
    doors_of_a_group(state, tally)
    without_filter(state, tally)
