#!/usr/bin/python3
"""The server that does what a correct server cannot.

Each query is passed, as it came and over the same transport, to a correct name server; the script then spoils the answer.
So every answer is right but for the one thing that is wrong with it. Run by servers.py inside the world's namespace:

    scripted.py SCRIPT.json

SCRIPT.json: {"back": [address, port], "domains": [{"name", "addresses": [[v4, v6], ...], "rules": [...], "injected"}]};
the rules are those of model.rule, the first one that matches a query acts.
"""

import asyncio
import json
import struct
import sys

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

BACK_TIMEOUT = 2.0
# A TCP connection that says nothing for this long is closed.
IDLE_TIMEOUT = 10.0
DENIAL = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)


def signature_of(rrset, types):
    return rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers in types


def without(section, unwanted):
    section[:] = [rrset for rrset in section if not unwanted(rrset)]


def bare(query, rcode):
    """An answer with nothing in it but the question."""
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA
    answer.set_rcode(dns.rcode.from_text(rcode))
    return answer


# What can be done with an answer. Each takes (domain, query, answer, argument) and returns the answer as octets, or
# None for silence. `answer` is None for those that never ask the correct server.

def do_rcode(domain, query, answer, argument):
    return bare(query, argument).to_wire()


def do_rcode_without_edns(domain, query, answer, argument):
    made = bare(query, argument)
    made.use_edns(False)
    return made.to_wire()


def do_empty(domain, query, answer, argument):
    made = bare(query, "NOERROR")
    made.flags &= ~dns.flags.AA
    return made.to_wire()


def do_truncate(domain, query, answer, argument):
    made = bare(query, "NOERROR")
    made.flags |= dns.flags.TC
    return made.to_wire()


def do_set_rcode(domain, query, answer, argument):
    answer.set_rcode(dns.rcode.from_text(argument))
    return answer.to_wire()


def do_strip_signatures(domain, query, answer, argument):
    for section in (answer.answer, answer.authority, answer.additional):
        without(section, lambda rrset: rrset.rdtype == dns.rdatatype.RRSIG)
    return answer.to_wire()


def do_strip_denial(domain, query, answer, argument):
    without(answer.authority, lambda rrset: rrset.rdtype in DENIAL or signature_of(rrset, DENIAL))
    return answer.to_wire()


def do_strip_encloser(domain, query, answer, argument):
    """Leaves out the NSEC3 that matches the name ARGUMENT and keeps the others."""
    origin = dns.name.from_text(domain["name"])
    hashed = dns.dnssec.nsec3_hash(dns.name.from_text(argument, origin), None, 0, "SHA1")
    owner = dns.name.from_text(hashed, origin)
    without(answer.authority, lambda rrset: rrset.name == owner)
    return answer.to_wire()


def do_wrong_id(domain, query, answer, argument):
    answer.id ^= 0x5555
    return answer.to_wire()


def do_wrong_question(domain, query, answer, argument):
    wrong = dns.name.from_text("not-what-you-asked", dns.name.from_text(domain["name"]))
    answer.question = [dns.rrset.RRset(wrong, query.question[0].rdclass, query.question[0].rdtype)]
    return answer.to_wire()


def do_lower_case(domain, query, answer, argument):
    question = answer.question[0]
    lower = dns.name.Name([label.lower() for label in question.name.labels])
    answer.question = [dns.rrset.RRset(lower, question.rdclass, question.rdtype)]
    return answer.to_wire()


def do_inject_empty_tlsa(domain, query, answer, argument):
    """A TLSA record with rdata of no octets, and its (right) signature, which dnspython would not build."""
    owner, _, _, _, text = domain["injected"].split("\t")
    owner = dns.name.from_text(owner)
    if query.question[0].name != owner:
        return answer.to_wire()
    wire = bytearray(bare(query, "NOERROR").to_wire())
    options = b""
    if query.edns >= 0:
        # The OPT record of an answer without options is its last eleven octets.
        options = bytes(wire[-11:])
        del wire[-11:]
    pointer = b"\xc0\x0c"
    wire += pointer + struct.pack("!HHIH", dns.rdatatype.TLSA, 1, 3600, 0)
    rrsig = dns.rdata.from_text("IN", "RRSIG", text).to_wire()
    wire += pointer + struct.pack("!HHIH", dns.rdatatype.RRSIG, 1, 3600, len(rrsig)) + rrsig + options
    wire[6:8] = struct.pack("!H", 2)
    return bytes(wire)


# Actions that do not need the correct server's answer.
ALONE = {"rcode": do_rcode, "rcode-without-edns": do_rcode_without_edns, "empty": do_empty, "truncate": do_truncate}
SPOILING = {"set-rcode": do_set_rcode, "strip-signatures": do_strip_signatures, "strip-denial": do_strip_denial,
            "strip-encloser": do_strip_encloser, "wrong-id": do_wrong_id, "wrong-question": do_wrong_question,
            "lower-case": do_lower_case, "inject-empty-tlsa": do_inject_empty_tlsa}
ACTIONS = {"drop", "delay", *ALONE, *SPOILING}


class Server:
    """One address of one domain."""

    def __init__(self, back, domain, number):
        self.back = back
        self.domain = domain
        self.number = number
        self.origin = dns.name.from_text(domain["name"])

    def rule_for(self, query, over):
        question = query.question[0]
        for rule in self.domain["rules"]:
            if rule["server"] not in (None, self.number) or rule["over"] not in (None, over):
                continue
            if rule["types"] and dns.rdatatype.to_text(question.rdtype) not in rule["types"]:
                continue
            if rule["name"] and question.name != dns.name.from_text(rule["name"], self.origin):
                continue
            if rule["edns"] and query.edns < 0:
                continue
            return rule
        return None

    async def reply(self, wire, over):
        """The answer to one query, or None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1:
            return None
        rule = self.rule_for(query, over) or {"do": "pass"}
        if rule["do"] == "drop":
            return None
        if rule["do"] in ALONE:
            return ALONE[rule["do"]](self.domain, query, None, rule["argument"])
        answer = await (self.ask_udp(wire) if over == "udp" else self.ask_tcp(wire))
        if rule["do"] == "delay":
            await asyncio.sleep(rule["argument"] / 1000)
        if answer is None or rule["do"] in ("pass", "delay"):
            return answer
        return SPOILING[rule["do"]](self.domain, query, dns.message.from_wire(answer), rule["argument"])

    async def ask_udp(self, wire):
        loop = asyncio.get_running_loop()
        got = loop.create_future()

        class Asking(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                transport.sendto(wire)

            def datagram_received(self, data, address):
                if not got.done():
                    got.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=tuple(self.back))
        try:
            return await asyncio.wait_for(got, BACK_TIMEOUT)
        except asyncio.TimeoutError:
            return None
        finally:
            transport.close()

    async def ask_tcp(self, wire):
        reader, writer = await asyncio.open_connection(*self.back)
        try:
            writer.write(struct.pack("!H", len(wire)) + wire)
            return await asyncio.wait_for(read_framed(reader), BACK_TIMEOUT)
        finally:
            writer.close()

    async def serve_tcp(self, reader, writer):
        try:
            while True:
                wire = await asyncio.wait_for(read_framed(reader), IDLE_TIMEOUT)
                answer = await self.reply(wire, "tcp")
                if answer is not None:
                    writer.write(struct.pack("!H", len(answer)) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError):
            pass
        finally:
            writer.close()


async def read_framed(reader):
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


class UdpServer(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server = server
        self.running = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        task = asyncio.ensure_future(self.handle(data, address))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def handle(self, data, address):
        answer = await self.server.reply(data, "udp")
        if answer is not None:
            self.transport.sendto(answer, address)


async def main(script):
    loop = asyncio.get_running_loop()
    for domain in script["domains"]:
        for rule in domain["rules"]:
            assert rule["do"] in ACTIONS, rule
        for number, addresses in enumerate(domain["addresses"], 1):
            server = Server(script["back"], domain, number)
            for address in addresses:
                await loop.create_datagram_endpoint(lambda server=server: UdpServer(server), local_addr=(address, 53))
                await asyncio.start_server(server.serve_tcp, address, 53)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        asyncio.run(main(json.load(file)))
