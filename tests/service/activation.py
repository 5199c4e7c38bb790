"""Sockets from systemd, what systemd is told, the watchdog, and a restart that nobody notices."""
import ctypes
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import dns.message
import dns.query

import built
from lab.daemon import Connection, DaemonError
from service.days import until
from service.manager import Doors, Managed

ASKERS = 8
SLACK = 2.9                         # seconds that a busy machine may add
RESTARTS = 3
PTRACE_ATTACH, PTRACE_DETACH = 16, 17


def shown(daemon: Managed, since: float = 0.0) -> list:
    daemon.notices.read()
    return [message for at, message in daemon.notices.all if at > since]


def protocol(state, folder: pathlib.Path, tally, table) -> None:
    """Who is told READY can ask at once; reload, watchdog, status, stop."""
    with Managed(state, folder=folder, watchdog=2.0) as daemon:
        ready = daemon.notices.await_one("READY", "1", since=daemon.started_at)
        connection = daemon.connect(20.0)       # which is refused where nobody listens yet
        begun = time.monotonic()
        status = connection.ask({"query": "status"})
        tally.check("READY=1 is told when the daemon answers", "release" in status and time.monotonic() - begun < 5.0, status)
        table.row("READY=1 after", f"{1000 * (ready[0] - daemon.started_at):.0f} ms", "first answer at once")
        secure = daemon.notices.await_one("STATUS", "2 workers; the root is secure", limit=60)
        tally.check("STATUS= says when the root is secure", secure is not None, shown(daemon))
        tally.check("WATCHDOG=1 comes", daemon.notices.await_one("WATCHDOG", "1", limit=20) is not None, shown(daemon))
        now = time.monotonic()
        os.kill(daemon.child.pid, signal.SIGHUP)
        reloading = daemon.notices.await_one("RELOADING", "1", since=now)
        again = daemon.notices.await_one("READY", "1", since=now)
        exact = reloading is not None and abs(int(reloading[1]["MONOTONIC_USEC"]) / 1e6 - reloading[0]) < 1.0
        tally.check("SIGHUP: RELOADING=1 with MONOTONIC_USEC, then READY=1", exact and again is not None and again[0] >= reloading[0], shown(daemon, now))
        tally.check("the connection is still there", "release" in connection.ask({"query": "status"}))
        stuck_worker(daemon, tally, table)
        now = time.monotonic()
        tally.check("it ends properly", daemon.stop() == 0, daemon.log_tail())
        tally.check("STOPPING=1 is told", daemon.notices.await_one("STOPPING", "1", since=now, limit=20) is not None, shown(daemon, now))
        tally.check("own socket files are removed", not daemon.socket_path.exists())


def stuck_worker(daemon: Managed, tally, table) -> None:
    """One thread is held, as an endless loop would hold it: the service manager hears no more, and says why it will be restarted."""
    libc = ctypes.CDLL(None, use_errno=True)
    tasks = sorted(int(task) for task in os.listdir(f"/proc/{daemon.child.pid}/task"))
    held = tasks[-1]                    # workers are started last
    if libc.ptrace(PTRACE_ATTACH, held, None, None) != 0:
        tally.check("a worker can be held", False, os.strerror(ctypes.get_errno()))
        return
    os.waitpid(held, 0x40000000)        # __WALL
    said = "a worker has not come round"
    until(lambda: said in daemon.log(), 30)     # from then on
    daemon.notices.read()
    now = time.monotonic()
    time.sleep(1.5)
    pings = daemon.notices.count("WATCHDOG", now)
    tally.check("while a worker is stuck, WATCHDOG=1 does not come", pings == 0, pings)
    tally.check("and one line says why", daemon.log().count(said) == 1, daemon.log_tail())
    table.row("a worker is held", "no WATCHDOG=1", daemon.log_tail().split("trouble: ")[-1].splitlines()[0])
    now = time.monotonic()
    libc.ptrace(PTRACE_DETACH, held, None, None)
    tally.check("when it goes on, so does WATCHDOG=1", daemon.notices.await_one("WATCHDOG", "1", since=now, limit=20) is not None)


def passed(state, folder: pathlib.Path, tally) -> None:
    """All doors are systemd's; the daemon opens none of its own, and removes none."""
    doors = Doors(folder)
    with Managed(state, folder=folder, passed=doors.sockets, dns_port=doors.port) as daemon:
        status = daemon.ask({"query": "status"})
        wanted = [str(folder / "query.sock"), str(folder / "postfix.sock"), f"127.0.0.1:{doors.port}"]
        tally.check("inherited sockets are used, and shown", status["sockets"] == wanted, status["sockets"])
        tally.check("instead of the configured ones", not (folder / "unused-query.sock").exists())
        for key in ("query-socket", "postfix-socket"):
            line = f"[server] {key}: has no effect"
            tally.check(f"that {key} of the file has no effect is said, in log and status",
                        line in daemon.log() and any(line in warning for warning in status["warnings"]), (daemon.log_tail(), status["warnings"]))
        tally.check("and nothing is said of one that is the same", "dns-listen: has no effect" not in daemon.log(), daemon.log_tail())
        query = dns.message.make_query("dane-ee.nlx", "MX")
        for how, ask in (("UDP", dns.query.udp), ("TCP", dns.query.tcp)):
            reply = ask(query, "127.0.0.1", port=doors.port, timeout=10)
            tally.check(f"DNS over inherited {how}", len(reply.answer) > 0, reply)
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(folder / "postfix.sock"))
            door.sendall(b"18:policy dane-ee.nlx,")
            said = door.recv(4096)
            tally.check("the inherited Postfix socket", b"dane-only" in said, said)
    tally.check("the files of inherited sockets stay", (folder / "query.sock").exists() and (folder / "postfix.sock").exists())
    doors.close()
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    plain.bind(("127.0.0.1", 0))
    mixed = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    mixed.bind(("::", 0))
    world = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    world.bind(("0.0.0.0", 0))
    world.listen(5)
    whole = Doors(folder)
    for title, given, words in (("another name", [("web", whole.udp)], 'passed with the name "web"'),
                                ("the wrong kind", [("query", whole.udp)], "FileDescriptorName="),
                                ("metrics for the world", [("metrics", world)], "loopback"),
                                ("one that does not listen", [("dns", plain)], "does not listen"),
                                ("both families in one", [("dns", mixed)], "BindIPv6Only"),
                                ("no socket", [("dns", open("/dev/null", "rb"))], "is no socket")):
        daemon = Managed(state, folder=folder, passed=given).start()
        daemon.child.wait(60)
        tally.check(f"{title} is refused, in one clear line", daemon.child.returncode == 1 and words in daemon.log_tail(1), daemon.log_tail())
        daemon.stop()
        daemon.notices.close()
    for door in (plain, mixed, world):
        door.close()
    whole.close()


def real_activation(state, folder: pathlib.Path, tally) -> None:
    """systemd's own systemd-socket-activate holds the socket, and starts the daemon when somebody comes."""
    path = folder / "activated.sock"
    file = folder / "activated.toml"
    (folder / "daemon").mkdir(exist_ok=True)
    template = Managed(state, folder=folder, dns_port=0)
    file.write_text(template.configuration().replace("query.sock", "unused.sock"))
    template.notices.close()
    command = ["systemd-socket-activate", "-l", str(path), "--fdname=query", str(built.DAEMON), "--config", str(file), "--test-mode"]
    with open(folder / "activated.log", "wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 30
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.02)
        begun = time.monotonic()
        connection = listening(path)
        answer = connection.ask({"query": "mail", "domain": "dane-ee.nlx"})
        tally.check("systemd-socket-activate: the first question starts the daemon and is answered",
                    answer.get("decision", {}).get("level") == "dane", f"{answer} after {time.monotonic() - begun:.1f} s")
        connection.close()
    finally:
        child.terminate()
        child.wait(20)


def listening(path: pathlib.Path) -> Connection:
    """A connection to a socket that exists already, and is listened on a moment later."""
    end = time.monotonic() + 30
    while True:
        try:
            return Connection(path, 60)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


class Client(threading.Thread):
    """An MTA's process: keeps a connection, asks again on a new one where the old one ended before it could send. A question that was
    sent and not answered is lost."""

    def __init__(self, path, port: int, domains: list[str], number: int, seed: int):
        super().__init__(daemon=True)
        self.path, self.port, self.domains, self.number = path, port, domains, number
        self.random = random.Random(seed)
        self.asked = self.answered = self.reconnects = 0
        self.lost: list[str] = []
        self.slowest = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            begun = time.monotonic()
            self.asked += 1
            good = self.over_dns() if self.number % 2 else self.over_socket()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.answered += good
            time.sleep(0.002)

    def over_dns(self) -> bool:
        query = dns.message.make_query(self.random.choice(self.domains), "MX")
        try:
            dns.query.udp(query, "127.0.0.1", port=self.port, timeout=12)
            return True
        except Exception as error:
            self.lost.append(f"DNS: {error!r}")
            return False

    connection = None

    def over_socket(self) -> bool:
        for _attempt in range(3):
            if self.connection is None:
                self.connection = Connection(self.path, 12)
                self.reconnects += 1
            try:
                self.connection.file.write(b"mail " + self.random.choice(self.domains).encode() + b"\n")
                self.connection.file.flush()
            except (BrokenPipeError, ConnectionResetError):
                # Not taken: a client knows it at once.
                self.drop()
                continue
            try:
                line = self.connection.file.readline()
            except OSError as error:
                self.lost.append(f"query socket: {error!r}")
                self.drop()
                return False
            if line.endswith(b"\n"):
                return True
            self.lost.append("query socket: closed without an answer")
            self.drop()
            return False
        self.lost.append("query socket: nobody took it")
        return False

    def drop(self) -> None:
        try:
            self.connection.close()
        except OSError:
            pass
        self.connection = None


def no_query_lost(state, folder: pathlib.Path, domains: list[str], tally, table) -> None:
    """An upgrade in place: stop, start, under load, while the sockets stay."""
    doors = Doors(folder)
    daemon = Managed(state, folder=folder, passed=doors.sockets, dns_port=doors.port)
    daemon.start()
    daemon.wait_ready()
    clients = [Client(folder / "query.sock", doors.port, domains, number, number) for number in range(ASKERS)]
    for client in clients:
        client.start()
    away = 0.0
    for _ in range(RESTARTS):
        time.sleep(0.7)
        begun = time.monotonic()
        code = daemon.stop()
        tally.check("under load, it ends properly", code == 0, daemon.log_tail())
        daemon.start()
        tally.check("and is ready again", daemon.wait_ready(), daemon.log_tail())
        away = max(away, time.monotonic() - begun)
    for _ in range(10):
        os.kill(daemon.child.pid, signal.SIGHUP)
        daemon.notices.read(0.05)
    time.sleep(0.5)
    for client in clients:
        client.over.set()
    for client in clients:
        client.join(20)
    asked, answered = sum(client.asked for client in clients), sum(client.answered for client in clients)
    lost = [text for client in clients for text in client.lost]
    tally.check("there was load", asked > 200 // built.SLOWER, asked)
    tally.check(f"{RESTARTS} restarts and 10 reloads under load lose no query", not lost and asked == answered, (asked, answered, lost[:5]))
    table.row(f"{RESTARTS} restarts, 10 reloads under load", f"{asked - answered} of {asked} lost",
              f"longest wait {1000 * max(client.slowest for client in clients):.0f} ms; a restart took {1000 * away:.0f} ms")
    daemon.stop()
    daemon.notices.close()
    doors.close()


def graceful(state, folder: pathlib.Path, tally, table) -> None:
    """What was asked before the end is answered before the end, within a bound."""
    with Managed(state, folder=folder) as daemon:
        under_way = {}
        for domain, deadline in (("slow.nlx", 5000), ("silent.nlx", 2500)):
            under_way[domain] = daemon.connect(40)
            under_way[domain].file.write(json.dumps({"query": "mail", "domain": domain, "deadline_ms": deadline}).encode() + b"\n")
            under_way[domain].file.flush()
        idle = daemon.connect(20)
        idle.ask({"query": "status"})
        time.sleep(0.5)
        begun = time.monotonic()
        code = daemon.stop()
        took = time.monotonic() - begun
        answers = {domain: json.loads(connection.file.readline() or b"{}") for domain, connection in under_way.items()}
        decided = {domain: answer.get("decision", {}).get("action") for domain, answer in answers.items()}
        tally.check("questions under way are answered before it ends", decided == {"slow.nlx": "deliver", "silent.nlx": "defer"}, (decided, answers))
        tally.check("it ends properly, when they are answered", code == 0 and took < 5 + SLACK, f"{code} {took:.1f} s")
        try:
            idle.ask({"query": "status"})
            refused = False
        except (OSError, DaemonError):
            refused = True
        tally.check("who asks later is not left waiting", refused)
        table.row("SIGTERM with 2 questions under way", "both answered", f"ended after {1000 * took:.0f} ms, bound 8 s")
    with Managed(state, folder=folder) as daemon:
        stubborn = daemon.connect(30)
        stubborn.file.write(b'{"query":"mail","domain":"silent.nlx","deadline_ms":30000}\n')
        stubborn.file.flush()
        reader = daemon.connect(30)
        reader.file.write(b"sta")       # and never goes on
        reader.file.flush()
        time.sleep(0.5)
        begun = time.monotonic()
        code = daemon.stop()
        took = time.monotonic() - begun
        tally.check("nobody keeps it from ending", code == 0 and took < 8 + 2 * SLACK, f"{code} {took:.1f} s")
    for number in (signal.SIGTERM, signal.SIGINT):
        with Managed(state, folder=folder) as daemon:
            waiting = daemon.connect(30)
            waiting.file.write(b'{"query":"mail","domain":"silent.nlx","deadline_ms":30000}\n')
            waiting.file.flush()
            until = time.monotonic() + 10
            while daemon.ask({"query": "status"})["resolver"]["in_flight"] == 0 and time.monotonic() < until:
                time.sleep(0.05)
            daemon.child.terminate()
            stopping = daemon.notices.await_one("STOPPING", "1", limit=5)
            time.sleep(0.3)
            alive = daemon.child.poll() is None
            begun = time.monotonic()
            os.kill(daemon.child.pid, number)
            code = daemon.child.wait(20)
            took = time.monotonic() - begun
            tally.check(f"a second signal ({number.name}) ends it at once", stopping is not None and alive and code == -number and took < 4,
                        f"{alive} {code} {took:.1f} s")


def second_try(folder: pathlib.Path, tally) -> None:
    """`mxtrust` asks once more where a daemon that goes closes its connection, and not without end."""
    folder.mkdir()
    path = folder / "query.sock"
    for closed, wanted in ((0, 0), (1, 0), (2, 69)):
        path.unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(str(path))
        door.listen(8)
        door.settimeout(20)
        requests: list[bytes] = []

        def serve(door=door, closed=closed, requests=requests) -> None:
            for turn in range(closed + 1):
                try:
                    client, _ = door.accept()
                except OSError:
                    return              # nobody comes again
                with client:
                    requests.append(client.recv(4096))
                    if turn == closed:
                        client.sendall(b'{"id":null,"version":1,"time":"2026-01-01T00:00:00Z","failing":[]}\n')
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        done = subprocess.run([str(built.CLIENT), "--socket", str(path), "--json", "failing"], capture_output=True, text=True)
        door.close()
        server.join(6)
        tally.check(f"mxtrust: {closed} connections closed without an answer", (done.returncode == 0) == (wanted == 0) and len(requests) == min(closed + 1, 2)
                    and len(set(requests)) == 1, (done, requests))


def run(state, folder: pathlib.Path, domains: list[str], tally, table) -> None:
    second_try(folder / "client", tally)
    for number, part in enumerate((protocol, graceful)):
        part(state, folder / str(number), tally, table)
    for number, part in enumerate((passed, real_activation), 5):
        (folder / str(number)).mkdir(parents=True)
        part(state, folder / str(number), tally)
    (folder / "9").mkdir()
    no_query_lost(state, folder / "9", domains, tally, table)
