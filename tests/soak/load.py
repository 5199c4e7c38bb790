"""Who asks during a soak: mail servers with good domains, and everybody who wishes the daemon ill. Each is a thread that goes on until it
is told to stop, and counts what it did."""
import collections
import json
import random
import socket
import subprocess
import threading
import time

import dns.message

from lab import netns, processes, servers
from lab.daemon import Connection, DaemonError
from mail.compare import compare
from mail.table import agrees

DEADLINE_MS = 5000
# An authority that was away is believed to be away for a while (RFC 9520 3.2, servers' bad marks), and questions that met it end late.
AFTER_AN_OUTAGE = 20.0
BROKEN = ("lame", "silent", "stripped", "mx-dropped", "keys-dropped", "tlsa-dropped", "alias-loop", "mx-corrupt", "zone-expired", "truncating",
          "wrong-id", "wrong-question", "ds-mismatch", "denial-without-nsec", "nsec3-iterations", "slow", "late-tlsa", "no-edns", "nosuch")
GARBAGE = (b"{", b"\xff\xfe\xfd", b"mail", b'{"query":"mail","domain":"' + b"a." * 1500 + b'"}', b'{"a":' * 500, b"x" * 5000, b"GET / HTTP/1.1",
           b'{"query":"mail","domain":"a..b"}', b"rrset . ANY", b"explain", b"")


def is_failure(status: dict, expected: str = "I") -> bool:
    """Could it not be found out? In a zone that is proven to be unsigned a failure is insecure, and still a failure."""
    return status["outcome"] == "failure" and (status["security"] == "indeterminate" or
                                               (status["security"] == "insecure" and expected.startswith(("I", "-"))))


def contradiction(row, answer: dict) -> bool:
    """Does any status say something that the table does not, and is not merely "I could not find out"?"""
    hosts = {host.name: host for host in row.hosts}
    said = [(row.mx, answer.get("mx"))]
    for found in answer.get("hosts", []):
        expected = hosts.get(found.get("name"))
        said += [(getattr(expected, which, "?"), found.get(which)) for which in ("a", "aaaa", "tlsa")]
    for expected, status in said:
        if status is None or is_failure(status, expected):
            continue
        if not agrees(expected, status["security"], status["outcome"]):
            return True
    return False


def is_unknown(answer: dict) -> bool:
    """Was there something that could not be found out?"""
    statuses = [answer.get("mx")] + [host.get(which) for host in answer.get("hosts", []) for which in ("a", "aaaa", "tlsa")]
    return any(status is not None and is_failure(status) for status in statuses)


class Load:
    """What all share: the daemon, when to stop, and what happened since the last look."""

    def __init__(self, daemon, world, rows, seed: int, rate: float):
        self.daemon, self.world, self.rows, self.rate = daemon, world, rows, rate
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.latencies: list[float] = []
        self.counts: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self.troubles: list[str] = []
        self.outages: list[tuple[float, float]] = []
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        """Everybody begins."""
        for act in (self.benign, self.benign, self.benign, self.torture, self.broken, self.broken, self.malformed, self.datagrams, self.slow_readers,
                    self.reconnect, self.flush, self.restart):
            thread = threading.Thread(target=self.keep, args=(act, random.Random(self.random.random())), name=act.__name__)
            thread.start()
            self.threads.append(thread)

    def keep(self, act, chance: random.Random) -> None:
        """An act is repeated; one that meets a closed door tries again, and anything else is told."""
        while not self.stopping.is_set():
            try:
                act(chance)
            except (OSError, DaemonError) as error:
                self.count(f"{act.__name__}: {type(error).__name__}")
                if act == self.benign:
                    self.trouble(f"a mail server's question failed: {error}")
                self.pause(0.5)
            except Exception as error:  # a thread that dies would make the soak easy
                self.trouble(f"{act.__name__}: {type(error).__name__}: {error}")
                self.pause(1)

    def stop(self) -> None:
        """Everybody ends."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def pause(self, seconds: float) -> None:
        """Ends early when the soak does."""
        self.stopping.wait(seconds)

    def count(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.counts[what] += number

    def trouble(self, text: str) -> None:
        with self.lock:
            self.troubles.append(text)

    def take(self) -> tuple[list[float], collections.Counter]:
        """What was since the last call."""
        with self.lock:
            taken = self.latencies, self.counts
            self.latencies, self.counts = [], collections.Counter()
        return taken

    # --- mail servers ---

    def benign(self, chance: random.Random) -> None:
        """Asks for good domains, and compares with the table."""
        connection = Connection(self.daemon.socket_path, DEADLINE_MS / 1000 + 5)
        try:
            for _ in range(50):
                if self.stopping.is_set():
                    return
                row = chance.choice(self.rows)
                begin = time.monotonic()
                answer = connection.ask({"query": "mail", "domain": row.domain, "deadline_ms": DEADLINE_MS, "refresh": chance.random() < 0.05})
                took = time.monotonic() - begin
                self.judge(row, answer, begin)
                with self.lock:
                    self.latencies.append(took)
                self.pause(chance.expovariate(self.rate / 3))
        finally:
            connection.close()

    def judge(self, row, answer: dict, begin: float) -> None:
        """Right, wrong, or unknown; the last is right while a server is away."""
        faults = compare(row, answer, row.name)
        if not faults:
            self.count("right")
        elif "error" not in answer and is_unknown(answer) and not contradiction(row, answer):
            away = any(since <= time.monotonic() and begin <= until + AFTER_AN_OUTAGE for since, until in self.outages)
            self.count("unknown in an outage" if away else "unknown")
        else:
            self.count("wrong")
            with self.lock:
                self.wrong.append(f"{row.domain}: {'; '.join(faults)[:300]}")

    # --- the others ---

    def torture(self, chance: random.Random) -> None:
        """Names at random below good domains, over DNS: every one is new, and none can be answered from memory at first."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", self.daemon.dns_port))
            sender.setblocking(False)
            for _ in range(200):
                if self.stopping.is_set():
                    return
                name = f"{chance.randrange(1 << 60):x}.{chance.choice(self.rows).name}"
                sender.send(dns.message.make_query(name, chance.choice(("A", "AAAA", "TXT", "MX", "TLSA")), want_dnssec=True).to_wire())
                self.count("hostile")
                try:
                    while sender.recv(65535):
                        pass
                except BlockingIOError:
                    pass
                self.pause(chance.expovariate(self.rate * 2))

    def broken(self, chance: random.Random) -> None:
        """Domains that are broken, slow or silent."""
        connection = Connection(self.daemon.socket_path, 40)
        try:
            for _ in range(20):
                if self.stopping.is_set():
                    return
                deadline = chance.choice((500, 1500, 5000))
                connection.ask({"query": "mail", "domain": f"{chance.choice(BROKEN)}.nlx", "deadline_ms": deadline, "refresh": chance.random() < 0.2})
                self.count("hostile")
                self.pause(chance.expovariate(self.rate))
        finally:
            connection.close()

    def malformed(self, chance: random.Random) -> None:
        """Lines that are none, halves of lines, netstrings that lie; some hang up in the middle."""
        path = self.daemon.socket_path if chance.random() < 0.7 else self.daemon.folder / "postfix.sock"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(3)
            client.connect(str(path))
            for _ in range(chance.randrange(1, 8)):
                text = chance.choice(GARBAGE) if chance.random() < 0.6 else chance.randbytes(chance.randrange(400))
                client.sendall(text + (b"\n" if chance.random() < 0.7 else b""))
            if chance.random() < 0.5:
                client.recv(4096)
            self.count("hostile")
        self.pause(chance.expovariate(self.rate))

    def datagrams(self, chance: random.Random) -> None:
        """Octets as DNS, over UDP and TCP; TCP also with lengths that never come."""
        address = ("127.0.0.1", self.daemon.dns_port)
        wire = bytearray(dns.message.make_query("dane-ee.nlx", "MX").to_wire())
        for _ in range(chance.randrange(4)):
            wire[chance.randrange(len(wire))] = chance.randrange(256)
        wire = bytes(wire[:chance.randrange(len(wire) + 1)])
        if chance.random() < 0.5:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(wire, address)
        else:
            with socket.create_connection(address, 3) as client:
                client.sendall(chance.choice((len(wire), 65535, 0)).to_bytes(2, "big") + wire)
                if chance.random() < 0.3:
                    self.pause(chance.random() * 3)
        self.count("hostile")
        self.pause(chance.expovariate(self.rate))

    def slow_readers(self, chance: random.Random) -> None:
        """Asks a lot, reads nothing, and leaves."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.daemon.socket_path))
            line = json.dumps({"query": "mail", "domain": chance.choice(self.rows).domain}).encode() + b"\n"
            try:
                for _ in range(chance.randrange(50, 400)):
                    client.send(line)
            except TimeoutError:
                self.count("held up")  # as it should be: who does not read is not read from
            self.pause(chance.random() * 4)
        self.count("hostile")
        self.pause(chance.expovariate(self.rate / 20))

    def reconnect(self, chance: random.Random) -> None:
        """Comes and goes; sometimes many at once stay for a moment."""
        clients = [socket.socket(socket.AF_UNIX) for _ in range(chance.choice((1, 1, 1, 1, 40)))]
        try:
            for client in clients:
                client.connect(str(self.daemon.socket_path))
            self.count("hostile", len(clients))
            self.pause(chance.random() / 5)
        finally:
            for client in clients:
                client.close()
        self.pause(chance.expovariate(self.rate))

    # --- who means well and makes work ---

    def flush(self, chance: random.Random) -> None:
        """An operator who forgets a domain, or a whole top-level domain."""
        name = chance.choice(("nlx", "dex", "orgx")) if chance.random() < 0.1 else chance.choice(self.rows).name
        self.daemon.ask({"query": "flush", "name": name, "subtree": True})
        self.count("flushes")
        self.pause(chance.expovariate(0.4))

    def restart(self, chance: random.Random) -> None:
        """A process of name servers ends and is started again: all its servers at once are away for a moment."""
        self.pause(5 + chance.random() * 10)
        if self.stopping.is_set():
            return
        name = chance.choice(("tld", "host", "host", "scripted"))
        record = json.loads((self.world / "world.json").read_text())
        old = record["processes"][name]
        command = open(f"/proc/{old['pid']}/cmdline", "rb").read().split(b"\0")[:-1]
        since = time.monotonic()
        with self.lock:
            self.outages.append((since, since + 30))
        processes.stop(old)
        self.pause(chance.random() * 2)
        with open(self.world / "run" / f"{name}.out", "ab") as out:
            process = subprocess.Popen(netns.inside(netns.name_for(self.world)) + [word.decode() for word in command], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, env=servers.environment(), start_new_session=True)
        record["processes"][name] = processes.identity(process.pid)
        (self.world / "world.json").write_text(json.dumps(record, indent=1))
        late = servers.wait_until_ready([probe for probe in record["probes"] if probe[0] == name])
        with self.lock:
            self.outages[-1] = (since, time.monotonic())
        self.count("restarts")
        if late is not None:
            self.trouble(late)
