"""Bad days: each is told in one clear line, answers stay honest, and when the day is over the same process is well again."""
import concurrent.futures
import errno
import itertools
import json
import os
import pathlib
import re
import resource
import socket
import struct
import subprocess
import time

import built
from forward.blockade import ACCOUNT, NUMBER, Blockade
from lab import lifecycle
from lab.daemon import DaemonError
from service.manager import Managed

GOOD = "dane-ee.nlx"            # secure, DANE
DAY = 86400


def decision(daemon: Managed, domain: str = GOOD, deadline: int = 5000) -> tuple:
    answer = daemon.ask({"query": "mail", "domain": domain, "deadline_ms": deadline})
    return answer["decision"]["action"], answer["decision"]["level"] or (answer["decision"]["code"] or "").split()[0]


def until(what, limit: float = 60.0) -> bool:
    """Does it come true?"""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if what():
                return True
        except (OSError, DaemonError):
            pass                    # not yet
        time.sleep(0.2)
    return False


def health(daemon: Managed) -> str:
    return daemon.ask({"query": "status"})["health"]


def line_with(daemon: Managed, words: str) -> list[str]:
    return [line for line in daemon.log().splitlines() if words in line]


class Day(Managed):
    """A daemon with another account, other limits, or other clocks."""

    def __init__(self, state, folder, *, account: bool = False, server: str = "", limits: tuple = (), **more):
        super().__init__(state, folder=folder, **more)
        self.account, self.server, self.limits = account, server, limits
        os.chmod(folder, 0o777)
        os.chmod(folder.parent, 0o755)

    def configuration(self):
        words = (f'user = "{ACCOUNT}"\n' if self.account else "") + self.server
        plain = super().configuration()
        for line in words.splitlines():
            plain = re.sub(rf"^{line.split('=')[0].strip()} *=.*\n", "", plain, flags=re.M)
        return plain.replace("[server]\n", "[server]\n" + words, 1)

    def start(self):
        if self.account:
            place = self.folder / "daemon"
            place.mkdir(parents=True, exist_ok=True)
            os.chown(place, NUMBER, NUMBER)
        if self.limits:
            self.wrapper = ["prlimit", *self.limits]
        return super().start()


class Clocks:
    """Both clocks of one process."""

    def __init__(self, folder: pathlib.Path):
        self.library, self.file = folder / "clock.so", folder / "clock"
        source = pathlib.Path(__file__).with_name("clock.c")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", self.library, source], check=True)
        self.set()

    def set(self, wall: int = 0, mono: int = 0) -> None:
        with open(self.file, "r+b" if self.file.exists() else "w+b") as file:
            file.write(struct.pack("qq", wall, mono))

    def variables(self) -> dict:
        return {"LD_PRELOAD": str(self.library), "MXTRUST_TEST_CLOCK": str(self.file)}


def no_network(state, folder, tally, table) -> None:
    """At boot there is none; then there is."""
    with Blockade():
        daemon = Day(state, folder, account=True).start()
        tally.check("no network at boot: ready all the same", daemon.wait_ready(), daemon.log_tail())
        tally.check("no network at boot: mail is put off, not decided", decision(daemon)[0] == "defer", decision(daemon))
        tally.check("no network at boot: one line says so", until(lambda: line_with(daemon, "root probe: the answer for the root's name servers is not")),
                    daemon.log_tail())
        tally.check("no network at boot: status, too", health(daemon) != "good", health(daemon))
    came = time.monotonic()
    well = until(lambda: health(daemon) == "good" and decision(daemon) == ("deliver", "dane"))
    tally.check("the network comes: well again, without a restart", well and daemon.alive(), daemon.log_tail())
    table.row("no network at boot", "deferred, then well", f"{time.monotonic() - came:.0f} s after it came: " + line_with(daemon, "root probe")[-1][30:])
    daemon.stop()


class DeadIpv6:
    """There are addresses and routes, and every packet of ACCOUNT is lost."""
    RULE = ("pref", "150", "uidrange", f"{NUMBER}-{NUMBER}", "to", "2001:db8::/32", "blackhole")

    def __init__(self):
        self.over = True

    def __enter__(self):
        for words in (("add", *self.RULE), ("add", "pref", "200", "lookup", "local"), ("del", "pref", "0", "lookup", "local")):
            subprocess.run(["ip", "-6", "rule", *words], check=True)
        self.over = False
        return self

    def mend(self) -> None:
        for words in (("add", "pref", "0", "lookup", "local"), ("del", "pref", "200", "lookup", "local"), ("del", "pref", "150")):
            subprocess.run(["ip", "-6", "rule", *words], check=True)
        self.over = True

    def __exit__(self, *_):
        if not self.over:
            self.mend()


def dead_ipv6(state, folder, tally, table) -> None:
    """There is an address, and every packet is lost; four workers find it out, and the daemon says it once. Then it is mended."""
    clock = Clocks(folder)
    daemon = Day(state, folder, account=True, server="workers = 4\n")
    daemon.variables = clock.variables()
    names = [domain.name for domain in lifecycle.build_world().domains.values() if domain.name.startswith(("dane-", "signed", "unsigned"))]

    def silent() -> list[str]:
        return line_with(daemon, "nothing answers over IPv6")

    def again() -> list[str]:
        return line_with(daemon, "IPv6 is answered over again")

    def ask_around(enough, turns: int) -> None:
        """On many connections, so that every worker has some; each at servers of its own, some of which have IPv6 addresses that are tried."""
        for turn in range(turns):
            daemon.ask({"query": "flush", "name": ".", "subtree": True})
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda name: decision(daemon, name), (names[(turn * 8 + at) % len(names)] for at in range(8))))
            if enough():
                return
    with DeadIpv6() as dead, daemon:
        begun = time.monotonic()
        answers = [decision(daemon, domain) for domain in (GOOD, "signed.comx", "unsigned.nlx")]
        took = time.monotonic() - begun
        tally.check("dead IPv6: answers come over IPv4", [action for action, _ in answers] == ["deliver"] * 3, answers)
        ask_around(silent, 60)
        until(silent, 20)
        ask_around(lambda: False, 15)       # the other workers find it out, too
        lines = silent()
        tally.check("dead IPv6: one line says so for all workers, and what to do", len(lines) == 1 and "ipv6 = false" in lines[0], daemon.log_tail())
        tally.check("dead IPv6: each in its time", took < 15, took)
        dead.mend()
        clock.set(wall=61, mono=61)         # that is when
        ask_around(again, 60)
        ask_around(lambda: False, 15)
        tally.check("IPv6 answers again: one line says so for all workers", len(again()) == 1 and len(silent()) == 1, daemon.log_tail())
        tally.check("IPv6 answers again: the same process, and well", daemon.alive() and decision(daemon) == ("deliver", "dane"), daemon.log_tail())
        table.row("IPv6 present but dead, 4 workers", "told once, then well",
                  f"{took:.1f} s for three domains from an empty cache: " + " / ".join(line[30:] for line in lines + again()))


def clocks(state, folder, tally, table) -> None:
    """1970, then right; then ahead for years, and back; then a machine that slept."""
    clock = Clocks(folder)
    now = int(time.time())
    clock.set(wall=-now + 3600)
    daemon = Day(state, folder)
    daemon.variables = clock.variables()
    with daemon:
        tally.check("1970: nothing is believed", decision(daemon)[0] == "defer", decision(daemon))
        tally.check("1970: one line says so", until(lambda: len(line_with(daemon, "the clock is behind")) == 1, 30), daemon.log_tail())
        tally.check("1970: status, too", health(daemon) == "clock-wrong", health(daemon))
        clock.set()
        well = until(lambda: health(daemon) == "good" and decision(daemon) == ("deliver", "dane"), 120)
        tally.check("1970, then set: well again, without a restart", well, daemon.log_tail())
        until(lambda: line_with(daemon, "the clock was set forwards"), 30)
        lines = line_with(daemon, "the clock was set forwards")
        tally.check("one line tells of the step", len(lines) == 1, daemon.log_tail())
        table.row("clock at 1970, then right", "deferred, then well", lines[-1][30:] if lines else "")
        clock.set(wall=10 * 365 * DAY)
        until(lambda: len(line_with(daemon, "the clock was set forwards")) > len(lines), 30)    # a look at the clocks; the other worker's
        time.sleep(1.2)
        daemon.ask({"query": "flush", "name": ".", "subtree": True})
        tally.check("ten years ahead: signatures have expired, nothing is believed", decision(daemon)[0] == "defer", decision(daemon))
        clock.set()
        well = until(lambda: decision(daemon) == ("deliver", "dane"), 90)
        tally.check("set back: what was found out in the future does not last for years", well, (decision(daemon), daemon.log_tail()))
        told = until(lambda: line_with(daemon, "the clock was set back by"), 30)
        lines = line_with(daemon, "the clock was set back by")
        tally.check("one line tells of the step back", told and len(lines) == 1, daemon.log_tail())
        table.row("clock ten years ahead, then right", "deferred, then well", lines[-1][30:] if lines else "")
        clock.set(wall=7200, mono=7200)
        tally.check("two hours asleep: both clocks go on, and it answers", decision(daemon, "signed.comx") == ("deliver", "dane"), daemon.log_tail())
        tally.check("it is alive, and ends properly", daemon.stop() == 0, daemon.log_tail())


def store_days(state, folder, tally, table) -> None:
    """Disk full, read-only state, damaged cache, a cache of another version."""
    place = folder / "daemon"
    troubles = ("store trouble: the cache cannot be written", "store trouble: the cache of MTA-STS policies cannot be written")
    for title, options in (("disk full", "size=16k,mode=0700"), ("read-only state", "ro,mode=0700")):
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "mxtrust-test", place], check=True)
        try:
            with Day(state, folder) as daemon:
                tally.check(f"{title}: it answers all the same", decision(daemon) == ("deliver", "dane"), daemon.log_tail())
                told = until(lambda: all(line_with(daemon, words) for words in troubles), 30)    # pylint: disable=cell-var-from-loop
                lines = line_with(daemon, "store trouble")
                tally.check(f"{title}: one line for each store says so", told and len(lines) == len(troubles), daemon.log_tail())
                table.row(title, "answers, cache in memory", lines[-1][30:] if lines else "")
                daemon.stop()
            (folder / "mxtrustd.log").unlink()
        finally:
            subprocess.run(["umount", place], check=True)
    with Day(state, folder) as daemon:
        decision(daemon)
    (folder / "mxtrustd.log").unlink()
    files = [file for file in place.iterdir() if file.suffix == ".lmdb"]
    tally.check("there is a cache to be damaged", len(files) == 1, list(place.iterdir()))
    octets = bytearray(files[0].read_bytes())
    for title, damage in (("damaged cache", bytes(4096)), ("another format", b"SQLite format 3\0" * 256)):
        spoilt = bytearray(octets)
        spoilt[0:4096] = damage
        spoilt[4096:8192] = damage
        files[0].write_bytes(spoilt)
        with Day(state, folder) as daemon:
            tally.check(f"{title}: and it answers", decision(daemon) == ("deliver", "dane"), daemon.log_tail())
            until(lambda: line_with(daemon, "set aside"), 60)   # the file is looked over beside the answers
            lines = line_with(daemon, "set aside")
            tally.check(f"{title}: set aside, in one line", len(lines) == 1, daemon.log_tail())
            table.row(title, "set aside, begun anew", lines[-1][30:] if lines else "")
        (folder / "mxtrustd.log").unlink()


def few_descriptors(state, folder, tally, table) -> None:
    """A crowd takes them all."""
    if said := built.not_asked("few descriptors", "without one, the check of objects' types takes every object for broken", of="undefined"):
        print(said, flush=True)
        return
    with Day(state, folder, limits=("--nofile=96:96",)) as daemon:
        lines = line_with(daemon, "descriptors may be open")
        tally.check("few descriptors: one line says so at the start", len(lines) == 1 and "only 96" in lines[0], daemon.log_tail())
        crowd = []
        for _ in range(150):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            try:
                client.connect(str(daemon.socket_path))
            except OSError:
                break
            crowd.append(client)
        time.sleep(0.5)
        tally.check("few descriptors: a crowd does not end it", daemon.alive() and len(crowd) > 96, (len(crowd), daemon.log_tail()))
        for client in crowd:
            client.close()
        # A look-up that failed for want of a descriptor is remembered like any other: 5 s, 10 s, 20 s.
        well = until(lambda: decision(daemon) == ("deliver", "dane"), 120)
        tally.check("the crowd leaves: well again", well, (daemon.ask({"query": "mail", "domain": GOOD}), daemon.log_tail()))
        table.row("96 descriptors, 150 clients", "lives, then well", lines[-1][30:] if lines else "")


def little_memory(state, folder, tally, table) -> None:
    """A cache that does not fit into the address space."""
    if said := built.not_asked("little address space", "its shadow memory takes terabytes of it"):
        print(said, flush=True)
        return
    with Day(state, folder, server="cache-size-mb = 4096\n", limits=(f"--as={1 << 30}",)) as daemon:
        until(lambda: line_with(daemon, "store trouble"), 30)
        lines = line_with(daemon, "store trouble")
        tally.check("little memory: a cache that does not fit is told in one line", len(lines) == 1, daemon.log_tail())
        tally.check("little memory: it answers all the same", decision(daemon) == ("deliver", "dane"), daemon.log_tail())
        time.sleep(1.2)             # a look at the memory
        tally.check("little memory: what is only set aside does not make it short", not line_with(daemon, " memory: "), daemon.log_tail())
        table.row("1 GiB of address space, cache of 4 GiB", "answers, cache in memory", lines[-1][30:] if lines else "")


FLOODS = itertools.count()


def flood(daemon: Managed, domain: str = "silent.nlx", clients: int = 8, each: int = 40) -> dict:
    """Many at once, about names that nobody answers for, and that nobody has asked about before: how each was answered."""
    turn = next(FLOODS)
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(clients)]
    kinds: dict[str, int] = {}
    for number, client in enumerate(crowd):
        client.settimeout(20)
        client.connect(str(daemon.socket_path))
        client.sendall(b"".join(json.dumps({"id": str(at), "query": "mail", "domain": f"x{turn}-{number}-{at}.{domain}", "deadline_ms": 1000}).encode() + b"\n"
                                for at in range(each)))
    for client in crowd:
        with client, client.makefile("rb") as lines:
            for _ in range(each):
                reply = json.loads(lines.readline())
                kind = reply["error"]["code"] if "error" in reply else reply["decision"]["action"]
                kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


class Shortage:
    """A daemon whose memory gets short, and what it says and does until it is over."""
    KNOWN = (GOOD, "signed.comx", "unsigned.nlx", "mx-expired.nlx")

    def __init__(self, daemon: Managed, title: str, limit: str, tally):
        self.daemon, self.title, self.limit, self.tally = daemon, title, limit, tally
        self.pid = daemon.child.pid
        self.before = [decision(daemon, domain) for domain in self.KNOWN]
        self.plenty = flood(daemon)

    def check(self, what: str, good: bool, more: object = "") -> None:
        self.tally.check(f"{self.title}: {what}", good, more or self.daemon.log_tail())

    def lines(self) -> list[str]:
        return line_with(self.daemon, " memory: ")

    def memory(self) -> dict:
        return self.daemon.ask({"query": "status"})["memory"]

    def begins(self, others: list[str], crowd: bool) -> int:
        """Returns how many of OTHERS were answered. CROWD: may many come at once?"""
        self.check("it is told", until(self.lines, 40))
        said = 0
        for name in others:
            try:
                said += self.daemon.ask({"query": "mail", "domain": name, "deadline_ms": 3000})["decision"]["action"] in ("deliver", "defer", "bounce")
            except (OSError, DaemonError):
                break
        self.check("every question is answered meanwhile", said == len(others), (said, self.daemon.log_tail()))
        if crowd:
            few = flood(self.daemon)
            self.check("few are taken at a time, the others told to come again", few.get("overloaded", 0) > self.plenty.get("overloaded", 0), (self.plenty, few))
        after = [decision(self.daemon, domain) for domain in self.KNOWN]
        self.check("and what is answered is as right as before", after == self.before, (self.before, after))
        status = self.daemon.ask({"query": "status"})
        self.check("status shows it", status["memory"]["state"] == "short" and self.limit in status["memory"]["limit"]
                   and 0 < status["memory"]["used"] <= status["memory"]["most"] and any("memory is short" in text for text in status["warnings"]),
                   (status["memory"], status["warnings"]))
        shown = subprocess.run([str(built.CLIENT), "--socket", str(self.daemon.socket_path), "status"], capture_output=True, text=True, check=False).stdout
        self.check("mxtrust status, too", "memory is short" in shown, shown)
        lines = self.lines()
        self.check("in one line, with limit and remedy", len(lines) == 1 and self.limit in lines[0] and "; raise " in lines[0], lines)
        return said

    def ends(self) -> list[str]:
        over = until(lambda: self.memory()["state"] == "enough" and len(self.lines()) == 2, 90)
        lines = self.lines()
        self.check("more memory: one line that it is over", over and len(lines) == 2 and "there is enough again" in lines[1], (lines, self.memory()))
        many = flood(self.daemon)
        self.check("and as many are taken as before", many.get("overloaded", 0) <= self.plenty.get("overloaded", 0), (self.plenty, many))
        self.check("the same process all the time", self.daemon.alive() and self.daemon.child.pid == self.pid and decision(self.daemon) == ("deliver", "dane"))
        return [line[30:] for line in lines]


def status_of(pid: int, name: str) -> int:
    """A figure of /proc/PID/status, in octets."""
    return 1024 * int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def out_of_memory(state, folder, tally, table) -> None:
    """It may have hardly more than it uses. This is RLIMIT_DATA: what the kernel refuses, not whom it kills (kill -9 at any moment is
    tests/crash/run's)."""
    unit = (built.ROOT / "systemd/mxtrustd.service").read_text()
    tally.check("the unit bounds the memory, and starts again what was ended for it", re.search(r"^MemoryMax=\d+[MG]$", unit, re.M) is not None
                and re.search(r"^Restart=on-failure$", unit, re.M) is not None)
    if said := built.not_asked("no memory left", "its allocator ends the process by itself"):
        print(said, flush=True)
        return
    names = [domain.name for domain in lifecycle.build_world().domains.values()]
    names = [name for name in names if not name.startswith(("silent", "[", "slow"))][:80]
    with Day(state, folder) as daemon:
        day = Shortage(daemon, "RLIMIT_DATA", "RLIMIT_DATA", tally)
        subprocess.run(["prlimit", f"--pid={day.pid}", f"--data={status_of(day.pid, 'VmData') + (1 << 18)}:unlimited"], check=True)
        said = day.begins(names, crowd=True)
        subprocess.run(["prlimit", f"--pid={day.pid}", "--data=unlimited:unlimited"], check=True)
        lines = day.ends()
        tally.check("no memory left: the cache is whole", not line_with(daemon, "set aside") and not line_with(daemon, "store trouble"), daemon.log_tail())
        table.row("RLIMIT_DATA 256 KiB above what it has", "lives, then well", f"{said} of {len(names)} answered meanwhile: " + " / ".join(lines))


class Group:
    """A control group with a limit of memory, version 2 or 1. The lab's namespace has a /sys of its own, in which none is mounted: so
    it is mounted in FOLDER, for us alone."""

    def __init__(self, folder: pathlib.Path):
        self.mount, self.place, self.file, self.why = folder / "groups", None, "", "no reason was given"
        self.mount.mkdir()
        for file, options in (("memory.high", ("-t", "cgroup2")), ("memory.limit_in_bytes", ("-t", "cgroup", "-o", "memory"))):
            done = subprocess.run(["mount", *options, "mxtrust-test", self.mount], capture_output=True, text=True, check=False)
            if done.returncode:
                self.why = done.stderr.strip()
                continue
            place = self.mount / f"mxtrust-test-{os.getpid()}"
            try:
                place.mkdir()
                self.place, self.file = place, file
                self.limit(None)
                return
            except OSError as error:
                self.why = f"{file}: {error.strerror}"
                self.close()

    def limit(self, octets: int | None) -> None:
        unlimited = "-1" if self.file == "memory.limit_in_bytes" else "max"
        with open(self.place / self.file, "r+", encoding="ascii") as file:
            file.write(unlimited if octets is None else str(octets))

    def limit_closely(self, octets: int) -> None:
        """As little as the kernel takes: version 1 refuses what is less than it can get back at once."""
        end = time.monotonic() + 10
        while True:
            try:
                return self.limit(octets)
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > end:
                    raise
            time.sleep(0.1)
            octets += octets // 100

    def close(self) -> None:
        if self.place:
            self.place.rmdir()
        self.place = None
        subprocess.run(["umount", self.mount], check=True)


def control_group(state, folder, tally, table) -> None:
    """What the unit's MemoryHigh= and MemoryMax= are to the kernel."""
    if said := built.not_asked("a control group's limit", "its allocator keeps what is let go of"):
        print(said, flush=True)
        return
    group = Group(folder)
    if not group.place:
        table.row("a control group's limit of memory", "not tried", f"this machine lets nobody make one: {group.why}")
        return
    daemon = Day(state, folder)
    daemon.wrapper = ["/bin/sh", "-c", f'echo $$ > {group.place}/cgroup.procs && exec "$@"', "sh"]
    try:
        with daemon:
            day = Shortage(daemon, "control group", f"{group.file} of ", tally)
            names = [domain.name for domain in lifecycle.build_world().domains.values() if domain.name.startswith("dane-")][:20]
            has = status_of(day.pid, "RssAnon") + status_of(day.pid, "RssShmem")
            day.check("no limit is none", day.memory()["limit"] is None or group.place.name not in day.memory()["limit"], day.memory())
            group.limit_closely(has * 100 // 90)
            # A hard limit of so little leaves no room for what many at once take until somebody looks.
            said = day.begins(names, crowd=group.file == "memory.high")
            group.limit(4 * has)
            lines = day.ends()
            table.row(f"{group.file} a tenth above what it has", "lives, then well", f"{said} of {len(names)} answered meanwhile: " + " / ".join(lines))
    finally:
        group.close()


def last_words(state, folder, tally, table) -> None:
    """What happens to the cache while the daemon ends is told, too."""
    place = folder / "daemon"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "mxtrust-test", place], check=True)
    try:
        with Day(state, folder) as daemon:
            tally.check("the cache is in use", until(lambda: daemon.ask({"query": "status"})["cache"]["keeping"] == "good", 40), daemon.log_tail())
            with open(place / "other", "wb", buffering=0) as other:
                try:
                    while True:
                        other.write(bytes(4096))
                except OSError:
                    pass            # full
            # All at once: what is learned now is written when the daemon has been told to end.
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(daemon.socket_path))
                names = [domain.name for domain in lifecycle.build_world().domains.values() if domain.name.startswith("dane-")][:20]
                client.sendall(b"".join(json.dumps({"query": "mail", "domain": name}).encode() + b"\n" for name in names))
                client.settimeout(20)
                client.recv(1 << 16)
            daemon.stop()
            lines = line_with(daemon, "store trouble")
            tally.check("a disk that is full in the last moment is told", len(lines) == 1 and "cannot be written" in lines[0], daemon.log_tail())
            table.row("disk full in the last moment", "told", lines[-1][30:] if lines else "")
    finally:
        subprocess.run(["umount", place], check=True)


def loop_to_itself(state, folder, tally, table) -> None:
    """resolv.conf names this daemon alone, and recursion is impossible."""
    file = folder / "resolv.conf"
    file.write_text("nameserver 127.0.0.1\n")
    daemon = Day(state, folder, account=True, dns_port=53)
    plain = daemon.configuration
    daemon.configuration = lambda: plain() + f"resolv-conf = {json.dumps(str(file))}\n"
    with Blockade():
        daemon.start()
        daemon.wait_ready()
        tally.check("resolv.conf names us alone: put off, no loop", decision(daemon)[0] == "defer", decision(daemon))
        status = daemon.ask({"query": "status"})
        tally.check("resolv.conf names us alone: we are no forwarder of ours", not status["forwarders"], status["forwarders"])
        asked = status["doors"]["dns_udp"] + status["doors"]["dns_tcp"]
        tally.check("resolv.conf names us alone: nothing came back to us", asked == 0, asked)
        said = until(lambda: line_with(daemon, "recursion is impossible"), 90)
        tally.check("resolv.conf names us alone: one line says so", said, daemon.log_tail())
        line = (line_with(daemon, "recursion is impossible") or [""])[-1]
        table.row("resolv.conf names us alone", "deferred", line[30:])
    well = until(lambda: decision(daemon) == ("deliver", "dane"))
    tally.check("the network comes back: well again", well, daemon.log_tail())
    daemon.stop()


def run(state, folder: pathlib.Path, tally, table) -> None:
    os.chmod(folder, 0o755)
    os.chmod(folder.parent, 0o755)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    def one(part):
        place = folder / part.__name__
        place.mkdir()
        part(state, place, tally, table)
    # Those that change routes come one after another; the others beside them.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        beside = [pool.submit(lambda parts=parts: [one(part) for part in parts]) for parts in ((clocks, last_words), (store_days, few_descriptors, little_memory), (out_of_memory, control_group))]
        for part in (no_network, dead_ipv6, loop_to_itself):
            one(part)
        for each in beside:
            each.result()
