"""Asks one resolver many questions, a bounded number at a time, and keeps of each answer what is compared."""

import asyncio
import socket
import struct
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

AT_ONCE = 100
PATIENCE = 20.0  # seconds for one question; a resolver that needs longer has not answered
EDE = 15


@dataclass(frozen=True)
class Reply:
    rcode: str
    answer: frozenset = frozenset()  # "owner TYPE rdata", without signatures
    secure: bool = False  # AD
    explained: bool = False  # has an extended error (RFC 8914)

    def __str__(self):
        return self.rcode + (" AD" if self.secure else "") + (" EDE" if self.explained else "") + f" {len(self.answer)} RR"


SILENCE = Reply("SILENCE")


def kept(wire):
    """What is compared of a message. RRSIG are left out: which of a set's signatures one shows is no matter."""
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        # TLSA of no octets, which dnspython refuses to read.
        return Reply("UNREADABLE", secure=bool(wire[3] & 0x20))
    answer = set()
    for rrset in message.answer:
        if rrset.rdtype != dns.rdatatype.RRSIG:
            owner, kind = rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype)
            answer.update(f"{owner} {kind} {rdata.to_text().lower()}" for rdata in rrset)
    return Reply(dns.rcode.to_text(message.rcode()), frozenset(answer), bool(message.flags & dns.flags.AD),
                 any(option.otype == EDE for option in message.options))


class Asker(asyncio.DatagramProtocol):
    def __init__(self, port):
        self.port = port
        self.waiting = {}
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, _):
        future = self.waiting.get(data[:2])
        if future is not None and not future.done():
            future.set_result(data)

    def error_received(self, _):
        pass

    async def over_tcp(self, wire):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(struct.pack("!H", len(wire)) + wire)
            length, = struct.unpack("!H", await reader.readexactly(2))
            return await reader.readexactly(length)
        finally:
            writer.close()

    async def over_udp(self, wire):
        future = asyncio.get_running_loop().create_future()
        self.waiting[wire[:2]] = future
        self.transport.sendto(wire)
        try:
            return await future
        finally:
            del self.waiting[wire[:2]]

    async def ask(self, number, name, kind):
        query = dns.message.make_query(dns.name.from_text(name), kind, want_dnssec=True, payload=4096)
        query.id = number % 65536
        wire = query.to_wire()
        try:
            reply = await asyncio.wait_for(self.over_udp(wire), PATIENCE)
            if reply[2] & 0x02:
                reply = await asyncio.wait_for(self.over_tcp(wire), PATIENCE)
            return kept(reply)
        except (asyncio.TimeoutError, OSError, asyncio.IncompleteReadError):
            return SILENCE


async def ask_all(port, questions):
    _, asker = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Asker(port), remote_addr=("127.0.0.1", port), family=socket.AF_INET)
    replies = [SILENCE] * len(questions)
    numbers = iter(range(len(questions)))

    async def worker():
        for number in numbers:
            replies[number] = await asker.ask(number, *questions[number])

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    asker.transport.close()
    return replies


def ask(port, questions):
    return asyncio.run(ask_all(port, questions))
