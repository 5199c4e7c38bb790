"""A36 to A39: this machine's own side: clients of the sockets, the cache file, the clock, and what runs out."""
import json
import os
import pathlib
import random
import select
import socket
import stat
import struct
import subprocess
import tempfile
import time

import dns.flags

import built
from attack.attacks.base import Attack, dig, wire, world
from attack.lane import Benign, Daemon, ENOUGH, MXTRUST_PORT
from lab.daemon import DaemonError
from lab.loopback import taken_in
from service.days import Clocks

DAY, HOUR = 86400, 3600


class Local(Attack):
    unbound, why_not = False, "no such door there"

    cost = None

    def play(self, lane):
        self.act(lane)
        return {"status": self.status, **self.spent(self.cost), **self.benign(lane), "unbound": self.why_not}

    # Who asks for something else meanwhile asks the daemon to which it happens: most of these have one of their own.
    stream = None

    def meanwhile(self, daemon, seconds=0.8):
        self.stream = Benign(daemon.port)
        self.stream.start()
        time.sleep(seconds)
        self.stream.wait_for(ENOUGH)
        self.stream.end()

    def benign(self, lane):
        return self.benign_beside(lane, self.stream) if self.stream else super().benign(lane)

    def measured(self, lane, title, act, queries, verifications, daemon=None):
        """What ACT returned; what it cost is bounded, and the dearest of all is shown in the table."""
        result, cost = lane.measure(act, daemon)
        # Honest servers are asked here, of whom a busy machine makes some slow; who is one in fact, other attacks ask.
        lane.bounded(title, cost._replace(queries=cost.queries - cost.retries), queries, verifications)
        if self.cost is None or (cost.verifications, cost.queries) > (self.cost.verifications, self.cost.queries):
            self.cost = cost
        return result

    def act(self, lane):
        raise NotImplementedError


def connected(path, timeout=5.0) -> socket.socket:
    plug = socket.socket(socket.AF_UNIX)
    plug.settimeout(timeout)
    plug.connect(str(path))
    return plug


def line_of(plug) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        more = plug.recv(65536)
        if not more:
            break
        data += more
    return data


class Clients(Local):
    number, title = 36, "clients of the local sockets: long lines, half requests, deaf readers, 1200 connections, rubbish, flush by a stranger"
    rule = "a clear error or a closed connection; bounded memory; others unharmed"
    status = "errors"
    ONE_NAME = (12, 12)             # queries and verifications of a benign name
    LINES = [b"{" * 3000, b'{"query":"mail","domain":"' + b"a" * 300 + b'"}', b'{"query":"mail","domain":"' + b"a." * 140 + b'"}', b'{"query":"mail","domain":"\xff\xfe"}',
             b'{"query":"mail","domain":"a\\u0000b"}', b"mail a\0b", b"\0" * 100, b"\x80" * 100, b'{"a":' * 600 + b"1" + b"}" * 600, b"rrset x.example TYPE99999",
             b'{"query":"rrset","name":"x","type":"A","deadline_ms":-1}', b"[" * 4000, b'{"query":"status","id":"' + b"x" * 1000 + b'"}']

    def act(self, lane):
        path = lane.daemon.socket_path
        before = lane.daemon.memory()
        lane.looks_at("status")
        name = f"m{next(Benign.numbers)}.good."
        lane.daemon.rrset(name, "MX")
        plug = connected(path)

        def lines():
            for line in self.LINES:
                plug.sendall(line + b"\n")
                reply = line_of(plug)
                good = b"error" in reply and b"bad-request" in reply
                lane.check(f"{line[:40]!r}…: a bad request, said so", good, reply[:200])
        self.measured(lane, "rubbish", lines, 0, 0)
        plug.sendall(b'{"query":"status"}\n')
        lane.check("the connection is still good", b'"release"' in line_of(plug))
        plug.close()
        # Each of them asks for one benign name beside it, which may cost what a name costs.
        for title, one in (("lines without end, half requests", self.endless), ("1200 connections", self.crowd), ("deaf readers", self.deaf),
                           ("strangers", self.strangers)):
            self.measured(lane, title, lambda one=one: one(lane, path), *self.ONE_NAME)
        self.measured(lane, "socketmap", lambda: self.postfix(lane), 24, 24)
        self.measured(lane, "TCP", lambda: self.streams(lane), *self.ONE_NAME)
        # Each about a name of its own, in a zone that does not answer or does not exist; 64 of them at a time.
        self.measured(lane, "two thousand requests at once", lambda: self.pending(lane, path), 2000 * 2, 2000 * 4)
        lane.known("after all of it", {(name, "MX"): ("secure", "records")})
        lane.check("memory is bounded: 60 MiB more at most", lane.daemon.memory() - before < 60 * 1024 * built.HEAVIER, (before, lane.daemon.memory()))

    def flood(self, port):
        """Some of each once more: rubbish, a line without end, deaf readers, thousands of requests."""
        path = self.lane.daemon.socket_path
        plugs = [connected(path, 0.2) for _ in range(40)]
        pieces = [b"\n".join(self.LINES) + b"\n", b"x" * 65536, b'{"query":"status"}\n' * 500,
                  b"".join(b"rrset f%d.p-a16.evil A\n" % number for number in range(200))]
        for _ in range(3):
            for at, plug in enumerate(plugs):
                try:
                    plug.send(pieces[at % len(pieces)])
                except OSError:
                    pass             # turned away, or not read from
            time.sleep(0.1)
        for plug in plugs:
            plug.close()

    def works(self, lane) -> bool:
        begun = time.monotonic()
        return lane.daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")["security"] == "secure" and time.monotonic() - begun < 5

    def endless(self, lane, path):
        plug = connected(path)
        try:
            for _ in range(400):
                plug.sendall(b"x" * 65536)
            ended = False
        except OSError:
            ended = True
        lane.check("a line without end costs the connection", ended)
        plug.close()
        halves = [connected(path) for _ in range(50)]
        for one in halves:
            one.sendall(b'{"query":"mail","dom')
        lane.check("half requests hold up nobody", self.works(lane))
        for one in halves:
            one.close()

    def crowd(self, lane, path):
        plugs, refused = [], 0
        for _ in range(1200):
            try:
                plugs.append(connected(path, 1.0))
            except OSError:
                refused += 1
        ends = select.poll()
        for plug in plugs[-250:]:
            ends.register(plug, select.POLLIN)
        # Nobody was asked anything: who has something to say has ended. The others stay as they are.
        closed, until = 0, time.monotonic() + 20
        while refused + (closed := len(ends.poll(0))) < 150 and time.monotonic() < until:
            time.sleep(0.05)
        lane.check("of 1200 connections those beyond 1000 are turned away", refused + closed >= 150, (refused, closed))
        plugs[5].sendall(b'{"query":"status"}\n')
        plugs[5].settimeout(20)
        lane.check("those that were let in are served", b"release" in line_of(plugs[5]))
        for plug in plugs:
            plug.close()
        lane.check("when they have gone, others are let in", ClockJumps.until(lambda: "release" in lane.daemon.status()) and self.works(lane))

    def deaf(self, lane, path):
        plugs = []
        for _ in range(10):
            plug = connected(path, 0.5)
            try:
                for _ in range(200):
                    plug.sendall(b'{"query":"status"}\n' * 50)
            except OSError:
                pass
            plugs.append(plug)
        lane.check("ten that ask without end and never read hold up nobody", self.works(lane))
        for plug in plugs:
            plug.close()

    def pending(self, lane, path):
        """One client with thousands of slow requests has 64 of them under way, and nobody else waits for it."""
        plug = connected(path)
        zone = "sub.p-a16.evil" if any(one.number == 16 for one in lane.attacks) else "nowhere.evil"
        try:
            plug.settimeout(0.5)
            plug.sendall(b"".join(json.dumps({"query": "rrset", "name": f"n{number}.{zone}", "type": "A", "deadline_ms": 3000}).encode() + b"\n" for number in range(2000)))
        except OSError:
            pass
        lane.check("two thousand requests of one client hold up nobody", self.works(lane))
        plug.close()

    def strangers(self, lane, path):
        for which in (path, lane.daemon.folder / "postfix.sock"):
            mode = stat.S_IMODE(os.stat(which).st_mode)
            lane.check(f"{which.name} has the permissions that are configured", mode == 0o666, oct(mode))
        code = (f"import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r});"
                "s.sendall(b'flush good\\n'); print(s.recv(4096).decode())")
        said = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=False)
        lane.check("a stranger may not flush", "forbidden" in said.stdout or "denied" in said.stdout or "not-allowed" in said.stdout, said.stdout + said.stderr[-200:])
        lane.check("root may", "flushed" in lane.daemon.ask({"query": "flush", "name": "nothing.good"}))

    def postfix(self, lane):
        path = lane.daemon.folder / "postfix.sock"
        for rubbish in (b"x", b"99999999999999:", b"10001:", b"-1:a,", b"5:abcdefgh", b"00000000005:abcde,", b"3:abc;"):
            plug = connected(path, 20.0)
            try:
                plug.sendall(rubbish)
                plug.shutdown(socket.SHUT_WR)
                data = b""
                while more := plug.recv(4096):
                    data += more
                ended = True
            except socket.timeout:
                ended = False
            except OSError:
                ended = True
            lane.check(f"socketmap: {rubbish!r} costs the connection, or gets an error", ended, data)
            plug.close()
        plug = connected(path)
        request = f"policy m{next(Benign.numbers)}.good".encode()
        plug.sendall(b"%d:%s," % (len(request), request))
        reply = plug.recv(4096)
        lane.check("Postfix is served", b"OK dane-only" in reply, reply)
        plug.close()

    def streams(self, lane):
        plugs = []
        for number in range(600):
            plug = socket.socket()
            plug.settimeout(1.0)
            try:
                plug.connect(("127.0.0.1", MXTRUST_PORT))
                plug.sendall(b"\0\x30\1" if number % 2 else b"")
                plugs.append(plug)
            except OSError:
                plug.close()
        reply = dig(MXTRUST_PORT, f"m{next(Benign.numbers)}.good.", "MX")
        lane.check("600 TCP connections that say nothing, or half, hold up nobody", reply is not None and bool(reply.flags & dns.flags.AD))
        lane.check("those beyond 500 are turned away", ClockJumps.until(lambda: lane.daemon.status()["doors"]["dns_refused_connections"] > 0))
        for plug in plugs:
            plug.close()


class CacheFile(Local):
    # What is done to the file, and what the log says of it.
    TROUBLES = {"none": "", "truncated": "beyond the file", "flipped": "because", "zeroes": "no meta page", "version": "format", "owner": "belongs to somebody else",
                "directory": "not a plain file"}
    number, title = 37, "a cache file torn, truncated, bit-flipped, of another version, of another trust anchor, of somebody else"
    rule = "noticed, set aside, rebuilt; never served"
    status = "set aside"
    unbound, why_not = False, "has no cache file"

    def act(self, lane):
        folder = tempfile.mkdtemp(prefix="mxa-")
        daemon = Daemon(port=5361, folder=folder)
        random.seed(37)
        try:
            lane.looks_at("status")
            for trouble, word in self.TROUBLES.items():
                daemon.start()
                name = f"m{next(Benign.numbers)}.good."
                daemon.rrset(name, "MX")
                daemon.stop()
                file = self.file(folder)
                self.spoil(file, trouble)
                begun = daemon.log().count("\n")
                try:
                    daemon.start()
                    up = True
                except RuntimeError:
                    up = False
                said = "\n".join(daemon.log().splitlines()[begun:])
                if not up:
                    lane.check(f"{trouble}: the daemon starts", False, said[-300:])
                    self.mend(file, trouble)
                    continue
                answer = self.measured(lane, f"{trouble}: the first answer", lambda: daemon.rrset(name, "MX"), *((0, 0) if trouble == "none" else (12, 12)), daemon)
                lane.check(f"{trouble}: what is told is right", (answer["security"], answer["outcome"]) == ("secure", "records") and "mx." in str(answer["records"]), answer)
                # The file is looked over beside the answers, and what was found is told within a second.
                until = time.monotonic() + 40
                while word and word not in said and time.monotonic() < until:
                    time.sleep(0.1)
                    said = "\n".join(daemon.log().splitlines()[begun:])
                told = [line for line in said.splitlines() if "set aside" in line]
                lane.check(f"{trouble}: one line says so, and why" if word else f"{trouble}: nothing is said", len(told) == (1 if word else 0) and word in "".join(told),
                           told or said[-300:])
                if word:
                    lane.check(f"{trouble}: what was there is kept for whoever wants to look", any("damaged" in one.name for one in file.parent.iterdir()),
                               [one.name for one in file.parent.iterdir()])
                if trouble == "flipped":
                    self.meanwhile(daemon)
                lane.known(trouble, {(name, "MX"): ("secure", "records")}, daemon)
                daemon.stop()
                self.mend(file, trouble)
            # Another trust anchor: nothing of what was judged under the first one counts.
            daemon.text = daemon.text.replace(world.anchor(), ". DS 12345 15 2 " + "AB" * 32)
            daemon.start(ready=False)
            answer = {}
            until = time.monotonic() + 40
            while time.monotonic() < until and not answer:
                try:
                    answer = daemon.rrset(name, "MX")
                except Exception:           # noqa: BLE001 - not there yet
                    time.sleep(0.05)
            lane.check("under another trust anchor nothing is secure", answer.get("security") in ("bogus", "indeterminate"), answer)
        finally:
            daemon.remove()

    @staticmethod
    def file(folder) -> pathlib.Path:
        return pathlib.Path(folder, "state", "cache.lmdb")

    @staticmethod
    def spoil(file, trouble):
        data = bytearray(file.read_bytes()) if trouble not in ("none", "owner", "directory") else b""
        if trouble == "truncated":
            file.write_bytes(data[:len(data) // 2 + 100])
        elif trouble == "flipped":
            used = [at for at in range(8192, len(data)) if data[at]]     # much of it is free, and nobody looks at that
            for at in random.sample(used, min(200, len(used))):
                data[at] ^= 1 << random.randrange(8)
            file.write_bytes(data)
        elif trouble == "zeroes":
            file.write_bytes(bytes(8192) + data[8192:])
        elif trouble == "version":
            file.write_bytes(data[:20] + b"\xff\xff\xff\x7f" + data[24:])
        elif trouble == "owner":
            os.chown(file, 65534, 65534)
        elif trouble == "directory":
            file.unlink()
            file.mkdir()

    @staticmethod
    def mend(file, trouble):
        if trouble == "directory" and file.is_dir():
            file.rmdir()
        elif file.is_file():
            os.chown(file, 0, 0)


class ClockJumps(Local):
    number, title = 38, "the clock: a start at 1970, then jumps of a month and of hours either way, and two hours of sleep"
    rule = "no signature holds that does not now; the daemon says that its clock is the problem; nothing for ever"
    status = "clock-wrong"
    unbound, why_not = False, "not played: needs a clock of its own"
    ONE_NAME = (30, 30)
    # How far the wall clock is off, what an answer is then, and a word of why.
    JUMPS = (("a month ahead", 31 * DAY, "failure", "expired"), ("right again", 0, "records", ""), ("six hours behind", -6 * HOUR, "failure", "not valid before"),
             ("right once more", 0, "records", ""), ("four hours ahead", 4 * HOUR, "records", ""), ("right at last", 0, "records", ""))

    def act(self, lane):
        lane.looks_at("status")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="mxa-"))
        clocks = Clocks(folder)
        clocks.set(wall=HOUR - int(time.time()))
        daemon = Daemon(port=5362, folder=folder, variables=clocks.variables())
        try:
            self.without_battery(lane, daemon, clocks)
            before = f"m{next(Benign.numbers)}.good."       # learnt while the clock is right
            lane.check("the clock is right: an answer is secure", daemon.rrset(before, "MX")["security"] == "secure")
            failed = []
            for title, wall, wanted, word in self.JUMPS:
                steps = daemon.log().count("the clock was set")
                clocks.set(wall=wall)                       # it looks at its clocks every second
                self.until(lambda: daemon.log().count("the clock was set") > steps)     # pylint: disable=cell-var-from-loop
                fresh = f"m{next(Benign.numbers)}.good."
                for name, which in ((fresh, "a new name"), (before, "what was known")):
                    if which == "what was known" and wall < 0:
                        continue                            # it may still be known, as it was judged: only new signatures are of the future
                    self.asked(lane, daemon, f"{title}: {which}", name, wanted, word)
                if wanted == "records":
                    for name in failed:
                        self.asked(lane, daemon, f"{title}: what failed before holds, nothing is bogus for ever", name, wanted, "")
                    failed = []
                    lane.check(f"{title}: health is good", self.until(lambda: daemon.status()["health"] == "good"), daemon.status()["health"])
                else:
                    failed.append(fresh)
                if wanted == "failure" and wall > 0:         # what was judged before the clock went back may still be known: the root, too
                    lane.check(f"{title}: health is not good", self.until(lambda: daemon.status()["health"] != "good"), daemon.status()["health"])
            clocks.set(wall=4 * HOUR)                       # a jump among them
            self.meanwhile(daemon, 1.5)
            clocks.set()
            lane.known("after all jumps", {(before, "MX"): ("secure", "records")}, daemon)
            for words in ("the clock was set forwards", "the clock was set back"):
                lane.check(f"the log tells that {words}", words in daemon.log(), daemon.log()[-600:])
            clocks.set(wall=2 * HOUR, mono=2 * HOUR)
            self.asked(lane, daemon, "two hours asleep", f"m{next(Benign.numbers)}.good.", "records", "")
        finally:
            daemon.remove()

    def without_battery(self, lane, daemon, clocks):
        daemon.start(ready=False)
        lane.check("1970: it starts", self.until(lambda: daemon.status() is not None), daemon.log()[-600:])
        name = f"m{next(Benign.numbers)}.good."
        self.asked(lane, daemon, "1970", name, "failure", "not valid before")
        lane.check("1970: status says that the clock is the problem", self.until(lambda: daemon.status()["health"] == "clock-wrong"), daemon.status()["health"])
        lane.check("1970: one line of the log, too", self.until(lambda: daemon.log().count("the clock is behind") == 1), daemon.log()[-600:])
        clocks.set()
        self.asked(lane, daemon, "1970 is over: the same name", name, "records", "")
        lane.check("1970 is over: health is good", self.until(lambda: daemon.status()["health"] == "good"), daemon.status()["health"])

    def asked(self, lane, daemon, title, name, wanted, word):
        """An answer as it has to be: a failure at once, and the end of one within the time that failures are remembered."""
        right = lambda answer: answer["outcome"] == wanted and (answer["security"] == "secure") == (wanted == "records")    # noqa: E731
        answer = self.measured(lane, title, lambda: daemon.rrset(name, "MX"), *self.ONE_NAME, daemon)
        until = time.monotonic() + 40
        while wanted == "records" and not right(answer) and time.monotonic() < until:
            time.sleep(0.5)
            answer = daemon.rrset(name, "MX")
        lane.check(f"{title}: the answer is a {wanted}", right(answer), (answer["security"], answer["outcome"], answer["reason"]))
        if wanted == "failure":
            lane.check(f"{title}: the reason is the time", word in (answer["reason"] or ""), answer["reason"])
            lane.check(f"{title}: it is not kept for ever", (answer.get("ttl") or 0) <= 60, answer.get("ttl"))

    @staticmethod
    def until(what, limit=40.0) -> bool:
        end = time.monotonic() + limit
        while time.monotonic() < end:
            try:
                if what():
                    return True
            except (OSError, ValueError, DaemonError):
                pass                                        # not yet
            time.sleep(0.1)
        return False


class Scarce(Local):
    number, title = 39, "disk full, 64 descriptors, 256 MiB of memory, no network, IPv6 present but dead"
    rule = "degraded, told, recovered from"
    status = "degraded"
    unbound, why_not = False, "not compared"

    def act(self, lane):
        lane.looks_at("status")
        self.descriptors(lane)
        self.disk(lane)
        self.memory(lane)
        self.network(lane)
        self.dead_family(lane)

    def asked(self, lane, daemon, title, wanted=("secure", "records")):
        name = f"m{next(Benign.numbers)}.good."
        answer = self.measured(lane, title, lambda: daemon.rrset(name, "MX"), 16, 16, daemon)
        lane.check(f"{title}: a benign question is answered", (answer["security"], answer["outcome"]) == wanted, (answer["security"], answer["outcome"], answer["reason"]))
        lane.known(title, {(name, "MX"): wanted}, daemon)

    def descriptors(self, lane):
        if said := built.not_asked("64 descriptors", "without one, the check of objects' types takes every object for broken", of="undefined"):
            lane.notes.append(said)
            return
        daemon = Daemon(port=5363, limits=["--nofile=64:64"])
        try:
            daemon.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
                for number in range(300):
                    plug.sendto(wire.query(f"m{next(Benign.numbers)}.good.", "MX"), ("127.0.0.1", 5363))
                    if number % 50 == 49:
                        taken_in(5363)
                plug.settimeout(5.0 * built.SLOWER)
                count = 0
                try:
                    while count < 300:
                        plug.recv(65535)
                        count += 1
                except OSError:
                    pass
            lane.check("64 descriptors: every question gets some answer", count >= 250, count)
            time.sleep(5.5)
            self.asked(lane, daemon, "64 descriptors, afterwards")
            lane.check("64 descriptors: the daemon lives", daemon.alive(), daemon.log()[-300:])
        finally:
            daemon.remove()

    def disk(self, lane):
        folder = tempfile.mkdtemp(prefix="mxa-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)   # in this world's own mount namespace
        daemon = Daemon(port=5364, folder=folder, cache=8)
        try:
            daemon.start()
            for _ in range(60):
                daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")
            filler = os.open(pathlib.Path(folder, "filler"), os.O_WRONLY | os.O_CREAT)
            try:
                while True:
                    os.write(filler, b"x" * 4096)
            except OSError:
                os.close(filler)
            for _ in range(200):
                daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")
            self.asked(lane, daemon, "disk full")
            self.meanwhile(daemon)
            lane.check("disk full: the daemon lives", daemon.alive(), daemon.log()[-300:])
        except Exception as error:          # noqa: BLE001
            lane.check("disk full: the daemon serves", False, f"{error} {daemon.log()[-500:]}")
        finally:
            daemon.stop()
            subprocess.run(["umount", folder], check=False)
            daemon.remove()

    def memory(self, lane):
        if said := built.not_asked("256 MiB of memory", "its shadow memory takes terabytes"):
            lane.notes.append(said)
            return
        daemon = Daemon(port=5365, limits=["--data=268435456"], cache=8)
        try:
            daemon.start()
            self.asked(lane, daemon, "256 MiB of memory")
        finally:
            daemon.remove()

    def network(self, lane):
        daemon = Daemon(port=5366)
        daemon.text = daemon.text.replace(world.ROOT, world.SECOND_ROOT)
        subprocess.run(["ip", "address", "del", f"{world.SECOND_ROOT}/32", "dev", "lo"], check=True)
        try:
            daemon.start(ready=False)
            answer, until = {}, time.monotonic() + 40
            while not answer and time.monotonic() < until:
                try:
                    answer = daemon.ask({"query": "mail", "domain": "m1.good", "deadline_ms": 2000})
                except Exception:           # noqa: BLE001 - not there yet
                    time.sleep(0.05)
            lane.check("no network: mail is deferred, with a reason", answer.get("decision", {}).get("action") == "defer", answer.get("decision"))
            lane.check("no network: health says so", daemon.status()["health"] != "good", daemon.status()["health"])
            subprocess.run(["ip", "address", "add", f"{world.SECOND_ROOT}/32", "dev", "lo"], check=True)
            until, begun = time.monotonic() + 90, time.monotonic()
            while daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")["security"] != "secure" and time.monotonic() < until:
                time.sleep(0.5)
            lane.notes.append(f"the network has come: answers again after {time.monotonic() - begun:.0f} s, without a restart")
            self.asked(lane, daemon, "the network has come")
        finally:
            subprocess.run(["ip", "address", "replace", f"{world.SECOND_ROOT}/32", "dev", "lo"], check=False, capture_output=True)
            daemon.remove()

    def dead_family(self, lane):
        daemon = Daemon(port=5367, ipv6=True)
        daemon.text = daemon.text.replace('root-hints = [', 'root-hints = [{ name = "a.root.", address = "2600:53::1" }, ')
        try:
            daemon.start()
            self.asked(lane, daemon, "IPv6 without a route")
        finally:
            daemon.remove()


ALL = [Clients(), CacheFile(), ClockJumps(), Scarce()]
