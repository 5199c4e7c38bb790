"""What an operator sees: lines with fields in the journal and without one, metrics as Prometheus wants them, and errors that are told to
who wants to know them."""
import array
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

import built
from service.days import Day, until

GOOD, BROKEN = "dane-ee.nlx", "mx-expired.nlx"
FLOOD_INTERVAL = 10             # seconds, in each of which two hundred failures are told
SMALL = {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER"}        # fields that are not ours


class Journal:
    """The socket where sd_journal_sendv(3) puts its lines: the native protocol, for one process that finds it in its own /run."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "journal"
        self.folder.mkdir()
        os.chmod(self.folder, 0o755)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(str(self.folder / "socket"))
        os.chmod(self.folder / "socket", 0o666)
        self.socket.settimeout(0.2)
        self.lines: list[dict] = []
        self.malformed: list[bytes] = []
        self.over = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def wrapper(self) -> list[str]:
        script = 'mount -t tmpfs mxtrust-test /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal && exec "$@"'
        return ["unshare", "-m", "/bin/sh", "-c", script, str(self.folder)]

    def read(self) -> None:
        while not self.over:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(1 << 18, 1024)
            except TimeoutError:
                continue
            for level, kind, value in ancillary:            # a long one comes in a file
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    for number in array.array("i", value):
                        data = os.pread(number, 1 << 20, 0)
                        os.close(number)
            self.take(data)

    def take(self, data: bytes) -> None:
        """Fields "NAME=value\\n", or "NAME\\n", its length in 64 bits, and value with a line feed (systemd.journal-fields(7))."""
        fields, rest = {}, data
        while rest:
            head, _, rest = rest.partition(b"\n")
            name, equals, value = head.partition(b"=")
            if not equals:
                size = struct.unpack("<Q", rest[:8])[0]
                value, rest = rest[8:8 + size], rest[9 + size:]
            if not re.fullmatch(rb"[A-Z][A-Z0-9_]*", name):
                self.malformed.append(data)
            fields[name.decode()] = value.decode(errors="replace")
        self.lines.append(fields)

    def with_event(self, event: str) -> list[dict]:
        return [line for line in list(self.lines) if line.get("MXTRUST_EVENT") == event]

    def close(self) -> None:
        self.over = True
        self.reader.join()
        self.socket.close()


def journal(state, folder: pathlib.Path, tally, table) -> None:
    """One event, one line, with fields; what belongs to a question has its number; no domain unless it failed."""
    receiver = Journal(folder)
    daemon = Day(state, folder, server='log-target = "journal"\n')
    daemon.wrapper = receiver.wrapper()
    with daemon:
        for domain in (GOOD, BROKEN):
            daemon.ask({"query": "mail", "domain": domain, "deadline_ms": 5000})
        tally.check("the journal gets what failed", until(lambda: receiver.with_event("bogus"), 30), receiver.lines)
        line = (receiver.with_event("bogus") or [{}])[0]
        wanted = {"PRIORITY": "6", "SYSLOG_IDENTIFIER": "mxtrustd", "MXTRUST_SECURITY": "bogus", "MXTRUST_NAME": BROKEN, "MXTRUST_TYPE": "MX",
                  "MXTRUST_ZONE": BROKEN}
        tally.check("with fields", {key: line.get(key) for key in wanted} == wanted, line)
        tally.check("with the code of its line of source, and the question's number", re.fullmatch("[A-Z0-9]{4}", line.get("MXTRUST_CODE", "")) is not None
                    and re.fullmatch("[1-9][0-9]*", line.get("MXTRUST_QUESTION", "")) is not None, line)
        tally.check("as the journal's protocol has it, one line each", not receiver.malformed and all("\n" not in one["MESSAGE"] for one in receiver.lines),
                    receiver.malformed)
        named = [one for one in receiver.lines if GOOD in str(one)]
        tally.check("no domain that did not fail is named", not named, named)
        tally.check("nothing goes to stderr besides", not daemon.log().strip(), daemon.log_tail())
        before, begun = len(receiver.lines), time.monotonic()
        for _ in range(1000):
            daemon.ask({"query": "rrset", "name": BROKEN, "type": "MX"})
        spans = 2 + (time.monotonic() - begun) // FLOOD_INTERVAL    # in which it was told: one, or two where another one began meanwhile
        until(lambda: len(receiver.lines) - before >= 200, 20)
        more = len(receiver.lines) - before
        tally.check("a thousand failures are two hundred lines", 100 <= more <= 200 * spans + 5 and more < 1000, (more, spans))
        table.row("journal", f"{len(receiver.lines)} lines", ", ".join(sorted(set().union(*receiver.lines) - SMALL)))
        daemon.stop()
    receiver.close()


def numbers(state, folder: pathlib.Path, tally, table) -> None:
    """Without a journal: key=value behind the words, and one number through all that is done for a question."""
    with Day(state, folder, log_level="debug") as daemon:
        until(lambda: "root probe" in daemon.log(), 40)
        daemon.ask({"query": "mail", "domain": GOOD, "deadline_ms": 5000})
        other = dns.message.make_query("www.signed.comx", "A")
        dns.query.udp(other, "127.0.0.1", port=daemon.dns_port, timeout=20)
        until(lambda: "answered: DNS www.signed.comx" in daemon.log(), 20)
        lines = daemon.log().splitlines()
        for what, words in (("mail", f"answered: mail {GOOD}"), ("DNS", "answered: DNS www.signed.comx")):
            ends = [re.search(r" \| question=(\d+)", line) for line in lines if words in line]
            tally.check(f"{what}: one line when it is answered, with its number", len(ends) == 1 and ends[0] is not None, daemon.log_tail())
            number = ends[0][1] if ends and ends[0] else "?"
            mine = [line for line in lines if re.search(rf"question={number}\b", line)]
            kinds = {line.split(" ", 2)[2].split(":")[0] for line in mine}
            tally.check(f"{what}: what was sent and received for it has the same", {"sent", "received", "answered"} <= kinds, mine)
            table.row(f"{what} question {number}, in the log", f"{len(mine)} lines", mine[0][30:] if mine else "")
        lost = [line for line in lines if re.search(r" (sent|received|answered): ", line) and "question=" not in line]
        tally.check("no line of a question is without one", not lost, lost[:3])
        daemon.stop()


def scrape(path: pathlib.Path) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while piece := client.recv(65536):
            said += piece
    return said.partition(b"\r\n\r\n")[2].decode()


def promtool(page: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(built.ROOT / "build/tools/usr/bin/promtool"), "check", "metrics"], input=page, capture_output=True, text=True)


def metrics(state, folder: pathlib.Path, tally, table) -> None:
    """What Prometheus' own tool says to them, and what the dashboard asks for."""
    path = folder / "metrics.sock"
    with Day(state, folder, server=f"metrics-listen = {json.dumps(str(path))}\n") as daemon:
        for domain in (GOOD, BROKEN):
            daemon.ask({"query": "mail", "domain": domain, "deadline_ms": 5000})
        page = scrape(path)
        done = promtool(page)
        tally.check("promtool check metrics finds nothing", done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr)
        tally.check("and would find it", promtool(page.replace("_total{", "_sum_of{", 1)).returncode != 0)
        limits = set(re.findall(r'mxtrust_budget_exhausted_total\{limit="(\w+)"\}', page))
        tally.check("each limit has a counter", limits == {"packets", "bytes", "verifications", "failures", "nsec3_hashes", "lookups", "answer"}, limits)
        text = (built.ROOT / "resolver/serve/dashboard.json").read_text()
        asked = set(re.findall(r"mxtrust_[a-z_]+", " ".join(re.findall(r'"expr": *"((?:[^"\\]|\\.)*)"', text))))
        # Of forwarders there is something where there are any.
        missing = {name for name in asked if not re.search(rf"^{name}[ {{]", page, re.M) and not name.startswith("mxtrust_forwarder_")}
        tally.check("each metric of the dashboard is there", len(asked) > 25 and not missing, missing)
        tally.check("no domain is in them", GOOD not in page and BROKEN not in page)
        passed_metrics(state, folder, tally)
        table.row("metrics", f"{len(re.findall('^# TYPE', page, re.M))} kinds", f"promtool: nothing to say; dashboard: {len(asked)} of them")
        daemon.stop()


def passed_metrics(state, folder: pathlib.Path, tally) -> None:
    """A socket of systemd's, instead of what is configured."""
    place = folder / "passed"
    place.mkdir()
    os.chmod(place, 0o755)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(place / "m.sock"))
    os.chmod(place / "m.sock", 0o666)
    door.listen(16)
    with Day(state, place, passed=[("metrics", door)], own=True, server=f"metrics-listen = {json.dumps(str(place / 'unused.sock'))}\n") as daemon:
        page = scrape(place / "m.sock")
        tally.check("metrics on a socket that systemd passes", "mxtrust_build_info" in page and not (place / "unused.sock").exists(), page[:200])
        daemon.stop()
        tally.check("which stays where it is", (place / "m.sock").exists())
    door.close()


class Owner(threading.Thread):
    """Name server of "broken.", which fails and names an agent, and of the agent's zone."""
    ADDRESS = "127.0.77.1"

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.ADDRESS, 53))
        self.socket.settimeout(0.2)
        self.asked: list[tuple[str, str, bool]] = []
        self.with_option = 0
        self.over = False

    def run(self) -> None:
        while not self.over:
            try:
                wire, client = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(wire)
            name, kind = query.question[0].name, query.question[0].rdtype
            codes = [int(option.otype) for option in query.options]
            self.asked.append((name.to_text().lower(), dns.rdatatype.to_text(kind), 10 in codes))
            self.with_option += 18 in codes
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            if name.is_subdomain(dns.name.from_text("broken.")):
                reply.set_rcode(dns.rcode.SERVFAIL)
                reply.use_edns(0, options=[dns.edns.GenericOption(18, dns.name.from_text("agent.").to_wire())])
            elif kind == dns.rdatatype.TXT:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", '"thanks"'))
            else:
                reply.authority.append(dns.rrset.from_text("agent.", 60, "IN", "SOA", "ns.agent. x.agent. 1 60 60 60 60"))
            self.socket.sendto(reply.to_wire(), client)

    def reports(self) -> list[str]:
        return [name for name, kind, _ in list(self.asked) if kind == "TXT" and name.startswith("_er.")]

    def close(self) -> None:
        self.over = True
        self.join()
        self.socket.close()


class Reporting(Day):
    def __init__(self, state, folder, enabled: bool):
        super().__init__(state, folder)
        self.enabled = enabled

    def configuration(self):
        far = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 90 * 86400))
        # Limits are each worker's own.
        text = super().configuration().replace("[test]\n", "[test]\nallow-loopback-authorities = true\n").replace("workers = 2", "workers = 1")
        if self.enabled:
            text = text.replace("[resolver]\n", "[resolver]\nerror-reporting = true\n")
        words = ", ".join(f'{{ name = "{zone}", reason = "x", expires = {far} }}' for zone in ("broken", "agent"))
        text += f"[dnssec]\nnegative-trust-anchors = [{words}]\n"
        return text + "".join(f'[[stub]]\nzone = "{zone}"\naddresses = ["{Owner.ADDRESS}"]\n' for zone in ("broken", "agent"))


def reports(state, folder: pathlib.Path, tally, table) -> None:
    """RFC 9567: told where it is wanted, once, with a cookie; else not at all."""
    for enabled in (False, True):
        owner = Owner()
        owner.start()
        place = folder / str(enabled)
        place.mkdir()
        with Reporting(state, place, enabled) as daemon:
            for _ in range(3):
                daemon.ask({"query": "rrset", "name": "mail.broken", "type": "MX"})
            if not enabled:
                time.sleep(0.5)
                tally.check("error reporting: off by default", len(owner.asked) > 0 and not owner.reports(), owner.asked)
            else:
                until(owner.reports, 30)
                tally.check("error reporting: the agent is told", owner.reports()[:1] == ["_er.15.mail.broken.22._er.agent."], (owner.asked, daemon.log_tail()))
                time.sleep(0.5)
                resolver = daemon.ask({"query": "status"})["resolver"]
                slow = resolver["upstream_retries"]     # where this process was late, it was told again what it had heard
                tally.check("error reporting: once", 1 <= len(owner.reports()) <= 1 + slow and resolver["reports"] == 1, (owner.asked, slow))
                cookies = [cookie for name, _, cookie in owner.asked if name.startswith("_er.")]
                tally.check("error reporting: with a cookie, and never the option itself", all(cookies) and owner.with_option == 0, owner.asked)
                for _ in range(5):
                    daemon.ask({"query": "rrset", "name": "_er.15.x.22._er.broken", "type": "TXT"})
                time.sleep(0.5)
                told = {name for name in owner.reports() if not name.endswith(".broken.")}
                resolver = daemon.ask({"query": "status"})["resolver"]
                tally.check("error reporting: no report about a report", len(told) == 1 and resolver["reports"] == 1, owner.asked)
                table.row("error reporting", "once, with a cookie", owner.reports()[0] if owner.reports() else "")
            daemon.stop()
        owner.close()


def run(state, folder: pathlib.Path, tally, table) -> None:
    os.chmod(folder, 0o755)
    os.chmod(folder.parent, 0o755)
    for part in (journal, numbers, metrics, reports):
        place = folder / part.__name__
        place.mkdir()
        part(state, place, tally, table)
