"""Look-ahead: when an MX query comes over DNS, the hosts' addresses and TLSA are fetched before the MTA asks for them.

Seen from outside, on the wire: what mxtrust asks the name servers, and when. A daemon of its own, with an empty cache.
"""
import socket
import struct
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from lab import daemon as lab_daemon
from lab.loopback import taken_in

PORT = 53
OUTGOING = 4  # PACKET_OUTGOING: on loopback each packet is seen twice, once going out
TIMEOUT = 8.0
QUIET = 0.4
RUBBISH = 300
ONE_HOST = 6        # queries: its addresses and TLSA, those of a name server, what leads there
WORKERS = 2         # of the lab's configuration
SO_RCVBUFFORCE = 33


class Wire:
    """Queries that go to name servers, as (time, name, type), from the namespace's loopback interface."""

    def __init__(self):
        self.queries = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)     # for what comes while this process does not get to run
        self.socket.bind(("lo", 0))
        self.socket.settimeout(0.2)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.ended.is_set():
            try:
                packet, (_, _, kind, _, _) = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            payload = self.payload(packet) if kind == OUTGOING else None
            if payload is None:
                continue
            try:
                message = dns.message.from_wire(payload, ignore_trailing=True)
            except dns.exception.DNSException:
                continue
            if message.question and not message.flags & dns.flags.QR:
                question = message.question[0]
                name = question.name.to_text(omit_final_dot=True).lower()
                self.queries.append((time.monotonic(), name, dns.rdatatype.to_text(question.rdtype)))

    @staticmethod
    def payload(packet):
        """What a UDP packet to a name server carries; None of any other."""
        version = packet[0] >> 4
        header = (packet[0] & 15) * 4 if version == 4 else 40
        protocol = packet[9] if version == 4 else packet[6]
        if protocol != socket.IPPROTO_UDP or len(packet) < header + 8:
            return None
        to = struct.unpack("!H", packet[header + 2:header + 4])[0]
        return packet[header + 8:] if to == PORT else None

    def asked(self, since):
        return {(name, rrtype) for when, name, rrtype in self.queries if when >= since}

    def quiet(self, since, wanted=()):
        """All that was asked SINCE, once what is WANTED was and nothing more comes."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            last = self.queries[-1][0] if self.queries else since
            if time.monotonic() - max(last, since) > QUIET and self.asked(since).issuperset(wanted):
                break
            time.sleep(0.05)
        return self.asked(since)

    def close(self):
        self.ended.set()
        self.thread.join()
        self.socket.close()


class Case:
    def __init__(self, wire, daemon):
        self.wire, self.daemon = wire, daemon

    def query(self, name, rrtype, flags=dns.flags.RD | dns.flags.AD):
        query = dns.message.make_query(name, rrtype, flags=flags)
        return dns.query.udp(query, "127.0.0.1", port=self.daemon.dns_port, timeout=TIMEOUT)

    def mx(self, domain, *wanted):
        """Asks for MX alone; what went out because of it, and at least what is WANTED, where that comes at all."""
        since = time.monotonic()
        self.query(domain, "MX")
        return self.wire.quiet(since, wanted)

    def counter(self, group, key):
        return self.daemon.at_rest()[group][key]


def lacks(asked, wanted):
    return [f"{name} {rrtype} was not asked" for name, rrtype in wanted if (name, rrtype) not in asked]


def never_tlsa(asked):
    return [f"{name} {rrtype} was asked" for name, rrtype in asked if rrtype == "TLSA"]


def without_tlsa(case, domain, host):
    since = time.monotonic()
    wrong = lacks(case.mx(domain, (host, "A")), [(host, "A")])
    case.daemon.at_rest()   # what would be asked is asked by then
    return wrong + never_tlsa(case.wire.quiet(since))


def fetched_ahead(case):
    """The name servers are asked for the host before the MTA asks; and then the MTA's own questions cost them nothing."""
    wanted = [("mx.dane-ee.nlx", "A"), ("mx.dane-ee.nlx", "AAAA"), ("_25._tcp.mx.dane-ee.nlx", "TLSA")]
    wrong = lacks(case.mx("dane-ee.nlx", *wanted), wanted)
    case.daemon.at_rest()   # what one worker has fetched the other one knows when it is written
    since = time.monotonic()
    for name, rrtype in wanted:
        answer = case.query(name, rrtype)
        if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AD or not answer.answer:
            wrong.append(f"{name} {rrtype}: {answer.to_text()}")
    again = case.wire.quiet(since)
    return wrong + [f"{name} {rrtype} was asked once more" for name, rrtype in again]


def several_hosts(case):
    wanted = [(f"mx{n}.one-tlsa-bogus.nlx", "A") for n in (1, 2, 3)] + [(f"_25._tcp.mx{n}.one-tlsa-bogus.nlx", "TLSA") for n in (1, 2, 3)]
    return lacks(case.mx("one-tlsa-bogus.nlx", *wanted), wanted)


def behind_alias(case):
    """TLSA at the end of the alias, which is not known before the addresses are."""
    wanted = [("_25._tcp.mx1.mailhost.nlx", "TLSA")]
    return lacks(case.mx("alias-dname.nlx", *wanted), wanted)


def implicit(case):
    wanted = [("implicit.nlx", "A"), ("_25._tcp.implicit.nlx", "TLSA")]
    return lacks(case.mx("implicit.nlx", *wanted), wanted)


def insecure(case):
    """Where the addresses are insecure, TLSA is not asked: some servers do not answer it (mail-trust, case 19)."""
    return without_tlsa(case, "plain.oldx", "mx.plain.oldx")


def insecure_host(case):
    return without_tlsa(case, "host-tlsa-broken.nlx", "mx.tlsa-broken.oldx")


def insecure_host_below_signed(case):
    return without_tlsa(case, "host-on-island.nlx", "mx.island.bighost.nlx")


def insecure_below_optout(case):
    return without_tlsa(case, "unsigned.comx", "mx.unsigned.comx")


def nothing_to_ask(case):
    """Null MX, no such domain, bogus: there is no host to ask for."""
    wrong = []
    before = case.counter("mail", "ahead")
    for domain in ("null-mx.nlx", "nosuch.nlx", "mx-corrupt.nlx", "mx-servfail.nlx"):
        asked = case.mx(domain)
        wrong += never_tlsa(asked) + [f"{name} A was asked" for name, rrtype in asked if rrtype == "A" and name in (domain, f"mx.{domain}")]
    if case.counter("mail", "ahead") != before:
        wrong.append("hosts were fetched")
    return wrong


def rubbish(case):
    """A flood of names that do not exist, and one of names that all have the same MX: neither multiplies."""
    before = case.counter("mail", "ahead")
    since = time.monotonic()
    wrong = flood(case, [f"rubbish{n}.dane-ee.nlx" for n in range(RUBBISH)])
    wrong += never_tlsa(case.wire.quiet(since))
    grown = case.counter("mail", "ahead") - before
    if grown:
        wrong.append(f"{grown} hosts were fetched for nothing")
    since, slow = time.monotonic(), case.counter("resolver", "upstream_retries")
    wrong += flood(case, [f"rubbish{n}.mx-wildcard.nlx" for n in range(RUBBISH)])
    case.wire.quiet(since)
    slow = case.counter("resolver", "upstream_retries") - slow
    queries = [(name, rrtype) for when, name, rrtype in case.wire.queries if when >= since and rrtype in ("A", "AAAA", "TLSA")]
    # What one worker has found out is the other's as soon as it is stored; both may begin before. A server that is slow is helped by another.
    if len(set(queries)) > ONE_HOST or len(queries) - slow > ONE_HOST * WORKERS:
        wrong.append(f"{len(queries)} queries for one host: {sorted(queries)}")
    if case.query("dane-ee.nlx", "MX").rcode() != dns.rcode.NOERROR:
        wrong.append("the daemon does not answer any more")
    return wrong


def flood(case, names):
    """All at once, without waiting for answers in between; but no faster than they are taken off the socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # Room for all replies: none is read before all is asked.
        sender.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        sender.connect(("127.0.0.1", case.daemon.dns_port))
        sender.settimeout(TIMEOUT)
        for number, name in enumerate(names):
            sender.send(dns.message.make_query(name, "MX").to_wire())
            if number % 50 == 49:
                taken_in(case.daemon.dns_port)
        replies = 0
        try:
            for replies in range(1, len(names) + 1):
                sender.recv(4096)
        except TimeoutError:
            return [f"{replies - 1} replies to {len(names)} queries"]
    return []


CASES = [
    ("A, AAAA and TLSA of the host are asked as soon as MX is", fetched_ahead),
    ("of all hosts", several_hosts),
    ("of the target of an alias", behind_alias),
    ("of the domain itself where it has no MX", implicit),
    ("TLSA is not asked in an unsigned domain", insecure),
    ("TLSA is not asked in an unsigned domain below opt-out", insecure_below_optout),
    ("TLSA is not asked of a host in an unsigned TLD", insecure_host),
    ("TLSA is not asked of a host that is alone insecurely delegated", insecure_host_below_signed),
    ("nothing is asked where there are no hosts", nothing_to_ask),
    ("a flood of rubbish does not multiply", rubbish),
]


def run(state, report):
    wire = Wire()
    try:
        with lab_daemon.Daemon(state) as daemon:
            case = Case(wire, daemon)
            for told, check in CASES:
                report(f"look-ahead: {told}", check(case))
    finally:
        wire.close()
