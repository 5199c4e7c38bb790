"""A1 to A5: DNSSEC that costs more than it is worth."""
import functools
import struct
import time

import dns.flags
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import built
from attack.attacks.base import Attack, RR, wire, world

LIMIT = ("indeterminate", "failure", "limit")


class KeyTrap(Attack):
    number, title = 1, "KeyTrap (CVE-2023-50387): keys of one tag × signatures, the valid pair last"
    rule = "≤ 8 signatures per RRset, 2 keys per tag, 4 failures per answer"
    instances = ["keys", "signatures", "both"]
    expected = LIMIT
    queries, verifications, failures = 12, 20, 8

    def keys(self, zone, instance):
        signing = wire.Key(zone + "zsk", 256)
        twins = [] if "signatures" in instance else [wire.same_tag(signing.data, variant) for variant in range(25)]
        return signing, twins

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        signing, twins = self.keys(zone, instance)
        if question.type == "DNSKEY" and question.name == zone:
            keys = [RR(zone, "DNSKEY", one) for one in [world.key_of(zone).data, *twins, signing.data]]
            return wire.message(question, keys + [world.key_of(zone).sign(keys, zone)])
        if question.name == "www." + zone and question.type == "A":
            records = [RR(question.owner, "A", "20.66.200.80")]
            wrong = [] if "keys" in instance else [signing.sign(records, zone, spoil=one) for one in range(1, 40)]
            return wire.message(question, records + wrong + [signing.sign(records, zone)])
        return super().reply(question)

    def numbered(self):
        return True


class Hashes(Attack):
    number, title = 2, "NSEC3 closest-encloser cost (CVE-2023-50868): 118 labels × iterations × 255 octets of salt"
    rule = "≤ 128 hashes; > 50 iterations: insecure, none"
    instances = ["i0", "i50", "i51", "i150", "i65535", "r50", "r51"]
    queries, verifications, failures, hashes = 40, 30, 4, 128
    floods = 4
    salt = bytes(range(255))

    def iterations(self, instance) -> int:
        return int("".join(one for one in instance.split("x")[0] if one.isdigit()))

    def question(self, instance):
        return "a." * 112 + self.zone(instance.split("x")[0] if "x" not in instance else instance), "A"

    def numbered(self):
        return False

    def zone(self, instance):
        return f"{instance}-a2.evil."

    def expect(self, instance):
        return ("insecure", "nxdomain" if instance[0] == "i" else "records") if self.iterations(instance) > 50 else ("bogus", "failure")

    def proof(self, zone, iterations):
        """Records that hold, and are about nothing that was asked: all ancestors have to be hashed to see that."""
        records = []
        for other in ("nothing." + zone, "nobody." + zone, "nowhere." + zone):
            digest = wire.nsec3_hash(other, self.salt, 0 if iterations > 1000 else iterations)
            before, after = wire.around(digest)
            records += world.signed([wire.nsec3(zone, before, after, salt=self.salt, iterations=iterations)], zone)
        return records

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        honest = self.honest(question)
        if question.name == zone or instance[0] not in "ir":
            return honest.reply(question)
        proof = self.proof(zone, self.iterations(instance))
        deep = "a." * 30 + zone
        if instance[0] == "r" and question.name.endswith(deep):
            # The same at a referral that claims to be insecure.
            child = deep
            if question.name == child and question.type == "DS":
                return wire.message(question, [], honest.soa() + proof)
            if question.address == self.addresses()[1]:
                return wire.message(question, [RR(question.owner, "A", "20.66.200.80")])
            return wire.message(question, [], [RR(child, "NS", "ns9." + child)] + proof, [RR("ns9." + child, "A", self.addresses()[1])], aa=False)
        return wire.message(question, [], honest.soa() + proof, rcode=wire.NXDOMAIN)


class Padding(Attack):
    number, title = 3, "proof padding (CVE-2026-11605): NXDOMAIN with 200 valid NSEC, or NSEC3, beside the proof"
    rule = "≤ 8 proof records judged; indeterminate"
    instances = ["nsec", "nsec3"]
    expected = LIMIT
    queries, verifications, failures, hashes = 20, 30, 0, 128

    def question(self, instance):
        return "nobody." + self.zone(instance), "A"

    @functools.lru_cache(100)
    def heap(self, zone, kind):
        records = []
        for number in range(200):
            if kind == "nsec":
                record = wire.nsec(f"p{number:03}.{zone}", f"p{number:03}x.{zone}")
            else:
                before, after = wire.around(wire.nsec3_hash(f"p{number}.{zone}", b"", 0))
                record = wire.nsec3(zone, before, after)
            records += world.signed([record], zone)
        return records

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        if question.name != "nobody." + zone:
            return self.honest(question).reply(question)
        honest = self.honest(question).nothing(question.name, None)
        return wire.message(question, [], honest[:2] + self.heap(zone, "nsec3" if "nsec3" in instance else "nsec") + honest[2:], rcode=wire.NXDOMAIN)


@functools.lru_cache(8)
def rsa_key(bits: int):
    return rsa.generate_private_key(65537, bits)


class OddRsa(Attack):
    number, title = 4, "odd RSA keys: modulus of 4104 and 16384 bits, huge exponents, leading zeroes"
    rule = "moduli > 4096 bits unsupported; nothing costs more than a verification"
    # instance: (exponent field, bits of the modulus)
    instances = ["modulus4104", "modulus16k", "exponent4096", "zeroes", "longlength", "empty", "even", "one"]
    queries, verifications, failures = 20, 8, 8
    floods = 3

    def expect(self, instance):
        # A key that is named by the DS and larger than what is supported makes the zone count as unsigned (RFC 4035 5.2), as an unknown algorithm does.
        large = instance.startswith(("modulus", "exponent", "longlength"))
        return ("insecure", "records") if large else ("bogus", "failure")

    def dnskey(self, instance) -> bytes:
        kind = instance.rstrip("0123456789") if not instance.startswith(("modulus4104", "exponent4096")) else instance
        modulus = rsa_key(2048).public_key().public_numbers().n.to_bytes(256, "big")
        exponent = b"\x01\x00\x01"
        if kind.startswith("modulus4104"):
            modulus = b"\xc1" * 512 + b"\x01"
        elif kind.startswith("modulus16k") or kind == "modulus":
            modulus = b"\xc1" * 2047 + b"\x01"
        elif kind.startswith("exponent4096"):
            exponent, modulus = b"\xff" * 512, b"\xc1" * 511 + b"\x01"
        elif kind == "zeroes":
            modulus = b"\0" * 40 + modulus
            exponent = b"\0" * 40 + exponent
        elif kind == "longlength":
            exponent = b"\xff" * 300
        elif kind == "empty":
            exponent = b""
        elif kind == "even":
            exponent = b"\2"
        elif kind == "one":
            exponent = b"\1"
        length = bytes([len(exponent)]) if 0 < len(exponent) < 256 else b"\0" + struct.pack("!H", len(exponent))
        return struct.pack("!HBB", 257, 3, 8) + length + exponent + modulus

    def sign(self, records, zone, key) -> RR:
        first, now = records[0], int(time.time())
        head = struct.pack("!HBBIIIH", first.kind, 8, len(wire.labels_of(first.owner)), first.ttl, now + 86400, now - 3600, wire.tag_of(key)) + wire.name(zone)
        body = b"".join(first.owner + struct.pack("!HHIH", first.kind, 1, first.ttl, len(one.data)) + one.data for one in records)
        signature = rsa_key(2048).sign(head + body, padding.PKCS1v15(), hashes.SHA256())
        return RR(first.owner, "RRSIG", head + signature, first.ttl)

    def ds(self, zone, key) -> bytes:
        import hashlib
        return struct.pack("!HBB", wire.tag_of(key), 8, 2) + hashlib.sha256(wire.name(zone) + key).digest()

    def at_parent(self, tld):
        attack = self

        class Parent(world.Zone):
            def __init__(self):
                super().__init__(tld.apex, tld.servers, tld.find, tld.delegate)

            def referral(self, question, child, servers, child_signed):
                ds = RR(child, "DS", attack.ds(child, attack.dnskey(child.split("-")[0])))
                glue = [RR(server, "A", one) for server, addresses in servers for one in addresses]
                return wire.message(question, [], [RR(child, "NS", server) for server, _ in servers] + world.signed([ds], "evil."), glue, aa=False)

            def reply(self, question):
                child = world.child_of(question.name, "evil.")
                if question.type == "DS" and question.name == child:
                    return wire.message(question, world.signed([RR(child, "DS", attack.ds(child, attack.dnskey(child.split("-")[0])))], "evil."))
                return super().reply(question)
        return Parent()

    def reply(self, question):
        zone, key = self.zone_of(question), self.dnskey(self.instance_of(question))
        records = [RR(zone, "DNSKEY", key)] if question.type == "DNSKEY" else [RR(question.owner, question.type, "20.66.200.80")] if question.type == "A" else []
        if not records:
            return wire.message(question, [], [])
        return wire.message(question, records + [self.sign(records, zone, key)])


class SignatureFlood(Attack):
    number, title = 5, "RRSIG flood: 500 expired and one valid; 150 on an NSEC (CVE-2026-3104)"
    rule = "one verification; the flood is not kept; memory stays"
    instances = ["m", "denied"]
    queries, verifications, failures = 12, 12, 0

    def expect(self, instance):
        return ("secure", "nodata") if instance.startswith("denied") else ("secure", "records")

    def question(self, instance):
        return "www." + self.zone(instance), "TXT" if instance.startswith("denied") else "A"

    @functools.lru_cache(300)
    def answer(self, zone):
        records = [RR("www." + zone, "A", "20.66.200.80")]
        expired = [world.key_of(zone).sign(records, zone, begin=-9 * 86400, end=-8 * 86400, spoil=one) for one in range(1, 400)]
        return records + expired + [world.key_of(zone).sign(records, zone)]

    @functools.lru_cache(300)
    def denial(self, zone):
        owner = wire.name("www." + zone)
        record = RR(owner, "NSEC", b"\1\0" + owner + wire.bitmap(["A", "RRSIG", "NSEC"]))
        expired = [world.key_of(zone).sign([record], zone, begin=-9 * 86400, end=-8 * 86400, spoil=one) for one in range(1, 150)]
        return [record] + expired + [world.key_of(zone).sign([record], zone)]

    def reply(self, question):
        zone = self.zone_of(question)
        if question.name == "www." + zone and question.type == "A":
            return wire.message(question, self.answer(zone))
        if question.name == "www." + zone and question.type == "TXT":
            return wire.message(question, [], self.honest(question).soa() + self.denial(zone))
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        answer = lane.daemon.rrset(*self.question("m"))
        lane.check("what is kept of the flood is one record and one signature", len(answer.get("records", [])) <= 2, answer.get("records"))
        before = lane.daemon.memory()
        for number in range(30):
            lane.daemon.rrset(*self.question(f"denied{number + 100}"))
        lane.check("thirty such denials do not grow the daemon by more than 12 MiB", lane.daemon.memory() - before < 12 * 1024 * built.HEAVIER,
                   f"{before} → {lane.daemon.memory()} KiB")


ALL = [KeyTrap(), Hashes(), Padding(), OddRsa(), SignatureFlood()]
