"""The query socket under malformed requests, hostile clients, unknown domains and invalid names."""
import json
import random
import socket
import subprocess
import threading
import time

import built

LONG_LABEL = "a" * 64
LONG_NAME = ".".join(["a" * 60] * 5)
# Each gets one reply with the error bad-request, and the connection stays usable. The text must name what is wrong.
BAD_LINES = [
    (b"{", ""), (b"{}", "query"), (b"[]", ""), (b'{"query":}', ""), (b'{"query":"mail"', ""), (b'{"query":1}', "query"),
    (b'{"query":null}', "query"), (b'{"query":"nonsense"}', "nonsense"), (b'{"query":"mail"}', "domain"),
    (b'{"query":"mail","domain":7}', "domain"), (b'{"query":"mail","domain":""}', "domain"),
    (b'{"query":"mail","domain":"a..b"}', "domain"), (b'{"query":"mail","domain":"%s.example"}' % LONG_LABEL.encode(), "63"),
    (b'{"query":"mail","domain":"%s"}' % LONG_NAME.encode(), ""), (b'{"query":"mail","domain":"a b.example"}', "domain"),
    (b'{"query":"mail","domain":"a\\u0000b.example"}', "domain"), (b'{"query":"mail","domain":"a\\nb.example"}', "domain"),
    (b'{"query":"mail","domain":"xn--\xc3\xa4.example"}', "domain"), (b'{"query":"mail","domain":"[192.0.2.999]"}', "domain"),
    (b'{"query":"mail","domain":"[a.example"}', "domain"), (b'{"query":"mail","domain":"[a.example]:0"}', "domain"),
    (b'{"query":"mail","domain":"[a.example]:65536"}', "domain"), (b'{"query":"mail","domain":"\xff\xfe"}', ""),
    (b'{"query":"mail","domain":"a.example","port":0}', "port"), (b'{"query":"mail","domain":"a.example","port":65536}', "port"),
    (b'{"query":"mail","domain":"a.example","port":"25"}', "port"), (b'{"query":"mail","domain":"a.example","port":2.5}', "port"),
    (b'{"query":"mail","domain":"a.example","port":99999999999999999999}', "port"),
    (b'{"query":"mail","domain":"a.example","deadline_ms":99}', "deadline_ms"),
    (b'{"query":"mail","domain":"a.example","deadline_ms":30001}', "deadline_ms"),
    (b'{"query":"mail","domain":"a.example","deadline_ms":-1}', "deadline_ms"),
    (b'{"query":"mail","domain":"a.example","refresh":1}', "refresh"), (b'{"query":"mail","domain":"a.example","sts":"yes"}', "sts"),
    (b'{"query":"rrset","name":"a.example"}', "type"), (b'{"query":"rrset","type":"MX"}', "name"),
    (b'{"query":"rrset","name":"a.example","type":"MXX"}', "type"), (b'{"query":"rrset","name":"a..example","type":"MX"}', "name"),
    (b'{"query":"rrset","name":"a.example","type":"AXFR"}', "type"), (b'{"query":"flush"}', "name"),
    (b'{"query":"flush","name":"a.example","subtree":"no"}', "subtree"), (b'{"query":"failing","limit":0}', "limit"),
    (b'{"query":"explain"}', ""), (b'{"query":"status"} trailing', ""), (b'{"a":' * 700 + b"1" + b"}" * 700, ""),
    (b'{"query":"mail","domain":"' + b"a." * 1500 + b'"}', ""), (b"mail", "mail DOMAIN"), (b"mail a.example b.example", "mail DOMAIN"),
    (b"mail a..b", ""), (b"rrset a.example", "rrset NAME TYPE"), (b"rrset a.example NONSENSE", "NONSENSE"), (b"frobnicate", "frobnicate"),
    (b"MAIL", ""), (b"", ""), (b"   ", ""), (b"\xff\xfe\xfd", ""), (b"\x00\x01\x02", ""), (b"\x1b[31mred", ""), (b"GET / HTTP/1.1", ""),
    (b"flush", "flush NAME"), (b"explain", "explain"), (b"status now", "status"),
]


class Raw:
    """A connection that may say anything."""

    def __init__(self, daemon, timeout: float = 30.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(daemon.socket_path))
        self.rest = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> bytes:
        """The next line, or what there was before the end."""
        while b"\n" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                line, self.rest = self.rest, b""
                return line
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def close(self) -> None:
        self.socket.close()

    def works(self) -> bool:
        """Is the connection still good for a question?"""
        self.send(b'{"query":"status","id":"still here"}\n')
        return json.loads(self.line() or b"{}").get("id") == "still here"


def malformed(daemon, tally) -> None:
    connection = Raw(daemon)
    for line, word in BAD_LINES:
        connection.send(line + b"\n")
        reply = connection.line()
        try:
            error = json.loads(reply)["error"]
            good = error["code"] == "bad-request" and word in error["text"] and not any(ord(c) < 32 for c in error["text"])
        except (ValueError, KeyError, TypeError):
            good = False
        tally.check(f"malformed: {line[:60]!r} is a bad request that says what is wrong", good, reply)
    tally.check("after all of them the connection is still usable", connection.works())
    connection.send(b'{"query":"nonsense","id":[1]}\n{"query":"nonsense","id":"x"}\n{"query":"nonsense","id":42}\n')
    ids = [json.loads(connection.line()).get("id") for _ in range(3)]
    tally.check("the id comes back with an error, too", ids == [None, "x", 42], ids)
    connection.close()
    connection = Raw(daemon)
    connection.send(b"decide a..b\n")
    reply = connection.line()
    tally.check("a malformed `decide` is answered in words, not in JSON", reply.startswith(b"error") and b"bad-request" in reply, reply)
    connection.send(b"mail " + b"a" * 5000 + b"\n")
    reply = connection.line()
    tally.check("a line over 4096 octets is a bad request", b"bad-request" in reply and b"4096" in reply, reply)
    connection.close()
    connection = Raw(daemon)
    try:
        connection.send(b"x" * 10_000_000)
        connection.socket.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    try:
        reply = connection.line()
    except OSError:
        reply = b"(closed)"
    tally.check("an endless line is not collected", len(reply) < 1000 and Raw(daemon).works(), reply[:100])


def pipelining(daemon, tally) -> None:
    connection = Raw(daemon)
    count = 500
    connection.send(b"".join(b'{"query":"mail","domain":"null-mx.nlx","id":%d}\n' % number for number in range(count)))
    seen = sorted(json.loads(connection.line())["id"] for _ in range(count))
    tally.check("pipelined requests are all answered, each once", seen == list(range(count)), len(seen))
    connection.send(b"mail null-mx.nlx\nmail unsigned.nlx\nmail null-mx.nlx\n")
    domains = [json.loads(connection.line())["domain"] for _ in range(3)]
    tally.check("text requests are answered in order", domains == ["null-mx.nlx", "unsigned.nlx", "null-mx.nlx"], domains)
    connection.close()
    connection = Raw(daemon)
    connection.send(b"mail dane-ee.nlx")
    connection.socket.shutdown(socket.SHUT_WR)
    reply, end = connection.line(), connection.socket.recv(10)
    tally.check("a last line without line feed is answered at EOF, then the connection is closed",
                json.loads(reply or b"{}").get("domain") == "dane-ee.nlx" and end == b"", reply)
    connection.close()


def hostile(daemon, tally, seed: int) -> None:
    for _ in range(50):             # asks and goes away
        connection = Raw(daemon)
        connection.send(b'{"query":"mail","domain":"slow.nlx","refresh":true}\n')
        connection.close()
    tally.check("clients that leave before their answer do no harm", Raw(daemon).works())
    deaf = Raw(daemon)
    deaf.socket.settimeout(2.0)
    sent = 0
    try:                            # asks without end and never reads
        while sent < 20_000:
            deaf.send(b'{"query":"status"}\n' * 100)
            sent += 100
    except OSError:
        pass
    started = time.monotonic()
    tally.check("a client that never reads does not hold up others", Raw(daemon).works() and time.monotonic() - started < 10)
    deaf.close()
    crowd = []
    try:
        for _ in range(300):
            crowd.append(Raw(daemon))
    except OSError:
        pass
    served = sum(1 for connection in crowd[:50] if _tries(connection))
    tally.check("a crowd of idle connections is served or refused, but not mixed up", served >= 1, served)
    for connection in crowd:
        connection.close()
    chance = random.Random(seed)
    good = [line for line, _ in BAD_LINES if line] + [b'{"query":"mail","domain":"dane-ee.nlx","id":1}', b"rrset dane-ee.nlx MX",
                                                      b"explain dane-ee.nlx", b"decide null-mx.nlx", b"failing"]
    for _ in range(300):
        line = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 6)):
            if line:
                line[chance.randrange(len(line))] = chance.randrange(256)
        connection = Raw(daemon)
        connection.send(bytes(line).replace(b"\n", b" ") + b"\n")
        reply = connection.line()
        if not reply:
            tally.check(f"random line (seed {seed}) {bytes(line)!r} gets a reply", False)
        connection.close()
    tally.check(f"after 300 random lines (seed {seed}) the daemon answers", Raw(daemon).works())
    threads = [threading.Thread(target=lambda: [Raw(daemon).works() for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.check("many short connections at once", Raw(daemon).works())


def _tries(connection: Raw) -> bool:
    try:
        return connection.works()
    except (OSError, ValueError):
        return False


# Stands for a directory without any configuration.
NOTHING = "NOTHING"
# arguments, exit status, a word of the output
CLIENT = [
    (["dane-ee.nlx"], 0, "dane"), (["nosuch.nlx"], 2, "5.1.2"), (["null-mx.nlx"], 2, "5.1.10"), (["mx-expired.nlx"], 1, "4.7.324"),
    (["mx-servfail.nlx"], 1, "4.4.312"), (["--json", "unsigned.nlx"], 0, '"insecure"'), (["a..b"], 64, ""), ([LONG_LABEL + ".nlx"], 64, ""),
    ([], 64, ""), (["--frobnicate"], 64, ""), (["rrset", "dane-ee.nlx", "NONSENSE"], 64, "NONSENSE"), (["rrset", "dane-ee.nlx", "MX"], 0, "secure"),
    (["explain", "dane-ee.nlx"], 0, "nlx"), (["--root", NOTHING, "status"], 0, "secure"),
    (["--root", "/nonexistent", "status"], 64, "/nonexistent"), (["--port", "25", "status"], 64, "--port"), (["--", "dane-ee.nlx"], 0, "DANE"),
]


def client(daemon, tally) -> None:
    nothing = daemon.folder / "nothing"
    nothing.mkdir()
    for arguments, status, word in CLIENT:
        words = [str(nothing) if one == NOTHING else one for one in arguments]
        done = subprocess.run([str(built.CLIENT), "--socket", str(daemon.socket_path), *words], capture_output=True, text=True,
                              check=False, timeout=60)
        tally.check(f"mxtrust {' '.join(arguments)[:40]} exits with {status} and says {word!r}",
                    done.returncode == status and word in done.stdout + done.stderr,
                    f"status {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}")
    done = subprocess.run([str(built.CLIENT), "--socket", str(daemon.folder / "nobody.sock"), "a.example"], capture_output=True, text=True,
                          check=False, timeout=60)
    tally.check("mxtrust without a daemon exits with 69 and names the socket", done.returncode == 69 and "nobody.sock" in done.stderr,
                f"status {done.returncode}: {done.stderr}")


def run(daemon, tally, seed: int) -> None:
    """All of it against one daemon."""
    for part in (malformed, pipelining, client):
        part(daemon, tally)
        tally.check(f"the daemon lives on after {part.__name__}", daemon.alive(), daemon.log_tail())
    hostile(daemon, tally, seed)
    tally.check("the daemon lives on after hostile clients", daemon.alive(), daemon.log_tail())
