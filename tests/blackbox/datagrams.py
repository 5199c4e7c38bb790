"""The DNS listener under malformed messages, over UDP and TCP."""
import random
import socket
import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype

HEADER = struct.Struct("!HHHHHH")
GOOD = dns.message.make_query("dane-ee.nlx", "MX", want_dnssec=True).to_wire()
RD = 0x0100


def question(name: bytes, qtype: int = 15, qclass: int = 1) -> bytes:
    return name + struct.pack("!HH", qtype, qclass)


NAME = b"\x07dane-ee\x03nlx\x00"
# title, message, what must come back: an rcode, or None for silence
MALFORMED = [
    ("an empty datagram", b"", None),
    ("eleven octets", b"\x00" * 11, None),
    ("a response", HEADER.pack(1, 0x8180, 1, 0, 0, 0) + question(NAME), None),
    ("a header alone", HEADER.pack(2, RD, 1, 0, 0, 0), dns.rcode.FORMERR),
    ("no question", HEADER.pack(3, RD, 0, 0, 0, 0), dns.rcode.FORMERR),
    ("two questions", HEADER.pack(4, RD, 2, 0, 0, 0) + question(NAME) * 2, dns.rcode.FORMERR),
    ("a question cut short", HEADER.pack(5, RD, 1, 0, 0, 0) + NAME + b"\x00", dns.rcode.FORMERR),
    ("a pointer to itself", HEADER.pack(6, RD, 1, 0, 0, 0) + b"\xc0\x0c\x00\x0f\x00\x01", dns.rcode.FORMERR),
    ("a pointer behind the end", HEADER.pack(7, RD, 1, 0, 0, 0) + b"\xff\xff\x00\x0f\x00\x01", dns.rcode.FORMERR),
    ("a label of a reserved kind", HEADER.pack(8, RD, 1, 0, 0, 0) + b"\x80abc\x00\x00\x0f\x00\x01", dns.rcode.FORMERR),
    ("a name of 300 octets", HEADER.pack(9, RD, 1, 0, 0, 0) + question((b"\x3b" + b"a" * 59) * 5 + b"\x00"), dns.rcode.FORMERR),
    ("an update", HEADER.pack(10, 5 << 11, 1, 0, 0, 0) + question(NAME, 6), dns.rcode.NOTIMP),
    ("a notify", HEADER.pack(11, 4 << 11, 1, 0, 0, 0) + question(NAME, 6), dns.rcode.NOTIMP),
    ("two OPT records", HEADER.pack(12, RD, 1, 0, 0, 2) + question(NAME) + b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00" * 2, dns.rcode.FORMERR),
    ("EDNS version 1", HEADER.pack(13, RD, 1, 0, 0, 1) + question(NAME) + b"\x00\x00\x29\x04\xd0\x00\x01\x80\x00\x00\x00", dns.rcode.BADVERS),
    ("rubbish behind the message", HEADER.pack(14, RD, 1, 0, 0, 0) + question(NAME) + b"rubbish", dns.rcode.FORMERR),
]
# name, type, class, the rcodes that are right
QUESTIONS = [
    ("dane-ee.nlx", "MX", "IN", "NOERROR", True), ("unsigned.nlx", "MX", "IN", "NOERROR", False),
    ("nosuch.nlx", "A", "IN", "NXDOMAIN", True), ("mx-expired.nlx", "MX", "IN", "SERVFAIL", False),
    ("mx-servfail.nlx", "MX", "IN", "SERVFAIL", False), ("dane-ee.nlx", "TXT", "IN", "NOERROR", True),
    ("dane-ee.nlx", "A", "CH", "REFUSED", False), ("dane-ee.nlx", "AXFR", "IN", "REFUSED", False),
    ("dane-ee.nlx", "TYPE65280", "IN", "NOERROR", True), (".", "NS", "IN", "NOERROR", True),
]


def exchange(daemon, wire: bytes, wait: float = 20.0) -> bytes | None:
    """One datagram there, one back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(wait)
        client.connect(("127.0.0.1", daemon.dns_port))
        try:
            client.send(wire)
            return client.recv(65535)
        except OSError:
            return None


def stream(daemon, data: bytes, wait: float = 20.0) -> bytes:
    """Anything over TCP; what came back until the end or the time."""
    got = b""
    with socket.create_connection(("127.0.0.1", daemon.dns_port), wait) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while more := client.recv(65535):
                got += more
        except OSError:
            pass
    return got


def rcode_of(wire: bytes | None):
    if wire is None:
        return None
    try:
        return dns.message.from_wire(wire, ignore_trailing=False).rcode()
    except Exception as error:      # pylint: disable=broad-except  # whatever dnspython thinks of it
        return f"unreadable: {error}"


def lives(daemon) -> bool:
    reply = exchange(daemon, GOOD)
    return rcode_of(reply) == dns.rcode.NOERROR


def run(daemon, tally, seed: int) -> None:
    """All of it against one daemon, from inside the world."""
    tally.check("DNS works", lives(daemon))
    for title, wire, wanted in MALFORMED:
        got = rcode_of(exchange(daemon, wire, 0.5 if wanted is None else 20.0))
        tally.check(f"UDP, {title}: {'silence' if wanted is None else dns.rcode.to_text(wanted)}", got == wanted, got)
        if wire:
            reply = stream(daemon, struct.pack("!H", len(wire)) + wire)
            got = rcode_of(reply[2:] if reply else None)
            tally.check(f"TCP, {title}: {'closed or silent' if wanted is None else dns.rcode.to_text(wanted)}", got == wanted, got)
    for name, qtype, qclass, wanted, authentic in QUESTIONS:
        query = dns.message.make_query(name, qtype, qclass, want_dnssec=True)
        for way in (dns.query.udp, dns.query.tcp):
            reply = way(query, "127.0.0.1", timeout=20, port=daemon.dns_port)
            good = dns.rcode.to_text(reply.rcode()) == wanted and bool(reply.flags & dns.flags.AD) == authentic
            tally.check(f"{way.__name__} {name} {qtype} {qclass}: {wanted}, AD {'set' if authentic else 'not set'}", good, reply.to_text()[:500])
            tally.check(f"{way.__name__} {name} {qtype} {qclass}: RA, and no AA", bool(reply.flags & dns.flags.RA) and
                        not reply.flags & dns.flags.AA, dns.flags.to_text(reply.flags))
    plain = dns.message.make_query("dane-ee.nlx", "MX")
    reply = dns.query.udp(plain, "127.0.0.1", timeout=20, port=daemon.dns_port)
    tally.check("AD is not set where neither AD nor DO was", not reply.flags & dns.flags.AD, dns.flags.to_text(reply.flags))
    plain.flags |= dns.flags.AD
    reply = dns.query.udp(plain, "127.0.0.1", timeout=20, port=daemon.dns_port)
    tally.check("AD is set where AD was", bool(reply.flags & dns.flags.AD) and reply.edns < 0, dns.flags.to_text(reply.flags))
    for title, data in (("nothing", b""), ("half a length", b"\x00"), ("a length alone", b"\x00\x20"), ("length 0", b"\x00\x00" * 50),
                        ("a length of 65535 and little more", b"\xff\xffabc"), ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")):
        stream(daemon, data, 1.0)
        tally.check(f"TCP, {title}: no harm", daemon.alive() and lives(daemon), daemon.log_tail())
    chance = random.Random(seed)
    for _ in range(2000):
        wire = bytearray(GOOD)
        for _ in range(chance.randrange(1, 8)):
            wire[chance.randrange(len(wire))] = chance.randrange(256)
        exchange(daemon, bytes(wire[:chance.randrange(1, len(wire) + 1)]), 0.002)
    tally.check(f"after 2000 random datagrams (seed {seed}) the daemon answers", daemon.alive() and lives(daemon), daemon.log_tail())
