"""A root of our own for a rollover: the lab's root zone, signed anew by a zone signing key, served by NSD; in front of it somebody who
answers for the root's DNSKEY records with whatever keys and signatures the test publishes, and notes who asks for what."""
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

from lab import processes, servers

FRONT, BACK = "127.0.0.31", "127.0.0.32"
ALGORITHM = dns.dnssec.Algorithm.ECDSAP256SHA256
REVOKE = 0x80
START_TIMEOUT = 60.0


class Key:
    """A key signing key of the root."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.dnskey = dns.dnssec.make_dnskey(self.private.public_key(), ALGORITHM, flags=257)
        self.revoked = dns.dnssec.make_dnskey(self.private.public_key(), ALGORITHM, flags=257 | REVOKE)

    @property
    def tag(self):
        return dns.dnssec.key_id(self.dnskey)

    @property
    def anchor(self):
        return f". IN DS {dns.dnssec.make_ds(dns.name.root, self.dnskey, 'SHA256').to_text()}"


class Root:
    """`with Root(state, folder) as root:` from inside the namespace."""

    def __init__(self, state, folder):
        self.folder = pathlib.Path(folder)
        self.asked = []
        self.sign(pathlib.Path(state) / "zones/unsigned/root")
        self.answer = None

    def sign(self, unsigned):
        def generate(*options):
            made = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", *options, "."], cwd=self.folder, check=True, capture_output=True,
                                  text=True)
            return made.stdout.strip()
        # The signer wants a key signing key beside; what it signs with that one is never shown.
        zone_key, placeholder = generate(), generate("-k")
        (self.folder / "zones").mkdir()
        shutil.copy(unsigned, self.folder / "root.unsigned")
        subprocess.run(["ldns-signzone", "-f", "zones/root", "-o", ".", "root.unsigned", zone_key, placeholder], cwd=self.folder, check=True,
                       capture_output=True)
        text = (self.folder / f"{zone_key}.key").read_text().split(";")[0].split()
        self.zone_key = dns.rdata.from_text("IN", "DNSKEY", " ".join(text[text.index("DNSKEY") + 1:]))

    def publish(self, keys, signing):
        """KEYS: DNSKEY records beside the zone's own; SIGNING: (Key, its DNSKEY as published)."""
        found = dns.rrset.from_rdata_list(".", 3600, [self.zone_key, *keys])
        signatures = [dns.dnssec.sign(found, key.private, dns.name.root, dnskey, inception=time.time() - 3600,
                                      expiration=time.time() + 14 * 86400) for key, dnskey in signing]
        self.answer = [found, dns.rrset.from_rdata_list(".", 3600, signatures)]

    def __enter__(self):
        # Whoever answers beside it does no cookies, and one server does them or does not (RFC 7873).
        text = servers.NSD_CONFIGURATION.format(addresses=f"ip-address: {BACK}", port=53, zones=self.folder / "zones", run=self.folder,
                                                name="nsd").replace("answer-cookie: yes", "answer-cookie: no") + 'zone:\n    name: "."\n    zonefile: "root"\n'
        (self.folder / "nsd.conf").write_text(text)
        self.nsd = subprocess.Popen([servers.tool("nsd"), "-d", "-c", str(self.folder / "nsd.conf")], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=servers.environment(), start_new_session=True)
        self.process = processes.identity(self.nsd.pid)
        try:
            if trouble := servers.wait_until_ready([("nsd", "", BACK, 53)]):
                raise RuntimeError(trouble)
            self.socket = socket.socket(type=socket.SOCK_DGRAM)
            self.socket.bind((FRONT, 53))
        except BaseException:
            self.__exit__()
            raise
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        if hasattr(self, "socket"):
            self.socket.close()
        processes.stop(self.process)

    def serve(self):
        while True:
            try:
                wire, client = self.socket.recvfrom(4096)
            except OSError:
                return
            reply = self.reply(wire)
            if reply is not None:
                try:
                    self.socket.sendto(reply, client)
                except OSError:
                    return

    def reply(self, wire):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)))
        if question.name == dns.name.root and question.rdtype == dns.rdatatype.DNSKEY:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.AA
            response.answer = list(self.answer)
            return response.to_wire(max_size=65535)
        with socket.socket(type=socket.SOCK_DGRAM) as back:
            back.settimeout(2)
            back.connect((BACK, 53))
            back.send(wire)
            try:
                return back.recv(65535)
            except OSError:
                return None
