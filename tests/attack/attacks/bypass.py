"""A6 to A14: what is not proven passed off as proven."""
import time

import dns.flags
import dns.rcode

from attack.attacks.base import Attack, RR, dig, wire, world
from attack.lane import Daemon, MXTRUST_PORT

BOGUS = ("bogus", "failure")


class LowLabels(Attack):
    number, title = 6, "RRSIG.labels below the signer's (CVE-2026-44690, -52688): a child signs a wildcard above its apex"
    rule = "bogus; siblings untouched, also by RFC 8198"
    expected = BOGUS
    queries, verifications = 30, 12

    def question(self, instance):
        return "host.child." + self.zone(instance), "A"

    def reply(self, question):
        zone = self.zone_of(question)
        child = "child." + zone
        if question.name.endswith(child):
            key = world.key_of(child)
            if question.type == "DS" and question.name == child:
                return wire.message(question, world.signed([RR(child, "DS", key.ds(child))], zone))
            if question.type == "DNSKEY" and question.name == child:
                records = [RR(child, "DNSKEY", key.data)]
                return wire.message(question, records + [key.sign(records, child)])
            records = [RR(question.owner, "A", "20.66.200.66")]
            above = wire.nsec(f"host.{child}", f"zzz.{child}")
            return wire.message(question, records + [key.sign(records, child, labels=2)], [above, key.sign([above], child, labels=2)])
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        answer = lane.daemon.rrset("www." + self.zone("m"))
        lane.check("a sibling's own answer holds", (answer["security"], answer["outcome"]) == ("secure", "records") and "20.66.200.80" in str(answer["records"]), answer)
        answer = lane.daemon.rrset("nobody." + self.zone("m"))
        lane.check("no wildcard is made of it", answer["outcome"] == "nxdomain" and answer["security"] == "secure", answer)


class FarNext(Attack):
    number, title = 7, "NSEC whose next name lies outside its zone (CVE-2026-13321)"
    rule = "bogus; nothing of it denies others' names"
    expected = BOGUS
    queries, verifications = 20, 30
    instances = ["root", "victim"]

    def question(self, instance):
        return "b." + self.zone(instance), "A"

    def reply(self, question):
        zone = self.zone_of(question)
        if question.name == "b." + zone:
            far = "zzzz." if "root" in self.instance_of(question) else "zz.victim."
            records = world.signed([wire.nsec("a." + zone, far)], zone) + world.signed([wire.nsec(zone, far)], zone)
            return wire.message(question, [], self.honest(question).soa() + records, rcode=wire.NXDOMAIN)
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        for name, wanted in (("www.victim.", "records"), ("www.good.", "records"), ("www." + self.zone("root"), "records")):
            answer = lane.daemon.rrset(name)
            lane.check(f"{name} is still there", (answer["security"], answer["outcome"]) == ("secure", wanted), answer)


class ApexHash(Attack):
    number, title = 8, "NSEC3 whose owner is not hash.zone (CVE-2026-10723)"
    rule = "bogus"
    expected = BOGUS
    queries, verifications, hashes = 20, 30, 128
    instances = ["below", "apex", "short"]

    def question(self, instance):
        return "nobody." + self.zone(instance), "A"

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        if question.name != "nobody." + zone:
            return self.honest(question).reply(question)
        records = []
        for about, kinds in ((zone, ["SOA", "NS", "RRSIG", "DNSKEY"]), (question.name, ["RRSIG"]), ("*." + zone, ["RRSIG"])):
            digest = wire.nsec3_hash(about, b"", 0)
            before, after = wire.around(digest)
            record = wire.nsec3(zone, digest if about == zone else before, after, kinds)
            label = wire.base32hex(digest if about == zone else before)
            owner = {"below": f"{label}.x.{zone}", "apex": zone, "short": f"{label[:20]}.{zone}"}[instance.rstrip("0123456789")]
            record.owner = wire.name(owner)
            records += world.signed([record], zone)
        return wire.message(question, [], self.honest(question).soa() + records, rcode=wire.NXDOMAIN)


class Ancestor(Attack):
    number, title = 9, "a grandparent's NSEC replayed to prove an insecure delegation under a known DS"
    rule = "bogus"
    expected = BOGUS
    queries, verifications = 24, 16

    def question(self, instance):
        return "www.child." + self.zone(instance), "A"

    def reply(self, question):
        zone = self.zone_of(question)
        child = "child." + zone
        if question.name.endswith(child):
            # As evil. itself once signed it, when the zone had no DS yet; it covers the child, too.
            owner = wire.name(zone)
            replayed = world.signed([RR(owner, "NSEC", wire.name("zz-a9.evil.") + wire.bitmap(["NS", "RRSIG", "NSEC"]))], "evil.")
            if question.type == "DS":
                return wire.message(question, [], self.honest(question).soa() + replayed)
            if question.address == self.addresses()[1]:
                return wire.message(question, [RR(question.owner, "A", "20.66.200.66")])
            return wire.message(question, [], [RR(child, "NS", "ns2." + zone)] + replayed, [RR("ns2." + zone, "A", self.addresses()[1])], aa=False)
        return self.honest(question).reply(question)


class Unvalidated(Attack):
    number, title = 10, "records that were never validated used as proof: unsigned opt-out, expanded wildcard NSEC, wildcard CNAME without proof"
    rule = "bogus"
    expected = BOGUS
    queries, verifications, hashes = 30, 20, 128
    instances = ["optout", "expanded", "cname", "pending"]

    def question(self, instance):
        if instance.startswith("cname"):
            return "any." + self.zone(instance), "A"
        return "www.child." + self.zone(instance), "A"

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        child = "child." + zone
        if instance.startswith("cname") and question.name == "any." + zone:
            # Expanded from *.zone, with no proof that any.zone itself is not there (CVE-2026-52686).
            alias = [RR(question.owner, "CNAME", wire.name("www." + zone))]
            return wire.message(question, alias + [world.key_of(zone).sign(alias, zone, labels=2)])
        if not question.name.endswith(child):
            return self.honest(question).reply(question)
        if instance.startswith("optout"):
            digest = wire.nsec3_hash(child, b"", 0)
            before, after = wire.around(digest)
            apex = wire.nsec3_hash(zone, b"", 0)
            proof = [wire.nsec3(zone, before, after, optout=True), wire.nsec3(zone, apex, wire.around(apex)[1], ["NS", "SOA", "RRSIG", "DNSKEY"], optout=True)]
        elif instance.startswith("expanded"):
            record = RR(child, "NSEC", b"\1\0" + wire.name(child) + wire.bitmap(["NS", "RRSIG", "NSEC"]))
            proof = [record, world.key_of(zone).sign([record], zone, labels=2)]
        else:
            record = RR(child, "NSEC", b"\1\0" + wire.name(child) + wire.bitmap(["NS", "RRSIG", "NSEC"]))
            proof = [record, world.key_of(zone).sign([record], zone, spoil=7)]
        if question.type == "DS":
            return wire.message(question, [], self.honest(question).soa() + proof)
        if question.address == self.addresses()[1]:
            return wire.message(question, [RR(question.owner, "A", "20.66.200.66")])
        return wire.message(question, [], [RR(child, "NS", "ns2." + zone)] + proof, [RR("ns2." + zone, "A", self.addresses()[1])], aa=False)


class StaleWildcard(Attack):
    number, title = 11, "a wildcard replayed through stale answers (CVE-2026-46582)"
    rule = "stale is told for the very name, without AD; never for another"
    unbound, why_not = False, "Debian's has no serve-expired by default"

    def find(self, zone, name):
        return {"A": [wire.address("20.66.200.80")]} if name.endswith("." + zone) and name.count(".") == zone.count(".") + 1 else None

    def reply(self, question):
        zone = self.zone_of(question)
        if question.kind == 1 and question.name.endswith(".w." + zone):
            records = [RR(question.owner, "A", "20.66.200.80", 1)]
            closer = world.signed([wire.nsec("!." + "w." + zone, "~." + "w." + zone)], zone)
            return wire.message(question, records + [world.key_of(zone).sign(records, zone, labels=3)], closer)
        return self.honest(question).reply(question)

    def play(self, lane):
        daemon = Daemon(port=5360, resolver="serve-stale = 3600\nserve-stale-after-ms = 200\naggressive-nsec = true").start()
        try:
            zone = self.zone("m")
            answer, cost = lane.measure(lambda: daemon.rrset("one.w." + zone), daemon)
            lane.check("the wildcard's answer is secure", (answer["security"], answer["outcome"]) == ("secure", "records"), answer.get("reason"))
            lane.bounded("the wildcard's answer", cost, 16, 12)
            fresh = dig(5360, "one.w." + zone)
            lane.check("fresh, it has AD", fresh is not None and bool(fresh.flags & dns.flags.AD), fresh)
            time.sleep(2.2)
            lane.mute(True)
            (stale, other), cost_stale = lane.measure(lambda: (dig(5360, "one.w." + zone), dig(5360, "two.w." + zone)), daemon)
            lane.bounded("stale, and its neighbour", cost_stale, 24, 0)
            lane.looks_at("status", "cache")
            lane.check("stale, it is told for the name itself, without AD", stale is not None and stale.rcode() == 0 and bool(stale.answer) and
                       not stale.flags & dns.flags.AD, stale)
            lane.check("and for no other name", other is None or not other.answer, other)
            lane.check("nor for mail: that is asked anew, and fails", daemon.rrset("one.w." + zone, deadline_ms=2000)["outcome"] == "failure")
            lane.mute(False)
        finally:
            lane.mute(False)
            daemon.remove()
        return {"status": "stale without AD", **self.spent(cost), **self.benign(lane), "unbound": self.why_not}


class Aliases(Attack):
    number, title = 12, "an unsigned CNAME beside a signed DNAME; a DNAME out of zone; DS answered by a CNAME"
    rule = "the DNAME counts; what is not the zone's is not heard"
    queries, verifications = 24, 20
    instances = ["dname", "outside", "ds"]

    def question(self, instance):
        return {"dname": "www.d.", "outside": "www.", "ds": "child."}[instance.rstrip("0123456789")] + self.zone(instance), "DS" if instance.startswith("ds") else "A"

    def expect(self, instance):
        # A signed alias at the name: it is followed, and nobody takes what lies there for a delegation.
        return ("secure", "nodata") if instance.startswith("ds") else ("secure", "records")

    def find(self, zone, name):
        return {"A": [wire.address("20.66.200.80")]} if name in ("www." + zone, "www.t." + zone) else {} if name == "t." + zone else None

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question).rstrip("0123456789")
        if instance == "dname" and question.name.endswith(".d." + zone):
            dname = world.signed([RR("d." + zone, "DNAME", wire.name("t." + zone))], zone)
            return wire.message(question, dname + [RR(question.owner, "CNAME", wire.name("www.victim."))])
        if instance == "dname" and question.name == "d." + zone:
            return wire.message(question, [], self.honest(question).nothing(question.name, {"DNAME": []}))
        if instance == "outside" and question.name == "www." + zone and question.type == "A":
            answer = world.signed([RR(question.owner, "A", "20.66.200.80")], zone)
            stolen = [RR("victim.", "DNAME", wire.name(zone)), world.key_of(zone).sign([RR("victim.", "DNAME", wire.name(zone))], zone)]
            return wire.message(question, stolen + answer)
        if instance == "ds" and question.name == "child." + zone:
            return wire.message(question, world.signed([RR(question.owner, "CNAME", wire.name("www." + zone))], zone))
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        answer = lane.daemon.rrset(*self.question("dname"))
        lane.check("the alias is the DNAME's", answer["alias"] and answer["alias"]["expanded"] == "www.t." + self.zone("dname").rstrip("."), answer["alias"])
        answer = lane.daemon.rrset("www.victim.")
        lane.check("victim. has no DNAME", answer["alias"] is None and "20.53.1.99" in str(answer["records"]), answer)


class CheckingDisabled(Attack):
    number, title = 13, "NXDOMAIN fetched under CD=1 evicts secure data"
    rule = "what CD brings is never cached with what was judged"
    queries, verifications = 12, 12
    lies = False

    def reply(self, question):
        if self.lies and question.name == "www." + self.zone_of(question):
            return wire.message(question, rcode=wire.NXDOMAIN)
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        name = "www." + self.zone("m")
        self.tell("lies", True)
        raw = dig(MXTRUST_PORT, name, flags=0x10)
        lane.check("with CD the liar is heard, without AD", raw is not None and not raw.flags & dns.flags.AD, raw)
        for kind in ("A", "TXT"):
            dig(MXTRUST_PORT, name, kind, flags=0x10)
        reply = dig(MXTRUST_PORT, name)
        lane.check("without CD the secure answer is still there", reply is not None and reply.rcode() == 0 and bool(reply.answer) and
                   bool(reply.flags & dns.flags.AD), reply)
        fresh = lane.daemon.rrset("www." + self.zone("other"))
        lane.check("the same lie without CD is bogus", (fresh["security"], fresh["outcome"]) == BOGUS, fresh.get("reason"))
        self.tell("lies", False)


# Rdata that a canonicaliser or an NSEC parser may stumble over: (type, octets).
CROOKED = [
    ("NSEC", b""), ("NSEC", b"\0"), ("NSEC", b"\1a\0\0"), ("NSEC", b"\1a\0\0\x21" + b"\xff" * 33), ("NSEC", b"\1a\0\0\0"), ("NSEC", b"\1a\0\0\x20" + b"\xff" * 3),
    ("NSEC", b"\1a\0" + b"\1\1\x40" + b"\0\1\x40"), ("NSEC", b"\x3f" + b"a" * 20), ("NSEC", b"\xc0\x0c\0\1\x40"), ("NSEC", b"\1a\0\0\1\0"),
    ("NSEC3", b"\1\0\0\0"), ("NSEC3", b"\1\0\0\0\xff" + b"s" * 10), ("NSEC3", b"\1\0\0\0\0\xff" + b"h" * 10), ("NSEC3", b"\1\0\0\0\0\0"),
    ("RRSIG", b"\0\1\x0f\3"), ("RRSIG", b"\0\1\x0f\3" + b"\0" * 14), ("RRSIG", b"\0\1\x0f\3" + b"\0" * 14 + b"\x3f" + b"a" * 9), ("DNSKEY", b"\1\1\3"),
    ("DNSKEY", b"\1\1\3\x0f"), ("DS", b"\0\1\x0f"), ("SIG", b"\0" * 10), ("MX", b"\0"), ("MX", b"\0\1\xc0\xff"), ("SOA", b"\0\0\0\1"), ("TLSA", b"\3"), ("SRV", b"\0" * 6 + b"\x40"),
]


class Crooked(Attack):
    number, title = 14, "crooked rdata in NSEC, NSEC3, RRSIG, DNSKEY and others (CVE-2026-33278, -42959, -56416)"
    rule = "never secure, never fatal"
    instances = [f"v{number}v" for number in range(len(CROOKED))]
    queries, verifications, failures, hashes = 30, 24, 4, 32
    unbound = True
    floods = 2

    def question(self, instance):
        return "www." + self.zone(instance), "TXT"

    def expect(self, instance):
        return getattr(self, "seen", {}).get(instance, ("bogus", "failure"))

    def numbered(self):
        return True

    def reply(self, question):
        zone = self.zone_of(question)
        if question.name == zone:
            return self.honest(question).reply(question)
        kind, octets = CROOKED[int(self.instance_of(question).split("v")[1])]
        record = RR(question.owner, kind, octets)
        return wire.message(question, [], self.honest(question).soa() + [record, world.key_of(zone).sign([record], zone)])

    def judge(self, lane, instance, answer, cost):
        kind, octets = CROOKED[int(instance.split("v")[1])]
        where = f"{kind} {octets[:8].hex()}"
        lane.check(f"{where}: nothing is proven by it", answer["security"] in ("bogus", "indeterminate") and answer["outcome"] == "failure", answer.get("reason"))
        self.seen = getattr(self, "seen", {})
        self.seen[instance] = (answer["security"], answer["outcome"])
        lane.looks_at("status")
        lane.bounded(where, cost, self.queries, self.verifications, self.hashes)


ALL = [LowLabels(), FarNext(), ApexHash(), Ancestor(), Unvalidated(), StaleWildcard(), Aliases(), CheckingDisabled(), Crooked()]
