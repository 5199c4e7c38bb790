"""A22 to A25: messages that are none, connections that lead nowhere, aliases without end, and what is no question."""
import asyncio
import os
import socket
import struct
import time

import dns.rcode

from attack.attacks.base import Attack, RR, ask_stream, dig, wire, world
from attack.lane import MXTRUST_PORT
from lab.loopback import taken_in

LOST = ("insecure", "failure")


def raw(question, answer: bytes, counts=(1, 1, 0, 0), rest=b"") -> bytes:
    """A reply with exactly these octets behind the question."""
    return struct.pack("!HHHHHH", question.id, 0x8400, *counts) + question.section + answer + rest


def record(owner: bytes, kind: int, data: bytes, length=None) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 300, len(data) if length is None else length) + data


SHORT = [(2, b""), (5, b"\3www"), (6, b"\0\0\0\0\1"), (12, b"\x05ab"), (15, b"\0\1"), (33, b"\0\0\0\0\0"), (39, b""), (47, b"\1"), (46, b"\0" * 17)]
BROKEN = {
    "loop": lambda q: raw(q, record(b"\xc0" + bytes([12 + len(q.section)]), 1, b"\1\2\3\4")),
    "forward": lambda q: raw(q, record(b"\xc0\xff", 1, b"\1\2\3\4")),
    "chain": lambda q: raw(q, b"".join(record(struct.pack("!H", 0xc000 | (12 + len(q.section) + 14 * at)), 1, b"\1\2\3\4")[:16] for at in range(200)), (1, 200, 0, 0)),
    "long": lambda q: raw(q, record(b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3f" + b"d" * 63 + b"\0", 1, b"\1\2\3\4")),
    "label": lambda q: raw(q, record(b"\x7f" + b"a" * 127 + b"\0", 1, b"\1\2\3\4")),
    "length": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3\4", 4000)),
    "address": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3")),
    "counts": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3\4"), (1, 65535, 65535, 65535)),
    "cut": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3\4"))[:-6],
    "options": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3\4"), (1, 1, 0, 1),
                             b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, 4 * 250) + struct.pack("!HH", 65001, 0) * 250),
    "opts": lambda q: raw(q, record(b"\xc0\x0c", 1, b"\1\2\3\4"), (1, 1, 0, 40), (b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, 0)) * 40),
    "questions": lambda q: raw(q, q.section * 9 + record(b"\xc0\x0c", 1, b"\1\2\3\4"), (10, 1, 0, 0)),
    **{f"short{kind}": (lambda q, kind=kind, data=data: raw(q, record(b"\xc0\x0c", kind, data) + record(b"\xc0\x0c", 1, b"\1\2\3\4"), (1, 2, 0, 0)))
       for kind, data in SHORT},
}


class Parsing(Attack):
    number, title = 22, "messages that are none: pointer loops and chains (CVE-2024-8508), 256 octets of name, short rdata, 250 options (CVE-2026-41292)"
    rule = "refused, whole; the daemon lives"
    is_signed = False
    instances = [f"{word}" for word in BROKEN]
    queries, verifications = 24, 8
    floods = 2

    def expect(self, instance):
        return LOST

    def numbered(self):
        return False

    def reply(self, question):
        word = self.instance_of(question)
        if question.name.startswith("www.") and word in BROKEN:
            return BROKEN[word](question)
        return self.honest(question).reply(question)


class Streams(Attack):
    number, title = 23, "TCP: drip-feed, 64 KiB, accept-then-close (CVE-2023-46317), half-closed, TC loop, BADCOOKIE loop (CVE-2026-5950)"
    rule = "each ends; few queries; indeterminate or insecure failure"
    is_signed = False
    instances = ["close", "tcloop", "half", "badcookie", "rubbish", "huge", "drip"]
    queries, verifications = 30, 8
    floods = 8

    def expect(self, instance):
        return ("insecure", "records") if instance.startswith("huge") else LOST

    def accepted(self, instance):
        # Whichever comes first: the last server's end, or the question's.
        late = (("indeterminate", "failure"),) if instance.startswith("drip") else ()
        return super().accepted(instance) + late

    def question(self, instance):
        return "www." + self.zone(instance), "TXT" if instance.startswith("huge") else "A"

    def reply(self, question):
        instance = self.instance_of(question)
        if not question.name.startswith("www."):
            return self.honest(question).reply(question)
        if instance.startswith("badcookie"):
            return wire.message(question, rcode=wire.BADCOOKIE, options=struct.pack("!HH", 10, 16) + question.cookie[:8].ljust(8, b"\0") + os.urandom(8))
        return wire.message(question, tc=True)

    async def stream(self, question, reader, writer):
        instance = self.instance_of(question)
        if not question.name.startswith("www.") or instance.startswith("badcookie"):
            writer.write(wire.framed(self.reply(question)))
        elif instance.startswith("tcloop"):
            writer.write(wire.framed(wire.message(question, tc=True)))
        elif instance.startswith("half"):
            writer.write(wire.framed(wire.message(question, [RR(question.owner, "A", "20.66.200.80")]))[:20])
            writer.write_eof()
            await asyncio.sleep(3)
        elif instance.startswith("rubbish"):
            writer.write(wire.framed(os.urandom(300)) + os.urandom(5000))
        elif instance.startswith("huge"):
            writer.write(wire.framed(wire.message(question, [RR(question.owner, "TXT", (bytes([250]) + bytes([97 + at % 26]) * 247 + b"%03d" % at)) for at in range(240)])))
        elif instance.startswith("drip"):
            octets = wire.framed(wire.message(question, [RR(question.owner, "A", "20.66.200.80")]))
            for octet in octets:
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0.2)
        await writer.drain()
        if instance.startswith(("close", "rubbish", "drip")):
            writer.transport.abort() if instance.startswith("close") else writer.close()
            raise OSError("as planned")

    def judge(self, lane, instance, answer, cost):
        super().judge(lane, instance, answer, cost)
        lane.check(f"{instance}: at most 128 KiB are taken", cost.octets <= 128 * 1024 + 4096, cost)


class Chains(Attack):
    number, title = 24, "CNAME chains of 10 to 13, loops, loops through DNAME"
    rule = "11 steps"
    instances = ["c10", "c11", "c12", "c13", "loop", "self", "dname", "grow"]
    queries, verifications = 30, 20
    floods = 6

    def expect(self, instance):
        # Told as RALI: too long, or in a circle; of a name that grows too long, YXDOMAIN.
        return ("secure", "records") if instance in ("c10", "c11") else ("indeterminate", "failure")

    def numbered(self):
        return False

    def question(self, instance):
        name = {"dname": "www.d.", "grow": "www.g."}.get(instance, "n0.") + self.zone(instance)
        return name, "A"

    def find(self, zone, name):
        instance, first = zone.split("-")[0], name.split(".")[0]
        if instance[0] == "c" and first[0] == "n" and first[1:].isdigit() and name.count(".") == 3:
            number = int(first[1:])
            return {"A": [wire.address("20.66.200.80")]} if number == int(instance[1:]) else {"CNAME": [wire.name(f"n{number + 1}.{zone}")]}
        if name.count(".") == 3 and first[0] == "n" and first[1:].isdigit():
            return {"CNAME": [wire.name(f"n{0 if instance == 'self' or first == 'n3' else int(first[1:]) + 1}.{zone}")]}
        return None

    def reply(self, question):
        zone = self.zone_of(question)
        for top, target in ((f"d.{zone}", f"d.d.{zone}"), (f"g.{zone}", f"{'x' * 60}.{'y' * 60}.g.{zone}")):
            if question.name.endswith("." + top):
                return wire.message(question, world.signed([RR(top, "DNAME", wire.name(target))], zone))
            if question.name == top:
                return wire.message(question, [], self.honest(question).nothing(question.name, {"DNAME": []}))
        return self.honest(question).reply(question)


class NotQuestions(Attack):
    number, title = 25, "what is not QUERY and IN: UPDATE, NOTIFY, IQUERY, STATUS, TKEY, SIG(0), other classes, no question, ten questions"
    rule = "refused without work"
    unbound, why_not = True, ""
    floods = 50

    def messages(self):
        plain = wire.query("www.good.")
        head = lambda flags, counts=(1, 0, 0, 1): plain[:2] + struct.pack("!H", flags) + struct.pack("!HHHH", *counts)   # noqa: E731
        question = wire.name("www.good.") + struct.pack("!HH", 1, 1)
        typed = lambda kind, klass: wire.name("www.good.") + struct.pack("!HH", kind, klass)   # noqa: E731
        opt = plain[12 + len(question):]
        return {"UPDATE": head(0x2900) + question + opt, "NOTIFY": head(0x2100) + question + opt, "IQUERY": head(0x0900) + question + opt,
                "STATUS": head(0x1100) + question + opt, "opcode 15": head(0x7900) + question + opt, "TKEY": head(0x0100) + typed(249, 1) + opt,
                "CHAOS": head(0x0100) + typed(16, 3) + opt, "HESIOD": head(0x0100) + typed(1, 4) + opt, "class ANY": head(0x0100) + typed(1, 255) + opt,
                "AXFR": head(0x0100) + typed(252, 1) + opt, "IXFR": head(0x0100) + typed(251, 1) + opt, "no question": head(0x0100, (0, 0, 0, 1)) + opt,
                "ten questions": head(0x0100, (10, 0, 0, 1)) + question * 10 + opt, "type OPT": head(0x0100) + typed(41, 1) + opt,
                "an answer in it": head(0x0100, (1, 1, 0, 1)) + question + record(b"\xc0\x0c", 1, b"\1\2\3\4") + opt,
                "trailing": plain + b"trailing", "SIG(0)": head(0x0100, (1, 0, 0, 2)) + question + opt + record(b"\0", 24, b"\0" * 30)}

    def play(self, lane):
        said = {}
        _, cost = lane.measure(lambda: [said.__setitem__(word, dig(MXTRUST_PORT, "", octets=octets, timeout=8)) for word, octets in self.messages().items()])
        for word, reply in said.items():
            if word in ("an answer in it", "SIG(0)", "trailing"):
                continue     # either way will do: what is beyond the question was not asked for
            lane.check(f"{word}: refused (or not implemented, or malformed)", reply is not None and dns.rcode.to_text(reply.rcode()) in
                       ("REFUSED", "NOTIMP", "FORMERR") and not reply.answer, None if reply is None else dns.rcode.to_text(reply.rcode()))
        # Those beyond whose question there is something may be answered.
        lane.bounded("no work is done for any of them", cost, 3, 3)
        lane.looks_at("status")
        lane.known("after all of it", {("www.good.", "A"): ("secure", "records")})
        lane.check("a response sent as if it were a question gets none", dig(MXTRUST_PORT, "", octets=wire.query("www.good.")[:2] + b"\x81\0" + wire.query("www.good.")[4:],
                                                                            timeout=0.3) is None)
        row = {"status": "refused", **self.spent(cost)} | self.benign(lane)
        replies = [dig(5454, "", octets=octets, timeout=1) for octets in self.messages().values()]
        return row | {"unbound": ", ".join(sorted({"no answer" if one is None else dns.rcode.to_text(one.rcode()) for one in replies}))}

    def flood(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            for _ in range(self.floods):
                for octets in self.messages().values():
                    plug.sendto(octets, ("127.0.0.1", port))
                time.sleep(0.01)
                taken_in(port, 1 << 16)


ALL = [Parsing(), Streams(), Chains(), NotQuestions()]
