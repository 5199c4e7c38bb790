"""Forwarders for the tests, inside the lab's namespace: Unbound as people run it, and a script that spoils what Unbound says."""
import socket
import struct
import subprocess
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from lab import processes, servers

START_TIMEOUT = 60.0
UNBOUND = """server:
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: "{folder}/{name}.pid"
    logfile: "{folder}/{name}.log"
    use-syslog: no
    interface: {address}@53
    access-control: 127.0.0.0/8 allow
    root-hints: "{hints}"
    {validation}
    do-not-query-localhost: no
    num-threads: 1
    ede: yes
remote-control:
    control-enable: no
"""


class Unbound:
    """A real forwarder: validating, or not."""

    def __init__(self, folder, state, name, address, validating):
        validation = f'trust-anchor-file: "{state / "anchors"}"' if validating else 'module-config: "iterator"'
        path = folder / f"{name}.conf"
        path.write_text(UNBOUND.format(folder=folder, name=name, address=address, hints=state / "hints", validation=validation))
        self.address = address
        self.process = subprocess.Popen([servers.tool("unbound"), "-d", "-c", str(path)], env=servers.environment(),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self):
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                dns.query.udp(dns.message.make_query("dane-ee.nlx", "SOA"), self.address, timeout=2)
                return self
            except (dns.exception.DNSException, OSError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"unbound at {self.address} does not answer") from None
                time.sleep(0.05)

    def stop(self):
        processes.stop(processes.identity(self.process.pid))


DNSSEC_TYPES = (dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3, dns.rdatatype.DS)


def strip(_query, answer):
    """As middle boxes do that know nothing of DNSSEC."""
    for section in (answer.answer, answer.authority):
        section[:] = [rrset for rrset in section if rrset.rdtype not in DNSSEC_TYPES]
    return answer


def strip_signatures(_query, answer):
    """Signatures only: the records that are left look whole."""
    for section in (answer.answer, answer.authority):
        section[:] = [rrset for rrset in section if rrset.rdtype != dns.rdatatype.RRSIG]
    return answer


def forget_edns(query, answer):
    answer = strip(query, answer)
    answer.use_edns(-1)
    return answer


def rewrite_nxdomain(query, answer):
    """As providers do that show a page of advertisements."""
    if answer.rcode() == dns.rcode.NXDOMAIN:
        answer.set_rcode(dns.rcode.NOERROR)
        answer.authority.clear()
        answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.66"))
    return answer


def refuse(query, _answer):
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.REFUSED)
    return answer


def add_strangers(_query, answer):
    """Records that nobody asked for (A31)."""
    answer.answer.append(dns.rrset.from_text("mx.plain.oldx.", 3600, "IN", "A", "192.0.2.66"))
    answer.answer.append(dns.rrset.from_text("implicit.oldx.", 3600, "IN", "A", "192.0.2.66"))
    answer.authority.append(dns.rrset.from_text("oldx.", 3600, "IN", "NS", "ns.evil.oldx."))
    answer.additional.append(dns.rrset.from_text("ns.evil.oldx.", 3600, "IN", "A", "192.0.2.66"))
    return answer


class Scripted:
    """Asks `back` (address, port), and spoils what comes. The behaviour may be changed at any time."""

    def __init__(self, address, behaviour, back):
        self.address, self.behaviour, self.back = address, behaviour, back
        self.running = True
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, 53))
        self.tcp.listen(50)
        for one in (self.udp, self.tcp):
            one.settimeout(0.2)
        self.loops = [threading.Thread(target=loop, daemon=True) for loop in (self.serve_udp, self.serve_tcp)]
        for loop in self.loops:
            loop.start()

    def answer(self, wire, most):
        query = dns.message.from_wire(wire)
        try:
            honest, _over_tcp = dns.query.udp_with_fallback(query, self.back[0], port=self.back[1], timeout=8)
        except (dns.exception.DNSException, OSError, EOFError):
            return None
        spoilt = self.behaviour(query, honest)
        try:
            return spoilt.to_wire(max_size=most)
        except dns.exception.TooBig:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()

    def serve_udp(self):
        while self.running:
            try:
                wire, client = self.udp.recvfrom(4096)
            except TimeoutError:
                continue
            threading.Thread(target=self.reply_udp, args=(wire, client), daemon=True).start()

    def reply_udp(self, wire, client):
        reply = self.answer(wire, 1232)
        if reply is None:
            return
        try:
            self.udp.sendto(reply, client)
        except OSError:
            pass    # stopped meanwhile

    def serve_tcp(self):
        while self.running:
            try:
                connection, _ = self.tcp.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self.reply_tcp, args=(connection,), daemon=True).start()

    def reply_tcp(self, connection):
        with connection, connection.makefile("rb") as stream:
            head = stream.read(2)
            if len(head) < 2:
                return
            reply = self.answer(stream.read(struct.unpack("!H", head)[0]), 65535)
            if reply is not None:
                connection.sendall(struct.pack("!H", len(reply)) + reply)

    def stop(self):
        self.running = False
        for loop in self.loops:
            loop.join()
        self.udp.close()
        self.tcp.close()
