"""A36 to A39: this machine's own side: clients of the sockets, the cache file, the clock, and what runs out."""
import json
import os
import pathlib
import random
import socket
import stat
import struct
import subprocess
import tempfile
import time

import dns.flags

from attack.attacks.base import Attack, dig, wire, world
from attack.lane import Benign, Daemon, MXTRUST_PORT


class Local(Attack):
    unbound, why_not = False, "no such door there"

    def play(self, lane):
        self.act(lane)
        return {"status": self.status, **self.benign(lane), "unbound": self.why_not}

    def flood(self, port):
        time.sleep(0.5)

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
    LINES = [b"{" * 3000, b'{"query":"mail","domain":"' + b"a" * 300 + b'"}', b'{"query":"mail","domain":"' + b"a." * 140 + b'"}', b'{"query":"mail","domain":"\xff\xfe"}',
             b'{"query":"mail","domain":"a\\u0000b"}', b"mail a\0b", b"\0" * 100, b"\x80" * 100, b'{"a":' * 600 + b"1" + b"}" * 600, b"rrset x.example TYPE99999",
             b'{"query":"rrset","name":"x","type":"A","deadline_ms":-1}', b"[" * 4000, b'{"query":"status","id":"' + b"x" * 1000 + b'"}']

    def act(self, lane):
        path = lane.daemon.socket_path
        before = lane.daemon.memory()
        plug = connected(path)
        for line in self.LINES:
            plug.sendall(line + b"\n")
            reply = line_of(plug)
            good = b"error" in reply and b"bad-request" in reply
            lane.check(f"{line[:40]!r}…: a bad request, said so", good, reply[:200])
        plug.sendall(b'{"query":"status"}\n')
        lane.check("the connection is still good", b'"release"' in line_of(plug))
        plug.close()
        self.endless(lane, path)
        self.crowd(lane, path)
        self.deaf(lane, path)
        self.pending(lane, path)
        self.strangers(lane, path)
        self.postfix(lane)
        self.streams(lane)
        lane.check("memory is bounded: 60 MiB more at most", lane.daemon.memory() - before < 60 * 1024, (before, lane.daemon.memory()))

    def works(self, lane) -> bool:
        begun = time.monotonic()
        return lane.daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")["security"] == "secure" and time.monotonic() - begun < 4

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
        closed = 0
        for plug in plugs[-250:]:
            plug.settimeout(0.02)
            try:
                closed += plug.recv(10) == b""
            except OSError:
                pass
        lane.check("of 1200 connections those beyond 1000 are turned away", refused + closed >= 150, (refused, closed))
        plugs[5].sendall(b'{"query":"status"}\n')
        plugs[5].settimeout(5)
        lane.check("those that were let in are served", b"release" in line_of(plugs[5]))
        for plug in plugs:
            plug.close()
        time.sleep(0.2)
        lane.check("when they have gone, others are let in", self.works(lane))

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
            plug = connected(path, 1.0)
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
        lane.check("those beyond 500 are turned away", lane.daemon.status()["doors"]["dns_refused_connections"] > 0)
        for plug in plugs:
            plug.close()


class CacheFile(Local):
    number, title = 37, "a cache file torn, truncated, bit-flipped, of another version, of another trust anchor, of somebody else"
    rule = "noticed, set aside, rebuilt; never served"
    status = "set aside"
    unbound, why_not = False, "has no cache file"

    def act(self, lane):
        folder = tempfile.mkdtemp(prefix="mxa-")
        daemon = Daemon(port=5361, folder=folder)
        random.seed(37)
        try:
            for trouble in ("none", "truncated", "flipped", "zeroes", "version", "owner", "directory"):
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
                    lane.check(f"{trouble}: the daemon starts, or says why not", trouble in ("owner", "directory") and "cache" in said, said[-300:])
                    self.mend(file, trouble)
                    continue
                answer = daemon.rrset(name, "MX")
                lane.check(f"{trouble}: what is told is right", (answer["security"], answer["outcome"]) == ("secure", "records") and "mx." in str(answer["records"]), answer)
                if trouble in ("truncated", "version"):
                    # The file is looked over beside the answers, and what was found is told within a second.
                    until = time.monotonic() + 10
                    while "cache" not in said.lower() and time.monotonic() < until:
                        time.sleep(0.1)
                        said = "\n".join(daemon.log().splitlines()[begun:])
                    lane.check(f"{trouble}: it is said", "cache" in said.lower(), said[-300:])
                daemon.stop()
                self.mend(file, trouble)
            # Another trust anchor: nothing of what was judged under the first one counts.
            daemon.text = daemon.text.replace(world.anchor(), ". DS 12345 15 2 " + "AB" * 32)
            daemon.start(ready=False)
            answer = {}
            until = time.monotonic() + 10
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
        return max((one for one in pathlib.Path(folder, "state").rglob("*") if one.is_file()), key=lambda one: one.stat().st_size)

    @staticmethod
    def spoil(file, trouble):
        data = bytearray(file.read_bytes()) if trouble not in ("none", "owner", "directory") else b""
        if trouble == "truncated":
            file.write_bytes(data[:len(data) // 2 + 100])
        elif trouble == "flipped":
            for _ in range(200):
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
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
    number, title = 38, "the clock: hours ahead, hours behind, 1970"
    rule = "no signature holds that does not now; the daemon says that its clock is the problem"
    status = "clock-wrong"
    unbound, why_not = False, "its clock cannot be set alone"

    def act(self, lane):
        now = int(time.time())
        for title, when, wanted in (("1970", 86400, "failure"), ("a month ahead", now + 31 * 86400, "failure"), ("a day behind", now - 86400, "failure"),
                                    ("four hours ahead", now + 4 * 3600, "records"), ("right", now, "records")):
            daemon = Daemon(port=5362, test=f"time = {when}")
            try:
                daemon.start(ready=False)
                answer, until = {}, time.monotonic() + 15
                while not answer and time.monotonic() < until:
                    try:
                        answer = daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")
                    except Exception:       # noqa: BLE001 - not there yet
                        time.sleep(0.05)
                lane.check(f"{title}: the answer is a {wanted}", answer.get("outcome") == wanted and (wanted == "records") == (answer.get("security") == "secure"),
                           (answer.get("security"), answer.get("outcome"), answer.get("reason")))
                if wanted == "failure":
                    lane.check(f"{title}: the reason speaks of time", any(word in (answer.get("reason") or "") for word in ("expired", "not valid before")), answer.get("reason"))
                    lane.check(f"{title}: it is not kept for ever", (answer.get("ttl") or 0) <= 60, answer.get("ttl"))
            finally:
                daemon.remove()
        # A real start without a battery: in a place where it is 1970, if the kernel can be told so for one process alone.
        client = subprocess.run([str(__import__("built").CLIENT), "--socket", str(lane.daemon.socket_path), "--root", "/nonexistent", "status"], capture_output=True, text=True, check=False)
        lane.check("status tells of the clock", "clock" in client.stdout.lower(), client.stdout[-400:])


class Scarce(Local):
    number, title = 39, "disk full, 64 descriptors, 256 MiB of memory, no network, IPv6 present but dead"
    rule = "degraded, told, recovered from"
    status = "degraded"
    unbound, why_not = False, "not compared"

    def act(self, lane):
        self.descriptors(lane)
        self.disk(lane)
        self.memory(lane)
        self.network(lane)
        self.dead_family(lane)

    def asked(self, lane, daemon, title, wanted=("secure", "records")):
        answer = daemon.rrset(f"m{next(Benign.numbers)}.good.", "MX")
        lane.check(f"{title}: a benign question is answered", (answer["security"], answer["outcome"]) == wanted, (answer["security"], answer["outcome"], answer["reason"]))

    def descriptors(self, lane):
        daemon = Daemon(port=5363, limits=["--nofile=64:64"])
        try:
            daemon.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
                for number in range(300):
                    plug.sendto(wire.query(f"m{next(Benign.numbers)}.good.", "MX"), ("127.0.0.1", 5363))
                plug.settimeout(1.0)
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
            lane.check("disk full: the daemon lives", daemon.alive(), daemon.log()[-300:])
        except Exception as error:          # noqa: BLE001
            lane.check("disk full: the daemon serves", False, f"{error} {daemon.log()[-500:]}")
        finally:
            daemon.stop()
            subprocess.run(["umount", folder], check=False)
            daemon.remove()

    def memory(self, lane):
        daemon = Daemon(port=5365, limits=["--data=268435456"], cache=8)
        try:
            daemon.start()
            self.asked(lane, daemon, "256 MiB of memory")
        finally:
            daemon.remove()

    def network(self, lane):
        daemon = Daemon(port=5366)
        daemon.text = daemon.text.replace("20.53.0.1", "20.99.0.1")      # an address to which there is no route
        try:
            daemon.start(ready=False)
            answer, until = {}, time.monotonic() + 15
            while not answer and time.monotonic() < until:
                try:
                    answer = daemon.ask({"query": "mail", "domain": "m1.good", "deadline_ms": 2000})
                except Exception:           # noqa: BLE001 - not there yet
                    time.sleep(0.05)
            lane.check("no network: mail is deferred, with a reason", answer.get("decision", {}).get("action") == "defer", answer.get("decision"))
            subprocess.run(["ip", "address", "add", "20.99.0.1/32", "dev", "lo"], check=True)
        finally:
            subprocess.run(["ip", "address", "del", "20.99.0.1/32", "dev", "lo"], check=False, capture_output=True)
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
