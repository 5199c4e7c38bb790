"""DNS messages as a hostile server wants them: put together octet by octet, signed on the spot with Ed25519 (RFC 8080).

Nothing here checks whether what it makes makes sense; that is the resolver's business.
"""
import base64
import functools
import hashlib
import socket
import struct
import time

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "SIG": 24, "AAAA": 28, "SRV": 33, "DNAME": 39, "OPT": 41,
         "DS": 43, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "NSEC3": 50, "TLSA": 52, "ANY": 255}
WORDS = {number: word for word, number in TYPES.items()}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADCOOKIE = 0, 1, 2, 3, 4, 5, 23
DAY = 86400


def number_of(kind) -> int:
    return kind if isinstance(kind, int) else TYPES[kind]


@functools.lru_cache(50_000)
def name(text: str) -> bytes:
    """Wire form of "a.b." (no escapes: labels are plain)."""
    labels = [label for label in text.rstrip(".").lower().split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in labels) + b"\0"


def labels_of(wire: bytes) -> list[bytes]:
    labels, at = [], 0
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]])
        at += 1 + wire[at]
    return labels


@functools.lru_cache(20_000)
def rdata(kind: str, text: str) -> bytes:
    """Canonical wire form of rdata in presentation form."""
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text).to_digestable()


class RR:
    """One record."""

    def __init__(self, owner: str | bytes, kind, data: str | bytes, ttl: int = 300):
        self.owner = name(owner) if isinstance(owner, str) else owner
        self.kind = number_of(kind)
        self.data = rdata(WORDS[self.kind], data) if isinstance(data, str) else data
        self.ttl = ttl

    def wire(self, question: bytes = b"") -> bytes:
        # A heap of records of one name must fit into one message.
        owner = b"\xc0\x0c" if self.owner == question else self.owner
        return owner + struct.pack("!HHIH", self.kind, 1, self.ttl, len(self.data)) + self.data


class Question:
    """What a resolver asked; letters as they came."""

    def __init__(self, wire: bytes, stream: bool, address: str, peer):
        self.wire, self.stream, self.address, self.peer = wire, stream, address, peer
        self.id, self.flags = struct.unpack("!HH", wire[:4])
        at = 12
        while wire[at]:
            at += 1 + wire[at]
        self.section = wire[12:at + 5]
        self.owner = wire[12:at + 1].lower()
        self.kind = struct.unpack("!H", wire[at + 1:at + 3])[0]
        self.labels = [label.decode("latin-1") for label in labels_of(self.owner)]
        self.name = ".".join(self.labels) + "."
        self.edns, self.size, self.cookie = self._edns(wire[at + 5:])

    @staticmethod
    def _edns(rest: bytes):
        if len(rest) < 11 or rest[0] != 0 or rest[1:3] != b"\0\x29":
            return False, 512, b""
        options, cookie = rest[11:], b""
        while len(options) >= 4:
            code, length = struct.unpack("!HH", options[:4])
            if code == 10:
                cookie = options[4:4 + length]
            options = options[4 + length:]
        return True, max(512, struct.unpack("!H", rest[3:5])[0]), cookie

    @property
    def type(self) -> str:
        return WORDS.get(self.kind, str(self.kind))


def message(question: Question, answer=(), authority=(), additional=(), *, rcode=NOERROR, aa=True, tc=False, identity=None, qr=True, section=None,
            options=b"", edns=None) -> bytes:
    """A reply, as large as it is."""
    flags = (0x8000 if qr else 0) | (0x0400 if aa else 0) | (0x0200 if tc else 0) | (question.flags & 0x0100) | (rcode & 15)
    parts = [struct.pack("!HHHHHH", question.id if identity is None else identity, flags, 1, len(answer), len(authority),
                         len(additional) + (1 if (question.edns if edns is None else edns) else 0)),
             question.section if section is None else section]
    for records in (answer, authority, additional):
        parts += [record.wire(question.owner) for record in records]
    if question.edns if edns is None else edns:
        parts.append(b"\0" + struct.pack("!HHIH", 41, 1232, ((rcode >> 4) << 24) | 0x8000, len(options)) + options)
    return b"".join(parts)


def bitmap(kinds) -> bytes:
    """RFC 4034 4.1.2; types below 256 only."""
    numbers = sorted(number_of(kind) for kind in kinds)
    octets = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        octets[number // 8] |= 0x80 >> (number % 8)
    return bytes([0, len(octets)]) + bytes(octets)


def nsec(owner, following, kinds=("RRSIG", "NSEC"), ttl=300) -> RR:
    following = name(following) if isinstance(following, str) else following
    return RR(owner, "NSEC", following + bitmap(kinds), ttl)


def base32hex(octets: bytes) -> str:
    return base64.b32encode(octets).decode().translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")).lower()


def nsec3_hash(owner, salt: bytes, iterations: int) -> bytes:
    digest = hashlib.sha1((name(owner) if isinstance(owner, str) else owner) + salt).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt).digest()
    return digest


def nsec3(zone: str, own: bytes, following: bytes, kinds=("RRSIG",), *, salt=b"", iterations=0, optout=False, ttl=300) -> RR:
    data = bytes([1, 1 if optout else 0]) + struct.pack("!H", iterations) + bytes([len(salt)]) + salt + bytes([20]) + following
    return RR(base32hex(own) + "." + zone, "NSEC3", data + (bitmap(kinds) if kinds else b""), ttl)


def around(digest: bytes) -> tuple[bytes, bytes]:
    """The hashes right before and after."""
    value = int.from_bytes(digest, "big")
    return (value - 1).to_bytes(20, "big"), (value + 1).to_bytes(20, "big")


class Key:
    """A key of a zone; the same seed is the same key."""

    def __init__(self, seed: str, flags: int = 257):
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.data = struct.pack("!HBB", flags, 3, 15) + self.public
        self.tag = tag_of(self.data)

    def ds(self, zone: str) -> bytes:
        return struct.pack("!HBB", self.tag, 15, 2) + hashlib.sha256(name(zone) + self.data).digest()

    def sign(self, records: list[RR], zone: str, *, labels=None, begin=-3600, end=10 * DAY, signer=None, spoil=0) -> RR:
        """The RRSIG of one RRset."""
        first, now = records[0], int(time.time())
        own = labels_of(first.owner)
        count = (len(own) - (1 if own and own[0] == b"*" else 0)) if labels is None else labels
        signed_owner = first.owner
        if count < len(own):
            signed_owner = b"\1*" + b"".join(bytes([len(one)]) + one for one in own[len(own) - count:]) + b"\0"
        head = struct.pack("!HBBIIIH", first.kind, 15, count, first.ttl, now + end, now + begin, self.tag) + name(signer or zone)
        body = b"".join(signed_owner + struct.pack("!HHIH", first.kind, 1, first.ttl, len(one)) + one
                        for one in sorted({record.data for record in records}))
        signature = spoil.to_bytes(64, "big") if spoil else self.private.sign(head + body)
        return RR(first.owner, "RRSIG", head + signature, first.ttl)


def tag_of(dnskey: bytes) -> int:
    total = sum(octet << 8 if not at & 1 else octet for at, octet in enumerate(dnskey))
    return (total + (total >> 16)) & 0xffff


def same_tag(dnskey: bytes, variant: int) -> bytes:
    """Another key with the same tag: two 16-bit words of the key move against each other."""
    words = list(struct.unpack("!18H", dnskey))
    step = variant + 1
    if words[5] + step < 65536 and words[6] - step >= 0:
        words[5], words[6] = words[5] + step, words[6] - step
    else:
        words[5], words[6] = words[5] - step, words[6] + step
    return struct.pack("!18H", *words)


def framed(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def query(text: str, kind="A", *, identity=None, rd=True, dnssec=True, size=1232) -> bytes:
    """A question of a client's."""
    identity = int.from_bytes(__import__("os").urandom(2), "big") if identity is None else identity
    wire = struct.pack("!HHHHHH", identity, (0x0100 if rd else 0) | 0x20, 1, 0, 0, 1) + name(text) + struct.pack("!HH", number_of(kind), 1)
    return wire + b"\0" + struct.pack("!HHIH", 41, size, 0x8000 if dnssec else 0, 0)


def address(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
