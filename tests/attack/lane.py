"""One namespace with its own world, mxtrustd and Unbound, in which attacks are played one after the other; several run side by side."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.rcode

import built
from attack import wire, world
from attack.authority import OTHER, Handle, Server
from lab import servers
from lab.loopback import taken_in
from lab.daemon import Connection, DaemonError

MXTRUST_PORT, UNBOUND_PORT = 5353, 5454
READY = 60.0
# A benign question that takes longer than this has been hurt, whatever machine this is.
MOST_P99 = 4.5
BENIGN_EACH = 0.02 * built.SLOWER       # seconds between benign questions
ENOUGH = 20                     # benign answers beside an attack: a slow machine takes longer for them

CONFIGURATION = """[server]
state-directory = "{folder}/state"
query-socket = "{folder}/query.sock"
postfix-socket = "{folder}/postfix.sock"
dns-listen = ["127.0.0.1:{port}"]
workers = 1
log-level = "info"
log-target = "stderr"
cache-size-mb = {cache}
{server}
[resolver]
ipv4 = true
ipv6 = {ipv6}
fallback = "off"
{resolver}
[test]
root-hints = [{{ name = "a.root.", address = "20.53.0.1" }}]
trust-anchors = ["{anchor}"]
{test}
{more}
"""

UNBOUND = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/unbound.pid"
    logfile: "{folder}/unbound.log"
    use-syslog: no
    interface: 127.0.0.1@{port}
    access-control: 127.0.0.0/8 allow
    root-hints: "{folder}/hints"
    trust-anchor-file: "{folder}/anchors"
    module-config: "validator iterator"
    do-ip6: no
    outgoing-interface: {other}
    qname-minimisation: yes
    aggressive-nsec: yes
    ede: yes
    num-threads: 1
remote-control:
    control-enable: no
{more}
"""

# What the catalogue wants to be looked at in every attack.
FIVE = ("queries", "operations", "others", "status", "cache")

# Retries: of the queries, those by which another server helped one that was slow, or that were sent again to it.
Cost = collections.namedtuple("Cost", "queries verifications failures hashes octets milliseconds crowded suspicious retries")


class Daemon:
    """An mxtrustd of ours."""

    def __init__(self, *, port=MXTRUST_PORT, server="", resolver="", test="", more="", cache=16, ipv6=False, folder=None, limits=None, variables=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="mxa-"))
        self.port, self.limits, self.variables = port, limits, variables or {}
        self.text = CONFIGURATION.format(folder=self.folder, port=port, anchor=world.anchor(), server=server, resolver=resolver, test=test,
                                         more=more, cache=cache, ipv6=str(ipv6).lower())
        self.child = None
        self.socket_path = self.folder / "query.sock"

    def start(self, *, ready=True):
        self.folder.chmod(0o755)
        (self.folder / "mxtrustd.toml").write_text(self.text)
        self.socket_path.unlink(missing_ok=True)
        command = [str(built.DAEMON), "--config", str(self.folder / "mxtrustd.toml"), "--test-mode"]
        if self.limits:
            command = ["prlimit", *self.limits, *command]
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.variables})
        until = time.monotonic() + READY
        while ready:
            if self.child.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"mxtrustd did not start:\n{self.log()[-1500:]}")
            try:
                if self.status().get("root_probe"):
                    break
            except (OSError, ValueError, DaemonError):
                pass             # not there yet
            time.sleep(0.02)
        return self

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def ask(self, question, timeout=40.0):
        connection = Connection(self.socket_path, timeout)
        try:
            return connection.ask(question)
        finally:
            connection.close()

    def rrset(self, name: str, kind="A", **more):
        return self.ask({"query": "rrset", "name": name, "type": kind, **more})

    def status(self):
        return self.ask({"query": "status"})

    def memory(self) -> int:
        """Resident, in KiB."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def processor(self) -> float:
        return processor_of(self.child.pid)

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def stop(self) -> int | None:
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(30)     # those under way are answered first, for 8 s at most
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        status, self.child = self.child.returncode, None
        return status

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def processor_of(pid: int) -> float:
    """Milliseconds of processor time."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


class Unbound:
    def __init__(self, more=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mxu-"))
        self.more = more
        self.port, self.child = UNBOUND_PORT, None

    def start(self):
        (self.folder / "hints").write_text(f". 3600000 NS a.root.\na.root. 3600000 A {world.ROOT}\n")
        (self.folder / "anchors").write_text(world.anchor().replace(". DS", ". IN DS") + "\n")
        (self.folder / "unbound.conf").write_text(UNBOUND.format(folder=self.folder, port=self.port, other=OTHER, more=self.more))
        with open(self.folder / "out", "wb") as out:
            self.child = subprocess.Popen([servers.tool("unbound"), "-d", "-c", str(self.folder / "unbound.conf")], env=servers.environment(),
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        until = time.monotonic() + READY
        while dig(self.port, "m0.good.", "MX", 1.0) is None:
            if time.monotonic() > until or self.child.poll() is not None:
                raise RuntimeError("unbound does not answer: " + (self.folder / "out").read_text() + (self.folder / "unbound.log").read_text())
        return self

    def processor(self) -> float:
        return processor_of(self.child.pid)

    def remove(self):
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(3)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def dig(port: int, name: str, kind="A", timeout=12.0, flags=0, octets=None) -> dns.message.Message | None:
    """One question by datagram; None where no answer came."""
    octets = bytearray(octets or wire.query(name, kind))
    octets[3] |= flags
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.settimeout(timeout)
        plug.connect(("127.0.0.1", port))
        plug.send(octets)
        try:
            while True:
                reply = plug.recv(65535)
                if reply[:2] == bytes(octets[:2]):
                    return parsed(reply)
        except OSError:
            return None


def parsed(octets: bytes):
    """The message; of one that dnspython does not want to read, its header."""
    try:
        return dns.message.from_wire(octets, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        made = dns.message.Message()
        made.flags = struct.unpack("!H", octets[2:4])[0]
        return made


class Benign(threading.Thread):
    """Somebody who asks for mail domains of good. all the time, none twice, and looks whether the answers are right."""
    numbers = iter(range(1, 10_000_000))

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self.port, self.times, self.wrong, self.over = port, [], [], threading.Event()

    def run(self):
        waiting = {}
        plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        plug.connect(("127.0.0.1", self.port))
        following = time.monotonic()
        end = None
        while True:
            now = time.monotonic()
            if self.over.is_set() and end is None:
                end = now + 12
            if end is not None and (not waiting or now > end):
                break
            if end is None and now >= following:
                name = f"m{next(self.numbers)}.good."
                identity = random.randrange(65536)
                if identity not in waiting:
                    waiting[identity] = (now, name)
                    try:
                        plug.send(wire.query(name, "MX", identity=identity))
                    except OSError:
                        pass
                    following = now + BENIGN_EACH
            plug.settimeout(max(0.001, min(following - now if end is None else 0.1, 0.1)))
            try:
                reply = plug.recv(65535)
            except OSError:
                continue
            identity, flags = struct.unpack("!HH", reply[:4])
            if identity in waiting:
                begun, name = waiting.pop(identity)
                self.times.append(time.monotonic() - begun)
                answers = struct.unpack("!H", reply[6:8])[0]
                if flags & 0x000f or not flags & 0x0020 or answers < 1:
                    said = [option.text for option in getattr(parsed(reply), "options", []) if getattr(option, "text", None)]
                    self.wrong.append(f"{name}: rcode {flags & 15}, AD {bool(flags & 32)}, {answers} records {said}")
        self.wrong += [f"{name}: no answer" for _, name in waiting.values()]
        plug.close()

    def wait_for(self, answers: int) -> None:
        """Until there are more than so many, within READY."""
        given_up = time.monotonic() + READY
        while len(self.times) <= answers and time.monotonic() < given_up:
            time.sleep(0.02)

    def end(self):
        self.over.set()
        self.join()
        return self

    def p99(self) -> float:
        ordered = sorted(self.times) or [0.0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


class Lane:
    """All that an attack needs."""

    def __init__(self, attacks, everybody):
        self.attacks, self.results, self.checks = attacks, [], []
        self.looked_at: set[str] = set()
        self.notes: list[str] = []      # figures that the table has no column for
        addresses, choose = world.honest_servers(everybody)
        hostile = world.Hostile(attacks)
        world.put_up(sorted(set(addresses + [OTHER] + hostile.addresses + [one for attack in attacks for one in attack.extra_addresses()])))
        self.good = Handle(Server(addresses, choose))
        self.evil = Handle(Server(hostile.addresses, hostile))
        forwards = "\n".join(attack.configuration() for attack in attacks)
        self.daemon = Daemon(more=forwards).start()
        self.unbound = Unbound("\n".join(attack.other_configuration() for attack in attacks)).start() if any(attack.unbound for attack in attacks) else None
        self.baseline = self.baseline_of(MXTRUST_PORT)
        self.unbound_baseline = self.baseline_of(UNBOUND_PORT) if self.unbound else 0.0

    def baseline_of(self, port: int) -> float:
        stream = Benign(port)
        stream.start()
        time.sleep(0.8)
        stream.end()
        assert stream.times and not stream.wrong, stream.wrong[:3]
        return stream.p99()

    def check(self, title: str, good: bool, detail: object = "") -> bool:
        self.checks.append((title, bool(good), str(detail)[:500]))
        return bool(good)

    def looks_at(self, *what: str) -> None:
        """These of the five things have been asserted."""
        assert set(what) <= set(FIVE)
        self.looked_at |= set(what)

    def bounded(self, title: str, cost: Cost, queries: int, verifications: int, hashes: int = 0) -> None:
        """What it cost is not more than that."""
        self.looks_at("queries", "operations")
        self.check(f"{title}: at most {queries} queries, {verifications} verifications, {hashes} hashes",
                   cost.queries <= queries and cost.verifications <= verifications and cost.hashes <= hashes, cost)

    def known(self, title: str, answers: dict, daemon=None) -> None:
        """Everybody is silent: of these names (each with its type), exactly this (security, outcome) is told, and it costs nothing."""
        self.looks_at("cache")
        self.mute(True)
        try:
            said, cost = self.measure(lambda: {asked: (daemon or self.daemon).rrset(*asked) for asked in answers}, daemon)
        finally:
            self.mute(False)
        got = {asked: (answer["security"], answer["outcome"]) for asked, answer in said.items()}
        self.check(f"{title}: it is in the cache, as it was", got == answers, (got, [answer["reason"] for answer in said.values()]))
        self.check(f"{title}: told from the cache it costs nothing", cost.queries == cost.verifications == cost.hashes == 0, cost)

    # What the daemon spent.
    def quiet(self, daemon=None) -> dict:
        """Waits until nothing is under way; the status then."""
        until = time.monotonic() + 30
        while True:
            status = (daemon or self.daemon).status()
            if status["resolver"]["in_flight"] == 0 or time.monotonic() > until:
                break
            time.sleep(0.02)
        taken_in(53, limit=2)       # what was asked, and is not waited for any more, has been heard
        return status

    def counters(self, daemon=None) -> Cost:
        daemon = daemon or self.daemon
        resolver = self.quiet(daemon)["resolver"]
        spent = resolver["spent"]
        return Cost(self.good.count() + self.evil.count(), spent["verifications"], spent["failures"], spent["nsec3_hashes"], spent["bytes"],
                    daemon.processor(), resolver["crowded"], resolver["suspicious"], resolver["upstream_retries"])

    def measure(self, act, daemon=None):
        """(what it returned, what it cost)."""
        before = self.counters(daemon)
        result = act()
        after = self.counters(daemon)
        return result, Cost(*(later - earlier for later, earlier in zip(after, before)))

    def mute(self, silent: bool) -> None:
        self.good.tell("mute", silent)
        self.evil.tell("mute", silent)

    def beside(self, attack, port: int, flood) -> Benign:
        """The attack, again and again, with benign questions beside it."""
        stream = Benign(port)
        stream.start()
        time.sleep(0.1)
        flood(port)
        time.sleep(0.4)
        stream.wait_for(ENOUGH)
        return stream.end()

    def close(self) -> None:
        for one in (self.daemon, self.unbound):
            if one is not None:
                one.remove()
        for one in (self.good, self.evil):
            one.stop()

    def play(self, attack) -> dict:
        begun = time.monotonic()
        self.checks, self.looked_at, self.notes = [], set(), []
        attack.lane = self
        row = {"attack": f"A{attack.number}", "title": attack.title}
        try:
            row |= attack.play(self)
        except Exception as error:                  # noqa: BLE001 - told as what it is: a failed test
            self.mute(False)
            import traceback
            self.check("the attack could be played", False, "".join(traceback.format_exception(error))[-900:])
        missing = [what for what in FIVE if what not in self.looked_at]
        self.check("queries, operations, others' latency, status and cache have all been looked at", not missing, missing)
        self.check("the daemon lives", self.daemon.alive(), self.daemon.log()[-600:])
        if not self.daemon.alive():
            self.daemon.remove()
            self.daemon = Daemon(more="\n".join(one.configuration() for one in self.attacks)).start()
        row |= {"checks": self.checks, "notes": self.notes, "seconds": round(time.monotonic() - begun, 1)}
        return row


def main(numbers: list[int]) -> None:
    """Inside a fresh network namespace: plays these attacks, prints one line of JSON for each."""
    from attack.attacks import ALL
    chosen = [attack for attack in ALL if attack.number in numbers]
    lane = Lane(chosen, ALL)
    try:
        for attack in chosen:
            attack.lane = lane
            attack.begin(lane)
        for attack in chosen:
            print(json.dumps(lane.play(attack)), flush=True)
        log = lane.daemon.log()
        print(json.dumps({"attack": "daemon", "title": "", "checks": [("the daemon ends properly", lane.daemon.stop() == 0, log[-500:]),
                                                                      ("no promise was broken", "promise" not in log and "Sanitizer" not in log, log[-900:])]}), flush=True)
    finally:
        lane.close()
